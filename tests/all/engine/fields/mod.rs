//! Tests every managed field of every kind by changing it outside of `provision`: `diff` reports this field only, and `up`
//! restores it.
//!
//! The fields are those of the registry, as `provision schema --fields` prints them: a field or a kind without a case is a
//! failure. Each round changes one field of each of several resources, so that the whole takes a minute and not an hour.

mod apis;
pub(super) mod caches;
mod functions;
pub(super) mod machines;
mod mail;
mod on_moto;
mod others;
pub(super) mod sending;
pub(super) mod servers;
mod storage;
pub(super) mod stores;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;

pub(super) use functions::{ANYTHING, other_zip};

use super::{existing, protected};
use crate::{
    effort::Effort,
    emulator::account::Account,
    harness::{Run, replaced},
    stack::{EVERYTHING, Trial},
};

/// The declared permissions boundary.
const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/boundary";

/// A field, and how somebody else changes it.
#[derive(Clone, Copy)]
struct Case {
    kind: &'static str,
    /// Entry of the resource whose field is changed.
    entry: &'static str,
    field: &'static str,
    change: fn(&Trial),
}

const fn case(kind: &'static str, entry: &'static str, field: &'static str, change: fn(&Trial)) -> Case {
    Case { kind, entry, field, change }
}

/// Fields that cannot be changed in the emulator, and often not in AWS: the reason, and the unit test that covers each with
/// an answer of AWS, as `FILE: TEST`.
const RECORDED: &[(&str, &str, &str, &str)] = &[
    (
        "function",
        "package",
        "Lambda cannot turn a function of zips into one of images",
        "lambda/function/wire.rs: one_real_change_is_seen",
    ),
    (
        "function",
        "failure",
        "the emulator's changes do not fail afterwards",
        "lambda/function/wire.rs: a_change_that_failed_afterwards_is_seen_with_its_reason",
    ),
    ("cluster", "subnets", "MSK cannot move a cluster", "kafka/cluster.rs: one_real_change_is_seen"),
    (
        "cluster",
        "security_groups",
        "MSK cannot change the security groups of brokers",
        "kafka/cluster.rs: one_real_change_is_seen",
    ),
    (
        "cluster",
        "encrypted_within",
        "MSK decides it when it makes a cluster",
        "kafka/cluster.rs: one_real_change_is_seen",
    ),
    ("cluster", "kms_key", "MSK cannot change the key of disks", "kafka/cluster.rs: one_real_change_is_seen"),
    ("cluster", "is_made", "a cluster is made once", "kafka/cluster.rs: one_real_change_is_seen"),
    ("database", "engine", "RDS cannot change it", "rds/instance/tests.rs: one_real_change_is_seen"),
    ("database", "name", "RDS cannot change it", "rds/instance/tests.rs: one_real_change_is_seen"),
    ("database", "user", "RDS cannot change it", "rds/instance/tests.rs: one_real_change_is_seen"),
    ("database", "subnet_group", "RDS cannot change it", "rds/instance/tests.rs: one_real_change_is_seen"),
    ("database", "is_encrypted", "RDS cannot change it", "rds/instance/tests.rs: one_real_change_is_seen"),
    ("database", "kms_key", "RDS cannot change it", "rds/instance/tests.rs: one_real_change_is_seen"),
    ("database", "is_made", "a database is made once", "rds/instance/tests.rs: one_real_change_is_seen"),
    ("database parameters", "family", "RDS cannot change it", "rds/parameter_group.rs: what_cannot_be_changed_is_seen"),
    (
        "database parameters",
        "description",
        "RDS cannot change it",
        "rds/parameter_group.rs: what_cannot_be_changed_is_seen",
    ),
    (
        "kafka topic",
        "replication",
        "nobody can change it, `up` neither",
        "kafka/topic.rs: more_than_is_declared_stays_and_less_does_not",
    ),
    (
        "alarm",
        "low_samples",
        "the emulator does not keep EvaluateLowSampleCountPercentile",
        "cloudwatch/alarm.rs: one_real_change_is_seen",
    ),
];

/// The registry's treatment of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Treatment {
    Plain,
    Coupled(Vec<String>),
    Immutable,
}

/// Returns the registry, as the binary prints it: by kind and path. What is for children has tests of its own.
fn registry(trial: &Trial) -> BTreeMap<(String, String), Treatment> {
    let document: Value = serde_json::from_str(&trial.expect(0, &["schema", "--fields"]).stdout()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut registry = BTreeMap::new();
    for kind in document["kinds"].as_array().unwrap() {
        for field in kind["fields"].as_array().unwrap().iter().filter(|field| field["child"].is_null()) {
            let treatment = match &field["treatment"] {
                Value::String(plain) if plain == "plain" => Treatment::Plain,
                Value::Object(other) if other.contains_key("immutable") => Treatment::Immutable,
                other => Treatment::Coupled(other["coupled"].as_array().unwrap().iter().map(text).collect()),
            };
            registry.insert((text(&kind["kind"]), text(&field["path"])), treatment);
        }
    }
    registry
}

/// Returns whether a path is a field's: `tags.*` is every path below `tags`.
fn covers(field: &str, path: &str) -> bool {
    match field.strip_suffix(".*") {
        Some(above) => path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
        None => path == field,
    }
}

/// Returns the fields that recorded answers cover.
fn recorded_fields() -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str, &'static str)> {
    RECORDED.iter().chain(servers::RECORDED).chain(machines::RECORDED).chain(caches::RECORDED)
}

