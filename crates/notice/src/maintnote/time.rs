//! The times of a calendar: `20310401T220000Z`, or local with a `TZID`. A floating time is none: nobody says where.

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use super::{
    content::{Component, Property},
    zone,
};
use crate::{dates, failure::Failure, found::Found, zones};

/// The zones that a calendar defines, by TZID.
#[derive(Debug, Default)]
pub(super) struct Zones {
    defined: Vec<(String, Option<TimeZone>)>,
}

impl Zones {
    /// What the VTIMEZONEs of the calendar define.
    pub(super) fn of(calendar: &Component) -> Self {
        let zones = calendar.components.iter().filter(|component| component.is("VTIMEZONE"));
        let defined =
            zones.filter_map(|component| Some((component.first("TZID")?.value.clone(), zone::defined(component))));
        Self { defined: defined.collect() }
    }

    /// Reads a time property.
    pub(super) fn read(&self, property: &Property, found: Found<String>) -> Result<Found<Timestamp>, Failure> {
        let Some(name) = property.parameter("TZID").filter(|name| !name.is_empty()) else {
            return found.try_map("a time with its zone (`…Z` or a TZID)", |text| universal(text));
        };
        if found.value.trim().ends_with(['Z', 'z']) {
            return found.try_map("a time", |text| universal(text));
        }
        let Some(zone) = self.zone(name) else {
            let quote = format!("TZID={name}:{}", found.value);
            return Err(Failure::malformed("a known time zone", &found).with_quote(&quote));
        };
        found.try_map("a time that this zone has once", |text| dates::instant(local(text)?, &zone))
    }

    /// The zone of a TZID: an IANA name, possibly behind a prefix, a name of Windows, or what the calendar defines.
    fn zone(&self, name: &str) -> Option<TimeZone> {
        let tail = name.rsplit('/').take(2).collect::<Vec<_>>();
        let tail = tail.into_iter().rev().collect::<Vec<_>>().join("/");
        let known = |name: &str| TimeZone::get(name).ok().filter(|_| name.len() <= 64);
        let defined = || self.defined.iter().find(|(id, _)| id == name).and_then(|(_, zone)| zone.clone());
        known(name)
            .or_else(|| known(&tail))
            .or_else(|| zone::of_windows(name))
            .or_else(defined)
            .or_else(|| zones::by_name(name))
    }
}

fn local(text: &str) -> Option<DateTime> {
    dates::civil(text, &["%Y%m%dT%H%M[%S]"])
}

/// A time in UTC.
pub(super) fn universal(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    dates::instant(local(text.strip_suffix(['Z', 'z'])?)?, &TimeZone::UTC)
}

/// The end of a duration such as `PT4H30M`.
pub(super) fn after(start: Timestamp, duration: &str) -> Option<Timestamp> {
    let text = duration.trim();
    let span: jiff::Span = text.parse().ok()?;
    // Days of a calendar's duration are nominal; in UTC they have 24 hours.
    let duration: SignedDuration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    start.checked_add(duration).ok()
}
