//! Every event of SES, in both formats, becomes the messages that it should, and nothing that the function says names a person.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use crate::trial::{MAIL, SENDER, Trial, notifications, sample};

/// File, recipients, code, type and subtype of a sample.
type Sample = (&'static str, &'static [&'static str], u64, &'static str, Option<&'static str>);

/// Each sample, with the recipients, code and subtype of its messages; no recipient for what is ignored.
const SAMPLES: [Sample; 17] = [
    ("event-send.json", &["ada@example.org", "bob@example.com"], 3, "Send", None),
    ("event-rendering-failure.json", &["ada@example.org"], 5, "Rendering Failure", Some("order")),
    ("event-reject.json", &["ada@example.org"], 4, "Reject", Some("Bad content")),
    ("event-delivery.json", &["ada@example.org"], 0, "Delivery", None),
    ("event-bounce.json", &["bob@example.com"], 2, "Bounce", Some("Permanent")),
    (
        "event-bounce-transient.json",
        &["ada@example.org", "bob@example.com"],
        2,
        "Bounce",
        Some("Transient/MailboxFull"),
    ),
    ("event-complaint.json", &["ada@example.org"], 1, "Complaint", Some("abuse")),
    ("event-delivery-delay.json", &["ada@example.org"], 6, "DeliveryDelay", Some("TransientCommunicationFailure")),
    ("event-subscription.json", &["ada@example.org"], 7, "Subscription", Some("UnsubscribeHeader")),
    ("event-open.json", &["ada@example.org"], 8, "Open", None),
    ("event-click.json", &["ada@example.org"], 9, "Click", None),
    ("event-of-the-future.json", &["ada@example.org"], 99, "Recalled", None),
    ("notification-bounce.json", &["bob@example.com"], 2, "Bounce", Some("Permanent")),
    ("notification-complaint.json", &["ada@example.org"], 1, "Complaint", Some("abuse")),
    ("notification-delivery.json", &["ada@example.org"], 0, "Delivery", None),
    ("notification-subscription-succeeded.json", &[], 0, "", None),
    ("destination-validation.txt", &[], 0, "", None),
];

#[test]
fn every_sample_becomes_its_messages_and_no_log_names_a_person() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/events");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.collect::<BTreeSet<_>>(), SAMPLES.iter().map(|(name, ..)| (*name).to_owned()).collect());
    let trial = Trial::start();
    trial.table.put(SENDER, &format!("{MAIL}#2027-01-05 11:00"), Some("order"));
    for (name, recipients, code, kind, subtype) in SAMPLES {
        let before = trial.broker.kept().len();
        assert_eq!(trial.written(&notifications(&[(name, &sample(name))])), recipients.len() as u64, "{name}");
        let mut kept = trial.broker.kept();
        assert_eq!(kept.len(), before + recipients.len(), "{name}");
        kept.retain(|kept| {
            kept.value["notify_type"] == kind && recipients.contains(&kept.value["to_email"].as_str().unwrap())
        });
        for recipient in recipients {
            let kept = kept.iter().rfind(|kept| kept.value["to_email"] == *recipient).unwrap();
            assert_eq!(kept.key, MAIL);
            let said = json!([kept.value["delivery_code"], kept.value["notify_subtype"], kept.value["template_id"]]);
            assert_eq!(said, json!([code, subtype, "order"]), "{name}");
            assert_eq!(kept.value["send_ip"], "192.0.2.7", "{name}");
            assert_eq!(kept.value.as_object().unwrap().len(), 17, "{name}");
        }
    }
    let (lines, errors) = trial.stop();
    assert_eq!(lines.len(), SAMPLES.len(), "{errors}");
    let ignored = lines.iter().filter(|line| line["class"] == "ignored").count();
    let written: usize = SAMPLES.iter().map(|(_, recipients, ..)| recipients.len()).sum();
    assert_eq!((ignored, metric(&lines, "Ignored"), metric(&lines, "Written")), (2, 2, written as u64));
    let said = format!("{}{errors}", json!(lines));
    for person in ["ada@", "bob@", "orders@", "Ada", "Shop"] {
        assert!(!said.contains(person), "the log names {person}: {said}");
    }
    // What a log may show: a digest and the domain.
    assert!(said.contains("@example.org") && said.contains("@shop.example"), "{said}");
}

/// Returns the sum of a metric over all lines.
pub(crate) fn metric(lines: &[Value], name: &str) -> u64 {
    lines.iter().map(|line| line[name].as_u64().unwrap_or_default()).sum()
}

#[test]
fn each_notification_of_an_invocation_is_handled_by_itself() {
    let trial = Trial::start();
    let (delivery, bounce) = (sample("event-delivery.json"), sample("event-bounce-transient.json"));
    let validation = sample("destination-validation.txt");
    let event = notifications(&[("n-1", &delivery), ("n-2", &validation), ("n-3", &bounce)]);
    assert_eq!(trial.written(&event), 3);
    // One that cannot be read fails the invocation, and the others are written all the same.
    let fault =
        trial.failed(&notifications(&[("n-4", "no event"), ("n-5", &delivery), ("n-6", r#"{"eventType":"Open"}"#)]));
    assert!(fault.contains("2 of 3 notifications not written: not an event of SES"), "{fault}");
    assert_eq!(trial.broker.kept().len(), 4);
    for odd in ["{}", r#"{"Records":[]}"#, r#"{"Records":[{}]}"#, r#"{"Records":[{"Sns":{"Message":7}}]}"#] {
        assert!(trial.lambda.invoke("r-2", odd).error_type.is_some(), "{odd}");
    }
    // Without its id a notification that comes again would not be known.
    let fault = trial.failed(&notifications(&[("", &delivery)]));
    assert!(fault.contains("no `MessageId`"), "{fault}");
    assert_eq!(trial.broker.kept().len(), 4);
    let (lines, errors) = trial.stop();
    assert!(!errors.contains("panicked"), "{errors}");
    assert_eq!(metric(&lines, "Retry"), 5);
}
