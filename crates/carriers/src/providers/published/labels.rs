//! Notices of labels and values, for carriers whose formats we know from descriptions alone: "Maintenance ID: …", "Start: …".
//!
//! Nothing is inferred. Each of id, status, start, end, impact and circuits stands under one of the usual labels, once, or the mail
//! is not understood; a date is read only if it can be read in one way, with its zone. Circuits may also be rows of a table
//! or of an attached workbook.

use notice::{
    dates,
    draft::Draft,
    failure::Failure,
    found::{Found, Place},
    listed, maintnote,
    model::{Circuit, Impact, Moment, Status},
    page::Table,
    pattern::Pattern,
    provider::Reading,
    source::Source,
    words, workbook,
};

const ID: &[&str] = &[
    "Maintenance ID",
    "Maintenance Number",
    "Maintenance Reference",
    "Ticket",
    "Ticket ID",
    "Ticket Number",
    "Ticket Reference",
    "Reference",
    "Reference ID",
    "Reference Number",
    "Change ID",
    "Change Number",
    "Change Reference",
    "Planned Work ID",
    "Planned Work Number",
    "Planned Work Reference",
];
const STATUS: &[&str] = &["Status", "Maintenance Status", "Notification Type", "Type of Notification"];
const START: &[&str] = &[
    "Start",
    "Start Time",
    "Start Date",
    "Start Date/Time",
    "Start Date and Time",
    "Start Date & Time",
    "Planned Start",
    "Planned Start Time",
    "Scheduled Start",
    "Maintenance Start",
    "Window Start",
];
const END: &[&str] = &[
    "End",
    "End Time",
    "End Date",
    "End Date/Time",
    "End Date and Time",
    "End Date & Time",
    "Planned End",
    "Planned End Time",
    "Scheduled End",
    "Maintenance End",
    "Window End",
];
const IMPACT: &[&str] =
    &["Impact", "Expected Impact", "Service Impact", "Customer Impact", "Impact Type", "Type of Impact"];
const CIRCUITS: &[&str] = &[
    "Circuit",
    "Circuits",
    "Circuit ID",
    "Circuit IDs",
    "Service ID",
    "Service IDs",
    "Affected Circuits",
    "Affected Services",
    "Circuits Affected",
    "Services Affected",
    "Impacted Circuits",
    "Impacted Services",
];
const SUMMARY: &[&str] = &["Description", "Work Description", "Reason", "Reason for Maintenance", "Purpose of Work"];
const ACCOUNT: &[&str] = &["Customer", "Customer Name", "Account", "Account Name", "Account Number"];

static MAINTENANCE: Pattern = Pattern::new(
    r"(?i)\bmaintenance\b|\b(?:planned|scheduled|emergency|urgent) (?:network )?(?:works?|outage|activity)\b",
);
static NUMBER: Pattern = Pattern::new(r"^#?([A-Za-z0-9][A-Za-z0-9._/-]*\d{2}[A-Za-z0-9._/-]*)$");
static CIRCUIT: Pattern = Pattern::new(r"^[A-Za-z0-9][A-Za-z0-9 ./:_#-]*\d[A-Za-z0-9 ./:_#-]*$");

/// Dates that can be read in one way only.
const FORMATS: &[&str] = &[
    "%Y-%m-%d %H:%M[:%S]",
    "%Y/%m/%d %H:%M[:%S]",
    "%FT%H:%M[:%S]",
    "%d-%b-%Y %H:%M[:%S]",
    "%d %b %Y %H:%M[:%S]",
    "%d %b %Y, %H:%M[:%S]",
    "%b %d, %Y %H:%M[:%S]",
    "%b %d %Y %H:%M[:%S]",
];

/// Reads a calendar first. A mail without any word of maintenance in its subject is another mail of this sender.
pub(in crate::providers) fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    if let Some(drafts) = maintnote::read(source)? {
        return Ok(Reading::Notice(drafts));
    }
    let subject = Found::text(source.mail().inner().bare_subject(), Place::Header("Subject"));
    if !MAINTENANCE.is_match(&subject.value) {
        return Ok(Reading::Other(format!("no maintenance: `{}`", subject.quote)));
    }
    let id = expect(source, ID)?;
    let id = id.try_map("the id of a maintenance", |id| Some(NUMBER.captures(id)?.get(1)?.as_str().to_owned()))?;
    let status = status(source, &subject)?;
    let mut draft = Draft::new(source).sent_by_author(source).id(id).circuits(circuits(source, status.value)?);
    if let Some(account) = one(source, ACCOUNT)? {
        draft = draft.account(account);
    }
    if let Some(summary) = one(source, SUMMARY)? {
        draft = draft.summary(summary);
    }
    let (start, end) = (time(source, START)?, time(source, END)?);
    draft = start.into_iter().fold(draft, Draft::start);
    draft = end.into_iter().fold(draft, Draft::end);
    Ok(Reading::Notice(vec![draft.status(status)]))
}

