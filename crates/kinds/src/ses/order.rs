//! The order of our rules in a set. Only ours are moved, among themselves: the block stays where it is.

use crate::identity::Identity;
use serde::{Serialize, Serializer};

use super::{is_own_rule, known_rules, names, rules};
use crate::{
    Kind, Manage, Session,
    rights::{Right, Target, reads, writes},
};
use aws::OrFail;
use engine::{Address, Class, Failure, Field, Holds, Live, Owned, Owner, Stack, plain};

/// The order of a stack's rules in a set. It disappears with them.
#[derive(Debug)]
pub struct Order;

/// An order. Two are equal if the rules that are in both have the same order: a missing or surplus rule is drift of its
/// own, and is not reported a second time here.
#[derive(Debug, Clone, Default, Eq, Serialize)]
pub struct Settings {
    /// Names of our rules, in order; shown as they are declared.
    #[serde(serialize_with = "as_declared")]
    pub order: Vec<String>,
}

/// Writes rules by their entries: the last part of each name.
fn as_declared<S: Serializer>(names: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(names.iter().map(|name| name.rsplit('.').next().unwrap_or(name)))
}

impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        let ours = self.order.iter().filter(|name| other.order.contains(name));
        ours.eq(other.order.iter().filter(|name| self.order.contains(name)))
    }
}

fn ours(stack: &Stack, names: &[String]) -> Vec<String> {
    names.iter().filter(|name| is_own_rule(stack, name)).cloned().collect()
}

/// A move of a rule to the place after another; `None` means the beginning of the set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) rule: String,
    pub(super) after: Option<String>,
}

/// Returns the moves that bring our rules into an order: each rule that is not after its predecessor is moved there, and
/// the first to the place of our first one. Rules that are in place are not touched.
pub(super) fn moves(stack: &Stack, there: &[String], declared: &[String]) -> Vec<Move> {
    let mut names = there.to_vec();
    let ours = ours(stack, there);
    let wanted: Vec<String> = declared.iter().filter(|name| ours.contains(name)).cloned().collect();
    // Undeclared rules of ours are about to be deleted: they do not count.
    let counts = |name: &String| wanted.contains(name);
    let first = names.iter().position(counts).unwrap_or_default();
    let mut previous = names.iter().take(first).next_back().cloned();
    let mut moves = Vec::new();
    for rule in &wanted {
        // Rules of others may be between ours: only the order of ours counts.
        let after_previous = |names: &[String]| {
            previous.as_ref().and_then(|name| names.iter().position(|other| other == name)).map_or(0, |at| at + 1)
        };
        let next = names.iter().skip(after_previous(&names)).find(|name| counts(name));
        if next != Some(rule) {
            names.retain(|name| name != rule);
            names.insert(after_previous(&names).min(names.len()), rule.clone());
            moves.push(Move { rule: rule.clone(), after: previous });
        }
        previous = Some(rule.clone());
    }
    moves
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity::implied("receipt rule order", "ReceiptOrders", 64);

impl Manage for Order {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[plain("order")];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[Kind::ReceiptRuleSet];

    const RIGHTS: &'static [Right] =
        &[reads(Target::Everything, super::LOOKING), writes(Target::Everything, &["ses:SetReceiptRulePosition"])];

    /// Absent if the set does not exist.
    #[cfg(test)]
    fn full() -> Settings {
        Settings { order: vec![crate::registered::text()] }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let there = known_rules(session, &address.name).await?;
        Ok(there.map(|rules| {
            let settings = Settings { order: ours(&session.stack, &names(&rules)) };
            Live { settings, owner: Owner::Ours }
        }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let set = &address.name;
        let _alone = session.receipt.place().await;
        let Some(there) = rules(session, set).await? else {
            let words = format!("receipt rule set `{set}` does not exist");
            return Err(Failure::found("ses.SetReceiptRulePosition", Class::NotFound, words));
        };
        for step in moves(&session.stack, &names(&there), &desired.order) {
            session.aws.receipt_rules.pass().await;
            let call = session.aws.write.ses.set_receipt_rule_position().rule_set_name(set);
            let answer = call.rule_name(step.rule).set_after(step.after).send().await;
            session.receipt.forget().await;
            answer.or_fail("ses.SetReceiptRulePosition")?;
        }
        Ok(())
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, _: &Settings) -> Result<(), Failure> {
        Self::create(session, address, desired).await
    }

    async fn delete(_: &Session, _: &Address) -> Result<(), Failure> {
        Ok(())
    }

    /// Lists none: an order is nothing without its rules, which are listed themselves.
    async fn list_owned(_: &Session) -> Result<Vec<Owned>, Failure> {
        Ok(Vec::new())
    }
}
