//! Any bytes: no panic, and no more memory than the mail's size allows. The inputs of the first tests take a naive
//! parser minutes, or the stack.
//!
//! `PROPTEST_CASES=1000000 cargo test -p carriers --test all mail_hostile` looks for longer.

use mail::{Defect, LARGEST_TEXT, Mail};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::support;

/// Decodes and checks what holds for every mail.
fn decode(bytes: &[u8]) -> Mail {
    let mail = Mail::decode(bytes);
    assert!(!mail.layers().is_empty());
    assert!(mail.layers().len() <= 64, "{} layers", mail.layers().len());
    let text: usize = [&mail.texts, &mail.pages, &mail.calendars].into_iter().flatten().map(String::len).sum();
    // A byte of an old charset takes up to three in UTF-8.
    assert!(text <= 3 * bytes.len().min(4 * LARGEST_TEXT), "{text} bytes of text from {}", bytes.len());
    let attached: usize = mail.attachments.iter().map(|attachment| attachment.bytes.len()).sum();
    assert!(attached <= bytes.len(), "{attached} bytes attached from {}", bytes.len());
    let headers: usize =
        mail.layers().iter().flat_map(|layer| &layer.headers).map(|(name, value)| name.len() + value.len()).sum();
    assert!(headers <= 16 * bytes.len(), "{headers} bytes of headers from {}", bytes.len());
    assert!(!mail.identity().to_string().is_empty());
    for layer in mail.layers() {
        assert!(layer.subject.ends_with(layer.bare_subject()) || layer.subject.contains(layer.bare_subject()));
    }
    mail
}

