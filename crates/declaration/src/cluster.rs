//! `clusters`: Kafka on MSK, and its topics. IAM and TLS alone: nobody writes or reads without a right to.

use std::collections::BTreeMap;

use super::{
    Declaration,
    network::{self, NetworkPart},
    protection::{KMS_KEY, PROTECT_DATA, protect},
    reader::{Fields, Reader, Wrong},
    scalars, security_group,
    shape::{Field, Form, Holds, Shape},
    suggestion::choose,
    tags::{TAGS, tags},
    tree::{Key, Node, span_of},
};

/// A cluster of Kafka.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cluster {
    /// Origin: an existing cluster, or brokers of the stack.
    pub source: ClusterSource,
    /// Topics that are made in it and checked, by their names in Kafka.
    pub topics: BTreeMap<String, KafkaTopic>,
    /// ARN of the KMS key of its disks; `None` is that of the stack.
    pub kms_key: Option<String>,
    /// `true` to delete or replace it only by name, `false` to protect it no longer; `None` leaves that to the kind.
    pub protect: Option<bool>,
    /// Tags of the cluster; they override the stack's.
    pub tags: BTreeMap<String, String>,
}

/// The origin of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterSource {
    /// It exists, under this ARN: it stays as it is.
    Existing(String),
    /// The stack creates it with these brokers.
    Created(Brokers),
}

impl Default for ClusterSource {
    fn default() -> Self {
        Self::Created(Brokers::default())
    }
}

/// The brokers of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Brokers {
    /// Declared network in whose private subnets they are, by entry; `None` if the subnets are named.
    pub network: Option<String>,
    /// Two or three subnets, each in another availability zone.
    pub subnets: Vec<NetworkPart>,
    /// Security groups of the brokers.
    pub security_groups: Vec<NetworkPart>,
    /// Number of brokers: a multiple of that of the subnets.
    pub brokers: u32,
    /// Type of each, as `kafka.m7g.large`.
    pub instance: String,
    /// Disk of each, in GiB.
    pub storage: u32,
    /// Version of Kafka, as `3.9.x`.
    pub version: String,
}

/// A topic of Kafka.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KafkaTopic {
    /// Number of its partitions.
    pub partitions: u32,
    /// Number of brokers that have each partition.
    pub replication: u32,
}

impl Cluster {
    /// Returns the ARN of a cluster that exists; `None` for the stack's own.
    pub fn existing(&self) -> Option<&str> {
        match &self.source {
            ClusterSource::Existing(arn) => Some(arn),
            ClusterSource::Created(_) => None,
        }
    }

    /// Returns the brokers of the stack's own cluster; `None` for one that exists.
    pub fn brokers(&self) -> Option<&Brokers> {
        match &self.source {
            ClusterSource::Created(brokers) => Some(brokers),
            ClusterSource::Existing(_) => None,
        }
    }
}

/// Form of the name of a topic in Kafka.
const TOPIC: Form = Form {
    what: "the name of a topic in Kafka: letters, digits, `.`, `_` and `-`, at most 249",
    pattern: "^[A-Za-z0-9._-]{1,249}$",
};
/// Form of a topic in a cluster.
pub(super) const CLUSTER_TOPIC: Form = Form {
    what: "a cluster and a topic, such as `events/messages`",
    pattern: "^[a-z][a-z0-9-]*/[A-Za-z0-9._-]{1,249}$",
};
/// Example of subnets, for messages about other values.
const EXAMPLE: &str = "[subnet-0a1b2c3d, subnet-4e5f6a7b, subnet-8c9d0e1f]";

pub(super) static SHAPE: Shape = Shape {
    name: "cluster",
    keys: &[
        Field::new(
            "existing",
            Holds::Text(scalars::CLUSTER),
            "ARN of an existing cluster, provisioned or serverless: it stays as it is. Without it, `up` makes one, which costs some hundred dollars a month and takes half an hour.",
        ),
        Field::new(
            "subnets",
            Holds::List(&Holds::Text(scalars::SUBNET)),
            "Two or three subnets of one VPC, each in another availability zone.",
        ),
        Field::new(
            "security_groups",
            security_group::GROUPS,
            "Security groups of the brokers: they let functions in on port 9098.",
        ),
        Field::new("brokers", Holds::Number(2, 60), "Number of brokers: a multiple of that of the subnets.").or("3"),
        Field::new("instance", Holds::Text(scalars::BROKER), "Type of each broker.").or("kafka.m7g.large"),
        Field::new("storage", Holds::Number(1, 16_384), "Disk of each broker, in GiB. Disks never shrink.").or("100"),
        Field::new("version", Holds::Text(scalars::KAFKA_VERSION), "Version of Kafka, at least 3.6.").or("3.9.x"),
        Field::new(
            "topics",
            Holds::Chosen(TOPIC, &Holds::Mapping(&TOPIC_SHAPE)),
            "Topics that are made where they are not there. None is ever deleted.",
        ),
        KMS_KEY,
        PROTECT_DATA,
        TAGS,
        network::NETWORK,
    ],
};

