//! What was typed, and nothing that follows from it.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Carrier maintenance mails into NetBox: one declaration, one command, infrastructure and handler together.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What applies to every command.
    #[command(flatten)]
    pub common: Common,
}

/// What applies to every command.
#[derive(Debug, Args)]
pub struct Common {
    /// The declaration.
    #[arg(short, long, global = true, default_value = "infra.yaml")]
    pub file: PathBuf,
    /// One JSON document on standard output.
    #[arg(long, global = true)]
    pub json: bool,
    /// Say more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tell what mails say: files, folders, mbox files, or `-` for standard input.
    Parse(Parse),
    /// Check the declaration.
    Validate,
    /// Run the declared pipeline on this machine: mail in, the real handler, maintenances out. No AWS account.
    Dev(Dev),
}

/// The arguments of `provision parse`.
#[derive(Debug, Args)]
pub struct Parse {
    /// Files, folders, mbox files, or `-`.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
}

/// The arguments of `provision dev`.
#[derive(Debug, Args)]
pub struct Dev {
    /// Deliver these mails as if they had arrived: files, folders, mbox files.
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub deliver: Vec<PathBuf>,
    /// End after the deliveries, with a summary and an exit code.
    #[arg(long)]
    pub once: bool,
    /// Where maintenances go, instead of where the declaration says.
    #[arg(long)]
    pub sink: Option<Sink>,
    /// How long a failed invocation waits before it is tried again. Lambda waits one minute, then two.
    #[arg(long, value_parser = seconds, default_value = "1")]
    pub retry_delay: Duration,
}

/// Where maintenances go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sink {
    /// One JSON line each, in the function's log.
    Lines,
    /// NetBox.
    Netbox,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.trim_end_matches('s').parse().map_err(|_| format!("`{text}` is no number of seconds"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
