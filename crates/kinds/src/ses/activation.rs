//! Which rule set takes an account's mail. There is only one, so this is done to somebody: whose set was active before is
//! kept as a tag on the stack's roles, and it is active again when ours goes.

use crate::identity::Identity;
use serde::Serialize;

use super::{active, foreign, known_rules, names, own_set, rules, snapshot};
use crate::Input;
use crate::{
    Kind, Manage, PREVIOUS_RULE_SET_TAG, Session,
    iam::role_tags,
    rights::{Right, Target, deletes, reads, writes},
};
use aws::OrFail;
use engine::{Address, Class, Failure, Field, Live, Owned, Owner, plain};

/// That a rule set is the active one.
#[derive(Debug)]
pub struct Activation;

/// Whether it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// True if the set is the active one.
    pub active: bool,
    /// Whether somebody else's set may be switched off for it.
    #[serde(skip)]
    pub take_over: Input<bool>,
}

const SET_ACTIVE: &str = "ses.SetActiveReceiptRuleSet";

/// Keeps the name of the set that is about to be switched off.
async fn remember(session: &Session, previous: &str) -> Result<(), Failure> {
    if role_tags::keep(session, PREVIOUS_RULE_SET_TAG, previous).await? {
        return Ok(());
    }
    let words = format!(
        "not activated: rule set `{previous}` is active, and the stack has no role whose tag could keep its name"
    );
    Err(Failure::found(SET_ACTIVE, Class::Invalid, words))
}

/// The set that was active before ours, if its name was kept.
async fn previous(session: &Session) -> Result<Option<String>, Failure> {
    Ok(role_tags::all(session).await?.remove(PREVIOUS_RULE_SET_TAG))
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

    // The roles keep what was active before. Not the rules: they go even where the set stays active for those of others.
    const REFERS_TO: &'static [Kind] = &[Kind::ReceiptRuleSet, Kind::Role];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, super::LOOKING),
        reads(Target::Own(Kind::Role), &["iam:ListRoleTags"]),
        reads(Target::Everything, &["iam:ListRoles"]),
        writes(Target::Everything, &["ses:SetActiveReceiptRuleSet"]),
        writes(Target::Own(Kind::Role), &["iam:TagRole"]),
        deletes(Target::Everything, &["ses:SetActiveReceiptRuleSet"]),
    ];

    /// Absent where the set is not there.
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

    /// Looks again at what is active, so that a set that somebody activated meanwhile is not switched off in passing.
    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        match active(session).await? {
            Some((name, _)) if name == address.name => return Ok(()),
            Some((name, _)) if !*desired.take_over => {
                session.receipt.forget().await;
                let words = format!("not activated: rule set `{name}` is active by now; the next run joins it");
                return Err(Failure::found(SET_ACTIVE, Class::Invalid, words));
            }
            Some((name, _)) => remember(session, &name).await?,
            None => {}
        }
        activate(session, Some(address.name.clone())).await
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, _: &Settings) -> Result<(), Failure> {
        Self::create(session, address, desired).await
    }

    /// Gives the place back to the set that had it, if that one is still there. Ours stays active if others joined it.
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

    /// Rules of others, who joined our set: their mail is not cut off.
    async fn holds_data(session: &Session, address: &Address) -> Result<Option<String>, Failure> {
        Ok(foreign(&session.stack, &snapshot(session).await?.names(&address.name)))
    }
}
