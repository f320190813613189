//! The policy of each function's role: exactly what its declaration refers to.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::repeat,
};

use super::{Blueprint, function::secrets_of, with_ids};
use crate::Names;
use aws::{
    ArnForm,
    policy::{Policy, Statement},
};
use declaration::{Function, Place, SecretReference, SecretSource, Server};
use kinds::{Kind, iam::role, s3::artifacts};

/// Actions without resource level: there is no ARN that could limit them.
const WITHOUT_RESOURCE: &[&str] = &[
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
];

/// Calls that write objects; an upload in parts that fails is aborted.
const WRITING: &[&str] = &["s3:AbortMultipartUpload", "s3:PutObject"];
/// Calls by which Lambda takes messages of a queue for a function, with the rights of its role, and by which the function itself
/// lets one wait for as long as a server asks for.
const RECEIVING: &[&str] =
    &["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];

/// Calls on a cluster and on a topic of it by which a function writes messages, each once however often it tries.
const CONNECTING: &[&str] = &["kafka-cluster:Connect", "kafka-cluster:WriteDataIdempotently"];
const WRITING_TO_TOPIC: &[&str] = &["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"];
/// Call on a cluster of whoever does not write there.
const REACHING: &[&str] = &["kafka-cluster:Connect"];
/// Calls on a topic by which it is made and gets more partitions. None of them deletes it or changes its settings.
const CREATING: &[&str] = &["kafka-cluster:AlterTopic", "kafka-cluster:CreateTopic", "kafka-cluster:DescribeTopic"];
/// Calls on a topic by which a reader that belongs to no group reads it.
pub(crate) const FOLLOWING: &[&str] = &["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"];

/// The secrets of databases: RDS chooses what is behind the beginning of their names.
pub(crate) const SECRET_OF_DATABASE: ArnForm = ArnForm("secretsmanager:{region}:{account}:secret:rds!db-{name}");
/// The tag of such a secret that names its database, which nobody but RDS can write (RDS's guide, "Password management with RDS and
/// Secrets Manager").
const TAG_OF_DATABASE: &str = "secretsmanager:ResourceTag/aws:rds:primaryDBInstanceArn";

/// Returns the right to the passwords of databases, by their entries, and of no other database of the account; `None` for none.
pub(crate) fn passwords(names: &Names, databases: &[String]) -> Option<Statement> {
    let databases: Vec<String> = databases.iter().map(|database| names.arn(Kind::Database, database)).collect();
    let secrets = names.realm().arn(SECRET_OF_DATABASE, "", "*").into();
    let of_ours = Statement::allow(&["secretsmanager:GetSecretValue"], [secrets]);
    (!databases.is_empty()).then(|| of_ours.when("StringEquals", TAG_OF_DATABASE, databases))
}

/// Returns the policy that lets Lambda assume a function's role.
pub(super) fn trust() -> Policy {
    let statement = Statement::allow(&["sts:AssumeRole"], []).for_service("lambda.amazonaws.com");
    Policy::new([(role::TRUST.to_owned(), statement)])
}

/// Returns the policy that lets servers assume a role.
pub(super) fn trust_of_servers() -> Policy {
    let statement = Statement::allow(&["sts:AssumeRole"], []).for_service("ec2.amazonaws.com");
    Policy::new([(role::TRUST_OF_SERVERS.to_owned(), statement)])
}

/// Calls by which Session Manager reaches a server; none has a resource level. Source: AWS's managed policy
/// `AmazonSSMManagedInstanceCore`, without its rights to parameters, associations and inventories.
const SESSIONS: &[&str] = &[
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
];

/// Returns the policies of a server's role.
pub(super) fn of_server(blueprint: &Blueprint<'_>, server: &Server) -> BTreeMap<String, Policy> {
    let names = blueprint.names();
    let queues = |queues: &[String]| queues.iter().map(|queue| names.arn(Kind::Queue, queue)).collect::<Vec<_>>();
    let topics = server.publishes.iter().chain(&server.login_alerts).map(|topic| names.arn(Kind::Topic, topic));
    let mut statements = vec![
        ("GetObjects", Statement::allow(&["s3:GetObject"], objects(blueprint, &server.reads))),
        ("PutObjects", Statement::allow(WRITING, objects(blueprint, &server.writes))),
        ("SendMessages", Statement::allow(&["sqs:SendMessage"], queues(&server.sends))),
        ("ReceiveMessages", Statement::allow(RECEIVING, queues(&server.receives))),
        ("PublishMessages", Statement::allow(&["sns:Publish"], topics)),
        ("OpenSessions", Statement::allow(SESSIONS, ["*".to_owned()])),
    ];
    statements.extend(passwords(names, &server.databases).map(|statement| ("ReadPasswords", statement)));
    let used = Uses {
        reads: &server.reads,
        writes: &server.writes,
        sends: server.sends.iter().collect(),
        receives: server.receives.iter().collect(),
        publishes: server.publishes.iter().chain(&server.login_alerts).collect(),
    };
    let mut keys = Keys(Vec::new());
    keys.add_used(blueprint, &used);
    statements.push(("DecryptByKeys", keys.statement(blueprint, "kms:Decrypt", |_| true)));
    statements.push(("EncryptByKeys", keys.statement(blueprint, "kms:GenerateDataKey", |used| used.is_written)));
    if let Some((entry, function)) =
        server.runs.as_ref().and_then(|entry| blueprint.declaration.functions.get_key_value(entry))
    {
        statements.push(("FetchWorker", Statement::allow(&["s3:GetObject"], [workers(names)])));
        statements.extend(of_function(blueprint, entry, function));
    }
    policies_of(statements)
}

/// Returns the ARN of everything that servers run, in the bucket for artefacts.
fn workers(names: &Names) -> String {
    format!("{}/{}*", names.arn_of(Kind::Bucket, &names.artifacts()), artifacts::WORKERS)
}

/// Returns the policies of a role with those statements that are about something.
fn policies_of(statements: Vec<(&'static str, Statement)>) -> BTreeMap<String, Policy> {
    let needed = statements.into_iter().filter(|(_, statement)| !statement.resources.is_empty());
    let policy = Policy::new(with_ids(needed.map(|(id, statement)| (id.to_owned(), statement))));
    BTreeMap::from([(role::POLICY.to_owned(), policy)])
}

/// Returns the policies of a function's role.
pub(super) fn policies(blueprint: &Blueprint<'_>, entry: &str, function: &Function) -> BTreeMap<String, Policy> {
    policies_of(of_function(blueprint, entry, function))
}

/// Returns the statements about what a function uses, whoever runs it.
fn of_function(blueprint: &Blueprint<'_>, entry: &str, function: &Function) -> Vec<(&'static str, Statement)> {
    let names = blueprint.names();
    let mut statements = vec![(
        "WriteLog",
        Statement::allow(
            &["logs:CreateLogStream", "logs:PutLogEvents"],
            [format!("{}:*", names.arn(Kind::LogGroup, entry))],
        ),
    )];
    for (id, actions, places) in [
        ("GetObjects", &["s3:GetObject"][..], &function.reads),
        ("PutObjects", WRITING, &function.writes),
        ("DeleteObjects", &["s3:DeleteObject"], &function.deletes),
    ] {
        statements.push((id, Statement::allow(actions, objects(blueprint, places))));
    }
    let mut queues: Vec<String> = function.sends.iter().map(|queue| names.arn(Kind::Queue, queue)).collect();
    queues.extend(function.on_failure.iter().map(|queue| names.arn(Kind::Queue, queue)));
    statements.push(("SendMessages", Statement::allow(&["sqs:SendMessage"], queues)));
    let consumed = function.consumes.iter().map(|consumes| names.arn(Kind::Queue, &consumes.queue));
    statements.push(("ReceiveMessages", Statement::allow(RECEIVING, consumed)));
    let topics = function.publishes.iter().map(|topic| names.arn(Kind::Topic, topic));
    statements.push(("PublishMessages", Statement::allow(&["sns:Publish"], topics)));
    let tables = function.queries.iter().map(|table| names.arn(Kind::Table, table));
    statements.push(("QueryTables", Statement::allow(&["dynamodb:Query"], tables)));
    statements.extend(of_kafka(blueprint, function));
    statements.extend(passwords(names, &function.databases).map(|statement| ("ReadPasswords", statement)));
    let secrets = secrets_of(blueprint.declaration, function);
    let secrets = secrets.iter().map(|secret| secret_arn(blueprint, secret));
    statements.push(("ReadSecrets", Statement::allow(&["secretsmanager:GetSecretValue"], secrets)));
    let keys = Keys::of(blueprint, entry, function);
    statements.push(("DecryptByKeys", keys.statement(blueprint, "kms:Decrypt", |_| true)));
    statements.push(("EncryptByKeys", keys.statement(blueprint, "kms:GenerateDataKey", |used| used.is_written)));
    if function.vpc.is_some() {
        statements.push(("UseNetwork", Statement::allow(WITHOUT_RESOURCE, ["*".to_owned()])));
    }
    statements
}

/// Returns the statements about clusters of Kafka and their topics.
fn of_kafka(blueprint: &Blueprint<'_>, function: &Function) -> [(&'static str, Statement); 5] {
    let names = blueprint.names();
    let of = |keys: &[&str]| -> Vec<(&str, &str)> {
        let topics = function.topics_of_kafka().filter(|(key, _)| keys.contains(key));
        topics.filter_map(|(_, topic)| topic.split_once('/')).collect()
    };
    let clusters = |keys: &[&str]| -> Vec<String> {
        let each: BTreeSet<&str> = of(keys).into_iter().map(|(cluster, _)| cluster).collect();
        each.into_iter().map(|cluster| names.cluster_arn(cluster)).collect()
    };
    let topics = |key: &str| -> Vec<String> {
        of(&[key]).into_iter().map(|(cluster, topic)| names.kafka_topic_arn(cluster, topic)).collect()
    };
    [
        ("ConnectClusters", Statement::allow(CONNECTING, clusters(&["produces"]))),
        ("WriteTopics", Statement::allow(WRITING_TO_TOPIC, topics("produces"))),
        ("ReachClusters", Statement::allow(REACHING, clusters(&["creates", "follows"]))),
        ("CreateTopics", Statement::allow(CREATING, topics("creates"))),
        ("ReadTopics", Statement::allow(FOLLOWING, topics("follows"))),
    ]
}

/// A key, and what a function uses it for.
struct Used {
    key: String,
    /// Service that uses the key in the function's name.
    service: &'static str,
    /// `true` if the function writes what is encrypted by it.
    is_written: bool,
}

/// The keys of all that a function or a server uses.
struct Keys(Vec<Used>);

/// The uses that functions and servers have alike.
struct Uses<'uses> {
    reads: &'uses [Place],
    writes: &'uses [Place],
    sends: Vec<&'uses String>,
    receives: Vec<&'uses String>,
    publishes: Vec<&'uses String>,
}

