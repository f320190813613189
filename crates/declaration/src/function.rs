//! `functions`: code, settings, and permissions. A function may use exactly what its entry names.

use std::{collections::BTreeMap, fmt, time::Duration};

use contract::tracking::{DATABASE_URL, PACKAGE};
use trust::{Fault, Grants, Purpose};

use super::{
    Consumes, Place,
    bucket::{PLACES, READ_PLACES, places},
    cluster, consumes,
    diagnostic::Diagnostic,
    network::{self, NetworkPart},
    protection::{BOUNDARY, KMS_KEY, PROTECT, protect},
    reader::{Fields, Reader, Wrong, closest},
    scalars, security_group,
    shape::{Field, Holds, Kind, Shape, Word, words},
    tags::{TAGS, tags},
    tree::{Key, Node, Value},
};

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
    /// Network in which it runs; `None` is Lambda's own.
    pub vpc: Option<Vpc>,
    /// Retention of its log, in days: one of [`LOG_RETENTION`].
    pub log_retention: u16,
    /// Reserved concurrency: cap and guaranteed share. `None` uses the account's unreserved pool; 0 switches the function off.
    pub reserved_concurrency: Option<u32>,
    /// Retries of a failed asynchronous invocation: 0, 1 or 2.
    pub retries: u8,
    /// Age after which an asynchronous event is not retried.
    pub maximum_event_age: Duration,
    /// Failure queue, by its entry name: receives the events whose last retry failed. `None` drops them.
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
    /// Topics of Kafka that it makes where AWS makes none, as `CLUSTER/TOPIC`.
    pub creates: Vec<String>,
    /// Topics of Kafka that it reads for whoever may invoke it, as `CLUSTER/TOPIC`.
    pub follows: Vec<String>,
    /// Queue whose messages invoke it; `None` if no queue does.
    pub consumes: Option<Consumes>,
    /// ARN of the KMS key that encrypts it; `None` is that of the stack.
    pub kms_key: Option<String>,
    /// ARN of the managed policy that limits its role; `None` is that of the stack.
    pub permissions_boundary: Option<String>,
    /// `true` to delete or replace it only by name, `false` to protect it no longer; `None` leaves that to the kind.
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
        /// Binary of that package; `None` is its only one.
        bin: Option<String>,
    },
    /// Taken as it is from the zips that came with `provision`, by name.
    Shipped(String),
}

impl Function {
    /// Returns `true` if it keeps what became of mails in a database: one whose address is its secret, or, of the package `tracking`, one
    /// that it names.
    pub fn is_tracking(&self) -> bool {
        let (Code::Crate { package, .. } | Code::Shipped(package)) = &self.code;
        package == PACKAGE && !self.databases.is_empty() || self.secrets.contains_key(DATABASE_URL)
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
    /// Returns the topics of Kafka whose brokers it is told, as `CLUSTER/TOPIC`, with what it does with them, in the declaration's word.
    pub fn topics_of_kafka(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let all = [("produces", &self.produces), ("creates", &self.creates), ("follows", &self.follows)];
        all.into_iter().flat_map(|(key, topics)| topics.iter().map(move |topic| (key, topic)))
    }
}

/// The processors that Lambda has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Architecture {
    /// The processors of AMD and Intel.
    #[default]
    X86_64,
    /// The Graviton processors of AWS.
    Arm64,
}

/// A secret as a function refers to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretReference {
    /// An entry of `secrets`.
    Declared(String),
    /// A name in Secrets Manager that the declaration does not describe further.
    Existing(String),
}

/// A network of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vpc {
    /// Declared network in whose private subnets it is, by entry; `None` if the subnets are named.
    pub network: Option<String>,
    /// At least two subnets, in different availability zones.
    pub subnets: Vec<NetworkPart>,
    /// At least one security group.
    pub security_groups: Vec<NetworkPart>,
    /// Line of the declaration at which the network is named, from 1: what is wrong with it is known only once AWS has been asked.
    pub line: usize,
    /// Place of that line, in bytes from the file's start.
    pub(super) start: usize,
}

