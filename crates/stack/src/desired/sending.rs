//! Desired resources about sent mails: configuration sets, the feedback of identities, and what the functions that hear of them
//! use: tables, and clusters of Kafka with their topics.

use super::{Blueprint, network, of};
use aws::{ArnForm, policy::Statement};
use declaration::{
    Brokers, Cluster, ClusterSource, ConfigurationSet, EventType, Function, SendingIdentity, SendingTls, Table,
};
use engine::{Address, Children};
use kinds::{
    Id, Input, Kind,
    dynamodb::table::{self, Key},
    kafka::{
        cluster::{self, Access},
        topic as kafka_topic,
    },
    logs::notes,
    ses::{
        configuration_set::{self, DESTINATION, Destination},
        feedback::{self, FeedbackTopic},
    },
    sns::topic,
};

/// Form of the ARN of an identity.
const IDENTITY: ArnForm = ArnForm("ses:{region}:{account}:identity/{name}");

pub(super) fn add(blueprint: &mut Blueprint<'_>) {
    let declaration = blueprint.declaration;
    for (entry, declared) in &declaration.tables {
        table(blueprint, entry, declared);
    }
    for (entry, declared) in &declaration.clusters {
        cluster(blueprint, entry, declared);
        topics(blueprint, entry, declared);
    }
    for (entry, declared) in &declaration.configuration_sets {
        configuration_set(blueprint, entry, declared);
    }
    for (identity, declared) in &declaration.identities {
        feedback(blueprint, identity, declared);
    }
}

fn table(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Table) {
    let name = blueprint.names().name(Kind::Table, entry);
    let keys = (Key::of_texts(&declared.partition_key), declared.sort_key.as_ref().map(Key::of_texts));
    let settings = table::Settings {
        time_to_live: declared.time_to_live.clone(),
        point_in_time_recovery: declared.point_in_time_recovery.then_some(table::RECOVERY_DAYS),
        deletion_protection: declared.deletion_protection,
        kms_key: blueprint.declaration.kms_key(declared.kms_key.as_ref()),
        tags: blueprint.protected_tags(Kind::Table, entry, &declared.tags, declared.protect),
        ..table::Settings::new(keys.0, keys.1)
    };
    blueprint.add(of(Kind::Table, entry), Address::of(name), settings, Vec::new());
}

fn cluster(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Cluster) {
    let ClusterSource::Created(own) = &declared.source else { return };
    let Brokers { brokers, instance, storage, version, .. } = own;
    let (subnets, mut after) = network::parts(blueprint, Kind::Subnet, &own.subnets);
    let (security_groups, groups) = network::parts(blueprint, Kind::SecurityGroup, &own.security_groups);
    after.extend(groups);
    let settings = cluster::Settings {
        version: version.clone(),
        brokers: *brokers,
        instance: instance.clone(),
        storage: *storage,
        subnets,
        security_groups,
        access: Access::iam_over_tls(),
        encrypted_within: true,
        kms_key: blueprint.declaration.kms_key(declared.kms_key.as_ref()),
        monitoring: cluster::MONITORING.to_owned(),
        public_access: cluster::NOT_PUBLIC.to_owned(),
        is_made: true,
        failure: None,
        tags: blueprint.protected_tags(Kind::Cluster, entry, &declared.tags, declared.protect),
        children: Children::default(),
    };
    let address = Address::of(blueprint.names().name(Kind::Cluster, entry));
    blueprint.add(of(Kind::Cluster, entry), address, settings, after);
}

/// Adds the topics of a cluster, as far as AWS makes topics there.
fn topics(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Cluster) {
    let seen = declared.existing().and_then(|arn| blueprint.given.existing.cluster(arn));
    if seen.is_some_and(|seen| matches!(seen, Ok(Some(seen)) if !seen.has_topics())) {
        return;
    }
    let container = blueprint.names().name(Kind::Cluster, entry);
    for (name, topic) in &declared.topics {
        let settings = kafka_topic::Settings { partitions: topic.partitions, replication: topic.replication };
        let after = own_cluster(entry, declared).into_iter().collect();
        blueprint.add(topic_id(entry, name), Address::within(&container, name), settings, after);
    }
}

/// Returns the identity of a topic of Kafka.
fn topic_id(cluster: &str, topic: &str) -> Id {
    of(Kind::KafkaTopic, format!("{cluster}.{topic}"))
}

