//! The policies of the roles of functions and servers. Each allows exactly what the function's or server's entry in the declaration names.

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

/// Actions by which Lambda puts a function into its VPC. They have no resource level: no ARN could limit them.
const NETWORK_INTERFACES: &[&str] = &[
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
];

/// Actions by which objects are written. A multipart upload that fails is aborted.
const WRITE_OBJECTS: &[&str] = &["s3:AbortMultipartUpload", "s3:PutObject"];
/// Actions by which Lambda, with the rights of a function's role, or a server receives messages from a queue. `ChangeMessageVisibility` is also
/// called by the function itself, to delay the retry of a message as long as the other server asks for.
const RECEIVE_MESSAGES: &[&str] =
    &["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];

/// Actions on a cluster by which a function writes messages to its topics. With an idempotent producer, a retry does not write a message twice.
const CONNECT_TO_WRITE: &[&str] = &["kafka-cluster:Connect", "kafka-cluster:WriteDataIdempotently"];
/// Actions on a topic by which a function writes messages to it.
const WRITE_TOPIC: &[&str] = &["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"];
/// Action on a cluster by which a function creates or reads its topics.
const CONNECT: &[&str] = &["kafka-cluster:Connect"];
/// Actions by which a topic is created and gets more partitions. None of them deletes a topic or changes its settings.
const CREATE_TOPIC: &[&str] = &["kafka-cluster:AlterTopic", "kafka-cluster:CreateTopic", "kafka-cluster:DescribeTopic"];
/// Actions by which a consumer without a consumer group reads a topic.
pub(crate) const READ_TOPIC: &[&str] = &["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"];

/// ARN of the secret that RDS creates for the password of a database. RDS chooses the id at the end of its name.
pub(crate) const SECRET_OF_DATABASE: ArnForm = ArnForm("secretsmanager:{region}:{account}:secret:rds!db-{name}");
/// Condition on the tag by which RDS names the database of such a secret. Nobody else can write this tag (RDS's guide, "Password management with
/// RDS and Secrets Manager").
const TAG_OF_DATABASE: &str = "secretsmanager:ResourceTag/aws:rds:primaryDBInstanceArn";

/// Returns the statement that allows to read the passwords of these databases, given by entry, and of no other database of the account; `None`
/// if there are none.
pub(crate) fn passwords(names: &Names, databases: &[String]) -> Option<Statement> {
    let databases: Vec<String> = databases.iter().map(|database| names.arn(Kind::Database, database)).collect();
    let secrets = names.realm().arn(SECRET_OF_DATABASE, "", "*").into();
    let statement = Statement::allow(&["secretsmanager:GetSecretValue"], [secrets]);
    (!databases.is_empty()).then(|| statement.when("StringEquals", TAG_OF_DATABASE, databases))
}

/// Returns the trust policy of a function's role, which lets Lambda assume it.
pub(super) fn trust_of_functions() -> Policy {
    let statement = Statement::allow(&["sts:AssumeRole"], []).for_service("lambda.amazonaws.com");
    Policy::new([(role::TRUST.to_owned(), statement)])
}

/// Returns the trust policy of a server's role, which lets EC2 assume it.
pub(super) fn trust_of_servers() -> Policy {
    let statement = Statement::allow(&["sts:AssumeRole"], []).for_service("ec2.amazonaws.com");
    Policy::new([(role::TRUST_OF_SERVERS.to_owned(), statement)])
}

/// Actions by which Session Manager's agent on a server opens sessions; none has a resource level. Source: AWS's managed policy
/// `AmazonSSMManagedInstanceCore`, without its rights to parameters, associations and inventories.
const OPEN_SESSIONS: &[&str] = &[
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
];

/// Returns the policies of a server's role: the server's own rights, and those of the function that it runs.
pub(super) fn server_policies(blueprint: &Blueprint<'_>, server: &Server) -> BTreeMap<String, Policy> {
    let names = blueprint.names();
    let queues = |queues: &[String]| queues.iter().map(|queue| names.arn(Kind::Queue, queue)).collect::<Vec<_>>();
    let topics = server.publishes.iter().chain(&server.login_alerts).map(|topic| names.arn(Kind::Topic, topic));
    let mut statements = vec![
        ("GetObjects", Statement::allow(&["s3:GetObject"], objects(blueprint, &server.reads))),
        ("PutObjects", Statement::allow(WRITE_OBJECTS, objects(blueprint, &server.writes))),
        ("SendMessages", Statement::allow(&["sqs:SendMessage"], queues(&server.sends))),
        ("ReceiveMessages", Statement::allow(RECEIVE_MESSAGES, queues(&server.receives))),
        ("PublishMessages", Statement::allow(&["sns:Publish"], topics)),
        ("OpenSessions", Statement::allow(OPEN_SESSIONS, ["*".to_owned()])),
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
        statements.push(("FetchWorker", Statement::allow(&["s3:GetObject"], [worker_programs(names)])));
        statements.extend(function_statements(blueprint, entry, function));
    }
    policies_with(statements)
}

/// Returns the pattern for the programs of all servers' functions, in the bucket for artefacts.
fn worker_programs(names: &Names) -> String {
    format!("{}/{}*", names.arn_of(Kind::Bucket, &names.artifacts()), artifacts::WORKERS)
}

/// Returns the policies of a role with those statements that name a resource.
fn policies_with(statements: Vec<(&'static str, Statement)>) -> BTreeMap<String, Policy> {
    let needed = statements.into_iter().filter(|(_, statement)| !statement.resources.is_empty());
    let policy = Policy::new(with_ids(needed.map(|(id, statement)| (id.to_owned(), statement))));
    BTreeMap::from([(role::POLICY.to_owned(), policy)])
}

/// Returns the policies of a function's role.
pub(super) fn function_policies(
    blueprint: &Blueprint<'_>,
    entry: &str,
    function: &Function,
) -> BTreeMap<String, Policy> {
    policies_with(function_statements(blueprint, entry, function))
}

/// Returns the statements that a function needs wherever it runs: in Lambda or on a server.
fn function_statements(blueprint: &Blueprint<'_>, entry: &str, function: &Function) -> Vec<(&'static str, Statement)> {
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
        ("PutObjects", WRITE_OBJECTS, &function.writes),
        ("DeleteObjects", &["s3:DeleteObject"], &function.deletes),
    ] {
        statements.push((id, Statement::allow(actions, objects(blueprint, places))));
    }
    let mut queues: Vec<String> = function.sends.iter().map(|queue| names.arn(Kind::Queue, queue)).collect();
    queues.extend(function.on_failure.iter().map(|queue| names.arn(Kind::Queue, queue)));
    statements.push(("SendMessages", Statement::allow(&["sqs:SendMessage"], queues)));
    let consumed = function.consumes.iter().map(|consumes| names.arn(Kind::Queue, &consumes.queue));
    statements.push(("ReceiveMessages", Statement::allow(RECEIVE_MESSAGES, consumed)));
    let topics = function.publishes.iter().map(|topic| names.arn(Kind::Topic, topic));
    statements.push(("PublishMessages", Statement::allow(&["sns:Publish"], topics)));
    let tables = function.queries.iter().map(|table| names.arn(Kind::Table, table));
    statements.push(("QueryTables", Statement::allow(&["dynamodb:Query"], tables)));
    statements.extend(kafka_statements(blueprint, function));
    statements.extend(passwords(names, &function.databases).map(|statement| ("ReadPasswords", statement)));
    let secrets = secrets_of(blueprint.declaration, function);
    let secrets = secrets.iter().map(|secret| secret_arn(blueprint, secret));
    statements.push(("ReadSecrets", Statement::allow(&["secretsmanager:GetSecretValue"], secrets)));
    let keys = Keys::of_function(blueprint, entry, function);
    statements.push(("DecryptByKeys", keys.statement(blueprint, "kms:Decrypt", |_| true)));
    statements.push(("EncryptByKeys", keys.statement(blueprint, "kms:GenerateDataKey", |used| used.is_written)));
    if function.vpc.is_some() {
        statements.push(("UseNetwork", Statement::allow(NETWORK_INTERFACES, ["*".to_owned()])));
    }
    statements
}

/// Returns the statements about clusters of Kafka and their topics, by what the function does with them.
fn kafka_statements(blueprint: &Blueprint<'_>, function: &Function) -> [(&'static str, Statement); 5] {
    let names = blueprint.names();
    // Cluster and topic of everything that is declared under these keys.
    let declared_under = |keys: &[&str]| -> Vec<(&str, &str)> {
        let topics = function.topics_of_kafka().filter(|(key, _)| keys.contains(key));
        topics.filter_map(|(_, topic)| topic.split_once('/')).collect()
    };
    let clusters = |keys: &[&str]| -> Vec<String> {
        let each: BTreeSet<&str> = declared_under(keys).into_iter().map(|(cluster, _)| cluster).collect();
        each.into_iter().map(|cluster| names.cluster_arn(cluster)).collect()
    };
    let topics = |key: &str| -> Vec<String> {
        declared_under(&[key]).into_iter().map(|(cluster, topic)| names.kafka_topic_arn(cluster, topic)).collect()
    };
    [
        ("ConnectClusters", Statement::allow(CONNECT_TO_WRITE, clusters(&["produces"]))),
        ("WriteTopics", Statement::allow(WRITE_TOPIC, topics("produces"))),
        ("ReachClusters", Statement::allow(CONNECT, clusters(&["creates", "follows"]))),
        ("CreateTopics", Statement::allow(CREATE_TOPIC, topics("creates"))),
        ("ReadTopics", Statement::allow(READ_TOPIC, topics("follows"))),
    ]
}

