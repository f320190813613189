//! Megaport: a page of sentences. One names the maintenance by its id in brackets and says where it stands, others
//! its purpose and its times; the services stand in a table.

use notice::{
    dates,
    draft::{Draft, Times},
    failure::Failure,
    found::Found,
    lines::Lines,
    model::{Circuit, Impact, Moment, Status},
    page::Page,
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Megaport.
pub static PROVIDER: Provider = Provider {
    slug: "megaport",
    name: "Megaport",
    domains: &["megaport.com"],
    organizer: "support@megaport.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

const PURPOSE: &str = "Purpose of Maintenance";
const START: &str = "Start Date and Time";
const END: &str = "End Date and Time";
const SERVICE: &str = "Service ID";

static ANNOUNCEMENT: Pattern =
    Pattern::new(r"(?i)\bmaintenance(?: activity| event| work)?\s*\(\s*([A-Z0-9][A-Z0-9./_-]*)\s*\)");
static GREETING: Pattern = Pattern::new(r"(?i)^(?:Hi|Hello|Dear)\s+(.+?)\s*,?$");
static MAINTENANCE: Pattern = Pattern::new(r"(?i)\bmaintenance\b");
static NONE: Pattern = Pattern::new(r"(?i)\b(?:not (?:be )?(?:impact|affect)|no (?:service )?impact)");

const TIMES: &[&str] = &["%d %b %Y %H:%M[:%S]"];

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let body = source.body().ok()?;
    body.iter().find(|(_, line)| line.contains("The Megaport Team") || line.contains("using Megaport"))?;
    body.labelled(START)?;
    body.matching(&ANNOUNCEMENT)
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = source.subject();
    let is_notice = source.body().is_ok_and(|body| {
        body.matching(&ANNOUNCEMENT).is_some() || body.labelled(PURPOSE).is_some() || body.labelled(START).is_some()
    });
    if !is_notice && !MAINTENANCE.is_match(&subject.value) {
        return Ok(Reading::Other("no maintenance in the subject, and none that is named by its id".to_owned()));
    }
    let page = source.page()?;
    let body = page.lines();
    let id = body
        .matching(&ANNOUNCEMENT)
        .ok_or_else(|| Failure::missing("a sentence on a maintenance with its id in brackets"))?;
    let status = status(&subject, body)?;
    let mut draft = Draft::new(source).id(id).circuits(circuits(page)?);
    if let Some(account) = body.matching(&GREETING) {
        draft = draft.account(account);
    }
    if let Some(purpose) = purpose(page) {
        draft = draft.summary(purpose);
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

/// Returns the status of the subject and of the sentences above the purpose. A maintenance "that will impact"
/// services is confirmed.
fn status(subject: &Found<String>, body: &Lines) -> Result<Found<Status>, Failure> {
    static SETTLED: Pattern = Pattern::new(r"(?i)\bwill (?:not )?(?:be )?(?:impact|affect|perform|carr|tak)");
    let is_end = |line: &str| [PURPOSE, "Impacted Service", START].iter().any(|end| line.starts_with(end));
    let lead: Vec<_> = body
        .iter()
        .skip_while(|(_, line)| !GREETING.is_match(line))
        .skip(1)
        .take_while(|(_, line)| !is_end(line))
        .collect();
    let of_all = words::status_of([subject.clone()], lead.iter().cloned())?;
    if let Some(status) = of_all.or(words::status_told_in(lead.iter().cloned())?) {
        return Ok(status);
    }
    let settled = lead.into_iter().find(|(_, line)| SETTLED.is_match(line));
    settled
        .map(|(place, line)| Found::text(line, place).map(|_| Status::Confirmed))
        .ok_or_else(|| Failure::missing("a sentence that says where the maintenance stands"))
}

/// Returns the purpose, with the lines in which it is written.
fn purpose(page: &Page) -> Option<Found<String>> {
    let lines = page
        .lines()
        .section(PURPOSE, &["Impacted Service(s)", "Impacted Services", SERVICE, START, "Got questions"])?;
    let text = lines.iter().map(|line| page.as_written(line)).collect::<Vec<_>>().join("\n");
    lines.into_iter().next().map(|first| first.map(|_| text))
}

fn windows(body: &Lines) -> Result<Vec<Times>, Failure> {
    let times = |label| -> Result<Vec<Found<Moment>>, Failure> {
        body.all_labelled(label).into_iter().map(|time| dates::read_zoned(time, TIMES)).collect()
    };
    let (starts, ends) = (times(START)?, times(END)?);
    if starts.len() != ends.len() {
        return Err(Failure::missing(format!("as many lines `{END}` as `{START}`")));
    }
    Ok(starts.into_iter().zip(ends).collect())
}

fn circuits(page: &Page) -> Result<Vec<Found<Circuit>>, Failure> {
    let impact = impact(page.lines());
    let tables = page.tables_with(&[SERVICE]);
    let rows = tables.iter().flat_map(|table| &table.rows).filter(|row| !row.is_blank());
    let circuit = |id: &Found<String>| id.try_with("a service", |id| Circuit::new(id, impact));
    rows.map(|row| row.expect(SERVICE).and_then(circuit)).collect()
}

/// Returns the impact. A maintenance that is announced to impact services takes them down, unless the announcement
/// says otherwise.
fn impact(body: &Lines) -> Impact {
    let announcement = body.iter().find(|(_, line)| ANNOUNCEMENT.is_match(line));
    let announcement = announcement.map(|(place, line)| Found::text(line, place));
    match announcement {
        Some(sentence) if NONE.is_match(&sentence.value) => Impact::NoImpact,
        Some(sentence) => words::impact(&sentence).map_or(Impact::Outage, |impact| impact.value),
        None => Impact::Outage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    #[test]
    fn sentences() {
        let read = |sentence: &str| {
            let body = Lines::of_text(&format!("Hi Example,\n\n{sentence}\n\n{PURPOSE}: it was completed once.\n"));
            let subject = Found::text("Megaport", Place::Header("Subject"));
            status(&subject, &body).ok().map(|status| (status.value, impact(&body)))
        };
        for (sentence, expected) in [
            (
                "This is a reminder that Planned maintenance (7700-1) that will impact the services below.",
                Status::Confirmed,
            ),
            ("Planned maintenance (7700-1) has been scheduled that will impact the services below.", Status::Confirmed),
            ("Emergency maintenance (7700-1) will impact the services below.", Status::Confirmed),
            ("Maintenance (7700-1) will be performed on the services below.", Status::Confirmed),
            ("The planned maintenance (7700-1) has been cancelled.", Status::Cancelled),
            ("The planned maintenance (7700-1) has been rescheduled.", Status::ReScheduled),
            ("The planned maintenance (7700-1) has been postponed.", Status::ReScheduled),
            ("The planned maintenance (7700-1) has commenced.", Status::InProcess),
            ("The planned maintenance (7700-1) is now complete.", Status::Completed),
        ] {
            assert_eq!(read(sentence), Some((expected, Impact::Outage)), "{sentence}");
        }
        assert_eq!(read("About maintenance (7700-1)."), None);
        let mild = |sentence| read(sentence).map(|(_, impact)| impact);
        assert_eq!(mild("Planned maintenance (7700-1) will not impact services."), Some(Impact::NoImpact));
        assert_eq!(mild("Planned maintenance (7700-1) puts services at risk."), Some(Impact::ReducedRedundancy));
    }
}
