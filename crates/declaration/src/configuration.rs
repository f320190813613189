//! A function's environment against the schema that its code ships: `configuration.json`, in its crate and in its zip.
//!
//! A schema names the variables that the function reads, the form of each, which must be there, and which are secrets. It is data
//! of the function's: nothing here knows a variable's name.

use std::{collections::BTreeSet, fmt};

use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value, json};

use super::{
    Code, Declaration, Function,
    checks::{at, span_of},
    diagnostic::Diagnostic,
    suggestion::choose,
    tree::Node,
};

/// The schema of a function's environment variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration(Value);

/// Code of a function that cannot be had, or whose schema cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    /// The reason, in one line.
    pub message: String,
    /// Advice on what to do; `None` if there is none.
    pub hint: Option<String>,
    /// `true` if the declaration is valid all the same, since it is this machine that lacks something.
    pub is_warning: bool,
}

/// Returns the schema of a function's code; `None` if it has none, or if it is not to be had here.
pub type LookUp<'look_up> = &'look_up dyn Fn(&Code) -> Result<Option<Configuration>, Unavailable>;

impl Configuration {
    /// Reads the bytes of a `configuration.json`.
    pub fn read(bytes: &[u8]) -> Result<Self, Unavailable> {
        let unusable = |error: &dyn fmt::Display| Unavailable {
            message: format!("`configuration.json` is not a JSON Schema: {error}"),
            hint: None,
            is_warning: false,
        };
        let schema: Value = serde_json::from_slice(bytes).map_err(|error| unusable(&error))?;
        jsonschema::validator_for(&schema).map_err(|error| unusable(&error))?;
        Ok(Self(schema))
    }

    /// Returns the description of a variable; `None` if the function does not read it.
    fn property(&self, name: &str) -> Option<&Value> {
        self.0.get("properties")?.get(name)
    }

    fn names(&self) -> Vec<&str> {
        let properties = self.0.get("properties").and_then(Value::as_object);
        properties.into_iter().flat_map(Map::keys).map(String::as_str).collect()
    }

    /// Returns the schema without the forms of those variables, whose values the declaration does not have.
    fn without_forms(&self, names: &BTreeSet<&String>) -> Value {
        let mut schema = self.0.clone();
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            properties.retain(|name, _| !names.contains(name));
        }
        schema
    }
}

/// Checks every function's environment against the schema of its code.
pub(super) fn check(root: &Node, declaration: &Declaration, look_up: LookUp<'_>) -> Vec<Diagnostic> {
    let mut noted = Vec::new();
    for (entry, function) in &declaration.functions {
        let key = if matches!(function.code, Code::Shipped(_)) { "use" } else { "crate" };
        match look_up(&function.code) {
            Ok(None) => {}
            Ok(Some(configuration)) => noted.extend(environment(root, entry, function, &configuration)),
            Err(Unavailable { message, hint, is_warning }) => {
                let place = span_of(root, &["functions", entry, key]);
                let diagnostic = Diagnostic { is_warning, ..Diagnostic::new(place, message) };
                noted.push(match hint {
                    Some(hint) => diagnostic.with_hint(hint),
                    None => diagnostic,
                });
            }
        }
    }
    noted
}

/// Checks one function's environment.
fn environment(root: &Node, entry: &str, function: &Function, configuration: &Configuration) -> Vec<Diagnostic> {
    let place = |name: &str| match at(root, &["functions", entry, "environment", name]) {
        Some(node) => node.span.clone(),
        None => span_of(root, &["functions", entry, "secrets", name]),
    };
    let mut noted = Vec::new();
    for name in function.environment.keys().chain(function.secrets.keys()) {
        let Some(property) = configuration.property(name) else {
            let message = format!("function `{entry}` reads no variable `{name}`");
            let hint = choose(name, "variables that it reads", &configuration.names());
            noted.push(Diagnostic::warning(place(name), message).with_hint(hint));
            continue;
        };
        if is_secret(property) && function.environment.contains_key(name) {
            let message = format!("`{name}` is a secret, and whoever may see the function reads its `environment`");
            let hint =
                format!("move it to the function's `secrets`: `{name}: ENTRY`, with an entry of the section `secrets`");
            noted.push(Diagnostic::new(place(name), message).with_hint(hint).concealed());
        }
    }
    let is_secret = |name: &&String| configuration.property(name).is_some_and(is_secret);
    let mentioned = function.environment.keys().filter(is_secret);
    let secrets: BTreeSet<&String> = function.secrets.keys().chain(mentioned).collect();
    let Ok(validator) = jsonschema::validator_for(&configuration.without_forms(&secrets)) else { return noted };
    let values = function.environment.iter().map(|(name, value)| (name.clone(), json!(value)));
    let given = Value::Object(values.chain(secrets.iter().map(|name| ((*name).clone(), json!("")))).collect());
    for error in validator.iter_errors(&given) {
        let describe = |name: &str| configuration.property(name).and_then(|it| it.get("description")?.as_str());
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                let message = format!("function `{entry}` needs the variable `{name}`");
                let diagnostic = Diagnostic::new(lacking(root, entry), message);
                noted.push(match describe(name) {
                    Some(says) => diagnostic.with_hint(format!("`{name}`: {says}")),
                    None => diagnostic,
                });
            }
            _ => {
                let path = error.instance_path().to_string();
                let name = path.trim_start_matches('/').replace("~1", "/").replace("~0", "~");
                let message = format!("`{name}` is not what function `{entry}` takes");
                let diagnostic = Diagnostic::new(place(&name), message).concealed();
                noted.push(match describe(&name) {
                    Some(says) => diagnostic.with_hint(says),
                    None => diagnostic,
                });
            }
        }
    }
    noted
}

/// Returns whether a variable holds a secret, by its description.
fn is_secret(property: &Value) -> bool {
    property.get("secret") == Some(&json!(true))
}

/// Returns the place at which a missing variable is reported: the function's environment, else its code.
fn lacking(root: &Node, entry: &str) -> std::ops::Range<usize> {
    let keys = ["environment", "use", "crate"];
    let found = keys.iter().find_map(|key| at(root, &["functions", entry, key]));
    found.map_or(0..0, |node| node.span.clone())
}
