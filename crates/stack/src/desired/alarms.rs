//! The alarms on declared functions, queues, APIs, databases, caches, servers and configuration sets, and the topic that sends them to mail
//! addresses.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Blueprint, api, seconds,
    subscriptions::{owned_policy, subscribe},
};
use crate::moves::node_alarm_entry;
use aws::policy::Statement;
use declaration::{AlarmKind, Declaration, Measure, Notify, SILENCE, Subscription, Unit, Watched};
use engine::Address;
use kinds::{Id, Kind, cloudwatch::alarm, ec2::id_of, elasticache::replication_group, sns::topic};

/// An alarm on the resource of an entry, or on one node of it.
struct Watch<'given> {
    entry: &'given str,
    /// Number of the node, from 1; 1 for a resource without nodes.
    node: u32,
    trigger: Trigger,
}

/// The reason for which an alarm fires.
#[derive(Clone, Copy)]
enum Trigger {
    /// One value at the threshold or beyond it. The threshold is in the unit of the metric.
    Threshold(AlarmKind, f64),
    /// This number of hours without an invocation: a [`SILENCE`].
    Silence(u32),
}

impl Trigger {
    fn measure(self) -> Measure {
        match self {
            Self::Threshold(kind, _) => kind.measure(),
            Self::Silence(_) => SILENCE,
        }
    }

    /// Returns the threshold, in the unit of the metric.
    fn threshold(self) -> f64 {
        match self {
            Self::Threshold(_, threshold) => threshold,
            Self::Silence(_) => SILENCE.threshold.into(),
        }
    }

    fn comparison(self) -> &'static str {
        match self {
            Self::Silence(_) => "LessThanThreshold",
            Self::Threshold(kind, _) if kind.measure().unit == Unit::MebibytesLeft => "LessThanOrEqualToThreshold",
            Self::Threshold(..) => "GreaterThanOrEqualToThreshold",
        }
    }

    /// Returns how a period without a value counts. It is a breach for silence, and for a server's status check: a server
    /// that runs has a value in each period.
    fn missing_data(self) -> &'static str {
        match self {
            Self::Silence(_) | Self::Threshold(AlarmKind::ServerStatus, _) => "breaching",
            Self::Threshold(..) => "notBreaching",
        }
    }

    /// Returns the number of periods in a row that must breach the threshold.
    fn periods(self) -> u32 {
        match self {
            Self::Silence(hours) => hours,
            Self::Threshold(..) => 1,
        }
    }
}

impl Watch<'_> {
    /// Returns the entry of the alarm itself.
    fn alarm_entry(&self) -> String {
        node_alarm_entry(self.entry, self.trigger.measure().name, self.node)
    }

    /// Returns the name and the value of the metric's dimension, which identifies the resource.
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

    /// Returns the resource whose id the dimension contains, so that it must be created before the alarm; `None` if the dimension is a name.
    fn prerequisite(&self) -> Option<Id> {
        match self.trigger.measure().watched {
            Watched::Api => Some(Id::new(Kind::Api, self.entry)),
            Watched::Server => Some(Id::new(Kind::Server, self.entry)),
            _ => None,
        }
    }

    /// Returns the settings of the alarm, without its actions.
    fn settings(&self, blueprint: &Blueprint<'_>) -> alarm::Settings {
        let measure = self.trigger.measure();
        let (dimension, value) = self.dimension(blueprint);
        alarm::Settings {
            description: measure.description.to_owned(),
            namespace: measure.namespace.to_owned(),
            metric: measure.metric.to_owned(),
            dimensions: BTreeMap::from([(dimension.to_owned(), value)]),
            statistic: measure.statistic.to_owned(),
            period: measure.period,
            threshold: self.trigger.threshold(),
            evaluation_periods: self.trigger.periods(),
            comparison: self.trigger.comparison().to_owned(),
            missing_data: self.trigger.missing_data().to_owned(),
            tags: blueprint.tags(&self.alarm_entry(), &BTreeMap::new()),
            ..alarm::Settings::default()
        }
    }
}

/// Returns the mail addresses that get alarms.
fn mail_addresses(declaration: &Declaration) -> Vec<&String> {
    let notify = declaration.alarms.notify.iter();
    notify.filter_map(|target| if let Notify::Mail(address) = target { Some(address) } else { None }).collect()
}

/// Returns the entries of the topics that alarms are published to.
fn topics(declaration: &Declaration) -> Vec<&str> {
    let declared = declaration.alarms.notify.iter().filter_map(|target| match target {
        Notify::Topic(entry) => Some(entry.as_str()),
        Notify::Mail(_) => None,
    });
    declared.chain(declaration.alarm_mail_topic()).collect()
}

