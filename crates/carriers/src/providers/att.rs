//! AT&T's notices: labels in the body, and the customer's circuits in an attached workbook.
//!
//! The workbook's headings vary, so its columns are told by the words in them. Times without a zone are GMT.

use std::path::Path;

use jiff::tz::TimeZone;

use notice::{
    dates,
    draft::{Draft, Times},
    failure::Failure,
    found::Found,
    lines::Lines,
    model::{Circuit, Impact, Moment, Status},
    page::Table,
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words, workbook,
};

/// Definition of the provider AT&T.
pub static PROVIDER: Provider = Provider {
    slug: "att",
    name: "AT&T",
    domains: &["att.com"],
    organizer: "g31654@att.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

static MAINTENANCE: Pattern = Pattern::new(r"(?i)\bmaintenance\b");
static END: Pattern = Pattern::new(r"(?i),?\s*\bEnd Time\s*:\s*");
static CIRCUIT_COLUMN: Pattern = Pattern::new(r"(?i)\b(?:circuit|asset)s?(?:\b|id)");
static CUSTOMER_COLUMN: Pattern = Pattern::new(r"(?i)\bcust(?:omer)?s?(?:\b|_|name)");

const ID: &str = "Event ID";
const KIND: &str = "Customer Impact Description";
const TIMES: &[&str] = &["%b %d[,] %Y[,] %H:%M[:%S]", "%b %d[,] %Y[,] %I:%M[:%S] %p", "%Y-%m-%d %H:%M[:%S]"];
const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let body = source.body().ok()?;
    body.labelled("Business Risk:").and(body.labelled(&format!("{ID}:")))?;
    body.labelled(&format!("{KIND}:"))
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let body = source.body()?;
    let id = body.labelled(ID);
    if id.is_none() && !MAINTENANCE.is_match(&source.subject().value) {
        return Ok(Reading::Other("no event of a maintenance".to_owned()));
    }
    let id = id.ok_or_else(|| Failure::missing(format!("a line `{ID}`")))?;
    let status = status(source, body)?;
    let mut draft = Draft::new(source).id(id);
    let impact = impact(body, status.value)?;
    if let Some((customer, circuits)) = sheet(source, impact)? {
        draft = draft.circuits(circuits);
        if let Some(customer) = customer {
            draft = draft.account(customer);
        }
    } else if !status.value.is_final() {
        return Err(Failure::missing("an attached workbook with the circuits"));
    }
    if let Some(summary) = summary(body) {
        draft = draft.summary(summary);
    }
    let windows = windows(body)?;
    let draft = draft.status(status);
    if windows.is_empty() {
        return Ok(Reading::Notice(vec![draft]));
    }
    Ok(Reading::Notice(draft.in_windows(windows)?))
}

fn status(source: &Source<'_>, body: &Lines) -> Result<Found<Status>, Failure> {
    let titles = std::iter::once(source.subject()).chain(body.labelled("Status"));
    let status = words::status_of(titles, body.iter())?;
    status.ok_or_else(|| Failure::malformed("a status in the subject, such as `Planned`", &source.subject()))
}

fn impact(body: &Lines, status: Status) -> Result<Impact, Failure> {
    match body.labelled("Business Risk") {
        Some(risk) => Ok(words::impact(&risk)?.value),
        None if status.is_final() => Ok(Impact::NoImpact),
        None => Err(Failure::missing("a line `Business Risk`")),
    }
}

/// Returns summary, kind and description in one, as far as they are there.
fn summary(body: &Lines) -> Option<Found<String>> {
    let summary = body.labelled("Summary");
    let mut rest = [KIND, "Description"].into_iter().filter_map(|label| body.labelled(label));
    let first = rest.next();
    let rest = rest.fold(first, |text, next| Some(text?.map(|text| text + " " + &next.value)));
    match (summary, rest) {
        (Some(summary), Some(rest)) => Some(summary.map(|text| text + ": " + &rest.value)),
        (summary, rest) => summary.or(rest),
    }
}

/// Reads the windows. Start and end stand in one line, or each in its own.
fn windows(body: &Lines) -> Result<Vec<Times>, Failure> {
    let mut ends = body.all_labelled("End Time").into_iter();
    let mut windows = Vec::new();
    for start in body.all_labelled("Start Time") {
        let parts: Vec<_> = END.splitn(&start.value, 2).map(|part| start.with(part.to_owned())).collect();
        let (start, end) = match <[Found<String>; 2]>::try_from(parts) {
            Ok([start, end]) => (start, Some(end)),
            Err(_) => (start, ends.next()),
        };
        let end = end.ok_or_else(|| Failure::missing("an end time after `End Time:`").with_quote(&start.quote))?;
        windows.push((time(start)?, time(end)?));
    }
    Ok(windows)
}

fn time(found: Found<String>) -> Result<Found<Moment>, Failure> {
    found.try_map("a time such as `January 31, 2031 14:00 GMT`", |text| {
        let without_zone = || dates::moment(dates::civil(text, TIMES)?, &TimeZone::UTC);
        dates::zoned(text, TIMES).or_else(without_zone)
    })
}

type Customer = (Option<Found<String>>, Vec<Found<Circuit>>);

