//! The alarms that a stack has without being asked, one row of [`TABLE`] each: of it are made the measure, the word in a declaration and the
//! key of the threshold.

use super::measure::{LAMBDA, Measure, Unit, Watched};
use crate::shape::{Field, Holds, Shape, Word};

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
    /// The oldest message of a queue that a function consumes or a server takes from: it does not keep up, or is paused.
    Backlog,
    /// Mails of a configuration set that bounce, in a million.
    Bounces,
    /// Mails of a configuration set that are complained of, in a million.
    Complaints,
    /// The age of the oldest event for a function that hears of the events of sent mails, in seconds.
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

impl AlarmKind {
    /// Every kind of alarm.
    pub const ALL: [Self; TABLE.len()] = {
        let mut all = [Self::Errors; TABLE.len()];
        let mut at = 0;
        while at < TABLE.len() {
            all[at] = TABLE[at].kind;
            at += 1;
        }
        all
    };

    /// Returns the measurement of the alarm.
    pub const fn measure(self) -> Measure {
        TABLE[self as usize].measure()
    }
}

impl Word for AlarmKind {
    const WORDS: &'static [(&'static str, Self)] = &{
        let mut words = [("", Self::Errors); TABLE.len()];
        let mut at = 0;
        while at < TABLE.len() {
            words[at] = (TABLE[at].name, TABLE[at].kind);
            at += 1;
        }
        words
    };
}

/// The thresholds of a declaration, one for each alarm.
pub(super) static THRESHOLDS: Shape = Shape { name: "thresholds", keys: &KEYS };

static KEYS: [Field; TABLE.len()] = {
    let mut keys = [const { TABLE[0].key() }; TABLE.len()];
    let mut at = 0;
    while at < TABLE.len() {
        keys[at] = TABLE[at].key();
        at += 1;
    }
    keys
};

/// An alarm, and its key below `thresholds`.
struct Row {
    kind: AlarmKind,
    name: &'static str,
    watched: Watched,
    /// Namespace, name and statistic of the metric.
    metric: (&'static str, &'static str, &'static str),
    /// Default threshold, as it would be written.
    default: &'static str,
    /// Largest threshold that is accepted; the smallest is 1.
    most: u32,
    unit: Unit,
    /// Description of the alarm.
    alarm: &'static str,
    /// Description of the threshold.
    threshold: &'static str,
}

impl Row {
    const fn measure(&self) -> Measure {
        let (namespace, metric, statistic) = self.metric;
        Measure {
            name: self.name,
            watched: self.watched,
            namespace,
            metric,
            statistic,
            period: 300,
            threshold: number(self.default),
            unit: self.unit,
            description: self.alarm,
        }
    }

