//! Renders the outputs of a stack.

use serde_json::{Value, json};

use super::{Printer, VERSION, look::clean, plan::Heading};
use crate::ops::outputs::{Outputs, StackOutput};

/// Prints outputs: a line each, or the one JSON document.
pub(crate) fn outputs(printer: &Printer, heading: &Heading, outputs: &Outputs) {
    if printer.is_json() {
        printer.data(&json(heading, outputs).to_string());
        return;
    }
    for line in lines(outputs) {
        printer.data(&line);
    }
    for missing in &outputs.missing {
        printer.line(&format!("{missing} is not in the account; `provision up` creates it"));
    }
}

/// Returns a line for each output: kind and entry, then the value.
pub(super) fn lines(outputs: &Outputs) -> Vec<String> {
    let name = |output: &StackOutput| format!("{} {}", output.kind, output.entry).trim_end().to_owned();
    let width = outputs.present.iter().map(|output| name(output).chars().count()).max().unwrap_or_default();
    outputs.present.iter().map(|output| format!("{:<width$}   {}", name(output), clean(&output.value))).collect()
}

fn json(heading: &Heading, outputs: &Outputs) -> Value {
    json!({
        "version": VERSION,
        "account": heading.account,
        "region": heading.region,
        "outputs": outputs.present,
        "missing": outputs.missing,
    })
}
