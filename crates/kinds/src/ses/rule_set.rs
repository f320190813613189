//! A stack's own receipt rule set. It has no settings: it exists or not.

use crate::identity::{Identity, Naming};
use serde::Serialize;

use super::{Snapshots, foreign, names, own_set, rules, snapshot};
use crate::{
    Kind, Manage, Session,
    rights::{Right, Target, deletes, reads, writes},
};
use aws::OrFail;
use engine::{Address, Class, Failure, Field, Holds, Live, Owned, Owner};

/// The kind of SES's receipt rule sets.
#[derive(Debug)]
pub struct RuleSet;

/// The settings of a rule set: none, since its rules are resources of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Settings {}

/// The identity of this kind.
pub const IDENTITY: Identity =
    Identity { naming: Naming::Alone, ..Identity::implied("receipt rule set", "ReceiptRuleSets", 64) };

impl Manage for RuleSet {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, super::LOOKING),
        writes(Target::Everything, &["ses:CreateReceiptRuleSet"]),
        deletes(Target::Everything, &["ses:DeleteReceiptRuleSet"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        Settings {}
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let is_there = super::known_rules(session, &address.name).await?.is_some();
        let owner = if address.name == own_set(&session.stack) {
            Owner::Ours
        } else {
            Owner::Other("a rule set of this stack has another name".to_owned())
        };
        Ok(is_there.then_some(Live { settings: Settings {}, owner }))
    }

    async fn create(session: &Session, address: &Address, _: &Settings) -> Result<(), Failure> {
        session.aws.receipt_rules.pass().await;
        let answer = session.aws.write.ses.create_receipt_rule_set().rule_set_name(&address.name).send().await;
        Snapshots::forget(&session.receipt).await;
        answer.or_fail("ses.CreateReceiptRuleSet").map(drop)
    }

    async fn update(_: &Session, _: &Address, _: &Settings, _: &Settings) -> Result<(), Failure> {
        Ok(())
    }

    /// Deletes an empty set that is not active; SES would delete one with its rules, whosever they are.
    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some(rules) = rules(session, &address.name).await? else { return Ok(()) };
        if !rules.is_empty() {
            let words = format!("not deleted: the rule set holds {}", names(&rules).join(", "));
            return Err(Failure::found("ses.DeleteReceiptRuleSet", Class::Invalid, words));
        }
        session.aws.receipt_rules.pass().await;
        let answer = session.aws.write.ses.delete_receipt_rule_set().rule_set_name(&address.name).send().await;
        Snapshots::forget(&session.receipt).await;
        answer.or_absent("ses.DeleteReceiptRuleSet").map(drop)
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let name = own_set(&session.stack);
        let is_there = snapshot(session).await?.sets.contains_key(&name);
        Ok(is_there.then(|| Owned::new(name.clone(), Address::of(name))).into_iter().collect())
    }

    /// Returns the rules of others who joined our set: it stays with them.
    async fn holds_data(session: &Session, address: &Address) -> Result<Option<String>, Failure> {
        Ok(foreign(&session.stack, &snapshot(session).await?.names(&address.name)))
    }
}
