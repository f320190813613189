//! Receipt rules: which recipients they take mail for, and which actions follow. The place of a rule among others is
//! [`super::order`]'s.

use crate::identity::{Identity, Naming};
use aws::ArnForm;
use std::collections::BTreeSet;

use aws_sdk_ses::types::{ReceiptRule as AwsRule, TlsPolicy};
use serde::Serialize;

use super::{
    action::{self, Action, unbuilt},
    is_own_rule, known_rules, names, rules, snapshot,
};
use crate::{
    Input, Kind, Manage, Session,
    rights::{Right, Target, deletes, reads, writes},
};
use aws::OrFail;
use engine::{Address, Class, Failure, Field, Holds, Live, Owned, Owner, Stack, plain};

/// Receipt rules: parts of a set, named `STACK.STAGE.ENTRY`.
#[derive(Debug)]
pub struct Rule;

/// A rule. The default is SES's for a rule that has a name only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// `true` if SES evaluates the rule.
    pub enabled: bool,
    /// Recipients in [`recipient`]'s form; an empty set takes mail for everybody in every verified domain.
    pub recipients: BTreeSet<String>,
    /// `true` if mail is scanned for spam and viruses.
    pub scan: bool,
    /// TLS that is required of the sender.
    pub tls: Tls,
    /// Actions in the order in which SES runs them.
    pub actions: Vec<Action>,
    /// Names of our rules that are declared before this one, in order: needed to place a new one. SES does not return
    /// `After`.
    #[serde(skip)]
    pub after: Input<Vec<String>>,
}

/// The requirement of TLS for incoming mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// Takes mail with and without TLS.
    #[default]
    Optional,
    /// Refuses mail without TLS.
    Require,
}

/// Returns a recipient in its normal form. SES compares without case.
pub fn recipient(text: &str) -> String {
    text.trim().to_lowercase()
}

impl Settings {
    /// Converts a rule of SES.
    pub(super) fn from_aws(rule: &AwsRule) -> Self {
        Self {
            enabled: rule.enabled,
            recipients: rule.recipients.iter().flatten().map(|text| recipient(text)).collect(),
            scan: rule.scan_enabled,
            tls: if rule.tls_policy == Some(TlsPolicy::Require) { Tls::Require } else { Tls::Optional },
            actions: rule.actions.iter().flatten().map(Action::from_aws).collect(),
            after: Input::default(),
        }
    }

    /// Converts the rule for SES, with all settings, since a rule is always replaced as a whole.
    pub(super) fn to_aws(&self, name: &str) -> Result<AwsRule, Failure> {
        let tls = match self.tls {
            Tls::Optional => TlsPolicy::Optional,
            Tls::Require => TlsPolicy::Require,
        };
        let actions = self.actions.iter().map(Action::to_aws).collect::<Result<_, _>>()?;
        let rule = AwsRule::builder().name(name).enabled(self.enabled).scan_enabled(self.scan).tls_policy(tls);
        let recipients = self.recipients.iter().cloned().collect();
        rule.set_recipients(Some(recipients)).set_actions(Some(actions)).build().map_err(unbuilt)
    }
}

/// Returns the rule that a new one is put after; `None` means the beginning of the set.
///
/// It is the nearest of its predecessors that exists. Without one it goes before all of ours; if none of ours exists either,
/// after all the others: we join a set as one block at its end. This is right in whatever order rules are created.
pub(super) fn place(stack: &Stack, names: &[String], predecessors: &[String]) -> Option<String> {
    let nearest = predecessors.iter().rev().find(|name| names.contains(name));
    let ours = names.iter().position(|name| is_own_rule(stack, name));
    let before_ours = || names.iter().take(ours.unwrap_or(names.len())).next_back();
    nearest.or_else(before_ours).cloned()
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    section: Some("receipt_rules"),
    arn: Some(ArnForm("ses:{region}:{account}:receipt-rule-set/{container}:receipt-rule/{name}")),
    naming: Naming::Joined('.'),
    ..Identity::implied("receipt rule", "ReceiptRules", 64)
};

