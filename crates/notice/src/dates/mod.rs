//! Dates and times as providers write them. Nothing is guessed: what can be read in two ways is not read.

mod format;

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::{AmbiguousOffset, TimeZone},
};

use super::{failure::Failure, found::Found, model::Moment, zones};

/// Reads a local date and time by the first of the formats that fits the whole text, such as `%d-%b-%Y %H:%M[:%S]`.
///
/// A format has the directives of `strftime` that notices need: `%Y %y %m %b %d %H %I %M %S %f %p %a`, `%F %T %R`; what
/// stands in `[]` may be missing. White space in a format is any or none. Names of months and weekdays are read long or short and in any
/// case, days with or without an ordinal (`1st`), `%p` as `AM` or `a.m.`, and a weekday before the date is passed
/// over. `24:00` is the end of the day. A format without a time of day gives none.
pub fn civil(text: &str, formats: &[&str]) -> Option<DateTime> {
    formats.iter().find_map(|format| {
        let parts = format::parse(text, format)?;
        parts.on(parts.date(None)?)
    })
}

/// Reads a date without a time of day. See [`civil`] for the formats.
pub fn date(text: &str, formats: &[&str]) -> Option<Date> {
    formats.iter().find_map(|format| {
        let parts = format::parse(text, format)?;
        (!parts.has_time()).then(|| parts.date(None))?
    })
}

/// Reads a date and time whose year is missing: the year in which it is nearest to the day of the announcement, over
/// New Year as well. `None` where it is not near in any year, or where a weekday that is written says otherwise.
pub fn civil_near(text: &str, formats: &[&str], announced: Date) -> Option<DateTime> {
    formats.iter().find_map(|format| {
        let parts = format::parse(text, format)?;
        let (_, date) = (announced.year() - 1..=announced.year() + 1)
            .filter_map(|year| {
                let date = parts.date(Some(year))?;
                let days = date.since(announced).ok()?.get_days().abs();
                Some((days, date))
            })
            .min()
            .filter(|(days, _)| *days <= NEAR_DAYS)?;
        let is_contradicted = parts.weekday.is_some_and(|weekday| weekday != date.weekday().to_monday_zero_offset());
        (!is_contradicted).then(|| parts.on(date))?
    })
}

/// Maximum distance of a date without a year from its announcement, in days. At half a year two years are equally near.
const NEAR_DAYS: i32 = 150;

/// Reads `FROM separator TO`, where the second may be a time of day alone: then it is the first such time after the
/// start. `None` unless exactly one separator parts two that can be read.
pub fn range(text: &str, separators: &[&str], formats: &[&str], time_formats: &[&str]) -> Option<(DateTime, DateTime)> {
    let mut found = None;
    for separator in separators {
        for (at, _) in text.match_indices(separator) {
            let (Some(from), Some(to)) = (text.get(..at), text.get(at + separator.len()..)) else { continue };
            let Some(start) = civil(from, formats) else { continue };
            let Some(end) = civil(to, formats).or_else(|| next(to, time_formats, start)) else { continue };
            if found.is_some_and(|found| found != (start, end)) {
                return None;
            }
            found = Some((start, end));
        }
    }
    found
}

/// Returns the first moment after `start` at the time of day that the text says.
pub fn next(text: &str, formats: &[&str], start: DateTime) -> Option<DateTime> {
    let parts = formats.iter().find_map(|format| format::parse(text, format))?;
    if parts.month.is_some() || parts.day.is_some() || parts.year.is_some() {
        return None;
    }
    let same_day = parts.on(start.date())?;
    if same_day > start { Some(same_day) } else { parts.on(start.date().tomorrow().ok()?) }
}

/// Returns the instant of a local time in a zone; `None` where the clock skips it or shows it twice.
pub fn instant(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => ambiguous.unambiguous().ok(),
        AmbiguousOffset::Gap { .. } | AmbiguousOffset::Fold { .. } => None,
    }
}

