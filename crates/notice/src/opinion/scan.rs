//! Finds the dates, times of day, zones and lengths that lines state.

use jiff::{
    civil::{Date, Weekday},
    tz::TimeZone,
};

use super::{
    clock, names, stated_zones,
    tokens::{self, Token},
    written_dates::{self, NamedDate, NumericDate},
};

/// A time of day in a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeMention {
    /// Seconds since midnight; a whole day for `24:00`.
    pub(super) seconds: i32,
    pub(super) line: usize,
    /// Byte of the line at which it begins.
    pub(super) start: usize,
    /// Byte of the line at which it ends.
    pub(super) end: usize,
}

/// A date in a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct DateMention {
    /// The days that it may be: one, or two where either number may be the month.
    pub(super) dates: [Option<Date>; 2],
    pub(super) line: usize,
    /// Byte of the line at which it begins.
    pub(super) start: usize,
}

impl DateMention {
    /// Returns whether it may be this day.
    pub(super) fn may_be(&self, date: Date) -> bool {
        self.dates.contains(&Some(date))
    }
}

/// The values that the lines of one form of a mail state.
#[derive(Debug, Default)]
pub(super) struct Stated {
    /// Times of day, in the order of the text.
    pub(super) times: Vec<TimeMention>,
    pub(super) dates: Vec<DateMention>,
    /// Zones with the line that names them.
    pub(super) zones: Vec<(usize, TimeZone)>,
    /// Lengths in seconds: "4 hours".
    pub(super) lengths: Vec<i64>,
}

/// A date in numbers of which it is not known yet which one is the month.
struct UnorderedDate {
    numbers: NumericDate,
    /// Weekday directly before it.
    weekday: Option<Weekday>,
    line: usize,
    start: usize,
}

/// A date without a year.
struct YearlessDate {
    date: NamedDate,
    line: usize,
    start: usize,
}

/// Dates that only the rest of the mail can settle.
#[derive(Default)]
struct Unsettled {
    unordered: Vec<UnorderedDate>,
    yearless: Vec<YearlessDate>,
}

/// Scans lines, of which the first are subjects. `announced`, the day on which the notice was written, settles what a date leaves open.
pub(super) fn scan(lines: &[&str], subjects: usize, announced: Option<Date>) -> Stated {
    let mut stated = Stated { zones: stated_zones::zones(lines, subjects), ..Stated::default() };
    let mut unsettled = Unsettled::default();
    let mut tokens = Vec::new();
    for (line, text) in lines.iter().enumerate() {
        let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
        if has_digit {
            tokens::split(text, &mut tokens);
            let before = stated.lengths.len();
            scan_line(&tokens, line, &mut stated, &mut unsettled);
            // "1 hour and 30 minutes" is their sum.
            let lengths = stated.lengths.get(before..).filter(|lengths| lengths.len() > 1);
            stated.lengths.extend(lengths.map(|lengths| lengths.iter().sum::<i64>()));
        }
    }
    add_unordered(&unsettled.unordered, announced, &mut stated);
    add_yearless(&unsettled.yearless, announced, &mut stated);
    stated
}

