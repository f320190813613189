//! The one window that labelled values state, with its zone. What can be read in two ways is not read.

use jiff::{civil::DateTime, tz::TimeZone};

use super::{
    facts::Fact,
    labels::{Kind, Zone},
};
use crate::{dates, draft::Times, found::Found, model::Moment, zones};

macro_rules! with_times {
    ($($date:literal)*) => {
        &[$(
            concat!($date, " %H:%M[:%S]"), concat!($date, " %I:%M[:%S] %p"),
            concat!("%H:%M[:%S] ", $date), concat!("%I:%M[:%S] %p ", $date),
        )*]
    };
}

/// Dates whose parts are told apart by their form.
const PLAIN: &[&str] =
    with_times!("%Y-%m-%d" "%Y/%m/%d" "%Y.%m.%d" "%d-%b-%Y" "%d/%b/%Y" "%d %b %Y" "%b %d %Y" "%b-%d-%Y");
/// Numeric formats with the day first, and with the month first: only a date that both read alike, or one of them alone,
/// is read.
const DAY_FIRST: &[&str] = with_times!("%d/%m/%Y" "%d.%m.%Y" "%d-%m-%Y");
const MONTH_FIRST: &[&str] = with_times!("%m/%d/%Y" "%m.%d.%Y" "%m-%d-%Y");
const TIMES: &[&str] = &["%H:%M[:%S]", "%I:%M[:%S] %p"];

const SEPARATORS: &[&str] = &[" - ", " – ", " — ", " to ", " until ", " till ", " through ", " -> ", " → ", " and "];

/// Longer windows are typing errors more often than windows.
const LONGEST_DAYS: i64 = 31;

/// The mail states no window that can be read. No reason is kept, since a person reads the mail anyway.
pub(super) struct NoWindow;

/// Returns the window that the facts state; `Ok(None)` where they state none.
pub(super) fn window(facts: &[Fact]) -> Result<Option<Times>, NoWindow> {
    let zone = common_zone(facts)?;
    let starts = times(facts, Kind::Start, zone.as_ref())?;
    let ends = times(facts, Kind::End, zone.as_ref())?;
    let mut windows: Vec<Times> = Vec::new();
    for fact in facts.iter().filter(|fact| fact.label.kind == Kind::Window) {
        match range(&fact.value.value, &fact.label.zone, zone.as_ref()) {
            Some((start, end)) => windows.push((fact.value.with(start), fact.value.with(end))),
            None if fact.label.is_weak => {}
            None => return Err(NoWindow),
        }
    }
    match (starts.as_slice(), ends.as_slice()) {
        ([], []) => {}
        ([start], [end]) => windows.push((start.clone(), end.clone())),
        _ => return Err(NoWindow),
    }
    windows.dedup_by(|one, other| (one.0.value, one.1.value) == (other.0.value, other.1.value));
    match windows.as_slice() {
        [] => Ok(None),
        [(start, end)] if is_sensible(start.value, end.value) => Ok(windows.pop()),
        _ => Err(NoWindow),
    }
}

fn is_sensible(start: Moment, end: Moment) -> bool {
    end > start && end.at().duration_since(start.at()).as_hours() <= LONGEST_DAYS * 24
}

/// Returns the zone that a label of its own states.
fn common_zone(facts: &[Fact]) -> Result<Option<TimeZone>, NoWindow> {
    let mut stated = facts.iter().filter(|fact| fact.label.kind == Kind::Zone).map(|fact| fact.value.value.as_str());
    match (stated.next(), stated.next()) {
        (None, _) => Ok(None),
        (Some(name), None) => zones::by_name(name).map(Some).ok_or(NoWindow),
        (Some(_), Some(_)) => Err(NoWindow),
    }
}

/// Returns the different times of a kind. A time without a zone is no answer.
fn times(facts: &[Fact], kind: Kind, common: Option<&TimeZone>) -> Result<Vec<Found<Moment>>, NoWindow> {
    let mut times: Vec<Found<Moment>> = Vec::new();
    for fact in facts.iter().filter(|fact| fact.label.kind == kind) {
        let Some(time) = time(&normal(&fact.value.value), &fact.label.zone, common) else {
            let is_other = fact.label.is_weak && !fact.value.value.contains(|mark: char| mark.is_ascii_digit());
            let is_sender = matches!(fact.label.words.as_str(), "from" | "to");
            if is_other || is_sender {
                continue;
            }
            return Err(NoWindow);
        };
        match times.first() {
            None => times.push(fact.value.with(time)),
            Some(known) if known.value == time => {}
            Some(_) => return Err(NoWindow),
        }
    }
    Ok(times)
}

