//! `provision dev`.

use std::process::ExitCode;

use crate::{
    cli::{Common, Dev},
    declaration::Declaration,
    render::Printer,
};

pub(super) fn run(_printer: &Printer, common: &Common, typed: &Dev) -> anyhow::Result<ExitCode> {
    let _declaration = Declaration::read(&common.file)?;
    anyhow::bail!("Failed to deliver {} paths: not there yet", typed.deliver.len())
}
