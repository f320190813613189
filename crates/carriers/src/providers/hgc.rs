//! HGC Global Communications: labels and values, as a table with a colon of its own between them or as lines of text. The
//! subject has the kind of notice, the customer, the circuit and the id, parted by bars.
//!
//! A notice announces settled work unless the subject or the sentences above the details say what became of it.

use std::collections::BTreeMap;

use notice::{
    dates,
    draft::{Draft, Times},
    failure::Failure,
    found::Found,
    lines::Lines,
    listed,
    model::{Circuit, Impact, Moment, Status},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider HGC Global Communications.
pub static PROVIDER: Provider = Provider {
    slug: "hgc",
    name: "HGC Global Communications",
    domains: &["hgc.com.hk", "hgc-intl.com"],
    organizer: "HGCINOCPW@hgc.com.hk",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    Circuit,
    Customer,
    Start,
    End,
    Window,
    Impact,
    Description,
    Id,
    Other,
}

/// The labels in small letters, without marks and without "and".
#[rustfmt::skip]
const LABELS: &[(Field, &[&str])] = &[
    (Field::Circuit, &[
        "circuit id", "circuit ids", "circuit id s", "hgc circuit id", "affected circuit", "affected circuit id", "service id",
    ]),
    (Field::Customer, &["customer", "customer name"]),
    (Field::Start, &[
        "maintenance window start date time", "maintenance window start", "maintenance start date time",
        "maintenance start time", "start date time", "start time",
    ]),
    (Field::End, &[
        "maintenance window end date time", "maintenance window end", "maintenance end date time",
        "maintenance end time", "end date time", "end time",
    ]),
    (Field::Window, &["maintenance window", "maintenance window date time", "maintenance date time"]),
    (Field::Impact, &["service impact", "impact", "expected impact"]),
    (Field::Description, &["description", "reason", "maintenance reason", "maintenance details"]),
    (Field::Id, &["ticket number", "ticket no", "ticket id", "reference", "reference number"]),
    (Field::Other, &["location", "maintenance location", "a end", "b end", "z end", "service type", "remark", "remarks"]),
];

static SUBJECT: Pattern = Pattern::new(r"(?i)\bHGC\b.*\bNotification\b");
static ID: Pattern = Pattern::new(r"(?i)\b(TIC\d{6,})\b");
static LAST_PART: Pattern = Pattern::new(r"\|\s*([A-Z]{2,5}\d{6,})\s*$");
static CUSTOMER: Pattern = Pattern::new(r"\s[-–]\s+([^|]+?)\s*\|");
static MAINTENANCE: Pattern = Pattern::new(r"(?i)\b(?:maintenance|planned work)\b");

const TIMES: &[&str] = &["%d-%b-%Y %H:%M[:%S]", "%d %b %Y %H:%M[:%S]", "%F %H:%M[:%S]"];

type Fields = BTreeMap<Field, Vec<Found<String>>>;

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let body = source.body().ok()?;
    let names_itself = body.iter().any(|(_, line)| line.to_lowercase().contains("hgc global communications"));
    let subject = source.subject();
    let is_notice = SUBJECT.is_match(&subject.value) || ID.is_match(&subject.value);
    (names_itself && is_notice && fields(body).contains_key(&Field::Circuit)).then_some(subject)
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = source.subject();
    let details = source.body().ok().map(|body| (body, fields(body)));
    let has_details =
        details.as_ref().is_some_and(|(_, fields)| has_times(fields) || fields.contains_key(&Field::Circuit));
    if !has_details && !MAINTENANCE.is_match(&subject.value) {
        return Ok(Reading::Other("no maintenance in the subject, and no details of one".to_owned()));
    }
    let (body, fields) = details.ok_or_else(|| Failure::missing("a body"))?;
    let status = status(&subject, body)?;
    let mut draft = Draft::new(source).id(id(&subject, &fields)?).circuits(circuits(&fields)?);
    if let Some(customer) = customer(&subject, &fields) {
        draft = draft.account(customer);
    }
    if let Some(description) = joined(&fields, Field::Description) {
        draft = draft.summary(description);
    }
    if status.value.is_final() && !has_times(&fields) {
        return Ok(Reading::Notice(vec![draft.status(status)]));
    }
    let (start, end) = window(&fields)?;
    Ok(Reading::Notice(vec![draft.status(status).window(start, end)]))
}

