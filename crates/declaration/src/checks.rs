//! Finds contradictions between parts that are valid by themselves, before any call to AWS.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::Duration,
};

use super::{
    Action, Declaration, Function, Invocation, Place, ReceiptRule, SecretSource, Subscription, ValueFrom, alarms, api,
    cluster, configuration_set, consumes,
    diagnostic::Diagnostic,
    expiry, measures,
    reader::Reader,
    security_group, tags,
    tree::{Node, Value, at, key_at, span_of},
};

/// Time that SES waits for the answer of a synchronously invoked function.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);

/// Checks that a function that reads mails can find the one that it is invoked for, and answers in time if SES
/// waits.
pub(super) fn invocations(
    reader: &mut Reader,
    node: &Node,
    rule: &ReceiptRule,
    functions: &BTreeMap<String, Function>,
) {
    let Some(Value::List(items)) = at(node, &["actions"]).map(|node| &node.value) else { return };
    // An action that was not understood is missing in the rule, so its position is unknown.
    if items.len() != rule.actions.len() {
        return;
    }
    for (index, (action, item)) in rule.actions.iter().zip(items).enumerate() {
        let Action::Invoke { function: name, invocation, .. } = action else { continue };
        let (Some(function), Some(target)) = (functions.get(name), at(item, &["invoke"])) else { continue };
        let before = rule.actions.get(..index).unwrap_or_default();
        stored(reader, &target.span, (name, function), before);
        if *invocation == Invocation::RequestResponse && function.timeout > LONGEST_ANSWER {
            let message = format!(
                "SES waits at most `{}` for an answer, and function `{name}` has a timeout of `{}`",
                measures::spell(LONGEST_ANSWER),
                measures::spell(function.timeout)
            );
            reader.diagnose(&target.span, message, "shorten the timeout, or invoke it as an `Event`");
        }
    }
}

/// Checks that a rule stores the mail where its function may read it.
fn stored(reader: &mut Reader, span: &Range<usize>, (name, function): (&str, &Function), before: &[Action]) {
    let mut stored = before.iter().filter_map(|action| match action {
        Action::Store { bucket, prefix, .. } => Some((bucket, prefix)),
        _ => None,
    });
    let may_read = |(bucket, prefix): (&String, &String)| {
        function.reads.iter().any(|place| place.bucket == *bucket && prefix.starts_with(&place.prefix))
    };
    let Some(Place { bucket, prefix, .. }) = function.reads.first() else { return };
    if !stored.any(may_read) {
        let (place, hint) = if prefix.is_empty() {
            (format!("bucket `{bucket}`"), format!("put `{{store: {bucket}}}` before it"))
        } else {
            let hint = format!("put `{{store: {bucket}, prefix: {prefix}}}` before it");
            (format!("`{prefix}` of bucket `{bucket}`"), hint)
        };
        let message = format!("function `{name}` reads {place}, and no action before this one stores the mail there");
        reader.diagnose(span, message, hint);
    }
}

/// Checks that every KMS key is in the stack's region: no service encrypts by one of another.
fn keys_elsewhere(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    for (key, path) in declaration.kms_keys_by_path() {
        let region = key.split(':').nth(3).unwrap_or_default();
        if declaration.region.is_empty() || region == declaration.region {
            continue;
        }
        let message = format!("this key is in {region}, and the stack in {}", declaration.region);
        reader.diagnose(
            &span_of(root, &path),
            message,
            "name a key of the stack's region: its replica there, if it has one",
        );
    }
}

/// Checks contradictions between sections, which no section can see by itself.
pub(super) fn whole(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    keys_elsewhere(reader, root, declaration);
    redrive_circles(reader, root, declaration);
    publishing_circles(reader, root, declaration);
    standard_input(reader, root, declaration);
    lost_in_redrive(reader, root, declaration);
    expiry::check(reader, root, declaration);
    unheard_silence(reader, root, declaration);
    alarms::check(reader, root, declaration);
    lost_events(reader, root, declaration);
    tags::check(reader, root, declaration);
    api::check(reader, root, declaration);
    consumes::check(reader, root, declaration);
    cluster::check(reader, root, declaration);
    configuration_set::check(reader, root, declaration);
    security_group::check(reader, root, declaration);
    super::server::check(reader, root, declaration);
    super::worker::check(reader, root, declaration);
    super::ways::check(reader, root, declaration);
}

