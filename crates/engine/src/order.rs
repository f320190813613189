//! The order of the steps of a plan: widen, create, switch, verify, then delete and narrow.
//!
//! A right is widened before what needs it is created or switched over. When everything that is declared works, and was read again,
//! what is no longer declared is deleted, and what is no longer desired is taken away, users before what they use. So whatever flows through the stack
//! flows at every moment, and a failure leaves behind what works.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fmt,
};

use crate::{Action, ENTRY_TAG, Id, Item, Kind, STACK_TAG};

/// The part of an item's action that a step carries out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// There is nothing to do, or nothing may be done.
    Settled,
    /// Creates, changes or replaces the resource.
    Write,
    /// Gives a live resource what is desired, and takes nothing from it.
    Widen,
    /// Reads the resource again: it must be as it was written.
    Verify,
    /// Deletes the resource from AWS.
    Delete,
    /// Takes from the resource what is no longer desired.
    Narrow,
}

/// A step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Index of the item.
    pub item: usize,
    /// Part of the item's action.
    pub phase: Phase,
    /// Indices of the steps that must be done before it. All of them are earlier steps.
    pub waits: Vec<usize>,
}

/// The reason why a plan has no order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disorder {
    /// Two declared resources are one in AWS.
    Twice {
        /// Ids of the two declared resources.
        ids: [String; 2],
        /// Name of the one resource in AWS.
        name: String,
    },
    /// Two resources in AWS have the tags of one entry.
    SameEntry {
        /// Id of the resource that the entry declares.
        id: String,
        /// Names of the resources in AWS.
        names: [String; 2],
    },
    /// A resource cannot become that of another entry, which has one.
    Moved {
        /// The resource of the entry of before, and that of the entry of now.
        ids: [String; 2],
        /// Their names in AWS.
        names: [String; 2],
    },
    /// A resource that is declared as somebody else's is this stack's, and would be deleted as one that is no longer declared.
    Own {
        /// The resource that its tags say it is.
        id: String,
        /// Its name in AWS.
        name: String,
    },
    /// Each of these waits for another one of them.
    Circle {
        /// The resources, in no order.
        ids: Vec<String>,
    },
}

impl Error for Disorder {}

impl fmt::Display for Disorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice { ids: [one, other], name } => {
                write!(
                    formatter,
                    "Failed to plan: {one} and {other} would both be `{name}`; rename one of them. An entry that was moved keeps its former name in AWS"
                )
            }
            Self::SameEntry { id, names: [one, other] } => {
                let tags = format!("`{STACK_TAG}` and `{ENTRY_TAG}`");
                write!(
                    formatter,
                    "Failed to plan: `{one}` and `{other}` are both tagged as {id}; take the tags {tags} from the one that is not"
                )
            }
            Self::Moved { ids: [from, to], names: [one, other] } => {
                write!(
                    formatter,
                    "Failed to plan: {from} cannot become {to}, since both exist: `{one}` and `{other}`; delete one of them, or remove the line under `moved`"
                )
            }
            Self::Own { id, name } => {
                let tags = format!("`{STACK_TAG}` and `{ENTRY_TAG}`");
                write!(
                    formatter,
                    "Failed to plan: `{name}` is declared as `existing`, and is this stack's own {id}, which would be deleted; declare it without `existing`, or take the tags {tags} from it to let the stack go on without it"
                )
            }
            Self::Circle { ids } => {
                let ids = ids.join(", ");
                write!(formatter, "Failed to plan: these wait for each other, so none can be the first: {ids}")
            }
        }
    }
}

/// Returns `true` if an action creates or changes something.
pub(crate) fn is_write(action: &Action) -> bool {
    matches!(action, Action::Create | Action::Change { .. } | Action::Replace { .. })
}

/// Sorts the items by their first steps, and returns the steps, in an order in which they can be done; ties break by kind, then entry.
pub(crate) fn sort<K: Kind>(mut items: Vec<Item<K>>) -> Result<(Vec<Item<K>>, Vec<Step>), Disorder> {
    items.sort_by(|one, other| one.id.cmp(&other.id).then_with(|| one.address.cmp(&other.address)));
    let steps = steps(&items);
    let waits: Vec<Vec<usize>> = steps.iter().map(|step| step.waits.clone()).collect();
    let order = topological(&waits).map_err(|rest| {
        let items = rest.iter().filter_map(|index| items.get(steps.get(*index)?.item));
        Disorder::Circle { ids: items.map(|item| item.id.to_string()).collect() }
    })?;
    let places: BTreeMap<usize, usize> = order.iter().enumerate().map(|(place, index)| (*index, place)).collect();
    let mut of_items: BTreeMap<usize, usize> = BTreeMap::new();
    let mut sorted = Vec::with_capacity(steps.len());
    for step in order.iter().filter_map(|index| steps.get(*index)) {
        let next = of_items.len();
        let item = *of_items.entry(step.item).or_insert(next);
        let waits = step.waits.iter().filter_map(|index| places.get(index).copied()).collect();
        sorted.push(Step { item, phase: step.phase, waits });
    }
    let mut items: Vec<(usize, Item<K>)> =
        items.into_iter().enumerate().filter_map(|(index, item)| Some((*of_items.get(&index)?, item))).collect();
    items.sort_by_key(|(place, _)| *place);
    Ok((items.into_iter().map(|(_, item)| item).collect(), sorted))
}

