//! Tests `provision send` on an account: what is in the table, what was sent, and what a fault at any call leaves.

use serde_json::{Value, json};

use crate::{
    effort::Effort,
    emulator::{fault::Fault, proxy::Call},
    stack::Trial,
};

const DECLARATION: &str = "\
stack: shop
region: eu-west-1
configuration_sets: {mails: {}}
tables: {mails: {partition_key: ses_pk, sort_key: ses_sk}}
buckets: {bodies: {}}
";
const SEND: [&str; 11] = [
    "send",
    "--from",
    "Shop <Orders@shop.example>",
    "--to",
    "ada@example.org",
    "--subject",
    "Your order",
    "--text",
    "text.txt",
    "--template-id",
    "order",
];

/// Returns an account with the stack in it, whose domain is verified.
fn shop() -> Option<Trial> {
    Trial::new(DECLARATION).map(opened)
}

/// Returns the stack, once its sender is known to SES.
fn opened(trial: Trial) -> Trial {
    trial.account.wait(trial.account.ses.verify_domain_identity().domain("shop.example").send()).unwrap();
    trial.folder.write("text.txt", "It is on its way.\n");
    trial.up();
    trial
}

/// Returns the items of the table, sorted by their sort keys, without their types.
fn items(trial: &Trial) -> Vec<Value> {
    let call = aws::json::Call::new("Scan", json!({"TableName": "shop-mails"}));
    let answer = trial.account.wait(trial.account.dynamodb.call(call)).unwrap();
    let plain = |item: &Value| -> Value {
        let attributes = item.as_object().unwrap().iter();
        attributes.map(|(name, value)| (name.clone(), value["S"].clone())).collect::<serde_json::Map<_, _>>().into()
    };
    let mut items: Vec<Value> = answer["Items"].as_array().unwrap().iter().map(plain).collect();
    items.sort_by_key(|item| item["ses_sk"].to_string());
    items
}

/// Returns the beginnings of the items' sort keys: `pending`, `request`, and `mail` for a mail that was sent.
fn kinds(trial: &Trial) -> Vec<String> {
    let kind = |item: &Value| {
        let (key, status) = (item["ses_sk"].as_str().unwrap(), item["status"].as_str().unwrap().to_owned());
        let begins = |word: &str| key.starts_with(word).then(|| word.trim_end_matches('#').to_owned());
        format!("{} {status}", begins("pending#").or_else(|| begins("request#")).unwrap_or_else(|| "mail".to_owned()))
    };
    let mut kinds: Vec<String> = items(trial).iter().map(kind).collect();
    kinds.sort();
    kinds
}

/// Returns the number of times that SES was asked to send, and did.
fn deliveries(trial: &Trial) -> usize {
    let is_done = |call: &&Call| {
        call.operation.service == "ses"
            && call.target.ends_with("/outbound-emails")
            && call.fault.is_none_or(Fault::passes_on)
    };
    trial.proxy.calls().iter().filter(is_done).count()
}

#[test]
fn a_mail_is_sent_once_with_a_record_by_which_its_events_find_it() {
    let Some(trial) = shop() else { return };
    let document = |run: crate::harness::Run| run.json().remove(0);
    let would = document(trial.expect(0, &[&SEND[..], &["--json", "--dry-run"]].concat()));
    assert_eq!((&would["outcome"], &would["sent_as"], items(&trial).len()), (&json!("not_sent"), &json!(null), 0));
    let would = trial.expect(0, &[&SEND[..], &["--sent-as", "m-1", "--dry-run"]].concat());
    assert!(would.stdout().contains("would be recorded as m-1") && items(&trial).is_empty(), "{would}");
    let first = document(trial.expect(0, &[&SEND[..], &["--json"]].concat()));
    assert_eq!(first["outcome"], "sent");
    let message_id = first["message_id"].as_str().unwrap();
    let items = items(&trial);
    assert_eq!(kinds(&trial), ["mail sent", "request sent"]);
    let item = items.iter().find(|item| item["from"].is_string()).unwrap();
    assert!(item["ses_sk"].as_str().unwrap().starts_with(&format!("{message_id}#")), "{item}");
    assert_eq!((&item["ses_pk"], &item["template_id"]), (&json!("orders@shop.example"), &json!("order")));
    assert_eq!((&item["from"], &item["message_id"]), (&json!("Shop <Orders@shop.example>"), &json!(message_id)));
    let bucket = "shop-bodies-123456789012-eu-west-1";
    let stored = trial.account.s3.get_object().bucket(bucket).key(item["s3_key"].as_str().unwrap()).send();
    let body = trial.account.wait(async { stored.await.unwrap().body.collect().await }).unwrap().into_bytes();
    assert!(String::from_utf8_lossy(&body).contains("It is on its way."));
    // The same once more sends nothing; with another key it is another request.
    let again = document(trial.expect(0, &[&SEND[..], &["--json"]].concat()));
    assert_eq!((&again["outcome"], &again["message_id"]), (&json!("already_sent"), &json!(message_id)));
    assert_eq!(deliveries(&trial), 1);
    for other in [&["--key", "order-2"][..], &["--again"]] {
        let other = document(trial.expect(0, &[&SEND[..], &["--json"], other].concat()));
        assert_eq!(other["outcome"], "sent");
        assert_ne!(other["message_id"], json!(message_id));
    }
    assert_eq!((deliveries(&trial), kinds(&trial).len()), (3, 6));
}

