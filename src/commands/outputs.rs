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
        let unread = compared.plan.items().iter().find_map(|item| match &item.action {
            Action::Unreadable { failure } => Some((&item.id, failure)),
            _ => None,
        });
        if let Some((id, failure)) = unread {
            printer.problem(&Problem::new(format!("Failed to read {id}")).with_source(failure.clone()));
            return Ok(ExitCode::from(ERROR));
        }
        Ok(if outputs.missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(MISSING) })
    })
}
