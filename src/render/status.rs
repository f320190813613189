//! Renders the state of a stack: a line for each resource, then what concerns the whole.

use std::fmt::Write as _;

use console::Style;
use serde_json::json;

use super::{
    Printer, VERSION,
    look::{Look, clean},
    plan::Heading,
};
use crate::ops::{
    netbox::Findings,
    status::{LOOKED_BACK, LastMail, Receiving, Resource, State, Status},
};
use kinds::Kind;

/// Prints a status: lines, or the one JSON document.
pub(crate) fn status(printer: &Printer, heading: &Heading, status: &Status) -> anyhow::Result<()> {
    if printer.is_json() {
        let mut document = serde_json::to_value(status)?;
        if let Some(object) = document.as_object_mut() {
            object.insert("version".to_owned(), json!(VERSION));
            object.insert("account".to_owned(), json!(heading.account));
            object.insert("region".to_owned(), json!(heading.region));
            object.insert("counts".to_owned(), json!(counted(status)));
        }
        printer.data(&document.to_string());
        return Ok(());
    }
    printer.data(&printer.look().fit(&text(heading, status, printer.look())));
    Ok(())
}

impl State {
    /// Returns the state in words, and its colour; no word depends on the colour.
    fn words(self) -> (&'static str, Style) {
        match self {
            Self::Present => ("present", Style::new().green()),
            Self::Differs => ("differs", Style::new().yellow()),
            Self::Pending => ("pending", Style::new().yellow()),
            Self::Failed => ("failed", Style::new().red().bold()),
            Self::Absent => ("absent", Style::new().red()),
            Self::NotDeclared => ("not declared", Style::new().cyan()),
            Self::Foreign => ("not ours", Style::new().red()),
            Self::Unreadable => ("unreadable", Style::new().red().bold()),
        }
    }
}

/// Returns the number of resources in each state that occurs.
fn counted(status: &Status) -> std::collections::BTreeMap<&'static str, usize> {
    status.counts().into_iter().map(|(state, count)| (state.words().0, count)).collect()
}

fn text(heading: &Heading, status: &Status, look: &Look) -> String {
    let mut text = format!("{} → account {}, {}\n\n", clean(&heading.source), heading.account, heading.region);
    let name = |resource: &Resource| format!("{} {}", resource.kind.name(), clean(&resource.entry));
    let width = status.resources.iter().map(|resource| name(resource).chars().count()).max().unwrap_or(0);
    for resource in &status.resources {
        let (word, style) = resource.state.words();
        let word = look.paint(style, &format!("{word:<12}"));
        let known = clean(&details(resource, status).join(", "));
        let _ = writeln!(text, "{}", format!("  {:<width$}   {word} {known}", name(resource)).trim_end());
    }
    let mut whole: Vec<String> = status.receiving.iter().map(mail).collect();
    let cut_off = status.receiving.iter().flat_map(|receiving| &receiving.cut_off);
    whole.extend(cut_off.map(|finding| {
        let word = look.paint(Style::new().red().bold(), "cut off");
        format!("Mail: {word}: {}; {}", finding.what, finding.todo)
    }));
    whole.extend(status.last_mails.iter().map(last_mail));
    whole.push(match status.ringing.as_slice() {
        [] => "Alarms: none rings".to_owned(),
        ringing => format!("Alarms: {}: {}", look.paint(Style::new().red().bold(), "ringing"), ringing.join(", ")),
    });
    whole.extend(status.netboxes.iter().map(|(url, findings)| netbox(url, findings.as_ref())));
    whole.extend(status.unreadable.iter().map(|failure| format!("Unreadable: {failure}")));
    for line in whole {
        let _ = write!(text, "\n{}", clean(&line));
    }
    let counts: Vec<String> =
        status.counts().into_iter().map(|(state, count)| format!("{count} {}", state.words().0)).collect();
    let counts = if counts.is_empty() { "nothing is declared".to_owned() } else { counts.join(", ") };
    let _ = write!(text, "\n\nStatus: {counts}");
    text
}

