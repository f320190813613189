//! Crown Castle Fiber's notices: HTML with labelled paragraphs, the window in a grid that repeats it in five time zones, and
//! a grid of circuits with the impact on each.
//!
//! The rows of the window's grid must name the same instants; if they do not, none of them is believed.

use jiff::tz::TimeZone;

use notice::{
    dates,
    draft::Draft,
    failure::Failure,
    found::Found,
    lines::Lines,
    model::{Circuit, Impact, Moment, Status},
    page::{Headed, Page, Row},
    pattern::{Pattern, SALUTATION},
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words, zones,
};

/// Definition of the provider Crown Castle Fiber.
pub static PROVIDER: Provider = Provider {
    slug: "crowncastle",
    name: "Crown Castle Fiber",
    domains: &["crowncastle.com"],
    organizer: "fiberchangemgmt@crowncastle.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

static TICKET: Pattern = Pattern::new(r"\b(CM\d{6,})\b");
static TITLE: Pattern = Pattern::new(r"(?i)(.*\bmaintenance\b.*)");
/// The word for the status between the carrier's name and its maintenance.
static KIND: Pattern = Pattern::new(r"(?i)\bCrown Castle Fiber ([a-z -]+?) Maintenance\b");
/// A subject without a word for the status.
static PLAIN: Pattern = Pattern::new(r"(?i)\bCrown Castle Fiber Maintenance(?: Notification| Notice)?\s*(?:[:-]|$)");

static LENGTH: Pattern = Pattern::new(
    r"(?i)^(?:up to |about |approximately |approx\.? )?[1-9]\d{0,3} ?(?:hours?|hrs?|minutes?|mins?|seconds?|secs?)$",
);

const ZONE: &str = "Time Zone";

type Window = (Found<Moment>, Found<Moment>);

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let subject = source.subject();
    let is_ours = |text: &str| text.contains("Crown Castle Fiber") && TICKET.is_match(text);
    if is_ours(&subject.value) {
        return Some(subject);
    }
    let body = source.body().ok()?;
    body.labelled("Ticket Number").filter(|ticket| is_ours(&format!("{} {}", ticket.value, body.joined())))
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = source.subject();
    let ticket = source.body().ok().and_then(|body| body.labelled("Ticket Number"));
    let ticket = ticket.filter(|ticket| TICKET.is_match(&ticket.value)).unwrap_or_else(|| subject.clone());
    let Some(id) = TICKET.captures(&ticket.value).and_then(|found| found.get(1)).map(|id| id.as_str().to_owned())
    else {
        return Ok(Reading::Other("no ticket of a maintenance".to_owned()));
    };
    let page = source.page()?;
    let status = status(&subject, page.lines())?;
    let mut draft = Draft::new(source).id(ticket.map(|_| id)).circuits(circuits(page, status.value)?);
    if let Some(customer) = page.lines().matching(&SALUTATION) {
        draft = draft.account(customer);
    }
    if let Some(summary) = summary(page.lines()) {
        draft = draft.summary(summary);
    }
    let windows = windows(page, status.value)?;
    let draft = draft.status(status);
    if windows.is_empty() {
        return Ok(Reading::Notice(vec![draft]));
    }
    Ok(Reading::Notice(draft.in_windows(windows)?))
}

/// Returns the status of the subject, the heading of the page, or the sentence before the ticket. The rest is about the work
/// itself.
fn status(subject: &Found<String>, lines: &Lines) -> Result<Found<Status>, Failure> {
    let is_ticket = |line: &str| line.to_ascii_lowercase().starts_with("ticket number");
    let head = || lines.iter().take_while(|(_, line)| !is_ticket(line));
    let heading = head().take_while(|(_, line)| !SALUTATION.is_match(line)).find(|(_, line)| TITLE.is_match(line));
    let heading = heading.map(|(place, line)| Found::text(line, place));
    let kind = KIND.captures(&subject.value).and_then(|kind| kind.get(1)).map(|kind| kind.as_str().to_owned());
    let kind = kind.map(|kind| subject.with(kind));
    let status = words::status_of(kind.into_iter().chain([subject.clone()]).chain(heading), head())?;
    let status = match status {
        None if PLAIN.is_match(&subject.value) => words::status_told_in(head())?,
        status => status,
    };
    status.ok_or_else(|| Failure::malformed("a status in the subject, such as `Scheduled`", subject))
}

