//! A mail about other days: every date in it is moved, whichever way it is written, and keeps the way in which it is.

use std::sync::LazyLock;

use jiff::{
    ToSpan,
    civil::{Date, Weekday},
};
use regex::{Captures, Regex};

/// The order of day and month in a date of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    DayFirst,
    MonthFirst,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

static DATE: LazyLock<Regex> = LazyLock::new(|| {
    let month = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?";
    let weekday =
        "(?-i:MON|TUE|WED|THU|FRI|SAT|SUN|Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:day|sday|s|nesday|rsday|rs|r|urday)?";
    Regex::new(&format!(
        r"(?ix)
          \b (?P<y1>20\d\d) (?P<a1>[-/.]) (?P<m1>\d\d?) (?P<b1>[-/.]) (?P<d1>\d\d?) (?P<e1>T|\b)
        | \b (?P<y2>20\d\d) (?P<m2>\d\d) (?P<d2>\d\d) (?P<e2>T\d)
        | \b (?P<n3>\d\d?) (?P<a3>[-/.]) (?P<o3>\d\d?) (?P<b3>[-/.]) (?P<y3>20\d\d|[23]\d) \b
        | \b (?P<d4>\d\d?) (?P<t4>st|nd|rd|th)? (?P<a4>[-\ ./]|\ of\ ) (?P<m4>{month}) \b (?:(?P<b4>[-\ ,./]+) (?P<y4>20\d\d) \b)?
        | \b (?P<m5>{month}) (?P<a5>\.?\s+) (?P<d5>\d\d?) (?P<t5>st|nd|rd|th)? \b (?:(?P<b5>[,\s]+) (?P<y5>20\d\d) \b)?
        | \b (?P<y7>20\d\d) - (?P<m7>{month}) - (?P<d7>\d\d?) \b
        | \b (?P<w6>{weekday}) \b"
    ))
    .unwrap()
});

/// Returns the text with each of its dates that many days later. Dates without a year are those nearest to `near`.
pub(crate) fn moved(text: &str, days: i64, order: Order, near: Date) -> String {
    let replaced = DATE.replace_all(text, |found: &Captures<'_>| {
        let written = found[0].to_owned();
        later(found, days, order, near).unwrap_or(written)
    });
    replaced.into_owned()
}

fn later(found: &Captures<'_>, days: i64, order: Order, near: Date) -> Option<String> {
    let get = |name: &str| found.name(name).map_or("", |group| group.as_str());
    if !get("w6").is_empty() {
        return Some(weekday_later(get("w6"), days));
    }
    let wide = |number: i8, like: &str| format!("{number:0width$}", width = like.len());
    let moved = |year: &str, month: &str, day: &str| moved_date(year, month, day, days, near);
    if !get("y1").is_empty() {
        let date = moved(get("y1"), get("m1"), get("d1"))?;
        let (month, day) = (wide(date.month(), get("m1")), wide(date.day(), get("d1")));
        return Some(format!("{}{}{month}{}{day}{}", date.year(), get("a1"), get("b1"), get("e1")));
    }
    if !get("y2").is_empty() {
        let date = moved(get("y2"), get("m2"), get("d2"))?;
        return Some(format!("{}{:02}{:02}{}", date.year(), date.month(), date.day(), get("e2")));
    }
    if !get("y3").is_empty() {
        let is_day_first = order == Order::DayFirst;
        let (day, month) = if is_day_first { (get("n3"), get("o3")) } else { (get("o3"), get("n3")) };
        let date = moved(get("y3"), month, day)?;
        let year = date.year().to_string();
        let (day, month) = (wide(date.day(), day), wide(date.month(), month));
        let (first, second) = if is_day_first { (day, month) } else { (month, day) };
        return Some(format!("{first}{}{second}{}{}", get("a3"), get("b3"), &year[4 - get("y3").len()..]));
    }
    if !get("y7").is_empty() {
        let date = moved(get("y7"), get("m7"), get("d7"))?;
        return Some(format!(
            "{}-{}-{}",
            date.year(),
            month_like(get("m7"), date.month()),
            wide(date.day(), get("d7"))
        ));
    }
    let (year, month, day) = if get("m4").is_empty() { ("y5", "m5", "d5") } else { ("y4", "m4", "d4") };
    let date = moved(get(year), get(month), get(day))?;
    let day = format!("{}{}", wide(date.day(), get(day)), ordinal(date.day(), get("t4"), get("t5")));
    let month = month_like(get(month), date.month());
    let year = if get(year).is_empty() { String::new() } else { date.year().to_string() };
    Some(if get("m4").is_empty() {
        format!("{month}{}{day}{}{year}", get("a5"), get("b5"))
    } else {
        format!("{day}{}{month}{}{year}", get("a4"), get("b4"))
    })
}

fn moved_date(year: &str, month: &str, day: &str, days: i64, near: Date) -> Option<Date> {
    let named = |month: &str| {
        let lower = month.to_ascii_lowercase();
        MONTHS.iter().position(|name| name.to_ascii_lowercase().starts_with(lower.get(..3).unwrap_or("?")))
    };
    let month = month.parse::<i8>().ok().or_else(|| i8::try_from(named(month)? + 1).ok())?;
    let day = day.parse().ok()?;
    let date = if year.is_empty() {
        let dates = (near.year() - 1..=near.year() + 1).filter_map(|year| Date::new(year, month, day).ok());
        dates.min_by_key(|date| (*date - near).get_days().abs())?
    } else {
        let year: i16 = year.parse().ok()?;
        Date::new(if year < 100 { 2000 + year } else { year }, month, day).ok()?
    };
    date.checked_add(days.days()).ok()
}

/// Returns a month in the letters of another one: long or short, in capitals or not.
fn month_like(like: &str, month: i8) -> String {
    let name = MONTHS[usize::try_from(month - 1).unwrap()];
    // Nobody can tell whether "May" is short.
    let name = if like.len() <= 4 && !like.eq_ignore_ascii_case("june") && !like.eq_ignore_ascii_case("july") {
        &name[..3]
    } else {
        name
    };
    if like.bytes().all(|letter| letter.is_ascii_uppercase()) { name.to_ascii_uppercase() } else { name.to_owned() }
}

fn ordinal(day: i8, one: &str, other: &str) -> &'static str {
    match (one.is_empty() && other.is_empty(), day) {
        (true, _) => "",
        (false, 1 | 21 | 31) => "st",
        (false, 2 | 22) => "nd",
        (false, 3 | 23) => "rd",
        (false, _) => "th",
    }
}

fn weekday_later(written: &str, days: i64) -> String {
    const NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let is_it = |name: &&str| name[..3].eq_ignore_ascii_case(&written[..3]);
    let index = i8::try_from(NAMES.iter().position(is_it).unwrap()).unwrap();
    let moved = Weekday::from_monday_zero_offset(index).unwrap().wrapping_add(days);
    let name = NAMES[usize::try_from(moved.to_monday_zero_offset()).unwrap()];
    let name = if written.len() < 6 { &name[..3] } else { name };
    let is_upper = written.bytes().all(|letter| letter.is_ascii_uppercase());
    if is_upper { name.to_ascii_uppercase() } else { name.to_owned() }
}
