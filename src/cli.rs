//! The command line's arguments, as they were typed: the source of help, completions and manual pages.

use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
};

mod dev;
mod functions;
mod here;
mod sent;
mod stack;
mod track;
mod values;

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind};
use problem::shell_word;

use self::stack::OUTPUTS_EXIT_CODES;

pub use self::stack::{Adopt, Diff, Down, Policy, Purpose, Status, Up};
pub use dev::{Dev, Sink};
pub use functions::{Backfill, Check, Invoke, Logs, Pause, Replay};
pub use here::{Build, Completions, Example, Init, Man, Parse, Schema};
pub use sent::{Brokers, Send, Simulation, Tail, Timeline};
pub use track::Track;
pub use values::Rate;

/// Version of the tool, followed by the commit if `PROVISION_REVISION` was set for the build: `0.1.0 (0a1b2c3d4e5f)`. The build does not ask
/// Git, so that the same source gives the same bytes anywhere.
static VERSION: LazyLock<String> = LazyLock::new(|| version(option_env!("PROVISION_REVISION")));

/// Declaration file that is read without `--file`.
const DEFAULT_FILE: &str = "infra.yaml";

fn version(revision: Option<&str>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    match revision.filter(|revision| !revision.is_empty()) {
        Some(revision) => format!("{version} ({revision})"),
        None => version.to_owned(),
    }
}

/// Deploy functions and their infrastructure in AWS from one declaration: they file carriers' maintenance mails in NetBox, write events of sent
/// mails to Kafka, and receive webhooks.
#[derive(Debug, Parser)]
#[command(version = VERSION.as_str(), max_term_width = 80)]
pub struct Arguments {
    /// Command that was typed.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
}

/// Commands that know `--dry-run`.
const DRY_RUN: &[&str] =
    &["adopt", "backfill", "check", "down", "init", "invoke", "pause", "replay", "resume", "send", "up"];

impl Arguments {
    /// Reads the command line, and ends the process with what is wrong with it, or with the help that was asked for.
    pub fn read() -> Self {
        let read = Self::command().try_get_matches().and_then(|matches| Self::of(&matches));
        read.unwrap_or_else(|error| error.exit())
    }

    fn of(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let typed = Self::from_arg_matches(matches)?;
        let command = matches.subcommand_name().unwrap_or_default();
        if typed.common.dry_run && !DRY_RUN.contains(&command) {
            let reason = format!("`{command}` does not know `--dry-run`; these commands do: {}", DRY_RUN.join(", "));
            return Err(Self::command().error(ErrorKind::ArgumentConflict, reason));
        }
        Ok(typed)
    }
}

/// Options of every command.
#[expect(clippy::struct_excessive_bools, reason = "each is an option that is there or not")]
#[derive(Debug, Args)]
pub struct Common {
    /// Declaration file.
    #[arg(short, long, global = true, default_value = DEFAULT_FILE)]
    pub file: PathBuf,
    /// Stage to use; required if the declaration defines stages.
    #[arg(long, global = true, value_name = "NAME")]
    pub stage: Option<String>,
    /// Print JSON: one document, or one line per item where items follow each other (`parse`, `tail`, `logs --follow`, `send --watch`).
    #[arg(long, global = true)]
    pub json: bool,
    /// Show what would be done, and change nothing. Commands that only read, or that write what they are asked for on this machine, refuse it.
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Answer yes to the question before a change. What would be lost for good must still be named, see `--allow-delete`; `down` asks for the
    /// name of the stack, see `--confirm`.
    #[arg(short, long, global = true)]
    pub yes: bool,
    /// Print more detail: the settings of new resources, and each call to AWS as it ends.
    // There is one step of detail: `-vv`, which many tools have, is taken for `-v`.
    #[arg(short, long, global = true, overrides_with = "verbose")]
    pub verbose: bool,
}

impl Common {
    /// Returns `--file` and `--stage` as they were given, each after a space, to be appended to a command that is suggested. An option with its
    /// default is left out.
    pub(crate) fn options(&self) -> String {
        let file = Some(&self.file).filter(|file| *file != Path::new(DEFAULT_FILE));
        let file = file.map(|file| format!(" --file {}", shell_word(&file.display().to_string())));
        let stage = self.stage.as_ref().map(|stage| format!(" --stage {}", shell_word(stage)));
        [file, stage].into_iter().flatten().collect()
    }
}

