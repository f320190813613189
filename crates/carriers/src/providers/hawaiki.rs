//! Hawaiki, the cable of BW Digital: text with labels, and start and end below the heading of the window. A contingency window is
//! used only if the work fails, and is no maintenance. The ticket stands in the subject.

use notice::{
    dates,
    draft::Draft,
    failure::Failure,
    found::Found,
    lines::Lines,
    listed, maintnote,
    model::{Circuit, Status},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Hawaiki.
pub static PROVIDER: Provider = Provider {
    slug: "hawaiki",
    name: "Hawaiki",
    domains: &["bw-digital.com"],
    organizer: "",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

const SERVICES: &str = "Service ID:";
const WINDOW: &str = "Maintenance Window";
const CONTINGENCY: &str = "Contingency Window";
const LABELS: &[&str] =
    &[SERVICES, "Reason for Notification", WINDOW, CONTINGENCY, "Location of Maintenance", "Service impact"];

static TICKET: Pattern = Pattern::new(r"(?i)\[Ticket ?# ?(\d{6,})\]");
static CABLE: Pattern = Pattern::new(r"(?i)\bHawaiki\b");
static ANNOUNCED: Pattern = Pattern::new(r"(?i)\bmaintenance (?:works?|activity) to be carried out\b");

const FORMATS: &[&str] = &["%Y-%b-%d %H:%M[:%S]", "%Y-%m-%d %H:%M[:%S]", "%d-%b-%Y %H:%M[:%S]"];

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let subject = source.subject();
    let is_ours = TICKET.is_match(&subject.value) && CABLE.is_match(&subject.value);
    if is_ours { Some(subject) } else { maintnote::names(source, source.provider()) }
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    if let Some(drafts) = maintnote::read(source)? {
        return Ok(Reading::Notice(drafts));
    }
    let body = source.body()?;
    let subject = source.subject();
    let id = subject.try_with("a ticket such as `[Ticket#2031010190001234]` in the subject", |subject| {
        Some(TICKET.captures(subject)?.get(1)?.as_str().to_owned())
    })?;
    let status = status(&subject, body)?;
    let mut draft = Draft::new(source)
        .sent_by_author(source)
        .id(id)
        .nameless_account("Customer info unavailable")
        .circuits(circuits(body, status.value)?);
    if let Some(reason) = body.labelled("Reason for Notification:") {
        draft = draft.summary(reason);
    }
    let is_final = status.value.is_final();
    let draft = draft.status(status);
    let Some(lines) = body.section(WINDOW, &LABELS[3..]).filter(|lines| lines.len() > 1 || !is_final) else {
        return if is_final { Ok(Reading::Notice(vec![draft])) } else { Err(Failure::missing(format!("`{WINDOW}`"))) };
    };
    let time = |label: &str| {
        let mut times = lines.iter().filter(|line| line.value.to_lowercase().starts_with(label));
        let line = times.next().ok_or_else(|| Failure::missing(format!("`{label}` below `{WINDOW}`")))?;
        if times.next().is_some() {
            return Err(Failure::ambiguous(format!("one `{label}` below `{WINDOW}`")));
        }
        let text = line.value.get(label.len()..).unwrap_or_default().to_owned();
        dates::read_zoned(line.with(text), FORMATS)
    };
    Ok(Reading::Notice(vec![draft.window(time("start:")?, time("end:")?)]))
}

/// Returns the status of the subject and of the sentences above the services. A promise to tell when the work is complete is not
/// a status.
fn status(subject: &Found<String>, body: &Lines) -> Result<Found<Status>, Failure> {
    let opening = || body.opening(LABELS);
    let announced = opening().find(|(_, line)| ANNOUNCED.is_match(line));
    let announced = announced.map(|(place, line)| Found::text(line, place).map(|_| Status::Confirmed));
    let told = words::status_told_in(opening())?;
    let statuses = words::status(subject)?.into_iter().chain(told).chain(announced);
    words::strongest(statuses)?.ok_or_else(|| Failure::malformed("`maintenance works to be carried out`", subject))
}

fn circuits(body: &Lines, status: Status) -> Result<Vec<Found<Circuit>>, Failure> {
    let Some(services) = body.section(SERVICES, &LABELS[1..]) else { return Ok(Vec::new()) };
    let impact = match body.labelled("Service impact:") {
        Some(said) => words::impact(&said)?.value,
        None if status.is_final() => notice::model::Impact::NoImpact,
        None => return Err(Failure::missing("a line `Service impact:`")),
    };
    let ids = services.iter().flat_map(|line| listed::ids(&line.value).map(|id| line.with(id.to_owned())));
    ids.filter(|id| !id.value.is_empty()).map(|id| id.try_map("a service", |id| Circuit::new(id, impact))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    #[test]
    fn a_promise_to_tell_is_no_status() {
        let subject = Found::text(
            "[Ticket#2031010190001234] Hawaiki: Hazardous Condition Notification",
            Place::Header("Subject"),
        );
        let read = |opening: &str| {
            let body = Lines::of_text(&format!(
                "Dear customer,\n{opening}\n\nService ID: EX-1\n\nWe advise when it is complete.\n"
            ));
            status(&subject, &body).ok().map(|status| status.value)
        };
        assert_eq!(
            read("Please be advised of maintenance works to be carried out on our network."),
            Some(Status::Confirmed)
        );
        assert_eq!(read("The maintenance works have been cancelled."), Some(Status::Cancelled));
        assert_eq!(read("Hello."), None);
    }
}
