//! `provision validate`.

use std::process::ExitCode;

use crate::{cli::Common, declaration::Declaration, render::Printer};

pub(super) fn run(_printer: &Printer, common: &Common) -> anyhow::Result<ExitCode> {
    Declaration::read(&common.file)?;
    Ok(ExitCode::SUCCESS)
}
