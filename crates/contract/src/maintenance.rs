//! A maintenance as JSON, with the 12 keys that users of the Python parser know, and the values in it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::identifier::Identifier;

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

/// The details of a report about announced maintenances. A function whose details have these keys is shown with a table of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// What was delivered.
    #[serde(default)]
    pub maintenances: Vec<Record<'static>>,
    /// What could be read of a mail that is for a person, unverified.
    #[serde(default)]
    pub suggestion: Vec<Record<'static>>,
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

/// Where a maintenance stands. The words are those of the MAINTNOTE standard, with `NO-CHANGE` for an entry without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
pub enum Status {
    /// Planned, not settled.
    Tentative,
    /// Settled.
    Confirmed,
    /// Will not take place.
    Cancelled,
    /// Has begun.
    InProcess,
    /// Is over.
    Completed,
    /// Has a new window.
    #[serde(rename = "RE-SCHEDULED")]
    ReScheduled,
    /// The notice does not say: whatever was known stays.
    NoChange,
}

/// What a maintenance does to a circuit, from the least to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
pub enum Impact {
    /// Nothing.
    NoImpact,
    /// A protection path is away.
    ReducedRedundancy,
    /// Works, but worse.
    Degraded,
    /// Down.
    Outage,
}

macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $type {
            /// The standard's word for it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
            /// Reads the standard's word, without case.
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
    /// Whether nothing more will happen: such a notice may lack circuits and a window.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Cancelled | Self::Completed)
    }
}

/// A circuit, port or service of the customer, and what happens to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenCircuit")]
pub struct Circuit {
    /// The provider's id of it, as written in the notice; never empty, never a placeholder.
    #[serde(rename = "circuit_id")]
    id: String,
    impact: Impact,
}

/// A circuit as it stands in JSON, not yet looked at.
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
    /// Returns the circuit with that id, or `None` where the text is no id. See [`Identifier::new`].
    pub fn new(id: &str, impact: Impact) -> Option<Self> {
        Some(Self { id: Identifier::new(id)?.as_str().to_owned(), impact })
    }

    /// The provider's id of it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What happens to it.
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
