//! One table per question: who has standing, what proves it, and what speaks against any mail.

use super::*;
use notice::{
    found::Found,
    provider::{LearnedFrom, Provider, Reading, says_nothing},
};

static CARRIER: Provider = Provider {
    slug: "carrier",
    name: "Carrier Networks",
    domains: &["carrier.example", "carrier-noc.example"],
    organizer: "noc@carrier.example",
    learned_from: LearnedFrom::PublicKnowledge,
    says: says_nothing,
    read: |_| Ok(Reading::Other("a test".to_owned())),
};

const ID: &str = "0a1b2c3d4e5f6g7h8i9j0a1b2c3d4e5f6g7h8i9j";

const PASS: Verdicts = Verdicts {
    spam: Verdict::Pass,
    virus: Verdict::Pass,
    spf: Verdict::Pass,
    dkim: Verdict::Pass,
    dmarc: Verdict::Pass,
};

fn policy() -> Policy {
    let listed = |entries: &[&str]| entries.iter().map(|entry| Listed::new(entry).unwrap()).collect();
    Policy {
        trusted_senders: listed(&["small-carrier.example", "noc@tiny.example"]),
        forwarders: listed(&["Desk@Customer.example", "lists.customer.example"]),
        dmarc_failure: DmarcFailure::Decides,
    }
}

/// A mail as SES stores it: its own headers with these results, then those of the sender.
fn stored(results: &str, headers: &str) -> Mail {
    let mail = format!(
        "Return-Path: <bounce@carrier.example>\r\n\
         Received: from mx.carrier.example (mx.carrier.example [192.0.2.7])\r\n by inbound-smtp.eu-west-1.amazonaws.com \
         with SMTP id {ID}\r\n for noc@customer.example;\r\n Mon, 02 Mar 2026 08:00:01 +0000 (UTC)\r\n\
         X-SES-Spam-Verdict: PASS\r\n\
         Received-SPF: pass (spfCheck: domain of carrier.example) client-ip=192.0.2.7; helo=mx.carrier.example;\r\n\
         Authentication-Results: {results}\r\n\
         {headers}Subject: Planned works\r\n\r\ntext\r\n"
    );
    Mail::decode(mail.as_bytes())
}

fn from(sender: &str) -> Mail {
    stored("amazonses.com; spf=pass; dkim=none; dmarc=none", &format!("From: {sender}\r\n"))
}

fn by_sender() -> Recognised {
    Recognised { provider: &CARRIER, by: Recognition::Sender(Domain::new("carrier.example").unwrap()) }
}

fn by_calendar() -> Recognised {
    Recognised { provider: &CARRIER, by: Recognition::Calendar }
}

fn by_content() -> Recognised {
    let found = Found::by_rule("words of the carrier".to_owned(), "a test");
    Recognised { provider: &CARRIER, by: Recognition::Content(found) }
}

#[test]
fn standing_has_the_provider_and_who_is_listed() {
    use Standing::{Forwarder, Provider, TrustedSender};
    let table = [
        ("NOC <noc@carrier.example>", by_sender(), Ok((Provider, "carrier.example"))),
        ("NOC@Mail.CARRIER.example", by_sender(), Ok((Provider, "carrier.example"))),
        ("noc@carrier-noc.example", by_content(), Ok((Provider, "carrier-noc.example"))),
        ("noc@evil-carrier.example", by_content(), Err("FORWARDERS")),
        ("noc@carrier.example.evil.example", by_content(), Err("FORWARDERS")),
        ("\"noc@carrier.example\" <x@evil.example>", by_content(), Err("FORWARDERS")),
        // TRUSTED_SENDERS speak for their own calendars alone.
        ("noc@small-carrier.example", by_calendar(), Ok((TrustedSender, "small-carrier.example"))),
        ("noc@team.small-carrier.example", by_calendar(), Ok((TrustedSender, "small-carrier.example"))),
        ("noc@small-carrier.example", by_content(), Err("FORWARDERS")),
        ("NOC@tiny.example", by_calendar(), Ok((TrustedSender, "tiny.example"))),
        ("sales@tiny.example", by_calendar(), Err("TRUSTED_SENDERS")),
        ("noc@unknown.example", by_calendar(), Err("TRUSTED_SENDERS")),
        // FORWARDERS pass anything on.
        ("desk@customer.example", by_content(), Ok((Forwarder, "customer.example"))),
        ("desk@customer.example", by_calendar(), Ok((Forwarder, "customer.example"))),
        ("other@customer.example", by_content(), Err("FORWARDERS")),
        ("maint@lists.customer.example", by_content(), Ok((Forwarder, "lists.customer.example"))),
    ];
    for (sender, recognised, expected) in table {
        let judged = judge(&policy(), &PASS, ID, &from(sender), &recognised);
        match (expected, judged) {
            (Ok((standing, domain)), Ok(trust)) => {
                assert_eq!((trust.standing, trust.domain.as_str(), &trust.proof), (standing, domain, &Proof::Dmarc));
            }
            (Err(expected), Err(Doubt::NoStanding { list, .. })) => assert_eq!(list, expected, "{sender}"),
            (expected, judged) => panic!("{sender}: expected {expected:?}, was {judged:?}"),
        }
    }
}