static TOPIC_SHAPE: Shape = Shape {
    name: "kafka_topic",
    keys: &[
        Field::new("partitions", Holds::Number(1, 4000), "Number of partitions: Kafka adds some, and takes none away.")
            .or("1"),
        Field::new(
            "replication",
            Holds::Number(1, 15),
            "Number of brokers that have each partition. Nobody can change it.",
        )
        .or("3"),
    ],
};

/// Keys that only a cluster of the stack's own has.
const OWN: [&str; 10] = [
    "network",
    "subnets",
    "security_groups",
    "brokers",
    "instance",
    "storage",
    "version",
    "kms_key",
    "protect",
    "tags",
];

pub(super) fn read(reader: &mut Reader, key: &Key, node: &Node) -> Cluster {
    let fields = &reader.fields(node, &key.span, format!("cluster `{}`", key.name), &SHAPE);
    let existing = reader.text(fields, "existing", scalars::cluster);
    let is_existing = fields.entry("existing").is_some();
    let source = match existing {
        Some(arn) => ClusterSource::Existing(arn),
        None => ClusterSource::Created(brokers(reader, fields, !is_existing)),
    };
    if is_existing {
        for name in OWN {
            if let Some((key, _)) = fields.entry(name) {
                let message = format!("a cluster that exists stays as it is: `{name}` cannot be declared for it");
                reader.diagnose(&key.span, message, "remove one of them");
            }
        }
    }
    Cluster {
        topics: topics(reader, fields, &source),
        source,
        kms_key: reader.text(fields, "kms_key", scalars::kms_key),
        protect: protect(reader, fields),
        tags: tags(reader, fields),
    }
}

fn brokers(reader: &mut Reader, fields: &Fields<'_>, is_needed: bool) -> Brokers {
    let (network, subnets) = network::subnets(reader, fields);
    let brokers = Brokers {
        network,
        subnets,
        security_groups: security_group::groups(reader, fields, "security_groups"),
        brokers: reader.number(fields, "brokers").unwrap_or_default(),
        instance: reader.text(fields, "instance", scalars::broker).unwrap_or_else(|| default(fields, "instance")),
        storage: reader.number(fields, "storage").unwrap_or_default(),
        version: reader.text(fields, "version", scalars::kafka_version).unwrap_or_else(|| default(fields, "version")),
    };
    if !is_needed {
        return brokers;
    }
    let subnets = network::key(fields);
    if fields.get(subnets).is_none() && fields.get("security_groups").is_none() {
        let message = format!("{} has neither `existing` nor `subnets`", fields.subject);
        let hint =
            "name one that is there, `existing: ARN`, or the network of a new one: `subnets` and `security_groups`";
        reader.diagnose(&fields.span, message, hint);
        return brokers;
    }
    for (name, example) in [(subnets, EXAMPLE), ("security_groups", "[sg-0a1b2c3d]")] {
        if fields.get(name).is_none() {
            reader.diagnose(
                &fields.span,
                format!("{} has no `{name}`", fields.subject),
                format!("add `{name}: {example}`"),
            );
        }
    }
    let zones = brokers.subnets.len();
    if fields.get(subnets).is_some() && !(2..=3).contains(&zones) {
        let message = format!("MSK takes two or three subnets, not {zones}");
        reader.diagnose(&fields.span_of(subnets), message, format!("write `subnets: {EXAMPLE}`"));
    } else if zones > 0 && !usize::try_from(brokers.brokers).is_ok_and(|brokers| brokers.is_multiple_of(zones)) {
        let message = format!("{} brokers cannot be spread evenly over {zones} subnets", brokers.brokers);
        reader.diagnose(&fields.span_of("brokers"), message, format!("write `brokers: {zones}`, or a multiple of it"));
    }
    brokers
}

