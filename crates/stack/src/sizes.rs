//! Sizes of what a declaration implies, against AWS's limits: a policy or an environment that grows with the declaration is told
//! before AWS refuses it.

use std::collections::BTreeMap;

use declaration::{Declaration, Derived};
use kinds::{
    Kind, Resource, Settings,
    server::{MOST_USER_DATA, user_data},
};

use crate::{
    Existing, Names,
    desired::{self, Inputs, RuleSet},
};
use aws::policy::{Policy, Statement};
use contract::context::VARIABLE;

/// Lambda's limit of all environment variables, as JSON, in bytes.
const MOST_ENVIRONMENT: usize = 4096;
/// Lambda's limit of a function's policy, in bytes.
const MOST_FUNCTION_POLICY: usize = 20_480;
/// S3's limit of a bucket's policy, in bytes.
const MOST_BUCKET_POLICY: usize = 20_480;
/// SNS's limit of a topic's policy, in bytes.
const MOST_TOPIC_POLICY: usize = 30_720;
/// SQS's limit of a queue's policy, in bytes.
const MOST_QUEUE_POLICY: usize = 8192;
/// SQS's limit of the statements in a queue's policy.
const MOST_QUEUE_STATEMENTS: usize = 20;
/// IAM's limit of all policies within a role, in bytes; blanks do not count, and we write none.
const MOST_ROLE_POLICIES: usize = 10_240;

/// Bytes by which the host of a database or a cache may be longer than what stands for it.
const LONGER_HOST: usize = 80;
/// Bytes by which the ARN of the secret of a database may be longer than what stands for it.
const LONGER_SECRET: usize = 100;

/// Account of the names where the declaration has none: every account has as many digits.
const ANY_ACCOUNT: &str = "000000000000";

/// Returns the sizes that AWS would refuse.
pub fn oversized(declaration: &Declaration) -> Vec<Derived> {
    let names = Names::new(declaration, declaration.account.as_deref().unwrap_or(ANY_ACCOUNT));
    let given = Inputs {
        names: &names,
        code: &BTreeMap::new(),
        artifacts: false,
        rule_set: &RuleSet::Own,
        existing: &Existing::default(),
    };
    let resources = desired::resources(declaration, given);
    let mut found: Vec<Derived> = resources.iter().filter_map(|resource| of_resource(declaration, resource)).collect();
    found.extend(of_functions_policies(&names, &resources));
    found.extend(of_existing_buckets(&resources));
    found
}

/// Returns what is wrong with the size of one resource.
fn of_resource(declaration: &Declaration, resource: &Resource) -> Option<Derived> {
    let entry = &resource.id.entry;
    match &resource.settings {
        Settings::Bucket(bucket) => {
            let hint = "store the mails of several rules below one folder, such as `prefix: inbound/CARRIER/`";
            too_large("buckets", entry, "policy", (bucket.policy.to_json().len(), MOST_BUCKET_POLICY), "S3", hint)
        }
        Settings::Role(role) => {
            let size = role.policies.values().map(|policy| policy.to_json().len()).sum();
            let hint = "name whole buckets, or fewer places, under `reads`, `writes` and `deletes`";
            too_large("functions", entry, "role's policy", (size, MOST_ROLE_POLICIES), "IAM", hint)
        }
        Settings::Function(function) => {
            // `Serialize` fails only for maps whose keys are not strings.
            let size = serde_json::to_string(&function.environment).unwrap_or_default().len();
            let own =
                function.environment.get(VARIABLE).map_or(0, |context| serde_json::json!(context).to_string().len());
            let hint = format!(
                "{own} of them tell it of the stack, most of all where rules store its mails: give these one folder and short prefixes, or shorten the variables"
            );
            too_large("functions", entry, "environment", (size, MOST_ENVIRONMENT), "Lambda", hint)
        }
        Settings::Server(server) => {
            let text = user_data(&server.first_start.0, &server.worker);
            // What AWS chooses is longer than what stands for it.
            let size = text.len()
                + text.matches("(host of ").count() * LONGER_HOST
                + text.matches("(secret of ").count() * LONGER_SECRET;
            let hint = "shorten the `environment` of the function that it runs, or let it use fewer things";
            too_large("servers", entry, "user data", (size, MOST_USER_DATA), "EC2", hint)
        }
        Settings::Topic(topic) => {
            let is_declared = declaration.topics.contains_key(entry);
            let path: &[&str] = if is_declared { &["topics", entry] } else { &["alarms"] };
            let hint = "let fewer functions and queues be watched, or divide the stack";
            let size = (topic.policy.to_json().len(), MOST_TOPIC_POLICY);
            too_large_at(path, &format!("policy of {}", resource.id), size, "SNS", hint)
        }
        Settings::Queue(queue) => of_queue(entry, &queue.policy),
        _ => None,
    }
}

