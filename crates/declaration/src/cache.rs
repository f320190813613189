//! `caches`: Valkey or Redis on `ElastiCache`. Always private, encrypted, over TLS alone, and with a password from a secret of the stack.

use std::collections::BTreeMap;

use super::{
    database,
    network::{self, NetworkPart},
    protection::{KMS_KEY, PROTECT_DATA, protect},
    reader::{Fields, Reader, Wrong},
    scalars, security_group,
    shape::{Field, Form, Holds, Kind, Shape, Word, words},
    tags::{TAGS, tags},
    tree::{Key, Node},
};

/// A cache of `ElastiCache` in a network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cache {
    /// Engine that the nodes run.
    pub engine: CacheEngine,
    /// Version, major and minor: `8.2`.
    pub version: String,
    /// Type of its nodes, as `cache.t4g.micro`.
    pub node: String,
    /// Number of nodes beside the one that takes writes.
    pub replicas: u32,
    /// TCP port of its nodes.
    pub port: u16,
    /// Declared network in whose private subnets it is, by entry; `None` if the subnets are named.
    pub network: Option<String>,
    /// Subnets, in two availability zones at least where there are replicas.
    pub subnets: Vec<NetworkPart>,
    /// Security groups of its nodes.
    pub security_groups: Vec<NetworkPart>,
    /// Entry name of the secret with its password.
    pub auth: String,
    /// Days for which its daily snapshots are kept; 0 if none is taken.
    pub snapshots: u16,
    /// Time of the daily snapshot in UTC, `02:00-03:00`; `None` leaves it to AWS.
    pub snapshot_window: Option<String>,
    /// Data that it begins with; `None` if it begins empty.
    pub restore: Option<Restore>,
    /// `true` if AWS installs corrections of the engine within its maintenance window.
    pub minor_upgrades: bool,
    /// ARN of the KMS key that encrypts it; `None` is that of the stack.
    pub kms_key: Option<String>,
    /// `true` to delete or replace it only by name, `false` to protect it no longer; `None` leaves that to the kind.
    pub protect: Option<bool>,
    /// Tags of the cache; they override the stack's.
    pub tags: BTreeMap<String, String>,
}

/// The engines of caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheEngine {
    /// Valkey, the open continuation of Redis.
    #[default]
    Valkey,
    /// Redis, of which AWS has no versions later than 7.1.
    Redis,
}

/// The data that a cache begins with. It is read when the cache is made, and never after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restore {
    /// A snapshot of `ElastiCache`, by its name.
    Snapshot(String),
    /// Files of Redis (`.rdb`), by their ARNs in S3.
    Objects(Vec<String>),
}

impl CacheEngine {
    /// Returns `ElastiCache`'s word for it.
    pub fn of_elasticache(self) -> &'static str {
        match self {
            Self::Valkey => "valkey",
            Self::Redis => "redis",
        }
    }
}

impl Word for CacheEngine {
    const WORDS: &'static [(&'static str, Self)] = &[("valkey", Self::Valkey), ("redis", Self::Redis)];
}

impl Cache {
    /// Returns the engine with its major version, as `ElastiCache` names what parameters are for: `valkey8`.
    pub fn family(&self) -> String {
        format!("{}{}", self.engine.of_elasticache(), self.version.split('.').next().unwrap_or_default())
    }
}

/// Numbers of days for which `ElastiCache` keeps snapshots.
const SNAPSHOTS: &[u16] = &[
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
    31, 32, 33, 34, 35,
];
/// Shortest time of a daily snapshot, in minutes (`ElastiCache`'s reference, `CreateReplicationGroup`).
const SHORTEST_WINDOW: u32 = 60;
/// Version of Redis without another one: the last that AWS has.
const LAST_REDIS: &str = "7.1";
/// Version of Valkey without another one.
const VALKEY: &str = "8.2";
const VERSION: Form = Form { what: "a version such as `8.2`", pattern: "^[0-9]+\\.[0-9]+$" };
const NODE: Form =
    Form { what: "the type of a node, such as `cache.t4g.micro`", pattern: "^cache\\.[a-z0-9-]+\\.[a-z0-9-]+$" };
