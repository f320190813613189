//! Arguments of `provision dev`.

use std::{path::PathBuf, time::Duration};

use clap::{ArgGroup, Args, ValueEnum};

use super::values::seconds;

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
    /// Settings that the sink needs and the declaration does not have are taken from environment variables of the same names, such as
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
