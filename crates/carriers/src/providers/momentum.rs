//! Momentum Telecom: sentences with labels, in HTML. The id stands in the subject alone, between bars.
//!
//! A notice announces settled work unless the kind of work in the subject or the sentences above the times say what became of
//! it. The expected impact is the length of an outage.

use notice::{
    dates,
    draft::{Draft, Times},
    failure::Failure,
    found::Found,
    lines::Lines,
    listed,
    model::{Circuit, Impact, Status},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Momentum Telecom.
pub static PROVIDER: Provider = Provider {
    slug: "momentum",
    name: "Momentum Telecom",
    domains: &["momentumtelecom.com", "gomomentum.com"],
    organizer: "maintenance@momentumtelecom.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

const START: &str = "Maintenance start date/time";
const END: &str = "Maintenance finish date/time";
const END_TOO: &str = "Maintenance end date/time";
const REASON: &str = "Reason for Maintenance";
const CIRCUITS: &str = "Circuit ID(s) impacted";

const LABELS: &[&str] = &[
    START,
    END,
    END_TOO,
    REASON,
    "Expected Impact",
    "Account:",
    CIRCUITS,
    "Address(s)",
    "Address:",
    "Your circuit",
    "Our engineers",
];

static ID: Pattern = Pattern::new(r"\|\s*(\d{5,})\s*(?:\||$)");
static MAINTENANCE: Pattern = Pattern::new(r"(?i)\bmaintenance\b");
static DURATION: Pattern = Pattern::new(
    r"(?i)^(?:(?:up to|approximately|less than)\s+)?(?:\d+\s*)?(?:days?|hours?|hrs?|minutes?|mins?|seconds?|secs?|ms)\b",
);
static SOME: Pattern = Pattern::new(r"[1-9]");
/// The remains of a broken end tag in the text.
static TAG: Pattern = Pattern::new(r"\s*</?\w*>?\s*$|\s+/\w+>\s*$");

const TIMES: &[&str] = &["%F %I:%M[:%S] %p", "%F %H:%M[:%S]", "%m/%d/%Y %I:%M[:%S] %p"];

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let body = source.body().ok()?;
    body.iter().find(|(_, line)| line.contains("Momentum"))?;
    body.labelled(CIRCUITS).and_then(|_| body.labelled(START))
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = source.subject();
    let is_notice = source.body().is_ok_and(|body| body.labelled(START).is_some() || body.labelled(CIRCUITS).is_some());
    if !is_notice && !MAINTENANCE.is_match(&subject.value) {
        return Ok(Reading::Other("no maintenance in the subject, and no times of one".to_owned()));
    }
    let body = source.body()?;
    let status = status(&subject, body)?;
    let id = subject.try_with("an id between bars in the subject, such as `| 12345678 |`", |subject| {
        Some(ID.captures(subject)?.get(1)?.as_str().to_owned())
    })?;
    let mut draft = Draft::new(source).id(id).circuits(circuits(body)?);
    if let Some(account) = of(body, "Account:").into_iter().next() {
        draft = draft.account(account);
    }
    let reason = of(body, REASON);
    let text = reason.iter().map(|line| line.value.as_str()).collect::<Vec<_>>().join(" ");
    if let Some(first) = reason.into_iter().next() {
        draft = draft.summary(first.map(|_| TAG.replace(&text, "").into_owned()));
    }
    let windows = windows(body)?;
    let is_off = status.value.is_final();
    let draft = draft.status(status);
    match windows.as_slice() {
        [] if is_off => Ok(Reading::Notice(vec![draft])),
        [] => Err(Failure::missing(format!("a line `{START}`"))),
        _ => Ok(Reading::Notice(draft.in_windows(windows)?)),
    }
}

/// Returns the text after a label and below it, up to the next label or blank line.
fn of(body: &Lines, label: &str) -> Vec<Found<String>> {
    let lines = body.paragraph(label, LABELS).unwrap_or_default();
    lines.into_iter().filter(|line| !line.value.is_empty()).collect()
}

/// Returns the parts of the subject that name the work; the others are of the customer.
fn status(subject: &Found<String>, body: &Lines) -> Result<Found<Status>, Failure> {
    let parts: Vec<_> = subject.value.split('|').filter(|part| MAINTENANCE.is_match(part)).collect();
    let title = subject.with(parts.join(" "));
    let is_label = |line: &str| {
        LABELS.iter().any(|label| line.get(..label.len()).is_some_and(|start| start.eq_ignore_ascii_case(label)))
    };
    let opening = || body.iter().skip_while(|(_, line)| !line.starts_with("Dear"));
    let lead = || opening().take_while(|(_, line)| !is_label(line));
    let told = words::status_of([title.clone()], lead())?;
    told.map_or_else(|| words::announced([title], lead()), Ok)
}

fn windows(body: &Lines) -> Result<Vec<Times>, Failure> {
    let starts = body.all_labelled(START);
    let ends: Vec<_> = [END, END_TOO].iter().flat_map(|label| body.all_labelled(label)).collect();
    if starts.len() != ends.len() {
        return Err(Failure::missing(format!("as many lines `{END}` as `{START}`")));
    }
    let time = |found| dates::read_zoned(found, TIMES);
    starts.into_iter().zip(ends).map(|(start, end)| Ok((time(start)?, time(end)?))).collect()
}

fn circuits(body: &Lines) -> Result<Vec<Found<Circuit>>, Failure> {
    let impact = impact(body)?;
    let mut lines = of(body, CIRCUITS);
    for (index, further) in body.all_labelled(CIRCUITS).into_iter().enumerate() {
        if index > 0 {
            lines.push(further);
        }
    }
    let ids = lines.iter().flat_map(|line| listed::ids(&line.value).map(|id| line.with(id.to_owned())));
    ids.filter(|id| !id.value.is_empty()).map(|id| id.try_map("a circuit id", |id| Circuit::new(id, impact))).collect()
}

fn impact(body: &Lines) -> Result<Impact, Failure> {
    let Some(field) = of(body, "Expected Impact").into_iter().next() else { return Ok(Impact::Outage) };
    match words::impact(&field) {
        Err(_) if DURATION.is_match(&field.value) => {
            Ok(if SOME.is_match(&field.value) { Impact::Outage } else { Impact::NoImpact })
        }
        impact => Ok(impact?.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    #[test]
    fn kinds_of_notices() {
        for (kind, sentence, expected) in [
            (
                "Planned Network Maintenance ,",
                "This email is to alert you regarding maintenance.",
                Some(Status::Confirmed),
            ),
            ("Emergency Network Maintenance", "", Some(Status::Confirmed)),
            ("Reminder: Planned Network Maintenance", "", Some(Status::Confirmed)),
            ("Network Maintenance", "", Some(Status::Confirmed)),
            ("Cancelled Network Maintenance", "", Some(Status::Cancelled)),
            ("Planned Network Maintenance", "The maintenance has been cancelled.", Some(Status::Cancelled)),
            ("Rescheduled Network Maintenance", "", Some(Status::ReScheduled)),
            ("Planned Network Maintenance Postponed", "", Some(Status::ReScheduled)),
            ("Network Maintenance Started", "", Some(Status::InProcess)),
            ("Network Maintenance Completed", "", Some(Status::Completed)),
            ("Cancelled or completed maintenance", "", None),
        ] {
            let subject = format!("Momentum Data Services | {kind} | New Closed Ltd | | 77000123 | [ ref:_00X.x:ref ]");
            let subject = Found::text(&subject, Place::Header("Subject"));
            let body = Lines::of_text(&format!("It was completed.\nDear,\n{sentence}\n{START}: x\nIt was completed."));
            assert_eq!(status(&subject, &body).ok().map(|status| status.value), expected, "{kind}: {sentence}");
        }
    }

    #[test]
    fn impacts() {
        for (text, expected) in [
            ("Expected Impact: Days 6 Hours 30 Minutes.", Some(Impact::Outage)),
            ("Expected Impact: 45 minutes", Some(Impact::Outage)),
            ("Expected Impact: 0 Hours 0 Minutes", Some(Impact::NoImpact)),
            ("Expected Impact: None", Some(Impact::NoImpact)),
            ("Expected Impact: Loss of redundancy", Some(Impact::ReducedRedundancy)),
            ("Reason for Maintenance: repair", Some(Impact::Outage)),
            ("Expected Impact: Surprise", None),
        ] {
            assert_eq!(impact(&Lines::of_text(text)).ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_broken_end_tag_is_no_text() {
        let clean = |text| TAG.replace(text, "").into_owned();
        assert_eq!(clean("Repair of a joint. /font>"), "Repair of a joint.");
        assert_eq!(clean("Repair of a joint.</font>"), "Repair of a joint.");
        assert_eq!(clean("Repair of span A/B"), "Repair of span A/B");
    }
}
