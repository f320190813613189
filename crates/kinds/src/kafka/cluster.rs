//! Clusters of Kafka on brokers that AWS runs: IAM and TLS alone, nobody without a name. One takes half an hour to be made, and some
//! changes take as long; it takes one change at a time, and none of its topics meanwhile.

mod beside;
mod wire;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::json;

use super::{CLUSTERS, by_name, path};
use crate::{
    Condition, Kind, Manage, Session,
    documents::text,
    ec2,
    identity::{Identity, Output},
    rights::{Right, Target, deletes, reads, writes},
    surplus_tags,
};
use aws::{ArnForm, json::Call};
use engine::{
    Address, Children, Class, Failure, Field, Holds, Life, Live, Owned, Owner, Protection, Slow, Tags, coupled,
    immutable, plain, severe, stays,
};
use wire::Change;

/// The kind of clusters of Kafka (MSK, provisioned).
#[derive(Debug)]
pub struct Cluster;

/// The managed settings of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Version of Kafka, as `3.9.x`.
    pub version: String,
    /// Number of brokers: a multiple of that of the subnets.
    pub brokers: u32,
    /// Type of a broker, as `kafka.m7g.large`.
    pub instance: String,
    /// Disk of each broker, in GiB.
    pub storage: u32,
    /// Ids of the subnets: two or three, each in another availability zone.
    pub subnets: BTreeSet<String>,
    /// Ids of the brokers' security groups.
    pub security_groups: BTreeSet<String>,
    /// Ways in which clients and brokers know each other.
    pub access: Access,
    /// `true` if the brokers encrypt what they tell each other.
    pub encrypted_within: bool,
    /// ARN of the KMS key of the disks; `None` is MSK's own.
    pub kms_key: Option<String>,
    /// How much of its metrics is told: `DEFAULT`, or a finer level that is paid for.
    pub monitoring: String,
    /// Who reaches the brokers from the internet: `DISABLED` for nobody.
    pub public_access: String,
    /// `false` as long as AWS makes it.
    pub is_made: bool,
    /// Why AWS could not make it; `None` if it did, or still does.
    #[serde(skip)]
    pub failure: Option<String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
    /// Parts that others added.
    #[serde(flatten)]
    pub children: Children,
}

/// The ways in which clients and brokers know each other. AWS changes them together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "MSK has a switch for each")]
pub struct Access {
    /// `true` if clients sign with IAM.
    pub iam: bool,
    /// `true` if anybody who reaches the brokers may use them.
    pub unauthenticated: bool,
    /// `true` if clients have passwords of Secrets Manager.
    pub scram: bool,
    /// `true` if clients have certificates.
    pub certificates: bool,
    /// Encryption between clients and brokers: `TLS`, or another word if some go without.
    pub in_transit: String,
}

impl Access {
    /// Returns the only way that a cluster of ours has: IAM over TLS.
    pub fn iam_over_tls() -> Self {
        Self { iam: true, unauthenticated: false, scram: false, certificates: false, in_transit: TLS.to_owned() }
    }
}

/// MSK's word for connections with encryption alone.
pub const TLS: &str = "TLS";
/// The level of metrics that costs nothing.
pub const MONITORING: &str = "DEFAULT";
/// MSK's word for brokers that nobody reaches from the internet.
pub const NOT_PUBLIC: &str = "DISABLED";

/// AWS makes one in up to this time: 1,490 to 1,990 s with its deletion, as measured by others.
const MAKING: Slow = Slow { seconds: 1800, why: "MSK starts its brokers" };
/// A change of the brokers restarts them, one after the other.
const CHANGING: Slow = Slow { seconds: 1500, why: "MSK changes its brokers, one after the other" };

const DESCRIBE: &str = "kafka.ListClustersV2";

/// Returns that AWS is at it, for another attempt.
fn at_work(name: &str, state: &str) -> Failure {
    Failure::found(DESCRIBE, Class::InProgress, format!("the cluster `{name}` is {state}"))
}

fn gone(name: &str) -> Failure {
    Failure::found(DESCRIBE, Class::NotFound, format!("there is no cluster `{name}`"))
}

