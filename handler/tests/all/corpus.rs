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

/// What is not compared, and why: provider, key.
///
/// The id of a Netflix notice is a hash whose ingredients no mail shows. Ours follows from circuits and times; it finds its
/// notice again as well as any, but is another than the case's.
const NOT_COMPARED: &[(&str, &str)] = &[("netflix", "maintenance_id")];

fn without_keys_not_compared(provider: &str, mut maintenances: Value) -> Value {
    for (_, key) in NOT_COMPARED.iter().filter(|(slug, _)| *slug == provider) {
        for maintenance in maintenances.as_array_mut().into_iter().flatten() {
            let compared = maintenance.as_object_mut().unwrap();
            assert!(compared.remove(*key).is_some_and(|value| value.as_str().is_some_and(|text| !text.is_empty())));
        }
    }
    maintenances
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
                    let compared = |value| without_keys_not_compared(&support::name(provider), value);
                    let (expected, actual) = (compared(expected), compared(actual["maintenances"].clone()));
                    wrong.extend(support::difference(&what, &expected, &actual));
                }
            }
        }
    }
    for (provider, key) in NOT_COMPARED {
        println!("corpus: `{key}` of {provider} is not compared");
    }
    println!("corpus: {exact} cases to be exact, {held} errors to be held, {foreign} of nobody; {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let cases = support::folders(&corpus)
        .iter()
        .filter(|provider| support::is_asked_for(&support::name(provider)))
        .map(|provider| support::folders(provider).len())
        .sum::<usize>();
    assert_eq!(exact + held + foreign, 2 * cases, "every case is run with both line ends");
    assert!(cases > 0, "no case was run");
}