fn scan_line(tokens: &[Token<'_>], line: usize, stated: &mut Stated, unsettled: &mut Unsettled) {
    let mut at = 0;
    let mut weekday = None;
    while let Some(rest) = tokens.get(at..)
        && let Some(first) = rest.first()
    {
        // Times of day, lengths and dates in numbers begin with a number.
        let is_number = first.text.starts_with(|digit: char| digit.is_ascii_digit());
        let length = if is_number { clock::length(rest) } else { None };
        stated.lengths.extend(length.map(|length| length.seconds));
        if is_number && let Some(time) = clock::time_of_day(rest) {
            let end = rest.get(time.tokens - 1).map_or(first.end(), Token::end);
            stated.times.push(TimeMention { seconds: time.seconds, line, start: first.start, end });
            at += time.tokens;
        } else if let Some((date, used)) = written_dates::named_date(rest) {
            match date.year.and_then(|year| date.in_year(year)) {
                Some(day) => stated.dates.push(DateMention { dates: [Some(day), None], line, start: first.start }),
                None => unsettled.yearless.push(YearlessDate { date, line, start: first.start }),
            }
            weekday = None;
            at += used;
        } else if is_number && let Some((numbers, used)) = written_dates::numeric_date(rest) {
            // A weekday belongs to the next date alone.
            unsettled.unordered.push(UnorderedDate { numbers, weekday: weekday.take(), line, start: first.start });
            at += used;
        } else if let Some(length) = length {
            at += length.tokens;
        } else {
            let named = if is_number { None } else { names::weekday(first.text) };
            weekday = named.or(weekday.filter(|_| !first.is_word()));
            at += 1;
        }
    }
}

/// Adds dates without a year in the year that the mail writes for the same day elsewhere, or else in the one in which they are nearest to
/// the announcement. A date for which neither is known is left out.
fn add_yearless(yearless: &[YearlessDate], announced: Option<Date>, stated: &mut Stated) {
    let written = stated.dates.len();
    for YearlessDate { date, line, start } in yearless {
        let is_same = |day: &Date| i32::from(day.month()) == date.month && i32::from(day.day()) == date.day;
        let same = stated.dates.iter().take(written).flat_map(|mention| mention.dates).flatten().find(is_same);
        let nearest = || {
            let announced = announced?;
            let years = (announced.year() - 1..=announced.year() + 1).filter_map(|year| {
                let day = date.in_year(i32::from(year))?;
                Some((day.since(announced).ok()?.get_days().abs(), day))
            });
            years.min().map(|(_, day)| day)
        };
        let settled = same.or_else(nearest).map(|day| [Some(day), None]);
        stated.dates.extend(settled.map(|dates| DateMention { dates, line: *line, start: *start }));
    }
}

fn add_unordered(unordered: &[UnorderedDate], announced: Option<Date>, stated: &mut Stated) {
    for date in unordered {
        let dates = match (date.numbers.day_first(), date.numbers.month_first()) {
            (Some(day_first), Some(month_first)) if day_first != month_first => {
                order(date, unordered, announced, day_first, month_first)
            }
            (day_first, month_first) => [day_first.or(month_first), None],
        };
        stated.dates.push(DateMention { dates, line: date.line, start: date.start });
    }
}

/// Settles which number of a date is the month: by the weekday before it, by another date of the mail in the same form, by the day of
/// the announcement. Returns both readings where none of them tells.
fn order(
    date: &UnorderedDate,
    unordered: &[UnorderedDate],
    announced: Option<Date>,
    day_first: Date,
    month_first: Date,
) -> [Option<Date>; 2] {
    let choose = |is_day_first: bool, is_month_first: bool| match (is_day_first, is_month_first) {
        (true, false) => Some([Some(day_first), None]),
        (false, true) => Some([Some(month_first), None]),
        _ => None,
    };
    let by_weekday =
        || date.weekday.and_then(|weekday| choose(day_first.weekday() == weekday, month_first.weekday() == weekday));
    let by_form = || {
        let mut alike = unordered.iter().filter(|other| other.numbers.separator == date.numbers.separator);
        let has_day_first = alike.clone().any(|other| other.numbers.first > 12);
        choose(has_day_first, alike.any(|other| other.numbers.second > 12))
    };
    let by_announcement = || {
        let announced = announced?;
        let days = |day: Date| day.since(announced).map_or(i32::MAX, |span| span.get_days());
        let is_likely = |day: Date| (-MAX_DAYS_PAST..=MAX_DAYS_AHEAD).contains(&days(day));
        choose(is_likely(day_first), is_likely(month_first))
    };
    by_weekday().or_else(by_form).or_else(by_announcement).unwrap_or([Some(day_first), Some(month_first)])
}

/// Days after its window within which a notice is written.
const MAX_DAYS_PAST: i32 = 20;
/// Days before its window within which a notice is written.
const MAX_DAYS_AHEAD: i32 = 200;

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// Returns the dates of a text, those of an ambiguous one with a bar between them.
    fn dates(text: &str, announced: Option<Date>) -> Vec<String> {
        let lines: Vec<&str> = text.lines().collect();
        let mut stated = scan(&lines, 0, announced);
        stated.dates.sort_by_key(|mention| (mention.line, mention.start));
        let text = |mention: &DateMention| {
            mention.dates.iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join("|")
        };
        stated.dates.iter().map(text).collect()
    }

    #[test]
    fn the_order_of_numbers_is_settled_where_it_can_be() {
        let march = Some(date(2031, 3, 20));
        for (text, announced, expected) in [
            ("04/05/2031", None, &["2031-05-04|2031-04-05"][..]),
            ("25/04/2031\n04/05/2031", None, &["2031-04-25", "2031-05-04"]),
            ("04/25/2031\n04/05/2031", None, &["2031-04-25", "2031-04-05"]),
            // The fifth of April 2031 is a Saturday.
            ("Saturday 04/05/2031", None, &["2031-04-05"]),
            ("Sat, 04/05/2031 22:00 - 05/06/2031 02:00", None, &["2031-04-05", "2031-06-05|2031-05-06"]),
            ("Monitor 04/05/2031", None, &["2031-05-04|2031-04-05"]),
            // The third of November is too far ahead.
            ("03/11/2031", march, &["2031-03-11"]),
            ("04/08/2031", march, &["2031-08-04|2031-04-08"]),
        ] {
            assert_eq!(dates(text, announced), expected, "{text}");
        }
    }

    #[test]
    fn a_missing_year_is_that_of_the_mail_or_of_its_announcement() {
        let december = Some(date(2031, 12, 20));
        for (text, announced, expected) in [
            ("4 May 2033\n4 May, 22:00", december, &["2033-05-04", "2033-05-04"][..]),
            ("4 January 22.00 hrs", december, &["2032-01-04"]),
            ("4 January", None, &[]),
            ("Maintenance 12", december, &[]),
            ("ticket 20457812", december, &[]),
        ] {
            assert_eq!(dates(text, announced), expected, "{text}");
        }
    }

    #[test]
    fn times_and_lengths_of_a_line() {
        for (text, times, lengths) in [
            // It may be either.
            ("1 April 22.00 hrs", &[79_200][..], &[79_200][..]),
            ("4h30", &[16_200], &[16_200]),
            ("1 April 01:00 a 05:00", &[3600, 18_000], &[]),
            ("Maintenance - 4 hours", &[], &[14_400]),
            ("lasting 1.5 hours", &[], &[5400]),
            ("1 hour and 30 minutes", &[], &[3600, 1800, 5400]),
        ] {
            let stated = scan(&[text], 0, None);
            assert_eq!(stated.times.iter().map(|time| time.seconds).collect::<Vec<_>>(), times, "{text}");
            assert_eq!(stated.lengths, lengths, "{text}");
        }
    }
}
