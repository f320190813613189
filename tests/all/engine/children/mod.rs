//! Tests children: parts that others add to the stack's resources. One that opens a resource or carries data out is drift, and goes by
//! name; any other one stays, is shown, and is not shown any more once it is accepted.
//!
//! The children are those of the registry, as `provision schema --fields` prints them: one without a case is a failure. All are added
//! to one stack at once, and whoever compares and removes them has the rights that `provision policy` prints.

mod cases;
mod heavy;
mod uses;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::{Value, json};

use crate::{
    emulator::fault::Fault,
    harness::{Run, replaced},
    stack::{EVERYTHING, Trial},
};

/// A command, and what does the same on the emulator.
type End = (&'static str, fn(&Trial));

/// A child, and how somebody adds it.
#[derive(Clone, Copy)]
struct Case {
    kind: &'static str,
    /// Entry of the resource.
    entry: &'static str,
    field: &'static str,
    is_severe: bool,
    add: fn(&Trial),
    /// The command by which somebody ends it, and that does so, if the stack has no right to.
    end: Option<End>,
}

const fn severe(kind: &'static str, entry: &'static str, field: &'static str, add: fn(&Trial)) -> Case {
    Case { kind, entry, field, is_severe: true, add, end: None }
}

const fn stays(kind: &'static str, entry: &'static str, field: &'static str, add: fn(&Trial)) -> Case {
    Case { kind, entry, field, is_severe: false, add, end: None }
}

/// Children that cannot be added in the emulator: the reason, and the unit test that covers each with an answer of AWS, as `FILE: TEST`.
const RECORDED: &[(&str, &str, &str, &str)] =
    &[("log group", "data_protection", NO_PROTECTION, HIDES), ("access log", "data_protection", NO_PROTECTION, HIDES)];
const NO_PROTECTION: &str = "the emulator has no data protection policies";
const HIDES: &str = "logs/log_group.rs: a_policy_that_hides_parts_of_lines_is_seen";

/// A stack with an API and a table, too.
fn declared() -> String {
    format!(
        "{EVERYTHING}tables: {{items: {{partition_key: id}}}}\napis: {{hook: {{routes: [{{route: POST /done, invoke: reader, authentication: {{scheme: bearer, secret: TOKEN}}}}]}}}}\n"
    )
}

/// Returns the fields of the registry that are for children, with the harm that they do: kind, field, `severe`, `none` or `depends`.
fn registry(trial: &Trial) -> Vec<(String, String, String)> {
    let document: Value = serde_json::from_str(&trial.expect(0, &["schema", "--fields"]).stdout()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let kinds = document["kinds"].as_array().unwrap().iter();
    let fields = kinds.flat_map(|kind| {
        let fields = kind["fields"].as_array().unwrap().iter().filter(|field| !field["child"].is_null());
        fields.map(|field| (text(&kind["kind"]), text(&field["path"]), text(&field["child"]["harm"])))
    });
    fields.collect()
}

/// Returns the name of a field without the names of its items.
fn above(field: &str) -> &str {
    field.strip_suffix(".*").unwrap_or(field)
}

/// Returns `true` if a path is a field's.
fn covers(field: &str, path: &str) -> bool {
    path == above(field) || path.starts_with(&format!("{}.", above(field)))
}

#[test]
fn every_child_has_a_case_and_every_case_a_child() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let mut registered = BTreeSet::new();
    for (kind, field, harm) in registry(&trial) {
        for is_severe in [true, false] {
            if harm == "depends" || (harm == "severe") == is_severe {
                registered.insert((kind.clone(), above(&field).to_owned(), is_severe));
            }
        }
    }
    let of = |case: &Case| (case.kind.to_owned(), case.field.to_owned(), case.is_severe);
    let recorded = RECORDED.iter().map(|(kind, field, ..)| ((*kind).to_owned(), (*field).to_owned(), false));
    let tested: BTreeSet<_> = cases::CASES.iter().chain(heavy::CASES).map(of).chain(recorded).collect();
    assert_eq!(registered.difference(&tested).collect::<Vec<_>>(), Vec::<&(String, String, bool)>::new(), "no case");
    assert_eq!(tested.difference(&registered).collect::<Vec<_>>(), Vec::<&(String, String, bool)>::new(), "no child");
    let kinds = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/kinds/src");
    for (kind, field, _, test) in RECORDED {
        let (file, name) = test.split_once(": ").unwrap();
        let source = fs::read_to_string(kinds.join(file)).unwrap();
        assert!(source.contains(&format!("    #[test]\n    fn {name}()")), "{kind} {field}: there is no test {test}");
    }
}

/// The declaration's table of what can be accepted is the registry of what is read.
#[test]
fn what_can_be_accepted_is_what_stays() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let registered: BTreeSet<_> = registry(&trial)
        .into_iter()
        .map(|(kind, field, harm)| (kind.replace(' ', "-"), above(&field).to_owned(), harm != "severe"))
        .collect();
    let declared = declaration::ACCEPTABLE.iter();
    let declared =
        declared.flat_map(|(kind, all)| all.iter().map(|one| ((*kind).to_owned(), one.name.to_owned(), one.stays)));
    assert_eq!(declared.collect::<BTreeSet<_>>(), registered);
}

