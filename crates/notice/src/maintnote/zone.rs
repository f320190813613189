//! Zones that a calendar defines (VTIMEZONE), and the Windows names of zones that Outlook writes.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Weekday},
    tz::{Offset, TimeZone},
};

use super::written_times;
use crate::calendar::Component;

/// The definition of a VTIMEZONE: the clock changes of a zone, as in RFC 5545 (3.6.5).
#[derive(Debug, Clone)]
pub(super) struct Definition {
    observances: Vec<Observance>,
}

/// A STANDARD or DAYLIGHT part: when its offset takes effect, and the offset before.
#[derive(Debug, Clone)]
struct Observance {
    onset: DateTime,
    from: Offset,
    to: Offset,
    rules: Vec<Rule>,
    further: Vec<DateTime>,
}

/// A day of each year on which a clock is changed.
#[derive(Debug, Clone)]
struct Rule {
    month: i8,
    day: Day,
    /// Instant after which the rule has no onset; `None` if it never ends.
    until: Option<Timestamp>,
}

#[derive(Debug, Clone)]
enum Day {
    /// The n-th such weekday of the month, counted from its end if negative.
    Nth(i8, Weekday),
    /// The one such weekday among these days of the month.
    Among(Weekday, Vec<i8>),
    /// A fixed day of the month.
    Of(i8),
}

/// The most onsets, rules and dates of a definition: every time of the zone costs a look at all of them. The whole history of a zone
/// has some 150.
const MOST_ONSETS: usize = 200;
/// The most offsets of a definition, each of which is tried for every time of the zone. Whole histories have some ten.
const MOST_OFFSETS: usize = 16;

impl Definition {
    /// Returns the definition; `None` if any part of it is written in an unsupported way, since a zone
    /// without one of its changes would be wrong, or if it has more than any zone has.
    pub(super) fn of(component: &Component) -> Option<Self> {
        let parts = component.components.iter().filter(|part| part.is("STANDARD") || part.is("DAYLIGHT"));
        let observances: Vec<_> = parts.take(MOST_ONSETS + 1).map(Observance::of).collect::<Option<_>>()?;
        let definition = Self { observances };
        let onsets: usize = definition.observances.iter().map(|one| 1 + one.rules.len() + one.further.len()).sum();
        let is_sound = (1..=MOST_ONSETS).contains(&onsets) && definition.offsets().len() <= MOST_OFFSETS;
        is_sound.then_some(definition)
    }

    /// Returns the offsets that the zone ever has, in order.
    fn offsets(&self) -> Vec<Offset> {
        let mut offsets: Vec<_> = self.observances.iter().flat_map(|one| [one.from, one.to]).collect();
        offsets.sort();
        offsets.dedup();
        offsets
    }

    /// Returns the instant and the offset of a local time; `None` where the clock skips it or shows it twice.
    pub(super) fn resolve(&self, local: DateTime) -> Option<(Timestamp, Offset)> {
        let changes = self.changes(local.year());
        let mut instants = self.offsets().into_iter().filter_map(|offset| {
            let at = offset.to_timestamp(local).ok()?;
            (self.offset_after(&changes, at) == offset).then_some((at, offset))
        });
        match (instants.next(), instants.next()) {
            (Some(instant), None) => Some(instant),
            _ => None,
        }
    }

    /// Returns the offset that is in force at an instant.
    pub(super) fn offset_at(&self, at: Timestamp) -> Offset {
        self.offset_after(&self.changes(at.to_zoned(TimeZone::UTC).year()), at)
    }

    fn offset_after(&self, changes: &[(Timestamp, Offset)], at: Timestamp) -> Offset {
        let last = changes.iter().rev().find(|(change, _)| *change <= at).map(|(_, offset)| *offset);
        let first = || self.observances.iter().min_by_key(|observance| observance.onset).map(|first| first.from);
        last.or_else(first).unwrap_or(Offset::UTC)
    }

    /// Returns the clock changes that are in force around a year, in order.
    fn changes(&self, year: i16) -> Vec<(Timestamp, Offset)> {
        let mut changes: Vec<_> = self.observances.iter().flat_map(|observance| observance.changes(year)).collect();
        changes.sort_by_key(|(at, _)| *at);
        changes
    }
}