#[test]
fn a_fault_at_any_call_leaves_no_false_item_and_a_second_run_sends_nothing_twice() {
    let Some(trial) = shop() else { return };
    let calls = ["GetItem", "PutObject", "TransactWriteItems", "/outbound-emails", "TransactWriteItems"];
    let faults = [Fault::Fails, Fault::Throttles, Fault::Denies, Fault::CutBefore, Fault::CutAfter];
    let cases: Vec<(usize, Fault)> =
        (0..calls.len()).flat_map(|position| faults.map(|fault| (position, fault))).collect();
    let step = Effort::asked().of(7, 3, 1);
    for (number, (position, fault)) in cases.into_iter().enumerate().step_by(step) {
        let call = calls[position];
        let repetition = calls[..position].iter().filter(|earlier| **earlier == call).count() + 1;
        let hits = move |seen: &Call| {
            (seen.operation.name == call || seen.target.ends_with(call)) && seen.repetition == repetition
        };
        fault_and_second_run(&trial, number, fault, hits);
    }
}

/// Sends a request with one fault, and then once more without, and checks the table and the deliveries after both.
fn fault_and_second_run(trial: &Trial, number: usize, fault: Fault, hits: impl Fn(&Call) -> bool + Send + 'static) {
    let key = format!("try-{number}");
    let arguments = [&SEND[..], &["--json", "--key", &key]].concat();
    let before = kinds(trial).len();
    trial.proxy.reset();
    let hit = trial.proxy.on(fault, hits);
    let first = trial.run(&arguments);
    let told = format!("{fault:?}: {first}\n{}", trial.proxy.record());
    assert!(hit.try_recv().is_ok(), "no call was hit: {told}");
    let sent = deliveries(trial);
    let after = kinds(trial).len() - before;
    // What the table says of this request is what happened, or that nobody knows.
    match first.code() {
        Some(0) => assert_eq!((sent, after), (1, 2), "{told}"),
        Some(1) => assert!(after == 2 && kinds(trial).contains(&"pending pending".to_owned()), "{told}"),
        Some(2) => assert_eq!((sent, after), (0, 0), "{told}"),
        _ => panic!("{told}"),
    }
    trial.proxy.reset();
    let second = trial.run(&arguments);
    assert!(sent + deliveries(trial) <= 1, "sent twice: {told}\n{second}");
    match (first.code(), second.code()) {
        (Some(0 | 2), Some(0)) => {}
        (Some(1), Some(1)) => {
            // A person has learned the id from an event, and has it recorded.
            let id = format!("0107-{number}");
            let settled = trial.expect(0, &[&arguments[..], &["--sent-as", &id]].concat());
            assert!(settled.stdout().contains(&id), "{settled}");
            trial.expect(0, &arguments);
        }
        _ => panic!("{told}\n{second}"),
    }
    assert!(!kinds(trial).contains(&"pending pending".to_owned()), "{told}");
}

#[test]
fn what_cannot_be_sent_is_said_before_anything_is_asked() {
    let Some(trial) = shop() else { return };
    trial.folder.write("other.yaml", DECLARATION.replace("ses_pk", "id"));
    trial.folder.write("bare.yaml", "stack: shop\nregion: eu-west-1\n");
    for (arguments, words) in [
        (&[&SEND[..], &["--html", "absent.html"]].concat()[..], "Failed to read `absent.html`"),
        (&[&SEND[..], &["--to", "nobody"]].concat(), "`nobody` is not an address"),
        (&[&SEND[..], &["--table", "mail"]].concat(), "Failed to find the table `mail`"),
        (&[&SEND[..], &["-f", "other.yaml"]].concat(), "its keys are others"),
        (&[&SEND[..], &["-f", "bare.yaml"]].concat(), "Failed to find a table"),
        (&[&SEND[..], &["--simulate", "bounce"]].concat(), "cannot be used with"),
        (&["tail", "events/messages"], "Failed to find the topic of Kafka `events/messages`"),
    ] {
        let run = trial.expect(2, arguments);
        assert!(run.stderr().contains(words), "`{words}` is missing in {run}");
    }
    assert_eq!((items(&trial).len(), deliveries(&trial)), (0, 0));
}

#[test]
fn the_simulator_gets_a_mail_of_its_own_with_each_run() {
    let Some(trial) = shop() else { return };
    for what in ["bounce", "complaint", "success", "ooto", "suppressionlist"] {
        let run = trial.expect(0, &["send", "--from", "orders@shop.example", "--simulate", what]);
        assert!(run.stdout().starts_with("sent as "), "{run}");
    }
    assert_eq!(deliveries(&trial), 5);
}

#[test]
fn sending_runs_with_its_policy_and_needs_every_part_of_it() {
    let Some(trial) = Trial::checked(DECLARATION).map(opened) else { return };
    let policy = trial.policy("send");
    let user = trial.user("send", &policy);
    let run = trial.expect_as(0, &user, &SEND);
    assert!(run.stdout().starts_with("sent as "), "{run}");
    for sid in ["KeepBodies", "KeepRecords", "SendMails"] {
        let mut less = policy.clone();
        less["Statement"].as_array_mut().unwrap().retain(|statement| statement["Sid"] != sid);
        let run = trial.expect_as(2, &trial.user(sid, &less), &[&SEND[..], &["--key", sid]].concat());
        assert!(run.stderr().contains("AccessDenied"), "{run}");
    }
    assert_eq!(kinds(&trial), ["mail sent", "request sent"]);
}
