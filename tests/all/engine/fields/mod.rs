//! Tests every managed field of every kind by changing it outside of `provision`: `diff` reports this field only, and `up`
//! restores it.
//!
//! The fields are those of the registry, as `provision schema --fields` prints them: a field or a kind without a case is a
//! failure. Each round changes one field of each of several resources, so that the whole takes a minute and not an hour.

mod apis;
mod functions;
mod mail;
mod others;
mod sending;
mod storage;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;

pub(super) use functions::{ANYTHING, other_zip};

use super::{existing, protected};
use crate::{
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

/// Returns all cases, those of mail first: SES takes a rule only while everything else permits it.
fn all_cases() -> Vec<Case> {
    [mail::CASES, storage::CASES, functions::CASES, others::CASES, apis::CASES, sending::CASES].concat()
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

/// The same with an HTTP API, and a queue that invokes the function.
pub(super) fn every_kind() -> String {
    let on_failure = "    on_failure: failed\n";
    let consumes = format!("{on_failure}{}", apis::CONSUMES);
    let secrets = format!("\n{}secrets:\n", apis::DECLARED);
    replaced(&declaration(), &[(on_failure, &consumes), ("\nsecrets:\n", &secrets)])
}

/// The same with a key and a boundary: where they are declared, another one is drift.
fn protected() -> String {
    let head = format!("stack: circuits\nkms_key: {}\npermissions_boundary: {BOUNDARY}\n", protected::KEY);
    let secrets = format!("\n{}{}secrets:\n", sending::TOPIC, sending::DECLARED);
    replaced(&every_kind(), &[("stack: circuits\n", &head), ("\nsecrets:\n", &secrets)])