const SNAPSHOT: Form =
    Form { what: "the name of a snapshot of ElastiCache", pattern: "^[A-Za-z][A-Za-z0-9:.-]{0,254}$" };
const OBJECT: Form = Form {
    what: "the ARN of a file of Redis, such as `arn:PARTITION:s3:::BUCKET/KEY.rdb`",
    pattern: "^arn:[a-z-]+:s3:::[^/,]+/[^,]+\\.rdb$",
};

static RESTORE: Shape = Shape {
    name: "restore",
    keys: &[
        Field::new("snapshot", Holds::Text(SNAPSHOT), "A snapshot of ElastiCache, by its name."),
        Field::new("objects", Holds::List(&Holds::Text(OBJECT)), "Files of Redis (`.rdb`), by their ARNs in S3."),
    ],
};

pub(super) static SHAPE: Shape = Shape {
    name: "cache",
    keys: &[
        Field::new(
            "engine",
            Holds::Word(words::<CacheEngine>),
            "Engine. AWS brings Redis to Valkey in place, and none back.",
        )
        .or("valkey"),
        Field::new(
            "version",
            Holds::Text(VERSION),
            "Version; `7.1` where the engine is `redis`. None goes back. Another one restarts the nodes.",
        )
        .or(VALKEY),
        Field::new("node", Holds::Text(NODE), "Type of its nodes. Another one breaks connections for some seconds.")
            .or("cache.t4g.micro"),
        Field::new(
            "replicas",
            Holds::Number(0, 5),
            "Nodes beside the one that takes writes, each at the same price: one of them takes over when that fails.",
        )
        .or("0"),
        Field::new("port", Holds::Number(1, 65_535), "Port of TCP. Another one is another cache.").or("6379"),
        Field::new(
            "subnets",
            Holds::List(&Holds::Text(scalars::SUBNET)),
            "Subnets of one VPC, in two availability zones at least where there are replicas. Either these or `network` is required.",
        ),
        Field::new(
            "security_groups",
            security_group::GROUPS,
            "Its security groups: they let functions and servers in on its port.",
        )
        .required("[sg-0a1b2c3d]"),
        Field::new(
            "auth",
            Holds::Reference(Kind::Secret),
            "The secret with its password: 16 to 128 letters, digits and `! & # $ ^ < > -`.",
        )
        .required("token"),
        Field::new("snapshots", Holds::OneOfDays(SNAPSHOTS), "Days for which daily snapshots are kept; `0d` for none.")
            .or("7d"),
        Field::new(
            "snapshot_window",
            Holds::Text(database::WINDOW),
            "Time of the daily snapshot in UTC, an hour at least. Without it, AWS chooses one.",
        ),
        Field::new(
            "restore",
            Holds::Mapping(&RESTORE),
            "Data that it begins with, read when it is made and never after: `snapshot` or `objects`.",
        ),
        Field::new(
            "minor_upgrades",
            Holds::Switch,
            "Let AWS install corrections of the engine in its maintenance window.",
        )
        .or("true"),
        KMS_KEY,
        PROTECT_DATA,
        TAGS,
        network::NETWORK,
    ],
};

