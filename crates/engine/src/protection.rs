//! Undeclared protections: settings that somebody else put on a resource of ours to limit it, and that stay.

use serde::Serialize;

use crate::{Kind, Live, Owner, Read, Resource, Survey};

/// A setting that protects a resource and is not declared: it is shown, and stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Protection {
    /// Path in the settings: `permissions_boundary`, `policy.RefuseDeletion`.
    pub path: String,
    /// Name or ARN of what protects.
    pub value: String,
    /// Why it counts as a protection, in words.
    pub why: &'static str,
}

impl Protection {
    /// A setting that protects.
    pub fn new(path: impl Into<String>, value: impl Into<String>, why: &'static str) -> Self {
        Self { path: path.into(), value: value.into(), why }
    }
}

/// Adds the undeclared protections of live resources to the desired ones, so that comparing, changing and replacing leave
/// them alone.
pub fn keep_protections<K: Kind>(declared: &mut [Resource<K>], survey: &Survey<K>) {
    for resource in declared {
        let found = survey.read.get(&(resource.id.kind, resource.address.clone()));
        if let Some(Read::Present(Live { settings, owner: Owner::Ours | Owner::Nobody })) = found {
            resource.protections = K::keep_protections(&mut resource.settings, settings);
        }
    }
}
