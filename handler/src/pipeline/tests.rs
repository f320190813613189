//! The pipeline between a store and a sink that are made up: every way that a mail can end.

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
    letter::Letter,
    sink::{Case, Delivered, Lines, Several, SinkError},
    store::StoreError,
    *,
};
use crate::{context::Context, maintenance, maintenance::outcome::Notice, report::Report};

const PLANNED: &[u8] = include_bytes!("../../../tests/mails/aws/planned.eml");
const ORDER: &[u8] = include_bytes!("../../../tests/mails/aws/order.eml");
const UNKNOWN: &[u8] =
    b"From: somebody@elsewhere.example\r\nSubject: Hello\r\nMessage-ID: <1@elsewhere.example>\r\n\r\nHow are you?\r\n";

/// Objects by `bucket/key`, or what reading them answers.
type Objects = BTreeMap<String, Result<Vec<u8>, StoreError>>;

impl MailStore for Objects {
    async fn get(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(&format!("{bucket}/{key}")).cloned().transpose()
    }

    async fn delete(&self, _: &str, _: &str) -> Result<(), StoreError> {
        Err(StoreError::Unavailable("nothing was to be deleted".to_owned()))
    }
}

/// A sink that answers what it is told, and notes what it was given.
struct Noting {
    answer: Result<Delivered, SinkError>,
    person: Result<(), SinkError>,
    calls: Mutex<Vec<String>>,
}

impl Noting {
    fn new(answer: Result<Delivered, SinkError>, person: Result<(), SinkError>) -> Self {
        Self { answer, person, calls: Mutex::default() }
    }

    fn note(&self, call: String) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }
}

impl Sink for Noting {
    async fn deliver(&self, letter: &Letter, notice: &Notice) -> Result<Delivered, SinkError> {
        self.note(format!("deliver {} {}", letter.key, notice.recognised.provider.slug));
        self.answer.clone()
    }

    async fn hand_over(&self, letter: &Letter, case: &Case<'_>) -> Result<(), SinkError> {
        let opened = if letter.mail.is_some() { "opened" } else { "unopened" };
        self.note(format!("person {} {opened} {}", letter.key, case.suggestion.len()));
        self.person.clone()
    }
}

