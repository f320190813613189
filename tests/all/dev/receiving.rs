//! Tests SMTP and the receipt rules of `provision dev`.

use super::session::{Run, mail};

#[test]
fn a_mail_by_smtp_is_accepted_when_it_is_stored() {
    let mut live = Run::new().live(&[]);
    let answers = live.smtp(&[
        b"EHLO mx.carrier.example\r\n",
        b"MAIL FROM:<bounce@carrier.example> SIZE=300 BODY=8BITMIME\r\n",
        b"RCPT TO:<other@example.com>\r\n",
        b"RCPT TO:<noc+carrier@EXAMPLE.com>\r\n",
        b"DATA\r\n",
        b"Subject: report delivered\r\n\r\n..\r\n\xe9.\r\n.\r\n",
        b"QUIT\r\n",
    ]);
    let expected = [
        "220 provision dev, ESMTP",
        "250 ENHANCEDSTATUSCODES",
        "250 2.1.0 OK",
        "550 5.1.1 No receipt rule takes mail for this recipient",
        "250 2.1.5 OK",
        "354 End with <CR><LF>.<CR><LF>",
        "250 2.0.0 OK ",
        "221 2.0.0 Bye",
    ];
    for (answer, expected) in answers.iter().zip(expected) {
        assert!(answer.starts_with(expected), "{answers:#?}");
    }
    let id = answers[6].rsplit(' ').next().unwrap().to_owned();
    live.until(|line| line.starts_with("#1 delivered  provider carrier"));
    live.until(|line| line.starts_with("#1 done"));
    let run = live.interrupt();
    assert_eq!(run.code, 130, "{run}");
    assert!(run.output.contains("1 mail: 1 delivered"), "{run}");
    let stored =
        std::fs::read(run.folder.path().join("state/buckets/standin-mail-123456789012-eu-west-1/inbound").join(id))
            .unwrap();
    assert!(stored.starts_with(b"Return-Path: <bounce@carrier.example>\r\nReceived: from mx.carrier.example"));
    assert!(stored.ends_with(b"\r\nSubject: report delivered\r\n\r\n.\r\n\xe9.\r\n"));
}

#[test]
fn a_session_that_breaks_the_rules_is_told_so_and_goes_on() {
    let live = Run::new().live(&[]);
    let says: [(&[u8], &str); 12] = [
        (b"MAIL FROM:<a@carrier.example>\r\n", "503"),
        (b"HELLO\r\n", "500"),
        (b"HELO mx\r\n", "250"),
        (b"RCPT TO:<noc@example.com>\r\n", "503"),
        (b"MAIL FROM:<a@carrier.example> SIZE=50000000\r\n", "552"),
        (b"MAIL FROM:<a@carrier.example>\r\n", "250"),
        (b"DATA\r\n", "503"),
        (b"RCPT TO:<noc@example.com>\r\n", "250"),
        (b"RSET\r\n", "250"),
        (b"DATA\r\n", "503"),
        (b"\xff\xfe\x00\r\n", "500"),
        (b"QUIT\r\n", "221"),
    ];
    let words: Vec<&[u8]> = says.iter().map(|(words, _)| *words).collect();
    let answers = live.smtp(&words);
    for (answer, (words, code)) in answers.iter().skip(1).zip(says) {
        assert!(answer.starts_with(code), "{:?} was answered with {answer}", String::from_utf8_lossy(words));
    }
}

#[test]
fn a_client_without_line_ends_is_let_go() {
    let live = Run::new().live(&[]);
    let long = vec![b'x'; 50_000];
    assert_eq!(live.smtp(&[&long])[1], "500 5.5.2 The line is too long");
}

#[test]
fn a_mail_over_forty_megabytes_is_refused_and_an_empty_one_is_not() {
    let live = Run::new().live(&[]);
    let large = [vec![b'x'; 41 * 1024 * 1024], b"\r\n.\r\n".to_vec()].concat();
    let hello: [&[u8]; 3] = [b"MAIL FROM:<a@carrier.example>\r\n", b"RCPT TO:<noc@example.com>\r\n", b"DATA\r\n"];
    let says = [&[&b"EHLO mx\r\n"[..]][..], &hello[..], &[&large[..]][..], &hello[..], &[&b".\r\n"[..]][..]].concat();
    let answers = live.smtp(&says);
    assert!(answers[5].starts_with("552"), "{answers:?}");
    assert!(answers[9].starts_with("250 2.0.0 OK"), "{answers:?}");
}

#[test]
fn rules_run_in_order_and_stop_when_told() {
    let rules = "
  - name: other
    recipients: [.example.com]
    actions: [{store: mail, prefix: never/}]
  - name: copy
    recipients: [example.com]
    scan: false
    actions: [{store: mail, prefix: copy/}]
  - name: reader
    recipients: [noc@example.com]
    actions: [{store: mail, prefix: inbound/}, {invoke: reader, invocation: RequestResponse}, stop]
  - name: never
    actions: [{store: mail, prefix: never/}]
";
    let run = Run::new()
        .declared(
            "
  - name: reader
    recipients: [noc@example.com]
    actions: [{store: mail, prefix: inbound/}, {invoke: reader}]
",
            rules,
        )
        .mail("a.eml", mail("hello"))
        .once(&["--verdict", "spam=GRAY"]);
    assert_eq!(run.code, 0, "{run}");
    let copies = run.files("buckets/standin-mail-123456789012-eu-west-1/copy");
    let inbound = run.files("buckets/standin-mail-123456789012-eu-west-1/inbound");
    assert_eq!(
        (copies.len(), inbound.len(), run.files("buckets/standin-mail-123456789012-eu-west-1/never").len()),
        (1, 1, 0),
        "{run}"
    );
    let verdict = |file: &std::path::PathBuf| {
        let text = String::from_utf8(std::fs::read(file).unwrap()).unwrap();
        text.lines().find(|line| line.starts_with("X-SES-Spam-Verdict")).unwrap().to_owned()
    };
    assert_eq!(verdict(&copies[0]), "X-SES-Spam-Verdict: DISABLED");
    assert_eq!(verdict(&inbound[0]), "X-SES-Spam-Verdict: GRAY");
}

#[test]
fn a_function_that_is_waited_for_can_end_the_rules() {
    let run = |disposition: &str| {
        Run::new()
            .declared(
                "{invoke: reader}]\n",
                "{invoke: reader, invocation: RequestResponse}, {store: mail, prefix: same/}]\n  \
                 - {name: next, actions: [{store: mail, prefix: next/}]}\n",
            )
            .mail("a.eml", mail(disposition))
            .once(&[])
    };
    for (subject, same, next) in
        [("stop STOP_RULE", 0, 1), ("stop STOP_RULE_SET", 0, 0), ("stop CONTINUE", 1, 1), ("error", 1, 1)]
    {
        let run = run(subject);
        let stored = |prefix: &str| run.files(&format!("buckets/standin-mail-123456789012-eu-west-1/{prefix}")).len();
        assert_eq!((stored("same"), stored("next")), (same, next), "{subject}\n{run}");
        assert_eq!(run.code, i32::from(subject == "error"), "{run}");
    }
}

#[test]
fn a_mail_that_no_rule_takes_is_said_with_exit_code_1() {
    let run = Run::new().mail("a.eml", mail("hello")).once(&["--to", "nobody@elsewhere.example"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.output.contains("refused    nobody@elsewhere.example: no receipt rule takes it"), "{run}");
    assert!(run.output.contains("1 mail: 1 not taken"), "{run}");
}
