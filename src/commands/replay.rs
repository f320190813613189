//! `provision replay`: processes mails again. The plan is shown first, and only then Lambda is called.

use std::process::ExitCode;

use super::{
    block_on,
    converge::{Question, ask},
    interrupts::{INTERRUPTED, Interrupts},
};
use crate::ops::account::{self, Opened};
use crate::{
    cli::{Common, Replay},
    ops::{
        self,
        replay::{
            Outcome, Prepared,
            queue::{self, Use},
            replay, routes, stored,
        },
    },
    render::{self, Printer, replay::Report},
};
use aws::Turnstile;
use kinds::Session;
use problem::Problem;

/// Exit code if something was not replayed.
const NOT_ALL: u8 = 1;

const HINT: &str = "pass `--yes`, or `--dry-run` to see the plan only";

pub(super) fn run(printer: &Printer, common: &Common, typed: &Replay) -> anyhow::Result<ExitCode> {
    block_on(async {
        let mut interrupts = Interrupts::new()?;
        if !common.dry_run && !common.yes && !printer.can_ask() {
            return Err(Problem::new("Failed to ask: there is no terminal").with_hint(HINT).into());
        }
        let opened = tokio::select! {
            opened = account::open(&common.file, common.stage.as_deref()) => opened?,
            () = interrupts.next() => return Ok(ExitCode::from(INTERRUPTED)),
        };
        if let Some(function) = &typed.function {
            ops::function(&opened.declaration, function)?;
        }
        let mut prepared = Prepared::default();
        let (found, interrupted) = {
            let preparing = prepare(&opened, common, typed, &mut prepared);
            tokio::pin!(preparing);
            let mut interrupted = false;
            loop {
                tokio::select! {
                    found = &mut preparing => break (found, interrupted),
                    // Received messages must be returned to their queues.
                    () = interrupts.next() => interrupted = true,
                }
                if interrupted && !typed.failed {
                    return Ok(ExitCode::from(INTERRUPTED));
                }
            }
        };
        if common.dry_run || found.is_err() {
            give_back(printer, &opened.session, &prepared, &[]).await;
        }
        found?;
        let mut report = Report::new(&prepared, common.dry_run);
        report.interrupted = interrupted;
        let result = converse(printer, common, typed, &opened, &prepared, &mut report, &mut interrupts).await;
        if !common.dry_run {
            give_back(printer, &opened.session, &prepared, &report.taken()).await;
        }
        let code = result?;
        render::replay::report(printer, &report)?;
        Ok(code.unwrap_or_else(|| ExitCode::from(if report.is_well() { 0 } else { NOT_ALL })))
    })
}

/// Finds the events to replay and those that cannot be replayed.
async fn prepare<'opened>(
    opened: &'opened Opened,
    common: &Common,
    typed: &Replay,
    prepared: &mut Prepared<'opened>,
) -> Result<(), Problem> {
    let Opened { declaration, names, session, .. } = opened;
    let only = typed.function.as_deref();
    let unread = |failure| Problem::new("Failed to find the events to replay").with_source(failure);
    if typed.failed {
        let purpose = if common.dry_run { Use::Look } else { Use::Replay(typed.rate.interval) };
        return queue::receive(session, declaration, names, only, purpose, prepared).await.map_err(unread);
    }
    let routes = routes(declaration, names, only);
    let (mails, refused) = match &typed.prefix {
        Some(prefix) => (stored::listed(session, &routes, prefix).await.map_err(unread)?, Vec::new()),
        None => stored::named(&routes, &typed.keys),
    };
    *prepared = stored::look(session, names, mails).await;
    prepared.refused.extend(refused);
    Ok(())
}

/// Shows the plan, asks, and replays. Returns an exit code if nothing was replayed.
async fn converse(
    printer: &Printer,
    common: &Common,
    typed: &Replay,
    opened: &Opened,
    prepared: &Prepared<'_>,
    report: &mut Report,
    interrupts: &mut Interrupts,
) -> anyhow::Result<Option<ExitCode>> {
    if report.interrupted {
        return Ok(Some(ExitCode::from(INTERRUPTED)));
    }
    render::replay::plan(printer, report, common.verbose > 0);
    if common.dry_run || prepared.items.is_empty() {
        return Ok(None);
    }
    if !common.yes {
        let question = Question {
            text: "Replay? Type `yes` to confirm:",
            word: "yes",
            hint: HINT,
            declined: "nothing was replayed",
        };
        if let Some(declined) = ask(printer, interrupts, &question).await? {
            return Ok(Some(declined));
        }
    }
    let turnstile = Turnstile::new(typed.rate.interval);
    for (position, (item, work)) in prepared.items.iter().enumerate() {
        tokio::select! {
            biased;
            () = interrupts.next() => {
                report.interrupted = true;
                return Ok(Some(ExitCode::from(INTERRUPTED)));
            }
            () = turnstile.pass() => {}
        }
        let outcome = replay(&opened.session, &opened.names, &item.function, work).await;
        let is_lasting = matches!(&outcome, Outcome::Failed { is_lasting: true, .. });
        render::replay::done(printer, item, &outcome);
        report.record(position, outcome);
        if is_lasting {
            break;
        }
    }
    Ok(None)
}

/// Makes messages visible to others again. If that fails, they become visible by themselves.
async fn give_back(printer: &Printer, session: &Session, prepared: &Prepared<'_>, done: &[bool]) {
    if let Err(failure) = queue::give_back(session, &prepared.received(done)).await {
        let problem = Problem::new("Failed to show the messages to others again; they come back by themselves");
        printer.problem(&problem.with_source(failure));
    }
}
