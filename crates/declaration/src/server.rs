//! `servers`: machines on EC2, each with a role of its own, an encrypted disk, and nobody let in unasked.

use std::{collections::BTreeMap, ops::Range};

use super::{
    Declaration, Place,
    bucket::{PLACES, places},
    network::{NetworkPart, Tier},
    protection::{KMS_KEY, PROTECT_DATA, protect},
    reader::{Fields, Reader, Wrong},
    scalars, security_group,
    shape::{Field, Form, Holds, Kind, Shape},
    tags::{TAGS, tags},
    tree::{Key, Node, span_of},
};

/// A server of EC2 in a network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Server {
    /// Network that it is in, by entry.
    pub network: String,
    /// Zone of the network, from 1.
    pub zone: usize,
    /// Security groups of the server.
    pub security_groups: Vec<NetworkPart>,
    /// Type of the machine, as `t3.micro`.
    pub machine: String,
    /// Image that it is made from: its id, or the public parameter that names the newest one.
    pub image: String,
    /// Its own disk, in GiB.
    pub disk: u32,
    /// Disk for data; `None` if it has none.
    pub volume: Option<DataDisk>,
    /// Public address, or none in a private subnet.
    pub address: PublicAddress,
    /// Name of the key pair whose holders may sign in over SSH; `None` for Session Manager alone.
    pub key: Option<String>,
    /// Topic that hears of everybody who signs in over SSH, by entry; `None` for none.
    pub login_alerts: Option<String>,
    /// Queues that it may take messages from, by entry.
    pub receives: Vec<String>,
    /// Queues that it may send to, by entry.
    pub sends: Vec<String>,
    /// Topics that it may publish to, by entry.
    pub publishes: Vec<String>,
    /// Objects that it may read.
    pub reads: Vec<Place>,
    /// Places where it may write objects.
    pub writes: Vec<Place>,
    /// Databases that it may sign in to, by entry.
    pub databases: Vec<String>,
    /// Function that it runs as a worker, by entry; `None` for none.
    pub runs: Option<String>,
    /// `true` if AWS refuses to delete it.
    pub deletion_protection: bool,
    /// ARN of the KMS key of its disk for data; `None` is that of the stack.
    pub kms_key: Option<String>,
    /// `true` to delete or replace its disk for data only by name, `false` to protect it no longer; `None` leaves that to the kind.
    pub protect: Option<bool>,
    /// Tags of the server and its disk; they override the stack's.
    pub tags: BTreeMap<String, String>,
}

/// The public address of a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PublicAddress {
    /// None: it is in a private subnet.
    #[default]
    None,
    /// The stack's own: it stays when the server is replaced.
    Own,
    /// One that exists, by the id of its allocation.
    Existing(String),
}

/// A disk for data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDisk {
    /// Size of the disk, in GiB.
    pub size: u32,
    /// Folder at which it is mounted.
    pub mount: String,
}

impl Server {
    /// Returns the tier of the subnet that it is in: one with a public address is in a public one.
    pub fn tier(&self) -> Tier {
        if self.address == PublicAddress::None { Tier::Private } else { Tier::Public }
    }

    /// Returns the processor of its type in the words of images: `x86_64` or `arm64`.
    pub fn architecture(&self) -> &'static str {
        if has_graviton(&self.machine) { OF_GRAVITON } else { OF_OTHERS }
    }
}

/// The newest image of Amazon Linux 2023 for Intel and AMD. Source: "Calling public parameters for AMIs in Parameter Store".
const IMAGE: &str = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
/// The parameter of the same image for Graviton ends so.
const OF_GRAVITON: &str = "arm64";
const OF_OTHERS: &str = "x86_64";
const IMAGE_FORM: Form = Form {
    what: "the id of an image, or a public parameter of AWS that names one",
    pattern: "^(ami-[0-9a-f]+|/aws/service/[A-Za-z0-9._/-]+)$",
};
const MACHINE: Form =
    Form { what: "the type of a machine, such as `t3.micro`", pattern: "^[a-z][a-z0-9-]*\\.[a-z0-9-]+$" };
