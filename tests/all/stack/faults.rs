//! Tests faulty calls: a call fails, is throttled, is answered late, or its connection is cut. The run completes all the same, and
//! nothing is there twice.
//!
//! Every stage is run with a fault in each of its operations, not in each of its calls: the number of calls grows with the stack,
//! that of operations does not. [`planned`] says which kinds of fault an operation gets.

use std::collections::{BTreeMap, BTreeSet};

use super::{EVERYTHING, Trial, apis, taking_time};
use crate::{
    effort::Effort,
    emulator::{
        calls::Operation,
        fault::{FAULTS, Fault},
        proxy::Call,
    },
    harness::replaced,
};

/// The run that a fault hits.
#[derive(Debug, Clone, Copy)]
enum Stage {
    First,
    Update,
    Down,
}

/// A stack whose runs are hit by faults.
pub(super) struct Stack {
    pub(super) declaration: &'static str,
    /// Returns a declaration that changes something of every kind that can be changed in place.
    updated: fn() -> String,
    /// Losses that the changed declaration causes.
    losses: &'static [&'static str],
    name: &'static str,
    /// Makes what the stack needs and does not declare.
    pub(super) furnish: fn(&Trial),
    /// Tells whether an operation gets a fault: each does in one of the stacks.
    is_hit: fn(&Operation) -> bool,
}

/// Something of every kind but those of webhooks.
const CIRCUITS: Stack = Stack {
    declaration: EVERYTHING,
    updated,
    // Messages live shorter.
    losses: &["--allow-delete", "queue/failed"],
    name: "circuits",
    furnish: |_| (),
    is_hit: |_| true,
};

/// An HTTP API, and a function that a queue invokes: only what the other stack does not ask for is hit.
const EGRESS: Stack = Stack {
    declaration: apis::EGRESS,
    updated: apis::updated,
    losses: &[],
    name: "egress",
    furnish: |_| (),
    is_hit: |operation| operation.service == "apigateway" || operation.name.contains("EventSourceMapping"),
};

/// A stack of resources that hear of sent mails, without a function.
pub(super) const HEARING: Stack = Stack {
    declaration: "\
stack: hearing
region: eu-west-1
topics: {heard: {}}
configuration_sets: {sent: {events: {all: {topic: heard, types: [send, delivery]}}}}
identities: {example.com: {feedback: {bounce: heard}}}
tables: {items: {partition_key: id, time_to_live: until}}
clusters: {log: {subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d], brokers: 2, topics: {lines: {replication: 2}}}}
",
    updated: String::new,
    losses: &[],
    name: "hearing",
    furnish: |trial| {
        trial.account.wait(trial.account.ses.verify_domain_identity().domain("example.com").send()).unwrap();
    },
    is_hit: |operation| ["dynamodb", "kafka", "ses"].contains(&operation.service.as_str()),
};

/// A server with what it has. Its network has tests of its own.
const SERVERS: Stack = Stack {
    declaration: "\
stack: servers
region: eu-west-1
networks: {main: {endpoints: []}}
security_groups: {web: {network: main}}
servers: {host: {network: main, security_groups: [web], address: new, volume: {}}}
",
    updated: || replaced(SERVERS.declaration, &[("address: new", "address: new, type: t3.small")]),
    losses: &[],
    name: "servers",
    furnish: |_| (),
    is_hit: |operation| {
        let names = ["Instance", "Volume", "Address"];
        operation.mutates() && names.iter().any(|name| operation.name.contains(name))
    },
};

/// A database and a cache in a network of their own: what takes minutes, and what EC2 gives ids.
const STORES: Stack = Stack {
    declaration: taking_time::STORES,
    updated: taking_time::resized,
    losses: &[],
    name: "stores",
    furnish: |_| (),
    is_hit: |operation| ["ec2", "elasticache", "rds"].contains(&operation.service.as_str()),
};

fn updated() -> String {
    replaced(
        EVERYTHING,
        &[
            ("30d", "60d"),
            ("team: network", "team: noc"),
            ("STANDIN: ready", "STANDIN: steady"),
            ("{retention: 14d}", "{retention: 7d}"),
            ("tls: require", "tls: optional"),
            ("description: NetBox", "description: token"),
            ("raw: true", "raw: false"),
            ("recipients: [noc@example.com]", "recipients: [noc@example.com, ops@example.com]"),
        ],
    )
}

impl Stage {
    /// Brings the account and the declaration into their state before the run.
    fn prepare(self, trial: &Trial, stack: &Stack) {
        (stack.furnish)(trial);
        if !matches!(self, Self::First) {
            trial.up();
        }
        if matches!(self, Self::Update) {
            trial.folder.write("infra.yaml", (stack.updated)());
        }
    }

