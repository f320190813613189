//! Tests `provision outputs`: the names and addresses of what is in the account, as `up` prints them at its end.

use serde_json::{Value, json};

use super::{EVERYTHING, Trial};
use crate::{emulator::fault::Fault, harness::replaced};

fn outputs(document: &Value) -> Vec<String> {
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let all = document["outputs"].as_array().unwrap().iter();
    all.map(|one| format!("{} {} {}", text(one, "kind"), text(one, "entry"), text(one, "value"))).collect()
}

#[test]
fn the_outputs_are_those_of_up() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let run = trial.expect(1, &["outputs", "--json"]);
    let document = run.json().remove(0);
    assert_eq!(document["outputs"], json!([]), "{run}");
    assert!(document["missing"].as_array().unwrap().contains(&json!("function/reader")), "{run}");
    let up = trial.expect(0, &["up", "--yes", "--json"]).json().remove(0);
    trial.proxy.reset();
    let run = trial.expect(0, &["outputs", "--json"]);
    assert!(trial.proxy.mutating().is_empty(), "{}", trial.proxy.record());
    let document = run.json().remove(0);
    assert_eq!((&document["outputs"], &document["missing"]), (&up["outputs"], &json!([])), "{run}");
    assert_eq!((&document["version"], &document["account"]), (&json!(1), &json!("123456789012")), "{run}");
    let found = outputs(&document);
    for wanted in
        ["bucket mail circuits-mail-123456789012-eu-west-1", "address reader noc@example.com", "address rest *"]
    {
        assert!(found.iter().any(|one| one == wanted), "{wanted}: {found:#?}");
    }
    assert!(found.iter().any(|one| one.starts_with("code reader ")), "{found:#?}");
    let text = trial.expect(0, &["outputs"]);
    assert!(
        text.stdout().lines().any(|line| line.starts_with("address reader") && line.ends_with("   noc@example.com")),
        "{text}"
    );

    // What is declared and not there yet, and what cannot be read.
    trial.folder.write(
        "infra.yaml",
        replaced(EVERYTHING, &[("  failed: {retention: 14d}", "  failed: {retention: 14d}\n  more: {}")]),
    );
    let run = trial.expect(1, &["outputs"]);
    assert!(
        run.stderr().contains("queue/more is not in the account") && run.stdout().contains("queue failed"),
        "{run}"
    );
    let _denied = trial.proxy.on(Fault::Denies, |call| call.operation == "sqs.GetQueueUrl");
    let run = trial.expect(2, &["outputs", "--json"]);
    assert!(run.stderr().contains("Failed to read queue"), "{run}");
    assert_eq!(run.json()[0]["missing"], json!([]), "{run}");
    trial.proxy.reset();

    // Whatever is declared counts, with an output or without; what is somebody else's is not missing.
    let account = &trial.account;
    account.wait(account.logs.delete_log_group().log_group_name("/aws/lambda/circuits-reader").send()).unwrap();
    let run = trial.expect(1, &["outputs"]);
    assert!(run.stderr().contains("log-group/reader is not in the account"), "{run}");
    let tag = [("provision:stack".to_owned(), "office.eu-west-1".to_owned())];
    account.wait(account.sqs.create_queue().queue_name("circuits-more").set_tags(Some(tag.into())).send()).unwrap();
    let run = trial.expect(2, &["outputs"]);
    assert!(run.stderr().contains("Failed to find queue more: `circuits-more` is not the stack's"), "{run}");
}

#[test]
fn up_ends_with_the_addresses_for_the_carriers() {
    let declared = replaced(
        EVERYTHING,
        &[
            ("recipients: [noc@example.com]", "recipients: [noc@example.com, example.net, .example.org]"),
            (
                "  - name: rest\n    actions: [{store: mail, prefix: rest/}]\n",
                "  - name: no\n    recipients: [no@example.com]\n    actions: [{bounce: Not here, sender: noc@example.com}]\n",
            ),
        ],
    );
    let Some(trial) = Trial::new(&declared) else { return };
    let run = trial.up();
    let last = run.stdout().lines().last().unwrap_or_default().to_owned();
    assert_eq!(last, "Give to your carriers: noc@example.com, *@example.net, *@*.example.org", "{run}");
}
