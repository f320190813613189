//! Tests mails that try to exhaust the function: every shape near a megabyte, from carriers that are read to the end, each in a process
//! with a memory limit.
//!
//! A shape draws its details from a seed, which a failure names. `PROVISION_EFFORT=whole` tries many seeds; `SHAPE=words` tries the
//! shapes whose names contain these words.

mod amplified;
mod calendars;
mod mime;
mod pages;
mod texts;

use std::fmt::Write as _;

use fastrand::Rng;

use crate::{
    limits::{MEGABYTE, handle},
    workbooks::base64,
};

/// Room that a mail's own headers take of the megabyte, in bytes.
const HEADERS: usize = 4 * 1024;

/// Makes a shape of about a size in bytes: its fields of MIME, an empty line, and a body.
type Make = fn(&mut Rng, usize) -> String;

/// A kind of attack, by its name.
type Shape = (&'static str, Make);

/// The ways in which a body is sent.
#[derive(Debug, Clone, Copy)]
enum Sent {
    Plain,
    Base64,
    QuotedPrintable,
    /// Beside a short text.
    InParts,
    /// In an attached message.
    Attached,
    /// As a file that is attached.
    File,
}

const SENT: [Sent; 6] = [Sent::Plain, Sent::Base64, Sent::QuotedPrintable, Sent::InParts, Sent::Attached, Sent::File];

/// Repeats a text up to a size.
fn fill(text: &str, size: usize) -> String {
    text.repeat((size / text.len()).max(1))
}

/// Joins pieces that are made one after the other, up to a size.
fn pieces(size: usize, mut make: impl FnMut(usize) -> String) -> String {
    let mut text = String::with_capacity(size);
    for number in 0.. {
        let piece = make(number);
        if text.len() + piece.len() > size {
            break;
        }
        text.push_str(&piece);
    }
    text
}

/// Joins that many pieces.
fn numbered(count: usize, make: impl FnMut(usize) -> String) -> String {
    (0..count).map(make).collect()
}

/// Returns one of several, drawn.
fn one_of<'choice>(rng: &mut Rng, choices: &[&'choice str]) -> &'choice str {
    choices[rng.usize(..choices.len())]
}

fn html(body: &str) -> String {
    format!("Content-Type: text/html; charset=utf-8\r\n\r\n{body}")
}

fn plain(body: &str) -> String {
    format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{body}")
}

/// Returns an entity with its body in an encoding; its size grows accordingly.
fn encoded(entity: &str, encoding: &str, encode: impl Fn(&[u8]) -> String) -> String {
    let (fields, body) = entity.split_once("\r\n\r\n").unwrap();
    format!("{fields}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{}", encode(body.as_bytes()))
}

fn quoted_printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'=' | 0x80.. => write!(text, "={byte:02X}").unwrap(),
            byte => text.push(char::from(*byte)),
        }
        text.push_str(if index % 72 == 71 { "=\r\n" } else { "" });
    }
    text
}

/// Returns the entity as it is sent.
fn sent(make: Make, how: Sent, rng: &mut Rng, size: usize) -> String {
    const MIXED: &str = "Content-Type: multipart/mixed; boundary=\"=_outer\"\r\n\r\n--=_outer\r\n";
    match how {
        Sent::Plain => make(rng, size),
        Sent::Base64 => encoded(&make(rng, size / 4 * 3 - size / 32), "base64", base64),
        Sent::QuotedPrintable => {
            let whole = encoded(&make(rng, size / 2), "quoted-printable", quoted_printable);
            if whole.len() > size + HEADERS / 2 { make(rng, size) } else { whole }
        }
        Sent::InParts => {
            let inner = make(rng, size);
            format!("{MIXED}Content-Type: text/plain\r\n\r\nSee below.\r\n--=_outer\r\n{inner}\r\n--=_outer--\r\n")
        }
        Sent::Attached => {
            let inner = make(rng, size);
            format!(
                "{MIXED}Content-Type: message/rfc822\r\n\r\nFrom: a@b.example\r\nSubject: Works\r\n{inner}\r\n--=_outer--\r\n"
            )
        }
        Sent::File => {
            let inner = make(rng, size);
            let name = one_of(rng, &["a.html", "a.txt", "a.ics", "a.csv", "winmail.dat", "a.eml", "a.xlsx"]);
            format!("{MIXED}Content-Disposition: attachment; filename=\"{name}\"\r\n{inner}\r\n--=_outer--\r\n")
        }
    }
}

