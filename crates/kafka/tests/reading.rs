//! Reads topics of a broker in this process.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use events::{Addressed, Event, Kind, Message, Reading};
use jiff::Timestamp;
use kafka::{Entry, Limits, NotRead, Page, Patience, Positions, Reader, Security, Selection, Start, is_local};
use krafka::{
    Kafka, Record,
    testing::{ApiKey, FakeBroker},
};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_comes_no_nearer_to_the_end_ends_with_an_error() {
    let written: Vec<Addressed> =
        (0..30).flat_map(|mail| messages("Delivery", &format!("0107-{mail}"), &["ada@example.org"])).collect();
    let most = Duration::from_secs(2);
    for goes_away in [false, true] {
        let broker = broker(2, &written).await;
        let reader = Reader::open(&broker.bootstrap_servers(), TOPIC, &Security::None, Start::Beginning).await.unwrap();
        let mut broker = Some(broker);
        if goes_away {
            broker.take();
        }
        let (began, mut patience) = (Instant::now(), Patience::new(most));
        let end = loop {
            if reader.is_at_end().await {
                break Ok(());
            }
            // A broker that is away is no error of the client's: it goes on trying.
            reader.next(Duration::from_millis(200)).await.map(drop).unwrap_or_default();
            if let Err(reason) = patience.look(TOPIC, reader.positions().await) {
                break Err(reason);
            }
        };
        let expected = if goes_away { Err(NotRead::Stalled(TOPIC.to_owned(), 2)) } else { Ok(()) };
        assert_eq!(end, expected);
        assert!(began.elapsed() < Duration::from_secs(30));
    }
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

/// Reads a page, as each invocation of a function does: with a reader of its own.
async fn page(broker: &FakeBroker, start: Start, selection: &Selection, bytes: usize) -> Page {
    let reader = Reader::open(&broker.bootstrap_servers(), TOPIC, &Security::None, start).await.unwrap();
    let until = tokio::time::Instant::now() + Duration::from_secs(10);
    let limits = Limits { bytes, wait: Duration::ZERO, until };
    let page = reader.page(selection, limits).await.unwrap();
    reader.close().await;
    page
}

/// Reads pages to the end of the topic; returns them, and the end.
async fn pages(broker: &FakeBroker, mut start: Start, selection: &Selection, bytes: usize) -> (Vec<Page>, Positions) {
    let mut pages = Vec::new();
    loop {
        let page = page(broker, start, selection, bytes).await;
        let (is_at_end, next) = (page.is_at_end(), page.next.clone());
        assert!(serde_json::to_vec(&page.entries).unwrap().len() <= bytes + 2, "{page:?}");
        pages.push(page);
        if is_at_end {
            return (pages, next);
        }
        assert!(pages.len() < 200, "it does not come to an end");
        start = Start::At(next);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_any_size_have_each_record_once_and_no_more_than_the_chosen_ones() {
    let written: Vec<Addressed> = (0..40)
        .flat_map(|mail| {
            let kind = if mail % 4 == 0 { "Bounce" } else { "Delivery" };
            messages(kind, &format!("0107-{mail}"), &["ada@example.org"])
        })
        .collect();
    let broker = broker(3, &written).await;
    let one = serde_json::to_vec(&written[0].message).unwrap().len();
    let bounces = Selection { kinds: vec![Kind::Bounce], ..Selection::default() };
    for (selection, chosen) in [(Selection::default(), 40), (bounces, 10)] {
        for (bytes, most) in [(one * 2, 40), (one * 10, 12), (10_000_000, 1)] {
            let (pages, end) = pages(&broker, Start::Beginning, &selection, bytes).await;
            let places: Vec<(i32, i64)> =
                pages.iter().flat_map(|page| &page.entries).map(|entry| (entry.partition, entry.offset)).collect();
            assert_eq!(places.len(), chosen, "{bytes}");
            assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), chosen, "{places:?}");
            assert!(pages.len() <= most, "{bytes}: {}", pages.len());
            assert_eq!(end.values().sum::<i64>(), 40);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_waits_for_a_first_record_and_goes_on_where_another_ended() {
    let broker = broker(2, &messages("Delivery", "0107-1", &["ada@example.org"])).await;
    let all = Selection::default();
    let first = page(&broker, Start::Now, &all, 1_000_000).await;
    assert!(first.entries.is_empty() && first.is_at_end(), "{first:?}");
    let new = messages("Bounce", "0107-2", &["ada@example.org"]);
    let bootstrap = broker.bootstrap_servers();
    let fetched = || broker.request_count(ApiKey::Fetch);
    let before = fetched();
    let waiting = tokio::spawn(async move {
        let reader = Reader::open(&bootstrap, TOPIC, &Security::None, Start::At(first.next)).await.unwrap();
        let until = tokio::time::Instant::now() + Duration::from_mins(1);
        let limits = Limits { bytes: 1_000_000, wait: Duration::from_mins(1), until };
        reader.page(&Selection::default(), limits).await.unwrap()
    });
    // It has asked, and there was nothing.
    let began = Instant::now();
    while fetched() < before + 2 {
        assert!(began.elapsed() < Duration::from_mins(1), "nobody asks");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    write(&broker, &new).await;
    let page = waiting.await.unwrap();
    assert_eq!(page.entries.len(), 1);
    assert_eq!(page.entries[0].message.as_ref().unwrap(), &new[0].message);
    // A partition that was added since is read from its beginning, and an offset that is no more from the first that is.
    let known = page.next.clone();
    broker.add_partitions(TOPIC, 3);
    let later = self::page(&broker, Start::At(known), &Selection::default(), 1_000_000).await;
    assert_eq!(later.next.get(&2), Some(&0));
    let behind = Start::At([(0, 99), (1, 99), (2, 99)].into());
    let behind = self::page(&broker, behind, &Selection::default(), 1_000_000).await;
    assert_eq!(behind.next, behind.ends);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_no_page_has_room_for_is_told_and_passed() {
    let broker = broker(1, &[]).await;
    let kafka = Kafka::builder(broker.bootstrap_servers()).connect().await.unwrap();
    let producer = kafka.producer().build().await.unwrap();
    let mut large = messages("Delivery", "0107-1", &["ada@example.org"]).remove(0).message;
    large.template_id = Some("x".repeat(5000));
    for message in [&large, &messages("Delivery", "0107-2", &["ada@example.org"])[0].message] {
        let record = Record::new(TOPIC, serde_json::to_vec(message).unwrap());
        assert!(producer.send(record).await.unwrap().is_persisted());
    }
    let (pages, _) = pages(&broker, Start::Beginning, &Selection::default(), 2000).await;
    let entries: Vec<&Entry> = pages.iter().flat_map(|page| &page.entries).collect();
    assert_eq!(entries.len(), 2);
    let told = entries[0].message.as_ref().unwrap_err().to_string();
    assert!(told.contains("more than an answer takes") && !told.contains("ada@"), "{told}");
    assert_eq!(entries[1].message.as_ref().unwrap().message_id, "0107-2");
}
