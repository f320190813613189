//! Tests the number of round trips: `diff` takes at most three in sequence, `up` not much more than its longest chain.

use std::{collections::BTreeMap, time::Duration};

use super::{EVERYTHING, Trial};
use crate::{emulator::proxy::Call, harness::replaced};

const DELAY: Duration = Duration::from_millis(100);

fn maintenance() -> String {
    let declared = include_str!("../../../infra.yaml");
    replaced(declared, &[("crate: maintenance", "use: standin")])
}

#[test]
fn a_diff_takes_three_round_trips_in_sequence() {
    let Some(trial) = Trial::new(&maintenance()) else { return };
    trial.up();
    println!("{}", takes_at_most(3, 0, &trial));
}

/// Resources that are no longer declared, and may hold data or be used by others, are looked into in the same time.
#[test]
fn a_diff_of_what_is_not_declared_takes_no_more() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    let call = trial.account.sns.subscribe().topic_arn("arn:aws:sns:eu-west-1:123456789012:circuits-alarms");
    let call = call.protocol("sqs").endpoint("arn:aws:sqs:eu-west-1:123456789012:circuits-failed");
    trial.account.wait(call.send()).unwrap();
    trial.folder.write("infra.yaml", "stack: circuits\nregion: eu-west-1\nqueues: {failed: {retention: 14d}}\n");
    println!("{}", takes_at_most(3, 1, &trial));
    let named = trial.diff()["allow_delete"].clone();
    assert!(named.as_array().unwrap().contains(&"topic/alarms".into()), "{named}");
}

/// A managed policy's document tells if it only denies: two calls, one for the version that counts and one for what is in it.
#[test]
fn a_diff_with_managed_policies_of_others_takes_five_round_trips() {
    const DENYING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    let iam = &trial.account.iam;
    for name in ["guard", "quarantine"] {
        let policy = trial.account.wait(iam.create_policy().policy_name(name).policy_document(DENYING).send()).unwrap();
        let arn = policy.policy.unwrap().arn.unwrap();
        let call = iam.attach_role_policy().role_name("circuits-reader-eu-west-1").policy_arn(arn);
        trial.account.wait(call.send()).unwrap();
    }
    println!("{}", takes_at_most(5, 0, &trial));
    assert!(trial.proxy.depth() > 3, "the policies were not read\n{}", trial.proxy.record());
}

/// Checks the number of round trips of a diff that ends with this code, and returns it in words.
fn takes_at_most(most: usize, code: i32, trial: &Trial) -> String {
    // Independent calls overlap as soon as each takes longer than the interval between two starts. On a busy machine that interval is
    // long: so a failure counts only if calls take seconds.
    for delay in [5 * DELAY, 20 * DELAY, 50 * DELAY] {
        trial.proxy.reset();
        trial.proxy.delay(delay);
        trial.expect(code, &["diff"]);
        let (calls, depth, busy) = (trial.proxy.calls().len(), trial.proxy.depth(), trial.proxy.busy().as_millis());
        if depth <= most {
            let delay = delay.as_millis();
            return format!("diff: {calls} calls of {delay} ms, {depth} in sequence, {busy} ms under way");
        }
    }
    panic!("more than {most} round trips in sequence\n{}", trial.proxy.record());
}

/// Returns the duration of the longest chain of dependencies in a plan, each resource taking as long as its own calls took.
fn longest_chain(plan: &serde_json::Value, took: &BTreeMap<String, Duration>) -> Duration {
    let mut until: BTreeMap<String, Duration> = BTreeMap::new();
    let name = |it: &serde_json::Value| format!("{} {}", it["kind"].as_str().unwrap(), it["entry"].as_str().unwrap());
    // The plan is in an executable order.
    for resource in plan["resources"].as_array().unwrap() {
        let before = resource["after"].as_array().unwrap().iter().filter_map(|id| until.get(&name(id)));
        let start = before.max().copied().unwrap_or_default();
        let own = took.get(&name(resource)).copied().unwrap_or_default();
        until.insert(name(resource), start + own);
    }
    until.into_values().max().unwrap()
}

#[test]
fn an_up_takes_as_long_as_its_longest_chain() {
    is_paced(EVERYTHING, 1.5);
}

#[test]
fn a_first_up_of_a_server_takes_as_long_as_its_longest_chain() {
    is_paced(include_str!("../../../examples/server.yaml"), 1.3);
}

/// Checks that the calls of a first `up` take no longer than this times the longest chain of its steps.
#[expect(clippy::print_stdout, reason = "the figures are what one wants to see")]
fn is_paced(declaration: &str, most: f64) {
    let Some(trial) = Trial::new(declaration) else { return };
    trial.proxy.delay(DELAY);
    let run = trial.expect(0, &["up", "--yes", "--json"]);
    let calls = trial.proxy.calls();
    let took = durations(&run.stderr());
    let chain = longest_chain(&run.json()[0]["plan"], &took);
    let writing = busy_writing(&calls);
    let ratio = writing.as_secs_f64() / chain.as_secs_f64();
    println!(
        "up: {} calls, longest chain {} ms, applied in {} ms: {ratio:.2}",
        calls.len(),
        chain.as_millis(),
        writing.as_millis()
    );
    assert!(ratio <= most, "{ratio:.2}\n{}", trial.proxy.record());
}

/// Returns the duration of each step: `  + bucket mail   created in 0.4 s`.
fn durations(told: &str) -> BTreeMap<String, Duration> {
    let steps = told.lines().filter_map(|line| {
        let (id, rest) = line.trim().split_once(' ')?.1.split_once("   ")?;
        let seconds = rest.strip_suffix(" s")?.rsplit(' ').next()?.parse().ok()?;
        Some((id.to_owned(), Duration::from_secs_f64(seconds)))
    });
    steps.collect()
}

/// Returns the time from the first call that changed something until the last, without gaps in which no call was under way.
fn busy_writing(calls: &[Call]) -> Duration {
    let first = calls.iter().find(|call| call.mutation.is_some()).unwrap().began;
    let last = calls.iter().rfind(|call| call.mutation.is_some()).unwrap().ended.unwrap();
    let mut spans: Vec<_> = calls
        .iter()
        .filter_map(|call| Some((call.began, call.ended?)))
        .filter(|(began, _)| *began >= first && *began < last)
        .collect();
    spans.sort();
    let mut counted = first;
    spans.into_iter().fold(Duration::ZERO, |busy, (began, ended)| {
        let (from, to) = (began.max(counted), ended.min(last).max(counted));
        counted = to;
        busy + to.saturating_sub(from)
    })
}
