//! Finds dates, times of day, zones and lengths in lines, in every form in which carriers write them.

use jiff::{
    civil::{Date, Weekday},
    tz::TimeZone,
};

use super::clock::{self, Named, Token};
use crate::zones;

/// A time of day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Seconds since midnight; a whole day for `24:00`.
    pub(super) seconds: i32,
    pub(super) line: usize,
    pub(super) at: usize,
    pub(super) end: usize,
}

/// A date: the days that it may mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day {
    /// The likelier one first; the other one where month and day may be the other way round.
    pub(super) dates: [Option<Date>; 2],
    pub(super) line: usize,
    pub(super) at: usize,
}

impl Day {
    /// Returns `true` if it may mean this date.
    pub(super) fn may_be(&self, date: Date) -> bool {
        self.dates.contains(&Some(date))
    }
}

/// What the lines state.
#[derive(Debug, Default)]
pub(super) struct Stated {
    pub(super) clocks: Vec<Clock>,
    pub(super) days: Vec<Day>,
    /// Zones by the line in which they are named.
    pub(super) zones: Vec<(usize, TimeZone)>,
    /// Lengths in seconds: "4 hours".
    pub(super) lengths: Vec<i64>,
    /// `true` if times are said to be those of a place.
    pub(super) is_local: bool,
}

/// A date in numbers, before it is known which of them is the month.
struct Numeric {
    first: i8,
    second: i8,
    year: i16,
    mark: u8,
    weekday: Option<Weekday>,
    line: usize,
    at: usize,
}

/// Dates of which something is not yet known.
#[derive(Default)]
struct Unsettled {
    numeric: Vec<Numeric>,
    /// Dates without a year, with line and byte.
    yearless: Vec<(Named, usize, usize)>,
}

/// Scans lines, of which the first are subjects; `announced` gives years that are not written.
pub(super) fn scan(lines: &[&str], subjects: usize, announced: Option<Date>) -> Stated {
    let mut stated = Stated::default();
    let mut found = Unsettled::default();
    let mut tokens = Vec::new();
    for (line, text) in lines.iter().enumerate() {
        let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
        if has_digit {
            clock::tokens(text, &mut tokens);
            let before = stated.lengths.len();
            read(&tokens, line, &mut stated, &mut found);
            // "1 hour and 30 minutes"
            let lengths = stated.lengths.get(before..).filter(|lengths| lengths.len() > 1);
            stated.lengths.extend(lengths.map(|lengths| lengths.iter().sum::<i64>()));
        }
        zones_in(text, line, &mut stated);
    }
    settle(&found.numeric, announced, &mut stated);
    settle_years(&found.yearless, announced, &mut stated);
    if stated.is_local {
        places(lines, subjects, &mut stated);
    }
    stated
}

fn read(tokens: &[Token<'_>], line: usize, stated: &mut Stated, found: &mut Unsettled) {
    let mut at = 0;
    let mut weekday = None;
    while let Some(rest) = tokens.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some((seconds, used)) = clock::time_of_day(rest) {
            let (Some(first), Some(last)) = (rest.first(), rest.get(used - 1)) else { break };
            stated.clocks.push(Clock { seconds, line, at: first.at, end: last.at + last.text.len() });
            at += used;
        } else if let Some((date, used)) = clock::named_date(rest) {
            let first = rest.first().map_or(0, |first| first.at);
            match date.year {
                Some(year) => {
                    stated.days.push(Day { dates: [self::date(year, date.month, date.day), None], line, at: first });
                }
                None => found.yearless.push((date, line, first)),
            }
            at += used;
        } else if let Some(((first, second, year, mark), used)) = clock::numeric_date(rest) {
            let start = rest.first().map_or(0, |first| first.at);
            found.numeric.push(Numeric { first, second, year, mark, weekday, line, at: start });
            at += used;
        } else {
            if let Some(length) = clock::length(rest) {
                stated.lengths.push(length);
            }
            if let Some(word) = rest.first() {
                weekday = clock::weekday(word.text).or(weekday.filter(|_| !word.is_word()));
            }
            at += 1;
        }
    }
}

