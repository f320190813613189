//! `functions`: their code, their settings, and their rights. A function may use exactly the resources that its entry names.

mod variables;
mod vpc;

use std::{collections::BTreeMap, fmt, time::Duration};

use contract::tracking::{DATABASE_URL, PACKAGE};

use super::{
    Consumes, Place,
    bucket::{PLACES, READ_PLACES, places},
    cluster, consumes,
    protection::{BOUNDARY, KMS_KEY, PROTECT, protect},
    reader::{Fields, Reader},
    scalars,
    shape::{Field, Holds, Kind, Shape, Word, words},
    tags::{TAGS, tags},
    tree::{Key, Node, Value},
};
pub use vpc::Vpc;

/// A function and the code that it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Origin of the zip that Lambda runs.
    pub code: Code,
    /// Description for people; may be empty.
    pub description: String,
    /// Processor architecture of its binary.
    pub architecture: Architecture,
    /// Memory of the function, in MiB.
    pub memory: u32,
    /// Time after which Lambda ends an invocation.
    pub timeout: Duration,
    /// Environment variables with plain values.
    pub environment: BTreeMap<String, String>,
    /// Secrets by the environment variable for which the function reads their value. The value never passes through the declaration.
    pub secrets: BTreeMap<String, SecretReference>,
    /// VPC in which it runs; `None` is Lambda's own network.
    pub vpc: Option<Vpc>,
    /// Retention of its log, in days: one of [`LOG_RETENTION`].
    pub log_retention: u16,
    /// Reserved concurrency: cap and guaranteed share. `None` uses the account's unreserved pool; 0 switches the function off.
    pub reserved_concurrency: Option<u32>,
    /// Retries of a failed asynchronous invocation: 0, 1 or 2.
    pub retries: u8,
    /// Age after which an asynchronous event is not retried.
    pub maximum_event_age: Duration,
    /// Failure queue, by its entry name: receives the events that Lambda gives up on. `None` drops them.
    pub on_failure: Option<String>,
    /// Objects that it may read.
    pub reads: Vec<Place>,
    /// Places where it may write objects.
    pub writes: Vec<Place>,
    /// Objects that it may delete.
    pub deletes: Vec<Place>,
    /// Topics that it may publish to, by entry name.
    pub publishes: Vec<String>,
    /// Queues that it may send to, by entry name.
    pub sends: Vec<String>,
    /// Tables that it may query, by entry name.
    pub queries: Vec<String>,
    /// Topics of Kafka that it may write to, as `CLUSTER/TOPIC`.
    pub produces: Vec<String>,
    /// Databases that it may sign in to, by entry name.
    pub databases: Vec<String>,
    /// Caches that it may sign in to, by entry name.
    pub caches: Vec<String>,
    /// Topics of Kafka that it creates in clusters where AWS cannot, as `CLUSTER/TOPIC`.
    pub creates: Vec<String>,
    /// Topics of Kafka that it reads on behalf of its callers, as `CLUSTER/TOPIC`.
    pub follows: Vec<String>,
    /// Queue whose messages invoke it; `None` if no queue does.
    pub consumes: Option<Consumes>,
    /// ARN of the KMS key that encrypts its environment; `None` uses the stack's key.
    pub kms_key: Option<String>,
    /// ARN of the permissions boundary of its role; `None` uses the stack's.
    pub permissions_boundary: Option<String>,
    /// Protection: `true` if `up` and `down` delete or replace it only if the caller names it, `false` if they do so unasked; `None` leaves that
    /// to the kind.
    pub protect: Option<bool>,
    /// Tags of the function; they override the stack's.
    pub tags: BTreeMap<String, String>,
}

/// The origin of a function's zip.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// Built from a package of the Cargo workspace that the declaration stands in.
    Crate {
        /// Name of the package.
        package: String,
        /// Binary of that package; `None` is the package's only one.
        bin: Option<String>,
    },
    /// One of the zips that came with `provision`, by name. It is deployed as it is.
    Shipped(String),
}

impl Function {
    /// Returns `true` if it writes the delivery status of mails to a database: its package is `tracking`, and it names the database, or has its
    /// address in the secret `DATABASE_URL`. Other functions with such a secret have databases of another kind.
    pub fn is_tracking(&self) -> bool {
        let (Code::Crate { package, .. } | Code::Shipped(package)) = &self.code;
        package == PACKAGE && (!self.databases.is_empty() || self.secrets.contains_key(DATABASE_URL))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crate { package, bin: None } => formatter.write_str(package),
            Self::Crate { package, bin: Some(bin) } => write!(formatter, "{bin} of {package}"),
            Self::Shipped(name) => write!(formatter, "{name}, shipped with provision"),
        }
    }
}

impl Function {
    /// Returns the topics of Kafka that it uses, as `CLUSTER/TOPIC`, each with the key that names it: `produces`, `creates` or `follows`. Its
    /// context has the brokers of their clusters.
    pub fn topics_of_kafka(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let all = [("produces", &self.produces), ("creates", &self.creates), ("follows", &self.follows)];
        all.into_iter().flat_map(|(key, topics)| topics.iter().map(move |topic| (key, topic)))
    }
}

