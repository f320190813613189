//! Every mail of the corpus: those of the providers that we know exactly, and never a maintenance for any other.

use std::fs;

use serde_json::Value;

use crate::support;

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
    let (mut exact, mut held, mut foreign, mut wrong) = (0, 0, 0, Vec::new());
    let mails = support::corpus_mails();
    for mail in &mails {
        let provider = mail.name.split('/').next().unwrap();
        let known = notice::providers::ALL.iter().any(|known| known.slug == provider);
        let about: Value = serde_json::from_slice(&fs::read(mail.path.with_file_name("case.json")).unwrap()).unwrap();
        for (ends, bytes) in support::with_both_line_ends(&mail.bytes) {
            let actual = support::parse(&bytes);
            let what = format!("{} {ends}: {}", mail.name, actual["reason"]);
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
                let expected = fs::read(mail.path.with_file_name("expected.json")).unwrap();
                let expected = serde_json::from_slice(&expected).unwrap();
                let compared = |value| without_keys_not_compared(provider, value);
                let (expected, actual) = (compared(expected), compared(actual["maintenances"].clone()));
                wrong.extend(support::difference(&what, &expected, &actual));
            }
        }
    }
    for (provider, key) in NOT_COMPARED {
        println!("corpus: `{key}` of {provider} is not compared");
    }
    println!("corpus: {exact} cases to be exact, {held} errors to be held, {foreign} of nobody; {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(exact + held + foreign, 2 * mails.len(), "every case is run with both line ends");
}
