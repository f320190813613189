//! Compares the dates of the title with the windows that were read: a title names the day of the work, if it names one.

use jiff::{SignedDuration, civil::Date, tz::Offset};

use super::{labels, said::Said};
use crate::{
    failure::Failure,
    model::{Maintenance, Status, Window},
};

/// The label of a title within a body, above which somebody passes the mail on.
const TITLE: &str = "Subject:";
/// Time by which a day begins before it does in UTC, and ends after it, anywhere on earth; and a day beside it, for the first of two
/// nights.
const EARLIEST: SignedDuration = SignedDuration::from_hours(14 + 24);
const LATEST: SignedDuration = SignedDuration::from_hours(12 + 24);

/// Returns the failure of a title whose date is none of the days of the windows that were read.
pub(super) fn other(said: &Said<'_>, maintenances: &[Maintenance]) -> Option<Failure> {
    let windows: Vec<Window> = maintenances.iter().filter_map(Maintenance::window).collect();
    let first = windows.first()?;
    let is_plan = |one: &Maintenance| matches!(one.status(), Status::Confirmed | Status::Tentative | Status::NoChange);
    // A notice of a change may keep the title of the plan.
    if !maintenances.iter().all(is_plan) {
        return None;
    }
    let is_title = |line: &(usize, &&str)| line.0 == 0 || line.0 >= said.subjects && line.1.starts_with(TITLE);
    let (line, title) = said.lines.iter().enumerate().filter(is_title).find(|(line, title)| {
        if !title.bytes().any(|byte| byte.is_ascii_digit()) || labels::names_other_window(title) {
            return false;
        }
        let mut dates = said.stated().dates.iter().filter(|date| date.line == *line).peekable();
        let is_day = |date: &Date| windows.iter().any(|window| touches(window, *date));
        dates.peek().is_some() && !dates.any(|date| date.dates.iter().flatten().any(is_day))
    })?;
    let (start, end) = first.stated();
    let expected = format!("one window: {start} to {end} is read, and the title names another day");
    Some(Failure { place: Some(said.place(line)), ..Failure::ambiguous(expected).with_quote(title) })
}

/// Returns whether a window has a moment that is on this day somewhere.
fn touches(window: &Window, date: Date) -> bool {
    let midnight = |date: Date| Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok();
    let begins = midnight(date).and_then(|at| at.checked_sub(EARLIEST).ok());
    let ends = date.tomorrow().ok().and_then(midnight).and_then(|at| at.checked_add(LATEST).ok());
    begins.is_none_or(|begins| window.end() >= begins) && ends.is_none_or(|ends| window.start() <= ends)
}