fn has_times(fields: &Fields) -> bool {
    [Field::Start, Field::End, Field::Window].iter().any(|field| fields.contains_key(field))
}

/// Returns the lines of each field: behind its label and below, to the next label or the first blank line under a value.
fn fields(body: &Lines) -> Fields {
    let mut fields = Fields::new();
    let mut open: Option<Field> = None;
    for (place, line) in body.iter() {
        let value = match label(line) {
            Some((field, rest)) => {
                // The first of two such fields counts: a footer may repeat a label.
                open = (!fields.contains_key(&field)).then_some(field);
                rest
            }
            None => line.trim_start_matches([':', ' ']),
        };
        let Some(field) = open else { continue };
        let has_value = fields.contains_key(&field);
        if value.is_empty() {
            open = Some(field).filter(|_| !has_value || line.starts_with(':'));
        } else {
            fields.entry(field).or_default().push(Found::text(value, place));
        }
    }
    fields
}

/// Returns the label that a line begins with, and what stands behind it.
fn label(line: &str) -> Option<(Field, &str)> {
    let (label, rest) = line.split_once(':').unwrap_or((line, ""));
    let lower = label.to_lowercase();
    let words: Vec<_> =
        lower.split(|mark: char| !mark.is_alphanumeric()).filter(|word| !matches!(*word, "" | "and")).take(8).collect();
    let words = words.join(" ");
    let (field, _) = LABELS.iter().find(|(_, known)| known.contains(&words.as_str()))?;
    Some((*field, rest.trim()))
}

fn joined(fields: &Fields, field: Field) -> Option<Found<String>> {
    let lines = fields.get(&field)?;
    let text = lines.iter().map(|line| line.value.as_str()).collect::<Vec<_>>().join(" ");
    Some(lines.first()?.with(text))
}

fn part(pattern: &Pattern, subject: &Found<String>) -> Option<Found<String>> {
    let part = pattern.captures(&subject.value)?.get(1)?.as_str().to_owned();
    Some(subject.with(part))
}

fn id(subject: &Found<String>, fields: &Fields) -> Result<Found<String>, Failure> {
    let in_body = || joined(fields, Field::Id);
    part(&ID, subject)
        .or_else(|| part(&LAST_PART, subject))
        .or_else(in_body)
        .ok_or_else(|| Failure::malformed("a subject that ends in an id such as `| TIC000000770001`", subject))
}

fn customer(subject: &Found<String>, fields: &Fields) -> Option<Found<String>> {
    joined(fields, Field::Customer).or_else(|| part(&CUSTOMER, subject))
}

/// Returns the status of the subject, up to the customer's name, which may contain any words.
fn status(subject: &Found<String>, body: &Lines) -> Result<Found<Status>, Failure> {
    let title = subject.clone().map(|subject| {
        let end = [" - ", " – ", "|"].iter().filter_map(|mark| subject.find(mark)).min();
        subject.get(..end.unwrap_or(subject.len())).unwrap_or_default().to_owned()
    });
    let lead = || body.iter().take_while(|(_, line)| label(line).is_none());
    let told = words::status_of([title.clone()], lead())?;
    told.map_or_else(|| words::announced([title], lead()), Ok)
}

fn window(fields: &Fields) -> Result<Times, Failure> {
    if let (Some(start), Some(end)) = (joined(fields, Field::Start), joined(fields, Field::End)) {
        return Ok((time(start)?, time(end)?));
    }
    let window = joined(fields, Field::Window)
        .ok_or_else(|| Failure::missing("`Maintenance Window start date & time` and `… end date & time`"))?;
    let expected = "a window such as `15-Aug-2031 07:01 UTC to 15-Aug-2031 12:00 UTC`";
    let parts = [" to ", " - ", " – "].iter().find_map(|mark| window.value.split_once(mark));
    let (start, end) = parts.ok_or_else(|| Failure::malformed(expected, &window))?;
    let (start, end) = (start.trim(), end.trim());
    // The zone may stand behind the end alone.
    let zone = end.rsplit_once(' ').map_or("", |(_, zone)| zone);
    let start =
        if start.ends_with(|last: char| last.is_ascii_digit()) { format!("{start} {zone}") } else { start.to_owned() };
    Ok((time(window.with(start))?, time(window.with(end.to_owned()))?))
}

fn time(found: Found<String>) -> Result<Found<Moment>, Failure> {
    dates::read_zoned(found, TIMES)
}