/// Returns all cases, those of mail first: SES takes a rule only while everything else permits it.
fn all_cases() -> Vec<Case> {
    [
        mail::CASES,
        storage::CASES,
        functions::CASES,
        others::CASES,
        apis::CASES,
        sending::CASES,
        servers::CASES,
        machines::CASES,
        stores::CASES,
        caches::CASES,
    ]
    .concat()
}

/// Returns the cases in rounds, in each of which a resource is changed once.
fn rounds(cases: Vec<Case>) -> Vec<Vec<Case>> {
    let mut rounds: Vec<Vec<Case>> = Vec::new();
    for case in cases {
        let is_free =
            |round: &&mut Vec<Case>| !round.iter().any(|other| (other.kind, other.entry) == (case.kind, case.entry));
        match rounds.iter_mut().find(is_free) {
            Some(round) => round.push(case),
            None => rounds.push(vec![case]),
        }
    }
    rounds
}

/// Returns what a plan says of each changed resource: its action and the paths that differ.
fn told(plan: &Value) -> BTreeMap<(String, String), (String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let changed = plan["resources"].as_array().unwrap().iter().filter(|one| one["action"] != "unchanged");
    let told = changed.map(|one| {
        let differences = one["differences"].as_array().into_iter().flatten();
        let paths = differences.map(|difference| text(&difference["path"])).collect();
        ((text(&one["kind"]), text(&one["entry"])), (text(&one["action"]), paths))
    });
    told.collect()
}

/// Returns the mistake in what a plan says of a field that somebody changed; `None` if it is right.
fn wrong(case: Case, treatment: &Treatment, told: Option<&(String, Vec<String>)>) -> Option<String> {
    let Case { kind, entry, field, .. } = case;
    let Some((action, paths)) = told else { return Some(format!("{kind} {entry} {field}: nothing is told")) };
    let is_allowed = |path: &String| match treatment {
        Treatment::Coupled(set) => set.iter().any(|field| covers(field, path)),
        Treatment::Plain | Treatment::Immutable => covers(field, path),
    };
    let expected = if *treatment == Treatment::Immutable { "replace" } else { "change" };
    let is_named = paths.iter().any(|path| covers(field, path)) || matches!(treatment, Treatment::Coupled(_));
    let is_right = action == expected && !paths.is_empty() && is_named && paths.iter().all(is_allowed);
    (!is_right).then(|| format!("{kind} {entry} {field}: {action} {}", paths.join(", ")))
}

pub(super) fn declaration() -> String {
    replaced(
        EVERYTHING,
        &[
            ("buckets:\n", "buckets:\n  archive: {existing: company-archive}\n"),
            ("{store: mail, prefix: rest/}", "{store: archive, prefix: rest/}"),
            ("    on_failure: failed\n", "    on_failure: failed\n    reserved_concurrency: 5\n"),
        ],
    )
}

/// The same with an HTTP API, and a queue that invokes the function: something of every kind.
pub(super) fn every_kind() -> String {
    let on_failure = "    on_failure: failed\n";
    let consumes = format!("{on_failure}{}", apis::CONSUMES);
    let secrets = format!("\n{}secrets:\n", apis::DECLARED);
    replaced(&declaration(), &[(on_failure, &consumes), ("\nsecrets:\n", &secrets)])
}

/// The same with a key and a boundary: where they are declared, another one is drift.
fn protected() -> String {
    let head = format!("stack: circuits\nkms_key: {}\npermissions_boundary: {BOUNDARY}\n", protected::KEY);
    // The topic belongs to the section before the APIs.
    let topic = format!("\n{}apis:\n", sending::TOPIC);
    let stores =
        [sending::DECLARED, servers::DECLARED, machines::DECLARED, stores::DECLARED, caches::DECLARED].concat();
    let secrets = format!("\n{stores}secrets:\n");
    let changes = [("stack: circuits\n", head.as_str()), ("\napis:\n", &topic), ("\nsecrets:\n", &secrets)];
    replaced(&every_kind(), &changes)
}

/// Makes the boundary, which limits nothing that the test does.
fn boundary(account: &Account) {
    let call = account.iam.create_policy().policy_name("boundary").policy_document(functions::ANYTHING);
    assert_eq!(account.wait(call.send()).unwrap().policy.unwrap().arn.unwrap(), BOUNDARY);
}

