//! The order of the steps: referenced resources first, and the reverse for deletions.

use std::collections::BTreeMap;

use crate::{Action, Id, Item, Kind};

/// Returns `true` if an action creates or changes something.
pub(crate) fn makes(action: &Action) -> bool {
    matches!(action, Action::Create | Action::Change { .. } | Action::Replace { .. })
}

/// Returns the items that must be done before each item, by index.
///
/// A resource is created after everything that it refers to, directly or indirectly, even where the steps in between have nothing to do: a
/// failure destination needs the permissions of the function's role, and refers to the function. A resource is deleted after every step of
/// a kind that may refer to it: a function first gets its new failure queue, and then the old queue is deleted.
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

/// Returns every item that an item refers to, directly or indirectly.
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

/// Sorts the items topologically; ties break by kind, then entry.
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
        // A cycle cannot be declared; were there one, its members would keep the order of their kinds.
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
