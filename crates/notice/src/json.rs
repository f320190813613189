//! The 12 keys of a maintenance as JSON: what whoever used the Python parser knows.

use contract::maintenance::Record;
use serde::Serialize;

use super::{model::Maintenance, outcome::Outcome};

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

/// An outcome as `provision parse --json` and the log of the function `maintenance` show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutcomeRecord<'outcome> {
    /// `maintenance`, `ignored`, `failed` or `unrecognised`.
    pub outcome: &'static str,
    /// The slug of the provider, where one was recognised.
    pub provider: Option<&'static str>,
    /// The reason why the mail is not a maintenance; `None` if it is one.
    pub reason: Option<String>,
    /// Maintenances that the notice announces.
    pub maintenances: Vec<Record<'outcome>>,
    /// Unverified maintenances of a mail that was not understood.
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
