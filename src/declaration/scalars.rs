//! How sizes, durations, names and recipients are written.

use std::time::Duration;

use super::{Recipient, reader::Wrong};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What a duration looks like, for messages.
pub(super) const DURATION: &str = "a duration such as `30s`, `15m`, `12h` or `14d`";
/// What a size looks like, for messages.
pub(super) const SIZE: &str = "a size such as `256MB`";

/// `30s`, `15m`, `12h`, `400d`, within bounds.
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
        _ => return Err(Wrong::default()),
    };
    let number: u64 = number.parse().map_err(|_| Wrong::default())?;
    let duration = Duration::from_secs(number.checked_mul(seconds).ok_or_else(Wrong::default)?);
    if duration < least || duration > most {
        return Err(Wrong::expected(format!("between `{}` and `{}`", spell(least), spell(most))));
    }
    Ok(duration)
}

/// A duration in its largest whole unit, as it would be written.
pub(super) fn spell(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (size, unit) = [(DAY, "d"), (HOUR, "h"), (MINUTE, "m")]
        .into_iter()
        .find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size))
        .unwrap_or((1, "s"));
    format!("{}{unit}", seconds / size)
}

/// A whole number of days: what S3 can expire after.
pub(super) fn days(text: &str) -> Result<Duration, Wrong> {
    let duration = duration(text, Duration::from_secs(1), Duration::from_secs(36_500 * DAY))?;
    if duration.as_secs().is_multiple_of(DAY) {
        Ok(duration)
    } else {
        Err(Wrong::expected("a whole number of days").hint("S3 expires objects by the day, such as `400d`"))
    }
}

/// `128MB`, `1GB`: mebibytes in Lambda's words, within bounds.
pub(super) fn megabytes(text: &str, least: u32, most: u32) -> Result<u32, Wrong> {
    let (number, unit) = split(text);
    let factor = match unit {
        "MB" | "MiB" => 1,
        "GB" | "GiB" => 1024,
        "" if !number.is_empty() => return Err(Wrong::default().hint(format!("say the unit: `{number}MB`"))),
        _ => return Err(Wrong::default()),
    };
    let number: u32 = number.parse().map_err(|_| Wrong::default())?;
    let size = number.checked_mul(factor).ok_or_else(Wrong::default)?;
    if (least..=most).contains(&size) {
        Ok(size)
    } else {
        Err(Wrong::expected(format!("between `{least}MB` and `{most}MB`")))
    }
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at_checked(digits).map_or((text, ""), |(number, unit)| (number, unit.trim_start()))
}

/// A whole number within bounds.
pub(super) fn number(text: &str, least: u8, most: u8) -> Result<u8, Wrong> {
    let number = text.parse().map_err(|_| Wrong::default())?;
    if (least..=most).contains(&number) { Ok(number) } else { Err(Wrong::default()) }
}

/// What an entry, a stack or a rule may be called: names in AWS are made of it, and a bucket's name has lower case
/// letters, digits and hyphens alone.
pub(super) fn name(text: &str, longest: usize) -> Result<String, Wrong> {
    let sound = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.len() <= longest;
    if sound {
        return Ok(text.to_owned());
    }
    let mended: String = text
        .to_lowercase()
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character } else { '-' })
        .skip_while(|character| !character.is_ascii_lowercase())
        .take(longest)
        .collect();
    let mended = mended.trim_end_matches('-');
    let wrong = Wrong::expected(format!("a name of lower case letters, digits and hyphens, at most {longest}"));
    Err(if mended.is_empty() { wrong } else { wrong.hint(format!("for example `{mended}`")) })
}

/// An AWS region's name by its form: the list of regions grows, and not all of them receive mail.
pub(super) fn region(text: &str) -> Result<String, Wrong> {
    let parts: Vec<_> = text.split('-').collect();
    let sound = matches!(parts.as_slice(), [area, .., number]
        if parts.len() >= 3 && area.len() >= 2 && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        && parts
            .iter()
            .rev()
            .skip(1)
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase()));
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// The name of a Cargo package or binary.
pub(super) fn cargo_name(text: &str) -> Result<String, Wrong> {
    let sound = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        && !text.starts_with('-');
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// The name of an environment variable as Lambda takes it; those that Lambda or we set are refused.
pub(super) fn variable(text: &str) -> Result<String, Wrong> {
    let sound = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.len() > 1
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !sound {
        return Err(Wrong::expected("a name of letters, digits and `_` that begins with a letter"));
    }
    if text.starts_with("AWS_") || text.starts_with("LAMBDA_") || text.starts_with("PROVISION_") || text == "_HANDLER" {
        return Err(Wrong::expected("a name that is not reserved (`AWS_…`, `LAMBDA_…`, `PROVISION_…`)"));
    }
    Ok(text.to_owned())
}

/// The name of a secret in Secrets Manager.
pub(super) fn secret(text: &str) -> Result<String, Wrong> {
    let sound = !text.is_empty()
        && text.len() <= 512
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte));
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// The beginning of object keys: empty, or ends with `/`.
pub(super) fn prefix(text: &str) -> Result<String, Wrong> {
    if text.starts_with('/') {
        return Err(Wrong::expected("a prefix without a `/` at its beginning"));
    }
    if !text.is_empty() && !text.ends_with('/') {
        return Err(Wrong::expected("empty or end with `/`").hint(format!("write `{text}/`")));
    }
    let sound =
        text.len() <= 512 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/!-_.*'()".contains(&byte));
    if sound {
        Ok(text.to_owned())
    } else {
        Err(Wrong::expected("a prefix of letters, digits and `/!-_.*'()`, at most 512"))
    }
}

/// Whom a rule takes mail for: an address, a domain, or every domain below one.
pub(super) fn recipient(text: &str) -> Result<Recipient, Wrong> {
    if let Some((local, domain)) = text.rsplit_once('@') {
        if local == "*" && is_domain(domain) {
            return Err(Wrong::default().hint(format!("for every address of the domain write `{domain}`")));
        }
        let local_is_sound = !local.is_empty()
            && local.len() <= 64
            && local.chars().all(|c| c.is_ascii_graphic() && !"<>@,;:\"()[]\\".contains(c));
        return if local_is_sound && is_domain(domain) {
            Ok(Recipient::Address(format!("{local}@{}", domain.to_ascii_lowercase())))
        } else {
            Err(bare(text))
        };
    }
    if let Some(domain) = text.strip_prefix("*.").filter(|domain| is_domain(domain)) {
        return Err(Wrong::default().hint(format!("for every sub-domain write `.{domain}`")));
    }
    match text.strip_prefix('.') {
        Some(domain) if is_domain(domain) => Ok(Recipient::SubDomains(domain.to_ascii_lowercase())),
        None if is_domain(text) => Ok(Recipient::Domain(text.to_ascii_lowercase())),
        _ => Err(bare(text)),
    }
}

fn bare(text: &str) -> Wrong {
    let inner = text.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address);
    match inner {
        Some(address) => Wrong::default().hint(format!("write the address alone: `{address}`")),
        None if !text.is_ascii() => Wrong::default().hint("write names beyond ASCII in their `xn--` form"),
        None => Wrong::default(),
    }
}

fn is_domain(text: &str) -> bool {
    let labels: Vec<_> = text.split('.').collect();
    text.len() <= 253
        && labels.len() >= 2
        && labels.iter().all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}
