//! Tests whom the function trusts, over all mails: those that we wrote, and the real ones.

use contract::receipt_event::{Received, Verdict, Verdicts};
use mail::Mail;
use maintenance::pipeline::decision::{Decision, decide};
use serde_json::json;
use trust::{Evidence, Grants, Policy, Purpose};

use crate::support;

const ID: &str = "0123456789abcdefghijklmnopqrstuv01234567";

/// Envelope of a mail, as SES received it.
struct Envelope<'envelope> {
    sender: &'envelope str,
    helo: &'envelope str,
}

const BOUNCES: Envelope<'_> = Envelope { sender: "bounce@carrier.example", helo: "mx.carrier.example" };

/// Returns the mail with that id as SES stores it: its own headers, then the mail, whose author passed every check.
pub(crate) fn stored(id: &str, mail: &[u8]) -> Vec<u8> {
    received(id, mail, &BOUNCES)
}

fn received(id: &str, mail: &[u8], Envelope { sender, helo }: &Envelope<'_>) -> Vec<u8> {
    let author = author(mail);
    let domain = author.rsplit('@').next().unwrap_or_default();
    let spf = format!("pass (spfCheck: x) client-ip=192.0.2.7; envelope-from={sender}; helo={helo};");
    let block = format!(
        "Return-Path: <{sender}>\r\nReceived: from {helo} ({helo} [192.0.2.7])\r\n by \
         inbound-smtp.eu-west-1.amazonaws.com with SMTP id {id}\r\n for maintenance@example.net;\r\n \
         Mon, 02 Mar 2026 08:00:01 +0000 (UTC)\r\nX-SES-Spam-Verdict: PASS\r\nX-SES-Virus-Verdict: PASS\r\n\
         Received-SPF: {spf}\r\nAuthentication-Results: amazonses.com;\r\n spf={spf}\r\n dkim=pass header.i=@{domain};\r\n \
         dmarc=pass header.from={domain};\r\nX-SES-RECEIPT: AEFB\r\n"
    );
    [block.as_bytes(), mail].concat()
}

/// Returns the address of a mail's author, as SES reads it.
fn author(mail: &[u8]) -> String {
    Mail::decode(mail).outer().sender.as_ref().map(|sender| sender.address.clone()).unwrap_or_default()
}

/// Returns the function's decision on a mail that passed every check.
fn decided(policy: &Policy, mail: &[u8], envelope: &Envelope<'_>) -> Decision {
    let object = received(ID, mail, envelope);
    let event =
        json!({"mail": {"messageId": ID, "source": envelope.sender, "commonHeaders": {"from": [author(mail)]}}});
    let event: Received = serde_json::from_value(event).unwrap();
    let evidence = Evidence::read(&object, &event, &[]);
    let [spam, virus, spf, dkim, dmarc] = [Verdict::Pass; 5];
    let verdicts = Verdicts { spam, virus, spf, dkim, dmarc };
    let decoded = Mail::decode(&object);
    let outcome = carriers::parse(&decoded);
    decide(policy, &verdicts, &evidence, &decoded, outcome)
}

fn is_delivered(mail: &[u8], envelope: &Envelope<'_>) -> bool {
    matches!(decided(&Policy::default(), mail, envelope), Decision::Deliver(_))
}

/// Returns a policy by which the author of a mail may forward everything, and speak for everybody.
fn vouching_for(mail: &[u8]) -> Policy {
    let author = author(mail);
    let grants = |purpose| Grants::read(purpose, &format!("{author}=*"));
    Policy { trusted_senders: grants(Purpose::Carriers), forwarders: grants(Purpose::Forwarders), ..Policy::default() }
}

/// Returns our mails that are delivered without a person if all is right.
fn delivered() -> Vec<support::Named> {
    let mails: Vec<_> = support::own_mails().into_iter().filter(|mail| is_delivered(&mail.bytes, &BOUNCES)).collect();
    assert!(mails.len() > 80, "{} mails", mails.len());
    mails
}

/// Returns one notice of each carrier, and more of those that have several formats.
fn planned() -> Vec<support::Named> {
    let mut mails = delivered();
    mails.retain(|mail| ["planned", "calendar", "tentative"].iter().any(|name| mail.name.ends_with(name)));
    mails
}

