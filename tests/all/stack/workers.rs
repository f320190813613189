//! Tests functions that servers run: from nothing through new builds and changes by hand to Lambda, and to the end.

use std::{fs, path::Path};

use aws::query::{Call, Element};
use data_encoding::BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Trial, actions,
    servers::{Runs, succeeds},
};
use crate::{effort::Effort, harness::replaced};

pub(super) const WORKERS: &str = "\
stack: circuits
region: eu-west-1
networks: {main: {endpoints: []}}
security_groups: {web: {network: main, ingress: [{from: web, port: 3306}]}}
queues:
  events: {visibility_timeout: 6m, redrive: {queue: dead}}
  dead: {retention: 14d}
databases:
  mails: {network: main, security_groups: [web]}
functions:
  recorder: {crate: standin, bin: standin, consumes: {queue: events}, databases: [mails], environment: {LEVEL: info}}
servers:
  one: {network: main, security_groups: [web], address: new, runs: recorder}
  two: {network: main, security_groups: [web], address: new, runs: recorder, zone: 2}
";

/// Gives the folder of an account a crate of its own, which says that it can be a worker.
pub(super) fn with_crate(trial: Option<Trial>) -> Option<Trial> {
    let trial = trial?;
    let standin = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standin");
    for file in ["Cargo.toml", "Cargo.lock"] {
        trial.folder.write(file, fs::read_to_string(standin.join(file)).unwrap());
    }
    trial.folder.write("configuration.json", r#"{"worker": true, "additionalProperties": true}"#);
    build(&trial, "first");
    Some(trial)
}

/// Writes another build of the function.
fn build(trial: &Trial, says: &str) {
    fs::create_dir_all(trial.folder.path("src")).unwrap();
    trial.folder.write("src/main.rs", format!("fn main() {{\n    println!(\"{says}\");\n}}\n"));
}

fn ec2(trial: &Trial, call: &Call) -> Element {
    trial.account.wait(trial.account.ec2.call(call)).unwrap()
}

/// Returns the id of a server that runs.
fn id(trial: &Trial, entry: &str) -> String {
    let call = Call::new("DescribeInstances").filter("tag:provision:id", [entry]);
    let found = ec2(trial, &call.filter("instance-state-name", ["running"]));
    found.list("reservationSet")[0].list("instancesSet")[0].text("instanceId").to_owned()
}

fn user_data(trial: &Trial, id: &str) -> String {
    let call = Call::new("DescribeInstanceAttribute").with("InstanceId", id).with("Attribute", "userData");
    let bytes = BASE64.decode(ec2(trial, &call).text("userData/value").as_bytes()).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Returns what a server is told of its worker; `null` for none.
fn worker(trial: &Trial, entry: &str) -> Value {
    let text = user_data(trial, &id(trial, entry));
    let line = text.lines().find_map(|line| line.strip_prefix("# provision worker "));
    line.map_or(Value::Null, |line| serde_json::from_str(line).unwrap())
}

/// Returns the calls since the last reset that stop, change and start servers.
fn turns(trial: &Trial) -> Vec<String> {
    let calls = trial.proxy.mutating().into_iter().map(|call| call.operation.to_string());
    calls
        .filter(|call| {
            ["StopInstances", "ModifyInstanceAttribute", "StartInstances"].iter().any(|one| call.ends_with(one))
        })
        .collect()
}

/// Stops, changes and starts a server by hand.
fn rewrite(trial: &Trial, id: &str, text: &str) {
    until(trial, id, "StopInstances", "stopped");
    let call = Call::new("ModifyInstanceAttribute").with("InstanceId", id);
    ec2(trial, &call.with("UserData.Value", BASE64.encode(text.as_bytes())));
    until(trial, id, "StartInstances", "running");
}

fn until(trial: &Trial, id: &str, action: &'static str, state: &str) {
    ec2(trial, &Call::new(action).with("InstanceId.1", id));
    let call = Call::new("DescribeInstances").filter("instance-id", [id]);
    let is_so = || {
        let found = ec2(trial, &call);
        found.list("reservationSet")[0].list("instancesSet")[0].text("instanceState/name") == state
    };
    assert!((0..20).any(|_| is_so()), "it is not {state}");
}

fn zips(trial: &Trial) -> Vec<String> {
    let call = trial.account.s3.list_objects_v2().bucket("circuits-123456789012-eu-west-1-artifacts");
    let found = trial.account.wait(call.send()).unwrap().contents.unwrap_or_default();
    found.into_iter().filter_map(|object| object.key).collect()
}

fn functions(trial: &Trial) -> usize {
    trial.account.wait(trial.account.lambda.list_functions().send()).unwrap().functions.unwrap_or_default().len()
}

#[test]
fn servers_run_a_function_and_take_each_new_build_one_after_the_other() {
    let Some(trial) = with_crate(Trial::new(WORKERS)) else { return };
    let run: Runs<'_> = &|arguments| trial.run(arguments);
    is_made(&trial, run);
    takes_a_new_build(&trial, run);
    takes_other_settings(&trial, run);
    let refused = trial.expect(2, &["pause", "recorder"]);
    assert!(refused.stderr().contains("server `one` runs it, which takes from a queue"), "{refused}");
    ends(&trial, run);
}

/// Makes the stack, and looks at what its servers are told.
pub(super) fn is_made(trial: &Trial, run: Runs<'_>) {
    succeeds(run, &["up", "--yes"]);
    assert_eq!(actions(&trial.diff()), [""; 0]);
    assert_eq!(functions(trial), 0, "Lambda has none");
    let told = outputs(trial);
    assert!(told.contains("server one") && !told.contains("function") && !told.contains("role"), "{told}");
    let told = worker(trial, "one");
    assert_eq!(told, worker(trial, "two"));
    assert_eq!(told["queue"], "https://sqs.eu-west-1.amazonaws.com/123456789012/circuits-events");
    assert_eq!(
        (&told["log_group"], &told["environment.LEVEL"]),
        (&"/aws/lambda/circuits-recorder".into(), &"info".into())
    );
    // What AWS chose is in the context, and the hash is that of what is in the bucket.
    let context: Value = serde_json::from_str(told["context"].as_str().unwrap()).unwrap();
    let host = context["databases"]["mails"]["host"].as_str().unwrap();
    assert!(!host.is_empty() && !host.contains('('), "{context}");
    let key = told["key"].as_str().unwrap();
    assert_eq!(zips(trial), [key]);
    let call = trial.account.s3.get_object().bucket(told["bucket"].as_str().unwrap()).key(key);
    let zip = trial.account.wait(async { call.send().await.unwrap().body.collect().await.unwrap().into_bytes() });
    assert_eq!(told["code_sha256"], BASE64.encode(&Sha256::digest(&zip)));
    let status = trial.run(&["status", "--json"]).json()[0]["workers"].clone();
    let expected = |server: &str| json!({"server": server, "function": "recorder", "code_sha256": told["code_sha256"]});
    assert_eq!(status, json!([expected("one"), expected("two")]));
}

/// Builds the function anew: nobody replaces a server for that, and one of two always runs.
pub(super) fn takes_a_new_build(trial: &Trial, run: Runs<'_>) {
    let (ids, told) = ([id(trial, "one"), id(trial, "two")], worker(trial, "one"));
    build(trial, "second");
    let plan = trial.diff();
    assert_eq!(actions(&plan), ["change server one", "change server two"]);
    assert!(plan.to_string().contains("EC2 stops the machine and starts it with the worker as declared"), "{plan:#}");
    trial.proxy.reset();
    succeeds(run, &["up", "--yes"]);
    let one = ["ec2.StopInstances", "ec2.ModifyInstanceAttribute", "ec2.StartInstances"];
    assert_eq!(turns(trial), [one, one].concat(), "{}", trial.proxy.record());
    assert_eq!([id(trial, "one"), id(trial, "two")], ids);
    assert_ne!(worker(trial, "one")["code_sha256"], told["code_sha256"]);
    assert_eq!(actions(&trial.diff()), [""; 0]);
}

/// Declares another type and another setting: that is one stop, and so is whatever somebody stopped halfway.
pub(super) fn takes_other_settings(trial: &Trial, run: Runs<'_>) {
    let other = replaced(
        WORKERS,
        &[("{LEVEL: info}", "{LEVEL: debug}"), ("runs: recorder}", "runs: recorder, type: t3.small}")],
    );
    trial.folder.write("infra.yaml", &other);
    until(trial, &id(trial, "one"), "StopInstances", "stopped");
    trial.proxy.reset();
    succeeds(run, &["up", "--yes"]);
    let calls = turns(trial);
    let count = |what: &str| calls.iter().filter(|call| call.ends_with(what)).count();
    assert_eq!((count("StopInstances"), count("StartInstances")), (1, 2), "{calls:?}");
    assert_eq!(worker(trial, "one")["environment.LEVEL"], "debug");
    assert_eq!(worker(trial, "one"), worker(trial, "two"));
    assert_eq!(actions(&trial.diff()), [""; 0]);
}

/// Ends the stack with its data.
pub(super) fn ends(trial: &Trial, run: Runs<'_>) {
    succeeds(run, &["down", "--confirm", "circuits", "--delete-data"]);
    let buckets = trial.account.wait(trial.account.s3.list_buckets().send()).unwrap().buckets.unwrap_or_default();
    assert!(buckets.is_empty(), "{buckets:?}");
    assert_eq!(super::servers::count(trial), 0);
    assert_eq!(outputs(trial), "");
}

/// Returns kind and entry of the outputs, one on each line.
fn outputs(trial: &Trial) -> String {
    let document = trial.run(&["outputs", "--json"]).json().remove(0);
    let told = document["outputs"].as_array().unwrap().iter();
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    told.map(|one| format!("{} {}", text(one, "kind"), text(one, "entry"))).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_somebody_changes_is_told_by_its_name_and_a_worker_comes_and_goes_with_its_server() {
    let without_database = replaced(
        WORKERS,
        &[("databases:\n  mails: {network: main, security_groups: [web]}\n", ""), ("databases: [mails], ", "")],
    );
    let Some(trial) = with_crate(Trial::checked(&without_database)) else { return };
    let somebody = trial.with_least_rights("up");
    trial.expect_as(0, &somebody, &["up", "--yes"]);
    let server = id(&trial, "one");
    let text = user_data(&trial, &server);
    let cases = [
        ("queue", "circuits-events", "theirs-events"),
        ("code_sha256", "\"code_sha256\":\"", "\"code_sha256\":\"x"),
        ("environment.LEVEL", "\"info\"", "\"trace\""),
    ];
    for (name, from, to) in cases.into_iter().take(Effort::asked().of(1, 1, 3)) {
        rewrite(&trial, &server, &replaced(&text, &[(from, to)]));
        let plan = trial.diff();
        let changed = plan["resources"].as_array().unwrap().iter().find(|one| one["action"] == "change").unwrap();
        let paths: Vec<&str> =
            changed["differences"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
        assert_eq!((&changed["entry"], paths), (&"one".into(), vec![format!("worker.{name}").as_str()]));
    }
    trial.expect_as(0, &somebody, &["up", "--yes"]);
    assert_eq!((user_data(&trial, &server), id(&trial, "one")), (text, server.clone()));

    // Without anybody to run it there, Lambda does; and back.
    let declared = fs::read_to_string(trial.folder.path("infra.yaml")).unwrap();
    trial.folder.write("infra.yaml", declared.replace(", runs: recorder", ""));
    trial.up();
    assert_eq!((worker(&trial, "one"), functions(&trial)), (Value::Null, 1));
    assert_eq!(id(&trial, "one"), server, "it is the same machine");
    assert_eq!(actions(&trial.diff()), [""; 0]);
    trial.folder.write("infra.yaml", &declared);
    let plan = trial.diff();
    trial.up_losing(&plan);
    assert_eq!((worker(&trial, "one")["function"].as_str(), functions(&trial)), (Some("recorder"), 0));
    assert_eq!(id(&trial, "one"), server);
}

#[test]
fn a_function_for_lambda_alone_runs_on_no_server() {
    let Some(trial) = with_crate(Trial::new(WORKERS)) else { return };
    trial.folder.write("configuration.json", r#"{"additionalProperties": true}"#);
    let run = trial.expect(2, &["validate"]);
    let told = run.stderr();
    assert!(
        told.contains("server `one` cannot run function `recorder`: `standin of standin` is for Lambda alone"),
        "{run}"
    );
    fs::remove_file(trial.folder.path("configuration.json")).unwrap();
    assert_eq!(trial.run(&["validate"]).code(), Some(2), "what says nothing is for Lambda, too");
}