#[test]
fn messages_without_end_inside_each_other() {
    assert_eq!(decode("Content-Type: message/rfc822\n\n".repeat(30_000).as_bytes()).defects, [Defect::TooDeep]);
    let levels = (0..20_000).map(|level| format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"));
    let nested: Vec<_> = levels.collect();
    assert!(decode(nested.concat().as_bytes()).defects.contains(&Defect::TooDeep));
}

#[test]
fn parts_without_number() {
    let parts = format!("Content-Type: multipart/mixed; boundary=a\n\n{}", "--a\n\nx\n".repeat(100_000));
    assert!(decode(parts.as_bytes()).defects.contains(&Defect::TooMany(1000)));
    let absent = "--a\nContent-Type: multipart/mixed; boundary=absent\n\nx\n".repeat(20_000);
    decode(format!("Content-Type: multipart/mixed; boundary=a\n\n{absent}").as_bytes());
}

#[test]
fn headers_without_end() {
    decode("A: b\n".repeat(200_000).as_bytes());
    decode(format!("Subject: {}\n\nx", "=?aa?q?x".repeat(120_000)).as_bytes());
    decode(format!("From: {}\n\nx", "a@b,".repeat(250_000)).as_bytes());
    decode(format!("From: {}\n\nx", "(".repeat(1_000_000)).as_bytes());
    decode(format!("Subject: {}\n\nx", "Fwd: ".repeat(200_000)).as_bytes());
    decode(format!("Content-Type: text/plain; {}\n\nx", "name*0=\"=?aa?q?x;".repeat(50_000)).as_bytes());
    let many = "--a\nContent-Type: text/plain; name=\"=?aa?q?x=?aa?q?x=?aa?q?x=?aa?q?x=?aa?q?x\"\n\nx\n".repeat(10_000);
    decode(format!("Content-Type: multipart/mixed; boundary=a\n\n{many}").as_bytes());
}

#[test]
fn bodies_that_never_close_anything() {
    for unit in [
        "<",
        "<style>",
        "</",
        "<!--",
        "From: a@b.c\nSubject: x\n",
        "---------- Forwarded message ---------\n",
        ">",
        "&lt;",
        "=",
        "=\n",
    ] {
        let body = unit.repeat(200_000 / unit.len());
        for kind in ["text/plain", "text/html\nContent-Transfer-Encoding: quoted-printable"] {
            decode(format!("Subject: Fwd: x\nContent-Type: {kind}\n\n{body}").as_bytes());
            decode(format!("Subject: Fwd: x\nContent-Type: {kind}\n\nSubject: {body}").as_bytes());
        }
    }
}

/// Pieces that mean something to a mail parser, to be put together at random.
const PIECES: [&str; 40] = [
    "\n",
    "\r\n",
    " ",
    "\t",
    "--b",
    "--b--",
    "--c",
    "Content-Type: ",
    "multipart/mixed; boundary=b",
    "multipart/related; boundary=\"c\"",
    "multipart/digest; boundary=b",
    "text/plain",
    "text/html; charset=utf-16",
    "message/rfc822",
    "text/calendar",
    "application/octet-stream; name=a.eml",
    "Content-Transfer-Encoding: ",
    "base64",
    "quoted-printable",
    "From: ",
    "a@carrier.example",
    "\"Name\" <a@b.example>",
    "Date: ",
    "Tue, 2 Nov 2021 14:30:00 +0100",
    "Subject: ",
    "Fwd: ",
    "=?utf-8?Q?=C3",
    "?=",
    "=?utf-8?b?w6k=?=",
    "=C3=A9",
    "=",
    "V2FydHVuZw==",
    "<div>",
    "</div",
    "&lt;",
    "---------- Forwarded message ---------",
    "> ",
    "BEGIN:VCALENDAR",
    "é",
    "\u{feff}",
];

/// Returns a change to a mail: where, how much is taken away, and what is put there.
fn changes() -> impl Strategy<Value = Vec<(Index, usize, Vec<u8>)>> {
    let piece = (0..PIECES.len()).prop_map(|at| PIECES[at].as_bytes().to_vec());
    let put = prop_oneof![piece, vec(any::<u8>(), 0..8)];
    vec((any::<Index>(), 0..40_usize, put), 0..8)
}

/// Returns the mails that we wrote.
fn own_mails() -> Vec<Vec<u8>> {
    support::own_mails().into_iter().map(|mail| mail.bytes).chain([SAMPLE.into()]).collect()
}

/// A mail with a bit of everything.
const SAMPLE: &str = "From: =?utf-8?Q?Caf=C3=A9?= <desk@example.net>\nX-Original-From: ada@example.com\nSubject: [maint] Fwd: work\n\
    Date: Tue, 2 Nov 2021 14:30:00 +0100\nContent-Type: multipart/mixed; boundary=\"b\"\n\n--b\nContent-Type: text/plain\n\n\
    ---------- Forwarded message ---------\nFrom: NOC <noc@carrier.example>\nSubject: work\n\ntext\n--b\nContent-Type: message/rfc822\n\n\
    From: x@y.example\nContent-Type: multipart/alternative; boundary=c\n\n--c\nContent-Type: text/html; charset=iso-8859-1\n\
    Content-Transfer-Encoding: quoted-printable\n\n<div>caf=E9</div>\n--c--\n--b\nContent-Type: application/octet-stream; name=a.ics\n\
    Content-Transfer-Encoding: base64\n\nQkVHSU46VkNBTEVOREFS\n--b--\n";

proptest! {
    #[test]
    fn any_bytes_are_a_mail(bytes in vec(any::<u8>(), 0..2000)) {
        decode(&bytes);
    }

    #[test]
    fn any_pieces_are_a_mail(pieces in vec(0..PIECES.len(), 0..120)) {
        let text: String = pieces.into_iter().map(|at| PIECES[at]).collect();
        decode(text.as_bytes());
    }

    #[test]
    fn a_changed_mail_is_a_mail(mail in any::<Index>(), changes in changes(), length in any::<Index>(), cut in any::<bool>()) {
        let mails = own_mails();
        let mut bytes = mails[mail.index(mails.len())].clone();
        for (at, taken, put) in changes {
            let at = at.index(bytes.len() + 1);
            let end = (at + taken).min(bytes.len());
            bytes.splice(at..end, put);
        }
        if cut {
            bytes.truncate(length.index(bytes.len() + 1));
        }
        decode(&bytes);
    }
}
