//! The join with the sender's table.

use std::{
    thread,
    time::{Duration, Instant},
};

use contract::sending::{MailId, TAG, pending_sort_key};
use function_trial::Answer;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    formats::metric,
    trial::{MAIL, SENDER, SHORT, Trial, event, notifications, sample},
};

/// Time of an event that is of no importance.
const OLD: &str = "2027-01-05T11:00:00Z";

fn delivery(mail: &str, sent_at: &str) -> Value {
    notifications(&[("n-1", &event("Delivery", mail, "ada@example.org", sent_at, OLD))])
}

#[test]
fn the_mail_is_looked_up_by_its_own_sender_and_its_whole_id() {
    let trial = Trial::start();
    let old = "2026-01-05T11:00:00Z";
    for (sender, sort, template) in [
        (SENDER, "mail-10#2027-01-05 11:00", Some("another mail")),
        (SENDER, "mail-1", Some("no separator")),
        ("other@shop.example", "mail-1#2027-01-05 11:00", Some("another sender")),
        (SENDER, "mail-1#2027-01-05 11:00", None),
        (SENDER, "mail-1#2027-01-05 11:01", Some("first")),
        (SENDER, "mail-1#2027-01-05 11:02", Some("second")),
        (SENDER, "mail-2#2027-01-05 11:00", None),
    ] {
        trial.table.put(sender, sort, template);
    }
    for mail in ["mail-1", "mail-10", "mail-2", "mail-3", "mail"] {
        assert_eq!(trial.written(&delivery(mail, old)), 1);
    }
    let mut found = trial.broker.kept();
    found.sort_by_key(|kept| kept.key.clone());
    let found: Vec<Value> = found.into_iter().map(|kept| kept.value["template_id"].clone()).collect();
    // mail, mail-1, mail-10, mail-2, mail-3
    assert_eq!(json!(found), json!([null, "first", "another mail", null, null]));
    let (lines, errors) = trial.stop();
    assert_eq!(metric(&lines, "UnknownMail"), 2, "an item without a template is known: {errors}");
}

#[test]
fn a_mail_whose_id_is_not_known_yet_is_joined_by_its_tag() {
    let trial = Trial::start();
    let id = MailId::of([0xa5; 16]);
    trial.table.put(SENDER, &pending_sort_key(&id), Some("pending"));
    let tagged = |value: &str| {
        let mut event: Value = serde_json::from_str(&event("Bounce", "mail-1", "ada@example.org", OLD, OLD)).unwrap();
        event["mail"]["tags"] = json!({ TAG: [value] });
        notifications(&[("n-1", &event.to_string())])
    };
    trial.written(&tagged(id.as_str()));
    trial.written(&tagged("a5#a5"));
    trial.written(&tagged(MailId::of([0xa6; 16]).as_str()));
    trial.table.put(SENDER, "mail-1#2027-01-05 11:00", Some("sent"));
    trial.written(&tagged(id.as_str()));
    assert_eq!(json!(trial.fields("template_id")), json!(["pending", null, null, "sent"]));
}

#[test]
fn an_item_that_is_on_its_way_is_waited_for_while_the_mail_is_young() {
    let trial = Trial::with(&[("JOIN_SECONDS", "60")]);
    let now = Timestamp::now().to_string();
    trial.lambda.prepare("r-1", &delivery("mail-1", &now).to_string());
    let began = Instant::now();
    while trial.table.asked().len() < 2 {
        assert!(began.elapsed() < Duration::from_secs(30), "it is not asked again");
        thread::sleep(Duration::from_millis(10));
    }
    assert!(trial.broker.kept().is_empty());
    trial.table.put(SENDER, "mail-1#2027-01-05 11:00", Some("late"));
    assert_eq!(trial.lambda.wait_for("r-1").error_type, None);
    // An old mail, and one from a far future, are looked for once.
    for (mail, sent_at) in [("mail-2", OLD), ("mail-3", "2999-01-01T00:00:00Z"), ("mail-4", "2020-01-01T00:00:00Z")] {
        let asked = trial.table.asked().len();
        trial.written(&delivery(mail, sent_at));
        assert_eq!(trial.table.asked().len(), asked + 1, "{mail}");
    }
    // The message is more important than the join: it is written before the time is up.
    trial.lambda.limit(SHORT);
    assert_eq!(trial.written(&delivery("mail-5", &Timestamp::now().to_string())), 1);
    let mut found = trial.broker.kept();
    found.sort_by_key(|kept| kept.key.clone());
    let found: Vec<Value> = found.into_iter().map(|kept| kept.value["template_id"].clone()).collect();
    assert_eq!(json!(found), json!(["late", null, null, null, null]));
    let (lines, _) = trial.stop();
    assert_eq!((metric(&lines, "UnknownMail"), metric(&lines, "Written")), (4, 5));
}

#[test]
fn a_table_in_trouble_is_asked_again_and_one_that_refuses_is_an_error() {
    let trial = Trial::start();
    trial.table.put(SENDER, &format!("{MAIL}#2027-01-05 11:00"), Some("order"));
    let throttled = || Answer::new(400, r#"{"__type":"x#ProvisionedThroughputExceededException"}"#);
    let fault = || Answer::new(500, r#"{"__type":"x#InternalServerError"}"#);
    let event = notifications(&[("n-1", &sample("event-open.json"))]);
    trial.table.choose(move |number| match number {
        0..4 => Some(throttled()),
        4 => Some(fault()),
        5 => Some(Answer::Close),
        6 => Some(Answer::Silence),
        7 => Some(Answer::new(200, "<html>")),
        _ => None,
    });
    assert_eq!(trial.written(&event), 1);
    assert_eq!(json!(trial.fields("template_id")), json!(["order"]));
    // What may be known and cannot be asked is not told to be unknown: the event comes again.
    let refused = || Answer::new(400, r#"{"__type":"x#AccessDeniedException","Message":"for orders@shop.example"}"#);
    trial.table.choose(move |_| Some(refused()));
    let said = trial.failed(&event);
    assert!(said.contains("AccessDeniedException: the function's `queries` must name the table"), "{said}");
    trial.table.choose(move |_| Some(fault()));
    trial.lambda.limit(SHORT);
    let said = trial.failed(&event);
    assert!(said.contains("answers 500"), "{said}");
    assert_eq!(trial.broker.kept().len(), 1);
    let (lines, errors) = trial.stop();
    assert_eq!((metric(&lines, "Retry"), metric(&lines, "UnknownMail")), (2, 0));
    assert!(!format!("{}{errors}", json!(lines)).contains("orders@"), "{errors}");
}