    fn arguments(self, stack: &Stack) -> Vec<&'static str> {
        match self {
            Self::First => vec!["up", "--yes"],
            Self::Update => [&["up", "--yes"], stack.losses].concat(),
            Self::Down => vec!["down", "--confirm", stack.name, "--delete-data"],
        }
    }
}

/// The calls of a run that a fault hits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// The call of this number, from 1, among all calls.
    Call(usize),
    /// The call of this number, from 1, among those of an operation.
    Repetition(Operation, usize),
}

impl Target {
    fn is(&self, call: &Call) -> bool {
        match self {
            Self::Call(number) => call.number == *number,
            Self::Repetition(operation, number) => call.operation == *operation && call.repetition == *number,
        }
    }
}

/// Returns the faults of a stage, given the calls of a run without one.
///
/// Every operation gets a fault. The kinds take turns among the operations of a service, beginning with another kind in each stage:
/// a service of five operations meets every kind in each of its stages, an operation of three stages meets three kinds. An operation
/// that changes something also loses its answer, the worst that can happen to it. The calls of an operation take turns too. With
/// [`Effort::Whole`] every kind of fault hits every call; with [`Effort::Ci`] every lost answer of the first stage is tried, and of all others
/// every second, another half in the next stage.
fn planned(stage: Stage, calls: &[Call], effort: Effort) -> Vec<(Target, Fault)> {
    if effort == Effort::Whole {
        let all = |call: &Call| FAULTS.map(|fault| (Target::Call(call.number), fault));
        return calls.iter().flat_map(all).collect();
    }
    let mut repetitions: BTreeMap<&Operation, usize> = BTreeMap::new();
    for call in calls {
        *repetitions.entry(&call.operation).or_default() += 1;
    }
    let mut turns: BTreeMap<&str, usize> = BTreeMap::new();
    let mut cases = Vec::new();
    for (operation, count) in repetitions {
        let turn = turns.entry(&operation.service).or_insert(2 * stage as usize);
        let target = Target::Repetition(operation.clone(), *turn % count + 1);
        let fault = FAULTS[*turn % FAULTS.len()];
        *turn += 1;
        cases.push((target.clone(), fault));
        if operation.mutates() && fault != Fault::CutAfter {
            cases.push((target, Fault::CutAfter));
        }
    }
    if effort == Effort::Ci {
        let halves = cases.into_iter().enumerate();
        let is_tried = |(index, (_, fault)): &(usize, _)| {
            let is_first_lost = matches!(stage, Stage::First) && *fault == Fault::CutAfter;
            is_first_lost || (index + stage as usize).is_multiple_of(2)
        };
        return halves.filter(is_tried).map(|(_, case)| case).collect();
    }
    effort.some_of(cases, 7)
}

/// The figures of a matrix of faults.
#[derive(Default)]
struct Figures {
    calls: usize,
    operations: BTreeSet<Operation>,
    /// Faults that hit an operation of each service, and those that hit an operation which changes something.
    by_service: BTreeMap<String, BTreeSet<Fault>>,
    hits: BTreeMap<Fault, usize>,
    /// Number of faults in calls that a run did not make: a run polls as often as it must.
    missed: usize,
}

/// Tries every `step`th fault after the other, each in an account that is as it is before the run.
fn matrix(stack: &Stack, stage: Stage, effort: Effort, step: usize) -> Option<Figures> {
    let trial = Trial::new(stack.declaration)?;
    stage.prepare(&trial, stack);
    let arguments = &stage.arguments(stack)[..];
    let before = trial.emulator.snapshot();
    trial.proxy.reset();
    trial.expect(0, arguments);
    let (mut calls, end) = (trial.proxy.calls(), trial.account.inventory());
    calls.retain(|call| (stack.is_hit)(&call.operation));
    let mut figures = Figures { calls: calls.len(), ..Figures::default() };
    for (target, fault) in planned(stage, &calls, effort).into_iter().step_by(step) {
        trial.emulator.restore(&before);
        trial.proxy.reset();
        let hits = target.clone();
        let hit = trial.proxy.on(fault, move |call| hits.is(call));
        let run = trial.run(arguments);
        let Some(call) = hit.try_iter().next() else {
            figures.missed += 1;
            continue;
        };
        let what = format!("{fault:?} of call {}, {}", call.number, call.operation);
        // A read is repeated, and so is a write: whatever one bad call was, it is no failure.
        assert_eq!(run.code(), Some(0), "{what}\n{run}\n{}", trial.proxy.record());
        // Before it returns 0, a run checks by itself that it is complete.
        assert_eq!(trial.account.inventory(), end, "after {what}");
        if Effort::asked() == Effort::Whole {
            trial.proxy.reset();
            let again = trial.run(arguments);
            assert_eq!(again.code(), Some(0), "after {what}\n{again}\n{}", trial.proxy.record());
            assert_eq!(trial.account.inventory(), end, "after {what}, and another run");
        }
        figures.count(fault, call.operation);
    }
    Some(figures)
}

