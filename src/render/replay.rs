//! Renders a replay: the planned items, the replayed ones, and those that were not.

use console::Style;
use serde::Serialize;
use serde_json::json;

use super::{
    Printer, VERSION,
    look::{Look, clean},
};
use crate::ops::replay::{Item, Outcome, Prepared, Refused, Unread};
use contract::count::counted;

/// Number of items that are listed, unless all are asked for.
const SHOWN: usize = 20;

/// The items of a replay and their results.
#[derive(Debug)]
pub(crate) struct Report {
    items: Vec<Entry>,
    refused: Vec<Refused>,
    unread: Vec<Unread>,
    dry_run: bool,
    /// `true` if Ctrl-C interrupted the run.
    pub(crate) interrupted: bool,
}

/// An item and its result.
#[derive(Debug, Serialize)]
struct Entry {
    #[serde(flatten)]
    item: Item,
    #[serde(flatten)]
    outcome: Outcome,
}

impl Report {
    /// Returns the report of a replay that has not started.
    pub(crate) fn new(prepared: &Prepared<'_>, dry_run: bool) -> Self {
        let items = prepared.items.iter().map(|(item, _)| Entry { item: item.clone(), outcome: Outcome::Planned });
        Self {
            items: items.collect(),
            refused: prepared.refused.clone(),
            unread: prepared.unread.clone(),
            dry_run,
            interrupted: false,
        }
    }

    /// Records the result of an item.
    pub(crate) fn record(&mut self, position: usize, outcome: Outcome) {
        if let Some(entry) = self.items.get_mut(position) {
            entry.outcome = outcome;
        }
    }

    /// Returns for each item whether Lambda has accepted its event.
    pub(crate) fn taken(&self) -> Vec<bool> {
        let taken = |entry: &Entry| matches!(entry.outcome, Outcome::Replayed { .. } | Outcome::NotRemoved { .. });
        self.items.iter().map(taken).collect()
    }

    /// Returns `true` if every item was replayed and no queue was left out.
    pub(crate) fn is_well(&self) -> bool {
        let is_well = |entry: &Entry| match entry.outcome {
            Outcome::Planned => self.dry_run,
            Outcome::Replayed { .. } => true,
            Outcome::Failed { .. } | Outcome::NotRemoved { .. } => false,
        };
        self.refused.is_empty() && self.unread.is_empty() && self.items.iter().all(is_well)
    }

    fn count(&self, is: impl Fn(&Outcome) -> bool) -> usize {
        self.items.iter().filter(|entry| is(&entry.outcome)).count()
    }
}

/// Prints the planned items.
pub(crate) fn plan(printer: &Printer, report: &Report, all: bool) {
    if !printer.is_json() {
        printer.data(&text(report, all, printer.look()));
    }
}

