//! Tests a stack that `up` created, used as its owner would: a mail arrives, is found in the log, and is
//! replayed.

use serde_json::Value;

use crate::{
    emulator::{
        mail::{Done, deliver},
        pipeline::logged_times,
    },
    stack::{EVERYTHING, Trial, VALUE},
};

#[test]
fn a_mail_is_seen_and_replayed_in_a_stack_that_up_made() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    let mail = b"From: NOC <noc@carrier.example>\r\nTo: noc@example.com\r\nSubject: report delivered\r\n\r\nbody\r\n";
    let done = deliver(&trial.account, "bounce@carrier.example", &["noc@example.com"], mail);
    let keys: Vec<&String> =
        done.iter().filter_map(|done| if let Done::Stored { key, .. } = done { Some(key) } else { None }).collect();
    logged_times(&trial.account, "circuits-reader", "\"report\":\"item\"", 1);
    let run = trial.expect(0, &["logs", "reader"]);
    let id = keys[0].strip_prefix("inbound/").unwrap();
    let gist = format!(" reader delivered, provider carrier, maintenance CHG-1, mail {id}, 1.5 ms\n");
    assert_eq!(run.stdout().matches(&gist).count(), 1, "{run}");

    // The other rule's prefix belongs to no function.
    let run = trial.expect(0, &["replay", "--prefix", "", "--dry-run", "--json"]);
    let planned: Value = run.json().remove(0);
    assert_eq!(planned["items"].as_array().unwrap().len(), 1, "{planned}");
    assert_eq!(planned["items"][0]["key"], keys[0].as_str(), "{planned}");
    trial.expect(0, &["replay", keys[0], "--yes"]);
    logged_times(&trial.account, "circuits-reader", "\"report\":\"item\"", 2);
    let run = trial.expect(0, &["logs", "--json"]);
    let events = run.json()[0]["events"].as_array().unwrap().len();
    assert!(events >= 6, "{run}");
    trial.folder.write("event.json", "{}");
    for arguments in [
        &["status", "-v"][..],
        &["logs", "-v"],
        &["policy"],
        &["invoke", "reader", "--event", "event.json", "-v", "--json"],
    ] {
        let run = trial.expect(0, arguments);
        assert!(!run.to_string().contains(VALUE), "a secret is shown by {arguments:?}");
    }
    // None of it changed the stack.
    trial.is_converged();
}
