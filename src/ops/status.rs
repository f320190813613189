//! The status of a stack: its resources, its queues, the active rule set, unconfirmed subscriptions, the code of its functions,
//! their last mails, and the NetBox that they write to.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_cloudwatch::{
    primitives::DateTime,
    types::{Dimension, StateValue, Statistic},
};
use aws_sdk_sqs::types::QueueAttributeName;
use futures::future::join_all;
use jiff::Timestamp;
use serde::Serialize;

use crate::ops::netbox::Findings;
use aws::OrFail;
use declaration::{Declaration, SILENCE};
use engine::{Action, Address, Failure, Live};
use kinds::{
    BUILD_TAG, Condition, Item, Kind, Plan, REVISION_TAG, Read, Session, Settings, Survey,
    cloudwatch::alarm,
    ses::{self, Snapshot},
};
use stack::{
    Names,
    desired::RuleSet,
    preconditions::{Finding, others},
};

/// The state of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// The resource exists as declared.
    Present,
    /// The resource exists and differs from the declaration.
    Differs,
    /// The resource exists and waits for somebody or something.
    Pending,
    /// The resource exists and does not work.
    Failed,
    /// The resource is declared and does not exist.
    Absent,
    /// The resource exists and is not declared.
    NotDeclared,
    /// A resource with our name exists, and belongs to somebody else.
    Foreign,
    /// The resource could not be read.
    Unreadable,
}

/// A resource and its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Resource {
    pub(crate) kind: Kind,
    pub(crate) entry: String,
    pub(crate) address: Address,
    pub(crate) state: State,
    /// The reason for the state; `None` if the state says it all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
}

/// The code and configuration that a function runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Running {
    /// Entry name of the function.
    pub(crate) function: String,
    /// Time of the last change, as Lambda writes it.
    pub(crate) last_modified: Option<String>,
    /// Hash of the zip.
    pub(crate) code_sha256: Option<String>,
    /// Hash of the files in the zip, as the function writes it into its log; `None` if unknown.
    pub(crate) build: Option<String>,
    /// Commit that it was built from; `None` if unknown.
    pub(crate) revision: Option<String>,
    /// State: `Active`, `Inactive`, `Pending` or `Failed`.
    pub(crate) state: Option<String>,
    /// Status of the last update: `Successful`, `InProgress` or `Failed`.
    pub(crate) last_update: Option<String>,
}

/// A function that a server runs as a worker, as the server was told it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Worker {
    /// Entry name of the server.
    pub(crate) server: String,
    /// Entry name of the function.
    pub(crate) function: String,
    /// Hash of the zip, as SHA-256 in Base64: the server installs no other one.
    pub(crate) code_sha256: Option<String>,
}

/// Approximate number of messages in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Depth {
    /// Entry name of the queue.
    pub(crate) queue: String,
    /// Messages that can be received.
    pub(crate) waiting: u64,
    /// Messages that somebody has received and not deleted.
    pub(crate) in_flight: u64,
    /// Messages that cannot be received yet.
    pub(crate) delayed: u64,
}

/// The last invocation of a function that mails reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LastMail {
    /// Entry name of the function.
    pub(crate) function: String,
    /// Minute of the invocation; `None` if there was none within [`LOOKED_BACK`], or it is unknown.
    pub(crate) at: Option<Timestamp>,
    /// The reason why it could not be read; `None` if it was. It is no failure of the command: the right to read metrics is not needed
    /// for anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unknown: Option<String>,
}

/// Time in which the last mail is looked for. CloudWatch keeps hours for longer, minutes for 15 days.
pub(crate) const LOOKED_BACK: Duration = Duration::from_hours(14 * 24);

/// The rule set that takes mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Receiving {
    /// Name of the active rule set; `None` if there is none.
    pub(crate) active_rule_set: Option<String>,
    /// The stack's rules in it, in order.
    pub(crate) rules: Vec<String>,
    /// Number of other people's rules in it.
    pub(crate) foreign_rules: usize,
    /// Findings of others' rules and sets that keep mail from the stack's rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) cut_off: Vec<Finding>,
}

/// The state of a stack.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Status {
    pub(crate) resources: Vec<Resource>,
    pub(crate) functions: Vec<Running>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) queues: Vec<Depth>,
    /// Rule sets of SES; `None` if they could not be read.
    pub(crate) receiving: Option<Receiving>,
    /// The last mail of each function that mails reach.
    pub(crate) last_mails: Vec<LastMail>,
    /// Names of the stack's alarms that are firing.
    pub(crate) ringing: Vec<String>,
    /// Result of checking each NetBox, by address; `None` if there is no token for it.
    pub(crate) netboxes: BTreeMap<String, Option<Findings>>,
    /// Failed reads, other than those of resources.
    pub(crate) unreadable: Vec<Failure>,
}