pub(super) fn read(reader: &mut Reader, key: &Key, node: &Node) -> Cache {
    let fields = &reader.fields(node, &key.span, format!("cache `{}`", key.name), &SHAPE);
    let engine = reader.word(fields, "engine");
    // One mistake is told once: of an unknown engine nobody knows the versions.
    let is_read = fields.get("version").is_some();
    let version = match engine {
        Some(CacheEngine::Redis) if is_read => reader.text(fields, "version", redis),
        Some(CacheEngine::Valkey) if is_read => reader.text(fields, "version", valkey),
        _ => None,
    };
    let default = if engine == Some(CacheEngine::Redis) { LAST_REDIS } else { VALKEY };
    let snapshots = reader.one_of_days(fields, "snapshots");
    let (network, subnets) = network::subnets(reader, fields);
    let cache = Cache {
        engine: engine.unwrap_or_default(),
        version: version.unwrap_or_else(|| default.to_owned()),
        node: reader.text(fields, "node", self::node).unwrap_or_default(),
        replicas: reader.number(fields, "replicas").unwrap_or_default(),
        port: reader.number(fields, "port").unwrap_or_default(),
        network,
        subnets,
        security_groups: security_group::groups(reader, fields, "security_groups"),
        auth: reader.reference(fields, "auth").unwrap_or_default(),
        snapshots: snapshots.unwrap_or_default(),
        snapshot_window: reader.text(fields, "snapshot_window", |text| database::window(text, SHORTEST_WINDOW)),
        restore: restore(reader, fields),
        minor_upgrades: reader.switch(fields, "minor_upgrades").unwrap_or(true),
        kms_key: reader.text(fields, "kms_key", scalars::kms_key),
        protect: protect(reader, fields),
        tags: tags(reader, fields),
    };
    diagnose_contradictions(reader, fields, &cache, snapshots);
    cache
}

/// Tells what the keys of a cache contradict each other in. `snapshots` are the days that it names; `None` if they are wrong.
fn diagnose_contradictions(reader: &mut Reader, fields: &Fields<'_>, cache: &Cache, snapshots: Option<u16>) {
    let subnets = network::key(fields);
    if fields.get(subnets).is_none() {
        let message = format!("{} has neither `network` nor `subnets`", fields.subject);
        let hint = "add `subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b]`, or a declared network";
        reader.diagnose(&fields.span, message, hint);
    }
    if cache.subnets.len() == 1 && cache.replicas > 0 {
        let message = "a replica takes over from another availability zone, and there is one subnet";
        reader.diagnose(&fields.span_of(subnets), message, "add a subnet in another availability zone");
    }
    if snapshots == Some(0) && cache.snapshot_window.is_some() {
        let message = "there is no snapshot, so that `snapshot_window` has no effect";
        reader.diagnose(&fields.span_of("snapshot_window"), message, "remove it, or write `snapshots: 7d`");
    }
}

fn restore(reader: &mut Reader, fields: &Fields<'_>) -> Option<Restore> {
    let span = fields.span_of("restore");
    let fields = &reader.mapping(fields, "restore")?;
    let snapshot = reader.text(fields, "snapshot", snapshot);
    let objects: Vec<String> = reader
        .items(fields, "objects", "arn:PARTITION:s3:::BUCKET/KEY.rdb")
        .iter()
        .filter_map(|item| reader.scalar(item, "objects", OBJECT.what, object))
        .collect();
    match (fields.get("snapshot").is_some(), fields.get("objects").is_some()) {
        (true, true) => {
            reader.diagnose(&span, "a cache begins with a snapshot or with files, not with both", "remove one of them");
        }
        (false, false) => {
            reader.diagnose(&span, "`restore` names no data", "write `restore: {snapshot: NAME}`, or remove it");
        }
        _ => {}
    }
    match snapshot {
        Some(name) => Some(Restore::Snapshot(name)),
        None => (!objects.is_empty()).then_some(Restore::Objects(objects)),
    }
}

fn numbers(text: &str) -> Option<[u32; 2]> {
    let numbers: Option<Vec<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
    numbers?.try_into().ok()
}

fn valkey(text: &str) -> Result<String, Wrong> {
    match numbers(text) {
        Some([major, minor]) if major > 7 || (major, minor) == (7, 2) => Ok(text.to_owned()),
        Some(_) => Err(Wrong::default().hint(format!("write `{VALKEY}`: Valkey begins with 7.2"))),
        None => Err(Wrong::default()),
    }
}

