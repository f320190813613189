//! A maintenance as JSON, with the 12 keys that users of the Python parser know, and the values in it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::identifier::Identifier;

/// A maintenance with the 12 keys, in the order in which they are written. A record that was read back owns its texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record<'maintenance> {
    /// Provider as the notice names it, else our slug.
    pub provider: Cow<'maintenance, str>,
    /// Account of the customer; may be empty.
    pub account: Cow<'maintenance, str>,
    /// Id that the provider gave the maintenance.
    pub maintenance_id: Cow<'maintenance, str>,
    /// Status that the notice states.
    pub status: Status,
    /// Circuits, in the mail's order.
    pub circuits: Cow<'maintenance, [Circuit]>,
    /// Start of the window, in seconds since the epoch; `None` for a final notice without a window.
    pub start: Option<i64>,
    /// End of the window, in seconds since the epoch; `None` for a final notice without a window.
    pub end: Option<i64>,
    /// Time of the notice, in seconds since the epoch.
    pub stamp: i64,
    /// Author of the announcement.
    pub organizer: Cow<'maintenance, str>,
    /// UID of the calendar, else `0`.
    pub uid: Cow<'maintenance, str>,
    /// Revision of the notice; 1 if it states none.
    pub sequence: u32,
    /// Description of the work and its reason.
    pub summary: Cow<'maintenance, str>,
}

/// The details of a report about announced maintenances. A function whose details have these keys is shown with a table of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// Maintenances that were delivered.
    #[serde(default)]
    pub maintenances: Vec<Record<'static>>,
    /// Maintenances that could be read from a mail that is for a person, unverified.
    #[serde(default)]
    pub suggestion: Vec<Record<'static>>,
}

impl Record<'_> {
    /// Returns the same record with texts of its own.
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

/// Status of a maintenance. The words are those of the MAINTNOTE standard, with `NO-CHANGE` for an entry without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
pub enum Status {
    /// Planned, not yet settled.
    Tentative,
    /// Settled by the provider.
    Confirmed,
    /// Will not take place.
    Cancelled,
    /// The work has begun.
    InProcess,
    /// The work is over.
    Completed,
    /// Moved to a new window.
    #[serde(rename = "RE-SCHEDULED")]
    ReScheduled,
    /// The notice states no status: the known one stays.
    NoChange,
}

/// Impact of a maintenance on a circuit, from the least to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
pub enum Impact {
    /// No impact on the circuit.
    NoImpact,
    /// A protection path is down.
    ReducedRedundancy,
    /// The circuit works, but worse.
    Degraded,
    /// The circuit is down.
    Outage,
}

macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $type {
            /// Returns the standard's word.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
            /// Reads the standard's word, in either case; `None` for another word.
            pub fn from_word(word: &str) -> Option<Self> {
                $(if word.trim().eq_ignore_ascii_case($word) { return Some(Self::$variant); })*
                None
            }
        }
        impl std::fmt::Display for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.word())
            }
        }
    };
}

words!(Status {
    Tentative = "TENTATIVE",
    Confirmed = "CONFIRMED",
    Cancelled = "CANCELLED",
    InProcess = "IN-PROCESS",
    Completed = "COMPLETED",
    ReScheduled = "RE-SCHEDULED",
    NoChange = "NO-CHANGE",
});
words!(Impact { NoImpact = "NO-IMPACT", ReducedRedundancy = "REDUCED-REDUNDANCY", Degraded = "DEGRADED", Outage = "OUTAGE" });

impl Status {
    /// Returns whether nothing more will happen: such a notice may lack circuits and a window.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Cancelled | Self::Completed)
    }
}

/// A circuit, port or service of the customer, and the impact on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenCircuit")]
pub struct Circuit {
    /// Id that the provider gave it, as written in the notice; never empty, never a placeholder.
    #[serde(rename = "circuit_id")]
    id: String,
    impact: Impact,
}

/// A circuit as written in JSON, not yet validated.
#[derive(Deserialize)]
struct WrittenCircuit {
    circuit_id: String,
    impact: Impact,
}

impl TryFrom<WrittenCircuit> for Circuit {
    type Error = &'static str;

    fn try_from(written: WrittenCircuit) -> Result<Self, Self::Error> {
        Self::new(&written.circuit_id, written.impact).ok_or("a circuit whose id is blank or a placeholder")
    }
}

impl Circuit {
    /// Returns the circuit with that id; `None` if the text is not an id. See [`Identifier::new`].
    pub fn new(id: &str, impact: Impact) -> Option<Self> {
        Some(Self { id: Identifier::new(id)?.into_string(), impact })
    }

    /// Returns the id that the provider gave it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the impact on it.
    pub fn impact(&self) -> Impact {
        self.impact
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circuit_without_an_id_is_refused() {
        let written = r#"{"circuit_id":"C-1","impact":"OUTAGE"}"#;
        assert_eq!(serde_json::from_str::<Circuit>(written).unwrap().id(), "C-1");
        assert!(serde_json::from_str::<Circuit>(&written.replace("C-1", "  ")).is_err());
    }
}
