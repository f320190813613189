//! Reads times of day and lengths of time at the start of a run of tokens.

use super::tokens::Token;

const HOUR: i32 = 3600;
const HALF_DAY: i32 = 12 * HOUR;
const DAY: i32 = 24 * HOUR;

/// A time of day, and the number of tokens that write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeOfDay {
    /// Seconds since midnight; a whole day for `24:00`.
    pub(super) seconds: i32,
    pub(super) tokens: usize,
}

/// Reads the time of day that begins at the first token: `22:00`, `22:00:30`, `22h00`, `22.00 hrs`, `2200 UTC`, `10 pm`,
/// `10:00 p.m.`.
pub(super) fn time_of_day(tokens: &[Token<'_>]) -> Option<TimeOfDay> {
    let written = hours_and_minutes(tokens).or_else(|| hour_of_half_day(tokens))?;
    let TimeOfDay { mut seconds, tokens: mut used } = written;
    let has_minutes = used > 1;
    if let Some((is_afternoon, length)) = half_day(tokens.get(used..)?, has_minutes)
        && seconds < HALF_DAY + HOUR
    {
        seconds = seconds % HALF_DAY + if is_afternoon { HALF_DAY } else { 0 };
        used += length;
    }
    (seconds <= DAY).then_some(TimeOfDay { seconds, tokens: used })
}

/// Reads a time that says its minutes. A point, or nothing, between hours and minutes needs a word after it that makes them a time:
/// `22.00` may be a price, and `2200` a number.
fn hours_and_minutes(tokens: &[Token<'_>]) -> Option<TimeOfDay> {
    let first = tokens.first()?;
    let number = first.number()?;
    if first.text.len() == 4 {
        let is_time = number % 100 < 60 && is_followed_by_time_word(tokens.get(1));
        return is_time.then_some(TimeOfDay { seconds: number / 100 * HOUR + number % 100 * 60, tokens: 1 });
    }
    let hours = first.short_number()? * HOUR;
    let separator = tokens.get(1)?;
    let minutes = hours + two_digits(tokens, 2)? * 60;
    if separator.is_punctuation(':') {
        let has_seconds = tokens.get(3).is_some_and(|next| next.is_punctuation(':') && !next.follows_blank);
        let seconds = two_digits(tokens, 4).filter(|_| has_seconds);
        return Some(match seconds {
            Some(seconds) => TimeOfDay { seconds: minutes + seconds, tokens: 5 },
            None => TimeOfDay { seconds: minutes, tokens: 3 },
        });
    }
    let is_time = !separator.follows_blank
        && (separator.text == "h" || separator.is_punctuation('.') && is_followed_by_time_word(tokens.get(3)));
    is_time.then_some(TimeOfDay { seconds: minutes, tokens: 3 })
}

/// Reads an hour alone, which needs `AM` or `PM` after it.
fn hour_of_half_day(tokens: &[Token<'_>]) -> Option<TimeOfDay> {
    let hour = tokens.first()?.short_number().filter(|hour| (1..=12).contains(hour))?;
    half_day(tokens.get(1..)?, false)?;
    Some(TimeOfDay { seconds: hour * HOUR, tokens: 1 })
}

/// Returns the number of a token of two digits directly after the one before it.
fn two_digits(tokens: &[Token<'_>], at: usize) -> Option<i32> {
    let token = tokens.get(at).filter(|token| token.text.len() == 2 && !token.follows_blank)?;
    token.number().filter(|number| *number < 60)
}

/// Reads `AM` or `PM` directly after a time: `true` for `PM`, and the number of its tokens.
///
/// A letter alone must touch a time with minutes, `10:00p`: Spanish has "a" between two times. German has "am" before a date.
fn half_day(tokens: &[Token<'_>], has_minutes: bool) -> Option<(bool, usize)> {
    let word = tokens.first()?;
    let point = |at: usize| tokens.get(at).is_some_and(|token| token.is_punctuation('.') && !token.follows_blank);
    let is_dotted = point(1) && tokens.get(2).is_some_and(|second| second.is_any_of(&["m"]) && !second.follows_blank);
    let is_german = word.text == "am"
        && tokens.get(1).is_some_and(|day| day.short_number().is_some())
        && tokens.get(2).is_some_and(|point| point.is_punctuation('.'));
    if word.is_any_of(&["am", "pm"]) {
        return (!is_german).then(|| (word.is_any_of(&["pm"]), 1));
    }
    if !word.is_any_of(&["a", "p"]) {
        return None;
    }
    let is_afternoon = word.is_any_of(&["p"]);
    if is_dotted {
        return Some((is_afternoon, if point(3) { 4 } else { 3 }));
    }
    let is_before_time = tokens.get(1).is_some_and(|next| next.number().is_some());
    (has_minutes && !word.follows_blank && !is_before_time).then_some((is_afternoon, 1))
}

/// Words that make the number before them a time, in any case.
const TIME_WORDS: &[&str] = &["hrs", "hours", "h", "hr", "uhr", "utc", "gmt", "local"];
/// Zones that do so in upper case alone: "est" is a French word.
const ZONES: &[&str] = &["Z", "CET", "CEST", "EST", "EDT", "LT", "HKT", "SGT"];

fn is_followed_by_time_word(word: Option<&Token<'_>>) -> bool {
    word.is_some_and(|word| word.is_any_of(TIME_WORDS) || ZONES.contains(&word.text))
}

/// A length of time in seconds, and the number of tokens that write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length {
    pub(super) seconds: i64,
    pub(super) tokens: usize,
}

/// Reads the length of time that begins at the first token: "4 hours", "1.5 h", "90-min", "4h30".
pub(super) fn length(tokens: &[Token<'_>]) -> Option<Length> {
    let whole = i64::from(tokens.first()?.number()?);
    let (hundredths, mut at) = match fraction(tokens) {
        Some(hundredths) => (hundredths, 3),
        None => (0, 1),
    };
    if tokens.get(at)?.is_punctuation('-') {
        at += 1;
    }
    let unit = seconds_of_unit(tokens.get(at)?.text)?;
    let seconds = whole * unit + hundredths * unit / 100;
    let is_glued = unit == i64::from(HOUR) && tokens.get(at).is_some_and(|unit| !unit.follows_blank);
    match two_digits(tokens, at + 1).filter(|_| is_glued) {
        Some(minutes) => Some(Length { seconds: seconds + i64::from(minutes) * 60, tokens: at + 2 }),
        None => Some(Length { seconds, tokens: at + 1 }),
    }
}

/// Returns the hundredths of a number such as `1.5` or `1,25`.
fn fraction(tokens: &[Token<'_>]) -> Option<i64> {
    let [_, separator, digits, ..] = tokens else { return None };
    let is_joined = !separator.follows_blank && !digits.follows_blank;
    let number = i64::from(digits.short_number().filter(|_| is_joined)?);
    let is_separator = separator.is_punctuation('.') || separator.is_punctuation(',');
    is_separator.then_some(if digits.text.len() == 1 { number * 10 } else { number })
}

fn seconds_of_unit(word: &str) -> Option<i64> {
    match word.to_lowercase().as_str() {
        "h" | "hr" | "hrs" | "hour" | "hours" | "horas" | "stunden" | "uur" | "ore" | "heures" | "saat" => Some(3600),
        "m" | "min" | "mins" | "minute" | "minutes" | "minutos" | "minuten" | "minuti" => Some(60),
        "d" | "day" | "days" => Some(86_400),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opinion::tokens::split;

    /// Returns every time of day of a text, in minutes as `HH:MM`.
    fn times(text: &str) -> Vec<String> {
        let mut tokens = Vec::new();
        split(text, &mut tokens);
        let mut times = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            match time_of_day(&tokens[at..]) {
                Some(time) => {
                    times.push(format!("{:02}:{:02}", time.seconds / 3600, time.seconds / 60 % 60));
                    at += time.tokens;
                }
                None => at += 1,
            }
        }
        times
    }

    #[test]
    fn times_of_day_in_every_form() {
        for (text, expected) in [
            ("22:00", &["22:00"][..]),
            ("22:00:30 - 02:15:00", &["22:00", "02:15"]),
            ("24:00", &["24:00"]),
            ("22h00 à 4h30", &["22:00", "04:30"]),
            ("22.00 hrs to 23.30 UTC", &["22:00", "23:30"]),
            ("2200 UTC", &["22:00"]),
            ("0130Z", &["01:30"]),
            ("10:00 PM", &["22:00"]),
            ("10:00pm", &["22:00"]),
            ("12:30 AM", &["00:30"]),
            ("12:30 a.m. to 01:00 p.m. UTC", &["00:30", "13:00"]),
            ("10 pm until 2 am", &["22:00", "02:00"]),
            ("10:00a - 12:00p", &["10:00", "12:00"]),
            ("13:30 PM", &["13:30"]),
        ] {
            assert_eq!(times(text), expected, "{text}");
        }
    }

    #[test]
    fn a_letter_between_two_times_is_no_half_of_a_day() {
        for (text, expected) in [
            ("01:00 a 05:00", &["01:00", "05:00"][..]),
            ("12:30 a 06:00", &["12:30", "06:00"]),
            ("12:30a06:00", &["12:30", "06:00"]),
            ("12:30 a 06:00 p.m.", &["12:30", "18:00"]),
            ("12:30 p", &["12:30"]),
            ("12:30 am 06.04.2031", &["12:30"]),
            ("12:30 am 06/04/2031", &["00:30"]),
        ] {
            assert_eq!(times(text), expected, "{text}");
        }
    }

    #[test]
    fn other_numbers_are_no_times() {
        for text in [
            "Level 3 a",
            "Suite 3a",
            "Phase 2 p",
            "22.00 EUR",
            "2200 metres",
            "2200 est ici",
            "1830 cet hiver",
            "25:10",
            "22:75",
        ] {
            assert!(times(text).is_empty(), "{text}: {:?}", times(text));
        }
    }

    #[test]
    fn lengths_in_every_form() {
        for (text, expected) in [
            ("4 hours", Some((14_400, 2))),
            ("4-hour window", Some((14_400, 3))),
            ("1.5 hours", Some((5400, 4))),
            ("1,25 h", Some((4500, 4))),
            ("90 min", Some((5400, 2))),
            ("4h30", Some((16_200, 3))),
            ("4h 30", Some((14_400, 2))),
            ("2 days", Some((172_800, 2))),
            ("2 circuits", None),
            ("hours", None),
        ] {
            let mut tokens = Vec::new();
            split(text, &mut tokens);
            let length = length(&tokens).map(|length| (length.seconds, length.tokens));
            assert_eq!(length, expected, "{text}");
        }
    }
}
