//! Windstream: a page with a heading ("Planned Maintenance Notification"), a table of details, one of impacts, and one of
//! circuits.
//!
//! The heading says where the maintenance stands. "Updated" has a new window; "Postponed" has the old one, which is off: the next
//! one is announced as an update.

use contract::count::counted;

use notice::{
    dates,
    draft::{Draft, Times},
    failure::Failure,
    found::Found,
    model::{Circuit, Impact, Status},
    page::{Page, Row},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Windstream Enterprise and Wholesale.
pub static PROVIDER: Provider = Provider {
    slug: "windstream",
    name: "Windstream",
    domains: &["windstream.com"],
    organizer: "wci.maintenance.notifications@windstream.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

const ID: &str = "WMT";
const CIRCUIT: &str = "Circuit ID";

static HEADING: Pattern = Pattern::new(r"(?i)^((?:[a-z/-]+ )*?)Maintenance Notification$");
static SUBJECT: Pattern = Pattern::new(r"(?i)\bWindstream ?\( ?(.*?) ?Notification WMT ?#? ?: ?\d+ ?\)");
static MAINTENANCE: Pattern = Pattern::new(r"(?i)\b(?:maintenance|WMT)\b");
static NUMBER: Pattern = Pattern::new(r"^#?(\d{3,})$");

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let subject = source.subject();
    if SUBJECT.is_match(&subject.value) {
        return Some(subject);
    }
    let page = source.view(&[]).ok()?;
    page.value_of(ID).filter(|_| page.lines().iter().any(|(_, line)| line.contains("Windstream")))
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = source.subject();
    let has_table = source.view(&[]).is_ok_and(|page| page.value_of(ID).is_some());
    if !has_table && !MAINTENANCE.is_match(&subject.value) {
        return Ok(Reading::Other(format!("no maintenance: `{}`", subject.quote)));
    }
    let page = source.view(&[&[CIRCUIT, "Name"], &["Impact Type", "Impact Start"]])?;
    let id =
        page.expect_value_of(ID)?.try_map("a number", |id| Some(NUMBER.captures(id)?.get(1)?.as_str().to_owned()))?;
    let status = status(page, &subject)?;
    let windows = windows(page)?;
    let mut draft = Draft::new(source).id(id).circuits(circuits(page, status.value)?);
    if let Some(row) = page.tables_with(&["Name", CIRCUIT]).iter().flat_map(|table| &table.rows).next() {
        draft = row.get("Name").into_iter().cloned().fold(draft, Draft::account);
    }
    if let Some(summary) = summary(page) {
        draft = draft.summary(summary);
    }
    let draft = draft.status(status);
    if windows.is_empty() {
        return Ok(Reading::Notice(vec![draft]));
    }
    Ok(Reading::Notice(draft.in_windows(windows)?))
}

/// Returns the status that heading and subject state; a change ranks above a plan.
fn status(page: &Page, subject: &Found<String>) -> Result<Found<Status>, Failure> {
    let heading = page.lines().matching(&HEADING).filter(|kind| !kind.value.is_empty());
    let mut statuses = Vec::new();
    if let Some(kind) = &heading {
        let expected = "a heading such as `Planned Maintenance Notification`";
        statuses.push(status_of(kind)?.ok_or_else(|| Failure::malformed(expected, kind))?);
    }
    if let Some(kind) = SUBJECT.captures(&subject.value).and_then(|parts| parts.get(1)) {
        statuses.extend(status_of(&subject.with(kind.as_str().to_owned()))?);
    }
    words::strongest(statuses)?.ok_or_else(|| Failure::missing("a heading such as `Planned Maintenance Notification`"))
}

fn status_of(kind: &Found<String>) -> Result<Option<Found<Status>>, Failure> {
    let lower = kind.value.to_lowercase();
    let own = |words: &[&str]| lower.split(|mark: char| !mark.is_alphanumeric()).any(|word| words.contains(&word));
    if own(&["postponed", "postpone", "postponement"]) {
        return Ok(Some(kind.with(Status::Cancelled)));
    }
    if own(&["updated", "update", "revised"]) {
        return Ok(Some(kind.with(Status::ReScheduled)));
    }
    words::status(kind)
}

fn windows(page: &Page) -> Result<Vec<Times>, Failure> {
    let starts = page.values_of("Event Start Date & Time");
    let ends = page.values_of("Event End Date & Time");
    if starts.len() != ends.len() {
        return Err(Failure::ambiguous("an end for every start").with_quote(&counted(starts.len(), "start")));
    }
    let formats = ["%m/%d/%y %H:%M", "%m/%d/%Y %H:%M"];
    let times = starts.into_iter().zip(ends);
    times.map(|(start, end)| Ok((dates::read_zoned(start, &formats)?, dates::read_zoned(end, &formats)?))).collect()
}

/// Returns the sentences between the heading and the description.
fn summary(page: &Page) -> Option<Found<String>> {
    let is_description = |line: &str| {
        ["Description of Maintenance", "Maintenance Information"].iter().any(|end| line.eq_ignore_ascii_case(end))
    };
    let lines = page.lines().iter().skip_while(|(_, line)| !HEADING.is_match(line)).skip(1);
    let lines: Vec<_> = lines
        .take_while(|(_, line)| !is_description(line))
        .filter(|(_, line)| !line.is_empty())
        .map(|(place, line)| Found::text(line, place))
        .collect();
    let written: Vec<_> = lines.iter().map(|line| page.as_written(line)).collect();
    lines.into_iter().next().map(|first| first.map(|_| written.join("\n")))
}

fn circuits(page: &Page, status: Status) -> Result<Vec<Found<Circuit>>, Failure> {
    let tables = page.tables_with(&[CIRCUIT]);
    let rows: Vec<_> = tables.iter().flat_map(|table| &table.rows).filter(|row| !row.is_blank()).collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let impact = impact(page, status)?;
    let circuit = |row: &Row<'_>| {
        let id = row.expect(CIRCUIT)?;
        id.try_with("the id of a circuit", |_| Circuit::new(&page.as_written(id), impact))
    };
    rows.into_iter().map(circuit).collect()
}

