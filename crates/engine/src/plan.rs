//! Compares declared resources with AWS into a [`Plan`]: a value that can be printed, serialised and tested without
//! AWS.
//!
//! `up`, `diff` and `down` use the same plan: `down` declares nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::{
    Address, Consent, Failure, Holds, Id, Kind, Live, Loss, Owned, Owner, Protection, Read, Resource, Slow, Survey,
    Widening,
    consent::{self, Fate},
    difference::{self, Difference, Reasons, differences},
    order::{self, Disorder, Step},
};

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
    /// The resource is this stack's and not declared, and stays: it holds data, is protected, or is used by what stays.
    Keep {
        /// The reason, in words: the data that it holds, or what may use it.
        why: String,
    },
    /// The resource could not be read.
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
    /// Declared resources that must be done before this one.
    pub after: Vec<Id<K>>,
    /// `true` if the resource is declared; `false` if it is this stack's and no longer is.
    #[serde(skip)]
    pub is_declared: bool,
    /// Settings between the live and the desired ones, under which everything works that works under either; `None` if the desired
    /// ones take nothing away that something may still use.
    #[serde(skip)]
    pub widened: Option<K::Settings>,
    /// Seconds for which nothing flows through the resource, since it is replaced; `None` if nothing is interrupted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupts: Option<u64>,
    /// Entry that the resource was for before, whose name in AWS it keeps; `None` if it was not moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
    /// Protections that others put there. They are not declared, and stay.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub protections: Vec<Protection>,
    /// Losses that the action causes for good. Somebody has to agree to each by name.
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
    pub widens: Vec<Widening>,
    /// Usual duration of the action, if it takes minutes; `None` if it takes seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow: Option<Slow>,
    /// The replaced resource that it is a part of, and is created anew with; `None` if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewed_with: Option<Id<K>>,
    /// `true` if it is changed only because it contains the id of something that is replaced, so that what was read of it is not what will be.
    #[serde(skip)]
    pub follows: bool,
}

/// The items of a stack, those without a change too, in an order in which they can be done. A resource is in it once: its kind and address are
/// the key.
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
    /// Undeclared resources that stay, because of the data that they hold.
    pub kept: usize,
    /// Resources that could not be read, and kinds that could not be listed.
    pub unreadable: usize,
    /// Resources with this stack's names that belong to somebody else.
    pub foreign: usize,
}

impl Counts {
    /// Returns the number of steps: resources to create, change, replace or delete.
    pub fn steps(self) -> usize {
        self.create + self.change + self.replace + self.delete
    }
}

impl<K: Kind> Plan<K> {
    /// Compares the declared resources with the survey, and keeps what holds data. Without an order there is no plan.
    pub fn new(declared: &[Resource<K>], survey: &Survey<K>) -> Result<Self, Disorder> {
        Self::with_consent(declared, survey, &Consent::default())
    }

    /// Compares the declared resources with the survey. What is no longer declared and holds data is deleted only by consent.
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

    /// Returns the addresses of what is deleted, or replaced, with the data that it holds.
    pub fn emptied(&self) -> BTreeSet<(K, Address)> {
        self.items.iter().filter(|item| item.loses_data()).map(|item| (item.id.kind, item.address.clone())).collect()
    }

    /// Returns `true` if there is nothing to do, nothing unreadable, and nothing of others in the way.
    pub fn is_converged(&self) -> bool {
        let counts = self.counts();
        counts.steps() + counts.unreadable + counts.foreign == 0
    }
}

impl<K: Kind> Item<K> {
    /// Returns an item of a resource that is not declared, with no loss yet.
    fn new(id: Id<K>, address: Address, action: Action) -> Self {
        Self {
            id,
            address,
            action,
            unchanged_fields: 0,
            after: Vec::new(),
            is_declared: false,
            widened: None,
            interrupts: None,
            moved_from: None,
            protections: Vec::new(),
            losses: Vec::new(),
            agreed: false,
            settings: None,
            widens: Vec::new(),
            slow: None,
            renewed_with: None,
            follows: false,
        }
    }
}

fn compare<K: Kind>(resource: &Resource<K>, survey: &Survey<K>) -> Item<K> {
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
    let changed: BTreeSet<_> =
        differences.iter().filter_map(|it| difference::field(kind, &it.path)).map(|field| field.path).collect();
    // Fields of children exist only where others have added some.
    let settings = kind.fields().iter().filter(|field| field.child.is_none());
    let unchanged_fields = settings.filter(|field| !changed.contains(field.path)).count();
    if let Some(reasons) = Reasons::among(kind, &differences) {
        if is_used {
            let with_resource = consent::of_replacement(&resource.id, &tree);
            losses.retain(|loss| !with_resource.contains(loss));
            losses.splice(0..0, with_resource);
        }
        let interrupts = kind.gap().map(|gap| gap.as_secs());
        return Item { action: Action::Replace { differences, reasons }, unchanged_fields, interrupts, losses, ..item };
    }
    let between = K::widened(&resource.settings, &live.settings);
    let widened = Some(between).filter(|between| *between != resource.settings);
    Item { action: Action::Change { differences }, unchanged_fields, widened, losses, ..item }
}

impl<K: Kind> Item<K> {
    /// Returns how long the action takes, where that is minutes.
    pub(crate) fn slow_to(&self, live: Option<&K::Settings>, desired: &K::Settings) -> Option<Slow> {
        match self.action {
            Action::Change { .. } => K::slow(live, desired),
            // One is deleted, and another one made.
            Action::Replace { .. } => Slow::then(self.id.kind.ends_in(), K::slow(None, desired)),
            _ => K::slow(None, desired),
        }
    }
}

