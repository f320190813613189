//! Tests the pipeline between a fake store and a fake sink: every way in which a mail can end.

mod deletion;
mod log_faults;
mod sinks;
mod whole;

use std::{
    collections::BTreeMap,
    future::Future,
    io::{self, Write},
    pin::pin,
    sync::{Mutex, PoisonError},
    task::{Context as TaskContext, Poll, Waker},
};

use serde_json::{Value, json};

use super::{
    arrived_mail::ArrivedMail,
    held::{Held, Purpose},
    sink::{Delivered, Handover, Several, SinkError},
    *,
};
use contract::{
    context::Context,
    maintenance::Announced,
    report::{Class, Report},
};
use notice::outcome::Notice;
use runtime::store::StoreError;

use crate::sinks::lines::Lines;

const PLANNED: &[u8] = include_bytes!("../../../../../tests/mails/aws/planned.eml");
const ORDER: &[u8] = include_bytes!("../../../../../tests/mails/aws/order.eml");
const UNKNOWN: &[u8] =
    b"From: somebody@elsewhere.example\r\nSubject: Hello\r\nMessage-ID: <1@elsewhere.example>\r\n\r\nHow are you?\r\n";

/// Objects by `bucket/key`, or the errors of reading them.
#[derive(Default)]
struct Objects(BTreeMap<String, Result<Vec<u8>, StoreError>>);

impl ObjectSource for Objects {
    async fn get(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(&format!("{bucket}/{key}")).cloned().transpose()
    }

    async fn delete(&self, _: &str, _: &str) -> Result<(), StoreError> {
        Err(StoreError::Unavailable("nothing was to be deleted".to_owned()))
    }
}

/// A sink that answers as it is told, and records its calls.
struct Noting {
    answer: Result<Delivered, SinkError>,
    person: Result<(), SinkError>,
    /// `true` if it can hold a mail.
    holds: bool,
    calls: Mutex<Vec<String>>,
}

impl Noting {
    fn new(answer: Result<Delivered, SinkError>, person: Result<(), SinkError>) -> Self {
        Self { answer, person, holds: false, calls: Mutex::default() }
    }

    /// Returns what it holds of a mail: all of it, if it can hold any.
    fn held(&self, arrived: &ArrivedMail) -> Held {
        arrived.copy().filter(|_| self.holds).map_or(Held::NOTHING, |copy| Held::of_copy(arrived.source.as_ref(), copy))
    }

    fn note(&self, call: String) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }
}

impl Sink for Noting {
    fn can_hold(&self, _: &ArrivedMail, _: Purpose) -> Held {
        Held::expected(self.holds)
    }

    async fn deliver(&self, arrived: &ArrivedMail, notice: &Notice) -> Result<Delivered, SinkError> {
        self.note(format!("deliver {} {}", arrived.key, notice.recognised.provider.slug));
        self.answer.clone().map(|delivered| Delivered { held: self.held(arrived), ..delivered })
    }

    async fn hand_over(&self, arrived: &ArrivedMail, handover: &Handover<'_>) -> Result<Held, SinkError> {
        let opened = if arrived.mail.is_some() { "opened" } else { "unopened" };
        self.note(format!("person {} {opened} {}", arrived.key, handover.suggestion.len()));
        self.person.clone().map(|()| self.held(arrived))
    }
}

/// The bytes that were written.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn lines(&self) -> Vec<Value> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.split_inclusive(|byte| *byte == b'\n').map(|line| serde_json::from_slice(line).unwrap()).collect()
    }
}

/// Runs a future that never waits.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a future that waits"),
    }
}

fn pipeline<Delivery>(objects: Objects, sink: Delivery, log: Arc<Log>) -> Pipeline<Objects, Delivery> {
    let place = |bucket: &str, prefix: &str| MailPlace {
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
        added_headers: Vec::new(),
    };
    Pipeline {
        places: vec![place("first", "inbound/"), place("second", "")],
        policy: Policy::default(),
        deletion: Deletion::default(),
        parse: carriers::parse,
        store: objects,
        sink,
        log,
    }
}

fn log(written: &Written) -> Arc<Log> {
    let context = Context {
        stack: "example".to_owned(),
        stage: Some("test".to_owned()),
        function: "maintenance".to_owned(),
        ..Context::default()
    };
    Arc::new(Log::new(&context, written.clone()))
}

