//! `provision diff`: compares the declaration with the account, field by field. Changes nothing, asks
//! nothing.

use std::process::ExitCode;

use super::{ERROR, build::artifacts, until_interrupted};
use crate::ops::{
    account,
    compare::{Code, compare},
};
use crate::{
    cli::{Common, Diff},
    render::{Printer, plan::Heading},
};
use problem::Problem;

/// Exit code of a comparison with differences.
const CHANGES: u8 = 1;

pub(super) fn run(printer: &Printer, common: &Common, typed: &Diff) -> anyhow::Result<ExitCode> {
    until_interrupted(diff(printer, common, typed))
}

async fn diff(printer: &Printer, common: &Common, typed: &Diff) -> anyhow::Result<ExitCode> {
    let opened = account::open_checked(&common.file, common.stage.as_deref()).await?;
    let code = if typed.no_build {
        Code::NotBuilt
    } else {
        let built = artifacts(printer, common, &opened.declaration).await?;
        Code::built(&built)
    };
    let compared = compare(&opened, &code).await?;
    let heading = Heading::new(common, &opened.session.aws);
    printer.plan(&heading, &compared.plan);
    if typed.no_build {
        let problem = Problem::new("The code of the functions was not compared");
        printer.problem(&problem.with_hint("run without `--no-build` to compare it"));
    }
    let counts = compared.plan.counts();
    Ok(match counts {
        _ if typed.no_build || counts.unreadable > 0 => ExitCode::from(ERROR),
        _ if counts.steps() + counts.foreign > 0 => ExitCode::from(CHANGES),
        _ => ExitCode::SUCCESS,
    })
}
