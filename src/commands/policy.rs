//! `provision policy`: what whoever runs the tool must be allowed to do.

use std::process::ExitCode;

use super::{stack, until_interrupted};
use crate::{
    cli::{self, Common, Policy},
    context::Names,
    declaration::Declaration,
    operate::policy::{Purpose, policy},
    render::Printer,
};

pub(super) fn run(printer: &Printer, common: &Common, typed: &Policy) -> anyhow::Result<ExitCode> {
    let declaration = Declaration::read(&common.file, common.stage.as_deref())?;
    let purpose = match typed.purpose {
        cli::Purpose::Up => Purpose::Up,
        cli::Purpose::Diff => Purpose::Diff,
        cli::Purpose::Down => Purpose::Down,
    };
    // Whoever is to be given the policy may have no credentials yet.
    if let Some(account) = &declaration.account {
        printer.policy(&policy(&declaration, &Names::new(&declaration, account), purpose));
        return Ok(ExitCode::SUCCESS);
    }
    until_interrupted(async {
        let opened = stack::open(common).await?;
        printer.policy(&policy(&opened.declaration, &opened.names, purpose));
        Ok(ExitCode::SUCCESS)
    })
}
