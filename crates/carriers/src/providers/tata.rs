//! Tata Communications: a table of labels and values, as HTML and as text, and a subject of quoted fields
//! (`TCL TT: "id" / "type" / "status" / title`).
//!
//! The window stands twice, in Indian time and in GMT; the latter counts. What happens to the services is told in the sentence
//! above the table, and how long it lasts in a field of its own.

use jiff::tz::{Offset, TimeZone};

use notice::{
    dates,
    draft::{Draft, Times},
    failure::{Failure, FailureKind},
    found::{Found, Place},
    model::{Circuit, Impact, Moment, Status},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Tata Communications.
pub static PROVIDER: Provider = Provider {
    slug: "tata",
    name: "Tata Communications",
    domains: &["tatacommunications.com"],
    organizer: "planned.activity@tatacommunications.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

const TICKET: &str = "Ticket Reference - TCL";
const STATUS: &str = "Activity Status";
const DURATION: &str = "Expected Impact Duration(DD:HH:MM)";

static SUBJECT: Pattern = Pattern::new(r#"(?i)\bTCL TT: ?"([^"]+)" ?/ ?"([^"]*)" ?/ ?"([^"]*)" ?/ ?(.*)$"#);
static PLANNED_WORK: Pattern = Pattern::new(r"(?i)\bplanned (?:work|activity|maintenance)\b");
static TICKET_NUMBER: Pattern = Pattern::new(r"^[A-Z]{2,6}\d{4,}$");
static SENTENCE: Pattern = Pattern::new(r"(?i)\bbelow mentioned services?\b(.*)");
static RANGE: Pattern = Pattern::new(
    r"(?i)(\d{4}-\d{2}-\d{2} \d{2}:\d{2}(?::\d{2})?) ?([a-z]{3}) (?:to|-) (\d{4}-\d{2}-\d{2} \d{2}:\d{2}(?::\d{2})?) ?([a-z]{3})\b",
);
static QUOTED: Pattern = Pattern::new(r#"[“"][^”"]*[”"]"#);
static LENGTH: Pattern =
    Pattern::new(r"(?i)^(?:\d+ ?(?:days?|hours?|minutes?|seconds?|secs?|mins?|hrs?|ms)[ ,]*)+$|^\d+(?::\d+)+$");

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let subject = source.subject();
    if SUBJECT.is_match(&subject.value) { Some(subject) } else { field(source, TICKET) }
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = Found::text(source.mail().inner().bare_subject(), Place::Header("Subject"));
    let parts = SUBJECT.captures(&subject.value);
    let part = |group| {
        let text = parts.as_ref()?.get(group)?.as_str().trim();
        (!text.is_empty()).then(|| subject.with(text.to_owned()))
    };
    let ticket = field(source, TICKET).or_else(|| part(1).filter(|_| PLANNED_WORK.is_match(&subject.value)));
    let Some(ticket) = ticket else {
        return if PLANNED_WORK.is_match(&subject.value) {
            Err(Failure::missing(format!("a line `{TICKET}`")))
        } else {
            Ok(Reading::Other(format!("no ticket of planned work: `{}`", subject.quote)))
        };
    };
    let ticket =
        ticket.try_map("a ticket such as `CHGP0123456`", |id| TICKET_NUMBER.is_match(id).then(|| id.clone()))?;
    let status = status([field(source, STATUS), part(3)].into_iter().flatten())?;
    let windows = windows(source)?;
    let draft = Draft::new(source)
        .id(ticket)
        .nameless_account("N/A")
        .summary(subject.clone())
        .circuits(circuits(source, status.value)?)
        .status(status);
    if windows.is_empty() {
        return Ok(Reading::Notice(vec![draft]));
    }
    Ok(Reading::Notice(draft.in_windows(windows)?))
}

/// Returns the text beside a label in the table, or after it in the text.
fn field(source: &Source<'_>, label: &str) -> Option<Found<String>> {
    match source.page() {
        // A page without a table is a list's footer.
        Ok(page) if !page.tables().is_empty() => page.value_of(label),
        _ => source.text().ok()?.section(label, &[])?.into_iter().next(),
    }
}

/// Returns the status of the table and that of the subject, which may say the same; a change stands above a plan.
fn status(fields: impl Iterator<Item = Found<String>>) -> Result<Found<Status>, Failure> {
    let statuses: Result<Vec<_>, _> = fields.map(|field| status_of(&field)).collect();
    words::strongest(statuses?)?.ok_or_else(|| Failure::missing(format!("a line `{STATUS}`")))
}

/// Besides the words that all carriers use: an extension is a new window, and work that has begun is in its implementation.
fn status_of(field: &Found<String>) -> Result<Found<Status>, Failure> {
    let said = match field.value.to_lowercase().as_str() {
        "extended" | "extension" => Some(Status::ReScheduled),
        "implement" | "implementation" => Some(Status::InProcess),
        _ => words::status(field)?.map(|status| status.value),
    };
    field.try_with("a status such as `Scheduled`", |_| said)
}

/// Returns the windows in GMT, else those in Indian time. Fails where the two are not the same.
fn windows(source: &Source<'_>) -> Result<Vec<Times>, Failure> {
    let field = |zone| field(source, &format!("Activity Window ({zone})"));
    let indian = field("IST");
    let Some(cell) = field("GMT").or_else(|| field("UTC")).or_else(|| indian.clone()) else { return Ok(Vec::new()) };
    let windows = windows_in(&cell)?;
    let moments = |windows: &[Times]| windows.iter().map(|(start, end)| (start.value.at(), end.value.at())).collect();
    let in_gmt: Vec<_> = moments(&windows);
    if let Some(indian) = indian.filter(|indian| windows_in(indian).is_ok_and(|other| in_gmt != moments(&other))) {
        let place = Some(indian.place.clone());
        let expected = format!("the same window in both zones, beside `{}`", cell.quote);
        return Err(Failure { place, ..Failure::ambiguous(expected).with_quote(&indian.quote) });
    }
    extended(source, windows)
}

/// Returns the window with the end up to which it was extended, where the notice says one.
fn extended(source: &Source<'_>, mut windows: Vec<Times>) -> Result<Vec<Times>, Failure> {
    let field = |zone| field(source, &format!("Extended Up to Time Window ({zone})"));
    let Some(cell) = field("GMT").or_else(|| field("UTC")).or_else(|| field("IST")) else { return Ok(windows) };
    let [(start, end)] = windows.as_mut_slice() else {
        return Err(Failure::ambiguous("one window that was extended").with_quote(&cell.quote));
    };
    let later = cell.try_map("an end such as `2031-01-02 03:04:00 GMT`, after the start", |text| {
        let (local, zone) = text.rsplit_once(' ')?;
        time(local, zone).filter(|later| *later > start.value)
    })?;
    *end = later;
    Ok(windows)
}

/// Returns the windows of a cell that has nothing else.
fn windows_in(cell: &Found<String>) -> Result<Vec<Times>, Failure> {
    let expected = "windows such as `2031-01-02 03:04:00 GMT to 2031-01-03 04:05:00 GMT`";
    let rest = RANGE.replace_all(&cell.value, "");
    if rest.len() == cell.value.len() || rest.contains(char::is_alphanumeric) {
        return Err(Failure::malformed(expected, cell));
    }
    let windows = RANGE.captures_iter(&cell.value).map(|range| {
        let text = |group| range.get(group).map_or("", |text| text.as_str());
        let time = |group| cell.try_with(expected, |_| time(text(group), text(group + 1)));
        Ok((time(1)?, time(3)?))
    });
    windows.collect()
}

/// Returns the moment of a local time. The carrier is Indian: its `IST` is India's.
fn time(local: &str, zone: &str) -> Option<Moment> {
    let minutes = match zone.to_ascii_uppercase().as_str() {
        "GMT" | "UTC" => 0,
        "IST" => 5 * 60 + 30,
        _ => return None,
    };
    let local = dates::civil(local, &["%Y-%m-%d %H:%M[:%S]"])?;
    dates::moment(local, &TimeZone::fixed(Offset::from_seconds(minutes * 60).ok()?))
}

fn circuits(source: &Source<'_>, status: Status) -> Result<Vec<Found<Circuit>>, Failure> {
    let Some(services) = field(source, "Service ID").or_else(|| field(source, "Service IDs")) else {
        return Ok(Vec::new());
    };
    let impact = match impact(source) {
        Err(failure) if failure.kind == FailureKind::Missing && status.is_final() => Impact::NoImpact,
        impact => impact?,
    };
    let ids = services.value.split([',', ';', ' ']).filter(|id| !matches!(*id, "" | "and" | "&"));
    ids.map(|id| services.try_with("the id of a service", |_| Circuit::new(id, impact))).collect()
}

/// Returns the impact of the sentence above the table, else of the length of the outage.
fn impact(source: &Source<'_>) -> Result<Impact, Failure> {
    let told = match source.body()?.matching(&SENTENCE) {
        Some(sentence) => {
            words::impact_or_hit(&sentence.map(|sentence| QUOTED.replace_all(&sentence, "").into_owned()))
        }
        None => Err(Failure::missing("a sentence with `below mentioned service` and an impact")),
    };
    match (told, field(source, DURATION)) {
        (Ok(impact), _) => Ok(impact.value),
        (Err(_), Some(length)) if LENGTH.is_match(&length.value) => {
            let is_some = length.value.contains(|digit: char| ('1'..='9').contains(&digit));
            Ok(if is_some { Impact::Outage } else { Impact::NoImpact })
        }
        (Err(failure), _) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Found<String> {
        Found::text(text, Place::Header("Subject"))
    }

    #[test]
    fn the_status_is_that_of_table_and_subject() {
        let read = |fields: &[&str]| status(fields.iter().map(|field| text(field))).map(|status| status.value).ok();
        for (word, expected) in [
            ("Scheduled", Status::Confirmed),
            ("Re-scheduled", Status::ReScheduled),
            ("Rescheduled", Status::ReScheduled),
            ("Extended", Status::ReScheduled),
            ("Cancelled", Status::Cancelled),
            ("In Progress", Status::InProcess),
            ("Started", Status::InProcess),
            ("Implement", Status::InProcess),
            ("Completed", Status::Completed),
            ("Closed", Status::Completed),
        ] {
            assert_eq!(read(&[word]), Some(expected), "{word}");
        }
        assert_eq!(read(&["Scheduled", "Cancelled"]), Some(Status::Cancelled));
        assert_eq!(read(&["Completed", "Cancelled"]), None);
        assert_eq!(read(&["Purple"]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn a_cell_has_windows_and_nothing_else() {
        let read = |cell: &str| {
            let windows = windows_in(&text(cell)).ok()?;
            Some(
                windows
                    .into_iter()
                    .map(|(start, end)| format!("{} {}", start.value.at(), end.value.at()))
                    .collect::<Vec<_>>(),
            )
        };
        let expected = vec!["2031-03-04T22:00:00Z 2031-03-05T02:00:00Z".to_owned()];
        assert_eq!(read("2031-03-04 22:00:00 GMT to 2031-03-05 02:00:00 GMT"), Some(expected.clone()));
        assert_eq!(read("2031-03-05 03:30:00 IST to 2031-03-05 07:30:00 IST"), Some(expected));
        assert_eq!(read("2031-03-04 22:00:00 GMT to 2031-03-05 02:00:00 GMT or later"), None);
        assert_eq!(read("2031-03-04 22:00:00 XYZ to 2031-03-05 02:00:00 XYZ"), None);
        assert_eq!(read("to be announced"), None);
    }

    #[test]
    fn lengths_are_told_from_words() {
        for length in ["8 Days 23 Hours 58 Minutes", "50 ms", "00:05:30", "0 Minutes"] {
            assert!(LENGTH.is_match(length), "{length}");
        }
        assert!(!LENGTH.is_match("several hours") && !LENGTH.is_match("5"));
    }
}
