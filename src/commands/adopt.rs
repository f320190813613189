//! `provision adopt`: gives a resource the tags of an entry, and changes nothing else.

use std::process::ExitCode;

use super::{
    block_on,
    converge::{Question, ask},
    interrupts::{INTERRUPTED, Interrupts},
};
use crate::{
    cli::{Adopt, Common},
    ops::{
        account,
        adopt::{Adoption, prepare},
    },
    render::{Printer, adopt, plan::Heading},
};

pub(super) fn run(printer: &Printer, common: &Common, typed: &Adopt) -> anyhow::Result<ExitCode> {
    block_on(async {
        let mut interrupts = Interrupts::new()?;
        let prepared = async {
            let opened = account::open_checked(&common.file, common.stage.as_deref()).await?;
            account::ensure_listed(&opened.session)?;
            let adoption = prepare(&opened, &typed.resource, &typed.id).await?;
            anyhow::Ok((opened, adoption))
        };
        let (opened, adoption) = tokio::select! {
            prepared = prepared => prepared?,
            () = interrupts.next() => return Ok(ExitCode::from(INTERRUPTED)),
        };
        let heading = Heading::new(common, &opened.session.aws);
        if !printer.is_json() {
            printer.data(&adopt::text(&heading, &adoption, printer.look()));
        }
        let is_written = if common.dry_run || adoption.tags.is_empty() {
            false
        } else {
            if let Some(declined) = declined(printer, common, &mut interrupts).await? {
                return Ok(declined);
            }
            tokio::select! {
                written = adoption.write(&opened.session) => written?,
                () = interrupts.next() => return Ok(ExitCode::from(INTERRUPTED)),
            }
            true
        };
        report(printer, &heading, &adoption, is_written);
        Ok(ExitCode::SUCCESS)
    })
}

/// Asks for consent; returns the exit code if it is declined.
async fn declined(printer: &Printer, common: &Common, interrupts: &mut Interrupts) -> anyhow::Result<Option<ExitCode>> {
    if common.yes {
        return Ok(None);
    }
    let question = Question {
        text: "Adopt it? Type `yes` to confirm:",
        word: "yes",
        hint: "pass `--yes`, or `--dry-run` to see what would be done only",
        declined: "nothing was changed",
    };
    ask(printer, interrupts, &question).await
}

fn report(printer: &Printer, heading: &Heading, adoption: &Adoption, is_written: bool) {
    if printer.is_json() {
        printer.data(&adopt::json(heading, adoption, is_written).to_string());
    } else if is_written {
        printer.data(&adopt::summary(adoption));
    }
}
