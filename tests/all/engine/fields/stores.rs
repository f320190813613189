//! Databases, with their groups of subnets and parameters.

use aws::query::Call;

use super::{Case, case, servers};
use crate::stack::Trial;

/// Databases and caches in the declaration of this test.
pub(super) const DECLARED: &str = "\
databases:
  store:
    version: 8.4.9
    subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b]
    security_groups: [sg-0a1b2c3d]
    backup_window: 02:00-02:30
";

pub(super) const CASES: &[Case] = &[
    case("database", "store", "version", |trial| modify(trial, &[("EngineVersion", "8.4.8")])),
    case("database", "store", "class", |trial| modify(trial, &[("DBInstanceClass", "db.t3.micro")])),
    case("database", "store", "storage", |trial| modify(trial, &[("AllocatedStorage", "10")])),
    case("database", "store", "storage_type", |trial| modify(trial, &[("StorageType", "io2")])),
    case("database", "store", "managed_password", |trial| {
        modify(trial, &[("ManageMasterUserPassword", "false"), ("MasterUserPassword", "somebody-s")]);
    }),
    case("database", "store", "security_groups", |trial| {
        modify(trial, &[("VpcSecurityGroupIds.VpcSecurityGroupId.1", &servers::group(trial, "web"))]);
    }),
    case("database", "store", "is_public", |trial| modify(trial, &[("PubliclyAccessible", "true")])),
    case("database", "store", "multi_az", |trial| modify(trial, &[("MultiAZ", "true")])),
    case("database", "store", "port", |trial| modify(trial, &[("DBPortNumber", "3307")])),
    case("database", "store", "backup_days", |trial| modify(trial, &[("BackupRetentionPeriod", "1")])),
    case("database", "store", "backup_window", |trial| modify(trial, &[("PreferredBackupWindow", "04:00-04:30")])),
    case("database", "store", "parameter_group", |trial| {
        modify(trial, &[("DBParameterGroupName", "default.mysql8.4")]);
    }),
    case("database", "store", "minor_upgrades", |trial| modify(trial, &[("AutoMinorVersionUpgrade", "false")])),
    case("database", "store", "tagged_snapshots", |trial| modify(trial, &[("CopyTagsToSnapshot", "false")])),
    case("database", "store", "deletion_protection", |trial| modify(trial, &[("DeletionProtection", "false")])),
    case("database", "store", "iam_users", |trial| modify(trial, &[("EnableIAMDatabaseAuthentication", "true")])),
    case("database", "store", "tags.*", |trial| tag(trial, "db:circuits-store")),
    case("database subnets", "store", "description", |trial| {
        subnets(trial, "Somebody's", &live_subnets(trial));
    }),
    case("database subnets", "store", "subnets", |trial| {
        let other = [live_subnets(trial)[0].clone(), servers::subnet(trial, "main-public-2")];
        subnets(trial, "Subnets of the database store", &other);
    }),
    case("database subnets", "store", "tags.*", |trial| tag(trial, "subgrp:circuits-store")),
    case("database parameters", "store-mysql8-4", "parameters.*", |trial| {
        parameter(
            trial,
            "ModifyDBParameterGroup",
            &[("ParameterName", "time_zone"), ("ParameterValue", "Europe/Berlin")],
        );
    }),
    case("database parameters", "store-mysql8-4", "parameters.*", |trial| {
        parameter(trial, "ModifyDBParameterGroup", &[("ParameterName", "max_connections"), ("ParameterValue", "5")]);
    }),
    case("database parameters", "store-mysql8-4", "tags.*", |trial| tag(trial, "pg:circuits-store-mysql8-4")),
];

/// Deletes the database as somebody else would.
pub(in super::super) fn delete(trial: &Trial, name: &str) {
    modify(trial, &[("DeletionProtection", "false")]);
    rds(trial, "DeleteDBInstance", &[("DBInstanceIdentifier", name), ("SkipFinalSnapshot", "true")]);
}

fn rds(trial: &Trial, action: &'static str, parameters: &[(&str, &str)]) {
    let call = parameters.iter().fold(Call::new(action), |call, (name, value)| call.with(name, *value));
    trial.account.wait(trial.account.rds.call(&call)).unwrap();
}

fn modify(trial: &Trial, changes: &[(&str, &str)]) {
    let named = [("DBInstanceIdentifier", "circuits-store"), ("ApplyImmediately", "true")];
    rds(trial, "ModifyDBInstance", &[&named, changes].concat());
}

fn tag(trial: &Trial, resource: &str) {
    let arn = format!("arn:aws:rds:eu-west-1:123456789012:{resource}");
    rds(
        trial,
        "AddTagsToResource",
        &[("ResourceName", &arn), ("Tags.Tag.1.Key", "by-hand"), ("Tags.Tag.1.Value", "yes")],
    );
}

/// Returns the subnets of the database's group.
fn live_subnets(trial: &Trial) -> [String; 2] {
    let call = Call::new("DescribeDBSubnetGroups").with("DBSubnetGroupName", "circuits-store");
    let answer = trial.account.wait(trial.account.rds.call(&call)).unwrap();
    let group = &answer.list("DescribeDBSubnetGroupsResult/DBSubnetGroups")[0];
    group.texts("Subnets", "SubnetIdentifier").collect::<Vec<_>>().try_into().unwrap()
}

fn subnets(trial: &Trial, description: &str, subnets: &[String; 2]) {
    rds(
        trial,
        "ModifyDBSubnetGroup",
        &[
            ("DBSubnetGroupName", "circuits-store"),
            ("DBSubnetGroupDescription", description),
            ("SubnetIds.SubnetIdentifier.1", &subnets[0]),
            ("SubnetIds.SubnetIdentifier.2", &subnets[1]),
        ],
    );
}

fn parameter(trial: &Trial, action: &'static str, of: &[(&str, &str)]) {
    let named = of.iter().map(|(key, value)| (format!("Parameters.Parameter.1.{key}"), (*value).to_owned()));
    let named: Vec<(String, String)> = named.collect();
    let mut all =
        vec![("DBParameterGroupName", "circuits-store-mysql8-4"), ("Parameters.Parameter.1.ApplyMethod", "immediate")];
    all.extend(named.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    rds(trial, action, &all);
}