/// Reads the status. Subject and status field must not contradict each other; one of them says it in known words.
fn status(source: &Source<'_>, subject: &Found<String>) -> Result<Found<Status>, Failure> {
    let mut statuses = Vec::new();
    if let Some(field) = one(source, STATUS)? {
        let status = words::status(&field)?;
        statuses.push(status.ok_or_else(|| Failure::malformed("a status such as `Planned`", &field))?);
    }
    statuses.extend(words::status(subject)?);
    let told = words::status_told_in(source.body()?.opening(&[]))?;
    statuses.extend(told.filter(|_| !statuses.is_empty()));
    words::strongest(statuses)?.ok_or_else(|| Failure::malformed("a subject such as `Planned maintenance`", subject))
}

/// Returns the one value that stands under any of the labels, in cells or in lines; two that differ are enough to refuse.
fn one(source: &Source<'_>, labels: &[&str]) -> Result<Option<Found<String>>, Failure> {
    let mut found: Vec<Found<String>> = Vec::new();
    for label in labels {
        let cells = source.page().map(|page| page.values_of(label)).unwrap_or_default();
        let lines = source.body()?.all_labelled(&format!("{label}:"));
        for value in cells.into_iter().chain(lines) {
            if found.len() < 2 && found.iter().all(|known| known.value != value.value) {
                found.push(value);
            }
        }
    }
    match found.as_slice() {
        [one, other, ..] => {
            let quote = format!("{} … {}", one.quote, other.quote);
            Err(Failure::ambiguous(format!("one value of `{}`", labels.first().unwrap_or(&""))).with_quote(&quote))
        }
        _ => Ok(found.pop()),
    }
}

fn expect(source: &Source<'_>, labels: &[&str]) -> Result<Found<String>, Failure> {
    one(source, labels)?
        .ok_or_else(|| Failure::missing(format!("a label such as `{}:`", labels.first().unwrap_or(&""))))
}

/// Returns a time with its zone, which it or its label says.
fn time(source: &Source<'_>, labels: &[&str]) -> Result<Option<Found<Moment>>, Failure> {
    let universal = |zone: &str| -> Vec<String> { labels.iter().map(|label| format!("{label} ({zone})")).collect() };
    for labels in [universal("UTC"), universal("GMT")] {
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        if let Some(value) = one(source, &labels)? {
            let read = |text: &String| dates::universal(&format!("{text} UTC"), FORMATS);
            return value.try_map("a time such as `2031-01-02 03:04`", read).map(Some);
        }
    }
    one(source, labels)?.map(|value| dates::read_zoned(value, FORMATS)).transpose()
}

/// Returns the circuits of a table, of a workbook or under a label: of one of them alone.
fn circuits(source: &Source<'_>, status: Status) -> Result<Vec<Found<Circuit>>, Failure> {
    let common = match one(source, IMPACT) {
        Ok(Some(said)) => words::impact(&said).map(|impact| impact.value),
        Ok(None) => Err(Failure::missing("a label such as `Impact:`")),
        Err(failure) => Err(failure),
    };
    let common = match common {
        Err(_) if status.is_final() => Ok(Impact::NoImpact),
        common => common,
    };
    let mut places = Vec::new();
    if let Ok(page) = source.page() {
        // Labels in rows look like headings too: only a heading for the impact beside tells a table of circuits.
        places.push(in_tables(page.tables(), true, &common)?);
    }
    let is_workbook = |name: &str| name.to_lowercase().ends_with(".xlsx");
    let mut room = workbook::Room::default();
    for attachment in &source.mail().attachments {
        if attachment.name.as_deref().is_some_and(is_workbook) {
            places.push(in_tables(&workbook::tables(&attachment.bytes, &mut room)?, false, &common)?);
        }
    }
    places.retain(|circuits| !circuits.is_empty());
    if places.is_empty() {
        places.extend(listed(source, &common)?);
    }
    match places.as_slice() {
        [_, _, ..] => Err(Failure::ambiguous("circuits in one place")),
        _ => Ok(places.pop().unwrap_or_default()),
    }
}

