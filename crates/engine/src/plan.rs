//! Compares declared resources with AWS into a [`Plan`]: a value that can be printed, serialised and tested without
//! AWS.
//!
//! `up`, `diff` and `down` use the same plan: `down` declares nothing.

mod compare;
mod consequences;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::{
    Address, Consent, Failure, Id, Kind, Loss, Protection, Resource, Slow, Survey, Widening,
    difference::{Difference, Reasons},
    order::{self, Disorder, Step},
};
use compare::{compare, undeclared};
use consequences::{describe, follow_replaced, keep_used, renew_parts};

/// The action on one resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// The resource is as declared.
    Unchanged,
    /// The resource does not exist.
    Create,
    /// Some fields differ and are changed in place.
    Change {
        /// The fields that differ; at least one.
        differences: Vec<Difference>,
    },
    /// Some fields differ that AWS cannot change.
    Replace {
        /// All fields that differ.
        differences: Vec<Difference>,
        /// The reasons for replacing it: fields that cannot be changed.
        reasons: Reasons,
    },
    /// The resource is this stack's and no longer declared.
    Delete,
    /// The resource is not declared, and stays. It is this stack's, or nobody may read whose it is: it holds data, is protected, or is used by what stays.
    Keep {
        /// The reason, in words: the data that it holds, its protection, or what may use it.
        why: String,
    },
    /// The resource could not be read, or not whether it holds data or who uses it.
    Unreadable {
        /// Failure of the read.
        failure: Failure,
    },
    /// The resource has one of this stack's names and belongs to somebody else.
    Foreign {
        /// Owner of the resource, in words.
        owner: String,
    },
}

/// One resource of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item<K: Kind> {
    /// Identity of the resource.
    #[serde(flatten)]
    pub id: Id<K>,
    /// Address of the resource in AWS.
    pub address: Address,
    /// Action on the resource.
    #[serde(flatten)]
    pub action: Action,
    /// Number of fields that are as declared.
    pub unchanged_fields: usize,
    /// Declared resources whose actions must be done before this one.
    pub after: Vec<Id<K>>,
    /// `true` if the resource is declared; `false` if it is this stack's and no longer is.
    #[serde(skip)]
    pub is_declared: bool,
    /// Settings that a change passes through, see [`Kind::interim`]; `None` if the desired ones take nothing away that something may
    /// still use.
    #[serde(skip)]
    pub interim: Option<K::Settings>,
    /// Seconds for which the resource cannot be used while it is replaced; `None` if nothing is interrupted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupts: Option<u64>,
    /// Former entry of a moved resource, whose name in AWS it keeps; `None` if it was not moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
    /// Settings that are kept as they are live although they are not declared: protections that others put there, and later versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub protections: Vec<Protection>,
    /// Losses that the action causes for good. They need consent: for the resource by name, or for the whole stack.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<Loss>,
    /// `true` if somebody agreed to the losses before the plan was made.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub agreed: bool,
    /// Settings that a new resource will have, as a tree; `None` if it is not new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<Value>,
    /// Rights that the action gives, and that nobody had before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub widenings: Vec<Widening>,
    /// Usual duration of the action, if it takes minutes; `None` if it takes seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow: Option<Slow>,
    /// The replaced resource that this one is a part of and is created anew with; `None` if it is not a part of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewed_with: Option<Id<K>>,
    /// `true` if its settings contain the id of a resource that is replaced: once that is done, its live settings are no longer those that the survey
    /// read.
    #[serde(skip)]
    pub follows: bool,
}

/// The items of a stack, unchanged ones included, in the order of their first steps. No two items have the same kind and address.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan<K: Kind> {
    items: Vec<Item<K>>,
    #[serde(skip)]
    steps: Vec<Step>,
    /// Kinds that could not be listed: resources that were removed from the declaration may still exist there.
    pub unlisted: Vec<Unlisted<K>>,
}

/// A kind that could not be listed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unlisted<K: Kind> {
    /// The kind whose list failed.
    pub kind: K,
    /// Failure of its list call.
    pub failure: Failure,
}

/// The number of resources per action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Resources that are created.
    pub create: usize,
    /// Resources that are changed in place.
    pub change: usize,
    /// Resources that are replaced.
    pub replace: usize,
    /// Resources that are deleted.
    pub delete: usize,
    /// Resources that are left as they are.
    pub unchanged: usize,
    /// Undeclared resources that stay: they hold data, are protected, or are used by what stays.
    pub kept: usize,
    /// Resources that could not be read, and kinds that could not be listed.
    pub unreadable: usize,
    /// Resources with this stack's names that belong to somebody else.
    pub foreign: usize,
}

