//! The owner of a resource by its tags: this stack, nobody, or somebody else.

use std::collections::BTreeMap;

use crate::Address;

/// What marks a resource as ours, on everything that can carry tags: the stack it belongs to …
pub const STACK_TAG: &str = "provision:stack";
/// … and the entry of the declaration that it was made for.
pub const ENTRY_TAG: &str = "provision:id";
/// Tags by key. They are ours alone, but for those that AWS itself sets (`aws:…`), which nobody can change.
pub type Tags = BTreeMap<String, String>;

/// The owner of a resource that has one of our names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// This stack's: it says so, or it stands where only this stack puts things.
    Ours,
    /// Nobody's: it has no tags and holds nothing. A run of ours was ended between making and marking it.
    Nobody,
    /// Somebody else's, or unmarked and in use; the words say which. Never touched.
    Other(String),
}

impl Owner {
    /// Returns the owner by tags. An unmarked resource that `holds_something` is not simply taken over.
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
    /// As declared ones would be, had they led to this.
    pub settings: S,
    /// Owner of the resource.
    pub owner: Owner,
}

/// Something of this stack's that is in AWS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owned {
    /// The entry of the declaration that it was made for.
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
    /// `STACK` or `STACK-STAGE`: the value of [`STACK_TAG`], and what names begin with, before a `-`.
    pub id: String,
}

impl Stack {
    /// Returns the prefix of the names of resources that stand alone.
    pub fn prefix(&self) -> String {
        format!("{}-", self.id)
    }

    /// Returns the prefix of receipt rules' names: a stack's name cannot contain a dot, so the dot ends it.
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
