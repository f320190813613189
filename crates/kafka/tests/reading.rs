//! Reads topics of a broker in this process.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::{collections::BTreeSet, time::Duration};

use events::{Addressed, Event, Kind, Message, Reading};
use jiff::Timestamp;
use kafka::{Entry, NotRead, Reader, Security, Selection, Start, is_local};
use krafka::{Kafka, Record, testing::FakeBroker};

const TOPIC: &str = "messages";

/// Returns the messages of an event of SES for these recipients.
fn messages(kind: &str, mail: &str, recipients: &[&str]) -> Vec<Addressed> {
    let detail = match kind {
        "Bounce" => {
            serde_json::json!({"bouncedRecipients": recipients.iter().map(|one| serde_json::json!({"emailAddress": one})).collect::<Vec<_>>(), "timestamp": "2027-01-05T11:00:05Z"})
        }
        _ => serde_json::json!({"recipients": recipients, "timestamp": "2027-01-05T11:00:02Z"}),
    };
    let document = serde_json::json!({
        "eventType": kind, kind.to_lowercase(): detail,
        "mail": {"messageId": mail, "timestamp": "2027-01-05T11:00:00Z", "source": "orders@shop.example", "destination": recipients},
    });
    let Ok(Reading::Event(event)) = events::read(&document.to_string()) else { panic!("{document}") };
    Event::messages(&event, &format!("{mail}-{kind}"), Some("order"))
}

/// Returns a broker whose topic has these messages.
async fn broker(partitions: i32, all: &[Addressed]) -> FakeBroker {
    let broker = FakeBroker::start().await.unwrap();
    assert!(broker.create_topic(TOPIC, partitions));
    write(&broker, all).await;
    broker
}

async fn write(broker: &FakeBroker, all: &[Addressed]) {
    let kafka = Kafka::builder(broker.bootstrap_servers()).connect().await.unwrap();
    let producer = kafka.producer().build().await.unwrap();
    for Addressed { dedup_id, message } in all {
        let record = Record::new(TOPIC, serde_json::to_vec(message).unwrap());
        assert!(
            producer
                .send(record.key(message.message_id.clone()).header("dedup-id", dedup_id.clone()))
                .await
                .unwrap()
                .is_persisted()
        );
    }
    producer.close().await.unwrap();
}

/// Reads everything that is in the topic.
async fn all(reader: &Reader) -> Vec<Entry> {
    let mut entries = Vec::new();
    while !reader.is_at_end().await {
        entries.extend(reader.next(Duration::from_millis(500)).await.unwrap());
    }
    entries
}

