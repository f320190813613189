//! Global Cloud Xchange's notices: the subject is a record (`id | type | notice | work | start - end`), the HTML has a table
//! of windows and one of services.
//!
//! Backup windows are used only if the work fails in the primary one, and are announced again then: they are no maintenance.

use notice::{
    dates,
    draft::Draft,
    failure::Failure,
    found::Found,
    model::{Circuit, Impact, Moment, Status},
    page::{Page, Row},
    pattern::{Pattern, SALUTATION},
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Global Cloud Xchange.
pub static PROVIDER: Provider = Provider {
    slug: "globalcloudxchange",
    name: "Global Cloud Xchange",
    domains: &["globalcloudxchange.com", "gcxworld.com"],
    organizer: "Gnoc@globalcloudxchange.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

pub(super) static ID: Pattern = Pattern::new(r"\b([A-Z]{2,4}\d{8,})\s*(?:\||$)");
static TIMES: Pattern = Pattern::new(
    r"(?i)^(\d{1,2}-[a-z]{3}-\d{4} \d{1,2}:\d{2})\s*\((?:GMT|UTC)\)\s*(?:-|–|to)\s*(\d{1,2}-[a-z]{3}-\d{4} \d{1,2}:\d{2})\s*\((?:GMT|UTC)\)$",
);

const START: &str = "Primary Start Date (GMT)";
const END: &str = "Primary End Date (GMT)";

type Window = (Found<Moment>, Found<Moment>);

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let subject = source.subject();
    (ID.is_match(&subject.value) && source.body().ok()?.joined().contains("Global Cloud Xchange")).then_some(subject)
}

/// The record in the subject.
struct Record {
    id: Found<String>,
    /// The type of the work and of the notice: where it stands.
    titles: Vec<Found<String>>,
    work: Option<Found<String>>,
    window: Option<Window>,
}

pub(super) fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let Some(record) = record(&source.subject()) else {
        let has_windows = source.page().is_ok_and(|page| !page.tables_with(&[START]).is_empty());
        return if has_windows {
            Err(Failure::malformed("a subject such as `PE2031… | Planned | … | work | times`", &source.subject()))
        } else {
            Ok(Reading::Other("no record of planned work in the subject".to_owned()))
        };
    };
    let page = source.page()?;
    source.expect_whole(&["any additional information"])?;
    let status = words::status_of(record.titles.iter().cloned(), page.lines().iter())?;
    let status =
        status.ok_or_else(|| Failure::malformed("a status in the subject, such as `Planned`", &source.subject()))?;
    let mut draft = Draft::new(source).id(record.id).circuits(circuits(page, status.value)?);
    if let Some(customer) = page.lines().matching(&SALUTATION) {
        draft = draft.account(customer);
    }
    if let Some(work) = record.work {
        draft = draft.summary(work);
    }
    let windows = windows(page, record.window)?;
    if windows.is_empty() && !status.value.is_final() {
        return Err(Failure::missing("a window in the subject or under `Primary Start Date (GMT)`"));
    }
    let draft = draft.status(status);
    if windows.is_empty() {
        return Ok(Reading::Notice(vec![draft]));
    }
    Ok(Reading::Notice(draft.in_windows(windows)?))
}

fn record(subject: &Found<String>) -> Option<Record> {
    let id = ID.captures(&subject.value)?.get(1)?;
    let part = |text: &str| subject.with(text.trim().to_owned());
    let after = subject.value.get(id.end()..)?;
    let mut parts: Vec<_> = after.split('|').map(part).filter(|part| !part.value.is_empty()).collect();
    let window = parts.last().and_then(|last| {
        let times = TIMES.captures(&last.value)?;
        let read = |group: usize| time(times.get(group)?.as_str());
        let (start, end) = (read(1)?, read(2)?);
        Some((last.with(start), last.with(end)))
    });
    if window.is_some() {
        parts.pop();
    }
    // One part alone is the type.
    let work = if parts.len() > 1 { parts.pop() } else { None };
    Some(Record { id: part(id.as_str()), titles: parts, work, window })
}

fn time(text: &str) -> Option<Moment> {
    let local = dates::civil(text, &["%d-%b-%Y %H:%M", "%d-%b-%Y %H:%M:%S"])?;
    dates::moment(local, &jiff::tz::TimeZone::UTC)
}

