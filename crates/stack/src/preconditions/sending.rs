//! Checks what hears of sent mails: clusters of Kafka that exist, and identities that tell others.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::Finding;
use crate::{Existing, Names, desired::sending::feedback_of};
use declaration::{Cluster, Declaration, KafkaTopic};
use engine::Failure;
use kinds::{Session, kafka::Seen, ses::feedback};

/// Returns a finding for each existing cluster that cannot be used as it is declared.
pub(super) fn clusters((file, declaration): (&Path, &Declaration), existing: &Existing) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (entry, cluster) in &declaration.clusters {
        let Some(arn) = cluster.existing() else { continue };
        let place = declaration.places.show(file, &["clusters", entry, "existing"]);
        let Some(seen) = existing.cluster(arn) else { continue };
        findings.extend(judge((&place, entry, arn), cluster, &created(declaration, entry), seen.as_ref()));
    }
    findings
}

/// Returns the topics of a cluster that functions make.
fn created<'declared>(declaration: &'declared Declaration, cluster: &str) -> BTreeSet<&'declared str> {
    let topics = declaration.functions.values().flat_map(|function| &function.creates);
    topics.filter_map(|topic| topic.split_once('/')).filter(|(of, _)| *of == cluster).map(|(_, name)| name).collect()
}

/// Judges one cluster, by its place in the declaration, its entry and its ARN. `created` are its topics that functions make.
fn judge(
    (place, entry, arn): (&str, &str, &str),
    cluster: &Cluster,
    created: &BTreeSet<&str>,
    seen: Result<&Option<Seen>, &Failure>,
) -> Vec<Finding> {
    let findings = match working(arn, seen) {
        Ok(seen) => [brokers(arn, seen), topics(entry, cluster, created, seen)].concat(),
        Err(finding) => vec![finding],
    };
    let placed = |finding: Finding| Finding { what: format!("{place}: {}", finding.what), ..finding };
    findings.into_iter().map(placed).collect()
}

/// Returns a cluster that works; the finding that there is none otherwise.
fn working<'seen>(arn: &str, seen: Result<&'seen Option<Seen>, &Failure>) -> Result<&'seen Seen, Finding> {
    match seen {
        Ok(Some(seen)) if ["CREATING", "DELETING", "FAILED"].contains(&seen.state.as_str()) => Err(Finding::blocks(
            format!("the cluster `{}` is {}", seen.name, seen.state),
            "name one that works, or wait until this one does",
        )),
        Ok(Some(seen)) => Ok(seen),
        Ok(None) => Err(Finding::blocks(
            format!("there is no cluster `{arn}`"),
            "correct its ARN: `aws kafka list-clusters-v2` lists those that there are",
        )),
        Err(failure) => Err(Finding::blocks(
            format!("whether the cluster `{arn}` can be used is not known: {failure}"),
            "allow `kafka:DescribeClusterV2` and `kafka:GetBootstrapBrokers`, as `provision policy` does",
        )),
    }
}

/// Judges how the brokers of a cluster are reached.
fn brokers(arn: &str, seen: &Seen) -> Vec<Finding> {
    let name = &seen.name;
    let without_iam = seen.bootstrap.is_none().then(|| {
        Finding::blocks(
            format!("the brokers of the cluster `{name}` do not take IAM"),
            format!(
                "let it take IAM: `aws kafka update-security --cluster-arn {arn} --current-version VERSION --client-authentication Sasl={{Iam={{Enabled=true}}}}`, which takes some 25 minutes"
            ),
        )
    });
    let open = seen.is_open.then(|| {
        Finding::warns(
            format!("whoever reaches the brokers of the cluster `{name}` may read and write there without a name"),
            "take it away once nobody needs it: `aws kafka update-security … --client-authentication Unauthenticated={Enabled=false}`",
        )
    });
    let plain = (seen.in_transit != "TLS").then(|| {
        Finding::warns(
            format!("the brokers of the cluster `{name}` take connections without encryption"),
            "let it take TLS alone: `aws kafka update-security … --encryption-info EncryptionInTransit={ClientBroker=TLS}`",
        )
    });
    [without_iam, open, plain].into_iter().flatten().collect()
}

/// Judges whether a cluster has, or will have, its declared topics.
fn topics(entry: &str, cluster: &Cluster, created: &BTreeSet<&str>, seen: &Seen) -> Vec<Finding> {
    let name = &seen.name;
    let mut findings = Vec::new();
    if seen.state != "ACTIVE" && !cluster.topics.is_empty() && seen.has_topics() {
        findings.push(Finding::warns(
            format!("the cluster `{name}` is {}: until it is ACTIVE no topic is made", seen.state),
            "wait, and run it again",
        ));
    }
    for (topic, declared) in &cluster.topics {
        if let Some(brokers) = seen.brokers.filter(|brokers| declared.replication > *brokers) {
            let copies = declared.replication;
            findings.push(Finding::blocks(
                format!("{brokers} brokers of the cluster `{name}` cannot have {copies} copies of topic `{topic}`"),
                format!("declare `replication: {brokers}`"),
            ));
        }
        if !seen.has_topics() && !created.contains(topic.as_str()) {
            let why = why(seen);
            findings.push(Finding::warns(
                format!(
                    "AWS makes no topics in the cluster `{name}`, which {why}: whether there is `{topic}` is not known"
                ),
                by_hand((entry, topic), declared, seen),
            ));
        }
    }
    findings
}

