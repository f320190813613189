//! Ownership of a resource, by its tags: this stack's, nobody's, or somebody else's.

use std::{collections::BTreeMap, fmt};

use crate::Address;

/// Tag that marks a resource as a stack's; its value is [`Stack::id`]. Set on every resource that can carry tags.
///
/// It is one tag, since of three one could be lost: without its stage's tag, a resource of `mail` in stage `prod` would be one of
/// `mail` without stages.
pub const STACK_TAG: &str = "provision:stack";
/// Tag that names the declaration's entry that a resource was created for.
pub const ENTRY_TAG: &str = "provision:id";
/// Tag that says whether a resource is protected, `true` or `false`: it outlives the entry in the declaration. Without it, the kind
/// decides.
pub const PROTECT_TAG: &str = "provision:protect";
/// Tag of a resource whose first creation takes several calls, until the last one is done: until then nothing has relied on its
/// settings.
pub const UNFINISHED_TAG: &str = "provision:unfinished";
/// Reason for which a resource is kept that has this stack's tag but no entry's.
const HALF_TAGGED: &str = "it has this stack's tag, but neither an entry's tag nor a name of this stack's";
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
    /// Returns the owner of a resource by its tags.
    ///
    /// `holds_something` decides about a resource without any tags. If it is `true`, the resource is somebody else's: it has content or
    /// settings that a run of ours would not have left untagged. If it is `false`, it is nobody's and can be taken over: a run that was
    /// interrupted between creating and tagging it leaves just that. Kinds that are created with their tags always pass `true`.
    pub fn of(tags: &Tags, stack: &Stack, holds_something: bool) -> Self {
        match tags.get(STACK_TAG) {
            Some(owner) if *owner == stack.id() => Self::Ours,
            Some(owner) => Self::Other(match Stack::parse(owner) {
                Some(other) => format!("it belongs to {other}"),
                None => format!("its tag `{STACK_TAG}` names `{owner}`, which is not a stack"),
            }),
            None if tags.is_empty() && !holds_something => Self::Nobody,
            None => Self::Other("it exists and was not made by provision".to_owned()),
        }
    }
}

/// A resource as it is in AWS.
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
    /// Reason, in words, for which it is never deleted although it has this stack's tag; `None` if it is this stack's beyond doubt.
    pub stays: Option<&'static str>,
    /// Value of its [`PROTECT_TAG`]; `None` if it has none.
    pub protect: Option<bool>,
}

impl Owned {
    /// Returns a resource that is this stack's beyond doubt.
    pub fn new(entry: impl Into<String>, address: Address) -> Self {
        Self { entry: entry.into(), address, stays: None, protect: None }
    }
}

/// Returns what the value of [`PROTECT_TAG`] says: only the word `false` switches a protection off.
pub(crate) fn is_protect(value: &str) -> bool {
    value != "false"
}

/// A stack in one stage and one region: whose a resource is.
///
/// Its parts are names without a dot, so that a dot separates them beyond doubt: [`Stack::id`] of two stacks is never the same, while
/// [`Stack::prefix`] of `mail` in stage `prod` is that of `mail-prod`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stack {
    /// Name of the stack, without its stage.
    pub name: String,
    /// Stage; `None` if the declaration has no stages.
    pub stage: Option<String>,
    /// AWS region of the stack.
    pub region: String,
}

impl Stack {
    /// Returns the id: `STACK.STAGE.REGION`, or `STACK.REGION` without a stage. It is the value of [`STACK_TAG`].
    ///
    /// ```
    /// use engine::Stack;
    ///
    /// let stack = Stack { name: "mail".to_owned(), stage: Some("prod".to_owned()), region: "eu-west-1".to_owned() };
    /// assert_eq!(stack.id(), "mail.prod.eu-west-1");
    /// assert_eq!(Stack::parse("mail.prod.eu-west-1"), Some(stack));
    /// ```
    pub fn id(&self) -> String {
        format!("{}.{}", self.dotted(), self.region)
    }

    /// Returns the stack of an id; `None` if the text is none.
    pub fn parse(id: &str) -> Option<Self> {
        let parts: Vec<&str> = id.split('.').collect();
        let (name, stage, region) = match parts.as_slice() {
            [name, region] => (name, None, region),
            [name, stage, region] => (name, Some((*stage).to_owned()), region),
            _ => return None,
        };
        let is_one = parts.iter().all(|part| !part.is_empty());
        is_one.then(|| Self { name: (*name).to_owned(), stage, region: (*region).to_owned() })
    }

    /// Returns the readable beginning of names: `STACK-STAGE`, or `STACK`. Another stack may have the same.
    pub fn prefix(&self) -> String {
        self.joined('-')
    }

    /// Returns `STACK.STAGE`, or `STACK`: no other stack of the region has the same.
    pub fn dotted(&self) -> String {
        self.joined('.')
    }

    /// Returns the stack and its stage, with a character between them.
    pub fn joined(&self, between: char) -> String {
        match &self.stage {
            Some(stage) => format!("{}{between}{stage}", self.name),
            None => self.name.clone(),
        }
    }

    /// Returns a listed resource as this stack's, if it has the stack's tag, whatever its name. Its entry is that of its tags.
    /// A resource that has neither an entry's tag nor, as `is_named_ours` says, a name of this stack's was tagged by a person: it is shown
    /// and kept.
    pub fn owned(&self, name: &str, tags: &Tags, is_named_ours: bool) -> Option<Owned> {
        let entry = tags.get(ENTRY_TAG);
        (tags.get(STACK_TAG) == Some(&self.id())).then(|| Owned {
            entry: entry.cloned().unwrap_or_else(|| name.to_owned()),
            address: Address::of(name),
            stays: (entry.is_none() && !is_named_ours).then_some(HALF_TAGGED),
            protect: tags.get(PROTECT_TAG).map(|value| is_protect(value)),
        })
    }
}

/// Written for people: "stack `mail`, stage `prod`, region eu-west-1".
impl fmt::Display for Stack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "stack `{}`", self.name)?;
        if let Some(stage) = &self.stage {
            write!(formatter, ", stage `{stage}`")?;
        }
        write!(formatter, ", region {}", self.region)
    }
}
