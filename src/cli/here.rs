//! Arguments of the commands that work on this machine alone: `parse`, `schema`, `init`, `build`, `completions`, `man`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Sink;

/// The arguments of `provision parse`.
#[derive(Debug, Args)]
#[command(after_long_help = PARSE_EXIT_CODES)]
pub struct Parse {
    /// Files, folders, mbox files, or `-`.
    ///
    /// In a folder, files are read whose name ends in `.eml`, `.mail`, `.msg` or `.mbox`, and files that begin with the
    /// headers of a mail. The mails of an mbox file are named FILE#1, FILE#2 and so on.
    #[arg(required = true, value_name = "FILE")]
    pub paths: Vec<PathBuf>,
    /// Also show how the provider was recognised and from which words of the mail each value was read.
    #[arg(long, conflicts_with = "function")]
    pub explain: bool,
    /// Let this function of the declaration read the mails, as `dev` runs it, instead of the built-in parsers.
    ///
    /// For carriers that a function of your own reads. The function `maintenance` delivers nothing; a function of your own does
    /// what it does in `dev`.
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
}

const PARSE_EXIT_CODES: &str = "Exit codes:
    0  every mail has an outcome other than `failed`
    1  a mail of a known provider could not be understood; with `--function`:
       the function failed
    2  an error: a file that cannot be read or is empty, a folder without mails";

/// The arguments of `provision schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// Print every field that `diff` compares instead, with the treatment of its changes.
    #[arg(long, conflicts_with = "markdown")]
    pub fields: bool,
    /// Print the reference of declarations for people instead, as Markdown.
    #[arg(long)]
    pub markdown: bool,
    /// Print the JSON Schema of plans instead, as `diff --json` prints them.
    #[arg(long, conflicts_with_all = ["fields", "markdown"])]
    pub plan: bool,
}

/// The arguments of `provision init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The declaration to start from.
    #[arg(long, value_name = "NAME", default_value = "maintenance")]
    pub example: Example,
    /// Where maintenances go, in the declaration of the example `maintenance`. [default: lines]
    #[arg(long, value_name = "NAME", conflicts_with = "example")]
    pub sink: Option<Sink>,
}

/// Declarations that `provision init` can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Example {
    /// Carriers' maintenance mails into NetBox.
    Maintenance,
    /// A function that logs what it is told about every mail.
    Echo,
}

/// The arguments of `provision build`.
#[derive(Debug, Args)]
pub struct Build {
    /// Write the zips into this folder, as FUNCTION.zip. [default: Cargo's target folder]
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}

/// The arguments of `provision completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// Shell that the script is for.
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// The arguments of `provision man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Write one page per command into this folder, instead of printing the page of `provision`.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}
