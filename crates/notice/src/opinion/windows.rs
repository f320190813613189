//! Compares the windows that were read with the mail: each must be stated on its days, at its times of day in the zones that the mail
//! names, under labels of a start and an end, and with its end as the next time of day behind its start.

use std::collections::HashMap;

use jiff::{
    SignedDuration, Timestamp,
    tz::{Offset, TimeZone},
};

use super::{
    Answer,
    labels::{self, Label},
    said::Said,
    scan::{DateMention, Stated, TimeMention},
};
use crate::{
    failure::Failure,
    model::{Maintenance, Moment, Window},
};

/// Lines below a date in which a time of day without a date may be on that day.
const LINES_BELOW_DATE: usize = 8;
/// Lines above a date in which a time of day without a date may be on that day.
const LINES_ABOVE_DATE: usize = 3;
/// Windows, times of day, dates and zones above which nothing is compared: a notice has fewer.
pub(super) const MAX_COMPARED: usize = 300;
/// Bytes behind a window that may be its label.
const MAX_BEHIND: usize = 40;
/// Bytes of a cell that holds a zone alone.
const MAX_ZONE_CELL: usize = 24;
/// Cells between a time of day and the cell of its zone.
const MAX_CELLS_TO_ZONE: usize = 4;
const DAY: i32 = 24 * 3600;

/// Compares the windows of maintenances with one form of a mail.
pub(super) fn judge(said: &Said<'_>, maintenances: &[Maintenance]) -> Answer {
    let windows: Vec<Window> = maintenances.iter().filter_map(Maintenance::window).collect();
    if windows.is_empty() {
        return Answer::Agrees(0);
    }
    if let Some(twice) = read_twice(maintenances) {
        let expected = format!("windows that differ: that of {} is read twice", twice.id());
        return Answer::Objects(Failure::ambiguous(expected));
    }
    let stated = said.stated();
    let counts = [windows.len(), stated.times.len(), stated.dates.len(), stated.zones.len()];
    if counts.iter().any(|count| *count > MAX_COMPARED) || stated.times.is_empty() || stated.dates.is_empty() {
        return Answer::Silent;
    }
    match (Comparison { said, stated, windows: &windows }).run() {
        Ok(()) => Answer::Agrees(windows.len()),
        Err(failure) => Answer::Objects(failure),
    }
}

/// Returns a maintenance that was read twice: the same row was taken again.
fn read_twice(maintenances: &[Maintenance]) -> Option<&Maintenance> {
    let mut known: HashMap<(&str, Option<Window>), Vec<&Maintenance>> = HashMap::new();
    maintenances.iter().find(|maintenance| {
        let alike = known.entry((maintenance.id(), maintenance.window())).or_default();
        let is_twice = alike.iter().any(|other| other.circuits() == maintenance.circuits());
        alike.push(maintenance);
        is_twice
    })
}

/// A bound of a window: its start or its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Start,
    End,
}

/// The times of day, by their index, that state a window.
struct StatedWindow {
    starts: Vec<usize>,
    ends: Vec<usize>,
    /// `true` if the mail states the window's length instead of its end.
    is_by_length: bool,
}

impl StatedWindow {
    /// Returns whether an end is the next time of day behind a start, in whatever line, or the length stands for the end.
    fn is_in_one_row(&self) -> bool {
        self.is_by_length || self.starts.iter().any(|start| self.ends.contains(&(start + 1)))
    }
}

/// Distance between a time of day and the date with which it makes a moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Closeness {
    /// The date is anywhere in the mail, or is the nearest one and that of the day before.
    Far,
    /// The date is in the line of the time, or is the nearest one.
    Near,
}

/// The comparison of windows with one form of a mail.
pub(super) struct Comparison<'said> {
    pub(super) said: &'said Said<'said>,
    pub(super) stated: &'said Stated,
    pub(super) windows: &'said [Window],
}