/// Returns why AWS makes no topics in a cluster.
fn why(seen: &Seen) -> String {
    match &seen.version {
        Some(version) => format!("has Kafka {version}, and not 3.6 or later"),
        None => "is serverless".to_owned(),
    }
}

/// Returns how a topic is made from within the VPC: by a function, or by a person.
fn by_hand((entry, topic): (&str, &str), declared: &KafkaTopic, seen: &Seen) -> String {
    let KafkaTopic { partitions, replication } = declared;
    let replication =
        if seen.version.is_some() { format!(" --replication-factor {replication}") } else { String::new() };
    let brokers = seen.bootstrap.as_deref().unwrap_or("BROKERS");
    format!(
        "let a function `kafka-access` make it, `creates: [{entry}/{topic}]`, or make it from within its VPC, if it is not there: `kafka-topics.sh --create --if-not-exists --topic {topic} --partitions {partitions}{replication} --bootstrap-server {brokers} --command-config iam.properties`"
    )
}

/// Returns a finding for each topic of others that hears of an identity, and whose place a topic of the stack is to take.
pub(super) async fn identities(
    session: &Session,
    (file, declaration, names): (&Path, &Declaration, &Names),
) -> Vec<Finding> {
    if declaration.identities.is_empty() {
        return Vec::new();
    }
    let declared: BTreeMap<_, _> =
        declaration.identities.iter().map(|(identity, one)| (identity.clone(), feedback_of(names, one))).collect();
    let place = |identity: &str, of: feedback::Type| {
        declaration.places.show(file, &["identities", identity, "feedback", of.word()])
    };
    let others = match feedback::of_others(session, &declared).await {
        Ok(others) => others,
        Err(failure) => {
            let what = format!("who hears of the declared identities now is not known: {failure}");
            return vec![Finding::warns(
                what,
                "allow `ses:GetIdentityNotificationAttributes`, as `provision policy` does",
            )];
        }
    };
    let finding = |(identity, of, topic): (String, feedback::Type, String)| {
        let what =
            format!("{}: {of}s of `{identity}` go to `{topic}`, which is not this stack's", place(&identity, of));
        if declaration.identities.get(&identity).is_some_and(|one| one.take_over) {
            return Finding::warns(what, "nothing: it is noted, and `down` gives them back");
        }
        Finding::blocks(what, "write `take_over: true` to take its place until `down`, or leave this type out")
    };
    others.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preconditions::Weight;
    use declaration::ClusterSource;
    use engine::Class;

    const ARN: &str = "arn:aws:kafka:eu-west-1:123456789012:cluster/events/1b2c-7";

    fn seen() -> Seen {
        Seen {
            name: "events".to_owned(),
            arn: ARN.to_owned(),
            state: "ACTIVE".to_owned(),
            version: Some("3.9.x".to_owned()),
            is_open: false,
            in_transit: "TLS".to_owned(),
            brokers: Some(3),
            bootstrap: Some("b-1:9098".to_owned()),
        }
    }

    #[test]
    fn a_cluster_that_cannot_be_used_blocks_and_a_doubtful_one_warns() {
        let topic = KafkaTopic { partitions: 1, replication: 3 };
        let cluster = Cluster {
            source: ClusterSource::Existing(ARN.to_owned()),
            topics: BTreeMap::from([("messages".to_owned(), topic)]),
            ..Cluster::default()
        };
        let denied = Failure::found("kafka.DescribeClusterV2", Class::Denied, "no");
        let (blocks, warns) = (Weight::Blocks, Weight::Warns);
        for (found, expected) in [
            (Ok(Some(seen())), vec![]),
            (Ok(None), vec![(blocks, "there is no cluster")]),
            (Err(denied), vec![(blocks, "is not known: kafka.DescribeClusterV2")]),
            (Ok(Some(Seen { state: "FAILED".to_owned(), ..seen() })), vec![(blocks, "is FAILED")]),
            (Ok(Some(Seen { bootstrap: None, ..seen() })), vec![(blocks, "do not take IAM")]),
            (Ok(Some(Seen { is_open: true, ..seen() })), vec![(warns, "without a name")]),
            (Ok(Some(Seen { in_transit: "TLS_PLAINTEXT".to_owned(), ..seen() })), vec![(warns, "without encryption")]),
            (Ok(Some(Seen { state: "UPDATING".to_owned(), ..seen() })), vec![(warns, "until it is ACTIVE")]),
            (Ok(Some(Seen { brokers: Some(2), ..seen() })), vec![(blocks, "cannot have 3 copies")]),
            (Ok(Some(Seen { version: None, brokers: None, ..seen() })), vec![(warns, "is serverless")]),
            (Ok(Some(Seen { version: Some("3.5.1".to_owned()), ..seen() })), vec![(warns, "has Kafka 3.5.1")]),
        ] {
            let judged = |created: &[&str]| {
                let created = created.iter().copied().collect();
                judge(("infra.yaml:3:10", "events", ARN), &cluster, &created, found.as_ref())
            };
            let told = judged(&[]);
            assert_eq!(told.len(), expected.len(), "{told:?}");
            // A topic that a function makes is no doubt.
            let is_known = |finding: &Finding| !finding.what.contains("AWS makes no topics");
            assert!(judged(&["messages"]).iter().all(is_known) && judged(&["other"]) == told, "{told:?}");
            for (told, (weight, words)) in told.iter().zip(expected) {
                assert!(told.weight == weight && told.what.contains(words), "{told:?}");
            }
        }
    }
}
