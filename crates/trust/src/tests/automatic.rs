//! Bounces, automatic answers and mails within mails speak for nobody.

use replaced::Replaced as _;

use super::*;

/// Returns a carrier's mail with these additional headers, and a body.
fn carriers(headers: &str) -> String {
    let results =
        "amazonses.com; spf=pass; dkim=pass header.i=@carrier.example; dmarc=pass header.from=carrier.example";
    stored(results, &format!("From: noc@carrier.example\r\n{headers}"))
}

/// Returns whether a carrier's mail is taken for one that was written as a notice.
fn written(object: &str) -> bool {
    match judged(&policy(), PASS, object, &by_sender()) {
        Ok(_) => true,
        Err(Doubt::NotWritten(_)) => false,
        Err(doubt) => panic!("{doubt}: {object}"),
    }
}

#[test]
fn bounces_and_automatic_replies_speak_for_no_carrier() {
    for own in [
        "",
        "Auto-Submitted: auto-generated\r\n",
        "Auto-Submitted: no\r\n",
        "X-Auto-Response-Suppress: DR, OOF, AutoReply\r\n",
        "Precedence: bulk\r\n",
        "Precedence: list\r\nList-Id: <maint-notices.customer.example>\r\n",
        "List-Unsubscribe: <mailto:out@carrier.example>\r\n",
        "References: <earlier@carrier.example>\r\n",
    ] {
        assert!(written(&carriers(own)), "{own}");
    }
    for others in [
        "Auto-Submitted: auto-replied\r\n",
        "auto-submitted : Auto-Replied (vacation)\r\n",
        "Auto-Submitted: auto-notified; owner-email=\"x@carrier.example\"\r\n",
        "Auto-Submitted: yes\r\n",
        "Auto-Submitted: no\r\nAuto-Submitted: auto-replied\r\n",
        "Auto-Submitted: auto-generated\r\nIn-Reply-To: <x@attacker.example>\r\n",
        "Auto-Submitted: auto-generated\r\nReferences: <x@attacker.example>\r\n",
        "Auto-Submitted: auto-generated\r\nContent-Type: multipart/report; boundary=b\r\n",
        "X-Autoreply: yes\r\n",
        "X-Auto-Reply-From: noc@carrier.example\r\n",
        "X-Autorespond: x\r\n",
        "X-Autoresponder: x\r\n",
        "X-Mail-Autoreply: x\r\n",
        "Precedence: auto_reply\r\n",
        "Precedence: Auto-Reply\r\n",
        "X-Precedence: auto_reply\r\n",
        "X-POST-MessageClass: 9; Autoresponder\r\n",
        "X-MS-Exchange-Inbox-Rules-Loop: noc@carrier.example\r\n",
        "X-Failed-Recipients: nobody@carrier.example\r\n",
        "In-Reply-To: <x@attacker.example>\r\n",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n",
        "Content-Type: MULTIPART/REPORT\r\n",
        "Content-Type: message/delivery-status\r\n",
        "Content-Type: message/disposition-notification\r\n",
        "Content-Type: message/rfc822\r\n",
        "Content-Type: message/partial; id=x\r\n",
        "Content-Type: text/rfc822-headers\r\n",
        "X-Original-From: x@attacker.example\r\n",
        "List-Id: Announcements <announce.lists.carrier.example>\r\n",
        "X-BeenThere: announce@carrier.example\r\n",
        "X-Loop: announce@lists.carrier.example\r\n",
        "Auto-Submitted: ( no ) auto-replied\r\n",
        "Auto-Submitted: (a (no) b)\r\n\tauto-replied (no)\r\n",
        "Auto-Submitted: \"no\"\r\n",
        "Auto-Submitted:\r\n AUTO-REPLIED;\r\n x=no\r\n",
        "Auto-Submitted: =?utf-8?q?auto-replied?=\r\n",
        "Auto-Submitted: auto-generated (rejected)\r\nIn-Reply-To:\r\n <x@attacker.example>\r\n",
        "X-Auto-Submitted: auto-replied\r\n",
        "X-Auto_Reply: yes\r\n",
        "x-autoreply : YES\r\n",
        "X-Vacation: yes\r\n",
        "X-Out-Of-Office: 1\r\n",
        "Precedence: junk\r\n",
        "Precedence:\r\n  auto_reply\r\n",
        "X-MS-Exchange-Message-Is-Ndr:\r\n",
        "X-MS-Exchange-Parent-Message-Id: <x@attacker.example>\r\n",
        "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent\r\n",
        "Content-Type: Message / RFC822\r\n",
        "Content-Type: multipart/report;\r\n\tboundary=b;\r\n\treport-type=disposition-notification\r\n",
        "Content-Type: (x) multipart/report; boundary=b\r\n",
    ] {
        assert!(!written(&carriers(others)), "{others}");
    }
    for subject in [
        "Re: Planned works",
        "AW: Planned works",
        "Automatic reply: Planned works",
        "Undeliverable: Planned works",
        "Out of Office",
    ] {
        assert!(
            !written(&carriers("").replaced("Subject: Planned works", &format!("Subject: {subject}"))),
            "{subject}"
        );
    }
}

