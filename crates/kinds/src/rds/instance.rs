//! Databases: MySQL on machines that AWS runs, reached inside their VPC alone. One takes a quarter of an hour to be made, and so does its
//! end with a last snapshot.

mod beside;
mod settings;
mod wire;

use std::time::{Duration, SystemTime};

pub use settings::{Settings, State};

use super::write_tags;
use crate::{
    Condition, Kind, Manage, Session, ec2,
    identity::{Identity, Naming, Output},
    rights::{Right, Target, deletes, reads, writes},
    stores::{covers_version, last_snapshot, not_yet, tags_in, with_tags},
};
use aws::{
    ArnForm,
    query::{Call, Element},
};
use engine::{
    Address, Children, Class, Failure, Field, Holds, Life, Live, Owned, Owner, Protection, Slow, Tags, depends,
    immutable, plain, severe, stays,
};

/// The kind of databases, which RDS calls instances.
#[derive(Debug)]
pub struct Instance;

/// Types of disk: the one of today, with 3,000 operations a second.
pub const GP3: &str = "gp3";
/// Default TCP port of MySQL.
pub const MYSQL_PORT: u16 = 3306;
/// RDS's word for no extended support: a version whose standard support ends is not paid for at a multiple of its price unasked.
const NO_EXTENDED_SUPPORT: &str = "open-source-rds-extended-support-disabled";

/// States in which a database takes changes (RDS's guide, "Viewing DB instance status"): a backup or the last of an enlarged disk does
/// not keep it.
const USABLE: &[&str] = &["available", "storage-optimization", "storage-full", "backing-up"];
/// States from which only somebody brings it back, and what each means.
const BROKEN: &[(&str, &str)] = &[
    ("failed", "AWS could not make it or bring it back"),
    ("inaccessible-encryption-credentials", "its KMS key cannot be used"),
    ("incompatible-create", "AWS could not make it: its settings do not fit together"),
    ("incompatible-network", "its subnets have no free address, or are gone"),
    ("incompatible-option-group", "its options do not fit its version"),
    ("incompatible-parameters", "its parameters do not fit its class: it cannot start"),
    ("incompatible-restore", "AWS could not bring it back to that time"),
    ("insufficient-capacity", "AWS has no machine of its class there now"),
    ("restore-error", "AWS could not bring it back"),
    ("storage-full", "its disk is full: give it more `storage`"),
];
/// States in which there is nothing to take a last snapshot of: RDS refuses one (botocore 1.44.8, `DeleteDBInstance`).
const WITHOUT_SNAPSHOT: &[&str] = &["failed", "incompatible-restore", "incompatible-network"];

/// AWS makes one in some 8 minutes, as measured by others; its guide says 15 to 20.
const MAKING: Slow = Slow { seconds: 1200, why: "RDS makes the machine, its disk and its first backup" };
/// Another class or version: measured by others at up to 20 minutes.
const RESTARTING: Slow = Slow { seconds: 1200, why: "RDS restarts the database: it is away for some minutes" };
/// Time for a larger disk.
const ENLARGING: Slow = Slow { seconds: 1200, why: "RDS enlarges the disk, and takes no other disk for six hours" };
/// The end, with a last snapshot: 900 to 950 s, as measured by others.
pub(super) const ENDING: Slow = Slow { seconds: 1200, why: "RDS takes a last snapshot" };

const DESCRIBE: &str = "rds.DescribeDBInstances";

fn arn(session: &Session, name: &str) -> String {
    IDENTITY.arn_of(&session.aws.realm, &session.stack, name)
}

/// Returns what AWS tells of a database; `None` if there is none.
pub(crate) async fn describe(session: &Session, name: &str) -> Result<Option<Element>, Failure> {
    let call = Call::new("DescribeDBInstances").with("DBInstanceIdentifier", name);
    let answer = session.aws.read.rds.find(&call).await?;
    let found = answer.map(|answer| answer.list("DescribeDBInstancesResult/DBInstances").to_vec()).unwrap_or_default();
    Ok(found.into_iter().find(|one| one.text("DBInstanceIdentifier") == name))
}

/// Returns that AWS is at it, for another attempt.
fn at_work(name: &str, status: &str) -> Failure {
    Failure::found(DESCRIBE, Class::InProgress, format!("the database `{name}` is {status}"))
}

