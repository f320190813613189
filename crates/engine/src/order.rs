//! The order in which steps can be done: what is referred to first, and the other way round when things go away.

use std::collections::BTreeMap;

use crate::{Action, Id, Item, Kind};

/// Returns `true` if an action creates or changes something.
pub(crate) fn makes(action: &Action) -> bool {
    matches!(action, Action::Create | Action::Change { .. } | Action::Replace { .. })
}

/// Which items must be done before each, by index.
///
/// What is made comes after what it refers to, and after what that refers to, even where nothing is done in between: a failure
/// destination needs the rights of the function's role, and refers to the function. What is deleted comes after everything, made or deleted, of a kind that may
/// refer to it: a function is first told of another failure queue, and then the old one goes.
pub fn before<K: Kind>(items: &[Item<K>]) -> Vec<Vec<usize>> {
    let index: BTreeMap<&Id<K>, usize> = items.iter().enumerate().map(|(index, item)| (&item.id, index)).collect();
    let before = |item: &Item<K>| match &item.action {
        Action::Delete => {
            let refers = |other: &Item<K>| {
                (makes(&other.action) || other.action == Action::Delete)
                    && other.id.kind != item.id.kind
                    && other.id.kind.refers_to().contains(&item.id.kind)
            };
            items.iter().enumerate().filter(|(_, other)| refers(other)).map(|(index, _)| index).collect()
        }
        action if makes(action) => ancestors(item, items, &index),
        _ => Vec::new(),
    };
    items.iter().map(before).collect()
}

/// All that an item refers to, directly or by way of others.
fn ancestors<K: Kind>(item: &Item<K>, items: &[Item<K>], index: &BTreeMap<&Id<K>, usize>) -> Vec<usize> {
    let referred = |item: &Item<K>| item.after.iter().filter_map(|id| index.get(id).copied()).collect::<Vec<_>>();
    let mut found = referred(item);
    let mut next = 0;
    while let Some(other) = found.get(next).and_then(|place| items.get(*place)) {
        for place in referred(other) {
            if !found.contains(&place) {
                found.push(place);
            }
        }
        next += 1;
    }
    found
}

/// Sorts items into an order in which they can be done: as many as possible in the order of their kinds and entries.
pub(crate) fn sort<K: Kind>(items: &mut Vec<Item<K>>) {
    items.sort_by(|one, other| one.id.cmp(&other.id).then_with(|| one.address.cmp(&other.address)));
    let mut waits: Vec<Vec<usize>> = before(items);
    let mut rest: Vec<Option<Item<K>>> = std::mem::take(items).into_iter().map(Some).collect();
    let mut done = vec![false; rest.len()];
    loop {
        let ready = |index: &usize| {
            waits.get(*index).is_some_and(|waits| waits.iter().all(|other| done.get(*other) == Some(&true)))
        };
        let next = (0..rest.len()).filter(|index| done.get(*index) == Some(&false)).find(ready);
        // A circle cannot be declared; were there one, its members keep the order of their kinds.
        let next = next.or_else(|| done.iter().position(|done| !done));
        let Some(next) = next else { return };
        if let (Some(done), Some(item)) = (done.get_mut(next), rest.get_mut(next)) {
            *done = true;
            items.extend(item.take());
        }
        if let Some(waits) = waits.get_mut(next) {
            waits.clear();
        }
    }
}
