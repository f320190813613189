//! Tests a stack that a webhook comes into: an HTTP API, a queue, and the functions at both ends.

use super::{Trial, actions};
use crate::{emulator::fault::Fault, harness::replaced};

pub(super) const EGRESS: &str = "\
stack: egress
region: eu-west-1
queues:
  jobs: {visibility_timeout: 2m, redrive: {queue: dead, after: 5}}
  dead: {}
secrets:
  token: {value_from: {environment: TRY_TOKEN}}
functions:
  receiver: {use: standin, timeout: 5s, secrets: {WEBHOOK_SECRET: token}, sends: [jobs]}
  worker: {use: standin, timeout: 10s, consumes: {queue: jobs, batch: 5, concurrency: 2}}
apis:
  egress:
    routes:
      - {route: POST /job-complete, invoke: receiver, authentication: {scheme: bearer, secret: WEBHOOK_SECRET}}
      - {route: 'POST /in/{token}', invoke: receiver, rate: 1, burst: 2, authentication: {scheme: path, secret: WEBHOOK_SECRET}}
";

/// Returns a declaration that changes something of each kind, adds a route and takes one away.
pub(super) fn updated() -> String {
    replaced(
        EGRESS,
        &[
            ("batch: 5, concurrency: 2", "batch: 7, concurrency: 3"),
            ("rate: 1, burst: 2, authentication: {scheme: path", "authentication: {scheme: path"),
            ("POST /job-complete", "PUT /job-complete"),
            (
                "  egress:\n    routes:",
                "  egress:\n    log_retention: 60d\n    cors: {origins: [https://example.com], methods: [PUT]}\n    routes:",
            ),
        ],
    )
}

/// Returns the ids of the stack's APIs.
fn ids(trial: &Trial) -> Vec<String> {
    let apis = trial.account.wait(trial.account.apis.get_apis().send()).unwrap().items.unwrap_or_default();
    apis.into_iter().map(|api| api.api_id.unwrap()).collect()
}

fn id(trial: &Trial) -> String {
    let ids = ids(trial);
    assert_eq!(ids.len(), 1, "{ids:?}");
    ids.into_iter().next().unwrap()
}

/// Returns the policy of the receiver, as Lambda has it.
fn policy(trial: &Trial) -> String {
    let call = trial.account.lambda.get_policy().function_name("egress-receiver");
    trial.account.wait(call.send()).unwrap().policy.unwrap()
}

/// Returns whether messages invoke the worker.
fn is_enabled(trial: &Trial) -> bool {
    let call = trial.account.lambda.list_event_source_mappings().function_name("egress-worker");
    let found = trial.account.wait(call.send()).unwrap().event_source_mappings.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].state.as_deref() == Some("Enabled")
}

