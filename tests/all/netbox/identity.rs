//! Tests which mails are one to NetBox: those with one `Message-ID` and the same parts, whatever words others share with them.

use serde_json::Value;

use super::{
    notice::{DOMAIN, Notice},
    pipeline::Pipeline,
    server::NetBox,
};
use crate::harness::replaced;

/// Delivers mails one after the other; returns their outcomes with the reasons.
fn deliver(netbox: &NetBox, mails: &[String]) -> Vec<(String, String)> {
    let pipeline = Pipeline::new(&netbox.url, netbox.token(""), DOMAIN);
    let paths: Vec<_> =
        mails.iter().enumerate().map(|(number, mail)| pipeline.mail(&format!("{number}.eml"), mail)).collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    pipeline.deliver(&paths).mails.iter().map(|mail| (text(&mail["outcome"]), text(&mail["reason"]))).collect()
}

/// Returns the bodies of the notifications without an event, and the number of those with one.
fn notifications(netbox: &NetBox) -> (Vec<String>, usize) {
    let all = netbox.content().notifications;
    let (queue, linked): (Vec<_>, Vec<_>) = all.iter().partition(|mail| mail["circuitmaintenance"].is_null());
    (queue.iter().map(|mail| mail["email_body"].as_str().unwrap().to_owned()).collect(), linked.len())
}

/// Returns a mail of nobody whom we know, with that Message-ID and that PDF.
fn with_pdf(id: &str, base64: &str) -> String {
    format!(
        "From: Jo <jo@stranger.example>\r\nTo: maintenance@example.com\r\nSubject: Works\r\nDate: Mon, 2 Mar 2026 08:00:00 +0000\r\n\
         Message-ID: <{id}@stranger.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"part\"\r\n\r\n\
         --part\r\nContent-Type: text/plain\r\n\r\nPlease see the attached notice.\r\n--part\r\n\
         Content-Type: application/pdf; name=\"notice.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{base64}\r\n--part--\r\n"
    )
}

#[test]
fn mails_with_the_same_words_are_as_many_entries_in_the_queue_and_each_is_there_once() {
    let Some(netbox) = NetBox::with_one_line() else { return };
    // Also where a carrier gives all its mails one Message-ID.
    let pdfs = [with_pdf("1", "QUFB"), with_pdf("2", "QkJC"), with_pdf("2", "Q0ND")];
    // Two maintenances of circuits that nobody knows, under one subject and the same covering words.
    let unknown = ["CHG-1", "CHG-2"].map(|id| {
        let notice = Notice { cids: vec!["LINE-9"], ..Notice::new(id) };
        replaced(&notice.mail(), &[(&notice.subject(), "Planned works")])
    });
    let strangers = unknown.clone().map(|mail| replaced(&mail, &[("noc@carrier.example>", "noc@stranger.example>")]));
    let all = [&pdfs[..], &unknown, &strangers].concat();
    for _ in 0..2 {
        let outcomes = deliver(&netbox, &all);
        assert!(outcomes.iter().all(|(outcome, _)| outcome == "for_person"), "{outcomes:?}");
        let (queue, linked) = notifications(&netbox);
        assert_eq!((queue.len(), linked), (all.len(), 2), "{queue:#?}");
        assert_eq!(
            queue.iter().filter(|body| body.contains("Attached: notice.pdf (application/pdf, 3 bytes)")).count(),
            3
        );
    }
}

#[test]
fn a_reminder_and_a_revision_with_the_same_words_are_both_with_the_event() {
    let Some(netbox) = NetBox::with_one_line() else { return };
    let first = Notice::new("CHG-1").mail();
    let reminder = replaced(&first, &[("Message-ID: <CHG-1.1@", "Message-ID: <CHG-1.reminder@")]);
    let second = Notice { number: 2, ..Notice::new("CHG-1") };
    let subject = (second.subject(), Notice::new("CHG-1").subject());
    let revision = replaced(&second.mail(), &[(&subject.0, &subject.1)]);
    let all = [first, reminder, revision];
    for round in 0..2 {
        let outcomes = deliver(&netbox, &all);
        assert!(outcomes.iter().all(|(outcome, _)| outcome == "delivered"), "{outcomes:?}");
        assert_eq!(notifications(&netbox), (Vec::new(), 3));
        let older = "`CHG-1` is older than what NetBox has of it: nothing changed";
        let said: Vec<_> = outcomes.iter().map(|(_, reason)| reason == older).collect();
        assert_eq!(said, [round == 1, round == 1, false], "{outcomes:?}");
    }
    let content = netbox.content();
    assert_eq!((content.events.len(), content.events()[0].start), (1, second.start()));
}

#[test]
fn a_cancellation_under_an_older_revision_and_a_later_date_goes_to_a_person() {
    let Some(netbox) = NetBox::with_one_line() else { return };
    let revision = Notice { number: 2, ..Notice::new("CHG-1") }.mail();
    let later = Notice { number: 3, status: "CANCELLED", ..Notice::new("CHG-1") }.mail();
    let cancelled = replaced(&later, &[("SEQUENCE:3", "SEQUENCE:1")]);
    let outcomes = deliver(&netbox, &[revision, cancelled]);
    assert_eq!((outcomes[0].0.as_str(), outcomes[1].0.as_str()), ("delivered", "for_person"), "{outcomes:?}");
    assert!(outcomes[1].1.contains("nothing tells which came first"), "{outcomes:?}");
    assert_eq!(netbox.content().events()[0].status, "CONFIRMED");
    assert_eq!(notifications(&netbox).0.len(), 1);
}
