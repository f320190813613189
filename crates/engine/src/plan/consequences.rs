//! Adds to the items of a plan what the actions on others mean for them: parts are created anew with their whole, ids of what is replaced
//! are written anew, and what may be used by something that stays is kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Action, Item, compare::count_unchanged_fields};
use crate::{
    Address, Consent, Holds, Id, Kind, Read, Resource, Survey,
    difference::{Difference, differences},
    order,
};

/// Returns the declared settings by kind and address.
fn settings_by_address<K: Kind>(declared: &[Resource<K>]) -> BTreeMap<(K, &Address), &K::Settings> {
    declared.iter().map(|resource| ((resource.id.kind, &resource.address), &resource.settings)).collect()
}

/// Adds what a person who approves the plan looks for: the settings of new resources, the rights that are given, and the usual duration of
/// each action.
pub(super) fn describe<K: Kind>(items: &mut [Item<K>], declared: &[Resource<K>], survey: &Survey<K>) {
    let desired = settings_by_address(declared);
    for item in items {
        if item.action == Action::Delete {
            item.slow = item.id.kind.ends_in();
        }
        let Some(desired) = desired.get(&(item.id.kind, &item.address)).filter(|_| order::is_write(&item.action))
        else {
            continue;
        };
        let live = match survey.read.get(&(item.id.kind, item.address.clone())) {
            Some(Read::Present(live)) => Some(&live.settings),
            _ => None,
        };
        let is_new = item.action == Action::Create;
        item.settings = is_new.then(|| K::tree(desired));
        // A part that is created anew with its whole gives no rights but those that the live one did not give.
        item.widenings = K::widenings(live, desired);
        item.slow = item.slow_to_write(live, desired);
    }
}

/// Turns the parts of replaced resources into creates: replacing a function deletes its permissions.
pub(super) fn renew_parts<K: Kind>(items: &mut [Item<K>]) {
    let is_replaced = |item: &&Item<K>| matches!(item.action, Action::Replace { .. });
    let replaced: BTreeSet<(Id<K>, Option<String>)> =
        items.iter().filter(is_replaced).map(|item| (item.id.clone(), Some(item.address.name.clone()))).collect();
    for item in items {
        let contains_item = |id: &&Id<K>| replaced.contains(&((*id).clone(), item.address.container.clone()));
        let is_known = !matches!(item.action, Action::Unreadable { .. } | Action::Foreign { .. });
        if let Some(whole) = item.after.iter().find(contains_item).filter(|_| is_known) {
            item.renewed_with = Some(whole.clone());
            item.action = Action::Create;
            item.unchanged_fields = 0;
            item.interim = None;
            // The whole tells of the interruption.
            item.interrupts = None;
            item.losses = Vec::new();
        }
    }
}

/// Makes whatever contains the id of a replaced resource a change: the new resource has another id. It contains the id as a placeholder
/// (see [`Kind::stands_for_id`]), which is equal before and after, so that a comparison of settings does not find it.
pub(super) fn follow_replaced<K: Kind>(items: &mut [Item<K>], declared: &[Resource<K>]) {
    let is_replaced = |item: &&Item<K>| matches!(item.action, Action::Replace { .. });
    let replaced = items.iter().filter(is_replaced).map(|item| item.id.clone());
    let placeholders: BTreeMap<Id<K>, String> =
        replaced.filter_map(|id| Some((id.clone(), id.kind.stands_for_id()?))).collect();
    let desired = settings_by_address(declared);
    for item in items.iter_mut().filter(|item| item.is_declared) {
        let mut differences = match &item.action {
            Action::Unchanged => Vec::new(),
            Action::Change { differences } => differences.clone(),
            _ => continue,
        };
        let Some(desired) = desired.get(&(item.id.kind, &item.address)) else { continue };
        let used: BTreeMap<&Id<K>, &String> =
            item.after.iter().filter_map(|id| placeholders.get_key_value(id)).collect();
        if used.is_empty() {
            continue;
        }
        let further = new_ids(&K::tree(desired), &used);
        if further.is_empty() {
            continue;
        }
        let is_new = |further: &Difference| !differences.iter().any(|difference| difference.path == further.path);
        let further: Vec<Difference> = further.into_iter().filter(is_new).collect();
        differences.extend(further);
        differences.sort_by(|one, other| one.path.cmp(&other.path));
        item.unchanged_fields = count_unchanged_fields(item.id.kind, &differences);
        item.action = Action::Change { differences };
        item.follows = true;
    }
}

/// Returns a difference for each setting that contains the placeholder of one of these resources.
fn new_ids<K: Kind>(settings: &Value, placeholders: &BTreeMap<&Id<K>, &String>) -> Vec<Difference> {
    let all = differences(&Value::Null, settings).into_iter();
    let containing = all.filter_map(|Difference { path, declared, .. }| {
        let text = declared.to_string();
        let contained = placeholders.iter().filter(|(_, placeholder)| text.contains(placeholder.as_str()));
        let ids: Vec<String> = contained.map(|(id, _)| id.to_string()).collect();
        let new = format!("(id of the new {})", ids.join(" and of the new "));
        (!ids.is_empty()).then(|| Difference { path, live: declared, declared: new.into() })
    });
    containing.collect()
}

/// Keeps what something that stays may use: a database would stay in a network that is taken apart around it, which AWS refuses after
/// three quarters of an hour, and a server without its disk. What could not be read or listed may stay as well. A resource that somebody has
/// agreed to lose is deleted all the same; the consent to lose all data of a stack is not a consent to lose what something that stays uses.
pub(super) fn keep_used<K: Kind>(items: &mut [Item<K>], survey: &Survey<K>, consent: &Consent) {
    // A resource that lost its tags may be anybody's, so that what it uses is unknown, too.
    let is_known = |item: &&Item<K>| {
        let mut owned = survey.owned.get(&item.id.kind).into_iter().flatten();
        owned.all(|owned| owned.address != item.address || owned.stays.is_none())
    };
    let user = |item: &Item<K>| match &item.action {
        Action::Keep { .. } if is_known(&item) => Some((item.id.kind, format!("{} may use it, and stays", item.id))),
        Action::Unreadable { .. } if !item.is_declared => {
            Some((item.id.kind, format!("{} may use it, and could not be read", item.id)))
        }
        _ => None,
    };
    let unlisted = survey.unlisted.keys().filter(|kind| kind.holds("") == Holds::Lasting);
    let unlisted = unlisted.map(|kind| (*kind, format!("a {} may use it, and none could be listed", kind.name())));
    let users: Vec<(K, String)> = items.iter().filter_map(user).chain(unlisted).collect();
    let is_agreed = |item: &Item<K>| !item.losses.is_empty() && (!consent.is_of_stack() || consent.names(&item.id));
    for item in items.iter_mut().filter(|item| item.action == Action::Delete && !is_agreed(item)) {
        if let Some((_, why)) = users.iter().find(|(kind, _)| order::refers(*kind, item.id.kind)) {
            item.action = Action::Keep { why: why.clone() };
            item.losses.clear();
        }
    }
}
