//! Finds the time zones that a text names: abbreviations, offsets, long names, and the places of local times.

use jiff::tz::TimeZone;

use crate::zones;

/// Returns the zones of lines, of which the first are subjects, with the line that names each. A mail that says that its times are
/// local names the zones of its places as well.
pub(super) fn zones(lines: &[&str], subjects: usize) -> Vec<(usize, TimeZone)> {
    let (mut zones, mut is_local) = (Vec::new(), false);
    for (line, text) in lines.iter().enumerate() {
        is_local |= add_named(text, line, &mut zones);
    }
    if is_local {
        add_places(lines, subjects, &mut zones);
    }
    zones
}

/// Adds the zones that a line names, and returns whether it says that times are local.
fn add_named(text: &str, line: usize, zones: &mut Vec<(usize, TimeZone)>) -> bool {
    let mut is_local = false;
    let mut start = 0;
    while let Some(rest) = text.as_bytes().get(start..) {
        let length = rest.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(rest.len());
        let end = start + length;
        if may_be_zone(text, start, rest.get(..length).unwrap_or_default()) {
            let word = text.get(start..end).unwrap_or_default();
            if let Some(zone) = zone_at(text, word, start, end) {
                zones.push((line, zone));
            } else if word.eq_ignore_ascii_case(LOCAL) {
                is_local = true;
            }
        }
        // A letter that is not of ASCII is passed over byte by byte.
        start = end + 1;
    }
    is_local
}

/// The word that says that times are local.
const LOCAL: &str = "local";

/// Returns `false` for most words that neither end the name of a zone nor say that times are local.
fn may_be_zone(text: &str, start: usize, word: &[u8]) -> bool {
    match word {
        [] => start.checked_sub(1).and_then(|sign| text.as_bytes().get(sign)).is_some_and(|sign| b"+-".contains(sign)),
        [first, ..] => match word.len() {
            1..=3 => first.is_ascii_uppercase() || matches!(first, b'c' | b'g' | b'u'),
            4 => first.is_ascii_uppercase() || matches!(first, b't' | b'z'),
            5 => matches!(first, b'l' | b'L'),
            7 => matches!(first, b'e' | b'E' | b'p' | b'P'),
            _ => false,
        },
    }
}

/// Returns the zone that ends with the word at `start..end`. Between two characters that are no letters the word is empty: an offset
/// without a name begins there.
fn zone_at(text: &str, word: &str, start: usize, end: usize) -> Option<TimeZone> {
    let before = text.get(..start)?;
    if word.is_empty() {
        return bare_offset(text, start);
    }
    if LAST_WORDS.iter().any(|last| last.eq_ignore_ascii_case(word)) {
        return long_name(text, end);
    }
    if word.eq_ignore_ascii_case("utc") || word.eq_ignore_ascii_case("gmt") {
        return universal_time(before, text.get(end..)?);
    }
    let is_abbreviation = word.len() <= 4 && word.bytes().all(|byte| byte.is_ascii_uppercase()) || word == "cet";
    match word.len() {
        _ if !is_abbreviation => None,
        1 => (word == "Z" && ends_in_digit(before)).then_some(TimeZone::UTC),
        // `ET` is a zone after a time alone: elsewhere two letters are a state.
        2 => follows_time(before).then(|| zones::by_name(word)).flatten(),
        _ => zones::by_abbreviation(word),
    }
}

fn ends_in_digit(before: &str) -> bool {
    before.ends_with(|last: char| last.is_ascii_digit())
}

fn follows_time(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '(']);
    ends_in_digit(before) || before.ends_with(['M', 'm'])
}

/// Last words of the long names of zones.
const LAST_WORDS: [&str; 4] = ["time", "eastern", "pacific", "zulu"];
/// Words of the longest name of a zone.
const MAX_WORDS: usize = 4;

