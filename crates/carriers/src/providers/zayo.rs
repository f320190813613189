//! Zayo: one HTML template for every kind of notice, with bold labels, the windows in local time and again in GMT, and a
//! table of circuits.
//!
//! No field says where the maintenance stands. The title before the first `***` of the subject does ("RESCHEDULE
//! NOTIFICATION***Customer***ZAYO TTN-…"), and so do the sentences before the ticket; both are read, and must agree.
//! Without a word of change it is the announcement of a plan, whatever its urgency. A backup date is no window: it is
//! used only if another notice says so.

mod stage;

use jiff::{civil::DateTime, tz::TimeZone};

use self::stage::stage;
use notice::{
    dates,
    draft::{Draft, Times},
    failure::{Failure, FailureKind},
    found::Found,
    lines::Lines,
    model::{Circuit, Impact, Moment},
    page::Page,
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Zayo Group.
pub static PROVIDER: Provider = Provider {
    slug: "zayo",
    name: "Zayo",
    domains: &["zayo.com"],
    organizer: "mr@zayo.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

const TICKET: &str = "Maintenance Ticket #";

/// The labels of the template: where one begins, the value of the one before ends.
const LABELS: &[&str] = &[
    TICKET,
    "Urgency:",
    "Date Notice Sent:",
    "Customer:",
    "Maintenance Window",
    "Location of Maintenance:",
    "Reason for Maintenance:",
    "Expected Impact:",
    "Circuit(s) Affected:",
    "Circuit Id",
    "Maintenance Team Contacts:",
];

static TICKET_NUMBER: Pattern = Pattern::new(r"(?i)^([A-Z]{2,5}-?\d{3,})\b");
static TICKET_IN_SUBJECT: Pattern = Pattern::new(r"\*\*\*\s*ZAYO\s+([A-Z]{2,5}-?\d{3,})\b");
static CUSTOMER_IN_SUBJECT: Pattern = Pattern::new(r"\*\*\*\s*([^*]+?)\s*\*\*\*\s*ZAYO\b");
static RANGE: Pattern = Pattern::new(
    r"(?i)(\d{1,2}-[a-z]{3,9}-\d{4} \d{1,2}:\d{2}) to (\d{1,2}-[a-z]{3,9}-\d{4} \d{1,2}:\d{2}) ?\( ?(?:GMT|UTC) ?\)",
);

/// Returns a template's label with one of its tickets, in a mail that names Zayo.
fn says(source: &Source<'_>) -> Option<Found<String>> {
    let lines = source.body().ok()?;
    let ticket = lines.labelled(TICKET)?;
    let names_zayo = lines.iter().any(|(_, line)| line.contains("Zayo Maint") || line.contains("mr@zayo.com"));
    (names_zayo && TICKET_NUMBER.is_match(&ticket.value)).then_some(ticket)
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let lines = source.body()?;
    if lines.labelled(TICKET).is_none() {
        return other(source);
    }
    let page = source.view(&[&["Circuit Id", "Expected Impact"], &["Expected Impact"]])?;
    let stage = stage(source, lines)?;
    let windows = windows(lines)?;
    let draft = Draft::new(source).id(ticket(lines)?).circuits(circuits(page)?);
    let draft = common(draft, source, page)?;
    let starts: Vec<_> = windows.iter().map(|(start, _)| start.value.at()).collect();
    let expected = "which of the windows are over, and whether the work is done";
    let status = stage.try_map(expected, |stage| stage.status(&starts, source.announced_at()));
    let draft = draft.status(status.map_err(|failure| Failure { kind: FailureKind::Ambiguous, ..failure })?);
    if windows.is_empty() {
        return Ok(Reading::Notice(vec![draft]));
    }
    Ok(Reading::Notice(draft.in_windows(windows)?))
}

/// Returns a mail without a ticket: either not understood, or about something else.
fn other(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = source.subject();
    if subject.value.to_lowercase().contains("maintenance") || TICKET_IN_SUBJECT.is_match(&subject.value) {
        return Err(Failure::missing(format!("a line `{TICKET}`")));
    }
    Ok(Reading::Other(format!("no maintenance ticket: `{}`", subject.quote)))
}

fn ticket(lines: &Lines) -> Result<Found<String>, Failure> {
    let ticket = section(lines, TICKET).ok_or_else(|| Failure::missing(format!("a number after `{TICKET}`")))?;
    ticket.try_map("a ticket number such as `TTN-0001234567`", |ticket| {
        Some(TICKET_NUMBER.captures(ticket)?.get(1)?.as_str().to_owned())
    })
}

/// Returns the text after a label, to the next one; `None` if there is none.
fn section(lines: &Lines, label: &str) -> Option<Found<String>> {
    lines.section(label, LABELS)?.into_iter().next()
}

/// Returns the fields that are optional: customer, date of the notice, reason.
fn common(mut draft: Draft, source: &Source<'_>, page: &Page) -> Result<Draft, Failure> {
    let lines = page.lines();
    let subject = source.subject();
    let in_subject = CUSTOMER_IN_SUBJECT.captures(&subject.value).and_then(|captures| captures.get(1));
    if let Some(customer) = section(lines, "Customer:") {
        draft = draft.account(customer);
    } else if let Some(customer) = in_subject.map(|customer| customer.as_str().to_owned()) {
        draft = draft.account(subject.map(|_| customer));
    }
    if let Some(sent) = section(lines, "Date Notice Sent:") {
        draft = draft.stamp(sent.try_map("a date such as `21-Feb-2024`", |sent| instant(&format!("{sent} 00:00")))?);
    }
    let reason = lines.paragraph("Reason for Maintenance:", LABELS).unwrap_or_default();
    let written: Vec<_> = reason.iter().map(|line| page.as_written(line)).collect();
    if let Some(first) = reason.into_iter().next() {
        draft = draft.summary(first.map(|_| written.join("\n")));
    }
    Ok(draft)
}

fn instant(text: &str) -> Option<Moment> {
    let local: DateTime = dates::civil(text, &["%d-%b-%Y %H:%M", "%d-%B-%Y %H:%M"])?;
    dates::moment(local, &TimeZone::UTC)
}

/// Returns the windows under "1st Activity Date" and so on, by their lines in GMT. The lines in local time are the same
/// windows, with a zone that has no offset ("Eastern"), and are passed over; so is what stands under "Backup Date".
fn windows(lines: &Lines) -> Result<Vec<Times>, Failure> {
    let mut windows = Vec::new();
    let mut open: Option<Found<String>> = None;
    let mut is_backup = false;
    for (place, line) in lines.iter() {
        let lower = line.to_lowercase();
        let is_heading = lower.contains("activity date") || lower.contains("backup date");
        if is_heading || LABELS.iter().any(|label| lower.starts_with(&label.to_lowercase())) {
            if let Some(heading) = open.take() {
                return Err(Failure::malformed("a window in GMT under this heading", &heading));
            }
            is_backup = lower.contains("backup date");
            open = (is_heading && !is_backup).then(|| Found::text(line, place.clone()));
        }
        for range in RANGE.captures_iter(line).filter(|_| !is_backup) {
            let time = |group| {
                let text = range.get(group).map_or("", |text| text.as_str());
                let found = Found { value: text.to_owned(), ..Found::text(line, place.clone()) };
                found.try_map("a date and time such as `06-Mar-2024 04:00`", |text| instant(text))
            };
            windows.push((time(1)?, time(2)?));
            open = None;
        }
    }
    match open {
        Some(heading) => Err(Failure::malformed("a window in GMT under this heading", &heading)),
        None => Ok(windows),
    }
}

fn circuits(page: &Page) -> Result<Vec<Found<Circuit>>, Failure> {
    let mut circuits = Vec::new();
    for table in page.tables_with(&["Expected Impact"]) {
        let headings: Vec<_> = table.headings().iter().flatten().map(|heading| heading.value.as_str()).collect();
        let heading = circuit_heading(&headings).unwrap_or("Circuit Id");
        for row in table.rows.iter().filter(|row| !row.is_blank()) {
            let id = row.expect(heading)?;
            let impact = impact(row.expect("Expected Impact")?)?;
            circuits.push(id.try_with("a circuit id", |_| Circuit::new(&page.as_written(id), impact.value))?);
        }
    }
    Ok(circuits)
}

/// Returns the column of Zayo's own ids; "Legacy" and "Customer" ones are others' names for the same circuits.
fn circuit_heading<'page>(headings: &[&'page str]) -> Option<&'page str> {
    let is_exact = |heading: &&&str| heading.trim_end_matches([':', ' ']).eq_ignore_ascii_case("Circuit Id");
    let is_own = |heading: &&&str| {
        let heading = heading.to_lowercase();
        let is_others = ["legacy", "customer", "old", "previous", "former"].iter().any(|word| heading.contains(word));
        heading.contains("circuit") && !is_others
    };
    headings.iter().find(is_exact).or_else(|| headings.iter().find(is_own)).copied()
}

