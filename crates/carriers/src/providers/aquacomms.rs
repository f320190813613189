//! Aqua Comms' notices: mails of a ticket system, HTML with a label and its value side by side.
//!
//! The subject holds the issue and the project (the customer's account). No notice states an impact but in the subject's
//! "Outage", so what does not say otherwise is one. Dates are day first and GMT; what happened stands in "- Update -" rows.

use notice::{
    dates,
    draft::Draft,
    failure::Failure,
    found::Found,
    listed,
    model::{Circuit, Impact, Moment, Status},
    page::Page,
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Aqua Comms.
pub static PROVIDER: Provider = Provider {
    slug: "aquacomms",
    name: "Aqua Comms",
    domains: &["aquacomms.com"],
    organizer: "tickets@aquacomms.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

static ISSUE: Pattern = Pattern::new(r"(?i)\bISSUE=(\d+)");
static PROJECT: Pattern = Pattern::new(r"(?i)\bPROJ=(\d+)");
static OF_WORK: Pattern = Pattern::new(r"(?i)\b(?:maintenance|planned|scheduled|rescheduled|works?)\b");
static UPDATE: Pattern = Pattern::new(r"(?i)^(?:[-\d/:., ]{0,40}\s)?-?\s*Update\s*-\s*(.*)$");

const START: &str = "Scheduled Start Date & Time";
const END: &str = "Scheduled End Date & Time";

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let subject = source.subject();
    let is_ours =
        subject.value.contains("Aqua Comms") && ISSUE.is_match(&subject.value) && PROJECT.is_match(&subject.value);
    is_ours.then_some(subject)
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = source.subject();
    let page = source.page();
    let has_window = page.as_ref().is_ok_and(|page| page.value_of(START).is_some());
    if !has_window && !OF_WORK.is_match(&subject.value) {
        return Ok(Reading::Other("a ticket that is not a maintenance".to_owned()));
    }
    let page = page?;
    let status = words::status_of([subject.clone()], page.lines().iter())?;
    let status = status.ok_or_else(|| Failure::malformed("a status in the subject, such as `Planned`", &subject))?;
    let mut draft = Draft::new(source).id(ticket(page, &subject)?).circuits(circuits(page, &subject, &status)?);
    if let Some(project) = group(&PROJECT, &subject) {
        draft = draft.account(project);
    }
    if let Some(summary) = summary(page) {
        draft = draft.summary(summary);
    }
    let is_open = status.value.is_final() && page.value_of(START).is_none() && page.value_of(END).is_none();
    draft = draft.status(status);
    if !is_open {
        draft = draft.window(time(page, START)?, time(page, END)?);
    }
    Ok(Reading::Notice(vec![draft]))
}

fn group(pattern: &Pattern, text: &Found<String>) -> Option<Found<String>> {
    let group = pattern.captures(&text.value)?.get(1)?.as_str().trim().to_owned();
    Some(text.with(group))
}

/// Returns the ticket's number in the body, which the subject must not contradict.
fn ticket(page: &Page, subject: &Found<String>) -> Result<Found<String>, Failure> {
    let issue = group(&ISSUE, subject);
    let Some(ticket) = page.value_of("Ticket Number") else {
        return issue.ok_or_else(|| Failure::missing("a cell beside `Ticket Number`"));
    };
    match issue {
        Some(issue) if issue.value != ticket.value => Err(Failure::ambiguous(format!(
            "the ticket's number in the subject (`{}`) and in the body to be one",
            issue.value
        ))
        .with_quote(&ticket.quote)),
        _ => Ok(ticket),
    }
}

fn circuits(page: &Page, subject: &Found<String>, status: &Found<Status>) -> Result<Vec<Found<Circuit>>, Failure> {
    let impact = words::impact(subject).map_or(Impact::Outage, |impact| impact.value);
    let mut circuits = Vec::new();
    for cell in page.values_of("Service ID").into_iter().chain(page.values_of("Service IDs")) {
        for line in page.lines_of(&cell) {
            for id in listed::ids(&line.value) {
                circuits.extend(Circuit::new(id, impact).map(|circuit| line.with(circuit)));
            }
        }
    }
    if circuits.is_empty() && !status.value.is_final() {
        return Err(Failure::missing("a cell beside `Service ID`"));
    }
    Ok(circuits)
}

fn time(page: &Page, label: &str) -> Result<Found<Moment>, Failure> {
    dates::read_zoned(page.expect_value_of(label)?, &["%H:%M[:%S] %d/%m/%Y"])
}

/// Returns the text of all updates, in the mail's order.
fn summary(page: &Page) -> Option<Found<String>> {
    let cells = page.tables().iter().flat_map(|table| table.rows.iter().flatten());
    let updates = cells.filter_map(|cell| group(&UPDATE, cell).filter(|update| !update.value.is_empty()));
    updates.reduce(|all, update| all.map(|text| text + " " + &update.value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    #[test]
    fn words_give_the_status() {
        let status_of = |subject: &str, update: &str| {
            let page = Page::parse(&format!("<table><tr><td>- Update - {update}</td></tr></table>")).unwrap();
            let subject = Found::text(subject, Place::Header("Subject"));
            words::status_of([subject], page.lines().iter()).ok()?.map(|status| status.value)
        };
        for (word, expected) in [
            ("Planned", Some(Status::Confirmed)),
            ("Emergency", Some(Status::Confirmed)),
            ("Rescheduled", Some(Status::ReScheduled)),
            ("Postponed", Some(Status::ReScheduled)),
            ("Cancelled Planned", Some(Status::Cancelled)),
            ("Completed Planned", Some(Status::Completed)),
            ("Suspended", None),
        ] {
            let subject = format!("Aqua Comms {word} Outage Work ISSUE=1 PROJ=2");
            assert_eq!(status_of(&subject, "There is no news."), expected, "{word}");
        }
        let planned = "Aqua Comms Planned Outage Work ISSUE=1 PROJ=2";
        assert_eq!(status_of(planned, "The work has been completed."), Some(Status::Completed));
        assert_eq!(status_of(planned, "We will write once the work is completed."), Some(Status::Confirmed));
    }

    #[test]
    fn an_update_may_have_a_date() {
        for row in ["- Update - new text", "10/12/2031 05:00 - Update - new text", "Update - new text"] {
            let page = Page::parse(&format!("<table><tr><td>{row}<br></td></tr></table>")).unwrap();
            assert_eq!(summary(&page).unwrap().value, "new text", "{row}");
        }
    }
}
