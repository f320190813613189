//! Matching a date against a format: strict about what each part may be, tolerant about how people write it.

use jiff::civil::{Date, DateTime, Time};

/// The parts of a date that a format found. The year may be missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) year: Option<i16>,
    pub(super) month: Option<i8>,
    pub(super) day: Option<i8>,
    pub(super) weekday: Option<i8>,
    hour: Option<i8>,
    half: Option<Half>,
    minute: i8,
    second: i8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Am,
    Pm,
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl Parts {
    /// Returns the date, in `year` where the text has none.
    pub(super) fn date(&self, year: Option<i16>) -> Option<Date> {
        Date::new(self.year.or(year)?, self.month?, self.day?).ok()
    }

    /// Returns `true` if a time of day was read.
    pub(super) fn has_time(&self) -> bool {
        self.hour.is_some()
    }

    /// Returns the time of day on that date. `24:00` is the midnight at its end.
    pub(super) fn on(&self, date: Date) -> Option<DateTime> {
        let hour = match (self.hour?, self.half) {
            (24, None) if self.minute == 0 && self.second == 0 => return Some(date.tomorrow().ok()?.at(0, 0, 0, 0)),
            (hour, None) | (hour @ 1..=11, Some(Half::Am)) => hour,
            (12, Some(Half::Am)) => 0,
            (12, Some(Half::Pm)) => 12,
            (hour @ 1..=11, Some(Half::Pm)) => hour + 12,
            _ => return None,
        };
        Some(date.to_datetime(Time::new(hour, self.minute, self.second, 0).ok()?))
    }
}

/// Matches the whole text. See [`super::civil`] for the formats.
pub(super) fn parse(text: &str, format: &str) -> Option<Parts> {
    variants(format).iter().find_map(|format| parse_plain(text, format))
}

/// Returns a format with `[optional]` parts, written out: the longest first. Brackets do not nest.
fn variants(format: &str) -> Vec<String> {
    let mut variants = vec![String::new()];
    let mut rest = format;
    while let Some((before, (optional, after))) =
        rest.split_once('[').and_then(|(before, rest)| Some((before, rest.split_once(']')?)))
    {
        let with = variants.iter().map(|variant| format!("{variant}{before}{optional}"));
        let without = variants.iter().map(|variant| format!("{variant}{before}"));
        variants = with.chain(without).collect();
        rest = after;
    }
    for variant in &mut variants {
        variant.push_str(rest);
    }
    variants
}

fn parse_plain(text: &str, format: &str) -> Option<Parts> {
    let mut parts = Parts::default();
    let mut rest = text.trim();
    if !format.trim_start().starts_with("%a")
        && !format.trim_start().starts_with("%A")
        && let Some((weekday, behind)) = weekday(rest.trim_start_matches('('))
    {
        parts.weekday = Some(weekday);
        rest = behind.trim_start_matches(['.', ',', ')', ' ', '-']);
    }
    let mut format = format.trim().chars();
    while let Some(expected) = format.next() {
        rest = match expected {
            '%' => parts.read(format.next()?, rest)?,
            blank if blank.is_whitespace() => rest.trim_start(),
            literal => {
                let rest = rest.trim_start();
                let next = rest.chars().next()?;
                next.to_lowercase().eq(literal.to_lowercase()).then(|| rest.get(next.len_utf8()..))??
            }
        };
    }
    rest.trim().is_empty().then_some(parts)
}

