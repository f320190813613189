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
    suggestion::{choose, closest},
    tree::{Key, Node, action_span, at, key_at, span_of},
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
    /// Key of the function that the reason is about: `use`, `crate` or `bin`.
    pub key: &'static str,
    /// Schema by which the environment is checked all the same; `None` if there is none.
    pub instead: Option<Configuration>,
}

/// A contradiction between the declaration and what it implies: it is found where names in AWS and policies are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// Keys that lead to the place in the declaration, such as `functions` and the entry.
    pub path: Vec<String>,
    /// The contradiction, in one line.
    pub message: String,
    /// Advice on what to do.
    pub hint: String,
}

/// Returns what contradicts a valid declaration in what it implies.
pub type Derive<'derive> = &'derive dyn Fn(&Declaration) -> Vec<Derived>;

/// Returns the schema of a function's code; `None` if it has none, or if it is not to be had here.
pub type LookUp<'look_up> = &'look_up dyn Fn(&Code) -> Result<Option<Configuration>, Unavailable>;

impl Configuration {
    /// Reads the bytes of a `configuration.json`.
    pub fn read(bytes: &[u8]) -> Result<Self, Unavailable> {
        let unusable = |error: &dyn fmt::Display| Unavailable {
            message: format!("`configuration.json` is not a JSON Schema: {error}"),
            hint: None,
            is_warning: false,
            key: "crate",
            instead: None,
        };
        let schema: Value = serde_json::from_slice(bytes).map_err(|error| unusable(&error))?;
        jsonschema::validator_for(&schema).map_err(|error| unusable(&error))?;
        Ok(Self { schema, is_whole: true })
    }

    /// Returns the schema for code of which only the name is known: it may need less than this one, and read more. A secret in the
    /// open and an address without TLS are errors all the same, since they harm somebody whatever the code is.
    #[must_use]
    pub fn by_name(mut self) -> Self {
        if let Some(schema) = self.schema.as_object_mut() {
            schema.retain(|key, _| !["required", "allOf", "mail"].contains(&key.as_str()));
        }
        Self { is_whole: false, ..self }
    }

    /// Returns the schema of code that ships none: it may read whatever it likes.
    pub fn none() -> Self {
        Self { schema: json!({"additionalProperties": true}), is_whole: true }
    }

    /// Returns `false` if the code does not say that it can take from a queue by itself. Of code of which only the name is known, nobody can
    /// tell.
    fn may_be_worker(&self) -> bool {
        !self.is_whole || self.schema.get("worker") == Some(&json!(true))
    }

