//! Durations, sizes and numbers, within bounds.

use std::time::Duration;

use super::wrong::Wrong;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Description of a duration, for messages.
pub(super) const DURATION: &str = "a duration such as `30s`, `15m`, `12h` or `14d`";
/// Description of a size, for messages.
pub(super) const SIZE: &str = "a size such as `256MB`";

/// Parses a duration within bounds: `30s`, `15m`, `12h`, `400d`.
pub(super) fn duration(text: &str, least: Duration, most: Duration) -> Result<Duration, Wrong> {
    let (number, unit) = split(text);
    let seconds = match unit {
        "s" => 1,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        "" if !number.is_empty() => {
            return Err(Wrong::default().hint(format!("say the unit, such as `{number}s` or `{number}d`")));
        }
        _ => {
            return Err(match written_otherwise(text) {
                None => Wrong::default(),
                Some(meant) if meant < least || meant > most => between(least, most),
                Some(meant) => Wrong::default().hint(format!("write it as `{}`", spell(meant))),
            });
        }
    };
    let number: u64 = number.parse().map_err(|_| Wrong::default())?;
    let duration = Duration::from_secs(number.checked_mul(seconds).ok_or_else(Wrong::default)?);
    if duration < least || duration > most {
        return Err(between(least, most));
    }
    Ok(duration)
}

fn between(least: Duration, most: Duration) -> Wrong {
    Wrong::expected(format!("between `{}` and `{}`", spell(least), spell(most)))
}

/// Returns the duration that a text of several units, or of longer ones, means: `1h30m`, `15 min`; `None` if it is none.
fn written_otherwise(text: &str) -> Option<Duration> {
    let lower = text.to_ascii_lowercase();
    let (mut rest, mut seconds) = (lower.trim(), 0_u64);
    while !rest.is_empty() {
        let (number, behind) = split(rest);
        let letters = behind.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, next) = behind.split_at_checked(letters)?;
        let unit = match unit {
            "s" | "sec" | "secs" | "second" | "seconds" => 1,
            "m" | "min" | "mins" | "minute" | "minutes" => MINUTE,
            "h" | "hr" | "hrs" | "hour" | "hours" => HOUR,
            "d" | "day" | "days" => DAY,
            _ => return None,
        };
        seconds = seconds.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = next.trim_start();
    }
    Some(Duration::from_secs(seconds))
}

/// Returns a duration in its largest whole unit, as a declaration has it.
pub(super) fn spell(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (size, unit) = [(DAY, "d"), (HOUR, "h"), (MINUTE, "m")]
        .into_iter()
        .find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size))
        .unwrap_or((1, "s"));
    format!("{}{unit}", seconds / size)
}

/// Parses a whole number of days, after which S3 can expire objects.
pub(super) fn days(text: &str) -> Result<Duration, Wrong> {
    let duration = duration(text, Duration::from_secs(1), Duration::from_secs(36_500 * DAY))?;
    if duration.as_secs().is_multiple_of(DAY) {
        Ok(duration)
    } else {
        Err(Wrong::expected("a whole number of days").hint("S3 expires objects by the day, such as `400d`"))
    }
}

/// Parses a size within bounds: `128MB`, `1GB`. Lambda's megabytes are MiB.
pub(super) fn megabytes(text: &str, least: u32, most: u32) -> Result<u32, Wrong> {
    let (number, unit) = split(text);
    let factor = match unit {
        "MB" | "MiB" => 1,
        "GB" | "GiB" => 1024,
        "" if !number.is_empty() => return Err(Wrong::default().hint(format!("say the unit: `{number}MB`"))),
        _ => {
            let meant = match unit.to_ascii_lowercase().as_str() {
                "m" | "mb" | "mib" if !number.is_empty() => "MB",
                "g" | "gb" | "gib" if !number.is_empty() => "GB",
                _ => return Err(Wrong::default()),
            };
            return Err(Wrong::default().hint(format!("write it as `{number}{meant}`")));
        }
    };
    let number: u32 = number.parse().map_err(|_| Wrong::default())?;
    let size = number.checked_mul(factor).ok_or_else(Wrong::default)?;
    if (least..=most).contains(&size) {
        Ok(size)
    } else {
        Err(Wrong::expected(format!("between `{least}MB` and `{most}MB`")))
    }
}

/// Parses a number of days that must be one of several.
pub(super) fn one_of_days(text: &str, allowed: &[u16]) -> Result<u16, Wrong> {
    let duration = duration(text, Duration::ZERO, Duration::from_secs(36_500 * DAY))?;
    let found = allowed.iter().find(|days| Duration::from_secs(u64::from(**days) * DAY) == duration);
    found.copied().ok_or_else(|| {
        let days: Vec<_> = allowed.iter().map(|days| format!("{days}d")).collect();
        Wrong::expected(format!("one of {}", days.join(", ")))
    })
}

/// Parses a whole number within bounds.
pub(super) fn number<T: TryFrom<u32>>(text: &str, least: u32, most: u32) -> Result<T, Wrong> {
    let number: u32 = text.parse().map_err(|_| Wrong::default())?;
    if !(least..=most).contains(&number) {
        return Err(Wrong::default());
    }
    T::try_from(number).map_err(|_| Wrong::default())
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at_checked(digits).map_or((text, ""), |(number, unit)| (number, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_otherwise_is_shown_as_it_is_to_be_written() {
        let durations = |text: &str| duration(text, Duration::from_secs(1), Duration::from_hours(24)).unwrap_err().hint;
        for (text, hint) in [
            ("1h30m", Some("write it as `90m`")),
            ("1H 30Min", Some("write it as `90m`")),
            ("15 minutes", Some("write it as `15m`")),
            ("90sec", Some("write it as `90s`")),
            ("15", Some("say the unit, such as `15s` or `15d`")),
            ("2days", None),
            ("1h-5m", None),
            ("m", None),
            ("1.5h", None),
            ("99999999999999999999min", None),
            ("", None),
        ] {
            assert_eq!(durations(text).as_deref(), hint, "{text}");
        }
        let too_long = duration("2 days", Duration::ZERO, Duration::from_hours(24)).unwrap_err();
        assert_eq!(too_long.expected.as_deref(), Some("between `0s` and `1d`"));
        let sizes = |text: &str| megabytes(text, 128, 10_240).unwrap_err().hint;
        for (text, hint) in [
            ("256mb", Some("write it as `256MB`")),
            ("1 g", Some("write it as `1GB`")),
            ("256", Some("say the unit: `256MB`")),
            ("256KB", None),
            ("mb", None),
        ] {
            assert_eq!(sizes(text).as_deref(), hint, "{text}");
        }
    }
}
