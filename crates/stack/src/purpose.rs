//! The commands that a policy can be for, and the calls that each makes besides those of the kinds.

use crate::Names;
use aws::policy::Statement;
use declaration::Declaration;
use kinds::{
    Kind, Right,
    rights::{Access, Target},
    tagged,
};

/// The command that a policy must allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose<'given> {
    /// The command `provision up`.
    Up,
    /// The command `provision diff`.
    Diff,
    /// The command `provision down`.
    Down,
    /// The command `provision adopt`, for a resource of this kind and name.
    Adopt(Kind, &'given str),
    /// The command `provision outputs`.
    Outputs,
    /// The command `provision status`.
    Status,
    /// The command `provision logs`.
    Logs,
    /// The command `provision invoke`.
    Invoke,
    /// The command `provision replay`.
    Replay,
    /// The command `provision backfill`.
    Backfill,
    /// The command `provision send`, without `--watch`, which reads as `tail` does.
    Send,
    /// The command `provision tail`, by this way.
    Tail(Reading<'given>),
    /// The command `provision timeline`, by this way; it reads the table of sent mails, too.
    Timeline(Reading<'given>),
    /// The command `provision track`.
    Track,
    /// The commands `provision pause` and `provision resume`.
    Pause,
    /// The command `provision policy --found`, which asks what there is and nothing else.
    Policy,
}

/// The ways to the messages in a topic of Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading<'given> {
    /// Straight from the brokers, with one's own rights.
    Brokers,
    /// Through the function of this entry, with its rights.
    Function(&'given str),
}

/// Calls by which every command finds what the stack has, under whatever name.
pub(crate) const OPENING: &[&str] = &[tagged::RIGHT, "iam:ListRoles"];
/// Calls of `provision status` that have no resources.
const FIGURES: &[&str] = &["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricStatistics"];
/// Calls of `provision pause` and `resume` that find a mapping and its tags.
const MAPPINGS: &[&str] = &["lambda:ListEventSourceMappings", "lambda:ListTags"];
/// Call of `provision track --suppressed`: the account's list has no ARN.
const SUPPRESSED: &[&str] = &["ses:ListSuppressedDestinations"];
/// Calls of `provision replay` to failure queues.
const QUEUES: &[&str] = &[
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
];

/// Calls of `provision backfill` to the queue of jobs.
const SENDING: &[&str] = &["sqs:GetQueueUrl", "sqs:SendMessage"];

impl Purpose<'_> {
    /// Returns `true` if the command compares the declaration with the account, and so reads every kind.
    pub(crate) fn compares(self) -> bool {
        match self {
            Self::Up | Self::Diff | Self::Down | Self::Adopt(..) | Self::Outputs | Self::Status => true,
            Self::Logs
            | Self::Invoke
            | Self::Replay
            | Self::Backfill
            | Self::Pause
            | Self::Policy
            | Self::Send
            | Self::Track
            | Self::Tail(_)
            | Self::Timeline(_) => false,
        }
    }

    /// Returns `true` if a permission of a kind is needed. A resource to delete may be of any kind: it may no longer be declared.
    pub(crate) fn needs(self, right: &Right, is_declared: bool) -> bool {
        match right.access {
            Access::Read => self.compares(),
            Access::Delete => matches!(self, Self::Up | Self::Down),
            Access::Write => self == Self::Up && is_declared,
        }
    }

    /// Returns the calls without resources that the command makes itself.
    pub(crate) fn everywhere(self) -> Vec<&'static str> {
        let further = match self {
            // It asks the brokers alone.
            Self::Tail(Reading::Brokers) => return Vec::new(),
            Self::Status => FIGURES,
            Self::Pause => MAPPINGS,
            Self::Track => SUPPRESSED,
            _ => &[],
        };
        OPENING.iter().chain(further).copied().collect()
    }

    /// Returns the calls on resources that the command makes itself, by resources of a kind.
    pub(crate) fn own_calls(self) -> &'static [(Target, &'static [&'static str])] {
        const LOGS: (Target, &[&str]) = (Target::Own(Kind::LogGroup), &["logs:FilterLogEvents"]);
        const INVOKE: (Target, &[&str]) = (Target::Own(Kind::Function), &["lambda:InvokeFunction"]);
        const SWITCH: (Target, &[&str]) = (Target::Mappings, &["lambda:UpdateEventSourceMapping"]);
        const PAUSED: (Target, &[&str]) = (Target::MappingTags, &["lambda:TagResource", "lambda:UntagResource"]);
        match self {
            Self::Logs => &[LOGS],
            Self::Invoke => &[INVOKE],
            Self::Backfill => &[INVOKE, (Target::Own(Kind::Queue), SENDING)],
            Self::Pause => &[SWITCH, PAUSED],
            Self::Replay => &[LOGS, INVOKE, (Target::Own(Kind::Queue), QUEUES)],
            _ => &[],
        }
    }

    /// Returns the statements about mails that the command reads: where receipt rules store them, in other people's buckets, too.
    pub(crate) fn mails(self, declaration: &Declaration, names: &Names) -> Vec<(String, Statement)> {
        if self != Self::Replay || declaration.buckets.is_empty() {
            return Vec::new();
        }
        let arns = |ending: &str| -> Vec<String> {
            let arn = |entry: &String| format!("{}{ending}", names.arn(Kind::Bucket, entry));
            declaration.buckets.keys().map(arn).collect()
        };
        vec![
            ("FindMails".to_owned(), Statement::allow(&["s3:ListBucket"], arns(""))),
            ("ReadMails".to_owned(), Statement::allow(&["s3:GetObject"], arns("/*"))),
        ]
    }
}
