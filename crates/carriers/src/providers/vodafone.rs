//! Vodafone: a page of labels with their values below them, and a table of services. A notice that moves the work has the original
//! window and the new one beside each other; a contingency date is no window. Days come first.

use super::published::read_labels;
use notice::{
    dates,
    draft::{Draft, Times},
    failure::Failure,
    found::Found,
    lines::Lines,
    maintnote,
    model::{Circuit, Status},
    pattern::{Pattern, SALUTATION},
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Vodafone.
pub static PROVIDER: Provider = Provider {
    slug: "vodafone",
    name: "Vodafone",
    domains: &["vodafone.com"],
    organizer: "",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

const WINDOW: &str = "Scheduled Start/End Date & Outage Window:";
const NEW: &str = "New Scheduled Start/End Date & Outage Window:";
const ORIGINAL: &str = "Original Scheduled Start/End Date & Outage Window:";
const DESCRIPTION: &str = "Detailed Description of Works:";
const IMPACT: &str = "Impact Assessment:";
const LABELS: &[&str] = &[WINDOW, NEW, ORIGINAL, DESCRIPTION, IMPACT, "Contingency Date:", "Services Impacted:"];
const COLUMNS: [&str; 2] = ["Services Affected", "Service Impact"];

static NUMBER: Pattern = Pattern::new(r"\b(CRQ\d{6,})\b");
static HEADING: Pattern = Pattern::new(r"(?i)^(?:essential|planned|emergency|urgent)\b.* maintenance notice$");
static RANGE: Pattern = Pattern::new(
    r"(?i)^(\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}(?::\d{2})?) (?:to|-|–) (\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}(?::\d{2})?) ?\(?([a-z]{3,4})\)?$",
);

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let lines = source.body().ok()?;
    let names_itself = lines.iter().any(|(_, line)| line.contains("Vodafone"));
    let number = lines.matching(&NUMBER).filter(|_| names_itself && lines.labelled(DESCRIPTION).is_some());
    number.or_else(|| maintnote::names(source, source.provider()))
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let lines = source.body()?;
    let subject = source.subject();
    if [DESCRIPTION, WINDOW, NEW, ORIGINAL].iter().all(|label| lines.labelled(label).is_none()) {
        return read_labels(source);
    }
    let status = status(&subject, lines)?;
    let circuits = circuits(source, lines)?;
    let mut draft = Draft::new(source).sent_by_author(source).id(id(&subject, lines)?).circuits(circuits);
    if let Some(customer) = lines.matching(&SALUTATION) {
        draft = draft.account(customer);
    }
    if let Some(description) = lines.section(DESCRIPTION, LABELS).and_then(|lines| lines.into_iter().next()) {
        draft = draft.summary(description);
    }
    let windows = windows(lines, status.value)?;
    let draft = draft.status(status);
    if windows.is_empty() { Ok(Reading::Notice(vec![draft])) } else { draft.in_windows(windows).map(Reading::Notice) }
}

/// Returns the one number of subject and text.
fn id(subject: &Found<String>, lines: &Lines) -> Result<Found<String>, Failure> {
    let in_subject = NUMBER.captures(&subject.value).and_then(|captures| captures.get(1));
    let in_subject = in_subject.map(|number| subject.with(number.as_str().to_owned()));
    let mut numbers: Vec<_> = in_subject.into_iter().chain(lines.all_matching(&NUMBER)).collect();
    numbers.dedup_by(|one, other| one.value == other.value);
    match numbers.as_slice() {
        [number] => Ok(number.clone()),
        [] => Err(Failure::missing("a number such as `CRQ000001234567`")),
        [one, other, ..] => {
            Err(Failure::ambiguous("one number").with_quote(&format!("{} … {}", one.value, other.value)))
        }
    }
}

/// Returns the status of the subject and of the sentence above the description; else that of the heading, which announces the
/// work.
fn status(subject: &Found<String>, lines: &Lines) -> Result<Found<Status>, Failure> {
    let told = words::status_told_in(lines.opening(LABELS))?;
    let heading = lines.matching(&HEADING).map(|heading| heading.map(|_| Status::Confirmed));
    let statuses = words::status(subject)?.into_iter().chain(told).chain(heading);
    let status = words::strongest(statuses)?;
    status.ok_or_else(|| Failure::malformed("a heading such as `Planned Maintenance Notice`", subject))
}

/// Returns the new windows where there are any, else those that are not called the original ones.
fn windows(lines: &Lines, status: Status) -> Result<Vec<Times>, Failure> {
    let under = |label| lines.section(label, LABELS).unwrap_or_default();
    let (new, plain, original) = (under(NEW), under(WINDOW), under(ORIGINAL));
    let said = match (new.is_empty(), plain.is_empty()) {
        (false, true) => new,
        (true, false) if original.is_empty() => plain,
        (true, true) if status.is_final() => original,
        (true, true) if original.is_empty() => Vec::new(),
        _ => return Err(Failure::ambiguous("the new window beside the original one")),
    };
    let expected = "a window such as `05/06/2031 20:00 to 06/06/2031 04:00 UTC`";
    let window = |line: Found<String>| {
        let captures = RANGE.captures(&line.value).ok_or_else(|| Failure::malformed(expected, &line))?;
        let part = |group| captures.get(group).map_or("", |part| part.as_str());
        let time = |text: &str| {
            let local = dates::civil(text, &["%d/%m/%Y %H:%M[:%S]"]);
            line.try_with(expected, |_| dates::moment_at(local?, part(3)))
        };
        Ok((time(part(1))?, time(part(2))?))
    };
    said.into_iter().map(window).collect()
}

fn circuits(source: &Source<'_>, lines: &Lines) -> Result<Vec<Found<Circuit>>, Failure> {
    let page = source.view(&[&COLUMNS])?;
    let common = lines.labelled(IMPACT);
    let mut circuits = Vec::new();
    for row in page.tables_with(&COLUMNS[..1]).iter().flat_map(|table| &table.rows).filter(|row| !row.is_blank()) {
        let said = row.get(COLUMNS[1]).or(common.as_ref());
        let impact =
            words::impact(said.ok_or_else(|| Failure::missing(format!("a cell under `{}`", COLUMNS[1])))?)?.value;
        let id = row.expect(COLUMNS[0])?.clone();
        circuits.push(id.try_map("a service", |id| Circuit::new(id, impact))?);
    }
    Ok(circuits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_window_counts_and_an_original_one_alone_does_not() {
        let read = |text: &str, status| {
            let windows = windows(&Lines::of_text(text), status).ok()?;
            Some(windows.iter().map(|(start, end)| format!("{} {}", start.value, end.value)).collect::<Vec<_>>())
        };
        let window = |label: &str, day: &str| format!("{label}\n{day}/06/2031 20:00 to 12/06/2031 04:00 BST\n\n");
        let expected = Some(vec!["2031-06-05T20:00:00+01:00 2031-06-12T04:00:00+01:00".to_owned()]);
        assert_eq!(read(&window(WINDOW, "05"), Status::Confirmed), expected);
        assert_eq!(read(&(window(ORIGINAL, "03") + &window(NEW, "05")), Status::ReScheduled), expected);
        assert_eq!(read(&(window(ORIGINAL, "03") + &window(WINDOW, "05")), Status::ReScheduled), None);
        assert_eq!(read(&window(ORIGINAL, "05"), Status::ReScheduled), None);
        assert_eq!(read(&window(ORIGINAL, "05"), Status::Cancelled), expected);
        assert_eq!(read(&window(WINDOW, "05").replace("BST", "local"), Status::Confirmed), None);
        assert_eq!(read(&window(WINDOW, "05").replace("BST", ""), Status::Confirmed), None);
    }
}
