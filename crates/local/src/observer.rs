//! The events of the local stack, reported to whoever shows them. Nothing in this crate prints.

use std::{fmt, path::PathBuf, time::Duration};

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
    /// An item was handed to a function.
    Handed {
        /// Id of the item: of a mail, a request or a message.
        item: String,
        /// Trigger that handed it.
        by: Trigger,
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
    /// A request came in for a route of an API.
    Requested {
        /// Id of the request.
        item: String,
        /// Origin: a file, or the HTTP client.
        origin: String,
        /// Method and path of the route.
        route: String,
    },
    /// A request was turned away before any function saw it.
    TurnedAway {
        /// Origin: a file, or the HTTP client.
        origin: String,
        /// Method and path of the request.
        request: String,
        /// Status of the answer.
        status: u16,
    },
    /// A request of a file was not sent, or was turned away.
    NotPosted {
        /// Name of the file.
        origin: String,
        /// Method and path of the route.
        route: String,
        /// Reason for not sending or taking it.
        reason: String,
    },
    /// A request was answered.
    Answered {
        /// Id of the request.
        item: String,
        /// Status of the answer.
        status: u16,
        /// Body of an answer that refuses; empty otherwise.
        refusal: String,
    },
    /// An event of SES about a sent mail was published to its topics.
    Notified {
        /// SNS's id of the notification.
        item: String,
        /// Name of the file.
        origin: String,
    },
    /// A message came into a queue that a function consumes, or was left in it by an earlier run.
    Queued {
        /// Id of the item that it comes from; its own id if that is not known.
        item: String,
        /// Entry name of the queue.
        queue: String,
        /// SQS's id of the message.
        message: String,
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
        /// Id of the item that it is about; `None` if it is about none that the function was handed.
        item: Option<String>,
        /// The report, as read from the log.
        report: Box<Report>,
    },
    /// An invocation of a function succeeded.
    Succeeded {
        /// Id of the item: of a mail, a request or a message.
        item: String,
        /// Entry name of the function.
        function: String,
        /// Time and memory that it took.
        usage: Usage,
    },
    /// An invocation of a function failed.
    Failed {
        /// Id of the item: of a mail, a request or a message.
        item: String,
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
        /// Wait before the retry, in AWS.
        in_aws: Wait,
        /// Number of the next attempt.
        attempt: u16,
        /// Maximum number of attempts.
        attempts: u16,
    },
    /// Every attempt failed: the event or message is in the failure queue.
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
    /// The message stays in its queue for another run.
    Left {
        /// Entry name of the queue.
        queue: String,
        /// Why it is not delivered again.
        reason: String,
    },
    /// SES waited for the answer and goes on without one; nothing is retried.
    NotRetried,
    /// API Gateway answers 500; nothing is retried.
    InternalError,
}

/// The wait of a service before a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Name of the service.
    pub service: &'static str,
    /// Duration of the wait.
    pub duration: Duration,
}

/// The triggers of a function, by the entry name or key of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// A receipt rule that invokes it.
    Rule(String),
    /// A route of an API.
    Route(String),
    /// A queue that the function consumes.
    Queue(String),
    /// A topic that the function is subscribed to.
    Topic(String),
}

impl fmt::Display for Trigger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Self::Rule(name) => ("rule", name),
            Self::Route(name) => ("route", name),
            Self::Queue(name) => ("queue", name),
            Self::Topic(name) => ("topic", name),
        };
        write!(formatter, "{kind} {name}")
    }
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
