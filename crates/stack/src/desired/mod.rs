//! [`Declaration`] → [`Resource`]s: everything that a declaration implies and does not state. Permissions follow from
//! references, and so does the order.
//!
//! Pure: everything that must be read from AWS first is in [`Inputs`].

mod alarms;
mod api;
mod first_start;
pub(crate) mod function;
mod mail;
mod network;
pub(crate) mod rights;
pub(crate) mod sending;
mod server;
mod sharing;
mod storage;
mod stores;
mod subscriptions;
#[cfg(test)]
mod tests;

pub(crate) use rights::{READ_TOPIC, SECRET_OF_DATABASE};

use std::collections::BTreeMap;

use crate::{Existing, Names};
use declaration::{Action, Declaration};
use engine::{Address, ENTRY_TAG, Holds, PROTECT_TAG, STACK_TAG, Tags};
use kinds::{
    Id, Kind, Resource, Settings,
    ses::{Snapshot, own_set},
};

/// The inputs besides the declaration.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'given> {
    /// Names and ARNs in AWS.
    pub names: &'given Names,
    /// `CodeSha256` of each function, by entry.
    pub code: &'given BTreeMap<String, String>,
    /// `true` if some zip is too large to be sent with a call. What servers run goes through the bucket anyhow.
    pub artifacts: bool,
    /// Rule set that contains the receipt rules.
    pub rule_set: &'given RuleSet,
    /// Buckets and secrets that are not the stack's, as they were read.
    pub existing: &'given Existing,
}

/// The rule set that contains a stack's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleSet {
    /// The stack's own set, which is active, or becomes it.
    Own,
    /// Somebody else's set, which is active: the rules join it.
    Joined(String),
}

impl RuleSet {
    /// Chooses the rule set by which set is active: the rules join somebody else's set, unless the declaration
    /// takes over.
    pub fn choose(declaration: &Declaration, names: &Names, snapshot: &Snapshot) -> Self {
        match &snapshot.active {
            Some(active) if *active != own_set(names.stack()) && !declaration.take_over => Self::Joined(active.clone()),
            _ => Self::Own,
        }
    }

    /// Returns the name of the rule set.
    pub fn name(&self, names: &Names) -> String {
        match self {
            Self::Own => own_set(names.stack()),
            Self::Joined(name) => name.clone(),
        }
    }
}

/// Returns all resources of a declaration.
///
/// With the survey of an account they are the plan. Where nothing is there yet, everything is created:
///
/// ```
/// use std::{collections::BTreeMap, path::Path};
///
/// use declaration::Declaration;
/// use kinds::{Plan, Survey};
/// use stack::{Existing, Names, desired::{Inputs, RuleSet, resources}};
///
/// let source = "stack: shop\nregion: eu-west-1\nqueues: {orders: {}}\ntopics: {news: {}}\n";
/// let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
/// let declaration = &checked.declarations[0];
/// let names = Names::new(declaration, "123456789012");
/// let (code, existing) = (BTreeMap::new(), Existing::default());
/// let inputs = Inputs { names: &names, code: &code, artifacts: false, rule_set: &RuleSet::Own, existing: &existing };
///
/// let desired = resources(declaration, inputs);
/// let plan = Plan::new(&desired, &Survey::default()).unwrap();
/// assert_eq!((plan.items().len(), plan.counts().create), (2, 2));
/// ```
pub fn resources(declaration: &Declaration, given: Inputs<'_>) -> Vec<Resource> {
    let mut blueprint = Blueprint { declaration, given, resources: Vec::new() };
    network::add(&mut blueprint);
    storage::add(&mut blueprint);
    sending::add(&mut blueprint);
    stores::add(&mut blueprint);
    server::add(&mut blueprint);
    function::add(&mut blueprint);
    api::add(&mut blueprint);
    mail::add(&mut blueprint);
    alarms::add(&mut blueprint);
    blueprint.resources
}

/// The resources collected so far.
struct Blueprint<'given> {
    declaration: &'given Declaration,
    given: Inputs<'given>,
    resources: Vec<Resource>,
}

