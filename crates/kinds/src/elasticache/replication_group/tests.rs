//! Tests of caches with answers of `ElastiCache`'s reference.

use std::collections::BTreeSet;

use aws::query::Call;
use contract::secret::Secret;

use super::*;
use crate::Input;

const WHOLE: &str = include_str!("../../../tests/shapes/cache/whole.shape");

/// The answers in `ElastiCache`'s API reference, as in `whole.shape`, with one text in another's place.
fn recorded(from: &str, to: &str) -> Settings {
    assert!(from.is_empty() || WHOLE.contains(from), "{from}");
    let answers = WHOLE.replacen(from, to, usize::from(!from.is_empty()));
    let answer = |call: &str| {
        let (_, body) = answers.split_once(&format!("== elasticache.{call} 200\n")).unwrap();
        Element::read(body.split("\n== ").next().unwrap()).unwrap()
    };
    let (groups, nodes) = (answer("DescribeReplicationGroups"), answer("DescribeCacheClusters"));
    let group = &groups.list("DescribeReplicationGroupsResult/ReplicationGroups")[0];
    let node = &nodes.list("DescribeCacheClustersResult/CacheClusters")[0];
    wire::settings(group, node, Tags::new()).unwrap()
}

fn settings() -> Settings {
    Settings { version: "8.2".to_owned(), ..recorded("", "") }
}

#[test]
fn one_real_change_is_seen() {
    use engine::Kind as _;
    let plain = Kind::tree(&recorded("", "").into());
    for (from, to, field) in [
        ("<Port>6379<", "<Port>6380<", "port"),
        ("<CacheSubnetGroupName>circuits-seen<", "<CacheSubnetGroupName>other<", "subnet_group"),
        ("<AtRestEncryptionEnabled>true<", "<AtRestEncryptionEnabled>false<", "is_encrypted"),
        ("key/1b2c<", "key/other<", "kms_key"),
        ("<Status>available<", "<Status>creating<", "is_made"),
        ("<TransitEncryptionEnabled>true<", "<TransitEncryptionEnabled>false<", "tls"),
    ] {
        let changed = Kind::tree(&recorded(from, to).into());
        let paths: Vec<String> = engine::differences(&changed, &plain).into_iter().map(|one| one.path).collect();
        assert_eq!(paths, [field]);
    }
}

#[test]
fn what_waits_counts_as_done_and_is_told() {
    let pending = "<PendingModifiedValues><TransitEncryptionMode>preferred</TransitEncryptionMode><AutomaticFailoverStatus>disabled</AutomaticFailoverStatus></PendingModifiedValues>";
    let waiting = recorded("<PendingModifiedValues/>", pending);
    assert_eq!((waiting.tls.as_str(), waiting.failover), ("preferred", false));
    assert!(
        matches!(ReplicationGroup::condition(&waiting), Condition::Pending(why) if why.contains("maintenance window"))
    );
    assert_eq!(ReplicationGroup::under_way(&waiting), None);
    assert_eq!(ReplicationGroup::condition(&recorded("", "")), Condition::Well);
    for (from, to, words, is_under_way) in [
        ("<Status>available<", "<Status>creating<", "has made it", true),
        ("<Status>available<", "<Status>modifying<", "has changed it", true),
        ("<Status>available<", "<Status>snapshotting<", "snapshot", true),
        ("<Status>available<", "<Status>create-failed<", "could not make it", false),
        (">in-sync<", ">pending-reboot<", "restarts it", false),
        ("<CacheClusterStatus>available<", "<CacheClusterStatus>incompatible-network<", "no free address", false),
    ] {
        let seen = recorded(from, to);
        let told = format!("{:?}", ReplicationGroup::condition(&seen));
        assert!(told.contains(words), "{to}: {told}");
        assert_eq!(ReplicationGroup::under_way(&seen).is_some(), is_under_way, "{to}");
    }
}

