//! What is to be done with a mail that was read: pure, so that it can be shown in a table.

use contract::receipt_event::Verdicts;
use mail::Mail;
use notice::{
    model::Maintenance,
    outcome::{Notice, Outcome, Recognised},
};
use trust::{Doubt, Policy};

/// What is to be done with a mail.
#[derive(Debug, Clone)]
pub enum Decision {
    /// Deliver the notice.
    Deliver(Notice),
    /// Nothing.
    Ignore {
        /// Why it is no notice.
        reason: String,
    },
    /// Put it before a person.
    HandOver {
        /// Why a person has to look at it.
        reason: String,
        /// What could be read, unverified.
        suggestion: Vec<Maintenance>,
    },
}

/// Decides on a mail. What is not trusted is not even ignored: else anybody could have a notice passed over.
pub fn decide(policy: &Policy, verdicts: &Verdicts, ses_message_id: &str, mail: &Mail, outcome: Outcome) -> Decision {
    let judge = |recognised: &Recognised| trust::judge(policy, verdicts, ses_message_id, mail, recognised);
    match outcome {
        Outcome::Notice(notice) => match judge(&notice.recognised) {
            Ok(_) => Decision::Deliver(notice),
            Err(doubt) => Decision::HandOver { reason: untrusted(&doubt), suggestion: notice.maintenances },
        },
        Outcome::Ignored { recognised, reason } => match judge(&recognised) {
            Ok(_) => Decision::Ignore { reason },
            Err(doubt) => Decision::HandOver { reason: both(reason, Some(doubt)), suggestion: Vec::new() },
        },
        Outcome::Failed { recognised, failure, suggestion } => {
            Decision::HandOver { reason: both(failure.to_string(), judge(&recognised).err()), suggestion }
        }
        Outcome::Unrecognised { reason, suggestion } => {
            let doubt = trust::of_verdicts(policy, verdicts).err();
            Decision::HandOver { reason: both(reason, doubt), suggestion }
        }
    }
}

fn untrusted(doubt: &Doubt) -> String {
    format!("not trusted: {doubt}")
}

fn both(reason: String, doubt: Option<Doubt>) -> String {
    match doubt {
        Some(doubt) => format!("{reason}; {}", untrusted(&doubt)),
        None => reason,
    }
}
