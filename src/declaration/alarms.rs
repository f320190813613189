//! `alarms`: who is told when something goes wrong, and what wrong is.
//!
//! Every function and every failure queue is watched without being asked for: a pipeline that fails in silence loses mail.
//! What is measured, and from where on it is too much, stands in one table, [`AlarmKind::measure`].

use std::collections::BTreeMap;

/// What is watched, and who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarms {
    /// Who is told. Without anybody, alarms change their colour only.
    pub notify: Vec<Notify>,
    /// Each alarm that is on, and from which value on it is too much, in the unit of its measure.
    pub thresholds: BTreeMap<AlarmKind, u32>,
}

/// Who is told of an alarm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notify {
    /// A mail address; who reads it confirms.
    Mail(String),
    /// A topic, by entry name.
    Topic(String),
}

/// An alarm that every function, or every failure queue, has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlarmKind {
    /// Invocations of a function that ended in an error.
    Errors,
    /// Invocations that Lambda refused since too many ran.
    Throttles,
    /// The longest invocation, in percent of the function's timeout.
    Duration,
    /// Events that could not be put into the failure queue: they are lost.
    Undelivered,
    /// Messages in a failure queue.
    Messages,
    /// The oldest message of a failure queue, in percent of its retention: when that has passed, it is lost.
    Age,
}

/// What an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// Every function.
    Function,
    /// Every function that has a failure queue.
    FunctionWithFailureQueue,
    /// Every queue that functions or other queues put into what they failed at.
    FailureQueue,
}

/// What a threshold counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// The metric's own unit.
    Count,
    /// Percent of the function's timeout; the metric is in milliseconds.
    PercentOfTimeout,
    /// Percent of the queue's retention; the metric is in seconds.
    PercentOfRetention,
}

/// How an alarm measures, in CloudWatch's words. It is on from the threshold on, after one period; periods without data are well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// Its name in a declaration, and at the end of the alarm's name.
    pub name: &'static str,
    /// What it is about.
    pub watched: Watched,
    /// CloudWatch's namespace.
    pub namespace: &'static str,
    /// CloudWatch's metric.
    pub metric: &'static str,
    /// CloudWatch's statistic.
    pub statistic: &'static str,
    /// In seconds.
    pub period: u32,
    /// Too much from this value on, unless the declaration says otherwise.
    pub threshold: u32,
    /// Of the threshold.
    pub unit: Unit,
    /// For whoever reads the alarm.
    pub description: &'static str,
}

impl AlarmKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Errors, Self::Throttles, Self::Duration, Self::Undelivered, Self::Messages, Self::Age];

    /// How it measures.
    pub const fn measure(self) -> Measure {
        const LAMBDA: &str = "AWS/Lambda";
        const SQS: &str = "AWS/SQS";
        let (name, watched, namespace, metric, statistic, threshold, unit, description) = match self {
            Self::Errors => (
                "errors",
                Watched::Function,
                LAMBDA,
                "Errors",
                "Sum",
                1,
                Unit::Count,
                "an invocation ended in an error",
            ),
            Self::Throttles => (
                "throttles",
                Watched::Function,
                LAMBDA,
                "Throttles",
                "Sum",
                1,
                Unit::Count,
                "Lambda refused an invocation",
            ),
            Self::Duration => (
                "duration",
                Watched::Function,
                LAMBDA,
                "Duration",
                "Maximum",
                90,
                Unit::PercentOfTimeout,
                "an invocation took almost as long as it may",
            ),
            Self::Undelivered => (
                "undelivered",
                Watched::FunctionWithFailureQueue,
                LAMBDA,
                "DestinationDeliveryFailures",
                "Sum",
                1,
                Unit::Count,
                "an event that failed could not be put into the failure queue: it is lost",
            ),
            Self::Messages => (
                "messages",
                Watched::FailureQueue,
                SQS,
                "ApproximateNumberOfMessagesVisible",
                "Maximum",
                1,
                Unit::Count,
                "an event failed for good, and waits for `provision replay`",
            ),
            Self::Age => (
                "age",
                Watched::FailureQueue,
                SQS,
                "ApproximateAgeOfOldestMessage",
                "Maximum",
                50,
                Unit::PercentOfRetention,
                "an event that failed waits for so long that it will be lost",
            ),
        };
        Measure { name, watched, namespace, metric, statistic, period: 300, threshold, unit, description }
    }
}

impl Default for Alarms {
    fn default() -> Self {
        let thresholds = AlarmKind::ALL.into_iter().map(|kind| (kind, kind.measure().threshold)).collect();
        Self { notify: Vec::new(), thresholds }
    }
}
