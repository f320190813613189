//! Desired resources, and the results of reading live ones.

use std::{error::Error, fmt};

use serde::Serialize;

use crate::{Address, Failure, Kind, Live, Protection};

/// A resource of the stack: its kind, and the entry of the declaration that it is made for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Id<K: Kind> {
    /// Kind of the resource.
    pub kind: K,
    /// Entry of the declaration, with a suffix for what the entry implies: `maintenance`, `maintenance.errors`.
    pub entry: String,
}

impl<K: Kind> Id<K> {
    /// Returns the identity of an entry's resource.
    pub fn new(kind: K, entry: impl Into<String>) -> Self {
        Self { kind, entry: entry.into() }
    }

    /// Returns the id as a person types it, `KIND/ENTRY`: `bucket/mail`, `log-group/reader`.
    pub fn typed(&self) -> String {
        format!("{}/{}", self.kind.typed(), self.entry)
    }

    /// Returns the id that a person typed as `KIND/ENTRY`. The words of a kind may be joined by `-` or `_`.
    pub fn parse(typed: &str) -> Result<Self, UnknownKind> {
        let unknown = || UnknownKind { typed: typed.to_owned() };
        let (kind, entry) = typed.trim().split_once('/').ok_or_else(unknown)?;
        let kind = kind.replace(['-', '_'], " ");
        let kind = K::all().iter().find(|one| one.name() == kind).filter(|_| !entry.is_empty()).ok_or_else(unknown)?;
        Ok(Self::new(*kind, entry))
    }
}

/// A typed id that names no kind, or no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKind {
    /// Name, as it was typed.
    pub typed: String,
}

impl Error for UnknownKind {}

impl fmt::Display for UnknownKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Failed to understand `{}`: it is not KIND/ENTRY, such as `bucket/mail`", self.typed)
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind.name(), self.entry)
    }
}

/// A resource as it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource<K: Kind> {
    /// Identity within the stack.
    pub id: Id<K>,
    /// Address of the resource in AWS.
    pub address: Address,
    /// Settings that the resource should have.
    pub settings: K::Settings,
    /// Resources that must exist before it.
    pub after: Vec<Id<K>>,
    /// Entry that it was for before, as the declaration says under `moved`; `None` if its tag is to be what it is.
    pub moved_from: Option<String>,
    /// Undeclared protections of the live one, which the settings have taken over.
    pub protections: Vec<Protection>,
}

/// The result of reading an address. A failed read is never taken for absence: an existing resource would be created again.
#[derive(Debug, Clone, PartialEq)]
pub enum Read<K: Kind> {
    /// The resource exists, with these settings.
    Present(Live<K::Settings>),
    /// The resource does not exist, as AWS says.
    Absent,
    /// The read failed: whether it exists is unknown.
    Unreadable(Failure),
}