/// Reports an alarm on silence that would watch nothing: the invocations of functions are what counts mails.
fn unheard_silence(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    if declaration.alarms.silence.is_some() && declaration.receivers().is_empty() && declaration.listeners().is_empty()
    {
        let span = span_of(root, &["alarms", "silence"]);
        let message = "nothing counts the mails of this stack: no enabled receipt rule invokes a function, or publishes to a topic of one";
        reader.diagnose(&span, message, "let a rule invoke a function, or remove `silence`");
    }
}

/// Warns of events that are lost without a trace, and of settings for such events that have no effect: whoever waits for the
/// answer of a function gets its error, and nothing is retried or kept.
fn lost_events(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    for (name, function) in &declaration.functions {
        let mut waits = waiting(declaration, name, function);
        let mut not_waited_for = false;
        for action in declaration.receipt_rules.iter().flat_map(|rule| &rule.actions) {
            match action {
                Action::Invoke { function, invocation, .. } if function == name => match invocation {
                    Invocation::RequestResponse => waits = Some("SES waits"),
                    Invocation::Event => not_waited_for = true,
                },
                _ => {}
            }
        }
        let mut told = declaration.topics.values().flat_map(|topic| &topic.subscriptions);
        not_waited_for |= told.any(|told| matches!(told, Subscription::Function { function, .. } if function == name));
        let has_queue = function.on_failure.is_some() || key_at(root, &["functions", name, "on_failure"]).is_some();
        if not_waited_for && !has_queue {
            let span = key_at(root, &["functions", name]).map_or(0..0, |key| key.span.clone());
            let queue = declaration.queues.keys().next().map_or("failed", String::as_str);
            let message =
                format!("an event that function `{name}` fails on to the end is lost: it has no `on_failure`");
            let there =
                if declaration.queues.is_empty() { ", and a queue: `queues: {failed: {retention: 14d}}`" } else { "" };
            let hint = format!("write `on_failure: {queue}`{there}");
            reader.report(Diagnostic::warning(span, message).with_hint(hint));
        }
        if let Some(waits) = waits.filter(|_| !not_waited_for) {
            for setting in ["retries", "maximum_event_age", "on_failure"] {
                let Some(key) = key_at(root, &["functions", name, setting]) else { continue };
                let message =
                    format!("`{setting}` has no effect: {waits} for function `{name}`, and Lambda does not retry then");
                let hint = if waits.starts_with("SES") {
                    format!("remove it, or invoke the function as an `Event`: `{{invoke: {name}}}`")
                } else {
                    "remove it".to_owned()
                };
                reader.report(Diagnostic::warning(key.span.clone(), message).with_hint(hint));
            }
        }
    }
}

/// Returns who waits for the answers of a function that a route or a queue invokes; `None` if neither does.
fn waiting(declaration: &Declaration, name: &str, function: &Function) -> Option<&'static str> {
    let mut routes = declaration.apis.values().flat_map(|api| &api.routes);
    if function.consumes.is_some() {
        Some("its queue waits")
    } else {
        routes.any(|route| route.invoke == name).then_some("API Gateway waits")
    }
}

/// Warns of redrives that lose messages: a message's age goes on counting in the dead-letter queue.
fn lost_in_redrive(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    for (name, queue) in &declaration.queues {
        let Some(redrive) = &queue.redrive else { continue };
        let Some(target) = declaration.queues.get(&redrive.queue).filter(|target| target.retention < queue.retention)
        else {
            continue;
        };
        let message = format!(
            "queue `{}` keeps messages for `{}`, counted from when they came into queue `{name}`, which keeps them for `{}`",
            redrive.queue,
            measures::spell(target.retention),
            measures::spell(queue.retention)
        );
        let span = span_of(root, &["queues", name, "redrive", "queue"]);
        reader.report(Diagnostic::warning(span, message).with_hint("keep them longer there than here"));
    }
}

