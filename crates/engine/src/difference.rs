//! Compares two settings field by field. Declared and live settings are of one type in one normal form, so this is the
//! only comparison there is: the plan, its rendering and every update follow from it.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Field, Kind, Treatment};

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Path in the settings: `public_access.block_policy`, `environment.SINK`.
    pub path: String,
    /// Live value; null if the field is not set.
    pub live: Value,
    /// Declared value; null if the field must not be set.
    pub declared: Value,
}

/// The reasons why a resource cannot be changed in place; at least one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reasons {
    first: Reason,
    others: Vec<Reason>,
}

/// A field that AWS cannot change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Path of the field.
    pub path: String,
    /// The reason why AWS cannot change it.
    pub why: &'static str,
}

impl Reasons {
    /// Returns the reasons for a replacement among some differences; `None` if all can be changed in place.
    pub fn among<K: Kind>(kind: K, differences: &[Difference]) -> Option<Self> {
        let mut reasons = differences.iter().filter_map(|difference| match treatment(kind, &difference.path) {
            Treatment::Immutable(why) => Some(Reason { path: difference.path.clone(), why }),
            Treatment::Plain | Treatment::Coupled(_) => None,
        });
        let first = reasons.next()?;
        Some(Self { first, others: reasons.collect() })
    }

    /// Iterates over the reasons.
    pub fn iter(&self) -> impl Iterator<Item = &Reason> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

/// Returns the treatment of a change at a path.
pub fn treatment<K: Kind>(kind: K, path: &str) -> Treatment {
    field(kind, path).map_or(Treatment::Plain, |field| field.treatment)
}

/// Returns the registered field of a path; `None` if the kind registers none.
pub fn field<K: Kind>(kind: K, path: &str) -> Option<&'static Field> {
    kind.fields().iter().find(|field| field.covers(path))
}

/// Returns the fields that differ, in the order of their paths. An absent value, null and an empty object or list are
/// equal.
pub fn differences(live: &Value, declared: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(String::new(), live, declared, &mut found);
    found
}

/// Collects the differences below a path. Recursion is safe: settings are only as deep as their structs are nested.
fn compare(path: String, live: &Value, declared: &Value, found: &mut Vec<Difference>) {
    if is_nothing(live) && is_nothing(declared) {
        return;
    }
    let empty = Map::new();
    let object = |value: &Value| matches!(value, Value::Object(_)) || is_nothing(value);
    if object(live) && object(declared) {
        let (live, declared) = (live.as_object().unwrap_or(&empty), declared.as_object().unwrap_or(&empty));
        let mut keys: Vec<&String> = live.keys().chain(declared.keys()).collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let value = |object: &Map<String, Value>| object.get(key).cloned().unwrap_or_default();
            compare(below, &value(live), &value(declared), found);
        }
    } else if live != declared {
        found.push(Difference { path, live: live.clone(), declared: declared.clone() });
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(object) => object.values().all(is_nothing),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Returns the paths of a tree, for tests that no field is forgotten.
pub fn paths(tree: &Value) -> Vec<String> {
    match tree {
        Value::Object(object) => object
            .iter()
            .flat_map(|(key, value)| match paths(value) {
                below if below.is_empty() => vec![key.clone()],
                below => below.into_iter().map(|path| format!("{key}.{path}")).collect(),
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(live: &Value, declared: &Value) -> Vec<String> {
        differences(live, declared).into_iter().map(|difference| difference.path).collect()
    }

    #[test]
    fn only_what_differs_is_named_by_its_whole_path() {
        let live = json!({"a": {"b": true, "c": 1}, "list": [1, 2]});
        assert_eq!(found(&live, &json!({"a": {"b": false, "c": 1}, "list": [1, 2]})), ["a.b"]);
        assert_eq!(found(&live, &json!({"a": {"b": true, "c": 1}, "list": [2, 1]})), ["list"]);
        assert_eq!(found(&live, &live), [""; 0]);
    }

    #[test]
    fn nothing_is_nothing_however_it_is_written() {
        for nothing in [json!(null), json!({}), json!([]), json!({"deep": {"down": null}})] {
            assert_eq!(found(&json!({"a": nothing}), &json!({})), [""; 0]);
            assert_eq!(found(&json!({}), &json!({"a": nothing})), [""; 0]);
        }
        assert_eq!(found(&json!({"a": {}}), &json!({"a": {"b": "c"}})), ["a.b"]);
        assert_eq!(found(&json!({"a": false}), &json!({})), ["a"]);
    }
}
