//! Applies a plan interactively: with consent, progress, and the handling of Ctrl-C.

use std::process::ExitCode;

use tokio::sync::watch;

use super::{
    ERROR,
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

/// The answer to the question before a plan is applied.
pub(super) enum Answer {
    Given,
    Declined,
    Interrupted,
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

/// Asks for a word on a terminal. Without a terminal that is an error with a hint, never a silent no.
pub(super) async fn ask(
    printer: &Printer,
    interrupts: &mut Interrupts,
    question: &str,
    word: &str,
    hint: &str,
) -> anyhow::Result<Answer> {
    if !printer.can_ask() {
        return Err(Problem::new("Failed to ask: there is no terminal").with_hint(hint).into());
    }
    printer.prompt(&format!("{question} "));
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    tokio::select! {
        answer = answer => {
            let is_agreed = answer??.trim() == word;
            Ok(if is_agreed { Answer::Given } else { Answer::Declined })
        }
        () = interrupts.next() => Ok(Answer::Interrupted),
    }
}
