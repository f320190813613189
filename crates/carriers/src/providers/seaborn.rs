//! Seaborn Networks: lines with labels, in two layouts that say the same under other labels, written by hand.
//!
//! The subject has the customer's account in brackets and, in one of the layouts, the ticket behind it. Where the maintenance
//! stands is told by the subject, the type, and the sentence before the first label ("this maintenance has been
//! rescheduled"). What is below the closing words may be an older mail, and is not read.

use jiff::tz::TimeZone;

use contract::count::counted;

use notice::{
    dates,
    draft::{Draft, Times},
    failure::Failure,
    found::{Found, Place},
    lines::Lines,
    listed,
    model::{Circuit, Impact, Status},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Seaborn Networks.
pub static PROVIDER: Provider = Provider {
    slug: "seaborn",
    name: "Seaborn",
    // The second is Turkcell's, whose desk has written for Seaborn.
    domains: &["seabornnetworks.com", "superonline.net"],
    organizer: "inoc@superonline.net",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

const TICKET: &[&str] = &["Seaborn Ticket number:", "Seaborn Ticket:", "Ticket number:"];
const TYPE: &[&str] = &["Notification Type:", "Notification Details:"];
const DESCRIPTION: &[&str] = &["Description:"];
const IMPACT: &[&str] = &["Service Impact:"];
const CIRCUITS: &[&str] = &[
    "Affected Circuit:",
    "Affected Circuits:",
    "Affected Circuit(s):",
    "Circuit impacted:",
    "Circuits impacted:",
    "Circuit(s) impacted:",
];
const START: &str = "Start date/time:";
const END: &[&str] = &["Finish date/time:", "End date/time:"];
/// The new one first: an old one may stand beside it.
const SCHEDULE: &[&str] = &["New Schedule", "Schedule"];

/// Labels: each ends the value before it.
#[rustfmt::skip]
const LABELS: &[&str] = &[
    "Seaborn Ticket", "Ticket number:", "Notification Type:", "Notification Details:", "Description:", "Service Impact:",
    "Affected Circuit", "Affected Circuits", "Circuit impacted", "Circuits impacted", "Circuit(s) impacted", START,
    "Finish date/time:", "End date/time:", "New Schedule", "Old Schedule", "Previous Schedule", "Schedule", "Location:",
    "We regret", "We apologize", "Regards", "Best regards", "Kind regards", "Thank you", "Thanks",
];
/// The last of [`LABELS`]: the closing words.
const CLOSING: &[&str] =
    &["We regret", "We apologize", "Regards", "Best regards", "Kind regards", "Thank you", "Thanks"];

static MAINTENANCE: Pattern = Pattern::new(r"(?i)\bmaintenance\b");
static ACCOUNT: Pattern = Pattern::new(r"\[##\s*([^\]#]+?)\s*##\]");
static ACCOUNT_AND_TICKET: Pattern = Pattern::new(r"\[([^\]]+)\]\s*(\d{3,})\b");
static TICKET_IN_SUBJECT: Pattern = Pattern::new(r"(?i)\bTT\s*#\s*(\d{3,})\b");
static TICKET_NUMBER: Pattern = Pattern::new(r"^#?\s*([A-Za-z-]*\d{3,})$");
static CIRCUIT: Pattern = Pattern::new(r"^[A-Z\d]+(?:[-/._][A-Z\d]+)+\b");
static RANGE: Pattern = Pattern::new(
    r"(?i)(\d{1,2}-[a-z]{3,9}-\d{4},? \d{1,2}:\d{2})(?: ?(?:UTC|GMT))? ?(?:-|–|to) ?(\d{1,2}-[a-z]{3,9}-\d{4},? \d{1,2}:\d{2})",
);
static DURATION: Pattern = Pattern::new(r"(?i)^(?:up to )?\d+(?:[.:]\d+)? ?(?:minutes?|mins?|hours?|hrs?|h)\b");

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let lines = source.body().ok()?;
    let names_seaborn = |line: &str| line.contains("Seaborn Networks") || line.contains("seabornnetworks.com");
    lines.labelled("Seaborn Ticket number:").or_else(|| {
        let kind = lines.labelled("Notification Type:")?;
        let is_whole = value(lines, CIRCUITS).is_some() && lines.iter().any(|(_, line)| names_seaborn(line));
        is_whole.then_some(kind)
    })
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let (subject, lines) = (source.subject(), source.body()?);
    let is_notice = MAINTENANCE.is_match(&subject.value) || value(lines, TICKET).is_some() || schedule(lines).is_some();
    if !is_notice {
        return Ok(Reading::Other(format!("no maintenance and no ticket: `{}`", subject.quote)));
    }
    source.expect_whole(CLOSING)?;
    let status = status([Some(subject.clone()), value(lines, TYPE)].into_iter().flatten(), lines)?;
    let mut draft = Draft::new(source).id(ticket(&subject, lines)?).circuits(circuits(lines, status.value)?);
    let account =
        |subject: &Found<String>| group(&ACCOUNT, subject, 1).or_else(|| group(&ACCOUNT_AND_TICKET, subject, 1));
    if let Some(account) = account(&subject).or_else(|| account(&source.outer_subject())) {
        draft = draft.account(account);
    }
    if let Some(description) = values(lines, DESCRIPTION) {
        let written: Vec<_> = description.iter().map(|line| lines.as_written(line)).collect();
        draft = description
            .into_iter()
            .take(1)
            .fold(draft, |draft, first| draft.summary(first.map(|_| written.join("\n"))));
    }
    let windows = windows(lines)?;
    let draft = draft.status(status);
    if windows.is_empty() {
        return Ok(Reading::Notice(vec![draft]));
    }
    Ok(Reading::Notice(draft.in_windows(windows)?))
}

/// Returns the status of subject and type, or of the sentence before the labels, with which every notice begins.
fn status(titles: impl Iterator<Item = Found<String>>, lines: &Lines) -> Result<Found<Status>, Failure> {
    let status = match words::status_of(titles, lines.opening(LABELS))? {
        None => words::status_told_in(lines.opening(LABELS))?,
        status => status,
    };
    status.ok_or_else(|| Failure::missing("a sentence such as `a planned maintenance has been scheduled`"))
}

/// Returns the lines under the first of these labels.
fn values(lines: &Lines, labels: &[&str]) -> Option<Vec<Found<String>>> {
    labels.iter().find_map(|label| lines.section(label, LABELS)).filter(|lines| !lines.is_empty())
}

fn value(lines: &Lines, labels: &[&str]) -> Option<Found<String>> {
    values(lines, labels)?.into_iter().next()
}

fn schedule(lines: &Lines) -> Option<Vec<Found<String>>> {
    values(lines, SCHEDULE).or_else(|| values(lines, &[START]))
}

fn group(pattern: &Pattern, text: &Found<String>, group: usize) -> Option<Found<String>> {
    let value = pattern.captures(&text.value)?.get(group)?.as_str().trim().to_owned();
    Some(text.with(value))
}

fn ticket(subject: &Found<String>, lines: &Lines) -> Result<Found<String>, Failure> {
    if let Some(ticket) = value(lines, TICKET) {
        return ticket
            .try_map("a ticket number", |text| Some(TICKET_NUMBER.captures(text)?.get(1)?.as_str().to_owned()));
    }
    let in_subject = group(&TICKET_IN_SUBJECT, subject, 1).or_else(|| group(&ACCOUNT_AND_TICKET, subject, 2));
    in_subject.ok_or_else(|| Failure::malformed("a ticket such as `[Account] 1234` or `TT#1234`", subject))
}

fn circuits(lines: &Lines, status: Status) -> Result<Vec<Found<Circuit>>, Failure> {
    let Some(listed) = values(lines, CIRCUITS) else { return Ok(Vec::new()) };
    let impact = match value(lines, IMPACT) {
        Some(said) if DURATION.is_match(&said.value) => Impact::Outage,
        Some(said) => words::impact_or_hit(&said)?.value,
        None if status.is_final() => Impact::NoImpact,
        None => return Err(Failure::missing("a line `Service Impact:`")),
    };
    let mut circuits = Vec::new();
    for line in listed {
        for id in listed::ids(&line.value).map(clean).filter(|id| !id.is_empty()) {
            let circuit = line
                .try_with("the id of a circuit", |_| CIRCUIT.is_match(id).then(|| Circuit::new(id, impact)).flatten());
            circuits.push(circuit?);
        }
    }
    Ok(circuits)
}

/// Removes what a wrong charset left around an id.
fn clean(id: &str) -> &str {
    id.trim_matches(|mark: char| mark.is_whitespace() || mark == '\u{fffd}')
}

/// Reads start and finish under labels of their own, or ranges under `SCHEDULE: (UTC):`.
fn windows(lines: &Lines) -> Result<Vec<Times>, Failure> {
    let is_closing = |line: &str| CLOSING.iter().any(|closing| line.starts_with(closing));
    let end = lines.iter().find(|(_, line)| is_closing(line)).map(|(place, _)| line_of(&place));
    let all = |label: &str| -> Vec<_> {
        let found = lines.all_labelled(label).into_iter();
        found.filter(|found| end.is_none_or(|end| line_of(&found.place) < end)).collect()
    };
    let starts = all(START);
    if starts.is_empty() {
        return values(lines, SCHEDULE).map_or_else(|| Ok(Vec::new()), |schedule| ranges(&schedule));
    }
    let ends: Vec<_> = END.iter().flat_map(|label| all(label)).collect();
    if starts.len() != ends.len() {
        return Err(Failure::ambiguous("a finish for every start").with_quote(&counted(starts.len(), "start")));
    }
    let formats = ["%m/%d/%Y %I:%M[:%S] %p", "%m/%d/%Y %H:%M[:%S]"];
    let times = starts.into_iter().zip(ends);
    times.map(|(start, end)| Ok((dates::read_zoned(start, &formats)?, dates::read_zoned(end, &formats)?))).collect()
}

fn line_of(place: &Place) -> usize {
    match place {
        Place::Text { line } | Place::Page { line } => *line,
        _ => 0,
    }
}

/// Ranges and nothing else that has digits, all in UTC.
fn ranges(schedule: &[Found<String>]) -> Result<Vec<Times>, Failure> {
    let expected = "`(UTC)` and ranges such as `13-Aug-2031 04:00 - 13-Aug-2031 11:00`";
    let is_universal = schedule.iter().any(|line| line.value.contains("UTC") || line.value.contains("GMT"));
    let mut windows = Vec::new();
    for line in schedule {
        let rest = RANGE.replace_all(&line.value, "");
        if !is_universal || rest.contains(|mark: char| mark.is_ascii_digit()) {
            return Err(Failure::malformed(expected, line));
        }
        for range in RANGE.captures_iter(&line.value) {
            let time = |group| {
                let text = range.get(group).map_or("", |text| text.as_str()).replace(',', "");
                line.try_with(expected, |_| {
                    dates::moment(dates::civil(&text, &["%d-%b-%Y %H:%M", "%d-%B-%Y %H:%M"])?, &TimeZone::UTC)
                })
            };
            windows.push((time(1)?, time(2)?));
        }
    }
    match (windows.is_empty(), schedule.first()) {
        (true, Some(line)) => Err(Failure::malformed(expected, line)),
        _ => Ok(windows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(subject: &str, opening: &str) -> Option<Status> {
        let lines = Lines::of_text(&format!("Dear Customer,\n\n{opening}\n\nDescription: it was completed\n"));
        let subject = Found::text(subject, Place::Header("Subject"));
        status([subject].into_iter(), &lines).ok().map(|status| status.value)
    }

    #[test]
    fn the_opening_sentence_tells_where_it_stands() {
        let planned = "[Example] 4711 8/13 EMERGENCY MAINTENANCE";
        for (opening, expected) in [
            ("A planned maintenance has been scheduled.", Status::Confirmed),
            ("We have\nrescheduled this maintenance, as told here:", Status::ReScheduled),
            ("We have postponed this maintenance.", Status::ReScheduled),
            ("We have cancelled this maintenance.", Status::Cancelled),
            ("This maintenance has started.", Status::InProcess),
            ("We have completed this maintenance.", Status::Completed),
            ("This is a reminder.", Status::Confirmed),
        ] {
            assert_eq!(read(planned, opening), Some(expected), "{opening}");
        }
        assert_eq!(read("[Example] 4711 8/13 MAINTENANCE CANCELLED", ""), Some(Status::Cancelled));
        assert_eq!(read(planned, "It was not completed."), None);
        assert_eq!(read("[Example] 4711 8/13 MAINTENANCE", "Hello."), None);
        assert_eq!(
            read("[Example] 4711 8/13 MAINTENANCE", "A maintenance has been scheduled."),
            Some(Status::Confirmed)
        );
    }

    #[test]
    fn a_schedule_is_ranges_in_utc() {
        let read = |text: &str| {
            let lines = Lines::of_text(text);
            windows(&lines).map(|windows| windows.len()).ok()
        };
        let range = "13-Aug-2031 04:00 - 13-Aug-2031 11:00";
        assert_eq!(read(&format!("SCHEDULE: (UTC):\n{range}\n{range}\nLOCATION: 7 places")), Some(2));
        assert_eq!(read(&format!("SCHEDULE (UTC): {range}")), Some(1));
        assert_eq!(read(&format!("SCHEDULE:\n{range}")), None);
        assert_eq!(read(&format!("SCHEDULE: (UTC):\n{range}\n14-Aug-2031 04:00 - TBD")), None);
        assert_eq!(read("SCHEDULE: (UTC):\nto be announced"), None);
        let (start, end) = ("Start date/time: 8/12/2031 2:00:00 am GMT", "Finish date/time: 8/12/2031 11:00:00 am GMT");
        assert_eq!(read(&format!("{start}\n{end}\nRegards,\n{start}\n")), Some(1));
        assert_eq!(read(&format!("{start}\n{end}\n{start}\n")), None);
        assert_eq!(read("Start date/time: 8/12/2031 2:00:00 am\nFinish date/time: 8/12/2031 3:00:00 am"), None);
    }

    #[test]
    fn circuits_are_ids_alone() {
        let read = |list: &str| {
            let lines = Lines::of_text(&format!("Affected circuits: {list}\nService impact: Switch hits\n"));
            circuits(&lines, Status::Confirmed).map(|circuits| circuits.len()).ok()
        };
        assert_eq!(read("\u{fffd}A-EXA-NET-10G1-000-01, B-EXA-NET-10G1-000-02"), Some(2));
        assert_eq!(read("all of them"), None);
    }
}
