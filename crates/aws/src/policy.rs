//! Policy documents, compared by their meaning and not by their spelling.
//!
//! AWS returns a document in another shape than it was given: URL-encoded, one string for a list of one, keys in any order, an account's id
//! for its root ARN. A [`Policy`] is the normal form, so that two documents of the same meaning are equal.

use std::collections::{BTreeMap, BTreeSet};

use crate::Arn;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Version of the policy language; the only one with variables.
const VERSION: &str = "2012-10-17";
/// Begins the ids of statements that have none.
const UNNAMED: &str = "unnamed-";

/// A document: statements by id. Statements without an id, or with one that is taken, are called `unnamed-1`, `unnamed-2` and so on in the order of their content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Policy(BTreeMap<String, Statement>);

/// Operators of conditions under which one more value allows more.
const UNITED: &[&str] = &["ArnEquals", "ArnLike", "StringEquals"];

/// One statement. Everything in it is a set: AWS's order has no meaning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Statement {
    /// Effect: allow or deny.
    pub effect: Effect,
    /// Principals: `Service:ses.amazonaws.com`, `AWS:123456789012`, or `*`; empty in a role's own policies.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub principals: BTreeSet<String>,
    /// Actions, `service:Action`; wildcards are kept as they are.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub actions: BTreeSet<String>,
    /// ARNs of the resources; empty where the policy belongs to the resource itself.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub resources: BTreeSet<String>,
    /// Conditions: operator → key → values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conditions: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// Elements that we never declare, such as `NotAction` and `NotPrincipal`, as JSON. Kept, so that they show as
    /// differences and a statement that stays is written back whole.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other: BTreeMap<String, String>,
}

/// The effect of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Effect {
    /// Allows the actions of the statement.
    Allow,
    /// Denies the actions, whatever else allows them.
    Deny,
}

impl Statement {
    /// Returns a statement that allows actions on resources.
    pub fn allow(actions: &[&str], resources: impl IntoIterator<Item = String>) -> Self {
        Self {
            effect: Effect::Allow,
            principals: BTreeSet::new(),
            actions: actions.iter().map(ToString::to_string).collect(),
            resources: resources.into_iter().collect(),
            conditions: BTreeMap::new(),
            other: BTreeMap::new(),
        }
    }

    /// Returns a statement that denies actions on resources.
    pub fn deny(actions: &[&str], resources: impl IntoIterator<Item = String>) -> Self {
        Self { effect: Effect::Deny, ..Self::allow(actions, resources) }
    }

    /// Returns the statement for every principal.
    #[must_use]
    pub fn for_everybody(self) -> Self {
        Self { principals: BTreeSet::from(["*".to_owned()]), ..self }
    }

    /// Returns the statement for one AWS service only.
    #[must_use]
    pub fn for_service(self, service: &str) -> Self {
        Self { principals: BTreeSet::from([format!("Service:{service}")]), ..self }
    }

    /// Returns the statement with one more condition. Keys are in lower case where AWS ignores case, so that they compare.
    #[must_use]
    pub fn when(mut self, operator: &str, key: &str, values: impl IntoIterator<Item = String>) -> Self {
        self.conditions
            .entry(operator.to_owned())
            .or_default()
            .insert(key.to_ascii_lowercase(), values.into_iter().collect());
        self
    }

    /// Returns the statement only for requests that AWS's services make on behalf of this account and this resource in it: without both
    /// conditions, anybody's rule in anybody's account could name ours.
    #[must_use]
    pub fn with_source(self, account: &str, arns: impl IntoIterator<Item = String>) -> Self {
        self.when("StringEquals", "aws:SourceAccount", [account.to_owned()]).when("ArnEquals", "aws:SourceArn", arns)
    }

    /// Returns a statement that allows what this one and an earlier one allow, if they differ in their resources and sources alone.
    #[must_use]
    pub fn united(&self, earlier: &Self) -> Option<Self> {
        let form = |one: &Self| {
            let mut form = Self { resources: BTreeSet::new(), ..one.clone() };
            for operator in UNITED {
                form.conditions.get_mut(*operator).into_iter().flat_map(BTreeMap::values_mut).for_each(BTreeSet::clear);
            }
            form
        };
        if self.effect != Effect::Allow || form(self) != form(earlier) {
            return None;
        }
        let mut united = self.clone();
        united.resources.extend(earlier.resources.iter().cloned());
        for operator in UNITED {
            let Some(keys) = united.conditions.get_mut(*operator) else { continue };
            for (key, values) in keys {
                values.extend(
                    earlier.conditions.get(*operator).and_then(|keys| keys.get(key)).into_iter().flatten().cloned(),
                );
            }
        }
        Some(united)
    }

