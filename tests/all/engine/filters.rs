//! Tests receipt IP address filters: whoever is declared as allowed is never refused in between, and those of others are told and stay.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use aws_sdk_ses::types::{ReceiptFilter, ReceiptFilterPolicy, ReceiptIpFilter};

use crate::{
    emulator::fault::Fault,
    harness::replaced,
    stack::{EVERYTHING, Trial, actions},
};

/// A whole stack that takes mail from some addresses alone.
fn some_alone(allowed: &str) -> String {
    let filters = format!(
        "receipt_filters:\n  - {{name: everybody, policy: block, cidr: 0.0.0.0/0}}\n  - {{name: office, policy: allow, cidr: {allowed}}}\n"
    );
    replaced(EVERYTHING, &[("receipt_filters: [{name: office, policy: allow, cidr: 192.0.2.0/24}]\n", &filters)])
}

/// Returns the filters of the account, by name: policy and addresses.
fn filters(trial: &Trial) -> Vec<String> {
    let answer = trial.account.wait(trial.account.ses.list_receipt_filters().send()).unwrap();
    let shown = |filter: &ReceiptFilter| {
        let of = filter.ip_filter.as_ref().unwrap();
        format!("{} {} {}", filter.name, of.policy, of.cidr)
    };
    answer.filters().iter().map(shown).collect()
}

fn add(trial: &Trial, name: &str, cidr: &str) {
    let of = ReceiptIpFilter::builder().policy(ReceiptFilterPolicy::Block).cidr(cidr).build().unwrap();
    let filter = ReceiptFilter::builder().name(name).ip_filter(of).build().unwrap();
    trial.account.wait(trial.account.ses.create_receipt_filter().filter(filter).send()).unwrap();
}

/// Returns the calls that changed filters since the proxy was reset, in order.
fn changes(trial: &Trial) -> Vec<String> {
    let calls = trial.proxy.mutating().into_iter().filter(|call| call.operation.name.ends_with("ReceiptFilter"));
    calls.map(|call| call.operation.name.replace("ReceiptFilter", "")).collect()
}

#[test]
fn whoever_is_allowed_is_so_before_others_are_blocked_and_while_the_range_changes() {
    let Some(trial) = Trial::new(&some_alone("192.0.2.0/24")) else { return };
    // The one that allows comes second in the file, and nobody is blocked without it.
    let is_first = AtomicBool::new(true);
    let denied = trial.proxy.on(Fault::Denies, move |call| {
        call.operation == "ses.CreateReceiptFilter" && is_first.swap(false, Ordering::SeqCst)
    });
    trial.expect(2, &["up", "--yes"]);
    assert_eq!((filters(&trial), changes(&trial)), (Vec::new(), vec!["Create".to_owned()]));
    drop(denied);
    trial.proxy.reset();
    trial.up();
    let all = ["circuits_everybody Block 0.0.0.0/0", "circuits_office Allow 192.0.2.0/24"];
    assert_eq!(filters(&trial), all);
    trial.is_converged();
    // SES cannot change a filter: the new range is let in before the old one goes.
    trial.folder.write("infra.yaml", some_alone("192.0.2.0/25"));
    assert_eq!(actions(&trial.diff()), ["change receipt filter office"]);
    trial.proxy.reset();
    trial.up();
    assert_eq!(changes(&trial), ["Delete", "Create", "Delete", "Create", "Delete"]);
    assert_eq!(filters(&trial), [all[0], "circuits_office Allow 192.0.2.0/25"]);
    trial.is_converged();
    trial.expect(0, &["down", "--confirm", "circuits", "--delete-data"]);
    assert_eq!(filters(&trial), [""; 0]);
}

/// Wherever the change of a range ends, the next run finds what it left, and removes it.
#[test]
fn what_an_interrupted_change_leaves_is_removed_by_the_next_run() {
    let Some(trial) = Trial::new(&some_alone("192.0.2.0/24")) else { return };
    trial.up();
    for (nth, range) in (2..=5).zip(["192.0.2.0/25", "192.0.2.0/26", "192.0.2.0/27", "192.0.2.0/28"]) {
        trial.folder.write("infra.yaml", some_alone(range));
        trial.proxy.reset();
        let seen = AtomicUsize::new(0);
        let denied = trial.proxy.on(Fault::Denies, move |call| {
            call.operation.name.ends_with("eReceiptFilter") && seen.fetch_add(1, Ordering::SeqCst) + 1 >= nth
        });
        assert_ne!(trial.run(&["up", "--yes"]).code(), Some(0), "call {nth}: {}", trial.proxy.record());
        drop(denied);
        trial.proxy.reset();
        trial.up();
        assert_eq!(filters(&trial).len(), 2, "call {nth}");
        assert_eq!(filters(&trial)[1], format!("circuits_office Allow {range}"), "call {nth}");
        trial.is_converged();
    }
}

#[test]
fn filters_of_others_that_keep_mail_out_are_told_and_stay() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    add(&trial, "company", "198.51.100.0/24");
    trial.expect(0, &["diff"]);
    add(&trial, "everybody", "0.0.0.0/0");
    // The stack lets some in.
    trial.expect(0, &["diff"]);
    trial.folder.write(
        "infra.yaml",
        replaced(EVERYTHING, &[("receipt_filters: [{name: office, policy: allow, cidr: 192.0.2.0/24}]\n", "")]),
    );
    trial.up();
    let run = trial.expect(1, &["diff"]);
    let said = "somebody's IP filters `company` (198.51.100.0/24), `everybody` (0.0.0.0/0) refuse mail";
    assert!(run.stderr().contains(said), "{run}");
    let run = trial.expect(1, &["status"]);
    assert!(run.stdout().contains("Mail: cut off: ") && run.stdout().contains("`everybody` (0.0.0.0/0)"), "{run}");
    assert_eq!(filters(&trial), ["company Block 198.51.100.0/24", "everybody Block 0.0.0.0/0"]);
    trial.expect(0, &["down", "--confirm", "circuits", "--delete-data"]);
    assert_eq!(filters(&trial).len(), 2);
}
