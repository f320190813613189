//! `provision up`: applies the declaration to the account.
//!
//! Everything that can be read is read first: the declaration, the code, the account, the values of new secrets. Then the
//! plan is shown, and only then something changes.

use std::process::ExitCode;

use super::{
    ERROR, block_on,
    build::artifacts,
    consent::{consent, refusal, tell_needless},
    converge::{Question, ask, converge},
    interrupts::{INTERRUPTED, Interrupts},
};
use crate::{
    cli::{Common, Up},
    ops::{
        account,
        compare::compare,
        converge::Converged,
        secrets,
        up::{Prepared, ensure_no_blockers, ensure_no_foreign_resources, outputs, prepare, set_values, unconfirmed},
    },
    render::{Printer, apply::Report, plan::Heading},
};
use stack::preconditions::Finding;

pub(super) fn run(printer: &Printer, common: &Common, typed: &Up) -> anyhow::Result<ExitCode> {
    block_on(async {
        let mut interrupts = Interrupts::new()?;
        let prepared = tokio::select! {
            prepared = prepared(printer, common, typed) => prepared?,
            () = interrupts.next() => return Ok(ExitCode::from(INTERRUPTED)),
        };
        up(printer, common, typed, prepared, &mut interrupts).await
    })
}

async fn prepared(printer: &Printer, common: &Common, typed: &Up) -> anyhow::Result<Prepared> {
    let consent = consent(&typed.allow_delete)?;
    let mut opened = account::open_checked(&common.file, common.stage.as_deref()).await?;
    opened.session.consent = consent;
    secrets::known(&opened.declaration, &typed.set_secret)?;
    let built = artifacts(printer, common, &opened.declaration).await?;
    prepare(opened, &built, &common.file, (&typed.set_secret, common.dry_run)).await
}

async fn up(
    printer: &Printer,
    common: &Common,
    typed: &Up,
    prepared: Prepared,
    interrupts: &mut Interrupts,
) -> anyhow::Result<ExitCode> {
    let Prepared { opened, code, compared, findings } = prepared;
    let heading = Heading::new(common, &opened.session.aws);
    if common.dry_run || !printer.is_json() {
        printer.plan(&heading, &compared.plan);
    }
    tell_needless(printer, &compared.plan, &opened.session.consent);
    printer.findings(&findings);
    if common.dry_run {
        let is_known = compared.plan.counts().unreadable == 0;
        return Ok(if is_known { ExitCode::SUCCESS } else { ExitCode::from(ERROR) });
    }
    ensure_no_foreign_resources(&compared, &common.options())?;
    account::ensure_listed(&opened.session)?;
    ensure_no_blockers(&findings)?;
    let has_work = compared.plan.counts().steps() + typed.set_secret.len() > 0;
    let (converged, exit_code) = if has_work {
        let planned = (&heading, &compared.plan);
        if let Some(refused) = refusal(printer, interrupts, planned, &opened.session.consent).await? {
            return Ok(refused);
        }
        if let Some(declined) = declined(printer, common, interrupts).await? {
            return Ok(declined);
        }
        let converged =
            converge(printer, &opened.session, &compared, interrupts, async || compare(&opened, &code).await).await?;
        if converged.is_complete() {
            tokio::select! {
                written = set_values(&opened, compared.names(&opened), &typed.set_secret) => written?,
                () = interrupts.next() => return Ok(ExitCode::from(INTERRUPTED)),
            }
        }
        let exit_code = super::converge::exit_code(&converged);
        (converged, exit_code)
    } else {
        let exit_code = if compared.plan.is_converged() { ExitCode::SUCCESS } else { ExitCode::from(ERROR) };
        (Converged { results: Vec::new(), now: None, interrupted: false }, exit_code)
    };
    let seen = converged.now.as_ref().unwrap_or(&compared);
    let mut todo: Vec<Finding> = findings;
    todo.extend(unconfirmed(seen));
    printer.report(&Report {
        heading: &heading,
        plan: &compared.plan,
        results: &converged.results,
        now: converged.now.as_ref().map(|now| &now.plan),
        is_complete: exit_code == ExitCode::SUCCESS,
        outputs: &outputs(&opened, &compared, &code),
        todo: &todo,
    });
    Ok(exit_code)
}

/// Asks for consent to the plan; returns the exit code of `up` if it is declined.
async fn declined(printer: &Printer, common: &Common, interrupts: &mut Interrupts) -> anyhow::Result<Option<ExitCode>> {
    if common.yes {
        return Ok(None);
    }
    let question = Question {
        text: "Apply this plan? Type `yes` to confirm:",
        word: "yes",
        hint: "pass `--yes`, or `--dry-run` to see the plan only",
        declined: "nothing was changed",
    };
    ask(printer, interrupts, &question).await
}
