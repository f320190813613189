//! The fields of what EC2 and RDS have, on a double of theirs that is nobody's here: what somebody changes there is named alone and put right, by
//! whoever has the least rights.

use std::collections::BTreeMap;

use super::{Case, change, machines, registry, servers, stores};
use crate::{effort::Effort, harness::replaced, stack::Trial};

/// Fields that moto does not keep, or does not let anybody change, with what it does.
const UNKEPT: &[(&str, &str, &str)] = &[
    ("database", "port", "it takes another port and keeps the one that was"),
    ("database", "parameter_group", "it knows no default group of MySQL 8.4"),
];

fn declaration() -> String {
    let own = replaced(
        stores::DECLARED,
        &[
            ("    subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b]\n", "    network: main\n"),
            ("    security_groups: [sg-0a1b2c3d]\n", "    security_groups: [app]\n"),
        ],
    );
    [servers::alone(), machines::DECLARED.to_owned(), own].concat()
}

#[test]
fn the_other_double_sees_the_same_changes_and_the_same_cure() {
    let Some(trial) = Trial::on_moto(&declaration()) else { return };
    let registry = registry(&trial);
    let somebody = trial.with_least_rights("up");
    let run = |arguments: &[&str]| trial.run_as(&somebody, arguments);
    let up = run(&["up", "--yes"]);
    assert_eq!(up.code(), Some(0), "{up}");
    let all = [servers::CASES, machines::CASES, stores::CASES].concat();
    let is_kept = |case: &Case| !UNKEPT.iter().any(|(kind, field, _)| (*kind, *field) == (case.kind, case.field));
    let kept: Vec<Case> = all.into_iter().filter(is_kept).collect();
    let cases = sample(&kept);
    println!("{} of {} cases ({} effort)", cases.len(), kept.len(), Effort::asked());
    change(cases, &trial, &registry, &run);
}

/// Returns some cases of each kind, and its first in any case: all of them take half a minute of a core.
fn sample(cases: &[Case]) -> Vec<Case> {
    let step = Effort::asked().of(6, 3, 1);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let is_chosen = |case: &&Case| {
        let number = seen.entry(case.kind).or_default();
        *number += 1;
        (*number - 1).is_multiple_of(step)
    };
    cases.iter().filter(is_chosen).copied().collect()
}
