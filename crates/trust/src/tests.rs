//! One table per question: who has standing, what proves it, and which signs speak against any
//! mail.

mod automatic;

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
    Policy {
        trusted_senders: Grants::read(Purpose::Carriers, "small-carrier.example=small,noc@tiny.example=*"),
        forwarders: Grants::read(Purpose::Forwarders, "Desk@Customer.example=*,lists.customer.example=*"),
        dmarc_failure: DmarcFailure::Decides,
    }
}

/// Returns a mail as SES stores it: its own headers with these results, then those of the sender.
fn stored(results: &str, headers: &str) -> String {
    format!(
        "Return-Path: <bounce@carrier.example>\r\n\
         Received: from mx.carrier.example (mx.carrier.example [192.0.2.7])\r\n by inbound-smtp.eu-west-1.amazonaws.com \
         with SMTP id {ID}\r\n for noc@customer.example;\r\n Mon, 02 Mar 2026 08:00:01 +0000 (UTC)\r\n\
         X-SES-Spam-Verdict: PASS\r\n\
         Received-SPF: pass (spfCheck: domain of carrier.example) client-ip=192.0.2.7; helo=mx.carrier.example;\r\n\
         Authentication-Results: {results}\r\n\
         X-SES-RECEIPT: AEFB\r\n\
         {headers}Subject: Planned works\r\n\r\ntext\r\n"
    )
}

/// Returns a stored mail of that sender, whose domain passed DMARC.
fn from(sender: &str) -> String {
    let domain = sender.trim_end_matches('>').rsplit('@').next().unwrap_or_default();
    stored(
        &format!("amazonses.com; spf=pass; dkim=none; dmarc=pass header.from={domain}"),
        &format!("From: {sender}\r\n"),
    )
}

/// Judges a stored mail whose event names its author.
fn judged(policy: &Policy, verdicts: Verdicts, object: &str, recognised: &Recognised) -> Result<Trust, Doubt> {
    judged_as(policy, verdicts, object, recognised, ID)
}

