//! Amazon Web Services: maintenance of Direct Connect, announced in plain sentences.
//!
//! One paragraph says what happens, where and from when to when; the connections stand below it, one id a line. The notice
//! has no id of its own. The one we give is the SHA-256 of the circuits' ids and the times, so a notice with other times is
//! another maintenance. Amazon's further mails (orders, bills, other services' events) come from the same domain.

use notice::{
    dates,
    draft::{Draft, Times},
    failure::Failure,
    fingerprint,
    found::Found,
    lines::Lines,
    model::{Circuit, Impact, Status},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Amazon Web Services.
pub static PROVIDER: Provider = Provider {
    slug: "aws",
    name: "Amazon Web Services",
    domains: &["amazon.com", "aws.com"],
    organizer: "aws-account-notifications@amazon.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

const START: &str = "Start Time:";
const END: &str = "End Time:";

static SUBJECT: Pattern = Pattern::new(r"(?i)\bAWS Direct Connect\b.*\bmaintenance\b");
static ANNOUNCEMENT: Pattern =
    Pattern::new(r"(?i)\bmaintenance\b.*\bDirect Connect\b|\bDirect Connect\b.*\bmaintenance\b");
static ACCOUNT: Pattern = Pattern::new(r"(?i)\bAWS Account(?: ID)?:?\s*(\d[\d-]*\d)");
static WINDOW: Pattern = Pattern::new(
    r"(?ix)
    \b(?:from|between)\s+     (?:[a-z]{3,9},?\s+)? (\d{1,2}\s+[a-z]{3,9}\s+\d{4},?\s+\d{1,2}:\d{2}(?::\d{2})?) \s+ ([a-z]{1,5})
    ,?\s+(?:to|until|and)\s+  (?:[a-z]{3,9},?\s+)? (\d{1,2}\s+[a-z]{3,9}\s+\d{4},?\s+\d{1,2}:\d{2}(?::\d{2})?) \s+ ([a-z]{1,5})\b",
);
static FORMATS: [&str; 4] = ["%d %b %Y %H:%M:%S", "%d %B %Y %H:%M:%S", "%d %b %Y %H:%M", "%d %B %Y %H:%M"];
/// Ids are `dxcon-…`, `dxlag-…`, `dxvif-…`; see [`ids`].
static ID: Pattern = Pattern::new(r"\b[a-z]{5}-[a-z0-9]{8,17}\b");
fn says(source: &Source<'_>) -> Option<Found<String>> {
    let paragraphs = paragraphs(lines(source).ok()?);
    announcement(lines(source).ok()?, &paragraphs)
        .filter(|announcement| announcement.value.contains("AWS Direct Connect"))
        .cloned()
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let lines = lines(source)?;
    let paragraphs = paragraphs(lines);
    let subject = source.subject();
    if !SUBJECT.is_match(&subject.value) && !paragraphs.iter().any(|one| ANNOUNCEMENT.is_match(&one.value)) {
        return Ok(Reading::Other("not about a maintenance of AWS Direct Connect".to_owned()));
    }
    let announcement = announcement(lines, &paragraphs)
        .ok_or_else(|| Failure::missing("a paragraph on a maintenance, with a window in it or below `Start Time:`"))?;
    let status = status(&subject, announcement, &paragraphs)?;
    let told = windows(announcement)?;
    let is_told = !told.is_empty();
    let windows = if is_told { told } else { labelled_window(lines)?.into_iter().collect() };
    if windows.len() != 1 && status.value != Status::Confirmed {
        return Err(Failure::ambiguous("one window, of which the status is said").with_quote(&announcement.value));
    }
    let circuits = circuits(lines);
    if circuits.is_empty() {
        return Err(Failure::missing("the affected connections, one id such as `dxcon-…` a line"));
    }
    if ends_with_an_id(lines) {
        return Err(Failure::cut_short("the words below the list of connections: it may have gone on"));
    }
    let account = matching(&ACCOUNT, &subject).or_else(|| lines.matching(&ACCOUNT));
    let draft = Draft::new(source).status(status).circuits(circuits.clone()).summary(announcement.clone());
    let draft = if is_told { draft } else { draft.ends_with("end") };
    let draft = account.into_iter().fold(draft, Draft::account);
    let drafts = draft.for_each(windows, |draft, (start, end)| {
        let id = fingerprint::of(&circuits, start.value.at(), end.value.at());
        draft.id(Found::by_rule(id, "SHA-256 of the circuits' ids, the start and the end")).window(start, end)
    })?;
    Ok(Reading::Notice(drafts))
}

/// AWS writes text; an HTML part is somebody else's rendering of it. A text that announces nothing is a list's footer.
fn lines<'source>(source: &'source Source<'_>) -> Result<&'source Lines, Failure> {
    let announces = |lines: &&Lines| announcement(lines, &paragraphs(lines)).is_some();
    source.text().ok().filter(announces).map_or_else(|| source.body(), Ok)
}

fn matching(pattern: &Pattern, text: &Found<String>) -> Option<Found<String>> {
    let captures = pattern.captures(&text.value)?;
    let value = captures.get(1)?.as_str().to_owned();
    Some(text.with(value))
}

/// Returns the parts of a line that has its line breaks written out, as `\\n`.
fn written_breaks(line: &str) -> impl Iterator<Item = &str> {
    plain(line).split("\\n").map(str::trim).filter(|part| !part.is_empty())
}

/// Returns the paragraphs, each in one line; an id of a connection at the start of a line ends a paragraph.
fn paragraphs(lines: &Lines) -> Vec<Found<String>> {
    let mut paragraphs: Vec<Found<String>> = Vec::new();
    let mut open = false;
    for (place, line) in lines.iter() {
        if plain(line).is_empty() || !ids(line).is_empty() {
            open = false;
            continue;
        }
        match paragraphs.last_mut().filter(|_| open) {
            Some(paragraph) => {
                paragraph.value.push(' ');
                paragraph.value.push_str(plain(line));
            }
            None => paragraphs.extend(written_breaks(line).map(|part| Found::text(part, place.clone()))),
        }
        open = true;
    }
    paragraphs
}

/// Returns the paragraph that says what is done and where, and when, unless labels below say that.
fn announcement<'text>(lines: &Lines, paragraphs: &'text [Found<String>]) -> Option<&'text Found<String>> {
    let mut about = paragraphs.iter().filter(|one| ANNOUNCEMENT.is_match(&one.value));
    let with_window = about.clone().find(|one| WINDOW.is_match(&one.value));
    with_window.or_else(|| about.next().filter(|_| lines.labelled(START).is_some()))
}

