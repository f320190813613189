//! The same notice in another wrapping is the same notice, and another notice differs in what was changed alone: every
//! mail that we wrote is encoded, wrapped, forwarded and given footers as mail programs and lists do it, and is moved by 28
//! years (when weekdays fall on the same days) or given other ids.

use handler::mail::Mail;
use jiff::Timestamp;
use regex::{Captures, Regex};
use serde_json::Value;

use crate::{
    rewrite::{self, Encoding, Message},
    support::{self, Named},
};

/// The mails whose reading is known: notices, and a carrier's other mails.
fn mails() -> Vec<(Named, Value)> {
    let read = |mail: Named| {
        let reading = support::parse(&mail.bytes);
        matches!(reading["outcome"].as_str(), Some("maintenance" | "ignored")).then_some((mail, reading))
    };
    let mails: Vec<_> = support::own_mails().into_iter().filter_map(read).collect();
    assert!(!mails.is_empty());
    mails
}

/// Reads each mail as `change` makes it, and compares; `None` leaves a mail out. `ignored` keys are not compared.
fn check(change: impl Fn(&Named) -> Option<Vec<u8>>, ignored: &[&str], expected: impl Fn(&Value) -> Value) {
    let (mut ran, mut wrong) = (0, Vec::new());
    for (mail, reading) in mails() {
        let Some(bytes) = change(&mail) else { continue };
        let without = |mut reading: Value| {
            for maintenance in reading["maintenances"].as_array_mut().unwrap() {
                for key in ignored {
                    maintenance.as_object_mut().unwrap().remove(*key);
                }
            }
            reading
        };
        ran += 1;
        let (expected, actual) = (without(expected(&reading)), without(support::parse(&bytes)));
        wrong.extend(support::difference(&mail.name, &expected, &actual));
    }
    println!("{ran} mails changed, {} read otherwise", wrong.len());
    assert!(ran > 0);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn same(reading: &Value) -> Value {
    reading.clone()
}

#[test]
fn any_transfer_encoding_says_the_same() {
    for encoding in [Encoding::Base64, Encoding::QuotedPrintable, Encoding::EightBit] {
        check(|mail| Some(rewrite::encoded(&mail.bytes, encoding)), &[], same);
    }
}

#[test]
fn headers_may_be_folded_encoded_and_added_to() {
    check(|mail| Some(Message::of(&mail.bytes).with_subject_folded().bytes()), &[], same);
    check(|mail| Some(Message::of(&mail.bytes).with_subject_encoded().bytes()), &[], same);
    let relays = "Received: from mx1.example.net (192.0.2.1) by mx2.example.net;\r\n Mon, 3 Mar 2031 09:00:00 +0000\r\n\
                  X-Spam-Status: No, score=-1.9\r\n";
    check(|mail| Some([relays.as_bytes(), &mail.bytes].concat()), &[], same);
}

#[test]
fn what_a_list_adds_changes_nothing() {
    let text = "Content-Type: text/plain; charset=utf-8\n\n_______\nnetops mailing list -- netops@lists.example\n";
    let page = "Content-Type: text/html; charset=utf-8\n\n<p>netops mailing list, <a href=\"#\">unsubscribe</a></p>\n";
    for footer in [text, page] {
        check(|mail| Some(Message::of(&mail.bytes).with_part_below(footer)), &[], same);
    }
    // A summary may be the subject, and a reason quotes it.
    let prefixed = |mail: &Named| {
        let is_notice = support::parse(&mail.bytes)["outcome"] == "maintenance";
        is_notice.then(|| Message::of(&mail.bytes).with_subject_prefix("[netops] ").bytes())
    };
    check(prefixed, &["summary"], same);
}

#[test]
fn a_notice_that_was_passed_on_is_the_same_notice() {
    let is_first_hand = |mail: &Named| {
        let decoded = Mail::decode(&mail.bytes);
        !decoded.is_forwarded()
            && decoded.outer().sender.is_some()
            && support::parse(&mail.bytes)["outcome"] == "maintenance"
    };
    let attached = |mail: &Named| is_first_hand(mail).then(|| rewrite::forwarded_attached(&mail.bytes));
    // A summary may be the subject of the mail that arrived.
    check(attached, &["stamp", "summary"], same);
    for style in [rewrite::Style::Gmail, rewrite::Style::Outlook, rewrite::Style::Apple] {
        let inline =
            |mail: &Named| is_first_hand(mail).then(|| rewrite::forwarded_inline(&mail.bytes, style)).flatten();
        check(inline, &["stamp", "summary"], same);
    }
}

/// Years of our mails, alone and at the start of a calendar's time.
fn later(text: &str) -> String {
    let year = Regex::new(r"\b(20[23]\d)(\b|\d{4}T)").unwrap();
    let moved = |found: &Captures<'_>| format!("{}{}", found[1].parse::<u32>().unwrap() + 28, &found[2]);
    year.replace_all(text, moved).into_owned()
}

/// Days of 28 years without a century's year that is no leap year.
const DAYS: i64 = 28 * 365 + 7;

#[test]
fn a_notice_of_another_year_is_another_years() {
    // Two digits of a year stand in these formats, or a time that nobody can tell from a year.
    let expected = |reading: &Value| {
        let mut moved: Value = serde_json::from_str(&later(&reading.to_string())).unwrap();
        for maintenance in moved["maintenances"].as_array_mut().unwrap() {
            for key in ["start", "end", "stamp"] {
                if let Some(seconds) = maintenance[key].as_i64() {
                    maintenance[key] = (seconds + DAYS * 86_400).into();
                    assert!(Timestamp::from_second(seconds).is_ok());
                }
            }
        }
        moved
    };
    let has_short_year = Regex::new(r"\b\d{1,2}[-/ ](?:\d{1,2}|[A-Za-z]{3})[-/ ][23]\d\b").unwrap();
    let change = |mail: &Named| {
        let plain = String::from_utf8(rewrite::encoded(&mail.bytes, Encoding::EightBit)).ok()?;
        // The times of a sheet, or of an attached message, are encoded.
        let decoded = Mail::decode(&mail.bytes);
        let is_text = decoded.attachments.is_empty() && !decoded.is_forwarded() && !has_short_year.is_match(&plain);
        is_text.then(|| later(&plain).into_bytes())
    };
    // The hash of times changes with them.
    check(change, &["maintenance_id"], expected);
}

/// Another value of the same shape: every digit is the next one, but for leading zeros.
fn next(id: &str) -> String {
    id.chars()
        .map(|digit| digit.to_digit(10).map_or(digit, |value| char::from_digit(value % 9 + 1, 10).unwrap()))
        .collect()
}

#[test]
fn an_id_and_each_circuit_change_alone() {
    let (mut ran, mut wrong) = (0, Vec::new());
    for (mail, reading) in mails() {
        let Ok(plain) = String::from_utf8(rewrite::encoded(&mail.bytes, Encoding::EightBit)) else { continue };
        let maintenances = reading["maintenances"].as_array().unwrap();
        let circuits = maintenances.iter().flat_map(|one| one["circuits"].as_array().unwrap());
        let ids = maintenances.iter().map(|one| &one["maintenance_id"]).chain(circuits.map(|one| &one["circuit_id"]));
        // Of the id of a peer the notice has the number.
        let mut ids: Vec<_> =
            ids.map(|id| id.as_str().unwrap().trim_start_matches("AS")).filter(|id| id.len() > 4).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids.into_iter().filter(|id| next(id) != *id && plain.contains(id)) {
            let is_hash = id.len() == 64;
            let (changed, expected) = (plain.replace(id, &next(id)), reading.to_string().replace(id, &next(id)));
            let mut expected: Value = serde_json::from_str(&expected).unwrap();
            let mut actual = support::parse(changed.as_bytes());
            for reading in [&mut expected, &mut actual] {
                for maintenance in reading["maintenances"].as_array_mut().unwrap() {
                    let of_hash = maintenance["maintenance_id"].as_str().is_some_and(|id| id.len() == 64);
                    if of_hash && !is_hash {
                        maintenance["maintenance_id"] = Value::Null;
                    }
                }
            }
            ran += 1;
            wrong.extend(support::difference(&format!("{} with {}", mail.name, next(id)), &expected, &actual));
        }
    }
    println!("{ran} ids changed, {} mails read otherwise", wrong.len());
    assert!(ran > 0);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
