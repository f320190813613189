//! `provision parse`.

use std::process::ExitCode;

use crate::{cli::Parse, render::Printer};

pub(super) fn run(_printer: &Printer, typed: &Parse) -> anyhow::Result<ExitCode> {
    anyhow::bail!("Failed to read {} paths: not there yet", typed.paths.len())
}