/// Returns the paths that differ, and those that stay, of each resource of a plan: by kind and entry.
fn told(plan: &Value) -> BTreeMap<(String, String), (Vec<String>, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let paths = |list: &Value| list.as_array().into_iter().flatten().map(|one| text(&one["path"])).collect();
    let resources = plan["resources"].as_array().unwrap().iter();
    let told = resources.map(|one| {
        ((text(&one["kind"]), text(&one["entry"])), (paths(&one["differences"]), paths(&one["protections"])))
    });
    told.collect()
}

/// Runs the binary as somebody.
type Somebody<'trial> = &'trial dyn Fn(&[&str]) -> Run;

/// Returns the plan of a comparison that ends with this code.
#[track_caller]
fn compared(run: Somebody<'_>, code: i32) -> Value {
    let diff = run(&["diff", "--json"]);
    assert_eq!(diff.code(), Some(code), "{diff}");
    diff.json().remove(0)
}

/// Checks that somebody's harmless children are shown, and change nothing, and are shown no more once they are accepted.
fn others_stay(trial: &Trial, run: Somebody<'_>, (declared, cases): (&str, &[Case])) {
    for case in cases.iter().filter(|case| !case.is_severe) {
        (case.add)(trial);
    }
    let plan = compared(run, 0);
    let told = told(&plan);
    for Case { kind, entry, field, .. } in cases.iter().filter(|case| !case.is_severe) {
        let (_, stays) = &told[&((*kind).to_owned(), (*entry).to_owned())];
        assert!(stays.iter().any(|path| covers(field, path)), "{kind} {entry} {field} is not shown: {stays:?}");
    }
    let diff = run(&["diff"]);
    assert!(diff.stdout().contains("stays, not declared"), "{diff}");
    trial.proxy.reset();
    let up = run(&["up", "--yes"]);
    assert_eq!(up.code(), Some(0), "{up}");
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
    let mut accepted: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for case in cases.iter().filter(|case| !case.is_severe) {
        accepted.entry(format!("{}/{}", case.kind.replace(' ', "-"), case.entry)).or_default().insert(case.field);
    }
    trial.folder.write("infra.yaml", format!("{declared}accept: {}\n", json!(accepted)));
    let accepted = compared(run, 0);
    for (resource, (_, stays)) in self::told(&accepted) {
        assert_eq!(stays, [""; 0], "of {resource:?}");
    }
}

