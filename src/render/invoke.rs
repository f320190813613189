//! Renders an invocation: the answer is data; the log and the durations go to standard error.

use console::Style;
use serde_json::{Value, json};

use super::{Printer, VERSION, logs, look::clean};
use crate::ops::invocation::{Answer, Timings};

/// Prints an answer: the function's own, or the one JSON document with log and durations.
pub(crate) fn answered(printer: &Printer, function: &str, answer: &Answer) -> serde_json::Result<()> {
    if printer.is_json() {
        let outcome = if answer.error.is_some() { "failed" } else { "succeeded" };
        let document = json!({
            "version": VERSION,
            "function": function,
            "outcome": outcome,
            "error": answer.error,
            "payload": answer.payload,
            "log": answer.log,
            "timings": answer.timings,
        });
        printer.data(&serde_json::to_string(&document)?);
        return Ok(());
    }
    for line in &answer.log {
        for line in logs::readable(line, &printer.errors) {
            printer.line(&format!("{function} | {line}"));
        }
    }
    // Pretty JSON escapes control characters by itself; a plain text must be cleaned.
    match &answer.payload {
        Value::String(text) => printer.data(&clean(text)),
        other => printer.data(&serde_json::to_string_pretty(other)?),
    }
    printer.line(&format!("{function}: {}, {}", outcome(answer, printer), took(&answer.timings)));
    Ok(())
}

/// Prints that Lambda has accepted an event.
pub(crate) fn taken(printer: &Printer, function: &str, request_id: Option<&str>) {
    if printer.is_json() {
        let document = json!({"version": VERSION, "function": function, "outcome": "taken", "request_id": request_id});
        printer.data(&document.to_string());
        return;
    }
    let request = request_id.map(|id| format!(" (request {})", clean(id))).unwrap_or_default();
    printer
        .line(&format!("{function}: Lambda has taken the event{request}; `provision logs {function}` shows the rest"));
}

/// Prints that a function could be invoked, and was not.
pub(crate) fn tried(printer: &Printer, function: &str) {
    if printer.is_json() {
        printer.data(&json!({"version": VERSION, "function": function, "outcome": "not_invoked"}).to_string());
        return;
    }
    printer.line(&format!("{function}: Lambda would invoke it; nothing was invoked"));
}

fn outcome(answer: &Answer, printer: &Printer) -> String {
    let Some(error) = &answer.error else { return "succeeded".to_owned() };
    let text = |key: &str| answer.payload.get(key).and_then(Value::as_str);
    let words = match (text("errorType"), text("errorMessage")) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (None, Some(message)) => message.to_owned(),
        _ => error.clone(),
    };
    format!("{}: {}", printer.errors.paint(Style::new().red().bold(), "failed"), clean(&words))
}

/// Formats durations: `3.2 ms (billed 4 ms, started in 9.9 ms, 30 of 128 MB), 41.0 ms from here`.
fn took(timings: &Timings) -> String {
    let mut inside = Vec::new();
    inside.extend(timings.billed_ms.map(|billed| format!("billed {billed} ms")));
    inside.extend(timings.start_ms.map(|start| format!("started in {start:.1} ms")));
    inside.extend(timings.used_mb.zip(timings.memory_mb).map(|(used, memory)| format!("{used} of {memory} MB")));
    let inside = if inside.is_empty() { String::new() } else { format!(" ({})", inside.join(", ")) };
    let duration = timings.duration_ms.map(|duration| format!("{duration:.1} ms{inside}, ")).unwrap_or_default();
    format!("{duration}{:.1} ms from here", timings.total_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_far_as_they_are_known() {
        let mut timings = Timings { total_ms: 41.04, ..Timings::default() };
        assert_eq!(took(&timings), "41.0 ms from here");
        timings.duration_ms = Some(3.21);
        assert_eq!(took(&timings), "3.2 ms, 41.0 ms from here");
        timings = Timings {
            billed_ms: Some(4.0),
            start_ms: Some(9.87),
            memory_mb: Some(128.0),
            used_mb: Some(30.0),
            ..timings
        };
        assert_eq!(took(&timings), "3.2 ms (billed 4 ms, started in 9.9 ms, 30 of 128 MB), 41.0 ms from here");
    }
}
