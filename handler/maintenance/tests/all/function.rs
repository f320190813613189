//! The function's program itself, between a Runtime API and an S3 endpoint.

use contract::report::{Class, ItemReport, Report};
use serde_json::{Value, json};

use crate::{
    cloud::{Cloud, Running},
    support,
    tls::Tls,
    trusted,
};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_maintenance");

/// Returns one of our mails as SES stores it under that id.
pub(crate) fn mail(id: &str, name: &str) -> Vec<u8> {
    trusted::stored(id, &std::fs::read(support::repository().join("tests/mails/aws").join(name)).unwrap())
}

/// Author of the mail `planned.eml`.
const DESK: &str = "no-reply-aws@amazon.com";

fn record(id: &str, author: &str) -> Value {
    let passed = json!({"status": "PASS"});
    json!({"eventSource": "aws:ses", "eventVersion": "1.0", "ses": {
        "mail": {"timestamp": "2026-03-02T08:00:01.250Z", "source": "bounce@carrier.example", "messageId": id,
            "destination": ["maintenance@example.net"], "headersTruncated": false, "headers": [{"name": "Subject", "value": "Works"}],
            "commonHeaders": {"returnPath": "bounce@carrier.example", "from": [author], "to": ["maintenance@example.net"], "subject": "Works"}},
        "receipt": {"timestamp": "2026-03-02T08:00:01.250Z", "processingTimeMillis": 412, "recipients": ["maintenance@example.net"],
            "spamVerdict": passed, "virusVerdict": passed, "spfVerdict": passed, "dkimVerdict": passed, "dmarcVerdict": passed,
            "action": {"type": "Lambda", "functionArn": "arn:aws:lambda:eu-west-1:123456789012:function:example", "invocationType": "Event"}}}})
}

pub(crate) fn event(ids: &[&str]) -> String {
    event_by(DESK, ids)
}

fn event_by(author: &str, ids: &[&str]) -> String {
    json!({"Records": ids.iter().map(|id| record(id, author)).collect::<Vec<_>>()}).to_string()
}

fn reports(lines: &[String]) -> Vec<Report> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn mails(lines: &[String]) -> Vec<ItemReport> {
    let mail = |report| if let Report::Item(mail) = report { Some(*mail) } else { None };
    reports(lines).into_iter().filter_map(mail).collect()
}

#[test]
fn a_mail_in_s3_is_delivered() {
    let cloud = Cloud::start();
    cloud.answer("mail/inbound/one", 200, &mail("one", "planned.eml"));
    let function = Running::start(cloud.function(PROGRAM));
    let said = cloud.invoke("request-1", &event(&["one"]));
    assert_eq!((said.path.as_str(), said.body.as_str()), ("/2018-06-01/runtime/invocation/request-1/response", "null"));
    let (lines, log) = function.stop();
    let [Report::Output(maintenance), Report::Item(mail)] = &reports(&lines)[..] else { panic!("{lines:?}\n{log}") };
    assert_eq!(mail.details["maintenances"][0]["maintenance_id"], maintenance.document["maintenance_id"]);
    assert_eq!((mail.class, mail.request_id.as_str()), (Class::Done, "request-1"));
    assert_eq!(mail.details["received_at"], "2026-03-02T08:00:01.25Z");
    assert_eq!(cloud.fetched(), ["mail/inbound/one"]);
    assert_eq!(log, "");
}

#[test]
fn a_mail_that_is_not_there_fails_the_invocation_and_nothing_else() {
    let cloud = Cloud::start();
    cloud.answer("older/two", 200, &mail("two", "planned.eml"));
    let function = Running::start(cloud.function(PROGRAM));
    let said = cloud.invoke("request-1", &event(&["one", "AMAZON_SES_SETUP_NOTIFICATION", "two"]));
    assert_eq!(said.path, "/2018-06-01/runtime/invocation/request-1/error");
    let body: Value = serde_json::from_str(&said.body).unwrap();
    let message = body["errorMessage"].as_str().unwrap();
    assert!(message.starts_with("1 of 3 mails must be tried again: one: "), "{message}");
    assert!(message.contains("s3://mail/inbound/one: no such object, s3://older/one: no such object"), "{message}");
    // Lambda retries, and by then the mail is there.
    cloud.answer("mail/inbound/one", 200, &mail("one", "order.eml"));
    assert!(cloud.invoke("request-2", &event_by("shipment-tracking@amazon.com", &["one"])).path.ends_with("/response"));
    let (lines, _) = function.stop();
    let outcomes: Vec<_> = mails(&lines).into_iter().map(|mail| (mail.item, mail.class)).collect();
    let expected = [("one", Class::Retry), ("two", Class::Done), ("one", Class::Ignored)];
    assert_eq!(outcomes, expected.map(|(id, outcome)| (id.to_owned(), outcome)));
}

