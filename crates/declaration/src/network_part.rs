//! A part of a network, as what is placed there names it.

use std::fmt;

/// A subnet or a security group, as others name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum NetworkPart {
    /// The stack's own, by its entry.
    Own(String),
    /// One that exists, by its id.
    Existing(String),
}

impl NetworkPart {
    /// Returns the id of one that exists; `None` for the stack's own.
    pub fn existing(&self) -> Option<&str> {
        match self {
            Self::Existing(id) => Some(id),
            Self::Own(_) => None,
        }
    }

    /// Returns the entry of the stack's own; `None` for one that exists.
    pub fn own(&self) -> Option<&str> {
        match self {
            Self::Own(entry) => Some(entry),
            Self::Existing(_) => None,
        }
    }
}

impl fmt::Display for NetworkPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(text) | Self::Existing(text) => formatter.write_str(text),
        }
    }
}
