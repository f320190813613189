//! Renders the check of a NetBox: a line for each part, with its fault and what to do about it.

use std::{collections::BTreeMap, fmt::Write as _};

use console::Style;
use serde_json::json;

use super::{
    Printer, VERSION,
    look::{Look, clean},
};
use crate::ops::netbox::{Check, Findings};

/// Prints the findings by address.
pub(crate) fn findings(printer: &Printer, all: &BTreeMap<String, Findings>) -> anyhow::Result<()> {
    if printer.is_json() {
        printer.data(&serde_json::to_string(&json!({"version": VERSION, "netboxes": all}))?);
        return Ok(());
    }
    for (url, findings) in all {
        printer.data(text(url, findings, printer.look()).trim_end());
    }
    Ok(())
}

fn text(url: &str, findings: &Findings, look: &Look) -> String {
    let mut text = clean(url);
    if let Some(version) = &findings.netbox {
        let _ = write!(text, ", NetBox {}", clean(version));
    }
    if let Some(plugin) = &findings.plugin {
        let _ = write!(text, ", {}", clean(plugin));
    }
    text.push('\n');
    for check in &findings.checks {
        text.push_str(&line(check, look));
    }
    text
}

fn line(check: &Check, look: &Look) -> String {
    let subject = format!("{:<14}", check.subject);
    let Some(fault) = &check.fault else {
        let detail = check.detail.as_deref().map(|detail| format!(": {}", clean(detail))).unwrap_or_default();
        return format!("  {subject} {}{detail}\n", look.paint(Style::new().green(), "fine"));
    };
    let mut line = format!("  {subject} {} {}\n", look.paint(Style::new().red().bold(), "wrong:"), clean(fault));
    if let Some(hint) = &check.hint {
        let _ = writeln!(line, "  {:<14} {} {}", "", look.paint(Style::new().cyan().bold(), "hint:"), clean(hint));
    }
    line
}
