//! Renders a backfill: the missing outputs, the progress, and what became of them.

use std::{cell::Cell, time::Duration};

use comfy_table::{ContentArrangement, Table, presets};
use contract::count::counted;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::{
    Printer, VERSION,
    look::{Look, clean},
    maintenances::lines,
};
use crate::ops::backfill::{Entry, State, Survey, Target};

/// Number of jobs that are listed, unless all are asked for.
const SHOWN: usize = 20;
/// Number of jobs between two lines of progress where no terminal shows a moving one.
const STEP: usize = 1000;

/// A backfill, besides its jobs.
#[derive(Debug)]
pub(crate) struct Report<'report> {
    pub(crate) target: &'report Target<'report>,
    pub(crate) is_dry: bool,
    /// `true` if Ctrl-C interrupted the run.
    pub(crate) is_interrupted: bool,
}

/// The progress of something that is done for many jobs: a moving line, or lines now and then.
pub(crate) struct Progress<'printer> {
    printer: &'printer Printer,
    bar: Option<ProgressBar>,
    all: usize,
    what: &'static str,
    told: Cell<usize>,
}

impl<'printer> Progress<'printer> {
    /// Starts to show the progress.
    pub(crate) fn begin(printer: &'printer Printer, all: usize, what: &'static str) -> Self {
        // The lines of calls would tear the moving line.
        let bar = (printer.is_watched() && !printer.errors.whole && all > 0).then(|| {
            let bar = ProgressBar::with_draw_target(Some(all as u64), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} {wide_msg} {elapsed}") {
                bar.set_style(style);
            }
            bar.set_message(what);
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { printer, bar, all, what, told: Cell::new(0) }
    }

    /// Shows how many are done.
    pub(crate) fn at(&self, done: usize) {
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
        } else if done >= self.told.get() + STEP || (done == self.all && done > self.told.get()) {
            self.told.set(done);
            self.printer.line(&format!("{done} of {} {}", self.all, self.what));
        }
    }
}

/// Removes the moving line, however it ended.
impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Prints what the platform has.
pub(crate) fn listed(printer: &Printer, survey: &Survey, complete: usize) {
    printer.line(&format!("The platform has {}, {complete} of them with an output", counted(survey.known, "job")));
    if survey.strange > 0 {
        let words = "with an id that no key can have: not taken";
        printer.line(&format!("  ! {} {words}", counted(survey.strange, "job")));
    }
}

/// Returns the number of the jobs that can be queued.
pub(crate) fn missing(survey: &Survey) -> usize {
    count(survey, |state| *state == State::Missing)
}

/// Returns the number of the jobs that are in the queue.
pub(crate) fn queued(survey: &Survey) -> usize {
    count(survey, |state| *state == State::Queued)
}

/// Returns `true` if the output of every complete job is in the bucket.
pub(crate) fn is_whole(survey: &Survey) -> bool {
    survey.strange == 0 && survey.entries.iter().all(|entry| matches!(entry.state, State::Stored { .. }))
}

fn count(survey: &Survey, is: impl Fn(&State) -> bool) -> usize {
    survey.entries.iter().filter(|entry| is(&entry.state)).count()
}

/// Prints the jobs whose outputs are missing.
pub(crate) fn plan(printer: &Printer, survey: &Survey, all: bool) {
    if !printer.is_json() && !survey.entries.is_empty() {
        printer.data(&table(survey.entries.iter(), survey.entries.len(), all, printer.look()));
    }
}

/// Prints what became of the jobs: those whose outputs are still missing, and a line; or the one JSON document.
pub(crate) fn report(printer: &Printer, report: &Report<'_>, survey: &Survey) -> serde_json::Result<()> {
    let counts = counts(survey);
    if printer.is_json() {
        let counts: serde_json::Map<String, serde_json::Value> =
            counts.iter().map(|(word, number)| (word.replace(' ', "_"), json!(number))).collect();
        let document = json!({
            "version": VERSION,
            "function": report.target.function,
            "queue": report.target.queue,
            "dry_run": report.is_dry,
            "interrupted": report.is_interrupted,
            "known": survey.known,
            "strange": survey.strange,
            "already_stored": survey.stored,
            "jobs": survey.entries,
            "counts": counts,
        });
        printer.data(&serde_json::to_string(&document)?);
        return Ok(());
    }
    let has_changed = |entry: &&Entry| !matches!(entry.state, State::Missing | State::Stored { .. });
    let left: Vec<&Entry> = survey.entries.iter().filter(has_changed).collect();
    if !report.is_dry && !left.is_empty() {
        printer.data(&table(left.iter().copied(), left.len(), printer.look().whole, printer.look()));
    }
    let mut words = vec![format!("Backfill: {} already stored", survey.stored)];
    words.extend(counts.iter().filter(|(_, number)| *number > 0).map(|(word, number)| format!("{number} {word}")));
    printer.data(&words.join("; "));
    if queued(survey) > 0 {
        printer.line(&format!(
            "The queue `{}` keeps the others; `provision logs {}` shows how they end",
            report.target.queue, report.target.function
        ));
    }
    Ok(())
}

/// Returns the number of jobs in each state.
fn counts(survey: &Survey) -> [(&'static str, usize); 6] {
    [
        ("missing", missing(survey)),
        ("stored", count(survey, |state| matches!(state, State::Stored { .. }))),
        ("queued", queued(survey)),
        ("not queued", count(survey, |state| matches!(state, State::NotQueued { .. }))),
        ("without output", count(survey, |state| *state == State::NoOutput)),
        ("blocked", count(survey, |state| matches!(state, State::Blocked { .. }))),
    ]
}

fn table<'all>(entries: impl Iterator<Item = &'all Entry>, count: usize, all: bool, look: &Look) -> String {
    let shown = if all { usize::MAX } else { SHOWN };
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Some(width) = look.width {
        table.force_no_tty().set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    }
    table.set_header(["job", "file", "uploaded", "expires", "output"]);
    let text = |text: &Option<String>| text.as_deref().map(clean).unwrap_or_default();
    table.add_rows(entries.take(shown).map(|Entry { job, state, .. }| {
        [job.id.to_string(), text(&job.file), text(&job.uploaded), text(&job.expires), words(state)]
    }));
    let more = count.checked_sub(shown).filter(|more| *more > 0);
    let more = more.map(|more| format!("\n… and {more} more; `-v` shows all"));
    lines(&table) + &more.unwrap_or_default()
}

fn words(state: &State) -> String {
    match state {
        State::Missing => "missing".to_owned(),
        State::Queued => "queued".to_owned(),
        State::NotQueued { reason } => clean(&format!("not queued: {reason}")),
        State::Stored { key } => clean(key),
        State::NoOutput => "none: see its record".to_owned(),
        State::Blocked { reason } => clean(&format!("blocked: {reason}")),
    }
}
