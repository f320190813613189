//! What was typed, and nothing that follows from it.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::{Span, SpanRelativeTo, Timestamp};

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
    /// The stage of the declaration; needed where it has any.
    #[arg(long, global = true, value_name = "NAME")]
    pub stage: Option<String>,
    /// JSON on standard output: one document, of `parse` one line per mail.
    #[arg(long, global = true)]
    pub json: bool,
    /// Change nothing: show what would be done.
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(short, long, global = true)]
    pub yes: bool,
    /// Say more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tell what mails say: files, folders, mbox files, or `-` for standard input.
    Parse(Parse),
    /// Check the declaration, in the stage that is named, or in every one that it has.
    Validate,
    /// Print the JSON Schema of declarations, for editors.
    Schema(Schema),
    /// Write a declaration to begin with. Nothing is overwritten.
    Init(Init),
    /// Look at the declared NetBox: version, plugin, and what the token in `NETBOX_TOKEN` may do. Changes nothing.
    Check(Check),
    /// Make the account as the declaration says: builds the functions, shows the plan, asks, applies it, looks again.
    Up(Up),
    /// Compare the declaration with the account, field by field. Changes nothing, asks nothing.
    Diff(Diff),
    /// Delete what is the stack's, in reverse. Mail, logs and failed events stay, unless told otherwise.
    Down(Down),
    /// Build the functions as Lambda takes them: one zip each, the same bytes for the same source.
    Build(Build),
    /// Run the declared pipeline on this machine: mail in, the real handler, maintenances out. No AWS account.
    Dev(Dev),
    /// Show what the functions log, in the order of time.
    Logs(Logs),
    /// Invoke a function with an event, and show what it answers.
    Invoke(Invoke),
    /// Show how the stack is: each resource, queues, rules, functions, alarms, NetBox. Changes nothing.
    Status(Status),
    /// Print the least IAM policy that whoever runs `up`, `diff` or `down` for this declaration needs.
    Policy(Policy),
    /// Give mails to their functions once more: stored ones, or those whose events are in the failure queue.
    Replay(Replay),
}

/// The arguments of `provision parse`.
#[derive(Debug, Args)]
#[command(after_long_help = PARSE_EXIT_CODES)]
pub struct Parse {
    /// Files, folders, mbox files, or `-`.
    ///
    /// In a folder a file counts if its name ends in `.eml`, `.mail`, `.msg` or `.mbox`, or if it begins with a mail's
    /// headers. The mails of an mbox file are called FILE#1, FILE#2 and so on.
    #[arg(required = true, value_name = "FILE")]
    pub paths: Vec<PathBuf>,
    /// Tell also how the provider was recognised, and from which words of the mail each value was read.
    #[arg(long)]
    pub explain: bool,
}

/// The arguments of `provision schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// Print every managed field of every kind of resource instead: what `diff` compares, and how a change is treated.
    #[arg(long)]
    pub fields: bool,
}

/// The arguments of `provision init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Which declaration.
    #[arg(long, value_name = "NAME", default_value = "maintenance")]
    pub example: Example,
}

/// The declarations that `provision init` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Example {
    /// Carriers' maintenance mails into NetBox.
    Maintenance,
    /// A function that logs what is known of every mail.
    Echo,
}

const PARSE_EXIT_CODES: &str = "Exit codes:
    0  every mail has an outcome other than `failed`
    1  a known provider's mail could not be understood
    2  an error: a file that cannot be read or is empty, a folder without mails";

/// The arguments of `provision check`.
#[derive(Debug, Args)]
#[command(after_long_help = CHECK_EXIT_CODES)]
pub struct Check {
    /// Look at this NetBox instead of the declared one.
    #[arg(long, value_name = "URL")]
    pub netbox: Option<String>,
}

const CHECK_EXIT_CODES: &str = "Exit codes:
    0  mails can be delivered
    1  something is wrong with NetBox, the plugin or the token
    2  an error: the declaration, no address, no token";