#[test]
fn errors_of_s3_are_reported_and_transient_ones_retried_at_once() {
    let cloud = Cloud::start();
    cloud.answer("mail/inbound/slow", 503, b"SlowDown");
    cloud.answer("mail/inbound/slow", 200, &mail("slow", "planned.eml"));
    cloud.answer("mail/inbound/denied", 403, b"AccessDenied");
    let function = Running::start(cloud.function(PROGRAM));
    assert!(cloud.invoke("request-1", &event(&["slow"])).path.ends_with("/response"));
    let said = cloud.invoke("request-2", &event(&["denied"]));
    assert!(said.body.contains("GetObject AccessDenied: As it is told (request EXAMPLE)"), "{}", said.body);
    function.stop();
    assert_eq!(cloud.fetched(), ["mail/inbound/slow", "mail/inbound/slow", "mail/inbound/denied", "older/denied"]);
}

#[test]
fn bytes_that_are_no_text_and_events_that_are_no_receipts_do_no_harm() {
    let cloud = Cloud::start();
    cloud.answer("mail/inbound/odd", 200, b"Subject: Entst\xf6rung\r\n\r\n\x00\xff\xfe Stra\xdfe");
    cloud.answer("mail/inbound/none", 200, b"");
    let function = Running::start(cloud.function(PROGRAM));
    for (id, strange) in [("strange-1", "{}"), ("strange-2", "[1, 2]"), ("strange-3", r#"{"Records": [{"s3": {}}]}"#)] {
        assert!(cloud.invoke(id, strange).path.ends_with("/error"), "{strange}");
    }
    let said = cloud.invoke("request-1", &event(&["odd", "none"]));
    assert!(said.path.ends_with("/response"), "{said:?}");
    let (lines, log) = function.stop();
    let mails: Vec<_> = mails(&lines).into_iter().filter(|mail| mail.request_id == "request-1").collect();
    assert_eq!(mails.len(), 2, "{lines:?}\n{log}");
    assert!(mails.iter().all(|mail| mail.class == Class::ForPerson && mail.details["sender"].is_null()), "{mails:?}");
    assert_eq!(mails[0].details["subject"], "Entstörung");
}

#[test]
fn over_tls_only_a_certificate_that_somebody_vouches_for_will_do() {
    let Some(tls) = Tls::start() else {
        println!("not run: no openssl");
        return;
    };
    tls.object("mail/inbound/one", &mail("one", "planned.eml"));
    for (bundle, outcome) in [(Some(tls.bundle()), Class::Done), (None, Class::Retry)] {
        // A stopped function still waits for its next event in the eyes of its own cloud, and would get it.
        let cloud = Cloud::start();
        let mut command = cloud.function(PROGRAM);
        command.env("AWS_ENDPOINT_URL_S3", tls.endpoint());
        command.envs(bundle.map(|bundle| ("SSL_CERT_FILE", bundle)));
        let function = Running::start(command);
        let said = cloud.invoke(&format!("request-{outcome:?}"), &event(&["one"]));
        let (lines, log) = function.stop();
        assert_eq!(mails(&lines)[0].class, outcome, "{said:?}\n{log}");
        assert_eq!(said.body.contains("certificate"), outcome == Class::Retry, "{said:?}");
    }
}

#[test]
fn a_large_mail_takes_at_most_three_times_its_size() {
    const MEGABYTE: usize = 1024 * 1024;
    let mut mail = b"From: noc@carrier.example\r\nSubject: Works\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: application/pdf; name=plan.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        .to_vec();
    let line = [&[b'A'; 76][..], b"\r\n"].concat();
    mail.extend(line.iter().cycle().take(38 * MEGABYTE / line.len() * line.len()));
    mail.extend_from_slice(b"\r\n--b--\r\n");
    let cloud = Cloud::start();
    cloud.answer("mail/inbound/large", 200, &mail);
    let function = Running::start(cloud.function(PROGRAM));
    let said = cloud.invoke("request-1", &event(&["large"]));
    let peak = function.peak_memory();
    assert!(said.path.ends_with("/response"), "{said:?}");
    assert!(peak < 3 * 40 * MEGABYTE as u64, "{} MB", peak / MEGABYTE as u64);
}

/// Context with places where the function may write, besides what it reads.
const PLACES: &str = r#"{"stack":"example","function":"maintenance","mail":[{"bucket":"mail","prefix":"inbound/"}],
    "writes":[{"bucket":"mail","prefix":"unmatched/"},{"bucket":"feed","prefix":"calendar/"}]}"#;

