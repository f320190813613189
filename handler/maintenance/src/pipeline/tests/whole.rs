//! Tests, for any mail, any sinks and any settings, that an object is deleted only where every byte of it is in what a sink was sent, and
//! that nothing that a sink was sent points at it then. The sinks are the real ones, before servers in this process.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use aws_smithy_types::base64;
use jiff::Timestamp;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::{
    pipeline::unmatched::Unmatched,
    sinks::{
        calendar::CalendarFile,
        netbox::{client::Client, delivery::NetBox},
        webhook::Webhook,
    },
};
use contract::{
    address::{Address, Query},
    context::Place,
};
use runtime::{
    SecretSource,
    store::{Expected, Object, ObjectStore},
};
use trust::{Grants, Purpose as GrantPurpose};

/// A part of a generated mail.
#[derive(Debug, Clone)]
enum Part {
    Text(usize),
    Page,
    Calendar,
    File(Vec<u8>),
    Raw(Vec<u8>),
    Message(Vec<Part>),
}

/// A sink of a generated configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum One {
    Lines,
    /// A web server that takes documents of up to this size, in bytes.
    Webhook(usize),
    /// A calendar, with a place for mails or without.
    Calendar(bool),
    /// A NetBox that knows the provider or not.
    NetBox(bool),
}

#[derive(Debug, Clone)]
struct Case {
    is_notice: bool,
    has_id: bool,
    parts: Vec<Part>,
    sinks: Vec<One>,
    deletion: Deletion,
    failing: &'static str,
    times: usize,
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let leaf = prop_oneof![
        4 => (0_usize..300).prop_map(Part::Text),
        1 => Just(Part::Text(mail::LARGEST_TEXT + 1)),
        2 => Just(Part::Page),
        2 => Just(Part::Calendar),
        3 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Part::File),
        1 => (1_usize..40).prop_map(|size| Part::File(vec![7; size * 100_000])),
        1 => prop::collection::vec(any::<u8>(), 0..50).prop_map(Part::Raw),
    ];
    let nested = leaf.prop_recursive(3, 8, 3, |inner| prop::collection::vec(inner, 0..3).prop_map(Part::Message));
    prop::collection::vec(nested, 0..4)
}

fn cases() -> impl Strategy<Value = Case> {
    let one = prop_oneof![
        Just(One::Lines),
        prop::sample::select(vec![1_000, 200_000, 100_000_000]).prop_map(One::Webhook),
        any::<bool>().prop_map(One::Calendar),
        any::<bool>().prop_map(One::NetBox),
    ];
    let sinks = prop::collection::btree_set(one, 1..4).prop_map(|sinks| sinks.into_iter().collect());
    let deletion = (any::<bool>(), any::<bool>()).prop_map(|(processed, unknown)| Deletion { processed, unknown });
    let failing = prop::sample::select(vec!["", "", "", "dmarc", "virus"]);
    (any::<bool>(), any::<bool>(), parts(), sinks, deletion, failing, 1_usize..3).prop_map(
        |(is_notice, has_id, parts, sinks, deletion, failing, times)| Case {
            is_notice,
            has_id,
            parts,
            sinks,
            deletion,
            failing,
            times,
        },
    )
}

const CALENDAR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//carrier.example//notices//EN\r\nBEGIN:VEVENT\r\n\
    UID:1@carrier.example\r\nDTSTAMP:20260302T080000Z\r\nDTSTART:20310302T080000Z\r\nDTEND:20310302T090000Z\r\n\
    SUMMARY:Works on a line\r\nSEQUENCE:1\r\nORGANIZER:mailto:noc@carrier.example\r\n\
    X-MAINTNOTE-PROVIDER:carrier.example\r\nX-MAINTNOTE-ACCOUNT:1001\r\nX-MAINTNOTE-MAINTENANCE-ID:CHG-1\r\n\
    X-MAINTNOTE-STATUS:CONFIRMED\r\nX-MAINTNOTE-IMPACT:OUTAGE\r\nX-MAINTNOTE-OBJECT-ID:LINE-1\r\n\
    END:VEVENT\r\nEND:VCALENDAR\r\n";

fn entity(part: &Part, depth: usize) -> Vec<u8> {
    match part {
        Part::Text(size) => {
            format!("Content-Type: text/plain\r\n\r\n{}", "a <b> & c\r\n".repeat(size.div_ceil(11))).into()
        }
        Part::Page => {
            b"Content-Type: text/html\r\n\r\n<html><body><p>Tonight &lt; <b>now</b></p></body></html>".to_vec()
        }
        Part::Calendar => format!("Content-Type: text/calendar\r\n\r\n{CALENDAR}").into(),
        Part::File(bytes) => format!(
            "Content-Type: application/pdf; name=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            base64::encode(bytes)
        )
        .into(),
        Part::Raw(bytes) => [b"Content-Type: application/octet-stream\r\n\r\n", &bytes[..]].concat(),
        Part::Message(parts) => {
            let inner = b"Content-Type: message/rfc822\r\n\r\nFrom: inner@elsewhere.example\r\nSubject: Inner\r\n";
            [inner.to_vec(), mixed(parts, depth + 1)].concat()
        }
    }
}

