//! Arguments of the commands about sent mails: `send`, `tail`, `timeline`.

use crate::ops::sent::Named;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

/// The arguments of `provision send`.
#[derive(Debug, Args)]
#[command(after_long_help = SEND_EXIT_CODES)]
pub struct Send {
    /// Sender, as `orders@shop.example` or `Shop <orders@shop.example>`. Its address or domain is verified in SES.
    #[arg(long, value_name = "ADDRESS")]
    pub from: sending::Mailbox,
    /// Recipient. Can be repeated: all of them share one id of SES. At most 50, with those of `--cc` and `--bcc`.
    #[arg(long, value_name = "ADDRESS", required_unless_present_any = ["cc", "bcc", "simulate"])]
    pub to: Vec<sending::Mailbox>,
    /// Recipient of a copy. Can be repeated.
    #[arg(long, value_name = "ADDRESS")]
    pub cc: Vec<sending::Mailbox>,
    /// Recipient of a copy whom no other recipient sees. Can be repeated.
    #[arg(long, value_name = "ADDRESS")]
    pub bcc: Vec<sending::Mailbox>,
    /// Address that answers go to. Can be repeated. [default: the sender's]
    #[arg(long, value_name = "ADDRESS")]
    pub reply_to: Vec<sending::Mailbox>,
    /// Subject.
    #[arg(long, value_name = "TEXT", required_unless_present = "simulate")]
    pub subject: Option<String>,
    /// Plain text: a file, or `-` for standard input.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["html", "simulate"])]
    pub text: Option<PathBuf>,
    /// HTML: a file.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// File that goes with the mail. Can be repeated.
    #[arg(long, value_name = "FILE")]
    pub attach: Vec<PathBuf>,
    /// Your name for the kind of mail. Every message in Kafka about the mail has it.
    #[arg(long, value_name = "NAME")]
    pub template_id: Option<String>,
    /// Configuration set of the declaration. [default: the only one]
    #[arg(long, value_name = "ENTRY")]
    pub configuration_set: Option<String>,
    /// Table of the declaration that keeps the records of mails. [default: the only one; none where the stack tracks deliveries]
    #[arg(long, value_name = "ENTRY")]
    pub table: Option<String>,
    /// Bucket of the declaration that keeps the bodies, below `sent/`. [default: the only one]
    #[arg(long, value_name = "ENTRY")]
    pub bucket: Option<String>,
    /// Function of the declaration whose database keeps the records of mails. [default: the only one that tracks deliveries]
    #[arg(long, value_name = "ENTRY")]
    pub function: Option<String>,
    /// Word that tells this request from an equal one, such as the number of an order. The same request is sent once.
    #[arg(long, value_name = "WORD", default_value = "", hide_default_value = true)]
    pub key: String,
    /// Send although the same request was sent before, or may have been.
    #[arg(long, conflicts_with_all = ["key", "sent_as"])]
    pub again: bool,
    /// Send nothing, and record that an earlier run, which did not learn SES's answer, sent the request under this message id.
    #[arg(long, value_name = "MESSAGE-ID")]
    pub sent_as: Option<String>,
    /// Send to SES's mailbox simulator, which answers like this. It counts for neither quota nor reputation, and is billed.
    #[arg(long, value_name = "WHAT", conflicts_with_all = ["to", "cc", "bcc"])]
    pub simulate: Option<Simulation>,
    /// Wait up to two minutes for the events of the mail, and show them. Names the topic of the declaration, as `CLUSTER/TOPIC`.
    #[arg(long, value_name = "CLUSTER/TOPIC")]
    pub watch: Option<String>,
    /// The way to the brokers.
    #[command(flatten)]
    pub brokers: Brokers,
}

/// A reaction of SES's mailbox simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Simulation {
    /// The mail is delivered.
    Success,
    /// The mail comes back: there is no such mailbox.
    Bounce,
    /// The mail is delivered, and an automatic answer says that nobody is there.
    Ooto,
    /// The mail is delivered, and the recipient complains of it.
    Complaint,
    /// SES sends nothing: the address is on its suppression list.
    Suppressionlist,
}

impl Simulation {
    /// Returns the event after which nothing more comes.
    pub(crate) fn last(self) -> events::Kind {
        match self {
            Self::Success | Self::Ooto => events::Kind::Delivery,
            Self::Bounce | Self::Suppressionlist => events::Kind::Bounce,
            Self::Complaint => events::Kind::Complaint,
        }
    }

