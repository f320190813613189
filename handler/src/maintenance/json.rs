//! The 12 keys of a maintenance as JSON: what whoever used the Python parser knows.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    model::{Circuit, Maintenance, Status},
    outcome::Outcome,
};

/// A maintenance with the 12 keys, in the order in which they are written. What is read back owns its texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record<'maintenance> {
    /// The provider as the notice names it, else our slug.
    pub provider: Cow<'maintenance, str>,
    /// The customer's account; may be empty.
    pub account: Cow<'maintenance, str>,
    /// The provider's id.
    pub maintenance_id: Cow<'maintenance, str>,
    /// Where it stands.
    pub status: Status,
    /// In the mail's order.
    pub circuits: Cow<'maintenance, [Circuit]>,
    /// Seconds since the epoch, UTC; null for a final notice without a window.
    pub start: Option<i64>,
    /// Seconds since the epoch, UTC; null for a final notice without a window.
    pub end: Option<i64>,
    /// Seconds since the epoch, UTC.
    pub stamp: i64,
    /// Who announced it.
    pub organizer: Cow<'maintenance, str>,
    /// The calendar's UID, else `0`.
    pub uid: Cow<'maintenance, str>,
    /// The revision; 1 where the notice states none.
    pub sequence: u32,
    /// What is done and why.
    pub summary: Cow<'maintenance, str>,
}

impl<'maintenance> From<&'maintenance Maintenance> for Record<'maintenance> {
    fn from(maintenance: &'maintenance Maintenance) -> Self {
        let window = maintenance.window();
        Self {
            provider: maintenance.announced_provider().unwrap_or(maintenance.provider()).into(),
            account: maintenance.account_text().into(),
            maintenance_id: maintenance.id().into(),
            status: maintenance.status(),
            circuits: maintenance.circuits().into(),
            start: window.map(|window| window.start().as_second()),
            end: window.map(|window| window.end().as_second()),
            stamp: maintenance.stamp().as_second(),
            organizer: maintenance.organizer().into(),
            uid: maintenance.uid().into(),
            sequence: maintenance.sequence().unwrap_or(1),
            summary: maintenance.summary().into(),
        }
    }
}

impl Record<'_> {
    /// The same record, independent of the maintenance that it was made from.
    pub fn into_owned(self) -> Record<'static> {
        Record {
            provider: self.provider.into_owned().into(),
            account: self.account.into_owned().into(),
            maintenance_id: self.maintenance_id.into_owned().into(),
            status: self.status,
            circuits: self.circuits.into_owned().into(),
            start: self.start,
            end: self.end,
            stamp: self.stamp,
            organizer: self.organizer.into_owned().into(),
            uid: self.uid.into_owned().into(),
            sequence: self.sequence,
            summary: self.summary.into_owned().into(),
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