impl Observance {
    fn of(part: &Component) -> Option<Self> {
        let onset = local(&part.first("DTSTART")?.value)?;
        let rules = part.all("RRULE").map(|rule| Rule::of(&rule.value, onset)).collect::<Option<_>>()?;
        let dates = part.all("RDATE").flat_map(|dates| dates.value.split(','));
        Some(Self {
            onset,
            from: offset(&part.first("TZOFFSETFROM")?.value)?,
            to: offset(&part.first("TZOFFSETTO")?.value)?,
            rules,
            further: dates.map(local).collect::<Option<_>>()?,
        })
    }

    fn changes(&self, year: i16) -> Vec<(Timestamp, Offset)> {
        let mut changes = Vec::new();
        for local in std::iter::once(&self.onset).chain(&self.further) {
            changes.extend(self.from.to_timestamp(*local).ok());
        }
        for rule in &self.rules {
            let last = rule.until.map_or(year + 1, |until| until.to_zoned(TimeZone::UTC).year().min(year + 1));
            let years = (last - 2).max(self.onset.year())..=last;
            let days = years.filter_map(|year| rule.day_in(year)).map(|day| day.to_datetime(self.onset.time()));
            let onsets = days.filter(|local| *local >= self.onset);
            let instants = onsets.filter_map(|local| self.from.to_timestamp(local).ok());
            changes.extend(instants.filter(|at| rule.until.is_none_or(|until| *at <= until)));
        }
        changes.into_iter().map(|at| (at, self.to)).collect()
    }
}

impl Rule {
    /// Reads a yearly rule; `None` for any other.
    fn of(text: &str, onset: DateTime) -> Option<Self> {
        const KNOWN: [&str; 7] = ["FREQ", "INTERVAL", "UNTIL", "BYMONTH", "BYDAY", "BYMONTHDAY", "WKST"];
        let text = text.trim().to_ascii_uppercase();
        let pairs: Vec<_> = text.split(';').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=')).collect();
        let pairs: Vec<(&str, &str)> = pairs.into_iter().collect::<Option<_>>()?;
        let value = |key: &str| pairs.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        let is_yearly = value("FREQ") == Some("YEARLY") && value("INTERVAL").is_none_or(|interval| interval == "1");
        if !is_yearly || pairs.iter().any(|(name, _)| !KNOWN.contains(name)) {
            return None;
        }
        let month = value("BYMONTH").map_or(Some(onset.month()), |month| month.parse().ok())?;
        let days =
            value("BYMONTHDAY").map(|days| days.split(',').map(|day| day.parse().ok()).collect::<Option<Vec<i8>>>());
        let day = match (value("BYDAY").map(weekday), days) {
            (Some(day), None) => day.and_then(|(nth, day)| Some(Day::Nth(nth?, day)))?,
            (Some(day), Some(days)) => day.and_then(|(nth, day)| nth.is_none().then_some(Day::Among(day, days?)))?,
            (None, Some(days)) => days.and_then(|days| <[i8; 1]>::try_from(days).ok()).map(|[day]| Day::Of(day))?,
            (None, None) => Day::Of(onset.day()),
        };
        let until = value("UNTIL").map(until).map_or(Some(None), |until| until.map(Some))?;
        (1..=12).contains(&month).then_some(Self { month, day, until })
    }

    fn day_in(&self, year: i16) -> Option<Date> {
        let first = Date::new(year, self.month, 1).ok()?;
        match &self.day {
            Day::Nth(nth, weekday) => first.nth_weekday_of_month(*nth, *weekday).ok(),
            Day::Of(day) => Date::new(year, self.month, *day).ok(),
            Day::Among(weekday, days) => days
                .iter()
                .filter_map(|day| Date::new(year, self.month, *day).ok())
                .find(|date| date.weekday() == *weekday),
        }
    }
}

/// Parses a weekday of a rule: `2SU`, `-1SU` or `SU`.
fn weekday(text: &str) -> Option<(Option<i8>, Weekday)> {
    let (nth, day) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let days = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let day = days.iter().position(|name| *name == day)?;
    let day = Weekday::from_monday_zero_offset(i8::try_from(day).ok()?).ok()?;
    let nth = (!nth.is_empty()).then(|| nth.parse::<i8>().ok()).map_or(Some(None), |nth| nth.map(Some))?;
    Some((nth.filter(|nth| *nth != 0), day))
}

