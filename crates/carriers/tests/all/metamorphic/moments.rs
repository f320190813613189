//! A notice of other days, or of another zone, is read for those.

use jiff::{
    Timestamp,
    civil::{Date, date},
    tz::TimeZone,
};

use super::{Changed, Sample, Variation};
use crate::rewrite::{
    Message,
    dates::{self, Order},
};

/// Places whose clock changes in summer, by provider.
const LOCAL: &[(&str, &str)] = &[
    ("cogent/emergency", "Europe/Berlin"),
    ("cogent", "America/Chicago"),
    ("genericprovider/planned", "Europe/Oslo"),
    ("genericprovider/rescheduled", "Europe/Oslo"),
    ("summitig/event", "UTC"),
    ("summitig/page-as-text", "UTC"),
    ("summitig", "America/New_York"),
    ("windstream", "America/New_York"),
];

/// Notices that give their times in several zones, which agree no longer where the clock of one changes.
const OF_SEVERAL_ZONES: &[&str] = &["crowncastle", "zayo"];

/// The days to which notices are moved: over New Year and a leap day, and where clocks change in America and Europe.
const DAYS: &[(&str, Date)] = &[
    ("over New Year", date(2031, 12, 31)),
    ("New Year", date(2032, 1, 1)),
    ("announced before New Year", date(2032, 1, 3)),
    ("June", date(2031, 6, 17)),
    ("into a leap day", date(2032, 2, 28)),
    ("leap day", date(2032, 2, 29)),
    ("no leap day", date(2033, 2, 28)),
    ("March forward in America", date(2032, 3, 14)),
    ("March forward in Europe", date(2032, 3, 28)),
    ("back in Europe", date(2032, 10, 31)),
    ("back in America", date(2032, 11, 7)),
];

#[test]
fn other_days() {
    let variation = Variation { changes_hashes: true, ..Variation::of_all("other days") };
    variation.check(|sample| {
        let Some(start) = start(sample).filter(|_| !is_attached(sample)) else { return Vec::new() };
        DAYS.iter().filter_map(|(name, day)| moved(sample, start, name, *day)).collect()
    });
}

/// Returns the day of the first window.
fn start(sample: &Sample) -> Option<Date> {
    let start = sample.maintenances().first()?["start"].as_i64()?;
    Some(Timestamp::from_second(start).unwrap().to_zoned(zone(sample)).date())
}

/// Returns whether the notice is an attached message, whose content is encoded.
fn is_attached(sample: &Sample) -> bool {
    sample.decoded.layers().iter().any(|layer| layer.wrapping == mail::Wrapping::Attached)
}

fn zone(sample: &Sample) -> TimeZone {
    let name = LOCAL.iter().find(|(start, _)| sample.name.starts_with(start)).map(|(_, name)| *name);
    name.map_or(TimeZone::UTC, |name| TimeZone::get(name).unwrap())
}

/// Returns the plain mail, its subject on one line.
fn plain(sample: &Sample) -> Option<String> {
    let plain = sample.plain.as_ref()?;
    String::from_utf8(Message::of(plain.as_bytes()).with_subject_prefix("").bytes()).ok()
}

fn moved(sample: &Sample, start: Date, how: &str, day: Date) -> Option<Changed> {
    let plain = plain(sample)?;
    let days = i64::from((day - start).get_days());
    let order = order(&plain, start);
    let bytes = dates::moved(&plain, days, order, start).into_bytes();
    let mut expected = sample.reading.clone();
    let mut may_be_refused = OF_SEVERAL_ZONES.contains(&sample.slug.as_str());
    for maintenance in expected["maintenances"].as_array_mut().unwrap() {
        for (key, value) in maintenance.as_object_mut().unwrap() {
            if let (Some(seconds), true) = (value.as_i64(), ["start", "end", "stamp"].contains(&key.as_str())) {
                let zone = if key == "stamp" { TimeZone::UTC } else { zone(sample) };
                let local = Timestamp::from_second(seconds).unwrap().to_zoned(zone.clone()).datetime();
                let later = zone.to_ambiguous_timestamp(local + jiff::Span::new().days(days));
                may_be_refused |= later.is_ambiguous();
                *value = later.compatible().unwrap().as_second().into();
            } else if let Some(text) = value.as_str() {
                *value = dates::moved(text, days, order, start).into();
            }
        }
    }
    Some(Changed { how: how.to_owned(), bytes, expected, may_be_refused })
}

/// Returns which number of a date is the day: the order in which one of the dates is that of the window.
fn order(plain: &str, start: Date) -> Order {
    let month_first = format!("{}/{}/", start.month(), start.day());
    let month_first_wide = format!("{:02}/{:02}/", start.month(), start.day());
    let is_month_first = plain.contains(&month_first) || plain.contains(&month_first_wide);
    if is_month_first { Order::MonthFirst } else { Order::DayFirst }
}