impl Comparison<'_> {
    fn run(&self) -> Result<(), Failure> {
        let stated: Vec<StatedWindow> = self.windows.iter().map(|window| self.stated_window(*window)).collect();
        for (window, stated) in self.windows.iter().zip(&stated) {
            self.expect_labels(*window, stated)?;
        }
        // Start and end of all windows may be in columns of their own: then none is in one row.
        if stated.iter().any(StatedWindow::is_in_one_row)
            && let Some((window, apart)) = self.windows.iter().zip(&stated).find(|(_, one)| !one.is_in_one_row())
        {
            let reason = "has this start and this end in different rows";
            return Err(self.objection(*window, reason, apart.starts.first()));
        }
        match (self.unread_pair(), self.windows) {
            (Some(time), [window, ..]) => Err(self.objection(*window, "states another one as well", Some(&time))),
            _ => Ok(()),
        }
    }

    /// Returns the times of day that state a window.
    fn stated_window(&self, window: Window) -> StatedWindow {
        let (start, end) = window.stated();
        let starts = self.times_of(start, Bound::Start);
        let ends = self.times_of(end, Bound::End);
        let length = window.end().duration_since(window.start()).as_secs();
        let is_by_length = ends.is_empty() && self.stated.lengths.contains(&length);
        let ends = if is_by_length { starts.clone() } else { ends };
        StatedWindow { starts, ends, is_by_length }
    }

    /// Returns a failure if start or end of a window is not stated, or only under labels of something else. An end that is known by the
    /// length has the times of the start, whose label is that of a start.
    fn expect_labels(&self, window: Window, stated: &StatedWindow) -> Result<(), Failure> {
        let (start, end) = window.stated();
        let not_end = if stated.is_by_length { Label::End } else { Label::Start };
        for (moment, times, opposite) in [(start, &stated.starts, Label::End), (end, &stated.ends, not_end)] {
            let Some(first) = times.first() else {
                return Err(self.objection(window, &format!("does not state {moment}"), None));
            };
            let fits = |time: &usize| {
                let label = self.label_of_time(*time);
                label != Label::Other && label != opposite
            };
            if !times.iter().any(fits) {
                return Err(self.objection(
                    window,
                    &format!("has {moment} under a label of something else"),
                    Some(first),
                ));
            }
        }
        Ok(())
    }

    /// Returns the failure of a window, at the line of a time of day; `None` if no line is to blame.
    pub(super) fn objection(&self, window: Window, reason: &str, time: Option<&usize>) -> Failure {
        let (start, end) = window.stated();
        let expected = format!("one window: {start} to {end} is read, and the mail, read in another way, {reason}");
        let failure = Failure::ambiguous(expected);
        let Some(time) = time.and_then(|time| self.stated.times.get(*time)) else { return failure };
        let quote = self.said.lines.get(time.line).copied().unwrap_or_default();
        Failure { place: Some(self.said.place(time.line)), ..failure.with_quote(quote) }
    }

    /// Returns the times of day, by their index, that state a moment: those with their date near, or else those whose date is elsewhere.
    fn times_of(&self, moment: Moment, bound: Bound) -> Vec<usize> {
        let mut near = Vec::new();
        let mut far = Vec::new();
        for (index, time) in self.stated.times.iter().enumerate() {
            let line = self.line_of_zones(time);
            let zones = self.stated.zones.iter().filter(|(at, _)| line.is_none_or(|line| line == *at));
            let named = zones.map(|(_, zone)| zone.to_offset(moment.at()));
            // Where the mail names no zone, the reader knows it by a rule of the format.
            let by_rule = self.stated.zones.is_empty().then(|| moment.offset());
            let closeness =
                named.chain(by_rule).filter_map(|offset| self.closeness(index, offset, moment, bound)).max();
            match closeness {
                Some(Closeness::Near) => near.push(index),
                Some(Closeness::Far) => far.push(index),
                None => {}
            }
        }
        if near.is_empty() { far } else { near }
    }

    /// Returns the line whose zones hold for a time of day: its own, the one above, or that of a cell after it in its row. `None` where
    /// none of them names a zone: then any zone of the mail may hold.
    fn line_of_zones(&self, time: &TimeMention) -> Option<usize> {
        let names = |line: &usize| self.stated.zones.iter().any(|(at, _)| at == line);
        let is_cell = |line: &usize| self.said.lines.get(*line).is_some_and(|text| text.len() <= MAX_ZONE_CELL);
        let above = || time.line.checked_sub(1).filter(names);
        let after = || (time.line + 1..=time.line + MAX_CELLS_TO_ZONE).find(|line| names(line) && is_cell(line));
        Some(time.line).filter(names).or_else(above).or_else(after)
    }

    /// Returns how close the date is by which a time of day is this moment; `None` if it is another moment.
    ///
    /// The end of a window over midnight may stand without a date of its own; then the date of the day before is taken for it.
    fn closeness(&self, index: usize, offset: Offset, moment: Moment, bound: Bound) -> Option<Closeness> {
        let time = self.stated.times.get(index)?;
        let local = offset.to_datetime(moment.at());
        let seconds = i32::from(local.hour()) * 3600 + i32::from(local.minute()) * 60 + i32::from(local.second());
        let date = match time.seconds {
            DAY if seconds == 0 => local.date().yesterday().ok()?,
            own if own == seconds => local.date(),
            _ => return None,
        };
        let before = local.date().yesterday().ok()?;
        let is_day = |day: &DateMention| day.may_be(date);
        let is_night = |day: &DateMention| day.may_be(date) || bound == Bound::End && day.may_be(before);
        let dates = self.stated.dates.as_slice();
        let in_line = || dates.iter().filter(|day| day.line == time.line);
        if in_line().next().is_some() {
            let mut own = in_line().filter(|day| self.is_own_date(index, day)).peekable();
            let is_near = if own.peek().is_some() { own.any(is_day) } else { in_line().any(is_night) };
            return is_near.then_some(Closeness::Near);
        }
        let nearest = self.lines_of_nearest_dates(time);
        let mut is_nearest = dates.iter().filter(|day| nearest.contains(&Some(day.line)));
        if is_nearest.clone().any(is_day) {
            return Some(Closeness::Near);
        }
        (dates.iter().any(is_day) || is_nearest.any(is_night)).then_some(Closeness::Far)
    }

    /// Returns the lines of the nearest dates above and below a time of day.
    fn lines_of_nearest_dates(&self, time: &TimeMention) -> [Option<usize>; 2] {
        let lines = || self.stated.dates.iter().map(|day| day.line);
        let above = lines().filter(|line| *line < time.line && time.line <= line + LINES_BELOW_DATE);
        let below = lines().filter(|line| *line > time.line && *line <= time.line + LINES_ABOVE_DATE);
        [above.max(), below.min()]
    }

    /// Returns whether no other time of day is between a time of day and a date of its line.
    fn is_own_date(&self, index: usize, day: &DateMention) -> bool {
        let Some(time) = self.stated.times.get(index) else { return false };
        let between = if day.start < time.start { day.start..time.start } else { time.end..day.start };
        let neighbours = [index.checked_sub(1), Some(index + 1)].into_iter().flatten();
        !neighbours
            .filter_map(|at| self.stated.times.get(at))
            .any(|other| other.line == time.line && between.contains(&other.start))
    }

    /// Returns the label of a time of day: the words between it and the time before it in its line.
    pub(super) fn label_of_time(&self, index: usize) -> Label {
        let Some(time) = self.stated.times.get(index) else { return Label::Unknown };
        let previous = index.checked_sub(1).and_then(|before| self.stated.times.get(before));
        let from = previous.filter(|before| before.line == time.line).map_or(0, |before| before.end);
        let line = self.said.lines.get(time.line).copied().unwrap_or_default();
        let is_last = self.stated.times.get(index + 1).is_none_or(|next| next.line != time.line);
        let behind = if is_last { line.get(time.end..) } else { None };
        // A window of a list may have its label behind it: "22:00 - 04:00 (backup)".
        if behind.is_some_and(|behind| behind.len() <= MAX_BEHIND && labels::marks_other_window(behind)) {
            return Label::Other;
        }
        labels::label(line.get(from..time.start).unwrap_or_default())
    }

    /// Returns the index of the first of two times, labelled as a start and an end, that lie in no window that was read. `None` if the
    /// mail names another window, whose times have the same labels.
    fn unread_pair(&self) -> Option<usize> {
        if self.said.lines.iter().copied().any(labels::names_other_window) {
            return None;
        }
        let labels: Vec<Label> = (0..self.stated.times.len()).map(|index| self.label_of_time(index)).collect();
        let is_pair = |index: &usize| labels.get(*index..index + 2) == Some(&[Label::Start, Label::End]);
        (0..labels.len()).filter(is_pair).find(|index| {
            let in_a_window = |is_in: &dyn Fn(&Window, Timestamp) -> bool, instants: Vec<Timestamp>| {
                instants.is_empty() || instants.iter().any(|at| self.windows.iter().any(|window| is_in(window, *at)))
            };
            let is_start_read = in_a_window(
                &|window, at| window.start() <= at && at < window.end(),
                self.instants(*index, Bound::Start),
            );
            let is_end_read = in_a_window(
                &|window, at| window.start() < at && at <= window.end(),
                self.instants(index + 1, Bound::End),
            );
            !(is_start_read && is_end_read)
        })
    }

    /// Returns the moments that a time of day may be with the dates of its line, in the zones of [`Self::line_of_zones`]; none if no zone
    /// is known. An end may be on the day after its date.
    pub(super) fn instants(&self, index: usize, bound: Bound) -> Vec<Timestamp> {
        let Some(time) = self.stated.times.get(index) else { return Vec::new() };
        let Some(line) = self.line_of_zones(time) else { return Vec::new() };
        let days = self.stated.dates.iter().filter(|day| day.line == time.line).flat_map(|day| day.dates).flatten();
        let next = |day: jiff::civil::Date| (bound == Bound::End).then(|| day.tomorrow().ok()).flatten();
        let days: Vec<_> = days.flat_map(|day| [Some(day), next(day)]).flatten().collect();
        let zones = self.stated.zones.iter().filter(|(at, _)| *at == line).map(|(_, zone)| zone);
        let instant = |zone: &TimeZone, day: jiff::civil::Date| {
            let local = day.at(0, 0, 0, 0).checked_add(SignedDuration::from_secs(i64::from(time.seconds))).ok()?;
            zone.to_timestamp(local).ok()
        };
        zones.flat_map(|zone| days.iter().filter_map(move |day| instant(zone, *day))).collect()
    }
}