/// Warns of mail that two stages take: it is delivered twice, or to whichever rule is first.
pub(super) fn shared_recipients(stages: &[(Range<usize>, Declaration)]) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for (index, (span, later)) in stages.iter().enumerate() {
        for (_, earlier) in stages.iter().take(index) {
            let elsewhere = matches!((&earlier.account, &later.account), (Some(one), Some(other)) if one != other);
            let shared = shared(earlier, later);
            if shared.is_empty() || earlier.stage == later.stage || elsewhere || earlier.region != later.region {
                continue;
            }
            let name = |declaration: &Declaration| declaration.stage.clone().unwrap_or_default();
            let message =
                format!("stages `{}` and `{}` take the same mail: {}", name(earlier), name(later), shared.join(", "));
            diagnostics
                .push(Diagnostic::warning(span.clone(), message).with_hint("give each stage recipients of its own"));
        }
    }
    diagnostics
}

/// Returns the recipients that both declarations take mail for.
fn shared(one: &Declaration, other: &Declaration) -> Vec<String> {
    let recipients = |declaration: &Declaration| {
        let rules = declaration.receipt_rules.iter().filter(|rule| rule.enabled);
        let spelled = rules.flat_map(|rule| match rule.recipients.as_slice() {
            [] => vec!["every recipient".to_owned()],
            recipients => recipients.iter().map(|recipient| format!("`{recipient}`")).collect(),
        });
        spelled.collect::<BTreeSet<_>>()
    };
    recipients(one).intersection(&recipients(other)).cloned().collect()
}

/// Reports redrives in a cycle, in which messages circulate for ever. A queue that redrives to itself was reported
/// with the queue.
fn redrive_circles(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    let next = |name: &str| declaration.queues.get(name)?.redrive.as_ref().map(|redrive| redrive.queue.as_str());
    for name in declaration.queues.keys() {
        let mut path = vec![name.as_str()];
        let closes = loop {
            match path.last().and_then(|last| next(last)) {
                Some(queue) if queue == name => break true,
                Some(queue) if !path.contains(&queue) => path.push(queue),
                _ => break false,
            }
        };
        // Reported once, at the first of them.
        if closes && path.len() > 1 && path.iter().min() == Some(&name.as_str()) {
            let circle: Vec<_> = path.iter().chain([&name.as_str()]).map(|queue| format!("`{queue}`")).collect();
            let span = span_of(root, &["queues", name, "redrive", "queue"]);
            let message = format!("queues redrive in a circle: {}", circle.join(" → "));
            reader.diagnose(&span, message, "let one of them end it");
        }
    }
}

/// Reports functions that publish to the topic that invokes them: they invoke themselves without end.
fn publishing_circles(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    for (name, topic) in &declaration.topics {
        for (index, subscription) in topic.subscriptions.iter().enumerate() {
            let Subscription::Function { function, .. } = subscription else { continue };
            let Some(declared) = declaration.functions.get(function) else { continue };
            if declared.publishes.contains(name) {
                let list = at(root, &["topics", name, "subscriptions"]);
                let item = list.and_then(|node| match &node.value {
                    Value::List(items) => items.get(index),
                    _ => None,
                });
                let span = item.and_then(|item| at(item, &["function"])).map_or(0..0, |node| node.span.clone());
                let message = format!("function `{function}` publishes to topic `{name}`, which invokes it again");
                reader.diagnose(&span, message, "publish to another topic");
            }
        }
    }
}

/// Reports a second secret that is read from standard input, which can be read once only.
fn standard_input(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    let from_input = declaration.secrets.iter().filter(|(name, secret)| {
        secret.source == SecretSource::Created(ValueFrom::Stdin) && at(root, &["secrets", name, "value_from"]).is_some()
    });
    for (name, _) in from_input.skip(1) {
        let span = span_of(root, &["secrets", name, "value_from"]);
        reader.report(
            Diagnostic::new(span, "a second secret is read from standard input, which can be read once")
                .with_hint("read one of them from a file or an environment variable"),
        );
    }
}