/// The arguments of `provision build`.
#[derive(Debug, Args)]
pub struct Build {
    /// Put the zips into this folder, as FUNCTION.zip. Without it they stay in Cargo's target folder.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}

/// The arguments of `provision up`.
#[derive(Debug, Args)]
#[command(after_long_help = UP_EXIT_CODES)]
pub struct Up {
    /// Write the value of this secret again, as when it was created.
    #[arg(long, value_name = "NAME")]
    pub set_secret: Vec<String>,
}

const UP_EXIT_CODES: &str = "Exit codes:
    0  the account is as the declaration says
    1  declined
    2  an error, or only a part was done: another `up` goes on from there
  130  Ctrl-C: what was in flight was finished, what is left is printed";

/// The arguments of `provision diff`.
#[derive(Debug, Args)]
#[command(after_long_help = DIFF_EXIT_CODES)]
pub struct Diff {
    /// Do not build the functions: their code is not compared, and the exit code is never 0.
    #[arg(long)]
    pub no_build: bool,
}

const DIFF_EXIT_CODES: &str = "Exit codes:
    0  no change
    1  something differs
    2  an error, or something could not be read or was not compared";

/// The arguments of `provision down`.
#[derive(Debug, Args)]
#[command(after_long_help = DOWN_EXIT_CODES)]
pub struct Down {
    /// The stack's name, and its stage after a hyphen, instead of typing it when asked. `--yes` alone does not do.
    #[arg(long, value_name = "STACK")]
    pub confirm: Option<String>,
    /// Delete mails, logs and failed events too.
    #[arg(long)]
    pub delete_data: bool,
    /// The stack's name, and its stage after a hyphen, where there is no declaration any more.
    #[arg(long, value_name = "STACK", conflicts_with = "stage")]
    pub stack: Option<String>,
    /// The region of that stack. [default: that of the AWS configuration]
    #[arg(long, value_name = "REGION", requires = "stack")]
    pub region: Option<String>,
}

const DOWN_EXIT_CODES: &str = "Exit codes:
    0  nothing of the stack is left, but what is kept for what it holds
    1  declined
    2  an error, or only a part was done: another `down` goes on from there
  130  Ctrl-C: what was in flight was finished, what is left is printed";

/// The arguments of `provision dev`.
#[derive(Debug, Args)]
#[command(after_long_help = DEV_EXIT_CODES)]
pub struct Dev {
    /// Deliver these mails as if they had arrived: files, folders, mbox files, or `-`.
    ///
    /// The envelope's sender is that of `Return-Path`, else of `From`. Its recipients are those of `To` and `Cc` that a
    /// rule takes, else the first address that the rules name.
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub deliver: Vec<PathBuf>,
    /// End after the deliveries, with a summary and an exit code.
    #[arg(long, requires = "deliver")]
    pub once: bool,
    /// The recipients of the delivered mails, instead of those that their headers name.
    #[arg(long, value_name = "ADDRESS", requires = "deliver")]
    pub to: Vec<String>,
    /// What SES thinks of every mail; PASS where nothing is said. `dmarc=FAIL`; checks: spam, virus, spf, dkim, dmarc.
    #[arg(long, value_name = "CHECK=VERDICT")]
    pub verdict: Vec<local::Setting>,
    /// Where maintenances go, instead of where the declaration says.
    #[arg(long)]
    pub sink: Option<Sink>,
    /// Deliver to this NetBox, with the token in the environment variable `NETBOX_TOKEN`.
    #[arg(long, value_name = "URL", conflicts_with = "sink")]
    pub netbox: Option<String>,
    /// How long a failed invocation waits before it is tried again, in seconds. Lambda waits one minute, then two.
    #[arg(long, value_parser = seconds, default_value = "1", value_name = "SECONDS")]
    pub retry_delay: Duration,
    /// The port of the SMTP listener; 0 is any free one. [default: 1025, with `--once` any]
    #[arg(long, value_name = "PORT")]
    pub smtp_port: Option<u16>,
    /// Keep stored mails and failure queues in this folder. Without it they are in a temporary one.
    #[arg(long, value_name = "FOLDER")]
    pub state: Option<PathBuf>,
    /// Build the functions as Lambda gets them, optimised.
    #[arg(long)]
    pub release: bool,
}

const DEV_EXIT_CODES: &str = "Exit codes:
    0  every mail is where it should be: delivered, ignored, for a person, handled, or stored
    1  an event ended in the failure queue, or no rule took a mail
    2  an error: the declaration, the build, a port, a file that cannot be read
  130  Ctrl-C; what is left is in the summary";

/// Where maintenances go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sink {
    /// One JSON line each, in the function's log.
    Lines,
    /// NetBox.
    Netbox,
}

