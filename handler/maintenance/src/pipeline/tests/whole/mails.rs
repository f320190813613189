//! Generates mails of any shape.

use aws_smithy_types::base64;
use proptest::prelude::*;

/// A part of a generated mail.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Text(usize),
    Page,
    Calendar,
    File(Vec<u8>),
    Raw(Vec<u8>),
    Message(Vec<Part>),
}

/// Returns up to four parts, some of which are messages with parts.
pub(super) fn parts() -> impl Strategy<Value = Vec<Part>> {
    let leaf = prop_oneof![
        12 => (0_usize..300).prop_map(Part::Text),
        1 => Just(Part::Text(mail::LARGEST_TEXT + 1)),
        5 => Just(Part::Page),
        3 => Just(Part::Calendar),
        8 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Part::File),
        1 => (1_usize..40).prop_map(|size| Part::File(vec![7; size * 100_000])),
        3 => prop::collection::vec(any::<u8>(), 0..50).prop_map(Part::Raw),
    ];
    let nested = leaf.prop_recursive(3, 8, 3, |inner| prop::collection::vec(inner, 0..3).prop_map(Part::Message));
    prop::collection::vec(nested, 0..4)
}

const CALENDAR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//carrier.example//notices//EN\r\nBEGIN:VEVENT\r\n\
    UID:1@carrier.example\r\nDTSTAMP:20260302T080000Z\r\nDTSTART:20310302T080000Z\r\nDTEND:20310302T090000Z\r\n\
    SUMMARY:Works on a line\r\nSEQUENCE:1\r\nORGANIZER:mailto:noc@carrier.example\r\n\
    X-MAINTNOTE-PROVIDER:carrier.example\r\nX-MAINTNOTE-ACCOUNT:1001\r\nX-MAINTNOTE-MAINTENANCE-ID:CHG-1\r\n\
    X-MAINTNOTE-STATUS:CONFIRMED\r\nX-MAINTNOTE-IMPACT:OUTAGE\r\nX-MAINTNOTE-OBJECT-ID:LINE-1\r\n\
    END:VEVENT\r\nEND:VCALENDAR\r\n";

fn entity(part: &Part, depth: usize) -> Vec<u8> {
    match part {
        Part::Text(size) => {
            format!("Content-Type: text/plain\r\n\r\n{}", "a <b> & c\r\n".repeat(size.div_ceil(11))).into()
        }
        Part::Page => {
            b"Content-Type: text/html\r\n\r\n<html><body><p>Tonight &lt; <b>now</b></p></body></html>".to_vec()
        }
        Part::Calendar => format!("Content-Type: text/calendar\r\n\r\n{CALENDAR}").into(),
        Part::File(bytes) => format!(
            "Content-Type: application/pdf; name=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            base64::encode(bytes)
        )
        .into(),
        Part::Raw(bytes) => [b"Content-Type: application/octet-stream\r\n\r\n", &bytes[..]].concat(),
        Part::Message(parts) => {
            let inner = b"Content-Type: message/rfc822\r\n\r\nFrom: inner@elsewhere.example\r\nSubject: Inner\r\n";
            [inner.to_vec(), mixed(parts, depth + 1)].concat()
        }
    }
}

/// Returns the rest of a message with these parts, from its last header.
pub(super) fn mixed(parts: &[Part], depth: usize) -> Vec<u8> {
    let mut bytes =
        format!("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b{depth}\r\n\r\n").into_bytes();
    for part in parts {
        bytes.extend(format!("--b{depth}\r\n").into_bytes());
        bytes.extend(entity(part, depth));
        bytes.extend(b"\r\n");
    }
    bytes.extend(format!("--b{depth}--\r\n").into_bytes());
    bytes
}
