//! The only code that prints: data on standard output; progress, prompts and logs on standard error.
//!
//! Everything is first rendered as text by functions that take a [`Look`], so that it can be tested without a
//! terminal.

pub(crate) mod adopt;
pub(crate) mod apply;
pub(crate) mod backfill;
pub(crate) mod build;
mod costs;
pub(crate) mod dev;
mod diagnostics;
mod error;
pub(crate) mod invoke;
pub(crate) mod logs;
mod look;
mod maintenances;
pub(crate) mod markdown;
pub(crate) mod netbox;
mod outcome;
pub(crate) mod outputs;
pub(crate) mod pause;
pub(crate) mod plan;
pub(crate) mod probe;
pub(crate) mod reading;
pub(crate) mod replay;
pub(crate) mod sent;
pub(crate) mod status;
pub(crate) mod topics;
pub(crate) mod track;

use std::{
    borrow::Cow,
    io::{self, IsTerminal as _, Write},
    path::Path,
    sync::OnceLock,
};

use crate::cli::Common;
use aws::policy::Policy;
use declaration::Checked;
use kinds::{Item, Plan};
use problem::Problem;
use stack::{
    costs::Costs,
    preconditions::{Finding, Others},
};

pub(crate) use look::Look;
pub(crate) use maintenances::maintenances;
pub(crate) use outcome::{explanation_json, outcome};

/// Version of every JSON document that states one.
pub(crate) const VERSION: u32 = 1;

/// The only access to standard output and standard error.
#[derive(Debug)]
pub(crate) struct Printer {
    json: bool,
    /// `true` to mask account ids.
    redacts: bool,
    output: Look,
    pub(super) errors: Look,
    /// First error of standard output, after which nothing is written.
    failed: OnceLock<io::Error>,
}

impl Printer {
    /// Returns a printer for these options.
    pub(crate) fn new(common: &Common) -> Self {
        let (output, errors) = (Look::of_output(common.verbose), Look::of_errors(common.verbose));
        Self { json: common.json, redacts: false, output, errors, failed: OnceLock::new() }
    }

    /// Sets whether account ids are masked.
    pub(crate) fn redacting(self, redacts: bool) -> Self {
        Self { redacts, ..self }
    }

    /// Prints every call to AWS as it ends, if more detail is asked for.
    pub(crate) fn tell_calls(&self) {
        if self.errors.whole {
            let redacts = self.redacts;
            aws::calls::listen(move |call| {
                let line = format!("  → {call}");
                let shown = if redacts { status::redact(&line) } else { line };
                // If standard error fails, there is nobody to tell.
                let _ = writeln!(io::stderr().lock(), "{}", look::clean(&shown));
            });
        }
    }