fn own_cluster(entry: &str, declared: &Cluster) -> Option<Id> {
    declared.existing().is_none().then(|| of(Kind::Cluster, entry))
}

/// Returns the clusters of the stack whose brokers a function is told.
pub(super) fn clusters_of<'given>(
    blueprint: &'given Blueprint<'_>,
    function: &'given Function,
) -> impl Iterator<Item = Id> + 'given {
    let clusters =
        function.topics_of_kafka().filter_map(|(_, topic)| topic.split_once('/').map(|(cluster, _)| cluster));
    clusters.filter_map(|entry| own_cluster(entry, blueprint.declaration.clusters.get(entry)?))
}

fn configuration_set(blueprint: &mut Blueprint<'_>, entry: &str, declared: &ConfigurationSet) {
    let names = blueprint.names();
    let destinations = declared.events.iter().map(|(name, one)| {
        let types = one.types.iter().map(|of| of.of_ses());
        (format!("{DESTINATION}{name}"), Destination::topic(names.arn(Kind::Topic, &one.topic), types))
    });
    let settings = configuration_set::Settings {
        sending: true,
        reputation_metrics: declared.reputation_metrics,
        tls: match declared.tls {
            SendingTls::Optional => configuration_set::OPTIONAL,
            SendingTls::Require => configuration_set::REQUIRE,
        }
        .to_owned(),
        suppression: Some(declared.suppression.iter().map(|reason| reason.of_ses().to_owned()).collect()),
        tracking_domain: declared.tracking_domain.clone(),
        destinations: destinations.collect(),
        tags: blueprint.tags(entry, &declared.tags),
    };
    let after = declared.events.values().map(|one| of(Kind::Topic, &one.topic)).collect();
    let address = Address::of(blueprint.names().name(Kind::ConfigurationSet, entry));
    blueprint.add(of(Kind::ConfigurationSet, entry), address, settings, super::distinct(after));
}

/// Adds the topics that hear of an identity, which is not the stack's: the notes tell what was there before.
fn feedback(blueprint: &mut Blueprint<'_>, identity: &str, declared: &SendingIdentity) {
    let settings = feedback_of(blueprint.names(), declared);
    let mut after: Vec<Id> = declared.feedback.values().map(|topic| of(Kind::Topic, topic)).collect();
    after.push(of(Kind::LogGroup, notes::ENTRY));
    blueprint.add(of(Kind::Feedback, identity), Address::of(identity), settings, super::distinct(after));
}

/// Returns the topics that are to hear of an identity.
pub(crate) fn feedback_of(names: &crate::Names, declared: &SendingIdentity) -> feedback::Settings {
    let heard = |of: EventType| {
        let topic = declared.feedback.get(&of)?;
        Some(FeedbackTopic { topic: names.arn(Kind::Topic, topic), headers: declared.headers })
    };
    feedback::Settings {
        bounce: heard(EventType::Bounce),
        complaint: heard(EventType::Complaint),
        delivery: heard(EventType::Delivery),
        take_over: Input(declared.take_over),
        ..feedback::Settings::default()
    }
}

/// Returns the statements by which SES publishes what becomes of mails to a topic: for the configuration sets and the identities that
/// are declared, and no others.
pub(super) fn publishing(blueprint: &Blueprint<'_>, entry: &str, arn: &str) -> Vec<(String, Statement)> {
    let names = blueprint.names();
    let sets = blueprint.declaration.configuration_sets.iter();
    let sets = sets.filter(|(_, set)| set.events.values().any(|one| one.topic == entry));
    let sets: Vec<String> = sets.map(|(set, _)| names.arn(Kind::ConfigurationSet, set)).collect();
    let identities = blueprint.declaration.identities.iter();
    let identities = identities.filter(|(_, one)| one.feedback.values().any(|topic| topic == entry));
    let of_identity = |identity: &String| names.realm().arn(IDENTITY, "", identity).into();
    let identities: Vec<String> = identities.map(|(identity, _)| of_identity(identity)).collect();
    let statement = |id: &str, sources: Vec<String>| {
        let statement = Statement::allow(&["SNS:Publish"], [arn.to_owned()]).for_service(super::sharing::SES);
        (!sources.is_empty()).then(|| (id.to_owned(), statement.with_source(names.account(), sources)))
    };
    [statement(topic::MAIL_EVENTS, sets), statement(topic::MAIL_FEEDBACK, identities)].into_iter().flatten().collect()
}
