//! Alarms of whatever is declared (functions, queues, APIs, databases, caches, servers, mails sent), and the topic that carries them to people.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Blueprint, api, of, seconds,
    subscriptions::{owned_policy, subscribe},
};
use crate::moves::node_alarm_entry;
use aws::policy::Statement;
use declaration::{AlarmKind, Declaration, Measure, Notify, SILENCE, Subscription, Unit, Watched};
use engine::Address;
use kinds::{Id, Kind, cloudwatch::alarm, ec2::id_of, elasticache::replication_group, sns::topic};

/// An alarm on an entry.
struct Watch<'given> {
    entry: &'given str,
    /// Number of the node that it watches, from 1; 1 for all that have no nodes.
    node: u32,
    trigger: Trigger,
}

/// The reason for which an alarm fires.
#[derive(Clone, Copy)]
enum Trigger {
    /// One value at the threshold or beyond it, in the unit of [`in_metric`].
    Threshold(AlarmKind, u32),
    /// Hours without an invocation. The metric is [`SILENCE`].
    Silence(u32),
}

impl Trigger {
    fn measure(self) -> Measure {
        match self {
            Self::Threshold(kind, _) => kind.measure(),
            Self::Silence(_) => SILENCE,
        }
    }

    /// Returns the threshold as CloudWatch compares it with the metric.
    fn threshold(self) -> f64 {
        let Self::Threshold(kind, threshold) = self else { return SILENCE.threshold.into() };
        match kind.measure().unit {
            Unit::PerMillion => f64::from(threshold) / 1e6,
            Unit::MebibytesLeft => f64::from(threshold) * f64::from(1024 * 1024),
            _ => threshold.into(),
        }
    }

    fn comparison(self) -> &'static str {
        match self {
            Self::Silence(_) => "LessThanThreshold",
            Self::Threshold(kind, _) if kind.measure().unit == Unit::MebibytesLeft => "LessThanOrEqualToThreshold",
            Self::Threshold(..) => "GreaterThanOrEqualToThreshold",
        }
    }

    /// Returns what a period without a value is. A server that tells nothing does not run.
    fn missing_data(self) -> &'static str {
        match self {
            Self::Silence(_) | Self::Threshold(AlarmKind::ServerStatus, _) => "breaching",
            Self::Threshold(..) => "notBreaching",
        }
    }

    /// Returns the number of periods after which it fires.
    fn periods(self) -> u32 {
        match self {
            Self::Silence(hours) => hours,
            Self::Threshold(..) => 1,
        }
    }
}

