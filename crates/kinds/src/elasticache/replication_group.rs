//! Caches: replication groups of Valkey or Redis with one primary node and its replicas, reachable only inside their VPC. Creating one takes
//! some minutes, and so does deleting one with its last snapshot: [`MAKING`] and [`ENDING`].
//!
//! A cache takes one change at a time, and some changes exclude each other. So `update` makes at most one change and then fails
//! with [`Class::InProgress`], for which the engine reads the cache again and retries, until nothing differs.

mod beside;
mod look;
mod password;
mod settings;
mod wire;

use std::time::{Duration, SystemTime};

pub(crate) use look::describe;
pub use look::node;
pub use password::{change_password, fault_of_password};
pub use settings::{Data, Origin, Settings, State};

use super::{tags_of, write_tags};
use crate::{
    Condition, Kind, Manage, Session, ec2,
    identity::{Identity, Naming, Output},
    rights::{Right, Target, deletes, reads, writes},
    stores::{covers_version, last_snapshot, not_yet, with_tags},
};
use aws::{ArnForm, query::Element};
use engine::{
    Address, Children, Class, Failure, Field, Holds, Life, Live, Owned, Owner, Protection, Slow, Tags, coupled,
    depends, immutable, plain, severe,
};
use look::{DESCRIBE, at_work, begun, describe_any, describe_node};
use password::password;

/// The kind of caches, which `ElastiCache` calls replication groups.
#[derive(Debug)]
pub struct ReplicationGroup;

/// Port of Redis and Valkey.
pub const REDIS_PORT: u16 = 6379;
/// Mode of TLS in which connections without it are refused.
pub const TLS_REQUIRED: &str = "required";

/// States that AWS does not leave by itself, each with its meaning. Source: `ElastiCache`'s guide, "Viewing a cluster's details", and the
/// states in botocore 1.44.8.
const BROKEN: &[(&str, &str)] = &[
    ("create-failed", "AWS could not make it"),
    ("incompatible-network", "its subnets have no free address, or are gone"),
    ("restore-failed", "AWS could not load the data that it was to begin with"),
];

/// Duration of a creation, rounded up: public reports of a creation and a deletion of a cache with TLS have 610 to 760 s for both.
const MAKING: Slow = Slow { seconds: 900, why: "ElastiCache makes the nodes" };
/// Duration of a creation from a snapshot or from files. It grows with the data; AWS gives no figure.
const FILLING: Slow =
    Slow { seconds: 1800, why: "ElastiCache makes the nodes, and begins with the data that `restore` names" };
/// Duration of a change to another type of node. Public reports have 1,240 s.
const RESIZING: Slow = Slow {
    seconds: 1500,
    why: "ElastiCache makes other nodes and hands the data over: connections break for some seconds, and of a cache without replicas some writes may be lost",
};
/// Duration of a change to another version of the engine.
const UPGRADING: Slow = Slow {
    seconds: 1500,
    why: "ElastiCache restarts the nodes with the other version: connections break for some seconds",
};
/// Duration of a change of the number of nodes. Others have measured some 600 s for one more.
const SCALING: Slow = Slow { seconds: 900, why: "ElastiCache makes or removes nodes" };
/// Duration of a change to TLS, which takes two steps. Others have measured 1,840 to 1,870 s for one step.
const ENCRYPTING: Slow = Slow {
    seconds: 3600,
    why: "ElastiCache brings TLS in by two steps: connections without it are refused at the end",
};
/// Duration of a deletion with a last snapshot.
pub(super) const ENDING: Slow = Slow { seconds: 1200, why: "ElastiCache takes a last snapshot" };

fn arn(session: &Session, name: &str) -> String {
    IDENTITY.arn_of(&session.aws.realm, &session.stack, name)
}

/// Returns the parts of a version before the first that is no number: `8.2.0` is `[8, 2, 0]`, `7.x` is `[7]`.
fn version(text: &str) -> Vec<u32> {
    text.split('.').map_while(|part| part.parse().ok()).collect()
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    section: Some("caches"),
    arn: Some(ArnForm("elasticache:{region}:{account}:replicationgroup:{name}")),
    naming: Naming::SingleHyphens,
    output: Output::Name,
    ..Identity::implied("cache", "Caches", 40)
};

