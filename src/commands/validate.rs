//! `provision validate`: checks the declaration, without an account and without the network.

use std::process::ExitCode;

use crate::{cli::Common, render::Printer};
use declaration::Declaration;

pub(super) fn run(printer: &Printer, common: &Common) -> anyhow::Result<ExitCode> {
    let checked = Declaration::check(&common.file, common.stage.as_deref())?;
    printer.valid(&common.file, &checked);
    Ok(ExitCode::SUCCESS)
}
