//! Every mail of the corpus: those of the providers that we know exactly, and never a maintenance for any other.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::support;

/// The corpus is not part of the project: it lies beside the repository, or where `MAINTENANCE_CORPUS` says.
fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("MAINTENANCE_CORPUS")
        .map_or_else(|| support::repository().join("../shared/corpus"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var("PROVISION_REQUIRE").is_ok_and(|list| list.split(',').any(|word| word == "corpus"));
    assert!(!required, "PROVISION_REQUIRE names the corpus, and there is none at {}", folder.display());
    println!("not run: no corpus at {}", folder.display());
    None
}

#[test]
fn every_case_is_exact() {
    let Some(corpus) = corpus() else { return };
    let (mut exact, mut held, mut foreign, mut wrong) = (0, 0, 0, Vec::new());
    for provider in support::folders(&corpus).iter().filter(|path| support::is_asked_for(&support::name(path))) {
        let known = handler::maintenance::providers::ALL.iter().any(|known| known.slug == support::name(provider));
        for case in support::folders(provider) {
            let mail = fs::read(case.join("mail.eml")).unwrap();
            let about: Value = serde_json::from_slice(&fs::read(case.join("case.json")).unwrap()).unwrap();
            for (ends, bytes) in support::with_both_line_ends(&mail) {
                let actual = support::parse(&bytes);
                let what = format!("{}/{} {ends}: {}", support::name(provider), support::name(&case), actual["reason"]);
                // Whoever sends a MAINTNOTE calendar is understood by it.
                if !known && actual["provider"] != "genericprovider" {
                    foreign += 1;
                    wrong.extend(
                        (actual["outcome"] == "maintenance").then(|| format!("{what}: nobody's mail became {actual}")),
                    );
                } else if about["expects"] == "error" {
                    held += 1;
                    wrong.extend(support::difference(&what, &Value::from("failed"), &actual["outcome"]));
                } else {
                    exact += 1;
                    let expected = serde_json::from_slice(&fs::read(case.join("expected.json")).unwrap()).unwrap();
                    wrong.extend(support::difference(&what, &expected, &actual["maintenances"]));
                }
            }
        }
    }
    println!("corpus: {exact} cases to be exact, {held} errors to be held, {foreign} of nobody; {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(exact + held + foreign > 0, "no case was run");
}
