//! Telstra: MAINTNOTE calendars, and an HTML page without one. The page is a table of labels in an older template, and
//! labels with their values below or behind them in a newer one.
//!
//! The heading says where the maintenance stands ("Planned Maintenance Reminder Notification", "… Completion"), and the
//! sentence under it says the same. "Amendment" means that it has other times. All times say that they are UTC.

use notice::{
    change::{self, Change},
    dates,
    draft::{Draft, Times},
    failure::Failure,
    found::{Found, Place},
    lines::Lines,
    listed, maintnote,
    model::{Circuit, Impact, Moment, Status},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Telstra.
pub static PROVIDER: Provider = Provider {
    slug: "telstra",
    name: "Telstra",
    domains: &["telstra.com", "telstraglobal.com"],
    organizer: "gpen@team.telstra.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

const REFERENCE: &[&str] = &["Change Reference:", "Reference number", "Change Reference number"];
const WINDOW: &[&str] = &["Maintenance Window:", "Change Window:"];
const START: &[&str] = &["Start time", "Start date and time"];
const END: &[&str] = &["End time", "End date and time"];
const IMPACT: &[&str] = &["Expected Impact:", "Impact:", "Service impact:", "Expected impact"];
const SERVICES: &[&str] =
    &["Service(s) Impacted:", "Service/s under maintenance", "Service/s impacted", "Services Impacted:"];
const DETAILS: &[&str] = &["Maintenance Details"];
const CUSTOMER: &[&str] = &["To:", "Customer:", "Customer name"];

/// Further beginnings of lines at which a value ends.
const OTHERS: &[&str] = &["Attention:", "Email :", "Location:", "Click here", "If you have any"];

static HEADING: Pattern = Pattern::new(
    r"(?i)^((?:planned|emergency|urgent|unplanned|essential|scheduled|short notice)(?: [a-z]+)? maintenance(?: [a-z]+){1,3})$",
);
static SUBHEADING: Pattern =
    Pattern::new(r"(?i)^((?:non[- ]?)?service[- ](?:impacting|affecting)|(?:service )?at risk|no impact)$");
static AMENDED: Pattern = Pattern::new(r"(?i)\b(?:amended|amendment)\b");
static NOT_DONE: Pattern = Pattern::new(r"(?i)\b(?:did not|will not|will no longer) (?:proceed|go ahead|take place)\b");
static BREAK: Pattern = Pattern::new(r"(?i)\b(?:outages|break(?:s)? (?:to|in) service|break(?:s)?|hit(?:s)?)\b");
static TIME: Pattern =
    Pattern::new(r"(?i)^\D{0,20}?(\d{1,2}[- ][a-z]{3,9}[- ]\d{4},? \d{1,2}:\d{2}(?::\d{2})? ?\(?[a-z]{3,4}\)?)");

const TIMES: &[&str] = &["%d-%b-%Y %H:%M[:%S]", "%d %b %Y %H:%M[:%S]", "%d %b %Y, %H:%M[:%S]"];

fn says(source: &Source<'_>) -> Option<Found<String>> {
    maintnote::names(source, source.provider()).or_else(|| {
        let body = source.body().ok()?;
        let names_telstra = body.iter().any(|(_, line)| line.contains("Telstra"));
        value(source, body, SERVICES).filter(|_| names_telstra)?;
        value(source, body, REFERENCE)
    })
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    if let Some(drafts) = maintnote::read(source)? {
        return Ok(Reading::Notice(drafts));
    }
    let reference = source.body().ok().and_then(|body| Some((body, value(source, body, REFERENCE)?)));
    let Some((body, reference)) = reference else { return maintnote::read_or_other(source) };
    let status = status(source, body)?;
    let mut draft = Draft::new(source).id(reference).circuits(circuits(source, body)?);
    if let Some(customer) = value(source, body, CUSTOMER) {
        draft = draft.account(customer);
    }
    if let Some(summary) = summary(source, body) {
        draft = draft.summary(summary);
    }
    let windows = windows(source, body)?;
    let is_off = status.value.is_final();
    let draft = draft.status(status);
    match windows.as_slice() {
        [] if is_off => Ok(Reading::Notice(vec![draft])),
        [] => Err(Failure::missing("`Maintenance Window:` with a start and an end")),
        _ => Ok(Reading::Notice(draft.in_windows(windows)?)),
    }
}

/// Returns the value of the first of these labels: in the cell beside it, or behind or below it.
fn value(source: &Source<'_>, body: &Lines, labels: &[&str]) -> Option<Found<String>> {
    let beside = |label: &&str| source.page().ok()?.value_of(label);
    // Behind "To:" stands an address where somebody passed the mail on.
    let is_value = |label: &str, value: &str| !(is_label(value) || label == "To:" && value.contains('@'));
    let behind = |label: &&str| body.all_labelled(label).into_iter().find(|value| is_value(label, &value.value));
    labels.iter().find_map(beside).or_else(|| labels.iter().find_map(behind))
}

fn labels() -> impl Iterator<Item = &'static str> {
    [REFERENCE, WINDOW, START, END, IMPACT, SERVICES, DETAILS, CUSTOMER, OTHERS].into_iter().flatten().copied()
}

fn is_label(line: &str) -> bool {
    let bare = |text: &str| text.trim_end_matches([':', ' ']).to_lowercase();
    let line = bare(line);
    labels().any(|label| bare(label) == line)
}

fn status(source: &Source<'_>, body: &Lines) -> Result<Found<Status>, Failure> {
    let titles: Vec<_> = body.matching(&HEADING).into_iter().chain([source.subject()]).collect();
    let lead: Vec<(Place, &str)> = lead(body).collect();
    let stated = words::status_of(titles.iter().cloned(), lead.iter().cloned())?;
    if let Some(stated) =
        stated.as_ref().filter(|stated| !matches!(stated.value, Status::Confirmed | Status::Tentative))
    {
        return Ok(stated.clone());
    }
    let texts = titles.into_iter().chain(lead.into_iter().map(|(place, line)| Found::text(line, place)));
    let changed = texts.into_iter().find_map(|text| {
        let status = match text.value.as_str() {
            line if NOT_DONE.is_match(line) => Status::Cancelled,
            line if AMENDED.is_match(line) || is_extended(line) => Status::ReScheduled,
            _ => return None,
        };
        Some(text.map(|_| status))
    });
    changed.or(stated).ok_or_else(|| Failure::missing("a heading such as `Planned Maintenance Notification`"))
}

fn is_extended(line: &str) -> bool {
    change::statements(line).iter().any(|told| told.change == Change::Extended && !told.is_negated)
}

/// Returns the lines above the first label.
fn lead(body: &Lines) -> impl Iterator<Item = (Place, &str)> {
    let starts = |line: &str| {
        labels().any(|label| line.get(..label.len()).is_some_and(|start| start.eq_ignore_ascii_case(label)))
    };
    body.iter().take_while(move |(_, line)| !starts(line))
}

fn windows(source: &Source<'_>, body: &Lines) -> Result<Vec<Times>, Failure> {
    let time = |found: Found<String>| -> Result<Found<Moment>, Failure> { dates::read_zoned(found, TIMES) };
    if let Some(cell) = value(source, body, WINDOW) {
        let lines = source.page().map_or_else(|_| vec![cell.clone()], |page| page.lines_of(&cell));
        let window = |line: Found<String>| {
            let parts = line.value.split_once(" to ").or_else(|| line.value.split_once(" - "));
            let (start, end) =
                parts.ok_or_else(|| Failure::malformed("a window such as `01-Jun-2031 15:00:00(UTC) to …`", &line))?;
            Ok((time(line.with(start.to_owned()))?, time(line.with(end.to_owned()))?))
        };
        return lines.into_iter().map(window).collect();
    }
    let one = |labels| -> Result<Option<Found<Moment>>, Failure> {
        let Some(value) = value(source, body, labels) else { return Ok(None) };
        let text = value.try_map("a time such as `01 Jun 2031 15:00:00 UTC`", |text| {
            Some(TIME.captures(text)?.get(1)?.as_str().to_owned())
        })?;
        time(text).map(Some)
    };
    Ok(match (one(START)?, one(END)?) {
        (Some(start), Some(end)) => vec![(start, end)],
        (None, None) => Vec::new(),
        (start, _) => {
            return Err(Failure::missing(if start.is_some() {
                "a time at `End time`"
            } else {
                "a time at `Start time`"
            }));
        }
    })
}

fn circuits(source: &Source<'_>, body: &Lines) -> Result<Vec<Found<Circuit>>, Failure> {
    let Some(services) = value(source, body, SERVICES) else { return Ok(Vec::new()) };
    let lines = match services.place {
        Place::Table { .. } => source.page().map_or_else(|_| Vec::new(), |page| page.lines_of(&services)),
        _ => vec![services],
    };
    let impact = impact(source, body)?;
    let ids = lines.iter().flat_map(|line| listed::ids(&line.value).map(|id| line.with(id.to_owned())));
    let circuits = ids.filter(|id| !id.value.is_empty());
    circuits.map(|id| id.try_map("the id of a service", |id| Circuit::new(id, impact))).collect()
}

/// Returns the impact of the field, if its words are known; else that of the line under the heading. A notice without
/// either is for a person.
fn impact(source: &Source<'_>, body: &Lines) -> Result<Impact, Failure> {
    let stated = value(source, body, IMPACT).map(|field| match words::impact(&field) {
        Err(_) if BREAK.is_match(&field.value) => Ok(field.map(|_| Impact::Outage)),
        read => read,
    });
    let under_heading = body.matching(&SUBHEADING).map(|line| words::impact(&line)).transpose()?;
    match (stated, under_heading) {
        (Some(Ok(stated)), _) => Ok(stated.value),
        (_, Some(impact)) => Ok(impact.value),
        (Some(Err(failure)), None) => Err(failure),
        (None, None) => Err(Failure::missing("a field `Expected Impact:`, or a line such as `Service Impacting`")),
    }
}

/// Returns the paragraphs of the details, as they are written.
fn summary(source: &Source<'_>, body: &Lines) -> Option<Found<String>> {
    let ends: Vec<_> = labels().filter(|label| !DETAILS.contains(label)).collect();
    let paragraphs = DETAILS.iter().find_map(|label| body.section(label, &ends))?;
    let written =
        |line: &Found<String>| source.page().map_or_else(|_| line.value.clone(), |page| page.as_written(line));
    let text = paragraphs.iter().map(written).collect::<Vec<_>>().join(". ");
    paragraphs.into_iter().next().map(|first| first.map(|_| text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail::Mail;

    fn with<T>(body: &str, look: impl FnOnce(&Source<'_>, &Lines) -> T) -> T {
        let mail = Mail::decode(format!("Content-Type: text/html\r\nSubject: PN770123\r\n\r\n{body}").as_bytes());
        let source = Source::new(&mail, &PROVIDER);
        look(&source, source.body().unwrap())
    }

    #[test]
    fn headings() {
        for (heading, sentence, expected) in [
            ("Planned Maintenance Notification", "It has been scheduled.", Some(Status::Confirmed)),
            ("Emergency Maintenance Notification", "It will impact your service.", Some(Status::Confirmed)),
            ("Planned Maintenance Reminder Notification", "This is a reminder.", Some(Status::Confirmed)),
            ("Planned Maintenance Amendment", "It has been amended.", Some(Status::ReScheduled)),
            ("Planned Maintenance Extension", "", Some(Status::ReScheduled)),
            ("Planned Maintenance Rescheduled", "", Some(Status::ReScheduled)),
            ("Planned Maintenance Postponement", "", Some(Status::ReScheduled)),
            ("Planned Maintenance Commenced", "", Some(Status::InProcess)),
            ("Planned Maintenance Completion", "It has been completed - Successful", Some(Status::Completed)),
            ("Planned Maintenance Cancellation", "It was cancelled, not completed.", Some(Status::Cancelled)),
            ("Planned Maintenance Notification", "It has been withdrawn.", Some(Status::Cancelled)),
            ("Planned Maintenance Notification", "The work did not proceed.", Some(Status::Cancelled)),
            ("Network surprise", "", None),
        ] {
            let body = format!("<p>{heading}<p>{sentence}<p>Change Reference: PN1<p>Details: it was completed");
            let status = with(&body, status).ok().map(|status| status.value);
            assert_eq!(status, expected, "{heading}: {sentence}");
        }
    }

    #[test]
    fn impacts() {
        for (subheading, field, expected) in [
            ("Service Impacting", "4 hours outage during the change window", Some(Impact::Outage)),
            ("Service Impacting", "Two short hits", Some(Impact::Outage)),
            ("Service Impacting", "Something else", Some(Impact::Outage)),
            ("Non Service Impacting", "None", Some(Impact::NoImpact)),
            ("Service At Risk", "", Some(Impact::ReducedRedundancy)),
            ("", "Loss of redundancy", Some(Impact::ReducedRedundancy)),
            ("", "", None),
            ("", "Something else", None),
        ] {
            let body = format!("<p>{subheading}<table><tr><td>Expected Impact: <td>{field}</table>");
            let impact = with(&body, impact).ok();
            assert_eq!(impact, expected, "{subheading}: {field}");
        }
    }
}