impl Keys {
    fn of(blueprint: &Blueprint<'_>, entry: &str, function: &Function) -> Self {
        let Blueprint { declaration, .. } = blueprint;
        let existing = blueprint.given.existing;
        let mut keys = Self(Vec::new());
        if declaration.is_worker(entry) {
            // The server fetches the zip, which is encrypted by the stack's key.
            keys.add(declaration.kms_key.clone(), "s3", false);
        } else {
            // Lambda decrypts the environment for the function.
            keys.add(own_key(blueprint, (Kind::Function, entry), function.kms_key.as_ref()), "lambda", false);
        }
        let uses = Uses {
            reads: &function.reads,
            writes: &function.writes,
            sends: function.sends.iter().chain(&function.on_failure).collect(),
            receives: function.consumes.iter().map(|consumes| &consumes.queue).collect(),
            publishes: function.publishes.iter().collect(),
        };
        keys.add_used(blueprint, &uses);
        for entry in &function.queries {
            let Some(table) = declaration.tables.get(entry) else { continue };
            keys.add(own_key(blueprint, (Kind::Table, entry), table.kms_key.as_ref()), "dynamodb", false);
        }
        for secret in &secrets_of(declaration, function) {
            let of_existing = |name: &str| existing.key(Kind::Secret, name).map(str::to_owned);
            let key = match secret {
                SecretReference::Existing(name) => of_existing(name),
                SecretReference::Declared(entry) => {
                    declaration.secrets.get(entry).and_then(|secret| match &secret.source {
                        SecretSource::Existing(name) => of_existing(name),
                        SecretSource::Created(_) => own_key(blueprint, (Kind::Secret, entry), secret.kms_key.as_ref()),
                    })
                }
            };
            keys.add(key, "secretsmanager", false);
        }
        keys
    }