const ADDRESS: Form = Form {
    what: "`none`, `new`, or the id of an address such as `eipalloc-0a1b2c3d`",
    pattern: "^(none|new|eipalloc-[0-9a-f]+)$",
};
const KEY: Form = Form { what: "the name of a key pair", pattern: "^[ -~]{1,255}$" };
const MOUNT: Form =
    Form { what: "a folder of its own, such as `/data` or `/srv/mails`", pattern: "^(/[a-z0-9][a-z0-9_-]*)+$" };
/// Folders that are the system's.
const TAKEN: &[&str] = &[
    "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys", "/tmp",
    "/usr", "/var",
];

pub(super) static SHAPE: Shape = Shape {
    name: "server",
    keys: &[
        Field::new("network", Holds::Reference(Kind::Network), "Network that it is in.").required("main"),
        Field::new("zone", Holds::Number(1, 6), "Zone of the network, from 1. Another zone is another server.").or("1"),
        Field::new("security_groups", security_group::GROUPS, "Its security groups: who may reach it, and whom it may.")
            .required("[web]"),
        Field::new(
            "type",
            Holds::Text(MACHINE),
            "Type of the machine. Another one stops it for some minutes.",
        )
        .or("t3.micro"),
        Field::new(
            "image",
            Holds::Text(IMAGE_FORM),
            "Image that it is made from, of Amazon Linux: its id, or a parameter that names the newest one. It counts only when the server is made. Without it, the newest Amazon Linux 2023.",
        ),
        Field::new("disk", Holds::Number(8, 16_384), "Its own disk, in GiB, always encrypted. It counts only when the server is made.")
            .or("8"),
        Field::new("volume", Holds::Mapping(&VOLUME), "Encrypted disk for data: it stays when the server is replaced."),
        Field::new(
            "address",
            Holds::Text(ADDRESS),
            "Public address: `none` (it is in a private subnet), `new` (the stack's own), or the id of one that exists.",
        )
        .or("none"),
        Field::new(
            "key",
            Holds::Text(KEY),
            "Key pair whose holders may sign in over SSH, as far as its groups let them in. Without it, Session Manager alone.",
        ),
        Field::new(
            "login_alerts",
            Holds::Reference(Kind::Topic),
            "Topic that hears of everybody who signs in over SSH: who, from where, and when.",
        ),
        Field::new("receives", Holds::List(&Holds::Reference(Kind::Queue)), "Queues that it may take messages from."),
        Field::new("sends", Holds::List(&Holds::Reference(Kind::Queue)), "Queues that it may send to."),
        Field::new("publishes", Holds::List(&Holds::Reference(Kind::Topic)), "Topics that it may publish to."),
        Field::new("reads", PLACES, "Objects that it may read."),
        Field::new("writes", PLACES, "Places where it may write objects."),
        Field::new("databases", Holds::List(&Holds::Reference(Kind::Database)), "Databases that it may sign in to."),
        Field::new(
            "runs",
            Holds::Reference(Kind::Function),
            "Function that it runs as a worker in place of Lambda: with the function's rights, from the queue that the function `consumes`.",
        ),
        Field::new("deletion_protection", Holds::Switch, "Let AWS refuse every attempt to delete it.").or("false"),
        KMS_KEY,
        PROTECT_DATA,
        TAGS,
    ],
};

static VOLUME: Shape = Shape {
    name: "data_disk",
    keys: &[
        Field::new("size", Holds::Number(1, 16_384), "Size, in GiB. It never shrinks.").or("10"),
        Field::new("mount", Holds::Text(MOUNT), "Folder at which it is mounted.").or("/data"),
    ],
};

