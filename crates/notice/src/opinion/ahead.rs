//! Tells whether a mail states a time to come, or a window: whoever does may announce something, whatever the mail calls it.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use super::{
    labels::{self, Label},
    said::{self, Said},
    scan::TimeMention,
    windows::MAX_COMPARED,
};
use crate::{found::Place, source::Source};

/// Lines between a time of day and its date: a cell of a table is a line, and a label stands between them.
const MAX_LINES_TO_DATE: usize = 2;

/// Words before the time at which a fault is expected to be over, or to be told of again: it is no window.
const OF_A_FAULT: &[&str] = &["etr", "ettr", "eta", "next update", "restor", "resolution", "resolved", "cleared"];

/// Returns the line of the first time that a mail announces: one with its date that is not before the mail's own, or a start and an end. Any time
/// counts where the mail has no date. A fault has a start and an end as well: it has begun, and a time tells when it will be over.
pub(crate) fn announced(source: &Source<'_>, is_fault: bool) -> Option<(Place, String)> {
    said::forms(source).iter().find_map(|said| {
        let line = Times { said, written: source.announced_at(), is_fault }.first()?;
        Some((said.place(line), (*said.lines.get(line)?).to_owned()))
    })
}

/// The times of day of one form of a mail.
struct Times<'said> {
    said: &'said Said<'said>,
    written: Option<Timestamp>,
    is_fault: bool,
}

impl Times<'_> {
    /// Returns the line of the first time that is announced.
    fn first(&self) -> Option<usize> {
        let stated = self.said.stated();
        let times = &stated.times;
        let counts = [times.len(), stated.dates.len(), stated.zones.len()];
        // Above the limit none is compared, and each counts.
        let is_compared = counts.iter().all(|count| *count <= MAX_COMPARED);
        let Some(written) = self.written.filter(|_| is_compared) else { return times.first().map(|time| time.line) };
        let (mut starts, mut begun) = (false, None);
        for (index, time) in times.iter().enumerate() {
            let words = self.words(index, time);
            let days = self.days(time);
            let is_to_come = days.iter().any(|day| self.may_be_after(time, *day, written));
            let label = labels::label(&words);
            let is_window = starts && label == Label::End && !days.is_empty() && !self.is_fault;
            let is_of_fault = self.is_fault && (begun == Some(time.line) || self.is_of_fault(&words));
            if (is_to_come || is_window) && !is_of_fault {
                return Some(time.line);
            }
            starts = label == Label::Start;
            begun = (is_of_fault || !is_to_come && !days.is_empty()).then_some(time.line);
        }
        None
    }

    /// Returns whether the words before a time make it that of a fault. What "local time" is need not be known beside a zone.
    fn is_of_fault(&self, words: &str) -> bool {
        let is_twice = has_word(words, "local") && !self.said.stated().zones.is_empty();
        is_twice || OF_A_FAULT.iter().any(|mark| has_word(words, mark))
    }

    /// Returns the words before a time, after the time before it.
    fn words(&self, index: usize, time: &TimeMention) -> String {
        let previous = index.checked_sub(1).and_then(|before| self.said.stated().times.get(before));
        let from = previous.filter(|before| before.line == time.line).map_or(0, |before| before.end);
        self.said.label(time.line, from, time.start)
    }

    /// Returns the days that a time may be on: that of its own date in its line, or those of the lines around it.
    fn days(&self, time: &TimeMention) -> Vec<Date> {
        let stated = self.said.stated();
        let in_line = || stated.dates.iter().filter(|date| date.line == time.line);
        let before = in_line().filter(|date| date.start < time.start).max_by_key(|date| date.start);
        let after = in_line().filter(|date| date.start > time.start).min_by_key(|date| date.start);
        // A line begins with a date, and each time follows its own, or with a time, and each time precedes it.
        let first = stated.times.iter().find(|other| other.line == time.line).map_or(0, |other| other.start);
        let dates_lead = in_line().any(|date| date.start < first);
        let own = if dates_lead { before.or(after) } else { after.or(before) };
        if let Some(own) = own {
            return own.dates.into_iter().flatten().collect();
        }
        let near = stated.dates.iter().filter(|date| date.line.abs_diff(time.line) <= MAX_LINES_TO_DATE);
        near.flat_map(|date| date.dates).flatten().collect()
    }

    /// Returns whether a time is not before the mail in one of the zones of its line, or of the mail.
    fn may_be_after(&self, time: &TimeMention, day: Date, written: Timestamp) -> bool {
        let zones = &self.said.stated().zones;
        let is_own = |line: usize| line == time.line;
        let has_own = zones.iter().any(|(line, _)| is_own(*line));
        let utc = TimeZone::UTC;
        let by_default = zones.is_empty().then_some(&utc);
        let local = day.at(0, 0, 0, 0).checked_add(SignedDuration::from_secs(i64::from(time.seconds)));
        let Ok(local) = local else { return true };
        let stated = zones.iter().filter(|(line, _)| !has_own || is_own(*line)).map(|(_, zone)| zone);
        stated.chain(by_default).any(|zone| zone.to_timestamp(local).map_or(true, |at| at >= written))
    }
}

/// Returns whether a word of a text begins so.
fn has_word(text: &str, beginning: &str) -> bool {
    let begins = |at: usize| text.get(..at).is_some_and(|before| !before.ends_with(char::is_alphanumeric));
    text.match_indices(beginning).any(|(at, _)| begins(at))
}