impl<'given> Blueprint<'given> {
    fn names(&self) -> &'given Names {
        self.given.names
    }

    /// Adds a resource, and the resources that must exist before it.
    fn add(&mut self, id: Id, address: Address, settings: impl Into<Settings>, after: Vec<Id>) {
        let moved_from = self.names().moved_from(&id).map(str::to_owned);
        self.resources.push(Resource {
            id,
            address,
            settings: settings.into(),
            after,
            moved_from,
            protections: Vec::new(),
        });
    }

    /// Returns the tags of an entry: the stack's, overridden by its own, overridden by those that mark ownership.
    fn tags(&self, entry: &str, own: &BTreeMap<String, String>) -> Tags {
        let mut tags = self.declaration.tags.clone();
        tags.extend(own.clone());
        tags.insert(STACK_TAG.to_owned(), self.names().stack().id());
        tags.insert(ENTRY_TAG.to_owned(), entry.to_owned());
        tags
    }

    /// Returns the tags of an entry whose resource of a kind can be protected.
    fn protected_tags(&self, kind: Kind, entry: &str, own: &BTreeMap<String, String>, protect: Option<bool>) -> Tags {
        let mut tags = self.tags(entry, own);
        // What is not protected anyhow needs no tag that says so.
        let is_told = |protect: &bool| *protect || kind.holds(entry) == Holds::Lasting;
        if let Some(protect) = protect.filter(is_told) {
            tags.insert(PROTECT_TAG.to_owned(), protect.to_string());
        }
        tags
    }

    /// Returns the rules with the actions that `what` selects, in their order.
    fn rules_that<T>(&self, what: impl Fn(&'given Action) -> Option<T>) -> Vec<(&'given str, T)> {
        let rules = self.declaration.receipt_rules.iter();
        let done = rules.flat_map(|rule| rule.actions.iter().map(move |action| (rule.name.as_str(), action)));
        done.filter_map(|(rule, action)| Some((rule, what(action)?))).collect()
    }

    /// Returns the ARN of a rule in the chosen set.
    fn rule_arn(&self, rule: &str) -> String {
        self.names().rule_arn(&self.given.rule_set.name(self.names()), rule)
    }
}

/// Returns the topic that an action notifies, by entry.
fn topic_of(action: &Action) -> Option<&str> {
    match action {
        Action::Store { topic, .. } | Action::Invoke { topic, .. } => topic.as_deref(),
        Action::Publish { topic, .. } => Some(topic),
        Action::Bounce(bounce) => bounce.topic.as_deref(),
        Action::AddHeader { .. } | Action::Stop => None,
    }
}

/// Returns whole seconds, as AWS counts them.
fn seconds(duration: std::time::Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

/// Returns whole days, as AWS counts them.
fn days(duration: std::time::Duration) -> u32 {
    seconds(duration) / (24 * 60 * 60)
}

/// Returns the id of a statement in a policy of the stack's own. IAM takes letters and digits only: `my-rule` becomes
/// `MyRule`.
fn statement_id(words: &[&str]) -> String {
    let parts = words.iter().flat_map(|word| word.split(|character: char| !character.is_ascii_alphanumeric()));
    let capitalised = parts.map(|part| {
        let mut characters = part.chars();
        characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect::<String>()
    });
    capitalised.collect()
}

/// Returns the statements with distinct ids: two rules' names may differ in a hyphen only.
fn with_ids<S>(statements: impl IntoIterator<Item = (String, S)>) -> Vec<(String, S)> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let named = statements.into_iter().map(|(id, statement)| {
        let count = taken.entry(id.clone()).and_modify(|count| *count += 1).or_insert(1);
        (if *count == 1 { id } else { format!("{id}x{count}") }, statement)
    });
    named.collect()
}

/// Returns the ids without repetitions.
fn distinct(mut ids: Vec<Id>) -> Vec<Id> {
    ids.sort();
    ids.dedup();
    ids
}

/// Returns the identity of an entry's resource.
fn of(kind: Kind, entry: impl Into<String>) -> Id {
    Id::new(kind, entry)
}
