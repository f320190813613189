//! `provision backfill`: brings the outputs of complete jobs into the bucket that no webhook has brought.

use std::process::ExitCode;

use super::{
    block_on,
    converge::{Question, ask},
    interrupts::{INTERRUPTED, Interrupts},
};
use crate::{
    cli::{Backfill, Common},
    ops::{
        account,
        backfill::{self, Survey, Target},
    },
    render::{
        self, Printer,
        backfill::{Progress, Report},
    },
};
use problem::Problem;

/// Exit code if an output is missing.
const MISSING: u8 = 1;

const HINT: &str = "pass `--yes`, or `--dry-run` to see what is missing only";

pub(super) fn run(printer: &Printer, common: &Common, typed: &Backfill) -> anyhow::Result<ExitCode> {
    block_on(async {
        let mut interrupts = Interrupts::new()?;
        if !common.dry_run && !common.yes && !printer.can_ask() {
            return Err(Problem::new("Failed to ask: there is no terminal").with_hint(HINT).into());
        }
        // Nothing is changed until the jobs are queued.
        let found = tokio::select! {
            found = find(printer, common, typed) => found?,
            () = interrupts.next() => return Ok(ExitCode::from(INTERRUPTED)),
        };
        let (opened, mut survey) = found;
        let target = backfill::target(&opened.declaration, &typed.name)?;
        let mut report = Report { target: &target, is_dry: common.dry_run, is_interrupted: false };
        render::backfill::plan(printer, &survey, common.verbose);
        let count = render::backfill::missing(&survey);
        if common.dry_run || count == 0 {
            return ended(printer, &report, &survey);
        }
        if !common.yes {
            let text = format!("Queue {count} for `{}`? Type `yes` to confirm:", target.function);
            let question = Question { text: &text, word: "yes", hint: HINT, declined: "nothing was queued" };
            if let Some(declined) = ask(printer, &mut interrupts, &question).await? {
                return Ok(declined);
            }
        }
        let brought = tokio::select! {
            brought = bring(printer, &opened, &target, typed, &mut survey) => Some(brought),
            () = interrupts.next() => None,
        };
        report.is_interrupted = brought.is_none();
        match brought {
            // The error is the one document.
            Some(Err(problem)) if printer.is_json() => Err(problem.into()),
            Some(Err(problem)) => ended(printer, &report, &survey).and(Err(problem.into())),
            Some(Ok(())) => ended(printer, &report, &survey),
            None => ended(printer, &report, &survey).map(|_| ExitCode::from(INTERRUPTED)),
        }
    })
}

/// Finds the jobs whose outputs are missing.
async fn find(printer: &Printer, common: &Common, typed: &Backfill) -> anyhow::Result<(account::Opened, Survey)> {
    let opened = account::open(&common.file, common.stage.as_deref()).await?;
    let target = backfill::target(&opened.declaration, &typed.name)?;
    let (mut survey, jobs) = backfill::list(&opened, &target, typed.since).await?;
    render::backfill::listed(printer, &survey, jobs.len());
    let progress = Progress::begin(printer, jobs.len(), "outputs looked for");
    backfill::look(&opened, &target, jobs, &mut survey, |looked| progress.at(looked)).await?;
    drop(progress);
    Ok((opened, survey))
}

/// Queues the missing jobs, and waits for their outputs.
async fn bring(
    printer: &Printer,
    opened: &account::Opened,
    target: &Target<'_>,
    typed: &Backfill,
    survey: &mut Survey,
) -> Result<(), Problem> {
    backfill::queue(opened, target, survey).await?;
    let count = render::backfill::queued(survey);
    printer.line(&format!("Queued: {count} for `{}`, in the queue `{}`", target.function, target.queue));
    let progress = Progress::begin(printer, count, "jobs done");
    backfill::follow(opened, target, survey, typed.wait, |left| progress.at(count.saturating_sub(left))).await
}

fn ended(printer: &Printer, report: &Report<'_>, survey: &Survey) -> anyhow::Result<ExitCode> {
    render::backfill::report(printer, report, survey)?;
    Ok(if render::backfill::is_whole(survey) { ExitCode::SUCCESS } else { ExitCode::from(MISSING) })
}
