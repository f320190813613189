//! Renders what deployed functions reach: a line for each part, with its fault.

use std::{collections::BTreeMap, fmt::Write as _};

use console::Style;
use contract::probe::Check;
use serde_json::json;

use super::{
    Printer, VERSION, invoke,
    look::{Look, clean},
};
use crate::ops::probe::Asked;

/// Prints what each function answered, by entry.
pub(crate) fn answers(printer: &Printer, all: &BTreeMap<String, Asked>) -> anyhow::Result<()> {
    if printer.is_json() {
        printer.data(&serde_json::to_string(&json!({"version": VERSION, "functions": all}))?);
        return Ok(());
    }
    for (entry, asked) in all {
        printer.data(text(entry, asked, printer.look()).trim_end());
    }
    Ok(())
}

/// Prints that functions could be asked, and were not.
pub(crate) fn tried(printer: &Printer, entries: &[String]) {
    if printer.is_json() {
        let functions: BTreeMap<&String, _> =
            entries.iter().map(|entry| (entry, json!({"outcome": "not_invoked"}))).collect();
        printer.data(&json!({"version": VERSION, "functions": functions}).to_string());
        return;
    }
    for entry in entries {
        invoke::tried(printer, entry);
    }
}

fn text(entry: &str, asked: &Asked, look: &Look) -> String {
    let mut text = format!("{entry}\n");
    if let Some(fault) = &asked.fault {
        let _ = writeln!(text, "  {} {}", look.paint(Style::new().red().bold(), "wrong:"), clean(fault));
    } else if asked.checks.is_empty() {
        text.push_str("  it uses nothing that it could try\n");
    }
    let width = asked.checks.iter().map(|check| check.what.chars().count()).max().unwrap_or_default();
    for check in &asked.checks {
        text.push_str(&line(check, width, look));
    }
    text
}

fn line(check: &Check, width: usize, look: &Look) -> String {
    let what = format!("{:<width$}", clean(&check.what));
    let reason = check.reason.as_deref().map(clean);
    match (check.ok, reason) {
        (true, None) => format!("  {what} {}\n", look.paint(Style::new().green(), "fine")),
        (true, Some(reason)) => format!("  {what} {}: {reason}\n", look.paint(Style::new().green(), "fine")),
        (false, reason) => {
            let reason = reason.unwrap_or_else(|| "no reason was given".to_owned());
            format!("  {what} {} {reason}\n", look.paint(Style::new().red().bold(), "wrong:"))
        }
    }
}