pub(super) fn read(reader: &mut Reader, key: &Key, node: &Node) -> Server {
    let fields = &reader.fields(node, &key.span, format!("server `{}`", key.name), &SHAPE);
    let machine = reader.text(fields, "type", machine).unwrap_or_default();
    let server = Server {
        network: reader.reference(fields, "network").unwrap_or_default(),
        zone: reader.number::<u16>(fields, "zone").map_or(1, usize::from),
        security_groups: security_group::groups(reader, fields, "security_groups"),
        image: reader.text(fields, "image", image).unwrap_or_else(|| newest(&machine)),
        machine,
        disk: reader.number(fields, "disk").unwrap_or_default(),
        volume: volume(reader, fields),
        address: reader.text(fields, "address", address).unwrap_or_default(),
        key: reader.text(fields, "key", pair),
        login_alerts: reader.reference(fields, "login_alerts"),
        receives: reader.references(fields, "receives"),
        sends: reader.references(fields, "sends"),
        publishes: reader.references(fields, "publishes"),
        reads: places(reader, fields, "reads"),
        writes: places(reader, fields, "writes"),
        databases: reader.references(fields, "databases"),
        runs: reader.reference(fields, "runs"),
        deletion_protection: reader.switch(fields, "deletion_protection").unwrap_or_default(),
        kms_key: reader.text(fields, "kms_key", scalars::kms_key),
        protect: protect(reader, fields),
        tags: tags(reader, fields),
    };
    contradictions(reader, fields, &server);
    server
}

fn volume(reader: &mut Reader, fields: &Fields<'_>) -> Option<DataDisk> {
    let fields = &reader.mapping(fields, "volume")?;
    let size = reader.number(fields, "size").unwrap_or_default();
    Some(DataDisk { size, mount: reader.text(fields, "mount", mount).unwrap_or_default() })
}

/// Tells what has no effect, or not the one that is meant.
fn contradictions(reader: &mut Reader, fields: &Fields<'_>, server: &Server) {
    if server.volume.is_none() {
        for name in ["kms_key", "protect"] {
            if let Some((key, _)) = fields.entry(name) {
                let message = format!("`{name}` is for the disk for data, and there is no `volume`");
                reader.diagnose(&key.span, message, "remove it, or add `volume: {}`");
            }
        }
    }
    if server.login_alerts.is_some() && server.key.is_none() {
        let message = "nobody signs in over SSH without a `key`, so that `login_alerts` has no effect";
        reader.diagnose(&fields.span_of("login_alerts"), message, "add `key`, or remove it");
    }
    if fields.get("image").is_some() && server.image.starts_with('/') && !server.machine.is_empty() {
        let is_graviton = server.image.ends_with(OF_GRAVITON);
        if is_graviton != has_graviton(&server.machine) {
            let message = format!("`{}` does not run on `{}`: their processors differ", server.image, server.machine);
            reader.diagnose(&fields.span_of("image"), message, format!("write `{}`", newest(&server.machine)));
        }
    }
}

/// Returns `true` for machines with AWS's own processors: their families have a `g` behind the generation, as `t4g` and `m7gd`.
fn has_graviton(machine: &str) -> bool {
    let family = machine.split('.').next().unwrap_or_default();
    let behind = family
        .trim_start_matches(|one: char| one.is_ascii_alphabetic())
        .trim_start_matches(|one: char| one.is_ascii_digit());
    behind.starts_with('g') || family == "a1"
}

/// Returns the parameter of the newest image for a machine.
fn newest(machine: &str) -> String {
    if has_graviton(machine) { IMAGE.replace(OF_OTHERS, OF_GRAVITON) } else { IMAGE.to_owned() }
}

fn machine(text: &str) -> Result<String, Wrong> {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    match text.split_once('.') {
        Some(("t1" | "m1" | "m2" | "c1", _)) => {
            Err(Wrong::default().hint("write `t3.micro`: AWS no longer makes machines of that type"))
        }
        Some((family, size)) if is_part(family) && is_part(size) => Ok(text.to_owned()),
        _ => Err(Wrong::default()),
    }
}

fn image(text: &str) -> Result<String, Wrong> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
    if text.strip_prefix("/aws/service/").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_part)) {
        return Ok(text.to_owned());
    }
    scalars::id(text, "ami")
}

