//! Properties of every change of a declaration, with the engine itself and an account in memory.

mod account;
mod model;
mod working;

use std::{path::Path, time::Duration};

use proptest::prelude::*;
use tokio::sync::watch;

use account::{Account, COMPANY, InMemory};
use declaration::Declaration;
use engine::{Event, Observer, Outcome, Patience, Results, survey};
use kinds::ses::Snapshot;
use model::{Model, model};
use stack::{
    Names,
    desired::{Inputs, RuleSet, resources},
};

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
    let given = Inputs { names: &names, code: &code, artifacts: false, rule_set: &rule_set };
    let id = |id: kinds::Id| Id::new(InMemory(id.kind), id.entry);
    let resource = |one: kinds::Resource| Resource {
        id: id(one.id),
        address: one.address,
        settings: one.settings,
        after: one.after.into_iter().map(id).collect(),
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
    let mut survey = survey(account, named).await;
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
