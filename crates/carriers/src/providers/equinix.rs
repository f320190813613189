//! Equinix: HTML whose last part is in English, with a span of dates, the window in UTC without a year, the impact, and a
//! table of assets per product. The id stands in brackets at the end of the subject.
//!
//! A mark before the subject's title says where the maintenance stands ("COMPLETED - Scheduled …"), and so does the
//! sentence before the dates; both are read, and must agree. The span gives the year: the days in UTC are at most one
//! day away from those of the span, which are local.

use contract::identifier::is_placeholder;
use jiff::{
    civil::{Date, DateTime},
    tz::TimeZone,
};

use std::collections::HashSet;

use notice::{
    dates,
    draft::{Draft, Times},
    failure::Failure,
    found::{Found, Place},
    lines::Lines,
    model::{Circuit, Impact, Moment, Status},
    page::{Page, Row},
    pattern::{PREFIXES, Pattern},
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Equinix.
pub static PROVIDER: Provider = Provider {
    slug: "equinix",
    name: "Equinix",
    domains: &["equinix.com"],
    organizer: "servicedesk@equinix.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

/// Headings of the tables of assets.
const ASSETS: [&str; 2] = ["Account #", "Service Serial #"];

/// Capitals before a dash, at the start of the title.
static MARK: Pattern = Pattern::new(r"^([A-Z][A-Z /-]*[A-Z])\s+[-–]\s");
static ID_IN_SUBJECT: Pattern = Pattern::new(r"\[([A-Za-z0-9-]*[0-9][A-Za-z0-9-]*)\]\s*$");
static ID_IN_BODY: Pattern = Pattern::new(r"(?i)please reference ([A-Z0-9-]*[0-9][A-Z0-9-]*)");
static SPAN: Pattern = Pattern::new(r"(?i)^(\d{1,2}-[a-z]{3,9}-\d{4})\s*[-–]\s*(\d{1,2}-[a-z]{3,9}-\d{4})$");
static WINDOW: Pattern = Pattern::new(
    r"(?i)^[^\d]*?(\d{1,2} [a-z]{3,9})(?: (\d{4}))?,? (\d{1,2}:\d{2})\s*[-–]\s*[^\d]*?(\d{1,2} [a-z]{3,9})(?: (\d{4}))?,? (\d{1,2}:\d{2})$",
);

/// Returns a greeting of Equinix, with a span and an id.
fn says(source: &Source<'_>) -> Option<Found<String>> {
    let lines = source.body().ok()?;
    lines.labelled("SPAN:")?;
    lines.matching(&ID_IN_BODY)?;
    let (place, line) = lines.iter().find(|(_, line)| line.contains("Dear Equinix Customer"))?;
    Some(Found::text(line, place))
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = source.subject();
    let title = PREFIXES.replace(source.mail().inner().bare_subject(), "").into_owned();
    let mark = MARK.captures(&title).and_then(|captures| captures.get(1)).map_or("", |mark| mark.as_str());
    if mark.split(' ').any(|word| matches!(word, "INCIDENT" | "OUTAGE" | "RFO")) {
        return Ok(Reading::Other(format!("an incident, not a maintenance: `{}`", subject.quote)));
    }
    let lines = source.body()?;
    let is_notice = lines.labelled("SPAN:").is_some() || lines.labelled("UTC:").is_some();
    if !is_notice && !title.to_lowercase().contains("maintenance") {
        return Ok(Reading::Other(format!("neither a maintenance nor a span of dates: `{}`", subject.quote)));
    }
    let page = source.view(&[&ASSETS])?;
    let status = status(&subject.with(mark.to_owned()), lines)?;
    let rows: Vec<_> =
        page.tables_with(&ASSETS).into_iter().flat_map(|table| table.rows).filter(|row| !row.is_blank()).collect();
    let mut draft = Draft::new(source).id(id(&subject, lines)?).summary(source.outer_subject()).status(status);
    if let Some(account) = rows.first().and_then(|row| row.get("Account #")) {
        draft = draft.account(account.clone());
    }
    if !rows.is_empty() {
        let impact = lines.all_labelled("IMPACT:").pop().ok_or_else(|| Failure::missing("a line `IMPACT:`"))?;
        draft = draft.circuits(circuits(page, &rows, words::impact(&impact)?.value)?);
    }
    let windows = windows(lines)?;
    if windows.is_empty() {
        return Ok(Reading::Notice(vec![draft]));
    }
    Ok(Reading::Notice(draft.in_windows(windows)?))
}

fn id(subject: &Found<String>, lines: &Lines) -> Result<Found<String>, Failure> {
    let in_subject = ID_IN_SUBJECT.captures(&subject.value).and_then(|captures| captures.get(1));
    match in_subject.map(|id| id.as_str().to_owned()) {
        Some(id) => Ok(subject.with(id)),
        None => lines.matching(&ID_IN_BODY).ok_or_else(|| {
            Failure::missing("an id in brackets at the end of the subject, or after `Please reference`")
        }),
    }
}

/// Returns the status of the mark in the subject and of the sentences between greeting and dates. Without a word of
/// change, it is the plan.
fn status(mark: &Found<String>, lines: &Lines) -> Result<Found<Status>, Failure> {
    let marked = words::status(mark)?;
    let is_title = |word| matches!(word, "MAINTENANCE" | "UPGRADE" | "NETWORK");
    if marked.is_none() && !mark.value.is_empty() && !mark.value.split(' ').any(is_title) {
        return Err(Failure::malformed("a mark before the title that says where the maintenance stands", mark));
    }
    let (plan, marked) = match marked {
        Some(status) if status.value == Status::Confirmed => (Some(status), None),
        marked => (None, marked),
    };
    let is_date = |line: &str| ["DATE:", "SPAN:", "UTC:"].iter().any(|label| line.starts_with(label));
    let opening = lines.iter().skip_while(|(_, line)| !line.contains("Dear Equinix Customer"));
    let told = words::status_told_in(opening.take_while(|(_, line)| !is_date(line)))?;
    let told = told.filter(|status| status.value != Status::Confirmed);
    match (marked, told) {
        (Some(marked), Some(told)) if marked.value != told.value => {
            Err(Failure::ambiguous("one status in subject and text")
                .with_quote(&format!("{} … {}", marked.quote, told.quote)))
        }
        (Some(status), _) | (None, Some(status)) => Ok(status),
        (None, None) => plan.map_or_else(|| words::announced([mark.clone()], lines.iter()), Ok),
    }
}

/// Returns the windows of the last part that is in English: each line `UTC:` under its span. One that is said twice is
/// one.
fn windows(lines: &Lines) -> Result<Vec<Times>, Failure> {
    let dates = lines.all_labelled("DATE:");
    let from = dates.last().map_or(0, |date| line_of(&date.place));
    let mut spans = dates;
    spans.extend(lines.all_labelled("SPAN:"));
    spans.sort_by_key(|span| line_of(&span.place));
    let mut windows: Vec<Times> = Vec::new();
    let mut known = HashSet::new();
    for said in lines.all_labelled("UTC:").into_iter().filter(|said| line_of(&said.place) > from) {
        // They are in the order of the lines.
        let above = spans.partition_point(|span| line_of(&span.place) < line_of(&said.place));
        let span = above.checked_sub(1).and_then(|last| spans.get(last));
        let span = span.ok_or_else(|| Failure::malformed("a span of dates above", &said))?;
        let days = days(span)?;
        let captures = WINDOW.captures(&said.value).ok_or_else(|| {
            Failure::malformed("a window such as `TUESDAY, 31 DEC 22:00 - WEDNESDAY, 01 JAN 03:00`", &said)
        })?;
        let group = |group| captures.get(group).map_or("", |text| text.as_str());
        let time = |day, year, time| {
            said.try_with("a day of the span above", |_| instant(group(day), group(year), group(time), days))
        };
        let window = (time(1, 2, 3)?, time(4, 5, 6)?);
        if known.insert((window.0.value, window.1.value)) {
            windows.push(window);
        }
    }
    Ok(windows)
}

fn line_of(place: &Place) -> usize {
    match place {
        Place::Text { line } | Place::Page { line } => *line,
        _ => 0,
    }
}

/// Returns the first and the last day of a span, local time.
fn days(span: &Found<String>) -> Result<(Date, Date), Failure> {
    let days = span.try_with("a span such as `31-DEC-2024 - 01-JAN-2025`", |span| {
        let captures = SPAN.captures(span)?;
        let day = |group| {
            let text = format!("{} 00:00", captures.get(group)?.as_str());
            dates::civil(&text, &["%d-%b-%Y %H:%M", "%d-%B-%Y %H:%M"]).map(DateTime::date)
        };
        Some((day(1)?, day(2)?))
    })?;
    Ok(days.value)
}

/// Returns the instant of a day in UTC, in the one year that puts it into the span, give or take a day.
fn instant(day: &str, year: &str, time: &str, (first, last): (Date, Date)) -> Option<Moment> {
    let first = first.yesterday().ok()?;
    let last = last.tomorrow().ok()?;
    let years = first.year()..=last.year().min(first.year() + 1);
    let mut fitting = years.filter(|candidate| year.is_empty() || year.parse() == Ok(*candidate)).filter_map(|year| {
        let local = dates::civil(&format!("{day} {year} {time}"), &["%d %b %Y %H:%M", "%d %B %Y %H:%M"])?;
        (first..=last).contains(&local.date()).then_some(local)
    });
    match (fitting.next(), fitting.next()) {
        (Some(local), None) => dates::moment(local, &TimeZone::UTC),
        _ => None,
    }
}

/// Returns an asset by its serial number; a virtual one, which has none, by the id of its kind.
fn circuits(page: &Page, rows: &[Row<'_>], impact: Impact) -> Result<Vec<Found<Circuit>>, Failure> {
    const IDS: [&str; 4] = ["Service Serial #", "L2 Connection UUID", "L3 Subscription UUID", "Virtual Asset UUID"];
    let circuits = rows.iter().map(|row| {
        let given = IDS.iter().filter_map(|heading| row.get(heading)).find(|cell| !is_placeholder(&cell.value));
        let id = match given {
            Some(id) => id,
            None => row.expect("Service Serial #")?,
        };
        id.try_with("a serial number", |_| Circuit::new(&page.as_written(id), impact))
    });
    circuits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATES: &str = "DATE: 31-DEC-2024 - 01-JAN-2025\nSPAN: 31-DEC-2024 - 01-JAN-2025\n";

    fn mark(title: &str) -> Found<String> {
        let mark = MARK.captures(title).and_then(|captures| captures.get(1)).map_or("", |mark| mark.as_str());
        Found::text(mark, Place::Header("Subject"))
    }

    #[test]
    fn mark_and_opening_say_the_status_and_agree() {
        let read = |title: &str, opening: &str| {
            let lines = Lines::of_text(&format!(
                "Ours was cancelled.\nDear Equinix Customer,\n{opening}\n{DATES}was cancelled"
            ));
            Ok::<_, Failure>(status(&mark(title), &lines)?.value)
        };
        for (title, status) in [
            ("Scheduled Upgrade-FR Metro Network Maintenance", Status::Confirmed),
            ("Router Maintenance by a third party - FR", Status::Confirmed),
            ("NETWORK MAINTENANCE - FR", Status::Confirmed),
            ("REMINDER - Scheduled Upgrade", Status::Confirmed),
            ("UPDATE - Scheduled Upgrade", Status::Confirmed),
            ("EMERGENCY - Upgrade", Status::Confirmed),
            ("STARTED - Scheduled Upgrade", Status::InProcess),
            ("COMPLETED - Scheduled Upgrade", Status::Completed),
            ("CANCELLED - Scheduled Upgrade", Status::Cancelled),
            ("RESCHEDULED - Scheduled Upgrade", Status::ReScheduled),
            ("RE-SCHEDULED - Scheduled Upgrade", Status::ReScheduled),
            ("POSTPONED - Scheduled Upgrade", Status::ReScheduled),
        ] {
            assert_eq!(read(title, "The work below will be carried out."), Ok(status), "{title}");
        }
        assert_eq!(read("Scheduled Upgrade", "The work is now complete."), Ok(Status::Completed));
        assert_eq!(read("Scheduled Upgrade", "The work below has commenced."), Ok(Status::InProcess));
        assert!(read("EXTENDED - Scheduled Upgrade", "").is_err());
        assert!(read("COMPLETED - Scheduled Upgrade", "The work below has been cancelled.").is_err());
    }

    #[test]
    fn the_span_gives_the_year_and_contradictions_are_refused() {
        let read = |utc: &str| {
            let windows = windows(&Lines::of_text(&format!("{DATES}UTC: {utc}")))?;
            Ok::<_, Failure>(
                windows.iter().map(|(start, end)| format!("{} {}", start.value, end.value)).collect::<Vec<_>>(),
            )
        };
        let new_year = vec!["2024-12-31T22:00:00Z 2025-01-01T03:00:00Z".to_owned()];
        assert_eq!(read("TUESDAY, 31 DEC 22:00 - WEDNESDAY, 01 JAN 03:00"), Ok(new_year.clone()));
        assert_eq!(read("TUESDAY, 31 DEC 2024 22:00 - WEDNESDAY, 01 JAN 2025 03:00"), Ok(new_year));
        assert!(read("TUESDAY, 31 DEC 2023 22:00 - WEDNESDAY, 01 JAN 2024 03:00").is_err());
        assert!(read("MONDAY, 03 MAR 22:00 - TUESDAY, 04 MAR 03:00").is_err());
        assert!(read("TUESDAY, 31 DEC 22:00 - TBD").is_err());
        assert!(windows(&Lines::of_text("UTC: TUESDAY, 31 DEC 22:00 - WEDNESDAY, 01 JAN 03:00")).is_err());
        assert!(windows(&Lines::of_text("nothing")).unwrap().is_empty());
    }

    #[test]
    fn the_id_stands_at_the_end_of_the_subject_or_in_the_text() {
        let lines = Lines::of_text("Please reference CHG0000017.");
        let read = |subject: &str| id(&Found::text(subject, Place::Header("Subject")), &lines).map(|id| id.value);
        assert_eq!(read("[list-1] Upgrade -31-DEC-2024 [5-204488]"), Ok("5-204488".to_owned()));
        assert_eq!(read("[list-1] Upgrade [External]"), Ok("CHG0000017".to_owned()));
    }
}