impl Parts {
    /// Reads what a directive asks for from the start of the text; returns the rest of it.
    fn read<'text>(&mut self, directive: char, text: &'text str) -> Option<&'text str> {
        let text = if directive == '%' { text } else { text.trim_start() };
        match directive {
            'F' => self.read_parts(['Y', 'm', 'd'], '-', text),
            'T' => self.read_parts(['H', 'M', 'S'], ':', text),
            'R' => self.read_parts(['H', 'M'], ':', text),
            'a' | 'A' | 'b' | 'B' | 'h' | 'p' | 'P' => self.read_name(directive, text),
            _ => self.read_number(directive, text),
        }
    }

    /// Reads several directives with a separator between them.
    fn read_parts<'text, const COUNT: usize>(
        &mut self,
        directives: [char; COUNT],
        separator: char,
        text: &'text str,
    ) -> Option<&'text str> {
        directives.into_iter().enumerate().try_fold(text, |text, (at, directive)| {
            let text = if at == 0 { text } else { text.strip_prefix(separator)? };
            self.read(directive, text)
        })
    }

    /// Reads the name of a weekday, of a month, or of a half of the day.
    fn read_name<'text>(&mut self, directive: char, text: &'text str) -> Option<&'text str> {
        match directive {
            'a' | 'A' => {
                let (weekday, rest) = weekday(text)?;
                self.weekday = Some(weekday);
                Some(rest)
            }
            'p' | 'P' => {
                let (half, rest) = half(text)?;
                self.half = Some(half);
                Some(rest)
            }
            _ => {
                let (month, rest) = name(text, &MONTHS)?;
                self.month = i8::try_from(month + 1).ok();
                Some(rest.strip_prefix('.').unwrap_or(rest))
            }
        }
    }

    fn read_number<'text>(&mut self, directive: char, text: &'text str) -> Option<&'text str> {
        let (value, rest) = match directive {
            'Y' => number(text, 4, 4)?,
            'y' | 'M' | 'S' => number(text, 2, 2)?,
            'd' | 'e' | 'm' | 'H' | 'I' | 'k' | 'l' => number(text, 1, 2)?,
            'f' => number(text, 1, 9)?,
            _ => return None,
        };
        let small = i8::try_from(value).ok();
        match directive {
            'Y' => self.year = i16::try_from(value).ok(),
            'y' => self.year = i16::try_from(value + 2000).ok(),
            'm' => self.month = Some(small?),
            'd' | 'e' => {
                self.day = Some(small?);
                return Some(without_ordinal(value, rest));
            }
            'H' | 'k' => self.hour = Some(small.filter(|hour| *hour <= 24)?),
            'I' | 'l' => self.hour = Some(small.filter(|hour| (1..=12).contains(hour))?),
            'M' => self.minute = small?,
            'S' => self.second = small?,
            _ => {}
        }
        Some(rest)
    }
}

/// Returns a number of so many digits at the start.
fn number(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits)?;
    // A longer run of digits is another number; but `%Y%m%d` may follow itself, so only the least length is sure.
    (digits >= least).then(|| Some((number.parse().ok()?, rest)))?
}

/// Passes over the `st`, `nd`, `rd` or `th` that belongs to the number.
fn without_ordinal(number: u32, text: &str) -> &str {
    let own = match (number % 10, number / 10) {
        (_, 1) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    match text.get(..2) {
        Some(ordinal) if ordinal.eq_ignore_ascii_case(own) => text.get(2..).unwrap_or_default(),
        _ => text,
    }
}

/// Parses one of the names at the start, whole or its first three letters (`Sept`, `Tues` and `Thurs` too).
fn name<'text>(text: &'text str, names: &[&str]) -> Option<(usize, &'text str)> {
    let length = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (word, rest) = text.split_at_checked(length)?;
    let word = word.to_ascii_lowercase();
    let index = names.iter().position(|name| {
        *name == word || name.get(..3) == Some(&word) || (word.len() >= 4 && word.len() <= 5 && name.starts_with(&word))
    })?;
    Some((index, rest))
}

/// Returns the name of a weekday at the start; Monday is 0.
fn weekday(text: &str) -> Option<(i8, &str)> {
    let (index, rest) = name(text, &WEEKDAYS)?;
    Some((i8::try_from(index).ok()?, rest))
}

/// Reads `AM`, `am`, `a.m.`, `A.M` at the start.
fn half(text: &str) -> Option<(Half, &str)> {
    let mut characters = text.char_indices();
    let half = match characters.next()?.1 {
        'a' | 'A' => Half::Am,
        'p' | 'P' => Half::Pm,
        _ => return None,
    };
    let rest = characters.as_str();
    let rest = rest.strip_prefix('.').unwrap_or(rest).strip_prefix(['m', 'M'])?;
    if rest.starts_with(|next: char| next.is_alphanumeric()) {
        return None;
    }
    Some((half, rest.strip_prefix('.').unwrap_or(rest)))
}
