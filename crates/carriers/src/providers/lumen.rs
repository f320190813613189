//! Lumen (and Level 3 before it): HTML with a heading that has the id, a summary, dated updates, and for each window a
//! table of its times in several zones and a table of the circuits.
//!
//! Where the maintenance stands is said per circuit in the column "Status", where there is one, else in the subject, else by
//! the newest update that says it. The rules that real notices show: an alternate night with no circuits of its own is
//! announced for those of the whole notice, and a notice of several windows is as old as its newest update.

use contract::identifier::is_placeholder;
use jiff::tz::TimeZone;

use notice::{
    dates,
    draft::{self, Draft, Times},
    failure::Failure,
    found::{Found, Place},
    lines::Lines,
    model::{Circuit, Moment, Status},
    page::{Headed, Page, Row},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Lumen Technologies.
pub static PROVIDER: Provider = Provider {
    slug: "lumen",
    name: "Lumen",
    domains: &["lumen.com"],
    organizer: "smc@lumen.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

pub(super) static HEADING: Pattern =
    Pattern::new(r"(?i)^(?:[a-z]+ )?maintenance (?:window )?#\s*:\s*([0-9][0-9a-z-]*)$");
static UPDATE: Pattern = Pattern::new(r"(?i)^(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}) (?:GMT|UTC) ?[-–:] ?(.+)$");
static TIME: Pattern = Pattern::new(r"(?i)^(\d{4}-\d{2}-\d{2} \d{2}:\d{2}) (?:GMT|UTC)\b");

/// Headings of sections: each ends the section before it.
const SECTIONS: &[&str] = &["Summary:", "Updates:", "Customer Impact:", "Maintenance Location(s):"];

const CIRCUITS: [&str; 2] = ["Circuit ID", "Impact Type"];
const TIMES: [&str; 2] = ["Start", "End"];

/// Stands below the tables: where to look, and who may read it.
const FOOT: &[&str] = &["Lumen Customer Portal", "permission of Lumen"];

/// Returns the heading with an id, in a mail that speaks of Lumen.
fn says(source: &Source<'_>) -> Option<Found<String>> {
    let lines = source.body().ok()?;
    let heading = lines.matching(&HEADING)?;
    lines.iter().any(|(_, line)| FOOT.iter().any(|words| line.contains(words))).then_some(heading)
}

pub(super) fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let Some(id) = source.body()?.matching(&HEADING) else {
        let subject = source.subject();
        if subject.value.to_lowercase().contains("maintenance") {
            return Err(Failure::missing("a heading such as `Scheduled Maintenance #: 12345678`"));
        }
        return Ok(Reading::Other(format!("no maintenance number: `{}`", subject.quote)));
    };
    let page = source.view(&[&CIRCUITS, &TIMES])?;
    source.expect_whole(FOOT)?;
    let updates = updates(page.lines())?;
    let windows = windows(page)?;
    let mut draft = Draft::new(source).id(id);
    draft = updates.last().into_iter().fold(draft, |draft, newest| draft.written_at(newest.value.0.into()));
    if windows.len() > 1 || source.stamp().is_none() {
        draft = updates.iter().fold(draft, |draft, update| draft.stamp(update.clone().map(|(time, _)| time)));
    }
    if let Some(summary) = page.lines().section("Summary:", SECTIONS).and_then(|lines| lines.into_iter().next()) {
        draft = draft.summary(summary.with(page.as_written(&summary)));
    }
    let drafts = draft.try_for_each(windows, |draft, window| {
        let status = match status_of_rows(&window.rows)? {
            Some(status) => status,
            None => status_of_notice(source, &updates)?,
        };
        let draft = match window.rows.first().and_then(|row| row.get("Customer Name")) {
            Some(customer) => draft.account(customer.clone()),
            None => draft,
        };
        let draft = window.rows.iter().filter_map(|row| row.get("Status")).fold(draft, Draft::row_status);
        let draft = draft.status(status).circuits(circuits(page, &window.rows)?);
        Ok(match window.times {
            Some((start, end)) => draft.window(start, end),
            None => draft,
        })
    })?;
    Ok(Reading::Notice(drafts))
}

type Update = Found<(Moment, Found<String>)>;

/// Returns the dated updates, the oldest first. A line without a date goes on with the update above it.
fn updates(lines: &Lines) -> Result<Vec<Update>, Failure> {
    let mut updates: Vec<Update> = Vec::new();
    for line in lines.section("Updates:", SECTIONS).unwrap_or_default() {
        if let Some(captures) = UPDATE.captures(&line.value) {
            let group = |group| captures.get(group).map_or("", |text| text.as_str());
            let time = line.try_with("an update's time such as `2025-01-01 05:00:30 GMT`", |_| {
                instant(group(1), "%Y-%m-%d %H:%M:%S")
            })?;
            let text = line.with(group(2).to_owned());
            updates.push(time.map(|time| (time, text)));
        } else if let Some(update) = updates.last_mut() {
            let text = &mut update.value.1.value;
            text.push('\n');
            text.push_str(&line.value);
        }
    }
    updates.sort_by_key(|update| update.value.0);
    Ok(updates)
}

fn instant(text: &str, format: &str) -> Option<Moment> {
    dates::moment(dates::civil(text, &[format])?, &TimeZone::UTC)
}

/// Returns the status of the subject if it is more than "scheduled", else that of the newest update with one.
fn status_of_notice(source: &Source<'_>, updates: &[Update]) -> Result<Found<Status>, Failure> {
    if let Some(status) = words::status(&source.subject())?
        && status.value != Status::Confirmed
    {
        return Ok(status);
    }
    for update in updates.iter().rev() {
        if let Some(status) = words::status_told(&update.value.1)? {
            return Ok(status);
        }
    }
    match updates.last() {
        Some(update) => Err(Failure::malformed("an update that says where the maintenance stands", update)),
        None => words::announced([source.subject()], source.body()?.iter()),
    }
}

const LEAST_SETTLED_FIRST: [Status; 5] =
    [Status::ReScheduled, Status::InProcess, Status::Confirmed, Status::Completed, Status::Cancelled];

/// Returns the status of the column "Status" for the circuits of one window: it is over only if it is over for each of them.
fn status_of_rows(rows: &[Row<'_>]) -> Result<Option<Found<Status>>, Failure> {
    let mut found: Vec<Found<Status>> = Vec::new();
    for said in rows.iter().filter_map(|row| row.get("Status")) {
        found.push(match (status_of_row(&said.value), words::status(said)) {
            (Some(status), _) => said.with(status),
            (None, Ok(Some(status))) => status,
            _ => {
                return Err(Failure::malformed("a status of a circuit such as `Completed` or `Alternate Night`", said));
            }
        });
    }
    Ok(LEAST_SETTLED_FIRST.iter().find_map(|status| found.iter().find(|found| found.value == *status).cloned()))
}

/// Returns the column's own words. What was "not completed" and has no other night will not take place.
fn status_of_row(said: &str) -> Option<Status> {
    Some(match said.to_lowercase().as_str() {
        "not completed" => Status::Cancelled,
        "alternate night" => Status::ReScheduled,
        "primary night" => Status::Confirmed,
        _ => return None,
    })
}

/// A window with the rows of its circuits.
struct Slot<'page> {
    times: Option<Times>,
    rows: Vec<Row<'page>>,
}

/// Returns the windows in the page's order. A circuit belongs to the window above it; a window without circuits of its own
/// has those of all. A notice without any window is one slot without times.
fn windows(page: &Page) -> Result<Vec<Slot<'_>>, Failure> {
    let mut circuits = Vec::new();
    for table in page.tables_with(&CIRCUITS) {
        let number = number_of(&table);
        circuits.extend(table.rows.into_iter().filter(|row| !row.is_blank()).map(|row| (number, row)));
    }
    let within = |from, to| {
        let own = circuits.iter().filter(move |(table, _)| (from..to).contains(table));
        own.map(|(_, row)| row.clone()).collect::<Vec<_>>()
    };
    let all = || within(0, usize::MAX);
    let tables = page.tables_with(&TIMES);
    draft::bounded(tables.iter().map(|table| table.rows.len()).sum(), circuits.len())?;
    let mut slots = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let own = within(number_of(table), tables.get(index + 1).map_or(usize::MAX, number_of));
        let before = slots.len();
        for row in &table.rows {
            let (Some(start), Some(end)) = (row.get("Start"), row.get("End")) else { continue };
            if TIME.is_match(&start.value) || TIME.is_match(&end.value) {
                let rows = if own.is_empty() { all() } else { own.clone() };
                slots.push(Slot { times: Some((time(start)?, time(end)?)), rows });
            }
        }
        if slots.len() == before {
            return Err(Failure::missing("a window in GMT under `Start` and `End`"));
        }
    }
    if slots.is_empty() {
        slots.push(Slot { times: None, rows: all() });
    }
    Ok(slots)
}