/// Returns objects as SES stores them: its own headers, then the mail.
fn stored(objects: &[(&str, &[u8])]) -> Objects {
    let by_ses = |name: &str, bytes: &[u8]| {
        let id = name.rsplit('/').next().unwrap_or_default();
        let author = author(bytes);
        let domain = author.rsplit('@').next().unwrap_or_default();
        let block = format!(
            "Return-Path: <bounce@{domain}>\r\nReceived: from mx.{domain} (mx.{domain} [192.0.2.7])\r\n by \
             inbound-smtp.eu-west-1.amazonaws.com with SMTP id {id}\r\n for noc@customer.example;\r\n \
             Mon, 02 Mar 2026 08:00:01 +0000 (UTC)\r\nX-SES-Spam-Verdict: PASS\r\nX-SES-Virus-Verdict: PASS\r\n\
             Received-SPF: pass (spfCheck: x) client-ip=192.0.2.7; envelope-from=bounce@{domain}; helo=mx.{domain};\r\n\
             Authentication-Results: amazonses.com;\r\n spf=pass (spfCheck: x) client-ip=192.0.2.7; \
             envelope-from=bounce@{domain}; helo=mx.{domain};\r\n dkim=pass header.i=@{domain};\r\n dmarc=pass \
             header.from={domain};\r\nX-SES-RECEIPT: AEFB\r\n"
        );
        [block.as_bytes(), bytes].concat()
    };
    Objects(objects.iter().map(|(name, bytes)| ((*name).to_owned(), Ok(by_ses(name, bytes)))).collect())
}

/// Returns the address of a mail's author, as SES reads it.
fn author(mail: &[u8]) -> String {
    Mail::decode(mail).outer().sender.as_ref().map(|sender| sender.address.clone()).unwrap_or_default()
}

/// Returns the event record of a mail that is [`PLANNED`].
fn record(id: &str, failing: &str) -> Value {
    record_of(id, failing, PLANNED)
}

fn record_of(id: &str, failing: &str, mail: &[u8]) -> Value {
    let verdict = |name: &str| json!({"status": if name == failing { "FAIL" } else { "PASS" }});
    let from = format!("As SES has read it <{}>", author(mail));
    json!({"eventSource": "aws:ses", "ses": {
        "mail": {"messageId": id, "timestamp": "2026-03-02T08:00:01Z",
            "commonHeaders": {"from": [from], "subject": "As SES has read it"}},
        "receipt": {"spamVerdict": verdict("spam"), "virusVerdict": verdict("virus"), "spfVerdict": verdict("spf"),
            "dkimVerdict": verdict("dkim"), "dmarcVerdict": verdict("dmarc")}}})
}

fn event(records: &[Value]) -> ReceiptEvent {
    serde_json::from_value(json!({"Records": records})).unwrap()
}

/// Runs one mail; returns the report, the sink's calls, and the result of the invocation.
fn one(bytes: &[u8], failing: &str, sink: &Noting, parse: fn(&Mail) -> Outcome) -> (Value, Result<(), String>) {
    let written = Written::default();
    let mut pipeline = pipeline(stored(&[("first/inbound/m", bytes)]), sink, log(&written));
    pipeline.parse = parse;
    let end = run(pipeline.handle("request", &event(&[record_of("m", failing, bytes)])));
    let lines = written.lines();
    assert_eq!(lines.len(), 1, "one line per mail: {lines:?}");
    (lines[0].clone(), end.map_err(|error| error.to_string()))
}

impl Sink for &Noting {
    fn can_hold(&self, arrived: &ArrivedMail, purpose: Purpose) -> Held {
        (**self).can_hold(arrived, purpose)
    }

    async fn deliver(&self, arrived: &ArrivedMail, notice: &Notice) -> Result<Delivered, SinkError> {
        (**self).deliver(arrived, notice).await
    }

    async fn hand_over(&self, arrived: &ArrivedMail, handover: &Handover<'_>) -> Result<Held, SinkError> {
        (**self).hand_over(arrived, handover).await
    }
}

const WHOLE: Result<Delivered, SinkError> =
    Ok(Delivered { held: Held::NOTHING, concerns: Vec::new(), remarks: Vec::new(), conflicts: Vec::new() });

