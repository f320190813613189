//! Kinds of MSK: clusters of Kafka, and the topics in them.

pub mod cluster;
pub mod topic;

use serde_json::Value;

use crate::{
    Kind, Session,
    documents::{at, is, number, text, texts},
};
use aws::json::Call;
use contract::context::Context;
use engine::{Class, Failure};

/// Beginning of the paths of lists and descriptions.
const CLUSTERS: [&str; 3] = ["api", "v2", "clusters"];
/// Beginning of the paths of what is a part of a cluster.
const PARTS: [&str; 2] = ["v1", "clusters"];

/// Returns the path of a part of a cluster.
fn path<'part>(arn: &'part str, parts: &[&'part str]) -> Vec<&'part str> {
    PARTS.iter().chain([&arn]).chain(parts).copied().collect()
}

/// A cluster, as far as somebody who uses it needs to know it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Name of the cluster.
    pub name: String,
    /// ARN of the cluster.
    pub arn: String,
    /// State: `ACTIVE`, or another one in which it takes no changes.
    pub state: String,
    /// Version of Kafka; `None` for a serverless one, which has none.
    pub version: Option<String>,
    /// `true` if anybody who reaches its brokers may use it.
    pub is_open: bool,
    /// Encryption between clients and brokers: `TLS`, or another word if some go without.
    pub in_transit: String,
    /// Number of its brokers; `None` for a serverless one.
    pub brokers: Option<u32>,
    /// Brokers that take IAM, in order, with commas between; `None` if none does.
    pub bootstrap: Option<String>,
}

/// First version of Kafka whose topics AWS manages.
const FIRST_WITH_TOPICS: (u32, u32) = (3, 6);

impl Seen {
    /// Returns `true` if AWS manages its topics: it is provisioned, and has Kafka 3.6 or a later version.
    pub fn has_topics(&self) -> bool {
        self.version.as_deref().and_then(minor).is_some_and(|version| version >= FIRST_WITH_TOPICS)
    }

    fn of(cluster: &Value, bootstrap: Option<String>) -> Self {
        let read = |path: &[&str]| text(cluster, path).unwrap_or_default().to_owned();
        let provisioned = at(cluster, &["provisioned"]).filter(|provisioned| !provisioned.is_null());
        Self {
            name: read(&["clusterName"]),
            arn: read(&["clusterArn"]),
            state: read(&["state"]),
            version: provisioned
                .and_then(|one| text(one, &["currentBrokerSoftwareInfo", "kafkaVersion"]))
                .map(str::to_owned),
            is_open: provisioned
                .is_some_and(|one| is(one, &["clientAuthentication", "unauthenticated", "enabled"], false)),
            in_transit: provisioned
                .and_then(|one| text(one, &["encryptionInfo", "encryptionInTransit", "clientBroker"]))
                .unwrap_or("TLS")
                .to_owned(),
            brokers: provisioned.and_then(|one| number(one, &["numberOfBrokerNodes"])),
            bootstrap,
        }
    }
}

/// Returns the version of Kafka without what is behind its second number: `3.9.x` and `3.9.1` are the same here.
pub fn minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Reads a cluster by its ARN, with its brokers; `None` if there is none.
pub async fn see(session: &Session, arn: &str) -> Result<Option<Seen>, Failure> {
    let Some(cluster) = describe(session, arn).await? else { return Ok(None) };
    let bootstrap = match text(&cluster, &["state"]) {
        // It is asked for its brokers in vain.
        Some("CREATING" | "FAILED" | "DELETING") => None,
        _ => bootstrap(session, arn).await?,
    };
    Ok(Some(Seen::of(&cluster, bootstrap)))
}

/// Returns what AWS tells of a cluster, by its ARN; `None` if there is none.
async fn describe(session: &Session, arn: &str) -> Result<Option<Value>, Failure> {
    let path: Vec<&str> = CLUSTERS.iter().chain([&arn]).copied().collect();
    let found = session.aws.read.kafka.find(Call::get("DescribeClusterV2", &path)).await?;
    Ok(found.map(|mut found| found.get_mut("clusterInfo").map(Value::take).unwrap_or_default()))
}

/// Returns the brokers of a cluster that take IAM; AWS gives them in a changing order.
async fn bootstrap(session: &Session, arn: &str) -> Result<Option<String>, Failure> {
    let answer =
        session.aws.read.kafka.call(Call::get("GetBootstrapBrokers", &path(arn, &["bootstrap-brokers"]))).await?;
    let mut brokers: Vec<&str> =
        text(&answer, &["bootstrapBrokerStringSaslIam"]).unwrap_or_default().split(',').collect();
    brokers.sort_unstable();
    Ok(Some(brokers.join(",")).filter(|brokers| !brokers.is_empty()))
}