/// What was written.
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
    let place = |bucket: &str, prefix: &str| MailPlace { bucket: bucket.to_owned(), prefix: prefix.to_owned() };
    Pipeline {
        places: vec![place("first", "inbound/"), place("second", "")],
        policy: Policy::default(),
        deletion: Deletion::default(),
        parse: maintenance::parse,
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

fn stored(objects: &[(&str, &[u8])]) -> Objects {
    objects.iter().map(|(name, bytes)| ((*name).to_owned(), Ok(bytes.to_vec()))).collect()
}

fn record(id: &str, failing: &str) -> Value {
    let verdict = |name: &str| json!({"status": if name == failing { "FAIL" } else { "PASS" }});
    json!({"eventSource": "aws:ses", "ses": {
        "mail": {"messageId": id, "timestamp": "2026-03-02T08:00:01Z",
            "commonHeaders": {"from": ["As SES has read it <ses@elsewhere.example>"], "subject": "As SES has read it"}},
        "receipt": {"spamVerdict": verdict("spam"), "virusVerdict": verdict("virus"), "spfVerdict": verdict("spf"),
            "dkimVerdict": verdict("dkim"), "dmarcVerdict": verdict("dmarc")}}})
}

fn event(records: &[Value]) -> ReceiptEvent {
    serde_json::from_value(json!({"Records": records})).unwrap()
}

/// Runs one mail: the report, what the sink was given, and how the invocation ended.
fn one(bytes: &[u8], failing: &str, sink: &Noting, parse: fn(&Mail) -> Outcome) -> (Value, Result<(), String>) {
    let written = Written::default();
    let mut pipeline = pipeline(stored(&[("first/inbound/m", bytes)]), sink, log(&written));
    pipeline.parse = parse;
    let end = run(pipeline.handle("request", &event(&[record("m", failing)])));
    let lines = written.lines();
    assert_eq!(lines.len(), 1, "one line per mail: {lines:?}");
    (lines[0].clone(), end.map_err(|error| error.to_string()))
}

impl Sink for &Noting {
    async fn deliver(&self, letter: &Letter, notice: &Notice) -> Result<Delivered, SinkError> {
        (**self).deliver(letter, notice).await
    }

    async fn hand_over(&self, letter: &Letter, case: &Case<'_>) -> Result<(), SinkError> {
        (**self).hand_over(letter, case).await
    }
}

const WHOLE: Result<Delivered, SinkError> = Ok(Delivered::Whole);

/// What it is, the mail, the verdict that fails, the sink, and then: the outcome, words of the reason, the sink's calls.
type Row = (&'static str, &'static [u8], &'static str, Noting, &'static str, &'static str, &'static [&'static str]);

#[test]
fn every_mail_ends_in_one_outcome() {
    let refused = || SinkError::Refused("too odd".to_owned());
    let slow = || SinkError::Transient("too slow".to_owned());
    let in_part = Ok(Delivered::ForPerson { reason: "an unknown circuit".to_owned() });
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
        let (report, end) = one(bytes, failing, &sink, maintenance::parse);
        assert_eq!(report["outcome"], outcome, "{what}: {report}");
        assert!(report["reason"].as_str().unwrap_or_default().contains(reason), "{what}: {report}");
        assert_eq!(*sink.calls.lock().unwrap(), calls, "{what}");
        assert_eq!(end.is_err(), outcome == "retry", "{what}: {end:?}");
    }
}

#[test]
fn a_report_tells_the_mail_and_counts_it() {
    let (report, _) = one(PLANNED, "", &Noting::new(WHOLE, Ok(())), maintenance::parse);
    let Report::Mail(read) = serde_json::from_value(report.clone()).unwrap() else { panic!("{report}") };
    let mail = Mail::decode(PLANNED);
    assert_eq!(read.message_id, mail.outer().message_id);
    assert_eq!(read.subject.as_deref(), Some(mail.outer().subject.as_str()));
    assert_eq!(read.sender, mail.outer().sender.as_ref().map(|sender| sender.address.clone()));
    assert_eq!((read.bucket.as_deref(), read.key.as_deref()), (Some("first"), Some("inbound/m")));
    assert_eq!((read.provider.as_deref(), read.maintenances.len(), read.suggestion.len()), (Some("aws"), 1, 0));
    assert!(read.recognised_by.unwrap().starts_with("sender "));
    assert_eq!((&report["stack"], &report["function"]), (&json!("example-test"), &json!("maintenance")));
    for (name, _) in log::METRICS {
        assert!(report[name].is_number(), "{name}: {report}");
    }
    assert_eq!((&report["Delivered"], &report["ForPerson"], &report["Panics"]), (&json!(1), &json!(0), &json!(0)));
    let metrics = &report["_aws"]["CloudWatchMetrics"][0];
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
    let (opened, _) = one(b"X-Note: no From\r\n\r\ntext", "", &Noting::new(WHOLE, Ok(())), maintenance::parse);
    assert_eq!((&opened["sender"], &opened["subject"]), (&Value::Null, &Value::Null));
    let (unopened, _) = one(PLANNED, "virus", &Noting::new(WHOLE, Ok(())), maintenance::parse);
    assert_eq!(unopened["subject"], "As SES has read it");
    assert_eq!(unopened["suggestion"], json!([]));
}

#[test]
fn what_must_be_tried_again_stops_nothing_else() {
    let written = Written::default();
    let sink = Noting::new(WHOLE, Ok(()));
    let mut objects = stored(&[("first/inbound/good", PLANNED), ("second/last", PLANNED), ("second/behind", PLANNED)]);
    objects.insert("first/inbound/denied".to_owned(), Err(StoreError::Unavailable("AccessDenied".to_owned())));
    objects.insert("first/inbound/behind".to_owned(), Err(StoreError::Unavailable("AccessDenied".to_owned())));
    objects.insert("first/inbound/huge".to_owned(), Err(StoreError::TooLarge(1 << 30)));
    let pipeline = pipeline(objects, &sink, log(&written));
    let mut records: Vec<_> =
        ["missing", "good", "denied", SETUP_OBJECT, "huge", "behind", "last"].map(|id| record(id, "")).into();
    records.insert(0, json!({"eventSource": "aws:s3"}));
    records.insert(1, json!(17));
    let error = run(pipeline.handle("request", &event(&records))).unwrap_err().to_string();
    let outcomes: Vec<_> =
        written.lines().iter().map(|line| format!("{} {}", line["ses_message_id"], line["outcome"])).collect();
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
    let pipeline = pipeline(Objects::new(), Noting::new(WHOLE, Ok(())), log(&written));
    let end = run(pipeline.handle("request", &event(&[])));
    assert!(matches!(end, Err(Unfinished::NoRecords)));
    assert_eq!(written.lines(), Vec::<Value>::new());
}

#[test]
fn the_sink_lines_writes_what_it_takes() {
    let written = Written::default();
    let log = log(&written);
    let objects = stored(&[("first/inbound/a", PLANNED), ("second/b", UNKNOWN)]);
    let pipeline = pipeline(objects, Lines::new(Arc::clone(&log)), log);
    run(pipeline.handle("request", &event(&[record("a", ""), record("b", "")]))).unwrap();
    let reports: Vec<Report> = written.lines().into_iter().map(|line| serde_json::from_value(line).unwrap()).collect();
    let [Report::Maintenance(delivered), Report::Mail(first), Report::ForPerson(handed), Report::Mail(_)] =
        &reports[..]
    else {
        panic!("{reports:?}")
    };
    assert_eq!(first.maintenances, std::slice::from_ref(&delivered.maintenance));
    assert_eq!(
        (delivered.provider_slug.as_str(), &delivered.mail),
        ("aws", &Mail::decode(PLANNED).identity().to_string())
    );
    assert_eq!((handed.bucket.as_str(), handed.key.as_str()), ("second", "b"));
    assert!(handed.mail.contains("1@elsewhere.example"), "{}", handed.mail);
}

#[test]
fn a_log_that_cannot_be_written_is_no_success() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("no space left"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let log = Arc::new(Log::new(&Context::default(), Full));
    let pipeline = pipeline(stored(&[("second/m", ORDER)]), Noting::new(WHOLE, Ok(())), log);
    let error = run(pipeline.handle("request", &event(&[record("m", "")]))).unwrap_err();
    assert!(error.to_string().contains("no space left"), "{error}");
}

#[test]
fn a_report_too_long_for_the_log_is_cut_and_still_counted() {
    let written = Written::default();
    let (whole, _) = one(PLANNED, "", &Noting::new(WHOLE, Ok(())), maintenance::parse);
    let Report::Mail(mut report) = serde_json::from_value(whole).unwrap() else { panic!("no report of a mail") };
    report.maintenances = vec![report.maintenances[0].clone(); 2000];
    log(&written).mail(&report, false).unwrap();
    let line = &written.lines()[0];
    assert_eq!(
        (&line["maintenances"], &line["Maintenances"], &line["Delivered"]),
        (&json!([]), &json!(2000), &json!(1))
    );
    assert_eq!(line["reason"], "2000 maintenances are too long for the log");
}

/// Objects that note what is deleted.
struct Shelf {
    objects: Objects,
    deleted: Mutex<Vec<String>>,
    may: bool,
}

impl MailStore for &Shelf {
    async fn get(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        MailStore::get(&self.objects, bucket, key).await
    }

    async fn delete(&self, bucket: &str, key: &str) -> Result<(), StoreError> {
        if !self.may {
            return Err(StoreError::Unavailable("AccessDenied".to_owned()));
        }
        self.deleted.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{bucket}/{key}"));
        Ok(())
    }
}

/// Runs these mails, in one event, with that configuration: what was deleted, and how it ended.
fn deleted(deletion: Deletion, mails: &[&str], sink: &Noting, may: bool) -> (Vec<String>, Result<(), String>) {
    let objects = stored(&[
        ("second/planned", PLANNED),
        ("second/order", ORDER),
        ("second/unknown", UNKNOWN),
        ("second/spoofed", PLANNED),
    ]);
    let shelf = Shelf { objects, deleted: Mutex::default(), may };
    let Pipeline { places, policy, parse, log, .. } = pipeline(Objects::new(), sink, log(&Written::default()));
    let pipeline = Pipeline { places, policy, deletion, parse, store: &shelf, sink, log };
    let records: Vec<_> = mails.iter().map(|id| record(id, if *id == "spoofed" { "dmarc" } else { "" })).collect();
    let end = run(pipeline.handle("request", &event(&records))).map_err(|error| error.to_string());
    (shelf.deleted.into_inner().unwrap_or_else(PoisonError::into_inner), end)
}

#[test]
fn mails_are_deleted_only_as_configured_and_only_when_nothing_is_left_to_do() {
    let all = ["planned", "order", "unknown", "spoofed"];
    let (processed, unknown) =
        (Deletion { processed: true, unknown: false }, Deletion { processed: false, unknown: true });
    let fine = || Noting::new(WHOLE, Ok(()));
    assert_eq!(deleted(Deletion::default(), &all, &fine(), true), (Vec::new(), Ok(())));
    let expected = |names: &[&str]| (names.iter().map(ToString::to_string).collect::<Vec<_>>(), Ok(()));
    assert_eq!(deleted(processed, &all, &fine(), true), expected(&["second/planned", "second/order"]));
    assert_eq!(deleted(unknown, &all, &fine(), true), expected(&["second/unknown"]));
    let slow = Noting::new(Err(SinkError::Transient("slow".to_owned())), Ok(()));
    let (none, end) = deleted(processed, &all, &slow, true);
    assert!(none.is_empty() && end.is_err(), "the event is tried again as a whole: {none:?}");
    let lost = Noting::new(WHOLE, Err(SinkError::Transient("slow".to_owned())));
    assert_eq!(deleted(unknown, &["unknown"], &lost, true).0, Vec::<String>::new());
    let end = deleted(processed, &["planned"], &fine(), false).1.unwrap_err();
    assert!(end.contains("s3://second/planned could not be deleted: AccessDenied"), "{end}");
}

#[test]
fn of_several_sinks_each_is_given_everything() {
    let refused = || Err(SinkError::Refused("odd".to_owned()));
    let slow = || Err(SinkError::Transient("slow".to_owned()));
    let in_part = || Ok(Delivered::ForPerson { reason: "a circuit".to_owned() });
    let table = [
        (WHOLE, WHOLE, "delivered", "", 2),
        (in_part(), WHOLE, "for_person", "a circuit", 2),
        (WHOLE, refused(), "for_person", "the notice was refused: odd", 4),
        (refused(), slow(), "retry", "slow", 2),
        (slow(), WHOLE, "retry", "slow", 2),
    ];
    for (one, other, outcome, reason, calls) in table {
        let both = [Noting::new(one, Ok(())), Noting::new(other, Ok(()))];
        let written = Written::default();
        let sink = Several(both.iter().collect());
        let pipeline = pipeline(stored(&[("second/m", PLANNED)]), sink, log(&written));
        let _ = run(pipeline.handle("request", &event(&[record("m", "")])));
        let line = &written.lines()[0];
        assert_eq!(line["outcome"], outcome, "{line}");
        assert!(line["reason"].as_str().unwrap_or_default().contains(reason), "{line}");
        let called: usize =
            both.iter().map(|sink| sink.calls.lock().unwrap_or_else(PoisonError::into_inner).len()).sum();
        assert_eq!(called, calls, "{outcome}");
    }
}
