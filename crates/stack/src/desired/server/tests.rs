//! Tests of what follows from a function that servers run: their rights, their order, and what Lambda does not have.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use super::*;
use crate::{
    Existing,
    desired::{Inputs, RuleSet, resources},
    policy::policy,
    purpose::Purpose,
};
use declaration::Declaration;
use kinds::Resource;

const DECLARATION: &str = "\
stack: circuits
region: eu-west-1
kms_key: arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab
networks: {main: {}}
security_groups: {web: {network: main, ingress: [{from: web, port: 3306}]}}
queues: {events: {visibility_timeout: 6m, redrive: {queue: dead}}, dead: {}, later: {}}
databases: {mails: {network: main, security_groups: [web]}}
functions:
  recorder: {use: tracking, consumes: {queue: events}, databases: [mails], secrets: {TOKEN: token}, sends: [later], environment: {LEVEL: info}}
secrets: {token: {value_from: stdin}}
servers:
  one: {network: main, security_groups: [web], address: new, runs: recorder}
  plain: {network: main, security_groups: [web], address: new}
  three: {network: main, security_groups: [web], address: new, runs: recorder}
  two: {network: main, security_groups: [web], address: new, runs: recorder}
";

fn declared() -> Declaration {
    let checked = Declaration::parse(Path::new("infra.yaml"), DECLARATION.as_bytes(), None).unwrap();
    checked.declarations.into_iter().next().unwrap()
}

fn all(declaration: &Declaration) -> Vec<Resource> {
    let names = Names::new(declaration, "123456789012");
    let code = BTreeMap::from([("recorder".to_owned(), "AAEC".to_owned())]);
    let existing = Existing::default();
    let inputs = Inputs { names: &names, code: &code, artifacts: false, rule_set: &RuleSet::Own, existing: &existing };
    resources(declaration, inputs)
}

fn find<'all>(all: &'all [Resource], kind: Kind, entry: &str) -> &'all Resource {
    all.iter().find(|one| one.id == Id::new(kind, entry)).unwrap()
}

#[test]
fn lambda_has_nothing_of_a_function_that_servers_run() {
    let all = all(&declared());
    let of_lambda = [Kind::Function, Kind::Mapping, Kind::EventInvoke, Kind::Permission];
    let found: Vec<String> =
        all.iter().filter(|one| of_lambda.contains(&one.id.kind)).map(|one| one.id.to_string()).collect();
    assert_eq!(found, [""; 0]);
    let named: Vec<String> =
        all.iter().filter(|one| one.id.entry.contains("recorder")).map(|one| one.id.to_string()).collect();
    assert_eq!(named, ["log group recorder"], "no role, and no alarm of its own");
    find(&all, Kind::Bucket, bucket::ARTIFACTS);
    find(&all, Kind::Alarm, "events-backlog");
}

#[test]
fn a_server_has_the_rights_of_its_function_and_no_other_server_has() {
    let all = all(&declared());
    let statements = |server: &str| {
        let tree = find(&all, Kind::Role, &server_role_entry(server)).settings.tree();
        let policies: Vec<Value> = tree["policies"].as_object().unwrap().values().cloned().collect();
        policies.into_iter().next().unwrap().as_object().unwrap().clone()
    };
    let of_one = statements("one");
    assert_eq!(of_one, statements("two"));
    let resources = |id: &str| of_one[id]["resources"].to_string();
    for (id, part) in [
        ("FetchWorker", "\"arn:aws:s3:::circuits-123456789012-eu-west-1-artifacts/workers/*\""),
        ("WriteLog", ":log-group:/aws/lambda/circuits-recorder:*\""),
        ("ReceiveMessages", ":circuits-events\""),
        ("SendMessages", ":circuits-later\""),
        ("ReadSecrets", ":secret:circuits-token-??????\""),
        ("ReadPasswords", "secret:rds!db-*\""),
        ("DecryptByKeys", "key/1234abcd-12ab-34cd-56ef-1234567890ab\""),
    ] {
        assert!(resources(id).contains(part), "{id}: {of_one:#?}");
    }
    let services = of_one["DecryptByKeys"]["conditions"].to_string();
    assert!(services.contains("s3.eu-west-1") && !services.contains("lambda"), "{services}");
    assert_eq!(statements("plain").keys().collect::<Vec<_>>(), ["OpenSessions"]);
}

#[test]
fn servers_of_one_function_change_one_after_the_other() {
    let all = all(&declared());
    let before = |entry: &str| -> Vec<String> {
        let after = &find(&all, Kind::Server, entry).after;
        after.iter().filter(|id| id.kind == Kind::Server).map(|id| id.entry.clone()).collect()
    };
    assert_eq!(before("one"), [""; 0]);
    assert_eq!((before("three"), before("two")), (vec!["one".to_owned()], vec!["three".to_owned()]));
    assert_eq!(before("plain"), [""; 0]);
    let after = &find(&all, Kind::Server, "one").after;
    for needed in [of(Kind::Bucket, bucket::ARTIFACTS), of(Kind::LogGroup, "recorder")] {
        assert!(after.contains(&needed), "{after:?}");
    }
    for needed in [of(Kind::Database, "mails"), of(Kind::Secret, "token"), of(Kind::Queue, "events")] {
        assert!(find(&all, Kind::Role, "one-server").after.contains(&needed), "{needed}");
    }
}

#[test]
fn a_server_is_told_its_function_and_whoever_runs_up_may_bring_it() {
    let declaration = declared();
    let all = all(&declaration);
    let tree = find(&all, Kind::Server, "one").settings.tree();
    let worker = &tree["worker"];
    for (name, value) in [
        ("function", "recorder"),
        ("code_sha256", "AAEC"),
        ("key", "workers/000102.zip"),
        ("bucket", "circuits-123456789012-eu-west-1-artifacts"),
        ("owner", "123456789012"),
        ("region", "eu-west-1"),
        ("queue", "https://sqs.eu-west-1.amazonaws.com/123456789012/circuits-events"),
        ("log_group", "/aws/lambda/circuits-recorder"),
        ("environment.LEVEL", "info"),
    ] {
        assert_eq!(worker[name], value, "{name}");
    }
    assert!(worker["context"].as_str().unwrap().contains("(host of the database circuits-mails)"), "{worker}");
    assert_eq!(find(&all, Kind::Server, "plain").settings.tree()["worker"], serde_json::json!({}));
    let names = Names::new(&declaration, "123456789012");
    let policy = policy(&declaration, &names, Purpose::Up);
    let may_put = policy.statements().values().any(|statement| {
        statement.actions.contains("s3:PutObject")
            && statement.resources.iter().any(|one| one.ends_with("-artifacts/*"))
    });
    assert!(may_put, "{:#?}", policy.statements());
}
