//! Shows the application of a plan: a line for each finished step, the running steps at the bottom of a terminal, and the
//! result at the end.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use console::Style;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::{
    Printer, VERSION,
    look::{Look, clean},
    outputs,
    plan::{self, Heading},
};
use crate::ops::outputs::Outputs;
use engine::{Event, Observer, Outcome, Verb};
use kinds::Kind;
use kinds::{Plan, Results};
use stack::preconditions::Finding;

/// The view of a plan that is being applied.
pub(crate) struct Applying<'printer> {
    printer: &'printer Printer,
    bar: Option<ProgressBar>,
    running: Mutex<BTreeSet<String>>,
}

impl<'printer> Applying<'printer> {
    /// Starts to show the progress.
    pub(crate) fn begin(printer: &'printer Printer, plan: &Plan) -> Self {
        let steps = plan.counts().actions();
        // The lines of calls would tear the moving line.
        let bar = (printer.is_watched() && !printer.errors.whole && steps > 0).then(|| {
            let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} {wide_msg} {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { printer, bar, running: Mutex::default() }
    }

    /// Shows that no further step is started.
    pub(crate) fn interrupted(&self) {
        self.line("Interrupted: running steps are finished, no further one is started; interrupt again to end at once");
    }

    fn running(&self, change: impl FnOnce(&mut BTreeSet<String>)) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut running);
        if let Some(bar) = &self.bar {
            bar.set_message(running.iter().cloned().collect::<Vec<_>>().join(", "));
        }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.printer.line(text)),
            None => self.printer.line(text),
        }
    }
}

impl Observer<Kind> for Applying<'_> {
    fn event(&self, event: Event<'_, Kind>) {
        let look = &self.printer.errors;
        match event {
            Event::Started { id, .. } => self.running(|running| {
                running.insert(id.to_string());
            }),
            Event::Waiting { id, failure } => {
                self.line(&format!("  … {id}   not yet: {}", clean(&failure.to_string())));
            }
            Event::Ended { id, verb, outcome, took } => {
                self.running(|running| {
                    running.remove(&id.to_string());
                });
                // An item counts once, when its action ends.
                let is_part = matches!(verb, Verb::Widen | Verb::Verify);
                if let Some(bar) = self.bar.as_ref().filter(|_| !is_part) {
                    bar.inc(1);
                }
                let is_silent = is_part && matches!(outcome, Outcome::Skipped { .. });
                if !is_silent && (verb, &outcome) != (Verb::Verify, &Outcome::Done) {
                    self.line(&ended(&id.to_string(), verb, &outcome, took, look));
                }
            }
        }
    }
}

/// Removes the moving line, however applying ended.
impl Drop for Applying<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Returns the mark of a verb, and its past participle.
fn words(verb: Verb) -> (&'static str, &'static str) {
    match verb {
        Verb::Create => ("+", "created"),
        Verb::Change => ("~", "changed"),
        Verb::Replace => ("-/+", "replaced"),
        Verb::Delete => ("-", "deleted"),
        Verb::Widen => ("~", "widened"),
        Verb::Verify => ("=", "verified"),
    }
}

fn ended(id: &str, verb: Verb, outcome: &Outcome, took: Duration, look: &Look) -> String {
    let (mark, done) = words(verb);
    match outcome {
        Outcome::Done => {
            let mark = look.paint(Style::new().green(), mark);
            format!("  {mark} {id}   {done} in {:.1} s", took.as_secs_f64())
        }
        Outcome::Failed { failure } => {
            let mark = look.paint(Style::new().red().bold(), "!");
            format!("  {mark} {id}   failed: {}", clean(&failure.to_string()))
        }
        Outcome::Skipped { because } => {
            let mark = look.paint(Style::new().yellow(), "·");
            format!("  {mark} {id}   skipped: {}", clean(because))
        }
    }
}

