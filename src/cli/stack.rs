//! Arguments of the commands about the whole stack: `up`, `diff`, `down`, `adopt`, `status`, `outputs`, `policy`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

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

pub(super) const OUTPUTS_EXIT_CODES: &str = "Exit codes:
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
    /// Show the events of sent mails.
    Tail,
    /// Show everything that is known of a sent mail.
    Timeline,
    /// Show what became of sent mails, from the database of delivery tracking.
    Track,
    /// Store the outputs of completed jobs whose webhook never arrived.
    Backfill,
    /// Stop a function from taking messages of its queue.
    Pause,
    /// Let a paused function take messages again.
    Resume,
    /// Print a policy for what is there already, as `policy --found` does.
    Policy,
}
