//! `provision init`: writes a starter declaration. The examples are the declarations of this repository.

use std::{fs::OpenOptions, io::Write, process::ExitCode};

use crate::{
    cli::{Common, Example, Init},
    render::Printer,
};
use problem::Problem;

const MAINTENANCE: &str = include_str!("../../infra.yaml");
const ECHO: &str = include_str!("../../examples/echo.yaml");

pub(super) fn run(printer: &Printer, common: &Common, typed: &Init) -> anyhow::Result<ExitCode> {
    let content = match typed.example {
        Example::Maintenance => MAINTENANCE,
        Example::Echo => ECHO,
    };
    if common.dry_run {
        printer.would_write(&common.file, content);
        return Ok(ExitCode::SUCCESS);
    }
    let path = common.file.display();
    // An existing file is never overwritten, and a file is never written partially.
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&common.file)
        .and_then(|mut file| file.write_all(content.as_bytes()));
    written.map_err(|error| {
        let exists = error.kind() == std::io::ErrorKind::AlreadyExists;
        let problem = Problem::new(format!("Failed to write `{path}`")).with_source(error);
        if exists { problem.with_hint("nothing is overwritten; name another file with `-f FILE`") } else { problem }
    })?;
    printer.written(&common.file);
    Ok(ExitCode::SUCCESS)
}
