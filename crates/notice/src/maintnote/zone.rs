//! Zones that a calendar brings along: VTIMEZONE definitions, and the names of Windows that Outlook writes.

use jiff::tz::TimeZone;

use super::content::Component;

/// The zone that a VTIMEZONE defines: by the IANA name that it states, else by its offsets and yearly rules.
/// `None` for a definition that changes in another way.
pub(super) fn defined(definition: &Component) -> Option<TimeZone> {
    if let Some(zone) = definition.first("X-LIC-LOCATION").and_then(|name| TimeZone::get(name.value.trim()).ok()) {
        return Some(zone);
    }
    let mut standard = None;
    let mut daylight = None;
    for part in &definition.components {
        let slot = if part.is("STANDARD") {
            &mut standard
        } else if part.is("DAYLIGHT") {
            &mut daylight
        } else {
            continue;
        };
        // Several rules of one sort are history; which one holds would be a guess.
        if slot.replace(part).is_some() {
            return None;
        }
    }
    let standard = standard?;
    let offset = posix_offset(&standard.first("TZOFFSETTO")?.value)?;
    let Some(daylight) = daylight else { return TimeZone::posix(&format!("<STD>{offset}")).ok() };
    let (to_daylight, to_standard) = (posix_rule(daylight)?, posix_rule(standard)?);
    let summer = posix_offset(&daylight.first("TZOFFSETTO")?.value)?;
    TimeZone::posix(&format!("<STD>{offset}<DST>{summer},{to_daylight},{to_standard}")).ok()
}

/// `+0130` as POSIX writes it: west of Greenwich is positive.
fn posix_offset(offset: &str) -> Option<String> {
    let offset = offset.trim();
    let (sign, digits) = match offset.split_at_checked(1)? {
        ("+", digits) => ("-", digits),
        ("-", digits) => ("+", digits),
        _ => return None,
    };
    if !matches!(digits.len(), 4 | 6) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.get(..4)?.split_at_checked(2)?;
    Some(format!("{sign}{hours}:{minutes}"))
}

/// A yearly rule as POSIX writes it: `M3.5.0/2`.
fn posix_rule(part: &Component) -> Option<String> {
    let rule = part.first("RRULE")?.value.to_ascii_uppercase();
    let value = |key: &str| {
        rule.split(';').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == key).map(|(_, value)| value)
    };
    if value("FREQ")? != "YEARLY"
        || value("INTERVAL").is_some_and(|interval| interval != "1")
        || value("UNTIL").is_some()
    {
        return None;
    }
    let month: u8 = value("BYMONTH")?.parse().ok().filter(|month| (1..=12).contains(month))?;
    let day = value("BYDAY")?;
    let (week, day) = day.split_at_checked(day.len().checked_sub(2)?)?;
    let week = match week {
        "-1" => 5,
        "1" | "+1" => 1,
        "2" | "+2" => 2,
        "3" | "+3" => 3,
        "4" | "+4" => 4,
        _ => return None,
    };
    let day = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"].iter().position(|name| *name == day)?;
    let start = &part.first("DTSTART")?.value;
    let (_, time) = start.split_once('T')?;
    let (hour, minute) = time.get(..4)?.split_at_checked(2)?;
    let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.parse().ok()?);
    Some(format!("M{month}.{week}.{day}/{hour}:{minute:02}"))
}

/// Names of Windows (Unicode CLDR, windowsZones, territory 001) of zones that carriers work in.
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

/// The zone that Windows calls so.
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
