//! The command line's arguments, as they were typed: the source of help, completions and manual pages.

use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

mod sent;
mod track;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use jiff::{Span, SpanRelativeTo, Timestamp};
use problem::shell_word;

pub use sent::{Brokers, Send, Simulation, Tail, Timeline};
pub use track::Track;

/// Version of the tool, with the commit where the build was told of it: `0.1.0 (0a1b2c3d4e5f)`. The build asks no Git by itself, so that
/// the same source gives the same bytes anywhere.
static VERSION: LazyLock<String> = LazyLock::new(|| version(option_env!("PROVISION_REVISION")));

fn version(revision: Option<&str>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    match revision.filter(|revision| !revision.is_empty()) {
        Some(revision) => format!("{version} ({revision})"),
        None => version.to_owned(),
    }
}

/// Carrier maintenance mails into NetBox: one declaration, one command, infrastructure and handler together.
#[derive(Debug, Parser)]
#[command(version = VERSION.as_str(), max_term_width = 80)]
pub struct Arguments {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct Common {
    /// Declaration file.
    #[arg(short, long, global = true, default_value = "infra.yaml")]
    pub file: PathBuf,
    /// Stage to use; required if the declaration defines stages.
    #[arg(long, global = true, value_name = "NAME")]
    pub stage: Option<String>,
    /// Print JSON: one document (`parse`: one line per mail).
    #[arg(long, global = true)]
    pub json: bool,
    /// Show what would be done, and change nothing.
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Answer the question before a change with yes. Losses have to be named all the same, see `up --allow-delete`.
    #[arg(short, long, global = true)]
    pub yes: bool,
    /// Print more detail: the settings of new resources, and each call to AWS as it ends.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

impl Common {
    /// Returns the options that choose the declaration, as they are appended to a command; empty for the defaults.
    pub(crate) fn options(&self) -> String {
        let file = Some(&self.file).filter(|file| *file != Path::new("infra.yaml"));
        let file = file.map(|file| format!(" --file {}", shell_word(&file.display().to_string())));
        let stage = self.stage.as_ref().map(|stage| format!(" --stage {}", shell_word(stage)));
        [file, stage].into_iter().flatten().collect()
    }
}

/// The commands.
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
    /// Check the declared NetBox from here, or with `--from-function` what the deployed functions reach. Changes nothing.
    ///
    /// From here: the version of NetBox, its plugin and the rights of the token in `NETBOX_TOKEN`.
    Check(Check),
    /// Apply the declaration: build, show the plan, ask, apply, verify.
    Up(Up),
    /// Compare the declaration with the account, field by field. Changes nothing and asks nothing.
    Diff(Diff),
    /// Delete the stack. Mails, logs and failed events stay unless you pass `--delete-data`. Secrets can be restored for 7 days.
    Down(Down),
    /// Take over a resource that was made by hand, or has lost its tags: it gets the tags of an entry, and nothing else changes.
    Adopt(Adopt),
    /// Build one zip per function for Lambda. The same source gives the same bytes.
    Build(Build),
    /// Run the declared pipeline on this machine, with the real functions and without an AWS account.
    Dev(Dev),
    /// Show the functions' logs, oldest line first.
    Logs(Logs),
    /// Invoke a function with an event and show its answer.
    Invoke(Invoke),
    /// Stop a function from taking messages of its queue, which keeps them. `up` leaves it so.
    Pause(Pause),
    /// Let a paused function take the messages of its queue again.
    Resume(Pause),
    /// Show the state of every resource, queue, rule, function and alarm, and of NetBox. Changes nothing.
    Status(Status),
    /// Print the names and addresses of what is in the account, as `up` does at its end: for people, or for scripts with `--json`.
    #[command(after_long_help = OUTPUTS_EXIT_CODES)]
    Outputs,
    /// Print the least IAM policy that a command needs for this declaration.
    Policy(Policy),
    /// Process mails again: stored mails, or the events in the failure queues.
    Replay(Replay),
    /// Send a mail through SES, with a record by which its events find it again. The same request is sent once.
    Send(Box<Send>),
    /// Show what becomes of sent mails, as it comes into Kafka.
    Tail(Tail),
    /// Show everything that Kafka knows of a sent mail, or of the mails to a recipient, in the order in which it happened.
    Timeline(Timeline),
    /// Show what became of sent mails, for each recipient, from the database of delivery tracking.
    Track(Track),
    /// Bring the outputs of complete jobs into the bucket that no webhook has brought.
    Backfill(Backfill),
    /// Print a completion script for a shell.
    Completions(Completions),
    /// Print the manual page, or write one page per command into a folder.
    #[command(hide = true)]
    Man(Man),
}

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

/// The arguments of `provision pause` and `provision resume`.
#[derive(Debug, Args)]
pub struct Pause {
    /// Function, by its entry name. It has to consume a queue.
    #[arg(value_name = "FUNCTION")]
    pub function: String,
}

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

const PARSE_EXIT_CODES: &str = "Exit codes:
    0  every mail has an outcome other than `failed`
    1  a mail of a known provider could not be understood; with `--function`:
       the function failed
    2  an error: a file that cannot be read or is empty, a folder without mails";

/// The arguments of `provision check`.
#[derive(Debug, Args)]
#[command(after_long_help = CHECK_EXIT_CODES)]
pub struct Check {
    /// Check this NetBox instead of the declared one.
    #[arg(long, value_name = "URL")]
    pub netbox: Option<String>,
    /// Let these deployed functions try what they use, by their names in the declaration: NetBox, S3, their secrets. [default: all functions]
    ///
    /// Each is invoked with a question that no sender can ask. It reads its secrets and reaches for its buckets, queues and servers, from
    /// its own network and with its own rights. No mail is handled, nothing is written and nothing is sent. A function of your own answers
    /// if it is built on `runtime`; another one takes the question for an event.
    #[arg(long, num_args = 0.., value_name = "FUNCTION", conflicts_with = "netbox")]
    pub from_function: Option<Vec<String>>,
}

const CHECK_EXIT_CODES: &str = "Exit codes:
    0  mails can be delivered; with `--from-function`: the functions reach what
       they use
    1  NetBox, its plugin or the token is not ready; with `--from-function`: a
       function does not reach something, or gave no answer
    2  an error: an invalid declaration, no address, no token; with
       `--from-function`: no credentials, or a function that is not there
  130  interrupted by Ctrl-C";

/// The arguments of `provision build`.
#[derive(Debug, Args)]
pub struct Build {
    /// Write the zips into this folder, as FUNCTION.zip. [default: Cargo's target folder]
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}

/// The arguments of `provision up`.
#[derive(Debug, Args)]
#[command(after_long_help = UP_EXIT_CODES)]
pub struct Up {
    /// Apply the plan in this file, made by `diff --out FILE`, and nothing else. It is the approval: nothing is asked.
    ///
    /// The account is surveyed and the plan made again. Where that is not the plan in the file, down to each setting, the code and the
    /// consent, nothing is done.
    #[arg(value_name = "FILE", conflicts_with_all = ["set_secret", "allow_delete"])]
    pub plan: Option<PathBuf>,
    /// Write the value of this secret again, from where the declaration takes it.
    #[arg(long, value_name = "NAME")]
    pub set_secret: Vec<String>,
    /// Agree to what the plan takes away for good with this resource. Can be repeated. `--yes` does not agree to it.
    ///
    /// The plan says what needs this: deleting or replacing what holds data or is protected, a shorter life of data, and removing
    /// what others made. The words are those of the plan: `bucket/mail`, `log-group/reader`.
    #[arg(long, value_name = "KIND/ENTRY")]
    pub allow_delete: Vec<String>,
}

const UP_EXIT_CODES: &str = "Exit codes:
    0  the account matches the declaration
    1  declined
    2  an error, or only a part was applied: run `up` again to continue; or
       something would be lost that no `--allow-delete` names, or the plan in
       FILE is not that of now: nothing was done
  130  interrupted by Ctrl-C: running steps were finished, the remaining ones
       are printed

With `--dry-run` the code is 2 where `up --yes` would stop before its first
change, or could not finish: a check fails, something cannot be read, a loss is
not named, or the value of a new secret is missing, unless it comes from
standard input. It is 0 otherwise.";

/// The arguments of `provision diff`.
#[derive(Debug, Args)]
#[command(after_long_help = DIFF_EXIT_CODES)]
pub struct Diff {
    /// Do not build the functions. Their code is then not compared, and the exit code is never 0.
    #[arg(long, conflicts_with = "out")]
    pub no_build: bool,
    /// Write the plan into this new file, for `provision up FILE`. It has no secret values, and its owner alone can read it.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Agree to what the plan takes away for good with this resource, as `up --allow-delete` does. Can be repeated.
    #[arg(long, value_name = "KIND/ENTRY")]
    pub allow_delete: Vec<String>,
    /// Print the plan as Markdown, for a pull request.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

const DIFF_EXIT_CODES: &str = "Exit codes:
    0  no difference
    1  at least one difference, or others' rules keep mail from the stack
    2  an error, or something could not be read or was not compared; with
       `--out`: the plan was not written, since the file exists, a loss is not
       named, or something is not the stack's

It does not check what `up` checks before its first change, such as domains,
MX records and the values of new secrets: `up --dry-run` does.";

/// The arguments of `provision down`.
#[derive(Debug, Args)]
#[command(after_long_help = DOWN_EXIT_CODES)]
pub struct Down {
    /// Confirm with the stack's name (STACK or STACK-STAGE) instead of typing it when asked. `--yes` is not enough.
    #[arg(long, value_name = "STACK")]
    pub confirm: Option<String>,
    /// Also delete mails, logs and failed events, but for what is declared with `protect: true`.
    #[arg(long)]
    pub delete_data: bool,
    /// Also delete this resource with its data, even if it is declared with `protect: true`. Can be repeated.
    #[arg(long, value_name = "KIND/ENTRY")]
    pub allow_delete: Vec<String>,
    /// Delete this stack, in the stage of `--stage`, without its declaration.
    #[arg(long, value_name = "STACK")]
    pub stack: Option<String>,
    /// Region of that stack. [default: the region of your AWS configuration]
    #[arg(long, value_name = "REGION", requires = "stack")]
    pub region: Option<String>,
}

const DOWN_EXIT_CODES: &str = "Exit codes:
    0  the stack is deleted, except for what is kept because it holds data or is
       protected
    1  declined
    2  an error, or only a part was deleted: run `down` again to continue; or
       something would be lost that no `--allow-delete` names, or nothing in
       the account is of the stack that `--stack` names: nothing was done
  130  interrupted by Ctrl-C: running steps were finished, the remaining ones
       are printed

With `--dry-run` the code is 2 where `down --confirm STACK` would stop before
its first change, or something cannot be read, and 0 otherwise.";

/// The arguments of `provision adopt`.
#[derive(Debug, Args)]
#[command(after_long_help = ADOPT_EXIT_CODES)]
pub struct Adopt {
    /// Kind and entry that the resource is to be, such as `bucket/mail` or `log-group/reader`.
    #[arg(value_name = "KIND/ENTRY")]
    pub resource: String,
    /// Name of the resource in AWS, or its ARN.
    #[arg(value_name = "ID")]
    pub id: String,
}

const ADOPT_EXIT_CODES: &str = "It shows what the next `up` will change, asks, and writes the tags
`provision:stack` and `provision:id`. The resource keeps its name. What is
another stack's, or another entry's, is refused.

Exit codes:
    0  the resource has the tags
    1  declined
    2  an error: the resource is not there, is somebody else's, or cannot have
       tags
  130  interrupted by Ctrl-C";

/// The arguments of `provision dev`.
#[derive(Debug, Args)]
#[command(after_long_help = DEV_EXIT_CODES, group(ArgGroup::new("given").args(["deliver", "post", "event"]).multiple(true)))]
pub struct Dev {
    /// Deliver these mails as if they had just arrived: files, folders, mbox files, or `-`.
    ///
    /// The envelope sender is taken from `Return-Path`, else from `From`. The recipients are the addresses in `To` and
    /// `Cc` that a rule matches, else the first address that the rules name.
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub deliver: Vec<PathBuf>,
    /// Post these requests, each signed as the route in it wants: files, or folders with files `*.json`.
    ///
    /// A file has `route` (such as `POST /job-complete`), `body`, and `headers` to send beside those of the signature or in their place.
    /// The secret is taken from the environment variable that the route names.
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub post: Vec<PathBuf>,
    /// Publish these events of sent mails as SES does: files, or folders with files `*.json` and `*.txt`.
    ///
    /// Each invokes the functions that are subscribed to a topic that hears of mails, as SNS does. Kafka is `tansu` where that is installed, else in this process, and ends with it.
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub event: Vec<PathBuf>,
    /// Put these items into tables before: files, or folders with files `*.json`, as `aws dynamodb put-item --cli-input-json` takes them.
    ///
    /// `TableName` is the table's name in the declaration.
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub item: Vec<PathBuf>,
    /// Stop after these deliveries, posts and events and all that follows from them, with a summary and an exit code.
    #[arg(long, requires = "given")]
    pub once: bool,
    /// Recipient of the delivered mails, instead of those in their headers. Can be repeated.
    #[arg(long, value_name = "ADDRESS", requires = "deliver")]
    pub to: Vec<String>,
    /// Verdict of SES for every mail, such as `dmarc=FAIL`. Checks: spam, virus, spf, dkim, dmarc. [default: PASS]
    #[arg(long, value_name = "CHECK=VERDICT")]
    pub verdict: Vec<local::Setting>,
    /// Deliver maintenances to these sinks instead of the declared ones: names, separated by commas.
    ///
    /// What the sink needs and the declaration does not have is taken from environment variables of the same names, such as
    /// `NETBOX_URL` and `WEBHOOK_SECRET`.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub sink: Vec<Sink>,
    /// Deliver to this NetBox, with the token in the environment variable `NETBOX_TOKEN`.
    #[arg(long, value_name = "URL", conflicts_with = "sink")]
    pub netbox: Option<String>,
    /// Seconds before a failed invocation is retried. Lambda itself waits one minute, then two, and SQS as long as the queue hides a
    /// message.
    #[arg(long, value_parser = seconds, default_value = "1", value_name = "SECONDS")]
    pub retry_delay: Duration,
    /// Port of the SMTP listener; 0 takes any free one. [default: 1025; with `--once` any free one]
    #[arg(long, value_name = "PORT")]
    pub smtp_port: Option<u16>,
    /// Port of the first HTTP API, further ones have the next ports; 0 takes any free ones. [default: 8080; with `--once` any free ones]
    #[arg(long, value_name = "PORT")]
    pub http_port: Option<u16>,
    /// Keep objects and queues in this folder. What is left in a queue goes on in the next run. [default: a temporary folder]
    #[arg(long, value_name = "FOLDER")]
    pub state: Option<PathBuf>,
    /// Build the functions optimised, as they are deployed.
    #[arg(long)]
    pub release: bool,
    /// Let each function check what it reaches from this machine, as `check --from-function` does in AWS, and stop.
    ///
    /// Buckets, queues and secrets are those of this run; NetBox and other servers are the real ones.
    #[arg(long, conflicts_with_all = ["given", "once"])]
    pub check: bool,
}

const DEV_EXIT_CODES: &str = "Exit codes:
    0  every mail and request was delivered, ignored, handed to a person, handled
       or stored
    1  an event or message ended in a failure queue, no rule matched a mail, or a
       request was answered with an error
    2  an error: an invalid declaration, a failed build, a port in use, a file
       that cannot be read
  130  interrupted by Ctrl-C; the summary shows what is left

With `--check` the code is 0 if the functions reach what they use, and 1 if one
does not, or gave no answer.";

/// Sinks of the function `maintenance`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sink {
    /// One JSON line each, in the function's log.
    Lines,
    /// Events in NetBox.
    Netbox,
    /// Signed JSON by POST.
    Webhook,
    /// An iCalendar file in a bucket.
    Calendar,
}

impl Sink {
    /// Returns the environment variables that the sink is configured by.
    pub(crate) fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Lines => &[],
            Self::Netbox => &[
                "NETBOX_URL",
                "NETBOX_TOKEN",
                "NETBOX_CA",
                "NETBOX_PROVIDERS",
                "NETBOX_CIRCUIT_ALIASES",
                "NETBOX_PLUGIN",
            ],
            Self::Webhook => &["WEBHOOK_URL", "WEBHOOK_SECRET", "WEBHOOK_CA"],
            Self::Calendar => &["CALENDAR_NAME"],
        }
    }

    /// Returns the sink's name, as in the function's environment variable `SINK`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Netbox => "netbox",
            Self::Webhook => "webhook",
            Self::Calendar => "calendar",
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 =
        text.trim_end_matches('s').parse().map_err(|_| format!("`{text}` is not a number of seconds"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// The arguments of `provision logs`.
#[derive(Debug, Args)]
#[command(after_long_help = LOGS_EXIT_CODES)]
pub struct Logs {
    /// Function, by its name in the declaration. [default: all functions]
    #[arg(value_name = "FUNCTION")]
    pub function: Option<String>,
    /// Keep printing new lines until Ctrl-C. With `--json`, print one line per event.
    #[arg(long)]
    pub follow: bool,
    /// Start this long ago (`30s`, `15m`, `1h`, `2d`) or at a time such as `2027-01-05T10:00:00Z`.
    #[arg(long, value_parser = since, default_value = "1h", value_name = "TIME")]
    pub since: Timestamp,
}

const LOGS_EXIT_CODES: &str = "Exit codes:
    0  the lines were shown, if there are any
    2  an error: an invalid declaration, no credentials, no such function, a log
       that cannot be read
  130  interrupted by Ctrl-C, which is how `--follow` ends";

/// The arguments of `provision invoke`.
#[derive(Debug, Args)]
#[command(after_long_help = INVOKE_EXIT_CODES)]
pub struct Invoke {
    /// Function, by its name in the declaration.
    #[arg(value_name = "FUNCTION")]
    pub function: String,
    /// Event: a JSON file, or `-` for standard input.
    #[arg(long, value_name = "FILE")]
    pub event: PathBuf,
    /// Invoke asynchronously, as SES does: Lambda queues the event and retries it; the answer is not shown.
    #[arg(long)]
    pub r#async: bool,
}

const INVOKE_EXIT_CODES: &str = "Exit codes:
    0  the function answered; with `--async`: Lambda accepted the event
    1  the function failed
    2  an error: an invalid declaration, no credentials, no such function, an
       event that is not valid JSON
  130  interrupted by Ctrl-C; the function keeps running";

/// The arguments of `provision status`.
#[derive(Debug, Args)]
#[command(after_long_help = STATUS_EXIT_CODES)]
pub struct Status {
    /// Mask account ids, so that the output can be shared.
    #[arg(long)]
    pub redact: bool,
}

const STATUS_EXIT_CODES: &str = "NetBox is checked if a function has the variable `NETBOX_URL` and the
environment variable `NETBOX_TOKEN` is set.

Exit codes:
    0  everything could be read, whatever its state
    1  others' rules keep mail from the stack
    2  an error, or something could not be read
  130  interrupted by Ctrl-C";

const OUTPUTS_EXIT_CODES: &str = "Exit codes:
    0  everything that is declared has its outputs
    1  something that is declared is not in the account
    2  an error, or something could not be read or is not the stack's
  130  interrupted by Ctrl-C";

/// The arguments of `provision policy`.
#[derive(Debug, Args)]
#[command(after_long_help = POLICY_EXIT_CODES)]
pub struct Policy {
    /// Command that the policy must allow. `up` includes `diff`, `down` and `outputs`.
    #[arg(long = "for", value_name = "COMMAND", default_value = "up")]
    pub purpose: Purpose,
    /// Ask AWS for the names of what is there already: resources that were moved or adopted have names of their own.
    #[arg(long)]
    pub found: bool,
    /// With `--for tail` or `timeline`: function of the stack that they read through, instead of reaching the brokers themselves.
    #[arg(long, value_name = "FUNCTION")]
    pub via: Option<String>,
    /// With `--for adopt`: kind and entry that the resource is to be.
    #[arg(value_name = "KIND/ENTRY", required_if_eq("purpose", "adopt"), requires = "id")]
    pub resource: Option<String>,
    /// With `--for adopt`: name of the resource in AWS, or its ARN.
    #[arg(value_name = "ID")]
    pub id: Option<String>,
}

const POLICY_EXIT_CODES: &str = "The policy names the declared account and needs no credentials, unless you pass
`--found`, or the account of your credentials if the declaration names none.

IAM takes at most 6,144 characters in a policy. Where more is needed, several
policies are printed, and all of them have to be attached; with `--json` they
are an array.

Exit codes:
    0  the policy was printed
    2  an error: an invalid declaration, or neither an account nor credentials";

/// Commands that a policy can be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Purpose {
    /// Apply the declaration.
    Up,
    /// Compare the declaration with the account.
    Diff,
    /// Delete the stack.
    Down,
    /// Adopt one resource.
    Adopt,
    /// Print the outputs.
    Outputs,
    /// Show the state of the stack.
    Status,
    /// Show the functions' logs.
    Logs,
    /// Invoke a function.
    Invoke,
    /// Let the functions check what they reach, as `check --from-function` does.
    Check,
    /// Process mails again.
    Replay,
    /// Send mails. With `--watch`, the rights of `tail` are needed, too.
    Send,
    /// Show what becomes of sent mails.
    Tail,
    /// Show everything that is known of a sent mail.
    Timeline,
    /// Show what became of sent mails, from the database of delivery tracking.
    Track,
    /// Bring missing outputs of jobs.
    Backfill,
    /// Stop a function from taking messages of its queue.
    Pause,
    /// Let a paused function take messages again.
    Resume,
    /// Print a policy for what is there already, as `policy --found` does.
    Policy,
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

/// The arguments of `provision replay`.
#[derive(Debug, Args)]
#[command(after_long_help = REPLAY_EXIT_CODES)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(false))]
pub struct Replay {
    /// Replay the mails with these keys: each goes to the functions whose receipt rules store there and invoke them.
    #[arg(value_name = "KEY", group = "what")]
    pub keys: Vec<String>,
    /// Replay the mails whose keys begin with this prefix.
    #[arg(long, value_name = "PREFIX", group = "what")]
    pub prefix: Option<String>,
    /// Replay the events in the failure queues, and in those to which their redrives move events. An event leaves its queue once Lambda
    /// has accepted it. With `--dry-run` no queue is read whose redrive would count that.
    #[arg(long, group = "what")]
    pub failed: bool,
    /// Replay for this function only.
    #[arg(long, value_name = "FUNCTION")]
    pub function: Option<String>,
    /// Events a second, at most.
    #[arg(long, value_parser = rate, default_value = "5", value_name = "NUMBER")]
    pub rate: Rate,
}

const REPLAY_EXIT_CODES: &str = "Exit codes:
    0  Lambda accepted every event, or there is none; with `--dry-run`: every
       event can be replayed
    1  declined, at least one event was not or cannot be replayed, or a queue
       was not read, or not to its end
    2  an error: an invalid declaration, no credentials, no terminal and no
       `--yes`
  130  interrupted by Ctrl-C: running calls were finished; the remaining events
       stay where they are";

/// The arguments of `provision backfill`.
#[derive(Debug, Args)]
#[command(after_long_help = BACKFILL_EXIT_CODES)]
pub struct Backfill {
    /// API whose jobs to bring, or the function that stores their outputs, by its name in the declaration.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Only jobs that were uploaded since then: a time such as `2027-01-05T10:00:00Z`, or this long ago (`12h`, `7d`).
    #[arg(long, value_parser = since, value_name = "TIME")]
    pub since: Option<Timestamp>,
    /// Wait this long for the outputs (`30s`, `10m`); `0s` only queues the jobs.
    #[arg(long, value_parser = duration, default_value = "10m", value_name = "TIME")]
    pub wait: Duration,
}

const BACKFILL_EXIT_CODES: &str = "The function asks the platform for its complete jobs, and the bucket for their
outputs. Those that are missing are queued; the function fetches them as it
fetches those that a webhook announces, and nothing twice.

Exit codes:
    0  the output of every complete job is in the bucket
    1  declined, or an output is missing: with `--dry-run`, or since it is not
       stored yet, or there is none
    2  an error: an invalid declaration, no credentials, a function that cannot
       ask the platform, no terminal and no `--yes`
  130  interrupted by Ctrl-C: what was queued is stored all the same";

/// A rate of repeated calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Time from one call to the next.
    pub interval: Duration,
}

fn rate(text: &str) -> Result<Rate, String> {
    let number: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    let in_range = (0.01..=1000.0).contains(&number);
    let rate = in_range.then(|| Rate { interval: Duration::from_secs_f64(1.0 / number) });
    rate.ok_or_else(|| "expected a number between 0.01 and 1000".to_owned())
}

/// Parses a type of events, in SES's words; blanks, lines and case do not matter.
fn kind(text: &str) -> Result<events::Kind, String> {
    match events::Kind::of(text) {
        events::Kind::Other(_) => {
            let known: Vec<String> = events::Kind::all().map(|kind| format!("`{}`", kind.as_str())).collect();
            Err(format!("`{text}` is not a type of events; they are {}", known.join(", ")))
        }
        kind => Ok(kind),
    }
}

/// Parses a duration.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration such as `30s` or `10m`");
    let span: Span = text.parse().map_err(|_| wrong())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    Duration::try_from(duration).map_err(|_| wrong())
}

