//! Apple's peering notices (AS714): plain text with labels, one per peer. All times are UTC.
//!
//! A notice names no circuit, so the peer's AS stands for it. Traffic is drained and the sessions go down: an outage of the
//! peering. Where the text names no other status, it announces settled work.

use notice::{
    dates,
    draft::Draft,
    failure::Failure,
    found::Found,
    lines::Lines,
    model::{Circuit, Impact, Moment, Status},
    pattern::{PREFIXES, Pattern},
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Apple.
pub static PROVIDER: Provider = Provider {
    slug: "apple",
    name: "Apple",
    domains: &["apple.com"],
    organizer: "peering-noc@group.apple.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

static TITLE: Pattern = Pattern::new(r"(?i)(.*\bApple \(AS\s?714\).*\bMaintenance\b.*)");
static TICKET: Pattern = Pattern::new(r"\b(CHG\d+)\b");
static PEER: Pattern = Pattern::new(r"(?i)^(?:AS)?(\d{1,10})$");

const TIMES: &[&str] = &[
    "%d %b %Y %H:%M[:%S]",
    "%Y-%m-%d %H:%M[:%S]",
    "%Y-%m-%dT%H:%M[:%S]",
    "%d-%b-%Y %H:%M[:%S]",
    "%b %d[,] %Y %H:%M[:%S]",
];

fn says(source: &Source<'_>) -> Option<Found<String>> {
    source.body().ok()?.matching(&TITLE)
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let body = source.body()?;
    if body.matching(&TITLE).is_none() && !TITLE.is_match(&source.subject().value) {
        return Ok(Reading::Other("no notice of Apple's network maintenance".to_owned()));
    }
    let ticket = body.labelled("Reference Internal Ticket").or_else(|| body.matching(&TICKET));
    let status = status(source, body)?;
    let draft = Draft::new(source)
        .nameless_account("Customer info unavailable")
        .id(ticket.ok_or_else(|| Failure::missing("a line `Reference Internal Ticket`"))?)
        .circuits(circuits(body)?)
        .summary(source.subject().map(|subject| PREFIXES.replace(&subject, "").into_owned()));
    let is_final = status.value.is_final();
    let draft = draft.status(status);
    if is_final && body.labelled("Start Time").is_none() && body.labelled("End Time").is_none() {
        return Ok(Reading::Notice(vec![draft]));
    }
    let (start, end) = (time(body, "Start Time")?, time(body, "End Time")?);
    // Users of this format know the start as its stamp; `announced_at` orders the notices.
    let stamp = Found::by_rule(start.value, "the start is the stamp");
    Ok(Reading::Notice(vec![draft.stamp(stamp).window(start, end)]))
}

fn status(source: &Source<'_>, body: &Lines) -> Result<Found<Status>, Failure> {
    let titles = [Some(source.subject()), body.labelled("Status"), body.matching(&TITLE)];
    let told = words::status_of(titles.iter().flatten().cloned(), body.iter())?;
    told.map_or_else(|| words::announced(titles.into_iter().flatten(), body.iter()), Ok)
}

fn time(body: &Lines, label: &str) -> Result<Found<Moment>, Failure> {
    dates::read_zoned(body.expect(label)?, TIMES)
}

fn circuits(body: &Lines) -> Result<Vec<Found<Circuit>>, Failure> {
    let peers = body.all_labelled("Peer AS");
    if peers.is_empty() {
        return Err(Failure::missing("a line `Peer AS`"));
    }
    let circuit = |peer: Found<String>| {
        peer.try_map("the number of the peer's AS", |text| {
            let number = PEER.captures(text)?.get(1)?.as_str().to_owned();
            Circuit::new(&format!("AS{number}"), Impact::Outage)
        })
    };
    peers.into_iter().map(circuit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail::Mail;

    fn status_of(subject: &str, text: &str) -> Option<Status> {
        let title = "Apple (AS714) Network Maintenance Notification";
        let mail = Mail::decode(format!("Subject: {subject}\n\n{title}\n\n{text}\n").as_bytes());
        let source = Source::new(&mail, &PROVIDER);
        status(&source, source.body().ok()?).ok().map(|status| status.value)
    }

    #[test]
    fn words_give_the_status() {
        let subject = "Apple (AS714) Net Maintenance Notice for AS64500 in Oslo";
        let routine = "When the maintenance is\ncompleted, Apple will automatically re-route\ntraffic back.";
        assert_eq!(status_of(subject, routine), Some(Status::Confirmed));
        assert_eq!(status_of(subject, "The maintenance has been\npostponed."), Some(Status::ReScheduled));
        assert_eq!(status_of(subject, "Status: Completed"), Some(Status::Completed));
        for (word, expected) in [
            ("Cancelled", Status::Cancelled),
            ("COMPLETED", Status::Completed),
            ("Reminder", Status::Confirmed),
            ("Emergency", Status::Confirmed),
            ("Rescheduled", Status::ReScheduled),
            ("In progress", Status::InProcess),
        ] {
            assert_eq!(status_of(&format!("{word}: {subject}"), routine), Some(expected), "{word}");
        }
        assert_eq!(status_of(&format!("Not completed: {subject}"), routine), None);
    }

    #[test]
    fn a_peer_is_an_as() {
        let ids = |text: &str| -> Option<Vec<String>> {
            let circuits = circuits(&Lines::of_text(text)).ok()?;
            Some(circuits.iter().map(|circuit| circuit.value.id().to_owned()).collect())
        };
        assert_eq!(
            ids("Peer AS: 64500\nPeer AS: AS64501").as_deref(),
            Some(&["AS64500".to_owned(), "AS64501".to_owned()][..])
        );
        assert_eq!(ids("Peer AS: pending"), None);
        assert_eq!(ids("Apple AS: 714"), None);
    }
}