impl Sink {
    /// As in the function's environment variable `SINK`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Netbox => "netbox",
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.trim_end_matches('s').parse().map_err(|_| format!("`{text}` is no number of seconds"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// The arguments of `provision logs`.
#[derive(Debug, Args)]
#[command(after_long_help = LOGS_EXIT_CODES)]
pub struct Logs {
    /// The function, by its name in the declaration. Without it all functions.
    #[arg(value_name = "FUNCTION")]
    pub function: Option<String>,
    /// Go on with what is logged from now on, until Ctrl-C. With `--json` one line for each event.
    #[arg(long)]
    pub follow: bool,
    /// Begin that long ago (`30s`, `15m`, `1h`, `2d`), or at a time such as `2027-01-05T10:00:00Z`.
    #[arg(long, value_parser = since, default_value = "1h", value_name = "TIME")]
    pub since: Timestamp,
}

const LOGS_EXIT_CODES: &str = "Exit codes:
    0  the lines were shown, if there are any
    2  an error: the declaration, credentials, no such function, a log that cannot be read
  130  Ctrl-C, which ends `--follow`";

/// The arguments of `provision invoke`.
#[derive(Debug, Args)]
#[command(after_long_help = INVOKE_EXIT_CODES)]
pub struct Invoke {
    /// The function, by its name in the declaration.
    #[arg(value_name = "FUNCTION")]
    pub function: String,
    /// The event: a file of JSON, or `-` for standard input.
    #[arg(long, value_name = "FILE")]
    pub event: PathBuf,
    /// Hand the event over as SES does: Lambda keeps it and tries again; the answer is not waited for.
    #[arg(long)]
    pub r#async: bool,
}

const INVOKE_EXIT_CODES: &str = "Exit codes:
    0  the function has answered; with `--async`: Lambda has taken the event
    1  the function has failed
    2  an error: the declaration, credentials, no such function, an event that is no JSON
  130  Ctrl-C; the function goes on";

/// The arguments of `provision status`.
#[derive(Debug, Args)]
#[command(after_long_help = STATUS_EXIT_CODES)]
pub struct Status {
    /// Mask the ids of accounts, for whoever is shown it.
    #[arg(long)]
    pub redact: bool,
}

const STATUS_EXIT_CODES: &str =
    "NetBox is looked at where a function has the variable `NETBOX_URL` and the environment a token in `NETBOX_TOKEN`.

Exit codes:
    0  everything could be read, however it is
    2  an error, or something could not be read
  130  Ctrl-C";

/// The arguments of `provision policy`.
#[derive(Debug, Args)]
#[command(after_long_help = POLICY_EXIT_CODES)]
pub struct Policy {
    /// What somebody wants to do. `up` includes the others.
    #[arg(long = "for", value_name = "COMMAND", default_value = "up")]
    pub purpose: Purpose,
}

const POLICY_EXIT_CODES: &str = "The account is the declared one; without one it is that of the credentials.

Exit codes:
    0  the policy was printed
    2  an error: the declaration, no account and no credentials";

/// What a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Purpose {
    /// Make the account as the declaration says.
    Up,
    /// Compare.
    Diff,
    /// Delete what is the stack's.
    Down,
}

/// The arguments of `provision replay`.
#[derive(Debug, Args)]
#[command(after_long_help = REPLAY_EXIT_CODES)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(false))]
pub struct Replay {
    /// The mails with these keys. Each goes to the functions whose receipt rules store there and then invoke them.
    #[arg(value_name = "KEY", group = "what")]
    pub keys: Vec<String>,
    /// The mails whose keys begin so.
    #[arg(long, value_name = "PREFIX", group = "what")]
    pub prefix: Option<String>,
    /// The events in failure queues. Each goes to the function that failed, and leaves the queue once Lambda has taken it.
    #[arg(long, group = "what")]
    pub failed: bool,
    /// For this function alone.
    #[arg(long, value_name = "FUNCTION")]
    pub function: Option<String>,
    /// So many a second.
    #[arg(long, value_parser = rate, default_value = "5", value_name = "NUMBER")]
    pub rate: Rate,
}

const REPLAY_EXIT_CODES: &str = "Exit codes:
    0  Lambda has taken every event, or there is none; with `--dry-run`: it could be asked to
    1  declined, or something cannot be replayed, or was not
    2  an error: the declaration, credentials, no terminal and no `--yes`
  130  Ctrl-C: what was in flight was finished; what is left stays where it is";

/// How often something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The time from one to the next.
    pub interval: Duration,
}

fn rate(text: &str) -> Result<Rate, String> {
    let number: f64 = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    let sound = (0.01..=1000.0).contains(&number);
    let sound = sound.then(|| Rate { interval: Duration::from_secs_f64(1.0 / number) });
    sound.ok_or_else(|| "between 0.01 and 1000 a second".to_owned())
}

/// A moment: so long ago, or as a time with its offset.
fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let wrong =
        || format!("`{text}` is neither a time, such as `2027-01-05T10:00:00Z`, nor so long ago, such as `15m`");
    let span: Span = text.parse().map_err(|_| wrong())?;
    let long_ago = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    Timestamp::now().checked_sub(long_ago.abs()).map_err(|_| wrong())
}