    /// Adds the keys of what functions and servers use alike.
    fn add_used(&mut self, blueprint: &Blueprint<'_>, uses: &Uses<'_>) {
        let Blueprint { declaration, .. } = blueprint;
        let existing = blueprint.given.existing;
        let places = [(uses.reads, false), (uses.writes, true)];
        for (place, is_written) in places.into_iter().flat_map(|(all, is_written)| all.iter().zip(repeat(is_written))) {
            let Some(bucket) = declaration.buckets.get(&place.bucket) else { continue };
            let key = match &bucket.existing {
                Some(name) => existing.key(Kind::Bucket, name).map(str::to_owned),
                None => own_key(blueprint, (Kind::Bucket, &place.bucket), bucket.kms_key.as_ref()),
            };
            self.add(key, "s3", is_written);
        }
        // SQS and SNS decrypt, too, what they encrypt.
        let written = uses.sends.iter().copied().zip(repeat(true));
        let taken = uses.receives.iter().copied().zip(repeat(false));
        for (entry, is_written) in written.chain(taken) {
            let Some(queue) = declaration.queues.get(entry) else { continue };
            self.add(own_key(blueprint, (Kind::Queue, entry), queue.kms_key.as_ref()), "sqs", is_written);
        }
        for entry in uses.publishes.iter().copied() {
            let Some(topic) = declaration.topics.get(entry) else { continue };
            self.add(own_key(blueprint, (Kind::Topic, entry), topic.kms_key.as_ref()), "sns", true);
        }
    }

