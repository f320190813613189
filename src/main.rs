//! The binary `provision`: parses the arguments, runs the command, returns its exit code.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    provision::run(&provision::cli::Arguments::parse())
}
