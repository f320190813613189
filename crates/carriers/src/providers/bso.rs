//! BSO's notices: a designed HTML page, tables within tables, whose first line (`Maintenance Reminder_`) says where it stands.
//!
//! A notice may have several time slots and backup ones; they are one maintenance from the first start to the last end, and
//! each circuit has the worst impact of all slots. "Maintenance Start" is sent shortly before the work begins.

use std::collections::{HashMap, HashSet};

use notice::{
    dates,
    draft::Draft,
    failure::Failure,
    found::{Found, Place},
    lines::Lines,
    model::{Circuit, Impact, Moment, Status},
    page::Page,
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider BSO.
pub static PROVIDER: Provider = Provider {
    slug: "bso",
    name: "BSO",
    domains: &["bso.co", "bsonetwork.com", "bsonetwork.net"],
    organizer: "network-servicedesk@bso.co",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

static TITLE: Pattern = Pattern::new(r"(?i)^((?:[a-z-]+ ){0,3}maintenance(?: [a-z-]+){0,3}) ?_?$");
static SUPPORT: Pattern = Pattern::new(r"(?i)(BSO - Redefining Connectivity|servicedesk\.bsonetwork\.net)");
static SWITCH: Pattern = Pattern::new(r"(?i)\b(?:switch(?:ing)? hits?|higher latency)\b");

const ID: &str = "Maintenance ID";
const TIMES: &[&str] = &["%b %d, %Y %H:%M[:%S]", "%d %b %Y %H:%M[:%S]", "%Y-%m-%d %H:%M[:%S]"];

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let body = source.body().ok()?;
    body.labelled(ID)?;
    body.matching(&SUPPORT)
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let body = source.body()?;
    let title = head(body).find_map(|(place, line)| {
        let title = TITLE.captures(line)?.get(1)?;
        Some(Found::text(title.as_str(), place))
    });
    if title.is_none() && body.labelled(ID).is_none() {
        return Ok(Reading::Other("no maintenance in the title".to_owned()));
    }
    let page = source.page()?;
    let title = title.ok_or_else(|| Failure::missing("a title such as `Maintenance_`"))?;
    let status = status(title, body)?;
    let mut draft = Draft::new(source)
        .nameless_account("Customer info unavailable")
        .id(page.expect_value_of(ID)?)
        .circuits(circuits(page, status.value)?);
    if let Some(reason) = reason(page) {
        draft = draft.summary(reason);
    }
    let starts = times(page, "start")?;
    let ends = times(page, "end")?;
    if starts.len() != ends.len() {
        return Err(Failure::missing("an end for each start of a time slot"));
    }
    let draft = draft.status(status);
    let start = starts.into_iter().min_by_key(|start| start.value);
    let end = ends.into_iter().max_by_key(|end| end.value);
    Ok(Reading::Notice(vec![match start.zip(end) {
        Some((start, end)) => draft.window(start, end),
        None => draft,
    }]))
}

/// Returns the lines above the first table of details.
fn head(body: &Lines) -> impl Iterator<Item = (Place, &str)> {
    body.iter().take_while(|(_, line)| !line.eq_ignore_ascii_case("Service Details"))
}

fn status(title: Found<String>, body: &Lines) -> Result<Found<Status>, Failure> {
    let word = title.value.to_ascii_lowercase().replace("maintenance", "");
    let status = match word.trim() {
        "" | "start" | "notification" => title.map(|_| Status::Confirmed),
        "end" => title.map(|_| Status::Completed),
        _ => words::status(&title)?
            .ok_or_else(|| Failure::malformed("a title that says where the maintenance stands", &title))?,
    };
    if status.value != Status::Confirmed {
        return Ok(status);
    }
    // The note tells what BSO asked its own carrier for, not what became of the maintenance.
    let told = head(body).filter(|(_, line)| !line.to_ascii_lowercase().starts_with("note:"));
    let told = words::status_told_in(told)?;
    Ok(told.filter(|told| told.value != Status::Tentative).unwrap_or(status))
}

/// Returns the reason. Some notices do not show it, so it is read from the document and not from its lines.
fn reason(page: &Page) -> Option<Found<String>> {
    let is = |text: &str, label: &str| text.split_whitespace().map(str::to_ascii_lowercase).eq(label.split(' '));
    let texts = page.document().texts().skip_while(|text| !is(text, "maintenance reason")).skip(1);
    let reason = texts.take_while(|text| !is(text, "maintenance details"));
    let words: Vec<&str> = reason.flat_map(str::split_whitespace).collect();
    let place = Place::Rule("the row under `Maintenance Reason`, which may be hidden");
    (!words.is_empty()).then(|| Found::text(&words.join(" "), place))
}

/// Returns the starts or the ends of all slots, the backup ones too.
fn times(page: &Page, which: &str) -> Result<Vec<Found<Moment>>, Failure> {
    let label = format!("Timeslot {which} time");
    let cells = page.values_of(&label).into_iter().chain(page.values_of(&format!("{label} (Backup)")));
    cells.map(|cell| dates::read_zoned(cell, TIMES)).collect()
}

fn circuits(page: &Page, status: Status) -> Result<Vec<Found<Circuit>>, Failure> {
    let services = page.value_of("Service ID (SID)").or_else(|| page.value_of("Service ID"));
    let Some(services) = services else {
        return if status.is_final() {
            Ok(Vec::new())
        } else {
            Err(Failure::missing("a cell beside `Service ID (SID)`"))
        };
    };
    let impacts = impacts(page)?;
    let mut worst: HashMap<&str, Impact> = HashMap::new();
    for (service, impact) in &impacts {
        worst.entry(&service.value).and_modify(|worst| *worst = impact.value.max(*worst)).or_insert(impact.value);
    }
    let mut circuits = Vec::new();
    let ids: HashSet<&str> = services.value.split([' ', ',', ';']).filter(|id| !id.is_empty()).collect();
    for id in services.value.split([' ', ',', ';']).filter(|id| !id.is_empty()) {
        let impact = match worst.get(id) {
            Some(impact) => *impact,
            None if status.is_final() => Impact::NoImpact,
            None => return Err(Failure::missing(format!("an impact level of `{id}`")).with_quote(&services.quote)),
        };
        circuits.extend(Circuit::new(id, impact).map(|circuit| services.with(circuit)));
    }
    match impacts.iter().find(|(service, _)| !ids.contains(service.value.as_str())) {
        Some((service, _)) => Err(Failure::malformed("a service that is listed under `Service ID (SID)`", service)),
        None => Ok(circuits),
    }
}

type ServiceImpact = (Found<String>, Found<Impact>);

/// Returns the rows under each "Expected impact level": service and impact, up to the next label.
fn impacts(page: &Page) -> Result<Vec<ServiceImpact>, Failure> {
    let mut impacts = Vec::new();
    for table in page.tables() {
        let mut is_under = false;
        for row in &table.rows {
            let cells: Vec<_> = row.iter().filter(|cell| !cell.value.is_empty()).collect();
            match cells.as_slice() {
                [] => {}
                [label] => is_under = label.value.to_ascii_lowercase().starts_with("expected impact level"),
                [service, impact] if is_under && !is_label(&service.value) => {
                    impacts.push((Found::clone(service), self::impact(impact)?));
                }
                _ => is_under = false,
            }
        }
    }
    Ok(impacts)
}

fn is_label(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["timeslot", "expected", "maintenance"].iter().any(|label| text.starts_with(label))
}

/// Returns the impact. A switch of the path to its protection leaves the service without redundancy, longer as that may be.
fn impact(cell: &Found<String>) -> Result<Found<Impact>, Failure> {
    match words::impact(cell) {
        Ok(impact) if impact.value == Impact::Outage => Ok(impact),
        _ if SWITCH.is_match(&cell.value) => Ok(cell.with(Impact::ReducedRedundancy)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_title(title: &str, text: &str) -> Option<Status> {
        let body =
            Lines::of_text(&format!("{title}\n\nDear Customer,\n\n{text}\n\nNote: BSO has asked to reschedule it."));
        let title = Found::text(title.trim_end_matches('_'), Place::Text { line: 1 });
        status(title, &body).ok().map(|status| status.value)
    }

    #[test]
    fn titles() {
        for (title, expected) in [
            ("Maintenance_", Some(Status::Confirmed)),
            ("Maintenance Reminder_", Some(Status::Confirmed)),
            ("Emergency Maintenance_", Some(Status::Confirmed)),
            ("Maintenance Start_", Some(Status::Confirmed)),
            ("Maintenance End_", Some(Status::Completed)),
            ("Maintenance Completed_", Some(Status::Completed)),
            ("Maintenance Cancellation_", Some(Status::Cancelled)),
            ("Maintenance Cancelled_", Some(Status::Cancelled)),
            ("Maintenance Rescheduled_", Some(Status::ReScheduled)),
            ("Maintenance Postponed_", Some(Status::ReScheduled)),
            ("Maintenance Surprise_", None),
        ] {
            assert_eq!(of_title(title, "It will impact your service."), expected, "{title}");
        }
        assert_eq!(of_title("Maintenance_", "Please be advised that it was cancelled."), Some(Status::Cancelled));
        assert_eq!(of_title("Maintenance Start_", "The maintenance has started."), Some(Status::InProcess));
    }

    #[test]
    fn impacts_of_this_format() {
        for (text, expected) in [
            ("Hard Down", Some(Impact::Outage)),
            ("Hard Down and Higher latency", Some(Impact::Outage)),
            ("Switch Hit", Some(Impact::ReducedRedundancy)),
            ("Higher latency", Some(Impact::ReducedRedundancy)),
            ("Loss of redundancy", Some(Impact::ReducedRedundancy)),
            ("No Impact", Some(Impact::NoImpact)),
            ("Packet loss", Some(Impact::Degraded)),
            ("Surprise", None),
        ] {
            let cell = Found::text(text, Place::Table { table: 1, row: 1, column: 1 });
            assert_eq!(impact(&cell).ok().map(|impact| impact.value), expected, "{text}");
        }
    }
}