/// Returns the status of the subject and of the sentences about the maintenance; the announcement itself may be outdated.
fn status(
    subject: &Found<String>,
    announcement: &Found<String>,
    paragraphs: &[Found<String>],
) -> Result<Found<Status>, Failure> {
    let sentences = paragraphs.iter().flat_map(|paragraph| paragraph.value.split(". "));
    let about = sentences.filter(|sentence| sentence.to_ascii_lowercase().contains("maintenance"));
    let prose = std::iter::once(subject.value.as_str()).chain(about).collect::<Vec<_>>().join("\n");
    let told = words::status_told(&announcement.with(prose))?;
    // The subject alone proves a change, and no plan.
    let titled =
        words::status(subject)?.filter(|status| !matches!(status.value, Status::Confirmed | Status::Tentative));
    let status = words::strongest(titled.into_iter().chain(told))?;
    status.ok_or_else(|| Failure::malformed("a maintenance that is scheduled, rescheduled, cancelled …", announcement))
}

/// Returns the window behind the labels below the list.
fn labelled_window(lines: &Lines) -> Result<Option<Times>, Failure> {
    let one = |label: &str| match lines.all_labelled(label).as_slice() {
        [] => Ok(None),
        [time] => dates::read_zoned(time.clone(), &FORMATS).map(Some),
        [one, other, ..] => {
            Err(Failure::ambiguous(format!("one `{label}`")).with_quote(&format!("{} … {}", one.quote, other.quote)))
        }
    };
    match (one(START)?, one(END)?) {
        (Some(start), Some(end)) => Ok(Some((start, end))),
        (None, None) => Ok(None),
        _ => Err(Failure::missing("both `Start Time:` and `End Time:`")),
    }
}

fn windows(announcement: &Found<String>) -> Result<Vec<Times>, Failure> {
    let mut windows = Vec::new();
    for captures in WINDOW.captures_iter(&announcement.value) {
        let text = |group| captures.get(group).map_or("", |found| found.as_str());
        let time = |local: &str, zone: &str| {
            let found = Found::text(&format!("{local} {zone}"), announcement.place.clone());
            found.try_map("a date and time such as `4 Mar 2031 23:00:00 GMT`", |_| {
                dates::moment_at(dates::civil(&local.replace(',', ""), &FORMATS)?, zone)
            })
        };
        windows.push((time(text(1), text(2))?, time(text(3), text(4))?));
    }
    Ok(windows)
}

/// Returns a line without the marks of a quotation or a list.
fn plain(line: &str) -> &str {
    line.trim_start_matches(['>', '*', '-', '•', ' '])
}

/// Returns the ids of a line that begins with one, else none. A line of nothing but ids has all of them, any other its
/// first. What is not Direct Connect's own has a digit: `cross-connects` is no id.
fn ids(line: &str) -> Vec<&str> {
    let line = plain(line);
    let is_id = |text: &str| text.starts_with("dx") || text.contains(|character: char| character.is_ascii_digit());
    let found: Vec<_> = ID.find_iter(line).filter(|id| is_id(id.as_str())).collect();
    if found.first().is_none_or(|id| id.start() != 0) {
        return Vec::new();
    }
    let is_list = !ID.replace_all(line, "").contains(char::is_alphanumeric);
    found.iter().take(if is_list { found.len() } else { 1 }).map(regex::Match::as_str).collect()
}