/// Returns the windows of the rows under these headings.
pub(super) fn windows_under(page: &Page, start: &str, end: &str) -> Result<Vec<Window>, Failure> {
    let tables = page.tables_with(&[start, end]);
    let rows = tables.iter().flat_map(|table| &table.rows).filter(|row| !row.is_blank());
    let windows = rows.map(|row| {
        let read = |heading| row.expect(heading)?.try_with("a time such as `31-Dec-2031 09:00`", |text| time(text));
        Ok((read(start)?, read(end)?))
    });
    windows.collect()
}

/// Returns the windows of the table; that of the subject is the only one, the first or all of them from end to end.
fn windows(page: &Page, subject: Option<Window>) -> Result<Vec<Window>, Failure> {
    let windows = windows_under(page, START, END)?;
    let (Some((start, end)), Some((first, _)), Some((_, last))) = (&subject, windows.first(), windows.last()) else {
        return Ok(if windows.is_empty() { subject.into_iter().collect() } else { windows });
    };
    let is_first = windows.first().is_some_and(|(first, last)| (first.value, last.value) == (start.value, end.value));
    if is_first || (start.value, end.value) == (first.value, last.value) {
        return Ok(windows);
    }
    Err(Failure::ambiguous(format!(
        "the same window in the subject and in the table ({} - {})",
        first.quote, last.quote
    ))
    .with_quote(&start.quote))
}

pub(super) fn circuits(page: &Page, status: Status) -> Result<Vec<Found<Circuit>>, Failure> {
    let all = page.lines().labelled("Impact:");
    let circuit = |row: &Row<'_>| {
        let id = row.expect("Service ID")?;
        let impact = match row.get("Impact").or(all.as_ref()) {
            Some(impact) => words::impact(impact)?.value,
            None if status.is_final() => Impact::NoImpact,
            None => return Err(Failure::missing("a cell under `Impact`").with_quote(&id.quote)),
        };
        id.try_with("a service", |id| Circuit::new(id, impact))
    };
    let tables = page.tables_with(&["Service ID"]);
    tables.iter().flat_map(|table| &table.rows).filter(|row| !row.is_blank()).map(circuit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    const TIMES: &str = "02-Jun-2031 20:00 (GMT) - 02-Jun-2031 23:00 (GMT)";

    fn of_subject(subject: &str) -> Option<Record> {
        record(&Found::text(subject, Place::Header("Subject")))
    }

    #[test]
    fn a_subject_is_a_record() {
        let record = of_subject(&format!("Fwd: PE2031060270001 | Planned | Reminder | Span repair | {TIMES}")).unwrap();
        assert_eq!(record.id.value, "PE2031060270001");
        assert_eq!(record.work.unwrap().value, "Span repair");
        assert_eq!(record.window.unwrap().1.value.to_string(), "2031-06-02T23:00:00Z");
        let short = of_subject("PE2031060270001 | Cancelled").unwrap();
        assert!(short.work.is_none() && short.window.is_none());
        assert!(of_subject("Fault Notification | TT 4410077").is_none());
    }

    #[test]
    fn words_give_the_status() {
        for (words, expected) in [
            ("Planned | Service Advisory Notice", Some(Status::Confirmed)),
            ("Emergency | Service Advisory Notice", Some(Status::Confirmed)),
            ("Planned | Reminder Notice", Some(Status::Confirmed)),
            ("Planned | Cancellation Notice", Some(Status::Cancelled)),
            ("Planned | Completion Notice", Some(Status::Completed)),
            ("Rescheduled | Service Advisory Notice", Some(Status::ReScheduled)),
            ("Planned | Postponed", Some(Status::ReScheduled)),
            ("Emergency | Work in progress", Some(Status::InProcess)),
            ("Suspended | Service Advisory Notice", None),
        ] {
            // What the work is called is not where it stands.
            let record = of_subject(&format!("PE2031060270001 | {words} | Completed span repair | {TIMES}")).unwrap();
            let status = words::status_of(record.titles, std::iter::empty()).unwrap();
            assert_eq!(status.map(|status| status.value), expected, "{words}");
        }
    }
}
