//! Tests, for any mail, any sinks and any settings, that an object is deleted only where every byte of it is in what a sink was sent, that
//! nothing that a sink was sent points at it then, and that a person is told of one that stays. The sinks are the real ones, before servers
//! in this process.

mod mails;
mod servers;
mod twice;

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

use self::{
    mails::{Part, mixed, parts},
    servers::{Accepted, netbox, webhook},
};
use super::*;
use crate::{
    pipeline::unmatched::Unmatched,
    sinks::{calendar::CalendarFile, netbox::delivery::NetBox, webhook::Webhook},
};
use contract::context::Place;
use runtime::store::{Expected, Object, ObjectStore};
use trust::{Grants, Purpose as GrantPurpose};

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
    /// Rules that have stored the mail, each in another place.
    rules: usize,
}

fn cases() -> impl Strategy<Value = Case> {
    let one = prop_oneof![
        Just(One::Lines),
        prop::sample::select(vec![1_000, 200_000, 100_000_000]).prop_map(One::Webhook),
        any::<bool>().prop_map(One::Calendar),
        any::<bool>().prop_map(One::NetBox),
    ];
    let sinks = prop::collection::btree_set(one, 1..4).prop_map(|sinks| sinks.into_iter().collect());
    let deletion = (prop::bool::weighted(0.8), prop::bool::weighted(0.8))
        .prop_map(|(processed, unknown)| Deletion { processed, unknown });
    let failing = prop::sample::select(vec!["", "", "", "", "", "", "dmarc", "virus"]);
    (any::<bool>(), any::<bool>(), parts(), sinks, deletion, failing, 1_usize..3).prop_map(
        |(is_notice, has_id, parts, sinks, deletion, failing, times)| Case {
            is_notice,
            has_id,
            parts,
            sinks,
            deletion,
            failing,
            times,
            rules: 1,
        },
    )
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

/// A sink of a case, which is one of the real ones.
enum Real {
    Lines(Lines),
    Webhook(Box<Webhook>),
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

/// The traces that a case has left behind.
struct Left {
    buckets: BTreeMap<String, Vec<u8>>,
    documents: Vec<String>,
    bodies: Vec<String>,
    log: Vec<Value>,
    /// The object as it was.
    bytes: Vec<u8>,
}

const OBJECT: &str = "second/m";
/// Object of a mail that another rule has stored, too.
const OTHER: &str = "first/inbound/m";

async fn run_case(case: &Case) -> Left {
    let bytes = mail_of(case);
    let stored = stored(&[(OBJECT, &bytes)]);
    let whole = stored.0[OBJECT].clone().unwrap();
    let buckets = Buckets::default();
    for object in [OBJECT, OTHER].iter().take(case.rules) {
        buckets.0.borrow_mut().insert((*object).to_owned(), whole.clone());
    }
    let (documents, bodies, written) = (Accepted::default(), Accepted::default(), Written::default());
    let log = log(&written);
    let place = |prefix: &str| Place { bucket: "kept".to_owned(), prefix: prefix.to_owned() };
    let mut sinks = Vec::new();
    for sink in &case.sinks {
        sinks.push(match sink {
            One::Lines => Real::Lines(Lines::new(Arc::clone(&log))),
            One::Webhook(largest) => Real::Webhook(Box::new(webhook(*largest, Arc::clone(&documents)).await)),
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
        let beside = self.buckets.iter().filter(|(key, _)| key.as_str() == "kept/unmatched/m.json");
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
            let is_told = case.sinks.iter().any(|sink| *sink != One::Calendar(false));
            if first["outcome"] == "for_person" && is_told {
                prop_assert!(left.has_copy() || !left.pointers().is_empty(), "nobody is told where the mail is");
            }
        }
        Ok(())
    });
    end.unwrap();
    let counts = [deleted.get(), delivered.get(), kept.get()];
    assert!(
        counts.iter().all(|count| *count > 0),
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
                rules: 1,
            };
            let left = runtime.block_on(run_case(&case));
            assert_eq!(left.is_deleted(), expected, "{sink:?} {is_notice}: {:#?}", left.log);
        }
    }
}
