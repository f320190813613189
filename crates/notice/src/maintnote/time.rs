//! The times of a calendar: `20310401T220000Z`, or local with a `TZID`. A floating time is none: nobody says where.

use jiff::{Span, Timestamp, civil::DateTime, tz::TimeZone};

use super::{
    written_times::local,
    zone::{self, Definition},
};
use crate::{
    calendar::{Component, Property},
    dates,
    failure::Failure,
    found::Found,
    model::Moment,
    zones,
};

/// The zones that a calendar defines, by TZID.
#[derive(Debug, Default)]
pub(super) struct Zones {
    defined: Vec<Defined>,
}

#[derive(Debug)]
struct Defined {
    id: String,
    /// `None` for a definition that we cannot read.
    definition: Option<Definition>,
    /// The IANA name that the definition states.
    location: Option<String>,
}

/// A zone of a time: what the calendar defines under its name, and what others know under it.
#[derive(Debug, Default)]
struct Zone<'zones> {
    definition: Option<&'zones Definition>,
    known: Option<Known>,
}

#[derive(Debug)]
struct Known {
    zone: TimeZone,
    /// The abbreviation, which fits half a year alone; see [`zones::is_in_season`].
    abbreviation: Option<String>,
    /// `true` if the name is that of a place, which has one clock whatever a calendar defines.
    is_place: bool,
}

impl Zones {
    /// Returns the zones that the calendar's VTIMEZONEs define.
    pub(super) fn of(calendar: &Component) -> Self {
        let zones = calendar.components.iter().filter(|component| component.is("VTIMEZONE"));
        let defined = zones.filter_map(|component| {
            Some(Defined {
                id: component.first("TZID")?.value.clone(),
                definition: Definition::of(component),
                location: component.first("X-LIC-LOCATION").map(|name| name.value.trim().to_owned()),
            })
        });
        Self { defined: defined.collect() }
    }

    /// Reads a time property.
    pub(super) fn read(&self, property: &Property, found: Found<String>) -> Result<Found<Moment>, Failure> {
        self.read_later(property, found, Span::new())
    }

    /// Reads the end of a duration that begins at a time property. Its days and weeks are days of the calendar, which have 23 or
    /// 25 hours where a clock is changed; its hours are exact.
    pub(super) fn read_end(
        &self,
        start: &Property,
        found: Found<String>,
        duration: Found<String>,
    ) -> Result<Found<Moment>, Failure> {
        let parse =
            |text: &String| text.trim().parse().ok().filter(|span: &Span| span.is_positive() && is_of_calendar(*span));
        let span: Found<Span> = duration.try_map("a duration such as `PT4H` or `P1D`", parse)?;
        let end = self.read_later(start, found, span.value)?;
        Ok(Found { place: span.place, quote: span.quote, value: end.value })
    }

    fn read_later(&self, property: &Property, found: Found<String>, later: Span) -> Result<Found<Moment>, Failure> {
        let nominal = Span::new().weeks(later.get_weeks()).days(later.get_days());
        let exact = later.hours_minutes_seconds();
        let text = found.value.trim();
        let name = property.parameter("TZID").map(str::trim).filter(|name| !name.is_empty());
        let is_universal = text.ends_with(['Z', 'z']);
        let Some(name) = name.filter(|_| !is_universal) else {
            return found.try_map("a time with its zone (`20310401T220000Z`, or a TZID)", |text| {
                let start = local(text.trim().strip_suffix(['Z', 'z'])?)?;
                let at = dates::instant(start.checked_add(nominal).ok()?, &TimeZone::UTC)?;
                Some(at.checked_add(exact).ok()?.into())
            });
        };
        let zone = self.zone(name);
        if zone.is_unknown() {
            let quote = format!("TZID={name}:{}", found.value);
            return Err(Failure::malformed("a known time zone", &found).with_quote(&quote));
        }
        let begin = found.try_with("a time such as `20310401T220000`", |text| local(text))?;
        let resolve = |local: &DateTime| zone.resolve(local.checked_add(nominal).ok()?);
        let quote = format!("TZID={name}:{}", found.value);
        match resolve(&begin.value) {
            None => Err(Failure::malformed("a time that this zone has once", &found)),
            Some(Err(())) => Err(Failure {
                place: Some(found.place),
                ..Failure::ambiguous("one time by the calendar's own definition of its zone and by the zone's name")
                    .with_quote(&quote)
            }),
            Some(Ok(moment)) => {
                let end = moment.at().checked_add(exact).ok().map(|at| zone.moment(at));
                begin.try_map("a time within the calendar", |_| end)
            }
        }
    }