#[test]
fn what_aws_does_by_itself_is_no_difference() {
    let of = |engine: &str, version: &str| Settings {
        engine: engine.to_owned(),
        version: version.to_owned(),
        parameter_group: format!("default.{engine}{}", version.split('.').next().unwrap()),
        ..settings()
    };
    for (declared, live, kept, desired) in [
        (("valkey", "8.2"), ("valkey", "8.2.1"), None, ("valkey", "8.2.1")),
        (("valkey", "8.2"), ("valkey", "9.1.0"), Some("version"), ("valkey", "9.1.0")),
        (("valkey", "8.2"), ("valkey", "8.1.0"), None, ("valkey", "8.2")),
        (("valkey", "8.2"), ("redis", "7.1.0"), None, ("valkey", "8.2")),
        (("redis", "7.1"), ("valkey", "8.0.0"), Some("engine"), ("valkey", "8.0.0")),
        (("redis", "7.1"), ("redis", "7.0.4"), None, ("redis", "7.1")),
        (("valkey", "8.2"), ("valkey", "8.20.0"), Some("version"), ("valkey", "8.20.0")),
    ] {
        let mut wanted = Settings { kms_key: None, snapshot_window: None, ..of(declared.0, declared.1) };
        let live = of(live.0, live.1);
        let protections = ReplicationGroup::keep_protections(&mut wanted, &live);
        assert_eq!(protections.first().map(|one| one.path.as_str()), kept, "{declared:?}");
        assert_eq!((wanted.engine.as_str(), wanted.version.as_str()), desired, "{declared:?}");
        assert_eq!(wanted.parameter_group, of(desired.0, desired.1).parameter_group, "{declared:?}");
        assert_eq!((&wanted.kms_key, &wanted.snapshot_window), (&live.kms_key, &live.snapshot_window));
    }
}

/// Returns what the next call sends, without what every such call does; `None` if there is none.
fn next(desired: &Settings, live: &Settings) -> Option<String> {
    match wire::next("seen", desired, live)? {
        wire::Change::Password => Some("password".to_owned()),
        wire::Change::Call(call) => {
            let sent = call.parameters().filter(|(key, _)| !["ReplicationGroupId", "ApplyImmediately"].contains(key));
            Some(sent.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" "))
        }
    }
}

#[test]
fn a_change_sends_what_differs_and_nothing_else() {
    let desired = settings();
    assert_eq!(next(&desired, &settings()), None);
    let sent = |live: Settings| next(&desired, &live).unwrap();
    assert_eq!(sent(Settings { node: "cache.t3.micro".to_owned(), ..settings() }), "CacheNodeType=cache.t4g.micro");
    assert_eq!(sent(Settings { snapshot_days: 1, ..settings() }), "SnapshotRetentionLimit=7");
    assert_eq!(sent(Settings { has_password: false, ..settings() }), "password");
    let others = Settings { user_groups: BTreeSet::from(["others".to_owned()]), ..settings() };
    assert_eq!(sent(others), "password");
    // An upgrade names all that belongs together.
    assert_eq!(
        sent(Settings { version: "7.2.4".to_owned(), parameter_group: "default.valkey7".to_owned(), ..settings() }),
        "Engine=valkey EngineVersion=8.2 CacheParameterGroupName=default.valkey8"
    );
    let other = Settings { security_groups: BTreeSet::from(["sg-1".to_owned()]), ..settings() };
    assert_eq!(sent(other), "SecurityGroupIds.SecurityGroupId.1=sg-0a1b2c3d");
}

/// Some changes exclude each other: the order of the calls is that in which AWS takes them.
#[test]
fn changes_that_exclude_each_other_are_made_one_after_the_other() {
    let (one, two) = (
        Settings { replicas: 0, failover: false, multi_az: false, ..settings() },
        Settings { replicas: 1, failover: true, multi_az: true, ..settings() },
    );
    let grown = Settings { replicas: 1, ..one.clone() };
    assert_eq!(next(&two, &one).as_deref(), Some("NewReplicaCount=1"));
    assert_eq!(next(&two, &grown).as_deref(), Some("AutomaticFailoverEnabled=true MultiAZEnabled=true"));
    assert_eq!(next(&one, &two).as_deref(), Some("AutomaticFailoverEnabled=false MultiAZEnabled=false"));
    assert_eq!(next(&one, &grown).as_deref(), Some("NewReplicaCount=0"));
    let tls = |tls: &str| Settings { tls: tls.to_owned(), has_password: tls == "required", ..settings() };
    let sent = |mode: &str| format!("TransitEncryptionEnabled=true TransitEncryptionMode={mode}");
    assert_eq!(next(&settings(), &tls("off")), Some(sent("preferred")));
    assert_eq!(next(&settings(), &tls("preferred")), Some(sent("required")));
}

#[test]
fn it_is_made_as_nobody_would_find_it_open_and_its_password_shows_nowhere() {
    let password = Secret::from("correct-horse-battery");
    let call = wire::create("seen", &settings(), &password);
    let sent: std::collections::BTreeMap<&str, &str> = call.parameters().collect();
    for (parameter, value) in [
        ("TransitEncryptionEnabled", "true"),
        ("TransitEncryptionMode", "required"),
        ("AtRestEncryptionEnabled", "true"),
        ("AuthToken", "correct-horse-battery"),
        ("NumCacheClusters", "2"),
        ("SnapshotRetentionLimit", "7"),
        ("Port", "6379"),
    ] {
        assert_eq!(sent.get(parameter), Some(&value), "{parameter}");
    }
    assert!(!format!("{call:?}").contains("correct"), "{call:?}");
    let changes =
        [wire::with_password("seen", &password, wire::BESIDE), wire::sign_in_by("seen", &password, &BTreeSet::new())];
    assert!(!format!("{changes:?}").contains("correct"), "{changes:?}");
}

