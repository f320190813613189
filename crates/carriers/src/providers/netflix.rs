//! Netflix Open Connect: maintenance of the equipment that a peer is connected to, told in plain text.
//!
//! One sentence says what is done, where and when; another how long it takes, and a list has the peer's addresses, which are
//! the circuits. The notice has no id of its own. The one we give is a SHA-256 that follows from what the notice says, times
//! included, so a notice with other times is another maintenance.

use std::net::IpAddr;

use jiff::SignedDuration;

use notice::{
    dates,
    draft::Draft,
    failure::Failure,
    fingerprint,
    found::Found,
    lines::Lines,
    model::{Circuit, Impact, Moment, Status},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Netflix Open Connect.
pub static PROVIDER: Provider = Provider {
    slug: "netflix",
    name: "Netflix Open Connect",
    domains: &["netflix.com"],
    organizer: "cdnetops@netflix.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

static ANNOUNCEMENT: Pattern = Pattern::new(r"(?i)\bNetflix \(AS\d+\).*\bmaintenance\b");
static ACCOUNT: Pattern = Pattern::new(r"(?i)^.*\((AS\d{1,10})\)\s*[,:]?$");
static START: Pattern = Pattern::new(
    r"(?i)\b(?:at|on|from) (\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2})?(?:[+-]\d{2}:?\d{2})?(?-i: ?[A-Z]{1,5}\b)?)",
);
static DURATION: Pattern = Pattern::new(
    r"(?i)\bdowntime (?:will be|is|of)(?: expected to be)?(?: approximately| about| up to)? ((?:\d+ ?(?:hours?|hrs?|minutes?|mins?)(?:,? (?:and )?)?)+)",
);
static LENGTH: Pattern = Pattern::new(r"(?i)(\d+) ?(h|m)");
static SUBJECT: Pattern = Pattern::new(r"(?i)\bmaintenance\b");

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let paragraphs = paragraphs(lines(source).ok()?);
    addresses_label(&paragraphs)?;
    paragraphs.iter().find(|one| is_announcement(one)).cloned()
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = source.subject();
    let paragraphs = lines(source).map(paragraphs);
    let announced = paragraphs.as_ref().is_ok_and(|paragraphs| paragraphs.iter().any(is_announcement));
    if !announced && !SUBJECT.is_match(&subject.value) {
        return Ok(Reading::Other("no maintenance in the subject, and none that is announced".to_owned()));
    }
    let (lines, paragraphs) = (lines(source)?, paragraphs?);
    let announcement = paragraphs.iter().find(|one| is_announcement(one)).ok_or_else(|| {
        Failure::missing("a sentence such as `Netflix (AS2906) will be performing … maintenance in …, at …`")
    })?;
    let status = status(&subject, &paragraphs)?;
    let account = lines.matching(&ACCOUNT);
    let circuits = circuits(lines);
    let mut draft = Draft::new(source).status(status.clone()).summary(announcement.clone()).circuits(circuits.clone());
    if let Some(account) = account {
        draft = draft.account(account);
    }
    let start = start(announcement)?;
    let end = end(&paragraphs, &start)?;
    let id = fingerprint::of(&circuits, start.value.at(), end.value.at());
    let draft = draft.id(Found::by_rule(id, "SHA-256 of the circuits, the start and the end"));
    Ok(Reading::Notice(vec![draft.window(start, end)]))
}

/// Netflix writes text; an HTML part is somebody else's rendering of it.
fn lines<'source>(source: &'source Source<'_>) -> Result<&'source Lines, Failure> {
    source.text().or_else(|_| source.body())
}

/// Returns the paragraphs, each in one line: text may be wrapped.
fn paragraphs(lines: &Lines) -> Vec<Found<String>> {
    let mut paragraphs: Vec<Found<String>> = Vec::new();
    let mut is_open = false;
    for (place, line) in lines.iter() {
        let line = plain(line);
        match paragraphs.last_mut().filter(|_| is_open && !line.is_empty()) {
            Some(paragraph) => {
                paragraph.value.push(' ');
                paragraph.value.push_str(line);
            }
            None if !line.is_empty() => paragraphs.push(Found::text(line, place)),
            None => {}
        }
        is_open = !line.is_empty();
    }
    paragraphs
}

fn plain(line: &str) -> &str {
    line.trim_start_matches(['>', '*', '-', '•', ' '])
}

fn is_announcement(paragraph: &Found<String>) -> bool {
    ANNOUNCEMENT.is_match(&paragraph.value)
}

fn addresses_label(paragraphs: &[Found<String>]) -> Option<&Found<String>> {
    paragraphs.iter().find(|one| one.value.to_ascii_lowercase().starts_with("your ip"))
}

/// Returns the status of the subject and of the sentences about the maintenance.
fn status(subject: &Found<String>, paragraphs: &[Found<String>]) -> Result<Found<Status>, Failure> {
    let about = || {
        let about = paragraphs.iter().filter(|one| one.value.to_ascii_lowercase().contains("maintenance"));
        about.map(|one| (one.place.clone(), one.value.as_str()))
    };
    let of_all = words::status_of([subject.clone()], about())?;
    let told = of_all.or(words::status_told_in(about())?);
    told.ok_or_else(|| Failure::malformed("a maintenance that is scheduled, rescheduled, cancelled …", subject))
}

fn start(announcement: &Found<String>) -> Result<Found<Moment>, Failure> {
    let expected = "a time in UTC such as `2031-01-31 18:00:00+00:00 UTC`";
    let mut times = START.captures_iter(&announcement.value);
    let (Some(time), None) = (times.next(), times.next()) else {
        return Err(Failure::malformed(format!("one time, like {expected}"), announcement));
    };
    let text = time.get(1).map_or("", |time| time.as_str());
    announcement.try_with(expected, |_| dates::universal(text, &["%F %T", "%F %R", "%FT%T"]))
}

/// Returns the start and the downtime.
fn end(paragraphs: &[Found<String>], start: &Found<Moment>) -> Result<Found<Moment>, Failure> {
    let sentence = paragraphs.iter().find(|one| DURATION.is_match(&one.value));
    let sentence = sentence.ok_or_else(|| Failure::missing("an expected downtime in minutes or hours"))?;
    sentence.try_with("a downtime such as `60 minutes`", |text| {
        let mut minutes: i64 = 0;
        for length in LENGTH.captures_iter(DURATION.captures(text)?.get(1)?.as_str()) {
            let number: i64 = length.get(1)?.as_str().parse().ok()?;
            let unit = if length.get(2)?.as_str().eq_ignore_ascii_case("h") { 60 } else { 1 };
            minutes = minutes.checked_add(number.checked_mul(unit)?)?;
        }
        start.value.checked_add(SignedDuration::from_mins(Some(minutes).filter(|minutes| *minutes < 100_000)?))
    })
}

/// Returns the addresses under "Your IPs:", one or several in a line.
fn circuits(lines: &Lines) -> Vec<Found<Circuit>> {
    let below = lines.iter().skip_while(|(_, line)| !plain(line).to_ascii_lowercase().starts_with("your ip"));
    let mut circuits = Vec::new();
    for (index, (place, line)) in below.enumerate() {
        let list = if index == 0 { line.split_once(':').map_or("", |(_, rest)| rest) } else { plain(line) };
        let words: Vec<_> = list.split([' ', ',', ';']).filter(|word| !word.is_empty()).collect();
        if words.iter().any(|word| word.parse::<IpAddr>().is_err()) {
            break;
        }
        let said = Found::text(line, place);
        let found = words.into_iter().filter_map(|word| Circuit::new(word, Impact::Outage));
        circuits.extend(found.map(|circuit| said.with(circuit)));
    }
    circuits
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    const SENTENCE: &str =
        "Netflix (AS2906) will be performing scheduled maintenance in Example LYS01, at 2031-02-03 18:00:00+00:00 UTC.";

    fn read(subject: &str, sentence: &str) -> Option<Status> {
        let subject = Found::text(subject, Place::Header("Subject"));
        status(&subject, &paragraphs(&Lines::of_text(sentence))).ok().map(|status| status.value)
    }

    #[test]
    fn words_give_the_status() {
        let plain = "Netflix Open Connect - Example LYS01";
        for (subject, sentence, expected) in [
            (
                "Dry Run Notification- Netflix Open Connect - Scheduled Maintenance - Example LYS01",
                SENTENCE,
                Some(Status::Confirmed),
            ),
            (plain, SENTENCE, Some(Status::Confirmed)),
            (
                plain,
                "Netflix (AS2906) will be performing emergency maintenance in Example LYS01.",
                Some(Status::Confirmed),
            ),
            ("Canceled: Netflix Open Connect - Scheduled Maintenance", SENTENCE, Some(Status::Cancelled)),
            (plain, "The scheduled maintenance in Example LYS01 has been cancelled.", Some(Status::Cancelled)),
            (plain, "The scheduled maintenance in Example LYS01 has been rescheduled.", Some(Status::ReScheduled)),
            ("Postponed: Scheduled Maintenance", SENTENCE, Some(Status::ReScheduled)),
            ("Completed: Scheduled Maintenance", SENTENCE, Some(Status::Completed)),
            (plain, "The scheduled maintenance in Example LYS01 has started.", Some(Status::InProcess)),
            (plain, "Netflix (AS2906) ponders maintenance in Example LYS01.", None),
        ] {
            assert_eq!(read(subject, sentence), expected, "{subject}: {sentence}");
        }
    }

    #[test]
    fn the_end_follows_from_the_downtime() {
        let end = |downtime: &str| {
            let text = format!(
                "> {SENTENCE}\n\nAfter 1 hour, sessions flap.\n\nExpected downtime will be approximately\n{downtime}. Sorry."
            );
            let paragraphs = paragraphs(&Lines::of_text(&text));
            let start = start(paragraphs.first()?).ok()?;
            end(&paragraphs, &start).ok().map(|end| end.value.to_string())
        };
        assert_eq!(end("60 minutes").as_deref(), Some("2031-02-03T19:00:00Z"));
        assert_eq!(end("2 hours").as_deref(), Some("2031-02-03T20:00:00Z"));
        assert_eq!(end("1 hour and 30 minutes").as_deref(), Some("2031-02-03T19:30:00Z"));
        assert_eq!(end("some time"), None);
        assert_eq!(end("99999999999999999999 hours"), None);
    }

    #[test]
    fn the_addresses_are_the_circuits() {
        let read = |text: &str| {
            circuits(&Lines::of_text(text)).iter().map(|one| one.value.id().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            read("See 192.0.2.1\nYour IPs:\n  192.0.2.7\n> 2001:db8::7\n\nDo not use\n192.0.2.9"),
            ["192.0.2.7", "2001:db8::7"]
        );
        assert_eq!(read("Your IPs: 192.0.2.7, 2001:db8::7\nThanks"), ["192.0.2.7", "2001:db8::7"]);
        assert!(read("192.0.2.7").is_empty());
    }
}
