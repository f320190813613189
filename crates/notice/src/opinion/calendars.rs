//! Reads the MAINTNOTE entries of the mail's calendars line by line: id, window and status of one maintenance stand in one
//! entry.

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{Offset, TimeZone},
};

use super::Answer;
use crate::{
    failure::Failure,
    found::Place,
    model::{Maintenance, Status},
    source::Source,
};

/// An entry in its lines.
struct Entry<'text> {
    number: usize,
    text: &'text str,
    /// The offsets of the calendar's own zones.
    offsets: Vec<Offset>,
}

/// More pairs of an entry and a maintenance are not compared.
const MOST: usize = 2_500;

/// Returns the answers on ids, windows and statuses; silent where there is no entry, or more of them than a notice has.
pub(super) fn answers(source: &Source<'_>, maintenances: &[Maintenance]) -> (Answer, Answer, Answer) {
    let mut entries = Vec::new();
    for calendar in source.calendars() {
        let offsets: Vec<Offset> =
            calendar.lines().filter_map(|line| offset(line.strip_prefix("TZOFFSETTO:")?)).collect();
        for text in calendar.entries() {
            entries.push(Entry { number: entries.len() + 1, text, offsets: offsets.clone() });
        }
    }
    entries.retain(|entry| entry.id().is_some());
    if entries.is_empty() || entries.len().saturating_mul(maintenances.len()) > MOST {
        return (Answer::Silent, Answer::Silent, Answer::Silent);
    }
    let of_id = |one: &Maintenance| -> Vec<&Entry<'_>> {
        entries.iter().filter(|entry| entry.id() == Some(one.id())).collect()
    };
    let windows = maintenances.iter().filter(|one| one.window().is_some()).count();
    let mut answers = (Answer::Agrees(maintenances.len()), Answer::Agrees(windows), Answer::Agrees(maintenances.len()));
    for one in maintenances {
        let own = of_id(one);
        let Some(first) = own.first() else {
            let objects = || Answer::Objects(differs(one.id(), "id", entries.first()));
            return (objects(), objects(), objects());
        };
        let in_window: Vec<_> = own.iter().filter(|entry| entry.is_in(one)).collect();
        if in_window.is_empty() {
            answers.1 = Answer::Objects(differs(one.id(), "window", Some(first)));
        }
        if !in_window.iter().any(|entry| entry.says(one.status())) && !own.iter().any(|entry| entry.says(one.status()))
        {
            answers.2 = Answer::Objects(differs(one.id(), "status", Some(first)));
        }
    }
    answers
}

fn differs(id: &str, what: &str, entry: Option<&Entry<'_>>) -> Failure {
    let expected = format!("one {what}: of {id} another one is read than stands in the calendar, read in another way");
    let place = entry.map(|entry| Place::Calendar { event: entry.number, property: "VEVENT" });
    Failure { place, ..Failure::ambiguous(expected) }
}

impl Entry<'_> {
    /// Returns parameters and value of a property.
    fn property(&self, name: &str) -> Option<(&str, &str)> {
        self.text.lines().find_map(|line| {
            let start = line.get(..name.len()).filter(|start| start.eq_ignore_ascii_case(name))?;
            let rest = line.get(start.len()..)?;
            let parameters = rest.split(':').next().filter(|own| own.is_empty() || own.starts_with(';'))?;
            // A parameter in quotes may hold a colon.
            let at = if parameters.contains('"') { rest.rfind(':')? } else { parameters.len() };
            Some((rest.get(..at)?, rest.get(at + 1..)?.trim()))
        })
    }

    fn id(&self) -> Option<&str> {
        self.property("X-MAINTNOTE-MAINTENANCE-ID").map(|(_, value)| value)
    }

    fn is_in(&self, one: &Maintenance) -> bool {
        let Some(window) = one.window() else { return true };
        let is_end = self.property("DTEND").is_none_or(|(zone, time)| self.is_at(zone, time, window.end()));
        is_end && self.property("DTSTART").is_some_and(|(zone, time)| self.is_at(zone, time, window.start()))
    }

    fn is_at(&self, parameters: &str, time: &str, at: Timestamp) -> bool {
        let digits: String = time.chars().filter(char::is_ascii_digit).collect();
        let Ok(local) = DateTime::strptime("%Y%m%d%H%M%S", &digits) else { return false };
        if time.ends_with('Z') {
            return Offset::UTC.to_timestamp(local).is_ok_and(|stated| stated == at);
        }
        let zone = parameters.split(';').find_map(|part| part.strip_prefix("TZID="));
        let known = zone.and_then(|zone| TimeZone::get(zone.trim_matches('"')).ok()).map(|zone| zone.to_offset(at));
        let mut offsets = known.into_iter().chain(self.offsets.iter().copied()).peekable();
        offsets.peek().is_none() || offsets.any(|offset| offset.to_timestamp(local).is_ok_and(|stated| stated == at))
    }

    fn says(&self, status: Status) -> bool {
        self.property("X-MAINTNOTE-STATUS")
            .is_none_or(|(_, word)| Status::from_word(word).is_none_or(|said| said == status))
    }
}

/// Reads `+0100` as `TZOFFSETTO` has it.
fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = text.trim().split_at_checked(1)?;
    let (hours, minutes) = digits.split_at_checked(2)?;
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.get(..2)?.parse::<i32>().ok()? * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}
