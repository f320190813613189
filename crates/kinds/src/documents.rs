//! Reading documents of services that have no generated client here.

use serde_json::Value;

use crate::own_tags;
use engine::{Class, Failure, Tags};

/// Returns a text at a path of keys; `None` if it is missing or empty.
pub(crate) fn text<'document>(document: &'document Value, path: &[&str]) -> Option<&'document str> {
    at(document, path)?.as_str().filter(|text| !text.is_empty())
}

/// Returns the value at a path of keys.
pub(crate) fn at<'document>(document: &'document Value, path: &[&str]) -> Option<&'document Value> {
    path.iter().try_fold(document, |value, key| value.get(key))
}

/// Returns the switch at a path of keys; `otherwise` if it is missing.
pub(crate) fn is(document: &Value, path: &[&str], otherwise: bool) -> bool {
    at(document, path).and_then(Value::as_bool).unwrap_or(otherwise)
}

/// Returns the number at a path of keys. Some services write numbers with a fraction.
pub(crate) fn number(document: &Value, path: &[&str]) -> Option<u32> {
    at(document, path)?.as_f64()?.to_string().parse().ok()
}

/// Returns the texts of the list at a path of keys.
pub(crate) fn texts<Collected: FromIterator<String>>(document: &Value, path: &[&str]) -> Collected {
    let list = at(document, path).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Returns the members of the list at a path of keys.
pub(crate) fn list<'document>(document: &'document Value, path: &[&str]) -> &'document [Value] {
    at(document, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Returns tags that are a list of `Key` and `Value`.
pub(crate) fn tags(document: &Value, path: &[&str]) -> Tags {
    let pairs = list(document, path).iter().filter_map(|tag| {
        Some((tag.get("Key")?.as_str()?.to_owned(), tag.get("Value")?.as_str().unwrap_or_default().to_owned()))
    });
    own_tags(pairs)
}

/// Returns tags as a list of `Key` and `Value`.
pub(crate) fn tag_list(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| serde_json::json!({"Key": key, "Value": value})).collect()
}

/// Returns the failure of a call whose answer lacks something.
pub(crate) fn lacks(call: &str, what: &str) -> Failure {
    Failure::found(call, Class::Other, format!("AWS's answer has no {what}"))
}
