//! Parse, run, exit code.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    provision::run(&provision::cli::Arguments::parse())
}