#[test]
fn every_carrier_is_heard() {
    let delivered = planned();
    let heard = |slug: &str| delivered.iter().any(|mail| mail.name.starts_with(&format!("{slug}/")));
    let unheard: Vec<_> = carriers::providers::ALL
        .iter()
        .filter(|provider| !provider.domains.is_empty() && !heard(provider.slug))
        .map(|provider| provider.slug)
        .collect();
    assert_eq!(unheard, Vec::<&str>::new());
}

/// A proven carrier, or a listed sender, is trusted: none of the real notices looks like a bounce, a reply or a message forwarded by
/// the carrier itself.
#[test]
fn every_notice_of_the_corpus_is_trusted_where_its_sender_is() {
    let (mut trusted, mut wrong) = (0, Vec::new());
    for mail in support::corpus_mails() {
        let outcome = carriers::parse(&Mail::decode(&mail.bytes));
        if !matches!(outcome, notice::outcome::Outcome::Notice(_)) || author(&mail.bytes).is_empty() {
            continue;
        }
        match decided(&vouching_for(&mail.bytes), &mail.bytes, &BOUNCES) {
            Decision::Deliver(_) => trusted += 1,
            decision => wrong.push(format!("{}: {decision:?}", mail.name)),
        }
    }
    println!("corpus: {trusted} notices trusted, {} not", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the headers of a mail without those that only belong to it, and its body.
fn parts(mail: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(mail).replace("\r\n", "\n");
    let (head, body) = text.split_once("\n\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// Returns the value of a header, unfolded.
fn header(head: &str, name: &str) -> String {
    let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
    let line = unfolded.lines().find(|line| line.to_lowercase().starts_with(&format!("{}:", name.to_lowercase())));
    line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// Returns the fields that say how a body is to be read.
fn content(head: &str) -> String {
    let mut kept = String::new();
    let mut is_kept = false;
    for line in head.lines() {
        let is_folded = line.starts_with([' ', '\t']);
        let name = line.to_lowercase();
        is_kept = if is_folded { is_kept } else { name.starts_with("content-") || name.starts_with("mime-version") };
        if is_kept {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Returns mails of the carrier's own servers and people that contain somebody's notice: the envelope's sender, and the mail.
fn carried(mail: &[u8]) -> Vec<(&'static str, &'static str, String)> {
    let (head, body) = parts(mail);
    let (from, subject, kind) = (header(&head, "From"), header(&head, "Subject"), content(&head));
    let top = format!(
        "From: {from}\nTo: attacker@evil.example\nMessage-ID: <z@carrier.example>\nDate: Mon, 02 Mar 2026 08:00:00 +0000\n"
    );
    let whole = String::from_utf8_lossy(mail).replace("\r\n", "\n");
    let report = |kind: &str| {
        format!(
            "{top}Subject: {subject}\nMIME-Version: 1.0\nContent-Type: {kind}; boundary=\"=_dsn\"\n\n--=_dsn\nContent-Type: text/plain\n\n\
             The mail could not be delivered.\n\n--=_dsn\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n\
             Final-Recipient: rfc822; nobody@carrier.example\nAction: failed\nStatus: 5.1.1\n\n--=_dsn\nContent-Type: message/rfc822\n\n\
             {whole}\n--=_dsn--\n"
        )
    };
    let quoted: String = body.lines().fold(String::new(), |text, line| text + "> " + line + "\n");
    let same = |more: &str| format!("{top}{more}{kind}\n{body}");
    let bare = "bounce@carrier.example";
    vec![
        ("a bounce", "", report("multipart/report; report-type=delivery-status")),
        ("a bounce with a sender", bare, report("multipart/report; report-type=delivery-status")),
        ("a bounce that is no report", bare, report("multipart/mixed")),
        ("a bounce of another server", "", format!("{top}Subject: {subject}\n{kind}\n{body}")),
        (
            "an attached message",
            bare,
            format!("{top}Subject: {subject}\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n{whole}"),
        ),
        ("an automatic answer", bare, same(&format!("Subject: {subject}\nAuto-Submitted: auto-replied\n"))),
        (
            "a generated answer",
            bare,
            same(&format!("Subject: {subject}\nAuto-Submitted: auto-generated\nIn-Reply-To: <1@evil.example>\n")),
        ),
        ("a vacation", bare, same(&format!("Subject: {subject}\nX-Autoreply: yes\n"))),
        ("a robot", bare, same(&format!("Subject: {subject}\nPrecedence: auto_reply\n"))),
        ("a subject", bare, same(&format!("Subject: Automatic reply: {subject}\n"))),
        ("an answer", bare, same(&format!("Subject: Re: {subject}\nIn-Reply-To: <1@evil.example>\n"))),
        ("an answer without a prefix", bare, same(&format!("Subject: {subject}\nIn-Reply-To: <1@evil.example>\n"))),
        ("an answer without a reference", bare, same(&format!("Subject: AW: {subject}\n"))),
        (
            "an answer that quotes",
            bare,
            format!(
                "{top}Subject: Re: {subject}\nIn-Reply-To: <1@evil.example>\n\nThanks.\n\nOn Monday somebody wrote:\n{quoted}"
            ),
        ),
        (
            "one that passes on",
            bare,
            format!(
                "{top}Subject: Fwd: {subject}\n\n---------- Forwarded message ---------\nFrom: {from}\nDate: Mon, 02 Mar 2026 08:00:00 +0000\n\
                 Subject: {subject}\n\n{body}"
            ),
        ),
    ]
}

#[test]
fn no_notice_within_another_mail_of_its_carrier_is_delivered() {
    for mail in planned() {
        for (what, sender, carrying) in carried(&mail.bytes) {
            let envelope = Envelope { sender, helo: "mx.carrier.example" };
            assert!(!is_delivered(carrying.as_bytes(), &envelope), "{}: {what}\n{carrying}", mail.name);
        }
    }
}

/// A listed forwarder may forward messages, but no bounces or automatic replies.
#[test]
fn a_forwarder_is_heard_and_its_bounces_are_not() {
    let mut count = 0;
    for mail in planned() {
        let (head, _) = parts(&mail.bytes);
        for (what, sender, carrying) in carried(&mail.bytes) {
            let carrying = carrying.replacen(&header(&head, "From"), "Desk <desk@customer.example>", 1);
            let policy = vouching_for(carrying.as_bytes());
            let envelope = Envelope { sender, helo: "mx.carrier.example" };
            let decision = decided(&policy, carrying.as_bytes(), &envelope);
            let is_delivered = matches!(decision, Decision::Deliver(_));
            match what {
                "an attached message" => {
                    assert!(is_delivered, "{}: {what}: {decision:?}", mail.name);
                    count += 1;
                }
                "one that passes on" => {}
                _ => assert!(!is_delivered, "{}: {what}\n{carrying}", mail.name),
            }
        }
    }
    assert!(count > 30, "{count}");
}

/// Returns a calendar of a sender that we do not know, for a provider's name.
fn calendar(provider: &str) -> String {
    format!(
        "From: NOC <noc@fjordfibre.example>\nSubject: Maintenance\nMIME-Version: 1.0\nContent-Type: text/calendar\n\n\
         BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nDTSTART:20310401T220000Z\nDTEND:20310402T040000Z\n\
         DTSTAMP:20310301T101500Z\nSUMMARY:Works\nX-MAINTNOTE-PROVIDER:{provider}\nX-MAINTNOTE-ACCOUNT:EX-1\n\
         X-MAINTNOTE-MAINTENANCE-ID:CHG-77\nX-MAINTNOTE-OBJECT-ID:EX/1\nX-MAINTNOTE-IMPACT:OUTAGE\nX-MAINTNOTE-STATUS:CANCELLED\n\
         END:VEVENT\nEND:VCALENDAR\n"
    )
}

#[test]
fn a_calendar_touches_its_senders_provider_and_no_other() {
    let policy = |list: &str| Policy { trusted_senders: Grants::read(Purpose::Carriers, list), ..Policy::default() };
    let names = carriers::providers::ALL.iter().filter(|provider| !provider.domains.is_empty()).flat_map(|provider| {
        [
            provider.slug.to_owned(),
            provider.name.to_owned(),
            provider.slug.to_uppercase(),
            provider.domains[0].to_owned(),
        ]
    });
    for name in names {
        for list in ["", "fjordfibre.example", "fjordfibre.example=fjordfibre", "other.example=*"] {
            let decision = decided(&policy(list), calendar(&name).as_bytes(), &BOUNCES);
            assert!(!matches!(decision, Decision::Deliver(_)), "{name} by `{list}`: {decision:?}");
        }
    }
    for name in ["Fjord Fibre", "fjordfibre", "Somebody Else's Fibre"] {
        let decision = decided(&policy("fjordfibre.example=fjordfibre"), calendar(name).as_bytes(), &BOUNCES);
        let Decision::Deliver(notice) = decision else { panic!("{name}: {decision:?}") };
        assert_eq!(notice.maintenances[0].announced_provider(), Some("fjordfibre"), "{name}");
    }
}
