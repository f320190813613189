//! The declaration as a whole: its sections in the order of their dependencies, and the keys that belong to no
//! section.

use std::collections::BTreeMap;

use super::{
    Declaration, Function, Network, NetworkPart, accept, alarms, api, bucket, cache, checks, cluster,
    configuration_set, database,
    diagnostic::Diagnostic,
    filter, function, moved, network,
    places::Places,
    queue,
    reader::{Fields, Reader},
    rule, scalars, secret, security_group, server,
    shape::{Field, Holds, Kind, Shape},
    table,
    tags::tags,
    topic,
    tree::{Key, Node, Value},
};

pub(super) static ROOT: Shape = Shape {
    name: "declaration",
    keys: &[
        Field::new("stack", Holds::Text(scalars::NAME), "Name of the stack. Every name in AWS begins with it.")
            .required("circuit-maintenance"),
        Field::new("region", Holds::Text(scalars::REGION), "AWS region of the stack.").required("eu-west-1"),
        Field::new("account", Holds::Text(scalars::ACCOUNT), "The only AWS account into which the stack may be deployed."),
        Field::new(
            "kms_key",
            Holds::Text(scalars::KMS_KEY),
            "KMS key that encrypts every bucket, queue, topic, secret, log group and function's environment. Without it, a key that is there stays.",
        ),
        Field::new(
            "permissions_boundary",
            Holds::Text(scalars::BOUNDARY),
            "Managed policy that limits every role of the stack. Without it, a boundary that is there stays.",
        ),
        Field::new(
            "tags",
            Holds::Chosen(scalars::TAG, &Holds::Text(scalars::TAG_VALUE)),
            "Tags of every resource of the stack that takes tags.",
        ),
        Field::new(
            "take_over",
            Holds::Switch,
            "Make the stack's own receipt rule set active even if another one is. Otherwise its rules join the active set.",
        )
        .or("false"),
        Field::new("buckets", Holds::Entries(&bucket::SHAPE), "S3 buckets: always private, encrypted and TLS only."),
        Field::new("functions", Holds::Entries(&function::SHAPE), "Lambda functions."),
        Field::new("queues", Holds::Entries(&queue::SHAPE), "SQS queues: always encrypted."),
        Field::new("topics", Holds::Entries(&topic::SHAPE), "SNS topics."),
        Field::new("apis", Holds::Entries(&api::SHAPE), "HTTP APIs of API Gateway, for webhooks."),
        Field::new("secrets", Holds::Entries(&secret::SHAPE), "Secrets in Secrets Manager. The declaration never contains their values."),
        Field::new("receipt_rules", Holds::List(&Holds::Mapping(&rule::SHAPE)), "SES receipt rules, in the order in which SES evaluates them."),
        Field::new(
            "receipt_filters",
            Holds::List(&Holds::Mapping(&filter::SHAPE)),
            "SES receipt IP address filters, for all mail of the account in the region: asked before any rule. `allow` overrides `block`.",
        ),
        Field::new(
            "alarms",
            Holds::Mapping(&alarms::SHAPE),
            "CloudWatch alarms. Every function and failure queue has them by default.",
        ),
        Field::new(
            "configuration_sets",
            Holds::Entries(&configuration_set::SHAPE),
            "SES configuration sets: settings of the mails that are sent with one, and topics that hear of their events.",
        ),
        Field::new(
            "identities",
            Holds::Chosen(scalars::SENDER, &Holds::Mapping(&configuration_set::IDENTITY)),
            "Verified identities of SES, which are not the stack's: topics that hear of bounces, complaints and deliveries.",
        ),
        Field::new("tables", Holds::Entries(&table::SHAPE), "DynamoDB tables: on demand, always encrypted."),
        Field::new("clusters", Holds::Entries(&cluster::SHAPE), "Clusters of Kafka on MSK, with IAM and TLS alone, and their topics."),
        Field::new(
            "databases",
            Holds::Entries(&database::SHAPE),
            "MySQL databases on RDS: private, encrypted, over TLS, with a password that AWS keeps.",
        ),
        Field::new("networks", Holds::Entries(&network::SHAPE), "Networks: virtual private clouds, with a public and a private subnet in each zone."),
        Field::new(
            "security_groups",
            Holds::Entries(&security_group::SHAPE),
            "Security groups: rules for the traffic of their members. A group has the rules that are declared, and no others.",
        ),
        Field::new(
            "caches",
            Holds::Entries(&cache::SHAPE),
            "Caches of Valkey or Redis on ElastiCache: private, encrypted, over TLS, with a password from a secret.",
        ),
        Field::new(
            "servers",
            Holds::Entries(&server::SHAPE),
            "Servers on EC2, each with a role of its own: encrypted, with tokens for their metadata, and reached as their groups say.",
        ),
        moved::MOVED,
        accept::ACCEPT,
        Field::new("stages", Holds::Stages, "Overrides by stage, merged key by key: a list replaces, `null` removes."),
    ],
};

