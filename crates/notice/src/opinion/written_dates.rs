//! Reads dates at the start of a run of tokens.

use jiff::civil::Date;

use super::{
    clock,
    names::{self, Trust},
    tokens::Token,
};

/// Years that a notice may name.
const YEARS: std::ops::Range<i32> = 2000..2100;
/// The first year that may be written in two digits.
const FIRST_SHORT_YEAR: i32 = 20;

/// A date that tells its parts apart: it names its month, or the year is first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NamedDate {
    /// `None` if it is not written.
    pub(super) year: Option<i32>,
    pub(super) month: i32,
    pub(super) day: i32,
}

impl NamedDate {
    /// Returns the day of the calendar that it is in a year.
    pub(super) fn in_year(&self, year: i32) -> Option<Date> {
        Date::new(i16::try_from(year).ok()?, i8::try_from(self.month).ok()?, i8::try_from(self.day).ok()?).ok()
    }

    /// Returns it if there is such a day; a leap year has every day that there is.
    fn existing(self) -> Option<Self> {
        const LEAP: i32 = 2024;
        self.in_year(self.year.unwrap_or(LEAP)).map(|_| self)
    }
}

/// Reads a date that names its month or has the year first, and the number of its tokens.
pub(super) fn named_date(tokens: &[Token<'_>]) -> Option<(NamedDate, usize)> {
    let first = tokens.first()?;
    let (date, used) = match (first.number(), first.text.len()) {
        (Some(number), 8) => {
            (NamedDate { year: Some(number / 10_000), month: number / 100 % 100, day: number % 100 }, 1)
        }
        (Some(year), 4) => year_first(tokens, year)?,
        (Some(day), 1 | 2) => day_first(tokens, day)?,
        (Some(_), _) => return None,
        (None, _) => month_first(tokens)?,
    };
    let is_possible = date.year.is_none_or(|year| YEARS.contains(&year));
    date.existing().filter(|_| is_possible).map(|date| (date, used))
}

/// Reads `4 May 2031`, `4th of May`, `4-May-31`.
fn day_first(tokens: &[Token<'_>], day: i32) -> Option<(NamedDate, usize)> {
    let at = skip_joiners(tokens, 1);
    let (month, trust) = names::month(tokens.get(at)?.text)?;
    let (year, used) = year(tokens, at + 1);
    let is_date = trust != Trust::DayAndYear || year.is_some();
    is_date.then_some((NamedDate { year, month, day }, used))
}

/// Reads `May 4th, 2031`.
fn month_first(tokens: &[Token<'_>]) -> Option<(NamedDate, usize)> {
    let (month, _) = names::month(tokens.first()?.text).filter(|(_, trust)| *trust == Trust::Either)?;
    let at = skip_joiners(tokens, 1);
    let day = tokens.get(at)?.short_number().filter(|_| !is_time_or_length(tokens, at))?;
    let (year, used) = year(tokens, at + 1);
    Some((NamedDate { year, month, day }, used))
}

/// Reads `2031-05-04`, `2031/May/04`, `2031 May 4`.
fn year_first(tokens: &[Token<'_>], year: i32) -> Option<(NamedDate, usize)> {
    let separator = tokens.get(1)?;
    if let Some((month, _)) = names::month(separator.text) {
        return Some((NamedDate { year: Some(year), month, day: tokens.get(2)?.short_number()? }, 3));
    }
    if !["-", "/", "."].contains(&separator.text) {
        return None;
    }
    let second = tokens.get(2)?;
    let month = names::month(second.text).map(|(month, _)| month).or_else(|| second.short_number())?;
    tokens.get(3).filter(|next| next.text == separator.text)?;
    let day = tokens.get(4)?.short_number()?;
    Some((NamedDate { year: Some(year), month, day }, 5))
}

/// Reads the year after day and month, if there is one, and returns where the date ends.
fn year(tokens: &[Token<'_>], from: usize) -> (Option<i32>, usize) {
    let at = skip_joiners(tokens, from);
    let Some(token) = tokens.get(at) else { return (None, from) };
    // "4 out of 24", "May 4, 22 circuits": two digits are no year here.
    let is_separate = at > from && tokens.get(at - 1).is_some_and(|joiner| joiner.is_any_of(&[",", "of"]));
    match (token.text.len(), token.number()) {
        // `1 April 2030 UTC` has a year: a time in four digits is seldom one of this century.
        (4, Some(year)) if YEARS.contains(&year) => (Some(year), at + 1),
        (2, Some(year)) if year >= FIRST_SHORT_YEAR && !is_separate && !is_time_or_length(tokens, at) => {
            (Some(2000 + year), at + 1)
        }
        _ => (None, from),
    }
}

/// Returns whether a number is part of a time of day or of a length: `April 22.00 hrs`, `April 4 hours`.
fn is_time_or_length(tokens: &[Token<'_>], at: usize) -> bool {
    let rest = tokens.get(at..).unwrap_or_default();
    clock::time_of_day(rest).is_some() || clock::length(rest).is_some()
}

/// Skips ordinals, "of", and the punctuation between the parts of a date.
fn skip_joiners(tokens: &[Token<'_>], mut at: usize) -> usize {
    const JOINERS: &[&str] = &["-", "/", ".", ",", "st", "nd", "rd", "th", "of", "de", "º", "ª", "'"];
    while tokens.get(at).is_some_and(|token| token.is_any_of(JOINERS)) {
        at += 1;
    }
    at
}

/// A date in numbers whose year is last: `04/05/2031` may be in April or in May.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NumericDate {
    pub(super) first: i8,
    pub(super) second: i8,
    pub(super) year: i16,
    /// `-`, `/` or `.`.
    pub(super) separator: u8,
}

impl NumericDate {
    /// Returns the date if the first number is the day.
    pub(super) fn day_first(self) -> Option<Date> {
        Date::new(self.year, self.second, self.first).ok()
    }

    /// Returns the date if the first number is the month.
    pub(super) fn month_first(self) -> Option<Date> {
        Date::new(self.year, self.first, self.second).ok()
    }
}

/// Reads a date in numbers whose year is last, and the number of its tokens.
pub(super) fn numeric_date(tokens: &[Token<'_>]) -> Option<(NumericDate, usize)> {
    let [first, separator, second, again, year, ..] = tokens else { return None };
    let is_joined = again.text == separator.text && !again.follows_blank && !second.follows_blank;
    let separator = separator.text.bytes().next().filter(|mark| is_joined && matches!(mark, b'-' | b'/' | b'.'))?;
    let full_year = match (year.text.len(), year.number()?) {
        (4, year) if YEARS.contains(&year) => year,
        (2, year) if year >= FIRST_SHORT_YEAR && separator != b'.' => 2000 + year,
        _ => return None,
    };
    let date = NumericDate {
        first: i8::try_from(first.short_number()?).ok()?,
        second: i8::try_from(second.short_number()?).ok()?,
        year: i16::try_from(full_year).ok()?,
        separator,
    };
    date.day_first().or(date.month_first()).map(|_| (date, 5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opinion::tokens::split;

    /// Returns the first date of a text that tells its parts apart: year, month, day.
    fn named(text: &str) -> Option<(Option<i32>, i32, i32)> {
        let mut tokens = Vec::new();
        split(text, &mut tokens);
        let (date, _) = (0..tokens.len()).find_map(|at| named_date(&tokens[at..]))?;
        Some((date.year, date.month, date.day))
    }

    #[test]
    fn dates_in_every_form() {
        for (text, expected) in [
            ("4 May 2031", (Some(2031), 5, 4)),
            ("4th of May, 2031", (Some(2031), 5, 4)),
            ("4-May-31", (Some(2031), 5, 4)),
            ("4 de mayo de 2031", (Some(2031), 5, 4)),
            ("4. März 2031", (Some(2031), 3, 4)),
            ("4 out 2031", (Some(2031), 10, 4)),
            ("4 gen", (None, 1, 4)),
            ("May 4th, 2031", (Some(2031), 5, 4)),
            ("Apr 4", (None, 4, 4)),
            ("2031-05-04", (Some(2031), 5, 4)),
            ("2031/May/04", (Some(2031), 5, 4)),
            ("2031 May 4", (Some(2031), 5, 4)),
            ("20310504T220000Z", (Some(2031), 5, 4)),
            ("1 April 2031 UTC", (Some(2031), 4, 1)),
            ("29 February", (None, 2, 29)),
        ] {
            assert_eq!(named(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_time_or_length_after_a_date_is_no_part_of_it() {
        for text in [
            "1 April 22:00",
            "1 April 22.00 hrs",
            "1 April 22h00",
            "1 April, 22:00",
            "1 April 24 hours",
            "1 April 2200 UTC",
        ] {
            assert_eq!(named(text), Some((None, 4, 1)), "{text}");
        }
    }

    #[test]
    fn other_words_and_numbers_are_no_dates() {
        for text in [
            "Maintenance 12",
            "Maintenance - 4 hours",
            "4 hours",
            "Mark 2",
            "Setup 3",
            "Out 12 circuits",
            "4 out of 12",
            "Gen 3 card",
            "Set 2",
            "ago 4",
            "May 22:00",
            "April 4 hours",
            "20457812",
            "20319912",
            "2031-13-01",
            "31 April 2031",
            "99 May",
            "General 12",
            "Subsea 4",
            "temporary 3",
        ] {
            assert_eq!(named(text), None, "{text}");
        }
    }

    #[test]
    fn dates_in_numbers() {
        for (text, expected) in [
            ("04/05/2031", Some((4, 5, 2031))),
            ("4-5-31", Some((4, 5, 2031))),
            ("04.05.2031", Some((4, 5, 2031))),
            ("04.05.31", None),
            ("31/02/2031", None),
            ("04/05-2031", None),
            ("10.20.30.40", None),
        ] {
            let mut tokens = Vec::new();
            split(text, &mut tokens);
            let date = numeric_date(&tokens).map(|(date, _)| (date.first, date.second, date.year));
            assert_eq!(date, expected, "{text}");
        }
    }
}
