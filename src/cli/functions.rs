//! Arguments of the commands about functions: `check`, `logs`, `invoke`, `pause`, `resume`, `replay`, `backfill`.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use jiff::Timestamp;

use super::values::{Rate, duration, rate, since};

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

/// The arguments of `provision pause` and `provision resume`.
#[derive(Debug, Args)]
pub struct Pause {
    /// Function, by its entry name. It has to consume a queue.
    #[arg(value_name = "FUNCTION")]
    pub function: String,
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
