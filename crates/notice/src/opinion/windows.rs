//! Do the windows that were read stand in the mail: on these days, at these times of day in the zones that it names, under labels of a
//! start and an end, and each start beside its end?

use jiff::tz::{Offset, TimeZone};

use super::{
    Answer,
    said::Said,
    scan::{Clock, Day, Stated},
};
use crate::{
    failure::Failure,
    model::{Maintenance, Moment, Window},
};

/// A date counts as that of a time of day which stands so many lines below it, or above it.
const LINES_BELOW: usize = 8;
const LINES_ABOVE: usize = 3;
/// More windows, times of day, dates or zones than a notice has are not compared with each other.
const MOST: usize = 300;

pub(super) fn judge(said: &Said<'_>, maintenances: &[Maintenance]) -> Answer {
    let windows: Vec<Window> = maintenances.iter().filter_map(Maintenance::window).collect();
    if windows.is_empty() {
        return Answer::Agrees(0);
    }
    let stated = said.stated();
    if [windows.len(), stated.clocks.len(), stated.days.len(), stated.zones.len()].iter().any(|count| *count > MOST) {
        return Answer::Silent;
    }
    if let Some(twice) = read_twice(maintenances) {
        let expected = format!("windows that differ: that of {} is read twice", twice.id());
        return Answer::Objects(Failure::ambiguous(expected));
    }
    if stated.clocks.is_empty() || stated.days.is_empty() {
        return Answer::Silent;
    }
    let mut beside = Vec::new();
    for window in &windows {
        let (start, end) = window.stated();
        let starts = at(said, stated, start);
        let mut ends = at(said, stated, end);
        let length = window.end().duration_since(window.start()).as_secs();
        let is_by_length = ends.is_empty() && stated.lengths.contains(&length);
        if is_by_length {
            ends.clone_from(&starts);
        }
        for (moment, found, other) in [(start, &starts, Kind::End), (end, &ends, Kind::Start)] {
            let is_fit = |clock: &&usize| {
                let kind = kind(said, stated, **clock);
                kind != Kind::Other && (kind != other || is_by_length)
            };
            if found.is_empty() {
                let reason = format!("does not state {moment}");
                return objection(said, stated, *window, &reason, None);
            }
            if !found.iter().any(|clock| is_fit(&clock)) {
                let reason = format!("has {moment} under a label of something else");
                return objection(said, stated, *window, &reason, found.first().copied());
            }
        }
        beside.push(is_by_length || starts.iter().any(|start| ends.contains(&(start + 1))));
    }
    if beside.contains(&true)
        && let Some(apart) = beside.iter().position(|is_beside| !is_beside).and_then(|at| windows.get(at))
    {
        return objection(said, stated, *apart, "has this start and this end in different rows", None);
    }
    match unread(said, stated, &windows) {
        Some(clock) => objection(said, stated, windows[0], "states another one as well", Some(clock)),
        None => Answer::Agrees(windows.len()),
    }
}

/// Two maintenances that are one: the same row was read again.
fn read_twice(maintenances: &[Maintenance]) -> Option<&Maintenance> {
    maintenances.iter().enumerate().find_map(|(at, one)| {
        let same = |other: &Maintenance| {
            one.id() == other.id() && one.window() == other.window() && one.circuits() == other.circuits()
        };
        maintenances.get(..at)?.iter().any(same).then_some(one)
    })
}

fn objection(said: &Said<'_>, stated: &Stated, window: Window, reason: &str, clock: Option<usize>) -> Answer {
    let (start, end) = window.stated();
    let line = clock.and_then(|clock| stated.clocks.get(clock)).or(stated.clocks.first()).map_or(0, |clock| clock.line);
    let expected = format!("one window: {start} to {end} is read, and the mail, read in another way, {reason}");
    let quote = said.lines.get(line).copied().unwrap_or_default();
    Answer::Objects(Failure { place: Some(said.place(line)), ..Failure::ambiguous(expected).with_quote(quote) })
}

