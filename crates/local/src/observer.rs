//! The events of the local stack, reported to whoever shows them. Nothing in this crate prints.

use std::{path::PathBuf, time::Duration};

use contract::report::Report;
use tokio::sync::mpsc;

use super::failure::Failure;

/// Something that happened in the local stack, as its observer is told it.
#[derive(Debug)]
pub enum Activity {
    /// An SMTP client named a recipient that no rule takes, and was refused.
    Refused {
        /// Recipient that was refused.
        recipient: String,
    },
    /// A file could not be read.
    Unreadable {
        /// Path of the file, and why it could not be read.
        reason: String,
    },
    /// A mail was not accepted.
    NotTaken {
        /// Origin: a file, or the SMTP client.
        origin: String,
        /// Reason for not accepting it.
        reason: String,
    },
    /// A mail arrived, and a rule takes it.
    Arrived {
        /// SES message id of the mail.
        mail: String,
        /// Origin: a file, or the SMTP client.
        origin: String,
        /// Sender of the envelope (MAIL FROM).
        sender: String,
        /// Decoded subject of the mail.
        subject: String,
    },
    /// A rule put a mail into a bucket.
    Stored {
        /// SES message id of the mail.
        mail: String,
        /// Entry name of the rule.
        rule: String,
        /// Entry name of the bucket.
        bucket: String,
        /// Key of the object.
        key: String,
    },
    /// A rule handed a mail to a function.
    Handed {
        /// SES message id of the mail.
        mail: String,
        /// Entry name of the rule.
        rule: String,
        /// Entry name of the function.
        function: String,
    },
    /// A rule published a mail to a topic.
    Published {
        /// SES message id of the mail.
        mail: String,
        /// Entry name of the rule.
        rule: String,
        /// Entry name of the topic.
        topic: String,
    },
    /// A rule refused a mail.
    Bounced {
        /// SES message id of the mail.
        mail: String,
        /// Entry name of the rule.
        rule: String,
        /// Answer that the sender would get.
        answer: String,
    },
    /// A function wrote a line that is not a report.
    Logged {
        /// Entry name of the function.
        function: String,
        /// The line as written.
        line: String,
    },
    /// A function reported the outcome of an item, or wrote a document to its log.
    Reported {
        /// The report, as read from the log.
        report: Box<Report>,
    },
    /// An invocation of a function succeeded.
    Succeeded {
        /// SES message id of the mail.
        mail: String,
        /// Entry name of the function.
        function: String,
        /// Time and memory that it took.
        usage: Usage,
    },
    /// An invocation of a function failed.
    Failed {
        /// SES message id of the mail.
        mail: String,
        /// Entry name of the function.
        function: String,
        /// Reason of the failure.
        failure: Failure,
        /// Consequence of the failure.
        next: Next,
    },
}

/// The consequences of a failed invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The event is retried.
    Retry {
        /// Wait before the retry, here.
        after: Duration,
        /// Wait before the retry, in Lambda.
        lambda_waits: Duration,
        /// Number of the next attempt: 2 or 3.
        attempt: u8,
        /// Maximum number of attempts.
        attempts: u8,
    },
    /// Every attempt failed: the event is in the failure queue.
    FailureQueue {
        /// Entry name of the queue.
        queue: String,
        /// File that holds the message.
        file: PathBuf,
    },
    /// Every attempt failed and the event is lost, as it would be in Lambda.
    Lost {
        /// Why it could not be kept.
        reason: String,
    },
    /// SES waited for the answer and goes on without one; nothing is retried.
    NotRetried,
}

/// Time and memory that an invocation took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Duration from the event to the answer.
    pub duration: Duration,
    /// Duration of the process's start, until it asked for its first event; `None` except for an instance's
    /// first event.
    pub start: Option<Duration>,
    /// Peak resident memory so far, in bytes; `None` if the system does not tell.
    pub memory: Option<u64>,
}

/// The sender of the events. If nobody receives them, they are dropped: that is not an error.
#[derive(Debug, Clone)]
pub struct Observer(mpsc::UnboundedSender<Activity>);

impl Observer {
    /// Returns an observer, and the receiver of its events.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Activity>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Sends an event to the receiver.
    pub fn tell(&self, activity: Activity) {
        let _nobody_listens = self.0.send(activity);
    }
}