/// Returns the instant of a local time in a zone, which it keeps. See [`instant`].
pub fn moment(local: DateTime, zone: &TimeZone) -> Option<Moment> {
    Some(Moment::in_zone(instant(local, zone)?, zone))
}

/// Returns the instant of a local time in a zone that is named in any way that [`zones::by_name`] knows. `None` also where the name does
/// not fit the season: who writes `EST` in July may mean either.
pub fn moment_at(local: DateTime, zone: &str) -> Option<Moment> {
    moment(local, &zones::by_name(zone)?).filter(|moment| zones::is_in_season(zone, *moment))
}

/// Reads a time that says its zone itself, behind it or in brackets: `01-Jun-2021 15:59:00(UTC)`, `… CEST`,
/// `… GMT+08:00`, `… Eastern Time`. See [`zones::by_name`] for the names.
pub fn zoned(text: &str, formats: &[&str]) -> Option<Moment> {
    let text = text.trim();
    // From the longest name to the shortest: at most the last four words, and what is glued to the last digit.
    let mut found = None;
    for (at, _) in text.char_indices() {
        let (local, name) = text.split_at_checked(at)?;
        if name.len() > LONGEST_ZONE || local.is_empty() || !may_begin_zone(local, name) {
            continue;
        }
        let Some(zone) = zones::by_name(name) else { continue };
        let Some(time) = civil(local, formats).and_then(|local| moment(local, &zone)) else { continue };
        if !zones::is_in_season(name, time) || found.is_some_and(|found| found != time) {
            return None;
        }
        found = Some(time);
    }
    found
}

/// Returns a text that ends in a zone: what `read` makes of the text before it, and the zone. Of several names the longest that leaves
/// something that can be read.
pub fn with_zone<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<(T, TimeZone)> {
    let text = text.trim();
    text.char_indices().find_map(|(at, _)| {
        let (local, name) = text.split_at_checked(at)?;
        if name.len() > LONGEST_ZONE || local.is_empty() || !may_begin_zone(local, name) {
            return None;
        }
        let zone = zones::by_name(name)?;
        Some((read(local)?, zone))
    })
}

const LONGEST_ZONE: usize = 40;

/// Returns whether a zone can begin here: not in the midst of a word or a number.
fn may_begin_zone(local: &str, name: &str) -> bool {
    let before = local.chars().next_back();
    match name.chars().next() {
        Some(first) if first.is_alphabetic() => before.is_some_and(|before| !before.is_alphabetic()),
        Some('(' | '[' | '+' | '-' | '−') => true,
        _ => false,
    }
}

/// Reads a found time in a zone; a failure that quotes it where that is not possible.
pub fn read_in(found: Found<String>, formats: &[&str], zone: &TimeZone) -> Result<Found<Moment>, Failure> {
    let expected = format!("a time like `{}`", formats.first().copied().unwrap_or_default());
    found.try_map(&expected, |text| moment(civil(text, formats)?, zone))
}

/// Reads a found time that says its zone; a failure that quotes it where that is not possible.
pub fn read_zoned(found: Found<String>, formats: &[&str]) -> Result<Found<Moment>, Failure> {
    let expected = format!("a time with a zone, like `{} UTC`", formats.first().copied().unwrap_or_default());
    found.try_map(&expected, |text| zoned(text, formats))
}

/// Reads a time that says itself that it is UTC: it ends in `UTC`, `GMT`, `(GMT)`, `+0000`, `Z` or several of these.
pub fn universal(text: &str, formats: &[&str]) -> Option<Moment> {
    let mut local = text.trim();
    while let Some(rest) = ["UTC", "GMT", "+00:00", "+0000", "Z"].iter().find_map(|zone| {
        let bare = local.strip_suffix(')').and_then(|open| open.strip_suffix(zone)?.strip_suffix('('));
        bare.or_else(|| local.strip_suffix(zone))
    }) {
        local = rest.trim_end();
    }
    let is_stated = local.len() < text.trim().len();
    if is_stated { moment(civil(local, formats)?, &TimeZone::UTC) } else { None }
}

