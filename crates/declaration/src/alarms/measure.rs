//! The measurement of an alarm, in CloudWatch's words.

/// The subjects of alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// Every function of the stack.
    Function,
    /// Every function that has a failure queue.
    FunctionWithFailureQueue,
    /// Every function that mails reach: invoked by a receipt rule, or subscribed to a topic that one publishes to; and every
    /// [`Watched::Listener`].
    Receiver,
    /// Every queue that takes the failed events of functions or the dead letters of other queues.
    FailureQueue,
    /// Every HTTP API of the stack.
    Api,
    /// Every queue that a function consumes, or that a server takes from.
    ConsumedQueue,
    /// Every configuration set with reputation metrics.
    ConfigurationSet,
    /// Every function that hears of the events of sent mails.
    Listener,
    /// Every database of the stack.
    Database,
    /// Every node of every cache.
    Cache,
    /// Every server of the stack.
    Server,
}

/// The units of thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// The metric's own unit.
    Count,
    /// Percent of the function's timeout; the metric is in milliseconds.
    PercentOfTimeout,
    /// Percent of the queue's retention; the metric is in seconds.
    PercentOfRetention,
    /// Parts of a million; the metric is a share of one.
    PerMillion,
    /// Seconds; the metric is in milliseconds.
    Seconds,
    /// MiB that are left, down to which all is well; the metric is in bytes.
    MebibytesLeft,
}

/// An alarm's measurement, in CloudWatch's words. The alarm fires from the threshold on, or down to it where something is left, after one
/// period; periods without data are fine. [`SILENCE`] is the opposite in all three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// Its name in a declaration, and at the end of the alarm's name.
    pub name: &'static str,
    /// Subject of the alarm.
    pub watched: Watched,
    /// Namespace of the metric.
    pub namespace: &'static str,
    /// Name of the metric.
    pub metric: &'static str,
    /// Statistic of the metric.
    pub statistic: &'static str,
    /// Length of a period, in seconds.
    pub period: u32,
    /// Default threshold: the alarm fires at this value or above.
    pub threshold: u32,
    /// Unit of the threshold.
    pub unit: Unit,
    /// Description of the alarm, for people.
    pub description: &'static str,
}

/// The alarm on a function that no mail has reached for [`Alarms::silence`](super::Alarms::silence): a mail exchanger that changed, another
/// active rule set or a rule that stops before ours lose mail without any error. It has no threshold to choose: one invocation ends it.
pub const SILENCE: Measure = Measure {
    name: "silence",
    watched: Watched::Receiver,
    namespace: LAMBDA,
    metric: "Invocations",
    statistic: "Sum",
    period: 3600,
    threshold: 1,
    unit: Unit::Count,
    description: "nothing came for as long as the declaration allows",
};

/// Namespace of the metrics of functions.
pub(super) const LAMBDA: &str = "AWS/Lambda";
