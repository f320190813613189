//! Tests what a plan shows to whoever approves it: settings and rights of what is new, rights that are gained, and the same for a pull
//! request.

use serde_json::{Value, json};

use super::{EVERYTHING, Trial, VALUE, actions};
use crate::{
    emulator::fault::Fault,
    harness::{Folder, replaced},
};

/// Returns the resource of a plan.
#[track_caller]
fn resource<'plan>(plan: &'plan Value, kind: &str, entry: &str) -> &'plan Value {
    let is_it = |one: &&Value| one["kind"] == kind && one["entry"] == entry;
    plan["resources"].as_array().unwrap().iter().find(is_it).unwrap_or_else(|| panic!("{kind} {entry}: {plan:#}"))
}

/// Returns the rights that a resource of a plan gives.
fn rights(plan: &Value, kind: &str, entry: &str) -> Vec<String> {
    let widens = resource(plan, kind, entry)["widenings"].as_array().cloned().unwrap_or_default();
    widens.iter().map(|one| one["right"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn new_resources_show_their_rights_and_with_v_their_settings() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let plan = trial.diff();
    for one in plan["resources"].as_array().unwrap() {
        assert!(one["settings"].is_object(), "{one:#}");
    }
    assert_eq!(resource(&plan, "function", "reader")["settings"]["memory"], json!(128));
    let role = rights(&plan, "role", "reader");
    assert!(role.iter().any(|right| right.starts_with("may s3:GetObject on arn:aws:s3:::circuits-mail-")), "{role:?}");
    assert!(role.contains(&"lambda.amazonaws.com may sts:AssumeRole".to_owned()), "{role:?}");
    let writers = rights(&plan, "bucket", "mail");
    assert!(writers.iter().any(|right| right.starts_with("ses.amazonaws.com may s3:PutObject on ")), "{writers:?}");
    let folded = trial.expect(1, &["diff"]);
    for words in ["widens rights: may s3:GetObject on ", " settings\n"] {
        assert!(folded.stdout().contains(words), "`{words}` is missing\n{folded}");
    }
    assert!(!folded.stdout().contains("visibility_timeout"), "{folded}");
    let whole = trial.expect(1, &["diff", "-v"]);
    for words in ["      memory ", "visibility_timeout", "environment.STANDIN", "\"ready\""] {
        assert!(whole.stdout().contains(words), "`{words}` is missing\n{whole}");
    }
    for run in [&folded, &whole] {
        assert!(!run.to_string().contains(VALUE), "{run}");
    }
    trial.up();
    // What is there gives no new right.
    let plan = trial.diff();
    let widening: Vec<_> =
        plan["resources"].as_array().unwrap().iter().filter(|one| one.get("widenings").is_some()).collect();
    assert!(widening.is_empty(), "{widening:?}");
}

#[test]
fn a_change_shows_the_rights_that_it_gives_and_no_others() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    let wider = replaced(
        EVERYTHING,
        &[("    reads: [mail]\n", "    reads: [mail]\n    writes: [{bucket: mail, prefix: out/}]\n")],
    );
    trial.folder.write("infra.yaml", &wider);
    let plan = trial.diff();
    let gained = rights(&plan, "role", "reader");
    let [gained] = gained.as_slice() else { panic!("{gained:?}") };
    let start = "may s3:AbortMultipartUpload, s3:PutObject on arn:aws:s3:::circuits-mail-";
    assert!(gained.starts_with(start) && gained.ends_with("/out/*"), "{gained}");
    let run = trial.expect(1, &["diff"]);
    assert!(run.stdout().contains("widens rights: policies."), "{run}");
    trial.up();
    // The way back only takes rights away.
    trial.folder.write("infra.yaml", EVERYTHING);
    let run = trial.expect(1, &["diff"]);
    assert!(run.stdout().contains("~ role reader") && !run.stdout().contains("widens rights"), "{run}");
}

#[test]
fn a_function_that_comes_into_a_vpc_says_how_long_that_takes() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    let other = replaced(
        EVERYTHING,
        &[(
            "    memory: 128MB\n",
            "    memory: 128MB\n    vpc: {subnets: [subnet-0123456789abcdef0, subnet-0123456789abcdef1], security_groups: [sg-0123456789abcdef0]}\n",
        )],
    );
    trial.folder.write("infra.yaml", &other);
    let run = trial.run(&["diff", "--json"]);
    let plan = run.json().remove(0);
    assert!(plan.get("resources").is_some(), "{run}");
    let slow = &resource(&plan, "function", "reader")["slow"];
    assert_eq!(slow["seconds"], json!(120), "{run}");
    let text = trial.run(&["diff"]);
    assert!(text.stdout().contains("usually takes 2 min, 4 at most: Lambda makes its network interfaces"), "{text}");
    let widens = rights(&plan, "role", "reader");
    assert!(widens.iter().any(|right| right.contains("on everything (*)")), "{widens:?}");
}