/// Returns the rest of a message with these parts, from its last header.
fn mixed(parts: &[Part], depth: usize) -> Vec<u8> {
    let mut bytes =
        format!("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b{depth}\r\n\r\n").into_bytes();
    for part in parts {
        bytes.extend(format!("--b{depth}\r\n").into_bytes());
        bytes.extend(entity(part, depth));
        bytes.extend(b"\r\n");
    }
    bytes.extend(format!("--b{depth}--\r\n").into_bytes());
    bytes
}

fn mail_of(case: &Case) -> Vec<u8> {
    let from = if case.is_notice { "noc@carrier.example" } else { "somebody@elsewhere.example" };
    let id = if case.has_id { "Message-ID: <1@x.example>\r\n" } else { "" };
    let head = format!("From: {from}\r\nSubject: Works\r\nDate: Mon, 2 Mar 2026 08:00:00 +0000\r\n{id}");
    let mut parts = case.parts.clone();
    if case.is_notice {
        parts.insert(0, Part::Calendar);
    }
    [head.into_bytes(), mixed(&parts, 0)].concat()
}

/// The buckets, by `bucket/key`.
#[derive(Clone, Default)]
struct Buckets(Rc<RefCell<BTreeMap<String, Vec<u8>>>>);

impl ObjectSource for Buckets {
    async fn get(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.borrow().get(&format!("{bucket}/{key}")).cloned())
    }

    async fn delete(&self, bucket: &str, key: &str) -> Result<(), StoreError> {
        self.0.borrow_mut().remove(&format!("{bucket}/{key}"));
        Ok(())
    }
}

impl ObjectStore for Buckets {
    async fn fetch(&self, bucket: &str, key: &str) -> Result<Option<Object>, StoreError> {
        let bytes = self.get(bucket, key).await?;
        Ok(bytes.map(|bytes| Object { tag: fastrand::u64(..).to_string(), bytes }))
    }

    async fn put(&self, bucket: &str, key: &str, bytes: Vec<u8>, _: &str, _: Expected) -> Result<bool, StoreError> {
        self.0.borrow_mut().insert(format!("{bucket}/{key}"), bytes);
        Ok(true)
    }

    async fn pause(&self, _: Duration) {}
}

/// Bodies that the servers have accepted.
type Accepted = Arc<Mutex<Vec<String>>>;

/// Answers requests by that function of method, path and body.
async fn serve(answer: impl FnMut(&str, &str, &str) -> (u16, String) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let mut answer = answer;
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut request, mut piece) = (Vec::new(), vec![0; 65_536]);
            let (head, body) = loop {
                let read = stream.read(&mut piece).await.unwrap();
                request.extend_from_slice(&piece[..read]);
                if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
                    let head = String::from_utf8(request[..end].to_vec()).unwrap();
                    let named = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                    let length = named.map_or(0, |length| length.parse().unwrap());
                    let mut body = request[end + 4..].to_vec();
                    let read = body.len();
                    body.resize(length, 0);
                    stream.read_exact(&mut body[read..]).await.unwrap();
                    break (head, String::from_utf8(body).unwrap());
                }
                assert!(read > 0, "the request is cut");
            };
            let mut words = head.split(' ');
            let (status, text) = answer(words.next().unwrap(), words.next().unwrap(), &body);
            let head =
                format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}", text.len());
            stream.write_all(head.as_bytes()).await.unwrap();
        }
    });
    url
}

async fn webhook(largest: usize, accepted: Accepted) -> Webhook {
    let url = serve(move |_, _, body| {
        if body.len() > largest {
            return (413, "too large".to_owned());
        }
        accepted.lock().unwrap_or_else(PoisonError::into_inner).push(body.to_owned());
        (204, String::new())
    })
    .await;
    let secret = SecretSource::Given("whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=".into());
    Webhook::new(&Address::read(&url, Query::Allowed).unwrap(), None, secret)
}

