//! Apple's peering notices (AS714): plain text with labels, one per peer. All times are UTC.
//!
//! A notice names no circuit, so the peer's AS stands for it. Traffic is drained and the sessions go down: an outage of the
//! peering. Where the text names no other status, it announces settled work.

use jiff::Timestamp;

use crate::maintenance::{
    dates,
    draft::Draft,
    failure::Failure,
    found::Found,
    lines::Lines,
    model::{Circuit, Impact, Status},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// The provider.
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
static REPLY_PREFIX: Pattern = Pattern::new(r"(?i)^(?:(?:fwd?|re)\s*:\s*|\[[^\]]*\]\s*)+");

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
        .account(Found::by_rule("Customer info unavailable".to_owned(), "Apple names the peer by its AS alone"))
        .id(ticket.ok_or_else(|| Failure::missing("a line `Reference Internal Ticket`"))?)
        .circuits(circuits(body)?)
        .summary(source.subject().map(|subject| REPLY_PREFIX.replace(&subject, "").into_owned()));
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
    let status = words::status_of(titles.into_iter().flatten(), body.iter())?;
    Ok(status.unwrap_or(Found::by_rule(Status::Confirmed, "a notice announces settled work unless it says otherwise")))
}

fn time(body: &Lines, label: &str) -> Result<Found<Timestamp>, Failure> {
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
