//! `provision schema`: the JSON Schema of declarations or of plans, the reference of declarations as Markdown, or every field that
//! `diff` compares.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::{
    cli::Schema,
    render::{Printer, VERSION},
};
use kinds::Kind;

/// JSON Schema of the plans that `diff --json` prints.
const PLAN: &str = include_str!("../../docs/plan.schema.json");

pub(super) fn run(printer: &Printer, typed: &Schema) -> anyhow::Result<ExitCode> {
    if typed.markdown {
        printer.data(declaration::reference().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    if typed.plan {
        printer.data(PLAN.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let document = if typed.fields { fields() } else { declaration::schema() };
    printer.data(&serde_json::to_string_pretty(&document)?);
    Ok(ExitCode::SUCCESS)
}

/// Returns every managed field of every kind of resource, with the treatment of its changes and its relation to the life of data.
fn fields() -> Value {
    let kinds = Kind::ALL.iter().map(|kind| {
        let fields = kind
            .fields()
            .iter()
            .map(|field| json!({"path": field.path, "treatment": field.treatment, "life": field.life}));
        json!({"kind": kind.name(), "fields": fields.collect::<Vec<_>>()})
    });
    json!({"version": VERSION, "kinds": kinds.collect::<Vec<_>>()})
}
