//! The forms of dates and times of day, as a few words and numbers beside each other.

use jiff::civil::Weekday;

/// A word, a number, or a mark of a line. Blanks are left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'text> {
    pub(super) text: &'text str,
    pub(super) at: usize,
    /// `true` if a blank stands before it.
    is_apart: bool,
}

impl Token<'_> {
    fn number(&self) -> Option<i32> {
        let is_number = self.text.len() <= 8 && self.text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { self.text.parse().ok() } else { None }
    }

    fn is(&self, mark: char) -> bool {
        self.text.starts_with(mark) && self.text.len() == mark.len_utf8()
    }

    pub(super) fn is_word(&self) -> bool {
        self.text.starts_with(char::is_alphabetic)
    }
}

/// Takes a line apart: runs of digits, runs of letters, marks.
pub(super) fn tokens<'text>(text: &'text str, tokens: &mut Vec<Token<'text>>) {
    tokens.clear();
    let mut characters = text.char_indices().peekable();
    let mut is_apart = false;
    while let Some((at, first)) = characters.next() {
        if first.is_whitespace() {
            is_apart = true;
            continue;
        }
        let mut end = at + first.len_utf8();
        let same = |next: char| {
            first.is_ascii_digit() && next.is_ascii_digit() || first.is_alphabetic() && next.is_alphabetic()
        };
        while let Some((next, _)) = characters.next_if(|(_, next)| same(*next)) {
            end = next + text.get(next..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        }
        tokens.extend(text.get(at..end).map(|text| Token { text, at, is_apart }));
        is_apart = false;
    }
}

/// A time of day at the start of the tokens: seconds since midnight, and how many tokens it takes.
pub(super) fn time_of_day(tokens: &[Token<'_>]) -> Option<(i32, usize)> {
    let first = tokens.first()?;
    let hour = first.number()?;
    let digits = first.text.len();
    let mark = tokens.get(1);
    let two = |index: usize| {
        let token = tokens.get(index).filter(|token| token.text.len() == 2 && !token.is_apart)?;
        token.number().filter(|number| *number < 60)
    };
    let (seconds, used) = match mark {
        Some(mark) if digits <= 2 && (mark.is(':') || mark.text == "h" && !mark.is_apart) && two(2).is_some() => {
            let minutes = two(2)?;
            let is_again = tokens.get(3).is_some_and(|next| next.is(':') && !next.is_apart);
            match two(4).filter(|_| is_again) {
                Some(seconds) => (hour * 3600 + minutes * 60 + seconds, 5),
                None => (hour * 3600 + minutes * 60, 3),
            }
        }
        // `22.00 hrs`, `22.00 UTC`
        Some(mark) if digits <= 2 && mark.is('.') && !mark.is_apart && two(2).is_some() && ends_time(tokens.get(3)) => {
            (hour * 3600 + two(2)? * 60, 3)
        }
        next if digits == 4 && hour % 100 < 60 && ends_time(next) => (hour / 100 * 3600 + hour % 100 * 60, 1),
        // `20310401T2200`
        Some(mark) if digits == 8 && mark.text == "T" => return None,
        next if digits <= 2 && half(next).is_some() => (hour * 3600, 1),
        _ => return None,
    };
    let (seconds, used) = match half(tokens.get(used)) {
        Some(is_afternoon) if seconds < 13 * 3600 => {
            let morning = seconds % (12 * 3600);
            let length = if tokens.get(used).is_some_and(|word| word.text.len() == 1) { 3 } else { 1 };
            (morning + if is_afternoon { 12 * 3600 } else { 0 }, used + length.min(tokens.len() - used))
        }
        _ => (seconds, used),
    };
    (seconds <= 24 * 3600).then_some((seconds, used))
}

/// Whether a word is `PM` (`true`) or `AM`; `a.m.` stands in several tokens.
fn half(word: Option<&Token<'_>>) -> Option<bool> {
    let word = word?.text;
    if word.eq_ignore_ascii_case("pm") || word.eq_ignore_ascii_case("p") {
        Some(true)
    } else if word.eq_ignore_ascii_case("am") || word.eq_ignore_ascii_case("a") && word.len() == 1 {
        Some(false)
    } else {
        None
    }
}

/// Whether a word shows that the number before it is a time.
fn ends_time(word: Option<&Token<'_>>) -> bool {
    let words =
        ["hrs", "hours", "h", "hr", "utc", "gmt", "z", "uhr", "cet", "cest", "est", "edt", "local", "lt", "hkt", "sgt"];
    word.is_some_and(|word| words.iter().any(|known| known.eq_ignore_ascii_case(word.text)))
}

/// A date whose parts are told apart by their form; the year may be missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    pub(super) year: Option<i32>,
    pub(super) month: i32,
    pub(super) day: i32,
}

