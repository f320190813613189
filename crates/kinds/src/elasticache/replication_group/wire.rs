//! Calls about a cache, and the reading of their answers.

use std::collections::BTreeSet;

use contract::secret::Secret;

use super::{BROKEN, Data, Settings, State};
use crate::{Input, documents::lacks};
use aws::query::{Call, Element};
use engine::{Failure, Tags};

/// AWS's word for one that takes changes.
pub(super) const AVAILABLE: &str = "available";
/// AWS's word for one that is on its way out.
pub(super) const DELETING: &str = "deleting";
/// AWS's word for the engine that others are brought to.
pub(super) const VALKEY: &str = "valkey";
/// AWS's word for one that is not there yet.
const CREATING: &str = "creating";
/// State in words of one that is being changed.
pub(super) const CHANGING: &str = "waits until ElastiCache has changed it";
/// Connections with TLS and without it are taken: the first step from one to the other.
const TLS_PREFERRED: &str = "preferred";
/// Connections are without TLS.
const TLS_OFF: &str = "off";

/// AWS's word for a password that is taken beside the one of before.
pub(super) const BESIDE: &str = "ROTATE";
/// AWS's word for a password that is taken alone. It takes it only after [`BESIDE`].
pub(super) const ALONE: &str = "SET";

/// Settings that can be changed: parameter of the call and its value.
type Values = Vec<(&'static str, String)>;

/// Returns what a call may change together, by the name of its parameter, without lists.
fn values(settings: &Settings) -> Values {
    let mut values = vec![
        ("ReplicationGroupDescription", settings.description.clone()),
        ("Engine", settings.engine.clone()),
        ("EngineVersion", settings.version.clone()),
        ("CacheNodeType", settings.node.clone()),
        ("CacheParameterGroupName", settings.parameter_group.clone()),
        ("AutomaticFailoverEnabled", settings.failover.to_string()),
        ("MultiAZEnabled", settings.multi_az.to_string()),
        ("SnapshotRetentionLimit", settings.snapshot_days.to_string()),
        ("AutoMinorVersionUpgrade", settings.minor_upgrades.to_string()),
    ];
    values.extend(settings.snapshot_window.iter().map(|window| ("SnapshotWindow", window.clone())));
    values
}

/// Returns the call that makes a cache, but for its tags.
pub(super) fn create(name: &str, settings: &Settings, password: &Secret) -> Call {
    let call = Call::new("CreateReplicationGroup")
        .with("ReplicationGroupId", name)
        .with("NumCacheClusters", (settings.replicas + 1).to_string())
        .with("CacheSubnetGroupName", &settings.subnet_group)
        .with("Port", settings.port.to_string())
        .with("TransitEncryptionEnabled", "true")
        .with("TransitEncryptionMode", &settings.tls)
        .with("AtRestEncryptionEnabled", settings.is_encrypted.to_string())
        .with_secret("AuthToken", password)
        .list("SecurityGroupIds.SecurityGroupId", &settings.security_groups);
    let call = settings.kms_key.iter().fold(call, |call, key| call.with("KmsKeyId", key));
    let call = match &settings.origin.data {
        Data::Nothing => call,
        Data::Snapshot(snapshot) => call.with("SnapshotName", snapshot),
        Data::Objects(objects) => call.list("SnapshotArns.SnapshotArn", objects),
    };
    values(settings).into_iter().fold(call, |call, (parameter, value)| call.with(parameter, value))
}

/// The next change of a cache.
#[derive(Debug)]
pub(super) enum Change {
    /// A call, complete as it is.
    Call(Call),
    /// The password in place of other ways in, which has to be read first.
    Password,
}

fn modify(name: &str) -> Call {
    Call::new("ModifyReplicationGroup").with("ReplicationGroupId", name).with("ApplyImmediately", "true")
}

/// Returns the next change that brings a live cache nearer to the desired one; `None` if nothing differs that a call could change. Nodes are
/// added before others may take over, and go after none may; TLS comes by two steps, and before the password.
pub(super) fn next(name: &str, desired: &Settings, live: &Settings) -> Option<Change> {
    if let Some(call) = super::beside::end_logs(modify(name), &desired.children, &live.children) {
        return Some(Change::Call(call));
    }
    if desired.replicas > live.replicas {
        return Some(Change::Call(replicas("IncreaseReplicaCount", name, desired.replicas)));
    }
    if desired.tls != live.tls {
        let mode = if live.tls == TLS_OFF { TLS_PREFERRED } else { &desired.tls };
        let call = modify(name).with("TransitEncryptionEnabled", "true").with("TransitEncryptionMode", mode);
        return Some(Change::Call(call));
    }
    if (desired.has_password, &desired.user_groups) != (live.has_password, &live.user_groups) {
        return Some(Change::Password);
    }
    let there = values(live);
    let mut changed: Values = values(desired).into_iter().filter(|pair| !there.contains(pair)).collect();
    let is_upgrade = changed.iter().any(|(parameter, _)| ["Engine", "EngineVersion"].contains(parameter));
    if is_upgrade {
        // They are of one piece: AWS takes none of them alone.
        let together = ["Engine", "EngineVersion", "CacheParameterGroupName"];
        changed.retain(|(parameter, _)| !together.contains(parameter));
        changed.extend(values(desired).into_iter().filter(|(parameter, _)| together.contains(parameter)));
    }
    let has_other_groups = desired.security_groups != live.security_groups;
    if changed.is_empty() && !has_other_groups {
        return (desired.replicas < live.replicas)
            .then(|| Change::Call(replicas("DecreaseReplicaCount", name, desired.replicas)));
    }
    let call = changed.into_iter().fold(modify(name), |call, (parameter, value)| call.with(parameter, value));
    let groups = has_other_groups.then_some(&desired.security_groups).into_iter().flatten();
    Some(Change::Call(call.list("SecurityGroupIds.SecurityGroupId", groups)))
}

fn replicas(action: &'static str, name: &str, count: u32) -> Call {
    Call::new(action)
        .with("ReplicationGroupId", name)
        .with("NewReplicaCount", count.to_string())
        .with("ApplyImmediately", "true")
}

/// Returns the call that gives a cache another password.
pub(super) fn with_password(name: &str, password: &Secret, strategy: &str) -> Call {
    modify(name).with_secret("AuthToken", password).with("AuthTokenUpdateStrategy", strategy)
}

/// Returns the call by which a cache asks for the password alone, in place of groups of users.
pub(super) fn sign_in_by(name: &str, password: &Secret, groups: &BTreeSet<String>) -> Call {
    let call = with_password(name, password, ALONE);
    if groups.is_empty() { call } else { call.with("RemoveUserGroups", "true") }
}

/// Returns the call that deletes a cache, with its last snapshot.
pub(super) fn delete(name: &str, snapshot: Option<&str>) -> Call {
    let call =
        Call::new("DeleteReplicationGroup").with("ReplicationGroupId", name).with("RetainPrimaryCluster", "false");
    snapshot.into_iter().fold(call, |call, snapshot| call.with("FinalSnapshotIdentifier", snapshot))
}

/// Returns the settings of a cache, with what waits in place of what is, from the answers about the whole and about a node of it.
pub(super) fn settings(group: &Element, node: &Element, tags: Tags) -> Result<Settings, Failure> {
    let waiting = |of: &Element, name: &str| {
        Some(of.text(&format!("PendingModifiedValues/{name}")).to_owned()).filter(|text| !text.is_empty())
    };
    let of_node = |name: &str| waiting(node, name).unwrap_or_else(|| node.text(name).to_owned());
    let given = |of: &Element, name: &str| Some(of.text(name).to_owned()).filter(|text| !text.is_empty());
    let failover =
        waiting(group, "AutomaticFailoverStatus").unwrap_or_else(|| group.text("AutomaticFailover").to_owned());
    let shard = group.list("NodeGroups").first();
    // While it is made it has no endpoint.
    let port = shard.map_or("", |shard| shard.text("PrimaryEndpoint/Port")).parse().unwrap_or(super::REDIS_PORT);
    // A group that is being taken away is one no longer.
    let groups = node.list("SecurityGroups").iter().filter(|group| group.text("Status") != "removing");
    let nodes = u32::try_from(group.list("MemberClusters").len()).unwrap_or(u32::MAX);
    Ok(Settings {
        description: group.text("Description").to_owned(),
        engine: given(group, "Engine").unwrap_or_else(|| node.text("Engine").to_owned()).to_ascii_lowercase(),
        version: of_node("EngineVersion"),
        node: of_node("CacheNodeType"),
        replicas: nodes.saturating_sub(1),
        failover: failover.starts_with("enabl"),
        multi_az: group.text("MultiAZ") == "enabled",
        port,
        subnet_group: node.text("CacheSubnetGroupName").to_owned(),
        security_groups: groups.map(|group| group.text("SecurityGroupId").to_owned()).collect(),
        parameter_group: node.text("CacheParameterGroup/CacheParameterGroupName").to_owned(),
        tls: tls(group),
        has_password: group.is("AuthTokenEnabled") || waiting(group, "AuthTokenStatus").is_some(),
        user_groups: group.list("UserGroupIds").iter().map(|one| one.text.clone()).collect(),
        is_encrypted: group.is("AtRestEncryptionEnabled"),
        kms_key: given(group, "KmsKeyId"),
        snapshot_days: group
            .text("SnapshotRetentionLimit")
            .parse()
            .map_err(|_| lacks(super::DESCRIBE, "SnapshotRetentionLimit"))?,
        snapshot_window: given(group, "SnapshotWindow").map(|window| window.to_ascii_lowercase()),
        minor_upgrades: group.is("AutoMinorVersionUpgrade"),
        is_made: group.text("Status") != CREATING,
        origin: Input::default(),
        state: Input(state(group, node)),
        tags,
        children: super::beside::children(group),
    })
}

/// Returns which connections are taken. What is on its way there counts as done, but for the first of two steps.
fn tls(group: &Element) -> String {
    let waits = |name: &str| group.text(&format!("PendingModifiedValues/{name}"));
    let is_on = group.is("TransitEncryptionEnabled") || waits("TransitEncryptionEnabled") == "true";
    let mode = [waits("TransitEncryptionMode"), group.text("TransitEncryptionMode")];
    let mode = mode.into_iter().find(|mode| !mode.is_empty()).unwrap_or(super::TLS_REQUIRED);
    if is_on { mode } else { TLS_OFF }.to_owned()
}

/// Returns `true` if a change waits, or is about to begin.
fn has_pending(group: &Element, node: &Element) -> bool {
    [group, node].iter().any(|of| !of.list("PendingModifiedValues").is_empty())
}

/// Returns `true` if a cache takes changes, and none waits or is under way.
pub(super) fn is_settled(group: &Element, node: &Element) -> bool {
    group.text("Status") == AVAILABLE && !has_pending(group, node)
}

/// Returns what AWS tells of a cache beside its settings.
fn state(group: &Element, node: &Element) -> State {
    let (status, of_node) = (group.text("Status"), node.text("CacheClusterStatus"));
    let is_restarted = node.text("CacheParameterGroup/ParameterApplyStatus") == "pending-reboot";
    let under_way = match status {
        CREATING => Some("waits until ElastiCache has made it"),
        "modifying" => Some(CHANGING),
        "snapshotting" => Some("waits until ElastiCache has taken a snapshot"),
        _ => None,
    };
    let waiting = || has_pending(group, node).then_some("a change waits for its maintenance window, or is under way");
    let restart = is_restarted
        .then_some("other parameters wait until somebody restarts it: `aws elasticache reboot-cache-cluster`");
    let broken = BROKEN.iter().find(|(state, _)| [status, of_node].contains(state)).map(|(_, why)| *why);
    State { broken, waits: under_way.or_else(waiting).or(restart), under_way }
}
