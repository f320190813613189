//! `alarms`: the recipients of alarms, and the thresholds.
//!
//! Every function and every failure queue is monitored without being asked for: a pipeline that fails in silence loses
//! mail. Each metric and its default threshold are in one table, [`AlarmKind::measure`]. Only [`SILENCE`] is asked for: how long
//! nothing may come depends on the senders.

use std::{collections::BTreeMap, time::Duration};

use super::{
    diagnostic::Diagnostic,
    reader::{Fields, Reader, Wrong, one_of, word},
    scalars,
    shape::{Field, Holds, Kind, Shape, Word, words},
    tree::{Node, Value},
};

/// The alarms of a stack, and their recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarms {
    /// Recipients; without any, alarms change their state and notify nobody.
    pub notify: Vec<Notify>,
    /// Threshold of each alarm that is on, in the unit of its measure.
    pub thresholds: BTreeMap<AlarmKind, u32>,
    /// Time without any mail after which [`SILENCE`] rings, in whole hours; `None` leaves that alarm out.
    pub silence: Option<Duration>,
}

/// A recipient of alarms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notify {
    /// A mail address; its owner has to confirm.
    Mail(String),
    /// A topic, by its entry name.
    Topic(String),
}

/// An alarm that every function, queue or API of a sort has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlarmKind {
    /// Invocations of a function that ended in an error.
    Errors,
    /// Invocations that Lambda throttled.
    Throttles,
    /// The longest invocation, in percent of the function's timeout.
    Duration,
    /// Events that could not be put into the failure queue: they are lost.
    Undelivered,
    /// Messages in a failure queue.
    Messages,
    /// The oldest message of a failure queue, in percent of its retention: when that has passed, it is lost.
    Age,
    /// Requests to an API that ended in an error of ours: the function failed, or may not be invoked.
    ServerErrors,
    /// The oldest message of a queue that a function consumes: it does not keep up, or is paused.
    Backlog,
    /// Mails of a configuration set that bounce, in a million.
    Bounces,
    /// Mails of a configuration set that are complained of, in a million.
    Complaints,
    /// The age of the oldest event for a function that hears what becomes of mails, in seconds.
    Lag,
    /// The processor of a database, in percent.
    DatabaseCpu,
    /// The free disk of a database, in MiB.
    DatabaseStorage,
    /// Connections to a database.
    DatabaseConnections,
    /// The processor of a node of a cache, in percent.
    CacheCpu,
    /// The memory of a node of a cache that data takes, in percent.
    CacheMemory,
    /// Keys that a node of a cache gave up to make room.
    CacheEvictions,
    /// The processor of a server, in percent.
    ServerCpu,
    /// Checks of a server and its machine that fail.
    ServerStatus,
}

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
    /// Every HTTP API.
    Api,
    /// Every queue that a function consumes.
    ConsumedQueue,
    /// Every configuration set with reputation metrics.
    ConfigurationSet,
    /// Every function that hears what becomes of mails that SES sends.
    Listener,
    /// Every database.
    Database,
    /// Every node of every cache.
    Cache,
    /// Every server.
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

/// The alarm on a function that no mail has reached for [`Alarms::silence`]: a mail exchanger that changed, another active rule set or
/// a rule that stops before ours lose mail without any error. It has no threshold to choose: one invocation ends it.
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

/// Longest range that CloudWatch evaluates, with periods of an hour or longer.
const LONGEST_SILENCE: Duration = Duration::from_hours(7 * 24);

const LAMBDA: &str = "AWS/Lambda";

impl AlarmKind {
    /// Every kind of alarm.
    pub const ALL: [Self; 19] = [
        Self::Errors,
        Self::Throttles,
        Self::Duration,
        Self::Undelivered,
        Self::Messages,
        Self::Age,
        Self::ServerErrors,
        Self::Backlog,
        Self::Bounces,
        Self::Complaints,
        Self::Lag,
        Self::DatabaseCpu,
        Self::DatabaseStorage,
        Self::DatabaseConnections,
        Self::CacheCpu,
        Self::CacheMemory,
        Self::CacheEvictions,
        Self::ServerCpu,
        Self::ServerStatus,
    ];

