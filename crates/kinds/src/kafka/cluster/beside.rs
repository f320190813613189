//! Parts that others add to a cluster: ways in from other accounts and networks, and logs and metrics of its brokers.

use serde_json::{Value, json};

use super::Settings;
use crate::{
    Session,
    documents::{is, text},
    kafka::path,
};
use aws::json::Call;
use engine::{Children, Failure};

/// Field of the cluster's own policy.
const POLICY: &str = "policy";
/// Field of the ways in which clients of other networks sign in.
const OTHER_NETWORKS: &str = "other_networks";

/// The ways in which clients of other networks may sign in: the word that is shown, and the place of the switch.
const WAYS: [(&str, &[&str]); 3] = [
    ("iam", &["sasl", "iam", "enabled"]),
    ("scram", &["sasl", "scram", "enabled"]),
    ("certificates", &["tls", "enabled"]),
];
/// Places to which the brokers' logs go: the word that is shown, the object of the answer, and the field with the name of the place.
const LOGS: [(&str, &str, &str); 3] = [
    ("log_group", "cloudWatchLogs", "logGroup"),
    ("firehose", "firehose", "deliveryStream"),
    ("bucket", "s3", "bucket"),
];
/// Programs by which the brokers offer their metrics.
const EXPORTERS: [&str; 2] = ["jmxExporter", "nodeExporter"];

/// Returns what others added, in the answer about the provisioned part of a cluster.
pub(super) fn children(provisioned: &Value) -> Children {
    let mut children = Children::default();
    let client = ["brokerNodeGroupInfo", "connectivityInfo", "vpcConnectivity", "clientAuthentication"];
    let is_on = |way: &[&str]| is(provisioned, &[&client[..], way].concat(), false);
    let ways: Vec<&str> = WAYS.into_iter().filter(|(_, way)| is_on(way)).map(|(word, _)| word).collect();
    children.add_only(OTHER_NETWORKS, (!ways.is_empty()).then(|| format!("by {}", ways.join(", "))), true);
    for (word, object, field) in LOGS {
        let logs = ["loggingInfo", "brokerLogs", object];
        if is(provisioned, &[&logs[..], &["enabled"]].concat(), false) {
            let to = text(provisioned, &[&logs[..], &[field]].concat()).unwrap_or_default();
            children.add("broker_logs", word, format!("to {to}"), false);
        }
    }
    let configuration = text(provisioned, &["currentBrokerSoftwareInfo", "configurationArn"]);
    children.add_only("configuration", configuration, false);
    let offers =
        |exporter: &&str| is(provisioned, &["openMonitoring", "prometheus", *exporter, "enabledInBroker"], false);
    let exporters: Vec<&str> = EXPORTERS.into_iter().filter(offers).collect();
    children.add_only("open_monitoring", (!exporters.is_empty()).then(|| exporters.join(", ")), false);
    children
}

/// Reads the policy of a cluster, by which other accounts use it.
pub(super) async fn policy(session: &Session, arn: &str) -> Result<Children, Failure> {
    let mut children = Children::default();
    let answer = session.aws.read.kafka.find(Call::get("GetClusterPolicy", &path(arn, &["policy"]))).await?;
    let policy = answer.and_then(|answer| text(&answer, &["policy"]).map(str::to_owned));
    children.add_only(POLICY, policy.filter(|policy| !policy.is_empty()), true);
    Ok(children)
}

/// Deletes the policy of a cluster, if nobody declared it.
pub(super) async fn end_policy(
    session: &Session,
    arn: &str,
    desired: &Settings,
    live: &Settings,
) -> Result<(), Failure> {
    if live.children.has_surplus(&desired.children, POLICY) {
        session.aws.write.kafka.find(Call::delete("DeleteClusterPolicy", &path(arn, &["policy"]))).await?;
    }
    Ok(())
}

/// Returns the document that closes the brokers to other networks; `None` if nobody opened them.
pub(super) fn closed(desired: &Settings, live: &Settings) -> Option<Value> {
    let off = json!({"enabled": false});
    let document = json!({"connectivityInfo": {"vpcConnectivity": {"clientAuthentication": {
        "sasl": {"iam": off, "scram": off},
        "tls": off,
    }}}});
    live.children.has_surplus(&desired.children, OTHER_NETWORKS).then_some(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_in_from_other_networks_are_severe_and_logs_are_not() {
        // As in MSK's reference, `DescribeClusterV2`, and in the service's model (botocore 1.44.8).
        let provisioned = json!({
            "brokerNodeGroupInfo": {"connectivityInfo": {"vpcConnectivity": {"clientAuthentication": {
                "sasl": {"iam": {"enabled": true}, "scram": {"enabled": false}},
                "tls": {"enabled": true},
            }}}},
            "currentBrokerSoftwareInfo": {
                "configurationArn": "arn:aws:kafka:eu-west-1:123456789012:configuration/theirs/0a1b-7",
                "configurationRevision": 1,
                "kafkaVersion": "3.9.x",
            },
            "loggingInfo": {"brokerLogs": {
                "cloudWatchLogs": {"enabled": true, "logGroup": "/theirs"},
                "firehose": {"enabled": false},
                "s3": {"enabled": true, "bucket": "theirs", "prefix": "logs"},
            }},
            "openMonitoring": {"prometheus": {
                "jmxExporter": {"enabledInBroker": true},
                "nodeExporter": {"enabledInBroker": false},
            }},
        });
        let children = children(&provisioned);
        let told: Vec<String> = children
            .iter()
            .map(|(field, name, child)| {
                let harm = if child.is_severe { "severe" } else { "stays" };
                format!("{field}.{name} {} {harm}", child.value)
            })
            .collect();
        assert_eq!(
            told,
            [
                "broker_logs.bucket to theirs stays",
                "broker_logs.log_group to /theirs stays",
                "configuration. arn:aws:kafka:eu-west-1:123456789012:configuration/theirs/0a1b-7 stays",
                "open_monitoring. jmxExporter stays",
                "other_networks. by iam, certificates severe",
            ]
        );
        let settings = |children: Children| Settings { children, ..<super::super::Cluster as crate::Manage>::full() };
        let (none, there) = (settings(Children::default()), settings(children));
        assert!(closed(&none, &there).is_some_and(|document| !document.to_string().contains("true")));
        assert_eq!(closed(&there, &there), None);
    }

    #[test]
    fn husks_are_no_children() {
        let husks = json!({
            "brokerNodeGroupInfo": {"connectivityInfo": {"publicAccess": {"type": "DISABLED"}, "vpcConnectivity": {
                "clientAuthentication": {"sasl": {"iam": {"enabled": false}, "scram": {"enabled": false}}, "tls": {"enabled": false}},
            }}},
            "currentBrokerSoftwareInfo": {"kafkaVersion": "3.9.x"},
            "loggingInfo": null,
            "openMonitoring": {"prometheus": {"jmxExporter": {"enabledInBroker": false}}},
        });
        assert_eq!(children(&husks), Children::default());
    }
}
