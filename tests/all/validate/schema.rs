//! Tests that the JSON Schema and the reader agree: what is valid for one is valid for the other, and neither knows a key that
//! the other does not.

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::{sections::FULL, validate};
use crate::harness::{Folder, Run};

/// Returns the schema as it is printed.
fn printed() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let run = Folder::new().run(&["schema"]);
        serde_json::from_str(&run.stdout()).unwrap_or_else(|error| panic!("{error}\n{run}"))
    })
}

fn validator() -> &'static Validator {
    static VALIDATOR: OnceLock<Validator> = OnceLock::new();
    VALIDATOR.get_or_init(|| jsonschema::draft202012::new(printed()).unwrap())
}

/// Returns the places of a declaration that the schema refuses, with its reasons.
fn refused(declaration: &Value) -> Vec<String> {
    validator().iter_errors(declaration).map(|error| error.to_string()).collect()
}

/// Checks that the schema agrees with a run. It need not be as strict as the reader, but it refuses nothing that is valid, and
/// every unknown key.
pub(super) fn agrees(declaration: &str, run: &Run) {
    let Ok(value) = serde_yaml::from_str::<Value>(declaration) else { return };
    let refused = refused(&value);
    if run.code() == Some(0) {
        assert!(refused.is_empty(), "the schema refuses {refused:#?}\n{declaration}");
    }
    if run.stderr().contains("unknown key `") {
        assert!(!refused.is_empty(), "the schema knows a key that the reader does not\n{declaration}\n{run}");
    }
}

/// Collects every mapping of a value, by its path.
fn mappings(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            found.push(path.to_owned());
            for (key, value) in entries {
                mappings(value, &format!("{path}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                mappings(value, &format!("{path}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn an_unknown_key_is_refused_by_both_wherever_it_stands() {
    let full: Value = serde_yaml::from_str(FULL).unwrap();
    let mut paths = Vec::new();
    mappings(&full, "", &mut paths);
    // Where a person chooses the keys, every key is known.
    let chosen = [
        "/accept",
        "/moved",
        "/tags",
        "/environment",
        "/secrets",
        "/buckets",
        "/functions",
        "/queues",
        "/topics",
        "/apis",
        "/tables",
        "/clusters",
        "/databases",
        "/caches",
        "/configuration_sets",
        "/identities",
        "/networks",
        "/security_groups",
        "/servers",
        "/events",
    ];
    paths.retain(|path| !chosen.iter().any(|name| path.ends_with(name)));
    assert!(paths.len() >= 30, "{paths:?}");
    for path in paths {
        let mut changed = full.clone();
        let Some(Value::Object(entries)) = changed.pointer_mut(&path) else { panic!("{path}") };
        entries.insert("nonsense".to_owned(), json!(1));
        assert!(!refused(&changed).is_empty(), "the schema takes a key at `{path}`");
        let run = validate(serde_json::to_string(&changed).unwrap());
        assert!(run.stderr().contains("unknown key `nonsense`"), "{path}: {run}");
    }
}

#[test]
fn every_key_of_the_schema_is_in_the_full_declaration_and_has_an_effect() {
    let full: Value = serde_yaml::from_str(FULL).unwrap();
    let text = full.to_string();
    for (name, definition) in printed()["$defs"].as_object().unwrap() {
        for key in definition["properties"].as_object().unwrap().keys().filter(|_| !name.starts_with("stage_")) {
            // A function that a server runs is nothing for anybody else; `shape::tests` of `declaration` adds one.
            let is_elsewhere = name == "thresholds" || (name.as_str(), key.as_str()) == ("server", "runs");
            let used = is_elsewhere || text.contains(&format!("\"{key}\":"));
            assert!(used, "`{key}` of `{name}` is not in the full declaration");
        }
    }
}

#[test]
fn wrong_values_are_refused_by_the_schema_too() {
    let full: Value = serde_yaml::from_str(FULL).unwrap();
    assert_eq!(refused(&full), Vec::<String>::new());
    for (path, value) in [
        ("/region", json!("Ireland")),
        ("/functions/maintenance/memory", json!(256)),
        ("/functions/maintenance/architecture", json!("sparc")),
        ("/functions/maintenance/retries", json!(3)),
        ("/functions/maintenance/reads", json!("mail")),
        ("/queues/jobs/redrive", json!({"after": 3})),
        ("/receipt_rules/0/enabled", json!("no")),
        ("/receipt_rules/1/actions/0", json!({"add_header": "X-Pipeline"})),
        ("/alarms/off", json!(["everything"])),
    ] {
        let mut changed = full.clone();
        *changed.pointer_mut(path).unwrap() = value;
        assert!(!refused(&changed).is_empty(), "{path}");
        assert_eq!(validate(serde_json::to_string(&changed).unwrap()).code(), Some(2), "{path}");
    }
}