fn address(text: &str) -> Result<PublicAddress, Wrong> {
    match text {
        "none" => Ok(PublicAddress::None),
        "new" => Ok(PublicAddress::Own),
        other if other.starts_with("eip-") => {
            Err(Wrong::default().hint("name the id of its allocation: `aws ec2 describe-addresses` tells it"))
        }
        other => scalars::id(other, "eipalloc").map(PublicAddress::Existing),
    }
}

fn pair(text: &str) -> Result<String, Wrong> {
    let is_sound = (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if is_sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

fn mount(text: &str) -> Result<String, Wrong> {
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
    };
    if TAKEN.contains(&text) {
        return Err(Wrong::default().hint(format!("`{text}` is the system's: write `/data`")));
    }
    if text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_part)) {
        Ok(text.to_owned())
    } else {
        Err(Wrong::default())
    }
}

/// Checks that servers are in zones that their networks have, in groups of theirs, and have addresses of their own.
pub(super) fn check(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    let mut addresses: BTreeMap<&str, &str> = BTreeMap::new();
    for (entry, server) in &declaration.servers {
        let place = |key: &str| -> Range<usize> { span_of(root, &["servers", entry, key]) };
        if let Some(network) = declaration.networks.get(&server.network) {
            let subnets = network.parts(&server.network, server.tier());
            // A network of the stack's own without any is told where it is declared.
            let is_told = subnets.is_empty() && network.existing().is_none();
            if !is_told && server.zone > subnets.len() {
                let (tier, network) = (server.tier().word(), &server.network);
                let message = format!(
                    "network `{network}` has {} {tier} subnets, and server `{entry}` is in zone {}",
                    subnets.len(),
                    server.zone
                );
                let hint = if subnets.is_empty() {
                    format!("name them at the network: `{tier}: [subnet-0a1b2c3d]`")
                } else {
                    format!("write `zone: {}`, or give the network more", subnets.len())
                };
                reader.diagnose(&place("network"), message, hint);
            }
        }
        let what = format!("server `{entry}`");
        let network = Some(&server.network);
        security_group::check_placed(
            reader,
            declaration,
            (&what, place("security_groups")),
            network,
            &server.security_groups,
        );
        if let PublicAddress::Existing(id) = &server.address
            && let Some(other) = addresses.insert(id, entry)
        {
            let message = format!("server `{other}` has the address `{id}` already");
            reader.diagnose(&place("address"), message, "write `new`, or the id of another one");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ec2_would_refuse_is_refused_with_what_is_meant() {
        for (good, bad) in [("t3.micro", "t1.micro"), ("m7gd.2xlarge", "micro"), ("u-6tb1.metal", "T3.micro")] {
            assert!(machine(good).is_ok() && machine(bad).is_err(), "{good} {bad}");
        }
        for (good, bad) in [("ami-0a1b2c3d", "ami-"), (IMAGE, "/etc/passwd"), (IMAGE, "/aws/service/")] {
            assert!(image(good).is_ok() && image(bad).is_err(), "{good} {bad}");
        }
        for (good, bad) in [("none", "no"), ("new", "eip-0a1b2c3d"), ("eipalloc-0a1b2c3d", "203.0.113.7")] {
            assert!(address(good).is_ok() && address(bad).is_err(), "{good} {bad}");
        }
        for (good, bad) in [("/data", "data"), ("/srv/mails", "/etc"), ("/d", "/"), ("/a-b", "/a b"), ("/a", "/../a")] {
            assert!(mount(good).is_ok() && mount(bad).is_err(), "{good} {bad}");
        }
    }

    #[test]
    fn an_image_is_for_the_processor_of_its_machine() {
        for (machine, graviton) in [
            ("t3.micro", false),
            ("t4g.nano", true),
            ("m7gd.large", true),
            ("g5.xlarge", false),
            ("g5g.xlarge", true),
            ("a1.large", true),
            ("c7i.large", false),
        ] {
            assert_eq!(has_graviton(machine), graviton, "{machine}");
            assert_eq!(newest(machine).ends_with(OF_GRAVITON), graviton, "{machine}");
        }
    }
}