    /// Returns the measurement of the alarm.
    #[expect(clippy::too_many_lines, reason = "a table")]
    pub const fn measure(self) -> Measure {
        const SQS: &str = "AWS/SQS";
        const RDS: &str = "AWS/RDS";
        const ELASTICACHE: &str = "AWS/ElastiCache";
        const EC2: &str = "AWS/EC2";
        let ((name, watched), (namespace, metric, statistic), (threshold, unit), description) = match self {
            Self::Errors => (
                ("errors", Watched::Function),
                (LAMBDA, "Errors", "Sum"),
                (1, Unit::Count),
                "an invocation ended in an error",
            ),
            Self::Throttles => (
                ("throttles", Watched::Function),
                (LAMBDA, "Throttles", "Sum"),
                (1, Unit::Count),
                "Lambda refused an invocation",
            ),
            Self::Duration => (
                ("duration", Watched::Function),
                (LAMBDA, "Duration", "Maximum"),
                (90, Unit::PercentOfTimeout),
                "an invocation took almost as long as it may",
            ),
            Self::Undelivered => (
                ("undelivered", Watched::FunctionWithFailureQueue),
                (LAMBDA, "DestinationDeliveryFailures", "Sum"),
                (1, Unit::Count),
                "an event that failed could not be put into the failure queue: it is lost",
            ),
            Self::Messages => (
                ("messages", Watched::FailureQueue),
                (SQS, "ApproximateNumberOfMessagesVisible", "Maximum"),
                (1, Unit::Count),
                "an event failed for good, and waits for `provision replay`",
            ),
            Self::Age => (
                ("age", Watched::FailureQueue),
                (SQS, "ApproximateAgeOfOldestMessage", "Maximum"),
                (50, Unit::PercentOfRetention),
                "an event that failed waits for so long that it will be lost",
            ),
            Self::ServerErrors => (
                ("server_errors", Watched::Api),
                ("AWS/ApiGateway", "5xx", "Sum"),
                (1, Unit::Count),
                "a request ended in an error of the function, or of its permission",
            ),
            Self::Backlog => (
                ("backlog", Watched::ConsumedQueue),
                (SQS, "ApproximateAgeOfOldestMessage", "Maximum"),
                (3600, Unit::Count),
                "a message waits for its function for too long",
            ),
            // Half of the rates from which on AWS puts an account under review. Source: "Understanding the Amazon SES reputation
            // metrics": 5 % of bounces, 0.1 % of complaints.
            Self::Bounces => (
                ("bounces", Watched::ConfigurationSet),
                ("AWS/SES", "Reputation.BounceRate", "Maximum"),
                (25_000, Unit::PerMillion),
                "so many mails bounce that AWS may soon review the account",
            ),
            Self::Complaints => (
                ("complaints", Watched::ConfigurationSet),
                ("AWS/SES", "Reputation.ComplaintRate", "Maximum"),
                (500, Unit::PerMillion),
                "so many mails are complained of that AWS may soon review the account",
            ),
            Self::Lag => (
                ("lag", Watched::Listener),
                (LAMBDA, "AsyncEventAge", "Maximum"),
                (900, Unit::Seconds),
                "an event waits for its function for too long",
            ),
            Self::DatabaseCpu => (
                ("database_cpu", Watched::Database),
                (RDS, "CPUUtilization", "Average"),
                (80, Unit::Count),
                "the processor of a database has almost no rest",
            ),
            // A fifth of the smallest disk.
            Self::DatabaseStorage => (
                ("database_storage", Watched::Database),
                (RDS, "FreeStorageSpace", "Minimum"),
                (4096, Unit::MebibytesLeft),
                "the disk of a database is almost full: then it takes no more",
            ),
            // MySQL takes some 60 on the smallest class: its memory in bytes by 12,582,880.
            Self::DatabaseConnections => (
                ("database_connections", Watched::Database),
                (RDS, "DatabaseConnections", "Maximum"),
                (50, Unit::Count),
                "a database has almost as many connections as the smallest class takes",
            ),
            // Thresholds of AWS's advice on alarms of ElastiCache; the whole processor counts on nodes with two, as the small ones have.
            Self::CacheCpu => (
                ("cache_cpu", Watched::Cache),
                (ELASTICACHE, "CPUUtilization", "Average"),
                (90, Unit::Count),
                "the processor of a node of a cache has almost no rest",
            ),
            Self::CacheMemory => (
                ("cache_memory", Watched::Cache),
                (ELASTICACHE, "DatabaseMemoryUsagePercentage", "Maximum"),
                (80, Unit::Count),
                "the memory of a node of a cache is almost full: then it gives keys up, or takes none",
            ),
            Self::CacheEvictions => (
                ("cache_evictions", Watched::Cache),
                (ELASTICACHE, "Evictions", "Sum"),
                (100, Unit::Count),
                "a node of a cache gives keys up to make room",
            ),
            Self::ServerCpu => (
                ("server_cpu", Watched::Server),
                (EC2, "CPUUtilization", "Average"),
                (80, Unit::Count),
                "the processor of a server has almost no rest",
            ),
            Self::ServerStatus => (
                ("server_status", Watched::Server),
                (EC2, "StatusCheckFailed", "Sum"),
                (2, Unit::Count),
                "a server does not answer, or its machine fails",
            ),
        };
        Measure { name, watched, namespace, metric, statistic, period: 300, threshold, unit, description }
    }
}

