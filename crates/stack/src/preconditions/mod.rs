//! Preconditions that only a person can fulfil: checked before the first change, and reported with what to do.

mod catching;
mod dns;
mod limits;
mod network;
mod others;
mod own;
mod prices;
mod receiving;
mod references;
mod sending;
mod servers;

use std::path::Path;

use serde::Serialize;

pub use dns::Dns;
pub use others::{Others, others};

use crate::{Existing, Names, desired::RuleSet};
use declaration::{Declaration, Move};
use kinds::{Id, Kind, Session, ses::Snapshot};

/// The weight of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Nothing is changed until a person has acted: AWS would refuse, or mail could not be received at all.
    Blocks,
    /// The stack can be created, but will not do all of its work.
    Warns,
}

/// A precondition that is not fulfilled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Weight: blocks or warns.
    pub weight: Weight,
    /// The fact that was found.
    pub what: String,
    /// The action that a person should take.
    pub todo: String,
}

impl Finding {
    /// Returns a finding that warns.
    pub fn warns(what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { weight: Weight::Warns, what: what.into(), todo: todo.into() }
    }

    fn blocks(what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { weight: Weight::Blocks, what: what.into(), todo: todo.into() }
    }
}

/// Returns the IAM actions that [`check`] needs, besides those of the kinds.
pub fn actions(declaration: &Declaration) -> Vec<&'static str> {
    let reserves = declaration.functions.values().any(|function| function.reserved_concurrency.is_some());
    let mut actions = Vec::new();
    if !declaration.receipt_rules.is_empty() {
        actions.push("ses:GetIdentityVerificationAttributes");
        actions.extend(catching::rule(declaration).map(|_| "ses:ListIdentities"));
    }
    actions.extend(reserves.then_some("lambda:GetAccountSettings"));
    if declaration.functions.values().any(|function| function.vpc.is_some()) {
        actions.extend(network::ACTIONS);
    }
    actions
}

/// The resources that the comparison has read already.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'seen> {
    /// The rule set that has, or will have, the receipt rules.
    pub rule_set: &'seen RuleSet,
    /// SES's rule sets and filters; `None` if they could not be read.
    pub snapshot: Option<&'seen Snapshot>,
    /// Buckets and secrets that are not the stack's.
    pub existing: &'seen Existing,
}

/// Checks every precondition at once; blocking findings come first. `file` is the declaration's, for places in messages.
pub async fn check(
    session: &Session,
    (file, declaration, names): (&Path, &Declaration, &Names),
    Seen { rule_set, snapshot, existing }: Seen<'_>,
    dns: &Dns,
) -> Vec<Finding> {
    let domains = receiving::domains(declaration);
    let senders = receiving::senders(declaration);
    // Boxed, since a future is as large as all calls that it may contain.
    let sets = Box::pin(async {
        match snapshot {
            Some(snapshot) => limits::sets(session, declaration, rule_set, snapshot).await,
            None => Vec::new(),
        }
    });
    let (identities, records, caught, region, concurrency, sets, networks, keys, told) = tokio::join!(
        receiving::identities(session, &domains, &senders),
        receiving::records(dns, &session.aws.realm.region, &domains),
        Box::pin(catching::every_domain(session, dns, declaration, &domains)),
        receiving::region(dns, &session.aws.realm.region, declaration),
        Box::pin(limits::concurrency(session, declaration, names)),
        sets,
        Box::pin(network::check(session, declaration, file, dns)),
        Box::pin(references::keys(session, (file, declaration), existing)),
        Box::pin(sending::identities(session, (file, declaration, names))),
    );
    let asked = [identities, records, caught, region, concurrency, sets, networks, keys, told];
    let mut findings: Vec<Finding> = asked.into_iter().flatten().collect();
    findings.extend(without_calls(session, (file, declaration, names), Seen { rule_set, snapshot, existing }));
    findings.sort();
    findings
}

/// Checks what the declaration and what was read before tell already.
fn without_calls(
    session: &Session,
    (file, declaration, names): (&Path, &Declaration, &Names),
    Seen { rule_set, snapshot, existing }: Seen<'_>,
) -> Vec<Finding> {
    let mut findings = references::secrets(&session.aws.realm, (file, declaration), existing);
    findings.extend(sending::clusters((file, declaration), existing));
    findings.extend(prices::prices((file, declaration), names));
    findings.extend(servers::ways((file, declaration)));
    findings.extend(own::ids((file, declaration), session.tagged.entries()));
    if let Some(snapshot) = snapshot {
        findings.extend(limits::rules(&session.stack, declaration, rule_set, snapshot));
        findings.extend(others(&session.stack, declaration, rule_set, snapshot).all());
    }
    if declaration.alarms.notify.is_empty() && !declaration.functions.is_empty() {
        findings.push(Finding::warns(
            "alarms notify nobody",
            "name mail addresses or topics: `alarms: {notify: [noc@example.com]}`",
        ));
    }
    findings.extend(done_moves(declaration, names));
    findings
}

/// Returns the lines under `moved` that have nothing left to do.
fn done_moves(declaration: &Declaration, names: &Names) -> impl Iterator<Item = Finding> {
    let kind = |one: &Move| Kind::ALL.iter().find(|kind| kind.identity().section == Some(one.section)).copied();
    declaration.moved.iter().filter_map(move |one| {
        let kind = kind(one)?;
        let [from, to] = [&one.from, &one.to].map(|entry| Id::new(kind, entry).typed());
        let is_done = names.moved_from(&Id::new(kind, &one.to)).is_none();
        let what = format!("nothing in AWS has the tags of `{from}`, so that nothing moves");
        // Another stage may still have them.
        let when = if declaration.stage.is_some() { ", once `up` has run in every stage" } else { "" };
        is_done.then(|| Finding::warns(what, format!("remove the line `{from}: {to}` under `moved`{when}")))
    })
}