#[test]
fn an_api_comes_and_goes_with_its_stack() {
    let Some(trial) = Trial::new(EGRESS) else { return };
    let up = trial.expect(0, &["up", "--yes", "--json"]).json().remove(0);
    let id = id(&trial);
    let urls: Vec<&str> = up["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["kind"] == "url")
        .map(|one| one["value"].as_str().unwrap())
        .collect();
    let [one, other] = urls[..] else { panic!("{up:#}") };
    assert!(one.contains(&format!("{id}.execute-api.")) && one.ends_with("/job-complete"), "{one}");
    // What stands for the token is printed as it is declared.
    assert!(other.ends_with("/in/{token}"), "{other}");
    let policy = policy(&trial);
    for source in
        [format!("execute-api:eu-west-1:123456789012:{id}/*/POST/job-complete"), format!("{id}/*/POST/in/{{token}}")]
    {
        assert!(policy.contains(&source), "{source}: {policy}");
    }
    trial.is_converged();
    let status = trial.run(&["status"]);
    assert!(status.stdout().contains("api egress") || status.stdout().contains("egress"), "{status}");

    trial.proxy.reset();
    trial.expect(0, &["down", "--confirm", "egress", "--delete-data"]);
    let calls: Vec<String> = trial.proxy.mutating().iter().map(ToString::to_string).collect();
    let place = |operation: &str| {
        calls.iter().position(|call| call.contains(operation)).unwrap_or_else(|| panic!("{operation}: {calls:#?}"))
    };
    let mapping = place("DeleteEventSourceMapping");
    assert!(mapping < place("lambda.DeleteFunction ") && mapping < place("sqs.DeleteQueue "), "{calls:#?}");
    assert_eq!(ids(&trial), Vec::<String>::new());
    trial.expect(0, &["down", "--confirm", "egress", "--delete-data"]);
}

#[test]
fn an_api_that_somebody_deleted_comes_again_with_its_permissions() {
    let Some(trial) = Trial::new(EGRESS) else { return };
    trial.up();
    let before = id(&trial);
    trial.account.wait(trial.account.apis.delete_api().api_id(&before).send()).unwrap();
    let plan = trial.diff();
    let told = actions(&plan);
    assert!(told.contains(&"create api egress".to_owned()), "{told:?}");
    assert_eq!(
        told.iter().filter(|one| one.starts_with("replace permission receiver.api-egress")).count(),
        2,
        "{told:?}"
    );
    trial.up_losing(&plan);
    let after = id(&trial);
    assert_ne!(after, before);
    assert!(policy(&trial).contains(&after) && !policy(&trial).contains(&before), "{}", policy(&trial));
    trial.is_converged();
}

#[test]
fn two_apis_of_one_entry_are_told_and_nothing_is_done() {
    let Some(trial) = Trial::new(EGRESS) else { return };
    trial.up();
    let tags = [("provision:stack", "egress.eu-west-1"), ("provision:id", "egress")];
    let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let call =
        trial.account.apis.create_api().name("copy").protocol_type(aws_sdk_apigatewayv2::types::ProtocolType::Http);
    trial.account.wait(call.set_tags(Some(tags.into())).send()).unwrap();
    trial.proxy.reset();
    let run = trial.expect(2, &["up", "--yes"]);
    for id in ids(&trial) {
        assert!(run.stderr().contains(&id), "{id}: {run}");
    }
    assert!(trial.proxy.mutating().is_empty(), "{}", trial.proxy.record());
}

#[test]
fn what_opens_an_api_is_drift_and_a_route_that_is_no_longer_declared_goes() {
    let Some(trial) = Trial::new(EGRESS) else { return };
    trial.up();
    let id = id(&trial);
    let call = trial.account.apis.create_stage().api_id(&id).stage_name("theirs").auto_deploy(true);
    trial.account.wait(call.send()).unwrap();
    let plan = trial.diff();
    assert_eq!(actions(&plan), ["change api egress"]);
    let run = trial.expect(1, &["diff"]);
    assert!(run.stdout().contains("stages.theirs"), "{run}");
    trial.up_losing(&plan);
    trial.is_converged();

    let fewer: Vec<&str> = EGRESS.lines().filter(|line| !line.contains("{token}")).collect();
    let fewer = fewer.join("\n");
    trial.folder.write("infra.yaml", &fewer);
    let plan = trial.diff();
    trial.up_losing(&plan);
    let routes = trial.account.wait(trial.account.apis.get_routes().api_id(&id).send()).unwrap().items.unwrap();
    assert_eq!(routes.len(), 1, "{routes:?}");
    let integrations = trial.account.wait(trial.account.apis.get_integrations().api_id(&id).send()).unwrap();
    assert_eq!(integrations.items.unwrap().len(), 1);
    trial.is_converged();
}

#[test]
fn what_somebody_adds_while_a_plan_is_applied_stays_until_a_plan_tells_of_it() {
    let Some(trial) = Trial::new(EGRESS) else { return };
    trial.up();
    let id = id(&trial);
    trial.folder.write("infra.yaml", updated());
    // After the survey, and before routes and stages are written.
    let (url, of) = (trial.emulator.url.clone(), id.clone());
    trial.proxy.reset();
    let made = trial.proxy.on(Fault::Delays, move |call| {
        let is_first = call.operation.name == "CreateIntegration" && call.repetition == 1;
        if is_first {
            let add = |path: &str, body: &str| {
                let request =
                    ureq::post(format!("{url}/v2/apis/{of}/{path}")).header("content-type", "application/json");
                request.send(body).unwrap();
            };
            add("stages", r#"{"stageName": "theirs", "autoDeploy": true}"#);
            add("routes", r#"{"routeKey": "GET /theirs"}"#);
        }
        is_first
    });
    trial.run(&["up", "--yes"]);
    assert_eq!(made.try_iter().count(), 1, "{}", trial.proxy.record());
    let stages = trial.account.wait(trial.account.apis.get_stages().api_id(&id).send()).unwrap().items.unwrap();
    assert!(stages.iter().any(|stage| stage.stage_name.as_deref() == Some("theirs")), "{stages:?}");
    let routes = trial.account.wait(trial.account.apis.get_routes().api_id(&id).send()).unwrap().items.unwrap();
    assert!(routes.iter().any(|route| route.route_key.as_deref() == Some("GET /theirs")), "{routes:?}");
    let plan = trial.diff();
    assert!(actions(&plan).contains(&"change api egress".to_owned()), "{plan:#}");
    let told = trial.expect(1, &["diff"]);
    assert!(told.stdout().contains("stages.theirs") && told.stdout().contains("GET /theirs"), "{told}");
    trial.up_losing(&plan);
    trial.is_converged();
}

#[test]
fn apis_are_listed_once_for_all_that_names_them() {
    let Some(trial) = Trial::new(EGRESS) else { return };
    trial.up();
    trial.proxy.reset();
    trial.expect(0, &["diff"]);
    let lists = trial.proxy.calls().iter().filter(|call| call.operation.name == "GetApis").count();
    // For all that names one, and for the API itself.
    assert!(lists <= 2, "{}", trial.proxy.record());
}

#[test]
fn a_paused_function_stays_paused_until_it_is_resumed() {
    let Some(trial) = Trial::new(EGRESS) else { return };
    trial.up();
    assert!(is_enabled(&trial));
    trial.expect(0, &["pause", "worker", "--dry-run"]);
    assert!(is_enabled(&trial));
    let run = trial.expect(0, &["pause", "worker"]);
    assert!(run.stdout().contains("worker: paused; queue `jobs` keeps what comes"), "{run}");
    assert!(!is_enabled(&trial));
    let run = trial.expect(0, &["diff"]);
    assert!(run.stdout().contains("paused since 20"), "{run}");
    trial.is_converged();
    assert!(!is_enabled(&trial));

    // What else is declared is applied, and it stays paused.
    trial.folder.write("infra.yaml", replaced(EGRESS, &[("batch: 5", "batch: 7")]));
    trial.up();
    assert!(!is_enabled(&trial));
    let run = trial.expect(0, &["resume", "worker"]);
    assert!(run.stdout().contains("worker: resumed"), "{run}");
    assert!(is_enabled(&trial));
    trial.is_converged();
    let run = trial.expect(2, &["pause", "receiver"]);
    assert!(run.stderr().contains("only a function with `consumes` can be paused"), "{run}");
}