impl Status {
    /// Returns `true` if everything could be read.
    pub(crate) fn is_known(&self) -> bool {
        let is_known = |resource: &Resource| resource.state != State::Unreadable;
        self.unreadable.is_empty() && self.resources.iter().all(is_known)
    }

    /// Returns `true` if others keep mail from the stack's rules.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.receiving.as_ref().is_some_and(|receiving| !receiving.cut_off.is_empty())
    }

    /// Returns the number of resources in each state.
    pub(crate) fn counts(&self) -> BTreeMap<State, usize> {
        let mut counts = BTreeMap::new();
        for resource in &self.resources {
            *counts.entry(resource.state).or_default() += 1;
        }
        counts
    }

    /// Returns what was read; of what could not be read, records the failure.
    fn read_or_record<T>(&mut self, found: Result<T, Failure>) -> Option<T> {
        found.map_err(|failure| self.unreadable.push(failure)).ok()
    }
}

/// Returns the state of each resource, from a plan and its survey.
pub(crate) fn resources(plan: &Plan, survey: &Survey) -> Vec<Resource> {
    let of_item = |item: &Item| {
        let (state, why) = state(item, survey);
        Resource { kind: item.id.kind, entry: item.id.entry.clone(), address: item.address.clone(), state, why }
    };
    let mut resources: Vec<Resource> = plan.items().iter().map(of_item).collect();
    resources.sort_by(|one, other| (one.kind, &one.entry).cmp(&(other.kind, &other.entry)));
    resources
}

/// Returns the workers of the declared servers that are there.
pub(crate) fn workers(plan: &Plan, survey: &Survey) -> Vec<Worker> {
    let of_item = |item: &Item| {
        let Read::Present(live) = survey.read.get(&(item.id.kind, item.address.clone()))? else { return None };
        let Settings::Server(server) = &live.settings else { return None };
        let (function, code_sha256) =
            (server.worker.get("function")?.clone(), server.worker.get("code_sha256").cloned());
        Some(Worker { server: item.id.entry.clone(), function, code_sha256 })
    };
    plan.items().iter().filter_map(of_item).collect()
}

fn state(item: &Item, survey: &Survey) -> (State, Option<String>) {
    if let Some(Read::Present(Live { settings, .. })) = survey.read.get(&(item.id.kind, item.address.clone())) {
        match settings.condition() {
            Condition::Failed(why) => return (State::Failed, Some(why)),
            Condition::Pending(why) => return (State::Pending, Some(why)),
            Condition::Well => {}
        }
    }
    match &item.action {
        Action::Unchanged => (State::Present, None),
        Action::Create => (State::Absent, None),
        Action::Change { differences } | Action::Replace { differences, .. } => {
            let paths: Vec<&str> = differences.iter().map(|difference| difference.path.as_str()).collect();
            (State::Differs, Some(paths.join(", ")))
        }
        Action::Delete => (State::NotDeclared, None),
        Action::Keep { why } => (State::NotDeclared, Some(why.clone())),
        Action::Unreadable { failure } => (State::Unreadable, Some(failure.to_string())),
        Action::Foreign { owner } => (State::Foreign, Some(owner.clone())),
    }
}

/// Returns the active rule set, with the stack's rules in it, and what keeps mail from them.
pub(crate) fn receiving(
    session: &Session,
    declaration: &Declaration,
    rule_set: &RuleSet,
    snapshot: &Snapshot,
) -> Receiving {
    let names = snapshot.active.as_ref().map(|active| snapshot.names(active)).unwrap_or_default();
    let (rules, foreign): (Vec<String>, Vec<String>) =
        names.into_iter().partition(|name| ses::is_own_rule(&session.stack, name));
    let cut_off = others(&session.stack, declaration, rule_set, snapshot).cut_off;
    Receiving { active_rule_set: snapshot.active.clone(), rules, foreign_rules: foreign.len(), cut_off }
}

/// Reads what the plan does not contain: queues, functions, mails, alarms.
pub(crate) async fn look(session: &Session, declaration: &Declaration, names: &Names, status: &mut Status) {
    let functions = join_all(declaration.lambda_functions().map(|(entry, _)| running(session, names, entry)));
    let queues = join_all(declaration.queues.keys().map(|entry| depth(session, names, entry)));
    let mails = join_all(declaration.receivers().into_iter().map(|entry| last_mail(session, names, entry)));
    let (functions, queues, mails, ringing) = tokio::join!(functions, queues, mails, ringing(session));
    status.last_mails = mails;
    status.functions = functions.into_iter().filter_map(|found| status.read_or_record(found).flatten()).collect();
    status.queues = queues.into_iter().filter_map(|found| status.read_or_record(found).flatten()).collect();
    status.ringing = status.read_or_record(ringing).unwrap_or_default();
}