/// The times of day, by their number, that state this moment: those with the date beside them, else those whose date stands elsewhere.
fn at(said: &Said<'_>, stated: &Stated, moment: Moment) -> Vec<usize> {
    let mut near = Vec::new();
    let mut far = Vec::new();
    for (number, clock) in stated.clocks.iter().enumerate() {
        let line = line_of_zones(said, stated, clock);
        let zones = stated.zones.iter().filter(|(at, _)| line.is_none_or(|line| line == *at));
        let named = zones.map(|(_, zone)| zone.to_offset(moment.at()));
        // Where none is named, the reader knows it by a rule of the format.
        let by_rule = stated.zones.is_empty().then(|| moment.offset());
        let mut is_near = None;
        for offset in named.chain(by_rule) {
            is_near = is_near.max(is_at(stated, number, offset, moment));
        }
        match is_near {
            Some(true) => near.push(number),
            Some(false) => far.push(number),
            None => {}
        }
    }
    if near.is_empty() { far } else { near }
}

/// The line whose zones a time of day is in: its own, the one above, or that of a cell behind it in its row. `None` where none
/// names one: then it may be in each that the mail names.
fn line_of_zones(said: &Said<'_>, stated: &Stated, clock: &Clock) -> Option<usize> {
    let names = |line: &usize| stated.zones.iter().any(|(at, _)| at == line);
    let is_cell = |line: &usize| said.lines.get(*line).is_some_and(|text| text.len() <= LONGEST_ZONE);
    let above = || clock.line.checked_sub(1).filter(names);
    let behind = || (clock.line + 1..=clock.line + FARTHEST_ZONE).find(|line| names(line) && is_cell(line));
    Some(clock.line).filter(names).or_else(above).or_else(behind)
}

/// A cell that names a zone has at most so many bytes, and stands at most so many cells behind a time of day.
const LONGEST_ZONE: usize = 24;
const FARTHEST_ZONE: usize = 4;

/// Whether a time of day with its date is this moment: `Some(true)` if the date is its own.
fn is_at(stated: &Stated, number: usize, offset: Offset, moment: Moment) -> Option<bool> {
    let clock = stated.clocks.get(number)?;
    let local = offset.to_datetime(moment.at());
    let seconds = i32::from(local.hour()) * 3600 + i32::from(local.minute()) * 60 + i32::from(local.second());
    let yesterday = local.date().yesterday().ok()?;
    let (date, before) = match clock.seconds {
        DAY if seconds == 0 => (yesterday, yesterday),
        own if own == seconds => (local.date(), yesterday),
        _ => return None,
    };
    let days = stated.days.as_slice();
    let in_line = || days.iter().filter(|day| day.line == clock.line);
    if in_line().next().is_some() {
        let mut own = in_line().filter(|day| is_own(stated, number, day)).peekable();
        if own.peek().is_some() {
            return own.any(|day| day.may_be(date)).then_some(true);
        }
        // The end of a night may be a time of day alone.
        return in_line().any(|day| day.may_be(date) || day.may_be(before)).then_some(true);
    }
    let above = days.iter().filter(|day| day.line < clock.line && clock.line <= day.line + LINES_BELOW);
    let below = days.iter().filter(|day| day.line > clock.line && day.line <= clock.line + LINES_ABOVE);
    let nearest = [above.map(|day| day.line).max(), below.map(|day| day.line).min()];
    if days.iter().any(|day| nearest.contains(&Some(day.line)) && day.may_be(date)) {
        return Some(true);
    }
    days.iter().any(|day| day.may_be(date) || nearest.contains(&Some(day.line)) && day.may_be(before)).then_some(false)
}

/// Whether no other time of day stands between a time of day and a date of its line.
fn is_own(stated: &Stated, number: usize, day: &Day) -> bool {
    let Some(clock) = stated.clocks.get(number) else { return false };
    let (from, to) = if day.at < clock.at { (day.at, clock.at) } else { (clock.end, day.at) };
    let neighbours = [number.checked_sub(1), Some(number + 1)].into_iter().flatten();
    !neighbours
        .filter_map(|at| stated.clocks.get(at))
        .any(|other| other.line == clock.line && (from..to).contains(&other.at))
}

const DAY: i32 = 24 * 3600;

/// What the label of a time of day says that it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Start,
    End,
    /// Not of a window of this notice.
    Other,
    Unknown,
}

