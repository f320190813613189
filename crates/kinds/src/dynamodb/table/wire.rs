//! The documents of `DynamoDB` about a table: what is sent, and what four calls tell.

use serde_json::{Value, json};

use super::{DESCRIBE, Key, RECOVERY_DAYS, STANDARD, Settings};
use crate::{
    documents::{at, is, lacks, list, number, tag_list, text},
    unfinished,
};
use engine::{Children, Failure, Tags};

/// Word of AWS for a table that grows by itself.
pub(super) const ON_DEMAND: &str = "PAY_PER_REQUEST";

impl Settings {
    fn keys(&self) -> impl Iterator<Item = (&'static str, &Key)> {
        [("HASH", Some(&self.partition_key)), ("RANGE", self.sort_key.as_ref())]
            .into_iter()
            .filter_map(|(role, key)| Some((role, key?)))
    }

    /// Returns the document that makes the table.
    pub(super) fn document(&self, name: &str) -> Value {
        let schema: Value =
            self.keys().map(|(role, key)| json!({"AttributeName": key.name, "KeyType": role})).collect();
        let attributes: Value =
            self.keys().map(|(_, key)| json!({"AttributeName": key.name, "AttributeType": key.values})).collect();
        let mut document = json!({
            "TableName": name,
            "KeySchema": schema,
            "AttributeDefinitions": attributes,
            "BillingMode": ON_DEMAND,
            "TableClass": self.class,
            "DeletionProtectionEnabled": self.deletion_protection,
            "Tags": tag_list(&unfinished(&self.tags)),
        });
        if self.kms_key.is_some()
            && let Some(document) = document.as_object_mut()
        {
            document.insert("SSESpecification".to_owned(), self.encryption());
        }
        document
    }

    pub(super) fn encryption(&self) -> Value {
        match &self.kms_key {
            Some(key) => json!({"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": key}),
            None => json!({"Enabled": false}),
        }
    }
}

/// The answers of AWS about one table.
pub(super) struct Parts {
    pub(super) table: Value,
    pub(super) time_to_live: Value,
    pub(super) backups: Value,
    pub(super) tags: Tags,
    pub(super) children: Children,
}

/// Returns the key of a role, with the type of its values.
fn key(table: &Value, role: &str) -> Option<Key> {
    let schema = list(table, &["KeySchema"]).iter().find(|key| text(key, &["KeyType"]) == Some(role))?;
    let name = text(schema, &["AttributeName"])?;
    let mut attributes = list(table, &["AttributeDefinitions"]).iter();
    let values = attributes.find(|one| text(one, &["AttributeName"]) == Some(name))?;
    Some(Key { name: name.to_owned(), values: text(values, &["AttributeType"])?.to_owned() })
}

pub(super) fn settings(parts: Parts) -> Result<Settings, Failure> {
    let Parts { table, time_to_live, backups, tags, mut children } = parts;
    for kind in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
        for index in list(&table, &[kind]) {
            children.add("indexes", text(index, &["IndexName"]).unwrap_or_default(), kind, false);
        }
    }
    for replica in list(&table, &["Replicas"]) {
        let region = text(replica, &["RegionName"]).unwrap_or_default();
        children.add("replicas", region, region, true);
    }
    if is(&table, &["StreamSpecification", "StreamEnabled"], false) {
        children.add_only("stream", text(&table, &["StreamSpecification", "StreamViewType"]), false);
    }
    // While a key is changed, the status says so; without one there is no description at all.
    let is_encrypted = text(&table, &["SSEDescription", "Status"])
        .is_some_and(|status| ["ENABLED", "ENABLING", "UPDATING"].contains(&status));
    let time_to_live = at(&time_to_live, &["TimeToLiveDescription"]).cloned().unwrap_or_default();
    let lives = text(&time_to_live, &["TimeToLiveStatus"]).is_some_and(|status| status.starts_with("ENABL"));
    let recovery = at(&backups, &["ContinuousBackupsDescription", "PointInTimeRecoveryDescription"]);
    let recovery = recovery.filter(|one| text(one, &["PointInTimeRecoveryStatus"]) == Some("ENABLED"));
    Ok(Settings {
        partition_key: key(&table, "HASH").ok_or_else(|| lacks(DESCRIBE, "KeySchema"))?,
        sort_key: key(&table, "RANGE"),
        on_demand: text(&table, &["BillingModeSummary", "BillingMode"]) == Some(ON_DEMAND),
        class: text(&table, &["TableClassSummary", "TableClass"]).unwrap_or(STANDARD).to_owned(),
        kms_key: text(&table, &["SSEDescription", "KMSMasterKeyArn"]).filter(|_| is_encrypted).map(str::to_owned),
        time_to_live: text(&time_to_live, &["AttributeName"]).filter(|_| lives).map(str::to_owned),
        point_in_time_recovery: recovery.map(|one| number(one, &["RecoveryPeriodInDays"]).unwrap_or(RECOVERY_DAYS)),
        deletion_protection: is(&table, &["DeletionProtectionEnabled"], false),
        tags,
        children,
    })
}
