//! `provision down`: deletes the stack's resources, in reverse order; those that hold data stay, unless told
//! otherwise.
//!
//! It needs no declaration: the stack's resources are found by their names, paths and tags.

use std::process::ExitCode;

use super::{
    block_on,
    consent::{consent, refusal, tell_losses, tell_needless},
    converge::{Question, ask, converge},
    interrupts::{INTERRUPTED, Interrupts},
};
use crate::ops::outputs::Outputs;
use crate::ops::{account, compare::nothing_declared};
use crate::{
    cli::{Common, Down},
    render::{Printer, apply::Report, plan::Heading},
};
use engine::Stack;
use kinds::{Plan, Session};
use problem::Problem;

pub(super) fn run(printer: &Printer, common: &Common, typed: &Down) -> anyhow::Result<ExitCode> {
    block_on(async {
        let mut interrupts = Interrupts::new()?;
        let session = tokio::select! {
            session = open(common, typed) => session?,
            () = interrupts.next() => return Ok(ExitCode::from(INTERRUPTED)),
        };
        down(printer, common, typed, &session, &mut interrupts).await
    })
}

/// Opens the stack by its name alone, or by its declaration.
async fn open(common: &Common, typed: &Down) -> anyhow::Result<Session> {
    let consent = consent(&typed.allow_delete)?;
    let mut session = match &typed.stack {
        Some(name) => {
            let stack =
                |region: &str| Stack { name: name.clone(), stage: common.stage.clone(), region: region.to_owned() };
            let session = account::session(typed.region.as_deref(), stack).await?;
            let stack = &session.stack;
            // A dot would make a stage of a part of the name.
            if Stack::parse(&stack.id()).as_ref() != Some(stack) {
                let message = format!("Failed to find {stack}: the name of a stack or stage has no dot");
                return Err(Problem::new(message).with_hint("name the stage with `--stage`").into());
            }
            session
        }
        None => account::open(&common.file, common.stage.as_deref()).await?.session,
    };
    session.consent = consent.with_stack(typed.delete_data);
    Ok(session)
}

/// Fails if there is nothing of a stack that was named: its name may be misspelt, or it is elsewhere.
fn ensure_exists(session: &Session, plan: &Plan) -> Result<(), Problem> {
    if !plan.items().is_empty() || !plan.unlisted.is_empty() {
        return Ok(());
    }
    account::ensure_listed(session)?;
    let account = &session.aws.realm.account;
    let message = format!("Failed to find {}: nothing in account {account} is that stack's", session.stack);
    let hint = "look at the spelling; name the stage with `--stage`, the region with `--region`, and the account with `AWS_PROFILE`";
    Err(Problem::new(message).with_hint(hint))
}

/// Asks for the stack's name; returns the exit code if it is not given.
async fn declined(printer: &Printer, interrupts: &mut Interrupts, stack: &str) -> anyhow::Result<Option<ExitCode>> {
    let text = format!("Delete all this? Type the stack's name, `{stack}`, to confirm:");
    let hint = format!("pass `--confirm {stack}`, or `--dry-run` to see the plan only");
    let question = Question { text: &text, word: stack, hint: &hint, declined: "nothing was deleted" };
    ask(printer, interrupts, &question).await
}

/// Fails if another name was typed than that of the stack.
fn ensure_confirmed(typed: &Down, stack: &str) -> Result<(), Problem> {
    match &typed.confirm {
        Some(name) if name != stack => {
            Err(Problem::new(format!("Failed to confirm: this is stack `{stack}`, not `{name}`")))
        }
        _ => Ok(()),
    }
}

async fn down(
    printer: &Printer,
    common: &Common,
    typed: &Down,
    session: &Session,
    interrupts: &mut Interrupts,
) -> anyhow::Result<ExitCode> {
    let stack = session.stack.prefix();
    ensure_confirmed(typed, &stack)?;
    let compared = tokio::select! {
        compared = nothing_declared(session) => compared?,
        () = interrupts.next() => return Ok(ExitCode::from(INTERRUPTED)),
    };
    let plan = &compared.plan;
    if typed.stack.is_some() {
        ensure_exists(session, plan)?;
    }
    let heading = Heading::of_stack(common, typed, &session.aws);
    if common.dry_run || !printer.is_json() {
        printer.plan(&heading, plan);
        printer.costs(&compared.costs(session).await);
    }
    tell_needless(printer, plan, &session.consent);
    if common.dry_run {
        let would_start = tell_losses(printer, plan);
        return Ok(if would_start { ExitCode::SUCCESS } else { ExitCode::from(super::ERROR) });
    }
    // What others made is not the stack's: its name is no consent to that.
    if let Some(refused) = refusal(printer, interrupts, (&heading, plan)).await? {
        return Ok(refused);
    }
    if plan.counts().actions() > 0
        && typed.confirm.is_none()
        && let Some(declined) = declined(printer, interrupts, &stack).await?
    {
        return Ok(declined);
    }
    let converged = converge(printer, session, &compared, interrupts, async || nothing_declared(session).await).await?;
    printer.report(&Report {
        heading: &heading,
        plan,
        results: &converged.results,
        now: converged.now.as_ref().map(|now| &now.plan),
        is_complete: converged.is_complete(),
        outputs: &Outputs::default(),
        todo: &[],
    });
    Ok(super::converge::exit_code(&converged))
}
