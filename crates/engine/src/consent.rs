//! Losses, and the consent to them: what a plan takes away for good is named, and done only if somebody has named it too.
//!
//! A loss follows from the registry alone: from how a kind holds data, from the relation of a field to the life of data, and from
//! whose items a field has.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    Difference, Field, Id, Item, Kind, Life, Owned, PROTECT_TAG, Plan, Resource, UNFINISHED_TAG, UnknownKind,
    difference, ownership::is_protect, shortest_above,
};

/// The ways in which a kind holds data that is lost with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// It holds none, or what can be made again.
    Nothing,
    /// Data that comes and goes: the messages of a queue, the lines of a log.
    Passing,
    /// Data that is there to last. Such a resource is protected unless its declaration says otherwise.
    Lasting,
}

/// The things that can be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Loses {
    /// The data that a deleted or replaced resource holds.
    Data,
    /// A resource that is protected.
    Protected,
    /// The protection of a resource.
    Protection,
    /// Data, earlier than before.
    Life,
    /// Items that others made.
    Others,
}

/// A loss that an action on a resource brings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Loss {
    /// Thing that is lost.
    pub loses: Loses,
    /// Path of the field whose change loses it; `None` if it goes with the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Live value, or a description of the data; null if neither is known.
    pub from: Value,
    /// Declared value; null if there is none.
    pub to: Value,
}

impl Loss {
    /// Returns the loss that comes with the whole resource.
    fn of_resource(loses: Loses, from: Value) -> Self {
        Self { loses, path: None, from, to: Value::Null }
    }
}

/// The losses that somebody has agreed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consent {
    /// Resources that were named, as [`Id::typed`].
    named: BTreeSet<String>,
    /// Consent to the end of the whole stack; `None` if there is none.
    stack: Option<Whole>,
}

/// The consent to the end of a whole stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Whole {
    /// `true` if data goes, too.
    data: bool,
}

impl Consent {
    /// Returns the consent to what is lost with some resources, each typed as `KIND/ENTRY`.
    pub fn naming<K: Kind>(typed: &[String]) -> Result<Self, UnknownKind> {
        let named = typed.iter().map(|typed| Ok(Id::<K>::parse(typed)?.typed()));
        Ok(Self { named: named.collect::<Result<_, _>>()?, stack: None })
    }

    /// Returns the consent with that to the end of the whole stack: everything goes but what is declared with `protect: true`, and
    /// what holds data, unless `data` goes, too. What is named goes in any case.
    #[must_use]
    pub fn with_stack(self, data: bool) -> Self {
        Self { stack: Some(Whole { data }), ..self }
    }

    /// Returns the resources that were named, as `KIND/ENTRY`.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(String::as_str)
    }

    /// Adds a resource that was named.
    pub fn add<K: Kind>(&mut self, id: &Id<K>) {
        self.named.insert(id.typed());
    }

    /// Returns `true` if the losses of a planned action are agreed to.
    pub(crate) fn covers<K: Kind>(&self, item: &Item<K>) -> bool {
        // In the plan of a whole stack, what was not agreed to stays. What is not the stack's is another matter.
        let is_theirs = item.losses.iter().any(|loss| loss.loses == Loses::Others);
        self.stack.is_some() && !is_theirs || self.names(&item.id)
    }

    /// Returns `true` if the whole stack goes.
    pub(crate) fn is_of_stack(&self) -> bool {
        self.stack.is_some()
    }

    /// Returns `true` if a resource was named.
    pub(crate) fn names<K: Kind>(&self, id: &Id<K>) -> bool {
        self.named.contains(&id.typed())
    }

    /// Returns `true` if an undeclared resource may be deleted with the data that it holds.
    fn covers_data<K: Kind>(&self, id: &Id<K>) -> bool {
        self.names(id) || self.stack.is_some_and(|stack| stack.data)
    }
}

