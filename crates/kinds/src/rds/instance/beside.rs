//! Parts that others add to a database: copies of its data, ways in, streams and logs. The answer about it has all of them.

use super::{DESCRIBE, Settings, at_work};
use crate::{Session, children::ensure_ended};
use aws::query::{Call, Element};
use engine::{Children, Failure};

/// Field of the databases that have the same data.
const REPLICAS: &str = "read_replicas";
/// Field of the backups that are kept in other regions, too.
const BACKUPS: &str = "backup_copies";
/// Field of the roles by which the database reaches other services.
const ROLES: &str = "roles";
/// Field of the stream that tells what the database is asked.
const STREAM: &str = "activity_stream";
/// Field of the directories whose users may sign in.
const DIRECTORIES: &str = "directories";

/// Returns the region of an ARN.
fn region_of(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or_default()
}

/// Returns what others added, in the answer about a database.
pub(super) fn children(found: &Element) -> Children {
    let mut children = Children::default();
    for list in ["ReadReplicaDBInstanceIdentifiers", "ReadReplicaDBClusterIdentifiers"] {
        for replica in found.texts(list, "") {
            // Only that of another region is told by its ARN.
            let is_elsewhere = replica.starts_with("arn:");
            let name = replica.rsplit(':').next().unwrap_or_default().to_owned();
            children.add(REPLICAS, name, replica, is_elsewhere);
        }
    }
    for arn in found.texts("DBInstanceAutomatedBackupsReplications", "DBInstanceAutomatedBackupsArn") {
        children.add(BACKUPS, region_of(&arn).to_owned(), arn, true);
    }
    for role in found.list("AssociatedRoles") {
        let (arn, feature) = (role.text("RoleArn"), role.text("FeatureName"));
        children.add(ROLES, arn.rsplit('/').next().unwrap_or_default(), format!("{arn} for {feature}"), true);
    }
    if found.text("ActivityStreamStatus").starts_with("start") {
        let stream = found.text("ActivityStreamKinesisStreamName");
        children.add_only(STREAM, Some(format!("to the stream {stream} of Kinesis")), true);
    }
    for directory in found.list("DomainMemberships").iter().filter(|one| one.text("Status") != "removed") {
        children.add(DIRECTORIES, directory.text("Domain"), directory.text("FQDN"), true);
    }
    let options = found.texts("OptionGroupMemberships", "OptionGroupName");
    // Those of AWS are empty.
    for group in options.filter(|group| !group.starts_with("default:")) {
        children.add("options", group.clone(), group, false);
    }
    for log in found.texts("EnabledCloudwatchLogsExports", "") {
        children.add("log_exports", log, "to a log group", false);
    }
    children
}

/// Returns the calls that end what others added and nobody declared. Of copies the stack has no right to end any.
fn ends(name: &str, found: &Element, desired: &Children, live: &Children) -> Vec<Call> {
    let mut calls = Vec::new();
    for role in live.surplus(desired, ROLES) {
        let mut roles = found.list("AssociatedRoles").iter();
        let Some(one) = roles.find(|one| one.text("RoleArn").ends_with(&format!("/{role}"))) else { continue };
        let call = Call::new("RemoveRoleFromDBInstance").with("DBInstanceIdentifier", name);
        calls.push(call.with("RoleArn", one.text("RoleArn")).with("FeatureName", one.text("FeatureName")));
    }
    if live.has_surplus(desired, STREAM) {
        let call = Call::new("StopActivityStream").with("ResourceArn", found.text("DBInstanceArn"));
        calls.push(call.with("ApplyImmediately", "true"));
    }
    if live.has_surplus(desired, DIRECTORIES) {
        let call = Call::new("ModifyDBInstance").with("DBInstanceIdentifier", name);
        calls.push(call.with("DisableDomain", "true").with("ApplyImmediately", "true"));
    }
    calls
}

/// Ends what others added and nobody declared, as far as it is the database's own; RDS is at work on it then.
pub(super) async fn end(
    session: &Session,
    (name, found): (&str, &Element),
    desired: &Settings,
    live: &Settings,
) -> Result<(), Failure> {
    let calls = ends(name, found, &desired.children, &live.children);
    for call in &calls {
        session.aws.write.rds.call(call).await?;
    }
    if calls.is_empty() { Ok(()) } else { Err(at_work(name, "losing what others added")) }
}

