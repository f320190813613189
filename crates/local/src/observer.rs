//! What happens in the local stack, told to whoever shows it. Nothing in this module's neighbours prints.

use std::{path::PathBuf, time::Duration};

use contract::report::Report;
use tokio::sync::mpsc;

use super::failure::Failure;

/// Something that happened.
#[derive(Debug)]
pub enum Happening {
    /// No rule takes mail for a recipient of an SMTP session: it was told so.
    Refused {
        /// The recipient.
        recipient: String,
    },
    /// A file could not be read.
    Unreadable {
        /// Which, and why.
        reason: String,
    },
    /// A mail was not taken.
    NotTaken {
        /// Where it came from.
        origin: String,
        /// Why.
        reason: String,
    },
    /// A mail arrived.
    Arrived {
        /// SES's message id.
        mail: String,
        /// Where it came from: a file, or the SMTP client.
        origin: String,
        /// MAIL FROM.
        sender: String,
        /// The decoded subject.
        subject: String,
    },
    /// A rule put a mail into a bucket.
    Stored {
        /// SES's message id.
        mail: String,
        /// The rule's entry name.
        rule: String,
        /// The bucket's entry name.
        bucket: String,
        /// The object's key.
        key: String,
    },
    /// A rule handed a mail to a function.
    Handed {
        /// SES's message id.
        mail: String,
        /// The rule's entry name.
        rule: String,
        /// The function's entry name.
        function: String,
    },
    /// A rule told a topic.
    Published {
        /// SES's message id.
        mail: String,
        /// The rule's entry name.
        rule: String,
        /// The topic's entry name.
        topic: String,
    },
    /// A rule refused a mail.
    Bounced {
        /// SES's message id.
        mail: String,
        /// The rule's entry name.
        rule: String,
        /// What its sender would be told.
        answer: String,
    },
    /// A function wrote a line that is no report.
    Logged {
        /// The function's entry name.
        function: String,
        /// The line.
        line: String,
    },
    /// A function reported what became of an item of its event, or handed something over by its log.
    Reported {
        /// What it said.
        report: Box<Report>,
    },
    /// An invocation ended well.
    Succeeded {
        /// SES's message id.
        mail: String,
        /// The function's entry name.
        function: String,
        /// What it took.
        usage: Usage,
    },
    /// An invocation failed.
    Failed {
        /// SES's message id.
        mail: String,
        /// The function's entry name.
        function: String,
        /// Why.
        failure: Failure,
        /// What follows.
        next: Next,
    },
}

/// What follows a failed invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It is tried again.
    Retry {
        /// After this time, here.
        after: Duration,
        /// After this time in Lambda.
        lambda_waits: Duration,
        /// The number of the next attempt, 2 or 3.
        attempt: u8,
        /// How many attempts there are.
        attempts: u8,
    },
    /// Every attempt failed: the event is in the failure queue.
    FailureQueue {
        /// The queue's entry name.
        queue: String,
        /// The file that holds the message.
        file: PathBuf,
    },
    /// Every attempt failed and the event is gone, as it would be in Lambda.
    Lost {
        /// Why it could not be kept.
        reason: String,
    },
    /// SES waited for the answer and goes on without one; nothing is tried again.
    NotRetried,
}

/// What an invocation took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// From the event to the answer.
    pub duration: Duration,
    /// From the start of the process until it asked for its first event, for the first event of an instance.
    pub start: Option<Duration>,
    /// The most resident memory so far, in bytes; `None` where the system does not tell.
    pub memory: Option<u64>,
}

/// Tells what happens. Nobody listening is no fault: a happening is then dropped.
#[derive(Debug, Clone)]
pub struct Observer(mpsc::UnboundedSender<Happening>);

impl Observer {
    /// An observer, and what it will be told.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Happening>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Tells that something happened.
    pub fn tell(&self, happening: Happening) {
        let _nobody_listens = self.0.send(happening);
    }
}
