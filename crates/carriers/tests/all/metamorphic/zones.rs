//! Tests that the same notice in another zone is read as another time, or is refused if its format has one zone alone. It
//! is never the same time: whoever writes another zone means it.

use regex::Regex;

use super::{Changed, Sample, Variation};
use crate::{rewrite::Message, support};

/// A change of zones: the zone in the notice, its replacement, and the number of hours by which its times are later then.
struct Rule {
    /// A provider, or a mail, or nothing for all others.
    of: &'static str,
    zone: &'static str,
    instead: &'static str,
    hours: i64,
}

const GREENWICH: &str = r"\b(?:UTC|GMT)\b";

const RULES: &[Rule] = &[
    Rule { of: "cogent/emergency", zone: r"Frankfurt, Germany", instead: "London, United Kingdom", hours: 1 },
    Rule { of: "cogent", zone: r"Chicago,[\s>]+IL", instead: "Denver, CO", hours: 1 },
    Rule { of: "summitig", zone: r"\bET\b", instead: "CT", hours: 1 },
    Rule { of: "kpn", zone: r"\bCET\b", instead: "EET", hours: -1 },
    Rule { of: "windstream", zone: r"\bET\b", instead: "CT", hours: 1 },
    Rule { of: "cirion/no-alternative-id", zone: r"Greenwich Mean Time", instead: "Japan Standard Time", hours: -9 },
    Rule { of: "cirion/three-languages", zone: r"Greenwich Mean Time", instead: "Japan Standard Time", hours: -9 },
    Rule { of: "colt", zone: GREENWICH, instead: "JST", hours: -9 },
    Rule {
        of: "",
        zone: r"\b(DTSTART|DTEND)((?:;VALUE=DATE-TIME)?:\d{8}T\d{6})Z",
        instead: "$1;TZID=Asia/Tokyo$2",
        hours: -9,
    },
    Rule { of: "", zone: GREENWICH, instead: "JST", hours: -9 },
];

/// Their times stand in two zones, each on a line of its own, and one line will do.
const LEFT_OUT: &[(&str, &str)] =
    &[("tata", "a second line has its own zone"), ("verizon", "a second line has its own zone")];

#[test]
fn other_zones() {
    let variation = Variation {
        left_out: LEFT_OUT,
        // What dates the notice itself may say its zone as well; a summary may be what stands where times were expected.
        ignored: &["stamp", "summary"],
        changes_hashes: true,
        refusals_count: true,
        ..Variation::of_all("another zone")
    };
    variation.check(|sample| if sample.is_notice() { rezoned(sample).into_iter().collect() } else { Vec::new() });
}

fn rezoned(sample: &Sample) -> Option<Changed> {
    sample.maintenances().first()?["start"].as_i64()?;
    if LEFT_OUT.iter().any(|(slug, _)| *slug == sample.slug) {
        return None;
    }
    let plain = Message::of(sample.plain.as_ref()?.as_bytes()).with_subject_prefix("").bytes();
    let plain = String::from_utf8(plain).ok()?;
    let end = plain.find("\r\n\r\n")?;
    // The headers' own times stay.
    let (headers, body) = plain.split_at(end);
    let (others, subject) = headers.split_at(headers.rfind("\nSubject:").unwrap_or(end));
    let rule = RULES.iter().filter(|rule| sample.name.starts_with(rule.of)).find(|rule| {
        let zone = Regex::new(rule.zone).unwrap();
        zone.is_match(body) || zone.is_match(subject)
    })?;
    let zone = Regex::new(rule.zone).unwrap();
    let replaced = |text: &str| zone.replace_all(text, rule.instead).into_owned();
    let mut expected = sample.reading.clone();
    for maintenance in expected["maintenances"].as_array_mut().unwrap() {
        for value in maintenance.as_object_mut().unwrap().values_mut() {
            if let Some(text) = value.as_str() {
                *value = replaced(text).into();
            }
        }
        for key in ["start", "end"] {
            if let Some(seconds) = maintenance[key].as_i64() {
                maintenance[key] = (seconds + rule.hours * 3600).into();
            }
        }
    }
    let bytes = [others, &replaced(subject), &replaced(body)].concat().into_bytes();
    Some(Changed { how: format!("{} → {}", rule.zone, rule.instead), bytes, expected, may_be_refused: true })
}

#[test]
fn a_window_that_is_stated_in_two_zones_is_the_same_in_both() {
    let mail = std::fs::read_to_string(support::repository().join("tests/mails/tata/planned.eml")).unwrap();
    let changed = mail.replace("03:30:00 IST", "04:30:00 IST");
    assert_ne!(mail, changed);
    assert_eq!(support::parse(changed.as_bytes())["outcome"], "failed");
}
