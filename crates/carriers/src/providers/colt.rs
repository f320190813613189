//! Colt: the subject has the id, the window and the status, an attached sheet the circuits.
//!
//! There are two subjects. A notification is `Cancellation Colt … Maintenance Notification - ID [FROM - TO] for CUSTOMER, OCN`,
//! where the first word may be missing; an alert is `MAINTENANCE ALERT: ID FROM - TO - COMPLETED`. Dates are day first.
//! Where Colt took over Lumen's network, its notices keep Lumen's format.
//!
//! The body repeats an earlier text of the notice, with times and remarks that are out of date, and so does the attached
//! meeting invitation: neither is read. The sheet is UTF-16 text separated by tabs.

use super::lumen;
use mail::Attachment;
use notice::{
    dates,
    draft::Draft,
    failure::Failure,
    found::Found,
    lines::Lines,
    model::{Circuit, Impact, Status},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    sheet,
    source::Source,
    words,
};

/// Definition of the provider Colt Technology Services.
pub static PROVIDER: Provider = Provider {
    slug: "colt",
    name: "Colt",
    domains: &["colt.net"],
    organizer: "PlannedWorks@colt.net",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

/// Title, id, start, end, and what follows.
static SUBJECT: Pattern = Pattern::new(
    r"(?ix)
    ^ (.*?) [\s:-]* \b ((?:CRQ|CHG)[a-z0-9]*(?:-[a-z0-9]+)*) \b [\s\[:-]*
    (\d{1,2}/\d{1,2}/\d{4}\s+\d{1,2}:\d{2}(?::\d{2})?\s*[a-z]{1,5}) \s*(?:-|–|to)\s*
    (\d{1,2}/\d{1,2}/\d{4}\s+\d{1,2}:\d{2}(?::\d{2})?\s*[a-z]{1,5}) \b \]? (.*) $",
);
static REFERENCE: Pattern = Pattern::new(r"(?i)\b(?:CRQ|CHG)[a-z0-9]*-?\d{3,}");
static MAINTENANCE: Pattern = Pattern::new(r"(?i)\bmaintenance\b|\bplanned works?\b|\boutage\b");
static ALERT: Pattern = Pattern::new(r"(?i)\bmaintenance alert$");
static ABOUT_TO_START: Pattern = Pattern::new(r"(?i)^\W*(?:is )?about to start\W*$");
/// Prefixes of others before a subject: a mark of a list or a filter in brackets, `Fwd:`, `Update:`.
static PREFIXES: Pattern = Pattern::new(r"^\s*(?:(?:\[[^\]]*\]|[\w-]+:)\s*)+");
static CUSTOMER_NUMBER: Pattern = Pattern::new(r",\s*(\d+)\s*$");
static NO_IMPACT: Pattern = Pattern::new(r"(?i)\bnon[- ]?(?:service[- ])?(?:affecting|impacting)\b");

type CircuitsAndAccount = (Vec<Found<Circuit>>, Option<Found<String>>);

/// The parts of a subject.
struct Subject {
    title: Found<String>,
    id: Found<String>,
    start: Found<String>,
    end: Found<String>,
    rest: Found<String>,
}

impl Subject {
    fn of(subject: &Found<String>) -> Option<Self> {
        let captures = SUBJECT.captures(&subject.value)?;
        let part = |group| {
            let text = captures.get(group).map_or("", |found| found.as_str()).trim().to_owned();
            subject.with(text)
        };
        Some(Self { title: part(1), id: part(2), start: part(3), end: part(4), rest: part(5) })
    }

    fn is_alert(&self) -> bool {
        ALERT.is_match(&self.title.value)
    }

    /// Returns the status. An alert states it at its end, a notification at its beginning; one without a status is confirmed.
    fn status(&self) -> Result<Found<Status>, Failure> {
        if !self.is_alert() {
            let told = words::status(&self.title)?;
            return told.map_or_else(|| words::announced([self.title.clone()], std::iter::empty()), Ok);
        }
        if ABOUT_TO_START.is_match(&self.rest.value) {
            return Ok(self.rest.with(Status::InProcess));
        }
        // What an alert says of a plan is no news of its own.
        words::status(&self.rest)?
            .filter(|status| !matches!(status.value, Status::Confirmed | Status::Tentative))
            .ok_or_else(|| Failure::malformed("`COMPLETED`, `is about to START` or the like at the end", &self.rest))
    }

    /// Returns the title; a notification's without its first word, which is the status or the carrier's name.
    fn summary(&self) -> Found<String> {
        let title = PREFIXES.replace(&self.title.value, "");
        let summary = if self.is_alert() { &title } else { title.split_once(' ').map_or(&*title, |(_, rest)| rest) };
        self.title.with(summary.trim().to_owned())
    }

    /// Returns the customer's number (OCN) at the end of a notification.
    fn account(&self) -> Option<Found<String>> {
        let number = CUSTOMER_NUMBER.captures(&self.rest.value)?.get(1)?.as_str().to_owned();
        Some(self.rest.with(number))
    }

    /// Returns the impact. The sheet does not state it: Colt announces outages, unless the title denies it.
    fn impact(&self) -> Impact {
        if NO_IMPACT.is_match(&self.title.value) { Impact::NoImpact } else { Impact::Outage }
    }
}

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let subject = source.subject();
    let Some(parts) = Subject::of(&subject) else { return says_as_lumen(source) };
    let body = || source.text().or_else(|_| source.body()).ok().map(Lines::joined);
    let is_colts = parts.title.value.contains("Colt ")
        || (parts.is_alert() && body().is_some_and(|body| body.contains("Colt ") || body.contains("colt.net")));
    is_colts.then_some(subject)
}