/// Retentions that CloudWatch Logs takes as `retentionInDays`.
pub const LOG_RETENTION: &[u16] =
    &[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

impl Word for Architecture {
    const WORDS: &'static [(&'static str, Self)] = &[("x86_64", Self::X86_64), ("arm64", Self::Arm64)];
}

/// Bounds of Lambda for memory, in MiB.
const MEMORY: Holds = Holds::Size(128, 10_240);
/// Bounds of Lambda for a timeout.
const TIMEOUT: Holds = Holds::Duration(Duration::from_secs(1), Duration::from_mins(15));
/// Bounds of Lambda for `MaximumEventAgeInSeconds`.
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
        Field::new("vpc", Holds::Mapping(&VPC), "VPC in which it runs, instead of Lambda's own network."),
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
            "Failure queue: receives the events whose last retry failed.",
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

static VPC: Shape = Shape {
    name: "vpc",
    keys: &[
        Field::new(
            "subnets",
            Holds::List(&Holds::Text(scalars::SUBNET)),
            "At least two subnets, in different availability zones. Either these or `network` is required.",
        ),
        Field::new("security_groups", security_group::GROUPS, "At least one security group.").required("[sg-0a1b2c3d]"),
        network::NETWORK,
    ],
};

pub(super) fn read(reader: &mut Reader, key: &Key, node: &Node) -> Function {
    let fields = &reader.fields(node, &key.span, format!("function `{}`", key.name), &SHAPE);
    let (environment, secrets) = variables(reader, fields);
    Function {
        code: code(reader, fields, matches!(node.value, Value::Map(_) | Value::Null))
            .unwrap_or_else(|| Code::Shipped(String::new())),
        description: reader.text(fields, "description", scalars::line).unwrap_or_default(),
        architecture: reader.word(fields, "architecture").unwrap_or_default(),
        memory: reader.size(fields, "memory").unwrap_or_default(),
        timeout: reader.duration(fields, "timeout").unwrap_or_default(),
        environment,
        secrets,
        vpc: vpc(reader, fields),
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

/// Reads the origin of the code: `use`, or `crate` with `bin`. Only a mapping can miss one of them: `is_mapping`.
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

type Environment = BTreeMap<String, String>;
type Secrets = BTreeMap<String, SecretReference>;

/// Reads `environment` and `secrets`: no variable may be in both.
fn variables(reader: &mut Reader, fields: &Fields<'_>) -> (Environment, Secrets) {
    let environment = read_variables(reader, fields, "environment", "a text", |_, text| Ok(text.to_owned()));
    let secrets = read_variables(reader, fields, "secrets", scalars::SECRET.what, |reader, text| {
        if reader.is_declared(Kind::Secret, text) {
            return Ok(SecretReference::Declared(text.to_owned()));
        }
        let declared: Vec<_> = reader.declared(Kind::Secret).iter().map(String::as_str).collect();
        match closest(text, &declared) {
            // The value may be a name in Secrets Manager, but whoever has one so close to an entry's would rather declare it.
            Some(meant) if !text.contains('/') => Err(Wrong::expected(
                "an entry of `secrets`, or a name in Secrets Manager",
            )
            .hint(format!("did you mean `{meant}`? If not, declare it: `secrets: {{NAME: {{existing: {text}}}}}`"))),
            _ => scalars::secret(text).map(SecretReference::Existing),
        }
    });
    for (key, _) in reader.chosen(fields, "secrets").into_iter().filter(|(key, _)| environment.contains_key(&key.name))
    {
        let message = format!("`{}` is both in `environment` and in `secrets`", key.name);
        reader.diagnose(&key.span, message, "remove one of them");
    }
    check_sender_lists(reader, fields);
    (environment, secrets)
}

/// Checks the lists of trusted senders. A function starts with a faulty entry too, and trusts nobody for it.
///
/// Domains of registries are checked against the public suffix list here; the function itself knows a few of them, to stay small.
fn check_sender_lists(reader: &mut Reader, fields: &Fields<'_>) {
    for (key, node) in reader.chosen(fields, "environment") {
        let Some(purpose) = Purpose::of_variable(&key.name) else { continue };
        let Value::Text(text) = &node.value else { continue };
        let grants = Grants::read(purpose, text);
        for faulty in grants.faulty() {
            let message = format!("`{}` has `{}`, which {}", key.name, faulty.entry, faulty.fault.what());
            reader.diagnose(&node.span, message, faulty.fault.remedy());
        }
        for domain in grants.domains().filter(|domain| is_public_suffix(domain.as_str())) {
            let fault = Fault::registry(domain);
            let message = format!("`{}` has `{domain}`, which {}", key.name, fault.what());
            reader.diagnose(&node.span, message, fault.remedy());
        }
    }
}

/// Returns whether a domain is a public suffix: a registry gives out names below it.
fn is_public_suffix(domain: &str) -> bool {
    psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == domain.as_bytes())
}

/// Reads the variables of one section, each value with `value`.
fn read_variables<T>(
    reader: &mut Reader,
    fields: &Fields<'_>,
    section: &str,
    what: &str,
    value: impl Fn(&Reader, &str) -> Result<T, Wrong>,
) -> BTreeMap<String, T> {
    let mut variables = BTreeMap::new();
    for (key, node) in reader.chosen(fields, section) {
        if let Err(wrong) = scalars::variable(&key.name) {
            let expected = wrong.expected.unwrap_or_default();
            let message = format!("a variable must have {expected}, not `{}`", key.name.escape_debug());
            reader.report(Diagnostic::new(key.span.clone(), message));
        }
        let Some(text) = reader.scalar(node, &key.name, what, |text| Ok(text.to_owned())) else { continue };
        let read = value(reader, &text);
        if let Some(value) = reader.scalar(node, &key.name, what, |_| read) {
            variables.insert(key.name.clone(), value);
        }
    }
    variables
}

fn vpc(reader: &mut Reader, fields: &Fields<'_>) -> Option<Vpc> {
    let start = fields.entry("vpc").map(|(key, _)| key.span.start).unwrap_or_default();
    let fields = &reader.mapping(fields, "vpc")?;
    let key = network::key(fields);
    if fields.entry(key).is_none() {
        let message = format!("{} has neither `network` nor `subnets`", fields.subject);
        let hint = "add `subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b]`, or a declared network";
        reader.diagnose(&fields.span, message, hint);
    }
    let (network, subnets) = network::subnets(reader, fields);
    let security_groups = security_group::groups(reader, fields, "security_groups");
    limit(reader, fields, ("subnets", "subnet"), MOST_SUBNETS);
    limit(reader, fields, ("security_groups", "sg"), MOST_SECURITY_GROUPS);
    let is_alone = matches!(fields.get("subnets"), Some(Node { value: Value::List(items), .. }) if items.len() == 1);
    if is_alone || network.is_some() && subnets.len() == 1 {
        let message = "a function needs two subnets: with one it stops when that zone does";
        let hint = if is_alone { "add a subnet in another zone" } else { "give the network two zones at least" };
        reader.diagnose(&fields.span_of(key), message, hint);
    }
    Some(Vpc { start, line: 0, network, subnets, security_groups })
}

/// Subnets that Lambda takes for a function.
const MOST_SUBNETS: usize = 16;
/// Security groups that Lambda takes for a function.
const MOST_SECURITY_GROUPS: usize = 5;

/// Checks that a list is not empty, and not longer than Lambda takes.
fn limit(reader: &mut Reader, fields: &Fields<'_>, (name, prefix): (&str, &str), most: usize) {
    let Some(Node { value: Value::List(items), span }) = fields.get(name) else { return };
    if let Some(item) = items.get(most) {
        reader.report(Diagnostic::new(item.span.clone(), format!("Lambda takes at most {most} in `{name}`")));
    }
    if items.is_empty() {
        let message = format!("`{name}` is empty");
        reader.diagnose(span, message, format!("name one at least: `{name}: [{prefix}-0a1b2c3d]`"));
    }
}
