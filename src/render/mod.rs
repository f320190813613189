//! The only code that prints: data on standard output; progress, prompts and logs on standard error.
#![expect(clippy::print_stderr, clippy::print_stdout, reason = "this module is the only door to both")]

pub(crate) mod dev;

use crate::cli::Common;

/// The only door to standard output and standard error.
#[derive(Debug)]
pub(crate) struct Printer {
    json: bool,
}

impl Printer {
    /// A printer for what was typed.
    pub(crate) fn new(common: &Common) -> Self {
        Self { json: common.json }
    }

    /// Whether a machine reads standard output.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a line of data.
    pub(crate) fn data(&self, line: &str) {
        println!("{line}");
    }

    /// Prints a line of progress.
    pub(crate) fn note(&self, line: &str) {
        eprintln!("{line}");
    }

    /// Prints an error with its causes.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        eprintln!("error: {error:#}");
    }
}
