//! Caches, with their groups of subnets.

use aws::query::Call;

use super::{Case, case};
use crate::stack::Trial;

/// Caches in the declaration of this test; their secret is `token`.
pub(super) const DECLARED: &str = "\
caches:
  seen:
    replicas: 1
    subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b]
    security_groups: [sg-0a1b2c3d]
    auth: token
    snapshot_window: 02:00-03:00
";

/// Fields of these kinds that no case can change.
pub(super) const RECORDED: &[(&str, &str, &str, &str)] = &[
    ("cache", "port", FIXED, SEEN),
    ("cache", "subnet_group", FIXED, SEEN),
    ("cache", "is_encrypted", FIXED, SEEN),
    ("cache", "kms_key", FIXED, SEEN),
    ("cache", "is_made", "a cache is made once", SEEN),
    // AWS takes it from a cache only together with its password, and the password back only with it.
    ("cache", "tls", "AWS turns it off for a cache without a password alone", SEEN),
];

const FIXED: &str = "ElastiCache cannot change it";
const SEEN: &str = "elasticache/replication_group/tests.rs: one_real_change_is_seen";

pub(super) const CASES: &[Case] = &[
    case("cache", "seen", "description", |trial| modify(trial, &[("ReplicationGroupDescription", "Somebody's")])),
    case("cache", "seen", "engine", |trial| {
        modify(
            trial,
            &[("Engine", "redis"), ("EngineVersion", "8.2.0"), ("CacheParameterGroupName", "default.valkey8")],
        );
    }),
    case("cache", "seen", "version", |trial| modify(trial, &[("EngineVersion", "8.1.0")])),
    case("cache", "seen", "node", |trial| modify(trial, &[("CacheNodeType", "cache.t3.micro")])),
    case("cache", "seen", "replicas", |trial| {
        elasticache(
            trial,
            "IncreaseReplicaCount",
            &[("ReplicationGroupId", NAME), ("NewReplicaCount", "2"), ("ApplyImmediately", "true")],
        );
    }),
    case("cache", "seen", "failover", |trial| modify(trial, &[("AutomaticFailoverEnabled", "false")])),
    case("cache", "seen", "multi_az", |trial| modify(trial, &[("MultiAZEnabled", "false")])),
    case("cache", "seen", "security_groups", |trial| {
        modify(trial, &[("SecurityGroupIds.SecurityGroupId.1", "sg-4e5f6a7b")]);
    }),
    case("cache", "seen", "parameter_group", |trial| modify(trial, &[("CacheParameterGroupName", "somebody-s")])),
    case("cache", "seen", "has_password", |trial| modify(trial, &[("AuthTokenUpdateStrategy", "DELETE")])),
    case("cache", "seen", "user_groups", |trial| {
        elasticache(trial, "CreateUserGroup", &[("UserGroupId", "others"), ("Engine", "valkey")]);
        modify(trial, &[("UserGroupIdsToAdd.member.1", "others")]);
    }),
    case("cache", "seen", "snapshot_days", |trial| modify(trial, &[("SnapshotRetentionLimit", "1")])),
    case("cache", "seen", "snapshot_window", |trial| modify(trial, &[("SnapshotWindow", "04:00-05:00")])),
    case("cache", "seen", "minor_upgrades", |trial| modify(trial, &[("AutoMinorVersionUpgrade", "false")])),
    case("cache", "seen", "tags.*", |trial| tag(trial, "replicationgroup")),
    case("cache subnets", "seen", "description", |trial| {
        subnets(trial, "Somebody's", &["subnet-0a1b2c3d", "subnet-4e5f6a7b"]);
    }),
    case("cache subnets", "seen", "subnets", |trial| {
        subnets(trial, "Subnets of the cache seen", &["subnet-0a1b2c3d", "subnet-8c9d0e1f"]);
    }),
    case("cache subnets", "seen", "tags.*", |trial| tag(trial, "subnetgroup")),
];

const NAME: &str = "circuits-seen";

/// Deletes the cache as somebody else would.
pub(in super::super) fn delete(trial: &Trial, name: &str) {
    elasticache(trial, "DeleteReplicationGroup", &[("ReplicationGroupId", name)]);
}

fn elasticache(trial: &Trial, action: &'static str, parameters: &[(&str, &str)]) {
    let call = parameters.iter().fold(Call::new(action), |call, (name, value)| call.with(name, *value));
    trial.account.wait(trial.account.elasticache.call(&call)).unwrap();
}

fn modify(trial: &Trial, changes: &[(&str, &str)]) {
    let named = [("ReplicationGroupId", NAME), ("ApplyImmediately", "true")];
    elasticache(trial, "ModifyReplicationGroup", &[&named, changes].concat());
}

fn tag(trial: &Trial, resource: &str) {
    let arn = format!("arn:aws:elasticache:eu-west-1:123456789012:{resource}:{NAME}");
    elasticache(
        trial,
        "AddTagsToResource",
        &[("ResourceName", &arn), ("Tags.Tag.1.Key", "by-hand"), ("Tags.Tag.1.Value", "yes")],
    );
}

fn subnets(trial: &Trial, description: &str, subnets: &[&str; 2]) {
    elasticache(
        trial,
        "ModifyCacheSubnetGroup",
        &[
            ("CacheSubnetGroupName", NAME),
            ("CacheSubnetGroupDescription", description),
            ("SubnetIds.SubnetIdentifier.1", subnets[0]),
            ("SubnetIds.SubnetIdentifier.2", subnets[1]),
        ],
    );
}
