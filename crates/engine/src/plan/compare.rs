//! Compares each resource by itself: a declared one with its live state, and one that is no longer declared with what it holds.

use std::collections::BTreeSet;

use super::{Action, Item};
use crate::{
    Consent, Id, Kind, Live, Owner, Read, Resource, Slow, Survey,
    consent::{self, Decision},
    difference::{self, Difference, Reasons, differences},
};

/// Returns the item of a declared resource.
pub(super) fn compare<K: Kind>(resource: &Resource<K>, survey: &Survey<K>) -> Item<K> {
    let item = |action: Action| Item {
        after: resource.after.clone(),
        is_declared: true,
        moved_from: resource.moved_from.clone(),
        protections: resource.protections.clone(),
        ..Item::new(resource.id.clone(), resource.address.clone(), action)
    };
    match survey.read.get(&(resource.id.kind, resource.address.clone())) {
        None | Some(Read::Absent) => item(Action::Create),
        Some(Read::Unreadable(failure)) => item(Action::Unreadable { failure: failure.clone() }),
        Some(Read::Present(Live { owner: Owner::Other(owner), .. })) => item(Action::Foreign { owner: owner.clone() }),
        Some(Read::Present(live)) if live.settings == resource.settings => item(Action::Unchanged),
        Some(Read::Present(live)) => differing(item(Action::Unchanged), resource, live),
    }
}

/// Returns the item of a live resource that differs from the declared one.
fn differing<K: Kind>(item: Item<K>, resource: &Resource<K>, live: &Live<K::Settings>) -> Item<K> {
    let kind = resource.id.kind;
    let tree = K::tree(&live.settings);
    let differences = differences(&tree, &K::tree(&resource.settings));
    let is_used = live.owner == Owner::Ours && !consent::is_unfinished(&tree);
    // A resource that an interrupted run left unfinished holds nothing but children that others have added since.
    let mut losses = if is_used {
        consent::of_change(resource, &tree, &differences)
    } else {
        consent::of_children(kind, &tree, &K::tree(&resource.settings))
    };
    let unchanged_fields = count_unchanged_fields(kind, &differences);
    if let Some(reasons) = Reasons::among(kind, &differences) {
        if is_used {
            let with_resource = consent::of_replacement(&resource.id, &tree);
            losses.retain(|loss| !with_resource.contains(loss));
            losses.splice(0..0, with_resource);
        }
        let interrupts = kind.interruption().map(|interruption| {
            // From the end of the live one until the new one works, nothing is there.
            let renewed = Slow::then(kind.ends_in(), K::slow(None, &resource.settings));
            renewed.map_or(0, |slow| slow.seconds).max(interruption.as_secs())
        });
        return Item { action: Action::Replace { differences, reasons }, unchanged_fields, interrupts, losses, ..item };
    }
    let interim = K::interim(&resource.settings, &live.settings);
    let interim = Some(interim).filter(|interim| *interim != resource.settings);
    Item { action: Action::Change { differences }, unchanged_fields, interim, losses, ..item }
}

/// Returns the number of a kind's settings that do not differ. Fields of children are not counted: they exist only where others have
/// added some.
pub(super) fn count_unchanged_fields<K: Kind>(kind: K, differences: &[Difference]) -> usize {
    let changed: BTreeSet<&str> = differences
        .iter()
        .filter_map(|difference| difference::field(kind, &difference.path))
        .map(|field| field.path)
        .collect();
    kind.fields().iter().filter(|field| field.child.is_none() && !changed.contains(field.path)).count()
}

/// Returns the items of the stack's live resources as if none of them were declared.
pub(super) fn undeclared<'a, K: Kind>(
    survey: &'a Survey<K>,
    consent: &'a Consent,
) -> impl Iterator<Item = Item<K>> + 'a {
    let ours = survey.owned.iter().flat_map(|(kind, owned)| owned.iter().map(|owned| (*kind, owned)));
    ours.map(|(kind, owned)| {
        let (id, address) = (Id::new(kind, owned.entry.clone()), owned.address.clone());
        let mut losses = Vec::new();
        let mut decide = |holding: Option<&String>| match consent::decide(&id, owned, holding, consent) {
            Decision::Keep(why) => Action::Keep { why },
            Decision::Delete(lost) => {
                losses = lost;
                Action::Delete
            }
        };
        let place = (kind, address.clone());
        let action = match (&owned.stays, survey.holds.get(&place), survey.used.get(&place)) {
            (Some(why), ..) => Action::Keep { why: (*why).to_owned() },
            (None, Some(Err(failure)), _) | (None, _, Some(Err(failure))) => {
                Action::Unreadable { failure: failure.clone() }
            }
            (None, Some(Ok(holding)), _) => decide(Some(holding)),
            (None, None, _) => decide(None),
        };
        if action == Action::Delete
            && let Some(Ok(live)) = survey.used.get(&place)
        {
            losses.extend(consent::of_users(kind, live));
        }
        Item { losses, ..Item::new(id, address, action) }
    })
}
