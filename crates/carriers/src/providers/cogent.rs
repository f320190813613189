//! Cogent: labelled lines, as text or in a page.
//!
//! Times are local to the city that a sentence of the notice names, dates are month first. The subject says what kind of
//! notice it is; where the mail was saved from a browser, that subject is the page's title.

mod times;

use notice::{
    draft::Draft,
    failure::Failure,
    found::{Found, Place},
    lines::Lines,
    model::{Circuit, Impact, Status},
    pattern::{Pattern, SALUTATION},
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Cogent Communications.
pub static PROVIDER: Provider = Provider {
    slug: "cogent",
    name: "Cogent",
    domains: &["cogentco.com"],
    organizer: "support@cogentco.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

const ID: &str = "Work order number";
const START: &str = "Start time";
const END: &str = "End time";

static MAINTENANCE: Pattern = Pattern::new(r"(?i)\bmaintenance\b");
/// A correction gives other times than the notice before it.
static CORRECTION: Pattern = Pattern::new(r"(?i)(?:^|[\]:–-]\s)\s*correct(?:ion|ed)\b");
static ORDERS: Pattern = Pattern::new(r"(?i)^[>*\s-]*Order IDs?(?:\(s\))?(?: impacted| affected)?\s*:\s*(.*)$");
/// The number of a work or of a customer's order.
static ORDER: Pattern = Pattern::new(r"^[A-Za-z0-9-]*[0-9][A-Za-z0-9-]*$");
static DOWNTIME: Pattern = Pattern::new(r"(?i)[1-9]\d*(?:\.\d+)?\s*(?:second|sec|minute|min|hour|hr|h\b)");
static NO_DOWNTIME: Pattern = Pattern::new(r"(?i)^0+\s*(?:seconds?|minutes?|mins?|hours?|hrs?)?$");

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let lines = source.body().ok()?;
    lines.labelled(ID)?;
    lines.labelled(START)?;
    times::sentence(lines)
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let titles = titles(source);
    let is_maintenance = titles.iter().any(|title| MAINTENANCE.is_match(&title.value));
    let lines = match source.body() {
        Err(failure) if is_maintenance => return Err(failure),
        Err(_) => return Ok(Reading::Other("no maintenance in the subject, and no text".to_owned())),
        Ok(lines) => lines,
    };
    if !is_maintenance && lines.labelled(ID).is_none() {
        return Ok(Reading::Other("no maintenance in the subject, and no work order".to_owned()));
    }
    let id = lines.expect(ID)?;
    if !ORDER.is_match(&id.value) {
        return Err(Failure::malformed(format!("a number after `{ID}:`"), &id));
    }
    let status = status(&titles, lines)?;
    let draft = Draft::new(source).id(id).circuits(circuits(lines)?).summary(summary(&titles, lines));
    let draft = lines.matching(&SALUTATION).into_iter().fold(draft, Draft::account);
    let has_no_times = lines.labelled(START).is_none() && lines.labelled(END).is_none();
    if status.value.is_final() && has_no_times {
        return Ok(Reading::Notice(vec![draft.status(status)]));
    }
    let draft = draft.status(status);
    Ok(Reading::Notice(draft.in_windows(times::windows(&titles, lines)?)?))
}

/// Returns the subject, and those that were saved with the page, the best last.
fn titles(source: &Source<'_>) -> Vec<Found<String>> {
    let mut titles = vec![source.subject()];
    if let Ok(page) = source.page() {
        let title = page.document().elements().find(|element| element.name() == "title");
        titles.extend(title.map(|title| Found::text(&title.texts().collect::<String>(), Place::Page { line: 1 })));
    }
    titles.extend(source.body().ok().and_then(|lines| lines.labelled("Subject")));
    titles
}

/// Returns the status that the titles, the heading above the salutation and the words before the times state.
fn status(titles: &[Found<String>], lines: &Lines) -> Result<Found<Status>, Failure> {
    let mut statements = Vec::new();
    for title in titles.iter().chain(&heading(lines)) {
        if CORRECTION.is_match(&title.value) {
            statements.push(title.with(Status::ReScheduled));
        }
        statements.extend(words::status(title)?);
    }
    statements.extend(introduction(lines).as_ref().map(words::status_told).transpose()?.flatten());
    let told = words::strongest(statements)?;
    told.map_or_else(|| words::announced(titles.iter().cloned(), lines.iter()), Ok)
}

/// Returns the line above the salutation, if it is about a maintenance.
fn heading(lines: &Lines) -> Option<Found<String>> {
    let mut above = None;
    for (place, line) in lines.iter().filter(|(_, line)| !plain(line).is_empty()) {
        if SALUTATION.is_match(line) {
            return above.filter(|above: &Found<String>| MAINTENANCE.is_match(&above.value));
        }
        above = Some(Found::text(plain(line), place));
    }
    None
}

/// Returns the text between the salutation and the times.
fn introduction(lines: &Lines) -> Option<Found<String>> {
    let mut text = lines.iter().skip_while(|(_, line)| !SALUTATION.is_match(line)).skip(1);
    let (place, first) = text.find(|(_, line)| !plain(line).is_empty())?;
    let is_label = |line: &str| line.get(..START.len()).is_some_and(|start| start.eq_ignore_ascii_case(START));
    let rest = text.map(|(_, line)| plain(line)).take_while(|line| !is_label(line));
    let text: Vec<_> = std::iter::once(plain(first)).take_while(|line| !is_label(line)).chain(rest).collect();
    // A sentence may be wrapped, but not over a blank line.
    let paragraphs = text.split(|line| line.is_empty()).map(|lines| lines.join(" "));
    Some(Found::text(&paragraphs.collect::<Vec<_>>().join("\n"), place))
}

/// Returns a line without the marks of a quotation or of emphasis.
fn plain(line: &str) -> &str {
    line.trim_matches(['>', '*', ' '])
}

/// Returns the heading, else the title.
fn summary(titles: &[Found<String>], lines: &Lines) -> Found<String> {
    let titles = || titles.iter().rev().find(|title| MAINTENANCE.is_match(&title.value)).or(titles.first()).cloned();
    heading(lines).or_else(titles).unwrap_or_else(|| Found::by_rule(String::new(), "no heading"))
}

/// Returns the orders after `Order ID(s) impacted:`.
fn circuits(lines: &Lines) -> Result<Vec<Found<Circuit>>, Failure> {
    let impact = impact(lines)?;
    let mut circuits = Vec::new();
    for list in order_lists(lines) {
        for order in orders(&list.value) {
            let order = list.with(order.to_owned());
            let is_order = |order: &String| ORDER.is_match(order).then(|| Circuit::new(order, impact)).flatten();
            circuits.push(order.try_map("ids of orders with commas between", is_order)?);
        }
    }
    Ok(circuits)
}

/// Returns the text after the label, and the lines below it that have nothing but orders.
fn order_lists(lines: &Lines) -> Vec<Found<String>> {
    let mut lists: Vec<Found<String>> = Vec::new();
    let mut is_open = false;
    for (place, line) in lines.iter() {
        if let Some(list) = ORDERS.captures(line).and_then(|captures| captures.get(1)) {
            lists.push(Found::text(list.as_str(), place));
            is_open = true;
        } else if plain(line).is_empty() {
            is_open &= lists.last().is_none_or(|list| list.value.is_empty());
        } else if is_open && orders(line).all(|order| ORDER.is_match(order)) {
            lists.push(Found::text(plain(line), place));
        } else {
            is_open = false;
        }
    }
    lists
}

fn orders(list: &str) -> impl Iterator<Item = &str> {
    plain(list).split([',', ';', ' ']).filter(|word| !matches!(*word, "" | "and" | "&"))
}

/// Returns the impact: an expected downtime is an outage.
fn impact(lines: &Lines) -> Result<Impact, Failure> {
    let Some(downtime) = lines.labelled("Expected Outage/Downtime") else { return Ok(Impact::Outage) };
    match downtime.value.as_str() {
        none if NO_DOWNTIME.is_match(none) => Ok(Impact::NoImpact),
        duration if DOWNTIME.is_match(duration) => Ok(Impact::Outage),
        _ => Ok(words::impact(&downtime)?.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;
    use mail::Mail;
    use notice::outcome::Outcome;

    fn title(text: &str) -> Found<String> {
        Found::text(text, Place::Header("Subject"))
    }

    fn status_of(subject: &str, introduction: &str) -> Option<Status> {
        let text =
            format!("Fiber work\n\nDear Example,\n\n{introduction}\n\nStart time: 1:00 AM\nIt may be cancelled.");
        status(&[title(subject)], &Lines::of_text(&text)).ok().map(|found| found.value)
    }

    #[test]
    fn the_subject_gives_the_status() {
        for (subject, status) in [
            ("03/05/2031 MNT1-1 Planned Network Maintenance - Porto, Portugal 1-1", Some(Status::Confirmed)),
            ("03/05/2031 MNT1-1 Emergency Network Maintenance - Porto, Portugal 1-1", Some(Status::Confirmed)),
            (
                "The window is the same - Correction 03/05/2031 MNT1-1 Planned Network Maintenance",
                Some(Status::ReScheduled),
            ),
            ("Fwd: [noc] Correction: 03/05/2031 MNT1-1 Planned Network Maintenance", Some(Status::ReScheduled)),
            ("Rescheduled 03/05/2031 MNT1-1 Planned Network Maintenance", Some(Status::ReScheduled)),
            ("Postponed - Planned Network Maintenance", Some(Status::ReScheduled)),
            ("CANCELLED - Planned Network Maintenance", Some(Status::Cancelled)),
            ("Completed: Emergency Network Maintenance", Some(Status::Completed)),
            ("Started: Network Maintenance", Some(Status::InProcess)),
            ("Cancelled and completed: Network Maintenance", None),
        ] {
            assert_eq!(status_of(subject, "We will work on our network."), status, "{subject}");
        }
        let told = |introduction| status_of("Planned Network Maintenance", introduction);
        assert_eq!(told("The maintenance below\nhas been cancelled."), Some(Status::Cancelled));
        assert_eq!(told("The maintenance below has been completed."), Some(Status::Completed));
        assert_eq!(told("We tell you once it is completed."), Some(Status::Confirmed));
    }

    #[test]
    fn a_work_order_is_one_word() {
        let outcome = |order: &str| {
            let mail = format!(
                "From: x@cogentco.com\nDate: Mon, 17 Feb 2031 15:00:00 +0000\nSubject: Network Maintenance\n\n\
                 Start time: 1:00 AM (UTC) 03/04/2031\nEnd time: 2:00 AM (UTC) 03/04/2031\n\
                 Work order number:{order}\nOrder ID(s) impacted: 1-1\nThank you\n"
            );
            parse(&Mail::decode(mail.as_bytes()))
        };
        assert!(matches!(outcome(" MNT1-1"), Outcome::Notice(_)));
        assert!(matches!(outcome(""), Outcome::Failed { .. }), "the label of the next line is no number");
    }

    #[test]
    fn orders_may_go_on_below() {
        let ids = |text: &str| {
            let circuits = circuits(&Lines::of_text(text)).ok()?;
            Some(circuits.iter().map(|circuit| circuit.value.id().to_owned()).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(ids("Order ID(s) impacted: 1-100200300\nThanks").as_deref(), Some("1-100200300"));
        assert_eq!(
            ids("Order ID(s) impacted: 1-1, 1-2; 1-3 and 1-4,\n1-5\n\n877-7").as_deref(),
            Some("1-1 1-2 1-3 1-4 1-5")
        );
        assert_eq!(ids("> Order IDs impacted:\n>\n> 1-1\n> 1-2\n> Thanks 3").as_deref(), Some("1-1 1-2"));
        assert_eq!(ids("Order ID(s) impacted: see attachment"), None);
        assert_eq!(ids("").as_deref(), Some(""));
    }

    #[test]
    fn downtime_gives_the_impact() {
        let of = |downtime: &str| impact(&Lines::of_text(&format!("Expected Outage/Downtime: {downtime}\nMore"))).ok();
        for downtime in ["45-60 minutes", "Up to 2 hours", "1 hr", "brief interruption"] {
            assert_eq!(of(downtime), Some(Impact::Outage), "{downtime}");
        }
        for downtime in ["None", "0 minutes", "No outage expected"] {
            assert_eq!(of(downtime), Some(Impact::NoImpact), "{downtime}");
        }
        assert_eq!(of("purple"), None);
    }
}