/// The commands of `provision`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what mails say: files, folders, mbox files, or `-` for standard input.
    Parse(Parse),
    /// Check the declaration: the given stage, or all of its stages.
    Validate,
    /// Print the JSON Schema of declarations, which gives editors completion.
    Schema(Schema),
    /// Create a starter declaration. An existing file is never overwritten.
    Init(Init),
    /// Check the declared NetBox from this machine or, with `--from-function`, from the deployed functions. Changes nothing.
    ///
    /// From this machine, it checks the version of NetBox, its plugin, and the rights of the token in `NETBOX_TOKEN`.
    Check(Check),
    /// Apply the declaration: build, show the plan, ask, apply, verify.
    Up(Up),
    /// Compare the declaration with the account, field by field. Changes nothing and asks nothing.
    Diff(Diff),
    /// Delete the stack. What holds data or is protected stays unless you pass `--delete-data` or `--allow-delete`. Secrets can be restored for 7
    /// days.
    Down(Down),
    /// Take over a resource that was made by hand or has lost its tags. It gets the tags of an entry; nothing else changes.
    Adopt(Adopt),
    /// Build one zip per function for Lambda. The same source gives the same bytes.
    Build(Build),
    /// Run the declared pipeline on this machine, with the real functions and without an AWS account.
    Dev(Dev),
    /// Show the functions' logs, oldest line first.
    Logs(Logs),
    /// Invoke a function with an event and show its answer.
    Invoke(Invoke),
    /// Stop a function from taking messages of its queue. The queue keeps them, and `up` does not resume the function.
    Pause(Pause),
    /// Let a paused function take the messages of its queue again.
    Resume(Pause),
    /// Show the state of the stack's resources, of its alarms and of NetBox. Changes nothing.
    Status(Status),
    /// Print the names and addresses of the stack's resources, as `up` does at its end. Scripts use `--json`.
    #[command(after_long_help = OUTPUTS_EXIT_CODES)]
    Outputs,
    /// Print the least IAM policy that a command needs for this declaration.
    Policy(Policy),
    /// Process stored mails or failed events again.
    Replay(Replay),
    /// Send a mail through SES and record it, so that its events can be assigned to it. A request that is already recorded is not sent again.
    Send(Box<Send>),
    /// Show the events of sent mails as they arrive in Kafka.
    Tail(Tail),
    /// Show the record of a sent mail, or of all mails to a recipient, with the messages in Kafka about them, in the order of events.
    Timeline(Timeline),
    /// Show the delivery status of sent mails for each recipient, from the database of delivery tracking.
    Track(Track),
    /// Store the outputs of completed jobs whose webhook never arrived.
    Backfill(Backfill),
    /// Print a completion script for a shell.
    Completions(Completions),
    /// Print the manual page, or write one page per command into a folder.
    #[command(hide = true)]
    Man(Man),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::ValueEnum;

    use super::*;

    /// Commands that call nothing in AWS.
    const LOCAL: &[&str] = &["build", "completions", "dev", "init", "man", "parse", "schema", "validate"];

    #[test]
    fn every_command_that_calls_aws_has_a_policy() {
        let purposes =
            Purpose::value_variants().iter().map(|purpose| purpose.to_possible_value().unwrap().get_name().to_owned());
        let known: BTreeSet<String> = purposes.chain(LOCAL.iter().map(ToString::to_string)).collect();
        let commands = Arguments::command();
        let commands: BTreeSet<String> =
            commands.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        assert_eq!(known, commands);
    }

    #[test]
    fn a_command_that_does_not_know_dry_runs_refuses_them() {
        let read = |typed: &[&str]| {
            let matches = Arguments::command().try_get_matches_from([&["provision"], typed].concat());
            matches.and_then(|matches| Arguments::of(&matches)).map_err(|error| error.to_string())
        };
        for refused in [&["dev", "--dry-run"][..], &["--dry-run", "parse", "mail.eml"], &["build", "--dry-run"]] {
            let error = read(refused).err().unwrap_or_default();
            assert!(error.contains("does not know `--dry-run`; these commands do: adopt, "), "{refused:?}: {error}");
        }
        for known in [&["up", "--dry-run"][..], &["replay", "--failed", "--dry-run"], &["init", "--dry-run"], &["dev"]]
        {
            assert!(read(known).is_ok(), "{known:?}");
        }
        let commands = Arguments::command();
        let commands: Vec<_> = commands.get_subcommands().map(clap::Command::get_name).collect();
        assert!(DRY_RUN.iter().all(|name| commands.contains(name)), "{DRY_RUN:?}");
    }

    #[test]
    fn the_version_names_the_commit_where_it_is_known() {
        let plain = env!("CARGO_PKG_VERSION");
        assert_eq!(version(Some("0a1b2c3d4e5f")), format!("{plain} (0a1b2c3d4e5f)"));
        assert_eq!((version(None), version(Some(""))), (plain.to_owned(), plain.to_owned()));
    }
}