/// Adds every alarm, and the topic that sends them to mail addresses.
pub(super) fn add(blueprint: &mut Blueprint<'_>) {
    let declaration = blueprint.declaration;
    let names = blueprint.names();
    let topics = topics(declaration);
    if let Some(entry) = declaration.alarm_mail_topic() {
        add_mail_topic(blueprint, entry);
    }
    let actions: BTreeSet<String> = topics.iter().map(|topic| names.arn(Kind::Topic, topic)).collect();
    let after: Vec<Id> = topics.iter().map(|topic| Id::new(Kind::Topic, *topic)).collect();
    for watch in watches(declaration) {
        let (alarm_actions, ok_actions) = (actions.clone(), actions.clone());
        let settings = alarm::Settings { alarm_actions, ok_actions, ..watch.settings(blueprint) };
        let after = after.iter().cloned().chain(watch.prerequisite()).collect();
        let id = Id::new(Kind::Alarm, watch.alarm_entry());
        let address = Address::of(names.name(Kind::Alarm, &id.entry));
        blueprint.add(id, address, settings, after);
    }
}

/// Adds the topic that sends alarms to mail addresses, with a subscription of each address.
fn add_mail_topic(blueprint: &mut Blueprint<'_>, entry: &str) {
    let names = blueprint.names();
    let arn = names.arn(Kind::Topic, entry);
    let settings = topic::Settings {
        policy: owned_policy(&arn, vec![(topic::ALARMS.to_owned(), publish(blueprint, &arn))]),
        kms_key: blueprint.declaration.kms_key.clone(),
        tags: blueprint.tags(entry, &BTreeMap::new()),
        ..topic::Settings::default()
    };
    let address = Address::of(names.name(Kind::Topic, entry));
    blueprint.add(Id::new(Kind::Topic, entry), address, settings, Vec::new());
    for address in mail_addresses(blueprint.declaration) {
        subscribe(blueprint, entry, &Subscription::Mail(address.clone()));
    }
}

/// Returns the statement that lets this stack's alarms publish to a topic.
pub(super) fn publish(blueprint: &Blueprint<'_>, topic: &str) -> Statement {
    let statement = Statement::allow(&["SNS:Publish"], [topic.to_owned()]).for_service("cloudwatch.amazonaws.com");
    statement.with_source(blueprint.names().account(), arns(blueprint))
}

/// Returns the ARNs of all alarms of the stack.
fn arns(blueprint: &Blueprint<'_>) -> Vec<String> {
    let names = blueprint.names();
    watches(blueprint.declaration).iter().map(|watch| names.arn(Kind::Alarm, &watch.alarm_entry())).collect()
}

/// Returns all alarms of a declaration.
fn watches(declaration: &Declaration) -> Vec<Watch<'_>> {
    let mut watches = Vec::new();
    for (kind, threshold) in &declaration.alarms.thresholds {
        for entry in entries(declaration, kind.measure().watched) {
            let Some(threshold) = in_metric_unit(declaration, *kind, entry, *threshold) else { continue };
            let trigger = Trigger::Threshold(*kind, threshold);
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

/// Returns the number of nodes that have an alarm each: those of a cache; 1 for anything else.
fn nodes(declaration: &Declaration, watched: Watched, entry: &str) -> u32 {
    let cache = declaration.caches.get(entry).filter(|_| watched == Watched::Cache);
    cache.map_or(0, |cache| cache.replicas) + 1
}

/// Returns the entries of the resources that are watched so.
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
            let received = declaration.servers.values().flat_map(|server| &server.receives);
            let consumed = functions.filter_map(|(_, function)| Some(&function.consumes.as_ref()?.queue));
            consumed.chain(received).map(String::as_str).collect()
        }
        Watched::FailureQueue => {
            let redrives = declaration.queues.values().filter_map(|queue| Some(queue.redrive.as_ref()?.queue.as_str()));
            let subscriptions = declaration.topics.values().flat_map(|topic| &topic.subscriptions);
            let undelivered = subscriptions.filter_map(|subscription| match subscription {
                Subscription::Function { redrive, .. } => redrive.as_deref(),
                Subscription::Mail(_) | Subscription::Queue { .. } => None,
            });
            functions
                .filter_map(|(_, function)| function.on_failure.as_deref())
                .chain(redrives)
                .chain(undelivered)
                .collect()
        }
    }
}

/// Converts a declared threshold into the unit of the metric. Returns `None` if it is a percentage of a setting of an entry that is not
/// declared: the alarm would have no threshold.
fn in_metric_unit(declaration: &Declaration, kind: AlarmKind, entry: &str, threshold: u32) -> Option<f64> {
    let threshold = f64::from(threshold);
    Some(match kind.measure().unit {
        Unit::Count => threshold,
        Unit::PerMillion => threshold / 1e6,
        Unit::MebibytesLeft => threshold * f64::from(1024 * 1024),
        Unit::Seconds => threshold * 1000.0,
        Unit::PercentOfTimeout => {
            f64::from(seconds(declaration.functions.get(entry)?.timeout)) * 1000.0 * threshold / 100.0
        }
        Unit::PercentOfRetention => f64::from(seconds(declaration.queues.get(entry)?.retention)) * threshold / 100.0,
    })
}
