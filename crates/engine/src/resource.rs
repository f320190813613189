//! Desired resources and what is found in their place.

use serde::Serialize;

use crate::{Address, Failure, Kind, Live};

/// A resource of the stack: its kind, and the entry of the declaration that it is made for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Id<K: Kind> {
    /// Its kind.
    pub kind: K,
    /// The entry, or what the entry implies: `maintenance`, `maintenance.errors`.
    pub entry: String,
}

impl<K: Kind> Id<K> {
    /// A resource of an entry.
    pub fn new(kind: K, entry: impl Into<String>) -> Self {
        Self { kind, entry: entry.into() }
    }
}

impl<K: Kind> std::fmt::Display for Id<K> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.kind.name(), self.entry)
    }
}

/// A resource that is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource<K: Kind> {
    /// What it is called here.
    pub id: Id<K>,
    /// Where it is in AWS.
    pub address: Address,
    /// As it is to be.
    pub settings: K::Settings,
    /// What must be there before it.
    pub after: Vec<Id<K>>,
}

/// What is found at an address. A read that failed is never taken for an absence: what exists would be made again.
#[derive(Debug, Clone, PartialEq)]
pub enum Read<K: Kind> {
    /// It is there.
    Present(Live<K::Settings>),
    /// AWS says that there is no such thing.
    Absent,
    /// Nobody knows.
    Unreadable(Failure),
}