/// Checks that somebody's severe children are named, that `--yes` alone removes none of them, and that their names do.
fn severe_ones_go(trial: &Trial, run: Somebody<'_>, cases: &[Case]) {
    for case in cases.iter().filter(|case| case.is_severe) {
        (case.add)(trial);
    }
    let plan = compared(run, 1);
    let told = told(&plan);
    let mut names = BTreeSet::new();
    for Case { kind, entry, field, .. } in cases.iter().filter(|case| case.is_severe) {
        let (differs, _) = &told[&((*kind).to_owned(), (*entry).to_owned())];
        assert!(differs.iter().any(|path| covers(field, path)), "{kind} {entry} {field} is not named: {differs:?}");
        names.insert(format!("{}/{entry}", kind.replace(' ', "-")));
    }
    for (resource, (differs, _)) in &told {
        let is_known = |path: &String| {
            let severe =
                cases.iter().filter(|case| case.is_severe && (case.kind, case.entry) == (&resource.0, &resource.1));
            severe.into_iter().any(|case| covers(case.field, path))
        };
        assert!(differs.iter().all(is_known), "{resource:?} was not touched: {differs:?}");
    }
    trial.proxy.reset();
    let refused = run(&["up", "--yes"]);
    assert_eq!(refused.code(), Some(2), "{refused}");
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
    for name in &names {
        assert!(refused.stderr().contains(&format!("--allow-delete {name}")), "{name}: {refused}");
    }
    let flags = names.iter().flat_map(|name| ["--allow-delete", name]);
    let agreed: Vec<&str> = ["up", "--yes"].into_iter().chain(flags).collect();
    // What waits for something that others have to end first is told by the next run.
    let mut by_others: Vec<_> = cases.iter().filter_map(|case| case.end).collect();
    while !by_others.is_empty() {
        let up = run(&agreed);
        assert_ne!(up.code(), Some(0), "{up}");
        let told = format!("{}{}", up.stdout(), up.stderr());
        let (now, later): (Vec<_>, Vec<_>) = by_others.into_iter().partition(|(command, _)| told.contains(command));
        assert!(!now.is_empty() && told.contains("no right to end"), "{:?}: {up}", later.first().map(|(it, _)| it));
        for (_, end) in now {
            end(trial);
        }
        by_others = later;
    }
    let up = run(&agreed);
    assert_eq!(up.code(), Some(0), "{up}\n{}", trial.proxy.record());
    compared(run, 0);
}

#[test]
fn severe_children_are_drift_and_others_stay_until_they_are_accepted() {
    let Some(trial) = Trial::checked(&declared()) else { return };
    let somebody = trial.with_least_rights("up");
    let run = |arguments: &[&str]| trial.run_as(&somebody, arguments);
    let up = run(&["up", "--yes"]);
    assert_eq!(up.code(), Some(0), "{up}");
    others_stay(&trial, &run, (&declared(), cases::CASES));
    severe_ones_go(&trial, &run, cases::CASES);
    assert_eq!(cases::notified(&trial), (vec!["ours".to_owned()], true), "what is in one document with it stays");
    let severe = cases::CASES.iter().filter(|case| case.is_severe).count();
    let recorded: Vec<_> = RECORDED.iter().map(|(kind, field, ..)| format!("{kind} {field}")).collect();
    println!(
        "{} children: {severe} severe, removed by name; {} others, shown and accepted; {} by recorded answers: {}",
        cases::CASES.len() + RECORDED.len(),
        cases::CASES.len() - severe,
        RECORDED.len(),
        recorded.join(", "),
    );
}