fn circuits(fields: &Fields) -> Result<Vec<Found<Circuit>>, Failure> {
    let Some(lines) = fields.get(&Field::Circuit) else { return Ok(Vec::new()) };
    let impact = match joined(fields, Field::Impact) {
        Some(field) => impact(&field)?,
        None => Impact::Outage,
    };
    let ids = lines.iter().flat_map(|line| listed::ids(&line.value).map(|id| line.with(id.to_owned())));
    ids.filter(|id| !id.value.is_empty()).map(|id| id.try_map("a circuit id", |id| Circuit::new(id, impact))).collect()
}

/// Returns the impact of the field; a duration without a word is that of an outage.
fn impact(field: &Found<String>) -> Result<Impact, Failure> {
    static SWITCH: Pattern =
        Pattern::new(r"(?i)\b(?:hits?|outages|glitch(?:es)?)\b|^(?:up to )?\d+ ?(?:x ?\d+ ?)?(?:ms|sec|min|hour|hr)");
    match words::impact(field) {
        Err(_) if SWITCH.is_match(&field.value) => Ok(Impact::Outage),
        impact => Ok(impact?.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    const DETAILS: &str = "Circuit ID: EXH770001, EXH770002\nCustomer: Example Networks\nMaintenance Window: 15-Aug-2031 07:01 to \
        15-Aug-2031 12:00 UTC\nService Impact: Down throughout\nDescription: Repair\nof a joint.\n\nThank you: all";

    #[test]
    fn kinds_of_notices() {
        for (kind, sentence, expected) in [
            ("[Emergency] HGC Maintenance Work Notification", "There will be work.", Some(Status::Confirmed)),
            ("HGC Maintenance Work Notification", "There will be work.", Some(Status::Confirmed)),
            ("[Reminder] HGC Maintenance Work Notification", "", Some(Status::Confirmed)),
            ("[Cancelled] HGC Maintenance Work Notification", "", Some(Status::Cancelled)),
            ("HGC Maintenance Work Cancellation Notification", "", Some(Status::Cancelled)),
            ("[Reschedule] HGC Maintenance Work Notification", "", Some(Status::ReScheduled)),
            ("[Completed] HGC Maintenance Work Notification", "", Some(Status::Completed)),
            ("HGC Maintenance Work Notification", "The work has been completed.", Some(Status::Completed)),
            (
                "HGC Maintenance Work Notification",
                "The work is postponed to the date below.",
                Some(Status::ReScheduled),
            ),
            ("HGC Maintenance Work Notification", "The work has started.", Some(Status::InProcess)),
            ("[Cancelled] HGC Maintenance Completed Notification", "", None),
        ] {
            let subject = format!("{kind} - New Closed Ltd | EXH770001 | TIC000000770001");
            let subject = Found::text(&subject, Place::Header("Subject"));
            let body = Lines::of_text(&format!("Dear Customer,\n\n{sentence}\n{DETAILS}\nIt was completed."));
            assert_eq!(status(&subject, &body).ok().map(|status| status.value), expected, "{kind}: {sentence}");
        }
    }

    #[test]
    fn fields_end_at_the_next_label_or_a_blank_line() {
        let fields = fields(&Lines::of_text(DETAILS));
        assert_eq!(joined(&fields, Field::Description).unwrap().value, "Repair of a joint.");
        let (start, end) = window(&fields).unwrap();
        assert_eq!(
            (start.value.to_string(), end.value.to_string()),
            ("2031-08-15T07:01:00Z".to_owned(), "2031-08-15T12:00:00Z".to_owned())
        );
        let circuits: Vec<_> = circuits(&fields).unwrap().into_iter().map(|circuit| circuit.value).collect();
        assert_eq!(circuits.iter().map(Circuit::id).collect::<Vec<_>>(), ["EXH770001", "EXH770002"]);
    }

    #[test]
    fn impacts() {
        for (text, expected) in [
            ("Down throughout maintenance window", Some(Impact::Outage)),
            ("Switching hits", Some(Impact::Outage)),
            ("30 mins", Some(Impact::Outage)),
            ("At risk", Some(Impact::ReducedRedundancy)),
            ("No impact", Some(Impact::NoImpact)),
            ("Surprise", None),
        ] {
            assert_eq!(impact(&Found::text(text, Place::Text { line: 1 })).ok(), expected, "{text}");
        }
    }
}