impl Counts {
    /// Returns the number of actions: resources to create, change, replace or delete.
    pub fn actions(self) -> usize {
        self.create + self.change + self.replace + self.delete
    }
}

impl<K: Kind> Plan<K> {
    /// Compares the declared resources with the survey. What is no longer declared and holds data stays.
    ///
    /// # Errors
    ///
    /// If two declared resources are one in AWS, or if resources wait for each other in a circle.
    pub fn new(declared: &[Resource<K>], survey: &Survey<K>) -> Result<Self, Disorder> {
        Self::with_consent(declared, survey, &Consent::default())
    }

    /// Compares the declared resources with the survey. What is no longer declared and holds data is deleted only by consent.
    ///
    /// # Errors
    ///
    /// If two declared resources are one in AWS, or if resources wait for each other in a circle.
    pub fn with_consent(declared: &[Resource<K>], survey: &Survey<K>, consent: &Consent) -> Result<Self, Disorder> {
        let mut items: BTreeMap<(K, Address), Item<K>> = BTreeMap::new();
        for resource in declared {
            let item = compare(resource, survey);
            if let Some(other) = items.insert((item.id.kind, item.address.clone()), item) {
                let ids = [other.id.to_string(), resource.id.to_string()];
                return Err(Disorder::Twice { ids, name: other.address.name });
            }
        }
        for item in undeclared(survey, consent) {
            items.entry((item.id.kind, item.address.clone())).or_insert(item);
        }
        let mut items: Vec<Item<K>> = items.into_values().collect();
        keep_used(&mut items, survey, consent);
        renew_parts(&mut items);
        follow_replaced(&mut items, declared);
        describe(&mut items, declared, survey);
        for item in &mut items {
            item.agreed = !item.losses.is_empty() && consent.covers(item);
        }
        let (items, steps) = order::sort(items)?;
        let unlisted = survey.unlisted.iter().map(|(kind, failure)| Unlisted { kind: *kind, failure: failure.clone() });
        Ok(Self { items, steps, unlisted: unlisted.collect() })
    }

    /// Returns every resource, unchanged ones included, in the order of their first steps.
    pub fn items(&self) -> &[Item<K>] {
        &self.items
    }

    /// Returns the steps, each after those that it waits for.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns the number of resources per action.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts { unreadable: self.unlisted.len(), ..Counts::default() };
        for item in &self.items {
            let count = match item.action {
                Action::Unchanged => &mut counts.unchanged,
                Action::Create => &mut counts.create,
                Action::Change { .. } => &mut counts.change,
                Action::Replace { .. } => &mut counts.replace,
                Action::Delete => &mut counts.delete,
                Action::Keep { .. } => &mut counts.kept,
                Action::Unreadable { .. } => &mut counts.unreadable,
                Action::Foreign { .. } => &mut counts.foreign,
            };
            *count += 1;
        }
        counts
    }

    /// Returns the resources that are deleted or replaced together with the data that they hold, by kind and address.
    pub fn emptied(&self) -> BTreeSet<(K, Address)> {
        self.items.iter().filter(|item| item.loses_data()).map(|item| (item.id.kind, item.address.clone())).collect()
    }

    /// Returns `true` if there is nothing to do, nothing is unreadable, and no resource of others has one of this stack's names.
    pub fn is_converged(&self) -> bool {
        let counts = self.counts();
        counts.actions() + counts.unreadable + counts.foreign == 0
    }
}

impl<K: Kind> Item<K> {
    /// Returns an item without anything but its action: of an undeclared resource, until the comparison sets more.
    fn new(id: Id<K>, address: Address, action: Action) -> Self {
        Self {
            id,
            address,
            action,
            unchanged_fields: 0,
            after: Vec::new(),
            is_declared: false,
            interim: None,
            interrupts: None,
            moved_from: None,
            protections: Vec::new(),
            losses: Vec::new(),
            agreed: false,
            settings: None,
            widenings: Vec::new(),
            slow: None,
            renewed_with: None,
            follows: false,
        }
    }

    /// Returns the usual duration of a creation, change or replacement that ends with these settings; `None` for other actions, or if it takes less
    /// than minutes.
    pub(crate) fn slow_to_write(&self, live: Option<&K::Settings>, desired: &K::Settings) -> Option<Slow> {
        match self.action {
            Action::Change { .. } => K::slow(live, desired),
            // The live one is deleted, and a new one created.
            Action::Replace { .. } => Slow::then(self.id.kind.ends_in(), K::slow(None, desired)),
            Action::Create => K::slow(None, desired),
            _ => None,
        }
    }
}