/// Returns a NetBox that stores events, impacts and notifications.
async fn netbox(knows: bool, accepted: Accepted) -> NetBox {
    let (mut stored, mut last) = (BTreeMap::<String, Vec<Value>>::new(), 0_u64);
    let url = serve(move |method, path, body| {
        let kind = path.split('?').next().unwrap().trim_matches('/').rsplit('/').next().unwrap().to_owned();
        let provider = json!({"id": 3, "name": "carrier.example", "slug": "carrier"});
        if method == "GET" {
            let found = match kind.as_str() {
                "providers" if knows => vec![provider],
                "circuits" if knows => vec![json!({"id": 1, "cid": "LINE-1", "provider": provider})],
                _ => stored.get(&kind).cloned().unwrap_or_default(),
            };
            return (200, json!({"count": found.len(), "next": null, "results": found}).to_string());
        }
        let sent: Value = serde_json::from_str(body).unwrap();
        let is_list = sent.is_array();
        let mut made: Vec<Value> = sent.as_array().cloned().unwrap_or_else(|| vec![sent.clone()]);
        for one in &mut made {
            last += 1;
            one["id"] = json!(last);
            one["last_updated"] = json!("2026-11-22T16:06:28.374939Z");
            one["acknowledged"] = json!(false);
            if kind == "circuitmaintenance" {
                one["provider"] = provider.clone();
            } else if let Value::Number(event) = one["circuitmaintenance"].clone() {
                one["circuitmaintenance"] = json!({"id": event});
            }
            if let Value::Number(circuit) = one["circuit"].clone() {
                one["circuit"] = json!({"id": circuit});
            }
            accepted
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(one["email_body"].as_str().map(str::to_owned));
        }
        stored.entry(kind).or_default().extend(made.clone());
        (201, if is_list { json!(made) } else { made.remove(0) }.to_string())
    })
    .await;
    NetBox::new(Client::new(&url, None, SecretSource::Given("0".repeat(40).into())), BTreeMap::new())
}

/// A sink of a case, which is one of the real ones.
enum Real {
    Lines(Lines),
    Webhook(Webhook),
    Calendar(CalendarFile<Buckets>),
    NetBox(Box<NetBox>),
}

impl Sink for Real {
    fn can_hold(&self, arrived: &ArrivedMail, purpose: Purpose) -> Held {
        match self {
            Self::Lines(sink) => sink.can_hold(arrived, purpose),
            Self::Webhook(sink) => sink.can_hold(arrived, purpose),
            Self::Calendar(sink) => sink.can_hold(arrived, purpose),
            Self::NetBox(sink) => sink.can_hold(arrived, purpose),
        }
    }

    async fn deliver(&self, arrived: &ArrivedMail, notice: &Notice) -> Result<Delivered, SinkError> {
        match self {
            Self::Lines(sink) => sink.deliver(arrived, notice).await,
            Self::Webhook(sink) => sink.deliver(arrived, notice).await,
            Self::Calendar(sink) => sink.deliver(arrived, notice).await,
            Self::NetBox(sink) => sink.deliver(arrived, notice).await,
        }
    }

    async fn hand_over(&self, arrived: &ArrivedMail, handover: &Handover<'_>) -> Result<Held, SinkError> {
        match self {
            Self::Lines(sink) => sink.hand_over(arrived, handover).await,
            Self::Webhook(sink) => sink.hand_over(arrived, handover).await,
            Self::Calendar(sink) => sink.hand_over(arrived, handover).await,
            Self::NetBox(sink) => sink.hand_over(arrived, handover).await,
        }
    }
}

/// What a case has left behind.
struct Left {
    buckets: BTreeMap<String, Vec<u8>>,
    documents: Vec<String>,
    bodies: Vec<String>,
    log: Vec<Value>,
    /// The object as it was.
    bytes: Vec<u8>,
}

const OBJECT: &str = "second/m";

async fn run_case(case: &Case) -> Left {
    let bytes = mail_of(case);
    let stored = stored(&[(OBJECT, &bytes)]);
    let whole = stored.0[OBJECT].clone().unwrap();
    let buckets = Buckets::default();
    buckets.0.borrow_mut().insert(OBJECT.to_owned(), whole.clone());
    let (documents, bodies, written) = (Accepted::default(), Accepted::default(), Written::default());
    let log = log(&written);
    let place = |prefix: &str| Place { bucket: "kept".to_owned(), prefix: prefix.to_owned() };
    let mut sinks = Vec::new();
    for sink in &case.sinks {
        sinks.push(match sink {
            One::Lines => Real::Lines(Lines::new(Arc::clone(&log))),
            One::Webhook(largest) => Real::Webhook(webhook(*largest, Arc::clone(&documents)).await),
            One::Calendar(keeps) => Real::Calendar(CalendarFile {
                store: buckets.clone(),
                place: place("calendar/"),
                name: "Ours".to_owned(),
                unmatched: keeps.then(|| Unmatched { store: buckets.clone(), place: place("unmatched/") }),
                now: || Timestamp::UNIX_EPOCH,
            }),
            One::NetBox(knows) => Real::NetBox(Box::new(netbox(*knows, Arc::clone(&bodies)).await)),
        });
    }
    let Pipeline { places, mut policy, parse, .. } = pipeline(Objects::default(), (), Arc::clone(&log));
    policy.trusted_senders = Grants::read(GrantPurpose::Carriers, "carrier.example=*");
    let pipeline =
        Pipeline { places, policy, deletion: case.deletion, parse, store: buckets.clone(), sink: Several(sinks), log };
    for _ in 0..case.times {
        let _a_deleted_mail_is_not_found_again =
            pipeline.handle("request", &event(&[record_of("m", case.failing, &bytes)])).await;
    }
    let taken = |accepted: Accepted| accepted.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let buckets = buckets.0.borrow().clone();
    Left { buckets, documents: taken(documents), bodies: taken(bodies), log: written.lines(), bytes: whole }
}

