//! Applies a plan interactively: with consent, progress, and the handling of Ctrl-C.

use std::process::ExitCode;

use tokio::sync::watch;

use super::{
    DECLINED, ERROR,
    interrupts::{INTERRUPTED, Interrupts},
};
use crate::ops::{
    compare::Compared,
    converge::{Converged, apply, look_again},
};
use crate::render::{Printer, apply::Applying};
use engine::Disorder;
use kinds::{Results, Session};
use problem::Problem;

/// A question that a person answers with a word.
pub(super) struct Question<'words> {
    pub(super) text: &'words str,
    /// Word by which the person agrees.
    pub(super) word: &'words str,
    /// Advice where there is no terminal to ask on.
    pub(super) hint: &'words str,
    /// Outcome of any other answer, in words.
    pub(super) declined: &'static str,
}

/// Returns the exit code of a run that applied a plan.
pub(super) fn exit_code(converged: &Converged) -> ExitCode {
    match converged {
        _ if converged.interrupted => ExitCode::from(INTERRUPTED),
        _ if converged.is_complete() => ExitCode::SUCCESS,
        _ => ExitCode::from(ERROR),
    }
}

/// Applies a plan, then compares again. The first interrupt lets running steps finish; a second one does not wait for
/// them.
pub(super) async fn converge(
    printer: &Printer,
    session: &Session,
    compared: &Compared,
    interrupts: &mut Interrupts,
    again: impl AsyncFn() -> Result<Compared, Disorder>,
) -> Result<Converged, Disorder> {
    let (stop, stopped) = watch::channel(false);
    let applying = Applying::begin(printer, &compared.plan);
    let mut interrupted = false;
    let results = {
        let work = apply(session, compared, &applying, &stopped);
        tokio::pin!(work);
        loop {
            tokio::select! {
                results = &mut work => break results,
                () = interrupts.next() => {
                    if interrupted {
                        break Results::new();
                    }
                    interrupted = true;
                    applying.interrupted();
                    // The receiver is gone only if the work is done.
                    let _ = stop.send(true);
                }
            }
        }
    };
    drop(applying);
    let now = tokio::select! {
        now = look_again(session, &results, again), if !interrupted => now?,
        () = interrupts.next(), if !interrupted => {
            interrupted = true;
            None
        }
        else => None,
    };
    Ok(Converged { results, now, interrupted })
}

/// Asks for a word on a terminal; returns the exit code of the run if the answer is another one. Without a terminal that is an error with
/// a hint, never a silent no.
pub(super) async fn ask(
    printer: &Printer,
    interrupts: &mut Interrupts,
    question: &Question<'_>,
) -> anyhow::Result<Option<ExitCode>> {
    if !printer.can_ask() {
        return Err(Problem::new("Failed to ask: there is no terminal").with_hint(question.hint).into());
    }
    printer.prompt(&format!("{} ", question.text));
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    tokio::select! {
        answer = answer => {
            if answer??.trim() == question.word {
                return Ok(None);
            }
            printer.line(&format!("Declined: {}", question.declined));
            Ok(Some(ExitCode::from(DECLINED)))
        }
        () = interrupts.next() => Ok(Some(ExitCode::from(INTERRUPTED))),
    }
}
