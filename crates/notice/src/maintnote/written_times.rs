//! Times and dates as a calendar writes them: digits, without separators.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use crate::dates;

/// Returns a local time: eight digits, `T`, and six digits or four, no more and no fewer.
pub(super) fn local(text: &str) -> Option<DateTime> {
    let (day, time) = text.trim().split_once(['T', 't'])?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole = day.len() == 8 && matches!(time.len(), 4 | 6) && is_number(day) && is_number(time);
    is_whole.then(|| dates::civil(&format!("{day}T{time}"), &["%Y%m%dT%H%M[%S]"]))?
}

/// Returns a date: eight digits.
pub(super) fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    (text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| dates::date(text, &["%Y%m%d"]))?
}

/// Returns a time in UTC.
pub(super) fn universal(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    dates::instant(local(text.strip_suffix(['Z', 'z'])?)?, &TimeZone::UTC)
}
