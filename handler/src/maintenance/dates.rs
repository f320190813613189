//! Dates and times as providers write them. Nothing is guessed: what can be read in two ways is not read.

use jiff::{
    Timestamp,
    civil::DateTime,
    fmt::strtime,
    tz::{AmbiguousOffset, TimeZone},
};

/// Reads a local date and time by the first of the formats that fits the whole text.
/// The formats are those of [`jiff::fmt::strtime`], such as `%d-%b-%Y %H:%M`.
pub fn civil(text: &str, formats: &[&str]) -> Option<DateTime> {
    let text = text.trim();
    formats.iter().find_map(|format| strtime::parse(format, text).ok()?.to_datetime().ok())
}

/// The instant of a local time in a zone; `None` where the clock skips it or shows it twice.
pub fn instant(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => ambiguous.unambiguous().ok(),
        AmbiguousOffset::Gap { .. } | AmbiguousOffset::Fold { .. } => None,
    }
}

/// Reads a time that says itself that it is UTC: it ends in `UTC`, `GMT`, `(GMT)`, `+0000`, `Z` or several of these.
pub fn universal(text: &str, formats: &[&str]) -> Option<Timestamp> {
    let mut local = text.trim();
    while let Some(rest) = ["UTC", "GMT", "+00:00", "+0000", "Z"].iter().find_map(|zone| {
        let bare = local.strip_suffix(')').and_then(|open| open.strip_suffix(zone)?.strip_suffix('('));
        bare.or_else(|| local.strip_suffix(zone))
    }) {
        local = rest.trim_end();
    }
    let is_stated = local.len() < text.trim().len();
    if is_stated { instant(civil(local, formats)?, &TimeZone::UTC) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