fn redis(text: &str) -> Result<String, Wrong> {
    match numbers(text) {
        Some([7, 0 | 1]) => Ok(text.to_owned()),
        Some([0..=6, _]) => Err(Wrong::default().hint(format!(
            "write `{LAST_REDIS}`: AWS no longer makes that version, or at a higher price from 2027-02 on"
        ))),
        Some(_) => Err(Wrong::default().hint(format!(
            "write `{LAST_REDIS}`, the last of Redis that AWS has, or `engine: valkey` with `{VALKEY}`"
        ))),
        None => Err(Wrong::default()),
    }
}

fn node(text: &str) -> Result<String, Wrong> {
    let parts: Vec<&str> = text.split('.').collect();
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    match parts[..] {
        ["cache", "t1" | "m1" | "m2" | "m3" | "c1" | "r3", _] => {
            Err(Wrong::default().hint("write `cache.t4g.micro`: AWS no longer makes nodes of that type"))
        }
        ["cache", family, _] if family.ends_with("gd") => Err(Wrong::default()
            .hint("write `cache.r7g.large`: nodes of that type keep data on disks, which is not offered here")),
        ["cache", family, size] if is_part(family) && is_part(size) => Ok(text.to_owned()),
        _ => Err(Wrong::default()),
    }
}

fn snapshot(text: &str) -> Result<String, Wrong> {
    let is_name = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":.-".contains(&byte));
    if is_name && text.len() <= 255 { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

fn object(text: &str) -> Result<String, Wrong> {
    let place = text.strip_prefix("arn:").and_then(|rest| rest.split_once(":s3:::")).map(|(_, place)| place);
    match place.and_then(|place| place.split_once('/')) {
        Some((bucket, key))
            if !bucket.is_empty()
                && key.rsplit_once('.').is_some_and(|(_, kind)| kind == "rdb")
                && !text.contains(',') =>
        {
            Ok(text.to_owned())
        }
        Some(_) => Err(Wrong::default().hint("the key of the file ends with `.rdb`, and has no comma")),
        None => Err(Wrong::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_would_refuse_is_refused_with_what_is_meant() {
        for (read, good, bad) in [
            (
                valkey as fn(&str) -> Result<String, Wrong>,
                &["7.2", "8.0", "8.2", "9.1"][..],
                &["5.0.0", "7.1", "6.2", "8", "x", ""][..],
            ),
            (redis, &["7.0", "7.1"], &["5.0.0", "5.0", "6.2", "7.2", "8.0", "7", ""]),
            (
                node,
                &["cache.t4g.micro", "cache.t2.micro", "cache.r7g.2xlarge"],
                &["cache.m3.large", "cache.r6gd.xlarge", "t4g.micro", "cache.t4g", "cache..micro", ""],
            ),
            (snapshot, &["orders-final-1", "automatic.orders-2026"], &["1a", "a/b", "a b", ""]),
            (
                object,
                &["arn:aws:s3:::seeds/a/b.rdb"],
                &[
                    "arn:aws:s3:::some_name",
                    "arn:aws:s3:::seeds/a,b.rdb",
                    "s3://seeds/a.rdb",
                    "arn:aws:s3:::seeds/a.txt",
                    "",
                ],
            ),
        ] {
            for text in good {
                assert_eq!(read(text).ok().as_deref(), Some(*text));
            }
            for text in bad {
                assert!(read(text).is_err(), "{text}");
            }
        }
    }

    #[test]
    fn the_family_is_engine_and_major_version() {
        for (engine, version, family) in [
            (CacheEngine::Valkey, "8.2", "valkey8"),
            (CacheEngine::Valkey, "7.2", "valkey7"),
            (CacheEngine::Redis, "7.1", "redis7"),
        ] {
            assert_eq!(Cache { engine, version: version.to_owned(), ..Cache::default() }.family(), family);
        }
    }
}
