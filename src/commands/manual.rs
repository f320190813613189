//! `provision man`: prints or writes the manual pages, which a release contains beside the binary.

use std::process::ExitCode;

use clap::CommandFactory;

use crate::{
    cli::{Arguments, Man},
    render::Printer,
};
use problem::Problem;

pub(super) fn run(printer: &Printer, typed: &Man) -> anyhow::Result<ExitCode> {
    let command = Arguments::command();
    if let Some(folder) = &typed.out {
        let shown = folder.display();
        let failed = |error| Problem::new(format!("Failed to write the manual pages to `{shown}`")).with_source(error);
        std::fs::create_dir_all(folder).map_err(failed)?;
        clap_mangen::generate_to(command, folder).map_err(failed)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    printer.data(String::from_utf8(page)?.trim_end());
    Ok(ExitCode::SUCCESS)
}