/// Words of labels, as beginnings.
const STARTS: &[&str] = &[
    "start",
    "begin",
    "commenc",
    "from",
    "inicio",
    "início",
    "comienzo",
    "anfang",
    "aanvang",
    "inizio",
    "debut",
    "début",
    "desde",
    "von",
    "between",
    "başlangı",
    "baslangi",
];
const ENDS: &[&str] = &[
    "end", "finish", "until", "till", "complet", "fin", "fim", "ende", "ending", "einde", "fine", "hasta", "até",
    "bis", "tot", "bitiş", "bitis", "término", "termino", "stop", "clos",
];
/// Words between a start and an end, which make an end where hardly anything else stands there.
const JOINS: &[&str] = &["to", "and", "a", "al"];
const LONGEST_JOIN: usize = 3;
const OTHERS: &[&str] = &[
    "sent",
    "issued",
    "created",
    "original",
    "previous",
    "old",
    "backup",
    "alternat",
    "contingen",
    "rollback",
    "updated",
    "reported",
    "raised",
    "received",
    "published",
    "generated",
    "posted",
    "opened",
    "fallback",
    "reserve",
];

fn kind(said: &Said<'_>, stated: &Stated, number: usize) -> Kind {
    let Some(clock) = stated.clocks.get(number) else { return Kind::Unknown };
    let before = number.checked_sub(1).and_then(|before| stated.clocks.get(before));
    let from = before.filter(|before| before.line == clock.line).map_or(0, |before| before.end);
    let label = said.lines.get(clock.line).and_then(|line| line.get(from..clock.at)).unwrap_or_default().to_lowercase();
    let words: Vec<&str> = words(&label).collect();
    if words.iter().any(|word| is_one(word, OTHERS)) {
        return Kind::Other;
    }
    let joins = words.len() <= LONGEST_JOIN && words.iter().any(|word| JOINS.contains(word));
    match (words.iter().any(|word| is_one(word, STARTS)), joins || words.iter().any(|word| is_one(word, ENDS))) {
        (true, false) => Kind::Start,
        (false, true) => Kind::End,
        _ => Kind::Unknown,
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|mark: char| !mark.is_alphabetic()).filter(|word| !word.is_empty())
}

/// Whether a word begins like one of these, or is one of the short ones.
fn is_one(word: &str, known: &[&str]) -> bool {
    known.iter().any(|known| {
        if known.len() > 4 {
            word.starts_with(known)
        } else {
            word.strip_suffix('s').unwrap_or(word) == *known || word == *known
        }
    })
}

/// Whether a word in any case is one of [`OTHERS`], or speaks of a move.
fn names_another(word: &str) -> bool {
    OTHERS.iter().chain(&["resched"]).any(|known| {
        let Some((start, rest)) = word.split_at_checked(known.len()) else { return false };
        start.eq_ignore_ascii_case(known) && (known.len() > 4 || rest.is_empty() || rest.eq_ignore_ascii_case("s"))
    })
}

/// A pair of times under labels of a start and an end that lies in none of the windows: the number of its first.
fn unread(said: &Said<'_>, stated: &Stated, windows: &[Window]) -> Option<usize> {
    // Beside the window of today those of another day have the same labels.
    let names_other = |line: &str| words(line).any(names_another);
    if said.lines.iter().copied().any(names_other) {
        return None;
    }
    let kinds: Vec<Kind> = (0..stated.clocks.len()).map(|number| kind(said, stated, number)).collect();
    let first = windows.iter().map(|window| window.stated().0).min()?;
    kinds.windows(2).enumerate().find_map(|(number, pair)| {
        if pair != [Kind::Start, Kind::End] {
            return None;
        }
        let clock = stated.clocks.get(number)?;
        let offset = |zone: &TimeZone| zone.to_offset(first.at());
        let line = line_of_zones(said, stated, clock)?;
        let mut moments = stated
            .zones
            .iter()
            .filter(|(at, _)| *at == line)
            .flat_map(|(_, zone)| {
                let days = stated.days.iter().filter(|day| day.line == clock.line);
                days.flat_map(|day| day.dates.into_iter().flatten()).filter_map(move |date| {
                    let midnight = offset(zone).to_timestamp(date.at(0, 0, 0, 0)).ok()?;
                    midnight.checked_add(jiff::SignedDuration::from_secs(i64::from(clock.seconds))).ok()
                })
            })
            .peekable();
        moments.peek()?;
        let is_read = moments.any(|at| windows.iter().any(|window| window.start() <= at && at < window.end()));
        (!is_read).then_some(number)
    })
}