/// Returns the parts of a version: `8.4.9` is `[8, 4, 9]`. What is no number ends it, as in `8.0.45-rds.20251212`.
fn version(text: &str) -> Vec<u32> {
    text.split(['.', '-']).map_while(|part| part.parse().ok()).collect()
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    section: Some("databases"),
    arn: Some(ArnForm("rds:{region}:{account}:db:{name}")),
    naming: Naming::SingleHyphens,
    output: Output::Name,
    ..Identity::implied("database", "Databases", 63)
};

impl Manage for Instance {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        immutable("engine", "RDS cannot change the engine of a database"),
        plain("version").with_life(Life::Unrelated),
        plain("class"),
        plain("storage"),
        plain("storage_type"),
        immutable("name", "RDS makes a schema together with the database"),
        immutable("user", "RDS cannot rename the user of a database"),
        plain("managed_password"),
        immutable("subnet_group", "RDS cannot move a database to other subnets"),
        plain("security_groups"),
        plain("is_public"),
        plain("multi_az"),
        plain("port"),
        immutable("is_encrypted", "RDS encrypts a disk when it makes it"),
        immutable("kms_key", "RDS cannot change the key of a disk"),
        plain("backup_days").with_life(Life::Recovers),
        plain("backup_window").with_life(Life::Unrelated),
        plain("parameter_group"),
        plain("minor_upgrades"),
        plain("tagged_snapshots"),
        plain("deletion_protection").with_life(Life::Keeps),
        plain("iam_users"),
        plain("is_made"),
        plain("tags.*"),
        depends("read_replicas.*", "a database that has the same data"),
        severe("backup_copies.*", "its backups are kept in another region, too"),
        severe("roles.*", "a role by which the database reaches another service"),
        severe("activity_stream", "what the database is asked goes to a stream of Kinesis"),
        severe("directories.*", "users of a directory may sign in"),
        stays("options.*", "a group of options of the database"),
        stays("log_exports.*", "a log of the database that goes to CloudWatch Logs"),
    ];

    const HOLDS: Holds = Holds::Lasting;

    const REFERS_TO: &'static [Kind] = &[Kind::DatabaseSubnets, Kind::DatabaseParameters, Kind::SecurityGroup];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Own(Kind::Database), &["rds:DescribeDBInstances"]),
        writes(
            Target::Own(Kind::Database),
            &[
                "rds:AddTagsToResource",
                "rds:CreateDBInstance",
                "rds:ModifyDBInstance",
                "rds:RemoveRoleFromDBInstance",
                "rds:RemoveTagsFromResource",
                "rds:StopActivityStream",
            ],
        ),
        // It is made in its groups, and changed to others.
        writes(Target::Own(Kind::DatabaseSubnets), &["rds:CreateDBInstance"]),
        writes(Target::Own(Kind::DatabaseParameters), &["rds:CreateDBInstance", "rds:ModifyDBInstance"]),
        // RDS looks at the network, and makes the secret, by the rights of whoever makes a database.
        writes(Target::Everything, &["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"]),
        writes(Target::DatabaseSecrets, &["secretsmanager:CreateSecret", "secretsmanager:TagResource"]),
        writes(Target::DatabaseOptions, &["rds:CreateDBInstance"]),
        writes(Target::DatabaseRole, &["iam:CreateServiceLinkedRole"]),
        deletes(Target::Own(Kind::Database), &["rds:DeleteDBInstance", "rds:ModifyDBInstance"]),
        deletes(Target::LastSnapshots(Kind::Database), &["rds:AddTagsToResource", "rds:CreateDBSnapshot"]),
    ];

    const INTERRUPTION: Option<Duration> = Some(Duration::from_mins(30));

    const ENDS_IN: Option<Slow> = Some(ENDING);

    fn slow(live: Option<&Settings>, desired: &Settings) -> Option<Slow> {
        let Some(live) = live.filter(|live| live.is_made) else { return Some(MAKING) };
        let restarts = |one: &Settings| (one.class.clone(), one.version.clone(), one.port, one.multi_az);
        if restarts(live) != restarts(desired) {
            return Some(RESTARTING);
        }
        let disk = |one: &Settings| (one.storage, one.storage_type.clone());
        (disk(live) != disk(desired)).then_some(ENLARGING)
    }

    fn condition(live: &Settings) -> Condition {
        match (live.state.broken, live.state.waits) {
            (Some(why), _) => Condition::Failed(why.to_owned()),
            (None, Some(why)) => Condition::Pending(why.to_owned()),
            (None, None) => Condition::Well,
        }
    }

    #[cfg(test)]
    fn full() -> Settings {
        use crate::{
            Input,
            registered::{tags, text, texts},
        };
        Settings {
            engine: text(),
            version: text(),
            class: text(),
            storage: 20,
            storage_type: text(),
            name: Some(text()),
            user: text(),
            managed_password: true,
            subnet_group: text(),
            security_groups: texts(),
            is_public: true,
            multi_az: true,
            port: 1,
            is_encrypted: true,
            kms_key: Some(text()),
            backup_days: 7,
            backup_window: Some(text()),
            parameter_group: text(),
            minor_upgrades: true,
            tagged_snapshots: true,
            deletion_protection: true,
            iam_users: true,
            is_made: true,
            state: Input::default(),
            tags: tags(),
            children: Children::one_in_each(Self::FIELDS),
        }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let Some(found) = describe(session, &address.name).await? else { return Ok(None) };
        if found.text("DBInstanceStatus") == wire::DELETING {
            return Ok(None);
        }
        let mut settings = wire::settings(&found)?;
        settings.security_groups = ec2::without_ids(session, &settings.security_groups).await?;
        settings.is_made &= !session.databases.goes_on(&address.name, wire::is_settled(&found));
        // A database of ours is created with its tags, so that an untagged one is somebody else's.
        let owner = Owner::of(&settings.tags, &session.stack, true);
        Ok(Some(Live { settings, owner }))
    }

    /// Keeps what AWS does not change back: a larger disk, the key of the disk, the time that AWS chose for backups, and a later version, to
    /// which AWS upgrades databases by itself.
    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        if desired.kms_key.is_none() {
            desired.kms_key.clone_from(&live.kms_key);
        }
        if desired.backup_window.is_none() {
            desired.backup_window.clone_from(&live.backup_window);
        }
        let mut kept = Vec::new();
        if live.storage > desired.storage {
            desired.storage = live.storage;
            kept.push(Protection::new("storage", live.storage.to_string(), "disks of databases never shrink"));
        }
        if covers_version(&desired.version, &live.version) {
            desired.version.clone_from(&live.version);
        } else if version(&live.version) > version(&desired.version) {
            desired.version.clone_from(&live.version);
            let why = "AWS brings databases to later versions, and none back";
            kept.push(Protection::new("version", &live.version, why));
        }
        kept
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    fn children(settings: &mut Settings) -> Option<&mut Children> {
        Some(&mut settings.children)
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let name = &address.name;
        let call = with_tags(wire::create(name, &resolve_groups(session, desired).await?), &desired.tags);
        match session.aws.write.rds.call(&call).await {
            // A database that is being deleted has its name for some minutes.
            Err(failure) if failure.class == Class::Exists => match describe(session, name).await? {
                Some(found) if found.text("DBInstanceStatus") == wire::DELETING => Err(at_work(name, wire::DELETING)),
                _ => Err(failure),
            },
            Err(failure) => Err(not_yet(failure)),
            Ok(_) => Err(at_work(name, "creating")),
        }
    }

    /// Changes the settings that differ, and sends no others: RDS leaves settings that a call does not have, and one that is sent again may restart the
    /// database. The call applies its changes immediately, and with them those that somebody else left to the maintenance window.
    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let name = &address.name;
        let gone = || Failure::found(DESCRIBE, Class::NotFound, format!("there is no database `{name}`"));
        let found = describe(session, name).await?.ok_or_else(gone)?;
        write_tags(session, &arn(session, name), &desired.tags, &live.tags).await?;
        let status = found.text("DBInstanceStatus");
        if let Some((_, why)) = BROKEN.iter().find(|(state, _)| *state == status && !USABLE.contains(state)) {
            let words = format!("the database `{name}` is {status}: {why}; see its events in the console of RDS");
            return Err(Failure::found(DESCRIBE, Class::Other, words));
        }
        ensure_not_stopped(name, status)?;
        if !USABLE.contains(&status) {
            return Err(at_work(name, status));
        }
        beside::end(session, (name, &found), desired, live).await?;
        let (wanted, there) = (resolve_groups(session, desired).await?, resolve_groups(session, live).await?);
        let ensure_not_copied = || beside::ensure_not_copied(name, found.text("DBInstanceArn"), desired, live);
        let Some(call) = wire::modify(name, &wanted, &there) else {
            // It is called usable for some seconds before RDS begins.
            return if wire::is_settled(&found) { ensure_not_copied() } else { Err(at_work(name, "modifying")) };
        };
        session.aws.write.rds.call(&call).await.map_err(not_yet)?;
        if Self::slow(Some(live), desired).is_none() {
            return ensure_not_copied();
        }
        session.databases.begin(name);
        Err(at_work(name, "modifying"))
    }

    /// Deletes a database. The caller has agreed to lose its data, so that the protection goes first. A last snapshot stays.
    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let name = &address.name;
        let found = match describe(session, name).await {
            Err(failure) if failure.class == Class::Denied && session.databases.ends(name) => return Ok(()),
            found => found?,
        };
        let Some(found) = found else { return Ok(()) };
        let status = found.text("DBInstanceStatus");
        if status == wire::DELETING {
            session.databases.end(name);
            return Err(at_work(name, status));
        }
        if found.is("DeletionProtection") {
            ensure_not_stopped(name, status)?;
            let call = Call::new("ModifyDBInstance")
                .with("DBInstanceIdentifier", name)
                .with("ApplyImmediately", "true")
                .with("DeletionProtection", "false");
            session.aws.write.rds.call(&call).await?;
            // RDS may refuse the deletion for some seconds more: the next attempt reads again.
            return Err(at_work(name, "losing its protection"));
        }
        let snapshot = can_be_snapshotted(status).then(|| last_snapshot(name, SystemTime::now()));
        if snapshot.is_none() {
            session.databases.ensure_agreed(DESCRIBE, name, status)?;
        }
        session.aws.write.rds.find(&wire::delete(name, snapshot.as_deref())).await?;
        session.databases.end(name);
        match describe(session, name).await {
            // Of a database that is no longer declared the tags give the rights, and of one that is gone IAM knows none.
            Err(failure) if failure.class == Class::Denied => Ok(()),
            Ok(None) => Ok(()),
            Ok(Some(found)) => Err(at_work(name, found.text("DBInstanceStatus"))),
            Err(failure) => Err(failure),
        }
    }

    /// Returns that it may hold something: nobody but its users may read it.
    async fn holds_data(session: &Session, address: &Address) -> Result<Option<String>, Failure> {
        let name = &address.name;
        Ok(describe(session, name).await?.map(|found| {
            let status = found.text("DBInstanceStatus");
            session.databases.tell(name, can_be_snapshotted(status));
            data(status)
        }))
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let mut owned = Vec::new();
        for name in session.indexed(Kind::Database)? {
            let tags = match describe(session, &name).await {
                // The index is behind.
                Ok(None) => continue,
                Ok(Some(found)) if found.text("DBInstanceStatus") == wire::DELETING => continue,
                found => found.map(|found| found.map(|found| tags_in(found.list("TagList")))),
            };
            owned.extend(session.owned(Kind::Database, &name, tags)?);
        }
        Ok(owned)
    }
}

/// Fails for a database that somebody stopped: it takes no change.
fn ensure_not_stopped(name: &str, status: &str) -> Result<(), Failure> {
    if status != wire::STOPPED {
        return Ok(());
    }
    let words = format!(
        "the database `{name}` is stopped, and takes no change: `aws rds start-db-instance --db-instance-identifier {name}`"
    );
    Err(Failure::found(DESCRIBE, Class::Other, words))
}

/// Returns what a database holds, and what stays of it when it is deleted in this state.
fn data(status: &str) -> String {
    if can_be_snapshotted(status) {
        return "its data, of which a last snapshot stays and is paid for".to_owned();
    }
    format!("its data, of which RDS takes no last snapshot: it is {status}")
}

/// Returns `true` if RDS can take a last snapshot of a database in this state.
fn can_be_snapshotted(status: &str) -> bool {
    !WITHOUT_SNAPSHOT.contains(&status)
}

/// Replaces the placeholders of security groups in settings by their ids. The result is for calls.
async fn resolve_groups(session: &Session, settings: &Settings) -> Result<Settings, Failure> {
    Ok(Settings { security_groups: ec2::with_set(session, &settings.security_groups).await?, ..settings.clone() })
}

#[cfg(test)]
mod tests;
