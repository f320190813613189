//! The policy of each function's role: exactly what its declaration refers to.

use std::collections::BTreeMap;

use super::{Blueprint, with_ids};
use aws::policy::{Policy, Statement};
use declaration::{Function, Place, SecretReference, SecretSource};
use kinds::{Kind, iam::role};

/// Actions without resource level (decision 11): there is no ARN that could limit them.
const WITHOUT_RESOURCE: &[&str] = &[
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
];

/// Calls by which Lambda takes messages of a queue for a function, with the rights of its role.
const RECEIVING: &[&str] = &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];

/// Returns the policy that lets Lambda assume a function's role.
pub(super) fn trust() -> Policy {
    let statement = Statement::allow(&["sts:AssumeRole"], []).for_service("lambda.amazonaws.com");
    Policy::new([(role::TRUST.to_owned(), statement)])
}

/// Returns the policies of a function's role.
pub(super) fn policies(blueprint: &Blueprint<'_>, entry: &str, function: &Function) -> BTreeMap<String, Policy> {
    let names = blueprint.names();
    let mut statements = vec![(
        "WriteLog",
        Statement::allow(
            &["logs:CreateLogStream", "logs:PutLogEvents"],
            [format!("{}:*", names.arn(Kind::LogGroup, entry))],
        ),
    )];
    for (id, action, places) in [
        ("GetObjects", "s3:GetObject", &function.reads),
        ("PutObjects", "s3:PutObject", &function.writes),
        ("DeleteObjects", "s3:DeleteObject", &function.deletes),
    ] {
        statements.push((id, Statement::allow(&[action], objects(blueprint, places))));
    }
    let mut queues: Vec<String> = function.sends.iter().map(|queue| names.arn(Kind::Queue, queue)).collect();
    queues.extend(function.on_failure.iter().map(|queue| names.arn(Kind::Queue, queue)));
    statements.push(("SendMessages", Statement::allow(&["sqs:SendMessage"], queues)));
    let consumed = function.consumes.iter().map(|consumes| names.arn(Kind::Queue, &consumes.queue));
    statements.push(("ReceiveMessages", Statement::allow(RECEIVING, consumed)));
    let topics = function.publishes.iter().map(|topic| names.arn(Kind::Topic, topic));
    statements.push(("PublishMessages", Statement::allow(&["sns:Publish"], topics)));
    let secrets = function.secrets.values().map(|secret| secret_arn(blueprint, secret));
    statements.push(("ReadSecrets", Statement::allow(&["secretsmanager:GetSecretValue"], secrets)));
    statements.push(("DecryptByKeys", Statement::allow(&["kms:Decrypt"], keys(blueprint, function, false))));
    statements.push(("EncryptByKeys", Statement::allow(&["kms:GenerateDataKey"], keys(blueprint, function, true))));
    if function.vpc.is_some() {
        statements.push(("UseNetwork", Statement::allow(WITHOUT_RESOURCE, ["*".to_owned()])));
    }
    let needed = statements.into_iter().filter(|(_, statement)| !statement.resources.is_empty());
    let policy = Policy::new(with_ids(needed.map(|(id, statement)| (id.to_owned(), statement))));
    BTreeMap::from([(role::POLICY.to_owned(), policy)])
}

/// The keys of what a function writes, or of all that it reads and writes: SQS and SNS decrypt, too, what they encrypt.
fn keys(blueprint: &Blueprint<'_>, function: &Function, writes_alone: bool) -> Vec<String> {
    let declaration = blueprint.declaration;
    let key = |own: &Option<String>| declaration.kms_key(own.as_ref());
    let of_places = |places: &[Place]| -> Vec<String> {
        let buckets = places.iter().filter_map(|place| declaration.buckets.get(&place.bucket));
        buckets.filter(|bucket| bucket.existing.is_none()).filter_map(|bucket| key(&bucket.kms_key)).collect()
    };
    let mut keys = of_places(&function.writes);
    let queues = function.sends.iter().chain(&function.on_failure).filter_map(|queue| declaration.queues.get(queue));
    keys.extend(queues.filter_map(|queue| key(&queue.kms_key)));
    let topics = function.publishes.iter().filter_map(|topic| declaration.topics.get(topic));
    keys.extend(topics.filter_map(|topic| key(&topic.kms_key)));
    if !writes_alone {
        let consumed = function.consumes.iter().filter_map(|consumes| declaration.queues.get(&consumes.queue));
        keys.extend(consumed.filter_map(|queue| key(&queue.kms_key)));
        keys.extend(of_places(&function.reads));
        keys.extend(function.secrets.values().filter_map(|secret| match secret {
            SecretReference::Declared(entry) => {
                let secret = declaration.secrets.get(entry)?;
                key(&secret.kms_key).filter(|_| matches!(secret.source, SecretSource::Created(_)))
            }
            SecretReference::Existing(_) => None,
        }));
    }
    keys
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