    /// Returns `true` if the statement gives rights to services, or is in a role's own policy: to nobody whom we do not know.
    fn is_for_services(&self) -> bool {
        self.effect == Effect::Allow && self.principals.iter().all(|principal| principal.starts_with("Service:"))
    }

    fn to_json(&self, id: &str) -> Value {
        let mut statement = json!({"Effect": self.effect});
        let mut set = |key: &str, value: Value| {
            if let Some(object) = statement.as_object_mut() {
                object.insert(key.to_owned(), value);
            }
        };
        if !id.starts_with(UNNAMED) {
            set("Sid", json!(id));
        }
        // A statement of somebody else that stays is written back as it was.
        for (key, value) in &self.other {
            set(key, serde_json::from_str(value).unwrap_or_else(|_| json!(value)));
        }
        if self.principals.contains("*") {
            set("Principal", json!("*"));
        } else if !self.principals.is_empty() {
            let mut principals: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for (kind, name) in self.principals.iter().filter_map(|principal| principal.split_once(':')) {
                principals.entry(kind).or_default().push(name);
            }
            set("Principal", json!(principals));
        }
        if !self.actions.is_empty() {
            set("Action", json!(self.actions));
        }
        if !self.resources.is_empty() {
            set("Resource", json!(self.resources));
        }
        if !self.conditions.is_empty() {
            set("Condition", json!(self.conditions));
        }
        statement
    }

    fn from_json(value: &Value) -> Result<(Option<String>, Self), NotAPolicy> {
        let object = value.as_object().ok_or(NotAPolicy("a statement is not a JSON object"))?;
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let effect = match text("Effect") {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return Err(NotAPolicy("a statement is neither Allow nor Deny")),
        };
        let set = |key: &str| object.get(key).map(strings).unwrap_or_default();
        let known = ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"];
        let other = object.iter().filter(|(key, _)| !known.contains(&key.as_str()));
        let statement = Self {
            effect,
            principals: object.get("Principal").map(principals).unwrap_or_default(),
            actions: set("Action"),
            resources: set("Resource"),
            conditions: object.get("Condition").map(conditions).unwrap_or_default(),
            other: other.map(|(key, value)| (key.clone(), value.to_string())).collect(),
        };
        Ok((text("Sid").filter(|id| !id.is_empty()).map(str::to_owned), statement))
    }
}