/// The result of applying a plan.
#[derive(Debug)]
pub(crate) struct Report<'report> {
    pub(crate) heading: &'report Heading,
    /// The plan that was applied.
    pub(crate) plan: &'report Plan,
    /// The result of each step.
    pub(crate) results: &'report Results,
    /// The plan after applying; `None` if the account was not read again.
    pub(crate) now: Option<&'report Plan>,
    /// `true` if the account matches the declaration.
    pub(crate) is_complete: bool,
    /// Names and addresses that `up` gives out.
    pub(crate) outputs: &'report Outputs,
    /// Findings that a person still has to act on.
    pub(crate) todo: &'report [Finding],
}

impl Report<'_> {
    fn count(&self, verb: Verb) -> usize {
        self.results.iter().filter(|(_, did, outcome)| *did == verb && *outcome == Outcome::Done).count()
    }
}

/// Returns the results and outputs, in lines.
pub(super) fn text(report: &Report<'_>, look: &Look) -> Vec<String> {
    let mut lines = Vec::new();
    if report.results.is_empty() {
        lines.push(if report.is_complete { "Nothing to do" } else { "Nothing was done" }.to_owned());
    } else {
        let done = |verb| format!("{} {}", report.count(verb), words(verb).1);
        let done = [Verb::Create, Verb::Change, Verb::Replace, Verb::Delete].map(done).join(", ");
        let not_done = report.results.iter().filter(|(_, _, outcome)| *outcome != Outcome::Done).count();
        let rest = if not_done > 0 { format!("; {not_done} not done") } else { String::new() };
        lines.push(format!("Done: {done}{rest}"));
    }
    if let Some(now) = report.now.filter(|now| !now.is_converged()) {
        lines.push("After all that, there is still a difference:".to_owned());
        lines.push(plan::text(report.heading, now, look));
    }
    if report.is_complete && !report.outputs.present.is_empty() {
        lines.push("\nOutputs".to_owned());
        lines.extend(outputs::lines(report.outputs).into_iter().map(|line| format!("  {line}")));
    }
    if report.is_complete && !report.todo.is_empty() {
        lines.push("\nLeft for you".to_owned());
        let shown = report.todo.iter().map(|one| format!("  - {}\n    {}", clean(&one.what), clean(&one.todo)));
        lines.extend(shown);
    }
    if report.is_complete && !report.outputs.addresses.is_empty() {
        lines.push(format!("\nGive to your carriers: {}", clean(&report.outputs.addresses.join(", "))));
    }
    lines
}

/// Returns every failure, as a summary at the end.
pub(super) fn failures(report: &Report<'_>, look: &Look) -> Vec<String> {
    let failed = report.results.iter().filter(|(_, _, outcome)| *outcome != Outcome::Done);
    let lines: Vec<String> =
        failed.map(|(id, verb, outcome)| ended(&id.to_string(), *verb, outcome, Duration::ZERO, look)).collect();
    if lines.is_empty() {
        return lines;
    }
    let head = look.paint(Style::new().red().bold(), "error:");
    std::iter::once(format!("{head} not everything was done; another run goes on from here")).chain(lines).collect()
}

/// Returns the whole report as one JSON document.
pub(super) fn json(report: &Report<'_>) -> Value {
    let results = report.results.iter().map(|(id, verb, outcome)| {
        let mut result = json!({"kind": id.kind, "entry": id.entry, "verb": verb});
        if let (Some(result), Value::Object(outcome)) = (result.as_object_mut(), json!(outcome)) {
            result.extend(outcome);
        }
        result
    });
    json!({
        "version": VERSION,
        "account": report.heading.account,
        "region": report.heading.region,
        "plan": plan::json(report.heading, report.plan),
        "results": results.collect::<Vec<_>>(),
        "left": report.now.map(|now| plan::json(report.heading, now)),
        "converged": report.is_complete,
        "outputs": report.outputs.present,
        "todo": report.todo,
    })
}
