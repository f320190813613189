//! Undeclared settings that stay: those that somebody else put on a resource of ours to limit it, and its harmless children.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{Accepted, Kind, Live, Owner, Read, Resource, Survey, children};

/// A setting that is not declared, and stays: it protects its resource, or does no harm. It is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Protection {
    /// Path in the settings: `permissions_boundary`, `policy.RefuseDeletion`.
    pub path: String,
    /// Name or ARN of what protects, or a description of a child.
    pub value: String,
    /// Why it stays, in words.
    pub why: &'static str,
}

impl Protection {
    /// Returns a setting that stays.
    pub fn new(path: impl Into<String>, value: impl Into<String>, why: &'static str) -> Self {
        Self { path: path.into(), value: value.into(), why }
    }
}

/// Adds the undeclared settings of live resources that stay to the desired ones, so that comparing, changing and replacing leave them
/// alone. What is accepted is not shown.
pub fn keep_undeclared<K: Kind>(declared: &mut [Resource<K>], survey: &Survey<K>, accepted: &Accepted) {
    let addresses: BTreeSet<_> = declared.iter().map(|resource| (resource.id.kind, resource.address.clone())).collect();
    for resource in declared {
        let found = survey.read.get(&(resource.id.kind, resource.address.clone()));
        if let Some(Read::Present(Live { settings, owner: Owner::Ours | Owner::Nobody })) = found {
            resource.protections = K::keep_protections(&mut resource.settings, settings);
            children::keep(resource, settings, &addresses, accepted);
        }
    }
}
