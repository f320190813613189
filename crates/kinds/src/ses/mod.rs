//! SES's receipt rule sets: where our rules stand, and among whose.
//!
//! SES takes one call a second of an account, reads too, and one call gives all rules of a set in order. So nothing here
//! reads by itself: one [`Snapshot`] serves all that is read in a pass, and is thrown away by every write. Rule sets are
//! members only: ours are the rules whose names begin with the stack's, in whichever set they stand; all others are never
//! changed, moved or counted.

pub mod action;
pub mod activation;
pub mod order;
pub mod rule;
pub mod rule_set;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use aws_sdk_ses::types::ReceiptRule;
use tokio::sync::{Mutex, MutexGuard};

use crate::Session;
use aws::OrFail;
use engine::Failure;
use engine::Stack;

/// The name of the set that a stack makes where none is active. SES has no tags: a set of this name is the stack's.
pub fn own_set(stack: &Stack) -> String {
    stack.id.clone()
}

/// The rights for looking at rule sets.
const LOOKING: &[&str] = &["ses:DescribeActiveReceiptRuleSet", "ses:DescribeReceiptRuleSet"];

/// The active set and ours, as they were at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The set that takes mail, if there is one.
    pub active: Option<String>,
    /// The rules of each set, in the order in which SES applies them. Sets that are neither active nor ours are not here.
    pub sets: BTreeMap<String, Vec<ReceiptRule>>,
}

impl Snapshot {
    /// The names of a set's rules, in order; none if there is no such set.
    pub fn names(&self, set: &str) -> Vec<String> {
        self.sets.get(set).map(|rules| names(rules)).unwrap_or_default()
    }
}

/// The one snapshot of a pass. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Snapshots {
    taken: Arc<Mutex<Option<Arc<Snapshot>>>>,
    /// Held by whoever places a rule among others, from looking until it stands there.
    placing: Arc<Mutex<()>>,
}

impl Snapshots {
    /// Forgets what was read: for another pass, and after each write. A read that is under way is waited for, so that what
    /// it found before the write is forgotten too.
    pub async fn forget(&self) {
        *self.taken.lock().await = None;
    }

    async fn place(&self) -> MutexGuard<'_, ()> {
        self.placing.lock().await
    }
}

/// The active set and ours; read once in a pass, by whoever comes first. A failure is not kept.
pub async fn snapshot(session: &Session) -> Result<Arc<Snapshot>, Failure> {
    let mut taken = session.receipt.taken.lock().await;
    if let Some(snapshot) = taken.as_ref() {
        return Ok(Arc::clone(snapshot));
    }
    let mut snapshot = Snapshot::default();
    if let Some((name, rules)) = active(session).await? {
        snapshot.active = Some(name.clone());
        snapshot.sets.insert(name, rules);
    }
    let own = own_set(&session.stack);
    if !snapshot.sets.contains_key(&own)
        && let Some(rules) = rules(session, &own).await?
    {
        snapshot.sets.insert(own, rules);
    }
    let snapshot = Arc::new(snapshot);
    *taken = Some(Arc::clone(&snapshot));
    Ok(snapshot)
}

/// The active set, asked for now.
async fn active(session: &Session) -> Result<Option<(String, Vec<ReceiptRule>)>, Failure> {
    session.aws.receipt_rules.pass().await;
    let answer = session.aws.read.ses.describe_active_receipt_rule_set().send().await;
    let answer = answer.or_fail("ses.DescribeActiveReceiptRuleSet")?;
    // Where no set is active, the answer has no name.
    let name = answer.metadata.and_then(|metadata| metadata.name).filter(|name| !name.is_empty());
    Ok(name.map(|name| (name, answer.rules.unwrap_or_default())))
}

/// The rules of a set in order, asked for now; `None` if there is no such set.
async fn rules(session: &Session, set: &str) -> Result<Option<Vec<ReceiptRule>>, Failure> {
    session.aws.receipt_rules.pass().await;
    let answer = session.aws.read.ses.describe_receipt_rule_set().rule_set_name(set).send().await;
    Ok(answer.or_absent("ses.DescribeReceiptRuleSet")?.map(|answer| answer.rules.unwrap_or_default()))
}

/// The rules of a set: those of the snapshot if it has them. SES is asked about a set that is neither active nor ours.
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

/// The rules among some that are not this stack's, in words; `None` if there is none.
fn foreign(stack: &Stack, names: &[String]) -> Option<String> {
    let prefix = stack.rule_prefix();
    let foreign: Vec<String> =
        names.iter().filter(|name| !name.starts_with(&prefix)).map(|name| format!("`{name}`")).collect();
    (!foreign.is_empty()).then(|| format!("rules of others: {}", foreign.join(", ")))
}