#[test]
fn what_others_add_to_databases_caches_clusters_and_networks_is_seen() {
    let Some(trial) = Trial::checked(heavy::DECLARED) else { return };
    let somebody = trial.with_least_rights("up");
    let run = |arguments: &[&str]| trial.run_as(&somebody, arguments);
    let up = run(&["up", "--yes"]);
    assert_eq!(up.code(), Some(0), "{up}");
    others_stay(&trial, &run, (heavy::DECLARED, heavy::CASES));
    severe_ones_go(&trial, &run, heavy::CASES);
    let _denied = trial.proxy.on(Fault::Denies, |call| call.operation == "kafka.GetClusterPolicy");
    let diff = run(&["diff"]);
    assert_eq!(diff.code(), Some(2), "{diff}");
    assert!(diff.stdout().contains("kafka.GetClusterPolicy"), "whoever may not read a policy hears of it: {diff}");
}

/// Calls that are made for children alone, by the operation's name.
const CALLS: &[&str] = &[
    "lambda.ListFunctionUrlConfigs",
    "lambda.ListEventSourceMappings",
    "lambda.ListAliases",
    "lambda.ListVersionsByFunction",
    "logs.DescribeSubscriptionFilters",
    "logs.DescribeMetricFilters",
    "s3.GetBucketReplication",
    "s3.GetBucketNotificationConfiguration",
    "s3.GetBucketInventoryConfiguration",
    "s3.GetBucketAnalyticsConfiguration",
    "s3.GetBucketIntelligentTieringConfiguration",
    "s3.GetBucketMetricsConfiguration",
    "s3.GetBucketLogging",
    "s3.GetBucketCors",
    "s3.GetBucketWebsite",
    "s3.GetBucketRequestPayment",
    "s3.GetBucketAccelerateConfiguration",
    "s3.GetObjectLockConfiguration",
    "secretsmanager.GetResourcePolicy",
];

/// Whoever may not read a child does not hear that nothing differs.
#[test]
fn a_child_that_cannot_be_read_is_told_with_the_call() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    trial.proxy.reset();
    trial.expect(0, &["diff"]);
    let calls = trial.proxy.calls();
    let is_for_children = |name: &str| CALLS.contains(&name);
    let for_children = calls.iter().filter(|call| is_for_children(&call.operation.to_string())).count();
    println!("diff: {} calls, {for_children} of them for children alone", calls.len());
    for name in CALLS {
        assert!(calls.iter().any(|call| call.operation == *name), "{name} is not called");
        let _denied = trial.proxy.on(Fault::Denies, move |call| call.operation == *name);
        let run = trial.expect(2, &["diff"]);
        // S3's lists have names of their own.
        let said = name.replace("s3.GetBucketInv", "s3.ListBucketInv").replace("s3.GetBucketAnal", "s3.ListBucketAnal");
        let said = said.replace("s3.GetBucketInt", "s3.ListBucketInt").replace("s3.GetBucketMet", "s3.ListBucketMet");
        let is_said = run.stdout().contains(said.trim_end_matches("Configuration"));
        assert!(is_said && run.stdout().contains("could not be read"), "{name}: {run}");
        trial.proxy.reset();
    }
}

/// An action that others added carries out mails beside the declared ones, so it goes only by name.
#[test]
fn an_action_that_others_added_to_a_rule_goes_by_name() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    cases::add_workmail(&trial);
    let plan = trial.diff();
    assert_eq!(plan["allow_delete"], json!(["receipt-rule/reader"]), "{plan}");
    let run = trial.expect(2, &["up", "--yes"]);
    assert!(run.stderr().contains("--allow-delete receipt-rule/reader"), "{run}");
    trial.expect(0, &["up", "--yes", "--allow-delete", "receipt-rule/reader"]);
    trial.is_converged();
}

#[test]
fn a_declaration_without_children_accepts_nothing_severe() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let accept =
        |what: &str| replaced(EVERYTHING, &[("stack: circuits\n", &format!("stack: circuits\naccept: {what}\n"))]);
    trial.folder.write("infra.yaml", accept("{bucket/mail: [cors, replication]}"));
    let run = trial.expect(2, &["validate"]);
    let text = format!("{}{}", run.stdout(), run.stderr());
    assert!(text.contains("infra.yaml:2:30") && text.contains("never accepted"), "{run}");
}
