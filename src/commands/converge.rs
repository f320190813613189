//! Applying a plan and looking again: what `up` and `down` have in common.

use std::process::ExitCode;

use tokio::sync::watch;

use super::{
    ERROR,
    interrupts::{INTERRUPTED, Interrupts},
};
use crate::ops::compare::Compared;
use crate::render::{Printer, apply::Applying};
use engine::{Outcome, Patience, apply};
use kinds::{Results, Session};
use problem::Problem;

/// How many times the account is read again after applying: a read right after a write can show the old value.
const LOOKS: u32 = 5;

/// The answer to the question before a plan is applied.
pub(super) enum Consent {
    Given,
    Declined,
    Interrupted,
}

/// The result of applying a plan.
pub(super) struct Converged {
    /// The result of each step.
    pub(super) results: Results,
    /// The comparison after applying; `None` if some step was not done, which makes it pointless.
    pub(super) now: Option<Compared>,
    /// `true` after Ctrl-C.
    pub(super) interrupted: bool,
}

impl Converged {
    /// Returns `true` if every step was done and the account was seen to match.
    pub(super) fn is_complete(&self) -> bool {
        self.now.as_ref().is_some_and(|now| now.plan.is_converged())
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            _ if self.interrupted => ExitCode::from(INTERRUPTED),
            _ if self.is_complete() => ExitCode::SUCCESS,
            _ => ExitCode::from(ERROR),
        }
    }
}

/// Applies what was compared, then compares once more. An interrupt lets what is in flight come to its end; a second one
/// does not wait for it.
pub(super) async fn converge(
    printer: &Printer,
    session: &Session,
    compared: &Compared,
    interrupts: &mut Interrupts,
    again: impl AsyncFn() -> Compared,
) -> Converged {
    let (stop, stopped) = watch::channel(false);
    let applying = Applying::begin(printer, &compared.plan);
    let mut interrupted = false;
    let patience = Patience { poll: session.aws.pacing.poll, deadline: session.aws.pacing.deadline };
    let results = {
        let work =
            apply((session, patience), &compared.plan, (&compared.resources, &compared.survey), &applying, &stopped);
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
                    // Nobody listens any more only if the work is done.
                    let _ = stop.send(true);
                }
            }
        }
    };
    drop(applying);
    let is_done = results.iter().all(|(_, _, outcome)| *outcome == Outcome::Done);
    if interrupted || !is_done {
        return Converged { results, now: None, interrupted };
    }
    let mut wait = session.aws.pacing.poll;
    let mut now = again().await;
    for _ in 1..LOOKS {
        if now.plan.is_converged() {
            break;
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
        now = again().await;
    }
    Converged { results, now: Some(now), interrupted }
}

/// Asks for a word on a terminal. Where nobody can be asked, that is an error with a hint, never a silent no.
pub(super) async fn ask(
    printer: &Printer,
    interrupts: &mut Interrupts,
    question: &str,
    word: &str,
    hint: &str,
) -> anyhow::Result<Consent> {
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
            Ok(if is_agreed { Consent::Given } else { Consent::Declined })
        }
        () = interrupts.next() => Ok(Consent::Interrupted),
    }
}