impl Default for Alarms {
    fn default() -> Self {
        let thresholds = AlarmKind::ALL.into_iter().map(|kind| (kind, kind.measure().threshold)).collect();
        Self { notify: Vec::new(), thresholds, silence: None }
    }
}

pub(super) static SHAPE: Shape = Shape {
    name: "alarms",
    keys: &[
        Field::new(
            "notify",
            Holds::List(&Holds::ReferenceOr(Kind::Topic, scalars::ADDRESS)),
            "Recipients of alarms: mail addresses and topics.",
        ),
        Field::new("off", Holds::List(&Holds::Word(words::<AlarmKind>)), "Alarms to leave out."),
        Field::new(
            "silence",
            Holds::Duration(Duration::from_hours(1), LONGEST_SILENCE),
            "Time in whole hours after which an alarm rings because no mail came, or nothing was heard of sent ones. A new stack is silent: the alarm rings until its first mail.",
        ),
        Field::new("thresholds", Holds::Mapping(&THRESHOLDS), "Values from which on an alarm fires."),
    ],
};

/// Largest threshold that is accepted, far above any useful one.
const MOST: u32 = 1_000_000;

/// Keys of the thresholds, one per alarm; a test compares them with [`AlarmKind::ALL`].
static THRESHOLDS: Shape = Shape {
    name: "thresholds",
    keys: &[
        Field::new("errors", Holds::Number(1, MOST), "Invocations that ended in an error, in 5 minutes.").or("1"),
        Field::new("throttles", Holds::Number(1, MOST), "Invocations that Lambda throttled, in 5 minutes.").or("1"),
        Field::new("duration", Holds::Number(1, 100), "Longest invocation, in percent of the timeout.").or("90"),
        Field::new(
            "undelivered",
            Holds::Number(1, MOST),
            "Events that the failure queue did not accept, in 5 minutes.",
        )
        .or("1"),
        Field::new("messages", Holds::Number(1, MOST), "Messages in a failure queue.").or("1"),
        Field::new(
            "age",
            Holds::Number(1, 100),
            "Age of the oldest message in a failure queue, in percent of its retention.",
        )
        .or("50"),
        Field::new("server_errors", Holds::Number(1, MOST), "Requests to an API that ended in a 5xx, in 5 minutes.")
            .or("1"),
        Field::new(
            "backlog",
            Holds::Number(1, MOST),
            "Age of the oldest message in a queue that a function consumes, in seconds.",
        )
        .or("3600"),
        Field::new(
            "bounces",
            Holds::Number(1, MOST),
            "Mails of a configuration set that bounce, in a million: 25000 are 2.5 %.",
        )
        .or("25000"),
        Field::new(
            "complaints",
            Holds::Number(1, MOST),
            "Mails of a configuration set that are complained of, in a million: 500 are 0.05 %.",
        )
        .or("500"),
        Field::new(
            "lag",
            Holds::Number(1, MOST),
            "Age of an event that waits for a function that hears what becomes of mails, in seconds.",
        )
        .or("900"),
        Field::new("database_cpu", Holds::Number(1, 100), "Processor of a database, in percent of 5 minutes.").or("80"),
        Field::new("database_storage", Holds::Number(1, 67_108_864), "Free disk of a database, in MiB.").or("4096"),
        Field::new("database_connections", Holds::Number(1, MOST), "Connections to a database.").or("50"),
        Field::new("cache_cpu", Holds::Number(1, 100), "Processor of a node of a cache, in percent of 5 minutes.")
            .or("90"),
        Field::new("cache_memory", Holds::Number(1, 100), "Memory of a node of a cache that data takes, in percent.")
            .or("80"),
        Field::new(
            "cache_evictions",
            Holds::Number(1, MOST),
            "Keys that a node of a cache gave up to make room, in 5 minutes.",
        )
        .or("100"),
        Field::new("server_cpu", Holds::Number(1, 100), "Processor of a server, in percent.").or("80"),
        Field::new("server_status", Holds::Number(1, 5), "Minutes in which a server does not answer, of 5.").or("2"),
    ],
};