fn in_tables(
    tables: &[Table],
    needs_impact: bool,
    common: &Result<Impact, Failure>,
) -> Result<Vec<Found<Circuit>>, Failure> {
    let mut circuits = Vec::new();
    for table in tables {
        for label in CIRCUITS {
            for headed in table.headed(&[label]) {
                let heading = IMPACT.iter().find(|heading| headed.has(heading));
                if heading.is_none() && needs_impact {
                    continue;
                }
                for row in headed.rows.iter().filter(|row| !row.is_blank()) {
                    let impact = match heading {
                        Some(heading) => words::impact(row.expect(heading)?)?.value,
                        None => common.clone()?,
                    };
                    circuits.push(circuit(row.expect(label)?, impact)?);
                }
            }
        }
    }
    Ok(circuits)
}

fn listed(source: &Source<'_>, common: &Result<Impact, Failure>) -> Result<Option<Vec<Found<Circuit>>>, Failure> {
    let Some(list) = one(source, CIRCUITS)? else { return Ok(None) };
    let impact = common.clone()?;
    let ids = listed::ids(&list.value);
    ids.map(|id| circuit(&list.with(id.to_owned()), impact)).collect::<Result<_, _>>().map(Some)
}

fn circuit(id: &Found<String>, impact: Impact) -> Result<Found<Circuit>, Failure> {
    id.try_with("the id of a circuit", |id| CIRCUIT.is_match(id).then(|| Circuit::new(id, impact)).flatten())
}

#[cfg(test)]
mod tests {
    use crate::parse;
    use mail::Mail;
    use notice::outcome::Outcome;

    const NOTICE: &str = "Dear Customer,\n\nwe will replace a line card.\n\nMaintenance ID: EX-40017\nStart: 2031-03-12 22:00 UTC\n\
        End: 2031-03-13 02:00 UTC\nImpact: Outage\nCircuit ID: EXN/10G/0017, EXN/10G/0018\nDescription: a line card\n";

    fn outcome(subject: &str, body: &str) -> Outcome {
        let mail =
            format!("From: noc@retn.net\r\nDate: Mon, 3 Mar 2031 09:00:00 +0000\r\nSubject: {subject}\r\n\r\n{body}");
        parse(&Mail::decode(mail.as_bytes()))
    }

    #[test]
    fn a_notice_with_all_its_labels_is_read() {
        let Outcome::Notice(notice) = outcome("Planned maintenance EX-40017", NOTICE) else { panic!("no notice") };
        let maintenance = &notice.maintenances[0];
        assert_eq!((maintenance.id(), maintenance.provider()), ("EX-40017", "retn"));
        assert_eq!((maintenance.circuits().len(), maintenance.organizer()), (2, "noc@retn.net"));
        assert_eq!(maintenance.window().unwrap().start().to_string(), "2031-03-12T22:00:00Z");
        assert!(matches!(
            outcome("CANCELLED: Planned maintenance", "Reference: EX-40017\n\nRegards\n"),
            Outcome::Notice(_)
        ));
    }

    #[test]
    fn an_incomplete_notice_is_for_a_person() {
        for (from, to) in [
            ("Maintenance ID: EX-40017\n", ""),
            ("Impact: Outage\n", ""),
            ("Impact: Outage\n", "Impact: Purple\n"),
            ("Start: 2031-03-12 22:00 UTC\n", ""),
            ("Start: 2031-03-12 22:00 UTC\n", "Start: 2031-03-12 22:00\n"),
            ("Start: 2031-03-12 22:00 UTC\n", "Start: 12/03/2031 22:00 UTC\n"),
            ("Start: 2031-03-12 22:00 UTC\n", "Start: 2031-03-12 22:00 UTC\nStart: 2031-03-15 22:00 UTC\n"),
            ("Circuit ID: EXN/10G/0017, EXN/10G/0018\n", ""),
            ("Circuit ID: EXN/10G/0017, EXN/10G/0018\n", "Circuit ID: all\n"),
            ("Description", "Status: Purple\nDescription"),
        ] {
            let body = NOTICE.replace(from, to);
            assert_ne!(body, NOTICE);
            assert!(matches!(outcome("Planned maintenance", &body), Outcome::Failed { .. }), "{from} -> {to}");
        }
        assert!(matches!(outcome("Network maintenance", NOTICE), Outcome::Failed { .. }));
        assert!(matches!(outcome("Your invoice", NOTICE), Outcome::Failed { .. }));
        assert!(matches!(outcome("Your invoice", "Your invoice is ready.\n\nRegards\n"), Outcome::Ignored { .. }));
    }
}
