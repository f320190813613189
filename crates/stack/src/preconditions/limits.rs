//! Compares plans with AWS's quotas before anything is made.

use std::collections::BTreeSet;

use aws_sdk_ses::types::ReceiptRule;
use futures::future::try_join_all;

use super::Finding;
use crate::{Names, desired::RuleSet};
use aws::OrFail;
use contract::count::counted;
use declaration::Declaration;
use engine::{Failure, Stack};
use kinds::{
    Kind, Session,
    ses::{self, Snapshot},
};

/// SES's quota of rules in a set.
const MOST_RULES: usize = 200;
/// SES's quota of rule sets in an account.
const MOST_SETS: usize = 40;
/// Concurrency that Lambda keeps for functions without a reservation.
const UNRESERVED: i64 = 100;

/// Checks that the account has the concurrency that the functions reserve, beside other functions' reservations.
pub(super) async fn concurrency(session: &Session, declaration: &Declaration, names: &Names) -> Vec<Finding> {
    let reserved: i64 = declaration.functions.values().filter_map(|one| one.reserved_concurrency).map(i64::from).sum();
    if reserved == 0 {
        return Vec::new();
    }
    let (unreserved, held) = match tokio::try_join!(unreserved(session), held(session, declaration, names)) {
        Ok(found) => found,
        Err(failure) => {
            let what = format!("how much concurrency the account has is not known: {failure}");
            return vec![Finding::warns(what, "allow `lambda:GetAccountSettings` and `lambda:GetFunction`")];
        }
    };
    short(reserved, unreserved + held).into_iter().collect()
}

/// Reads the account's unreserved concurrency.
async fn unreserved(session: &Session) -> Result<i64, Failure> {
    let answer = session.aws.read.lambda.get_account_settings().send().await.or_fail("lambda.GetAccountSettings")?;
    let limit = answer.account_limit.and_then(|limit| limit.unreserved_concurrent_executions);
    Ok(limit.map_or(0, i64::from))
}

/// Reads the concurrency that the stack's functions have reserved already.
async fn held(session: &Session, declaration: &Declaration, names: &Names) -> Result<i64, Failure> {
    let held = try_join_all(declaration.lambda_functions().map(|(entry, _)| {
        let call = session.aws.read.lambda.get_function().function_name(names.name(Kind::Function, entry));
        async move {
            let concurrency = call.send().await.or_absent("lambda.GetFunction")?.and_then(|answer| answer.concurrency);
            Ok(concurrency.and_then(|one| one.reserved_concurrent_executions).map_or(0, i64::from))
        }
    }));
    Ok(held.await?.into_iter().sum())
}

fn short(reserved: i64, left: i64) -> Option<Finding> {
    (left - reserved < UNRESERVED).then(|| {
        let what = format!(
            "the functions reserve {reserved} of the {left} concurrent executions that others leave in this account, and {UNRESERVED} must stay unreserved"
        );
        Finding::blocks(what, "ask AWS for a higher quota, or leave `reserved_concurrency` out")
    })
}

/// Checks that the account has room for the stack's own rule set, if it must be created.
pub(super) async fn sets(
    session: &Session,
    declaration: &Declaration,
    rule_set: &RuleSet,
    snapshot: &Snapshot,
) -> Vec<Finding> {
    let is_there = snapshot.sets.contains_key(&ses::own_set(&session.stack));
    if *rule_set != RuleSet::Own || is_there || declaration.receipt_rules.is_empty() {
        return Vec::new();
    }
    session.aws.receipt_rules.pass().await;
    // One page suffices: it holds more sets than an account may have.
    let answer = session.aws.read.ses.list_receipt_rule_sets().send().await.or_fail("ses.ListReceiptRuleSets");
    match answer.map(|answer| answer.rule_sets.unwrap_or_default().len()) {
        Ok(count) => full(count).into_iter().collect(),
        Err(failure) => {
            let what = format!("how many receipt rule sets the account has is not known: {failure}");
            vec![Finding::warns(what, "allow `ses:ListReceiptRuleSets`")]
        }
    }
}

