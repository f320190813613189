//! Tests of the program: as Lambda runs it, and as a worker on a queue of the emulator of AWS; a database of MariaDB and a Redis behind it.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail, and says what it leaves out")]

mod function;
mod metadata;
mod queue;
mod rotation;
#[path = "../../../../crates/delivery/tests/all/servers.rs"]
mod servers;
mod worker;

use serde_json::{Value, json};

/// Returns an event of SES.
fn event(kind: &str, mail: &str, second: u32) -> String {
    let at = format!("2027-01-05T11:{:02}:{:02}.000Z", second / 60 % 60, second % 60);
    json!({
        "eventType": kind, kind.to_lowercase(): {"timestamp": at},
        "mail": {"messageId": mail, "timestamp": at, "destination": ["ada@example.org"]},
    })
    .to_string()
}

/// Returns a text in SNS's envelope.
fn envelope(text: &str) -> String {
    json!({"Type": "Notification", "MessageId": "n-1", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:mails", "Message": text}).to_string()
}

/// Returns the context of the function.
fn context() -> Value {
    json!({"stack": "mails", "stage": "prod", "function": "tracking"})
}
