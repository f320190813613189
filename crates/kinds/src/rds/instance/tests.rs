//! Tests of databases with answers of RDS's reference.

use std::collections::BTreeSet;

use super::*;

/// The answer in RDS's API reference, `DescribeDBInstances`, as in `whole.shape`, with one text in another's place.
fn recorded(from: &str, to: &str) -> Settings {
    let answer = include_str!("../../../tests/shapes/database/whole.shape");
    let answer = answer.split_once("== rds.DescribeDBInstances 200\n").unwrap().1;
    assert!(from.is_empty() || answer.contains(from), "{from}");
    let answer = answer.replacen(from, to, usize::from(!from.is_empty()));
    let answer = Element::read(answer.split("\n== ").next().unwrap()).unwrap();
    wire::settings(&answer.list("DescribeDBInstancesResult/DBInstances")[0]).unwrap()
}

fn settings() -> Settings {
    Settings { version: "8.4".to_owned(), ..recorded("", "") }
}

#[test]
fn one_real_change_is_seen() {
    use engine::Kind as _;
    let plain = Kind::tree(&recorded("", "").into());
    for (from, to, field) in [
        ("<Engine>mysql<", "<Engine>mariadb<", "engine"),
        ("<DBName>items<", "<DBName>other<", "name"),
        ("<MasterUsername>keeper<", "<MasterUsername>other<", "user"),
        ("<DBSubnetGroupName>circuits-store<", "<DBSubnetGroupName>other<", "subnet_group"),
        ("<StorageEncrypted>true<", "<StorageEncrypted>false<", "is_encrypted"),
        ("key/1b2c<", "key/other<", "kms_key"),
        ("<DBInstanceStatus>available<", "<DBInstanceStatus>creating<", "is_made"),
    ] {
        let changed = Kind::tree(&recorded(from, to).into());
        let paths: Vec<String> = engine::differences(&changed, &plain).into_iter().map(|one| one.path).collect();
        assert_eq!(paths, [field]);
    }
}

#[test]
fn what_waits_counts_as_done_and_is_told() {
    let pending = "<PendingModifiedValues><DBInstanceClass>db.t4g.small</DBInstanceClass><AllocatedStorage>40</AllocatedStorage><Port>3307</Port></PendingModifiedValues>";
    let waiting = recorded("<PendingModifiedValues/>", pending);
    assert_eq!((waiting.class.as_str(), waiting.storage, waiting.port), ("db.t4g.small", 40, 3307));
    assert!(matches!(Instance::condition(&waiting), Condition::Pending(why) if why.contains("maintenance window")));
    assert_eq!(Instance::condition(&recorded("", "")), Condition::Well);
    for (from, to, words) in [
        (">available<", ">storage-full<", "disk is full"),
        (">available<", ">incompatible-network<", "subnets"),
        (">available<", ">creating<", "has made it"),
        (">available<", ">stopped<", "seven days"),
        (">in-sync<", ">pending-reboot<", "restarts it"),
    ] {
        let told = format!("{:?}", Instance::condition(&recorded(from, to)));
        assert!(told.contains(words), "{to}: {told}");
    }
}

#[test]
fn what_aws_does_by_itself_is_no_difference() {
    for (declared, live, kept, desired) in [
        ("8.4", "8.4.9", 0, "8.4.9"),
        ("8.4.8", "8.4.9", 1, "8.4.9"),
        ("8.4.9", "8.4.10", 1, "8.4.10"),
        ("8.4", "8.0.45", 0, "8.4"),
        ("8.0", "8.4.9", 1, "8.4.9"),
        ("8.4.1", "8.4.11", 1, "8.4.11"),
    ] {
        let mut wanted = Settings { version: declared.to_owned(), kms_key: None, backup_window: None, ..settings() };
        let live = Settings { version: live.to_owned(), ..settings() };
        assert_eq!(Instance::keep_protections(&mut wanted, &live).len(), kept, "{declared}");
        assert_eq!((wanted.version.as_str(), &wanted.kms_key), (desired, &live.kms_key), "{declared}");
        assert_eq!(wanted.backup_window, live.backup_window);
    }
    let mut wanted = settings();
    let live = Settings { storage: 200, version: "8.4.9".to_owned(), ..settings() };
    assert_eq!(Instance::keep_protections(&mut wanted, &live).len(), 1);
    assert_eq!(wanted.storage, 200);
}

