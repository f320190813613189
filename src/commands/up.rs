//! `provision up`: applies the declaration to the account.
//!
//! Everything that can be read is read first: the declaration, the code, the account, the values of new secrets. Then the
//! plan is shown, and only then something changes.

use std::{path::Path, process::ExitCode};

use super::{
    ERROR, block_on,
    build::artifacts,
    consent::{consent, refusal, tell_losses, tell_needless},
    converge::{Question, ask, converge},
    interrupts::{INTERRUPTED, Interrupts},
};
use crate::{
    cli::{Common, Up},
    ops::{
        self, account,
        compare::compare,
        converge::Converged,
        outputs::outputs,
        saved::{Parts, Saved},
        secrets,
        up::{Prepared, ensure_startable, prepare, set_values, unconfirmed},
    },
    render::{
        self, Printer,
        apply::Report,
        plan::{self, Heading},
    },
};
use kinds::Plan;
use problem::Problem;
use stack::preconditions::Finding;

pub(super) fn run(printer: &Printer, common: &Common, typed: &Up) -> anyhow::Result<ExitCode> {
    block_on(async {
        let mut interrupts = Interrupts::new()?;
        let prepared = tokio::select! {
            prepared = prepared(printer, common, typed) => prepared?,
            () = interrupts.next() => return Ok(ExitCode::from(INTERRUPTED)),
        };
        Box::pin(up(printer, common, typed, prepared, &mut interrupts)).await
    })
}

async fn prepared(printer: &Printer, common: &Common, typed: &Up) -> anyhow::Result<Prepared> {
    let saved = typed.plan.as_deref().map(|path| saved(printer, path)).transpose()?;
    let consent = consent(saved.as_ref().map_or(&typed.allow_delete, |(_, saved)| &saved.consent))?;
    let mut opened = account::open_checked(&common.file, common.stage.as_deref()).await?;
    opened.session.consent = consent;
    secrets::ensure_declared(&opened.declaration, &typed.set_secret)?;
    let built = artifacts(printer, common, &opened.declaration).await?;
    let prepared = Box::pin(prepare(opened, &built, &common.file, (&typed.set_secret, common.dry_run))).await?;
    if let Some((path, saved)) = saved {
        let Prepared { opened, code, compared, .. } = &prepared;
        let plan = plan::json(&Heading::new(common, &opened.session.aws), &compared.plan);
        let now = saved.again(Parts { opened, code, compared, plan });
        saved.ensure_equal(&now, path)?;
    }
    Ok(prepared)
}

/// Reads an approved plan.
fn saved<'path>(printer: &Printer, path: &'path Path) -> Result<(&'path Path, Saved), Problem> {
    let (saved, warning) = Saved::read(path)?;
    if let Some(warning) = warning {
        printer.line(&format!("warning: {warning}"));
    }
    Ok((path, saved))
}

async fn up(
    printer: &Printer,
    common: &Common,
    typed: &Up,
    prepared: Prepared,
    interrupts: &mut Interrupts,
) -> anyhow::Result<ExitCode> {
    let heading = Heading::new(common, &prepared.opened.session.aws);
    let plan = &prepared.compared.plan;
    if common.dry_run || !printer.is_json() {
        printer.plan(&heading, plan);
        printer.costs(&prepared.compared.costs(&prepared.opened.session).await);
    }
    tell_needless(printer, plan, &prepared.opened.session.consent);
    printer.findings(&prepared.findings);
    if common.dry_run {
        return Ok(rehearse(printer, common, &prepared));
    }
    ensure_startable(&prepared, &common.options())?;
    let has_work = plan.counts().actions() + typed.set_secret.len() > 0;
    let is_approved = common.yes || typed.plan.is_some();
    if has_work && let Some(declined) = declined(printer, is_approved, (&heading, plan), interrupts).await? {
        return Ok(declined);
    }
    let (converged, mut exit_code) = if has_work {
        let Some(converged) = applied(printer, typed, &prepared, interrupts).await? else {
            return Ok(ExitCode::from(INTERRUPTED));
        };
        let exit_code = super::converge::exit_code(&converged);
        (converged, exit_code)
    } else {
        let exit_code = if plan.is_converged() { ExitCode::SUCCESS } else { ExitCode::from(ERROR) };
        (Converged { results: Vec::new(), now: None, interrupted: false }, exit_code)
    };
    if exit_code == ExitCode::SUCCESS {
        exit_code = tokio::select! {
            made = topics(printer, &prepared) => made,
            () = interrupts.next() => return Ok(ExitCode::from(INTERRUPTED)),
        };
    }
    report(printer, &heading, prepared, &converged, exit_code);
    Ok(exit_code)
}

