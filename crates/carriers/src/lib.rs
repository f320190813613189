//! Reads carriers' mails: [`parse`] returns the outcome of a mail. One file per carrier, one registry. Pure and total, as `notice` is.
//!
//! Beside `notice` and not in it, since a function is compiled for size, and only what reads every mail for speed.

pub mod providers;
mod recognise;

use mail::{Defect, Mail};
use notice::{
    draft::Draft,
    failure::{Failure, FailureKind},
    fallback,
    found::Place,
    gate, maintnote,
    model::Maintenance,
    outcome::{Notice, Outcome, Recognised},
    provider::Reading,
    source::Source,
    whole,
};
use providers::genericprovider;

/// Recognises a mail's provider and reads its notice. Of an answer above a quotation the answer counts: what it quotes is no
/// notice of today.
///
/// ```
/// use notice::outcome::Outcome;
///
/// let mail = mail::Mail::decode(b"From: someone@stranger.example\r\nSubject: lunch\r\n\r\nAt noon?\r\n");
/// assert!(matches!(carriers::parse(&mail), Outcome::Unrecognised { suggestion, .. } if suggestion.is_empty()));
/// ```
pub fn parse(mail: &Mail) -> Outcome {
    let Some(answer) = mail.without_quotation() else { return parse_whole(mail) };
    match (parse_whole(&answer), parse_whole(mail)) {
        (Outcome::Notice(notice), _) if notice.maintenances.iter().all(stands_in_body) => Outcome::Notice(notice),
        (Outcome::Ignored { recognised, reason }, Outcome::Ignored { .. }) => Outcome::Ignored { recognised, reason },
        (_, Outcome::Unrecognised { reason, suggestion }) => Outcome::Unrecognised { reason, suggestion },
        (_, Outcome::Notice(Notice { recognised, maintenances, .. })) => {
            Outcome::Failed { recognised, failure: quoted_below(), suggestion: maintenances }
        }
        (_, Outcome::Failed { recognised, suggestion, .. }) => {
            Outcome::Failed { recognised, failure: quoted_below(), suggestion }
        }
        (_, Outcome::Ignored { recognised, .. }) => {
            Outcome::Failed { recognised, failure: quoted_below(), suggestion: Vec::new() }
        }
    }
}

/// Returns whether more of a maintenance than its status stands below the headers: an answer keeps the subject of what it
/// answers.
fn stands_in_body(maintenance: &Maintenance) -> bool {
    let is_below = |place: &Place| !matches!(place, Place::Header(_) | Place::Rule(_));
    let is_said = |field: &str| matches!(field, "maintenance_id" | "start" | "circuits");
    maintenance.evidence().iter().any(|evidence| is_said(evidence.field) && is_below(&evidence.place))
}

fn quoted_below() -> Failure {
    Failure::ambiguous("a whole notice above the quotation: what is quoted below an answer is of another day")
}

fn parse_whole(mail: &Mail) -> Outcome {
    let source = Source::new(mail, &genericprovider::PROVIDER);
    let recognised = match recognise::recognise(&source) {
        Ok(recognised) => recognised,
        Err(refusal) => {
            let read = |provider| suggest(&source.read_as(provider));
            let unknown = || fallback::suggest(&source.read_as(&fallback::UNKNOWN));
            return Outcome::Unrecognised {
                reason: refusal.reason,
                suggestion: refusal.suspect.map_or_else(unknown, read),
            };
        }
    };
    let source = source.read_as(recognised.provider);
    match mail.defects.first() {
        Some(defect) => Outcome::Failed { recognised, failure: failure_of(defect), suggestion: suggest(&source) },
        None => read(&source, recognised),
    }
}

