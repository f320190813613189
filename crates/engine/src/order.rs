//! The order of the steps of a plan: what is new first, in the order of its references; then what is no longer declared, in the
//! reverse order.
//!
//! A resource is deleted after everything else was created and changed. So whatever uses it now uses its successor, and a failure
//! leaves behind what works.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fmt,
};

use crate::{Action, Id, Item, Kind};

/// The part of an item's action that a step carries out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// There is nothing to do, or nothing may be done.
    Settled,
    /// Creates, changes or replaces the resource.
    Write,
    /// Deletes the resource.
    Delete,
}

/// A step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Index of the item.
    pub item: usize,
    /// Part of the item's action.
    pub phase: Phase,
    /// Indices of the steps that must be done before it. All of them are earlier steps.
    pub waits: Vec<usize>,
}

/// The reason why a plan has no order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disorder {
    /// Two declared resources are one in AWS.
    Twice {
        /// The declared resources.
        ids: [String; 2],
        /// Name of the one resource in AWS.
        name: String,
    },
    /// Each of these waits for another one of them.
    Circle {
        /// The resources, in no order.
        ids: Vec<String>,
    },
}

impl Error for Disorder {}

impl fmt::Display for Disorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice { ids: [one, other], name } => {
                write!(formatter, "Failed to plan: {one} and {other} would both be `{name}`; rename one of them")
            }
            Self::Circle { ids } => {
                let ids = ids.join(", ");
                write!(formatter, "Failed to plan: these wait for each other, so none can be the first: {ids}")
            }
        }
    }
}

/// Returns `true` if an action creates or changes something.
fn is_write(action: &Action) -> bool {
    matches!(action, Action::Create | Action::Change { .. } | Action::Replace { .. })
}

/// Returns the phase of an action.
fn phase(action: &Action) -> Phase {
    match action {
        Action::Delete => Phase::Delete,
        action if is_write(action) => Phase::Write,
        _ => Phase::Settled,
    }
}

/// Sorts the items, and returns their steps, in an order in which they can be done; ties break by kind, then entry.
pub(crate) fn sort<K: Kind>(items: Vec<Item<K>>) -> Result<(Vec<Item<K>>, Vec<Step>), Disorder> {
    let mut items = items;
    items.sort_by(|one, other| one.id.cmp(&other.id).then_with(|| one.address.cmp(&other.address)));
    let waits = prerequisites(&items);
    let order = topological(&waits).map_err(|rest| {
        let ids = rest.iter().filter_map(|index| items.get(*index)).map(|item| item.id.to_string());
        Disorder::Circle { ids: ids.collect() }
    })?;
    let places: BTreeMap<usize, usize> = order.iter().enumerate().map(|(place, index)| (*index, place)).collect();
    let earlier = |waits: &[usize]| waits.iter().filter_map(|index| places.get(index).copied()).collect();
    let mut sorted: Vec<(usize, Item<K>, Vec<usize>)> = items
        .into_iter()
        .zip(&waits)
        .enumerate()
        .filter_map(|(index, (item, waits))| Some((*places.get(&index)?, item, earlier(waits))))
        .collect();
    sorted.sort_by_key(|(place, ..)| *place);
    let step = |(item, (_, of, waits)): (usize, &(usize, Item<K>, Vec<usize>))| Step {
        item,
        phase: phase(&of.action),
        waits: waits.clone(),
    };
    let steps = sorted.iter().enumerate().map(step).collect();
    Ok((sorted.into_iter().map(|(_, item, _)| item).collect(), steps))
}

/// Returns the items that must be done before each item, by index.
///
/// A resource is created after everything that it refers to, directly or indirectly, even where the steps in between have nothing
/// to do: a failure destination needs the permissions of the function's role, and refers to the function. A resource is deleted
/// after everything that is declared, and after every deletion of a kind that may refer to it.
fn prerequisites<K: Kind>(items: &[Item<K>]) -> Vec<Vec<usize>> {
    let declared = items.iter().enumerate().filter(|(_, item)| item.is_declared);
    let mut index: BTreeMap<&Id<K>, Vec<usize>> = BTreeMap::new();
    for (place, item) in declared.clone() {
        index.entry(&item.id).or_default().push(place);
    }
    let declared: Vec<usize> = declared.map(|(place, _)| place).collect();
    let before = |item: &Item<K>| match phase(&item.action) {
        Phase::Settled => Vec::new(),
        Phase::Write => ancestors(item, items, &index),
        Phase::Delete => {
            let refers = |other: &Item<K>| {
                other.action == Action::Delete
                    && other.id.kind != item.id.kind
                    && other.id.kind.refers_to().contains(&item.id.kind)
            };
            let deleted = items.iter().enumerate().filter(|(_, other)| refers(other)).map(|(index, _)| index);
            declared.iter().copied().chain(deleted).collect()
        }
    };
    items.iter().map(before).collect()
}

/// Returns every declared item that an item refers to, directly or indirectly.
fn ancestors<K: Kind>(item: &Item<K>, items: &[Item<K>], index: &BTreeMap<&Id<K>, Vec<usize>>) -> Vec<usize> {
    let referred = |item: &Item<K>| -> Vec<usize> {
        item.after.iter().filter_map(|id| index.get(id)).flatten().copied().collect()
    };
    let mut found: BTreeSet<usize> = BTreeSet::new();
    let mut next: Vec<usize> = referred(item);
    while let Some(place) = next.pop() {
        if found.insert(place) {
            next.extend(items.get(place).into_iter().flat_map(referred));
        }
    }
    found.into_iter().collect()
}

/// Returns an order in which each index comes after those that it waits for, the lowest first; or the indices that have none, since
/// they are in a circle or wait for one.
fn topological(waits: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut left: Vec<BTreeSet<usize>> = waits.iter().map(|waits| waits.iter().copied().collect()).collect();
    let mut waiting: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, waits) in left.iter().enumerate() {
        for other in waits {
            waiting.entry(*other).or_default().push(index);
        }
    }
    let free = |(index, waits): (usize, &BTreeSet<usize>)| waits.is_empty().then_some(index);
    let mut ready: BTreeSet<usize> = left.iter().enumerate().filter_map(free).collect();
    let mut order = Vec::with_capacity(left.len());
    while let Some(index) = ready.pop_first() {
        order.push(index);
        for other in waiting.remove(&index).unwrap_or_default() {
            let Some(waits) = left.get_mut(other) else { continue };
            waits.remove(&index);
            if waits.is_empty() {
                ready.insert(other);
            }
        }
    }
    if order.len() == left.len() {
        return Ok(order);
    }
    let done: BTreeSet<usize> = order.into_iter().collect();
    Err((0..left.len()).filter(|index| !done.contains(index)).collect())
}