/// Fields that AWS changes together: each engine has its own versions and parameter groups.
const ENGINE_FIELDS: &[&str] = &["engine", "version", "parameter_group"];
/// Fields that AWS changes together: users sign in by the password or as members of user groups, never by both.
const SIGN_IN_FIELDS: &[&str] = &["has_password", "user_groups"];

impl Manage for ReplicationGroup {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        plain("description"),
        coupled("engine", ENGINE_FIELDS),
        plain("version").with_life(Life::Unrelated),
        plain("node"),
        plain("replicas"),
        plain("failover"),
        plain("multi_az"),
        immutable("port", "ElastiCache cannot change the port of a cache"),
        immutable("subnet_group", "ElastiCache cannot move a cache to other subnets"),
        plain("security_groups"),
        plain("parameter_group"),
        plain("tls"),
        coupled("has_password", SIGN_IN_FIELDS),
        coupled("user_groups", SIGN_IN_FIELDS),
        immutable("is_encrypted", "ElastiCache can encrypt a cache only at its creation"),
        immutable("kms_key", "ElastiCache cannot change the key of a cache"),
        plain("snapshot_days").with_life(Life::Recovers),
        plain("snapshot_window").with_life(Life::Unrelated),
        plain("minor_upgrades"),
        plain("is_made"),
        plain("tags.*"),
        severe("global_group", "caches in other regions have the same data"),
        depends("logs.*", "a log of the cache that is delivered"),
    ];

    const HOLDS: Holds = Holds::Lasting;

    const REFERS_TO: &'static [Kind] = &[Kind::CacheSubnets, Kind::Secret, Kind::SecurityGroup];

    const RIGHTS: &'static [Right] = &[
        reads(
            Target::Own(Kind::Cache),
            &[
                "elasticache:DescribeCacheClusters",
                "elasticache:DescribeReplicationGroups",
                "elasticache:ListTagsForResource",
            ],
        ),
        writes(
            Target::Own(Kind::Cache),
            &[
                "elasticache:AddTagsToResource",
                "elasticache:CreateReplicationGroup",
                "elasticache:DecreaseReplicaCount",
                "elasticache:IncreaseReplicaCount",
                "elasticache:ModifyReplicationGroup",
                "elasticache:RemoveTagsFromResource",
            ],
        ),
        // IAM checks the creation also on the subnet group, on the parameter group, and on the snapshot that it is restored from.
        writes(Target::Own(Kind::CacheSubnets), &["elasticache:CreateReplicationGroup"]),
        writes(Target::CacheParts, &["elasticache:CreateReplicationGroup", "elasticache:ModifyReplicationGroup"]),
        writes(Target::CacheObjects, &["s3:GetObject"]),
        writes(Target::CachePasswords, &["secretsmanager:GetSecretValue"]),
        // ElastiCache reads the network with the caller's rights when it creates a cache.
        writes(Target::Everything, &["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"]),
        writes(Target::CacheRole, &["iam:CreateServiceLinkedRole"]),
        deletes(Target::Own(Kind::Cache), &["elasticache:CreateSnapshot", "elasticache:DeleteReplicationGroup"]),
        deletes(Target::LastSnapshots(Kind::Cache), &["elasticache:CreateSnapshot"]),
    ];

    // A replacement deletes the cache and makes another one.
    const INTERRUPTION: Option<Duration> = Some(Duration::from_secs(ENDING.seconds + MAKING.seconds));

    const ENDS_IN: Option<Slow> = Some(ENDING);

    fn slow(live: Option<&Settings>, desired: &Settings) -> Option<Slow> {
        let Some(live) = live.filter(|live| live.is_made) else {
            return Some(if desired.origin.0.data == Data::Nothing { MAKING } else { FILLING });
        };
        let changes = [
            (live.tls != desired.tls, ENCRYPTING),
            (live.node != desired.node, RESIZING),
            ((&live.engine, &live.version) != (&desired.engine, &desired.version), UPGRADING),
            (live.replicas != desired.replicas, SCALING),
        ];
        // One change is made after the other.
        let slow = changes.into_iter().filter(|(differs, _)| *differs).map(|(_, slow)| slow);
        slow.rev().fold(None, |later, slow| Slow::then(later, Some(slow)))
    }

    fn condition(live: &Settings) -> Condition {
        match (live.state.broken, live.state.waits) {
            (Some(why), _) => Condition::Failed(why.to_owned()),
            (None, Some(why)) => Condition::Pending(why.to_owned()),
            (None, None) => Condition::Well,
        }
    }

    fn under_way(live: &Settings) -> Option<&'static str> {
        live.state.under_way
    }

    #[cfg(test)]
    fn full() -> Settings {
        use crate::{
            Input,
            registered::{tags, text, texts},
        };
        Settings {
            description: text(),
            engine: text(),
            version: text(),
            node: text(),
            replicas: 1,
            failover: true,
            multi_az: true,
            port: 1,
            subnet_group: text(),
            security_groups: texts(),
            parameter_group: text(),
            tls: text(),
            has_password: true,
            user_groups: texts(),
            is_encrypted: true,
            kms_key: Some(text()),
            snapshot_days: 7,
            snapshot_window: Some(text()),
            minor_upgrades: true,
            is_made: true,
            origin: Input::default(),
            state: Input::default(),
            tags: tags(),
            children: Children::one_in_each(Self::FIELDS),
        }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let name = &address.name;
        let (arn, first) = (arn(session, name), node(name, 1));
        let (group, first, tags) =
            tokio::try_join!(describe(session, name), describe_node(session, &first), tags_of(session, &arn))?;
        let Some(group) = group else { return Ok(None) };
        // The node that was created as the first one may have been removed since.
        let node = match (first, group.list("MemberClusters").first()) {
            (Some(first), _) => first,
            (None, Some(member)) => describe_node(session, &member.text)
                .await?
                .ok_or_else(|| at_work(name, "without the node that it names"))?,
            (None, None) => return Err(at_work(name, group.text("Status"))),
        };
        let mut settings = wire::settings(&group, &node, tags.unwrap_or_default())?;
        settings.security_groups = ec2::without_ids(session, &settings.security_groups).await?;
        // Its nodes show a new type or version while AWS is still changing the cache.
        if session.caches.goes_on(name, wire::is_settled(&group, &node)) {
            settings.state.0.under_way.get_or_insert(wire::CHANGING);
        }
        // A cache of ours is created with its tags, so that an untagged one is somebody else's.
        let owner = Owner::of(&settings.tags, &session.stack, true);
        Ok(Some(Live { settings, owner }))
    }

    /// Keeps what is not declared (the key, the time of snapshots), the port while there is none, and what `ElastiCache` cannot downgrade: a later
    /// version, or Valkey in place of Redis, to which AWS or a person has upgraded the cache.
    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        if desired.kms_key.is_none() {
            desired.kms_key.clone_from(&live.kms_key);
        }
        if desired.snapshot_window.is_none() {
            desired.snapshot_window.clone_from(&live.snapshot_window);
        }
        if !live.is_made {
            // While AWS creates a cache, it has no endpoint, and so no port to compare.
            desired.port = live.port;
        }
        if desired.engine == live.engine && covers_version(&desired.version, &live.version) {
            desired.version.clone_from(&live.version);
            return Vec::new();
        }
        let is_back = desired.engine != live.engine && live.engine == wire::VALKEY;
        if !is_back && (desired.engine != live.engine || version(&live.version) <= version(&desired.version)) {
            return Vec::new();
        }
        let kept = if is_back { ("engine", &live.engine) } else { ("version", &live.version) };
        desired.engine.clone_from(&live.engine);
        desired.version.clone_from(&live.version);
        desired.parameter_group.clone_from(&live.parameter_group);
        vec![Protection::new(
            kept.0,
            kept.1,
            "ElastiCache upgrades caches to later versions and to Valkey, and cannot downgrade them",
        )]
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    fn children(settings: &mut Settings) -> Option<&mut Children> {
        Some(&mut settings.children)
    }

    /// Begins the creation, and fails with [`Class::InProgress`], for which the engine reads the cache again until it is available.
    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let name = &address.name;
        let password = password(session, &desired.origin.password).await?;
        let call = with_tags(wire::create(name, &resolve_groups(session, desired).await?, &password), &desired.tags);
        match session.aws.write.elasticache.call(&call).await {
            // A cache that is being deleted has its name for some minutes.
            Err(failure) if failure.class == Class::Exists => match describe_any(session, name).await? {
                Some(found) if found.text("Status") == wire::DELETING => Err(at_work(name, wire::DELETING)),
                _ => Err(failure),
            },
            Err(failure) => Err(not_yet(failure)),
            Ok(_) => Err(at_work(name, "creating")),
        }
    }

    /// Makes the next call that brings the cache closer to the desired settings, and fails with [`Class::InProgress`] for another attempt,
    /// since some changes exclude each other. Each call applies its changes immediately, and with them those that somebody else
    /// left to the maintenance window.
    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let name = &address.name;
        write_tags(session, &arn(session, name), &desired.tags, &live.tags).await?;
        if let Some(why) = live.state.broken {
            let words =
                format!("the cache `{name}` does not work: {why}; see its events in the console of ElastiCache");
            return Err(Failure::found(DESCRIBE, Class::Other, words));
        }
        if let Some(what) = live.state.under_way {
            return Err(Failure::found(DESCRIBE, Class::InProgress, format!("the cache `{name}` {what}")));
        }
        let (to, from) = (resolve_groups(session, desired).await?, resolve_groups(session, live).await?);
        let call = match wire::next(name, &to, &from) {
            None => return beside::ensure_not_copied(name, &session.aws.realm.region, desired, live),
            Some(wire::Change::Call(call)) => call,
            Some(wire::Change::Password) => {
                wire::sign_in_by(name, &password(session, &desired.origin.password).await?, &live.user_groups)
            }
        };
        session.aws.write.elasticache.call(&call).await?;
        session.caches.begin(name);
        begun(session, name).await
    }

    /// Deletes a cache after a last snapshot, which stays, or without one if none can be taken and that was agreed to. The caller has consent to
    /// lose the data.
    ///
    /// # Errors
    ///
    /// If no last snapshot can be taken in the cache's state, and the consent was given before that was known.
    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let name = &address.name;
        // The right to read an undeclared cache is bound to its tags. Once it is gone, it has none, and IAM denies the call.
        let look = async || match describe_any(session, name).await {
            Err(failure) if failure.class == Class::Denied && session.caches.ends(name) => Ok(None),
            found => found,
        };
        let Some(found) = look().await? else { return Ok(()) };
        let status = found.text("Status");
        if status == wire::DELETING {
            return Err(at_work(name, status));
        }
        let snapshot = can_be_snapshotted(status).then(|| last_snapshot(name, SystemTime::now()));
        if snapshot.is_none() {
            session.caches.ensure_agreed(DESCRIBE, name, status)?;
        }
        session.aws.write.elasticache.find(&wire::delete(name, snapshot.as_deref())).await?;
        session.caches.end(name);
        match look().await? {
            None => Ok(()),
            Some(found) => Err(at_work(name, found.text("Status"))),
        }
    }

    /// Returns a description of the data that a cache may hold, `None` if there is no cache: only its users can read what is in it. Records whether
    /// a last snapshot was promised, which `delete` takes.
    async fn holds_data(session: &Session, address: &Address) -> Result<Option<String>, Failure> {
        let name = &address.name;
        let what = |found: Element| {
            let status = found.text("Status");
            session.caches.tell(name, can_be_snapshotted(status));
            if can_be_snapshotted(status) {
                return "its data, of which a last snapshot stays and is paid for".to_owned();
            }
            format!("its data, if there is any: it is {status}, and no last snapshot can be taken")
        };
        Ok(describe(session, name).await?.map(what))
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let mut owned = Vec::new();
        for name in session.indexed(Kind::Cache)? {
            // The index of tags still has what was deleted a moment ago.
            let Some(_) = describe(session, &name).await? else { continue };
            let tags = tags_of(session, &arn(session, &name)).await;
            owned.extend(session.owned(Kind::Cache, &name, tags)?);
        }
        Ok(owned)
    }
}

/// Returns `false` for states in which no last snapshot of a cache will ever be possible.
fn can_be_snapshotted(status: &str) -> bool {
    !BROKEN.iter().any(|(state, _)| *state == status)
}

/// Replaces the placeholders of security groups in settings by their ids. The result is for calls.
async fn resolve_groups(session: &Session, settings: &Settings) -> Result<Settings, Failure> {
    Ok(Settings { security_groups: ec2::with_set(session, &settings.security_groups).await?, ..settings.clone() })
}

#[cfg(test)]
mod tests;