impl Figures {
    fn count(&mut self, fault: Fault, operation: Operation) {
        *self.hits.entry(fault).or_default() += 1;
        self.by_service.entry(operation.service.clone()).or_default().insert(fault);
        self.operations.insert(operation);
    }
}

fn told(stack: &Stack, stage: Stage) {
    told_with(stack, stage, Effort::asked(), 1);
}

#[expect(clippy::print_stdout, reason = "the figures are what one wants to see")]
fn told_with(stack: &Stack, stage: Stage, effort: Effort, step: usize) {
    let Some(figures) = matrix(stack, stage, effort, step) else { return };
    let Figures { calls, operations, by_service, hits, missed } = figures;
    let cases = hits.values().sum::<usize>();
    println!(
        "{} {stage:?}, {effort}: {cases} faults in {} operations of {calls} calls: {hits:?}",
        stack.name,
        operations.len()
    );
    for (service, kinds) in by_service {
        println!("  {service}: {kinds:?}");
    }
    // The order of calls differs from run to run, their number hardly.
    assert!(missed * 20 <= cases, "{missed} faults hit nothing, {cases} did");
}

#[test]
fn a_first_up_gets_over_any_bad_call() {
    told(&CIRCUITS, Stage::First);
}

#[test]
fn an_update_gets_over_any_bad_call() {
    told(&CIRCUITS, Stage::Update);
}

#[test]
fn a_down_gets_over_any_bad_call() {
    told(&CIRCUITS, Stage::Down);
}

#[test]
fn what_webhooks_need_gets_over_any_bad_call() {
    for stage in [Stage::First, Stage::Update, Stage::Down] {
        told(&EGRESS, stage);
    }
}

#[test]
fn what_hears_of_sent_mails_gets_over_any_bad_call() {
    for stage in [Stage::First, Stage::Down] {
        told(&HEARING, stage);
    }
}

#[test]
fn what_a_server_has_gets_over_bad_calls() {
    // Its runs take seconds each: some of the cases, unless all are asked for.
    let (first, all) = ([Stage::First], [Stage::First, Stage::Update, Stage::Down]);
    let effort = Effort::asked().of(Effort::Brief, Effort::Brief, Effort::Whole);
    for stage in Effort::asked().of(&first[..], &first[..], &all[..]).iter().copied() {
        told_with(&SERVERS, stage, effort, 1);
    }
}

#[test]
fn what_takes_minutes_gets_over_bad_calls() {
    let effort = Effort::asked();
    // Its runs take seconds each, too. The step has no divisor in common with the turns of the faults.
    for (stage, step) in [(Stage::First, 11), (Stage::Update, 7), (Stage::Down, 11)] {
        told_with(&STORES, stage, effort, effort.of(step, step, 1));
    }
}

/// The operations of the services that the stack of these tests uses, as the plan of faults sees them.
#[test]
fn every_operation_gets_a_fault_and_every_service_every_kind_of_it() {
    let names = ["CreateThing", "DescribeThing", "DeleteThing", "ListThings", "TagThing", "UntagThing", "GetThing"];
    let calls: Vec<Call> = ["iam", "s3", "sqs"]
        .iter()
        .flat_map(|service| {
            names.iter().flat_map(move |name| (1..=3).map(move |repetition| (service, name, repetition)))
        })
        .enumerate()
        .map(|(index, (service, name, repetition))| {
            let operation = Operation { service: (*service).to_owned(), name: (*name).to_owned() };
            Call::example(index + 1, repetition, operation)
        })
        .collect();
    let mut kinds: BTreeMap<Operation, BTreeSet<Fault>> = BTreeMap::new();
    let mut by_service: BTreeMap<String, BTreeSet<Fault>> = BTreeMap::new();
    for stage in [Stage::First, Stage::Update, Stage::Down] {
        for (target, fault) in planned(stage, &calls, Effort::Ci) {
            let operation = &calls.iter().find(|call| target.is(call)).unwrap().operation;
            kinds.entry(operation.clone()).or_default().insert(fault);
            by_service.entry(operation.service.clone()).or_default().insert(fault);
        }
    }
    assert_eq!(kinds.len(), 3 * names.len(), "an operation has no fault: {kinds:?}");
    assert_eq!(by_service, ["iam", "s3", "sqs"].map(|service| (service.to_owned(), FAULTS.into())).into());
    for (operation, kinds) in kinds {
        let has_lost_its_answer = kinds.contains(&Fault::CutAfter);
        assert!(!kinds.is_empty() && (has_lost_its_answer || !operation.mutates()), "{operation}: {kinds:?}");
    }
    assert_eq!(planned(Stage::First, &calls, Effort::Whole).len(), calls.len() * FAULTS.len());
}
