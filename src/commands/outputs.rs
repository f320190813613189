//! `provision outputs`: prints the names and addresses of what is in the account.

use std::process::ExitCode;

use super::{ERROR, until_interrupted};
use crate::{
    cli::Common,
    ops::{
        account,
        compare::{Code, compare},
        outputs::outputs,
    },
    render::{self, Printer, plan::Heading},
};
use engine::Action;
use kinds::Item;
use problem::Problem;

/// Exit code where something that is declared is not in the account.
const MISSING: u8 = 1;

pub(super) fn run(printer: &Printer, common: &Common) -> anyhow::Result<ExitCode> {
    until_interrupted(async {
        let opened = account::open(&common.file, common.stage.as_deref()).await?;
        let compared = compare(&opened, &Code::NotBuilt).await?;
        let outputs = outputs(&opened, &compared);
        let heading = Heading::new(common, &opened.session.aws);
        render::outputs::outputs(printer, &heading, &outputs);
        let problems: Vec<Problem> = compared.plan.items().iter().filter_map(problem).collect();
        for problem in &problems {
            printer.problem(problem);
        }
        if !problems.is_empty() {
            return Ok(ExitCode::from(ERROR));
        }
        Ok(if outputs.missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(MISSING) })
    })
}

/// Returns why nobody knows the outputs of a resource; `None` if they are known, or it is not there.
fn problem(item: &Item) -> Option<Problem> {
    match &item.action {
        Action::Unreadable { failure } => {
            Some(Problem::new(format!("Failed to read {}", item.id)).with_source(failure.clone()))
        }
        Action::Foreign { owner } => {
            let message = format!("Failed to find {}: `{}` is not the stack's: {owner}", item.id, item.address.name);
            Some(Problem::new(message).with_hint("`provision up --dry-run` says what to do"))
        }
        _ => None,
    }
}
