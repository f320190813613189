//! Understanding notices: [`parse`] tells what a mail is. Pure and total.

pub mod calendar;
pub mod dates;
pub mod draft;
pub mod failure;
pub mod found;
pub mod json;
pub mod lines;
pub mod model;
pub mod outcome;
pub mod page;
pub mod pattern;
pub mod provider;
pub mod providers;
mod recognise;
pub mod sheet;
pub mod source;
pub mod words;
pub mod zones;

use crate::mail::{Defect, Mail};
use failure::Failure;
use outcome::{Notice, Outcome, Recognised};
use provider::Reading;
use source::Source;

/// What a mail is.
pub fn parse(mail: &Mail) -> Outcome {
    let recognised = match recognise::recognise(mail) {
        Ok(recognised) => recognised,
        Err(reason) => return Outcome::Unrecognised { reason, suggestion: Vec::new() },
    };
    if let Some(defect) = mail.defects.first() {
        let failure = match defect {
            Defect::CutShort => Failure::cut_short("the end of the mail: its last MIME boundary is missing"),
            Defect::TooLarge(size) => Failure::too_large(format!(
                "a text part of at most {} bytes, this one has {size}",
                crate::mail::LARGEST_TEXT
            )),
            Defect::TooDeep => Failure::too_large("parts nested less deeply"),
            Defect::TooMany(most) => Failure::too_large(format!("at most {most} parts")),
            Defect::SeveralMessages(count) => {
                Failure::ambiguous(format!("one attached message, there are {count} side by side"))
            }
        };
        return Outcome::Failed { recognised, failure, suggestion: Vec::new() };
    }
    read(mail, recognised)
}

fn read(mail: &Mail, recognised: Recognised) -> Outcome {
    let source = Source::new(mail, recognised.provider);
    let drafts = match (recognised.provider.read)(&source) {
        Ok(Reading::Notice(drafts)) => drafts,
        // Nothing shows what a mail without a word is: its text may have been lost on the way.
        Ok(Reading::Other(_)) if is_blank(mail) => {
            return Outcome::Failed { recognised, failure: Failure::missing("a body"), suggestion: Vec::new() };
        }
        Ok(Reading::Other(reason)) => return Outcome::Ignored { recognised, reason },
        Err(failure) => return Outcome::Failed { recognised, failure, suggestion: Vec::new() },
    };
    let maintenances: Result<Vec<_>, _> = drafts.into_iter().map(draft::Draft::build).collect();
    match maintenances {
        Ok(maintenances) if maintenances.is_empty() => {
            Outcome::Failed { recognised, failure: Failure::missing("a maintenance"), suggestion: Vec::new() }
        }
        Ok(maintenances) => Outcome::Notice(Notice { recognised, announced_at: source.announced_at(), maintenances }),
        Err(failure) => Outcome::Failed { recognised, failure, suggestion: Vec::new() },
    }
}

fn is_blank(mail: &Mail) -> bool {
    mail.texts.iter().chain(&mail.pages).all(|body| body.trim().is_empty()) && mail.calendars.is_empty()
}
