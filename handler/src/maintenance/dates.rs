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
