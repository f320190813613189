//! Parses the values of arguments: times, durations, rates, types of events.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo, Timestamp};

/// Parses a number of seconds, with or without its unit.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 =
        text.trim_end_matches('s').parse().map_err(|_| format!("`{text}` is not a number of seconds"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// A rate of repeated calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Time from one call to the next.
    pub interval: Duration,
}

/// Parses a rate, in repetitions a second.
pub(super) fn rate(text: &str) -> Result<Rate, String> {
    let number: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    let in_range = (0.01..=1000.0).contains(&number);
    let rate = in_range.then(|| Rate { interval: Duration::from_secs_f64(1.0 / number) });
    rate.ok_or_else(|| "expected a number between 0.01 and 1000".to_owned())
}

/// Parses a type of events, in SES's words; blanks, lines and case do not matter.
pub(super) fn kind(text: &str) -> Result<events::Kind, String> {
    match events::Kind::of(text) {
        events::Kind::Other(_) => {
            let known: Vec<String> = events::Kind::all().map(|kind| format!("`{}`", kind.as_str())).collect();
            Err(format!("`{text}` is not a type of events; they are {}", known.join(", ")))
        }
        kind => Ok(kind),
    }
}

/// Parses a duration of one unit or more, such as `30s` or `1h30m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration such as `30s` or `10m`");
    let span: Span = text.parse().map_err(|_| wrong())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    Duration::try_from(duration).map_err(|_| wrong())
}

/// Parses a time with its offset, or a duration as that long ago.
pub(super) fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let wrong = || format!("`{text}` is neither a time such as `2027-01-05T10:00:00Z` nor a duration such as `15m`");
    let span: Span = text.parse().map_err(|_| wrong())?;
    let long_ago = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    Timestamp::now().checked_sub(long_ago.abs()).map_err(|_| wrong())
}