#[cfg(test)]
mod tests {
    use jiff::civil;
    use proptest::prelude::*;

    use super::*;

    fn says(text: &str, format: &str) -> Option<String> {
        civil(text, &[format]).map(|time| time.to_string())
    }

    #[test]
    fn a_format_is_read_as_people_write_it() {
        for (text, format, expected) in [
            ("01-Jun-2021 15:59:00", "%d-%b-%Y %H:%M[:%S]", "2021-06-01T15:59:00"),
            ("1-JUNE-2021 15:59", "%d-%b-%Y %H:%M[:%S]", "2021-06-01T15:59:00"),
            ("Tuesday, 1st June 2021  3:59 p.m.", "%d %B %Y %I:%M %p", "2021-06-01T15:59:00"),
            ("June 1st, 2021 12:00 AM", "%B %d, %Y %I:%M %p", "2021-06-01T00:00:00"),
            ("Sept. 2 2021 12:30PM", "%b %d %Y %I:%M %p", "2021-09-02T12:30:00"),
            ("31/12/21 24:00", "%d/%m/%y %H:%M", "2022-01-01T00:00:00"),
            ("2021-06-01T15:59:00", "%FT%T", "2021-06-01T15:59:00"),
            ("20210601 1559", "%Y%m%d %H%M", "2021-06-01T15:59:00"),
            ("15:59 01/06/2021", "%H:%M %d/%m/%Y", "2021-06-01T15:59:00"),
            ("2021-06-01 15:59:00.000", "%F %T[.%f]", "2021-06-01T15:59:00"),
        ] {
            assert_eq!(says(text, format).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_value_that_does_not_fit_is_not_read() {
        for (text, format) in [
            ("32-Jun-2021 10:00", "%d-%b-%Y %H:%M"),
            ("29-Feb-2021 10:00", "%d-%b-%Y %H:%M"),
            ("01-Jun-2021 10:00 UTC", "%d-%b-%Y %H:%M"),
            ("01-Jun-2021 25:00", "%d-%b-%Y %H:%M"),
            ("01-Jun-2021 24:01", "%d-%b-%Y %H:%M"),
            ("01-Jun-2021 13:00 PM", "%d-%b-%Y %I:%M %p"),
            ("01-Jun-2021 13:00 PM", "%d-%b-%Y %H:%M %p"),
            ("01-Jun-2021 10:60", "%d-%b-%Y %H:%M"),
            ("01-Jun-21 10:00", "%d-%b-%Y %H:%M"),
            ("1nd June 2021 10:00", "%d %B %Y %H:%M"),
            ("01-Jun-2021", "%d-%b-%Y"),
            ("01-Ju-2021 10:00", "%d-%b-%Y %H:%M"),
            ("12/31/2021 10:00", "%d/%m/%Y %H:%M"),
            ("", "%d-%b-%Y %H:%M"),
        ] {
            assert_eq!(says(text, format), None, "{text}");
        }
    }

    #[test]
    fn a_missing_year_is_the_nearest_over_new_year_too() {
        let near =
            |text: &str, announced: Date| civil_near(text, &["%b %d %H:%M"], announced).map(|time| time.to_string());
        let december = civil::date(2030, 12, 20);
        assert_eq!(near("Jan 3 02:00", december).as_deref(), Some("2031-01-03T02:00:00"));
        assert_eq!(near("Dec 30 02:00", december).as_deref(), Some("2030-12-30T02:00:00"));
        assert_eq!(near("Dec 30 02:00", civil::date(2031, 1, 4)).as_deref(), Some("2030-12-30T02:00:00"));
        assert_eq!(near("Jun 20 02:00", december), None, "half a year away may be either year");
        assert_eq!(near("Feb 29 02:00", civil::date(2031, 2, 20)), None);
        assert_eq!(near("Fri Jan 3 02:00", civil::date(2030, 12, 20)).as_deref(), Some("2031-01-03T02:00:00"));
        assert_eq!(near("Mon Jan 3 02:00", civil::date(2030, 12, 20)), None, "a weekday that contradicts the year");
    }

    #[test]
    fn ranges_over_midnight_end_on_the_next_day() {
        let read = |text: &str| {
            range(text, &[" - ", " to "], &["%d %b %Y %H:%M"], &["%H:%M"]).map(|(start, end)| format!("{start} {end}"))
        };
        assert_eq!(read("1 Jun 2031 22:00 - 04:00").as_deref(), Some("2031-06-01T22:00:00 2031-06-02T04:00:00"));
        assert_eq!(read("1 Jun 2031 02:00 to 04:00").as_deref(), Some("2031-06-01T02:00:00 2031-06-01T04:00:00"));
        assert_eq!(
            read("1 Jun 2031 22:00 - 3 Jun 2031 04:00").as_deref(),
            Some("2031-06-01T22:00:00 2031-06-03T04:00:00")
        );
        assert_eq!(read("1 Jun 2031 22:00"), None);
    }

    #[test]
    fn a_zone_stands_behind_the_time() {
        let read = |text: &str| zoned(text, &["%d-%b-%Y %H:%M[:%S]"]).map(|time| time.at().to_string());
        let expected = Some("2031-06-01T14:00:00Z".to_owned());
        for text in [
            "01-Jun-2031 14:00:00(UTC)",
            "01-Jun-2031 16:00 CEST",
            "01-Jun-2031 22:00 GMT+08:00",
            "01-Jun-2031 22:00 (UTC +8)",
            "01-Jun-2031 10:00 Eastern Time",
            "01-Jun-2031 16:00:00+02:00",
            "01-Jun-2031 14:00:00Z",
            "01-Jun-2031 16:00 Europe/Paris",
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        assert_eq!(
            zoned("01-Jun-2031 16:00 CEST", &["%d-%b-%Y %H:%M"]).unwrap().to_string(),
            "2031-06-01T16:00:00+02:00"
        );
        for text in [
            "01-Jun-2031 14:00",
            "01-Jun-2031 14:00 IST",
            "01-Jun-2031 09:00 Eastern Standard Time",
            "01-Jun-2031 09:00 EST",
            "01-Jun-2031 14:00 local",
            "UTC",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_that_the_clock_skips_or_shows_twice_is_no_instant() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(instant(civil::date(2031, 3, 30).at(2, 30, 0, 0), &zone), None);
        assert_eq!(instant(civil::date(2031, 10, 26).at(2, 30, 0, 0), &zone), None);
    }

    #[test]
    fn a_universal_time_says_that_it_is() {
        let read = |text: &str| universal(text, &["%d %b %Y %H:%M"]).map(|time| time.to_string());
        for zone in ["UTC", "GMT", "(GMT)", "+0000 UTC", " Z"] {
            assert_eq!(read(&format!("2 Mar 2031 04:05 {zone}")).as_deref(), Some("2031-03-02T04:05:00Z"), "{zone}");
        }
        for text in ["2 Mar 2031 04:05", "2 Mar 2031 04:05 EST", "UTC", "", "()"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_time_or_none(text in ".{0,60}", day in 1_i8..=28) {
            let formats = ["%a %d %b %Y %I:%M[:%S] %p", "%F %T", "%d/%m/%y %H:%M", "%b %d %R", "%%%q[", "]%"];
            let announced = civil::date(2030, 1, day);
            let _ = (civil(&text, &formats), civil_near(&text, &formats, announced), zoned(&text, &formats));
            let _ = range(&text, &["-", " "], &formats, &["%H:%M"]);
        }

        #[test]
        fn dates_are_read_as_written(seconds in 0_i64..4_000_000_000) {
            let time = Timestamp::from_second(seconds).unwrap().to_zoned(TimeZone::UTC).datetime();
            for format in ["%A, %d %B %Y %I:%M:%S %p", "%F %T", "%d-%b-%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S"] {
                let text = time.strftime(format).to_string();
                prop_assert_eq!(civil(&text, &[format]), Some(time), "{}", text);
            }
        }
    }
}