#[test]
fn every_field_has_a_case_and_every_case_a_field() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let registered: BTreeSet<_> = registry(&trial).into_keys().collect();
    let changed = all_cases().into_iter().map(|case| (case.kind.to_owned(), case.field.to_owned()));
    let recorded = recorded_fields().map(|(kind, field, ..)| ((*kind).to_owned(), (*field).to_owned()));
    let tested: BTreeSet<_> = changed.chain(recorded).collect();
    assert_eq!(registered.difference(&tested).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "without a case");
    assert_eq!(tested.difference(&registered).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "without a field");
    let kinds = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/kinds/src");
    for (kind, field, _, test) in recorded_fields() {
        let (file, name) = test.split_once(": ").unwrap();
        let source = fs::read_to_string(kinds.join(file)).unwrap();
        let is_there =
            ["    ", ""].iter().any(|indent| source.contains(&format!("{indent}#[test]\n{indent}fn {name}()")));
        assert!(is_there, "{kind} {field}: there is no test {test}");
    }
}

/// Runs the binary as somebody.
type Somebody<'trial> = &'trial dyn Fn(&[&str]) -> Run;

/// Changes fields, and lets somebody compare and restore them.
fn change(cases: Vec<Case>, trial: &Trial, registry: &BTreeMap<(String, String), Treatment>, run: Somebody<'_>) {
    let mut failures = Vec::new();
    for round in rounds(cases) {
        for case in &round {
            (case.change)(trial);
        }
        let diff = run(&["diff", "--json"]);
        let fields: Vec<String> = round.iter().map(|case| format!("{} {}", case.kind, case.field)).collect();
        assert_eq!(diff.code(), Some(1), "after {fields:#?}\n{diff}");
        let document = diff.json().remove(0);
        let mut told = told(&document);
        for case in round {
            let treatment = &registry[&(case.kind.to_owned(), case.field.to_owned())];
            let said = told.remove(&(case.kind.to_owned(), case.entry.to_owned()));
            failures.extend(wrong(case, treatment, said.as_ref()));
        }
        failures.extend(told.into_iter().map(|(resource, told)| format!("{resource:?} was not touched: {told:?}")));
        // What others made, and what shortens the life of data, goes by name.
        let named = document["allow_delete"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        let named = named.flat_map(|name| ["--allow-delete", name]);
        let up: Vec<&str> = ["up", "--yes"].into_iter().chain(named).collect();
        for arguments in [&up[..], &["diff"]] {
            let run = run(arguments);
            assert_eq!(run.code(), Some(0), "after {fields:#?}\n{failures:#?}\n{run}");
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn a_field_that_somebody_changes_is_named_alone_and_put_right() {
    let Some(trial) = Trial::new(&protected()) else { return };
    let registry = registry(&trial);
    existing::bucket(&trial.account);
    boundary(&trial.account);
    sending::identities(&trial);
    trial.emulator.key(protected::KEY, "Enabled");
    trial.up();
    // Whoever has the least rights puts right what anybody does, with the same words: here is the rest, unless all is asked for.
    let cases = all_cases()
        .into_iter()
        .filter(|case| Effort::asked() == Effort::Whole || !is_put_right_with_least_rights(case));
    change(cases.collect(), &trial, &registry, &|arguments| trial.run(arguments));
    let count = |wanted: fn(&Treatment) -> bool| registry.values().filter(|treatment| wanted(treatment)).count();
    println!(
        "{} fields: {} plain, {} coupled, {} immutable; {} cases in {} rounds; {} by recorded answers: {}",
        registry.len(),
        count(|treatment| *treatment == Treatment::Plain),
        count(|treatment| matches!(treatment, Treatment::Coupled(_))),
        count(|treatment| *treatment == Treatment::Immutable),
        all_cases().len(),
        rounds(all_cases()).len(),
        recorded_fields().count(),
        recorded_fields().map(|(kind, field, ..)| format!("{kind} {field}")).collect::<Vec<_>>().join(", "),
    );
}

/// The policy that `provision policy` prints suffices, without any other permission, to restore everything.
#[test]
fn the_least_policy_is_enough_to_put_every_field_right() {
    let Some(trial) = Trial::checked(&protected()) else { return };
    let registry = registry(&trial);
    existing::bucket(&trial.account);
    boundary(&trial.account);
    sending::identities(&trial);
    trial.emulator.key(protected::KEY, "Enabled");
    let somebody = trial.with_least_rights("up");
    let run = |arguments: &[&str]| trial.run_as(&somebody, arguments);
    let up = run(&["up", "--yes"]);
    assert_eq!(up.code(), Some(0), "{up}");
    change(all_cases().into_iter().filter(is_put_right_with_least_rights).collect(), &trial, &registry, &run);
    // What is printed for the end suffices for the end, of every kind.
    let remover = trial.user("remover", &trial.policy("down"));
    trial.expect_as(0, &remover, &["down", "--confirm", "circuits", "--delete-data"]);
}

/// Tells whether the least rights suffice for a case. The exception is a role with another path: there nobody may change anything.
fn is_put_right_with_least_rights(case: &Case) -> bool {
    (case.kind, case.field) != ("role", "path")
}
