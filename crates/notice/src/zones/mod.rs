//! Time zones as providers name them: abbreviations, offsets, names and cities. What has two meanings has none here.
//! The zone data is built in: no network, no files of the system.

mod cities;

use jiff::tz::{Offset, TimeZone};

use super::model::Moment;

/// Abbreviations with the one offset, in minutes, that they have in carriers' notices.
///
/// Some have other meanings elsewhere and are decided here: `CST` is that of Chicago (Chinese carriers write `UTC+8`,
/// `HKT` or `GMT`), `BST` is London's summer, `GST` the Gulf's. `IST` (India, Ireland, Israel), `AST` (Atlantic,
/// Arabia) and `SST` are read by no carrier alike and stay out.
const ABBREVIATIONS: &[(&str, i32)] = &[
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("UCT", 0),
    ("WET", 0),
    ("WEST", 60),
    ("BST", 60),
    ("CET", 60),
    ("CEST", 120),
    ("MEZ", 60),
    ("MESZ", 120),
    ("EET", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("TRT", 180),
    ("SAST", 120),
    ("EAT", 180),
    ("WAT", 60),
    ("GST", 240),
    ("PKT", 300),
    ("ICT", 420),
    ("WIB", 420),
    ("SGT", 480),
    ("HKT", 480),
    ("MYT", 480),
    ("PHT", 480),
    ("AWST", 480),
    ("JST", 540),
    ("KST", 540),
    ("ACST", 570),
    ("ACDT", 630),
    ("AEST", 600),
    ("AEDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
    ("BRT", -180),
    ("ART", -180),
    ("UYT", -180),
    ("NST", -210),
    ("NDT", -150),
    ("ADT", -180),
    ("EST", -300),
    ("EDT", -240),
    ("COT", -300),
    ("PET", -300),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
    ("AKST", -540),
    ("AKDT", -480),
    ("HST", -600),
];

/// Names that are long for an abbreviation.
const NAMES: &[(&str, &str)] = &[
    ("coordinated universal time", "UTC"),
    ("universal time", "UTC"),
    ("zulu", "UTC"),
    ("greenwich mean time", "GMT"),
    ("british summer time", "BST"),
    ("central european time", "CET"),
    ("central european standard time", "CET"),
    ("central european summer time", "CEST"),
    ("eastern european time", "EET"),
    ("eastern european summer time", "EEST"),
    ("western european time", "WET"),
    ("western european summer time", "WEST"),
    ("eastern standard time", "EST"),
    ("eastern daylight time", "EDT"),
    ("central standard time", "CST"),
    ("central daylight time", "CDT"),
    ("mountain standard time", "MST"),
    ("mountain daylight time", "MDT"),
    ("pacific standard time", "PST"),
    ("pacific daylight time", "PDT"),
    ("singapore time", "SGT"),
    ("singapore standard time", "SGT"),
    ("hong kong time", "HKT"),
    ("japan standard time", "JST"),
    ("korea standard time", "KST"),
    ("australian eastern standard time", "AEST"),
    ("australian eastern daylight time", "AEDT"),
    ("india standard time", "UTC+5:30"),
    ("indian standard time", "UTC+5:30"),
    ("irish standard time", "UTC+1"),
];

/// Names of a region's time, whichever offset it has on that day.
const REGIONS: &[(&str, &str)] = &[
    ("et", "America/New_York"),
    ("eastern time", "America/New_York"),
    ("us eastern time", "America/New_York"),
    ("eastern", "America/New_York"),
    ("ct", "America/Chicago"),
    ("central time", "America/Chicago"),
    ("us central time", "America/Chicago"),
    ("mt", "America/Denver"),
    ("mountain time", "America/Denver"),
    ("us mountain time", "America/Denver"),
    ("pt", "America/Los_Angeles"),
    ("pacific time", "America/Los_Angeles"),
    ("us pacific time", "America/Los_Angeles"),
    ("pacific", "America/Los_Angeles"),
    ("uk time", "Europe/London"),
    ("london time", "Europe/London"),
];

/// Returns the zone of an abbreviation such as `UTC`, `GMT`, `EST` or `CEST`; `None` for those that mean several.
pub fn by_abbreviation(name: &str) -> Option<TimeZone> {
    let name = name.trim();
    let (_, minutes) = ABBREVIATIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    fixed(*minutes)
}

/// Returns the zone of a name in any form but a city's: an abbreviation, an offset (`UTC+8`, `GMT-05:00`, `+0100`), a long name
/// (`Eastern Daylight Time`), a region's time (`ET`, `Pacific Time`), or an IANA name (`Europe/Paris`). Brackets around it are
/// passed over.
pub fn by_name(name: &str) -> Option<TimeZone> {
    let name = short_name(name);
    let lower = name.to_lowercase();
    by_abbreviation(name).or_else(|| by_offset(name)).or_else(|| {
        let region = REGIONS.iter().find(|(region, _)| *region == lower).map(|(_, zone)| *zone);
        let iana = region.or_else(|| (name.contains('/') && name.len() <= 40).then_some(name))?;
        TimeZone::get(iana).ok()
    })
}

/// Abbreviations of the one half of a North American year, and a region whose clock they are of. Whoever writes one of them in the
/// other half may mean the clock of that day, or may mean what stands there.
const SEASONAL: &[(&str, &str)] = &[
    ("EST", "America/New_York"),
    ("EDT", "America/New_York"),
    ("CST", "America/Chicago"),
    ("CDT", "America/Chicago"),
    ("MST", "America/Denver"),
    ("MDT", "America/Denver"),
    ("PST", "America/Los_Angeles"),
    ("PDT", "America/Los_Angeles"),
    ("AKST", "America/Anchorage"),
    ("AKDT", "America/Anchorage"),
];

/// Returns whether a zone of that name is in use at that moment: `EST` is not in July.
pub fn is_in_season(name: &str, moment: Moment) -> bool {
    let name = short_name(name);
    let Some((_, region)) = SEASONAL.iter().find(|(season, _)| season.eq_ignore_ascii_case(name)) else { return true };
    TimeZone::get(region).is_ok_and(|region| region.to_offset(moment.at()) == moment.offset())
}

/// Returns the abbreviation of a long name; any other name without marks around it.
fn short_name(name: &str) -> &str {
    let name =
        name.trim_matches(|mark: char| mark.is_whitespace() || matches!(mark, '(' | ')' | '[' | ']' | '.' | ','));
    NAMES.iter().find(|(long, _)| long.eq_ignore_ascii_case(name)).map_or(name, |(_, short)| *short)
}

/// Returns the zone of a city such as `Chicago, IL` or `Frankfurt`; `None` for one that we do not know or that is ambiguous.
pub fn by_city(city: &str) -> Option<TimeZone> {
    TimeZone::get(cities::zone_of(city)?).ok()
}

/// Reads `UTC+8`, `GMT -05:00`, `+0100`, `UTC+5:30`.
fn by_offset(text: &str) -> Option<TimeZone> {
    let upper = text.to_ascii_uppercase();
    let offset = upper.strip_prefix("UTC").or_else(|| upper.strip_prefix("GMT")).unwrap_or(&upper).trim();
    let (sign, digits) = match offset.chars().next()? {
        '+' => (1, offset.get(1..)?),
        '-' => (-1, offset.get(1..)?),
        '−' | '–' => (-1, offset.get('−'.len_utf8()..)?),
        _ => return None,
    };
    let digits = digits.trim();
    let (hours, minutes) = match (digits.split_once(':'), digits.len()) {
        (Some((hours, minutes)), _) if minutes.len() == 2 => (hours, minutes),
        (None, 1 | 2) => (digits, "0"),
        (None, 4) => digits.split_at_checked(2)?,
        _ => return None,
    };
    let is_number = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number(hours) || !is_number(minutes) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && minutes < 60).then(|| fixed(sign * (hours * 60 + minutes))).flatten()
}

fn fixed(minutes: i32) -> Option<TimeZone> {
    Some(TimeZone::fixed(Offset::from_seconds(minutes * 60).ok()?))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn utc(name: &str, month: i8) -> Option<String> {
        let local = date(2024, month, 10).at(12, 0, 0, 0);
        Some(by_name(name)?.to_timestamp(local).ok()?.strftime("%H:%M").to_string())
    }

    #[test]
    fn names_in_every_form() {
        for (name, noon) in [
            ("UTC", "12:00"),
            ("(gmt)", "12:00"),
            ("CEST", "10:00"),
            ("EST", "17:00"),
            ("UTC+8", "04:00"),
            ("GMT-05:00", "17:00"),
            ("UTC +05:30", "06:30"),
            ("+0100", "11:00"),
            ("-0930", "21:30"),
            ("GMT−3", "15:00"),
            ("Eastern Daylight Time", "16:00"),
            ("India Standard Time", "06:30"),
            ("Europe/Paris", "10:00"),
            ("ET", "16:00"),
        ] {
            assert_eq!(utc(name, 7).as_deref(), Some(noon), "{name}");
        }
        assert_eq!(utc("ET", 1).as_deref(), Some("17:00"));
        assert_eq!(utc("Pacific Time", 1).as_deref(), Some("20:00"));
    }

    #[test]
    fn an_ambiguous_abbreviation_has_no_zone() {
        for name in ["IST", "AST", "SST", "XYZ", "", "local time", "+", "UTC+", "+25", "UTC+8x", "+1:5", "UTC+08:75"] {
            assert!(by_name(name).is_none(), "{name}");
        }
    }

    #[test]
    fn an_abbreviation_is_of_half_a_year() {
        let at = |name: &str, month| {
            let local = date(2024, month, 10).at(12, 0, 0, 0);
            super::super::dates::moment_at(local, name).is_some()
        };
        for (name, january, july) in [
            ("EST", true, false),
            ("EDT", false, true),
            ("Pacific Standard Time", true, false),
            ("CDT", false, true),
            ("ET", true, true),
            ("GMT", true, true),
            ("UTC-5", true, true),
            ("HST", true, true),
            ("CET", true, true),
        ] {
            assert_eq!((at(name, 1), at(name, 7)), (january, july), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_name_is_a_zone_or_none(name in ".{0,60}") {
            let _ = (by_name(&name), by_city(&name));
        }
    }
}
