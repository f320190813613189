//! Transactions: one that the database ends in favour of another one is done again, and one of any size is one.

use std::time::Duration;

use delivery::{Change, Store, changes};
use events::{Reading, read};
use mysql_async::{Conn, prelude::Queryable};
use serde_json::json;

use crate::{model::at, servers::MySql};

/// Returns the changes of a delivery of these mails.
fn delivered(mails: &[&str], second: u32) -> Vec<Change> {
    let of = |mail: &&str| {
        let text = json!({
            "eventType": "Delivery", "delivery": {"timestamp": at(second), "recipients": ["ada@example.org"]},
            "mail": {"messageId": mail, "timestamp": at(second)},
        })
        .to_string();
        let Ok(Reading::Event(event)) = read(&text) else { panic!("{text}") };
        changes(&text, &event).unwrap()
    };
    mails.iter().flat_map(of).collect()
}

/// Waits until a statement that begins so waits for a lock: it is still there when it is looked for again.
async fn wait_for(connection: &mut Conn, statement: &str) {
    let mut seen = 0;
    while seen < 3 {
        let query = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '{statement}%'");
        let count: Option<u32> = connection.query_first(query).await.unwrap();
        seen = if count == Some(0) { 0 } else { seen + 1 };
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn deadlocks(connection: &mut Conn) -> u64 {
    let query = "SELECT count FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'";
    connection.query_first(query).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_worker_that_a_deadlock_ends_applies_its_batch_again() {
    let Some(maria) = MySql::start() else { return };
    let database = maria.database();
    database.apply(&delivered(&["a", "b"], 1)).await.unwrap();
    let (mut other, mut looking) = (maria.connection().await, maria.connection().await);
    // The other one has written more, so that the worker is the one whom the database ends.
    other.query_drop("START TRANSACTION").await.unwrap();
    for number in 0..200 {
        let row = format!("INSERT INTO sent_mail (mail_id, sender, begun_at) VALUES ('{number}', 's', NOW())");
        other.query_drop(row).await.unwrap();
    }
    let lock = |mail: &str| format!("SELECT 1 FROM mail WHERE message_id = '{mail}' FOR UPDATE");
    other.query_drop(lock("b")).await.unwrap();
    let batch = delivered(&["a", "b"], 2);
    let (applied, ()) = tokio::join!(database.apply(&batch), async {
        wait_for(&mut looking, "INSERT INTO mail (").await;
        // The worker has the first row and waits for the second, which this one has while it asks for the first.
        other.query_drop(lock("a")).await.unwrap();
        other.query_drop("ROLLBACK").await.unwrap();
    });
    assert_eq!(applied.unwrap().len(), 2);
    assert_eq!(deadlocks(&mut looking).await, 1);
    let events: Option<u32> = looking.query_first("SELECT COUNT(*) FROM mail_event").await.unwrap();
    assert_eq!(events, Some(4));
}

/// MySQL takes 65,535 parameters in a statement.
#[tokio::test]
async fn a_batch_of_any_size_is_applied_whole() {
    let Some(maria) = MySql::start() else { return };
    let mails: Vec<String> = (0..12_000).map(|number| format!("m-{number}")).collect();
    let mails: Vec<&str> = mails.iter().map(String::as_str).collect();
    let standings = maria.database().apply(&delivered(&mails, 1)).await.unwrap();
    assert_eq!(standings.len(), mails.len());
}
