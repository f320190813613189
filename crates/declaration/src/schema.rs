//! The JSON Schema of a declaration, for editors: made from the tables that the declaration is read by.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    scalars,
    sections::ROOT,
    shape::{Field, Form, Holds, Kind, Shape},
};

/// Returns the schema as a document (JSON Schema 2020-12).
pub fn schema() -> Value {
    let mut definitions = Definitions::default();
    let Value::Object(root) = definitions.shape(&ROOT, Layer::Base) else { return Value::Null };
    let mut document = Map::from_iter([
        ("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema")),
        ("title".to_owned(), json!("A declaration of provision")),
    ]);
    document.extend(root);
    document.insert("$defs".to_owned(), Value::Object(definitions.done.into_iter().collect()));
    Value::Object(document)
}

/// The layer of a mapping: an overlay of a stage need not be complete, and removes with `null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Base,
    Stage,
}

/// The shapes that were met, by the names of their definitions.
#[derive(Debug, Default)]
struct Definitions {
    done: BTreeMap<String, Value>,
}

impl Definitions {
    /// Returns a reference to the definition of a mapping, which is added if it is new.
    fn mapping(&mut self, shape: &'static Shape, layer: Layer) -> Value {
        let name = match layer {
            Layer::Base => shape.name.to_owned(),
            Layer::Stage => format!("stage_{}", shape.name),
        };
        if !self.done.contains_key(&name) {
            // Inserted first, since a shape may contain itself.
            self.done.insert(name.clone(), Value::Null);
            let definition = self.shape(shape, layer);
            self.done.insert(name.clone(), definition);
        }
        json!({"$ref": format!("#/$defs/{name}")})
    }

    fn shape(&mut self, shape: &'static Shape, layer: Layer) -> Value {
        let mut properties = Map::new();
        for field in shape.keys.iter().filter(|field| layer == Layer::Base || !is_of_the_base_alone(shape, field)) {
            properties.insert(field.name.to_owned(), self.field(field, layer));
        }
        let required: Vec<_> =
            shape.keys.iter().filter(|field| field.required.is_some()).map(|field| field.name).collect();
        let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
        if layer == Layer::Base && !required.is_empty() {
            insert(&mut schema, "required", json!(required));
        } else {
            // An entry whose keys are all optional may be left empty.
            insert(&mut schema, "type", json!(["object", "null"]));
        }
        schema
    }

    fn field(&mut self, field: &'static Field, layer: Layer) -> Value {
        let mut schema = self.holds(&field.holds, layer);
        if layer == Layer::Stage {
            schema = or_null(&schema);
        }
        insert(&mut schema, "description", json!(field.says));
        if let Some(default) = field.default {
            insert(&mut schema, "default", default_of(&field.holds, default));
        }
        schema
    }

    fn holds(&mut self, holds: &'static Holds, layer: Layer) -> Value {
        match holds {
            Holds::Text(form) => text(form),
            Holds::Switch => json!({"type": "boolean"}),
            Holds::Duration(..) => json!({"type": "string", "pattern": "^[0-9]+ *[smhd]$"}),
            Holds::Days => json!({"type": "string", "pattern": "^[0-9]+ *[smhd]$", "examples": ["400d"]}),
            Holds::OneOfDays(days) => {
                let days: Vec<_> = days.iter().map(|days| format!("{days}d")).collect();
                json!({"type": "string", "pattern": "^[0-9]+ *[smhd]$", "examples": days})
            }
            Holds::Size(..) => json!({"type": "string", "pattern": "^[0-9]+ *(MB|MiB|GB|GiB)$"}),
            Holds::Number(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
            Holds::Word(words) => json!({"enum": words()}),
            Holds::Reference(kind) => reference(*kind),
            Holds::ReferenceOr(kind, form) => json!({"anyOf": [reference(*kind), text(form)]}),
            // A stage replaces a list as a whole.
            Holds::List(item) => json!({"type": "array", "items": self.holds(item, Layer::Base)}),
            Holds::Entries(shape) => {
                let entry = self.mapping(shape, layer);
                let entry = if layer == Layer::Stage { or_null(&entry) } else { entry };
                entries(&entry, scalars::NAME)
            }
            Holds::Chosen(form, value) => {
                let value = self.holds(value, layer);
                entries(&if layer == Layer::Stage { or_null(&value) } else { value }, *form)
            }
            Holds::Mapping(shape) => self.mapping(shape, layer),
            Holds::AnyOf(forms) => {
                let forms: Vec<_> = forms.iter().map(|form| self.holds(form, layer)).collect();
                json!({"anyOf": forms})
            }
            Holds::Stages => entries(&self.mapping(&ROOT, Layer::Stage), scalars::NAME),
        }
    }
}

/// Returns whether only the base may have a key: a stage has the stack's name, and no stages.
fn is_of_the_base_alone(shape: &Shape, field: &Field) -> bool {
    std::ptr::eq(shape, &raw const ROOT) && (field.name == "stack" || matches!(field.holds, Holds::Stages))
}

/// Returns the schema of a text; a value that YAML takes for a number or a boolean is a text too.
fn text(form: &Form) -> Value {
    if form.pattern.is_empty() {
        return json!({"type": ["string", "number", "boolean"]});
    }
    json!({"type": ["string", "number", "boolean"], "pattern": form.pattern})
}

fn reference(kind: Kind) -> Value {
    let mut schema = text(&scalars::NAME);
    insert(&mut schema, "description", json!(format!("an entry of `{}`", kind.section())));
    schema
}

fn entries(value: &Value, names: Form) -> Value {
    let names = json!({"pattern": names.pattern});
    json!({"type": ["object", "null"], "propertyNames": names, "additionalProperties": value})
}

fn or_null(schema: &Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

fn insert(schema: &mut Value, key: &str, value: Value) {
    if let Value::Object(schema) = schema {
        schema.insert(key.to_owned(), value);
    }
}

/// Returns a default as JSON has it.
fn default_of(holds: &Holds, default: &str) -> Value {
    match holds {
        Holds::Switch | Holds::Number(..) => serde_json::from_str(default).unwrap_or_default(),
        _ => json!(default),
    }
}
