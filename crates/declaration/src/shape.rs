//! The grammar of a declaration, as tables: each mapping's keys, the values that they hold, and their defaults.
//!
//! Reading and the JSON Schema are both made from these tables, so that neither can know a key that the other does not.

use std::time::Duration;

/// A mapping whose keys are known.
#[derive(Debug)]
pub(super) struct Shape {
    /// Name of its definition in the schema.
    pub(super) name: &'static str,
    /// Keys, in the order of messages and documents. Of several shapes that may be in one place, the first key tells which
    /// it is.
    pub(super) keys: &'static [Field],
}

/// A key of a mapping.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) holds: Holds,
    /// Description for editors and readers of the schema.
    pub(super) says: &'static str,
    /// Example of the value, for hints, if the key is required; `None` if it is optional.
    pub(super) required: Option<&'static str>,
    /// Default, as it would be written; `None` if there is none.
    pub(super) default: Option<&'static str>,
}

impl Field {
    /// Returns an optional key.
    pub(super) const fn new(name: &'static str, holds: Holds, says: &'static str) -> Self {
        Self { name, holds, says, required: None, default: None }
    }

    /// Returns the key as a required one, with an example of its value.
    pub(super) const fn required(self, example: &'static str) -> Self {
        Self { required: Some(example), ..self }
    }

    /// Returns the key with this default.
    pub(super) const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }
}

/// The values that a key may hold.
#[derive(Debug)]
pub(super) enum Holds {
    /// A text of some form.
    Text(Form),
    /// A boolean: `true` or `false`.
    Switch,
    /// `30s`, `15m`, `12h`, `14d`, within bounds.
    Duration(Duration, Duration),
    /// A number of whole days: `400d`.
    Days,
    /// `30d`: one of these numbers of days.
    OneOfDays(&'static [u16]),
    /// `256MB`, within bounds in MiB.
    Size(u32, u32),
    /// A whole number within bounds.
    Number(u32, u32),
    /// One of a few words.
    Word(fn() -> Vec<&'static str>),
    /// The name of an entry.
    Reference(Kind),
    /// The name of an entry, or a text of some form.
    ReferenceOr(Kind, Form),
    /// A list of such values.
    List(&'static Holds),
    /// A mapping of entries by name.
    Entries(&'static Shape),
    /// Keys of a form that a person chooses, and what each holds.
    Chosen(Form, &'static Holds),
    /// A mapping whose keys are known.
    Mapping(&'static Shape),
    /// One of several forms.
    AnyOf(&'static [Holds]),
    /// The overlays of the stages, by name.
    Stages,
}

/// The form of a text, for messages and the schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// Expectation, as messages state it.
    pub(super) what: &'static str,
    /// Regular expression for the schema, which need not be as strict as the reader; empty accepts every text.
    pub(super) pattern: &'static str,
}

/// The kinds of entries and references.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Bucket,
    Function,
    Queue,
    Topic,
    Api,
    Secret,
    Table,
    Cluster,
    ConfigurationSet,
    Database,
    Network,
    SecurityGroup,
    Cache,
    Server,
}

impl Kind {
    /// Every kind of entry, in order.
    pub(super) const ALL: [Self; 14] = [
        Self::Bucket,
        Self::Function,
        Self::Queue,
        Self::Topic,
        Self::Api,
        Self::Secret,
        Self::Table,
        Self::Cluster,
        Self::ConfigurationSet,
        Self::Database,
        Self::Network,
        Self::SecurityGroup,
        Self::Cache,
        Self::Server,
    ];

    /// Returns the kind as a word in a sentence.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Function => "function",
            Self::Queue => "queue",
            Self::Topic => "topic",
            Self::Api => "api",
            Self::Secret => "secret",
            Self::Table => "table",
            Self::Cluster => "cluster",
            Self::ConfigurationSet => "configuration set",
            Self::Database => "database",
            Self::Network => "network",
            Self::SecurityGroup => "security group",
            Self::Cache => "cache",
            Self::Server => "server",
        }
    }

    /// Returns the kind as it is typed before an entry's name.
    pub(super) fn typed(self) -> String {
        self.word().replace(' ', "-")
    }

    /// Returns the kind as one of many: "a bucket".
    pub(super) const fn one(self) -> &'static str {
        match self {
            Self::Bucket => "a bucket",
            Self::Function => "a function",
            Self::Queue => "a queue",
            Self::Topic => "a topic",
            Self::Api => "an api",
            Self::Secret => "a secret",
            Self::Table => "a table",
            Self::Cluster => "a cluster",
            Self::ConfigurationSet => "a configuration set",
            Self::Database => "a database",
            Self::Network => "a network",
            Self::SecurityGroup => "a security group",
            Self::Cache => "a cache",
            Self::Server => "a server",
        }
    }

    /// Returns the section that declares entries of this kind.
    pub(super) const fn section(self) -> &'static str {
        match self {
            Self::Bucket => "buckets",
            Self::Function => "functions",
            Self::Queue => "queues",
            Self::Topic => "topics",
            Self::Api => "apis",
            Self::Secret => "secrets",
            Self::Table => "tables",
            Self::Cluster => "clusters",
            Self::ConfigurationSet => "configuration_sets",
            Self::Database => "databases",
            Self::Network => "networks",
            Self::SecurityGroup => "security_groups",
            Self::Cache => "caches",
            Self::Server => "servers",
        }
    }
}

/// A value that is written as one of a few words.
pub(super) trait Word: Copy + 'static {
    /// Every word with its meaning.
    const WORDS: &'static [(&'static str, Self)];
}

