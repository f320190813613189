//! `provision policy`: prints the IAM policy that running `provision` needs.

use std::process::ExitCode;

use super::until_interrupted;
use crate::ops::account;
use crate::{
    cli::{self, Common, Policy},
    render::Printer,
};
use declaration::Declaration;
use stack::{
    Names,
    policy::{Purpose, policy},
};

pub(super) fn run(printer: &Printer, common: &Common, typed: &Policy) -> anyhow::Result<ExitCode> {
    let declaration = Declaration::read(&common.file, common.stage.as_deref())?;
    let purpose = match typed.purpose {
        cli::Purpose::Up => Purpose::Up,
        cli::Purpose::Diff => Purpose::Diff,
        cli::Purpose::Down => Purpose::Down,
    };
    // Whoever is to get the policy may have no credentials yet.
    if let Some(account) = &declaration.account {
        printer.policy(&policy(&declaration, &Names::new(&declaration, account), purpose));
        return Ok(ExitCode::SUCCESS);
    }
    until_interrupted(async {
        let opened = account::open(&common.file, common.stage.as_deref()).await?;
        printer.policy(&policy(&opened.declaration, &opened.names, purpose));
        Ok(ExitCode::SUCCESS)
    })
}
