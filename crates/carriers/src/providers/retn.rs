//! RETN: a page of labels, and lists of services, each under a sentence that says what happens to them. The ticket and the
//! customer's number stand in the subject, and the heading tells what became of the ticket.
//!
//! Days come first: `07.05.2031` is in May. A closed ticket also has the times at which it really happened; the window is the
//! planned one. Older notices are lists of labels and values.

use super::published::read_labels;
use notice::{
    dates,
    draft::Draft,
    failure::Failure,
    found::Found,
    lines::Lines,
    maintnote,
    model::{Circuit, Impact, Moment, Status},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider RETN.
pub static PROVIDER: Provider = Provider {
    slug: "retn",
    name: "RETN",
    domains: &["retn.net"],
    organizer: "",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

static TICKET: Pattern = Pattern::new(r"(?i)\bRETN\.NET Ticket ?# ?([A-Z]{2}-\d{5,})\b");
static CUSTOMER: Pattern = Pattern::new(r"(?i)\bCID ?# ?(\d+)\b");
static HEADING: Pattern = Pattern::new(r"(?i)^(?:planned|emergency|urgent) works? notification\s*[-–—]\s*(.+)$");
static OPENED: Pattern = Pattern::new(r"(?i)^ticket (?:has been )?opened$");
static START: Pattern = Pattern::new(r"(?i)\bplanned start time ?: ?(.+)$");
static END: Pattern = Pattern::new(r"(?i)\bplanned end time ?: ?(.+)$");
/// A sentence that introduces a list of services, and what follows it on its line.
static SERVICES: Pattern = Pattern::new(r"(?i)^(.*\bservices?\b(?:\(s\))?[^:]*):\s*(.*)$");
static SERVICE: Pattern = Pattern::new(r"^[A-Z]{2,6}-\d+(?:-\d+)?[A-Za-z0-9._/-]*$");
static SWITCH: Pattern = Pattern::new(r"(?i)\b(?:flaps?|switch hits?|re-?routing)\b");

const DESCRIPTION: &str = "Description:";
const BELOW: &[&str] = &["We apologize", "Please send", "Phone:", "E-mail:"];

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let subject = source.subject();
    if TICKET.is_match(&subject.value) { Some(subject) } else { maintnote::names(source, source.provider()) }
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = source.subject();
    let group = |pattern: &Pattern| Some(pattern.captures(&subject.value)?.get(1)?.as_str().to_owned());
    let Some(ticket) = group(&TICKET) else { return read_labels(source) };
    let body = source.body()?;
    let status = status(&subject, body)?;
    let mut draft = Draft::new(source).sent_by_author(source).id(subject.with(ticket)).circuits(circuits(body)?);
    if let Some(customer) = group(&CUSTOMER) {
        draft = draft.account(subject.with(customer));
    }
    if let Some(description) = body.section(DESCRIPTION, BELOW).and_then(|lines| lines.into_iter().next()) {
        draft = draft.summary(description);
    }
    for (set, pattern) in [(Draft::start as fn(Draft, Found<Moment>) -> Draft, &START), (Draft::end, &END)] {
        if let Some(time) = time(body, pattern)? {
            draft = set(draft, time);
        }
    }
    Ok(Reading::Notice(vec![draft.status(status)]))
}

/// Returns the status of the ticket in the heading, and of the work in the subject.
fn status(subject: &Found<String>, body: &Lines) -> Result<Found<Status>, Failure> {
    let heading = body
        .matching(&HEADING)
        .ok_or_else(|| Failure::missing("a heading such as `Planned Works Notification - Ticket Opened`"))?;
    let of_ticket = if OPENED.is_match(&heading.value) {
        heading.map(|_| Status::Confirmed)
    } else {
        let status = words::status(&heading)?;
        status.ok_or_else(|| Failure::malformed("what became of the ticket, such as `Ticket Opened`", &heading))?
    };
    let statuses = words::status(subject)?.into_iter().chain([of_ticket]);
    words::strongest(statuses)?.ok_or_else(|| Failure::malformed("a status", subject))
}

/// Returns the one time behind that label; a failure where there are two.
fn time(body: &Lines, pattern: &Pattern) -> Result<Option<Found<Moment>>, Failure> {
    let mut times = body.all_matching(pattern);
    times.dedup_by(|one, other| one.value == other.value);
    match times.as_slice() {
        [] => Ok(None),
        [time] => dates::read_zoned(time.clone(), &["%d.%m.%Y %H:%M[:%S]"]).map(Some),
        [one, other, ..] => {
            Err(Failure::ambiguous("one planned time").with_quote(&format!("{} … {}", one.quote, other.quote)))
        }
    }
}

/// Returns the services under each sentence, up to the description.
fn circuits(body: &Lines) -> Result<Vec<Found<Circuit>>, Failure> {
    let mut circuits = Vec::new();
    let mut impact = None;
    for (place, line) in body.iter().take_while(|(_, line)| !line.starts_with(DESCRIPTION)) {
        let found = Found::text(line, place);
        let id = match SERVICES.captures(line) {
            Some(captures) => {
                let said = captures.get(1).map_or("", |said| said.as_str());
                impact = Some(impact_of(&found.with(said.to_owned()))?);
                captures.get(2).map_or("", |rest| rest.as_str())
            }
            None if line.contains(':') => {
                impact = None;
                continue;
            }
            None => line,
        };
        let (Some(impact), false) = (impact, id.is_empty()) else { continue };
        let circuit = |id: &str| SERVICE.is_match(id).then(|| Circuit::new(id, impact)).flatten();
        for id in id.split([',', ';', ' ']).filter(|id| !matches!(*id, "" | "and" | "&")) {
            circuits.push(found.try_with("a service such as `IPP-100200-1.DE.FRA.EX1`", |_| circuit(id))?);
        }
    }
    Ok(circuits)
}

/// Flaps while traffic moves to another path are what a loss of redundancy does.
fn impact_of(sentence: &Found<String>) -> Result<Impact, Failure> {
    let lower = sentence.value.to_lowercase();
    match lower.contains("complete loss") {
        true => Ok(Impact::Outage),
        false if SWITCH.is_match(&lower) => Ok(Impact::ReducedRedundancy),
        false => Ok(words::impact(sentence)?.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    #[test]
    fn each_list_has_its_own_impact() {
        let body = Lines::of_text(
            "Location: Porto\nServices, which will be affected (complete loss):\nIPP-100200-1.PT.OPO.EX1\n\n\
             50 ms flaps are possible due to rerouting for the following service(s): WLP-100200-2.PT.OPO.EX1-DE.FRA.EX2-100G\n\
             Services, which will be unaffected:\nIPT-100200-3.PT.OPO.EX1\nDescription:\nServices: all\n",
        );
        let read: Vec<_> =
            circuits(&body).unwrap().into_iter().map(|one| (one.value.id().to_owned(), one.value.impact())).collect();
        assert_eq!(
            read,
            [
                ("IPP-100200-1.PT.OPO.EX1".to_owned(), Impact::Outage),
                ("WLP-100200-2.PT.OPO.EX1-DE.FRA.EX2-100G".to_owned(), Impact::ReducedRedundancy),
                ("IPT-100200-3.PT.OPO.EX1".to_owned(), Impact::NoImpact),
            ]
        );
        for list in [
            "Services, which will be affected (purple):\nIPP-1-1.X\n",
            "Affected services (complete loss):\nsee below\n",
        ] {
            assert!(circuits(&Lines::of_text(list)).is_err(), "{list}");
        }
    }

    #[test]
    fn the_heading_states_the_status_of_the_ticket() {
        let read = |state: &str| {
            let subject = Found::text(
                "[RETN.NET Ticket#PW-40000001]: Planned Works Notification CID#1",
                Place::Header("Subject"),
            );
            let body = Lines::of_text(&format!("Planned Works Notification — Ticket {state}\n"));
            status(&subject, &body).ok().map(|status| status.value)
        };
        assert_eq!(read("Opened"), Some(Status::Confirmed));
        assert_eq!(read("Cancelled"), Some(Status::Cancelled));
        assert_eq!(read("Closed"), Some(Status::Completed));
        assert_eq!(read("Rescheduled"), Some(Status::ReScheduled));
        assert_eq!(read("Painted"), None);
    }
}