/// Returns the words without their meanings.
pub(super) fn words<T: Word>() -> Vec<&'static str> {
    T::WORDS.iter().map(|(word, _)| *word).collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use serde_json::Value;

    use super::*;
    use crate::{Checked, Declaration, sections::ROOT};

    /// Collects every key of the tables that can be reached from a shape.
    fn keys(shape: &'static Shape, found: &mut BTreeSet<(&'static str, &'static str)>) {
        for field in shape.keys.iter().filter(|field| field.name != "stages") {
            if found.insert((shape.name, field.name)) {
                for inner in shapes(&field.holds) {
                    keys(inner, found);
                }
            }
        }
    }

    fn shapes(holds: &'static Holds) -> Vec<&'static Shape> {
        match holds {
            Holds::Mapping(shape) | Holds::Entries(shape) => vec![shape],
            Holds::List(item) | Holds::Chosen(_, item) => shapes(item),
            Holds::AnyOf(forms) => forms.iter().flat_map(shapes).collect(),
            _ => Vec::new(),
        }
    }

    /// Collects every key of the tables that occurs in a value, with its path.
    fn places(holds: &'static Holds, value: &Value, path: &str, found: &mut Vec<(String, &'static str, &'static str)>) {
        match (holds, value) {
            (Holds::Mapping(shape), Value::Object(entries)) => {
                for field in shape.keys {
                    let Some(inner) = entries.get(field.name) else { continue };
                    let path = format!("{path}/{}", field.name);
                    places(&field.holds, inner, &path, found);
                    found.push((path, shape.name, field.name));
                }
            }
            (Holds::Entries(shape), Value::Object(entries)) => {
                for (name, inner) in entries {
                    let one: &'static Holds = Box::leak(Box::new(Holds::Mapping(shape)));
                    places(one, inner, &format!("{path}/{name}"), found);
                }
            }
            (Holds::Chosen(_, item), Value::Object(entries)) => {
                for (name, inner) in entries {
                    places(item, inner, &format!("{path}/{}", name.replace('/', "~1")), found);
                }
            }
            (Holds::List(item), Value::Array(items)) => {
                for (index, inner) in items.iter().enumerate() {
                    places(item, inner, &format!("{path}/{index}"), found);
                }
            }
            (Holds::AnyOf(forms), Value::Object(entries)) => {
                let fits =
                    |form: &&Holds| matches!(form, Holds::Mapping(shape) if entries.contains_key(shape.keys[0].name));
                forms.iter().filter(fits).for_each(|form| places(form, value, path, found));
            }
            _ => {}
        }
    }

    fn read(declaration: &Value) -> Option<Checked> {
        Declaration::parse(Path::new("infra.yaml"), declaration.to_string().as_bytes(), None).ok()
    }

    #[test]
    fn every_key_of_the_tables_has_an_effect() {
        const FULL: &str = include_str!("../../../tests/all/validate/full.yaml");
        let all = "{errors: 2, throttles: 2, duration: 2, undelivered: 2, messages: 2, age: 2, server_errors: 2, backlog: 2, bounces: 2, complaints: 2, lag: 2, database_cpu: 2, database_storage: 2, database_connections: 2, cache_cpu: 2, cache_memory: 2, cache_evictions: 2, server_cpu: 2, server_status: 3}";
        let with_all = FULL.replace("  off: [throttles]\n", "").replace("{errors: 5, age: 25}", all);
        // Bounces are heard of one source alone: here of the identity.
        let with_all = with_all
            .replace("types: [bounce, delivery_delay]", "types: [delivery_delay]")
            .replace("{feedback: {delivery: events}}", "{feedback: {bounce: events, delivery: events}}")
            // A function that a server runs is nothing for anybody else.
            .replace("queues:\n", "  recorder: {use: tracking, architecture: arm64, consumes: {queue: recorded}}\nqueues:\n  recorded: {visibility_timeout: 3m}\n")
            // What names subnets in the one names a network in the other, to which the server has no way.
            .replace("    databases: [store]\n    deletion", "    runs: recorder\n    deletion")
            .replace("subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b]", "network: company");
        assert!(with_all.contains(all));
        let root = Holds::Mapping(&ROOT);
        let root: &'static Holds = Box::leak(Box::new(root));
        let mut seen = BTreeSet::new();
        for source in [FULL, &with_all] {
            let full: Value = serde_yaml::from_str(source).unwrap();
            let sound = read(&full).expect("it is sound");
            let mut found = Vec::new();
            places(root, &full, "", &mut found);
            for (path, shape, key) in found {
                let mut without = full.clone();
                let (parent, _) = path.rsplit_once('/').unwrap();
                without.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
                assert_ne!(read(&without).as_ref(), Some(&sound), "nothing changes without `{path}`");
                seen.insert((shape, key));
            }
        }
        let mut known = BTreeSet::new();
        keys(&ROOT, &mut known);
        assert_eq!(known.difference(&seen).collect::<Vec<_>>(), Vec::<&(&str, &str)>::new(), "not in the declarations");
    }
}