    /// Returns the simulator's address; the label tells runs apart, in the events too.
    pub(crate) fn address(self, label: &str) -> String {
        let name = self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        format!("{name}+{label}@simulator.amazonses.com")
    }
}

const SEND_EXIT_CODES: &str = "The same request is one in which everything is equal, `--key` too: a second run sends
nothing and says under which id it was sent.

Exit codes:
    0  SES accepted the mail and its record says so, now or in an earlier run
    1  the mail was or may have been sent, and its record does not say so: it is
       pending; with `--watch`: nothing final came in time
    2  an error: nothing was sent
  130  interrupted by Ctrl-C: the mail may have been sent, its record is pending";

/// The way to the brokers.
#[derive(Debug, Args)]
pub struct Brokers {
    /// Brokers that can be reached from here: `HOST:PORT`, or several with commas between them. MSK's are reached inside their VPC alone.
    ///
    /// Brokers of this machine are reached without encryption; others by TLS, with your AWS identity.
    #[arg(long, value_name = "HOST:PORT")]
    pub bootstrap: Option<String>,
    /// Read through this function of the stack, which reaches the brokers: one with the topic in `follows`.
    #[arg(long, value_name = "FUNCTION", conflicts_with = "bootstrap")]
    pub via: Option<String>,
}

impl Brokers {
    /// Returns the ways that were named.
    pub(crate) fn named(&self) -> Named<'_> {
        Named { bootstrap: self.bootstrap.as_deref(), via: self.via.as_deref() }
    }
}

/// The arguments of `provision tail`.
#[derive(Debug, Args)]
#[command(after_long_help = TAIL_EXIT_CODES)]
pub struct Tail {
    /// Topic of the declaration, as `CLUSTER/TOPIC`.
    #[arg(value_name = "CLUSTER/TOPIC")]
    pub topic: String,
    /// The way to the brokers.
    #[command(flatten)]
    pub brokers: Brokers,
    /// Show messages about this recipient only: an address, or a domain as `@example.org`. Can be repeated.
    #[arg(long, value_name = "ADDRESS")]
    pub recipient: Vec<String>,
    /// Show messages of this type only, such as `bounce`. Can be repeated.
    #[arg(long = "type", value_name = "TYPE", value_parser = super::values::kind)]
    pub kinds: Vec<events::Kind>,
    /// Begin this long ago (`30s`, `15m`, `1h`, `2d`) or at a time such as `2027-01-05T10:00:00Z`. [default: now]
    #[arg(long, value_parser = super::values::since, value_name = "TIME")]
    pub since: Option<Timestamp>,
    /// End at the end of the topic, instead of waiting for more.
    #[arg(long, requires = "since")]
    pub once: bool,
}

const TAIL_EXIT_CODES: &str = "With `--json` each message is one line.

Exit codes:
    0  the messages were shown, if there are any
    2  an error: no way to the brokers, no such topic, no right to read it
  130  interrupted by Ctrl-C, which is how it ends without `--once`";

/// The arguments of `provision timeline`.
#[derive(Debug, Args)]
#[command(after_long_help = TIMELINE_EXIT_CODES)]
pub struct Timeline {
    /// SES's message id of the mail, or the address of a recipient.
    #[arg(value_name = "MESSAGE-ID|ADDRESS")]
    pub what: String,
    /// The way to the brokers.
    #[command(flatten)]
    pub brokers: Brokers,
    /// Topic of the declaration, as `CLUSTER/TOPIC`. [default: the only one]
    #[arg(long, value_name = "CLUSTER/TOPIC")]
    pub topic: Option<String>,
    /// Table of sent mails. [default: the only one]
    #[arg(long, value_name = "TABLE")]
    pub table: Option<String>,
    /// Sender of the mails: what he has sent is looked up, instead of searching the whole table.
    #[arg(long, value_name = "ADDRESS")]
    pub sender: Option<sending::Mailbox>,
    /// Leave the table alone, and show what Kafka knows.
    #[arg(long, conflicts_with_all = ["table", "sender"])]
    pub topic_only: bool,
    /// Begin this long ago (`1h`, `2d`) or at a time such as `2027-01-05T10:00:00Z`.
    #[arg(long, value_parser = super::values::since, default_value = "14d", value_name = "TIME")]
    pub since: Timestamp,
}

const TIMELINE_EXIT_CODES: &str = "Exit codes:
    0  something is known of the mail or the recipient
    1  nothing is
    2  an error: no way to the brokers, no such topic, no right to read it
  130  interrupted by Ctrl-C";
