//! Arguments of `provision track`.

use clap::{ArgGroup, Args};
use jiff::Timestamp;

/// The arguments of `provision track`.
#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES, override_usage = USAGE)]
#[command(group = ArgGroup::new("mails").required(true).multiple(false))]
pub struct Track {
    /// SES's message id of the mail, or the address of a recipient.
    #[arg(value_name = "MESSAGE-ID|ADDRESS", group = "mails")]
    pub what: Option<String>,
    /// Show all mails that got their status this long ago (`1h`, `2d`) or less, or since a time such as `2027-01-05T10:00:00Z`.
    #[arg(long, value_parser = super::values::since, value_name = "TIME", group = "mails")]
    pub since: Option<Timestamp>,
    /// Show parked mails: SES told of them five minutes ago or earlier, and no sender has recorded them.
    #[arg(long, group = "mails")]
    pub parked: bool,
    /// Show the account's suppression list: addresses to which SES sends nothing, and why. It is SES's own, and needs no database.
    #[arg(long, group = "mails")]
    pub suppressed: bool,
    /// Print CSV: one line for each event of each recipient.
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// Most mails to show, counted for each recipient, the latest first.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
    /// Function of the declaration whose database is meant. [default: the only one that tracks deliveries]
    #[arg(long, value_name = "ENTRY")]
    pub function: Option<String>,
}

/// One line for each way to choose mails: in one line they would be wider than a terminal.
const USAGE: &str = "provision track [OPTIONS] <MESSAGE-ID|ADDRESS>
       provision track [OPTIONS] --since <TIME>
       provision track [OPTIONS] --parked
       provision track [OPTIONS] --suppressed";

const EXIT_CODES: &str = "The address of the database, with user and password, is read from the
environment variable `DATABASE_URL`. Where that is not set, the database is the
one that the function names, or that of its secret `DATABASE_URL`. It is never
an argument. Run this where the database can be reached: on a machine in its
VPC, or through a tunnel.

Exit codes:
    0  something is known of the mail, the recipient or the time
    1  nothing is
    2  an error: no way to the database, no right to read it
  130  interrupted by Ctrl-C";