/// Returns the impact: a hit ("Switch Hit", "Hits") is an outage of moments.
fn impact(said: &Found<String>) -> Result<Found<Impact>, Failure> {
    let is_hit = said
        .value
        .split(|mark: char| !mark.is_alphanumeric())
        .any(|word| word.eq_ignore_ascii_case("hit") || word.eq_ignore_ascii_case("hits"));
    if is_hit { Ok(said.with(Impact::Outage)) } else { words::impact(said) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    #[test]
    fn an_impact_is_read_or_refused() {
        let read = |text: &str| impact(&Found::text(text, Place::Header("Subject"))).map(|impact| impact.value).ok();
        assert_eq!(read("Hard Down - up to 5 hours"), Some(Impact::Outage));
        assert_eq!(read("Switch Hit - under a minute"), Some(Impact::Outage));
        assert_eq!(read("No Expected Impact"), Some(Impact::NoImpact));
        assert_eq!(read("Reduced Redundancy"), Some(Impact::ReducedRedundancy));
        assert_eq!(read("Wobble"), None);
    }

    #[test]
    fn a_window_without_gmt_is_refused_and_a_backup_passed_over() {
        let read = |text: &str| windows(&Lines::of_text(text)).map(|windows| windows.len());
        let day = "06-Mar-2024 04:01 to 06-Mar-2024 09:00 ( GMT )";
        assert_eq!(read(&format!("1st Activity Date\n{day}\nBackup Date\n{day}\n2nd Activity Date\n{day}")), Ok(2));
        assert!(
            read(&format!("1st Activity Date\n06-Mar-2024 00:01 to TBD ( GMT )\n2nd Activity Date\n{day}")).is_err()
        );
        assert!(read("1st Activity Date\n06-Mar-2024 00:01 to 06-Mar-2024 05:00 ( Eastern )\nCustomer: x").is_err());
        assert!(read("1st Activity Date\n06-Mar-2024 25:01 to 06-Mar-2024 26:00 ( GMT )").is_err());
        assert!(read("1st Activity Date").is_err());
    }
}