fn summary(lines: &Lines) -> Option<Found<String>> {
    let ends = ["Customer Circuits", "Dark-Fiber Customers", "If you have any questions", "Thank You"];
    let mut lines = lines.section("Work Description", &ends)?;
    // A banner such as `**THIS EVENT HAS BEEN CANCELLED**` is no description where one follows.
    let is_description = |line: &Found<String>| line.value.contains(char::is_lowercase);
    if lines.iter().any(is_description) {
        lines.retain(is_description);
    }
    lines.into_iter().reduce(|text, line| text.map(|text| text + " " + &line.value))
}

fn windows(page: &Page, status: Status) -> Result<Vec<Window>, Failure> {
    let grids = page.tables_with(&[ZONE]);
    let mut windows = Vec::new();
    for grid in grids.iter().filter(|grid| !is_of_old_times(grid)) {
        windows.extend(windows_of(grid)?);
    }
    if windows.len() > 1 && status == Status::ReScheduled {
        return Err(Failure::ambiguous("one new window, or headings that tell the old from the new"));
    }
    if windows.is_empty() && !status.is_final() {
        return Err(Failure::missing("a grid with `Time Zone`, start and end"));
    }
    Ok(windows)
}

fn is_of_old_times(grid: &Headed<'_>) -> bool {
    grid.headings().iter().flatten().any(|heading| {
        let heading = heading.value.to_ascii_lowercase();
        ["original", "previous", "old "].iter().any(|word| heading.contains(word))
    })
}

/// Returns the windows of one grid: each zone must list the same ones.
fn windows_of(grid: &Headed<'_>) -> Result<Vec<Window>, Failure> {
    let mut by_zone: Vec<(TimeZone, Vec<Window>)> = Vec::new();
    for row in grid.rows.iter().filter(|row| !row.is_blank()) {
        let Some((zone, window)) = window(row)? else { continue };
        match by_zone.iter_mut().find(|(known, _)| *known == zone) {
            Some((_, windows)) => windows.push(window),
            None => by_zone.push((zone, vec![window])),
        }
    }
    let instants =
        |windows: &[Window]| -> Vec<_> { windows.iter().map(|(start, end)| (start.value, end.value)).collect() };
    let mut zones = by_zone.into_iter().map(|(_, windows)| windows);
    let Some(first) = zones.next() else { return Err(Failure::missing("a row with a time zone that is known")) };
    for other in zones {
        if instants(&other) != instants(&first) {
            let quotes: Vec<_> =
                first.iter().chain(&other).map(|(start, end)| format!("{} - {}", start.quote, end.quote)).collect();
            return Err(Failure::ambiguous("the same times in every time zone").with_quote(&quotes.join(", ")));
        }
    }
    Ok(first)
}

/// Reads date, time, date, time and zone; `None` for an hour that the clock skips or repeats, which the other zones tell.
fn window(row: &Row<'_>) -> Result<Option<(TimeZone, Window)>, Failure> {
    let cells: Vec<_> = row.cells().iter().flatten().filter(|cell| !cell.value.is_empty()).collect();
    let [start_date, start_time, end_date, end_time, zone] = cells.as_slice() else {
        let quote: Vec<_> = cells.iter().map(|cell| cell.quote.as_str()).collect();
        return Err(Failure::missing("date, time, date, time and zone in a row").with_quote(&quote.join(" | ")));
    };
    let zone = Found::clone(zone).try_map("a time zone such as `Eastern`", |name| {
        zones::by_name(name).or_else(|| zones::by_name(&format!("{name} Time")))
    })?;
    let time = |date: &Found<String>, time: &Found<String>| {
        let whole = Found { quote: format!("{} {}", date.quote, time.quote), ..date.clone() };
        let whole = whole.map(|_| format!("{} {}", date.value, time.value.to_ascii_uppercase()));
        whole.try_map("a time such as `1/31/2031 3:00 AM`", |text| dates::civil(text, &["%m/%d/%Y %I:%M %p"]))
    };
    let (start, end) = (time(start_date, start_time)?, time(end_date, end_time)?);
    let instants = dates::moment(start.value, &zone.value).zip(dates::moment(end.value, &zone.value));
    Ok(instants.map(|(from, to)| (zone.value, (start.map(|_| from), end.map(|_| to)))))
}