/// Returns the zone whose long name ends at `end`; of several the one with the longest name.
fn long_name(text: &str, end: usize) -> Option<TimeZone> {
    let before = text.get(..end)?;
    let starts = before.rmatch_indices([' ', '(', '[']).map(|(at, _)| at + 1).take(MAX_WORDS);
    let starts: Vec<usize> = starts.chain((before.len() <= MAX_NAME).then_some(0)).collect();
    let (start, zone) = starts.iter().rev().find_map(|at| Some((*at, zones::by_name(before.get(*at..)?)?)))?;
    let preceding = before.get(..start)?.trim_end();
    let is_one_word = !before.get(start..)?.contains(' ');
    // "Eastern Europe" and "Asia Pacific" are regions, and "Australian Eastern Time" is another zone.
    let is_of_elsewhere = preceding.ends_with("ian") || preceding.ends_with("ean");
    let is_cell = preceding.is_empty() && text.get(end..)?.trim().is_empty();
    let is_region = is_one_word && !follows_time(preceding) && !is_cell;
    // "Eastern Standard Time" is read at its last word.
    let following = text.get(end..)?.split_whitespace().next().unwrap_or_default();
    let goes_on = is_one_word && NEXT_WORDS.iter().any(|next| next.eq_ignore_ascii_case(following));
    (!is_of_elsewhere && !is_region && !goes_on).then_some(zone)
}

/// Words with which a long name goes on.
const NEXT_WORDS: [&str; 4] = ["time", "standard", "daylight", "summer"];

/// Bytes of the longest name of a zone.
const MAX_NAME: usize = 40;

/// Returns the zone of an offset directly after a time: `22:00+01:00`, `22:00 -0500`.
///
/// A minus before hours and minutes is that of a range, `22:00-02:00`, unless the time has seconds or follows the `T` of a timestamp.
fn bare_offset(text: &str, start: usize) -> Option<TimeZone> {
    let sign = text.get(..start)?.strip_suffix(['+', '-'])?;
    let offset = text.get(sign.len()..)?;
    let length = offset_length(offset).filter(|length| matches!(length, 4 | 5))?;
    let offset = offset.get(..=length)?;
    let time = sign.trim_end();
    let clock = time.len() - time.bytes().rev().take_while(|byte| byte.is_ascii_digit() || *byte == b':').count();
    let (date, clock) = time.split_at_checked(clock)?;
    let is_clock = clock.len() > 3 && clock.as_bytes().get(clock.len() - 3) == Some(&b':');
    let is_timestamp = clock.matches(':').count() == 2 || date.ends_with('T');
    let is_range = offset.starts_with('-') && offset.contains(':') && !is_timestamp;
    (is_clock && !is_range).then(|| zones::by_name(offset)).flatten()
}

/// Returns the zone of `UTC` or `GMT` with the offset after it. `22:00 UTC-23:00` and `22:00 GMT-02:00 GMT` are ranges of times.
fn universal_time(before: &str, after: &str) -> Option<TimeZone> {
    let offset = after.trim_start();
    let Some(length) = offset_length(offset).filter(|length| (1..=5).contains(length)) else {
        return Some(TimeZone::UTC);
    };
    let (offset, rest) = offset.split_at_checked(length + 1)?;
    let names_zone = rest.trim_start().starts_with(|next: char| next.is_ascii_uppercase());
    let is_time = offset.starts_with('-') && offset.contains(':') && ends_in_digit(before.trim_end());
    let is_range = is_time && (names_zone || after.starts_with(' '));
    let zone = (!is_range).then(|| zones::by_name(&format!("UTC{}", offset.trim_end_matches(':')))).flatten();
    Some(zone.unwrap_or(TimeZone::UTC))
}

/// Returns the number of digits and colons after a sign; `None` without a sign.
fn offset_length(text: &str) -> Option<usize> {
    let digits = text.strip_prefix(['+', '-'])?;
    Some(digits.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b':').count())
}

/// Adds the zones of the places that a mail with local times names: anywhere in its subjects, and after "in" in its body.
fn add_places(lines: &[&str], subjects: usize, zones: &mut Vec<(usize, TimeZone)>) {
    for (line, text) in lines.iter().enumerate().take(MAX_LINES) {
        if zones.len() > MAX_ZONES {
            return;
        }
        let parts = text.split(" in ").skip(usize::from(line >= subjects && !text.contains(" - ")));
        for part in parts.flat_map(|part| part.split([';', '.', '|', '(', ':', '-'])) {
            zones.extend(place(part).map(|zone| (ANY_LINE, zone)));
        }
    }
}

/// Returns the zone of the place with which a text begins; of several the one with the longest name.
fn place(text: &str) -> Option<TimeZone> {
    let text = BEFORE_PLACES.iter().fold(text.trim_start(), |text, word| text.strip_prefix(word).unwrap_or(text));
    let ends = text.match_indices(' ').map(|(at, _)| at).chain([text.len()]).take(MAX_PLACE_WORDS);
    let names = ends.filter_map(|end| text.get(..end)).chain(text.split(',').next());
    let known = names.map(|name| name.trim().trim_matches(',')).filter_map(|name| {
        let is_name = name.len() > 3 && name.starts_with(char::is_uppercase);
        is_name.then(|| Some((name.len(), zones::by_city(name)?))).flatten()
    });
    known.max_by_key(|(length, _)| *length).map(|(_, zone)| zone)
}