    /// Returns a text with account ids masked if asked for.
    fn shown<'text>(&self, text: &'text str) -> Cow<'text, str> {
        if self.redacts { status::redact(text).into() } else { text.into() }
    }

    /// Returns `true` if standard output is JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Returns `true` if standard error is a terminal, where moving lines may be shown.
    pub(crate) fn is_watched(&self) -> bool {
        self.errors.width.is_some()
    }

    /// Returns the properties of standard output.
    pub(crate) fn look(&self) -> &Look {
        &self.output
    }

    /// Prints a line of data, or several, at once.
    pub(crate) fn data(&self, text: &str) {
        if self.failed.get().is_some() {
            return;
        }
        let mut output = io::stdout().lock();
        if let Err(error) =
            writeln!(output, "{}", contract::text::escape_json(&self.shown(text))).and_then(|()| output.flush())
        {
            // The first error is the one that counts.
            let _ = self.failed.set(error);
        }
    }

    /// Returns `true` if standard output failed (closed pipe, full disk), so that going on is pointless.
    pub(crate) fn is_closed(&self) -> bool {
        self.failed.get().is_some()
    }

    /// Returns the error of standard output; `None` also for a closed pipe, which is not an error.
    pub(crate) fn failure(&self) -> Option<&io::Error> {
        self.failed.get().filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
    }

    /// Prints a line that is not data: progress, or a result.
    pub(crate) fn line(&self, text: &str) {
        self.whole_line(&self.errors.fit(text));
    }

    /// Prints a text whose lines are not wrapped.
    fn whole_line(&self, text: &str) {
        // If standard error fails, there is nobody to tell.
        let _ = writeln!(io::stderr().lock(), "{}", self.shown(text));
    }

    /// Prints a question, on the line where the answer is typed.
    #[expect(clippy::unused_self, reason = "whoever has no printer prints nothing")]
    pub(crate) fn prompt(&self, text: &str) {
        let mut errors = io::stderr().lock();
        // If standard error fails, there is nobody to ask.
        let _ = write!(errors, "{text}").and_then(|()| errors.flush());
    }

    /// Returns `true` if a person can be asked: both standard error and standard input are terminals.
    pub(crate) fn can_ask(&self) -> bool {
        self.is_watched() && io::stdin().is_terminal()
    }

    /// Prints a plan, below its heading.
    pub(crate) fn plan(&self, heading: &plan::Heading, plan: &Plan) {
        if self.json {
            self.data(&plan::json(heading, plan).to_string());
        } else {
            self.data(&self.output.fit(&plan::text(heading, plan, &self.output)));
        }
    }

    /// Prints what a stack costs while nobody uses it, and what a plan adds, for people alone.
    pub(crate) fn costs(&self, costs: &Costs) {
        if let Some(text) = costs::text(costs).filter(|_| !self.json) {
            self.data(&self.output.fit(&text));
        }
    }

    /// Prints a plan as [`Self::plan`] does; the document has what cuts the stack off from its mail, too.
    pub(crate) fn comparison(&self, heading: &plan::Heading, plan: &Plan, others: &Others) {
        if self.json {
            self.data(&plan::json_with(heading, plan, others).to_string());
        } else {
            self.plan(heading, plan);
        }
    }

    /// Prints what a plan would lose without consent, and the flags that give it.
    pub(crate) fn unconsented(&self, heading: &plan::Heading, plan: &Plan, open: &[&Item]) {
        if self.json {
            self.data(&plan::json_of_unconsented(heading, plan, open).to_string());
        }
        self.losses(open);
    }

    /// Prints what would be lost without consent, and the flags that give it, for people alone.
    pub(crate) fn losses(&self, open: &[&Item]) {
        for item in open {
            self.line(&format!("  ! {}   {}", item.id.typed(), plan::losses(item).join("; ")));
        }
        self.problem(&plan::unconsented(open));
    }

    /// Prints unfulfilled preconditions, before anything is changed.
    pub(crate) fn findings(&self, findings: &[Finding]) {
        for finding in findings {
            self.line(&error::finding(finding, &self.errors));
        }
    }

    /// Prints the result of applying a plan.
    pub(crate) fn report(&self, report: &apply::Report<'_>) {
        if self.json {
            self.data(&apply::json(report).to_string());
            return;
        }
        for line in apply::text(report, &self.output) {
            self.data(&self.output.fit(&line));
        }
        self.lines(&apply::failures(report, &self.errors));
    }

    /// Prints policies, each as IAM takes it; several are an array with `--json`.
    pub(crate) fn policies(&self, policies: &[Policy]) {
        let documents: Vec<String> = policies.iter().map(Policy::to_json).collect();
        match documents.as_slice() {
            [one] if self.json => self.data(one),
            several if self.json => self.data(&format!("[{}]", several.join(","))),
            each => each.iter().for_each(|json| {
                let pretty = serde_json::from_str::<serde_json::Value>(json);
                let pretty = pretty.and_then(|value| serde_json::to_string_pretty(&value));
                self.data(pretty.as_deref().unwrap_or(json));
            }),
        }
    }

    fn lines(&self, lines: &[String]) {
        for line in lines {
            self.line(line);
        }
    }

    /// Prints the error that ends a command, with its causes and hints; with `--json` as data, too.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let diagnostics = error::diagnostics(error);
        match diagnostics {
            Some(diagnostics) if self.json => self.data(&diagnostics::json(diagnostics)),
            Some(diagnostics) => self.whole_line(&diagnostics::text(diagnostics, &self.errors)),
            None if self.json => self.data(&error::json(error.as_ref())),
            None => {}
        }
        self.line(&error::text(error.as_ref(), &self.errors));
    }

    /// Prints an error that does not end the command.
    pub(crate) fn problem(&self, problem: &Problem) {
        self.line(&error::text(problem, &self.errors));
    }

    /// Prints that a declaration is valid, with its summary and its warnings.
    pub(crate) fn valid(&self, file: &Path, checked: &Checked) {
        if let Some(warnings) = &checked.warnings {
            self.whole_line(&diagnostics::text(warnings, &self.errors));
        }
        if self.json {
            self.data(&diagnostics::json_of_valid(file, checked.warnings.as_ref()));
            return;
        }
        for declaration in &checked.declarations {
            self.data(&diagnostics::text_of_valid(file, declaration));
        }
    }

    /// Prints what would be written to a file.
    pub(crate) fn would_write(&self, file: &Path, content: &str) {
        if self.json {
            let name = file.display().to_string();
            self.data(&serde_json::json!({"version": VERSION, "would_write": name, "content": content}).to_string());
        } else {
            self.data(content.trim_end());
        }
    }

    /// Prints that a file was written.
    pub(crate) fn written(&self, file: &Path) {
        let name = file.display().to_string();
        if self.json {
            self.data(&serde_json::json!({"version": VERSION, "written": name}).to_string());
        } else {
            self.line(&format!("Wrote {}; `provision validate` checks it", look::clean(&name)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_who_has_seen_enough_is_no_error() {
        let printer = |kind: io::ErrorKind| Printer {
            json: false,
            redacts: false,
            output: Look::plain(),
            errors: Look::plain(),
            failed: OnceLock::from(io::Error::from(kind)),
        };
        assert!(
            printer(io::ErrorKind::BrokenPipe).is_closed() && printer(io::ErrorKind::BrokenPipe).failure().is_none()
        );
        assert!(printer(io::ErrorKind::StorageFull).failure().is_some());
    }
}
