//! `secrets`: existing secrets are named, ours get their value from elsewhere. No value is ever in a declaration.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    protection::{KMS_KEY, PROTECT_DATA, protect},
    reader::{Reader, Wrong, word},
    scalars,
    shape::{Field, Holds, Shape, Word, words},
    tags::{TAGS, tags},
    tree::{Key, Node, Value},
};

/// A secret in Secrets Manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Origin of the secret.
    pub source: SecretSource,
    /// Description for people; empty for an existing secret.
    pub description: String,
    /// ARN of the KMS key that encrypts it; `None` is that of the stack.
    pub kms_key: Option<String>,
    /// `true` to delete or replace it only by name, `false` to protect it no longer; `None` leaves that to the kind.
    pub protect: Option<bool>,
    /// Tags of the secret; they override the stack's. Empty for an existing secret.
    pub tags: BTreeMap<String, String>,
}

/// The origins of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// An existing secret, by its name in Secrets Manager: it is read, and never changed.
    Existing(String),
    /// A secret that the stack creates: its value is read from here at creation, and on request.
    Created(ValueFrom),
}

/// The sources of a secret's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueFrom {
    /// A file, relative to the declaration; a line end at its end is not part of the value.
    File(PathBuf),
    /// Environment variable of the process that runs `provision`.
    Environment(String),
    /// The value is read from standard input.
    Stdin,
}

pub(super) static SHAPE: Shape = Shape {
    name: "secret",
    keys: &[
        Field::new(
            "existing",
            Holds::Text(scalars::SECRET),
            "Name in Secrets Manager of an existing secret. It is read and never changed.",
        ),
        Field::new(
            "value_from",
            Holds::AnyOf(&[Holds::Word(words::<Input>), Holds::Mapping(&FROM_FILE), Holds::Mapping(&FROM_ENVIRONMENT)]),
            "Source of the value of a secret that the stack creates. Never the value itself.",
        ),
        Field::new("description", Holds::Text(scalars::LINE), "Description for people.").or(""),
        KMS_KEY,
        PROTECT_DATA,
        TAGS,
    ],
};

static FROM_FILE: Shape = Shape {
    name: "value_from_file",
    keys: &[Field::new("file", Holds::Text(scalars::PATH), "Path of a file, relative to the declaration.")
        .required("token.txt")],
};

static FROM_ENVIRONMENT: Shape = Shape {
    name: "value_from_environment",
    keys: &[Field::new(
        "environment",
        Holds::Text(scalars::VARIABLE),
        "Environment variable of the process that runs `provision`.",
    )
    .required("NETBOX_TOKEN")],
};

/// Standard input, the one source without a name.
#[derive(Debug, Clone, Copy)]
struct Input;

impl Word for Input {
    const WORDS: &'static [(&'static str, Self)] = &[("stdin", Self)];
}

pub(super) fn read(reader: &mut Reader, key: &Key, node: &Node) -> Secret {
    let fields = &reader.fields(node, &key.span, format!("secret `{}`", key.name), &SHAPE);
    let existing = reader.text(fields, "existing", scalars::secret);
    let created = fields.get("value_from").and_then(|node| value_from(reader, node));
    match (fields.get("existing"), fields.entry("value_from")) {
        (None, None) if matches!(node.value, Value::Map(_) | Value::Null) => {
            let message = format!("{} has neither `existing` nor `value_from`", fields.subject);
            reader.diagnose(
                &fields.span,
                message,
                format!("add `value_from: {{environment: {}}}`", variable(&key.name)),
            );
        }
        (Some(_), Some((key, _))) => {
            let message = format!("{} cannot both exist and get a value", fields.subject);
            reader.diagnose(&key.span, message, "take `existing` or `value_from` away");
        }
        _ => {}
    }
    if fields.get("existing").is_some() && fields.get("value_from").is_none() {
        for (key, _) in ["description", "kms_key", "protect", "tags"].iter().filter_map(|name| fields.entry(name)) {
            let message = format!("a secret that exists stays as it is: `{}` cannot be declared for it", key.name);
            reader.diagnose(&key.span, message, "take it away");
        }
    }
    let source = match (existing, created) {
        (Some(name), _) => SecretSource::Existing(name),
        (None, value) => SecretSource::Created(value.unwrap_or(ValueFrom::Stdin)),
    };
    Secret {
        source,
        description: reader.text(fields, "description", scalars::line).unwrap_or_default(),
        kms_key: reader.text(fields, "kms_key", scalars::kms_key),
        protect: protect(reader, fields),
        tags: tags(reader, fields),
    }
}

/// Returns a variable that a secret may be read from, for an example.
fn variable(entry: &str) -> String {
    entry.to_ascii_uppercase().replace('-', "_")
}

fn value_from(reader: &mut Reader, node: &Node) -> Option<ValueFrom> {
    const FORMS: &str = "`{file: PATH}`, `{environment: VARIABLE}` or `stdin`";
    if !matches!(node.value, Value::Map(_)) {
        return reader.scalar(node, "value_from", FORMS, |text| match word::<Input>(text) {
            Some(Input) => Ok(ValueFrom::Stdin),
            None => Err(Wrong::default().hint("a declaration never contains a value: say where it is read from")),
        });
    }
    let fields = &reader.variant(node, "place of a value", &[&FROM_FILE, &FROM_ENVIRONMENT], &["stdin"])?;
    if fields.get("file").is_some() {
        return reader.text(fields, "file", scalars::path).map(ValueFrom::File);
    }
    let name = reader.text(fields, "environment", |text| scalars::variable(text).map_err(|_| Wrong::default()))?;
    Some(ValueFrom::Environment(name))
}