/// Tells everything that would stop `up --yes` before its first change; returns the exit code that it would end with.
fn rehearse(printer: &Printer, common: &Common, prepared: &Prepared) -> ExitCode {
    let startable = ensure_startable(prepared, &common.options());
    if let Err(problem) = &startable {
        printer.problem(problem);
    }
    if let Some(problem) = &prepared.unread_value {
        printer.problem(problem);
    }
    let would_end_well = startable.is_ok() && prepared.unread_value.is_none();
    if tell_losses(printer, &prepared.compared.plan) && would_end_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ERROR)
    }
}

/// Applies the plan and writes the values of the secrets that were named; `None` if that was interrupted.
async fn applied(
    printer: &Printer,
    typed: &Up,
    prepared: &Prepared,
    interrupts: &mut Interrupts,
) -> anyhow::Result<Option<Converged>> {
    let Prepared { opened, code, compared, .. } = prepared;
    let again = async || compare(opened, code).await;
    let converged = converge(printer, &opened.session, compared, interrupts, again).await?;
    if converged.is_complete() {
        tokio::select! {
            written = set_values(opened, compared, &typed.set_secret) => written?,
            () = interrupts.next() => return Ok(None),
        }
    }
    Ok(Some(converged))
}

/// Lets functions make the topics of Kafka that AWS does not make, and tells of each.
async fn topics(printer: &Printer, Prepared { opened, compared, .. }: &Prepared) -> ExitCode {
    let mut exit_code = ExitCode::SUCCESS;
    for topic in ops::topics::ensure(opened, compared).await {
        match topic {
            Ok(topic) => printer.line(&render::topics::line(&topic)),
            Err(problem) => {
                printer.problem(&problem);
                exit_code = ExitCode::from(ERROR);
            }
        }
    }
    exit_code
}

fn report(printer: &Printer, heading: &Heading, prepared: Prepared, converged: &Converged, exit_code: ExitCode) {
    let Prepared { opened, compared, findings, .. } = prepared;
    let seen = converged.now.as_ref().unwrap_or(&compared);
    let mut todo: Vec<Finding> = findings;
    todo.extend(unconfirmed(seen));
    printer.report(&Report {
        heading,
        plan: &compared.plan,
        results: &converged.results,
        now: converged.now.as_ref().map(|now| &now.plan),
        is_complete: exit_code == ExitCode::SUCCESS,
        outputs: &outputs(&opened, seen),
        todo: &todo,
    });
}

/// Asks for consent to what the plan deletes, and to the plan; returns the exit code of `up` if one is declined.
async fn declined(
    printer: &Printer,
    is_approved: bool,
    planned: (&Heading, &Plan),
    interrupts: &mut Interrupts,
) -> anyhow::Result<Option<ExitCode>> {
    let refused = refusal(printer, interrupts, planned).await?;
    if refused.is_some() || is_approved {
        return Ok(refused);
    }
    let question = Question {
        text: "Apply this plan? Type `yes` to confirm:",
        word: "yes",
        hint: "pass `--yes`, or `--dry-run` to see the plan only",
        declined: "nothing was changed",
    };
    ask(printer, interrupts, &question).await
}
