//! Children: parts that others add to a resource, and that no declaration has.
//!
//! A severe one opens the resource to others or carries data out of it: it is drift, like any field that differs, and removing it is a
//! loss that somebody names. Any other one stays: it is taken over into the desired settings, so that it is never compared, and shown
//! until the declaration accepts it.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{Address, Field, Kind, Protection, Resource, difference};

/// A part of a live resource that somebody added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Description, as it is shown: a target, a level of authentication.
    pub value: String,
    /// `true` if it opens the resource, or carries data out of it.
    pub is_severe: bool,
}

/// The children of a resource, by field and name. As settings they are a map by name below each field, or one text where a field has
/// one child at most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Children(BTreeMap<&'static str, BTreeMap<String, Child>>);

/// Name of a field's only child.
const ONLY: &str = "";

impl Children {
    /// Adds a child that has a name.
    pub fn add(&mut self, field: &'static str, name: impl Into<String>, value: impl Into<String>, is_severe: bool) {
        let child = Child { value: value.into(), is_severe };
        let children = self.0.entry(field).or_default();
        match children.entry(name.into()) {
            // A harmless one of the same name must not hide it.
            Entry::Occupied(known) if known.get().is_severe => {}
            Entry::Occupied(mut known) => drop(known.insert(child)),
            Entry::Vacant(place) => drop(place.insert(child)),
        }
    }

    /// Adds the only child of a field, if there is one.
    pub fn add_only(&mut self, field: &'static str, value: Option<impl Into<String>>, is_severe: bool) {
        if let Some(value) = value {
            self.add(field, ONLY, value, is_severe);
        }
    }

    /// Adds the children of another set.
    pub fn extend(&mut self, others: Self) {
        for (field, children) in others.0 {
            self.0.entry(field).or_default().extend(children);
        }
    }

    /// Changes whether the children of a field are severe, by their values.
    pub fn judge(&mut self, field: &str, is_severe: impl Fn(&str) -> bool) {
        for child in self.0.get_mut(field).into_iter().flat_map(BTreeMap::values_mut) {
            child.is_severe = is_severe(&child.value);
        }
    }

    /// Returns the names of a field's children that are not desired; that of an only child is empty.
    pub fn surplus(&self, desired: &Self, field: &str) -> Vec<&str> {
        let kept = desired.0.get(field);
        let names = self.0.get(field).into_iter().flat_map(BTreeMap::keys);
        names.filter(|name| kept.is_none_or(|kept| !kept.contains_key(*name))).map(String::as_str).collect()
    }

    /// Returns `true` if some child of a field is not desired.
    pub fn has_surplus(&self, desired: &Self, field: &str) -> bool {
        !self.surplus(desired, field).is_empty()
    }

    /// Iterates over the children: field, name, child.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str, &Child)> {
        self.0.iter().flat_map(|(field, children)| children.iter().map(|(name, child)| (*field, name.as_str(), child)))
    }

    /// Returns one child in each of some fields that are for children, for tests of the registry.
    pub fn one_in_each(fields: &[Field]) -> Self {
        let mut children = Self::default();
        for field in fields.iter().filter(|field| field.child.is_some()) {
            match field.path.strip_suffix(".*") {
                Some(above) => children.add(above, "name", "value", true),
                None => children.add_only(field.path, Some("value"), true),
            }
        }
        children
    }
}

impl Serialize for Children {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, children) in &self.0 {
            if let Some(child) = children.get(ONLY) {
                map.serialize_entry(field, &child.value)?;
            } else {
                let values = children.iter().map(|(name, child)| (name, &child.value));
                map.serialize_entry(field, &values.collect::<BTreeMap<_, _>>())?;
            }
        }
        map.end()
    }
}

/// The children that a declaration accepts: by resource, as [`crate::Id::typed`], the fields, or the paths of single children.
pub type Accepted = BTreeMap<String, BTreeSet<String>>;

/// Takes over the children that stay into the desired settings, and shows those that are not accepted. One that another declared
/// resource is for stays, too: it is that resource's to compare.
pub(crate) fn keep<K: Kind>(
    resource: &mut Resource<K>,
    live: &K::Settings,
    declared: &BTreeSet<(K, Address)>,
    accepted: &Accepted,
) {
    let (kind, mut live) = (resource.id.kind, live.clone());
    K::judge_children(&mut live, &resource.settings);
    let Some(live) = K::children(&mut live) else { return };
    let Some(desired) = K::children(&mut resource.settings) else { return };
    let accepted = accepted.get(&resource.id.typed());
    for (field, name, child) in live.iter() {
        let path = if name == ONLY { field.to_owned() } else { format!("{field}.{name}") };
        let of = difference::field(kind, &path).and_then(|field| field.child);
        let is_declared = of.and_then(|of| of.declared_as).is_some_and(|declared_as| {
            let address = Address::within(&resource.address.name, name);
            declared.iter().any(|(kind, one)| kind.name() == declared_as && *one == address)
        });
        if child.is_severe && !is_declared {
            continue;
        }
        desired.add(field, name, child.value.clone(), child.is_severe);
        let is_accepted = accepted.is_some_and(|accepted| accepted.contains(field) || accepted.contains(&path));
        if !is_declared && !is_accepted {
            resource.protections.push(Protection::new(path, child.value.clone(), of.map_or("", |of| of.is_what)));
        }
    }
}