/// Returns the phases of an item: one, or those between which others are switched.
fn phases<K: Kind>(item: &Item<K>, items: &[Item<K>]) -> Vec<Phase> {
    match &item.action {
        Action::Delete => vec![Phase::Delete],
        action if !is_write(action) => vec![Phase::Settled],
        _ if item.interim.is_some() && items.iter().any(|other| may_use(other, item)) => {
            vec![Phase::Widen, Phase::Narrow]
        }
        _ => vec![Phase::Write],
    }
}

/// Returns `true` if another item changes that may use what a resource gives, or may take over a part of it.
fn may_use<K: Kind>(other: &Item<K>, item: &Item<K>) -> bool {
    let is_other = (other.id.kind, &other.address) != (item.id.kind, &item.address);
    let is_step = is_write(&other.action) || other.action == Action::Delete;
    is_other && is_step && (other.id.kind == item.id.kind || refers(other.id.kind, item.id.kind))
}

/// Returns `true` if resources of a kind may refer to those of another, directly or indirectly.
pub(crate) fn refers<K: Kind>(kind: K, other: K) -> bool {
    let mut found: BTreeSet<K> = BTreeSet::new();
    let mut next: Vec<K> = kind.refers_to().to_vec();
    while let Some(kind) = next.pop() {
        if found.insert(kind) {
            next.extend(kind.refers_to());
        }
    }
    found.contains(&other) && kind != other
}

/// Returns the steps of all items, by index. Their waits may be later ones.
///
/// A resource is created after everything that it refers to, directly or indirectly, even where the steps in between have nothing
/// to do: a failure destination needs the permissions of the function's role, and refers to the function. When everything that is
/// declared is there, it is read again. Only then something is deleted or taken away, from the users to the used: after every
/// deletion, and everything that is taken away, of a kind that may refer to it.
fn steps<K: Kind>(items: &[Item<K>]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (item, of) in items.iter().enumerate() {
        steps.extend(phases(of, items).into_iter().map(|phase| Step { item, phase, waits: Vec::new() }));
    }
    if steps.iter().any(takes_away) {
        let written = steps.iter().filter(|step| matches!(step.phase, Phase::Write | Phase::Widen));
        let verified: Vec<Step> =
            written.map(|step| Step { item: step.item, phase: Phase::Verify, waits: Vec::new() }).collect();
        steps.extend(verified);
    }
    let order = Order::new(items, &steps);
    let all: Vec<Vec<usize>> = steps.iter().map(|step| order.waits(step).unwrap_or_default()).collect();
    for (step, waits) in steps.iter_mut().zip(all) {
        step.waits = waits;
    }
    steps
}

/// Answers which steps must be done before another one.
struct Order<'plan, K: Kind> {
    items: &'plan [Item<K>],
    steps: &'plan [Step],
    index: BTreeMap<&'plan Id<K>, Vec<usize>>,
    /// The step of each item for which its users wait.
    first: BTreeMap<usize, usize>,
    /// The steps of what is declared that take nothing away.
    kept: Vec<usize>,
}

impl<'plan, K: Kind> Order<'plan, K> {
    fn new(items: &'plan [Item<K>], steps: &'plan [Step]) -> Self {
        let mut order = Self { items, steps, index: by_id(items), first: BTreeMap::new(), kept: Vec::new() };
        let first = order.steps_of(&|step| !takes_away_later(step)).into_iter();
        order.first = first.filter_map(|index| Some((steps.get(index)?.item, index))).collect();
        order.kept = order.steps_of(&|step| order.is_declared(step) && !takes_away(step));
        order
    }