/// Returns the address of some carrier from which notices come.
fn sender(rng: &mut Rng) -> String {
    const DESKS: [&str; 6] = [
        "no-reply-aws@amazon.com",
        "peering-noc@group.apple.com",
        "noc-noreply@google.com",
        "cdnetops@netflix.com",
        "inoc@superonline.net",
        "g31654@att.com",
    ];
    let carriers: Vec<_> = carriers::providers::ALL.iter().filter(|provider| !provider.domains.is_empty()).collect();
    match rng.usize(..carriers.len() + DESKS.len()) {
        desk if desk < DESKS.len() => DESKS[desk].to_owned(),
        carrier => format!("noc@{}", carriers[carrier - DESKS.len()].domains[0]),
    }
}

/// Returns a carrier's mail with that entity: a notice, by its subject.
fn mail(rng: &mut Rng, from: &str, entity: &str) -> Vec<u8> {
    let subject = one_of(
        rng,
        &[
            "Planned Maintenance Notification",
            "Planned work CHG-1 is scheduled",
            "Cancelled: maintenance",
            "Fwd: Emergency",
        ],
    );
    format!(
        "From: {from}\r\nTo: noc@example.net\r\nSubject: {subject}\r\nDate: Tue, 5 Jan 2027 10:15:28 +0000\r\n\
         Message-ID: <1@carrier.example>\r\nMIME-Version: 1.0\r\n{entity}"
    )
    .into_bytes()
}

/// Tries a mail; returns what is wrong.
fn tried(what: &str, from: &str, mail: &[u8]) -> Option<String> {
    assert!(mail.len() as u64 <= MEGABYTE, "{what}: {} bytes", mail.len());
    match handle(mail, from) {
        Ok(taken) => {
            println!("{taken}  {what} from {from}");
            taken.excess().map(|excess| format!("{what} from {from}: {excess}"))
        }
        Err(failure) => Some(format!("{what} from {from}: {failure}")),
    }
}

fn is_asked_for(name: &str) -> bool {
    std::env::var("SHAPE").map_or(true, |asked| name.contains(&asked))
}

/// Returns the number of seeds that are tried of each shape.
fn seeds() -> u64 {
    match std::env::var("PROVISION_EFFORT").as_deref() {
        Ok("whole") => 40,
        Ok("ci") => 2,
        _ => 1,
    }
}

fn shapes() -> impl Iterator<Item = &'static Shape> {
    [mime::SHAPES, mime::HEADS, pages::SHAPES, texts::SHAPES, calendars::SHAPES].into_iter().flatten()
}

#[test]
fn no_shape_takes_more_than_a_mail_may() {
    let mut wrong = Vec::new();
    for (name, make) in shapes().filter(|(name, _)| is_asked_for(name)) {
        for seed in 0..seeds() {
            let mut rng = Rng::with_seed(seed);
            let from = sender(&mut rng);
            // The first as it is, the others in some encoding or part.
            let how = if seed == 0 { Sent::Plain } else { SENT[rng.usize(..SENT.len())] };
            let most = usize::try_from(MEGABYTE).unwrap() - HEADERS;
            let size = if seed == 0 { most } else { most - rng.usize(..most / 8) };
            let entity = sent(*make, how, &mut rng, size);
            let mail = mail(&mut rng, &from, &entity);
            wrong.extend(tried(&format!("{name}, seed {seed}, {how:?}"), &from, &mail));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_notice_that_is_made_longer_takes_more_than_a_mail_may() {
    let mut wrong = Vec::new();
    for seed in 0..seeds() {
        let mut rng = Rng::with_seed(seed);
        for (name, from, mail) in amplified::mails(&mut rng, seeds() > 2) {
            if is_asked_for(&name) {
                wrong.extend(tried(&format!("{name}, seed {seed}"), &from, &mail));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