#[test]
fn without_one_sender_there_is_no_standing() {
    for headers in [
        "",
        "From: \r\n",
        "From: Carrier NOC\r\n",
        "From: <noc@carrier.example>\r\nFrom: <x@evil.example>\r\n",
        "From: <noc@carrier.example>\r\nFrom: <noc@carrier.example>\r\n",
    ] {
        let mail = stored("amazonses.com; dkim=pass header.i=@carrier.example", headers);
        assert_eq!(judge(&policy(), &PASS, ID, &mail, &by_sender()), Err(Doubt::NoSender), "{headers:?}");
    }
}

#[test]
fn verdicts_speak_against_any_mail() {
    use Verdict::{Disabled, Fail, Gray, ProcessingFailed, Unknown};
    let table = [
        (PASS, None),
        (Verdicts { spam: Fail, ..PASS }, Some(Doubt::Spam)),
        (Verdicts { spam: Gray, ..PASS }, None),
        (Verdicts { spam: ProcessingFailed, ..PASS }, None),
        (Verdicts { spam: Disabled, virus: Disabled, ..PASS }, None),
        (Verdicts { spam: Unknown, ..PASS }, None),
        (Verdicts { virus: Fail, spam: Fail, ..PASS }, Some(Doubt::Virus)),
        (Verdicts { virus: Gray, ..PASS }, Some(Doubt::PerhapsVirus(Gray))),
        (Verdicts { virus: ProcessingFailed, ..PASS }, Some(Doubt::PerhapsVirus(ProcessingFailed))),
        (Verdicts { virus: Unknown, ..PASS }, Some(Doubt::PerhapsVirus(Unknown))),
        (Verdicts { spf: Fail, dkim: Fail, ..PASS }, None),
        (Verdicts { dmarc: Fail, ..PASS }, Some(Doubt::DmarcFailed)),
    ];
    let mail = from("noc@carrier.example");
    for (verdicts, expected) in table {
        assert_eq!(of_verdicts(&policy(), &verdicts).err(), expected, "{verdicts:?}");
        assert_eq!(judge(&policy(), &verdicts, ID, &mail, &by_sender()).err(), expected, "{verdicts:?}");
    }
}

