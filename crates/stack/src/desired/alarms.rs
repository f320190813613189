//! Alarms of every function and every failure queue, and the topic that carries them to people.

use std::collections::{BTreeMap, BTreeSet};

use super::{Blueprint, api, of, seconds, storage};
use crate::moves::node_alarm_entry;
use aws::policy::Statement;
use declaration::{AlarmKind, Declaration, Measure, Notify, SILENCE, Subscription, Unit, Watched};
use engine::Address;
use kinds::{Id, Kind, cloudwatch::alarm, ec2::id_of, elasticache::replication_group, sns::topic};

/// An alarm on an entry.
struct Watch<'given> {
    entry: &'given str,
    measure: Measure,
    /// Threshold, in the metric's unit.
    threshold: u32,
    /// Number of the node that it watches, from 1; 1 for all that have no nodes.
    node: u32,
    /// Hours without a value above the threshold that fire the alarm; `None` if values from the threshold on do.
    silent_hours: Option<u32>,
}

impl Watch<'_> {
    /// Returns the entry of the alarm.
    fn id(&self) -> String {
        node_alarm_entry(self.entry, self.measure.name, self.node)
    }
}

/// Returns the entry of the topic that carries alarms to mail addresses.
fn topic_entry(declaration: &Declaration) -> &'static str {
    if declaration.topics.contains_key("alarms") { "alarm-mails" } else { "alarms" }
}

fn mails(declaration: &Declaration) -> Vec<&String> {
    let notify = declaration.alarms.notify.iter();
    notify.filter_map(|who| if let Notify::Mail(address) = who { Some(address) } else { None }).collect()
}

pub(super) fn add(blueprint: &mut Blueprint<'_>) {
    let declaration = blueprint.declaration;
    let names = blueprint.names();
    let mut topics: Vec<&str> = declaration
        .alarms
        .notify
        .iter()
        .filter_map(|who| if let Notify::Topic(entry) = who { Some(entry.as_str()) } else { None })
        .collect();
    if !mails(declaration).is_empty() {
        let entry = topic_entry(declaration);
        topics.push(entry);
        mail_topic(blueprint, entry);
    }
    let actions: BTreeSet<String> = topics.iter().map(|topic| names.arn(Kind::Topic, topic)).collect();
    let after: Vec<Id> = topics.iter().map(|topic| of(Kind::Topic, *topic)).collect();
    for watch in watches(declaration) {
        let (dimension, watched) = match watch.measure.watched {
            Watched::Function | Watched::FunctionWithFailureQueue | Watched::Receiver | Watched::Listener => {
                ("FunctionName", names.name(Kind::Function, watch.entry))
            }
            Watched::FailureQueue | Watched::ConsumedQueue => ("QueueName", names.name(Kind::Queue, watch.entry)),
            Watched::Api => (alarm::API, api::id_of(blueprint, watch.entry)),
            Watched::Database => ("DBInstanceIdentifier", names.name(Kind::Database, watch.entry)),
            Watched::Cache => {
                ("CacheClusterId", replication_group::node(&names.name(Kind::Cache, watch.entry), watch.node))
            }
            Watched::Server => (alarm::SERVER, id_of(Kind::Server, &names.derived(Kind::Server, watch.entry))),
            Watched::ConfigurationSet => ("ses:configuration-set", names.name(Kind::ConfigurationSet, watch.entry)),
        };
        let id = watch.id();
        let (comparison, missing_data) = match watch.silent_hours {
            Some(_) => ("LessThanThreshold", "breaching"),
            // A server that tells nothing does not run.
            None if watch.measure.metric == AlarmKind::ServerStatus.measure().metric => {
                ("GreaterThanOrEqualToThreshold", "breaching")
            }
            None if watch.measure.unit == Unit::MebibytesLeft => ("LessThanOrEqualToThreshold", "notBreaching"),
            None => ("GreaterThanOrEqualToThreshold", "notBreaching"),
        };
        let settings = alarm::Settings {
            description: watch.measure.description.to_owned(),
            namespace: watch.measure.namespace.to_owned(),
            metric: watch.measure.metric.to_owned(),
            dimensions: BTreeMap::from([(dimension.to_owned(), watched)]),
            statistic: watch.measure.statistic.to_owned(),
            period: watch.measure.period,
            threshold: match watch.measure.unit {
                Unit::PerMillion => f64::from(watch.threshold) / 1e6,
                Unit::MebibytesLeft => f64::from(watch.threshold) * f64::from(1024 * 1024),
                _ => watch.threshold.into(),
            },
            evaluation_periods: watch.silent_hours.unwrap_or(1),
            comparison: comparison.to_owned(),
            missing_data: missing_data.to_owned(),
            alarm_actions: actions.clone(),
            ok_actions: actions.clone(),
            tags: blueprint.tags(&id, &BTreeMap::new()),
            ..alarm::Settings::default()
        };
        let address = Address::of(names.name(Kind::Alarm, &id));
        let mut after = after.clone();
        match watch.measure.watched {
            Watched::Api => after.push(of(Kind::Api, watch.entry)),
            Watched::Server => after.push(of(Kind::Server, watch.entry)),
            _ => {}
        }
        blueprint.add(of(Kind::Alarm, id), address, settings, after);
    }
}