fn time(text: &str, label: &Zone, common: Option<&TimeZone>) -> Option<Moment> {
    let own = dates::with_zone(text, local_time);
    match (own, label) {
        (_, Zone::Unknown) => None,
        (Some((local, zone)), Zone::Unstated) => dates::moment(local, &zone),
        (Some((local, zone)), Zone::Stated(stated)) => {
            let (time, other) = (dates::moment(local, &zone)?, dates::moment(local, stated)?);
            (time == other).then_some(time)
        }
        (None, Zone::Stated(zone)) => dates::moment(local_time(text)?, zone),
        (None, Zone::Unstated) => dates::moment(local_time(text)?, common?),
    }
}

/// Returns a date and a time that can be read in one way.
fn local_time(text: &str) -> Option<DateTime> {
    if let Some(time) = dates::civil(text, PLAIN) {
        return Some(time);
    }
    match (dates::civil(text, DAY_FIRST), dates::civil(text, MONTH_FIRST)) {
        (Some(one), Some(other)) => (one == other).then_some(one),
        (one, other) => one.or(other),
    }
}

/// Reads `A - B ZONE` or `A ZONE to B ZONE`, where the second may be a time of day.
fn range(text: &str, label: &Zone, common: Option<&TimeZone>) -> Option<(Moment, Moment)> {
    let text = normal(text);
    let text = ["from ", "between "].iter().find_map(|word| text.strip_prefix(word)).unwrap_or(&text);
    let mut found = None;
    for separator in SEPARATORS {
        for (at, _) in text.match_indices(separator) {
            let (Some(from), Some(to)) = (text.get(..at), text.get(at + separator.len()..)) else { continue };
            let Some(window) = between(from, to, label, common) else { continue };
            if found.is_some_and(|found| found != window) {
                return None;
            }
            found = Some(window);
        }
    }
    found
}

/// The end of a window as it is written: with its day, or the time of day alone.
enum End {
    Day(DateTime),
    Time(String),
}

fn end(text: &str) -> Option<End> {
    let midnight = jiff::civil::date(2000, 1, 1).at(0, 0, 0, 0);
    let is_time = dates::next(text, TIMES, midnight).is_some();
    local_time(text).map(End::Day).or_else(|| is_time.then(|| End::Time(text.to_owned())))
}

fn between(from: &str, to: &str, label: &Zone, common: Option<&TimeZone>) -> Option<(Moment, Moment)> {
    let (to, zone) = match (dates::with_zone(to, end), label) {
        (_, Zone::Unknown) => return None,
        (Some(stated), _) => stated,
        (None, Zone::Stated(zone)) => (end(to)?, zone.clone()),
        (None, Zone::Unstated) => (end(to)?, common?.clone()),
    };
    let (local, own) = match dates::with_zone(from, local_time) {
        Some((local, own)) => (local, own),
        None => (local_time(from)?, zone.clone()),
    };
    let start = dates::moment(local, &own)?;
    // A zone in the label and another one behind the time contradict each other.
    if let Zone::Stated(stated) = label
        && dates::moment(local, stated) != Some(start)
    {
        return None;
    }
    let end = match to {
        End::Day(end) => end,
        End::Time(text) => dates::next(&text, TIMES, start.at().to_zoned(zone.clone()).datetime())?,
    };
    Some((start, dates::moment(end, &zone)?))
}

