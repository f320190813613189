//! The calendar as text (RFC 5545), for people's programs. Each entry also carries all that we know of it as JSON, which is what we read
//! back: what programs show follows from it, and is written anew each time.

use std::fmt::Write as _;

use icalendar::{Calendar, Component, Event as Entry, EventStatus as Status, Property, parser};
use jiff::{Timestamp, tz::TimeZone};
use thiserror::Error;

use super::event::{Event, Feed};
use contract::text::{escape_json, is_unseen};
use runtime::text;
use schedule::{EventStatus, digest};

/// Property that holds an entry's JSON.
const STATE: &str = "X-PROVISION-STATE";
/// Interval at which programs should read the calendar again.
const REFRESH: &str = "PT1H";
/// Longer summaries are cut: they stand whole in the description. Characters.
const LONGEST_SUMMARY: usize = 200;

/// The text is not a calendar of ours.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("it is not a calendar that `provision` has written: {0}")]
pub struct NotOurs(&'static str);

/// Reads a calendar that [`write()`] has written.
pub fn read(text: &str) -> Result<Feed, NotOurs> {
    let unfolded = parser::unfold(text);
    let lines: Vec<&str> = unfolded.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    if lines.first() != Some(&"BEGIN:VCALENDAR") || lines.last() != Some(&"END:VCALENDAR") {
        return Err(NotOurs("it does not begin and end as a calendar does"));
    }
    let entries = lines.iter().filter(|line| **line == "BEGIN:VEVENT").count();
    let states = lines.iter().filter(|line| line.strip_prefix(STATE).is_some_and(|rest| rest.starts_with(':')));
    let events: Vec<Event> = states.map(|line| state(line)).collect::<Result<_, _>>()?;
    if events.len() != entries {
        return Err(NotOurs("an entry has no state"));
    }
    Ok(Feed { events })
}

fn state(line: &str) -> Result<Event, NotOurs> {
    // The library unescapes as it escapes: a property that it does not know is a text to it.
    let property = parser::Property::try_from(line).map_err(|_| NotOurs("a state is not a line of a calendar"))?;
    serde_json::from_str(property.val.as_str()).map_err(|_| NotOurs("a state cannot be read"))
}

/// Writes the calendar as text. `name` tells it from others: people see it, and it is part of the entries' UIDs.
pub fn write(feed: &Feed, name: &str) -> Result<String, serde_json::Error> {
    let mut calendar = Calendar::empty();
    calendar
        .append_property(("VERSION", "2.0"))
        .append_property(("PRODID", "-//provision//maintenance//EN"))
        .append_property(("CALSCALE", "GREGORIAN"))
        .append_property(("METHOD", "PUBLISH"))
        .append_property(plain("X-WR-CALNAME", name))
        .append_property(plain("NAME", name))
        .append_property(Property::new("REFRESH-INTERVAL", REFRESH).add_parameter("VALUE", "DURATION").done())
        .append_property(("X-PUBLISHED-TTL", REFRESH));
    for event in &feed.events {
        calendar.push(entry(event, name)?);
    }
    Ok(calendar.to_string())
}

fn entry(event: &Event, name: &str) -> Result<Entry, serde_json::Error> {
    let shown = &event.shown;
    let mut entry = Entry::new();
    entry
        .uid(&uid(event, name))
        .append_property(("DTSTAMP", time(event.stamp).as_str()))
        .append_property(("LAST-MODIFIED", time(event.stamp).as_str()))
        .append_property(("DTSTART", time(shown.start).as_str()))
        .append_property(("DTEND", time(shown.end).as_str()))
        .append_property(("SEQUENCE", event.sequence.to_string().as_str()))
        .append_property(("TRANSP", "TRANSPARENT"))
        .append_property(("CATEGORIES", "MAINTENANCE"))
        .status(status(shown.status))
        .summary(&summary(event))
        .description(&description(event))
        .append_property(plain("X-MAINTNOTE-PROVIDER", &event.provider_name))
        .append_property(plain("X-MAINTNOTE-MAINTENANCE-ID", &event.id))
        .append_property(plain("X-MAINTNOTE-STATUS", shown.status.word()));
    for (circuit, impact) in &shown.circuits {
        let mut object = plain("X-MAINTNOTE-OBJECT-ID", circuit);
        object.add_parameter("X-MAINTNOTE-OBJECT-IMPACT", impact.word());
        entry.append_multi_property(object);
    }
    entry.append_property((STATE, escape_json(&serde_json::to_string(event)?).as_str()));
    Ok(entry.done())
}

/// Returns an extension whose value is a text: the library then escapes it.
fn plain(name: &str, value: &str) -> Property {
    let clean: String = value.chars().map(|letter| if is_unseen(letter) { ' ' } else { letter }).collect();
    Property::new(name, clean).add_parameter("VALUE", "TEXT").done()
}

/// Returns the UID, which stays the same as long as the entry is there.
fn uid(event: &Event, name: &str) -> String {
    let key = format!("{name}\n{}\n{}\n{}", event.provider, event.id, event.number);
    format!("{}@provision", digest(key.as_bytes(), 16))
}

fn time(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Returns one of the standard's three words; the description has the status itself.
fn status(status: EventStatus) -> Status {
    match status {
        EventStatus::Cancelled => Status::Cancelled,
        EventStatus::Tentative | EventStatus::Unknown => Status::Tentative,
        EventStatus::Confirmed | EventStatus::InProcess | EventStatus::Completed | EventStatus::ReScheduled => {
            Status::Confirmed
        }
    }
}

fn summary(event: &Event) -> String {
    // Not every program shows an entry's status.
    let mark = if event.shown.status == EventStatus::Cancelled { "Cancelled: " } else { "" };
    let what = text::line(&event.shown.summary);
    let colon = if what.is_empty() { "" } else { ": " };
    let (provider, id) = (text::line(&event.provider_name), text::line(&event.id));
    text::cut(&format!("{mark}{provider} {id}{colon}{what}"), LONGEST_SUMMARY)
}

fn description(event: &Event) -> String {
    let shown = &event.shown;
    let mut lines = format!("Status: {}", shown.status.word());
    if shown.left {
        lines.push_str("\nA later notice of this maintenance no longer has this window.");
    }
    for (circuit, impact) in &shown.circuits {
        let _ = write!(lines, "\n{}: {impact}", text::line(circuit));
    }
    let what = shown.summary.trim();
    if !what.is_empty() {
        lines.push_str("\n\n");
        lines.extend(what.chars().filter(|letter| *letter == '\n' || !is_unseen(*letter)));
    }
    lines
}
