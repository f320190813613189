//! Turkcell Superonline: one table of labels and values, with the circuits in a table within a cell of it. Labels are typed on a
//! Turkish keyboard (`Start Tİme`).
//!
//! The heading says where the maintenance stands. Dates have the day first, and `GMT+3` is three hours ahead of UTC.

use notice::{
    dates,
    draft::{Draft, Times},
    failure::Failure,
    found::{Found, Place},
    lines::Lines,
    model::{Circuit, Moment, Status},
    page::{Page, Table},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Turkcell Superonline.
pub static PROVIDER: Provider = Provider {
    slug: "turkcell",
    name: "Turkcell",
    domains: &["superonline.net", "turkcell.com.tr"],
    organizer: "inoc@superonline.net",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

/// Labels as [`plain`] writes them.
const NUMBER: &str = "maintenancenumber";
const START: &str = "starttime";
const END: &str = "endtime";
const IMPACT: &str = "impactofthemaintenance";

static HEADING: Pattern = Pattern::new(r"(?i)^TURKCELL SUPERONL[Iİ]NE\b.*$");
static MAINTENANCE: Pattern = Pattern::new(r"(?i)\bma[iİ]ntenance\b");
static NUMBERED: Pattern = Pattern::new(r"^[\dA-Za-z-]*\d{4,}$");

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let page = source.view(&[]).ok()?;
    beside(main(page)?, NUMBER)?;
    page.lines().matching(&HEADING)
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = source.subject();
    let heading = source.body().ok().and_then(|lines| lines.matching(&HEADING));
    let table = source.view(&[]).ok().and_then(main);
    let is_maintenance =
        [heading.as_ref(), Some(&subject)].into_iter().flatten().any(|text| MAINTENANCE.is_match(&text.value));
    let Some(table) = table else {
        return if is_maintenance {
            Err(Failure::missing("a cell `Maintenance Number:`"))
        } else {
            Ok(Reading::Other(format!("no maintenance: `{}`", subject.quote)))
        };
    };
    let page = source.view(&[])?;
    let expect =
        |label, name: &str| beside(table, label).ok_or_else(|| Failure::missing(format!("a cell beside `{name}`")));
    let number = expect(NUMBER, "Maintenance Number:")?;
    let number = number.try_map("a number", |text| NUMBERED.is_match(text).then(|| text.clone()))?;
    let status = status([heading, Some(subject)].into_iter().flatten(), page.lines())?;
    let is_final = status.value.is_final();
    let mut draft = Draft::new(source).id(number).status(status);
    if let Some(cell) = beside(table, IMPACT) {
        let circuits = circuits(page, table, &cell)?;
        draft = circuits.iter().filter_map(|circuit| circuit.account.clone()).take(1).fold(draft, Draft::account);
        if let Some(summary) = summary(page, circuits.first()) {
            draft = draft.summary(summary);
        }
        draft = draft.circuits(circuits.into_iter().map(|circuit| circuit.circuit));
    }
    if is_final && beside(table, START).is_none() {
        return Ok(Reading::Notice(vec![draft]));
    }
    let (start, end) = window(&expect(START, "Start Time:")?, &expect(END, "End Time:")?)?;
    Ok(Reading::Notice(vec![draft.window(start, end)]))
}

/// Letters and digits in lower case; the Turkish i with and without a dot is an i.
fn plain(text: &str) -> String {
    let letters = text.chars().map(|letter| if matches!(letter, 'İ' | 'ı') { 'i' } else { letter });
    letters.filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Returns the table with the number.
fn main(page: &Page) -> Option<&Table> {
    page.tables().iter().find(|table| table.rows.iter().flatten().any(|cell| plain(&cell.value) == NUMBER))
}

fn beside(table: &Table, label: &str) -> Option<Found<String>> {
    table.rows.iter().find_map(|row| {
        let at = row.iter().position(|cell| plain(&cell.value) == label)?;
        row.get(at + 1).filter(|value| !value.value.is_empty()).cloned()
    })
}

fn status(titles: impl Iterator<Item = Found<String>>, lines: &Lines) -> Result<Found<Status>, Failure> {
    let opening = || lines.opening(&[]).take_while(|(_, line)| plain(line) != NUMBER);
    let status = match words::status_of(titles, opening())? {
        None => words::status_told_in(opening())?,
        status => status,
    };
    status.ok_or_else(|| Failure::missing("a heading such as `TURKCELL SUPERONLINE PLANNED MAINTENANCE`"))
}

/// Reads start and end, day first: the carrier writes dates with points, as its country does.
fn window(start: &Found<String>, end: &Found<String>) -> Result<Times, Failure> {
    let expected = "a time such as `07.08.2031 00:00 GMT+3`, the day first";
    Ok((start.try_with(expected, |text| time(text))?, end.try_with(expected, |text| time(text))?))
}

/// Reads a time. `GMT+3` is ahead of UTC, as clocks in Istanbul are: midnight there is 21:00 UTC of the day before.
fn time(text: &str) -> Option<Moment> {
    dates::zoned(text, &["%d.%m.%Y %H:%M[:%S]"])
}

struct Listed {
    circuit: Found<Circuit>,
    account: Option<Found<String>>,
}

/// Maximum product of the rows of a mail and the bytes of the cell with the circuits: a thousand circuits have a tenth of that.
const MOST_COMPARED: usize = 500_000_000;

/// Returns the rows of the tables within the cell: circuit, customer and what happens to it. In a text they stand below it.
fn circuits(page: &Page, main: &Table, cell: &Found<String>) -> Result<Vec<Listed>, Failure> {
    let mut listed = Vec::new();
    let line = |cell: &Found<String>| if let Place::Text { line } = cell.place { Some(line) } else { None };
    let is_text = line(cell).is_some();
    if is_text {
        page.expect_whole_rows()?;
    }
    let others = page.tables().iter().filter(|table| !is_text || !std::ptr::eq(*table, main));
    let rows = others.flat_map(|table| &table.rows);
    // Each row is looked for in the cell.
    if !is_text && rows.clone().count().saturating_mul(cell.value.len()) > MOST_COMPARED {
        return Err(Failure::too_large(format!("at most {MOST_COMPARED} bytes of circuits times rows")));
    }
    for row in rows.filter(|row| !row.iter().any(|within| within.place == cell.place)) {
        let cells: Vec<_> = row.iter().filter(|cell| !cell.value.is_empty()).collect();
        let text = cells.iter().map(|cell| cell.value.as_str()).collect::<Vec<_>>().join(" ");
        let is_below = is_text && row.first().and_then(line) > line(cell);
        if cells.is_empty() || !(is_below || cell.value.contains(&text)) {
            continue;
        }
        let (id, account, said) = match cells.as_slice() {
            [id, said] => (id, None, said),
            [id, account, .., said] => (id, Some(Found::clone(account)), said),
            _ => return Err(Failure::missing("a circuit, a customer and an impact in a row").with_quote(&text)),
        };
        if ["status", "state", "impact", "effect"].contains(&plain(&said.value).as_str()) {
            continue;
        }
        let impact = words::impact(said)?.value;
        let circuit = Found::clone(id).try_map("the id of a circuit", |id| Circuit::new(id, impact))?;
        listed.push(Listed { circuit, account });
    }
    if is_text && listed.is_empty() {
        let expected = "rows of circuits below the impact, in a text that has no page beside it";
        return Err(Failure {
            place: Some(cell.place.clone()),
            ..Failure::ambiguous(expected).with_quote(&cell.quote)
        });
    }
    Ok(listed)
}

/// Returns the text of the cell above the first circuit.
fn summary(page: &Page, first: Option<&Listed>) -> Option<Found<String>> {
    let id = first?.circuit.value.id();
    let below = page.lines().iter().skip_while(|(_, line)| plain(line) != IMPACT).skip(1);
    let lines: Vec<_> = below
        .take_while(|(_, line)| *line != id)
        .filter(|(_, line)| !line.is_empty())
        .map(|(place, line)| Found::text(line, place))
        .collect();
    let written: Vec<_> = lines.iter().map(|line| page.as_written(line)).collect();
    lines.into_iter().next().map(|first| first.map(|_| written.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Found<String> {
        Found::text(text, Place::Header("Subject"))
    }

    #[test]
    fn the_heading_says_where_it_stands() {
        let body = Lines::of_text("Dear Customer,\nWe have a planned maintenance.\nMaintenance Number:\nwas cancelled");
        let read = |kind: &str| {
            let heading = text(&format!("TURKCELL SUPERONLINE {kind}"));
            status([heading].into_iter(), &body).ok().map(|status| status.value)
        };
        assert_eq!(read("PLANNED MAINTENANCE EMERGENCY"), Some(Status::Confirmed));
        assert_eq!(read("PLANNED MAINTENANCE CANCELLATION"), Some(Status::Cancelled));
        assert_eq!(read("PLANNED MAINTENANCE POSTPONED"), Some(Status::ReScheduled));
        assert_eq!(read("MAINTENANCE STARTED"), Some(Status::InProcess));
        assert_eq!(read("MAINTENANCE COMPLETED"), Some(Status::Completed));
        assert_eq!(read("MAINTENANCE"), Some(Status::Confirmed), "the first sentence says that it is planned");
        assert!(status([text("MAINTENANCE")].into_iter(), &Lines::of_text("Maintenance Number:\nplanned")).is_err());
    }

    #[test]
    fn days_come_first_and_the_offset_is_ahead_of_utc() {
        let read = |start: &str, end: &str| {
            let (start, end) = window(&text(start), &text(end)).ok()?;
            Some(format!("{} {}", start.value, end.value))
        };
        let expected = Some("2031-08-07T00:00:00+03:00 2031-08-07T07:00:00+03:00".to_owned());
        assert_eq!(read("07.08.2031 00:00 GMT+3", "07.08.2031 07:00 GMT+3"), expected);
        assert_eq!(read("07.08.2031 00:00 TRT", "07.08.2031 07:00 (GMT+03:00)"), expected);
        let expected = Some("2031-08-07T22:00:00Z 2031-08-08T02:00:00Z".to_owned());
        assert_eq!(read("07.08.2031 22:00 (UTC)", "08.08.2031 02:00 (UTC+0)"), expected);
        assert_eq!(read("07.08.2031 00:00", "07.08.2031 07:00"), None);
        assert_eq!(read("08.13.2031 00:00 GMT+3", "08.13.2031 07:00 GMT+3"), None, "no thirteenth month");
        assert_eq!(read("07.08.2031 00:00 GMT+3", "later"), None);
    }
}