/// Returns the cluster of a name in the account; `None` if there is none. It is not one that is on its way out.
async fn by_name(session: &Session, name: &str) -> Result<Option<Value>, Failure> {
    let call = Call::get("ListClustersV2", &CLUSTERS).with_query("clusterNameFilter", name);
    let found = session.aws.read.kafka.pages(call, "clusterInfoList", ("nextToken", "nextToken")).await?;
    let is_it = |cluster: &Value| {
        text(cluster, &["clusterName"]) == Some(name) && text(cluster, &["state"]) != Some("DELETING")
    };
    Ok(found.into_iter().find(is_it))
}

/// Returns the ARN of a cluster that is called by its ARN or, if it is the stack's, by its name; `None` if there is none.
async fn arn_of(session: &Session, cluster: &str) -> Result<Option<String>, Failure> {
    if cluster.contains(':') {
        return Ok(Some(cluster.to_owned()));
    }
    Ok(by_name(session, cluster).await?.and_then(|found| text(&found, &["clusterArn"]).map(str::to_owned)))
}

/// Beginning and end of what stands for the brokers of a cluster, around its ARN or the name of the stack's: AWS chooses their names
/// when it makes them, and the functions that write to them are declared before.
const STANDS_FOR_BROKERS: (&str, &str) = ("(brokers of ", ")");

/// Returns what stands for the brokers of a cluster in settings of functions, declared and live ones.
pub fn brokers_of(cluster: &str) -> String {
    let (beginning, end) = STANDS_FOR_BROKERS;
    format!("{beginning}{cluster}{end}")
}

/// Returns a context for a call: with brokers in place of what stands for them. It is an error if there is no such cluster.
pub(crate) async fn with_brokers(session: &Session, context: &str) -> Result<String, Failure> {
    let (beginning, end) = STANDS_FOR_BROKERS;
    let mut text = context.to_owned();
    while let Some((before, rest)) = text.split_once(beginning) {
        let Some((cluster, behind)) = rest.split_once(end) else { break };
        let missing = |what: &str| {
            Failure::found("kafka.GetBootstrapBrokers", Class::NotYet, format!("cluster `{cluster}` {what}"))
        };
        let arn = arn_of(session, cluster).await?.ok_or_else(|| missing("is not there"))?;
        let brokers = see(session, &arn).await?.and_then(|seen| seen.bootstrap);
        let brokers = brokers.ok_or_else(|| missing("has no brokers that take IAM"))?;
        text = format!("{before}{brokers}{behind}");
    }
    Ok(text)
}

/// Returns a context that was read, with what stands for them in place of the brokers of the stack's own clusters. Those of others are
/// read before the comparison, so that they stand in what is declared, too.
pub(crate) async fn without_brokers(session: &Session, context: &str) -> Result<String, Failure> {
    let Ok(mut read) = serde_json::from_str::<Context>(context) else { return Ok(context.to_owned()) };
    let mut is_changed = false;
    for (key, produced) in read.topics_of_kafka_mut() {
        let entry = key.split('/').next().unwrap_or_default();
        let indexed = session.tagged.entries().find(|(kind, of, _)| *kind == Kind::Cluster && *of == entry);
        let name = indexed.map_or_else(
            || cluster::IDENTITY.name_of(&session.stack, &session.aws.realm.account, entry),
            |(_, _, name)| name.to_owned(),
        );
        let Some(found) = by_name(session, &name).await? else { continue };
        let arn = text(&found, &["clusterArn"]).unwrap_or_default();
        let brokers = match text(&found, &["state"]) {
            Some("CREATING" | "FAILED") => None,
            _ => bootstrap(session, arn).await?,
        };
        if brokers.as_ref() == Some(&produced.bootstrap) {
            produced.bootstrap = brokers_of(&name);
            is_changed = true;
        }
    }
    let rewritten = is_changed.then(|| serde_json::to_string(&read).ok()).flatten();
    Ok(rewritten.unwrap_or_else(|| context.to_owned()))
}

/// Returns the texts of a list as a set.
fn set(document: &Value, path: &[&str]) -> std::collections::BTreeSet<String> {
    texts(document, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_managed_where_aws_does() {
        let seen = |version: Option<&str>| Seen { version: version.map(str::to_owned), ..Seen::default() };
        for (version, has) in [
            (None, false),
            (Some("2.8.1"), false),
            (Some("3.5.1"), false),
            (Some("3.6.0"), true),
            (Some("3.9.x"), true),
            (Some("3.9.x.kraft"), true),
            (Some("4.1"), true),
            (Some("x"), false),
        ] {
            assert_eq!(seen(version).has_topics(), has, "{version:?}");
        }
    }
}
