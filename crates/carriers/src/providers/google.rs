//! Google's peering notices (AS15169): HTML with labels, and the same as text. All times are UTC.
//!
//! A circuit is a pair of neighbour addresses, Google's and the peer's. A session may go down: an outage.
//! Work may be announced, or have started, without an end: such a notice is for a person, for no end follows from it.

use std::net::IpAddr;

use jiff::SignedDuration;

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

/// Definition of the provider Google.
pub static PROVIDER: Provider = Provider {
    slug: "google",
    name: "Google",
    domains: &["google.com"],
    organizer: "noc-noreply@google.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

static TITLE: Pattern = Pattern::new(r"(?i)\bGoogle\b.*\bNetwork Maintenance Notification - Reference\s+\S+");
static REFERENCE: Pattern = Pattern::new(r"(?i)\bReference:?\s+([A-Z]+/\d+)");
static TAG: Pattern = Pattern::new(r"\[([^\]]*)\]");
static PEER: Pattern = Pattern::new(r"(?i)\bPeer ASN:\s*(?:AS)?(\d{1,10})\b");
static GOOGLE_ADDRESSES: Pattern = Pattern::new(r"(?i)Google\s+Neighbor\s+Address(?:\(es\)|es)?:");
static PEER_ADDRESSES: Pattern = Pattern::new(r"(?i)Peer\s+Neighbor\s+Address(?:\(es\)|es)?:");

const TIMES: &[&str] = &["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];

fn says(source: &Source<'_>) -> Option<Found<String>> {
    source.body().ok()?.matching(&TITLE)
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let body = source.body()?;
    let title =
        Some(source.subject()).filter(|subject| TITLE.is_match(&subject.value)).or_else(|| body.matching(&TITLE));
    let Some(title) = title else {
        return Ok(Reading::Other("no notice of Google's network maintenance".to_owned()));
    };
    let whole = whole(body);
    let reference = title.try_with("a reference such as `PCR/123456`", |text| group(&REFERENCE, text))?;
    let peer = body.iter().next().map(|(place, _)| Found::text(&whole, place));
    let peer = peer.ok_or_else(|| Failure::missing("a text"))?.try_map("`Peer ASN:`", |text| group(&PEER, text))?;
    let status = status(source, &title, body)?;
    let draft = Draft::new(source)
        .id(reference)
        .account(peer)
        .summary(title.map(|title| PREFIXES.replace(&title, "").into_owned()))
        .circuits(circuits(body, &whole)?);
    let is_final = status.value.is_final();
    let draft = draft.status(status);
    let times = match body.labelled("Start Time") {
        None if is_final => None,
        None => return Err(Failure::missing("a line `Start Time`")),
        Some(start) => {
            let start = start.try_map(EXPECTED_TIME, |text| time(text))?;
            end(body, &start)?.map(|end| (start, end))
        }
    };
    match times {
        Some((start, end)) => Ok(Reading::Notice(vec![draft.window(start, end)])),
        None if is_final => Ok(Reading::Notice(vec![draft])),
        None => Err(Failure::missing("an end: a line `End Time` or `Duration`")),
    }
}

/// Returns the body as one line: text may be wrapped anywhere, within labels too, and cells of a table are lines of
/// their own.
fn whole(body: &Lines) -> String {
    body.iter().map(|(_, line)| line).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn group(pattern: &Pattern, text: &str) -> Option<String> {
    Some(pattern.captures(text)?.get(1)?.as_str().to_owned())
}

/// Returns the status: the tag before the title. Mailing lists and gateways put tags of their own before it.
fn status(source: &Source<'_>, title: &Found<String>, body: &Lines) -> Result<Found<Status>, Failure> {
    let subject = source.subject();
    let tags = TAG.captures_iter(&subject.value).filter_map(|tag| tag.get(1)).map(|tag| tag.as_str());
    let tag = tags.filter(|tag| !is_of_somebody_else(tag)).last().map(|tag| subject.with(tag.to_owned()));
    let told = match tag {
        Some(tag) => {
            let status = words::status(&tag)?;
            Some(status.ok_or_else(|| Failure::malformed("a status in brackets, such as `[Scheduled]`", &tag))?)
        }
        None => words::status_of([title.clone()], body.iter())?,
    };
    told.map_or_else(|| words::announced([title.clone()], body.iter()), Ok)
}

fn is_of_somebody_else(tag: &str) -> bool {
    let is_name = tag.contains(['-', '_', '.', '@', ':'])
        && words::status(&Found::by_rule(tag.to_owned(), "")).is_ok_and(|status| status.is_none());
    is_name
        || tag.eq_ignore_ascii_case("external")
        || tag.eq_ignore_ascii_case("ext")
        || !tag.contains(char::is_uppercase)
}

const EXPECTED_TIME: &str = "a UTC time such as `2031-01-02 14:00:00 +0000 UTC`";

fn time(text: &str) -> Option<Moment> {
    dates::universal(text, TIMES).or_else(|| dates::zoned(text, TIMES))
}

/// Returns the end as it is stated; `None` where it is not.
fn end(body: &Lines, start: &Found<Moment>) -> Result<Option<Found<Moment>>, Failure> {
    if let Some(end) = body.labelled("End Time") {
        return end.try_map(EXPECTED_TIME, |text| time(text)).map(Some);
    }
    let Some(duration) = body.labelled("Duration") else { return Ok(None) };
    let after = |text: &String| start.value.checked_add(text.parse::<SignedDuration>().ok()?);
    duration.try_map("a duration such as `1h30m0s`", after).map(Some)
}

/// Returns the sessions. Each pair of labels names the two ends of one session, or of several in the same order.
fn circuits(body: &Lines, whole: &str) -> Result<Vec<Found<Circuit>>, Failure> {
    let mut circuits = Vec::new();
    for pair in GOOGLE_ADDRESSES.split(whole).skip(1) {
        let failure = || Failure::missing("as many addresses of Google's as of the peer's").with_quote(pair);
        let mut ends = PEER_ADDRESSES.splitn(pair, 2).map(addresses);
        let (google, peer) = (ends.next().unwrap_or_default(), ends.next().unwrap_or_default());
        if google.is_empty() || google.len() != peer.len() {
            return Err(failure());
        }
        for (google, peer) in google.iter().zip(&peer) {
            let id = format!("{google}-{peer}");
            let place = body.iter().find(|(_, line)| line.contains(google)).map(|(place, _)| place);
            let place = place.ok_or_else(failure)?;
            let circuit = Circuit::new(&id, Impact::Outage).ok_or_else(failure)?;
            circuits.push(Found { value: circuit, place, quote: id });
        }
    }
    Ok(circuits)
}

/// Returns the addresses that a text begins with.
fn addresses(text: &str) -> Vec<&str> {
    let words =
        text.split(|mark: char| mark.is_whitespace() || matches!(mark, ',' | ';')).filter(|word| !word.is_empty());
    words.take_while(|word| word.parse::<IpAddr>().is_ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail::Mail;

    #[test]
    fn tags_of_lists_and_gateways_are_no_status() {
        for tag in ["maint-notices", "EXTERNAL", "peering", "noc@example.net", "Example-NOC"] {
            assert!(is_of_somebody_else(tag), "{tag}");
        }
        for tag in ["Scheduled", "In Progress", "Re-Scheduled", "Extended"] {
            assert!(!is_of_somebody_else(tag), "{tag}");
        }
    }

    fn status_of(subject: &str, text: &str) -> Option<Status> {
        let mail = Mail::decode(format!("Subject: {subject}\n\n{text}\n").as_bytes());
        let source = Source::new(&mail, &PROVIDER);
        status(&source, &source.subject(), source.body().ok()?).ok().map(|status| status.value)
    }

    #[test]
    fn words_give_the_status() {
        let title = "Google Planned Network Maintenance Notification - Reference PCR/700001";
        for (tag, expected) in [
            ("", Some(Status::Confirmed)),
            ("[Scheduled] ", Some(Status::Confirmed)),
            ("[Reminder] ", Some(Status::Confirmed)),
            ("[Updated] ", Some(Status::Confirmed)),
            ("[Rescheduled] ", Some(Status::ReScheduled)),
            ("[Postponed] ", Some(Status::ReScheduled)),
            ("[In Progress] ", Some(Status::InProcess)),
            ("[Started] ", Some(Status::InProcess)),
            ("[Completed] ", Some(Status::Completed)),
            ("[Canceled] ", Some(Status::Cancelled)),
            ("Fwd: [maint-notices] [Cancelled] ", Some(Status::Cancelled)),
            ("[maint-notices] ", Some(Status::Confirmed)),
            ("[Suspended] ", None),
        ] {
            assert_eq!(status_of(&format!("{tag}{title}"), "Details:"), expected, "{tag}");
        }
        assert_eq!(status_of(title, "This maintenance has been canceled."), Some(Status::Cancelled));
    }

    #[test]
    fn only_the_addresses_at_the_beginning_count() {
        assert_eq!(addresses(" 192.0.2.7, 192.0.2.9 Depending on 192.0.2.11"), ["192.0.2.7", "192.0.2.9"]);
        assert_eq!(addresses("2001:db8::7 be"), ["2001:db8::7"]);
        assert!(addresses("pending").is_empty());
    }
}