/// Returns the details of a resource.
fn details(resource: &Resource, status: &Status) -> Vec<String> {
    let mut details: Vec<String> = resource.why.iter().cloned().collect();
    if resource.kind == Kind::Queue
        && let Some(depth) = status.queues.iter().find(|depth| depth.queue == resource.entry)
    {
        let counts = [(depth.waiting, "waiting"), (depth.in_flight, "in flight"), (depth.delayed, "delayed")];
        let is_told = |(position, (count, _)): &(usize, (u64, &str))| *position == 0 || *count > 0;
        let told = counts.into_iter().enumerate().filter(is_told);
        details.extend(told.map(|(_, (count, words))| format!("{count} {words}")));
    }
    if resource.kind == Kind::Function
        && let Some(running) = status.functions.iter().find(|running| running.function == resource.entry)
    {
        details.extend(running.state.clone().filter(|state| state != "Active"));
        let is_quiet = |update: &String| update != "Successful";
        details.extend(running.last_update.clone().filter(is_quiet).map(|update| format!("last update {update}")));
        details.extend(running.last_modified.as_ref().map(|time| format!("changed {time}")));
        details.extend(running.revision.as_ref().map(|revision| format!("revision {revision}")));
        details.extend(running.build.as_ref().map(|build| format!("build {build}")));
        details.extend(running.code_sha256.as_ref().map(|hash| format!("code {hash}")));
    }
    if resource.kind == Kind::Server
        && let Some(worker) = status.workers.iter().find(|worker| worker.server == resource.entry)
    {
        details.push(format!("runs {}", worker.function));
        details.extend(worker.code_sha256.as_ref().map(|hash| format!("code {hash}")));
    }
    details
}

fn mail(receiving: &Receiving) -> String {
    let Some(active) = &receiving.active_rule_set else {
        return "Mail: no rule set is active: SES takes no mail".to_owned();
    };
    let others = match receiving.foreign_rules {
        0 => String::new(),
        count => format!(" beside {count} of others"),
    };
    match receiving.rules.len() {
        0 => format!("Mail: rule set {active} is active, and none of the stack's rules is in it"),
        count => format!("Mail: rule set {active} is active, with {count} of the stack's rules{others}"),
    }
}

fn last_mail(last: &LastMail) -> String {
    let LastMail { function, at, unknown } = last;
    match (at, unknown) {
        (_, Some(failure)) => format!("Last mail for {function}: unknown: {failure}"),
        (Some(at), None) => format!("Last mail for {function}: {at}"),
        (None, None) => {
            let days = LOOKED_BACK.as_secs() / (24 * 60 * 60);
            format!("Last mail for {function}: none in the last {days} days")
        }
    }
}

fn netbox(url: &str, findings: Option<&Findings>) -> String {
    let Some(findings) = findings else {
        return format!("NetBox {url}: not looked at; set NETBOX_TOKEN");
    };
    let faults: Vec<String> = findings
        .checks
        .iter()
        .filter_map(|check| Some(format!("{}: {}", check.subject, check.fault.as_ref()?)))
        .collect();
    let version = findings.netbox.as_deref().unwrap_or("unknown");
    let plugin = findings.plugin.as_deref().unwrap_or("no plugin");
    let faults = if faults.is_empty() { "fine".to_owned() } else { format!("wrong: {}", faults.join("; ")) };
    format!("NetBox {url}: {version}, {plugin}, {faults}")
}

/// Returns a text with account ids masked: twelve digits that stand alone.
pub(super) fn redact(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = None;
    while let Some(start) = rest.find(|character: char| character.is_ascii_digit()) {
        let (skipped, from) = rest.split_at(start);
        let end = from.find(|character: char| !character.is_ascii_digit()).unwrap_or(from.len());
        let (digits, after) = from.split_at(end);
        redacted.push_str(skipped);
        let previous = skipped.chars().next_back().or(before);
        let joins = |neighbour: Option<char>| neighbour.is_some_and(char::is_alphanumeric);
        let is_account = digits.len() == 12 && !joins(previous) && !joins(after.chars().next());
        redacted.push_str(if is_account { "************" } else { digits });
        before = digits.chars().next_back();
        rest = after;
    }
    redacted + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_accounts_are_masked_and_no_other_digits() {
        let text = "arn:aws:sqs:eu-west-1:123456789012:a-123456789012-eu 1234567890123 a123456789012 12345678901 é123456789012";
        let expected = "arn:aws:sqs:eu-west-1:************:a-************-eu 1234567890123 a123456789012 12345678901 é123456789012";
        assert_eq!(redact(text), expected);
        assert_eq!(redact("123456789012"), "************");
        assert_eq!(redact(""), "");
    }
}
