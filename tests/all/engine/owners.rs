//! A resource is ours by its tags. With our name alone, or with the stack's tag alone, it is somebody's: told, and never changed or
//! deleted.

use serde_json::Value;

use super::tags::{CASES, Case, STACK, all_tags, copies};
use crate::{
    emulator::account::Account,
    stack::{EVERYTHING, Trial},
};

/// Our name with another stack's tag, or with no tag of ours: refused by `up`, left alone by `down`.
fn our_name_alone_is_not_enough(change: impl Fn(&Case, &Account)) {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    for case in CASES {
        change(case, &trial.account);
    }
    let before = all_tags(&trial.account);
    let plan = trial.run(&["diff", "--json"]).json().remove(0);
    trial.proxy.reset();
    let run = trial.expect(2, &["up", "--yes"]);
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
    for case in CASES {
        let is_it = |one: &&Value| one["kind"] == case.kind && one["entry"] == case.entry;
        let told = plan["resources"].as_array().unwrap().iter().find(is_it).unwrap();
        assert_eq!(told["action"], "foreign", "{told}");
        assert!(run.stderr().contains(&format!("{} {}", case.kind, case.entry)), "{} {}\n{run}", case.kind, case.entry);
    }
    trial.run(&["down", "--confirm", "circuits", "--delete-data"]);
    for (case, (before, after)) in CASES.iter().zip(before.into_iter().zip(all_tags(&trial.account))) {
        assert_eq!(after, before, "{} {}", case.kind, case.entry);
    }
}

#[test]
fn our_name_with_another_stacks_tag_is_that_stacks() {
    our_name_alone_is_not_enough(|case, account| (case.tag)(account, case.name, STACK, "somebody.eu-west-1"));
}

#[test]
fn our_name_without_our_tag_is_nobodys_to_delete() {
    our_name_alone_is_not_enough(|case, account| (case.untag)(account, case.name));
}

#[test]
fn our_tag_with_somebodys_name_is_told_where_it_is_seen_and_stays() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let copies = copies(&trial.account);
    for (case, name) in &copies {
        (case.tag)(&trial.account, name, STACK, "circuits.eu-west-1");
    }
    let tags = || copies.iter().map(|(case, name)| (case.read)(&trial.account, name)).collect::<Vec<_>>();
    let before = tags();
    trial.up();
    trial.is_converged();
    let run = trial.expect(0, &["diff"]);
    for (case, name) in &copies {
        let told = format!("= {} {name}   stays: it has this stack's tag", case.kind);
        assert!(run.stdout().contains(&told), "{told}\n{run}");
    }
    let run = trial.expect(0, &["down", "--confirm", "circuits", "--delete-data"]);
    assert!(run.stdout().contains("secret theirs/token"), "{run}");
    assert_eq!(tags(), before);
}