/// The processor architectures of Lambda.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Architecture {
    /// The processors of AMD and Intel.
    #[default]
    X86_64,
    /// The Graviton processors of AWS.
    Arm64,
}

/// A function's reference to a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretReference {
    /// An entry of `secrets`.
    Declared(String),
    /// A name in Secrets Manager of a secret that is no entry.
    Existing(String),
}

/// Retentions that CloudWatch Logs takes as `retentionInDays`.
pub const LOG_RETENTION: &[u16] =
    &[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

impl Word for Architecture {
    const WORDS: &'static [(&'static str, Self)] = &[("x86_64", Self::X86_64), ("arm64", Self::Arm64)];
}

/// Bounds of a function's memory in Lambda, in MiB.
const MEMORY: Holds = Holds::Size(128, 10_240);
/// Bounds of a function's timeout in Lambda.
const TIMEOUT: Holds = Holds::Duration(Duration::from_secs(1), Duration::from_mins(15));
/// Bounds of `MaximumEventAgeInSeconds` in Lambda.
const EVENT_AGE: Holds = Holds::Duration(Duration::from_mins(1), Duration::from_hours(6));

pub(super) static SHAPE: Shape = Shape {
    name: "function",
    keys: &[
        Field::new(
            "use",
            Holds::Text(scalars::SHIPPED),
            "Function that came with `provision`, such as `maintenance` or `echo`: its zip is taken as it is. Either this or `crate` is required.",
        ),
        Field::new(
            "crate",
            Holds::Text(scalars::PACKAGE),
            "Cargo package that the function is built from, in the workspace of the declaration.",
        ),
        Field::new(
            "bin",
            Holds::Text(scalars::BINARY),
            "Binary of the package named by `crate`. Without it, the package's only binary.",
        ),
        Field::new("description", Holds::Text(scalars::LINE), "Description for people.").or(""),
        Field::new("architecture", Holds::Word(words::<Architecture>), "Processor architecture.").or("x86_64"),
        Field::new("memory", MEMORY, "Memory.").or("256MB"),
        Field::new("timeout", TIMEOUT, "Time after which Lambda ends an invocation.").or("30s"),
        Field::new(
            "environment",
            Holds::Chosen(scalars::VARIABLE, &Holds::Text(scalars::TEXT)),
            "Environment variables with plain values.",
        ),
        Field::new(
            "secrets",
            Holds::Chosen(scalars::VARIABLE, &Holds::ReferenceOr(Kind::Secret, scalars::SECRET)),
            "Environment variables that hold the name of a secret. The function reads the value itself.",
        ),
        Field::new("vpc", Holds::Mapping(&vpc::SHAPE), "VPC in which it runs, instead of Lambda's own network."),
        Field::new("log_retention", Holds::OneOfDays(LOG_RETENTION), "Retention of its log.").or("30d"),
        Field::new(
            "reserved_concurrency",
            Holds::Number(0, 1000),
            "Reserved concurrency: the cap and the guaranteed share. `0` switches the function off. Without it, the function uses the account's unreserved pool.",
        ),
        Field::new("retries", Holds::Number(0, 2), "Retries of a failed asynchronous invocation.").or("2"),
        Field::new("maximum_event_age", EVENT_AGE, "Age after which an asynchronous event is not retried.").or("6h"),
        Field::new(
            "on_failure",
            Holds::Reference(Kind::Queue),
            "Failure queue: receives the events that Lambda gives up on: their last retry failed, or they are older than `maximum_event_age`.",
        ),
        Field::new("reads", READ_PLACES, "Objects that it may read."),
        Field::new("writes", PLACES, "Places where it may write objects."),
        Field::new("deletes", PLACES, "Objects that it may delete."),
        Field::new("publishes", Holds::List(&Holds::Reference(Kind::Topic)), "Topics that it may publish to."),
        Field::new("sends", Holds::List(&Holds::Reference(Kind::Queue)), "Queues that it may send to."),
        Field::new("queries", Holds::List(&Holds::Reference(Kind::Table)), "Tables that it may query."),
        Field::new(
            "produces",
            Holds::List(&Holds::Text(cluster::CLUSTER_TOPIC)),
            "Topics of Kafka that it may write to, `CLUSTER/TOPIC`. It needs a `vpc` that reaches the brokers.",
        ),
        Field::new(
            "databases",
            Holds::List(&Holds::Reference(Kind::Database)),
            "Databases that it may sign in to. It needs a `vpc` that reaches them, and reads the password from its secret.",
        ),
        Field::new(
            "caches",
            Holds::List(&Holds::Reference(Kind::Cache)),
            "Caches that it may sign in to. It needs a `vpc` that reaches them, and reads the password from its secret.",
        ),
        Field::new(
            "creates",
            Holds::List(&Holds::Text(cluster::CLUSTER_TOPIC)),
            "Topics of Kafka that it makes for `up` where AWS makes none, `CLUSTER/TOPIC`: in serverless clusters, and in those with Kafka before 3.6. For the function `kafka-access`.",
        ),
        Field::new(
            "follows",
            Holds::List(&Holds::Text(cluster::CLUSTER_TOPIC)),
            "Topics of Kafka that it reads for `tail` and `timeline`, `CLUSTER/TOPIC`. For the function `kafka-access`.",
        ),
        Field::new("consumes", Holds::Mapping(&consumes::SHAPE), "Queue whose messages invoke it."),
        KMS_KEY,
        BOUNDARY,
        PROTECT,
        TAGS,
    ],
};

