//! Decides what is done with a mail that was read. Pure, so that it can be tested with a table.

use contract::receipt_event::Verdicts;
use mail::Mail;
use notice::{
    model::Maintenance,
    outcome::{Notice, Outcome, Recognised},
};
use trust::{Doubt, Evidence, NoEvidence, Policy, Say, Scope, Standing};

/// The decision on a mail.
#[derive(Debug, Clone)]
pub enum Decision {
    /// Deliver the notice.
    Deliver(Notice),
    /// Do nothing.
    Ignore {
        /// Why it is not a notice.
        reason: String,
    },
    /// Hand it to a person.
    HandOver {
        /// Why a person has to look at it.
        reason: String,
        /// Maintenances that could be read, unverified.
        suggestion: Vec<Maintenance>,
    },
}

/// Decides on a mail. A mail that is not trusted is not even ignored: otherwise anybody could have a notice
/// passed over.
pub fn decide(
    policy: &Policy,
    verdicts: &Verdicts,
    evidence: &Result<Evidence, NoEvidence>,
    mail: &Mail,
    outcome: Outcome,
) -> Decision {
    let judge = |recognised: &Recognised, say: Say<'_>| trust::judge(policy, verdicts, evidence, mail, recognised, say);
    match outcome {
        Outcome::Notice(mut notice) => {
            let announced: Vec<&str> = notice.maintenances.iter().filter_map(Maintenance::announced_provider).collect();
            match judge(&notice.recognised, Say::Change(&announced)) {
                Ok(trust) => {
                    if let (Standing::TrustedSender, Scope::Provider(name)) = (trust.standing, trust.scope) {
                        notice.speak_for(&name);
                    }
                    Decision::Deliver(notice)
                }
                Err(doubt) => Decision::HandOver { reason: untrusted(&doubt), suggestion: notice.maintenances },
            }
        }
        Outcome::Ignored { recognised, reason } => match judge(&recognised, Say::Nothing) {
            Ok(_) => Decision::Ignore { reason },
            Err(doubt) => Decision::HandOver { reason: both(reason, Some(doubt)), suggestion: Vec::new() },
        },
        Outcome::Failed { recognised, failure, suggestion } => {
            let doubt = judge(&recognised, Say::Nothing).err();
            Decision::HandOver { reason: both(failure.to_string(), doubt), suggestion }
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
