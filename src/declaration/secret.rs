//! `secrets`: those that exist are named, ours get their value from elsewhere. No value ever stands in a declaration.

use std::{collections::BTreeMap, path::PathBuf};

/// A secret in Secrets Manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Whose it is.
    pub source: SecretSource,
    /// For people; may be empty. Empty for one that exists.
    pub description: String,
    /// Besides those of the stack, which they stand over. Empty for one that exists.
    pub tags: BTreeMap<String, String>,
}

/// Whose a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// Somebody else's, by its name in Secrets Manager: it is read, and never changed.
    Existing(String),
    /// Ours: its value is read from here when it is created, and when it is asked for.
    Created(ValueFrom),
}

/// Where the value of a secret is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueFrom {
    /// A file, relative to the declaration; a line end at its end is no part of the value.
    File(PathBuf),
    /// An environment variable of whoever runs `provision`.
    Environment(String),
    /// Standard input.
    Stdin,
}