#[test]
fn a_calendar_is_written_and_mails_for_a_person_are_kept() {
    let cloud = Cloud::start();
    cloud.answer("mail/inbound/planned", 200, &mail("planned", "planned.eml"));
    cloud.answer("mail/inbound/other", 200, b"From: somebody@elsewhere.example\r\nSubject: Hello\r\n\r\nHello.\r\n");
    let mut command = cloud.function(PROGRAM);
    command.env("SINK", "calendar").env("PROVISION_CONTEXT", PLACES);
    command.env("DELETE_PROCESSED_MAIL", "true").env("DELETE_UNKNOWN_MAIL", "true");
    let function = Running::start(command);
    for (request, ids) in [("request-1", &["planned"][..]), ("request-2", &["planned"]), ("request-3", &["other"])] {
        let said = cloud.invoke(request, &event(ids));
        assert!(said.path.ends_with("/response"), "{said:?}");
    }
    let (lines, log) = function.stop();
    let outcomes: Vec<_> = mails(&lines).into_iter().map(|mail| mail.class).collect();
    assert_eq!(outcomes, [Class::Done, Class::Done, Class::ForPerson], "{log}");
    let written = cloud.written();
    let names: Vec<_> = written.keys().map(String::as_str).collect();
    assert_eq!(names, ["feed/calendar/maintenance.ics", "mail/unmatched/other", "mail/unmatched/other.json"]);
    let calendar = String::from_utf8(written["feed/calendar/maintenance.ics"].clone()).unwrap();
    assert!(calendar.contains("X-WR-CALNAME;VALUE=TEXT:example\r\n"), "{calendar}");
    assert_eq!(calendar.matches("BEGIN:VEVENT").count(), 1);
    assert!(written["mail/unmatched/other"].starts_with(b"From: somebody@"));
    let beside: Value = serde_json::from_slice(&written["mail/unmatched/other.json"]).unwrap();
    let copy = json!("s3://mail/unmatched/other");
    assert_eq!((&beside["kind"], &beside["mail"]["object"]), (&json!("for_person"), &copy));
    assert_eq!(beside["mail"]["key"], Value::Null, "nothing points at what is deleted");
    assert_eq!(cloud.deleted(), ["mail/inbound/other"], "the calendar holds no mail that is delivered");
}

#[test]
fn a_start_without_configuration_tells_lambda_all_that_is_missing() {
    let cloud = Cloud::start();
    let mut command = cloud.function(PROGRAM);
    command.env_remove("SINK").env_remove("PROVISION_CONTEXT");
    let function = Running::start(command);
    let said = cloud.wait_for("/init/error");
    assert_eq!(said.error_type.as_deref(), Some("Runtime.InitError"));
    let body: Value = serde_json::from_str(&said.body).unwrap();
    let expected = "the function's environment is not complete: `PROVISION_CONTEXT` is missing; `SINK` is missing";
    assert_eq!(body["errorMessage"], expected);
    let (status, (lines, log)) = function.end();
    assert_eq!((status.code(), lines.len()), (Some(1), 0));
    assert!(log.contains("`SINK` is missing"), "{log}");
}

#[test]
fn outside_lambda_it_says_who_starts_it() {
    let mut command = Cloud::start().function(PROGRAM);
    command.env_remove("AWS_LAMBDA_RUNTIME_API");
    let (status, (_, log)) = Running::start(command).end();
    assert_eq!(status.code(), Some(1));
    assert!(log.contains("`provision dev`"), "{log}");
}