    fn add(&mut self, key: Option<String>, service: &'static str, is_written: bool) {
        self.0.extend(key.map(|key| Used { key, service, is_written }));
    }

    /// Returns the statement that allows an action by those keys, through the services that use them alone.
    fn statement(&self, blueprint: &Blueprint<'_>, action: &str, is_needed: impl Fn(&Used) -> bool) -> Statement {
        let used = || self.0.iter().filter(|used| is_needed(used));
        let services = used().map(|used| blueprint.names().realm().endpoint(used.service));
        Statement::allow(&[action], used().map(|used| used.key.clone())).when(
            "StringEquals",
            "kms:ViaService",
            services,
        )
    }
}

/// Returns the key of a resource of the stack: the declared one, else the one that somebody gave it, which stays.
fn own_key(blueprint: &Blueprint<'_>, (kind, entry): (Kind, &str), declared: Option<&String>) -> Option<String> {
    let given = || blueprint.given.existing.own_key(kind, entry).map(str::to_owned);
    blueprint.declaration.kms_key(declared).or_else(given)
}

fn objects(blueprint: &Blueprint<'_>, places: &[Place]) -> Vec<String> {
    let arns = |place: &Place| {
        let bucket = blueprint.names().arn(Kind::Bucket, &place.bucket);
        place.prefixes().map(|prefix| format!("{bucket}/{prefix}*")).collect::<Vec<_>>()
    };
    places.iter().flat_map(arns).collect()
}

/// Returns the pattern of a secret's ARN: Secrets Manager appends six random characters.
fn secret_arn(blueprint: &Blueprint<'_>, secret: &SecretReference) -> String {
    let name = blueprint.names().secret(blueprint.declaration, secret);
    format!("{}-??????", blueprint.names().arn_of(Kind::Secret, &name))
}