/// Adds the topic that carries alarms to mail addresses.
fn mail_topic(blueprint: &mut Blueprint<'_>, entry: &str) {
    let names = blueprint.names();
    let arn = names.arn(Kind::Topic, entry);
    let settings = topic::Settings {
        policy: storage::owned_policy(&arn, vec![(topic::ALARMS.to_owned(), publish(blueprint, &arn))]),
        kms_key: blueprint.declaration.kms_key.clone(),
        tags: blueprint.tags(entry, &BTreeMap::new()),
        ..topic::Settings::default()
    };
    blueprint.add(of(Kind::Topic, entry), Address::of(names.name(Kind::Topic, entry)), settings, Vec::new());
    for address in mails(blueprint.declaration) {
        storage::subscribe(blueprint, entry, &Subscription::Mail(address.clone()));
    }
}

/// Returns the statement that lets the alarms publish to a topic.
pub(super) fn publish(blueprint: &Blueprint<'_>, topic: &str) -> Statement {
    let statement = Statement::allow(&["SNS:Publish"], [topic.to_owned()]).for_service("cloudwatch.amazonaws.com");
    statement.with_source(blueprint.names().account(), arns(blueprint))
}

/// Returns the ARNs of all alarms.
fn arns(blueprint: &Blueprint<'_>) -> Vec<String> {
    let names = blueprint.names();
    watches(blueprint.declaration).iter().map(|watch| names.arn(Kind::Alarm, &watch.id())).collect()
}

fn watches(declaration: &Declaration) -> Vec<Watch<'_>> {
    let mut watches = Vec::new();
    for (kind, threshold) in &declaration.alarms.thresholds {
        let measure = kind.measure();
        let threshold = |entry| in_metric(declaration, *kind, entry, *threshold);
        let watch = |entry| {
            let nodes = declaration.caches.get(entry).filter(|_| measure.watched == Watched::Cache);
            let nodes = 1..=nodes.map_or(0, |cache| cache.replicas) + 1;
            nodes.map(move |node| Watch { entry, measure, threshold: threshold(entry), node, silent_hours: None })
        };
        watches.extend(entries(declaration, measure.watched).into_iter().flat_map(watch));
    }
    if let Some(silence) = declaration.alarms.silence {
        let silent_hours = Some(seconds(silence) / SILENCE.period);
        let watch = |entry| Watch { entry, measure: SILENCE, threshold: SILENCE.threshold, node: 1, silent_hours };
        watches.extend(entries(declaration, SILENCE.watched).into_iter().map(watch));
    }
    watches
}

/// Returns the entries that an alarm watches.
fn entries(declaration: &Declaration, watched: Watched) -> BTreeSet<&str> {
    let functions = declaration.functions.iter();
    match watched {
        Watched::Function => functions.map(|(entry, _)| entry.as_str()).collect(),
        Watched::FunctionWithFailureQueue => {
            functions.filter(|(_, function)| function.on_failure.is_some()).map(|(entry, _)| entry.as_str()).collect()
        }
        Watched::Receiver => declaration.receivers().union(&declaration.listeners()).copied().collect(),
        Watched::Listener => declaration.listeners(),
        Watched::Database => declaration.databases.keys().map(String::as_str).collect(),
        Watched::Cache => declaration.caches.keys().map(String::as_str).collect(),
        Watched::Server => declaration.servers.keys().map(String::as_str).collect(),
        Watched::ConfigurationSet => {
            let sets = declaration.configuration_sets.iter().filter(|(_, set)| set.reputation_metrics);
            sets.map(|(entry, _)| entry.as_str()).collect()
        }
        Watched::Api => declaration.apis.keys().map(String::as_str).collect(),
        Watched::ConsumedQueue => {
            functions.filter_map(|(_, function)| Some(function.consumes.as_ref()?.queue.as_str())).collect()
        }
        Watched::FailureQueue => {
            let redrives = declaration.queues.values().filter_map(|queue| Some(queue.redrive.as_ref()?.queue.as_str()));
            let told = declaration.topics.values().flat_map(|topic| &topic.subscriptions);
            let untaken = told.filter_map(|told| match told {
                Subscription::Function { redrive, .. } => redrive.as_deref(),
                Subscription::Mail(_) | Subscription::Queue { .. } => None,
            });
            functions
                .filter_map(|(_, function)| function.on_failure.as_deref())
                .chain(redrives)
                .chain(untaken)
                .collect()
        }
    }
}

/// Returns a threshold in the unit of its metric: milliseconds for a function, seconds for a queue.
fn in_metric(declaration: &Declaration, kind: AlarmKind, entry: &str, threshold: u32) -> u32 {
    let whole = match kind.measure().unit {
        Unit::Count | Unit::PerMillion | Unit::MebibytesLeft => return threshold,
        Unit::Seconds => return threshold.saturating_mul(1000),
        Unit::PercentOfTimeout => {
            declaration.functions.get(entry).map(|function| seconds(function.timeout).saturating_mul(1000))
        }
        Unit::PercentOfRetention => declaration.queues.get(entry).map(|queue| seconds(queue.retention)),
    };
    let part = u64::from(whole.unwrap_or_default()) * u64::from(threshold) / 100;
    u32::try_from(part).unwrap_or(u32::MAX)
}
