//! `consumes` of a function: the queue whose messages invoke it.

use std::{ops::Range, time::Duration};

use super::{
    Declaration, Function, Queue,
    diagnostic::Diagnostic,
    measures, queue,
    reader::{Fields, Reader},
    shape::{Field, Holds, Kind, Shape},
    tree::{Node, Value, at, key_at, span_of},
};

/// A queue whose messages invoke a function. The function answers which messages of a batch it failed on: those alone come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumes {
    /// Entry name of the queue.
    pub queue: String,
    /// Largest number of messages of one invocation: 1 to 10,000.
    pub batch: u16,
    /// Largest number of invocations at once: 2 to 1,000; `None` leaves it to Lambda.
    pub concurrency: Option<u16>,
    /// Time for which Lambda gathers a batch; zero invokes at once.
    pub window: Duration,
}

/// Bounds of Lambda for `MaximumBatchingWindowInSeconds`.
const WINDOW: Holds = Holds::Duration(Duration::ZERO, Duration::from_mins(5));
/// Messages that one invocation may have without a window.
const BATCH_WITHOUT_WINDOW: u16 = 10;
/// Number of timeouts of the function for which a message is to be hidden: AWS's advice for queues that invoke functions.
const TIMEOUTS: u32 = 6;

pub(super) static SHAPE: Shape = Shape {
    name: "consumes",
    keys: &[
        Field::new("queue", Holds::Reference(Kind::Queue), "The queue whose messages invoke the function.")
            .required("jobs"),
        Field::new(
            "batch",
            Holds::Number(1, 10_000),
            "Largest number of messages of one invocation. More than 10 need a `window` of `1s` or more.",
        )
        .or("10"),
        Field::new(
            "concurrency",
            Holds::Number(2, 1000),
            "Largest number of invocations at once. Without it, Lambda's own scaling.",
        ),
        Field::new("window", WINDOW, "Time for which Lambda gathers a batch.").or("0s"),
    ],
};

pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Option<Consumes> {
    let fields = &reader.mapping(fields, "consumes")?;
    let batch = reader.number(fields, "batch");
    let concurrency = reader.number(fields, "concurrency");
    let window = reader.duration(fields, "window");
    if let (Some(batch), Some(window)) = (batch, window)
        && batch > BATCH_WITHOUT_WINDOW
        && window.is_zero()
    {
        let message = format!(
            "a batch of {batch} messages needs time to gather: Lambda takes at most {BATCH_WITHOUT_WINDOW} without"
        );
        reader.diagnose(&fields.span_of("batch"), message, "add `window: 1s` or more, or write `batch: 10`");
    }
    Some(Consumes { queue: reader.reference(fields, "queue")?, batch: batch?, concurrency, window: window? })
}

impl Declaration {
    /// Returns the entry of the function that a queue's messages invoke; `None` if there is none.
    pub fn consumer(&self, queue: &str) -> Option<&str> {
        let consumes = |function: &Function| function.consumes.as_ref().is_some_and(|consumes| consumes.queue == queue);
        self.functions.iter().find(|(_, function)| consumes(function)).map(|(entry, _)| entry.as_str())
    }
}

/// Checks what functions and the queues that they consume say of each other.
pub(super) fn check(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    for (entry, function) in &declaration.functions {
        let Some(consumes) = &function.consumes else { continue };
        let Some(queue) = declaration.queues.get(&consumes.queue) else { continue };
        let place = span_of(root, &["functions", entry, "consumes", "queue"]);
        visibility(reader, root, (entry, function, consumes), queue);
        let name = &consumes.queue;
        if let Some(other) = declaration.consumer(name).filter(|other| other != entry) {
            let message = format!(
                "functions `{other}` and `{entry}` both consume queue `{name}`: each message reaches one of them, by chance"
            );
            reader.diagnose(&place, message, "give each a queue of its own, or let a topic tell both queues");
        }
        let failing = declaration.functions.iter().find(|(_, other)| other.on_failure.as_ref() == Some(name));
        if let Some((other, _)) = failing {
            let message = format!(
                "queue `{name}` keeps the events that function `{other}` failed on, which are not messages for function `{entry}`"
            );
            reader.diagnose(&place, message, "consume another queue; `provision replay` sends failed events again");
        }
        if queue.redrive.is_none() && at(root, &["queues", name, "redrive"]).is_none() {
            without_redrive(reader, root, declaration, (entry, name));
        }
        if function.sends.contains(name) {
            let message = format!("function `{entry}` sends to queue `{name}`, which invokes it again");
            let hint = "send to another queue: Lambda stops what goes round 16 times";
            reader.report(Diagnostic::warning(place, message).with_hint(hint));
        }
    }
}

/// Reports a queue that shows a message again while the function still works on it: it would be done twice.
fn visibility(
    reader: &mut Reader,
    root: &Node,
    (entry, function, consumes): (&str, &Function, &Consumes),
    queue: &Queue,
) {
    let needed = function.timeout * TIMEOUTS + consumes.window;
    let name = consumes.queue.as_str();
    let path = ["queues", name, "visibility_timeout"];
    if queue.visibility_timeout >= needed || at(root, &path).is_some_and(is_refused) {
        return;
    }
    let message = format!(
        "queue `{name}` shows a message again after `{}`: for function `{entry}` it must hide it for `{}`, {TIMEOUTS} times its timeout{}",
        measures::spell(queue.visibility_timeout),
        measures::spell(needed),
        if consumes.window.is_zero() { "" } else { " and the window" },
    );
    let place = first_of(root, &[&path, &["functions", entry, "consumes", "queue"]]);
    let hint = format!("write `visibility_timeout: {}` in queue `{name}`", measures::spell(needed));
    reader.diagnose(&place, message, hint);
}

/// Warns of a message that its function fails on again and again, until the queue drops it.
fn without_redrive(reader: &mut Reader, root: &Node, declaration: &Declaration, (entry, name): (&str, &str)) {
    let message =
        format!("a message that function `{entry}` fails on to the end is lost: queue `{name}` has no `redrive`");
    let other = declaration.queues.keys().find(|other| *other != name && declaration.consumer(other).is_none());
    let there = if other.is_none() { ", and a queue: `dead-letters: {retention: 14d}`" } else { "" };
    let hint = format!(
        "write `redrive: {{queue: {}, after: 5}}` in queue `{name}`{there}",
        other.map_or("dead-letters", String::as_str)
    );
    let place = key_at(root, &["queues", name]).map_or(0..0, |key| key.span.clone());
    reader.report(Diagnostic::warning(place, message).with_hint(hint));
}

/// Returns whether a value is no visibility timeout, which was reported where it stands.
fn is_refused(node: &Node) -> bool {
    let (Value::Text(text) | Value::Number(text)) = &node.value else { return true };
    measures::duration(text, Duration::ZERO, queue::LONGEST_VISIBILITY).is_err()
}

/// Returns the place of the first of some nodes that is there.
fn first_of(root: &Node, paths: &[&[&str]]) -> Range<usize> {
    paths.iter().find_map(|path| at(root, path)).map_or(0..0, |node| node.span.clone())
}

#[cfg(test)]
mod tests;