/// The line of a zone that holds for the times of all lines.
const ANY_LINE: usize = usize::MAX;
/// Words before a place.
const BEFORE_PLACES: [&str; 3] = ["the ", "greater ", "city of "];
/// Words of the longest name of a place.
const MAX_PLACE_WORDS: usize = 6;
/// Zones after which no further place is looked for.
const MAX_ZONES: usize = 100;
/// Lines of a mail in which places are looked for: a notice names its place early.
const MAX_LINES: usize = 200;

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, tz::Offset};

    use super::*;

    /// Returns the offsets that the zones of a text have in April, as `+HH:MM`.
    fn offsets(zones: &[(usize, TimeZone)]) -> Vec<String> {
        let april: Timestamp = "2031-04-10T12:00:00Z".parse().unwrap();
        let text = |offset: Offset| {
            let minutes = offset.seconds() / 60;
            format!("{}{:02}:{:02}", if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60, minutes.abs() % 60)
        };
        zones.iter().map(|(_, zone)| text(zone.to_offset(april))).collect()
    }

    #[test]
    fn zones_in_every_form() {
        for (text, expected) in [
            ("22:00 UTC", &["+00:00"][..]),
            ("22:00 GMT+8", &["+08:00"]),
            ("22:00 (UTC -05:00)", &["-05:00"]),
            ("22:00 UTC-5", &["-05:00"]),
            ("22:00 CET", &["+01:00"]),
            ("22:00 ET", &["-04:00"]),
            ("22:00 Eastern", &["-04:00"]),
            ("Eastern", &["-04:00"]),
            ("10:00 PM Pacific", &["-07:00"]),
            ("22:00 Eastern Time", &["-04:00"]),
            ("22:00 Eastern Standard Time", &["-05:00"]),
            ("22:00 Central European Summer Time", &["+02:00"]),
            ("22:00 Australian Eastern Standard Time", &["+10:00"]),
            ("2031-04-01T22:00+02:00", &["+02:00"]),
            ("2031-04-01T22:00-05:00", &["-05:00"]),
            ("22:00:00-05:00", &["-05:00"]),
            ("22:00 -0500", &["-05:00"]),
            ("0130Z", &["+00:00"]),
        ] {
            let mut zones = Vec::new();
            add_named(text, 0, &mut zones);
            assert_eq!(offsets(&zones), expected, "{text}");
        }
    }

    #[test]
    fn the_sign_of_a_range_is_that_of_no_offset() {
        for (text, expected) in [
            ("22:00-02:00", &[][..]),
            ("22:00 -02:00", &[]),
            ("22:00:00-02:00:00", &[]),
            ("22:00-02:00 UTC", &["+00:00"]),
            ("22:00 UTC - 23:00 UTC", &["+00:00", "+00:00"]),
            ("22:00 UTC-23:00 UTC", &["+00:00", "+00:00"]),
            ("22:00 UTC-02:00 UTC", &["+00:00", "+00:00"]),
            ("22:00 UTC-23:00", &["+00:00"]),
        ] {
            let mut zones = Vec::new();
            add_named(text, 0, &mut zones);
            assert_eq!(offsets(&zones), expected, "{text}");
        }
    }

    #[test]
    fn a_region_is_no_zone() {
        for text in [
            "Eastern Europe",
            "The Pacific",
            "Asia Pacific 2",
            "Australian Eastern 22:00",
            "Portland, ME",
            "maintenance time",
        ] {
            let mut zones = Vec::new();
            add_named(text, 0, &mut zones);
            assert_eq!(offsets(&zones), [""; 0], "{text}");
        }
    }

    #[test]
    fn places_of_local_times() {
        for (text, expected) in [
            ("Work in Paris on 1 April", Some("+02:00")),
            ("Work in New York", Some("-04:00")),
            ("Work in the Frankfurt, Germany", Some("+02:00")),
            ("Work in Nowhere on 1 April", None),
        ] {
            let mut zones = Vec::new();
            add_places(&[text], 0, &mut zones);
            assert_eq!(offsets(&zones).first().map(String::as_str), expected, "{text}");
        }
    }
}