impl Manage for Rule {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] =
        &[plain("enabled"), plain("recipients"), plain("scan"), plain("tls"), plain("actions").shared(action::OWN)];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[
        Kind::ReceiptRuleSet,
        Kind::Bucket,
        Kind::BucketStatement,
        Kind::Function,
        Kind::EventInvoke,
        Kind::Permission,
        Kind::Topic,
        Kind::Subscription,
    ];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, super::LOOKING),
        writes(Target::Everything, &["ses:CreateReceiptRule", "ses:UpdateReceiptRule"]),
        deletes(Target::Everything, &["ses:DeleteReceiptRule"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::texts;
        Settings {
            enabled: true,
            recipients: texts(),
            scan: true,
            tls: Tls::Require,
            actions: vec![Action::Stop { topic: None }],
            after: Input::default(),
        }
    }

    /// Takes the mail of the recipients of both: another rule may be about to take over some of them.
    fn interim(desired: &Settings, live: &Settings) -> Settings {
        if !live.enabled {
            return desired.clone();
        }
        // Until another rule takes its mails, one that is switched off does all that it did.
        if !desired.enabled {
            return live.clone();
        }
        let is_for_all = desired.recipients.is_empty() || live.recipients.is_empty();
        let both = desired.recipients.union(&live.recipients).filter(|_| !is_for_all);
        Settings {
            enabled: true,
            recipients: both.cloned().collect(),
            tls: desired.tls.min(live.tls),
            actions: action::between(&desired.actions, &live.actions),
            ..desired.clone()
        }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let rules = known_rules(session, address.container()).await?.unwrap_or_default();
        let owner = if is_own_rule(&session.stack, &address.name) {
            Owner::Ours
        } else {
            Owner::Other("a rule of this stack has a name that begins with the stack's".to_owned())
        };
        let rule = rules.iter().find(|rule| rule.name == address.name);
        Ok(rule.map(|rule| Live { settings: Settings::from_aws(rule), owner }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let (set, rule) = (address.container(), desired.to_aws(&address.name)?);
        let _alone = session.receipt.place().await;
        let Some(there) = rules(session, set).await? else {
            let words = format!("receipt rule set `{set}` does not exist");
            return Err(Failure::found("ses.CreateReceiptRule", Class::NotFound, words));
        };
        let after = place(&session.stack, &names(&there), &desired.after);
        session.aws.receipt_rules.pass().await;
        let call = session.aws.write.ses.create_receipt_rule().rule_set_name(set).set_after(after).rule(rule);
        let answer = call.send().await;
        session.receipt.forget().await;
        answer.or_fail("ses.CreateReceiptRule").map(drop)
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, _: &Settings) -> Result<(), Failure> {
        let rule = desired.to_aws(&address.name)?;
        session.aws.receipt_rules.pass().await;
        let call = session.aws.write.ses.update_receipt_rule().rule_set_name(address.container()).rule(rule);
        let answer = call.send().await;
        session.receipt.forget().await;
        answer.or_fail("ses.UpdateReceiptRule").map(drop)
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        session.aws.receipt_rules.pass().await;
        let call = session.aws.write.ses.delete_receipt_rule().rule_set_name(address.container());
        let answer = call.rule_name(&address.name).send().await;
        session.receipt.forget().await;
        answer.or_absent("ses.DeleteReceiptRule").map(drop)
    }

    /// Lists the rules in the active set and in our own. Rules in somebody else's inactive set are found again when that set
    /// is active.
    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let snapshot = snapshot(session).await?;
        let rules = snapshot.sets.iter().flat_map(|(set, rules)| rules.iter().map(move |rule| (set, &rule.name)));
        let ours = rules.filter_map(|(set, name)| {
            let entry = IDENTITY.entry_of(&session.stack, name)?.to_owned();
            Some(Owned::new(entry, Address::within(set, name)))
        });
        Ok(ours.collect())
    }
}