pub(super) fn read(reader: &mut Reader, key: &Key, node: &Node) -> Function {
    let fields = &reader.fields(node, &key.span, format!("function `{}`", key.name), &SHAPE);
    let (environment, secrets) = variables::read(reader, fields);
    Function {
        code: code(reader, fields, matches!(node.value, Value::Map(_) | Value::Null))
            .unwrap_or_else(|| Code::Shipped(String::new())),
        description: reader.text(fields, "description", scalars::line).unwrap_or_default(),
        architecture: reader.word(fields, "architecture").unwrap_or_default(),
        memory: reader.size(fields, "memory").unwrap_or_default(),
        timeout: reader.duration(fields, "timeout").unwrap_or_default(),
        environment,
        secrets,
        vpc: vpc::read(reader, fields),
        log_retention: reader.one_of_days(fields, "log_retention").unwrap_or_default(),
        reserved_concurrency: reader.number(fields, "reserved_concurrency"),
        retries: reader.number(fields, "retries").unwrap_or_default(),
        maximum_event_age: reader.duration(fields, "maximum_event_age").unwrap_or_default(),
        on_failure: reader.reference(fields, "on_failure"),
        reads: places(reader, fields, "reads"),
        writes: places(reader, fields, "writes"),
        deletes: places(reader, fields, "deletes"),
        publishes: reader.references(fields, "publishes"),
        sends: reader.references(fields, "sends"),
        queries: reader.references(fields, "queries"),
        databases: reader.references(fields, "databases"),
        caches: reader.references(fields, "caches"),
        produces: cluster::cluster_topics(reader, fields, "produces"),
        creates: cluster::cluster_topics(reader, fields, "creates"),
        follows: cluster::cluster_topics(reader, fields, "follows"),
        consumes: consumes::read(reader, fields),
        kms_key: reader.text(fields, "kms_key", scalars::kms_key),
        permissions_boundary: reader.text(fields, "permissions_boundary", scalars::boundary),
        protect: protect(reader, fields),
        tags: tags(reader, fields),
    }
}

/// Reads the origin of the code: `use`, or `crate` with `bin`. `is_mapping` is `false` for an entry that is not a mapping: that is reported
/// already, and a missing key is not reported in addition.
fn code(reader: &mut Reader, fields: &Fields<'_>, is_mapping: bool) -> Option<Code> {
    let shipped = reader.text(fields, "use", scalars::cargo_name);
    let package = reader.text(fields, "crate", scalars::cargo_name);
    let bin = reader.text(fields, "bin", scalars::cargo_name);
    match (fields.entry("use"), fields.entry("crate"), fields.entry("bin")) {
        (Some((key, _)), Some(_), _) => {
            let message = format!("{} has both `use` and `crate`", fields.subject);
            reader.diagnose(&key.span, message, "remove one of them");
        }
        (Some(_), None, Some((key, _))) => {
            let message = format!("{} has `bin`, which names a binary of a `crate`, and no `crate`", fields.subject);
            reader.diagnose(&key.span, message, "remove `bin`");
        }
        (None, None, _) if is_mapping => {
            let message = format!("{} has neither `use` nor `crate`", fields.subject);
            let hint = "add `use: maintenance` for a function that came with `provision`, or `crate: PACKAGE` for one of your own";
            reader.diagnose(&fields.span, message, hint);
        }
        _ => {}
    }
    shipped.map(Code::Shipped).or(package.map(|package| Code::Crate { package, bin }))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::Declaration;

    #[test]
    fn a_function_with_a_database_of_its_own_does_not_track() {
        let source = "stack: shop
region: eu-west-1
functions:
  shipped: {use: tracking, secrets: {DATABASE_URL: company/mails}}
  built: {crate: tracking, secrets: {DATABASE_URL: company/mails}}
  nowhere: {crate: tracking}
  shop: {crate: shop, secrets: {DATABASE_URL: company/shop}}
";
        let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
        let functions = checked.declarations[0].functions.iter();
        let tracking = functions.filter(|(_, function)| function.is_tracking()).map(|(entry, _)| entry.as_str());
        assert_eq!(tracking.collect::<Vec<_>>(), ["built", "shipped"]);
    }
}