#[test]
fn a_pull_request_gets_the_counts_a_table_and_folded_details() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let run = trial.expect(1, &["diff", "--markdown"]);
    let text = run.stdout();
    let counts = trial.diff()["counts"]["create"].clone();
    assert_eq!(
        text.lines().next().unwrap(),
        format!("**Plan: {counts} to create, 0 to change, 0 to replace, 0 to delete; 0 unchanged**")
    );
    let rows = text.lines().filter(|line| line.starts_with("| create | <code>")).count();
    assert_eq!(json!(rows), counts, "{run}");
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    assert!(text.contains("| create | <code>role reader</code> | widens rights: <code>"), "{run}");
    assert!(!text.contains(VALUE), "{run}");
    assert_eq!(trial.expect(1, &["diff", "--markdown"]).stdout(), text, "it is the same every time");
    trial.up();
    let run = trial.expect(0, &["diff", "--markdown"]);
    assert!(run.stdout().starts_with("**Plan: 0 to create") && !run.stdout().contains('|'), "{run}");
    trial.folder.write("infra.yaml", replaced(EVERYTHING, &[("retention: 14d", "retention: 4d")]));
    let run = trial.expect(1, &["diff", "--markdown"]);
    assert!(
        run.stdout().contains("**loses:** <code>shortens the life of data&#58; retention 1209600 → 345600</code>"),
        "{run}"
    );
    assert_eq!(actions(&trial.diff()), ["change queue failed", "change alarm failed-age"]);
}

#[test]
fn the_schema_of_plans_is_that_of_the_documentation() {
    let run = Folder::new().run(&["schema", "--plan"]);
    assert_eq!(run.code(), Some(0), "{run}");
    let printed: Value = serde_json::from_str(&run.stdout()).unwrap();
    let kept: Value = serde_json::from_str(include_str!("../../../docs/plan.schema.json")).unwrap();
    assert_eq!(printed, kept);
    // It is strict: what it does not know is none.
    let plan = json!({"version": 1, "account": "123456789012", "region": "eu-west-1", "resources": [], "unlisted": [],
        "counts": {"create": 0, "change": 0, "replace": 0, "delete": 0, "unchanged": 0, "kept": 0, "unreadable": 0, "foreign": 0},
        "converged": true, "allow_delete": []});
    let validator = jsonschema::validator_for(&kept).unwrap();
    assert!(validator.is_valid(&plan));
    for (pointer, value) in [
        ("/account", json!("1")),
        ("/resources", json!([{"kind": "bucket"}])),
        ("/counts/create", json!(-1)),
        ("/allow_delete", json!(["mail"])),
    ] {
        let mut other = plan.clone();
        *other.pointer_mut(pointer).unwrap() = value;
        assert!(!validator.is_valid(&other), "{pointer}");
    }
    let mut further = plan;
    further["more"] = json!(1);
    assert!(!validator.is_valid(&further));
}

#[test]
fn with_v_each_call_is_told_as_it_ends() {
    let Some(trial) = Trial::new("stack: circuits\nregion: eu-west-1\nqueues: {failed: {}}\n") else { return };
    let quiet = trial.expect(1, &["diff"]);
    assert!(!quiet.stderr().contains("sqs.GetQueueUrl"), "{quiet}");
    trial.proxy.reset();
    let _throttled =
        trial.proxy.on(Fault::Throttles, |call| call.operation == "sqs.GetQueueUrl" && call.repetition == 1);
    let run = trial.expect(1, &["diff", "-v", "--json"]);
    assert_eq!(run.json().len(), 1, "{run}");
    let told: Vec<String> = run.stderr().lines().filter(|line| line.starts_with("  → ")).map(str::to_owned).collect();
    // Each call once, however many attempts it took: the proxy saw one more.
    assert_eq!(told.len() + 1, trial.proxy.calls().len(), "{run}\n{}", trial.proxy.record());
    let retried = told.iter().find(|line| line.starts_with("  → sqs.GetQueueUrl ")).unwrap_or_else(|| panic!("{run}"));
    assert!(retried.contains(" ms, 2 attempts"), "{retried}");
    assert!(told.iter().all(|line| line.contains("(request ")), "{told:#?}");
    let names: Vec<String> = trial.proxy.calls().iter().map(|call| call.operation.to_string()).collect();
    // The proxy knows these two services by other names than the SDK.
    let is_alike = |name: &&String| !name.starts_with("tagging.") && !name.starts_with("apigateway.");
    for name in names.iter().filter(is_alike) {
        assert!(told.iter().any(|line| line.starts_with(&format!("  → {name} "))), "{name}: {told:#?}");
    }
    assert!(!run.stderr().contains(VALUE), "{run}");
}