/// The reason why a document could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Failed to read a policy: {0}")]
pub struct NotAPolicy(&'static str);

impl Policy {
    /// Returns a policy of these statements, by their ids.
    pub fn new(statements: impl IntoIterator<Item = (String, Statement)>) -> Self {
        Self(statements.into_iter().collect())
    }

    /// Returns `true` if the document has no statements.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the statements, by id.
    pub fn statements(&self) -> &BTreeMap<String, Statement> {
        &self.0
    }

    /// Returns a document that allows, besides, what an earlier one allows services: what uses the one or the other works.
    #[must_use]
    pub fn widened(&self, earlier: &Self) -> Self {
        let mut all = self.0.clone();
        for (id, before) in earlier.0.iter().filter(|(_, before)| before.is_for_services()) {
            match all.get(id) {
                None => all.insert(id.clone(), before.clone()),
                Some(now) if now == before => None,
                Some(now) => match now.united(before) {
                    Some(both) => all.insert(id.clone(), both),
                    None => all.insert(format!("{id}Before"), before.clone()),
                },
            };
        }
        Self(all)
    }

    /// Returns the same document with one more statement, if there is one.
    #[must_use]
    pub fn with(&self, id: &str, statement: Option<Statement>) -> Self {
        Self(self.0.clone().into_iter().chain(statement.map(|statement| (id.to_owned(), statement))).collect())
    }

    /// Returns `true` if the document does nothing but deny: it can only take rights away.
    pub fn only_denies(&self) -> bool {
        !self.is_empty() && self.0.values().all(|statement| statement.effect == Effect::Deny)
    }

    /// Adds the statements of a live document that deny and are not in this one; returns their ids. Statements that allow
    /// stay out, and one whose id is taken here is compared as ours.
    ///
    /// ```
    /// use aws::policy::Policy;
    ///
    /// let theirs = r#"{"Statement": [
    ///     {"Sid": "Guard", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket", "Resource": "*"},
    ///     {"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
    /// ]}"#;
    /// let mut declared = Policy::default();
    /// assert_eq!(declared.keep_denials(&Policy::from_json(theirs)?), ["Guard"]);
    /// # Ok::<(), aws::policy::NotAPolicy>(())
    /// ```
    pub fn keep_denials(&mut self, live: &Self) -> Vec<String> {
        let denials = live.0.iter().filter(|(_, statement)| statement.effect == Effect::Deny);
        let foreign: Vec<_> = denials
            .filter(|(id, statement)| !self.0.contains_key(*id) && !self.0.values().any(|ours| ours == *statement))
            .map(|(id, statement)| (id.clone(), statement.clone()))
            .collect();
        self.0.extend(foreign.iter().cloned());
        foreign.into_iter().map(|(id, _)| id).collect()
    }

    /// Returns the document as AWS takes it.
    pub fn to_json(&self) -> String {
        let statements: Vec<Value> = self.0.iter().map(|(id, statement)| statement.to_json(id)).collect();
        json!({"Version": VERSION, "Statement": statements}).to_string()
    }

    /// Reads a document as AWS returns it: as JSON, or URL-encoded as IAM does.
    pub fn from_json(text: &str) -> Result<Self, NotAPolicy> {
        let decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
        let text = if text.trim_start().starts_with('{') { text } else { &decoded };
        let document: Value = serde_json::from_str(text).map_err(|_| NotAPolicy("it is not valid JSON"))?;
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) => statements.iter().collect(),
            Some(statement) => vec![statement],
            None => Vec::new(),
        };
        let mut policy = BTreeMap::new();
        let mut unnamed = Vec::new();
        for statement in statements {
            match Statement::from_json(statement)? {
                (Some(id), statement) if !policy.contains_key(&id) => {
                    policy.insert(id, statement);
                }
                (_, statement) => unnamed.push(statement),
            }
        }
        unnamed.sort();
        let names = (1..).map(|number| format!("{UNNAMED}{number}"));
        policy.extend(names.filter(|name| !policy.contains_key(name)).zip(unnamed).collect::<Vec<_>>());
        Ok(Self(policy))
    }
}

/// Returns the members of a string or a list; numbers and booleans are written as AWS writes them.
fn strings(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::String(text) => BTreeSet::from([text.clone()]),
        Value::Null => BTreeSet::new(),
        other => BTreeSet::from([other.to_string()]),
    }
}

fn principals(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(kinds) => kinds
            .iter()
            .flat_map(|(kind, names)| strings(names).into_iter().map(|name| principal(kind, &name)))
            .collect(),
        other => strings(other),
    }
}

/// Returns one principal. `AWS: *` is everybody, and the root of an account is the account.
fn principal(kind: &str, name: &str) -> String {
    if kind == "AWS" && name == "*" {
        return "*".to_owned();
    }
    let account = Arn::root_account(name);
    format!("{kind}:{}", account.filter(|_| kind == "AWS").unwrap_or(name))
}

