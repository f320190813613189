//! A function's environment against the schema that its code ships: `configuration.json`, in its crate and in its zip.
//!
//! A schema names the variables that the function reads, the form of each, which must be there, and which are secrets. It is data
//! of the function's: nothing here knows a variable's name.

use std::{collections::BTreeSet, fmt, ops::Range};

use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value, json};

use super::{
    Code, Declaration, Function, Place,
    diagnostic::Diagnostic,
    suggestion::choose,
    tree::{Node, at, span_of},
};

/// The schema of a function's environment variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    schema: Value,
    /// `false` if the function may read other variables, and need not read these.
    is_whole: bool,
}

/// Code of a function that cannot be had, or whose schema cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    /// The reason, in one line.
    pub message: String,
    /// Advice on what to do; `None` if there is none.
    pub hint: Option<String>,
    /// `true` if the declaration is valid all the same, since it is this machine that lacks something.
    pub is_warning: bool,
    /// Schema by which the environment is checked all the same; `None` if there is none.
    pub instead: Option<Configuration>,
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
            instead: None,
        };
        let schema: Value = serde_json::from_slice(bytes).map_err(|error| unusable(&error))?;
        jsonschema::validator_for(&schema).map_err(|error| unusable(&error))?;
        Ok(Self { schema, is_whole: true })
    }

    /// Returns as much of the schema as protects somebody: which variables are secrets, and which addresses need TLS. For code of which
    /// only the name is known.
    #[must_use]
    pub fn of_secrets(mut self) -> Self {
        let protects = |property: &Value| {
            is_secret(property)
                || property.get("pattern").and_then(Value::as_str).is_some_and(|form| form.contains("https://"))
        };
        if let Some(schema) = self.schema.as_object_mut() {
            schema.retain(|key, _| key != "required" && key != "allOf");
            if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
                properties.retain(|_, property| protects(property));
            }
        }
        Self { is_whole: false, ..self }
    }

    /// Returns the description of a variable; `None` if the function does not read it.
    fn property(&self, name: &str) -> Option<&Value> {
        self.schema.get("properties")?.get(name)
    }

    fn names(&self) -> Vec<&str> {
        let properties = self.schema.get("properties").and_then(Value::as_object);
        properties.into_iter().flat_map(Map::keys).map(String::as_str).collect()
    }

    /// Returns the schema without the forms of those variables, whose values the declaration does not have.
    fn without_forms(&self, names: &BTreeSet<&String>) -> Value {
        let mut schema = self.schema.clone();
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            properties.retain(|name, _| !names.contains(name));
        }
        schema
    }
}

/// Checks every function's environment against the schema of its code.
pub(super) fn check(root: &Node, declaration: &Declaration, look_up: LookUp<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for (entry, function) in &declaration.functions {
        let key = if matches!(function.code, Code::Shipped(_)) { "use" } else { "crate" };
        match look_up(&function.code) {
            Ok(None) => {}
            Ok(Some(configuration)) => {
                diagnostics.extend(Environment { root, entry, function, configuration: &configuration }.all());
            }
            Err(Unavailable { message, hint, is_warning, instead }) => {
                if let Some(configuration) = &instead {
                    diagnostics.extend(Environment { root, entry, function, configuration }.all());
                }
                let place = span_of(root, &["functions", entry, key]);
                let diagnostic = Diagnostic { is_warning, ..Diagnostic::new(place, message) };
                diagnostics.push(match hint {
                    Some(hint) => diagnostic.with_hint(hint),
                    None => diagnostic,
                });
            }
        }
    }
    diagnostics
}

/// A function's environment beside the schema that it should fit.
struct Environment<'check> {
    root: &'check Node,
    entry: &'check str,
    function: &'check Function,
    configuration: &'check Configuration,
}

