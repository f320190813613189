//! The rights of the commands about sent mails: what is in a table, a bucket or a topic of Kafka, which no kind calls.

use crate::{
    Names,
    desired::{READ_TOPIC, rights::passwords},
    purpose::{Purpose, Reading},
};
use aws::{ArnForm, policy::Statement};
use contract::{
    sending::{PARTITION_KEY, SORT_KEY},
    tracking::DATABASE_URL,
};
use declaration::{Declaration, Table};
use kinds::Kind;

/// Folder of the bodies in their bucket.
pub const BODIES: &str = "sent/";

/// Form of the ARN of an identity of SES. Which one sends, no declaration says.
const IDENTITY: ArnForm = ArnForm("ses:{region}:{account}:identity/{name}");
/// SES checks the second one where the mail is written whole, as ours are.
const SENDING: &[&str] = &["ses:SendEmail", "ses:SendRawEmail"];
/// Calls on records, in transactions too: IAM checks each part of one.
const RECORDS: &[&str] = &["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"];
const CONNECTING: &[&str] = &["kafka-cluster:Connect"];
/// Calls that find a record by its mail's id or a recipient: with the sender in his part of the table, else in all of it.
const FINDING: &[&str] = &["dynamodb:Query", "dynamodb:Scan"];
/// Call that asks a function.
const ASKING: &[&str] = &["lambda:InvokeFunction"];

/// Returns the statements that a command about sent mails needs; none for any other command.
pub(super) fn statements(declaration: &Declaration, names: &Names, purpose: Purpose<'_>) -> Vec<(String, Statement)> {
    let statements = match purpose {
        Purpose::Send => sending(declaration, names).into_iter().chain(tracking(declaration, names)).collect(),
        Purpose::Track => tracking(declaration, names),
        Purpose::Tail(way) => reading(declaration, names, way),
        Purpose::Timeline(way) => {
            let mut statements = reading(declaration, names, way);
            statements.push(("FindRecords", Statement::allow(FINDING, mails(declaration, names))));
            statements
        }
        // It lets functions make the topics that AWS does not.
        Purpose::Up => {
            let makers = declaration.functions.iter().filter(|(_, function)| !function.creates.is_empty());
            let makers = makers.map(|(entry, _)| names.arn(Kind::Function, entry));
            vec![("MakeTopics", Statement::allow(ASKING, makers))]
        }
        _ => Vec::new(),
    };
    let needed = statements.into_iter().filter(|(_, statement)| !statement.resources.is_empty());
    needed.map(|(id, statement)| (id.to_owned(), statement)).collect()
}

fn sending(declaration: &Declaration, names: &Names) -> Vec<(&'static str, Statement)> {
    let sets = declaration.configuration_sets.keys().map(|set| names.arn(Kind::ConfigurationSet, set));
    let is_sending = !declaration.configuration_sets.is_empty();
    let identity: Option<String> = is_sending.then(|| names.realm().arn(IDENTITY, "", "*").into());
    let bodies = declaration.buckets.keys().map(|bucket| format!("{}/{BODIES}*", names.arn(Kind::Bucket, bucket)));
    vec![
        ("SendMails", Statement::allow(SENDING, sets.chain(identity))),
        ("KeepRecords", Statement::allow(RECORDS, mails(declaration, names))),
        ("KeepBodies", Statement::allow(&["s3:PutObject"], bodies)),
    ]
}

/// Returns the rights to find the databases of delivery tracking, and to their passwords.
fn tracking(declaration: &Declaration, names: &Names) -> Vec<(&'static str, Statement)> {
    let functions = || declaration.functions.values().filter(|function| function.is_tracking());
    let mut databases: Vec<String> = functions().flat_map(|function| function.databases.clone()).collect();
    databases.sort();
    databases.dedup();
    let addresses = functions().filter_map(|function| function.secrets.get(DATABASE_URL));
    let secrets =
        addresses.map(|secret| format!("{}-??????", names.arn_of(Kind::Secret, &names.secret(declaration, secret))));
    let arns = databases.iter().map(|database| names.arn(Kind::Database, database));
    let statements = [
        ("ReadAddresses", Statement::allow(&["secretsmanager:GetSecretValue"], secrets)),
        ("FindDatabases", Statement::allow(&["rds:DescribeDBInstances"], arns)),
    ];
    let passwords = passwords(names, &databases).map(|statement| ("ReadPasswords", statement));
    statements.into_iter().chain(passwords).collect()
}

/// Returns the ARNs of the tables of sent mails.
fn mails(declaration: &Declaration, names: &Names) -> Vec<String> {
    let keeps = |table: &Table| table.partition_key == PARTITION_KEY && table.sort_key.as_deref() == Some(SORT_KEY);
    let tables = declaration.tables.iter().filter(|(_, table)| keeps(table));
    tables.map(|(table, _)| names.arn(Kind::Table, table)).collect()
}

/// Returns the rights of a reader that belongs to no group, or of a caller of a function that is one.
fn reading(declaration: &Declaration, names: &Names, way: Reading<'_>) -> Vec<(&'static str, Statement)> {
    if let Reading::Function(entry) = way {
        return vec![("AskFunction", Statement::allow(ASKING, [names.arn(Kind::Function, entry)]))];
    }
    let clusters = || declaration.clusters.iter().filter(|(_, cluster)| !cluster.topics.is_empty());
    let topics = clusters()
        .flat_map(|(entry, cluster)| cluster.topics.keys().map(move |topic| names.kafka_topic_arn(entry, topic)));
    vec![
        ("ConnectClusters", Statement::allow(CONNECTING, clusters().map(|(entry, _)| names.cluster_arn(entry)))),
        ("ReadTopics", Statement::allow(READ_TOPIC, topics)),
    ]
}