    /// Returns the zone of a TZID: what the calendar defines, and what is known by an IANA name, possibly behind a prefix, by a name
    /// of Windows or by another that carriers use.
    fn zone(&self, name: &str) -> Zone<'_> {
        let defined = self.defined.iter().find(|defined| defined.id.trim() == name);
        let location = defined.and_then(|defined| defined.location.as_deref());
        let tail = name.rsplit('/').take(2).collect::<Vec<_>>();
        let tail = tail.into_iter().rev().collect::<Vec<_>>().join("/");
        let place = |name: &str| TimeZone::get(name).ok().filter(|_| name.len() <= 64 && name.contains('/'));
        let known = location
            .and_then(place)
            .or_else(|| place(name))
            .or_else(|| place(&tail))
            .or_else(|| zone::of_windows(name))
            .map(|zone| Known { zone, abbreviation: None, is_place: true })
            .or_else(|| {
                let zone = zones::by_name(name).or_else(|| TimeZone::get(name).ok().filter(|_| name.len() <= 64))?;
                Some(Known { zone, abbreviation: Some(name.to_owned()), is_place: false })
            });
        let definition = defined.and_then(|defined| defined.definition.as_ref());
        let is_unreadable = defined.is_some() && definition.is_none();
        // What an unreadable definition makes of an abbreviation, nobody knows.
        Zone { definition, known: known.filter(|known| known.is_place || !is_unreadable) }
    }
}

impl Zone<'_> {
    fn is_unknown(&self) -> bool {
        self.definition.is_none() && self.known.is_none()
    }

    fn moment(&self, at: Timestamp) -> Moment {
        match (self.definition, &self.known) {
            (_, Some(known)) if known.is_place => Moment::in_zone(at, &known.zone),
            (Some(definition), _) => Moment::new(at, definition.offset_at(at)),
            (None, Some(known)) => Moment::in_zone(at, &known.zone),
            (None, None) => at.into(),
        }
    }

    /// Returns the moment of a local time; `None` where the clock skips it or shows it twice, an error where definition and name of
    /// the zone contradict each other.
    fn resolve(&self, local: DateTime) -> Option<Result<Moment, ()>> {
        let own = self.definition.map(|definition| definition.resolve(local));
        let known = self.known.as_ref().map(|known| {
            let moment = dates::moment(local, &known.zone)?;
            let name = known.abbreviation.as_deref().unwrap_or_default();
            zones::is_in_season(name, moment).then_some(moment)
        });
        let is_place = self.known.as_ref().is_some_and(|known| known.is_place);
        match (own, known) {
            (Some(own), known) => {
                let own = own.map(|(at, offset)| Moment::new(at, offset));
                match known.filter(|_| is_place) {
                    Some(known) if known != own => Some(Err(())),
                    // It says more than the definition: the zone's name.
                    Some(known) => known.map(Ok),
                    None => own.map(Ok),
                }
            }
            (None, known) => known.flatten().map(Ok),
        }
    }
}

/// Returns whether a duration has weeks, days, hours, minutes and seconds alone.
fn is_of_calendar(span: Span) -> bool {
    span.get_years() == 0
        && span.get_months() == 0
        && span.get_milliseconds() == 0
        && span.get_microseconds() == 0
        && span.get_nanoseconds() == 0
}

trait Exact {
    fn hours_minutes_seconds(self) -> Span;
}

impl Exact for Span {
    fn hours_minutes_seconds(self) -> Span {
        Span::new().hours(self.get_hours()).minutes(self.get_minutes()).seconds(self.get_seconds())
    }
}
