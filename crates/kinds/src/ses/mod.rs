//! SES's receipt rule sets: the place of our rules, beside other people's.
//!
//! SES takes one call per second and account, reads too, and one call returns all rules of a set in order. So nothing here
//! reads by itself: one [`Snapshot`] serves all reads of a pass, and every write discards it. Rule sets are shared: ours
//! are the rules whose names are the stack's, in whichever set they are; all others are never changed, moved or counted.

pub mod action;
pub mod activation;
pub mod configuration_set;
pub mod feedback;
pub mod filter;
pub mod order;
pub mod rule;
pub mod rule_set;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use aws_sdk_ses::types::{ReceiptFilter, ReceiptRule};
use tokio::sync::{Mutex, MutexGuard};

use crate::Session;
use aws::OrFail;
use engine::{Class, Failure, Stack};

/// Returns the name of the set that a stack creates if none is active. SES has no tags: a set of this name is the stack's.
pub fn own_set(stack: &Stack) -> String {
    // The set's name has no account in it.
    rule_set::IDENTITY.name_of(stack, "", "")
}

/// Returns whether a filter is a stack's, by its name.
pub fn is_own_filter(stack: &Stack, name: &str) -> bool {
    filter::IDENTITY.entry_of(stack, name).is_some()
}

/// Returns whether a rule is a stack's, by its name.
pub fn is_own_rule(stack: &Stack, name: &str) -> bool {
    rule::IDENTITY.entry_of(stack, name).is_some()
}

/// Permissions for reading rule sets, by their beginning: IAM limits the size of a policy.
const LOOKING: &[&str] = &["ses:Describe*"];

/// The active set and ours, and the filters before them, as they were at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Name of the active set; `None` if there is none.
    pub active: Option<String>,
    /// Rules of each set, in the order in which SES applies them. Sets that are neither active nor ours are missing.
    pub sets: BTreeMap<String, Vec<ReceiptRule>>,
    /// Filters of the account in this region, whosever they are, or why they could not be read: the rules are known all the same.
    pub filters: Result<Vec<ReceiptFilter>, Failure>,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self { active: None, sets: BTreeMap::new(), filters: Ok(Vec::new()) }
    }
}

impl Snapshot {
    /// Returns the names of a set's rules, in order; none if the set does not exist.
    pub fn names(&self, set: &str) -> Vec<String> {
        self.sets.get(set).map(|rules| names(rules)).unwrap_or_default()
    }
}

/// A snapshot, or why SES cannot be reached.
type Taken = Result<Arc<Snapshot>, Failure>;

/// The one snapshot of a pass. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Snapshots {
    taken: Arc<Mutex<Option<Taken>>>,
    /// Lock held from reading the rule order until the new rule is in place.
    placing: Arc<Mutex<()>>,
}

impl Snapshots {
    /// Forgets the snapshot: before another pass, and after each write. It waits for a read in progress, so that a result
    /// from before the write is forgotten too.
    pub async fn forget(&self) {
        *self.taken.lock().await = None;
    }

    async fn place(&self) -> MutexGuard<'_, ()> {
        self.placing.lock().await
    }
}

/// Returns the active set and ours, and the filters; the first caller of a pass reads them. Of the failures to read the sets only that
/// is kept that SES cannot be reached: every caller would wait for it again.
pub async fn snapshot(session: &Session) -> Result<Arc<Snapshot>, Failure> {
    let mut taken = session.receipt.taken.lock().await;
    if let Some(known) = taken.as_ref() {
        return known.clone();
    }
    let (sets, filters) = tokio::join!(sets(session), filter::all(session));
    let read = sets.map(|(active, sets)| Arc::new(Snapshot { active, sets, filters }));
    if read.as_ref().err().is_none_or(|failure| failure.class == Class::Unreachable) {
        *taken = Some(read.clone());
    }
    read
}

/// Reads the active set and ours: the name of the active one, and the rules of both.
async fn sets(session: &Session) -> Result<(Option<String>, BTreeMap<String, Vec<ReceiptRule>>), Failure> {
    let active = active(session).await?;
    let name = active.as_ref().map(|(name, _)| name.clone());
    let mut sets: BTreeMap<_, _> = active.into_iter().collect();
    let own = own_set(&session.stack);
    if !sets.contains_key(&own)
        && let Some(rules) = rules(session, &own).await?
    {
        sets.insert(own, rules);
    }
    Ok((name, sets))
}

/// Reads the active set.
async fn active(session: &Session) -> Result<Option<(String, Vec<ReceiptRule>)>, Failure> {
    session.aws.receipt_rules.pass().await;
    let answer = session.aws.read.ses.describe_active_receipt_rule_set().send().await;
    let answer = answer.or_fail("ses.DescribeActiveReceiptRuleSet")?;
    // If no set is active, the answer has no name.
    let name = answer.metadata.and_then(|metadata| metadata.name).filter(|name| !name.is_empty());
    Ok(name.map(|name| (name, answer.rules.unwrap_or_default())))
}

/// Reads the rules of a set in order; `None` if the set does not exist.
async fn rules(session: &Session, set: &str) -> Result<Option<Vec<ReceiptRule>>, Failure> {
    session.aws.receipt_rules.pass().await;
    let answer = session.aws.read.ses.describe_receipt_rule_set().rule_set_name(set).send().await;
    Ok(answer.or_absent("ses.DescribeReceiptRuleSet")?.map(|answer| answer.rules.unwrap_or_default()))
}

/// Returns the rules of a set: those of the snapshot if it has them, else it reads a set that is neither active nor ours.
async fn known_rules(session: &Session, set: &str) -> Result<Option<Vec<ReceiptRule>>, Failure> {
    let snapshot = snapshot(session).await?;
    match snapshot.sets.get(set) {
        Some(rules) => Ok(Some(rules.clone())),
        None if set == own_set(&session.stack) => Ok(None),
        None => rules(session, set).await,
    }
}

fn names(rules: &[ReceiptRule]) -> Vec<String> {
    rules.iter().map(|rule| rule.name.clone()).collect()
}

/// Returns the rules that are not this stack's, in words; `None` if there are none.
pub(crate) fn foreign(stack: &Stack, names: &[String]) -> Option<String> {
    let foreign: Vec<String> =
        names.iter().filter(|name| !is_own_rule(stack, name)).map(|name| format!("`{name}`")).collect();
    (!foreign.is_empty()).then(|| format!("rules of others: {}", foreign.join(", ")))
}
