//! Properties of every change of a declaration, with the engine itself and an account in memory.

mod account;
mod model;
mod working;

use std::{path::Path, sync::Mutex, time::Duration};

use proptest::prelude::*;
use tokio::sync::watch;

use account::{Account, COMPANY, Fault, InMemory, State};
use declaration::Declaration;
use engine::{Event, Observer, Outcome, Patience, Results, survey};
use kinds::ses::Snapshot;
use model::{Model, Rule, model};
use stack::{
    Existing, Names,
    desired::{Inputs, RuleSet, resources},
};

use crate::effort::Effort;
use working::Way;

type Id = engine::Id<InMemory>;
type Resource = engine::Resource<InMemory>;
type Plan = engine::Plan<InMemory>;

/// Longer than any plan takes in memory.
const ENDS: Duration = Duration::from_secs(20);

struct Nobody;

impl Observer<InMemory> for Nobody {
    fn event(&self, _: Event<'_, InMemory>) {}
}

/// Returns the declaration of a model; `None` if it is refused.
fn declared(model: &Model) -> Option<Declaration> {
    let checked = Declaration::parse(Path::new("infra.yaml"), model.text().as_bytes(), None).ok()?;
    checked.declarations.into_iter().next()
}

/// Returns the resources of a declaration in an account as it is.
fn desired(declaration: &Declaration, account: &Account) -> Vec<Resource> {
    let names = Names::new(declaration, "123456789012");
    let code = declaration.functions.keys().map(|entry| (entry.clone(), "abc=".to_owned())).collect();
    let snapshot = Snapshot { active: account.state().active.clone(), ..Snapshot::default() };
    let rule_set = RuleSet::choose(declaration, &names, &snapshot);
    let given =
        Inputs { names: &names, code: &code, artifacts: false, rule_set: &rule_set, existing: &Existing::default() };
    let id = |id: kinds::Id| Id::new(InMemory(id.kind), id.entry);
    let resource = |one: kinds::Resource| Resource {
        id: id(one.id),
        address: one.address,
        settings: one.settings,
        after: one.after.into_iter().map(id).collect(),
        moved_from: one.moved_from,
        protections: one.protections,
    };
    resources(declaration, given).into_iter().map(resource).collect()
}

/// Plans and applies once; returns the results, and whether there was nothing to do.
async fn up(declaration: &Declaration, account: &Account) -> (Results<InMemory>, bool) {
    let resources = desired(declaration, account);
    for resource in &resources {
        let place = (resource.id.kind.0, resource.address.clone());
        account.state().entries.insert(place, resource.id.entry.clone());
    }
    let named = resources.iter().map(|resource| (resource.id.kind, resource.address.clone()));
    let mut survey = survey(account, named, []).await;
    survey.complete(account, &resources).await;
    let plan = Plan::new(&resources, &survey).unwrap_or_else(|disorder| panic!("{disorder}"));
    let patience = Patience { poll: Duration::from_millis(1), deadline: Duration::from_millis(5), attempt: ENDS };
    let (_go, stop) = watch::channel(false);
    let applied = engine::apply((account, patience), &plan, (&resources, &survey), &Nobody, &stop);
    let results = tokio::time::timeout(ENDS, applied).await.unwrap();
    (results, plan.is_converged())
}

/// Brings the account to a declaration, and checks that nothing is left to do.
async fn converge(declaration: &Declaration, account: &Account) {
    for _ in 0..3 {
        let (results, is_converged) = up(declaration, account).await;
        if is_converged {
            return;
        }
        let failed: Vec<_> = results.iter().filter(|(_, _, outcome)| *outcome != Outcome::Done).collect();
        assert!(failed.is_empty(), "{failed:#?}");
    }
    panic!("there is still something to do");
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

/// Returns an account, in which somebody's rule set is active or none is.
fn account(is_company: bool) -> Account {
    let account = Account::default();
    account.state().active = is_company.then(|| COMPANY.to_owned());
    account
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_changes_into_whatever_ends(models in prop::collection::vec(model(), 2..4), is_company: bool) {
        let account = account(is_company);
        for model in &models {
            let Some(declaration) = declared(model) else { continue };
            run(converge(&declaration, &account));
        }
    }
}

/// Returns the ways that the mail for some addresses has in a declaration.
fn ways(model: &Model) -> Vec<Way> {
    let mut ways = Vec::new();
    for recipient in ["x@example.com", "y@example.com", "z@example.com"] {
        let takes = |rule: &&Rule| rule.enabled && (rule.to.is_empty() || rule.to.contains(&recipient));
        let rules: Vec<&Rule> = model.rules.iter().filter(takes).collect();
        let recipient = recipient.to_owned();
        if rules.iter().any(|rule| rule.stores) {
            ways.push(Way::Stored(recipient.clone()));
        }
        if rules.iter().any(|rule| rule.is_handled(model)) {
            ways.push(Way::Handled(recipient.clone()));
        }
        if !rules.is_empty() {
            ways.push(Way::Taken(recipient));
        }
    }
    ways
}

/// Returns an account as it was, with a fault.
fn again(before: &State, fault: Option<Fault>, watched: &[Way]) -> Account {
    let state = State { fault, watched: watched.to_vec(), writes: 0, broken: None, ..before.clone() };
    Account(Mutex::new(state))
}

/// Changes one declaration into another, without a fault and with one at some writes. Whatever has a way in both has one after every
/// write, and what is left by a fault is completed by another run.
fn change(before: &Model, after: &Model, is_company: bool, step: usize) {
    let (Some(first), Some(second)) = (declared(before), declared(after)) else { return };
    let account = account(is_company);
    run(converge(&first, &account));
    let start = account.state().clone();
    let watched: Vec<Way> = ways(before).into_iter().filter(|way| ways(after).contains(way)).collect();
    let broken = watched.iter().find_map(|way| way.missing(&start));
    assert_eq!(broken, None, "before any change of\n{}", before.text());
    let tell = |account: &Account, fault: Option<Fault>| {
        let state = account.state();
        let end = state.watched.iter().find_map(|way| way.missing(&state));
        let broken = state.broken.clone().or(end);
        assert_eq!(broken, None, "{fault:?} while\n{}becomes\n{}", before.text(), after.text());
    };
    let account = again(&start, None, &watched);
    run(converge(&second, &account));
    tell(&account, None);
    let count = account.state().writes;
    for number in (1..=count).step_by(step) {
        for fault in [Fault::Before(number), Fault::After(number)] {
            let account = again(&start, Some(fault), &watched);
            run(up(&second, &account));
            tell(&account, Some(fault));
            account.state().fault = None;
            run(converge(&second, &account));
            tell(&account, Some(fault));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: Effort::asked().of(100, 200, 2_000), failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn no_way_of_mail_is_ever_cut(before in model(), after in model(), is_company: bool) {
        change(&before, &after, is_company, Effort::asked().of(5, 3, 1));
    }
}

/// The changes that people make, each with a fault at every write.
#[test]
fn no_way_of_mail_is_cut_by_a_renaming() {
    let rule = |name, invokes| Rule {
        name,
        to: vec!["x@example.com"],
        stores: true,
        invokes,
        publishes: false,
        enabled: true,
    };
    let before = Model {
        existing: None,
        prefix: "inbound/",
        functions: vec!["f"],
        topic: Some("news"),
        failed: Some("failed"),
        rules: vec![rule("a", 0)],
        take_over: false,
    };
    let through_topic = vec![Rule { publishes: true, invokes: 9, ..rule("a", 0) }];
    let split = vec![Rule { to: vec!["x@example.com", "y@example.com"], ..rule("a", 0) }];
    let parts = vec![rule("a", 0), Rule { to: vec!["y@example.com"], ..rule("b", 0) }];
    for (from, to) in [
        (before.clone(), Model { rules: vec![rule("b", 0)], ..before.clone() }),
        (before.clone(), Model { prefix: "in/", ..before.clone() }),
        (before.clone(), Model { functions: vec!["g"], ..before.clone() }),
        (before.clone(), Model { failed: Some("dead"), ..before.clone() }),
        (before.clone(), Model { take_over: true, ..before.clone() }),
        (before.clone(), Model { existing: Some("company-vault"), ..before.clone() }),
        (before.clone(), Model { rules: through_topic.clone(), ..before.clone() }),
        (Model { rules: through_topic.clone(), ..before.clone() }, before.clone()),
        (
            Model { rules: through_topic.clone(), ..before.clone() },
            Model { rules: through_topic, topic: Some("events"), ..before.clone() },
        ),
        (Model { rules: split.clone(), ..before.clone() }, Model { rules: parts.clone(), ..before.clone() }),
        (Model { rules: parts, ..before.clone() }, Model { rules: split, ..before.clone() }),
    ] {
        for is_company in [false, true] {
            change(&from, &to, is_company, 1);
        }
    }
}