/// Gives dates the year that the mail writes for the same day elsewhere, or in which they are next to the announcement.
fn settle_years(yearless: &[(Named, usize, usize)], announced: Option<Date>, stated: &mut Stated) {
    let written = stated.days.len();
    for (named, line, at) in yearless {
        let is_same = |date: &Date| i32::from(date.month()) == named.month && i32::from(date.day()) == named.day;
        let same = || stated.days.iter().take(written).flat_map(|day| day.dates).flatten().find(is_same);
        let near = || {
            let announced = announced?;
            let years = (announced.year() - 1..=announced.year() + 1).filter_map(|year| {
                let date = date(i32::from(year), named.month, named.day)?;
                Some((date.since(announced).ok()?.get_days().abs(), date))
            });
            years.min().map(|(_, date)| date)
        };
        let dates = [same().or_else(near), None];
        stated.days.push(Day { dates, line: *line, at: *at });
    }
}

fn date(year: i32, month: i32, day: i32) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Tells which number of a date is the month: by the weekday beside it, by another date of the mail in the same form, by the day of
/// the announcement.
fn settle(numeric: &[Numeric], announced: Option<Date>, stated: &mut Stated) {
    for date in numeric {
        let day_first = Date::new(date.year, date.second, date.first).ok();
        let month_first = Date::new(date.year, date.first, date.second).ok();
        let dates = match (day_first, month_first) {
            (Some(day_first), Some(month_first)) if day_first != month_first => {
                order(date, numeric, announced, day_first, month_first)
            }
            (day_first, month_first) => [day_first.or(month_first), None],
        };
        stated.days.push(Day { dates, line: date.line, at: date.at });
    }
}

fn order(
    date: &Numeric,
    numeric: &[Numeric],
    announced: Option<Date>,
    day_first: Date,
    month_first: Date,
) -> [Option<Date>; 2] {
    if let Some(weekday) = date.weekday {
        match (day_first.weekday() == weekday, month_first.weekday() == weekday) {
            (true, false) => return [Some(day_first), None],
            (false, true) => return [Some(month_first), None],
            _ => {}
        }
    }
    let alike = || numeric.iter().filter(|other| other.mark == date.mark);
    match (alike().any(|other| other.first > 12), alike().any(|other| other.second > 12)) {
        (true, false) => return [Some(day_first), None],
        (false, true) => return [Some(month_first), None],
        _ => {}
    }
    let Some(announced) = announced else { return [Some(day_first), Some(month_first)] };
    let days = |date: Date| date.since(announced).map_or(i32::MAX, |span| span.get_days());
    let is_likely = |date: Date| (-LONGEST_PAST..=FARTHEST_AHEAD).contains(&days(date));
    match (is_likely(day_first), is_likely(month_first)) {
        (true, false) => [Some(day_first), None],
        (false, true) => [Some(month_first), None],
        _ => [Some(day_first), Some(month_first)],
    }
}

/// A notice is written at most so many days after its window, and before it.
const LONGEST_PAST: i32 = 20;
const FARTHEST_AHEAD: i32 = 100;

/// Long names of zones end in these words.
const ZONE_WORDS: [&str; 5] = ["time", "eastern", "pacific", "central", "zulu"];

fn zones_in(text: &str, line: usize, stated: &mut Stated) {
    let mut words = text.match_indices(|mark: char| !mark.is_ascii_alphabetic()).map(|(at, mark)| (at, mark.len()));
    let mut start = 0;
    loop {
        let (end, next) = words.next().map_or((text.len(), text.len()), |(at, length)| (at, at + length));
        let word = text.get(start..end).unwrap_or_default();
        if let Some(zone) = zone_at(text, word, start, end) {
            stated.zones.push((line, zone));
        } else if word.eq_ignore_ascii_case("local") {
            stated.is_local = true;
        }
        if end == text.len() {
            break;
        }
        start = next;
    }
}