/// Fails as long as others copy its data elsewhere: the copy is theirs, and only they end it.
pub(super) fn ensure_not_copied(name: &str, arn: &str, desired: &Settings, live: &Settings) -> Result<(), Failure> {
    let mut commands = Vec::new();
    let surplus = |field: &'static str| live.children.surplus(&desired.children, field);
    for (_, copy, child) in live.children.iter().filter(|(field, ..)| *field == REPLICAS) {
        if surplus(REPLICAS).contains(&copy) {
            let region = region_of(&child.value);
            commands.push(if child.value.contains(":cluster:") {
                format!("aws rds promote-read-replica-db-cluster --region {region} --db-cluster-identifier {copy}")
            } else {
                format!("aws rds promote-read-replica --region {region} --db-instance-identifier {copy}")
            });
        }
    }
    for region in surplus(BACKUPS) {
        commands.push(format!(
            "aws rds stop-db-instance-automated-backups-replication --region {region} --source-db-instance-arn {arn}"
        ));
    }
    ensure_ended(DESCRIBE, &format!("the database `{name}`"), &commands)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts of an answer as in RDS's reference, `DescribeDBInstances`, and in the service's model (botocore 1.44.8).
    const ANSWER: &str = "<DBInstance>
        <DBInstanceArn>arn:aws:rds:eu-west-1:123456789012:db:circuits-store</DBInstanceArn>
        <ReadReplicaDBInstanceIdentifiers>
          <ReadReplicaDBInstanceIdentifier>near</ReadReplicaDBInstanceIdentifier>
          <ReadReplicaDBInstanceIdentifier>arn:aws:rds:us-east-1:123456789012:db:far</ReadReplicaDBInstanceIdentifier>
        </ReadReplicaDBInstanceIdentifiers>
        <ReadReplicaDBClusterIdentifiers>
          <ReadReplicaDBClusterIdentifier>arn:aws:rds:us-east-2:123456789012:cluster:farther</ReadReplicaDBClusterIdentifier>
        </ReadReplicaDBClusterIdentifiers>
        <DBInstanceAutomatedBackupsReplications>
          <DBInstanceAutomatedBackupsReplication>
            <DBInstanceAutomatedBackupsArn>arn:aws:rds:us-west-2:123456789012:auto-backup:ab-0a1b</DBInstanceAutomatedBackupsArn>
          </DBInstanceAutomatedBackupsReplication>
        </DBInstanceAutomatedBackupsReplications>
        <AssociatedRoles>
          <DBInstanceRole>
            <RoleArn>arn:aws:iam::123456789012:role/path/theirs</RoleArn><FeatureName>s3Import</FeatureName><Status>ACTIVE</Status>
          </DBInstanceRole>
        </AssociatedRoles>
        <ActivityStreamStatus>started</ActivityStreamStatus>
        <ActivityStreamKinesisStreamName>aws-rds-das-db-0A1B</ActivityStreamKinesisStreamName>
        <DomainMemberships>
          <DomainMembership><Domain>d-0a1b2c3d4e</Domain><Status>joined</Status><FQDN>corp.example.com</FQDN></DomainMembership>
        </DomainMemberships>
        <OptionGroupMemberships>
          <OptionGroupMembership><OptionGroupName>default:mysql-8-4</OptionGroupName><Status>in-sync</Status></OptionGroupMembership>
          <OptionGroupMembership><OptionGroupName>theirs</OptionGroupName><Status>in-sync</Status></OptionGroupMembership>
        </OptionGroupMemberships>
        <EnabledCloudwatchLogsExports><member>audit</member></EnabledCloudwatchLogsExports>
      </DBInstance>";

    #[test]
    fn copies_in_other_regions_and_ways_in_are_severe() {
        let children = children(&Element::read(ANSWER).unwrap());
        let told: Vec<String> = children
            .iter()
            .map(|(field, name, child)| format!("{field}.{name} {}", if child.is_severe { "severe" } else { "stays" }))
            .collect();
        assert_eq!(
            told,
            [
                "activity_stream. severe",
                "backup_copies.us-west-2 severe",
                "directories.d-0a1b2c3d4e severe",
                "log_exports.audit stays",
                "options.theirs stays",
                "read_replicas.far severe",
                "read_replicas.farther severe",
                "read_replicas.near stays",
                "roles.theirs severe",
            ]
        );
    }

    #[test]
    fn husks_are_no_children() {
        let husks =
            "<DBInstance><ReadReplicaDBInstanceIdentifiers/><ReadReplicaDBClusterIdentifiers/><AssociatedRoles/>
            <ActivityStreamStatus>stopped</ActivityStreamStatus><DomainMemberships/><EnabledCloudwatchLogsExports/>
            <DBInstanceAutomatedBackupsReplications/></DBInstance>";
        assert_eq!(children(&Element::read(husks).unwrap()), Children::default());
    }

    #[test]
    fn what_is_its_own_is_ended_by_a_call_and_copies_by_whoever_made_them() {
        let found = Element::read(ANSWER).unwrap();
        let live = children(&found);
        let calls: Vec<String> = ends("circuits-store", &found, &Children::default(), &live)
            .iter()
            .map(|call| format!("{call:?} {:?}", call.parameters().collect::<Vec<_>>()))
            .collect();
        for (call, parts) in calls.iter().zip([
            ["RemoveRoleFromDBInstance", "role/path/theirs", "s3Import"],
            ["StopActivityStream", "db:circuits-store", "ApplyImmediately"],
            ["ModifyDBInstance", "DisableDomain", "ApplyImmediately"],
        ]) {
            assert!(parts.iter().all(|part| call.contains(part)), "{call}: {parts:?}");
        }
        assert_eq!(calls.len(), 3, "{calls:?}");
        assert!(ends("circuits-store", &found, &live, &live).is_empty());
        let settings = |children: Children| Settings { children, ..<super::super::Instance as crate::Manage>::full() };
        let (none, there) = (settings(Children::default()), settings(live));
        let arn = found.text("DBInstanceArn");
        let words = ensure_not_copied("circuits-store", arn, &none, &there).unwrap_err().message;
        for command in [
            "promote-read-replica --region us-east-1 --db-instance-identifier far`",
            "promote-read-replica-db-cluster --region us-east-2 --db-cluster-identifier farther`",
            "--region us-west-2 --source-db-instance-arn arn:aws:rds:eu-west-1:123456789012:db:circuits-store`",
        ] {
            assert!(words.contains(command), "{command}: {words}");
        }
        assert_eq!(ensure_not_copied("circuits-store", arn, &there, &there), Ok(()));
    }
}
