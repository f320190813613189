//! The activation of a rule set, of which an account has only one. So it is taken from somebody: the set that was active
//! before is noted ([`crate::logs::notes`]), and is activated again when ours is deleted.

use crate::identity::Identity;
use serde::Serialize;

use super::{active, foreign, known_rules, names, own_set, rules, snapshot};
use crate::Input;
use crate::{
    Kind, Manage, PREVIOUS_RULE_SET_TAG, Session,
    logs::notes,
    rights::{Right, Target, deletes, reads, writes},
};
use aws::OrFail;
use engine::{Address, Class, Failure, Field, Holds, Live, Owned, Owner, plain};

/// The activation of a rule set.
#[derive(Debug)]
pub struct Activation;

/// The settings of an activation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// `true` if the set is the active one.
    pub active: bool,
    /// `true` if somebody else's set may be deactivated for it.
    #[serde(skip)]
    pub take_over: Input<bool>,
}

const SET_ACTIVE: &str = "ses.SetActiveReceiptRuleSet";

/// Returns the set that was active before ours, if its name was noted.
async fn previous(session: &Session) -> Result<Option<String>, Failure> {
    Ok(notes::all(session).await?.remove(PREVIOUS_RULE_SET_TAG))
}

async fn activate(session: &Session, set: Option<String>) -> Result<(), Failure> {
    session.aws.receipt_rules.pass().await;
    let answer = session.aws.write.ses.set_active_receipt_rule_set().set_rule_set_name(set).send().await;
    session.receipt.forget().await;
    answer.or_fail(SET_ACTIVE).map(drop)
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity::implied("active rule set", "Activations", 64);

impl Manage for Activation {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[plain("active")];

    // A log group has the note of what was active before. The rules do not count: they are deleted even where the set stays
    const HOLDS: Holds = Holds::Nothing;

    // active for those of others.
    const REFERS_TO: &'static [Kind] = &[Kind::ReceiptRuleSet, Kind::LogGroup];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, super::LOOKING),
        reads(Target::Own(Kind::LogGroup), &["logs:ListTagsForResource"]),
        writes(Target::Everything, &["ses:SetActiveReceiptRuleSet"]),
        writes(Target::Own(Kind::LogGroup), &["logs:TagResource"]),
        deletes(Target::Everything, &["ses:SetActiveReceiptRuleSet"]),
    ];

    /// Absent if the set does not exist.
    #[cfg(test)]
    fn full() -> Settings {
        Settings { active: true, take_over: Input::default() }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let active = snapshot(session).await?.active.as_ref() == Some(&address.name);
        let is_there = known_rules(session, &address.name).await?.is_some();
        let settings = Settings { active, take_over: Input::default() };
        Ok(is_there.then_some(Live { settings, owner: Owner::Ours }))
    }

    /// Reads the active set again, so that a set that somebody activated meanwhile is not deactivated in passing.
    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        match active(session).await? {
            Some((name, _)) if name == address.name => return Ok(()),
            Some((name, _)) if !*desired.take_over => {
                session.receipt.forget().await;
                let words = format!("not activated: rule set `{name}` is active by now; the next run joins it");
                return Err(Failure::found(SET_ACTIVE, Class::Invalid, words));
            }
            Some((name, _)) => notes::keep(session, PREVIOUS_RULE_SET_TAG, &name).await?,
            None => {}
        }
        activate(session, Some(address.name.clone())).await
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, _: &Settings) -> Result<(), Failure> {
        Self::create(session, address, desired).await
    }

    /// Activates the previous set again, if it still exists. Ours stays active if others joined it.
    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some((_, there)) = active(session).await?.filter(|(name, _)| *name == address.name) else { return Ok(()) };
        if let Some(others) = foreign(&session.stack, &names(&there)) {
            return Err(Failure::found(
                SET_ACTIVE,
                Class::Invalid,
                format!("not switched off: the set holds {others}"),
            ));
        }
        let previous = match previous(session).await? {
            Some(name) if name != address.name => rules(session, &name).await?.map(|_| name),
            _ => None,
        };
        activate(session, previous).await
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let name = own_set(&session.stack);
        let is_active = snapshot(session).await?.active.as_ref() == Some(&name);
        Ok(is_active.then(|| Owned::new(name.clone(), Address::of(name))).into_iter().collect())
    }

    /// Returns the rules of others who joined our set: their mail is not cut off.
    async fn holds_data(session: &Session, address: &Address) -> Result<Option<String>, Failure> {
        Ok(foreign(&session.stack, &snapshot(session).await?.names(&address.name)))
    }
}
