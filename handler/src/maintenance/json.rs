//! The 12 keys of a maintenance as JSON: what whoever used the Python parser knows.

use serde::Serialize;

use super::{
    model::{Circuit, Maintenance, Status},
    outcome::Outcome,
};

/// A maintenance with the 12 keys, in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record<'maintenance> {
    /// The provider as the notice names it, else our slug.
    pub provider: &'maintenance str,
    /// The customer's account; may be empty.
    pub account: &'maintenance str,
    /// The provider's id.
    pub maintenance_id: &'maintenance str,
    /// Where it stands.
    pub status: Status,
    /// In the mail's order.
    pub circuits: &'maintenance [Circuit],
    /// Seconds since the epoch, UTC; null for a final notice without a window.
    pub start: Option<i64>,
    /// Seconds since the epoch, UTC; null for a final notice without a window.
    pub end: Option<i64>,
    /// Seconds since the epoch, UTC.
    pub stamp: i64,
    /// Who announced it.
    pub organizer: &'maintenance str,
    /// The calendar's UID, else `0`.
    pub uid: &'maintenance str,
    /// The revision; 1 where the notice states none.
    pub sequence: u32,
    /// What is done and why.
    pub summary: &'maintenance str,
}

impl<'maintenance> From<&'maintenance Maintenance> for Record<'maintenance> {
    fn from(maintenance: &'maintenance Maintenance) -> Self {
        let window = maintenance.window();
        Self {
            provider: maintenance.announced_provider().unwrap_or(maintenance.provider()),
            account: maintenance.account(),
            maintenance_id: maintenance.id(),
            status: maintenance.status(),
            circuits: maintenance.circuits(),
            start: window.map(|window| window.start().as_second()),
            end: window.map(|window| window.end().as_second()),
            stamp: maintenance.stamp().as_second(),
            organizer: maintenance.organizer(),
            uid: maintenance.uid(),
            sequence: maintenance.sequence().unwrap_or(1),
            summary: maintenance.summary(),
        }
    }
}

/// An outcome as `provision parse --json` and the handler's log show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutcomeRecord<'outcome> {
    /// `maintenance`, `ignored`, `failed` or `unrecognised`.
    pub outcome: &'static str,
    /// The slug of the provider, where one was recognised.
    pub provider: Option<&'static str>,
    /// Why it is no maintenance.
    pub reason: Option<String>,
    /// What is announced.
    pub maintenances: Vec<Record<'outcome>>,
    /// What could be read of a mail that was not understood, unverified.
    pub suggestion: Vec<Record<'outcome>>,
}

impl<'outcome> From<&'outcome Outcome> for OutcomeRecord<'outcome> {
    fn from(outcome: &'outcome Outcome) -> Self {
        let records = |maintenances: &'outcome [Maintenance]| maintenances.iter().map(Record::from).collect();
        let empty =
            Self { outcome: "", provider: None, reason: None, maintenances: Vec::new(), suggestion: Vec::new() };
        match outcome {
            Outcome::Notice(notice) => Self {
                outcome: "maintenance",
                provider: Some(notice.recognised.provider.slug),
                maintenances: records(&notice.maintenances),
                ..empty
            },
            Outcome::Ignored { recognised, reason } => Self {
                outcome: "ignored",
                provider: Some(recognised.provider.slug),
                reason: Some(reason.clone()),
                ..empty
            },
            Outcome::Failed { recognised, failure, suggestion } => Self {
                outcome: "failed",
                provider: Some(recognised.provider.slug),
                reason: Some(failure.to_string()),
                suggestion: records(suggestion),
                ..empty
            },
            Outcome::Unrecognised { reason, suggestion } => {
                Self { outcome: "unrecognised", reason: Some(reason.clone()), suggestion: records(suggestion), ..empty }
            }
        }
    }
}