    /// Returns whether the function may read variables that the schema does not name.
    fn takes_others(&self) -> bool {
        let others = self.schema.get("additionalProperties");
        !self.is_whole || others.is_some_and(|others| *others != json!(false))
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

/// Checks what a declaration implies.
pub(super) fn derived(root: &Node, declaration: &Declaration, derive: Derive<'_>) -> Vec<Diagnostic> {
    let diagnostic = |Derived { path, message, hint }| {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let span = key_at(root, &path).map_or(0..0, |key: &Key| key.span.clone());
        Diagnostic::new(span, message).with_hint(hint)
    };
    derive(declaration).into_iter().map(diagnostic).collect()
}

/// Variables that Rust's standard library reads, in every function.
const READ_BY_RUST: [&str; 2] = ["RUST_BACKTRACE", "RUST_LIB_BACKTRACE"];

/// Checks every function's environment against the schema of its code.
pub(super) fn check(root: &Node, declaration: &Declaration, look_up: LookUp<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for (entry, function) in &declaration.functions {
        let environment = |configuration| Environment { root, declaration, entry, function, configuration };
        match look_up(&function.code) {
            Ok(None) => {}
            Ok(Some(configuration)) => {
                diagnostics.extend(environment(&configuration).all());
            }
            Err(Unavailable { message, hint, is_warning, key, instead }) => {
                if let Some(configuration) = &instead {
                    diagnostics.extend(environment(configuration).all());
                }
                let found = [key, "crate", "use"].iter().find_map(|key| at(root, &["functions", entry, key]));
                let place = found.map_or(0..0, |node| node.span.clone());
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
    declaration: &'check Declaration,
    entry: &'check str,
    function: &'check Function,
    configuration: &'check Configuration,
}

impl Environment<'_> {
    /// Returns everything that is wrong with it.
    fn all(&self) -> Vec<Diagnostic> {
        let all = [self.names(), self.values(), self.places(), self.mails(), self.deletions(), self.workers()].concat();
        // A line that is shown may have a secret in it that stands in the open, or in an address.
        let may_have_secret = |name: &String| self.configuration.property(name).is_some_and(protects);
        let conceals = self.function.environment.keys().any(may_have_secret);
        all.into_iter().map(|one| if conceals { one.concealed() } else { one }).collect()
    }

    /// Returns the place of a variable's value.
    fn place(&self, name: &str) -> Range<usize> {
        match at(self.root, &["functions", self.entry, "environment", name]) {
            Some(node) => node.span.clone(),
            None => span_of(self.root, &["functions", self.entry, "secrets", name]),
        }
    }

    /// Returns the place of a variable's name.
    fn key_of(&self, name: &str) -> Range<usize> {
        let sections = ["environment", "secrets"];
        let keys = sections.iter().find_map(|section| key_at(self.root, &["functions", self.entry, section, name]));
        keys.map_or_else(|| self.place(name), |key| key.span.clone())
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
        let known = configuration.names();
        let mut diagnostics = Vec::new();
        for name in function.environment.keys().chain(function.secrets.keys()) {
            match configuration.property(name) {
                None if READ_BY_RUST.contains(&name.as_str()) || self.is_of_route(name) => {}
                // A function may well read what its schema does not name: then only a slip of the pen is told.
                None if !configuration.takes_others() || closest(name, &known).is_some() => {
                    let message = format!("function `{entry}` reads no variable `{name}`");
                    let hint = choose(name, "variables that it reads", &known);
                    let diagnostic = Diagnostic::new(self.key_of(name), message).with_hint(hint).concealed();
                    diagnostics.push(Diagnostic { is_warning: configuration.takes_others(), ..diagnostic });
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

    /// Returns whether a variable has the secret of a route that invokes the function: the declaration names it, and no schema.
    fn is_of_route(&self, name: &str) -> bool {
        let mut routes = self.declaration.apis.values().flat_map(|api| &api.routes);
        self.function.secrets.contains_key(name)
            && routes.any(|route| route.invoke == self.entry && route.authentication.secret == name)
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
            let is_warning = !configuration.is_whole && !configuration.property(name).is_some_and(protects);
            let diagnostic = Diagnostic { is_warning, ..Diagnostic::new(self.place(name), message).concealed() };
            self.explained(diagnostic, name, "")
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
        let Self { entry, function, .. } = self;
        let needed = self.applying().filter_map(|condition| condition.pointer("/then/writes")?.as_array());
        let needed: BTreeSet<&str> = needed.flatten().filter_map(Value::as_str).collect();
        let may_write = |end: &str| function.writes.iter().any(|place| place.prefix.ends_with(end));
        let missing: Vec<&str> = needed.into_iter().filter(|end| !may_write(end)).collect();
        if missing.is_empty() {
            return Vec::new();
        }
        let bucket = function.reads.first().map_or("mail", |place| &place.bucket);
        let names: Vec<_> = missing.iter().map(|end| format!("`{end}`")).collect();
        let message = format!("function `{entry}` may not write below {}, as it has to", names.join(" and "));
        let added = missing.iter().map(|end| (bucket, *end));
        vec![Diagnostic::new(self.lacking(), message).with_hint(line("writes", &function.writes, added))]
    }

    /// Returns the conditions of the schema that this environment fulfils.
    fn applying(&self) -> impl Iterator<Item = &Value> {
        let given = self.given(&self.secrets());
        let conditions = self.configuration.schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        conditions.filter(move |condition| {
            let condition = condition.get("if").and_then(|condition| jsonschema::validator_for(condition).ok());
            condition.is_some_and(|condition| condition.is_valid(&given))
        })
    }

    /// Notes mails that the function is invoked for and cannot read: it would not even start.
    fn mails(&self) -> Vec<Diagnostic> {
        let Self { root, declaration, entry, function, configuration } = self;
        // That a rule stores the mail where a function with such rights reads is checked for every function.
        if configuration.schema.get("mail") != Some(&json!(true)) || !function.reads.is_empty() {
            return Vec::new();
        }
        let mut diagnostics = Vec::new();
        for (index, rule) in declaration.receipt_rules.iter().enumerate() {
            let Some(place) = rule.invokes(entry) else { continue };
            let stored: Vec<(&str, &str)> = rule.stores(place).collect();
            let (span, message, hint) = match stored.first() {
                None => (
                    action_span(root, index, place, "invoke"),
                    format!(
                        "function `{entry}` reads the mail that it is invoked for, and rule `{}` stores it nowhere",
                        rule.name
                    ),
                    "put `{store: BUCKET}` before it, and write `reads: [BUCKET]` in the function".to_owned(),
                ),
                Some(_) => (
                    self.lacking(),
                    format!("function `{entry}` may not read the mail that rule `{}` stores for it", rule.name),
                    line("reads", &[], stored.iter().copied()),
                ),
            };
            diagnostics.push(Diagnostic::new(span, message).with_hint(hint));
        }
        diagnostics
    }

    /// Notes mails that the function deletes with this environment, and that it may not delete.
    fn deletions(&self) -> Vec<Diagnostic> {
        let Self { declaration, entry, function, .. } = self;
        let deletes = |condition: &&Value| condition.pointer("/then/deletes") == Some(&json!(true));
        let flags =
            self.applying().filter(deletes).filter_map(|condition| condition.pointer("/if/properties")?.as_object());
        let Some(flag) = flags.flat_map(Map::keys).find(|flag| function.environment.contains_key(*flag)) else {
            return Vec::new();
        };
        let covers = |places: &[Place], (bucket, prefix): (&str, &str)| {
            places.iter().any(|place| place.bucket == bucket && prefix.starts_with(&place.prefix))
        };
        let mut missing: Vec<(&str, &str)> = Vec::new();
        for rule in &declaration.receipt_rules {
            let Some(invokes) = rule.invokes(entry) else { continue };
            for place in rule.stores(invokes).filter(|place| covers(&function.reads, *place)) {
                if !covers(&function.deletes, place) && !missing.contains(&place) {
                    missing.push(place);
                }
            }
        }
        if missing.is_empty() {
            return Vec::new();
        }
        let message = format!("`{flag}` lets function `{entry}` delete mails, and it has no right to");
        vec![Diagnostic::new(self.place(flag), message).with_hint(line("deletes", &function.deletes, missing))]
    }

    /// Notes servers that run the function, whose code is for Lambda alone: it would end as soon as it starts.
    fn workers(&self) -> Vec<Diagnostic> {
        let Self { root, declaration, entry, function, configuration } = self;
        if configuration.may_be_worker() {
            return Vec::new();
        }
        let told = declaration.runners(entry).map(|(server, _)| {
            let message = format!("server `{server}` cannot run function `{entry}`: `{}` is for Lambda alone", function.code);
            let hint = "remove `runs`; or let the crate take from a queue by itself, as `tracking` does, and say so in its `configuration.json`: `\"worker\": true`";
            Diagnostic::new(span_of(root, &["servers", server, "runs"]), message).with_hint(hint)
        });
        told.collect()
    }

    /// Adds the description of a variable, if there is one, as the hint.
    fn explained(&self, diagnostic: Diagnostic, name: &str, before: &str) -> Diagnostic {
        match self.configuration.property(name).and_then(|property| property.get("description")?.as_str()) {
            Some(says) => diagnostic.with_hint(format!("{before}{says}")),
            None => diagnostic,
        }
    }
}

/// Returns the line that declares places: those that are there, and further ones by bucket and prefix.
fn line<'place>(
    key: &str,
    there: &'place [Place],
    added: impl IntoIterator<Item = (&'place str, &'place str)>,
) -> String {
    let shown = |(bucket, prefix): (&str, &str)| match prefix {
        "" => bucket.to_owned(),
        _ => format!("{{bucket: {bucket}, prefix: {prefix}}}"),
    };
    let there = there.iter().map(|place| (place.bucket.as_str(), place.prefix.as_str()));
    format!("write `{key}: [{}]`", there.chain(added).map(shown).collect::<Vec<_>>().join(", "))
}

/// Returns whether another value harms somebody, whatever the function does with it: a secret, an address that needs TLS.
fn protects(property: &Value) -> bool {
    is_secret(property) || property.get("pattern").and_then(Value::as_str).is_some_and(|form| form.contains("https://"))
}

/// Returns whether a variable holds a secret, by its description.
fn is_secret(property: &Value) -> bool {
    property.get("secret") == Some(&json!(true))
}
