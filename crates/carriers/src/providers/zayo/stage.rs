//! The stage of a notice's maintenance, by its title and the sentences before the ticket.

use jiff::Timestamp;

use super::TICKET_IN_SUBJECT;
use notice::{
    failure::Failure,
    found::Found,
    lines::Lines,
    model::Status,
    pattern::{PREFIXES, Pattern},
    source::Source,
    words,
};

/// The kind of a notice, within the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Planned,
    Rescheduled,
    Started,
    /// One window is over.
    Closed,
    /// Not all the work was done: what becomes of the rest, no notice says in the same words.
    Partial,
    Completed,
    Cancelled,
}

impl Stage {
    /// Returns the status of a notice with windows that begin at these times. "Closed" speaks of one window and does not say
    /// which: where others lie ahead, none of them has a status that the notice states.
    pub(super) fn status(self, starts: &[Timestamp], announced_at: Option<Timestamp>) -> Option<Status> {
        let is_behind = |start: &Timestamp| announced_at.is_some_and(|now| *start <= now);
        Some(match self {
            Self::Planned => Status::Confirmed,
            Self::Rescheduled => Status::ReScheduled,
            Self::Started => Status::InProcess,
            Self::Closed if starts.iter().all(is_behind) => Status::Completed,
            Self::Closed | Self::Partial => return None,
            Self::Completed => Status::Completed,
            Self::Cancelled => Status::Cancelled,
        })
    }
}

/// Words of Zayo's own. The rest is in [`words`].
static CLOSED: Pattern =
    Pattern::new(r"(?i)\bend of window\b|\bwindow\b[^.;]* (?:has |is |was |now |been )+(?:closed|ended)\b");
static PARTIAL: Pattern = Pattern::new(r"(?i)\bpartial|\bnot (?:been )?(?:fully )?complete");
static STARTING: Pattern = Pattern::new(r"(?i)^start\b|\bcommencing (?:momentarily|shortly|now)\b");

/// Returns the kind of the notice: its title and its text must agree.
pub(super) fn stage(source: &Source<'_>, lines: &Lines) -> Result<Found<Stage>, Failure> {
    match (titled(&source.subject(), source.mail().inner().bare_subject())?, told(lines)?) {
        (Some(titled), Some(told)) => match (titled.value, told.value) {
            (one, other) if one == other => Ok(told),
            // The text is the more exact of the two: "END OF WINDOW", and in it "has been completed".
            (Stage::Planned, _) | (Stage::Closed, Stage::Completed | Stage::Partial) => Ok(told),
            (Stage::Completed, Stage::Closed) => Ok(titled),
            _ => Err(Failure::ambiguous("one status in subject and text")
                .with_quote(&format!("{} … {}", titled.quote, told.quote))),
        },
        (Some(stage), None) | (None, Some(stage)) => Ok(stage),
        (None, None) => Ok(words::announced([source.subject()], lines.iter())?.map(|_| Stage::Planned)),
    }
}

/// Returns the kind that the subject states, before its first `***` and after the ticket; `None` if it is not the
/// template's.
fn titled(subject: &Found<String>, bare: &str) -> Result<Option<Found<Stage>>, Failure> {
    let bare = PREFIXES.replace(bare, "");
    let Some((title, _)) = bare.split_once("***") else { return Ok(None) };
    let behind = TICKET_IN_SUBJECT.find(&bare).and_then(|ticket| bare.get(ticket.end()..)).unwrap_or_default();
    let said = subject.with(format!("{} {behind}", title.trim()));
    let is_plain = |word: &str| ["maintenance", "notification", "notice", "courtesy"].contains(&word);
    match stage_in(&said, words::status)? {
        Some(stage) => Ok(Some(said.map(|_| stage))),
        None if title.to_lowercase().split_whitespace().all(is_plain) => Ok(Some(said.map(|_| Stage::Planned))),
        None => Err(Failure::malformed("a title that says where the maintenance stands", subject)),
    }
}

/// Returns the kind that the sentences before the ticket state; `None` if they announce a plan. A colleague's words above
/// the headers of a forwarded mail are not Zayo's.
fn told(lines: &Lines) -> Result<Option<Found<Stage>>, Failure> {
    let is_ticket = |line: &str| line.to_lowercase().starts_with("maintenance ticket");
    let mut opening: Vec<_> = lines.iter().take_while(|(_, line)| !is_ticket(line)).collect();
    let headers = ["From:", "Sent:", "Date:", "To:", "Cc:", "Subject:"];
    let is_header =
        |line: &str| headers.iter().any(|header| line.trim_start_matches(['>', '*', ' ']).starts_with(header));
    if let Some(last) = opening.iter().rposition(|(_, line)| is_header(line)) {
        opening.drain(..=last);
    }
    let mut told: Option<Found<Stage>> = None;
    for said in opening.into_iter().map(|(place, line)| Found::text(line, place)) {
        let Some(stage) = stage_in(&said, words::status_told)?.filter(|stage| *stage != Stage::Planned) else {
            continue;
        };
        told = match told {
            Some(before) if before.value == stage || stage == Stage::Closed => Some(before),
            Some(before) if before.value != Stage::Closed => {
                return Err(Failure::malformed(format!("the same status as in `{}`", before.quote), &said));
            }
            _ => Some(said.map(|_| stage)),
        };
    }
    Ok(told)
}

