//! PCCW Global: MAINTNOTE calendars, and mails without one, such as those of completion: a page (or the same as text) of
//! labels, where the subject says the id and what kind of notice it is.
//!
//! A mail that ends a maintenance names its services in a short form, not by the ids of the calendar that announced them, so
//! its circuits are left as they are known.

use notice::{
    dates,
    draft::{Draft, Times},
    failure::Failure,
    found::{Found, quote},
    lines::Lines,
    maintnote,
    model::{Circuit, Impact, Status},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider PCCW Global.
pub static PROVIDER: Provider = Provider {
    slug: "pccw",
    name: "PCCW Global",
    domains: &["pccwglobal.com"],
    organizer: "mailto:gsoc-planned-event@pccwglobal.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

/// Labels of the reference of planned work, and of urgent work.
const REFERENCES: [&str; 2] = ["RPO Reference Number", "UMW Reference Number"];
const SERVICES: &str = "Service/Circuit Affected";

const LABELS: &[&str] = &[
    "Customer Name",
    "From :",
    "Date :",
    "Dear",
    REFERENCES[0],
    REFERENCES[1],
    "Date Time",
    "Duration",
    SERVICES,
    "Outage Description",
    "Reason",
    "Impact",
    "PCCW Global",
    "Should you",
    "Best Regards",
];

static KIND: Pattern =
    Pattern::new(r"(?i)^(.*?)\b((?:[a-z]+ )?(?:outage|maintenance|work|activity) notification\b.*)$");
static INCIDENT: Pattern = Pattern::new(r"\b(INC[0-9A-Z]{6,})\b");
static RANGE: Pattern = Pattern::new(
    r"(?i)(\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}(?::\d{2})?) ?(?:to|-|–) ?(\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}(?::\d{2})?) ?\(?(?:GMT|UTC)\b\)?(?: ?\(dd/mm/yyyy\))?",
);
static CHANGE: Pattern = Pattern::new(r"(?i)\b(?:amendment|amended|extension|extended)\b");
static HIT: Pattern = Pattern::new(r"(?i)\bhits?\b");

fn says(source: &Source<'_>) -> Option<Found<String>> {
    maintnote::names(source, source.provider()).or_else(|| {
        let body = source.body().ok()?;
        let names_itself = body.iter().any(|(_, line)| line.contains("PCCW Global"));
        reference(body).filter(|_| names_itself)
    })
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    if let Some(drafts) = maintnote::read(source)? {
        return Ok(Reading::Notice(drafts));
    }
    let Some(body) = source.body().ok().filter(|body| reference(body).is_some()) else {
        return maintnote::read_or_other(source);
    };
    let subject = source.subject().map(|_| source.mail().inner().bare_subject().to_owned());
    let status = status(&subject)?;
    let id = subject.try_with("an incident number such as `INC0123456789AB` in the subject", |text| {
        Some(INCIDENT.captures(text)?.get(1)?.as_str().to_owned())
    })?;
    let name = Found::by_rule("PCCW Global".to_owned(), "the name that its calendars have");
    let mut draft = Draft::new(source).id(id).announced_provider(name).summary(subject);
    if let Some(customer) = first_of(body, "Customer Name") {
        draft = draft.account(customer);
    }
    if !status.value.is_final() {
        draft = draft.circuits(circuits(body)?);
    }
    let windows = windows(body)?;
    let draft = draft.status(status);
    if windows.is_empty() {
        return Ok(Reading::Notice(vec![draft]));
    }
    Ok(Reading::Notice(draft.in_windows(windows)?))
}

fn reference(body: &Lines) -> Option<Found<String>> {
    REFERENCES.iter().find_map(|label| body.labelled(label))
}

fn first_of(body: &Lines, label: &str) -> Option<Found<String>> {
    body.section(label, LABELS)?.into_iter().find(|line| !line.value.is_empty())
}

/// Returns the status before "Planned Outage Notification …"; if there is none, the notification itself is the first.
fn status(subject: &Found<String>) -> Result<Found<Status>, Failure> {
    let kinds = "a kind of notice before `Planned Outage Notification`, such as `Completion -`";
    let captures = KIND.captures(&subject.value).ok_or_else(|| Failure::malformed(kinds, subject))?;
    let part = |group| subject.with(captures.get(group).map_or("", |text| text.as_str()).to_owned());
    let (kind, notification) = (part(1), part(2));
    let status = if kind.value.chars().any(char::is_alphanumeric) {
        match words::status(&kind)? {
            None | Some(Found { value: Status::Confirmed, .. }) if CHANGE.is_match(&kind.value) => {
                Some(kind.map(|_| Status::ReScheduled))
            }
            status => status,
        }
    } else {
        words::status(&notification)?
    };
    status.ok_or_else(|| Failure::malformed(kinds, subject))
}

fn windows(body: &Lines) -> Result<Vec<Times>, Failure> {
    let Some(lines) = body.section("Date Time", LABELS) else { return Ok(Vec::new()) };
    let mut windows = Vec::new();
    for line in lines {
        let expected = "`26/11/2031 01:00:00 to 26/11/2031 10:00:00 GMT (dd/mm/yyyy)`";
        let rest = RANGE.replace_all(&line.value, "");
        if rest.chars().any(char::is_alphanumeric) {
            return Err(Failure::malformed(expected, &line));
        }
        for captures in RANGE.captures_iter(&line.value) {
            let time = |group| {
                line.try_with(expected, |_| {
                    let local = dates::civil(captures.get(group)?.as_str(), &["%d/%m/%Y %H:%M[:%S]"])?;
                    dates::moment(local, &jiff::tz::TimeZone::UTC)
                })
            };
            windows.push((time(1)?, time(2)?));
        }
    }
    Ok(windows)
}

/// Lines such as `SR123456 / NAME OF THE PATH /`: the name is the circuit, as in the calendars.
fn circuits(body: &Lines) -> Result<Vec<Found<Circuit>>, Failure> {
    let impact = impact(body)?;
    let mut circuits = Vec::new();
    for line in body.section(SERVICES, LABELS).unwrap_or_default().iter().filter(|line| !line.value.is_empty()) {
        let mut parts = line.value.split(" /").map(|part| part.trim().trim_matches('/').trim());
        let (request, name) = (parts.next().unwrap_or_default(), parts.find(|part| !part.is_empty()));
        let circuit = Circuit::new(name.unwrap_or(request), impact)
            .ok_or_else(|| Failure::malformed("a service such as `SR123456 / NAME /`", line))?;
        circuits.push(Found { value: circuit, place: line.place.clone(), quote: quote(&line.value) });
    }
    Ok(circuits)
}

/// Returns the impact: a switching hit is an outage of moments, and so are the calendars' own words for it.
fn impact(body: &Lines) -> Result<Impact, Failure> {
    match first_of(body, "Impact") {
        None => Err(Failure::missing("a line `Impact`")),
        Some(field) => match words::impact(&field) {
            Err(_) if HIT.is_match(&field.value) => Ok(Impact::Outage),
            impact => Ok(impact?.value),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    #[test]
    fn kinds_of_notices() {
        for (kind, expected) in [
            ("", Some(Status::Confirmed)),
            ("Reminder - ", Some(Status::Confirmed)),
            ("Urgent - ", Some(Status::Confirmed)),
            ("Amendment - ", Some(Status::ReScheduled)),
            ("Extension of ", Some(Status::ReScheduled)),
            ("Reschedule - ", Some(Status::ReScheduled)),
            ("Postponed: ", Some(Status::ReScheduled)),
            ("Commencement - started - ", Some(Status::InProcess)),
            ("Completion - ", Some(Status::Completed)),
            ("Cancellation - ", Some(Status::Cancelled)),
            ("CANCELLED - ", Some(Status::Cancelled)),
            ("Surprise - ", None),
        ] {
            let subject = format!("{kind}Planned Outage Notification of International Service - INC0000770055AB");
            let subject = Found::text(&subject, Place::Header("Subject"));
            assert_eq!(status(&subject).ok().map(|status| status.value), expected, "{kind}");
        }
    }

    #[test]
    fn services_are_named_by_their_path() {
        let body = |impact: &str| {
            Lines::of_text(&format!(
                "Service/Circuit Affected :\nSR770001 / EXA(LON)-EXB(PAR) EP7700 /\nSR770002 /\n\nImpact : {impact}\n"
            ))
        };
        let read = |impact: &str| {
            let circuits = circuits(&body(impact)).ok()?;
            Some(circuits.iter().map(|one| format!("{} {}", one.value.id(), one.value.impact())).collect::<Vec<_>>())
        };
        assert_eq!(
            read("Switching hits"),
            Some(vec!["EXA(LON)-EXB(PAR) EP7700 OUTAGE".to_owned(), "SR770002 OUTAGE".to_owned()])
        );
        assert!(
            read("No impact").is_some_and(|circuits| circuits.iter().all(|circuit| circuit.ends_with("NO-IMPACT")))
        );
        assert_eq!(read("Surprise"), None);
    }
}
