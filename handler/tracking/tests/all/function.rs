//! The program as Lambda runs it.

use std::{collections::BTreeSet, time::Duration};

use delivery::{Selection, Tracked};
use function_trial::{Lambda, Running};
use serde_json::{Value, json};

use crate::{
    context, envelope, event,
    servers::{MySql, Redis},
};

fn start(maria: &MySql, redis: Option<&Redis>) -> (Lambda, Running) {
    let lambda = Lambda::start();
    let mut command = lambda.function(env!("CARGO_BIN_EXE_tracking"));
    command.env("PROVISION_CONTEXT", context().to_string()).env("DATABASE_URL", maria.url());
    if let Some(redis) = redis {
        command.env("CACHE_URL", redis.url());
    }
    (lambda, Running::start(command))
}

fn batch(bodies: &[(&str, String)]) -> String {
    let record = |(id, body): &(&str, String)| json!({"messageId": id, "receiptHandle": "h", "body": body});
    json!({"Records": bodies.iter().map(record).collect::<Vec<_>>()}).to_string()
}

/// Returns the messages to deliver again.
fn failures(body: &str) -> BTreeSet<String> {
    let answer: Value = serde_json::from_str(body).unwrap();
    let failures = answer["batchItemFailures"].as_array().unwrap_or_else(|| panic!("{body}"));
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn tracked(maria: &MySql, mail: &str) -> Vec<Tracked> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { maria.database().tracked(&Selection::Mail(mail.to_owned()), 10).await.unwrap() })
}

#[test]
fn events_are_tracked_poison_is_left_and_validations_are_dropped() {
    let (Some(maria), Some(redis)) = (MySql::start(), Redis::start()) else { return };
    let (lambda, running) = start(&maria, Some(&redis));
    let bodies = [
        ("1", envelope(&event("Open", "m-1", 30))),
        ("2", event("Delivery", "m-1", 9)),
        ("3", "{".to_owned()),
        ("4", envelope("Successfully validated SNS topic for Amazon SES event publishing.\n")),
        ("5", envelope(r#"{"eventType":"Send"}"#)),
        ("6", event("Delivery", &"x".repeat(101), 9)),
        // The same event as 1, without the envelope.
        ("7", event("Open", "m-1", 30)),
    ];
    for round in 0..2 {
        let said = lambda.invoke(&format!("r-{round}"), &batch(&bodies));
        assert_eq!(failures(&said.body), ["3", "5", "6"].map(str::to_owned).into(), "{said:?}");
    }
    let all = tracked(&maria, "m-1");
    let [mail] = &all[..] else { panic!("{all:?}") };
    assert_eq!((mail.status.as_str(), mail.opens, mail.events.len(), mail.sent_at), ("opened", 1, 2, None));
    let (lines, errors) = running.stop();
    let outcomes: Vec<String> = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["outcome"].as_str().unwrap().to_owned())
        .collect();
    let first = ["parked", "parked", "not an event", "validation", "not an event", "not an event", "parked"];
    assert_eq!(outcomes[..7], first, "{errors}");
    assert_eq!(outcomes[7], "already there");
    let all = format!("{lines:?}{errors}");
    assert!(!all.contains("ada@") && !all.contains("s3cret"), "{all}");
}

#[test]
fn nothing_is_deleted_while_the_database_is_away() {
    let Some(mut maria) = MySql::start() else { return };
    let (lambda, _running) = start(&maria, None);
    let first = lambda.invoke("r-1", &batch(&[("1", event("Delivery", "m-1", 9))]));
    assert!(failures(&first.body).is_empty(), "{first:?}");
    maria.kill();
    let away = lambda.invoke("r-2", &batch(&[("2", event("Bounce", "m-1", 10)), ("3", "{".to_owned())]));
    assert_eq!(failures(&away.body), ["2", "3"].map(str::to_owned).into(), "{away:?}");
    maria.restart(Duration::ZERO);
    let again = lambda.invoke("r-3", &batch(&[("2", event("Bounce", "m-1", 10))]));
    assert!(failures(&again.body).is_empty(), "{again:?}");
    assert_eq!(tracked(&maria, "m-1")[0].status, "bounced");
}