type Words = fn(&Found<String>) -> Result<Option<Found<Status>>, Failure>;

fn stage_in(said: &Found<String>, words: Words) -> Result<Option<Stage>, Failure> {
    if PARTIAL.is_match(&said.value) {
        return Ok(Some(Stage::Partial));
    }
    if CLOSED.is_match(&said.value) {
        return Ok(Some(Stage::Closed));
    }
    if STARTING.is_match(&said.value) {
        return Ok(Some(Stage::Started));
    }
    Ok(words(said)?.map(|status| match status.value {
        Status::Cancelled => Stage::Cancelled,
        Status::Completed => Stage::Completed,
        Status::ReScheduled => Stage::Rescheduled,
        Status::InProcess => Stage::Started,
        Status::Confirmed | Status::Tentative | Status::NoChange => Stage::Planned,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    fn title(subject: &str) -> Option<Stage> {
        titled(&Found::text(subject, Place::Header("Subject")), subject).unwrap().map(|stage| stage.value)
    }

    #[test]
    fn the_title_states_the_kind_of_the_notice() {
        for (subject, stage) in [
            ("***Example***ZAYO TTN-0001 Demand MAINTENANCE NOTIFICATION***", Stage::Planned),
            ("[list] Fwd: ***Example***ZAYO TTN-0001 Emergency MAINTENANCE NOTIFICATION***", Stage::Planned),
            ("REMINDER NOTIFICATION***Example***ZAYO TTN-0001 Planned***", Stage::Planned),
            ("UPDATED MAINTENANCE NOTIFICATION***Example***ZAYO TTN-0001 Planned***", Stage::Planned),
            ("START MAINTENANCE NOTIFICATION***Example***ZAYO TTN-0001 Courtesy***", Stage::Started),
            ("END OF WINDOW NOTIFICATION***Example***ZAYO TTN-0001 Planned***", Stage::Closed),
            ("PARTIALLY COMPLETED NOTIFICATION***Example***ZAYO TTN-0001 Planned***", Stage::Partial),
            ("COMPLETED MAINTENANCE NOTIFICATION***Example***ZAYO TTN-0001 Planned***", Stage::Completed),
            ("Re: CANCELLED NOTIFICATION***Example***ZAYO TTN-0001 Planned**", Stage::Cancelled),
            ("Rescheduled Maintenance***ZAYO TTN-0001 MAINTENANCE NOTIFICATION***", Stage::Rescheduled),
            ("POSTPONED NOTIFICATION***Example***ZAYO TTN-0001 Planned***", Stage::Rescheduled),
        ] {
            assert_eq!(title(subject), Some(stage), "{subject}");
        }
        assert_eq!(title("Maintenance notification"), None);
        let odd = "ODD NOTICE***Example***ZAYO TTN-0001 ***";
        assert!(titled(&Found::text(odd, Place::Header("Subject")), odd).is_err());
    }

    #[test]
    fn the_text_before_the_ticket_says_it_too() {
        let read =
            |text: &str| told(&Lines::of_text(&format!("{text}\nMaintenance Ticket #: TTN-0001\nwas cancelled")));
        for (text, stage) in [
            ("Zayo will be working on its network. This may affect you.", None),
            ("The work will commence in 24 hours.", None),
            ("The activity is commencing shortly.", Some(Stage::Started)),
            ("The maintenance window has now closed. If services are down, call.", Some(Stage::Closed)),
            ("The work was not completed.", Some(Stage::Partial)),
            ("The maintenance window for TTN-0001 on 12-Apr-2027 has ended.", Some(Stage::Closed)),
            ("The maintenance window has closed.\nAll work has been completed.", Some(Stage::Completed)),
            ("The maintenance has been cancelled.", Some(Stage::Cancelled)),
            ("** Revised dates **\nA provider has rescheduled the work.", Some(Stage::Rescheduled)),
            ("We cancelled our own work.\nFrom: them\nSubject: this\nNote the following.", None),
        ] {
            assert_eq!(read(text).unwrap().map(|stage| stage.value), stage, "{text}");
        }
        assert!(read("The work was cancelled.\nThe work has been completed.").is_err());
    }

    #[test]
    fn a_closed_window_is_over_and_one_ahead_has_no_status() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = Some(time("2024-07-02T09:10:00Z"));
        let (behind, ahead) = (time("2024-07-02T04:01:00Z"), time("2024-07-03T04:01:00Z"));
        assert_eq!(Stage::Closed.status(&[behind], now), Some(Status::Completed));
        assert_eq!(Stage::Closed.status(&[behind, ahead], now), None);
        assert_eq!(Stage::Closed.status(&[behind], None), None);
        assert_eq!(Stage::Partial.status(&[behind], now), None);
        assert_eq!(Stage::Cancelled.status(&[ahead], now), Some(Status::Cancelled));
    }
}
