//! `provision validate`: checks the declaration, without an account and without the network.

use std::process::ExitCode;

use super::block_on;
use crate::{cli::Common, ops::schemas, render::Printer};

pub(super) fn run(printer: &Printer, common: &Common) -> anyhow::Result<ExitCode> {
    let checked = block_on(schemas::check(&common.file, common.stage.as_deref()))?;
    printer.valid(&common.file, &checked);
    Ok(ExitCode::SUCCESS)
}