impl Word for AlarmKind {
    const WORDS: &'static [(&'static str, Self)] = &[
        (Self::Errors.measure().name, Self::Errors),
        (Self::Throttles.measure().name, Self::Throttles),
        (Self::Duration.measure().name, Self::Duration),
        (Self::Undelivered.measure().name, Self::Undelivered),
        (Self::Messages.measure().name, Self::Messages),
        (Self::Age.measure().name, Self::Age),
        (Self::ServerErrors.measure().name, Self::ServerErrors),
        (Self::Backlog.measure().name, Self::Backlog),
        (Self::Bounces.measure().name, Self::Bounces),
        (Self::Complaints.measure().name, Self::Complaints),
        (Self::Lag.measure().name, Self::Lag),
        (Self::DatabaseCpu.measure().name, Self::DatabaseCpu),
        (Self::DatabaseStorage.measure().name, Self::DatabaseStorage),
        (Self::DatabaseConnections.measure().name, Self::DatabaseConnections),
        (Self::CacheCpu.measure().name, Self::CacheCpu),
        (Self::CacheMemory.measure().name, Self::CacheMemory),
        (Self::CacheEvictions.measure().name, Self::CacheEvictions),
        (Self::ServerCpu.measure().name, Self::ServerCpu),
        (Self::ServerStatus.measure().name, Self::ServerStatus),
    ];
}

pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Alarms {
    let Some(fields) = &reader.mapping(fields, "alarms") else { return Alarms::default() };
    let mut notify = Vec::new();
    for item in reader.items(fields, "notify", "noc@example.com") {
        let Some(who) = notified(reader, item) else { continue };
        if notify.contains(&who) {
            reader.report(Diagnostic::new(item.span.clone(), "this one is told already"));
        }
        notify.push(who);
    }
    let mut alarms = Alarms { notify, silence: silence(reader, fields), ..Alarms::default() };
    let declared = reader.mapping(fields, "thresholds");
    if let Some(declared) = &declared {
        for kind in AlarmKind::ALL {
            let threshold = reader.number(declared, kind.measure().name);
            alarms.thresholds.insert(kind, threshold.unwrap_or(kind.measure().threshold));
        }
    }
    let known = words::<AlarmKind>();
    for item in reader.items(fields, "off", "throttles") {
        let expected = one_of(&known);
        let kind = reader.scalar(item, "off", &expected, |text| word::<AlarmKind>(text).ok_or_else(Wrong::default));
        let Some(kind) = kind else { continue };
        let name = kind.measure().name;
        if alarms.thresholds.remove(&kind).is_none() {
            reader.report(Diagnostic::new(item.span.clone(), format!("`{name}` is off already")));
        }
        if declared.as_ref().is_some_and(|declared| declared.get(name).is_some()) {
            let message = format!("`{name}` is off, and has a threshold");
            reader.note_at(&item.span, message, "remove one of them");
        }
    }
    alarms
}

/// Reads the time without mails, in CloudWatch's periods of an hour.
fn silence(reader: &mut Reader, fields: &Fields<'_>) -> Option<Duration> {
    let silence = reader.duration(fields, "silence")?;
    if silence.as_secs().is_multiple_of(SILENCE.period.into()) {
        return Some(silence);
    }
    let span = fields.get("silence").map(|node| node.span.clone()).unwrap_or_default();
    reader.note_at(&span, "silence is measured in whole hours", "write it as `36h` or `5d`");
    None
}

/// Reads a recipient: an address has an `@`, and a topic's name has none.
fn notified(reader: &mut Reader, node: &Node) -> Option<Notify> {
    if let Value::Text(text) = &node.value
        && text.contains('@')
    {
        return reader.scalar(node, "notify", scalars::ADDRESS.what, scalars::address).map(Notify::Mail);
    }
    reader.refer(node, "notify", Kind::Topic).map(Notify::Topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alarm_has_a_threshold_in_the_table() {
        let keys: Vec<_> = THRESHOLDS.keys.iter().map(|key| (key.name, key.default.map(str::to_owned))).collect();
        let kinds = AlarmKind::ALL.map(|kind| (kind.measure().name, Some(kind.measure().threshold.to_string())));
        assert_eq!(keys, kinds);
        assert_eq!(AlarmKind::WORDS.iter().map(|(_, kind)| *kind).collect::<Vec<_>>(), AlarmKind::ALL);
    }
}