#[test]
fn it_begins_with_the_data_that_is_declared() {
    let with = |data: Data| Settings { origin: Input(Origin { password: String::new(), data }), ..settings() };
    let sent = |data: Data| {
        let call = wire::create("seen", &with(data), &Secret::from("x"));
        let found = call.parameters().filter(|(key, _)| key.starts_with("Snapshot") && key.contains(['N', 'A']));
        found.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(sent(Data::Nothing), "");
    assert_eq!(sent(Data::Snapshot("orders".to_owned())), "SnapshotName=orders");
    let objects = ["a", "b"].map(|key| format!("arn:aws:s3:::seeds/{key}.rdb")).to_vec();
    assert_eq!(
        sent(Data::Objects(objects)),
        "SnapshotArns.SnapshotArn.1=arn:aws:s3:::seeds/a.rdb SnapshotArns.SnapshotArn.2=arn:aws:s3:::seeds/b.rdb"
    );
}

#[test]
fn a_password_that_elasticache_would_not_take_is_refused_before() {
    for value in ["correct-horse-battery", "ABCDEFGHIJKLMNOP", "!&#$^<>-!&#$^<>-"] {
        assert_eq!(fault_of_password(value), None, "{value}");
    }
    for value in [
        "",
        "short",
        "correct horse battery",
        "correct/horse/battery",
        "correct@horse\"battery",
        "pässwörtlich-lang",
        &"x".repeat(129),
    ] {
        assert!(fault_of_password(value).is_some(), "{value}");
    }
}

#[test]
fn a_last_snapshot_has_a_name_of_its_own() {
    let of =
        |call: &Call, key: &str| call.parameters().find(|(name, _)| *name == key).map(|(_, value)| value.to_owned());
    let (with, without) = (wire::delete("seen", Some("seen-final-1")), wire::delete("seen", None));
    assert_eq!(of(&with, "FinalSnapshotIdentifier").as_deref(), Some("seen-final-1"));
    assert_eq!(of(&without, "FinalSnapshotIdentifier"), None);
    assert_eq!(of(&with, "RetainPrimaryCluster").as_deref(), Some("false"));
}

#[test]
fn every_change_that_breaks_connections_is_told_with_its_time() {
    for (live, words) in [
        (Settings { node: "cache.t3.micro".to_owned(), ..settings() }, "break for some seconds"),
        (Settings { version: "7.2.4".to_owned(), ..settings() }, "break for some seconds"),
        (Settings { engine: "redis".to_owned(), ..settings() }, "break for some seconds"),
        (Settings { replicas: 3, ..settings() }, "removes nodes"),
        (Settings { tls: "off".to_owned(), ..settings() }, "connections without it are refused"),
        (Settings { is_made: false, ..settings() }, "makes the nodes"),
    ] {
        let slow = ReplicationGroup::slow(Some(&live), &settings()).unwrap();
        assert!(slow.why.contains(words), "{}", slow.why);
    }
    assert_eq!(ReplicationGroup::slow(Some(&settings()), &Settings { snapshot_days: 1, ..settings() }), None);
    let both = Settings { node: "cache.t3.micro".to_owned(), replicas: 3, ..settings() };
    let slow = ReplicationGroup::slow(Some(&both), &settings()).unwrap();
    assert_eq!(slow.seconds, RESIZING.seconds + SCALING.seconds, "one change is made after the other");
    assert!(slow.why.contains("some writes may be lost"), "{}", slow.why);
    // One that is made, or made anew, begins with the declared data again.
    let mut filled = settings();
    filled.origin.0.data = Data::Snapshot("before".to_owned());
    assert!(ReplicationGroup::slow(None, &filled).unwrap().why.contains("`restore`"));
    assert!(!ReplicationGroup::slow(None, &settings()).unwrap().why.contains("`restore`"));
}

#[test]
fn a_replacement_interrupts_for_as_long_as_its_two_steps_take() {
    let replaced = Slow::then(ReplicationGroup::ENDS_IN, ReplicationGroup::slow(None, &settings())).unwrap();
    assert_eq!(ReplicationGroup::INTERRUPTION, Some(Duration::from_secs(replaced.seconds)));
}