fn full(count: usize) -> Option<Finding> {
    (count >= MOST_SETS).then(|| {
        let what = format!("the account has {count} receipt rule sets, and SES takes {MOST_SETS}");
        Finding::blocks(what, "delete one that is not used, or activate one: the stack's rules then join it")
    })
}

/// Checks that the rules have room in the set.
pub(super) fn rules(stack: &Stack, declaration: &Declaration, rule_set: &RuleSet, snapshot: &Snapshot) -> Vec<Finding> {
    let name = match rule_set {
        RuleSet::Own => ses::own_set(stack),
        RuleSet::Joined(name) => name.clone(),
    };
    let Some(there) = snapshot.sets.get(&name).filter(|_| !declaration.receipt_rules.is_empty()) else {
        return Vec::new();
    };
    let foreign: Vec<&ReceiptRule> = there.iter().filter(|rule| !ses::is_own_rule(stack, &rule.name)).collect();
    let mut findings = Vec::new();
    let declared: BTreeSet<String> =
        declaration.receipt_rules.iter().map(|rule| ses::rule::IDENTITY.name_of(stack, "", &rule.name)).collect();
    let undeclared = there.len() - foreign.len() - there.iter().filter(|rule| declared.contains(&rule.name)).count();
    if foreign.len() + declared.len() > MOST_RULES {
        findings.push(Finding::blocks(
            format!(
                "rule set `{name}` holds {} of others, and SES takes {MOST_RULES} in a set",
                counted(foreign.len(), "rule")
            ),
            "make room there, or say `take_over: true`",
        ));
    } else if foreign.len() + declared.len() + undeclared > MOST_RULES {
        findings.push(Finding::blocks(
            format!(
                "rule set `{name}` has no room for the new rules beside {} that they replace, and SES takes {MOST_RULES} in a set",
                counted(undeclared, "rule")
            ),
            "make room there, or change fewer rules at once: no mail is lost between the old ones and the new ones then",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str) -> ReceiptRule {
        ReceiptRule::builder().name(name).enabled(true).recipients("a@example.com").build().unwrap()
    }

    fn told(rules: Vec<ReceiptRule>) -> Vec<Finding> {
        let source = "stack: mail\nregion: eu-west-1\nbuckets: {mail: {}}\nreceipt_rules:\n  - {name: one, actions: [{store: mail}]}\n";
        let checked = Declaration::parse(std::path::Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
        let mut snapshot = Snapshot { active: Some("company".to_owned()), ..Snapshot::default() };
        snapshot.sets.insert("company".to_owned(), rules);
        let joined = RuleSet::Joined("company".to_owned());
        super::rules(
            &Stack { name: "mail".to_owned(), stage: None, region: "eu-west-1".to_owned() },
            &checked.declarations[0],
            &joined,
            &snapshot,
        )
    }

    #[test]
    fn a_set_that_is_full_blocks() {
        let full = (0..200).map(|number| rule(&format!("rule-{number}"))).collect();
        assert_eq!(told(full).len(), 1);
    }

    #[test]
    fn a_set_without_room_for_new_rules_beside_the_old_ones_blocks() {
        let others = |count: usize| (0..count).map(|number| rule(&format!("rule-{number}")));
        let with_old = |count: usize| told(others(count).chain([rule("mail.old")]).collect());
        assert_eq!(with_old(198), []);
        let findings = with_old(199);
        assert!(findings.len() == 1 && findings[0].what.contains("no room for the new rules"), "{findings:?}");
    }

    #[test]
    fn an_account_with_all_its_rule_sets_blocks() {
        assert!(full(39).is_none());
        assert!(full(40).is_some());
    }

    #[test]
    fn a_reservation_of_the_last_unreserved_concurrency_blocks() {
        assert!(short(10, 110).is_none());
        assert!(short(11, 110).is_some());
    }
}