/// Returns what is wrong with the size of a queue's policy.
fn of_queue(entry: &str, policy: &Policy) -> Option<Derived> {
    let hint = "let fewer topics deliver to it";
    let statements = policy.statements().len();
    if statements > MOST_QUEUE_STATEMENTS {
        let message = format!(
            "the policy of queue `{entry}` has {statements} statements, one for each topic, and SQS takes {MOST_QUEUE_STATEMENTS}"
        );
        return Some(derived(&["queues", entry], message, hint));
    }
    too_large("queues", entry, "policy", (policy.to_json().len(), MOST_QUEUE_POLICY), "SQS", hint)
}

/// Returns the functions whose permissions are together more than Lambda takes.
fn of_functions_policies(names: &Names, resources: &[Resource]) -> Vec<Derived> {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for resource in resources {
        let Settings::Permission(permission) = &resource.settings else { continue };
        let Some((function, _)) = resource.id.entry.split_once('.') else { continue };
        let resource_arn = names.arn(Kind::Function, function);
        let statement = Statement::allow(&[&permission.action], [resource_arn]).for_service(&permission.principal);
        let account = permission.source_account.clone().unwrap_or_default();
        let statement = statement.with_source(&account, permission.source_arn.clone());
        *sizes.entry(function).or_default() +=
            Policy::new([(resource.address.name.clone(), statement)]).to_json().len();
    }
    let hint = "let fewer topics invoke it";
    let found = sizes.into_iter().filter_map(|(function, size)| {
        too_large("functions", function, "policy", (size, MOST_FUNCTION_POLICY), "Lambda", hint)
    });
    found.collect()
}

/// Returns the existing buckets of which our statements alone are more than S3 takes.
fn of_existing_buckets(resources: &[Resource]) -> Vec<Derived> {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for resource in resources {
        let Settings::BucketStatement(statement) = &resource.settings else { continue };
        let Some((bucket, _)) = resource.id.entry.split_once('.') else { continue };
        let policy = Policy::new([(resource.address.name.clone(), statement.as_ref().clone())]);
        *sizes.entry(bucket).or_default() += policy.to_json().len();
    }
    let hint = "store the mails of several rules below one folder, such as `prefix: inbound/CARRIER/`";
    let found = sizes.into_iter().filter_map(|(bucket, size)| {
        too_large("buckets", bucket, "stack's part of the policy", (size, MOST_BUCKET_POLICY), "S3", hint)
    });
    found.collect()
}

fn too_large(
    section: &str,
    entry: &str,
    what: &str,
    size: (usize, usize),
    service: &str,
    hint: impl Into<String>,
) -> Option<Derived> {
    let one = section.strip_suffix('s').unwrap_or(section);
    too_large_at(&[section, entry], &format!("{what} of {one} `{entry}`"), size, service, hint)
}

fn too_large_at(
    path: &[&str],
    what: &str,
    (size, most): (usize, usize),
    service: &str,
    hint: impl Into<String>,
) -> Option<Derived> {
    let message = format!("the {what} would have {size} bytes, and {service} takes {most}");
    (size > most).then(|| derived(path, message, hint))
}

fn derived(path: &[&str], message: String, hint: impl Into<String>) -> Derived {
    Derived { path: path.iter().map(ToString::to_string).collect(), message, hint: hint.into() }
}

#[cfg(test)]
mod tests {
    use std::{fmt::Write as _, path::Path};

    use kinds::Id;
    use proptest::prelude::*;

    use super::*;

    /// A stack whose rules have prefixes of their own, and all of whose actions need a right.
    fn source(stack: &str, prefixes: &[String]) -> String {
        let mut source = format!(
            "stack: {stack}\nregion: eu-west-1\nbuckets: {{mail: {{}}, archive: {{existing: example-archive}}}}\n\
             functions: {{reader: {{use: maintenance, environment: {{SINK: lines}}, reads: [mail], on_failure: failed}}}}\n\
             queues: {{failed: {{}}}}\ntopics: {{news: {{}}}}\nstages: {{prod: {{}}, test-with-a-long-name: {{}}}}\nreceipt_rules:\n"
        );
        for (index, prefix) in prefixes.iter().enumerate() {
            let _ = writeln!(
                source,
                "  - {{name: carrier-{index}, actions: [{{store: mail, prefix: '{prefix}', topic: news}}, {{store: archive, prefix: '{prefix}'}}, {{invoke: reader}}]}}"
            );
        }
        source
    }