fn sorted(entries: &[Entry]) -> BTreeSet<String> {
    entries.iter().map(|entry| serde_json::to_string(entry.message.as_ref().unwrap()).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_read_to_its_end_from_its_beginning_from_a_time_or_from_now() {
    let written: Vec<Addressed> =
        (0..30).flat_map(|mail| messages("Delivery", &format!("0107-{mail}"), &["ada@example.org"])).collect();
    let broker = broker(3, &written).await;
    let open = async |start| Reader::open(&broker.bootstrap_servers(), TOPIC, &Security::None, start).await.unwrap();
    let reader = open(Start::Beginning).await;
    let read = all(&reader).await;
    let expected: BTreeSet<String> = written.iter().map(|one| serde_json::to_string(&one.message).unwrap()).collect();
    assert_eq!(sorted(&read), expected);
    let ids: BTreeSet<_> = read.iter().filter_map(|entry| entry.dedup_id.clone()).collect();
    assert_eq!(ids, written.iter().map(|one| one.dedup_id.clone()).collect());
    reader.close().await;
    let hour = Timestamp::now().checked_sub(jiff::Span::new().hours(1)).unwrap();
    assert_eq!(all(&open(Start::Since(hour)).await).await.len(), written.len());
    let hence = Timestamp::now().checked_add(jiff::Span::new().hours(1)).unwrap();
    assert_eq!(all(&open(Start::Since(hence)).await).await, []);
    let reader = open(Start::Now).await;
    assert!(reader.is_at_end().await);
    let new = messages("Bounce", "0107-new", &["eve@example.org"]);
    write(&broker, &new).await;
    let mut entries = Vec::new();
    while entries.is_empty() {
        entries.extend(reader.next(Duration::from_millis(500)).await.unwrap());
    }
    assert_eq!(
        entries.iter().map(|entry| entry.message.clone().unwrap()).collect::<Vec<Message>>(),
        [new[0].message.clone()]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_is_told_and_does_not_end_the_reading() {
    let broker = broker(1, &[]).await;
    let kafka = Kafka::builder(broker.bootstrap_servers()).connect().await.unwrap();
    let producer = kafka.producer().build().await.unwrap();
    for value in ["no json of ada@example.org", "{\"store_id\": 1}", "[]"] {
        assert!(producer.send(Record::new(TOPIC, value.to_owned())).await.unwrap().is_persisted());
    }
    write(&broker, &messages("Delivery", "0107-1", &["ada@example.org"])).await;
    let reader = Reader::open(&broker.bootstrap_servers(), TOPIC, &Security::None, Start::Beginning).await.unwrap();
    let read = all(&reader).await;
    let told: Vec<_> = read.iter().filter_map(|entry| entry.message.as_ref().err()).map(ToString::to_string).collect();
    assert_eq!((read.len(), told.len()), (4, 3));
    assert!(told.iter().all(|told| !told.contains("ada@")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_topic_and_brokers_that_are_not_there_are_told_apart() {
    let broker = broker(1, &[]).await;
    let open = async |bootstrap: &str, topic| Reader::open(bootstrap, topic, &Security::None, Start::Now).await;
    let missing = open(&broker.bootstrap_servers(), "absent").await;
    assert!(matches!(missing, Err(NotRead::NoTopic(_))), "{missing:?}");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = open(&nobody.to_string(), TOPIC).await;
    assert!(matches!(nobody, Err(NotRead::NotConnected(_))), "{nobody:?}");
}

#[test]
fn messages_are_chosen_by_recipient_type_and_mail() {
    let all: Vec<Message> = [
        messages("Delivery", "0107-1", &["ada@example.org", "bob@example.com"]),
        messages("Bounce", "0107-2", &["Ada@example.org"]),
    ]
    .concat()
    .into_iter()
    .map(|one| one.message)
    .collect();
    let chosen = |selection: Selection| all.iter().filter(|message| selection.has(message)).count();
    let recipients = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    for (selection, expected) in [
        (Selection::default(), 3),
        (Selection { recipients: recipients(&["ADA@example.org"]), ..Selection::default() }, 2),
        (Selection { recipients: recipients(&["@example.com"]), ..Selection::default() }, 1),
        (Selection { recipients: recipients(&["@example.com", "ada@example.org"]), ..Selection::default() }, 3),
        (Selection { recipients: recipients(&["a@example.org"]), ..Selection::default() }, 0),
        (Selection { kinds: vec![Kind::Bounce], ..Selection::default() }, 1),
        (Selection { mails: ["0107-1".to_owned()].into(), ..Selection::default() }, 2),
        (Selection { kinds: vec![Kind::Bounce], mails: ["0107-1".to_owned()].into(), ..Selection::default() }, 0),
    ] {
        assert_eq!(chosen(selection.clone()), expected, "{selection:?}");
    }
}

#[test]
fn only_brokers_of_this_machine_are_local() {
    for (bootstrap, expected) in [
        ("127.0.0.1:9092", true),
        ("localhost:9092,127.0.0.2:1", true),
        ("[::1]:9092", true),
        ("b-1.msk.example.com:9098", false),
        ("127.0.0.1:9092,b-1.msk.example.com:9098", false),
        ("localhost.example.com:9092", false),
        ("", false),
    ] {
        assert_eq!(is_local(bootstrap), expected, "{bootstrap}");
    }
}