/// Adds to what is created or changed what somebody looks for who approves it: the settings of a new resource, the rights that are
/// given, and the time that a step takes.
fn describe<K: Kind>(items: &mut [Item<K>], declared: &[Resource<K>], survey: &Survey<K>) {
    let desired: BTreeMap<(K, &Address), &K::Settings> =
        declared.iter().map(|resource| ((resource.id.kind, &resource.address), &resource.settings)).collect();
    for item in items.iter_mut().filter(|item| order::is_write(&item.action)) {
        let Some(desired) = desired.get(&(item.id.kind, &item.address)) else { continue };
        let live = match survey.read.get(&(item.id.kind, item.address.clone())) {
            Some(Read::Present(live)) => Some(&live.settings),
            _ => None,
        };
        let is_new = item.action == Action::Create;
        item.settings = is_new.then(|| K::tree(desired));
        // What goes with its parent and comes again gives no right that was not there.
        item.widens = K::widenings(live, desired);
        item.slow = item.slow_to(live, desired);
    }
}

/// Turns children of replaced resources into creates: replacing a function deletes its permissions.
fn renew_parts<K: Kind>(items: &mut [Item<K>]) {
    let is_replaced = |item: &&Item<K>| matches!(item.action, Action::Replace { .. });
    let replaced: BTreeSet<(Id<K>, Option<String>)> =
        items.iter().filter(is_replaced).map(|item| (item.id.clone(), Some(item.address.name.clone()))).collect();
    for item in items {
        let within = |id: &&Id<K>| replaced.contains(&((*id).clone(), item.address.container.clone()));
        let is_known = !matches!(item.action, Action::Unreadable { .. } | Action::Foreign { .. });
        if let Some(parent) = item.after.iter().find(within).filter(|_| is_known) {
            item.renewed_with = Some(parent.clone());
            item.action = Action::Create;
            item.unchanged_fields = 0;
            item.widened = None;
            item.losses = Vec::new();
        }
    }
}

/// Turns what contains the id of a replaced resource into a change: whatever takes its place has another id.
fn follow_replaced<K: Kind>(items: &mut [Item<K>], declared: &[Resource<K>]) {
    let is_replaced = |item: &&Item<K>| matches!(item.action, Action::Replace { .. });
    let replaced = items.iter().filter(is_replaced).map(|item| item.id.clone());
    let replaced: BTreeMap<Id<K>, String> =
        replaced.filter_map(|id| Some((id.clone(), id.kind.stands_for_id()?))).collect();
    for item in items.iter_mut().filter(|item| item.is_declared && item.action == Action::Unchanged) {
        let Some((id, stands_for_it)) = item.after.iter().find_map(|id| replaced.get_key_value(id)) else { continue };
        let is_it = |resource: &&Resource<K>| resource.id == item.id && resource.address == item.address;
        let tree = declared.iter().find(is_it).map(|resource| K::tree(&resource.settings)).unwrap_or_default();
        let named =
            differences(&Value::Null, &tree).into_iter().filter(|it| it.declared.to_string().contains(stands_for_it));
        let differences: Vec<_> = named
            .map(|it| Difference { live: it.declared, declared: format!("(id of the new {id})").into(), path: it.path })
            .collect();
        if !differences.is_empty() {
            item.unchanged_fields = item.id.kind.fields().iter().filter(|field| field.child.is_none()).count() - 1;
            item.action = Action::Change { differences };
            item.follows = true;
        }
    }
}

/// Returns the stack's live resources as if none of them were declared.
fn undeclared<'a, K: Kind>(survey: &'a Survey<K>, consent: &'a Consent) -> impl Iterator<Item = Item<K>> {
    let ours = survey.owned.iter().flat_map(|(kind, owned)| owned.iter().map(|owned| (*kind, owned)));
    ours.map(|(kind, owned)| {
        let (id, address) = (Id::new(kind, owned.entry.clone()), owned.address.clone());
        let mut losses = Vec::new();
        let mut action_on = |holding: Option<&String>| match consent::fate(&id, owned, holding, consent) {
            Fate::Stays(why) => Action::Keep { why },
            Fate::Goes(lost) => {
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
            (None, Some(Ok(holding)), _) => action_on(Some(holding)),
            (None, None, _) => action_on(None),
        };
        if action == Action::Delete
            && let Some(Ok(live)) = survey.used.get(&place)
        {
            losses.extend(consent::of_users(kind, live));
        }
        Item { losses, ..Item::new(id, address, action) }
    })
}

/// Keeps what something that stays may use: a database would stay in a network that is taken apart around it, which AWS refuses after
/// three quarters of an hour, and a server without its disk. What could not be read or listed may stay as well. What somebody has agreed to
/// lose goes all the same; whoever has agreed to lose all data of a stack has not meant that of what stays.
fn keep_used<K: Kind>(items: &mut [Item<K>], survey: &Survey<K>, consent: &Consent) {
    // Who has what lost its tags is unknown, and so is what it uses.
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
    let is_meant = |item: &Item<K>| !item.losses.is_empty() && (!consent.is_of_stack() || consent.names(&item.id));
    for item in items.iter_mut().filter(|item| item.action == Action::Delete && !is_meant(item)) {
        if let Some((_, why)) = users.iter().find(|(kind, _)| order::refers(*kind, item.id.kind)) {
            item.action = Action::Keep { why: why.clone() };
            item.losses.clear();
        }
    }
}

/// The stack's live resources, by kind.
pub type OwnedByKind<K> = BTreeMap<K, BTreeSet<Owned>>;
