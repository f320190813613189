//! Ownership of a resource, by its tags: this stack's, nobody's, or somebody else's.

use std::collections::BTreeMap;

use crate::Address;

/// Tag that marks a resource as this stack's; its value is the stack's id. Set on every resource that can carry tags.
pub const STACK_TAG: &str = "provision:stack";
/// Tag that names the declaration's entry that a resource was created for.
pub const ENTRY_TAG: &str = "provision:id";
/// Tags by key. All are managed by us, except AWS's own (`aws:…`), which nobody can change.
pub type Tags = BTreeMap<String, String>;

/// The owner of a resource that has one of this stack's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// This stack: the tags say so, or the resource is where only this stack creates any.
    Ours,
    /// Nobody: the resource has no tags and holds nothing. An interrupted run of ours created it and did not get to tag
    /// it.
    Nobody,
    /// Somebody else, or unknown because it is untagged and in use; the text says which. Never touched.
    Other(String),
}

impl Owner {
    /// Returns the owner by tags. An untagged resource that `holds_something` is not taken over.
    pub fn of(tags: &Tags, stack: &Stack, holds_something: bool) -> Self {
        match tags.get(STACK_TAG) {
            Some(owner) if *owner == stack.id => Self::Ours,
            Some(owner) => Self::Other(format!("it belongs to stack `{owner}`")),
            None if tags.is_empty() && !holds_something => Self::Nobody,
            None => Self::Other("it exists and was not made by provision".to_owned()),
        }
    }
}

/// A live resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live<S> {
    /// The settings that would have produced this state.
    pub settings: S,
    /// Owner of the resource.
    pub owner: Owner,
}

/// A live resource of this stack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owned {
    /// Entry of the declaration that it was created for.
    pub entry: String,
    /// Address of the resource.
    pub address: Address,
    /// Why it stays although it has a mark of this stack, in words; `None` if it is this stack's beyond doubt.
    pub stays: Option<&'static str>,
}

impl Owned {
    /// A resource that is this stack's beyond doubt.
    pub fn new(entry: impl Into<String>, address: Address) -> Self {
        Self { entry: entry.into(), address, stays: None }
    }
}

/// The stack whose resources are looked for, with the prefixes of its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// `STACK` or `STACK-STAGE`: the value of [`STACK_TAG`], and the prefix of names, before a `-`.
    pub id: String,
}

impl Stack {
    /// Returns the prefix of the names of resources that stand alone.
    pub fn prefix(&self) -> String {
        format!("{}-", self.id)
    }

    /// Returns the prefix of receipt rules' names. A stack's name cannot contain a dot, so the dot ends it.
    pub fn rule_prefix(&self) -> String {
        format!("{}.", self.id)
    }

    /// Returns a resource that a list gave, if its tags say that it is this stack's. A prefix alone does not: `mail-…` is
    /// also how the names of stack `mail-archive` begin. Nor does a tag alone: somebody may have copied it, so a resource
    /// with another name is told of and stays.
    pub fn owned(&self, name: &str, tags: &Tags, is_named_ours: bool) -> Option<Owned> {
        (tags.get(STACK_TAG) == Some(&self.id)).then(|| Owned {
            entry: tags.get(ENTRY_TAG).filter(|_| is_named_ours).cloned().unwrap_or_else(|| name.to_owned()),
            address: Address::of(name),
            stays: (!is_named_ours).then_some("it has this stack's tag, but its name is not one of this stack's"),
        })
    }
}
