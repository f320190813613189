//! The documents of MSK about a cluster: what is sent, what comes back, and the changes that it makes one at a time.

use serde_json::{Value, json};

use super::{Access, MONITORING, NOT_PUBLIC, Settings, TLS};
use crate::{
    documents::{at, is, number, text},
    kafka::set,
    own_tags,
};

impl Access {
    fn document(&self) -> Value {
        json!({
            "sasl": {"iam": {"enabled": self.iam}, "scram": {"enabled": self.scram}},
            "tls": {"enabled": self.certificates},
            "unauthenticated": {"enabled": self.unauthenticated},
        })
    }
}

impl Settings {
    pub(super) fn document(&self, name: &str) -> Value {
        let mut at_rest = json!({"encryptionInTransit": {
            "clientBroker": self.access.in_transit,
            "inCluster": self.encrypted_within,
        }});
        if let (Some(key), Some(document)) = (&self.kms_key, at_rest.as_object_mut()) {
            document.insert("encryptionAtRest".to_owned(), json!({"dataVolumeKMSKeyId": key}));
        }
        json!({
            "clusterName": name,
            "tags": self.tags,
            "provisioned": {
                "kafkaVersion": self.version,
                "numberOfBrokerNodes": self.brokers,
                "brokerNodeGroupInfo": {
                    "clientSubnets": self.subnets,
                    "securityGroups": self.security_groups,
                    "instanceType": self.instance,
                    "storageInfo": {"ebsStorageInfo": {"volumeSize": self.storage}},
                },
                "clientAuthentication": self.access.document(),
                "encryptionInfo": at_rest,
                "enhancedMonitoring": self.monitoring,
            },
        })
    }

    pub(super) fn from_aws(cluster: &Value) -> Self {
        let provisioned = at(cluster, &["provisioned"]).cloned().unwrap_or_default();
        let read = |path: &[&str], otherwise: &str| text(&provisioned, path).unwrap_or(otherwise).to_owned();
        let enabled = |path: &[&str]| is(&provisioned, path, false);
        let count = |path: &[&str]| number(&provisioned, path).unwrap_or_default();
        let state = text(cluster, &["state"]).unwrap_or_default();
        let told = || text(cluster, &["stateInfo", "message"]).unwrap_or("AWS does not say why").to_owned();
        Self {
            version: read(&["currentBrokerSoftwareInfo", "kafkaVersion"], ""),
            brokers: count(&["numberOfBrokerNodes"]),
            instance: read(&["brokerNodeGroupInfo", "instanceType"], ""),
            storage: count(&["brokerNodeGroupInfo", "storageInfo", "ebsStorageInfo", "volumeSize"]),
            subnets: set(&provisioned, &["brokerNodeGroupInfo", "clientSubnets"]),
            security_groups: set(&provisioned, &["brokerNodeGroupInfo", "securityGroups"]),
            access: Access {
                iam: enabled(&["clientAuthentication", "sasl", "iam", "enabled"]),
                unauthenticated: enabled(&["clientAuthentication", "unauthenticated", "enabled"]),
                scram: enabled(&["clientAuthentication", "sasl", "scram", "enabled"]),
                certificates: enabled(&["clientAuthentication", "tls", "enabled"]),
                in_transit: read(&["encryptionInfo", "encryptionInTransit", "clientBroker"], TLS),
            },
            encrypted_within: is(&provisioned, &["encryptionInfo", "encryptionInTransit", "inCluster"], true),
            kms_key: text(&provisioned, &["encryptionInfo", "encryptionAtRest", "dataVolumeKMSKeyId"])
                .map(str::to_owned),
            monitoring: read(&["enhancedMonitoring"], MONITORING),
            public_access: read(&["brokerNodeGroupInfo", "connectivityInfo", "publicAccess", "type"], NOT_PUBLIC),
            is_made: state != "CREATING",
            failure: (state == "FAILED").then(told),
            tags: own_tags(
                at(cluster, &["tags"])
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten()
                    .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default())),
            ),
            children: super::beside::children(&provisioned),
        }
    }

    /// Returns the first change of the brokers that is left to do: its call, the end of its path, and its document.
    pub(super) fn next_change(&self, live: &Self) -> Option<Change> {
        let put = |action, end: &'static [&'static str], document| Change { action, end, document, is_patch: false };
        if self.access != live.access {
            let document = json!({
                "clientAuthentication": self.access.document(),
                "encryptionInfo": {"encryptionInTransit": {"clientBroker": self.access.in_transit}},
            });
            return Some(Change { action: "UpdateSecurity", end: &["security"], document, is_patch: true });
        }
        if let Some(document) = super::beside::closed(self, live) {
            return Some(put("UpdateConnectivity", &["connectivity"], document));
        }
        if self.public_access != live.public_access {
            let document = json!({"connectivityInfo": {"publicAccess": {"type": self.public_access}}});
            return Some(put("UpdateConnectivity", &["connectivity"], document));
        }
        if self.storage != live.storage {
            let document = json!({
                "targetBrokerEBSVolumeInfo": [{"kafkaBrokerNodeId": "All", "volumeSizeGB": self.storage}],
            });
            return Some(put("UpdateBrokerStorage", &["nodes", "storage"], document));
        }
        if self.brokers != live.brokers {
            let document = json!({"targetNumberOfBrokerNodes": self.brokers});
            return Some(put("UpdateBrokerCount", &["nodes", "count"], document));
        }
        if self.instance != live.instance {
            let document = json!({"targetInstanceType": self.instance});
            return Some(put("UpdateBrokerType", &["nodes", "type"], document));
        }
        if self.version != live.version {
            let document = json!({"targetKafkaVersion": self.version});
            return Some(put("UpdateClusterKafkaVersion", &["version"], document));
        }
        let document = json!({"enhancedMonitoring": self.monitoring});
        (self.monitoring != live.monitoring).then(|| put("UpdateMonitoring", &["monitoring"], document))
    }
}

/// A change of the brokers.
pub(super) struct Change {
    pub(super) action: &'static str,
    pub(super) end: &'static [&'static str],
    pub(super) document: Value,
    pub(super) is_patch: bool,
}