/// Returns the latest instant at which a rule may end: a time in UTC as it is; a local time or a date as late
/// as it ends in any zone.
fn until(text: &str) -> Option<Timestamp> {
    match text.strip_suffix('Z') {
        Some(universal) => Offset::UTC.to_timestamp(written_times::local(universal)?).ok(),
        None if text.contains('T') => {
            Offset::UTC.to_timestamp(written_times::local(text)?).ok()?.checked_add(14.hours()).ok()
        }
        None => {
            let date = written_times::date(text)?;
            Offset::UTC.to_timestamp(date.at(23, 59, 59, 0)).ok()?.checked_add(14.hours()).ok()
        }
    }
}

/// Returns a local time; that of a definition for UTC may have a Z.
fn local(text: &str) -> Option<DateTime> {
    let text = text.trim();
    written_times::local(text.strip_suffix(['Z', 'z']).unwrap_or(text))
}

/// Parses an offset: `+0130`, `-050000`.
fn offset(text: &str) -> Option<Offset> {
    let text = text.trim();
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    if !matches!(digits.len(), 4 | 6) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize| digits.get(from..from + 2).map_or(Some(0), |part| part.parse::<i32>().ok());
    let (hours, minutes, seconds) = (part(0)?, part(2)?, part(4)?);
    (minutes < 60 && seconds < 60).then(|| Offset::from_seconds(sign * (hours * 3600 + minutes * 60 + seconds)).ok())?
}

/// Windows names (Unicode CLDR, windowsZones, territory 001) of zones that carriers work in.
const WINDOWS: &[(&str, &str)] = &[
    ("utc", "UTC"),
    ("greenwich standard time", "Atlantic/Reykjavik"),
    ("gmt standard time", "Europe/London"),
    ("w. europe standard time", "Europe/Berlin"),
    ("central europe standard time", "Europe/Budapest"),
    ("central european standard time", "Europe/Warsaw"),
    ("romance standard time", "Europe/Paris"),
    ("fle standard time", "Europe/Kyiv"),
    ("gtb standard time", "Europe/Bucharest"),
    ("e. europe standard time", "Europe/Chisinau"),
    ("turkey standard time", "Europe/Istanbul"),
    ("russian standard time", "Europe/Moscow"),
    ("israel standard time", "Asia/Jerusalem"),
    ("egypt standard time", "Africa/Cairo"),
    ("south africa standard time", "Africa/Johannesburg"),
    ("arab standard time", "Asia/Riyadh"),
    ("arabian standard time", "Asia/Dubai"),
    ("pakistan standard time", "Asia/Karachi"),
    ("india standard time", "Asia/Kolkata"),
    ("se asia standard time", "Asia/Bangkok"),
    ("china standard time", "Asia/Shanghai"),
    ("singapore standard time", "Asia/Singapore"),
    ("taipei standard time", "Asia/Taipei"),
    ("tokyo standard time", "Asia/Tokyo"),
    ("korea standard time", "Asia/Seoul"),
    ("w. australia standard time", "Australia/Perth"),
    ("cen. australia standard time", "Australia/Adelaide"),
    ("e. australia standard time", "Australia/Brisbane"),
    ("aus eastern standard time", "Australia/Sydney"),
    ("new zealand standard time", "Pacific/Auckland"),
    ("eastern standard time", "America/New_York"),
    ("central standard time", "America/Chicago"),
    ("mountain standard time", "America/Denver"),
    ("us mountain standard time", "America/Phoenix"),
    ("pacific standard time", "America/Los_Angeles"),
    ("alaskan standard time", "America/Anchorage"),
    ("hawaiian standard time", "Pacific/Honolulu"),
    ("atlantic standard time", "America/Halifax"),
    ("newfoundland standard time", "America/St_Johns"),
    ("central standard time (mexico)", "America/Mexico_City"),
    ("sa pacific standard time", "America/Bogota"),
    ("sa western standard time", "America/La_Paz"),
    ("pacific sa standard time", "America/Santiago"),
    ("e. south america standard time", "America/Sao_Paulo"),
    ("argentina standard time", "America/Argentina/Buenos_Aires"),
];

/// Returns the zone with that Windows name; `None` for an unknown one.
pub(super) fn of_windows(name: &str) -> Option<TimeZone> {
    let name = name.trim().to_lowercase();
    let (_, zone) = WINDOWS.iter().find(|(windows, _)| *windows == name)?;
    TimeZone::get(zone).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_of_windows_exists() {
        for (name, _) in WINDOWS {
            assert!(of_windows(name).is_some(), "{name}");
        }
    }
}
