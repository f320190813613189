//! A function in a workspace of its own (`tests/own`), which takes these crates by their paths and reads a carrier that they do not
//! know: `parse` and `dev` show what it makes of a mail.

use std::{
    path::Path,
    process::{Command, Output},
};

use insta::assert_snapshot;
use serde_json::{Value, json};

fn provision(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
    command.args(["-f", "infra.yaml"]).args(arguments).env("TZ", "UTC");
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/own"));
    // With the packages that are compiled already.
    command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_MANIFEST_DIR")).join("target")).output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let errors = String::from_utf8_lossy(&output.stderr);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{errors}")))
        .collect()
}

#[test]
fn parse_shows_what_a_function_of_one_s_own_reads() {
    let output = provision(&["parse", "--function", "reader", "mails/harbour.eml"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_snapshot!(String::from_utf8_lossy(&output.stdout), @r"
    mails/harbour.eml: maintenance
      MAINTENANCE  STATUS     START (UTC)       END (UTC)         START (local)            END (local)              CIRCUIT  IMPACT
      HF-1234      CONFIRMED  2027-01-05 22:00  2027-01-06 00:00  2027-01-05 22:00 +00:00  2027-01-06 00:00 +00:00  HF/C/77  OUTAGE
    ");

    let said = lines(&provision(&["--json", "parse", "--function", "reader", "mails"]));
    let [harbour, known] = &said[..] else { panic!("{said:#?}") };
    assert_eq!((&harbour["file"], &harbour["outcome"]), (&json!("mails/harbour.eml"), &json!("maintenance")));
    assert_eq!(harbour["maintenances"][0]["maintenance_id"], "HF-1234");
    // Any other mail reads as without the function.
    let built_in = lines(&provision(&["--json", "parse", "mails"]));
    assert_eq!(built_in[0]["outcome"], "unrecognised", "a carrier that is not known: {built_in:#?}");
    assert_eq!(known["maintenances"], built_in[1]["maintenances"]);
    assert_ne!(known["maintenances"], json!([]));
}

#[test]
fn dev_shows_it_too() {
    let output = provision(&["--json", "dev", "--once", "--deliver", "mails/harbour.eml"]);
    let document = &lines(&output)[0];
    assert_eq!(document["counts"], json!({"maintenance": 1}), "{document:#}");
    assert_eq!(document["mails"][0]["details"]["maintenances"][0]["circuits"][0]["circuit_id"], "HF/C/77");
}

#[test]
fn what_parse_cannot_hand_to_a_function_is_told() {
    let said = |arguments: &[&str]| {
        let output = provision(&[&["parse"], arguments].concat());
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, unknown) = said(&["--function", "raeder", "mails"]);
    assert!(code == Some(2) && unknown.contains("hint: did you mean `reader`?"), "{unknown}");
    let (code, missing) = said(&["--function", "reader", "nowhere.eml"]);
    assert!(code == Some(2) && missing.contains("error: Failed to read `nowhere.eml`"), "{missing}");
    let (code, explained) = said(&["--function", "reader", "--explain", "mails"]);
    assert!(code == Some(2) && explained.contains("cannot be used with"), "{explained}");
}
