//! Tests that no gained right is missed: what desired settings allow and live ones do not is told, over generated policies; and
//! that every kind with statements is looked into.

use proptest::{collection::btree_set, prelude::*, sample::select};

use super::*;
use crate::{Kind, iam::role, lambda::permission, s3::bucket, sqs::queue};
use aws::policy::Policy;

const PRINCIPALS: &[&str] = &["*", "AWS:111111111111", "Service:ses.amazonaws.com"];
const ACTIONS: &[&str] = &["s3:*", "s3:Get*", "s3:GetObject", "s3:PutObject"];
const RESOURCES: &[&str] = &["*", "arn:aws:s3:::mail/*", "arn:aws:s3:::mail/in/*", "arn:aws:s3:::mail/in/a"];
const SOURCES: &[&str] = &["arn:aws:ses:one", "arn:aws:ses:two"];

fn some(of: &'static [&'static str]) -> impl Strategy<Value = BTreeSet<String>> {
    btree_set(select(of).prop_map(str::to_owned), 1..3)
}

fn statement() -> impl Strategy<Value = Statement> {
    let conditions = prop_oneof![Just(BTreeSet::new()), some(SOURCES)];
    (any::<bool>(), some(PRINCIPALS), some(ACTIONS), some(RESOURCES), conditions).prop_map(
        |(denies, principals, actions, resources, sources)| {
            let effect = if denies { Effect::Deny } else { Effect::Allow };
            let statement = Statement { effect, principals, actions, resources, ..Statement::allow(&[], []) };
            if sources.is_empty() { statement } else { statement.when("ArnEquals", "aws:SourceArn", sources) }
        },
    )
}

fn policy() -> impl Strategy<Value = Policy> {
    proptest::collection::vec(statement(), 0..4).prop_map(|statements| {
        Policy::new(statements.into_iter().enumerate().map(|(index, statement)| (format!("S{index}"), statement)))
    })
}

/// Returns `true` if a policy lets a request through, as IAM decides: nothing denies it, and something allows it.
fn permits(policy: &Policy, [principal, action, resource, source]: [&str; 4]) -> bool {
    let applies = |statement: &&Statement| {
        let is = |set: &BTreeSet<String>, text: &str| set.iter().any(|pattern| matches(pattern, text, false));
        let sources = statement.conditions.values().flat_map(BTreeMap::values);
        (statement.principals.contains("*") || statement.principals.contains(principal))
            && is(&statement.actions, action)
            && is(&statement.resources, resource)
            && sources.into_iter().all(|values| values.contains(source))
    };
    let effects: Vec<Effect> = policy.statements().values().filter(applies).map(|statement| statement.effect).collect();
    effects.contains(&Effect::Allow) && !effects.contains(&Effect::Deny)
}

fn bucket(policy: &Policy) -> Settings {
    bucket::Settings { policy: policy.clone(), ..bucket::Settings::default() }.into()
}

proptest! {
    #[test]
    fn a_request_that_was_refused_before_is_a_right_that_is_told(live in policy(), desired in policy()) {
        let gains = widenings(Some(&bucket(&live)), &bucket(&desired));
        for principal in ["AWS:111111111111", "AWS:222222222222", "Service:ses.amazonaws.com"] {
            for action in ["s3:GetObject", "s3:GetObjectAcl", "s3:PutObject", "s3:ListBucket"] {
                for resource in ["arn:aws:s3:::mail/in/a", "arn:aws:s3:::mail/in/b", "arn:aws:s3:::mail/b", "arn:aws:s3:::other"] {
                    for source in ["arn:aws:ses:one", "arn:aws:ses:two", "none"] {
                        let request = [principal, action, resource, source];
                        let is_new = permits(&desired, request) && !permits(&live, request);
                        prop_assert!(!is_new || !gains.is_empty(), "{request:?}\n{live:?}\n{desired:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_only_taken_away_is_no_new_right(live in policy(), which in any::<usize>()) {
        prop_assert_eq!(widenings(Some(&bucket(&live)), &bucket(&live)), []);
        let mut rest: Vec<_> = live.statements().clone().into_iter().collect();
        if let Some(place) = which.checked_rem(rest.len())
            && rest[place].1.effect == Effect::Allow
        {
            rest.remove(place);
        }
        prop_assert_eq!(widenings(Some(&bucket(&live)), &bucket(&Policy::new(rest))), []);
    }
}

#[test]
fn every_kind_with_statements_is_looked_into() {
    let gives = ["policy", "policies", "trust", "principal", "principals"];
    let has_rights = |kind: &&Kind| {
        // A policy without parts is a word, as that of a receipt filter.
        let fields = kind.fields().iter().filter(|field| field.path != "policy");
        fields.into_iter().any(|field| gives.contains(&field.path.split('.').next().unwrap_or_default()))
    };
    let kinds: Vec<&Kind> = Kind::ALL.iter().filter(has_rights).collect();
    assert!(kinds.len() >= 6, "{kinds:?}");
    for kind in kinds {
        let full = Settings::full(*kind);
        assert!(!widenings(None, &full).is_empty(), "a new {} gives rights", kind.name());
        assert_eq!(widenings(Some(&full), &full), [], "{}", kind.name());
    }
}

fn words(live: Option<&Settings>, desired: impl Into<Settings>) -> Vec<String> {
    widenings(live, &desired.into()).into_iter().map(|one| format!("{}: {}", one.path, one.right)).collect()
}

#[test]
fn only_what_is_gained_is_told() {
    let policy = |statement: Statement| Policy::new([("Read".to_owned(), statement)]);
    let role = |statement: Statement| role::Settings {
        policies: BTreeMap::from([("own".to_owned(), policy(statement))]),
        ..role::Settings::default()
    };
    let [mail, rest] = ["arn:aws:s3:::mail/*", "arn:aws:s3:::rest/*"].map(str::to_owned);
    let before = role(Statement::allow(&["s3:GetObject"], [mail.clone()]));
    let wider = role(Statement::allow(&["s3:GetObject", "s3:PutObject"], [mail.clone()]));
    assert_eq!(
        words(Some(&before.clone().into()), wider),
        ["policies.own.Read: may s3:PutObject on arn:aws:s3:::mail/*"]
    );
    let further = role(Statement::allow(&["s3:GetObject"], [mail.clone(), rest.clone()]));
    assert_eq!(
        words(Some(&before.clone().into()), further),
        ["policies.own.Read: may s3:GetObject on arn:aws:s3:::rest/*"]
    );
    let all = role(Statement::allow(&["s3:*"], ["*".to_owned()]));
    assert_eq!(words(Some(&before.clone().into()), all.clone()), ["policies.own.Read: may s3:* on everything (*)"]);
    assert_eq!(words(Some(&all.clone().into()), before.clone()), [""; 0]);
    let bounded = role::Settings { permissions_boundary: Some("arn:b".to_owned()), ..before.clone() };
    assert_eq!(words(Some(&bounded.clone().into()), before), ["permissions_boundary: no longer limited by arn:b"]);
    let open = Statement::allow(&["sqs:SendMessage"], []).for_everybody();
    let queue = queue::Settings { policy: policy(open), ..queue::Settings::default() };
    assert_eq!(words(None, queue), ["policy.Read: everybody (*) may sqs:SendMessage"]);
    let invoke = permission::Settings::invoke("ses.amazonaws.com", "123456789012", "arn:rule");
    let told = ": ses.amazonaws.com may lambda:InvokeFunction if aws:sourcearn is arn:rule and aws:sourceaccount is 123456789012";
    assert_eq!(words(None, invoke), [told]);
}