    /// Returns the steps for which a step waits, by index.
    fn waits(&self, step: &Step) -> Option<Vec<usize>> {
        let item = self.items.get(step.item)?;
        let kind = item.id.kind;
        let is_written = |step: &Step| matches!(step.phase, Phase::Write | Phase::Widen);
        Some(match step.phase {
            Phase::Settled => Vec::new(),
            Phase::Write | Phase::Widen => {
                let ancestors = ancestors(item, self.items, &self.index);
                ancestors.iter().filter_map(|item| self.first.get(item).copied()).collect()
            }
            Phase::Verify => self.steps_of(&|other| self.is_declared(other) && is_written(other)),
            Phase::Delete => {
                let is_before = |other: K| other != kind && other.refers_to().contains(&kind);
                [self.kept.clone(), self.deletions(&is_before), self.users(kind)].concat()
            }
            Phase::Narrow => {
                let is_before = |other: K| other == kind || refers(other, kind);
                [self.kept.clone(), self.deletions(&is_before), self.users(kind)].concat()
            }
        })
    }

    fn deletions(&self, is_before: &dyn Fn(K) -> bool) -> Vec<usize> {
        self.steps_of(&|step| step.phase == Phase::Delete && self.kind_of(step).is_some_and(is_before))
    }

    /// Returns the steps of what no longer uses a resource of that kind: it does so until it is narrowed.
    fn users(&self, kind: K) -> Vec<usize> {
        self.steps_of(&|step| {
            step.phase == Phase::Narrow && self.kind_of(step).is_some_and(|other| refers(other, kind))
        })
    }

    fn steps_of(&self, is_wanted: &dyn Fn(&Step) -> bool) -> Vec<usize> {
        self.steps.iter().enumerate().filter(|(_, step)| is_wanted(step)).map(|(index, _)| index).collect()
    }

    fn kind_of(&self, step: &Step) -> Option<K> {
        self.items.get(step.item).map(|item| item.id.kind)
    }

    fn is_declared(&self, step: &Step) -> bool {
        self.items.get(step.item).is_some_and(|item| item.is_declared)
    }
}

/// Returns `true` if a step takes something from the account.
fn takes_away(step: &Step) -> bool {
    matches!(step.phase, Phase::Delete | Phase::Narrow)
}

/// Returns `true` if others do not wait for a step to use the resource.
fn takes_away_later(step: &Step) -> bool {
    matches!(step.phase, Phase::Delete | Phase::Narrow | Phase::Verify)
}

/// Returns the declared items, by their ids.
fn by_id<K: Kind>(items: &[Item<K>]) -> BTreeMap<&Id<K>, Vec<usize>> {
    let mut index: BTreeMap<&Id<K>, Vec<usize>> = BTreeMap::new();
    for (place, item) in items.iter().enumerate().filter(|(_, item)| item.is_declared) {
        index.entry(&item.id).or_default().push(place);
    }
    index
}

/// Returns every declared item that an item refers to, directly or indirectly.
fn ancestors<K: Kind>(item: &Item<K>, items: &[Item<K>], index: &BTreeMap<&Id<K>, Vec<usize>>) -> Vec<usize> {
    let referred = |item: &Item<K>| -> Vec<usize> {
        item.after.iter().filter_map(|id| index.get(id)).flatten().copied().collect()
    };
    let mut found: BTreeSet<usize> = BTreeSet::new();
    let mut next: Vec<usize> = referred(item);
    while let Some(place) = next.pop() {
        if found.insert(place) {
            next.extend(items.get(place).into_iter().flat_map(referred));
        }
    }
    found.into_iter().collect()
}

/// Returns an order in which each index comes after those that it waits for, the lowest first; or the indices that have none, since
/// they are in a circle or wait for one.
fn topological(waits: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut left: Vec<BTreeSet<usize>> = waits.iter().map(|waits| waits.iter().copied().collect()).collect();
    let mut waiting: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, waits) in left.iter().enumerate() {
        for other in waits {
            waiting.entry(*other).or_default().push(index);
        }
    }
    let free = |(index, waits): (usize, &BTreeSet<usize>)| waits.is_empty().then_some(index);
    let mut ready: BTreeSet<usize> = left.iter().enumerate().filter_map(free).collect();
    let mut order = Vec::with_capacity(left.len());
    while let Some(index) = ready.pop_first() {
        order.push(index);
        for other in waiting.remove(&index).unwrap_or_default() {
            let Some(waits) = left.get_mut(other) else { continue };
            waits.remove(&index);
            if waits.is_empty() {
                ready.insert(other);
            }
        }
    }
    if order.len() == left.len() {
        return Ok(order);
    }
    let done: BTreeSet<usize> = order.into_iter().collect();
    Err((0..left.len()).filter(|index| !done.contains(index)).collect())
}
