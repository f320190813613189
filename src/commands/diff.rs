//! `provision diff`: compares the declaration with the account, field by field. Changes nothing, asks
//! nothing.

use std::{path::Path, process::ExitCode};

use super::{
    ERROR,
    build::artifacts,
    consent::{consent, tell_needless},
    until_interrupted,
};
use crate::ops::{
    account,
    compare::{Code, compare},
    saved::{self, Parts, Saved},
};
use crate::{
    cli::{Common, Diff},
    render::{
        Printer, markdown,
        plan::{self, Heading},
    },
};
use kinds::Plan;
use problem::{Problem, shell_word};
use stack::preconditions::others;

/// Exit code of a comparison with differences, or with rules or a rule set of others that keep mail from the stack.
const CHANGES: u8 = 1;

pub(super) fn run(printer: &Printer, common: &Common, typed: &Diff) -> anyhow::Result<ExitCode> {
    until_interrupted(diff(printer, common, typed))
}

async fn diff(printer: &Printer, common: &Common, typed: &Diff) -> anyhow::Result<ExitCode> {
    let consent = consent(&typed.allow_delete)?;
    if let Some(path) = &typed.out {
        saved::ensure_new(path)?;
    }
    let mut opened = account::open_checked(&common.file, common.stage.as_deref()).await?;
    opened.session.consent = consent;
    let code = if typed.no_build {
        Code::NotBuilt
    } else {
        let built = artifacts(printer, common, &opened.declaration).await?;
        Code::built(&built)
    };
    let compared = compare(&opened, &code).await?;
    let heading = Heading::new(common, &opened.session.aws);
    // What others have in the way is no difference of ours, and mail is lost all the same.
    let stack = &opened.session.stack;
    let others =
        compared.snapshot.as_deref().map(|snapshot| others(stack, &opened.declaration, &compared.rule_set, snapshot));
    let others = others.unwrap_or_default();
    if typed.markdown {
        printer.data(&markdown::text(&heading, &compared.plan, &others));
    } else {
        printer.comparison(&heading, &compared.plan, &others);
        printer.costs(&compared.costs(&opened.session).await);
    }
    tell_needless(printer, &compared.plan, &opened.session.consent);
    printer.findings(&others.cut_off);
    printer.findings(others.taken_over.as_slice());
    if let Some(path) = &typed.out {
        let plan = plan::json(&heading, &compared.plan);
        let parts = Parts { opened: &opened, code: &code, compared: &compared, plan };
        if !save(printer, path, parts)? {
            return Ok(ExitCode::from(ERROR));
        }
    }
    if typed.no_build {
        let problem = Problem::new("The code of the functions was not compared");
        printer.problem(&problem.with_hint("run without `--no-build` to compare it"));
    }
    Ok(exit_code(&compared.plan, typed.no_build, !others.cut_off.is_empty()))
}

fn exit_code(plan: &Plan, is_partial: bool, is_cut_off: bool) -> ExitCode {
    let counts = plan.counts();
    match counts {
        _ if is_partial || counts.unreadable > 0 => ExitCode::from(ERROR),
        _ if counts.actions() + counts.foreign > 0 || is_cut_off => ExitCode::from(CHANGES),
        _ => ExitCode::SUCCESS,
    }
}

/// Writes a plan that `up` would apply; returns `false`, and tells why, if it would refuse it.
fn save(printer: &Printer, path: &Path, parts: Parts<'_>) -> Result<bool, Problem> {
    let open = parts.compared.plan.unconsented();
    if !open.is_empty() {
        printer.losses(&open);
        return Ok(false);
    }
    let refused = saved::ensure_appliable(parts.compared).and_then(|()| account::ensure_listed(&parts.opened.session));
    if let Err(problem) = refused {
        printer.problem(&problem);
        return Ok(false);
    }
    Saved::new(parts).write(path)?;
    printer.line(&format!("Wrote the plan; `provision up {}` applies it", shell_word(&path.display().to_string())));
    Ok(true)
}
