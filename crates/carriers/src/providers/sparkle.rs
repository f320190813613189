//! Sparkle's notices: a table of labels and values, with one or more days and ticket numbers.
//!
//! Each ticket of "a / b / c" is a maintenance of its own, for the windows in the same order. A backup day counts only where it
//! has a ticket: without one it is announced again if it is used.

use notice::{
    dates,
    draft::{Draft, Times},
    failure::Failure,
    found::{Found, Place},
    listed,
    model::{Circuit, Impact, Moment, Status},
    page::{Page, Table},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider TI Sparkle.
pub static PROVIDER: Provider = Provider {
    slug: "sparkle",
    name: "Sparkle",
    domains: &["tisparkle.com"],
    organizer: "TISAmericaNOC@tisparkle.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

const TICKET: &str = "Sparkle Ticket Number";
const TYPE: &str = "Type of Maintenance";
const CIRCUITS: &[&str] = &["Circuits Involved in the Activity", "Circuit Involved in the Activity"];

static EDGE: Pattern = Pattern::new(r"(?i)^(start|end) date ?/ ?time\b ?(\((?:UTC|GMT)\))? ?(.*?) ?:?$");
static TIME_OF_IMPACT: Pattern =
    Pattern::new(r"(?i)^(?:up to )?(\d+)(?:[.:]\d+)? ?(?:ms|seconds?|minutes?|mins?|hours?|hrs?)?\b");

fn says(source: &Source<'_>) -> Option<Found<String>> {
    source.view(&[]).ok()?.value_of(TICKET)
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = Found::text(source.mail().inner().bare_subject(), Place::Header("Subject"));
    let is_maintenance = subject.value.to_lowercase().contains("maintenance");
    let page = match source.view(&[&[TICKET]]) {
        Ok(page) => page,
        Err(failure) if is_maintenance => return Err(failure),
        Err(_) => return Ok(Reading::Other(format!("no page, and no maintenance: `{}`", subject.quote))),
    };
    let Some((table, tickets)) = page.tables().iter().find_map(|table| Some((table, value(table, &[TICKET])?))) else {
        return if is_maintenance {
            Err(Failure::missing(format!("a cell beside `{TICKET}`")))
        } else {
            Ok(Reading::Other(format!("no maintenance ticket: `{}`", subject.quote)))
        };
    };
    let titles = [value(table, &[TYPE]), Some(subject)].into_iter().flatten();
    let status = words::status_of(titles, page.lines().opening(&[TYPE, TICKET]))?;
    let status = status.ok_or_else(|| Failure::missing(format!("a known word beside `{TYPE}`")))?;
    let mut draft = Draft::new(source).nameless_account("Not Available").circuits(circuits(page, table, status.value)?);
    if let Some(work) = value(table, &["Description of Work"]) {
        let written = match page.lines_of(&work).as_slice() {
            [_] => page.as_written(&work),
            several => several.iter().map(|line| line.value.as_str()).collect::<Vec<_>>().join("\n"),
        };
        draft = draft.summary(work.map(|_| written));
    }
    let windows = windows(table)?;
    let is_final = status.value.is_final();
    let draft = draft.status(status);
    let ids: Vec<_> = tickets.value.split(['/', ',', '&']).map(str::trim).filter(|id| !id.is_empty()).collect();
    let ids: Vec<_> = ids.into_iter().map(|id| tickets.with(id.to_owned())).collect();
    if windows.is_empty() && is_final {
        return Ok(Reading::Notice(draft.for_each(ids, Draft::id)?));
    }
    let paired = pair(&ids, windows).ok_or_else(|| {
        Failure::ambiguous("a window for every ticket, or several for one").with_quote(&tickets.quote)
    })?;
    Ok(Reading::Notice(draft.for_each(paired, |draft, (id, (start, end))| draft.id(id).window(start, end))?))
}

fn value(table: &Table, labels: &[&str]) -> Option<Found<String>> {
    labels.iter().find_map(|label| table.values_of(label).into_iter().next())
}

/// A window and its name, such as `Day 1`.
type Named = (String, Times);

fn windows(table: &Table) -> Result<Vec<Named>, Failure> {
    let mut open: Option<(String, Found<Moment>)> = None;
    let mut windows = Vec::new();
    for row in &table.rows {
        let [label, said, ..] = row.as_slice() else { continue };
        let Some(edge) = EDGE.captures(&label.value) else { continue };
        if ["", "-", "n/a", "na", "none"].contains(&said.value.to_lowercase().as_str()) {
            continue;
        }
        let part = |group| edge.get(group).map_or("", |text| text.as_str()).to_lowercase();
        let time = time(said, !part(2).is_empty())?;
        open = match (part(1).as_str(), open) {
            ("start", None) => Some((part(3), time)),
            ("end", Some((name, start))) if name == part(3) => {
                windows.push((name, (start, time)));
                None
            }
            _ => return Err(Failure::malformed("an end below its start", label)),
        };
    }
    match open {
        Some((_, start)) => Err(Failure::malformed("an end below this start", &start)),
        None => Ok(windows),
    }
}

/// Returns a time in UTC, which its label or itself says.
fn time(said: &Found<String>, is_universal: bool) -> Result<Found<Moment>, Failure> {
    said.try_with("a time such as `08/31/2031 03:00 UTC`", |text| {
        let formats = ["%m/%d/%Y %H:%M[:%S]"];
        let text = if is_universal { format!("{text} UTC") } else { text.clone() };
        dates::universal(&text, &formats)
    })
}

fn pair(ids: &[Found<String>], windows: Vec<Named>) -> Option<Vec<(Found<String>, Times)>> {
    let is_backup = |name: &str| name.contains("backup") || name.contains("back-up") || name.contains("contingency");
    let all = windows.len();
    let primary: Vec<_> = windows.iter().filter(|(name, _)| !is_backup(name)).cloned().collect();
    match ids {
        [] => None,
        _ if ids.len() == all => Some(ids.iter().cloned().zip(windows.into_iter().map(|(_, times)| times)).collect()),
        _ if ids.len() == primary.len() => {
            Some(ids.iter().cloned().zip(primary.into_iter().map(|(_, times)| times)).collect())
        }
        [id] if !primary.is_empty() => Some(primary.into_iter().map(|(_, times)| (id.clone(), times)).collect()),
        _ => None,
    }
}

fn circuits(page: &Page, table: &Table, status: Status) -> Result<Vec<Found<Circuit>>, Failure> {
    let in_page = || CIRCUITS.iter().find_map(|label| page.value_of(label));
    let Some(cell) = value(table, CIRCUITS).or_else(in_page) else { return Ok(Vec::new()) };
    let impact = match value(table, &["Expected Impact Time (minutes)", "Expected Impact Time", "Expected Impact"]) {
        Some(said) => impact(&said)?,
        None if status.is_final() => Impact::NoImpact,
        None => return Err(Failure::missing("a cell beside `Expected Impact Time (minutes)`")),
    };
    let mut circuits = Vec::new();
    for line in page.lines_of(&cell) {
        for id in listed::ids(&line.value) {
            let circuit = line.try_with("the id of a circuit", |_| {
                id.contains(|mark: char| mark.is_ascii_digit()).then(|| Circuit::new(id, impact)).flatten()
            });
            circuits.push(circuit?);
        }
    }
    Ok(circuits)
}

/// Returns how long circuits are down: no time is no impact.
fn impact(said: &Found<String>) -> Result<Impact, Failure> {
    match TIME_OF_IMPACT.captures(&said.value).and_then(|time| time.get(1)) {
        Some(time) if time.as_str().bytes().all(|digit| digit == b'0') => Ok(Impact::NoImpact),
        Some(_) => Ok(Impact::Outage),
        None => Ok(words::impact_or_hit(said)?.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(rows: &[(&str, &str)]) -> Page {
        let rows: Vec<_> = rows.iter().map(|(label, value)| format!("<tr><td>{label}<td>{value}")).collect();
        Page::parse(&format!("<table>{}</table>", rows.concat())).unwrap()
    }

    #[test]
    fn tickets_and_windows_are_paired_or_refused() {
        let count = |ids: &str, names: &[&str]| {
            let time = || Found::by_rule(Moment::from(jiff::Timestamp::UNIX_EPOCH), "");
            let windows = names.iter().map(|name| ((*name).to_owned(), (time(), time()))).collect();
            let ids: Vec<_> = ids.split(' ').map(|id| Found::by_rule(id.to_owned(), "")).collect();
            pair(&ids, windows).map(|paired| paired.len())
        };
        assert_eq!(count("1 2 3", &["day 1", "day 2", "backup"]), Some(3));
        assert_eq!(count("1 2", &["day 1", "day 2", "backup"]), Some(2));
        assert_eq!(count("1", &["day 1", "day 2", "backup"]), Some(2));
        assert_eq!(count("1", &["", "backup"]), Some(1));
        assert_eq!(count("1", &["backup"]), Some(1));
        assert_eq!(count("1 2", &["day 1", "day 2", "day 3"]), None);
        assert_eq!(count("1", &[]), None);
    }

    #[test]
    fn every_start_has_its_end() {
        let count = |rows: &[(&str, &str)]| windows(&page(rows).tables()[0]).map(|windows| windows.len()).ok();
        let (start, end) = ("Start Date/Time (UTC) Day 1", "End Date/Time (UTC) Day 1");
        assert_eq!(count(&[(start, "08/31/2031 03:00 UTC"), (end, "08/31/2031 04:00")]), Some(1));
        assert_eq!(
            count(&[("Start Date/Time", "08/31/2031 03:00 UTC"), ("End Date/Time:", "08/31/2031 04:00 UTC")]),
            Some(1)
        );
        assert_eq!(count(&[("Start Date/Time", "08/31/2031 03:00"), ("End Date/Time:", "08/31/2031 04:00")]), None);
        assert_eq!(count(&[(start, "08/31/2031 03:00 UTC")]), None);
        assert_eq!(count(&[(start, "31/08/2031 03:00 UTC"), (end, "31/08/2031 04:00 UTC")]), None);
        assert_eq!(count(&[(start, "08/31/2031 03:00"), ("End Date/Time (UTC) Day 2", "08/31/2031 04:00")]), None);
        assert_eq!(count(&[(start, "N/A"), (end, "N/A")]), Some(0));
    }

    #[test]
    fn the_time_of_impact_gives_the_impact() {
        let read = |text: &str| impact(&Found::text(text, Place::Header("Subject"))).ok();
        assert_eq!(read("480 minutes"), Some(Impact::Outage));
        assert_eq!(read("0 minutes"), Some(Impact::NoImpact));
        assert_eq!(read("50 ms switch hits"), Some(Impact::Outage));
        assert_eq!(read("None"), Some(Impact::NoImpact));
        assert_eq!(read("At risk"), Some(Impact::ReducedRedundancy));
        assert_eq!(read("Purple"), None);
    }
}
