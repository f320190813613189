//! Renders that a function was paused or resumed.

use serde_json::json;

use super::{Printer, VERSION};

/// A function that was paused or resumed.
pub(crate) struct Switched<'typed> {
    pub(crate) function: &'typed str,
    /// Entry name of its queue.
    pub(crate) queue: &'typed str,
    /// Time since which it is paused, RFC 3339 in UTC; `None` if it is not.
    pub(crate) paused: Option<&'typed str>,
}

/// Prints what was done, or would be.
pub(crate) fn outcome(printer: &Printer, switched: &Switched<'_>, is_dry: bool) {
    let Switched { function, queue, paused } = switched;
    if printer.is_json() {
        let document = json!({
            "version": VERSION,
            "function": function,
            "queue": queue,
            "paused_since": paused,
            "dry_run": is_dry,
        });
        printer.data(&document.to_string());
        return;
    }
    let would = if is_dry { "would be " } else { "" };
    printer.data(&match paused {
        Some(_) => format!("{function}: {would}paused; queue `{queue}` keeps what comes"),
        None => format!("{function}: {would}resumed; it takes the messages of queue `{queue}`"),
    });
}