#[test]
fn bounces_are_known_by_their_return_path_their_author_and_their_words() {
    for path in
        ["<>", "", " <> ", "<MAILER-DAEMON@mx.carrier.example>", "postmaster@carrier.example", "<mailer-daemon>"]
    {
        let object = carriers("").replaced("<bounce@carrier.example>", path);
        assert!(!written(&object), "return path {path:?}");
    }
    let unsaid = carriers("").replaced("Return-Path: <bounce@carrier.example>\r\n", "");
    assert!(!written(&unsaid), "no return path");
    for local in [
        "MAILER-DAEMON",
        "mailer_daemon",
        "Postmaster",
        "MDaemon",
        "mail-daemon",
        "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e",
    ] {
        let object = carriers("").replaced("From: noc@", &format!("From: {local}@"));
        assert!(!written(&object), "{local}");
    }
    for name in ["Somebody via NOC", "\"'Somebody' via NOC\"", "Somebody (via NOC)", "=?utf-8?q?Some_via_NOC?="] {
        let object = carriers("").replaced("From: noc@carrier.example", &format!("From: {name} <noc@carrier.example>"));
        match judged(&policy(), PASS, &object, &by_sender()) {
            Ok(trust) => assert_eq!(name, "Somebody (via NOC)", "a comment is no name: {trust}"),
            Err(doubt) => assert!(matches!(doubt, Doubt::NotWritten(_)), "{name}: {doubt}"),
        }
    }
    for introduction in [
        "Hi. This is the qmail-send program at mx.carrier.example.\r\nI'm afraid I wasn't able to deliver your message to the following addresses.\r\n\r\n--- Below this line is a copy of the message.\r\n",
        "This is the mail system at host mx.carrier.example.\r\n",
        "This message was created automatically by mail\r\ndelivery software.\r\n",
        "Your message\r\n  could not be delivered.\r\n",
        "Delivery has failed to these recipients or groups:\r\n",
    ] {
        let object = carriers("").replaced("\r\n\r\ntext\r\n", &format!("\r\n\r\n{introduction}\r\ntext\r\n"));
        assert!(!written(&object), "{introduction}");
    }
}

/// A report or a message in a multipart mail is somebody else's, in whichever part it is.
#[test]
fn a_report_or_a_message_in_any_part_is_somebody_elses() {
    for part in ["message/rfc822", "message/delivery-status", "text/rfc822-headers", "message/global"] {
        for around in ["multipart/mixed", "multipart/alternative", "multipart/related"] {
            let inner = format!(
                "--i\r\nContent-Type: text/plain\r\n\r\ntext\r\n--i\r\nContent-Type: {part}\r\n\r\nSubject: x\r\n\r\ny\r\n--i--\r\n"
            );
            let body = format!("--o\r\nContent-Type: {around}; boundary=i\r\n\r\n{inner}--o--\r\n");
            let object = carriers("Content-Type: multipart/mixed; boundary=o\r\n");
            let object = object.replaced("\r\n\r\ntext\r\n", &format!("\r\n\r\n{body}"));
            let doubt = judged(&policy(), PASS, &object, &by_sender());
            assert!(matches!(doubt, Err(Doubt::NotWritten(_))), "{part} in {around}: {doubt:?}");
        }
    }
}

#[test]
fn a_forwarder_passes_messages_on_and_no_bounces_or_answers() {
    let results = "amazonses.com; spf=pass; dkim=none; dmarc=pass header.from=lists.customer.example";
    let passed_on = |headers: &str, subject: &str| {
        let object = stored(results, &format!("From: maint@lists.customer.example\r\n{headers}"));
        judged(
            &policy(),
            PASS,
            &object.replaced("Subject: Planned works", &format!("Subject: {subject}")),
            &by_content(),
        )
        .is_ok()
    };
    for (headers, subject, expected) in [
        ("Content-Type: message/rfc822\r\n", "Planned works", true),
        ("Content-Type: message/rfc822\r\n", "Fwd: Planned works", true),
        ("In-Reply-To: <1@carrier.example>\r\nReferences: <1@carrier.example>\r\n", "Fwd: Planned works", true),
        ("Auto-Submitted: auto-generated\r\n", "Planned works", true),
        ("Auto-Submitted: auto-generated\r\nIn-Reply-To: <1@carrier.example>\r\n", "Fwd: Planned works", false),
        ("In-Reply-To: <1@carrier.example>\r\n", "Planned works", false),
        ("", "Re: Planned works", false),
        ("Auto-Submitted: auto-replied\r\n", "Fwd: Planned works", false),
        ("Content-Type: multipart/report; boundary=b\r\n", "Fwd: Planned works", false),
    ] {
        assert_eq!(passed_on(headers, subject), expected, "{headers}{subject}");
    }
    let object = stored(results, "From: maint@lists.customer.example\r\n").replaced("<bounce@carrier.example>", "<>");
    assert!(judged(&policy(), PASS, &object, &by_content()).is_err(), "a null return path");
}