/// A decision on an undeclared resource.
pub(crate) enum Decision {
    /// It is deleted, with these losses. Each needs consent, which it may not have yet.
    Delete(Vec<Loss>),
    /// It stays, for this reason.
    Keep(String),
}

/// Decides whether an undeclared resource is deleted. `holding` is what it holds, in words; `None` if it holds nothing.
pub(crate) fn decide<K: Kind>(id: &Id<K>, owned: &Owned, holding: Option<&String>, consent: &Consent) -> Decision {
    let holds = id.kind.holds(&id.entry);
    let mut losses = Vec::new();
    if let Some(what) = holding {
        if holds == Holds::Nothing || !consent.covers_data(id) {
            return Decision::Keep(what.clone());
        }
        losses.push(Loss::of_resource(Loses::Data, json!(what)));
    }
    // Whoever ends the stack has not named what its declaration protects by name.
    if consent.stack.is_some() && owned.protect == Some(true) && !consent.names(id) {
        return Decision::Keep(format!("it is protected; `--allow-delete {}` deletes it", id.typed()));
    }
    // Who ends the stack has typed its name: what is protected without having been declared so goes with it.
    if owned.protect.unwrap_or(holds == Holds::Lasting && consent.stack.is_none()) {
        losses.push(Loss::of_resource(Loses::Protected, Value::Null));
    }
    Decision::Delete(losses)
}

/// Returns what is lost when a live resource is replaced.
pub(crate) fn of_replacement<K: Kind>(id: &Id<K>, live: &Value) -> Vec<Loss> {
    // Of a declared resource nobody asked what it holds.
    let data = id.kind.holds(&id.entry) != Holds::Nothing;
    let data = data.then(|| Loss::of_resource(Loses::Data, Value::Null));
    let protected = is_protected(id, live).then(|| Loss::of_resource(Loses::Protected, Value::Null));
    data.into_iter().chain(protected).chain(of_users(id.kind, live)).collect()
}

/// Returns what others lose who use a live resource that is deleted or replaced.
pub(crate) fn of_users<K: Kind>(kind: K, live: &Value) -> Vec<Loss> {
    let fields = kind.fields().iter().filter(|field| field.child.is_some_and(|child| child.is_used));
    fields.flat_map(|field| taken_of(field, live, &Value::Null)).collect()
}

/// Returns what others lose whose children of a live resource are removed.
pub(crate) fn of_children<K: Kind>(kind: K, live: &Value, declared: &Value) -> Vec<Loss> {
    let fields = kind.fields().iter().filter(|field| field.child.is_some());
    fields.flat_map(|field| taken_of(field, live, declared)).collect()
}

/// Returns what is lost when a live resource becomes the declared one, field by field.
pub(crate) fn of_change<K: Kind>(resource: &Resource<K>, live: &Value, differences: &[Difference]) -> Vec<Loss> {
    let (kind, declared) = (resource.id.kind, K::tree(&resource.settings));
    let shorter = differences.iter().filter_map(|difference| shorter_life(kind, difference, (live, &declared)));
    protection_ended(&resource.id, live, &declared)
        .into_iter()
        .chain(shorter)
        .chain(taken(kind, live, &declared))
        .collect()
}

/// Returns the loss of a protection that is switched off.
fn protection_ended<K: Kind>(id: &Id<K>, live: &Value, declared: &Value) -> Option<Loss> {
    let [from, to] = [live, declared].map(|tree| protect_tag(tree).cloned().unwrap_or_default());
    let path = Some(format!("tags.{PROTECT_TAG}"));
    let is_ended = |is_so: &dyn Fn(&Value) -> bool| is_so(live) && !is_so(declared);
    // What its kind protects goes with the stack, what is protected by name does not: the one is less than the other.
    let is_ended = is_ended(&|tree| is_protected(id, tree)) || is_ended(&is_protected_by_name);
    is_ended.then_some(Loss { loses: Loses::Protection, path, from, to })
}