fn circuits(page: &Page, status: Status) -> Result<Vec<Found<Circuit>>, Failure> {
    let all = page.lines().labelled("Expected Customer Impact");
    let circuit = |row: &Row<'_>| {
        let id = row.expect("Circuit ID")?;
        let impact = match row.get("Impact").or(all.as_ref()) {
            // "Up to 7 hours": what lasts is an outage.
            Some(length) if LENGTH.is_match(&length.value) => Impact::Outage,
            Some(impact) => words::impact(impact)?.value,
            None if status.is_final() => Impact::NoImpact,
            None => return Err(Failure::missing("a cell under `Impact`").with_quote(&id.quote)),
        };
        id.try_with("a circuit", |id| Circuit::new(id, impact))
    };
    let tables = page.tables_with(&["Circuit ID"]);
    tables.iter().flat_map(|table| &table.rows).filter(|row| !row.is_blank()).map(circuit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    fn status_of(subject: &str, heading: &str, intro: &str) -> Option<Status> {
        let after = "Work Description:\nThe work that was cancelled last week is completed.";
        let text = format!("{heading}\n\nDear Example,\n\n{intro}\n\nTicket Number: CM20310000001\n\n{after}");
        let subject = Found::text(subject, Place::Header("Subject"));
        status(&subject, &Lines::of_text(&text)).ok().map(|status| status.value)
    }

    #[test]
    fn words_give_the_status() {
        let subject = "Crown Castle Fiber Scheduled Maintenance Notification: CM20310000001";
        let (heading, intro) = ("Maintenance Notification", "We tell you of a maintenance event.");
        assert_eq!(status_of(subject, heading, intro), Some(Status::Confirmed));
        assert_eq!(status_of(subject, "Maintenance Cancellation", intro), Some(Status::Cancelled));
        assert_eq!(status_of(subject, heading, "The following event has been completed."), Some(Status::Completed));
        let plain = "Crown Castle Fiber Maintenance Notification: CM20310000001";
        let planned = "We tell you of a planned maintenance event.";
        assert_eq!(status_of(plain, heading, planned), Some(Status::Confirmed));
        assert_eq!(status_of(plain, heading, intro), None);
        for (word, expected) in [
            ("Emergency", Some(Status::Confirmed)),
            ("Demand", Some(Status::Confirmed)),
            ("Reminder", Some(Status::Confirmed)),
            ("Updated", Some(Status::Confirmed)),
            ("Rescheduled", Some(Status::ReScheduled)),
            ("Postponed", Some(Status::ReScheduled)),
            ("Started", Some(Status::InProcess)),
            ("Completed", Some(Status::Completed)),
            ("Canceled", Some(Status::Cancelled)),
            ("Suspended", None),
        ] {
            let subject = format!("Crown Castle Fiber {word} Maintenance Notification: CM20310000001");
            assert_eq!(status_of(&subject, heading, planned), expected, "{word}");
        }
    }

    #[test]
    fn an_hour_that_a_zone_skips_is_told_by_the_others() {
        let rows = |gmt: &str| {
            let head = "<tr><th colspan=2>Start</th><th colspan=2>End</th><th>Time Zone</th></tr>";
            let eastern = "<tr><td>3/9/2031<td>2:30 AM<td>3/9/2031<td>6:00 AM<td>Eastern</tr>";
            Page::parse(&format!("<table>{head}{eastern}{gmt}</table>")).unwrap()
        };
        let gmt = "<tr><td>3/9/2031<td>7:30 AM<td>3/9/2031<td>10:00 AM<td>GMT</tr>";
        let found = windows(&rows(gmt), Status::Confirmed).unwrap();
        assert_eq!(
            found.iter().map(|(start, _)| start.value.to_string()).collect::<Vec<_>>(),
            ["2031-03-09T07:30:00Z"]
        );
        assert!(windows(&rows(""), Status::Confirmed).is_err());
    }
}
