//! `provision schema`: the JSON Schema of declarations, for editors; or what is managed, for whoever wants to know what `diff`
//! compares.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::{
    cli::Schema,
    render::{Printer, VERSION},
};
use kinds::Kind;

pub(super) fn run(printer: &Printer, typed: &Schema) -> anyhow::Result<ExitCode> {
    let document = if typed.fields { fields() } else { declaration::schema() };
    printer.data(&serde_json::to_string_pretty(&document)?);
    Ok(ExitCode::SUCCESS)
}

/// Every managed field of every kind of resource, and how a change of it is treated.
fn fields() -> Value {
    let kinds = Kind::ALL.iter().map(|kind| {
        let fields = kind.fields().iter().map(|field| json!({"path": field.path, "treatment": field.treatment}));
        json!({"kind": kind.name(), "fields": fields.collect::<Vec<_>>()})
    });
    json!({"version": VERSION, "kinds": kinds.collect::<Vec<_>>()})
}