/// Parses a time with its offset, or a duration as that long ago.
fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let wrong = || format!("`{text}` is neither a time such as `2027-01-05T10:00:00Z` nor a duration such as `15m`");
    let span: Span = text.parse().map_err(|_| wrong())?;
    let long_ago = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    Timestamp::now().checked_sub(long_ago.abs()).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;

    /// Commands that call nothing in AWS.
    const LOCAL: &[&str] = &["build", "completions", "dev", "init", "man", "parse", "schema", "validate"];

    #[test]
    fn every_command_that_calls_aws_has_a_policy() {
        let purposes =
            Purpose::value_variants().iter().map(|one| one.to_possible_value().unwrap().get_name().to_owned());
        let known: BTreeSet<String> = purposes.chain(LOCAL.iter().map(ToString::to_string)).collect();
        let commands = Arguments::command();
        let commands: BTreeSet<String> = commands.get_subcommands().map(|one| one.get_name().to_owned()).collect();
        assert_eq!(known, commands);
    }

    #[test]
    fn the_version_names_the_commit_where_it_is_known() {
        let plain = env!("CARGO_PKG_VERSION");
        assert_eq!(version(Some("0a1b2c3d4e5f")), format!("{plain} (0a1b2c3d4e5f)"));
        assert_eq!((version(None), version(Some(""))), (plain.to_owned(), plain.to_owned()));
    }
}