/// A date with the name of its month, or the year first.
pub(super) fn named_date(tokens: &[Token<'_>]) -> Option<(Named, usize)> {
    let first = tokens.first()?;
    if let Some(number) = first.number() {
        let is_year = (2000..2100).contains(&number);
        if first.text.len() == 4 && is_year {
            return year_first(tokens, number);
        }
        if first.text.len() == 8 && (2000..2100).contains(&(number / 10_000)) {
            let (month, day) = (number / 100 % 100, number % 100);
            return Some((Named { year: Some(number / 10_000), month, day }, 1));
        }
        if first.text.len() > 2 {
            return None;
        }
        let at = pass(tokens, 1);
        let month = month(tokens.get(at)?.text)?;
        let (year, used) = year(tokens, at + 1);
        return Some((Named { year, month, day: number }, used));
    }
    let month = month(first.text)?;
    let at = pass(tokens, 1);
    let day = tokens.get(at).filter(|token| token.text.len() <= 2)?.number()?;
    // `May 22:00` is no day.
    if tokens.get(at + 1).is_some_and(|next| next.is(':')) {
        return None;
    }
    let (year, used) = year(tokens, at + 1);
    Some((Named { year, month, day }, used))
}

fn year_first(tokens: &[Token<'_>], year: i32) -> Option<(Named, usize)> {
    let mark = tokens.get(1)?;
    if let Some(month) = month(mark.text) {
        return Some((Named { year: Some(year), month, day: tokens.get(2)?.number()? }, 3));
    }
    if !(mark.is('-') || mark.is('/') || mark.is('.')) {
        return None;
    }
    let month = tokens.get(2).and_then(|token| month(token.text).or_else(|| token.number()))?;
    tokens.get(3).filter(|next| next.text == mark.text)?;
    let day = tokens.get(4)?.number()?;
    Some((Named { year: Some(year), month, day }, 5))
}

/// The year behind day and month, if there is one, and where the date ends.
fn year(tokens: &[Token<'_>], from: usize) -> (Option<i32>, usize) {
    let at = pass(tokens, from);
    let is_clock = tokens.get(at + 1).is_some_and(|next| next.is(':'));
    let Some((token, year)) = tokens.get(at).and_then(|token| Some((token, token.number()?))).filter(|_| !is_clock)
    else {
        return (None, from);
    };
    let mark = at.checked_sub(1).and_then(|before| tokens.get(before)).filter(|_| at > from);
    match token.text.len() {
        4 if (2000..2100).contains(&year) => (Some(year), at + 1),
        2 if year >= 20 && mark.is_none_or(|mark| !mark.is(',')) => (Some(2000 + year), at + 1),
        _ => (None, from),
    }
}

/// Passes over ordinals, "of", and the marks between the parts of a date.
fn pass(tokens: &[Token<'_>], mut at: usize) -> usize {
    let is_passed = |token: &Token<'_>| {
        matches!(
            token.text,
            "-" | "/"
                | "."
                | ","
                | "st"
                | "nd"
                | "rd"
                | "th"
                | "of"
                | "ST"
                | "ND"
                | "RD"
                | "TH"
                | "de"
                | "º"
                | "ª"
                | "'"
        )
    };
    while tokens.get(at).is_some_and(is_passed) {
        at += 1;
    }
    at
}

/// A date in numbers whose year stands last: its parts, its mark, and the tokens that it takes.
pub(super) fn numeric_date(tokens: &[Token<'_>]) -> Option<((i8, i8, i16, u8), usize)> {
    let [first, mark, second, again, year, ..] = tokens else { return None };
    let mark = mark.text.bytes().next().filter(|mark| matches!(mark, b'-' | b'/' | b'.'))?;
    let is_joined = again.text.bytes().next() == Some(mark) && !again.is_apart && !second.is_apart;
    let short = |token: &Token<'_>| token.number().filter(|_| token.text.len() <= 2);
    let (first, second) = (short(first)?, short(second)?);
    let year = match (year.text.len(), year.number()?) {
        (4, year) if (2000..2100).contains(&year) => year,
        (2, year) if year >= 20 && mark != b'.' => 2000 + year,
        _ => return None,
    };
    let is_date = (1..=31).contains(&first) && (1..=31).contains(&second) && (first <= 12 || second <= 12);
    (is_joined && is_date)
        .then(|| Some(((i8::try_from(first).ok()?, i8::try_from(second).ok()?, i16::try_from(year).ok()?, mark), 5)))
        .flatten()
}

/// A length of time in seconds: "4 hours", "90 min".
pub(super) fn length(tokens: &[Token<'_>]) -> Option<i64> {
    let number = i64::from(tokens.first()?.number()?);
    let unit = tokens.iter().skip(1).find(|token| !token.is('-'))?.text.to_lowercase();
    let seconds = match unit.as_str() {
        "h" | "hr" | "hrs" | "hour" | "hours" | "horas" | "stunden" | "uur" | "ore" | "heures" | "saat" => 3600,
        "m" | "min" | "mins" | "minute" | "minutes" | "minutos" | "minuten" | "minuti" => 60,
        "d" | "day" | "days" => 86_400,
        _ => return None,
    };
    Some(number * seconds)
}

/// Beginnings of the months' names in the languages of carriers, without accents.
const MONTHS: &[(&str, i32)] = &[
    ("jan", 1),
    ("ene", 1),
    ("gen", 1),
    ("oca", 1),
    ("feb", 2),
    ("fev", 2),
    ("fév", 2),
    ("sub", 2),
    ("şub", 2),
    ("mar", 3),
    ("mrt", 3),
    ("maa", 3),
    ("mär", 3),
    ("mae", 3),
    ("apr", 4),
    ("abr", 4),
    ("avr", 4),
    ("nis", 4),
    ("may", 5),
    ("mai", 5),
    ("mei", 5),
    ("mag", 5),
    ("jun", 6),
    ("jui", 6),
    ("giu", 6),
    ("haz", 6),
    ("jul", 7),
    ("lug", 7),
    ("tem", 7),
    ("aug", 8),
    ("ago", 8),
    ("aoû", 8),
    ("aou", 8),
    ("ağu", 8),
    ("agu", 8),
    ("sep", 9),
    ("set", 9),
    ("eyl", 9),
    ("oct", 10),
    ("okt", 10),
    ("out", 10),
    ("ott", 10),
    ("eki", 10),
    ("nov", 11),
    ("kas", 11),
    ("dec", 12),
    ("dez", 12),
    ("dic", 12),
    ("déc", 12),
    ("ara", 12),
];

fn month(word: &str) -> Option<i32> {
    if let Some(start) = word.get(..3).filter(|start| start.is_ascii() && word.len() <= 11 && word.is_ascii()) {
        if start.eq_ignore_ascii_case("jui") {
            let is_july = word.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("juil"));
            return Some(if is_july { 7 } else { 6 });
        }
        return MONTHS.iter().find(|(name, _)| name.eq_ignore_ascii_case(start)).map(|(_, month)| *month);
    }
    let mut letters = word.chars();
    let start: [char; 3] = [letters.next()?, letters.next()?, letters.next()?]
        .map(|letter| letter.to_lowercase().next().unwrap_or(letter));
    if word.len() > 11 {
        return None;
    }
    if start == ['j', 'u', 'i'] {
        return Some(if word.to_lowercase().starts_with("juil") { 7 } else { 6 });
    }
    MONTHS.iter().find(|(name, _)| name.chars().eq(start)).map(|(_, month)| *month)
}

/// The weekday that an English word names.
pub(super) fn weekday(word: &str) -> Option<Weekday> {
    let start = word.get(..3).filter(|_| word.len() <= 9)?;
    let days = [
        ("mon", Weekday::Monday),
        ("tue", Weekday::Tuesday),
        ("wed", Weekday::Wednesday),
        ("thu", Weekday::Thursday),
        ("fri", Weekday::Friday),
        ("sat", Weekday::Saturday),
        ("sun", Weekday::Sunday),
    ];
    days.iter().find(|(name, _)| name.eq_ignore_ascii_case(start)).map(|(_, weekday)| *weekday)
}