fn conditions(value: &Value) -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let Some(operators) = value.as_object() else { return BTreeMap::new() };
    let keys = |keys: &Value| -> BTreeMap<String, BTreeSet<String>> {
        let keys = keys.as_object().into_iter().flatten();
        keys.map(|(key, values)| (key.to_ascii_lowercase(), strings(values))).collect()
    };
    operators.iter().map(|(operator, value)| (operator.clone(), keys(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:ses:eu-west-1:123456789012:receipt-rule-set/a:receipt-rule/b";

    fn ours() -> Policy {
        let statement = Statement::allow(&["s3:PutObject"], ["arn:aws:s3:::mail/*".to_owned()])
            .for_service("ses.amazonaws.com")
            .with_source("123456789012", [ARN.to_owned()]);
        Policy::new([("ses".to_owned(), statement)])
    }

    #[test]
    fn a_written_value_reads_back_equal() {
        assert_eq!(Policy::from_json(&ours().to_json()), Ok(ours()));
        let encoded =
            percent_encoding::utf8_percent_encode(&ours().to_json(), percent_encoding::NON_ALPHANUMERIC).to_string();
        assert_eq!(Policy::from_json(&encoded), Ok(ours()));
    }

    #[test]
    fn the_shapes_that_aws_gives_back_are_the_same_document() {
        let text = format!(
            r#"{{"Statement":{{"Condition":{{"ArnEquals":{{"AWS:SourceArn":["{ARN}"]}},"StringEquals":{{"aws:sourceaccount":"123456789012"}}}},
            "Resource":["arn:aws:s3:::mail/*"],"Action":"s3:PutObject","Effect":"Allow","Principal":{{"Service":["ses.amazonaws.com"]}},"Sid":"ses"}},"Version":"2012-10-17"}}"#
        );
        assert_eq!(Policy::from_json(&text), Ok(ours()));
        let root = |name: &str| {
            Policy::from_json(&format!(
                r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{name}"}},"Action":"*"}}]}}"#
            ))
        };
        assert_eq!(root("arn:aws:iam::123456789012:root"), root("123456789012"));
    }

    #[test]
    fn one_real_change_makes_another_document() {
        for (from, to) in [
            ("Allow", "Deny"),
            ("PutObject", "GetObject"),
            ("mail/*", "*"),
            ("123456789012\"", "210987654321\""),
            ("\"Action\"", "\"NotAction\""),
        ] {
            let changed = ours().to_json().replace(from, to);
            assert_ne!(Policy::from_json(&changed), Ok(ours()), "{from} → {to}");
        }
    }

    #[test]
    fn statements_without_an_id_or_with_a_taken_one_are_kept() {
        let text = r#"{"Statement":[{"Sid":"a","Effect":"Allow","Action":"x"},{"Sid":"a","Effect":"Deny","Action":"y"},{"Effect":"Allow","Action":"z"}]}"#;
        let names: Vec<String> = Policy::from_json(text).unwrap().0.into_keys().collect();
        assert_eq!(names, ["a", "unnamed-1", "unnamed-2"]);
    }

    #[test]
    fn a_widened_document_allows_what_both_allow_and_nobody_else() {
        let stores = |rule: &str, object: &str| {
            Statement::allow(&["s3:PutObject"], [object.to_owned()])
                .for_service("ses.amazonaws.com")
                .with_source("123456789012", [rule.to_owned()])
        };
        let of = |statements: &[(&str, Statement)]| {
            Policy::new(statements.iter().map(|(id, statement)| ((*id).to_owned(), statement.clone())))
        };
        let deny = Statement::deny(&["s3:*"], ["*".to_owned()]).for_everybody();
        let open = Statement::allow(&["s3:*"], ["*".to_owned()]).for_everybody();
        let other = Statement { actions: BTreeSet::from(["s3:GetObject".to_owned()]), ..stores("a", "in/") };
        let before =
            of(&[("A", stores("a", "in/")), ("B", stores("b", "in/")), ("C", other.clone()), ("D", deny), ("E", open)]);
        let now = of(&[("A", stores("c", "out/")), ("C", stores("a", "in/"))]);
        let both = Statement {
            resources: BTreeSet::from(["in/".to_owned(), "out/".to_owned()]),
            ..stores("a", "in/").when("ArnEquals", "aws:SourceArn", ["a".to_owned(), "c".to_owned()])
        };
        let wide = of(&[("A", both), ("B", stores("b", "in/")), ("C", stores("a", "in/")), ("CBefore", other)]);
        assert_eq!(now.widened(&before), wide);
        assert_eq!(now.widened(&now), now);
    }

    #[test]
    fn a_document_that_is_not_a_policy_is_an_error() {
        for text in ["", "[]x", "{\"Statement\":[3]}", "{\"Statement\":[{\"Effect\":\"Maybe\"}]}"] {
            assert!(Policy::from_json(text).is_err(), "{text}");
        }
    }
}