impl Watch<'_> {
    /// Returns the entry of the alarm.
    fn id(&self) -> String {
        node_alarm_entry(self.entry, self.trigger.measure().name, self.node)
    }

    /// Returns the dimension of the metric that it watches, and its value.
    fn dimension(&self, blueprint: &Blueprint<'_>) -> (&'static str, String) {
        let names = blueprint.names();
        let name = |kind| names.name(kind, self.entry);
        match self.trigger.measure().watched {
            Watched::Function | Watched::FunctionWithFailureQueue | Watched::Receiver | Watched::Listener => {
                ("FunctionName", name(Kind::Function))
            }
            Watched::FailureQueue | Watched::ConsumedQueue => ("QueueName", name(Kind::Queue)),
            Watched::Api => (alarm::API, api::id_of(blueprint, self.entry)),
            Watched::Database => ("DBInstanceIdentifier", name(Kind::Database)),
            Watched::Cache => ("CacheClusterId", replication_group::node(&name(Kind::Cache), self.node)),
            Watched::Server => (alarm::SERVER, id_of(Kind::Server, &names.derived(Kind::Server, self.entry))),
            Watched::ConfigurationSet => ("ses:configuration-set", name(Kind::ConfigurationSet)),
        }
    }

    /// Returns the resource without whose id there is no alarm; `None` if the dimension is a name, which is known before.
    fn prerequisite(&self) -> Option<Id> {
        match self.trigger.measure().watched {
            Watched::Api => Some(of(Kind::Api, self.entry)),
            Watched::Server => Some(of(Kind::Server, self.entry)),
            _ => None,
        }
    }

    /// Returns the settings of the alarm, without its actions.
    fn settings(&self, blueprint: &Blueprint<'_>) -> alarm::Settings {
        let measure = self.trigger.measure();
        let (dimension, watched) = self.dimension(blueprint);
        alarm::Settings {
            description: measure.description.to_owned(),
            namespace: measure.namespace.to_owned(),
            metric: measure.metric.to_owned(),
            dimensions: BTreeMap::from([(dimension.to_owned(), watched)]),
            statistic: measure.statistic.to_owned(),
            period: measure.period,
            threshold: self.trigger.threshold(),
            evaluation_periods: self.trigger.periods(),
            comparison: self.trigger.comparison().to_owned(),
            missing_data: self.trigger.missing_data().to_owned(),
            tags: blueprint.tags(&self.id(), &BTreeMap::new()),
            ..alarm::Settings::default()
        }
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

/// Returns the entries of the topics that alarms are published to.
fn topics(declaration: &Declaration) -> Vec<&str> {
    let declared = declaration.alarms.notify.iter().filter_map(|who| match who {
        Notify::Topic(entry) => Some(entry.as_str()),
        Notify::Mail(_) => None,
    });
    let own = (!mails(declaration).is_empty()).then(|| topic_entry(declaration));
    declared.chain(own).collect()
}

/// Adds every alarm, and the topic that carries them to mail addresses.
pub(super) fn add(blueprint: &mut Blueprint<'_>) {
    let declaration = blueprint.declaration;
    let names = blueprint.names();
    let topics = topics(declaration);
    if !mails(declaration).is_empty() {
        mail_topic(blueprint, topic_entry(declaration));
    }
    let actions: BTreeSet<String> = topics.iter().map(|topic| names.arn(Kind::Topic, topic)).collect();
    let after: Vec<Id> = topics.iter().map(|topic| of(Kind::Topic, *topic)).collect();
    for watch in watches(declaration) {
        let (alarm_actions, ok_actions) = (actions.clone(), actions.clone());
        let settings = alarm::Settings { alarm_actions, ok_actions, ..watch.settings(blueprint) };
        let after = after.iter().cloned().chain(watch.prerequisite()).collect();
        let id = watch.id();
        let address = Address::of(names.name(Kind::Alarm, &id));
        blueprint.add(of(Kind::Alarm, id), address, settings, after);
    }
}

/// Adds the topic that carries alarms to mail addresses.
fn mail_topic(blueprint: &mut Blueprint<'_>, entry: &str) {
    let names = blueprint.names();
    let arn = names.arn(Kind::Topic, entry);
    let settings = topic::Settings {
        policy: owned_policy(&arn, vec![(topic::ALARMS.to_owned(), publish(blueprint, &arn))]),
        kms_key: blueprint.declaration.kms_key.clone(),
        tags: blueprint.tags(entry, &BTreeMap::new()),
        ..topic::Settings::default()
    };
    blueprint.add(of(Kind::Topic, entry), Address::of(names.name(Kind::Topic, entry)), settings, Vec::new());
    for address in mails(blueprint.declaration) {
        subscribe(blueprint, entry, &Subscription::Mail(address.clone()));
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
        for entry in entries(declaration, kind.measure().watched) {
            let trigger = Trigger::Threshold(*kind, in_metric(declaration, *kind, entry, *threshold));
            let nodes = 1..=nodes(declaration, kind.measure().watched, entry);
            watches.extend(nodes.map(|node| Watch { entry, node, trigger }));
        }
    }
    if let Some(silence) = declaration.alarms.silence {
        let trigger = Trigger::Silence(seconds(silence) / SILENCE.period);
        let entries = entries(declaration, SILENCE.watched).into_iter();
        watches.extend(entries.map(|entry| Watch { entry, node: 1, trigger }));
    }
    watches
}

/// Returns the number of nodes of an entry that have an alarm each: 1 for all but caches.
fn nodes(declaration: &Declaration, watched: Watched, entry: &str) -> u32 {
    let cache = declaration.caches.get(entry).filter(|_| watched == Watched::Cache);
    cache.map_or(0, |cache| cache.replicas) + 1
}

/// Returns the entries that an alarm watches.
fn entries(declaration: &Declaration, watched: Watched) -> BTreeSet<&str> {
    let functions = declaration.functions.iter();
    match watched {
        Watched::Function => declaration.lambda_functions().map(|(entry, _)| entry.as_str()).collect(),
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
            let taken = declaration.servers.values().flat_map(|server| &server.receives);
            let consumed = functions.filter_map(|(_, function)| Some(&function.consumes.as_ref()?.queue));
            consumed.chain(taken).map(String::as_str).collect()
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

/// Returns a threshold in the unit of its metric, such as milliseconds for a function; parts of a million and mebibytes stay, which
/// [`Trigger::threshold`] converts.
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