/// The zone that a word names, with the offset behind it.
fn zone_at(text: &str, word: &str, start: usize, end: usize) -> Option<TimeZone> {
    if word.len() >= 4 && ZONE_WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)) {
        let before = text.get(..end)?;
        let starts = before.rmatch_indices([' ', '(', '[']).map(|(at, _)| at + 1).take(4);
        let mut names: Vec<&str> = starts.filter_map(|at| before.get(at..)).collect();
        names.push(word);
        return names.iter().rev().find_map(|name| zones::by_name(name));
    }
    let is_name = (1..=4).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase())
        || matches!(word, "utc" | "gmt" | "cet" | "Utc" | "Gmt");
    if word.is_empty() {
        // `22:00+01:00`: the sign behind a number.
        let is_behind = text.get(..start)?.ends_with(['+', '-']);
        let before = text.get(..start.saturating_sub(1))?.trim_end();
        let offset = text.get(start.saturating_sub(1)..)?;
        let length = offset.bytes().skip(1).take_while(|byte| byte.is_ascii_digit() || *byte == b':').count();
        let is_offset = is_behind && matches!(length, 4 | 5) && before.ends_with(|last: char| last.is_ascii_digit());
        let is_clock = before.len() > 3 && before.as_bytes().get(before.len() - 3) == Some(&b':');
        return (is_offset && is_clock).then(|| zones::by_name(offset.get(..=length)?)).flatten();
    }
    if !is_name {
        return None;
    }
    if word == "Z" {
        return text.get(..start)?.ends_with(|last: char| last.is_ascii_digit()).then_some(TimeZone::UTC);
    }
    if word.eq_ignore_ascii_case("utc") || word.eq_ignore_ascii_case("gmt") {
        let behind = text.get(end..)?;
        let offset = behind.trim_start();
        let digits = offset.bytes().skip(1).take_while(|byte| byte.is_ascii_digit() || *byte == b':').count();
        let is_offset = offset.starts_with(['+', '-']) && (1..=5).contains(&digits);
        // `UTC - 23:00` is a range.
        let is_range = behind.starts_with(' ')
            && offset.get(1..=digits).is_some_and(|digits| digits.contains(':'))
            && offset.starts_with('-');
        if is_offset && !is_range {
            let digits = offset.get(..=digits)?.trim_end_matches(':');
            return zones::by_name(&format!("UTC{digits}"));
        }
        return Some(TimeZone::UTC);
    }
    if word.len() == 2 {
        // `ET` is a zone behind a time alone: others are of states.
        let before = text.get(..start)?.trim_end_matches([' ', '(']);
        let is_behind = before.ends_with(|last: char| last.is_ascii_digit()) || before.ends_with(['M', 'm']);
        return is_behind.then(|| zones::by_name(word)).flatten();
    }
    zones::by_abbreviation(word)
}

/// The zones of the places that a mail with local times names: of its subjects and behind "in".
fn places(lines: &[&str], subjects: usize, stated: &mut Stated) {
    for (line, text) in lines.iter().enumerate().take(MOST_LINES) {
        if stated.zones.len() > MOST_ZONES {
            return;
        }
        let parts = text.split(" in ").skip(usize::from(line >= subjects && !text.contains(" - ")));
        for part in parts.flat_map(|part| part.split([';', '.', '|', '(', ':', '-'])) {
            let part =
                BEFORE_PLACES.iter().fold(part.trim_start(), |part, word| part.strip_prefix(word).unwrap_or(part));
            let words: Vec<usize> = part.match_indices(' ').map(|(at, _)| at).chain([part.len()]).collect();
            let names = words.iter().skip(1).take(LONGEST_PLACE).filter_map(|end| part.get(..*end));
            let name = names.chain(part.split(',').next()).map(|name| name.trim().trim_matches(','));
            let zone = name
                .filter(|name| name.len() > 3 && name.starts_with(char::is_uppercase))
                .filter_map(zones::by_city)
                .reduce(|_, longer| longer);
            stated.zones.extend(zone.map(|zone| (ANYWHERE, zone)));
        }
    }
}

/// No line: a zone of a place holds for all times of day.
const ANYWHERE: usize = usize::MAX;
/// Words before a place.
const BEFORE_PLACES: [&str; 3] = ["the ", "greater ", "city of "];
/// The most words of a place.
const LONGEST_PLACE: usize = 5;
const MOST_ZONES: usize = 100;
/// A place is named in one of the first lines.
const MOST_LINES: usize = 200;