fn text(report: &Report, all: bool, look: &Look) -> String {
    let shown = if all { usize::MAX } else { SHOWN };
    let mut lines: Vec<String> = report.items.iter().take(shown).map(|entry| line(&entry.item, look)).collect();
    let rest = report.items.len().saturating_sub(shown);
    if rest > 0 {
        lines.push(format!("  … and {rest} more; `-v` shows all"));
    }
    let mark = look.paint(Style::new().yellow().bold(), "!");
    for refused in &report.refused {
        lines.push(format!("  {mark} {}: {}", clean(&refused.origin.to_string()), clean(&refused.reason)));
    }
    for Unread { queue, messages, reason } in &report.unread {
        let messages = messages.map_or_else(|| "its messages".to_owned(), |count| counted(count, "message"));
        lines.push(format!("  {mark} {}: {messages} not read: {}", clean(queue), clean(reason)));
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    let left = report.refused.len();
    let left = if left > 0 { format!("; {left} cannot be") } else { String::new() };
    let unread = report.unread.len();
    let unread = if unread > 0 { format!("; {} not read", counted(unread, "queue")) } else { String::new() };
    lines.push(format!("Replay: {} to replay{left}{unread}", report.items.len()));
    lines.join("\n")
}

/// Renders an item: `inbound/abc → maintenance   2027-01-05 10:15  noc@carrier.example  "Works"  failed:
/// S3 is away`.
fn line(item: &Item, look: &Look) -> String {
    let about = &item.about;
    let mut words = Vec::new();
    words.extend(about.received_at.map(|time| time.to_zoned(look.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()));
    words.extend(about.from.clone());
    words.extend(about.subject.as_ref().map(|subject| format!("\"{subject}\"")));
    words.extend(about.failure.as_ref().map(|failure| format!("failed: {failure}")));
    clean(&format!("  {} → {}   {}", item.origin, item.function, words.join("  "))).trim_end().to_owned()
}

/// Prints the result of an item, right after it.
pub(crate) fn done(printer: &Printer, item: &Item, outcome: &Outcome) {
    let (word, rest) = match outcome {
        Outcome::Planned => return,
        Outcome::Replayed { .. } => ("replayed", String::new()),
        Outcome::Failed { reason, .. } => ("not replayed", format!(": {reason}")),
        Outcome::NotRemoved { reason } => ("replayed, but still in its queue", format!(": {reason}")),
    };
    printer.line(&clean(&format!("{word}  {} → {}{rest}", item.origin, item.function)));
}

/// Prints the result of the replay: a line, or the one JSON document.
pub(crate) fn report(printer: &Printer, report: &Report) -> serde_json::Result<()> {
    let replayed = report.count(|outcome| matches!(outcome, Outcome::Replayed { .. } | Outcome::NotRemoved { .. }));
    let failed = report.count(|outcome| matches!(outcome, Outcome::Failed { .. }));
    let left = report.count(|outcome| matches!(outcome, Outcome::Planned));
    if printer.is_json() {
        let document = json!({
            "version": VERSION,
            "dry_run": report.dry_run,
            "interrupted": report.interrupted,
            "items": report.items,
            "refused": report.refused,
            "unread": report.unread,
            "counts": {"replayed": replayed, "failed": failed, "left": left, "refused": report.refused.len()},
        });
        printer.data(&serde_json::to_string(&document)?);
    } else if !report.dry_run && !report.items.is_empty() {
        let parts = [(failed, "not taken by Lambda"), (left, "left"), (report.refused.len(), "cannot be")];
        let mut words = vec![format!("Replayed: {replayed} of {}", report.items.len())];
        words.extend(parts.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}")));
        printer.data(&words.join("; "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::replay::{About, Origin};

    #[test]
    fn a_long_plan_is_cut_and_refused_items_are_always_listed() {
        let item = |number: usize| Item {
            origin: Origin::Stored { bucket: "mail".to_owned(), key: format!("inbound/{number}") },
            function: "reader".to_owned(),
            about: About { subject: Some("Wo\u{1b}rks".to_owned()), ..About::default() },
        };
        let items = (1..=22).map(|number| Entry { item: item(number), outcome: Outcome::Planned }).collect();
        let origin = Origin::Queued { queue: "failed".to_owned(), message_id: "m-1".to_owned() };
        let refused = vec![Refused { origin, reason: "it is not the record of a failed invocation".to_owned() }];
        let unread = |queue: &str, messages| Unread { queue: queue.to_owned(), messages, reason: "because".to_owned() };
        let unread = vec![unread("failed", Some(1)), unread("elsewhere", None)];
        let report = Report { items, refused, unread, dry_run: true, interrupted: false };
        let text = text(&report, false, &Look::plain());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "  inbound/1 → reader   \"Wo\u{fffd}rks\"");
        assert_eq!(
            lines[20..],
            [
                "  … and 2 more; `-v` shows all",
                "  ! failed/m-1: it is not the record of a failed invocation",
                "  ! failed: 1 message not read: because",
                "  ! elsewhere: its messages not read: because",
                "",
                "Replay: 22 to replay; 1 cannot be; 2 queues not read",
            ]
        );
        assert_eq!(super::text(&report, true, &Look::plain()).lines().count(), 22 + 5);
    }
}