#[cfg(test)]
mod tests {
    use mail::Mail;

    use super::*;
    use crate::{
        draft::Draft,
        fallback::UNKNOWN,
        found::{Found, Place},
        model::{Circuit, Impact, Status},
        opinion::said,
        source::Source,
    };

    fn is_objected_to(text: &str, start: &str, end: &str) -> bool {
        let mail = Mail::decode(
            format!("Date: Sat, 1 Mar 2031 09:00:00 +0000\r\nSubject: Maintenance\r\n\r\n{text}\r\n").as_bytes(),
        );
        let source = Source::new(&mail, &UNKNOWN);
        let moment = |text: &str| found(Moment::from(text.parse::<Timestamp>().unwrap()));
        let draft = Draft::new(&source).id(found("CW-1".to_owned())).status(found(Status::Confirmed));
        let circuit = found(Circuit::new("C-1", Impact::Outage).unwrap());
        let draft = draft.account(found("account".to_owned())).circuits([circuit]).window(moment(start), moment(end));
        let maintenances = [draft.build().unwrap()];
        let forms = said::forms(&source);
        forms.iter().all(|form| matches!(judge(form, &maintenances), Answer::Objects(_)))
    }

    fn found<T>(value: T) -> Found<T> {
        Found { value, place: Place::Rule("test"), quote: String::new() }
    }

    #[test]
    fn a_start_with_a_stated_length_has_no_label_of_an_end() {
        let (start, end) = ("2031-04-01T22:00:00Z", "2031-04-02T02:00:00Z");
        for (label, expected) in [("Start", false), ("Window", false), ("End", true), ("Finish time", true)] {
            let text = format!("{label}: 1 April 2031 22:00\r\nTime zone: UTC\r\nDuration: 4 hours");
            assert_eq!(is_objected_to(&text, start, end), expected, "{label}");
        }
    }
}