/// Returns whether nothing stands below the list: a text that was cut there would pass for a shorter list.
fn ends_with_an_id(lines: &Lines) -> bool {
    let last = lines.iter().filter(|(_, line)| !plain(line).is_empty()).last();
    last.is_some_and(|(_, line)| !ids(line).is_empty())
}

/// Returns the services listed below the announcement. A maintenance of their router takes all of them down.
fn circuits(lines: &Lines) -> Vec<Found<Circuit>> {
    let listed = lines.iter().map(|(place, line)| (Found::text(line, place), ids(line)));
    let circuits = listed.flat_map(|(line, ids)| {
        let circuits = ids.into_iter().filter_map(|id| Circuit::new(id, Impact::Outage));
        circuits.map(|circuit| line.with(circuit)).collect::<Vec<_>>()
    });
    circuits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    fn text(text: &str) -> Found<String> {
        Found::text(text, Place::Text { line: 1 })
    }

    fn status_of(subject: &str, sentences: &str) -> Option<Status> {
        let window = "from Tue, 4 Mar 2031 01:00:00 GMT to Tue, 4 Mar 2031 05:00:00 GMT";
        let lines = Lines::of_text(&sentences.replace("WINDOW", window));
        let paragraphs = paragraphs(&lines);
        status(&text(subject), announcement(&lines, &paragraphs)?, &paragraphs).ok().map(|found| found.value)
    }

    #[test]
    fn words_give_the_status() {
        let plain = "AWS Direct Connect Maintenance Notification";
        let scheduled = "Planned maintenance has been scheduled for one AWS Direct Connect router WINDOW for 4 hours.";
        let cases = [
            (
                plain,
                "Emergency maintenance has been scheduled for one AWS Direct Connect endpoint WINDOW.",
                Status::Confirmed,
            ),
            (plain, "Planned maintenance on an AWS Direct Connect router WINDOW has been canceled.", Status::Cancelled),
            (plain, "Maintenance has been rescheduled for one AWS Direct Connect router WINDOW.", Status::ReScheduled),
            (plain, "Maintenance on an AWS Direct Connect router WINDOW has been postponed.", Status::ReScheduled),
            (plain, "Maintenance on an AWS Direct Connect router WINDOW is in progress.", Status::InProcess),
            (plain, "Maintenance on an AWS Direct Connect router WINDOW has been completed.", Status::Completed),
            ("AWS Direct Connect Maintenance Cancelled", scheduled, Status::Cancelled),
        ];
        for (subject, sentences, status) in cases {
            assert_eq!(status_of(subject, sentences), Some(status), "{subject} {sentences}");
        }
        assert_eq!(status_of(plain, "Maintenance on an AWS Direct Connect router WINDOW is being pondered."), None);
    }

    #[test]
    fn a_later_sentence_counts_if_it_is_certain() {
        let with = |sentence: &str| {
            let scheduled = "Maintenance has been scheduled for one AWS Direct Connect router WINDOW.";
            status_of("AWS Direct Connect", &format!("{scheduled}\n\n{sentence}"))
        };
        assert_eq!(with("This maintenance has been cancelled."), Some(Status::Cancelled));
        assert_eq!(with("We write again once the maintenance has been completed."), Some(Status::Confirmed));
        assert_eq!(with("This maintenance cannot be rescheduled."), Some(Status::Confirmed));
    }

    #[test]
    fn ids_are_told_from_words() {
        assert_eq!(ids("dxcon-fh6abcde"), ["dxcon-fh6abcde"]);
        assert_eq!(ids("> dxvif-fg1a2b3c, dxlag-fg4d5e6f"), ["dxvif-fg1a2b3c", "dxlag-fg4d5e6f"]);
        assert_eq!(ids("dxvif-fg1a2b3c on dxcon-fg4d5e6f"), ["dxvif-fg1a2b3c"]);
        assert_eq!(ids("cross-connects are not touched"), Vec::<&str>::new());
        assert_eq!(ids("see dxcon-fh6abcde"), Vec::<&str>::new());
    }

    #[test]
    fn a_wrapped_sentence_is_one_paragraph() {
        let wrapped = "Planned maintenance has been scheduled\n> on a router\n\ndxcon-fh6abcde\nThis ends it.";
        let paragraphs = paragraphs(&Lines::of_text(wrapped));
        let texts: Vec<_> = paragraphs.iter().map(|one| one.value.as_str()).collect();
        assert_eq!(texts, ["Planned maintenance has been scheduled on a router", "This ends it."]);
    }
}