/// Returns the same without what means nothing in a time: commas, "at", "hrs", the `T` of ISO 8601.
fn normal(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let characters: Vec<char> = text.trim().trim_end_matches('.').chars().collect();
    for (index, character) in characters.iter().enumerate() {
        let is_digit = |at: Option<usize>| at.and_then(|at| characters.get(at)).is_some_and(char::is_ascii_digit);
        match character {
            ',' => normal.push(' '),
            'T' if is_digit(index.checked_sub(1)) && is_digit(Some(index + 1)) => normal.push(' '),
            other => normal.push(*other),
        }
    }
    let is_filler = |word: &&str| {
        matches!(word.to_ascii_lowercase().as_str(), "at" | "on" | "hrs" | "hours" | "hr" | "h" | "@" | "|")
    };
    normal.split_whitespace().filter(|word| !is_filler(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::found::Place;

    fn facts(pairs: &[(&str, &str)]) -> Vec<Fact> {
        let fact = |(name, value): &(&str, &str)| Fact {
            label: super::super::labels::label(name).unwrap(),
            value: Found::text(value, Place::Header("Subject")),
            lines: Vec::new(),
            impact: None,
        };
        pairs.iter().map(fact).collect()
    }

    fn read(pairs: &[(&str, &str)]) -> Option<String> {
        let (start, end) = window(&facts(pairs)).ok()??;
        Some(format!("{} {}", start.value.at(), end.value.at()))
    }

    #[test]
    fn windows_in_every_form_are_the_same_window() {
        let expected = Some("2031-03-12T22:00:00Z 2031-03-13T02:00:00Z".to_owned());
        for pairs in [
            &[("Start", "2031-03-12 22:00 UTC"), ("End", "2031-03-13 02:00 UTC")][..],
            &[("Start (UTC)", "12 March 2031, 22:00 hrs"), ("Finish (UTC)", "Thursday, 13 March 2031, 02:00 hrs")],
            &[("Begin", "12-Mar-2031 23:00 CET"), ("Until", "Mar 13th 2031 3:00 AM CET")],
            &[("From", "NOC <noc@x.example>"), ("From", "25/03/2031 22:00 UTC"), ("To", "26/03/2031 02:00 UTC")],
            &[("Start time", "2031-03-12T22:00:00Z"), ("End time", "2031-03-13T02:00:00Z")],
            &[("Start", "12 Mar 2031 17:00"), ("End", "12 Mar 2031 21:00"), ("Time zone", "UTC-5")],
            &[("Maintenance window", "12 Mar 2031 22:00 - 13 Mar 2031 02:00 UTC")],
            &[("Maintenance window", "from 22:00 12 Mar 2031 to 02:00 13 Mar 2031 (GMT)")],
            &[("Window (UTC)", "12 Mar 2031 22:00 to 02:00")],
            &[
                ("Date/Time", "2031-03-12 22:00 UTC until 2031-03-13 03:00 CET"),
                ("Start", "2031-03-12 22:00 UTC"),
                ("End", "2031-03-13 02:00 UTC"),
            ],
        ] {
            let expected = if pairs[0].1.contains('<') {
                Some("2031-03-25T22:00:00Z 2031-03-26T02:00:00Z".to_owned())
            } else {
                expected.clone()
            };
            assert_eq!(read(pairs), expected, "{pairs:?}");
        }
    }

    #[test]
    fn a_window_must_be_stated_once_and_completely() {
        for pairs in [
            &[("Start", "2031-03-12 22:00"), ("End", "2031-03-13 02:00 UTC")][..],
            &[("Start", "2031-03-12 22:00 UTC")],
            &[("Start", "12 March 22:00 UTC"), ("End", "13 March 02:00 UTC")],
            &[("Start", "12/03/2031 22:00 UTC"), ("End", "13/03/2031 02:00 UTC")],
            &[("Start", "2031-03-12 22:00 IST"), ("End", "2031-03-13 02:00 IST")],
            &[("Start (local time)", "2031-03-12 22:00 UTC"), ("End", "2031-03-13 02:00 UTC")],
            &[("Start (UTC)", "2031-03-12 22:00 CET"), ("End", "2031-03-13 02:00 UTC")],
            &[("Start", "2031-03-12 22:00 UTC"), ("Start", "2031-03-14 22:00 UTC"), ("End", "2031-03-15 02:00 UTC")],
            &[("Start", "2031-03-12 22:00 UTC"), ("End", "2031-03-12 02:00 UTC")],
            &[("Start", "2031-03-12 22:00 UTC"), ("End", "2032-03-13 02:00 UTC")],
            &[("Window", "2031-03-12 22:00 - 02:00")],
            &[("Window", "2031-03-12 22:00 UTC - 2031-03-13 02:00")],
            &[("Window", "12 Mar 2031 22:00 - 02:00 UTC and 14 Mar 2031 22:00 - 02:00 UTC")],
            &[("Window 1", "12 Mar 2031 22:00 - 02:00 UTC"), ("Window 2", "14 Mar 2031 22:00 - 02:00 UTC")],
            &[
                ("Window", "12 Mar 2031 22:00 - 02:00 UTC"),
                ("Start", "2031-03-12 23:00 UTC"),
                ("End", "2031-03-13 02:00 UTC"),
            ],
            &[("Start", "to be confirmed 1"), ("End", "2031-03-13 02:00 UTC")],
        ] {
            assert_eq!(read(pairs), None, "{pairs:?}");
        }
    }
}
