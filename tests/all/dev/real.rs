//! The declaration at the root with the real function, over the mails that we wrote.

use std::{collections::BTreeMap, path::Path, process::Command};

use serde_json::Value;

/// Everything on the way is real: SMTP's line ends, SES's headers and event, signed requests to S3, the Runtime API.
/// So what comes out must be what the parser says of the file.
#[test]
fn what_is_delivered_is_what_the_mails_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(env!("CARGO_BIN_EXE_provision"))
        .args(["--json", "dev", "--once", "--sink", "lines", "--deliver", "tests/mails"])
        .current_dir(root)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut compared = BTreeMap::new();
    for mail in document["mails"].as_array().unwrap() {
        let file = root.join(mail["origin"].as_str().unwrap()).with_extension("json");
        let expected: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let (said, outcome) = (expected["outcome"].as_str().unwrap(), mail["outcome"].as_str().unwrap());
        let is_right = match outcome {
            "delivered" => said == "maintenance" && mail["maintenances"] == expected["maintenances"],
            "ignored" => said == "ignored" && mail["reason"] == expected["reason"],
            // A notice that nobody vouches for, or a mail that was not understood.
            "for_person" => said != "ignored" && mail["maintenances"] == serde_json::json!([]),
            _ => false,
        };
        assert!(is_right, "{} should be {expected:#}\nand is {mail:#}", file.display());
        *compared.entry(outcome.to_owned()).or_insert(0) += 1;
    }
    assert!(compared.get("delivered").is_some_and(|count| *count > 0), "{compared:?}");
    assert!(compared.get("for_person").is_some_and(|count| *count > 0), "{compared:?}");
}
