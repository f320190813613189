//! The fields of a kind's settings, and how a change of each is treated.

use serde::Serialize;

/// A field, by its path: `public_access.block_policy`. `tags.*` is every path below `tags`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Path in the settings.
    pub path: &'static str,
    /// Treatment of a change.
    pub treatment: Treatment,
}

/// The treatments of a field's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// Changed by itself, in place.
    Plain,
    /// AWS changes these fields together: a change of one may show as a change of any of them.
    Coupled(&'static [&'static str]),
    /// AWS cannot change it: the resource is replaced, for this reason.
    Immutable(&'static str),
}

/// Returns a field that can be changed by itself.
pub const fn plain(path: &'static str) -> Field {
    Field { path, treatment: Treatment::Plain }
}

/// Returns a field that AWS changes together with others.
pub const fn coupled(path: &'static str, set: &'static [&'static str]) -> Field {
    Field { path, treatment: Treatment::Coupled(set) }
}

/// Returns a field that changes only by a replacement.
pub const fn immutable(path: &'static str, reason: &'static str) -> Field {
    Field { path, treatment: Treatment::Immutable(reason) }
}

impl Field {
    /// Returns `true` if a path belongs to this field.
    pub fn covers(&self, path: &str) -> bool {
        match self.path.strip_suffix(".*") {
            Some(above) => path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
            None => path == self.path,
        }
    }
}
