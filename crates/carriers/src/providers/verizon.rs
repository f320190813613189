//! Verizon Business: a page with a table of details and a table of circuits.
//!
//! A notice is confirmed unless a remark above the details ("Attention: …"), the heading or the subject says what
//! happened since. The details have the window twice, in local time and in GMT; the latter counts. Notices in several
//! languages repeat both tables, the English ones first.

use std::collections::HashSet;

use notice::{
    dates,
    draft::Draft,
    failure::Failure,
    found::Found,
    model::{Circuit, Impact, Moment, Status},
    page::Page,
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Verizon Business.
pub static PROVIDER: Provider = Provider {
    slug: "verizon",
    name: "Verizon",
    domains: &["verizonbusiness.com", "verizon.com"],
    organizer: "NO-REPLY-sched-maint@EMEA.verizonbusiness.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

type StartAndEnd = (Found<Moment>, Found<Moment>);

const ID: &str = "Verizon MASTARS Request number";
const WINDOW_IN_GMT: &str = "Maintenance Date/Time (GMT)";
const WINDOW_IN_LOCAL_TIME: &str = "Maintenance Date/Time (Local)";
const CIRCUIT: &str = "Circuit ID";

static HEADING: Pattern = Pattern::new(r"(?i)^Verizon\b.*\bMaintenance\b.*\bNotification\b.*$");
static SALUTATION: Pattern = Pattern::new(r"(?i)^Dear\s+(.+?)\s*,$");
static MAINTENANCE: Pattern = Pattern::new(r"(?i)\bmaintenance\b");
static REQUEST: Pattern = Pattern::new(r"^[A-Za-z0-9-]*[0-9][A-Za-z0-9-]*$");
static NOT_DONE: Pattern = Pattern::new(
    r"(?i)\b(?:was|has) not (?:been )?(?:completed|performed|carried out|started)\b|\bwill not (?:be performed|be carried out|take place|proceed)\b",
);
static WINDOW: Pattern = Pattern::new(
    r"(?ix)
    ([a-z]{3,9}\s+\d{1,2},?\s+\d{4},?\s+\d{1,2}:\d{2}) \s+ ([a-z]{1,5}) \s* (?:-|–|to) \s*
    ([a-z]{3,9}\s+\d{1,2},?\s+\d{4},?\s+\d{1,2}:\d{2}) \s+ ([a-z]{1,5}) \b",
);
static DURATION: Pattern = Pattern::new(r"(?i)^(?:up to\s+)?\d+(?:[.:]\d+)?\s*(?:minute|min|hour|hr|h|day|second|sec)");
static NO_TIME: Pattern = Pattern::new(r"(?i)^(?:0+(?:[.:]0+)?\s*[a-z]+(?:\(s\))?\s*)+$");

fn says(source: &Source<'_>) -> Option<Found<String>> {
    source.view(&[]).ok()?.value_of(ID)
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = source.subject();
    if source.view(&[]).is_err() && !MAINTENANCE.is_match(&subject.value) {
        return Ok(Reading::Other("no maintenance in the subject, and no page".to_owned()));
    }
    let page = source.view(&[&["Company Name", CIRCUIT]])?;
    let is_notice = page.value_of(ID).is_some() || page.lines().matching(&HEADING).is_some();
    if !is_notice && page.value_of(WINDOW_IN_GMT).is_none() {
        return Ok(Reading::Other("not headed `Verizon Maintenance Notification`".to_owned()));
    }
    let id = page.expect_value_of(ID)?;
    if !REQUEST.is_match(&id.value) {
        return Err(Failure::malformed(format!("a number beside `{ID}`"), &id));
    }
    let status = status(&subject, page)?;
    let circuits = circuits(page)?;
    let account = page.lines().matching(&SALUTATION);
    let summary = page.value_of("Description of Maintenance");
    let draft = Draft::new(source).id(id).status(status.clone()).circuits(circuits);
    let draft = account.into_iter().fold(draft, Draft::account);
    let draft = summary.into_iter().fold(draft, Draft::summary);
    let Some(cell) = page.value_of(WINDOW_IN_GMT).or_else(|| page.value_of(WINDOW_IN_LOCAL_TIME)) else {
        let missing = Failure::missing(format!("a cell beside `{WINDOW_IN_GMT}`"));
        return if status.value.is_final() { Ok(Reading::Notice(vec![draft])) } else { Err(missing) };
    };
    Ok(Reading::Notice(draft.in_windows(windows(&cell)?)?))
}

/// Returns the status of the remark, else of the heading and the subject. A maintenance that was not carried out is
/// cancelled: another notice announces the next attempt.
fn status(subject: &Found<String>, page: &Page) -> Result<Found<Status>, Failure> {
    let remarks = page.lines().all_labelled("Attention");
    if let Some(remark) = remarks.iter().find(|remark| NOT_DONE.is_match(&remark.value)) {
        return Ok(remark.with(Status::Cancelled));
    }
    let titles: Vec<_> = page.lines().matching(&HEADING).into_iter().chain([subject.clone()]).collect();
    let mut statements = Vec::new();
    for text in remarks.iter().chain(&titles) {
        statements.extend(words::status_told(text)?);
    }
    let told = words::strongest(statements)?;
    told.map_or_else(|| words::announced(titles, page.lines().iter()), Ok)
}

/// Returns the windows of a cell that has nothing else.
fn windows(cell: &Found<String>) -> Result<Vec<StartAndEnd>, Failure> {
    let expected = "windows such as `Mar 4 2031 23:00 GMT - Mar 5 2031 03:00 GMT`";
    let rest = WINDOW.replace_all(&cell.value, "").to_lowercase();
    let is_whole = rest.split(|mark: char| !mark.is_alphanumeric()).all(|word| matches!(word, "" | "and"));
    if rest.len() == cell.value.len() || !is_whole {
        return Err(Failure::malformed(expected, cell));
    }
    let time = |local: &str, zone: &str| {
        cell.try_with(expected, |_| {
            let local = dates::civil(&local.replace(',', ""), &["%b %d %Y %H:%M", "%B %d %Y %H:%M"])?;
            dates::moment_at(local, zone)
        })
    };
    let windows = WINDOW.captures_iter(&cell.value).map(|captures| {
        let text = |group| captures.get(group).map_or("", |found| found.as_str());
        Ok((time(text(1), text(2))?, time(text(3), text(4))?))
    });
    windows.collect()
}

/// Reads the impact. Planned downtime is an outage, unless it is none.
fn impact(page: &Page) -> Result<Impact, Failure> {
    let Some(downtime) = page.value_of("Planned Circuit Downtime") else { return Ok(Impact::Outage) };
    match downtime.value.as_str() {
        none if NO_TIME.is_match(none) => Ok(Impact::NoImpact),
        duration if DURATION.is_match(duration) => Ok(Impact::Outage),
        _ => Ok(words::impact(&downtime)?.value),
    }
}

/// Returns the circuits of every table of circuits, without those that a translation repeats.
fn circuits(page: &Page) -> Result<Vec<Found<Circuit>>, Failure> {
    let impact = impact(page)?;
    let mut circuits: Vec<Found<Circuit>> = Vec::new();
    let mut known = HashSet::new();
    for table in page.tables_with(&["Company Name", CIRCUIT]) {
        let mut rows = Vec::new();
        for row in table.rows.iter().filter(|row| !row.is_blank()) {
            let id = row.expect(CIRCUIT)?;
            rows.push(id.try_with("the id of a circuit", |id| Circuit::new(id, impact))?);
        }
        let is_repeated = rows.iter().all(|row| known.contains(row.value.id()));
        if !is_repeated {
            known.extend(rows.iter().map(|row| row.value.id().to_owned()));
            circuits.append(&mut rows);
        }
    }
    Ok(circuits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    fn text(text: &str) -> Found<String> {
        Found::text(text, Place::Header("Subject"))
    }

    fn status_of(subject: &str, remark: &str) -> Option<Status> {
        let page = format!("<p>Verizon Maintenance Notification</p><table><tr><td colspan=2>{remark}</table>");
        status(&text(subject), &Page::parse(&page).unwrap()).ok().map(|found| found.value)
    }

    #[test]
    fn remarks_give_the_status() {
        for (remark, status) in [
            ("", Some(Status::Confirmed)),
            ("Attention: This is a reminder.", Some(Status::Confirmed)),
            ("Attention: Please check the list of circuits.", Some(Status::Confirmed)),
            ("ATTENTION: This maintenance has been cancelled and may be rescheduled.", Some(Status::Cancelled)),
            ("Attention: This maintenance was not completed. It may be rescheduled.", Some(Status::Cancelled)),
            ("Attention: Owing to weather, the work will not take place.", Some(Status::Cancelled)),
            ("Attention: This maintenance has been rescheduled, see the new time below.", Some(Status::ReScheduled)),
            ("Attention: This maintenance has been postponed.", Some(Status::ReScheduled)),
            ("Attention: The maintenance has started.", Some(Status::InProcess)),
            ("Attention: This maintenance is now complete.", Some(Status::Completed)),
            ("Attention: This maintenance was cancelled. This maintenance is completed.", None),
        ] {
            assert_eq!(status_of("Scheduled maintenance", remark), status, "{remark}");
        }
        assert_eq!(status_of("Maintenance cancelled", ""), Some(Status::Cancelled));
        assert_eq!(status_of("Maintenance cancelled", "Attention: This maintenance is completed."), None);
    }

    #[test]
    fn a_cell_has_windows_and_nothing_else() {
        let count = |cell: &str| windows(&text(cell)).map(|windows| windows.len()).ok();
        let window = "Mar 4 2031 23:00 GMT - Mar 5 2031 03:00 GMT";
        assert_eq!(count(window), Some(1));
        assert_eq!(count(&format!("{window}, {window} and {window}")), Some(3));
        assert_eq!(count(&format!("{window} or Mar 6")), None);
        assert_eq!(count("to be announced"), None);
        assert_eq!(count("Mar 4 2031 23:00 XYZ - Mar 5 2031 03:00 XYZ"), None);
    }

    #[test]
    fn downtime_gives_the_impact() {
        let impact_of = |downtime: &str| {
            let page = format!("<table><tr><td>Planned Circuit Downtime:</td><td>{downtime}</td></tr></table>");
            impact(&Page::parse(&page).unwrap()).ok()
        };
        for downtime in ["15 Minute(s)", "7 Hours", "1.5 Hour(s)", "0 Hour(s) 30 Minute(s)", ""] {
            assert_eq!(impact_of(downtime), Some(Impact::Outage), "{downtime}");
        }
        for downtime in ["0 Minute(s)", "None", "No Impact"] {
            assert_eq!(impact_of(downtime), Some(Impact::NoImpact), "{downtime}");
        }
        assert_eq!(impact_of("Purple"), None);
    }
}