/// Name of the case, mail, failing verdict, sink; expected outcome, words of the reason, and the sink's calls.
type Row = (&'static str, &'static [u8], &'static str, Noting, &'static str, &'static str, &'static [&'static str]);

#[test]
fn every_mail_ends_in_one_outcome() {
    let refused = || SinkError::Refused("too odd".to_owned());
    let slow = || SinkError::Transient("too slow".to_owned());
    let in_part = Ok(Delivered { concerns: vec!["an unknown circuit".to_owned()], ..Delivered::completely() });
    let table: [Row; 13] = [
        ("a notice", PLANNED, "", Noting::new(WHOLE, Ok(())), "delivered", "", &["deliver inbound/m aws"]),
        ("an order", ORDER, "", Noting::new(WHOLE, Ok(())), "ignored", "", &[]),
        (
            "nobody's",
            UNKNOWN,
            "",
            Noting::new(WHOLE, Ok(())),
            "for_person",
            "no known provider",
            &["person inbound/m opened 0"],
        ),
        (
            "spoofed",
            PLANNED,
            "dmarc",
            Noting::new(WHOLE, Ok(())),
            "for_person",
            "DMARC failed",
            &["person inbound/m opened 1"],
        ),
        (
            "a spoofed order",
            ORDER,
            "dmarc",
            Noting::new(WHOLE, Ok(())),
            "for_person",
            "DMARC failed",
            &["person inbound/m opened 0"],
        ),
        ("spam", PLANNED, "spam", Noting::new(WHOLE, Ok(())), "for_person", "spam", &["person inbound/m opened 1"]),
        (
            "a virus",
            PLANNED,
            "virus",
            Noting::new(WHOLE, Ok(())),
            "for_person",
            "not opened",
            &["person inbound/m unopened 0"],
        ),
        ("empty", b"", "", Noting::new(WHOLE, Ok(())), "for_person", "", &["person inbound/m opened 0"]),
        (
            "in part",
            PLANNED,
            "",
            Noting::new(in_part, Ok(())),
            "for_person",
            "unknown circuit",
            &["deliver inbound/m aws"],
        ),
        (
            "refused",
            PLANNED,
            "",
            Noting::new(Err(refused()), Ok(())),
            "for_person",
            "too odd",
            &["deliver inbound/m aws", "person inbound/m opened 1"],
        ),
        ("slow", PLANNED, "", Noting::new(Err(slow()), Ok(())), "retry", "too slow", &["deliver inbound/m aws"]),
        (
            "slow for a person",
            UNKNOWN,
            "",
            Noting::new(WHOLE, Err(slow())),
            "retry",
            "too slow",
            &["person inbound/m opened 0"],
        ),
        (
            "refused for a person",
            UNKNOWN,
            "",
            Noting::new(WHOLE, Err(refused())),
            "retry",
            "too odd",
            &["person inbound/m opened 0"],
        ),
    ];
    for (what, bytes, failing, sink, outcome, reason, calls) in table {
        let (report, end) = one(bytes, failing, &sink, carriers::parse);
        assert_eq!(report["outcome"], outcome, "{what}: {report}");
        assert!(report["reason"].as_str().unwrap_or_default().contains(reason), "{what}: {report}");
        assert_eq!(*sink.calls.lock().unwrap(), calls, "{what}");
        assert_eq!(end.is_err(), outcome == "retry", "{what}: {end:?}");
    }
}

#[test]
fn a_report_tells_the_mail_and_counts_it() {
    let (report, _) = one(PLANNED, "", &Noting::new(WHOLE, Ok(())), carriers::parse);
    let Report::Item(read) = serde_json::from_value(report.clone()).unwrap() else { panic!("{report}") };
    let (mail, details) = (Mail::decode(PLANNED), &report["details"]);
    assert_eq!(details["message_id"].as_str(), mail.outer().message_id.as_deref());
    assert_eq!(details["subject"].as_str(), Some(mail.outer().subject.as_str()));
    assert_eq!(details["sender"].as_str(), mail.outer().sender.as_ref().map(|sender| sender.address.as_str()));
    assert_eq!((&details["bucket"], &details["key"]), (&json!("first"), &json!("inbound/m")));
    assert_eq!(details["provider"], "aws");
    let announced: Announced = serde_json::from_value(details.clone()).unwrap();
    assert_eq!((announced.maintenances.len(), announced.suggestion.len()), (1, 0));
    assert!(details["recognised_by"].as_str().unwrap().starts_with("sender "));
    assert_eq!((read.class, &read.facts[0]), (Class::Done, &("provider".to_owned(), "aws".to_owned())));
    assert_eq!((&report["stack"], &report["function"]), (&json!("example-test"), &json!("maintenance")));
    assert_eq!((&report["Delivered"], &report["ForPerson"], &report["Panics"]), (&json!(1), &json!(0), &json!(0)));
    let metrics = &report["_aws"]["CloudWatchMetrics"][0];
    let named = metrics["Metrics"].as_array().unwrap();
    assert_eq!(named.len(), 8);
    for metric in named {
        assert!(report[metric["Name"].as_str().unwrap()].is_number(), "{metric}: {report}");
    }
    assert_eq!((&metrics["Namespace"], &metrics["Dimensions"]), (&json!("provision"), &json!([["stack", "function"]])));
}

#[test]
fn a_panic_of_the_parser_leaves_the_mail_to_a_person() {
    let sink = Noting::new(WHOLE, Ok(()));
    let (report, end) = one(PLANNED, "", &sink, |_| panic!("a fault of the parser"));
    assert_eq!((&report["outcome"], &report["Panics"]), (&json!("for_person"), &json!(1)));
    assert_eq!(*sink.calls.lock().unwrap(), ["person inbound/m opened 0"]);
    assert!(end.is_ok());
}

#[test]
fn headers_come_from_the_mail_and_of_an_unopened_one_from_ses() {
    let (opened, _) = one(b"X-Note: no From\r\n\r\ntext", "", &Noting::new(WHOLE, Ok(())), carriers::parse);
    assert_eq!((&opened["details"]["sender"], &opened["details"]["subject"]), (&Value::Null, &Value::Null));
    let (unopened, _) = one(PLANNED, "virus", &Noting::new(WHOLE, Ok(())), carriers::parse);
    assert_eq!(unopened["details"]["subject"], "As SES has read it");
    assert_eq!(unopened["details"]["suggestion"], json!([]));
}

#[test]
fn a_mail_that_must_be_retried_does_not_stop_the_others() {
    let written = Written::default();
    let sink = Noting::new(WHOLE, Ok(()));
    let mut objects = stored(&[("first/inbound/good", PLANNED), ("second/last", PLANNED), ("second/behind", PLANNED)]);
    objects.0.insert("first/inbound/denied".to_owned(), Err(StoreError::Unavailable("AccessDenied".to_owned())));
    objects.0.insert("first/inbound/behind".to_owned(), Err(StoreError::Unavailable("AccessDenied".to_owned())));
    objects.0.insert("first/inbound/huge".to_owned(), Err(StoreError::TooLarge(1 << 30)));
    let pipeline = pipeline(objects, &sink, log(&written));
    let mut records: Vec<_> =
        ["missing", "good", "denied", SETUP_OBJECT, "huge", "behind", "last"].map(|id| record(id, "")).into();
    records.insert(0, json!({"eventSource": "aws:s3"}));
    records.insert(1, json!(17));
    let error = run(pipeline.handle("request", &event(&records))).unwrap_err().to_string();
    let outcomes: Vec<_> = written.lines().iter().map(|line| format!("{} {}", line["item"], line["outcome"])).collect();
    let expected = [
        r#""" "retry""#,
        r#""" "retry""#,
        r#""missing" "retry""#,
        r#""good" "delivered""#,
        r#""denied" "retry""#,
        r#""huge" "for_person""#,
        r#""behind" "delivered""#,
        r#""last" "delivered""#,
    ];
    assert_eq!(outcomes, expected);
    assert!(error.starts_with("4 of 9 mails must be tried again: "), "{error}");
    let named = [
        "missing: ",
        "s3://first/inbound/missing: no such object",
        "s3://second/missing: no such object",
        "denied: ",
        "AccessDenied",
    ];
    assert!(named.iter().all(|words| error.contains(words)), "{error}");
}

#[test]
fn an_event_about_no_mail_is_an_error() {
    let written = Written::default();
    let pipeline = pipeline(Objects::default(), Noting::new(WHOLE, Ok(())), log(&written));
    let end = run(pipeline.handle("request", &event(&[])));
    assert!(matches!(end, Err(Unfinished::NoRecords)));
    assert_eq!(written.lines(), Vec::<Value>::new());
}
