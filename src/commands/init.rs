//! `provision init`: creates a starter declaration. The examples are the declarations of this repository, with the
//! functions that came with the command line in the place of the crates, which are in the repository only.

use std::{fs::OpenOptions, io::Write, process::ExitCode};

use crate::{
    cli::{Common, Example, Init, Sink},
    render::Printer,
};
use problem::Problem;

const MAINTENANCE: &str = include_str!("../../infra.yaml");
const NETBOX: &str = include_str!("../../examples/netbox.yaml");
const WEBHOOK: &str = include_str!("../../examples/webhook.yaml");
const CALENDAR: &str = include_str!("../../examples/calendar.yaml");
const ECHO: &str = include_str!("../../examples/echo.yaml");

pub(super) fn run(printer: &Printer, common: &Common, typed: &Init) -> anyhow::Result<ExitCode> {
    let content = &shipped(match (typed.example, typed.sink) {
        (Example::Maintenance, None | Some(Sink::Lines)) => MAINTENANCE,
        (Example::Maintenance, Some(Sink::Netbox)) => NETBOX,
        (Example::Maintenance, Some(Sink::Webhook)) => WEBHOOK,
        (Example::Maintenance, Some(Sink::Calendar)) => CALENDAR,
        (Example::Echo, _) => ECHO,
    });
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

/// Returns a declaration of this repository with `use: NAME` instead of `crate: NAME`.
fn shipped(declaration: &str) -> String {
    declaration.replace("    crate: ", "    use: ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use declaration::{Code, Declaration};

    use super::*;

    #[test]
    fn no_example_needs_a_crate() {
        for example in [MAINTENANCE, NETBOX, WEBHOOK, CALENDAR, ECHO] {
            let checked = Declaration::parse(Path::new("infra.yaml"), shipped(example).as_bytes(), None).unwrap();
            let mut functions = checked.declarations.iter().flat_map(|one| one.functions.iter()).peekable();
            assert!(functions.peek().is_some());
            for (entry, function) in functions {
                assert_eq!(function.code, Code::Shipped(entry.clone()));
            }
        }
    }
}