#[test]
fn without_dmarc_a_signature_in_line_is_proof() {
    use Verdict::{Fail, Gray, Pass, ProcessingFailed, Unknown};
    const OWN: &str =
        "amazonses.com; spf=pass (x; (y)) client-ip=192.0.2.7; dkim=pass header.i=@carrier.example; dmarc=none";
    let table = [
        (Gray, Pass, OWN, Some("carrier.example")),
        (Unknown, Pass, OWN, Some("carrier.example")),
        (ProcessingFailed, Pass, OWN, Some("carrier.example")),
        (Gray, Gray, OWN, None),
        (Gray, Fail, OWN, None),
        (Gray, Unknown, OWN, None),
        (Gray, Pass, "amazonses.com; dkim=pass header.d=mail.carrier.example", Some("mail.carrier.example")),
        (
            Gray,
            Pass,
            "amazonses.com; dkim=pass header.i=@bulk.example; dkim=pass header.i=@carrier.example",
            Some("carrier.example"),
        ),
        (Gray, Pass, "amazonses.com; dkim=pass header.i=@bulk.example; dkim=fail header.i=@carrier.example", None),
        (Gray, Pass, "amazonses.com; dkim=pass header.i=@evil-carrier.example", None),
        (Gray, Pass, "amazonses.com; dkim=pass header.i=@carrier.example@evil.example", None),
        (Gray, Pass, "amazonses.com; dkim=pass header.b=@carrier.example", None),
        (Gray, Pass, "amazonses.com; dkim=pass (header.i=@carrier.example)", None),
        (Gray, Pass, "amazonses.com; spf=pass ( dkim=pass header.i=@carrier.example", None),
        (Gray, Pass, "amazonses.com; envelope-from=\"; dkim=pass header.i=@carrier.example\"@evil.example", None),
        (Gray, Pass, "mx.evil.example; dkim=pass header.i=@carrier.example", None),
        (Gray, Pass, "", None),
    ];
    for (dmarc, dkim, results, expected) in table {
        let mail = stored(results, "From: noc@carrier.example\r\n");
        let verdicts = Verdicts { dkim, dmarc, ..PASS };
        match (judge(&policy(), &verdicts, ID, &mail, &by_sender()), expected) {
            (Ok(Trust { proof: Proof::Dkim(signer), .. }), Some(expected)) => assert_eq!(signer.as_str(), expected),
            (Err(Doubt::Unproven { .. }), None) => {}
            (judged, expected) => panic!("{results}: expected {expected:?}, was {judged:?}"),
        }
    }
}

#[test]
fn a_failed_dmarc_check_can_be_told_to_prove_nothing() {
    let lenient = Policy { dmarc_failure: DmarcFailure::ProvesNothing, ..policy() };
    let verdicts = Verdicts { dmarc: Verdict::Fail, ..PASS };
    let signed =
        stored("amazonses.com; dkim=pass header.i=@carrier.example; dmarc=fail", "From: noc@carrier.example\r\n");
    assert!(matches!(judge(&lenient, &verdicts, ID, &signed, &by_sender()), Ok(Trust { proof: Proof::Dkim(_), .. })));
    let unsigned = from("noc@carrier.example");
    assert!(matches!(judge(&lenient, &verdicts, ID, &unsigned, &by_sender()), Err(Doubt::Unproven { .. })));
}

#[test]
fn headers_that_the_sender_wrote_prove_nothing() {
    const RESULTS: &str = "Authentication-Results: amazonses.com; dkim=pass header.i=@carrier.example\r\n";
    let received = |id: &str, said: &str| {
        format!(
            "Received: from {said} by inbound-smtp.eu-west-1.amazonaws.com with SMTP id {id} for noc@customer.example\r\n"
        )
    };
    let (own, other) = (received(ID, "mx.carrier.example"), received("another0id", "mx.carrier.example"));
    let table = [
        ("as SES writes it", format!("{own}{RESULTS}"), true),
        ("no Received", RESULTS.to_owned(), false),
        ("Received after the results", format!("{RESULTS}{own}"), false),
        ("another mail's Received", format!("{other}{RESULTS}"), false),
        ("results below a second Received", format!("{own}{other}{RESULTS}"), false),
        (
            "results below another's",
            format!("{own}Authentication-Results: mx.evil.example; dkim=none\r\n{RESULTS}"),
            false,
        ),
        (
            "said in the SMTP dialogue",
            format!("{}{RESULTS}", received(ID, "x; dkim=pass header.i=@carrier.example")),
            false,
        ),
    ];
    for (what, headers, proves) in table {
        let mail =
            Mail::decode(format!("{headers}From: noc@carrier.example\r\nSubject: Works\r\n\r\ntext\r\n").as_bytes());
        let verdicts = Verdicts { dmarc: Verdict::Gray, ..PASS };
        assert_eq!(judge(&policy(), &verdicts, ID, &mail, &by_sender()).is_ok(), proves, "{what}");
        assert!(judge(&policy(), &verdicts, "", &mail, &by_sender()).is_err(), "{what}, without a message id");
    }
}

#[test]
fn entries_of_lists_are_addresses_or_domains() {
    for sound in ["carrier.example", " NOC@carrier.example ", "a-b.carrier.example"] {
        assert!(Listed::new(sound).is_some(), "{sound}");
    }
    for unsound in [
        "",
        "carrier",
        "@carrier.example",
        "noc@",
        "noc@example",
        "a b@carrier.example",
        "*.carrier.example",
        "<noc@carrier.example>",
    ] {
        assert!(Listed::new(unsound).is_none(), "{unsound}");
    }
}
