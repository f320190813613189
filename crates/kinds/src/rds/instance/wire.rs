//! Calls about a database, and the reading of their answers.

use super::{BROKEN, NO_EXTENDED_SUPPORT, Settings, State};
use crate::{Input, documents::lacks, stores::tags_in};
use aws::query::{Call, Element};
use engine::Failure;

/// AWS's word for one that is on its way out.
pub(super) const DELETING: &str = "deleting";
/// AWS's word for one that somebody stopped.
pub(super) const STOPPED: &str = "stopped";
/// AWS's word for one that is not there yet.
const CREATING: &str = "creating";

/// Settings that can be changed: parameter of the call and its value.
type Values = Vec<(&'static str, String)>;

/// Returns what can be changed later by the name of its parameter, without lists.
fn values(settings: &Settings) -> Values {
    let mut values = vec![
        ("EngineVersion", settings.version.clone()),
        ("DBInstanceClass", settings.class.clone()),
        ("AllocatedStorage", settings.storage.to_string()),
        ("StorageType", settings.storage_type.clone()),
        ("ManageMasterUserPassword", settings.managed_password.to_string()),
        ("PubliclyAccessible", settings.is_public.to_string()),
        ("MultiAZ", settings.multi_az.to_string()),
        ("BackupRetentionPeriod", settings.backup_days.to_string()),
        ("DBParameterGroupName", settings.parameter_group.clone()),
        ("AutoMinorVersionUpgrade", settings.minor_upgrades.to_string()),
        ("CopyTagsToSnapshot", settings.tagged_snapshots.to_string()),
        ("DeletionProtection", settings.deletion_protection.to_string()),
        ("EnableIAMDatabaseAuthentication", settings.iam_users.to_string()),
    ];
    values.extend(settings.backup_window.iter().map(|window| ("PreferredBackupWindow", window.clone())));
    values
}

/// Returns the call that makes a database, but for its tags.
pub(super) fn create(name: &str, settings: &Settings) -> Call {
    let call = Call::new("CreateDBInstance")
        .with("DBInstanceIdentifier", name)
        .with("Engine", &settings.engine)
        .with("EngineLifecycleSupport", NO_EXTENDED_SUPPORT)
        .with("MasterUsername", &settings.user)
        .with("DBSubnetGroupName", &settings.subnet_group)
        .with("Port", settings.port.to_string())
        .with("StorageEncrypted", settings.is_encrypted.to_string())
        .list("VpcSecurityGroupIds.VpcSecurityGroupId", &settings.security_groups);
    let given = [("DBName", settings.name.as_ref()), ("KmsKeyId", settings.kms_key.as_ref())];
    let given = given.into_iter().filter_map(|(parameter, value)| Some((parameter, value?.clone())));
    given.chain(values(settings)).fold(call, |call, (parameter, value)| call.with(parameter, value))
}

/// Returns the call that changes what differs; `None` if nothing of it does.
pub(super) fn modify(name: &str, desired: &Settings, live: &Settings) -> Option<Call> {
    let (wanted, there) = (values(desired), values(live));
    let mut changed: Values = wanted.into_iter().filter(|pair| !there.contains(pair)).collect();
    // It is called otherwise than where a database is made.
    changed.extend((desired.port != live.port).then(|| ("DBPortNumber", desired.port.to_string())));
    let is_major = |text: &str| super::version(text).into_iter().take(2).collect::<Vec<_>>();
    if is_major(&desired.version) != is_major(&live.version) {
        changed.push(("AllowMajorVersionUpgrade", true.to_string()));
    }
    let has_other_groups = desired.security_groups != live.security_groups;
    if changed.is_empty() && !has_other_groups {
        return None;
    }
    let call = Call::new("ModifyDBInstance").with("DBInstanceIdentifier", name).with("ApplyImmediately", "true");
    let call = changed.into_iter().fold(call, |call, (parameter, value)| call.with(parameter, value));
    if has_other_groups {
        return Some(call.list("VpcSecurityGroupIds.VpcSecurityGroupId", &desired.security_groups));
    }
    Some(call)
}

/// Returns the call that deletes a database, with its last snapshot. Its automatic backups stay for as long as they would have.
pub(super) fn delete(name: &str, snapshot: Option<&str>) -> Call {
    let call = Call::new("DeleteDBInstance").with("DBInstanceIdentifier", name).with("DeleteAutomatedBackups", "false");
    match snapshot {
        Some(snapshot) => call.with("FinalDBSnapshotIdentifier", snapshot),
        None => call.with("SkipFinalSnapshot", "true"),
    }
}

/// Returns the settings of a database, with what waits in place of what is.
pub(super) fn settings(found: &Element) -> Result<Settings, Failure> {
    let pending =
        |name: &str| Some(found.text(&format!("PendingModifiedValues/{name}"))).filter(|text| !text.is_empty());
    let text = |name: &str| pending(name).unwrap_or_else(|| found.text(name)).to_owned();
    let given = |name: &str| Some(found.text(name).to_owned()).filter(|text| !text.is_empty());
    let is = |name: &str| text(name) == "true";
    let number = |name: &'static str| text(name).parse().map_err(|_| lacks(super::DESCRIBE, name));
    let port = pending("Port").or(Some(found.text("Endpoint/Port"))).filter(|port| !port.is_empty());
    // While it is made it has no endpoint.
    let port = port.unwrap_or_else(|| found.text("DbInstancePort")).parse().unwrap_or(super::MYSQL_PORT);
    let group = |list: &str, name: &str| found.list(list).first().map(|one| one.text(name).to_owned());
    // A group that is being taken away is one no longer.
    let groups = found.list("VpcSecurityGroups").iter().filter(|group| group.text("Status") != "removing");
    Ok(Settings {
        engine: found.text("Engine").to_ascii_lowercase(),
        version: text("EngineVersion"),
        class: text("DBInstanceClass"),
        storage: number("AllocatedStorage")?,
        storage_type: text("StorageType"),
        name: given("DBName"),
        user: found.text("MasterUsername").to_owned(),
        // Without one the answer has a husk, or nothing.
        managed_password: found.at("MasterUserSecret/SecretArn").is_some_and(|secret| !secret.text.is_empty()),
        subnet_group: found.text("DBSubnetGroup/DBSubnetGroupName").to_owned(),
        security_groups: groups.map(|group| group.text("VpcSecurityGroupId").to_owned()).collect(),
        is_public: is("PubliclyAccessible"),
        multi_az: is("MultiAZ"),
        port,
        is_encrypted: is("StorageEncrypted"),
        kms_key: given("KmsKeyId"),
        backup_days: number("BackupRetentionPeriod")?,
        backup_window: given("PreferredBackupWindow").map(|window| window.to_ascii_lowercase()),
        parameter_group: group("DBParameterGroups", "DBParameterGroupName").unwrap_or_default(),
        minor_upgrades: is("AutoMinorVersionUpgrade"),
        tagged_snapshots: is("CopyTagsToSnapshot"),
        deletion_protection: is("DeletionProtection"),
        iam_users: is("IAMDatabaseAuthenticationEnabled"),
        is_made: found.text("DBInstanceStatus") != CREATING,
        state: Input(state(found)),
        tags: tags_in(found.list("TagList")),
        children: super::beside::children(found),
    })
}

/// Returns `true` if a database takes changes, and none waits or is under way.
pub(super) fn is_settled(found: &Element) -> bool {
    super::USABLE.contains(&found.text("DBInstanceStatus")) && found.list("PendingModifiedValues").is_empty()
}

/// Returns what AWS tells of a database beside its settings.
fn state(found: &Element) -> State {
    let status = found.text("DBInstanceStatus");
    let is_restarted = |group: &Element| group.text("ParameterApplyStatus") == "pending-reboot";
    let waits = match status {
        CREATING => Some("waits until RDS has made it"),
        STOPPED => Some("somebody stopped it: its disk is paid for, and it starts by itself after seven days"),
        "stopping" | "starting" | "rebooting" => Some("somebody starts or stops it"),
        "modifying" | "upgrading" | "maintenance" | "configuring-enhanced-monitoring" => {
            Some("waits until RDS has changed it")
        }
        _ if !found.list("PendingModifiedValues").is_empty() => {
            Some("a change waits for its maintenance window, or is under way")
        }
        _ if found.list("DBParameterGroups").iter().any(is_restarted) => {
            Some("other parameters wait until somebody restarts it: `aws rds reboot-db-instance`")
        }
        _ => None,
    };
    let broken = BROKEN.iter().find(|(state, _)| *state == status).map(|(_, why)| *why);
    State { broken, waits }
}