impl Environment<'_> {
    /// Returns everything that is wrong with it.
    fn all(&self) -> Vec<Diagnostic> {
        [self.names(), self.values(), self.places()].concat()
    }

    /// Returns the place of a variable's value.
    fn place(&self, name: &str) -> Range<usize> {
        match at(self.root, &["functions", self.entry, "environment", name]) {
            Some(node) => node.span.clone(),
            None => span_of(self.root, &["functions", self.entry, "secrets", name]),
        }
    }

    /// Returns the place at which a missing variable is reported: the function's environment, else its code.
    fn lacking(&self) -> Range<usize> {
        let keys = ["environment", "use", "crate"];
        let found = keys.iter().find_map(|key| at(self.root, &["functions", self.entry, key]));
        found.map_or(0..0, |node| node.span.clone())
    }

    /// Notes variables that the function does not read, and secrets that stand where everybody reads them.
    fn names(&self) -> Vec<Diagnostic> {
        let Self { entry, function, configuration, .. } = self;
        let mut diagnostics = Vec::new();
        for name in function.environment.keys().chain(function.secrets.keys()) {
            match configuration.property(name) {
                None if configuration.is_whole => {
                    let message = format!("function `{entry}` reads no variable `{name}`");
                    let hint = choose(name, "variables that it reads", &configuration.names());
                    diagnostics.push(Diagnostic::warning(self.place(name), message).with_hint(hint));
                }
                Some(property) if is_secret(property) && function.environment.contains_key(name) => {
                    let message =
                        format!("`{name}` is a secret, and whoever may see the function reads its `environment`");
                    let hint = format!(
                        "move it to the function's `secrets`: `{name}: ENTRY`, with an entry of the section `secrets`"
                    );
                    diagnostics.push(Diagnostic::new(self.place(name), message).with_hint(hint).concealed());
                }
                Some(_) | None => {}
            }
        }
        diagnostics
    }

    /// Notes variables that are missing, and values of another form. Values may hold a secret by mistake, and are not repeated.
    fn values(&self) -> Vec<Diagnostic> {
        let Self { entry, configuration, .. } = self;
        let secrets = self.secrets();
        let schema = configuration.without_forms(&secrets);
        // It was made when the whole was read.
        let Ok(validator) = jsonschema::validator_for(&schema) else { return Vec::new() };
        let given = self.given(&secrets);
        let diagnostics = validator.iter_errors(&given).map(|error| {
            if let ValidationErrorKind::Required { property } = error.kind() {
                let name = property.as_str().unwrap_or_default();
                let message = format!("function `{entry}` needs the variable `{name}`");
                return self.explained(Diagnostic::new(self.lacking(), message), name, &format!("`{name}`: "));
            }
            let path = error.instance_path().to_string();
            let name = path.trim_start_matches('/');
            let message = format!("`{name}` is not what function `{entry}` takes");
            self.explained(Diagnostic::new(self.place(name), message).concealed(), name, "")
        });
        diagnostics.collect()
    }

    /// Returns the variables whose values the declaration does not have, or that stand in it by mistake.
    fn secrets(&self) -> BTreeSet<&String> {
        let is_secret = |name: &&String| self.configuration.property(name).is_some_and(is_secret);
        let mentioned = self.function.environment.keys().filter(is_secret);
        self.function.secrets.keys().chain(mentioned).collect()
    }

    /// Returns the environment as the schema sees it, without the values of secrets.
    fn given(&self, secrets: &BTreeSet<&String>) -> Value {
        let values = self.function.environment.iter().map(|(name, value)| (name.clone(), json!(value)));
        let hidden = secrets.iter().map(|name| ((*name).clone(), json!("")));
        Value::Object(values.chain(hidden).collect())
    }

    /// Notes places that the function writes to with this environment, and that it may not write to.
    fn places(&self) -> Vec<Diagnostic> {
        let Self { entry, function, configuration, .. } = self;
        let given = self.given(&self.secrets());
        let applies = |condition: &&Value| {
            let condition = condition.get("if").and_then(|condition| jsonschema::validator_for(condition).ok());
            condition.is_some_and(|condition| condition.is_valid(&given))
        };
        let conditions = configuration.schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        let needed = conditions.filter(applies).filter_map(|condition| condition.pointer("/then/writes")?.as_array());
        let needed: BTreeSet<&str> = needed.flatten().filter_map(Value::as_str).collect();
        let may_write = |end: &str| function.writes.iter().any(|place| place.prefix.ends_with(end));
        let missing: Vec<&str> = needed.into_iter().filter(|end| !may_write(end)).collect();
        if missing.is_empty() {
            return Vec::new();
        }
        let bucket = function.reads.first().map_or("mail", |place| &place.bucket);
        let shown = |place: &Place| format!("{{bucket: {}, prefix: {}}}", place.bucket, place.prefix);
        let there = function.writes.iter().map(|place| match place.prefix.as_str() {
            "" => place.bucket.clone(),
            _ => shown(place),
        });
        let added = missing.iter().map(|end| format!("{{bucket: {bucket}, prefix: {end}}}"));
        let all: Vec<_> = there.chain(added).collect();
        let names: Vec<_> = missing.iter().map(|end| format!("`{end}`")).collect();
        let message = format!("function `{entry}` may not write below {}, as it has to", names.join(" and "));
        let hint = format!("write `writes: [{}]`", all.join(", "));
        vec![Diagnostic::new(self.lacking(), message).with_hint(hint)]
    }

    /// Adds the description of a variable, if there is one, as the hint.
    fn explained(&self, diagnostic: Diagnostic, name: &str, before: &str) -> Diagnostic {
        match self.configuration.property(name).and_then(|property| property.get("description")?.as_str()) {
            Some(says) => diagnostic.with_hint(format!("{before}{says}")),
            None => diagnostic,
        }
    }
}

/// Returns whether a variable holds a secret, by its description.
fn is_secret(property: &Value) -> bool {
    property.get("secret") == Some(&json!(true))
}