/// Returns the number of a table in the page; of a text, that of its first line.
fn number_of(table: &Headed<'_>) -> usize {
    let number = |heading: &&Found<String>| match heading.place {
        Place::Table { table, .. } => Some(table),
        Place::Text { line } => Some(line),
        _ => None,
    };
    table.headings().iter().flatten().find_map(number).unwrap_or_default()
}

fn time(cell: &Found<String>) -> Result<Found<Moment>, Failure> {
    cell.try_with("a time such as `2025-01-01 05:00 GMT`", |text| {
        instant(TIME.captures(text)?.get(1)?.as_str(), "%Y-%m-%d %H:%M")
    })
}

fn circuits(page: &Page, rows: &[Row<'_>]) -> Result<Vec<Found<Circuit>>, Failure> {
    let circuits = rows.iter().map(|row| {
        let is_given = |cell: &&Found<String>| !is_placeholder(&cell.value);
        let id = row.get("Circuit ID").filter(is_given).or_else(|| row.get("Alt Circuit ID").filter(is_given));
        let id = match id {
            Some(id) => id,
            None => row.expect("Circuit ID")?,
        };
        let impact = words::impact(row.expect("Impact Type")?)?;
        id.try_with("a circuit id", |_| Circuit::new(&page.as_written(id), impact.value))
    });
    circuits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(statuses: &[&str]) -> Page {
        let cells: Vec<_> = std::iter::once(&"Status").chain(statuses).map(|cell| format!("<td>{cell}</td>")).collect();
        Page::parse(&format!("<table><tr>{}</tr></table>", cells.join("</tr><tr>"))).unwrap()
    }

    fn status(statuses: &[&str]) -> Result<Option<Status>, Failure> {
        let page = page(statuses);
        let rows: Vec<_> = page.tables_with(&["Status"]).into_iter().flat_map(|table| table.rows).collect();
        Ok(status_of_rows(&rows)?.map(|status| status.value))
    }

    #[test]
    fn a_window_stands_where_its_least_settled_circuit_stands() {
        assert_eq!(status(&["Completed", "completed"]), Ok(Some(Status::Completed)));
        assert_eq!(status(&["Completed", "Alternate Night"]), Ok(Some(Status::ReScheduled)));
        assert_eq!(status(&["Postponed", "Completed"]), Ok(Some(Status::ReScheduled)));
        assert_eq!(status(&["Completed", "Not Completed"]), Ok(Some(Status::Completed)));
        assert_eq!(status(&["Not Completed", "Canceled"]), Ok(Some(Status::Cancelled)));
        assert_eq!(status(&["Completed", "Scheduled"]), Ok(Some(Status::Confirmed)));
        assert_eq!(status(&["", ""]), Ok(None));
        assert!(status(&["Completed", "Deferred"]).is_err());
    }

    #[test]
    fn the_newest_update_that_tells_counts() {
        let lines = Lines::of_text(
            "Updates:\n2025-01-01 06:00:00 GMT - A splice team is on site\nand will stay.\n\
             2025-01-01 05:00:30 GMT - Scheduled work has begun.\n\
             2024-12-13 09:58:20 GMT - The work is scheduled.\nCustomer Impact:\nnone",
        );
        let updates = updates(&lines).unwrap();
        let texts: Vec<_> = updates.iter().map(|update| update.value.1.value.as_str()).collect();
        assert_eq!(texts.last(), Some(&"A splice team is on site\nand will stay."));
        let told = |text: &str| words::status_told(&Found::by_rule(text.to_owned(), "a test")).unwrap();
        for (text, status) in [
            ("A splice team is on site\nand will stay.", None),
            ("Scheduled work has begun.", Some(Status::InProcess)),
            ("The work is scheduled.", Some(Status::Confirmed)),
            ("The scheduled window 1-1 has ended.", Some(Status::Completed)),
            ("The work has been completed.", Some(Status::Completed)),
            ("The scheduled work has been cancelled.", Some(Status::Cancelled)),
            ("The work has been postponed.", Some(Status::ReScheduled)),
            ("The work has been rescheduled.", Some(Status::ReScheduled)),
        ] {
            assert_eq!(told(text).map(|status| status.value), status, "{text}");
        }
    }
}