#[test]
fn a_change_sends_what_differs_and_nothing_else() {
    let of = |live: Settings| {
        let call = wire::modify("store", &settings(), &live)?;
        let sent = call.parameters().map(|(key, value)| format!("{key}={value}"));
        Some(sent.skip(2).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(of(settings()), None);
    let sent = |live: Settings| of(live).unwrap();
    assert_eq!(sent(Settings { class: "db.t3.micro".to_owned(), ..settings() }), "DBInstanceClass=db.t4g.micro");
    assert_eq!(sent(Settings { port: 3307, ..settings() }), "DBPortNumber=3306");
    assert_eq!(sent(Settings { managed_password: false, ..settings() }), "ManageMasterUserPassword=true");
    assert_eq!(
        sent(Settings { version: "8.0.45".to_owned(), ..settings() }),
        "EngineVersion=8.4 AllowMajorVersionUpgrade=true"
    );
    let other = Settings { security_groups: BTreeSet::from(["sg-1".to_owned()]), ..settings() };
    assert_eq!(sent(other), "VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-0a1b2c3d");
}

#[test]
fn it_is_made_as_nobody_would_find_it_open() {
    let call = wire::create("store", &settings());
    let sent: std::collections::BTreeMap<&str, &str> = call.parameters().collect();
    for (parameter, value) in [
        ("ManageMasterUserPassword", "true"),
        ("EngineLifecycleSupport", "open-source-rds-extended-support-disabled"),
        ("PubliclyAccessible", "false"),
        ("StorageEncrypted", "true"),
        ("StorageType", "gp3"),
        ("DeletionProtection", "true"),
        ("CopyTagsToSnapshot", "true"),
        ("Port", "3306"),
    ] {
        assert_eq!(sent.get(parameter), Some(&value), "{parameter}");
    }
    // AWS makes the password; nobody sends one.
    assert!(!sent.keys().any(|key| *key == "MasterUserPassword"));
}

#[test]
fn a_last_snapshot_is_taken_where_rds_can_take_one() {
    let call = |snapshot| wire::delete("store", snapshot);
    let of =
        |call: &Call, key: &str| call.parameters().find(|(name, _)| *name == key).map(|(_, value)| value.to_owned());
    let (with, without) = (call(Some("store-final-1")), call(None));
    assert_eq!(of(&with, "FinalDBSnapshotIdentifier").as_deref(), Some("store-final-1"));
    assert_eq!((of(&with, "SkipFinalSnapshot"), of(&without, "SkipFinalSnapshot")), (None, Some("true".to_owned())));
    assert_eq!(of(&with, "DeleteAutomatedBackups").as_deref(), Some("false"));
}

#[test]
fn what_stays_of_a_database_is_told_by_its_state() {
    assert!(data("available").contains("a last snapshot stays"));
    for status in WITHOUT_SNAPSHOT {
        assert!(data(status).contains("RDS takes no last snapshot") && data(status).contains(status));
    }
    assert!(ensure_not_stopped("store", "available").is_ok());
    assert!(ensure_not_stopped("store", "stopped").unwrap_err().message.contains("start-db-instance"));
}

#[test]
fn what_restarts_it_or_takes_minutes_is_told_and_nothing_else_is() {
    const RESTARTS: &str = "RDS restarts the database: it is away for some minutes";
    const ENLARGES: &str = "RDS enlarges the disk, and takes no other disk for six hours";
    let told = |change: &dyn Fn(&mut Settings)| {
        let mut desired = settings();
        change(&mut desired);
        Instance::slow(Some(&settings()), &desired).map_or("", |slow| slow.why)
    };
    for (what, change, expected) in [
        ("nothing", (&|_: &mut Settings| ()) as &dyn Fn(&mut Settings), ""),
        ("class", &|it: &mut Settings| it.class.push('x'), RESTARTS),
        ("version", &|it| it.version = "8.5".to_owned(), RESTARTS),
        ("port", &|it| it.port += 1, RESTARTS),
        ("multi_az", &|it| it.multi_az ^= true, RESTARTS),
        ("storage", &|it| it.storage += 1, ENLARGES),
        ("storage_type", &|it| it.storage_type = "io2".to_owned(), ENLARGES),
        ("class and storage", &|it| (it.class, it.storage) = ("db.t4g.large".to_owned(), 99), RESTARTS),
        ("backup_days", &|it| it.backup_days += 1, ""),
        ("deletion_protection", &|it| it.deletion_protection ^= true, ""),
        ("security_groups", &|it| it.security_groups.clear(), ""),
        ("minor_upgrades", &|it| it.minor_upgrades ^= true, ""),
        ("managed_password", &|it| it.managed_password ^= true, ""),
        ("tags", &|it| it.tags.clear(), ""),
    ] {
        assert_eq!(told(change), expected, "{what}");
    }
    // One that is not there, or is not made yet, takes as long as a new one.
    let unmade = Settings { is_made: false, ..settings() };
    for live in [None, Some(&unmade)] {
        assert!(Instance::slow(live, &settings()).is_some_and(|slow| slow.why.contains("first backup")));
    }
}
