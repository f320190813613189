//! Declared resources and what is in AWS → a [`Plan`]: a value that can be printed, serialised and tested without AWS.
//!
//! `up`, `diff` and `down` are the same plan: `down` declares nothing.

mod apply;
mod difference;
mod order;
#[cfg(test)]
mod registered;
mod survey;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    aws::Failure,
    kinds::{Address, Kind, Live, Owned, Owner, Settings},
};

pub(crate) use apply::{Event, Observer, Outcome, Results, Verb, apply};
pub(crate) use difference::{Difference, Reasons, differences};
pub(crate) use survey::{Survey, survey};

/// A resource of the stack: its kind, and the entry of the declaration that it is made for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Id {
    /// Its kind.
    pub(crate) kind: Kind,
    /// The entry, or what the entry implies: `maintenance`, `maintenance.errors`.
    pub(crate) entry: String,
}

impl Id {
    /// A resource of an entry.
    pub(crate) fn new(kind: Kind, entry: impl Into<String>) -> Self {
        Self { kind, entry: entry.into() }
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.kind.name(), self.entry)
    }
}

/// A resource that is to be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resource {
    /// What it is called here.
    pub(crate) id: Id,
    /// Where it is in AWS.
    pub(crate) address: Address,
    /// As it is to be.
    pub(crate) settings: Settings,
    /// What must be there before it.
    pub(crate) after: Vec<Id>,
}

/// What is found at an address. A read that failed is never taken for an absence: what exists would be made again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Read {
    /// It is there.
    Present(Live<Settings>),
    /// AWS says that there is no such thing.
    Absent,
    /// Nobody knows.
    Unreadable(Failure),
}

/// What is done with one resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Action {
    /// It is as it is to be.
    Unchanged,
    /// It is not there.
    Create,
    /// Some fields differ.
    Change {
        /// Which; at least one.
        differences: Vec<Difference>,
    },
    /// Some fields differ that AWS cannot change.
    Replace {
        /// All that differ.
        differences: Vec<Difference>,
        /// Those that cannot be changed.
        reasons: Reasons,
    },
    /// It is ours, and is not declared (any more).
    Delete,
    /// It is ours and not declared, and stays, because of what it holds.
    Keep {
        /// What it holds.
        why: String,
    },
    /// It could not be read.
    Unreadable {
        /// Why.
        failure: Failure,
    },
    /// It has our name and is somebody else's.
    Foreign {
        /// Whose.
        owner: String,
    },
}

/// One resource of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Item {
    /// Which.
    #[serde(flatten)]
    pub(crate) id: Id,
    /// Where it is in AWS.
    pub(crate) address: Address,
    /// What is done with it.
    #[serde(flatten)]
    pub(crate) action: Action,
    /// The number of fields that are as they are to be.
    pub(crate) unchanged_fields: usize,
    /// What must be done before.
    pub(crate) after: Vec<Id>,
}

/// What is to be done, in an order in which it can be done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Plan {
    /// Every resource, those that stay as they are too.
    pub(crate) items: Vec<Item>,
    /// Kinds that could not be listed: what was removed from the declaration may still be there.
    pub(crate) unlisted: Vec<Unlisted>,
}

/// A kind that could not be listed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Unlisted {
    pub(crate) kind: Kind,
    pub(crate) failure: Failure,
}

/// How many resources there are of each action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) create: usize,
    pub(crate) change: usize,
    pub(crate) replace: usize,
    pub(crate) delete: usize,
    pub(crate) unchanged: usize,
    pub(crate) kept: usize,
    pub(crate) unreadable: usize,
    pub(crate) foreign: usize,
}

impl Counts {
    /// How many steps there are.
    pub(crate) fn steps(self) -> usize {
        self.create + self.change + self.replace + self.delete
    }
}

impl Plan {
    /// Compares what is declared with what was found.
    pub(crate) fn new(declared: &[Resource], survey: &Survey) -> Self {
        let mut items: Vec<Item> = declared.iter().map(|resource| compare(resource, survey)).collect();
        items.extend(undeclared(declared, survey));
        renew_parts(&mut items);
        order::sort(&mut items);
        let unlisted = survey.unlisted.iter().map(|(kind, failure)| Unlisted { kind: *kind, failure: failure.clone() });
        Self { items, unlisted: unlisted.collect() }
    }

    /// How many resources there are of each action.
    pub(crate) fn counts(&self) -> Counts {
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

    /// Whether there is nothing to do, and nothing that nobody knows.
    pub(crate) fn is_converged(&self) -> bool {
        let counts = self.counts();
        counts.steps() + counts.unreadable + counts.foreign == 0
    }
}

fn compare(resource: &Resource, survey: &Survey) -> Item {
    let kind = resource.id.kind;
    let declared = resource.settings.tree();
    let mut unchanged_fields = 0;
    let action = match survey.read.get(&(kind, resource.address.clone())) {
        None | Some(Read::Absent) => Action::Create,
        Some(Read::Unreadable(failure)) => Action::Unreadable { failure: failure.clone() },
        Some(Read::Present(Live { owner: Owner::Other(owner), .. })) => Action::Foreign { owner: owner.clone() },
        Some(Read::Present(live)) if live.settings == resource.settings => Action::Unchanged,
        Some(Read::Present(live)) => {
            let differences = differences(&live.settings.tree(), &declared);
            let changed: BTreeSet<_> =
                differences.iter().filter_map(|it| difference::field(kind, &it.path)).map(|field| field.path).collect();
            unchanged_fields = kind.fields().len().saturating_sub(changed.len());
            match Reasons::among(kind, &differences) {
                Some(reasons) => Action::Replace { differences, reasons },
                None => Action::Change { differences },
            }
        }
    };
    let (id, address) = (resource.id.clone(), resource.address.clone());
    Item { id, address, action, unchanged_fields, after: resource.after.clone() }
}

/// What is part of something that is replaced goes with it, and is made again: a function's permissions.
fn renew_parts(items: &mut [Item]) {
    let is_replaced = |item: &&Item| matches!(item.action, Action::Replace { .. });
    let replaced: BTreeSet<(Id, Option<String>)> =
        items.iter().filter(is_replaced).map(|item| (item.id.clone(), Some(item.address.name.clone()))).collect();
    for item in items {
        let within = |id: &Id| replaced.contains(&(id.clone(), item.address.container.clone()));
        let is_known = !matches!(item.action, Action::Unreadable { .. } | Action::Foreign { .. });
        if is_known && item.after.iter().any(within) {
            item.action = Action::Create;
            item.unchanged_fields = 0;
        }
    }
}

/// What is ours and not declared.
fn undeclared(declared: &[Resource], survey: &Survey) -> Vec<Item> {
    let wanted: BTreeSet<(Kind, &Address)> =
        declared.iter().map(|resource| (resource.id.kind, &resource.address)).collect();
    let ours = survey.owned.iter().flat_map(|(kind, owned)| owned.iter().map(|owned| (*kind, owned)));
    ours.filter(|(kind, owned)| !wanted.contains(&(*kind, &owned.address)))
        .map(|(kind, owned)| {
            let action = match survey.holds.get(&(kind, owned.address.clone())) {
                Some(Ok(why)) => Action::Keep { why: why.clone() },
                Some(Err(failure)) => Action::Unreadable { failure: failure.clone() },
                None => Action::Delete,
            };
            let id = Id::new(kind, owned.entry.clone());
            Item { id, address: owned.address.clone(), action, unchanged_fields: 0, after: Vec::new() }
        })
        .collect()
}

/// Owned things by kind.
pub(crate) type OwnedByKind = BTreeMap<Kind, BTreeSet<Owned>>;
