//! The binary `provision`: parses the arguments, runs the command, returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    provision::run(&provision::cli::Arguments::read())
}