    const fn key(&self) -> Field {
        Field::new(self.name, Holds::Number(1, self.most), self.threshold).or(self.default)
    }
}

const fn number(digits: &str) -> u32 {
    match u32::from_str_radix(digits, 10) {
        Ok(number) => number,
        Err(_) => panic!("a default is not a number"),
    }
}

/// Rows stand at the places of their kinds, and every default is accepted as a threshold.
const _: () = {
    let mut at = 0;
    while at < TABLE.len() {
        assert!(TABLE[at].kind as usize == at);
        assert!(1 <= TABLE[at].measure().threshold && TABLE[at].measure().threshold <= TABLE[at].most);
        at += 1;
    }
};

/// Largest count that is accepted as a threshold, far above any useful one.
const MOST: u32 = 1_000_000;

const SQS: &str = "AWS/SQS";
const API_GATEWAY: &str = "AWS/ApiGateway";
const SES: &str = "AWS/SES";
const RDS: &str = "AWS/RDS";
const ELASTICACHE: &str = "AWS/ElastiCache";
const EC2: &str = "AWS/EC2";

const TABLE: [Row; 19] = [
    Row {
        kind: AlarmKind::Errors,
        name: "errors",
        watched: Watched::Function,
        metric: (LAMBDA, "Errors", "Sum"),
        default: "1",
        most: MOST,
        unit: Unit::Count,
        alarm: "an invocation ended in an error",
        threshold: "Invocations that ended in an error, in 5 minutes.",
    },
    Row {
        kind: AlarmKind::Throttles,
        name: "throttles",
        watched: Watched::Function,
        metric: (LAMBDA, "Throttles", "Sum"),
        default: "1",
        most: MOST,
        unit: Unit::Count,
        alarm: "Lambda refused an invocation",
        threshold: "Invocations that Lambda throttled, in 5 minutes.",
    },
    Row {
        kind: AlarmKind::Duration,
        name: "duration",
        watched: Watched::Function,
        metric: (LAMBDA, "Duration", "Maximum"),
        default: "90",
        most: 100,
        unit: Unit::PercentOfTimeout,
        alarm: "an invocation took almost as long as it may",
        threshold: "Longest invocation, in percent of the timeout.",
    },
    Row {
        kind: AlarmKind::Undelivered,
        name: "undelivered",
        watched: Watched::FunctionWithFailureQueue,
        metric: (LAMBDA, "DestinationDeliveryFailures", "Sum"),
        default: "1",
        most: MOST,
        unit: Unit::Count,
        alarm: "an event that failed could not be put into the failure queue: it is lost",
        threshold: "Events that the failure queue did not accept, in 5 minutes.",
    },
    Row {
        kind: AlarmKind::Messages,
        name: "messages",
        watched: Watched::FailureQueue,
        metric: (SQS, "ApproximateNumberOfMessagesVisible", "Maximum"),
        default: "1",
        most: MOST,
        unit: Unit::Count,
        alarm: "an event failed for good, and waits for `provision replay`",
        threshold: "Messages in a failure queue.",
    },
    Row {
        kind: AlarmKind::Age,
        name: "age",
        watched: Watched::FailureQueue,
        metric: (SQS, "ApproximateAgeOfOldestMessage", "Maximum"),
        default: "50",
        most: 100,
        unit: Unit::PercentOfRetention,
        alarm: "an event that failed waits for so long that it will be lost",
        threshold: "Age of the oldest message in a failure queue, in percent of its retention.",
    },
    Row {
        kind: AlarmKind::ServerErrors,
        name: "server_errors",
        watched: Watched::Api,
        metric: (API_GATEWAY, "5xx", "Sum"),
        default: "1",
        most: MOST,
        unit: Unit::Count,
        alarm: "a request ended in an error of the function, or of its permission",
        threshold: "Requests to an API that ended in a 5xx, in 5 minutes.",
    },
    Row {
        kind: AlarmKind::Backlog,
        name: "backlog",
        watched: Watched::ConsumedQueue,
        metric: (SQS, "ApproximateAgeOfOldestMessage", "Maximum"),
        default: "3600",
        most: MOST,
        unit: Unit::Count,
        alarm: "a message waits for its function or server for too long",
        threshold: "Age of the oldest message in a queue that a function consumes or a server takes from, in seconds.",
    },
    // Half of the rates from which on AWS puts an account under review. Source: "Understanding the Amazon SES reputation
    // metrics": 5 % of bounces, 0.1 % of complaints.
    Row {
        kind: AlarmKind::Bounces,
        name: "bounces",
        watched: Watched::ConfigurationSet,
        metric: (SES, "Reputation.BounceRate", "Maximum"),
        default: "25000",
        most: MOST,
        unit: Unit::PerMillion,
        alarm: "so many mails bounce that AWS may soon review the account",
        threshold: "Mails of a configuration set that bounce, in a million: 25000 are 2.5 %.",
    },
    Row {
        kind: AlarmKind::Complaints,
        name: "complaints",
        watched: Watched::ConfigurationSet,
        metric: (SES, "Reputation.ComplaintRate", "Maximum"),
        default: "500",
        most: MOST,
        unit: Unit::PerMillion,
        alarm: "so many mails are complained of that AWS may soon review the account",
        threshold: "Mails of a configuration set that are complained of, in a million: 500 are 0.05 %.",
    },
    Row {
        kind: AlarmKind::Lag,
        name: "lag",
        watched: Watched::Listener,
        metric: (LAMBDA, "AsyncEventAge", "Maximum"),
        default: "900",
        most: MOST,
        unit: Unit::Seconds,
        alarm: "an event waits for its function for too long",
        threshold: "Age of an event that waits for a function that hears of the events of sent mails, in seconds.",
    },
    Row {
        kind: AlarmKind::DatabaseCpu,
        name: "database_cpu",
        watched: Watched::Database,
        metric: (RDS, "CPUUtilization", "Average"),
        default: "80",
        most: 100,
        unit: Unit::Count,
        alarm: "the processor of a database has almost no rest",
        threshold: "Processor of a database, in percent of 5 minutes.",
    },
    // A fifth of the smallest disk.
    Row {
        kind: AlarmKind::DatabaseStorage,
        name: "database_storage",
        watched: Watched::Database,
        metric: (RDS, "FreeStorageSpace", "Minimum"),
        default: "4096",
        most: 67_108_864,
        unit: Unit::MebibytesLeft,
        alarm: "the disk of a database is almost full: then it takes no more",
        threshold: "Free disk of a database, in MiB.",
    },
    // MySQL takes some 60 on the smallest class: its memory in bytes by 12,582,880.
    Row {
        kind: AlarmKind::DatabaseConnections,
        name: "database_connections",
        watched: Watched::Database,
        metric: (RDS, "DatabaseConnections", "Maximum"),
        default: "50",
        most: MOST,
        unit: Unit::Count,
        alarm: "a database has almost as many connections as the smallest class takes",
        threshold: "Connections to a database.",
    },
    // Thresholds of AWS's advice on alarms of ElastiCache; the whole processor counts on nodes with two, as the small ones have.
    Row {
        kind: AlarmKind::CacheCpu,
        name: "cache_cpu",
        watched: Watched::Cache,
        metric: (ELASTICACHE, "CPUUtilization", "Average"),
        default: "90",
        most: 100,
        unit: Unit::Count,
        alarm: "the processor of a node of a cache has almost no rest",
        threshold: "Processor of a node of a cache, in percent of 5 minutes.",
    },
    Row {
        kind: AlarmKind::CacheMemory,
        name: "cache_memory",
        watched: Watched::Cache,
        metric: (ELASTICACHE, "DatabaseMemoryUsagePercentage", "Maximum"),
        default: "80",
        most: 100,
        unit: Unit::Count,
        alarm: "the memory of a node of a cache is almost full: then it gives keys up, or takes none",
        threshold: "Memory of a node of a cache that data takes, in percent.",
    },
    Row {
        kind: AlarmKind::CacheEvictions,
        name: "cache_evictions",
        watched: Watched::Cache,
        metric: (ELASTICACHE, "Evictions", "Sum"),
        default: "100",
        most: MOST,
        unit: Unit::Count,
        alarm: "a node of a cache gives keys up to make room",
        threshold: "Keys that a node of a cache gave up to make room, in 5 minutes.",
    },
    Row {
        kind: AlarmKind::ServerCpu,
        name: "server_cpu",
        watched: Watched::Server,
        metric: (EC2, "CPUUtilization", "Average"),
        default: "80",
        most: 100,
        unit: Unit::Count,
        alarm: "the processor of a server has almost no rest",
        threshold: "Processor of a server, in percent.",
    },
    Row {
        kind: AlarmKind::ServerStatus,
        name: "server_status",
        watched: Watched::Server,
        metric: (EC2, "StatusCheckFailed", "Sum"),
        default: "2",
        most: 5,
        unit: Unit::Count,
        alarm: "a server does not answer, or its machine fails",
        threshold: "Minutes in which a server does not answer, of 5.",
    },
];
