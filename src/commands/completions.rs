//! `provision completions`: prints a shell's completion script.

use std::process::ExitCode;

use clap::CommandFactory;

use crate::{
    cli::{Arguments, Completions},
    render::Printer,
};

pub(super) fn run(printer: &Printer, typed: &Completions) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(typed.shell, &mut Arguments::command(), "provision", &mut script);
    printer.data(String::from_utf8(script)?.trim_end());
    Ok(ExitCode::SUCCESS)
}