/// Reads the code and configuration of a function; `None` if it does not exist.
async fn running(session: &Session, names: &Names, entry: &str) -> Result<Option<Running>, Failure> {
    let call = session.aws.read.lambda.get_function().function_name(names.name(Kind::Function, entry));
    let Some(answer) = call.send().await.or_absent("lambda.GetFunction")? else { return Ok(None) };
    let mut tags = answer.tags.unwrap_or_default();
    let (build, revision) = (tags.remove(BUILD_TAG), tags.remove(REVISION_TAG));
    let live = answer.configuration;
    let live = live.as_ref();
    Ok(Some(Running {
        function: entry.to_owned(),
        last_modified: live.and_then(|live| live.last_modified.clone()),
        code_sha256: live.and_then(|live| live.code_sha256.clone()),
        build,
        revision,
        state: live.and_then(|live| live.state.as_ref()).map(|state| state.as_str().to_owned()),
        last_update: live.and_then(|live| live.last_update_status.as_ref()).map(|state| state.as_str().to_owned()),
    }))
}

/// Reads a queue's depth; `None` if the queue does not exist.
async fn depth(session: &Session, names: &Names, entry: &str) -> Result<Option<Depth>, Failure> {
    const COUNTS: [QueueAttributeName; 3] = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let sqs = &session.aws.read.sqs;
    let answer =
        sqs.get_queue_url().queue_name(names.name(Kind::Queue, entry)).send().await.or_absent("sqs.GetQueueUrl")?;
    let Some(url) = answer.and_then(|answer| answer.queue_url) else { return Ok(None) };
    let call = sqs.get_queue_attributes().queue_url(url).set_attribute_names(Some(COUNTS.to_vec()));
    let Some(answer) = call.send().await.or_absent("sqs.GetQueueAttributes")? else { return Ok(None) };
    let counts = answer.attributes.unwrap_or_default();
    let [waiting, in_flight, delayed] =
        COUNTS.map(|name| counts.get(&name).and_then(|count| count.parse().ok()).unwrap_or(0));
    Ok(Some(Depth { queue: entry.to_owned(), waiting, in_flight, delayed }))
}

/// Reads when a function was invoked last.
async fn last_mail(session: &Session, names: &Names, entry: &str) -> LastMail {
    let name = names.name(Kind::Function, entry);
    let now = Timestamp::now();
    let at = async {
        // First the hour, then the minute: CloudWatch gives at most 1,440 values at once.
        let hour = last_invocation(session, &name, now - LOOKED_BACK, now, 3600).await?;
        let Some(hour) = hour else { return Ok(None) };
        let minute = last_invocation(session, &name, hour, hour + Duration::from_hours(1), 60).await?;
        Ok::<_, Failure>(minute.or(Some(hour)))
    };
    let (at, unknown) = match at.await {
        Ok(at) => (at, None),
        Err(failure) => (None, Some(failure.to_string())),
    };
    LastMail { function: entry.to_owned(), at, unknown }
}

/// Returns the beginning of the last period with an invocation, the period in seconds.
async fn last_invocation(
    session: &Session,
    function: &str,
    from: Timestamp,
    to: Timestamp,
    period: i32,
) -> Result<Option<Timestamp>, Failure> {
    let seconds = |time: Timestamp| DateTime::from_secs(time.as_second());
    let call = session.aws.read.cloudwatch.get_metric_statistics();
    let call = call.namespace(SILENCE.namespace).metric_name(SILENCE.metric).statistics(Statistic::Sum);
    let call = call.dimensions(Dimension::builder().name("FunctionName").value(function).build());
    let call = call.start_time(seconds(from)).end_time(seconds(to)).period(period);
    let points = call.send().await.or_fail("cloudwatch.GetMetricStatistics")?.datapoints.unwrap_or_default();
    let invoked = points.into_iter().filter(|point| point.sum.is_some_and(|sum| sum > 0.0));
    let last = invoked.filter_map(|point| point.timestamp).map(|time| time.secs()).max();
    Ok(last.and_then(|seconds| Timestamp::from_second(seconds).ok()))
}

/// Returns the names of the stack's alarms that are firing.
async fn ringing(session: &Session) -> Result<Vec<String>, Failure> {
    let call =
        session.aws.read.cloudwatch.describe_alarms().alarm_name_prefix(alarm::IDENTITY.listed_by(&session.stack));
    let mut pages = call.state_value(StateValue::Alarm).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let alarms = page.or_fail("cloudwatch.DescribeAlarms")?.metric_alarms.unwrap_or_default();
        names.extend(alarms.into_iter().filter_map(|alarm| alarm.alarm_name));
    }
    names.sort();
    Ok(names)
}