/// Returns the loss of a change that shortens the life of data.
fn shorter_life<K: Kind>(kind: K, change: &Difference, (before, after): (&Value, &Value)) -> Option<Loss> {
    let field = difference::field(kind, &change.path)?;
    let life = field.life?;
    let from =
        match (life, field.path.strip_suffix(".*").zip(change.path.strip_prefix(field.path.trim_end_matches('*')))) {
            // What covered the name until now counts, not only what stood at it.
            (Life::EndsBelow, Some((above, beginning))) => shortest_above(below(before, above), beginning),
            _ => change.live.clone(),
        };
    let is_caught = matches!(life, Life::EndsUncaught(by) if !below(after, by).is_null());
    let (path, to) = (Some(change.path.clone()), change.declared.clone());
    (!is_caught && life.is_shortened(&from, &to)).then_some(Loss { loses: Loses::Life, path, from, to })
}

/// Returns the value at the path of a field; null if there is none.
fn below<'tree>(tree: &'tree Value, path: &str) -> &'tree Value {
    tree.pointer(&format!("/{}", path.replace('.', "/"))).unwrap_or(&Value::Null)
}

/// Returns the losses of what others made, and the declared settings do not have.
fn taken<K: Kind>(kind: K, live: &Value, declared: &Value) -> Vec<Loss> {
    kind.fields().iter().flat_map(|field| taken_of(field, live, declared)).collect()
}

/// Returns the losses of what others made in one field.
fn taken_of(field: &Field, live: &Value, declared: &Value) -> Vec<Loss> {
    let path = field.path.strip_suffix(".*").unwrap_or(field.path);
    let names = field.makers.others(below(live, path), below(declared, path)).into_iter();
    let loss = |name| Loss { loses: Loses::Others, path: Some(path.to_owned()), from: json!(name), to: Value::Null };
    names.map(loss).collect()
}

/// Returns `true` if a run was ended before it had created the whole resource.
pub(crate) fn is_unfinished(tree: &Value) -> bool {
    tree.get("tags").and_then(|tags| tags.get(UNFINISHED_TAG)).is_some()
}

fn protect_tag(tree: &Value) -> Option<&Value> {
    tree.get("tags").and_then(|tags| tags.get(PROTECT_TAG))
}

/// Returns `true` if a resource with these settings is protected: by its tag, else by its kind.
pub(crate) fn is_protected<K: Kind>(id: &Id<K>, tree: &Value) -> bool {
    let tag = protect_tag(tree).and_then(Value::as_str).map(is_protect);
    tag.unwrap_or_else(|| id.kind.holds(&id.entry) == Holds::Lasting)
}

/// Returns `true` if a resource with these settings is protected by its tag.
fn is_protected_by_name(tree: &Value) -> bool {
    protect_tag(tree).and_then(Value::as_str).is_some_and(is_protect)
}

impl<K: Kind> Item<K> {
    /// Returns `true` if the action loses something that nobody has agreed to.
    pub fn lacks_consent(&self) -> bool {
        !self.losses.is_empty() && !self.agreed
    }

    /// Returns `true` if the data goes that the resource holds.
    pub(crate) fn loses_data(&self) -> bool {
        self.losses.iter().any(|loss| loss.loses == Loses::Data)
    }
}

impl<K: Kind> Plan<K> {
    /// Returns the items whose losses nobody has agreed to. With one of them the plan must not be applied.
    pub fn unconsented(&self) -> Vec<&Item<K>> {
        self.items().iter().filter(|item| item.lacks_consent()).collect()
    }

    /// Returns the names that were given and lose nothing in this plan.
    pub fn needless(&self, consent: &Consent) -> Vec<String> {
        let losing = self.items().iter().filter(|item| !item.losses.is_empty()).map(|item| item.id.typed());
        let losing: BTreeSet<String> = losing.collect();
        consent.named.difference(&losing).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