/// The use of a KMS key by a function or server.
struct KeyUse {
    /// ARN of the key.
    key: String,
    /// Service that encrypts and decrypts with the key on behalf of the function or server.
    service: &'static str,
    /// `true` if the function or server writes what the key encrypts.
    is_written: bool,
}

/// The KMS keys of everything that a function or server uses.
struct Keys(Vec<KeyUse>);

/// The resources that both functions and servers can use: places in buckets, queues and topics.
struct Uses<'uses> {
    reads: &'uses [Place],
    writes: &'uses [Place],
    sends: Vec<&'uses String>,
    receives: Vec<&'uses String>,
    publishes: Vec<&'uses String>,
}

impl Keys {
    /// Collects the keys of everything that a function uses.
    fn of_function(blueprint: &Blueprint<'_>, entry: &str, function: &Function) -> Self {
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
            let existing_key = |name: &str| existing.key(Kind::Secret, name).map(str::to_owned);
            let key = match secret {
                SecretReference::Existing(name) => existing_key(name),
                SecretReference::Declared(entry) => {
                    declaration.secrets.get(entry).and_then(|secret| match &secret.source {
                        SecretSource::Existing(name) => existing_key(name),
                        SecretSource::Created(_) => own_key(blueprint, (Kind::Secret, entry), secret.kms_key.as_ref()),
                    })
                }
            };
            keys.add(key, "secretsmanager", false);
        }
        keys
    }

    /// Adds the keys of buckets, queues and topics.
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
        // Sending and publishing need the right to decrypt as well as that to encrypt: see AWS's guides of SQS and SNS on data keys.
        let sent = uses.sends.iter().copied().zip(repeat(true));
        let received = uses.receives.iter().copied().zip(repeat(false));
        for (entry, is_written) in sent.chain(received) {
            let Some(queue) = declaration.queues.get(entry) else { continue };
            self.add(own_key(blueprint, (Kind::Queue, entry), queue.kms_key.as_ref()), "sqs", is_written);
        }
        for entry in uses.publishes.iter().copied() {
            let Some(topic) = declaration.topics.get(entry) else { continue };
            self.add(own_key(blueprint, (Kind::Topic, entry), topic.kms_key.as_ref()), "sns", true);
        }
    }

    fn add(&mut self, key: Option<String>, service: &'static str, is_written: bool) {
        self.0.extend(key.map(|key| KeyUse { key, service, is_written }));
    }

    /// Returns the statement that allows an action with the keys of the uses that need it, and only through the services that use them.
    fn statement(&self, blueprint: &Blueprint<'_>, action: &str, is_needed: impl Fn(&KeyUse) -> bool) -> Statement {
        let used = || self.0.iter().filter(|used| is_needed(used));
        let services = used().map(|used| blueprint.names().realm().endpoint(used.service));
        Statement::allow(&[action], used().map(|used| used.key.clone())).when(
            "StringEquals",
            "kms:ViaService",
            services,
        )
    }
}

/// Returns the key of a resource of the stack: the declared key, or else the one that somebody gave the live resource, which `up` leaves.
fn own_key(blueprint: &Blueprint<'_>, (kind, entry): (Kind, &str), declared: Option<&String>) -> Option<String> {
    let given = || blueprint.given.existing.own_key(kind, entry).map(str::to_owned);
    blueprint.declaration.kms_key(declared).or_else(given)
}

/// Returns patterns for the objects in declared places.
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