fn failure_of(defect: &Defect) -> Failure {
    match defect {
        Defect::CutShort => Failure::cut_short("the end of the mail, which stops in the midst of it"),
        Defect::TooLarge(size) => {
            Failure::too_large(format!("a text part of at most {} bytes, this one has {size}", mail::LARGEST_TEXT))
        }
        Defect::TooDeep => Failure::too_large("parts nested less deeply"),
        Defect::TooMany(most) => Failure::too_large(format!("at most {most} parts")),
        Defect::TooManyLines(most) => Failure::too_large(format!("at most {most} lines of text")),
        Defect::SeveralMessages(count) => {
            Failure::ambiguous(format!("one attached message, there are {count} side by side"))
        }
    }
}

fn read(source: &Source<'_>, recognised: Recognised) -> Outcome {
    let drafts = match (recognised.provider.read)(source) {
        Ok(Reading::Notice(drafts)) => drafts,
        // Nothing shows what a mail without a word is: its text may have been lost on the way.
        Ok(Reading::Other(_)) if is_blank(source.mail()) => {
            return Outcome::Failed { recognised, failure: Failure::missing("a body"), suggestion: Vec::new() };
        }
        Ok(Reading::Other(reason)) => {
            return match gate::other::proof(source) {
                Ok(kind) => Outcome::Ignored { recognised, reason: format!("{reason}; {kind}") },
                Err(failure) => {
                    let suggestion = unread(source, &failure);
                    Outcome::Failed { recognised, failure, suggestion }
                }
            };
        }
        Ok(Reading::Doubted(failure, drafts)) => {
            return Outcome::Failed { recognised, failure, suggestion: whole(drafts) };
        }
        Err(failure) => {
            let suggestion = unread(source, &failure);
            return Outcome::Failed { recognised, failure, suggestion };
        }
    };
    let (mut maintenances, mut failure) = (Vec::with_capacity(drafts.len()), None);
    for built in drafts.into_iter().map(Draft::build) {
        match built {
            Ok(maintenance) => maintenances.push(maintenance),
            Err(first) => failure = failure.or(Some(first)),
        }
    }
    match failure {
        None if maintenances.is_empty() => {
            let failure = Failure::missing("a maintenance");
            Outcome::Failed { recognised, failure, suggestion: from_calendars(source) }
        }
        None => match whole::check(source, &maintenances).and_then(|()| gate::check(source, &maintenances)) {
            Ok(()) => Outcome::Notice(Notice { recognised, announced_at: source.announced_at(), maintenances }),
            Err(failure) => Outcome::Failed { recognised, failure, suggestion: maintenances },
        },
        Some(failure) => {
            let suggestion = if maintenances.is_empty() { unread(source, &failure) } else { maintenances };
            Outcome::Failed { recognised, failure, suggestion }
        }
    }
}

/// Returns the maintenances of a notice that its provider's reader could not read: those of its calendars, or, if the notice
/// lacks parts of the provider's format, those that it states in other words. Parts that contradict each other are for a
/// person alone.
fn unread(source: &Source<'_>, failure: &Failure) -> Vec<Maintenance> {
    let read = from_calendars(source);
    let is_other = read.is_empty() && failure.kind == FailureKind::Missing;
    if is_other { fallback::suggest(source) } else { read }
}

/// Returns what this provider would read from the mail, unverified: for a person to confirm.
fn suggest(source: &Source<'_>) -> Vec<Maintenance> {
    match (source.provider().read)(source) {
        Ok(Reading::Notice(drafts) | Reading::Doubted(_, drafts)) => whole(drafts),
        Ok(Reading::Other(_)) => Vec::new(),
        Err(_) => from_calendars(source),
    }
}

/// Returns the maintenances of the mail's MAINTNOTE calendars, whether or not the provider uses them.
fn from_calendars(source: &Source<'_>) -> Vec<Maintenance> {
    whole(maintnote::suggest(source))
}

/// Returns those drafts that are whole.
fn whole(drafts: Vec<Draft>) -> Vec<Maintenance> {
    drafts.into_iter().filter_map(|draft| draft.build().ok()).collect()
}

fn is_blank(mail: &Mail) -> bool {
    mail.texts.iter().chain(&mail.pages).all(|body| body.trim().is_empty()) && mail.calendars.is_empty()
}
