//! The example consumer with a broker in this process and a database in a file.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../examples/consumer/consumer.rs"]
mod consumer;
#[path = "../examples/consumer/rows.rs"]
mod rows;

use std::{path::Path, time::Duration};

use consumer::{Batch, Consuming};
use kafka::{Security, connect};
use krafka::{Kafka, Record, testing::FakeBroker};
use rusqlite::Connection;

const TOPIC: &str = "messages";
const GROUP: &str = "warehouse";
const WAIT: Duration = Duration::from_secs(2);

fn message(number: usize) -> events::Message {
    serde_json::from_value(serde_json::json!({
        "store_id": format!("{number:020}"), "from_email": "orders@shop.example", "to_email": format!("{number}@example.org"),
        "send_domain": "shop.example", "recipient_domain": "example.org", "send_ip": null, "notify_type": "Delivery",
        "platform": "SES", "created_at": "2027-01-05T11:00:02.000Z", "delivery_code": 0, "delivery_message": "success",
        "message_id": format!("0107-{number}"), "template_id": "order", "notify_subtype": null,
        "send_at": "2027-01-05T11:00:00.000Z", "email_id": format!("0107-{number}"), "event_day": "2027-01-05",
    }))
    .unwrap()
}

async fn write(broker: &FakeBroker, numbers: impl IntoIterator<Item = usize>) {
    let kafka = Kafka::builder(broker.bootstrap_servers()).connect().await.unwrap();
    let producer = kafka.producer().build().await.unwrap();
    for number in numbers {
        let message = message(number);
        let record = Record::new(TOPIC, serde_json::to_vec(&message).unwrap()).key(message.message_id);
        assert!(producer.send(record.header("dedup-id", format!("{number:032x}"))).await.unwrap().is_persisted());
    }
    producer.close().await.unwrap();
}

async fn start(broker: &FakeBroker, file: &Path) -> Consuming {
    let kafka = connect(&broker.bootstrap_servers(), &Security::None).await.unwrap();
    Consuming::start(&kafka, GROUP, TOPIC, Connection::open(file).unwrap()).await.unwrap()
}

/// Steps until as many records were read, committed or not.
async fn read(consuming: &mut Consuming, count: usize, is_committed: bool) -> Batch {
    let mut sum = Batch::default();
    while sum.read < count {
        let batch = if is_committed { consuming.step(WAIT).await } else { consuming.write(WAIT).await }.unwrap();
        sum = Batch {
            read: sum.read + batch.read,
            new: sum.new + batch.new,
            unreadable: sum.unreadable + batch.unreadable,
        };
    }
    sum
}

fn count(file: &Path, sql: &str) -> i64 {
    Connection::open(file).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_written_before_the_offsets_are_committed_and_once_each() {
    let broker = FakeBroker::start().await.unwrap();
    assert!(broker.create_topic(TOPIC, 1));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.sqlite");
    // Message 3 comes twice, as SNS delivers it twice.
    write(&broker, [0, 1, 2, 3, 3, 4]).await;
    let mut consuming = start(&broker, &file).await;
    assert_eq!(read(&mut consuming, 6, true).await, Batch { read: 6, new: 5, unreadable: 0 });
    assert_eq!(broker.committed_offset(GROUP, TOPIC, 0), Some(6));
    // It crashes after the rows and before the commit.
    write(&broker, 5..8).await;
    assert_eq!(read(&mut consuming, 3, false).await.new, 3);
    assert_eq!(
        broker.committed_offset(GROUP, TOPIC, 0),
        Some(6),
        "an offset was committed before its row could be safe"
    );
    consuming.close().await.unwrap();
    assert_eq!(broker.committed_offset(GROUP, TOPIC, 0), Some(6), "closing commits nothing");
    // The next one reads what was not committed once more, and writes nothing twice.
    write(&broker, 8..10).await;
    let mut consuming = start(&broker, &file).await;
    assert_eq!(read(&mut consuming, 5, true).await, Batch { read: 5, new: 2, unreadable: 0 });
    assert_eq!(broker.committed_offset(GROUP, TOPIC, 0), Some(11));
    assert_eq!(count(&file, "SELECT count(*) FROM mail_events"), 10);
    let sql = "SELECT count(*) FROM mail_events WHERE to_email = '7@example.org' AND template_id = 'order' AND delivery_code = 0";
    assert_eq!(count(&file, sql), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_cannot_be_written_are_not_committed() {
    let broker = FakeBroker::start().await.unwrap();
    assert!(broker.create_topic(TOPIC, 1));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.sqlite");
    write(&broker, 0..3).await;
    let mut consuming = start(&broker, &file).await;
    Connection::open(&file).unwrap().execute("DROP TABLE mail_events", []).unwrap();
    let failed = loop {
        match consuming.step(WAIT).await {
            Ok(batch) => assert_eq!(batch, Batch::default(), "rows without a table"),
            Err(error) => break error,
        }
    };
    assert!(failed.to_string().contains("nothing was committed"), "{failed}");
    consuming.close().await.unwrap();
    assert_eq!(broker.committed_offset(GROUP, TOPIC, 0), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_somebody_else_does_not_stop_the_consumer() {
    let broker = FakeBroker::start().await.unwrap();
    assert!(broker.create_topic(TOPIC, 1));
    let folder = tempfile::tempdir().unwrap();
    let kafka = Kafka::builder(broker.bootstrap_servers()).connect().await.unwrap();
    let producer = kafka.producer().build().await.unwrap();
    assert!(producer.send(Record::new(TOPIC, "hello".to_owned())).await.unwrap().is_persisted());
    write(&broker, 0..1).await;
    let mut consuming = start(&broker, &folder.path().join("rows.sqlite")).await;
    assert_eq!(read(&mut consuming, 2, true).await, Batch { read: 2, new: 1, unreadable: 1 });
}
