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
    /// Approximate number of messages that wait in the queues, besides the items.
    further: usize,
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
    pub(crate) fn new(dry_run: bool) -> Self {
        Self { items: Vec::new(), refused: Vec::new(), unread: Vec::new(), further: 0, dry_run, interrupted: false }
    }

    /// Adds what a round has found; returns the position of its first item. `further` is the approximate number of messages for the next
    /// rounds.
    pub(crate) fn add(&mut self, prepared: &Prepared<'_>, further: usize) -> usize {
        let position = self.items.len();
        let items = prepared.items.iter().map(|(item, _)| Entry { item: item.clone(), outcome: Outcome::Planned });
        self.items.extend(items);
        self.refused.extend(prepared.refused.iter().cloned());
        self.unread.extend(prepared.unread.iter().cloned());
        self.further = further;
        position
    }

    /// Returns `true` if more messages wait in the queues.
    pub(crate) fn has_further(&self) -> bool {
        self.further > 0
    }

    /// Records the result of an item.
    pub(crate) fn record(&mut self, position: usize, outcome: Outcome) {
        if let Some(entry) = self.items.get_mut(position) {
            entry.outcome = outcome;
        }
    }

    /// Returns for each item from a position on whether Lambda has accepted its event.
    pub(crate) fn taken(&self, from: usize) -> Vec<bool> {
        let taken = |entry: &Entry| matches!(entry.outcome, Outcome::Replayed { .. } | Outcome::NotRemoved { .. });
        self.items.iter().skip(from).map(taken).collect()
    }

    /// Returns `true` if every item was replayed and every queue was read to its end.
    pub(crate) fn is_well(&self) -> bool {
        let is_well = |entry: &Entry| match entry.outcome {
            Outcome::Planned => self.dry_run,
            Outcome::Replayed { .. } => true,
            Outcome::Failed { .. } | Outcome::NotRemoved { .. } => false,
        };
        let is_read = self.unread.is_empty() && (self.further == 0 || self.dry_run);
        self.refused.is_empty() && is_read && self.items.iter().all(is_well)
    }

    /// Returns the number of items that Lambda, or the queue, has accepted.
    fn replayed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Replayed { .. } | Outcome::NotRemoved { .. }))
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

/// Prints how far a replay of several rounds is, and what the last one has found besides items.
pub(crate) fn progress(printer: &Printer, report: &Report, found: &Prepared<'_>) {
    let mark = printer.look().paint(Style::new().yellow().bold(), "!");
    for line in left_out(&found.refused, &found.unread, &mark) {
        printer.line(&line);
    }
    let replayed = report.replayed();
    if report.further > 0 {
        printer.line(&format!("{replayed} replayed, some {} more wait", report.further));
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
    lines.extend(left_out(&report.refused, &report.unread, &mark));
    if !lines.is_empty() {
        lines.push(String::new());
    }
    let left = report.refused.len();
    let left = if left > 0 { format!("; {left} cannot be") } else { String::new() };
    let unread = report.unread.len();
    let unread = if unread > 0 { format!("; {} not read", counted(unread, "queue")) } else { String::new() };
    let further = report.further;
    let further =
        if further > 0 && !report.dry_run { format!(", and some {further} more that wait") } else { String::new() };
    lines.push(format!("Replay: {} to replay{further}{left}{unread}", report.items.len()));
    lines.join("\n")
}

/// Renders what cannot be replayed and what was not read, a line for each.
fn left_out(refused: &[Refused], unread: &[Unread], mark: &str) -> Vec<String> {
    let refused = refused
        .iter()
        .map(|refused| format!("  {mark} {}: {}", clean(&refused.origin.to_string()), clean(&refused.reason)));
    let unread = unread.iter().map(|Unread { queue, messages, reason }| {
        let messages = messages.map_or_else(|| "its messages".to_owned(), |count| counted(count, "message"));
        format!("  {mark} {}: {messages} not read: {}", clean(queue), clean(reason))
    });
    refused.chain(unread).collect()
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
pub(crate) fn item(printer: &Printer, item: &Item, outcome: &Outcome) {
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
    let replayed = report.replayed();
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
            "further": report.further,
            "counts": {"replayed": replayed, "failed": failed, "left": left, "refused": report.refused.len()},
        });
        printer.data(&serde_json::to_string(&document)?);
    } else if !report.dry_run && !report.items.is_empty() {
        let left = left + report.further;
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
        let report = Report { items, refused, unread, further: 0, dry_run: true, interrupted: false };
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