    /// Returns the declaration in a stage, or without any.
    fn declared(source: &str, stage: Option<&str>) -> Declaration {
        let without = source.replace("stages: {prod: {}, test-with-a-long-name: {}}\n", "");
        let source = if stage.is_some() { source } else { &without };
        let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), stage).unwrap();
        checked.declarations.into_iter().next().unwrap()
    }

    fn all(declaration: &Declaration) -> (Names, Vec<Resource>) {
        let names = Names::new(declaration, "123456789012");
        let given = Inputs {
            names: &names,
            code: &BTreeMap::new(),
            artifacts: false,
            rule_set: &RuleSet::Own,
            existing: &Existing::default(),
        };
        let resources = desired::resources(declaration, given);
        (names, resources)
    }

    /// Returns whether a pattern covers a text, as IAM reads it.
    fn covers(pattern: &str, text: &str) -> bool {
        match pattern.split_once('*') {
            None => pattern == text,
            Some((before, after)) => text
                .strip_prefix(before)
                .is_some_and(|rest| (0..=rest.len()).filter_map(|at| rest.get(at..)).any(|rest| covers(after, rest))),
        }
    }

    /// Returns whether a statement serves a rule.
    fn serves(statement: &Statement, rule: &str) -> bool {
        let values = |operator: &str| {
            statement.conditions.get(operator).and_then(|keys| keys.get("aws:sourcearn")).into_iter().flatten()
        };
        let is_allowed = values("ArnEquals").chain(values("ArnLike")).any(|pattern| covers(pattern, rule));
        is_allowed && !values("ArnNotLike").any(|pattern| covers(pattern, rule))
    }

    /// Returns all statements that are for receipt rules, those of permissions too.
    fn statements(resources: &[Resource]) -> Vec<(Kind, Statement)> {
        let each = resources.iter().flat_map(|resource| {
            let statements: Vec<Statement> = match &resource.settings {
                Settings::Bucket(bucket) => bucket.policy.statements().values().cloned().collect(),
                Settings::BucketStatement(statement) => vec![statement.as_ref().clone()],
                Settings::Topic(topic) => topic.policy.statements().values().cloned().collect(),
                Settings::Permission(permission) => {
                    let arn = permission.source_arn.clone();
                    vec![Statement::allow(&["lambda:InvokeFunction"], []).when("ArnLike", "aws:SourceArn", arn)]
                }
                _ => Vec::new(),
            };
            statements.into_iter().map(|statement| (resource.id.kind, statement))
        });
        each.filter(|(_, statement)| statement.conditions.values().any(|keys| keys.contains_key("aws:sourcearn")))
            .collect()
    }

    const STAGES: [Option<&str>; 3] = [None, Some("prod"), Some("test-with-a-long-name")];

    fn prefixes() -> impl Strategy<Value = Vec<String>> {
        let one = "([a-z0-9]{1,8}/){0,3}";
        let count = prop_oneof![1_usize..8, 15_usize..25, 45_usize..55, 195_usize..=200];
        prop_oneof![
            2 => count.clone().prop_map(|count| (0..count).map(|index| format!("inbound/carrier-{index}/")).collect()),
            1 => count.clone().prop_flat_map(move |count| proptest::collection::vec(one, count)),
            1 => count.prop_flat_map(|count| proptest::collection::vec("[a-z]{1,20}/[a-z]{80}/", count)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn each_rule_has_its_rights_and_no_policy_is_too_large(prefixes in prefixes(), stage in 0_usize..3) {
            let declaration = declared(&source("circuits", &prefixes), STAGES[stage]);
            let (names, resources) = all(&declaration);
            let statements = statements(&resources);
            let set = RuleSet::Own.name(&names);
            for rule in &declaration.receipt_rules {
                let arn = names.rule_arn(&set, &rule.name);
                let serving = |kind: Kind| statements.iter().filter(move |(of, _)| *of == kind).map(|(_, one)| one);
                prop_assert!(serving(Kind::Permission).any(|one| serves(one, &arn)), "{}", arn);
                prop_assert!(serving(Kind::Topic).any(|one| serves(one, &arn)), "{}", arn);
                for (kind, bucket) in [(Kind::Bucket, "mail"), (Kind::BucketStatement, "archive")] {
                    let object = format!("{}/{}0123", names.arn(Kind::Bucket, bucket), rule.stores(9).next().unwrap().1);
                    let may = |one: &Statement| one.resources.iter().any(|place| covers(place, &object));
                    prop_assert!(serving(kind).any(|one| serves(one, &arn) && may(one)), "{} {}", arn, object);
                }
                let rule = resources.iter().find(|one| one.id == Id::new(Kind::ReceiptRule, &rule.name)).unwrap();
                for before in &rule.after {
                    prop_assert!(resources.iter().any(|one| one.id == *before), "{} after {}", rule.id, before);
                }
            }
            // Only what tells the function of its places may be too large, and is told.
            let told = oversized(&declaration);
            prop_assert!(told.iter().all(|one| one.message.starts_with("the environment of function `reader`")), "{:?}", told);
            let is_short = prefixes.iter().all(|prefix| prefix.strip_prefix("inbound/").unwrap_or(prefix).len() < 13);
            prop_assert!(!is_short || told.is_empty(), "{:?}", told);
        }

        #[test]
        fn no_statement_serves_a_rule_of_another_stack(
            (ours, theirs) in (0_usize..3, 0_usize..3),
            other in prop_oneof![Just("circuits"), Just("circuits-prod"), Just("circuit"), Just("circuits2")],
            count in prop_oneof![1_usize..4, 25_usize..30],
        ) {
            prop_assume!(other != "circuits" || ours != theirs);
            let prefixes: Vec<String> = (0..count).map(|index| format!("{index}/")).collect();
            let (_, resources) = all(&declared(&source("circuits", &prefixes), STAGES[ours]));
            let (names, _) = all(&declared(&source(other, &prefixes), STAGES[theirs]));
            for (kind, statement) in statements(&resources) {
                // Lambda has no condition that leaves out: what a large stack without a stage permits holds for its stages, too.
                let is_wide = kind == Kind::Permission && ours == 0 && count > 20 && other == "circuits";
                // The others may stand in our set.
                let rules = (0..count).map(|index| names.rule_arn("circuits", &format!("carrier-{index}")));
                let sets = ["circuits", "circuits_prod", "circuits_test-with-a-long-name"];
                for (rule, set) in rules.flat_map(|rule| sets.map(|set| (rule.clone(), set))) {
                    let rule = rule.replace("rule-set/circuits:", &format!("rule-set/{set}:"));
                    prop_assert!(is_wide || !serves(&statement, &rule), "{:?} {} {:?}", kind, rule, statement.conditions);
                }
            }
        }
    }

    #[test]
    fn two_hundred_rules_have_one_statement_each_where_fifty_had_too_many() {
        let prefixes: Vec<String> = (0..200).map(|index| format!("inbound/carrier-{index}/")).collect();
        for stage in STAGES {
            let declaration = declared(&source("circuit-maintenance", &prefixes), stage);
            assert_eq!(oversized(&declaration), []);
            let (_, resources) = all(&declaration);
            let counts = [Kind::Permission, Kind::BucketStatement]
                .map(|kind| resources.iter().filter(|one| one.id.kind == kind).count());
            assert_eq!(counts, [1, 1], "{stage:?}");
        }
    }

    #[test]
    fn what_is_too_large_is_told_with_its_size_and_what_to_do() {
        let prefixes: Vec<String> = (0..100).map(|index| format!("{index}/{}/", "x".repeat(60))).collect();
        let [told] = oversized(&declared(&source("circuits", &prefixes), Some("prod"))).try_into().unwrap();
        assert_eq!(told.path, ["functions", "reader"]);
        let (before, after) = told.message.split_once(" would have ").unwrap();
        assert_eq!(before, "the environment of function `reader`");
        let size: usize = after.split_once(' ').unwrap().0.parse().unwrap();
        assert!(
            size > 6_000 && after.ends_with("bytes, and Lambda takes 4096") && told.hint.contains("short prefixes"),
            "{told:?}"
        );
    }

    #[test]
    fn topics_and_places_that_are_too_many_are_told() {
        let topics: String = (0..21)
            .fold(String::new(), |all, index| all + &format!("  t{index}: {{subscriptions: [{{queue: inbox}}]}}\n"));
        let places: Vec<String> =
            (0..120).map(|index| format!("{{bucket: mail, prefix: {index}/{}/}}", "x".repeat(40))).collect();
        let source = format!(
            "stack: circuits\nregion: eu-west-1\nbuckets: {{mail: {{}}}}\nqueues: {{inbox: {{}}}}\ntopics:\n{topics}functions: {{reader: {{use: echo, reads: [{}]}}}}\n",
            places.join(", ")
        );
        let told = oversized(&declared(&source, None));
        let words: Vec<&str> = told
            .iter()
            .map(|one| one.message.split(" has ").next().unwrap().split(" would ").next().unwrap())
            .collect();
        assert_eq!(words, ["the policy of queue `inbox`", "the role's policy of function `reader`"]);
    }
}