/// Returns the worst of the listed impacts; without any, whether the work affects service.
fn impact(page: &Page, status: Status) -> Result<Impact, Failure> {
    let tables = page.tables_with(&["Impact Type", "Impact Start"]);
    let rows = tables.iter().flat_map(|table| &table.rows).filter(|row| row.get("Impact Start").is_some());
    // A note spans all of the columns.
    let is_note = |row: &&Row<'_>| match (row.get("Impact Type"), row.get("Impact Start")) {
        (Some(kind), Some(start)) => kind.place == start.place,
        _ => false,
    };
    let impacts =
        rows.filter(|row| !is_note(row)).map(|row| Ok(words::impact_or_hit(row.expect("Impact Type")?)?.value));
    if let Some(worst) = impacts.collect::<Result<Vec<_>, Failure>>()?.into_iter().max() {
        return Ok(worst);
    }
    match page.value_of("Service Affecting") {
        Some(said) if said.value.eq_ignore_ascii_case("yes") => Ok(Impact::Outage),
        Some(said) if said.value.eq_ignore_ascii_case("no") => Ok(Impact::NoImpact),
        Some(said) => Err(Failure::malformed("`YES` or `NO`", &said)),
        None if status.is_final() => Ok(Impact::NoImpact),
        None => Err(Failure::missing("a row under `Impact Type`, or a cell beside `Service Affecting:`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    fn read(heading: &str, subject: &str) -> Option<Status> {
        let page = Page::parse(&format!("<h1>{heading}</h1><p>Text</p>")).unwrap();
        status(&page, &Found::text(subject, Place::Header("Subject"))).ok().map(|status| status.value)
    }

    #[test]
    fn the_heading_says_where_it_stands() {
        for (kind, expected) in [
            ("Planned", Some(Status::Confirmed)),
            ("Demand", Some(Status::Confirmed)),
            ("Emergency", Some(Status::Confirmed)),
            ("Reminder", Some(Status::Confirmed)),
            ("Updated", Some(Status::ReScheduled)),
            ("Rescheduled", Some(Status::ReScheduled)),
            ("Postponed", Some(Status::Cancelled)),
            ("Cancelled", Some(Status::Cancelled)),
            ("Canceled", Some(Status::Cancelled)),
            ("Completed", Some(Status::Completed)),
            ("Purple", None),
        ] {
            assert_eq!(read(&format!("{kind} Maintenance Notification"), ""), expected, "{kind}");
        }
        let subject = |kind: &str| format!("Windstream ({kind} Notification WMT#: 123456)");
        assert_eq!(read("Planned Maintenance Notification", &subject("Demand")), Some(Status::Confirmed));
        assert_eq!(read("Planned Maintenance Notification", &subject("Cancelled")), Some(Status::Cancelled));
        assert_eq!(read("Completed Maintenance Notification", &subject("Cancelled")), None);
        assert_eq!(read("Maintenance Notification", &subject("Updated")), Some(Status::ReScheduled));
        assert_eq!(read("Maintenance Notification", ""), None);
    }

    #[test]
    fn the_worst_impact_counts() {
        let read = |rows: &str, affecting: &str| {
            let page = format!(
                "<table><tr><td>Service Affecting:<td>{affecting}</table><table><tr><td>Impact Type:<td>Duration<td>Impact \
                 Start<td>Impact End{rows}<tr><td colspan=4>Note: times vary</table>"
            );
            impact(&Page::parse(&page).unwrap(), Status::Confirmed).ok()
        };
        let row = |kind: &str| format!("<tr><td>{kind}<td>5 minute(s)<td>03/20/31 02:00 ET<td>03/20/31 08:00 ET");
        assert_eq!(read(&row("Outage"), "YES"), Some(Impact::Outage));
        assert_eq!(read(&(row("At Risk") + &row("Outage")), "YES"), Some(Impact::Outage));
        assert_eq!(read(&row("Switch Hit"), "YES"), Some(Impact::Outage));
        assert_eq!(read(&row("Purple"), "YES"), None);
        assert_eq!(read("", "YES"), Some(Impact::Outage));
        assert_eq!(read("", "no"), Some(Impact::NoImpact));
        assert_eq!(read("", "perhaps"), None);
    }
}