fn judged_as(
    policy: &Policy,
    verdicts: Verdicts,
    object: &str,
    recognised: &Recognised,
    id: &str,
) -> Result<Trust, Doubt> {
    let mail = Mail::decode(object.as_bytes());
    let author = mail.outer().sender.as_ref().map(|sender| sender.address.clone());
    let mut received = contract::receipt_event::Received::default();
    received.mail.message_id = Some(id.to_owned());
    received.mail.common_headers.from = author.into_iter().collect();
    let evidence = Evidence::read(object.as_bytes(), &received, &[]);
    judge(policy, &verdicts, &evidence, &mail, recognised, Say::Change(&[]))
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
        // `TRUSTED_SENDERS` speak for their own calendars alone.
        ("noc@small-carrier.example", by_calendar(), Ok((TrustedSender, "small-carrier.example"))),
        ("noc@team.small-carrier.example", by_calendar(), Ok((TrustedSender, "small-carrier.example"))),
        ("noc@small-carrier.example", by_content(), Err("FORWARDERS")),
        ("NOC@tiny.example", by_calendar(), Ok((TrustedSender, "tiny.example"))),
        ("sales@tiny.example", by_calendar(), Err("TRUSTED_SENDERS")),
        ("noc@unknown.example", by_calendar(), Err("TRUSTED_SENDERS")),
        // `FORWARDERS` pass anything on.
        ("desk@customer.example", by_content(), Ok((Forwarder, "customer.example"))),
        ("desk@customer.example", by_calendar(), Ok((Forwarder, "customer.example"))),
        ("other@customer.example", by_content(), Err("FORWARDERS")),
        ("maint@lists.customer.example", by_content(), Ok((Forwarder, "lists.customer.example"))),
    ];
    for (sender, recognised, expected) in table {
        let judged = judged(&policy(), PASS, &from(sender), &recognised);
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
fn without_one_author_there_is_no_evidence() {
    for headers in [
        "",
        "From: \r\n",
        "From: Carrier NOC\r\n",
        "From: <noc@carrier.example>\r\nFrom: <x@evil.example>\r\n",
        "From: <noc@carrier.example>\r\nFrom: <noc@carrier.example>\r\n",
    ] {
        let object = stored(
            "amazonses.com; dkim=pass header.i=@carrier.example; dmarc=pass header.from=carrier.example",
            headers,
        );
        let doubt = judged(&policy(), PASS, &object, &by_sender());
        assert!(matches!(doubt, Err(Doubt::NoEvidence(_))), "{headers:?}: {doubt:?}");
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
    let object = from("noc@carrier.example");
    for (verdicts, expected) in table {
        assert_eq!(of_verdicts(&policy(), &verdicts).err(), expected, "{verdicts:?}");
        assert_eq!(judged(&policy(), verdicts, &object, &by_sender()).err(), expected, "{verdicts:?}");
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
        let results = format!("{}; dmarc=none header.from=carrier.example;", results.trim_end_matches("; dmarc=none"));
        let object = stored(&results, "From: noc@carrier.example\r\n");
        let verdicts = Verdicts { dkim, dmarc, ..PASS };
        match (judged(&policy(), verdicts, &object, &by_sender()), expected) {
            (Ok(Trust { proof: Proof::Dkim(signer), .. }), Some(expected)) => assert_eq!(signer.as_str(), expected),
            (Err(Doubt::Unproven { .. } | Doubt::NoEvidence(_)), None) => {}
            (judged, expected) => panic!("{results}: expected {expected:?}, was {judged:?}"),
        }
    }
}

#[test]
fn a_failed_dmarc_check_can_be_told_to_prove_nothing() {
    let lenient = Policy { dmarc_failure: DmarcFailure::ProvesNothing, ..policy() };
    let verdicts = Verdicts { dmarc: Verdict::Fail, ..PASS };
    let results = "amazonses.com; dkim=pass header.i=@carrier.example; dmarc=fail header.from=carrier.example";
    let signed = stored(results, "From: noc@carrier.example\r\n");
    assert!(matches!(judged(&lenient, verdicts, &signed, &by_sender()), Ok(Trust { proof: Proof::Dkim(_), .. })));
    let unsigned = from("noc@carrier.example");
    assert!(matches!(judged(&lenient, verdicts, &unsigned, &by_sender()), Err(Doubt::Unproven { .. })));
}

#[test]
fn headers_that_the_sender_wrote_prove_nothing() {
    const RESULTS: &str = "Authentication-Results: amazonses.com; dkim=pass header.i=@carrier.example; dmarc=none header.from=carrier.example\r\nX-SES-RECEIPT: AEFB\r\n";
    let received = |id: &str, said: &str| {
        format!(
            "Return-Path: <bounce@carrier.example>\r\nReceived: from {said} by inbound-smtp.eu-west-1.amazonaws.com with SMTP id {id} for noc@customer.example\r\n"
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
        let object = format!("{headers}From: noc@carrier.example\r\nSubject: Works\r\n\r\ntext\r\n");
        let verdicts = Verdicts { dmarc: Verdict::Gray, ..PASS };
        let judge = |id| judged_as(&policy(), verdicts, &object, &by_sender(), id);
        assert_eq!(judge(ID).is_ok(), proves, "{what}");
        assert!(judge("").is_err(), "{what}, without a message id");
    }
}

#[test]
fn a_verdict_that_ses_itself_contradicts_is_none() {
    for results in ["dmarc=fail", "dmarc=none"] {
        let results =
            format!("amazonses.com; dkim=pass header.i=@carrier.example; {results} header.from=carrier.example");
        let object = stored(&results, "From: noc@carrier.example\r\n");
        assert!(matches!(judged(&policy(), PASS, &object, &by_sender()), Err(Doubt::Unproven { .. })), "{results}");
    }
}

/// A calendar speaks for a provider only if its sender's entry and the calendar both name it.
#[test]
fn a_trusted_sender_speaks_for_its_provider_alone() {
    let policy = Policy {
        trusted_senders: Grants::read(
            Purpose::Carriers,
            "one.example=one,two.example=first,two.example=second,all.example=*,bare.example,zayo-desk.example=zayo",
        ),
        ..Policy::default()
    };
    let generic = Recognised { provider: &carriers::providers::genericprovider::PROVIDER, by: Recognition::Calendar };
    let scope = |sender: &str, announced: &[&str]| {
        let mail = Mail::decode(from(&format!("noc@{sender}")).as_bytes());
        let evidence = Evidence::supposed(&mail);
        judge(&policy, &PASS, &evidence, &mail, &generic, Say::Change(announced)).map(|trust| trust.scope)
    };
    let provider = |name: &str| Ok(Scope::Provider(name.to_owned()));
    assert_eq!(scope("one.example", &["One Fibre"]), provider("one"));
    assert_eq!(scope("one.example", &[]), provider("one"));
    assert_eq!(scope("two.example", &["Second"]), provider("second"));
    assert!(matches!(scope("two.example", &["other"]), Err(Doubt::NoStanding { .. })), "which of the two?");
    assert_eq!(scope("all.example", &["zayo"]), Ok(Scope::All));
    assert_eq!(scope("zayo-desk.example", &["Zayo"]), provider("zayo"));
    assert!(matches!(scope("zayo-desk.example", &["Zayo", "Colt"]), Err(Doubt::OtherProvider(_))));
    let doubt = scope("bare.example", &["Bare"]).unwrap_err().to_string();
    assert!(
        doubt.contains("`bare.example`, which does not say for which provider: write `bare.example=PROVIDER`"),
        "{doubt}"
    );
    for provider in carriers::providers::ALL.iter().filter(|provider| !provider.domains.is_empty()) {
        for announced in [provider.slug, provider.name, provider.domains[0], &provider.slug.to_uppercase()] {
            assert!(matches!(scope("one.example", &[announced]), Err(Doubt::OtherProvider(_))), "{announced}");
        }
    }
}

/// Another address at a shared domain is not the carrier.
#[test]
fn other_mailboxes_of_a_shared_domain_are_no_carrier() {
    use carriers::providers::{apple, aws, google, netflix, turkcell};
    let table = [
        (&google::PROVIDER, "noc-noreply@google.com", "somebody@google.com"),
        (&aws::PROVIDER, "no-reply-aws@amazon.com", "seller@marketplace.amazon.com"),
        (&apple::PROVIDER, "peering-noc@group.apple.com", "somebody@apple.com"),
        (&netflix::PROVIDER, "cdnetops@saasmail.netflix.com", "somebody@netflix.com"),
        (&turkcell::PROVIDER, "inoc@superonline.net", "customer@superonline.net"),
    ];
    for (provider, desk, other) in table {
        for (sender, is_desk) in [(desk, true), (other, false)] {
            let mail = Mail::decode(from(sender).as_bytes());
            let domain = Domain::new(sender.split_once('@').unwrap().1).unwrap();
            let recognised = Recognised { provider, by: Recognition::Sender(domain) };
            let judged = |say| judge(&policy(), &PASS, &Evidence::supposed(&mail), &mail, &recognised, say);
            assert_eq!(judged(Say::Change(&[])).is_ok(), is_desk, "{sender}");
            assert!(judged(Say::Nothing).is_ok(), "{sender}: of the carrier's domain, and no notice");
        }
    }
}