/// Returns the customer and the circuits of the workbook; `None` where there is no workbook.
fn sheet(source: &Source<'_>, impact: Impact) -> Result<Option<Customer>, Failure> {
    let mut attachments = source.mail().attachments.iter().filter(|attachment| {
        let extension = attachment.name.as_deref().and_then(|name| Path::new(name).extension());
        attachment.content_type == WORKBOOK || extension.is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx"))
    });
    let Some(attachment) = attachments.next() else { return Ok(None) };
    if attachments.next().is_some() {
        return Err(Failure::ambiguous("one attached workbook"));
    }
    let tables = workbook::tables(&attachment.bytes, &mut workbook::Room::default())?;
    let table = tables.iter().find_map(columns);
    let (rows, customer, circuit) =
        table.ok_or_else(|| Failure::missing("a heading in the workbook with `Circuit` or `Asset`"))?;
    let cell = |row: &[Found<String>], column: usize| row.get(column).filter(|cell| !cell.value.is_empty()).cloned();
    let customer = customer.and_then(|column| rows.iter().find_map(|row| cell(row, column)));
    let circuits = rows.iter().filter_map(|row| cell(row, circuit));
    let circuits = circuits.map(|id| id.try_map("a circuit", |id| Circuit::new(id, impact)));
    Ok(Some((customer, circuits.collect::<Result<_, _>>()?)))
}

type Columns<'table> = (&'table [Vec<Found<String>>], Option<usize>, usize);

/// Returns the rows under the headings, and which columns name the customer and the circuit. `Customer Circuit ID` is a
/// circuit.
fn columns(table: &Table) -> Option<Columns<'_>> {
    table.rows.iter().enumerate().find_map(|(index, row)| {
        let circuits = || row.iter().enumerate().filter(|(_, cell)| CIRCUIT_COLUMN.is_match(&cell.value));
        let of_customer = circuits().find(|(_, cell)| CUSTOMER_COLUMN.is_match(&cell.value));
        let (circuit, _) = of_customer.or_else(|| circuits().next())?;
        let customer = row.iter().enumerate().position(|(column, cell)| {
            column != circuit && CUSTOMER_COLUMN.is_match(&cell.value) && !CIRCUIT_COLUMN.is_match(&cell.value)
        });
        Some((table.rows.get(index + 1..)?, customer, circuit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail::Mail;
    use notice::found::Place;

    fn found(text: &str) -> Found<String> {
        Found::text(text, Place::Sheet { row: 1, column: 1 })
    }

    #[test]
    fn columns_are_told_by_the_words_in_their_headings() {
        for (headings, expected) in [
            (&["Customer", "Circuit/Asset"][..], Some((Some(0), 1))),
            (&["Customer Names", "Customer Circuit ID"], Some((Some(0), 1))),
            (&["Circuit ID", "Cust Name"], Some((Some(1), 0))),
            (&["CircuitID", "CustName"], Some((Some(1), 0))),
            (&["Site", "Circuit", "Customer Name", "Customer Circuit ID"], Some((Some(2), 3))),
            (&["Asset ID"], Some((None, 0))),
            (&["Site", "City"], None),
        ] {
            let mut table = Table::default();
            table.rows.push(headings.iter().map(|text| found(text)).collect());
            assert_eq!(columns(&table).map(|(_, customer, circuit)| (customer, circuit)), expected, "{headings:?}");
        }
    }

    #[test]
    fn words_give_the_status() {
        let status_of = |subject: &str, text: &str| {
            let mail = Mail::decode(format!("Subject: {subject}\n\nEvent ID: 1\n{text}\n").as_bytes());
            let source = Source::new(&mail, &PROVIDER);
            status(&source, source.body().ok()?).ok().map(|status| status.value)
        };
        for (word, expected) in [
            ("Planned", Some(Status::Confirmed)),
            ("Emergency", Some(Status::Confirmed)),
            ("Rescheduled", Some(Status::ReScheduled)),
            ("Postponed", Some(Status::ReScheduled)),
            ("Completed", Some(Status::Completed)),
            ("Cancelled", Some(Status::Cancelled)),
            ("Suspended", None),
        ] {
            let subject = format!("Summary of {word} Maintenance");
            assert_eq!(status_of(&subject, "Summary: A complete outage."), expected, "{word}");
        }
        let planned = "Summary of Planned Maintenance";
        assert_eq!(status_of(planned, "Summary: The work was cancelled."), Some(Status::Cancelled));
        assert_eq!(status_of(planned, "Status: Completed"), Some(Status::Completed));
    }

    #[test]
    fn times_are_gmt_unless_they_say_otherwise() {
        for (text, expected) in [
            ("January 31, 2031 14:00 GMT", Some("2031-01-31T14:00:00Z")),
            ("January 31, 2031 14:00", Some("2031-01-31T14:00:00Z")),
            ("Jan 31 2031 2:00 PM", Some("2031-01-31T14:00:00Z")),
            ("January 31, 2031 14:00 EST", Some("2031-01-31T19:00:00Z")),
            ("January 31, 2031 14:00 QQT", None),
            ("31/01/31", None),
        ] {
            assert_eq!(time(found(text)).ok().map(|time| time.value.at().to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn start_and_end_may_share_a_line() {
        let together = "Start Time: January 31, 2031 14:00 GMT, End Time: January 31, 2031 15:00 GMT";
        let apart = "Start Time: January 31, 2031 14:00 GMT\nEnd Time: January 31, 2031 15:00 GMT";
        for text in [together, apart] {
            let windows = windows(&Lines::of_text(&format!("{text}\n\n{text}"))).unwrap();
            assert_eq!(windows.len(), 2, "{text}");
            assert_eq!(windows[1].1.value.at().as_second() - windows[1].0.value.at().as_second(), 3600, "{text}");
        }
        assert!(windows(&Lines::of_text("Start Time: January 31, 2031 14:00 GMT")).is_err());
    }
}