/// Returns Lumen's heading, in a mail that names Colt and not Lumen.
fn says_as_lumen(source: &Source<'_>) -> Option<Found<String>> {
    let lines = source.body().ok()?;
    let heading = lines.matching(&lumen::HEADING)?;
    let names = |name: &str| lines.iter().any(|(_, line)| line.contains(name));
    (names("Colt") && !names("Lumen")).then_some(heading)
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = source.subject();
    let Some(parts) = Subject::of(&subject) else {
        if source.body().is_ok_and(|body| body.matching(&lumen::HEADING).is_some()) {
            return lumen::read(source);
        }
        if REFERENCE.is_match(&subject.value) || MAINTENANCE.is_match(&subject.value) {
            return Err(Failure::malformed("a title, an id and a window such as `CRQ… [FROM - TO]`", &subject));
        }
        return Ok(Reading::Other("no reference of a planned work in the subject".to_owned()));
    };
    let (circuits, account) = circuits(source, parts.impact())?;
    let account = account.or_else(|| parts.account());
    let formats = ["%d/%m/%Y %H:%M[:%S]"];
    let (start, end) =
        (dates::read_zoned(parts.start.clone(), &formats)?, dates::read_zoned(parts.end.clone(), &formats)?);
    let draft = Draft::new(source)
        .id(parts.id.clone())
        .status(parts.status()?)
        .window(start, end)
        .circuits(circuits)
        .summary(parts.summary());
    Ok(Reading::Notice(vec![account.into_iter().fold(draft, Draft::account)]))
}

/// Returns the circuits of every attached sheet, and the customer's number of the first.
fn circuits(source: &Source<'_>, impact: Impact) -> Result<CircuitsAndAccount, Failure> {
    let (mut circuits, mut account) = (Vec::new(), None);
    for attachment in source.mail().attachments.iter().filter(|attachment| is_sheet(attachment)) {
        let table = sheet::separated(&attachment.bytes)?;
        let headed = table.headed(&["OCN", "Circuit ID"]);
        if headed.is_empty() {
            return Err(Failure::missing("a sheet with the columns `OCN` and `Circuit ID`"));
        }
        for row in headed.iter().flat_map(|headed| &headed.rows).filter(|row| !row.is_blank()) {
            let id = row.expect("Circuit ID")?.clone();
            circuits.push(id.try_map("the id of a circuit", |id| Circuit::new(id, impact))?);
            account = account.or_else(|| row.get("OCN").cloned());
        }
    }
    let bare = |number: String| number.trim_start_matches("OCN").trim_start_matches([':', ' ']).to_owned();
    Ok((circuits, account.map(|number| number.map(bare))))
}

fn is_sheet(attachment: &Attachment) -> bool {
    let name = attachment.name.as_deref().unwrap_or_default().to_ascii_lowercase();
    attachment.content_type == "text/csv" || [".csv", ".tsv"].iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    const WINDOW: &str = "04/3/2031 23:00:00 GMT - 05/3/2031 03:00:00 GMT";

    fn subject(text: &str) -> Subject {
        Subject::of(&Found::text(&text.replace("WINDOW", WINDOW), Place::Header("Subject"))).unwrap()
    }

    #[test]
    fn words_of_the_subject_give_the_status_and_the_summary() {
        for (text, status, summary) in [
            (
                "Colt Local Maintenance Notification - CRQ1-77 [WINDOW] for X, 5",
                Status::Confirmed,
                "Local Maintenance Notification",
            ),
            ("Fwd: Reminder Colt Local Works - CRQ1-77 [WINDOW] for X, 5", Status::Confirmed, "Colt Local Works"),
            ("[noc] Update: Colt Local Works - CRQ1-77 [WINDOW] for X, 5", Status::Confirmed, "Local Works"),
            (
                "[ EXT ] Cancellation Colt Local Works - CRQ1-77 [WINDOW] for X, 5",
                Status::Cancelled,
                "Colt Local Works",
            ),
            (
                "Rescheduled Colt Local Works - CRQ1-77 [WINDOW] for Completed Ltd, 5",
                Status::ReScheduled,
                "Colt Local Works",
            ),
            ("MAINTENANCE ALERT: CRQ1-77 WINDOW is about to START", Status::InProcess, "MAINTENANCE ALERT"),
            ("RE: MAINTENANCE ALERT: CRQ1-77 WINDOW has started", Status::InProcess, "MAINTENANCE ALERT"),
            ("[noc] MAINTENANCE ALERT: CRQ1-77 WINDOW - COMPLETED", Status::Completed, "MAINTENANCE ALERT"),
            ("MAINTENANCE ALERT: CRQ1-77 WINDOW - CANCELLED", Status::Cancelled, "MAINTENANCE ALERT"),
        ] {
            let parts = subject(text);
            assert_eq!(parts.status().map(|found| found.value), Ok(status), "{text}");
            assert_eq!(parts.summary().value, summary, "{text}");
            assert_eq!(parts.id.value, "CRQ1-77", "{text}");
        }
    }

    #[test]
    fn an_alert_without_a_status_is_for_a_person() {
        for end in ["", " - PURPLE", " - NOT COMPLETED"] {
            assert!(subject(&format!("MAINTENANCE ALERT: CRQ1-77 WINDOW{end}")).status().is_err(), "{end}");
        }
    }

    #[test]
    fn the_title_may_deny_an_impact() {
        let impact = |title: &str| subject(&format!("{title} - CRQ1-77 [WINDOW] for X, 5")).impact();
        assert_eq!(impact("Colt Service Affecting Works"), Impact::Outage);
        assert_eq!(impact("Colt Non-Service Affecting Works"), Impact::NoImpact);
    }
}
