//! `provision schema`: the JSON Schema of declarations, for editors.

use std::process::ExitCode;

use crate::{declaration, render::Printer};

pub(super) fn run(printer: &Printer) -> anyhow::Result<ExitCode> {
    printer.data(&serde_json::to_string_pretty(&declaration::schema())?);
    Ok(ExitCode::SUCCESS)
}