async fn write_tags(session: &Session, arn: &str, desired: &Tags, live: &Tags) -> Result<(), Failure> {
    let write = &session.aws.write.kafka;
    let surplus = surplus_tags(desired, live);
    if !surplus.is_empty() {
        let call = Call::delete("UntagResource", &["v1", "tags", arn]);
        write.call(surplus.iter().fold(call, |call, key| call.with_query("tagKeys", key))).await?;
    }
    if desired.iter().any(|(key, value)| live.get(key) != Some(value)) {
        write.call(Call::post("TagResource", &["v1", "tags", arn], json!({"tags": desired}))).await?;
    }
    Ok(())
}

const ACCESS: &[&str] =
    &["access.iam", "access.unauthenticated", "access.scram", "access.certificates", "access.in_transit"];

/// The identity of this kind. Behind the name in its ARN there is an id that AWS chooses.
pub const IDENTITY: Identity = Identity {
    section: Some("clusters"),
    arn: Some(ArnForm("kafka:{region}:{account}:cluster/{name}")),
    has_id_in_arn: true,
    output: Output::Name,
    ..Identity::implied("cluster", "Clusters", 64)
};

impl Manage for Cluster {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        plain("version").with_life(Life::Unrelated),
        plain("brokers"),
        plain("instance"),
        plain("storage"),
        immutable("subnets", "MSK cannot move a cluster to other subnets"),
        immutable("security_groups", "MSK cannot change the security groups of brokers"),
        coupled("access.iam", ACCESS),
        coupled("access.unauthenticated", ACCESS),
        coupled("access.scram", ACCESS),
        coupled("access.certificates", ACCESS),
        coupled("access.in_transit", ACCESS),
        immutable("encrypted_within", "MSK decides it when it makes a cluster"),
        immutable("kms_key", "MSK cannot change the key of disks"),
        plain("monitoring"),
        plain("public_access"),
        plain("is_made"),
        plain("tags.*"),
        severe("policy", "a policy of the cluster lets somebody in"),
        severe("other_networks", "who reaches the brokers from other networks"),
        stays("broker_logs.*", "a log of the brokers"),
        stays("configuration", "a configuration of the brokers"),
        stays("open_monitoring", "metrics that the brokers offer within their network"),
    ];

    const HOLDS: Holds = Holds::Lasting;

    const REFERS_TO: &'static [Kind] = &[Kind::Subnet, Kind::SecurityGroup];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, &["kafka:GetBootstrapBrokers", "kafka:ListClustersV2"]),
        reads(Target::Kafka, &["kafka:DescribeClusterV2"]),
        reads(Target::Own(Kind::Cluster), &["kafka:GetClusterPolicy"]),
        writes(
            Target::Own(Kind::Cluster),
            &[
                "kafka:CreateClusterV2",
                "kafka:DeleteClusterPolicy",
                "kafka:TagResource",
                "kafka:UntagResource",
                "kafka:UpdateBrokerCount",
                "kafka:UpdateBrokerStorage",
                "kafka:UpdateBrokerType",
                "kafka:UpdateClusterKafkaVersion",
                "kafka:UpdateConnectivity",
                "kafka:UpdateMonitoring",
                "kafka:UpdateSecurity",
            ],
        ),
        // MSK looks at the network by the rights of whoever makes a cluster.
        writes(Target::Everything, &["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"]),
        writes(Target::KafkaRole, &["iam:CreateServiceLinkedRole"]),
        deletes(Target::Own(Kind::Cluster), &["kafka:DeleteCluster"]),
    ];

    fn slow(live: Option<&Settings>, desired: &Settings) -> Option<Slow> {
        match live {
            None => Some(MAKING),
            Some(live) if !live.is_made => Some(MAKING),
            Some(live) => desired.next_change(live).map(|_| CHANGING),
        }
    }

    fn condition(live: &Settings) -> Condition {
        match &live.failure {
            Some(why) => Condition::Failed(why.clone()),
            None if !live.is_made => Condition::Pending("waits until MSK has started its brokers".to_owned()),
            None => Condition::Well,
        }
    }

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text, texts};
        Settings {
            version: text(),
            brokers: 3,
            instance: text(),
            storage: 100,
            subnets: texts(),
            security_groups: texts(),
            access: Access::iam_over_tls(),
            encrypted_within: true,
            kms_key: Some(text()),
            monitoring: text(),
            public_access: text(),
            is_made: true,
            failure: Some(text()),
            tags: tags(),
            children: Children::one_in_each(Self::FIELDS),
        }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let Some(cluster) = by_name(session, &address.name).await? else { return Ok(None) };
        let mut settings = Settings::from_aws(&cluster);
        if settings.is_made {
            let arn = text(&cluster, &["clusterArn"]).unwrap_or_default();
            settings.children.extend(beside::policy(session, arn).await?);
        }
        settings.subnets = ec2::without_ids(session, &settings.subnets).await?;
        settings.security_groups = ec2::without_ids(session, &settings.security_groups).await?;
        // It has tags from its beginning, so that one without is somebody's.
        let owner = Owner::of(&settings.tags, &session.stack, true);
        Ok(Some(Live { settings, owner }))
    }

    /// Keeps what cannot be had back: MSK's own key, which it tells by its ARN, more disk, and a later version of Kafka, to which AWS
    /// brings clusters by itself.
    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        if desired.kms_key.is_none() {
            desired.kms_key.clone_from(&live.kms_key);
        }
        let mut kept = Vec::new();
        if live.storage > desired.storage {
            desired.storage = live.storage;
            kept.push(Protection::new("storage", live.storage.to_string(), "disks of brokers never shrink"));
        }
        let versions = (super::minor(&live.version), super::minor(&desired.version));
        if let (Some(there), Some(wanted)) = versions
            && there >= wanted
            && live.version != desired.version
        {
            desired.version.clone_from(&live.version);
            if there > wanted {
                let why = "AWS brings clusters to later versions, and none back";
                kept.push(Protection::new("version", &live.version, why));
            }
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
        let mut settings = desired.clone();
        settings.subnets = ec2::with_set(session, &settings.subnets).await?;
        settings.security_groups = ec2::with_set(session, &settings.security_groups).await?;
        let call = Call::post("CreateClusterV2", &CLUSTERS, settings.document(&address.name));
        session.aws.write.kafka.call(call).await?;
        Err(at_work(&address.name, "CREATING"))
    }

    /// Begins the first change that is left to do: the next attempt comes when AWS has done it, and begins another one.
    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let name = &address.name;
        let cluster = by_name(session, name).await?.ok_or_else(|| gone(name))?;
        let read = |key: &str| text(&cluster, &[key]).unwrap_or_default();
        if let Some(why) = &live.failure {
            let words = format!("MSK could not make the cluster `{name}`: {why}; delete it and run it again");
            return Err(Failure::found(DESCRIBE, Class::Other, words));
        }
        if read("state") != "ACTIVE" {
            return Err(at_work(name, read("state")));
        }
        write_tags(session, read("clusterArn"), &desired.tags, &live.tags).await?;
        beside::end_policy(session, read("clusterArn"), desired, live).await?;
        let Some(Change { action, end, mut document, is_patch }) = desired.next_change(live) else { return Ok(()) };
        if let Some(document) = document.as_object_mut() {
            document.insert("currentVersion".to_owned(), json!(read("currentVersion")));
        }
        let to = path(read("clusterArn"), end);
        let call = if is_patch { Call::patch(action, &to, document) } else { Call::put(action, &to, document) };
        session.aws.write.kafka.call(call).await?;
        Err(at_work(name, "UPDATING"))
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some(cluster) = by_name(session, &address.name).await? else { return Ok(()) };
        let arn = text(&cluster, &["clusterArn"]).unwrap_or_default();
        session.aws.write.kafka.find(Call::delete("DeleteCluster", &path(arn, &[]))).await.map(drop)
    }

    /// Returns that it may hold something: nobody but the functions may read it.
    async fn holds_data(session: &Session, address: &Address) -> Result<Option<String>, Failure> {
        Ok(by_name(session, &address.name).await?.map(|_| "its topics, with their messages".to_owned()))
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let mut owned = Vec::new();
        for name in session.indexed(Kind::Cluster)? {
            let tags = by_name(session, &name).await.map(|found| found.map(|one| Settings::from_aws(&one).tags));
            owned.extend(session.owned(Kind::Cluster, &name, tags)?);
        }
        Ok(owned)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn settings() -> Settings {
        Settings { version: "3.9.x".to_owned(), storage: 100, ..Cluster::full() }
    }

    /// An answer of MSK, as in its reference, `DescribeClusterV2`, with one text in another's place.
    fn recorded(from: &str, to: &str) -> Settings {
        let answer = include_str!("../../tests/shapes/cluster/whole.shape");
        let answer = answer.split_once("== kafka.ListClustersV2 200\n").unwrap().1;
        assert!(from.is_empty() || answer.contains(from), "{from}");
        let answer: Value = serde_json::from_str(&answer.replacen(from, to, usize::from(!from.is_empty()))).unwrap();
        Settings::from_aws(&answer["clusterInfoList"][0])
    }

    #[test]
    fn one_real_change_is_seen() {
        use engine::Kind as _;
        let plain = Kind::tree(&recorded("", "").into());
        for (from, to, field) in [
            ("subnet-0a1b2c3d", "subnet-00000000", "subnets"),
            ("sg-0a1b2c3d", "sg-00000000", "security_groups"),
            ("\"inCluster\": true", "\"inCluster\": false", "encrypted_within"),
            ("key/1b2c", "key/other", "kms_key"),
            ("\"state\": \"ACTIVE\"", "\"state\": \"CREATING\"", "is_made"),
        ] {
            let changed = Kind::tree(&recorded(from, to).into());
            let paths: Vec<String> = engine::differences(&changed, &plain).into_iter().map(|one| one.path).collect();
            assert_eq!(paths, [field]);
        }
        let failed =
            recorded("\"state\": \"ACTIVE\"", "\"state\": \"FAILED\", \"stateInfo\": {\"message\": \"no room\"}");
        assert_eq!(Cluster::condition(&failed), Condition::Failed("no room".to_owned()));
    }

    #[test]
    fn what_aws_does_by_itself_is_no_difference() {
        for (declared, live, kept, desired) in
            [("3.9.x", "3.9.1", 0, "3.9.1"), ("3.8.x", "3.9.x", 1, "3.9.x"), ("4.1.x", "3.9.x", 0, "4.1.x")]
        {
            let mut wanted = Settings { version: declared.to_owned(), kms_key: None, ..settings() };
            let live = Settings { version: live.to_owned(), ..settings() };
            assert_eq!(Cluster::keep_protections(&mut wanted, &live).len(), kept, "{declared}");
            assert_eq!((wanted.version.as_str(), &wanted.kms_key), (desired, &live.kms_key));
        }
        let mut wanted = settings();
        let live = Settings { storage: 200, ..settings() };
        assert_eq!(Cluster::keep_protections(&mut wanted, &live).len(), 1);
        assert_eq!(wanted.storage, 200);
    }

    #[test]
    fn changes_are_made_one_after_the_other() {
        let desired = settings();
        let mut live =
            Settings { brokers: 6, instance: "other".to_owned(), monitoring: "PER_BROKER".to_owned(), ..settings() };
        live.access.unauthenticated = true;
        let mut made = Vec::new();
        while let Some(change) = desired.next_change(&live) {
            made.push(change.action);
            match change.action {
                "UpdateSecurity" => live.access = desired.access.clone(),
                "UpdateBrokerCount" => live.brokers = desired.brokers,
                "UpdateBrokerType" => live.instance.clone_from(&desired.instance),
                _ => live.monitoring.clone_from(&desired.monitoring),
            }
        }
        assert_eq!(made, ["UpdateSecurity", "UpdateBrokerCount", "UpdateBrokerType", "UpdateMonitoring"]);
    }
}