/// Reads a whole declaration; it must not be used if there are diagnostics.
pub(super) fn declaration(root: &Node) -> (Declaration, Vec<Diagnostic>) {
    let mut reader = Reader::new(Kind::ALL.into_iter().map(|kind| (kind, names(root, kind.section()))).collect());
    let reader = &mut reader;
    let fields = &reader.fields(root, &(0..0), "the declaration", &ROOT);
    // What is in networks names them, and so their subnets.
    let networks = section(reader, fields, Kind::Network, network::read);
    reader.private_subnets = networks.iter().filter_map(private_subnets).collect();
    let functions: BTreeMap<String, Function> = section(reader, fields, Kind::Function, function::read);
    let buckets = section(reader, fields, Kind::Bucket, bucket::read);
    let secrets = secrets(reader, fields);
    let clusters = section(reader, fields, Kind::Cluster, cluster::read);
    let moved = moved::read(reader, fields);
    let declaration = Declaration {
        stack: reader.text(fields, "stack", scalars::name).unwrap_or_default(),
        stage: None,
        region: reader.text(fields, "region", scalars::region).unwrap_or_default(),
        account: reader.text(fields, "account", scalars::account),
        kms_key: reader.text(fields, "kms_key", scalars::kms_key),
        permissions_boundary: reader.text(fields, "permissions_boundary", scalars::boundary),
        tags: tags(reader, fields),
        take_over: reader.switch(fields, "take_over").unwrap_or_default(),
        moved: moved::of_the_stack(reader, moved, &buckets, &secrets, &clusters, &networks),
        tables: section(reader, fields, Kind::Table, table::read),
        clusters,
        databases: section(reader, fields, Kind::Database, database::read),
        caches: section(reader, fields, Kind::Cache, cache::read),
        networks,
        security_groups: section(reader, fields, Kind::SecurityGroup, security_group::read),
        servers: section(reader, fields, Kind::Server, server::read),
        configuration_sets: section(reader, fields, Kind::ConfigurationSet, configuration_set::read),
        identities: configuration_set::identities(reader, fields),
        accepted: accept::read(reader, fields),
        buckets,
        queues: section(reader, fields, Kind::Queue, queue::read),
        topics: section(reader, fields, Kind::Topic, topic::read),
        apis: section(reader, fields, Kind::Api, api::read),
        secrets,
        alarms: alarms::read(reader, fields),
        receipt_rules: rule::read(reader, fields, &functions),
        receipt_filters: filter::read(reader, fields),
        places: Places::default(),
        functions,
    };
    checks::whole(reader, root, &declaration);
    (declaration, std::mem::take(reader).finish())
}

/// Returns the private subnets of a network; `None` for one of ours that has none.
fn private_subnets((entry, network): (&String, &Network)) -> Option<(String, Vec<NetworkPart>)> {
    let subnets = network.parts(entry, network::Tier::Private);
    (network.existing().is_some() || !subnets.is_empty()).then(|| (entry.clone(), subnets))
}

fn secrets(reader: &mut Reader, fields: &Fields<'_>) -> BTreeMap<String, super::Secret> {
    reader.conceal(true);
    let secrets = section(reader, fields, Kind::Secret, secret::read);
    reader.conceal(false);
    secrets
}

impl Declaration {
    /// Returns the names of the entries of a section, in their order; none for a section without named entries.
    ///
    /// ```
    /// # use std::path::Path;
    /// use declaration::Declaration;
    ///
    /// let source = b"stack: mail\nregion: eu-west-1\nqueues: {failed: {}, inbox: {}}\n";
    /// let checked = Declaration::parse(Path::new("infra.yaml"), source, None)?;
    /// assert_eq!(checked.declarations[0].entries("queues"), ["failed", "inbox"]);
    /// # Ok::<(), declaration::DeclarationError>(())
    /// ```
    pub fn entries(&self, section: &str) -> Vec<&str> {
        let kind = Kind::ALL.into_iter().find(|kind| kind.section() == section);
        let names: Vec<&String> = match kind {
            Some(Kind::Bucket) => self.buckets.keys().collect(),
            Some(Kind::Function) => self.functions.keys().collect(),
            Some(Kind::Queue) => self.queues.keys().collect(),
            Some(Kind::Topic) => self.topics.keys().collect(),
            Some(Kind::Api) => self.apis.keys().collect(),
            Some(Kind::Secret) => self.secrets.keys().collect(),
            Some(Kind::Table) => self.tables.keys().collect(),
            Some(Kind::Cluster) => self.clusters.keys().collect(),
            Some(Kind::Network) => self.networks.keys().collect(),
            Some(Kind::SecurityGroup) => self.security_groups.keys().collect(),
            Some(Kind::Server) => self.servers.keys().collect(),
            Some(Kind::ConfigurationSet) => self.configuration_sets.keys().collect(),
            Some(Kind::Database) => self.databases.keys().collect(),
            Some(Kind::Cache) => self.caches.keys().collect(),
            None => Vec::new(),
        };
        names.into_iter().map(String::as_str).collect()
    }
}

/// Returns the names of the sections with named entries.
pub fn sections() -> Vec<&'static str> {
    Kind::ALL.into_iter().map(Kind::section).collect()
}

/// Returns the names of a section's entries.
fn names(root: &Node, section: &str) -> Vec<String> {
    let Value::Map(entries) = &root.value else { return Vec::new() };
    match entries.iter().find(|(key, _)| key.name == section).map(|(_, node)| &node.value) {
        Some(Value::Map(entries)) => entries.iter().map(|(key, _)| key.name.clone()).collect(),
        _ => Vec::new(),
    }
}

/// Reads a section of named entries, each with `read`.
fn section<T>(
    reader: &mut Reader,
    fields: &Fields<'_>,
    kind: Kind,
    read: impl Fn(&mut Reader, &Key, &Node) -> T,
) -> BTreeMap<String, T> {
    let mut section = BTreeMap::new();
    for (key, node) in reader.chosen(fields, kind.section()) {
        if let Err(wrong) = scalars::name(&key.name) {
            let expected = wrong.expected.unwrap_or_default();
            let message = format!("the name of {} must be {expected}, not `{}`", kind.one(), key.name.escape_debug());
            let diagnostic = Diagnostic::new(key.span.clone(), message);
            reader.report(match wrong.hint {
                Some(hint) => diagnostic.with_hint(hint),
                None => diagnostic,
            });
        }
        section.insert(key.name.clone(), read(reader, key, node));
    }
    section
}