/// Returns the default of a text.
fn default(fields: &Fields<'_>, name: &str) -> String {
    let field = SHAPE.keys.iter().find(|field| field.name == name && fields.get(name).is_none());
    field.and_then(|field| field.default).unwrap_or_default().to_owned()
}

fn topics(reader: &mut Reader, fields: &Fields<'_>, source: &ClusterSource) -> BTreeMap<String, KafkaTopic> {
    let mut topics = BTreeMap::new();
    for (key, node) in reader.chosen(fields, "topics") {
        if !is_topic(&key.name) {
            let message = format!("it must be {}, not `{}`", TOPIC.what, key.name.escape_debug());
            reader.diagnose(&key.span, message, "write it as Kafka has it: `messages`");
        }
        let fields = &reader.fields(node, &key.span, format!("topic `{}`", key.name), &TOPIC_SHAPE);
        let topic = KafkaTopic {
            partitions: reader.number(fields, "partitions").unwrap_or_default(),
            replication: reader.number(fields, "replication").unwrap_or_default(),
        };
        if let ClusterSource::Created(brokers) = source
            && brokers.brokers > 0
            && topic.replication > brokers.brokers
        {
            let message =
                format!("{} brokers cannot have {} copies of a partition", brokers.brokers, topic.replication);
            let hint = format!("write `replication: {}`", brokers.brokers);
            reader.diagnose(&fields.span_of("replication"), message, hint);
        }
        topics.insert(key.name.clone(), topic);
    }
    topics
}

fn is_topic(name: &str) -> bool {
    (1..=249).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && name != "."
        && name != ".."
}

/// Parses a topic in a cluster.
pub(super) fn cluster_topic(text: &str) -> Result<String, Wrong> {
    let sound = text.split_once('/').is_some_and(|(cluster, topic)| scalars::name(cluster).is_ok() && is_topic(topic));
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Reads the topics of a key of a function, each once.
pub(super) fn cluster_topics(reader: &mut Reader, fields: &Fields<'_>, name: &str) -> Vec<String> {
    let mut topics: Vec<String> = Vec::new();
    for item in reader.items(fields, name, "events/messages") {
        let Some(topic) = reader.scalar(item, name, CLUSTER_TOPIC.what, cluster_topic) else { continue };
        if topics.contains(&topic) {
            reader.diagnose(&item.span, format!("`{topic}` is there twice in `{name}`"), "remove one of them");
        } else {
            topics.push(topic);
        }
    }
    topics
}

/// Returns what a function does with the topics of a key, in words.
fn verb(key: &str) -> &'static str {
    match key {
        "creates" => "makes",
        "follows" => "reads",
        _ => "writes to",
    }
}

/// Checks that functions use declared topics, and that they make those alone that AWS does not.
pub(super) fn check(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    let known = declaration.clusters.iter();
    let known: Vec<String> =
        known.flat_map(|(cluster, one)| one.topics.keys().map(move |topic| format!("{cluster}/{topic}"))).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    for (entry, function) in &declaration.functions {
        for (key, topic) in function.topics_of_kafka().filter(|(_, topic)| !known.contains(&topic.as_str())) {
            let place = span_of(root, &["functions", entry, key]);
            let message = format!("function `{entry}` {} `{topic}`, which is not declared", verb(key));
            let (cluster, name) = topic.split_once('/').unwrap_or((topic, "messages"));
            let hint = if known.is_empty() {
                format!("declare it: `clusters: {{{cluster}: {{existing: ARN, topics: {{{name}: {{}}}}}}}}`")
            } else {
                choose(topic, "declared topics of Kafka", &known)
            };
            reader.diagnose(&place, message, hint);
        }
        let own = |topic: &&String| {
            let cluster = topic.split_once('/').and_then(|(cluster, _)| declaration.clusters.get(cluster));
            // What was meant to exist, and is not written as it must be, is told elsewhere.
            cluster.is_some_and(
                |cluster| matches!(&cluster.source, ClusterSource::Created(one) if one.network.is_some() || !one.subnets.is_empty()),
            )
        };
        if let Some(topic) = function.creates.iter().find(own) {
            let message = format!("AWS makes `{topic}`: the cluster is the stack's own, and no function has to");
            reader.diagnose(&span_of(root, &["functions", entry, "creates"]), message, "remove it here");
        }
    }
}