impl Left {
    fn is_deleted(&self) -> bool {
        !self.buckets.contains_key(OBJECT)
    }

    /// Returns whether every byte of the object is in what a sink was sent.
    fn has_copy(&self) -> bool {
        let in_document = |document: &String| {
            let document: Value = serde_json::from_str(document).unwrap();
            let source = document["mail"]["source"].as_str().map(|source| base64::decode(source).unwrap());
            source.as_ref() == Some(&self.bytes)
        };
        let unescaped =
            |body: &String| body.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").into_bytes();
        let in_body = |body: &String| {
            let body = unescaped(body);
            self.bytes.len() <= body.len() && body.windows(self.bytes.len()).any(|part| part == self.bytes)
        };
        self.buckets.values().any(|object| *object == self.bytes)
            || self.documents.iter().any(in_document)
            || self.bodies.iter().any(in_body)
    }

    /// Returns what a sink was sent and points at the object.
    fn pointers(&self) -> Vec<String> {
        let beside = self.buckets.iter().filter(|(key, _)| key.ends_with(".json"));
        let beside = beside.map(|(_, document)| String::from_utf8(document.clone()).unwrap());
        let lines = self.log.iter().filter(|line| line["report"] == "output").map(ToString::to_string);
        let all = self.documents.iter().chain(&self.bodies).cloned().chain(beside).chain(lines);
        all.filter(|text| {
            text.contains("s3://second/m") || text.contains("\"key\":\"m\"") || text.contains("\"key\": \"m\"")
        })
        .collect()
    }
}

#[test]
fn whatever_is_deleted_is_whole_elsewhere_and_nothing_points_at_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (deleted, delivered, kept) = (Cell::new(0_u32), Cell::new(0_u32), Cell::new(0_u32));
    let config = Config { cases: 200, max_shrink_iters: 100, failure_persistence: None, ..Config::default() };
    let end = TestRunner::new(config).run(&cases(), |case| {
        let left = runtime.block_on(run_case(&case));
        let outcomes: Vec<_> = left.log.iter().filter_map(|line| line["outcome"].as_str()).collect();
        let first = left.log.iter().find(|line| line["report"] == "item").unwrap();
        if left.is_deleted() {
            deleted.set(deleted.get() + 1);
            delivered.set(delivered.get() + u32::from(first["outcome"] == "delivered"));
            prop_assert!(left.has_copy(), "{outcomes:?}");
            prop_assert_eq!(left.pointers(), Vec::<String>::new());
        } else {
            let says = first["reason"].as_str().unwrap_or_default().contains("the mail stays in its bucket");
            kept.set(kept.get() + u32::from(says));
        }
        Ok(())
    });
    end.unwrap();
    let counts = [deleted.get(), delivered.get(), kept.get()];
    assert!(
        counts.iter().all(|count| *count > 5),
        "deleted, of these delivered, and kept although told otherwise: {counts:?}"
    );
}

#[test]
fn each_sink_that_can_hold_a_mail_frees_its_object() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let table = [
        (One::Lines, false, false),
        (One::Webhook(100_000_000), true, true),
        (One::Webhook(10), false, false),
        (One::Calendar(true), false, true),
        (One::Calendar(false), false, false),
        (One::NetBox(true), true, true),
        (One::NetBox(false), false, true),
    ];
    for (sink, of_notice, of_unknown) in table {
        for (is_notice, expected) in [(true, of_notice), (false, of_unknown)] {
            let case = Case {
                is_notice,
                has_id: true,
                parts: vec![Part::Text(30), Part::File(vec![1; 100])],
                sinks: vec![sink],
                deletion: Deletion { processed: true, unknown: true },
                failing: "",
                times: 1,
            };
            let left = runtime.block_on(run_case(&case));
            assert_eq!(left.is_deleted(), expected, "{sink:?} {is_notice}: {:#?}", left.log);
        }
    }
}
