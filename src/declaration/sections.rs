//! The sections of `infra.yaml`, one function each: which keys there are, what they hold, and what cannot stand together.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::Duration,
};

use super::{
    Action, Alarms, Architecture, Bucket, Declaration, Function, Invocation, Place, Queue, ReceiptRule,
    SecretReference, Tls,
    diagnostic::Diagnostic,
    reader::{Fields, Reader, choose},
    scalars,
    tree::{Key, Node, Value},
};

/// The most memory of a function, in MiB; AWS Lambda's bounds.
const MEMORY: (u32, u32) = (128, 10_240);
/// AWS Lambda's longest timeout.
const LONGEST_TIMEOUT: Duration = Duration::from_mins(15);
/// SES waits this long for the answer of a function that it invokes synchronously.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);
/// The bounds of SQS's `MessageRetentionPeriod`.
const RETENTION: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(14 * 24));
/// SES's quotas of one receipt rule.
const MOST_RECIPIENTS: usize = 100;
/// SES's quotas of one receipt rule.
const MOST_ACTIONS: usize = 10;
/// Names in AWS are `STACK-STAGE-ENTRY` and at most 63 or 64 characters long.
const LONGEST_NAME: usize = 32;

const ROOT: &[&str] = &["stack", "region", "buckets", "functions", "queues", "receipt_rules"];
const FUNCTION: &[&str] =
    &["crate", "bin", "memory", "timeout", "environment", "secrets", "reads", "on_failure", "retries"];

/// What is declared, by section: what references are looked up in.
struct Declared<'tree> {
    buckets: Vec<&'tree str>,
    functions: Vec<&'tree str>,
    queues: Vec<&'tree str>,
}

/// A whole declaration; worth nothing if anything was noted.
pub(super) fn declaration(reader: &mut Reader, root: &Node) -> Declaration {
    let fields = reader.fields(root, &(0..0), "the declaration", ROOT);
    let names = |section: &str| match fields.get(section).map(|node| &node.value) {
        Some(Value::Map(entries)) => entries.iter().map(|(key, _)| key.name.as_str()).collect(),
        _ => Vec::new(),
    };
    let declared = Declared { buckets: names("buckets"), functions: names("functions"), queues: names("queues") };
    let stack = reader
        .required(&fields, "stack", "circuit-maintenance")
        .and_then(|node| reader.scalar(node, "stack", "a name", |text| scalars::name(text, LONGEST_NAME)));
    let region = reader
        .required(&fields, "region", "eu-west-1")
        .and_then(|node| reader.scalar(node, "region", "an AWS region such as `eu-west-1`", scalars::region));
    let buckets = section(reader, &fields, "buckets", "bucket", bucket);
    let functions =
        section(reader, &fields, "functions", "function", |reader, key, node| function(reader, key, node, &declared));
    let queues = section(reader, &fields, "queues", "queue", queue);
    let receipt_rules = receipt_rules(reader, &fields, &declared, &functions);
    Declaration {
        stack: stack.unwrap_or_default(),
        stage: None,
        region: region.unwrap_or_default(),
        account: None,
        tags: BTreeMap::new(),
        take_over: false,
        buckets,
        functions,
        queues,
        topics: BTreeMap::new(),
        secrets: BTreeMap::new(),
        alarms: Alarms::default(),
        receipt_rules,
    }
}

/// A section of named entries.
fn section<T>(
    reader: &mut Reader,
    fields: &Fields<'_>,
    name: &str,
    kind: &str,
    mut read: impl FnMut(&mut Reader, &Key, &Node) -> T,
) -> BTreeMap<String, T> {
    let mut section = BTreeMap::new();
    let Some(node) = fields.get(name) else { return section };
    for (key, value) in reader.entries(node, &format!("`{name}`")) {
        check_name(reader, &key.name, &key.span, kind);
        section.insert(key.name.clone(), read(reader, key, value));
    }
    section
}

fn check_name(reader: &mut Reader, name: &str, span: &Range<usize>, kind: &str) {
    if let Err(wrong) = scalars::name(name, LONGEST_NAME) {
        let expected = wrong.expected.unwrap_or_default();
        let message = format!("the name of a {kind} must be {expected}, not `{}`", name.escape_debug());
        let diagnostic = Diagnostic::new(span.clone(), message);
        reader.note(match wrong.hint {
            Some(hint) => diagnostic.with_hint(hint),
            None => diagnostic,
        });
    }
}

fn bucket(reader: &mut Reader, key: &Key, node: &Node) -> Bucket {
    let fields = reader.fields(node, &key.span, format!("bucket `{}`", key.name), &["expire"]);
    let expire = fields.get("expire").and_then(|node| reader.scalar(node, "expire", scalars::DURATION, scalars::days));
    Bucket { expire, ..Bucket::default() }
}

fn queue(reader: &mut Reader, key: &Key, node: &Node) -> Queue {
    let fields = reader.fields(node, &key.span, format!("queue `{}`", key.name), &["retention"]);
    let (least, most) = RETENTION;
    let retention = fields.get("retention").and_then(|node| {
        reader.scalar(node, "retention", scalars::DURATION, |text| scalars::duration(text, least, most))
    });
    Queue { retention: retention.unwrap_or(most), visibility_timeout: Duration::from_secs(30), ..Queue::default() }
}

fn function(reader: &mut Reader, key: &Key, node: &Node, declared: &Declared<'_>) -> Function {
    let fields = reader.fields(node, &key.span, format!("function `{}`", key.name), FUNCTION);
    let cargo = |reader: &mut Reader, name: &str, what: &str| {
        let node = reader.required(&fields, name, &key.name)?;
        reader.scalar(node, name, what, scalars::cargo_name)
    };
    let crate_name = cargo(reader, "crate", "the name of a Cargo package").unwrap_or_default();
    let bin = cargo(reader, "bin", "the name of a binary of that package").unwrap_or_default();
    let memory = fields.get("memory").and_then(|node| {
        reader.scalar(node, "memory", scalars::SIZE, |text| scalars::megabytes(text, MEMORY.0, MEMORY.1))
    });
    let timeout = fields.get("timeout").and_then(|node| {
        reader.scalar(node, "timeout", scalars::DURATION, |text| {
            scalars::duration(text, Duration::from_secs(1), LONGEST_TIMEOUT)
        })
    });
    let retries = fields
        .get("retries")
        .and_then(|node| reader.scalar(node, "retries", "`0`, `1` or `2`", |text| scalars::number(text, 0, 2)));
    let (environment, secrets) = variables(reader, &fields);
    let reads = fields.get("reads").map(|node| references(reader, node, "reads", "bucket", &declared.buckets));
    let on_failure =
        fields.get("on_failure").and_then(|node| reference(reader, node, "on_failure", "queue", &declared.queues));
    Function {
        crate_name,
        bin,
        description: String::new(),
        architecture: Architecture::default(),
        memory: memory.unwrap_or(256),
        timeout: timeout.unwrap_or(Duration::from_secs(30)),
        environment,
        secrets: secrets.into_iter().map(|(variable, name)| (variable, SecretReference::Existing(name))).collect(),
        vpc: None,
        log_retention: 30,
        reserved_concurrency: None,
        retries: retries.unwrap_or(2),
        maximum_event_age: Duration::from_hours(6),
        on_failure,
        reads: reads.unwrap_or_default().into_iter().map(|bucket| Place { bucket, prefix: String::new() }).collect(),
        writes: Vec::new(),
        deletes: Vec::new(),
        publishes: Vec::new(),
        sends: Vec::new(),
        tags: BTreeMap::new(),
    }
}

type Variables = BTreeMap<String, String>;

/// `environment` and `secrets`: they become variables of one environment.
fn variables(reader: &mut Reader, fields: &Fields<'_>) -> (Variables, Variables) {
    let read =
        |reader: &mut Reader, section: &str, what: &str, value: fn(&str) -> Result<String, super::reader::Wrong>| {
            let mut variables = BTreeMap::new();
            for (key, node) in
                fields.get(section).map(|node| reader.entries(node, &format!("`{section}`"))).unwrap_or_default()
            {
                if let Err(wrong) = scalars::variable(&key.name) {
                    let expected = wrong.expected.unwrap_or_default();
                    let message = format!("a variable must have {expected}, not `{}`", key.name.escape_debug());
                    reader.note(Diagnostic::new(key.span.clone(), message));
                }
                if let Some(text) = reader.scalar(node, &key.name, what, value) {
                    variables.insert(key.name.clone(), text);
                }
            }
            variables
        };
    let environment = read(reader, "environment", "a text", |text| Ok(text.to_owned()));
    let secrets = read(reader, "secrets", "the name of a secret in Secrets Manager", scalars::secret);
    if let Some(Value::Map(entries)) = fields.get("secrets").map(|node| &node.value) {
        for (key, _) in entries.iter().filter(|(key, _)| environment.contains_key(&key.name)) {
            let message = format!("`{}` is both in `environment` and in `secrets`", key.name);
            reader.note(Diagnostic::new(key.span.clone(), message).with_hint("take one of both away"));
        }
    }
    (environment, secrets)
}

fn references(reader: &mut Reader, node: &Node, name: &str, kind: &str, declared: &[&str]) -> Vec<String> {
    let mut references = Vec::new();
    for item in reader.list(node, name, declared.first().unwrap_or(&"name")) {
        if let Some(reference) = reference(reader, item, name, kind, declared) {
            if references.contains(&reference) {
                reader.note(Diagnostic::new(item.span.clone(), format!("`{reference}` is there twice in `{name}`")));
            } else {
                references.push(reference);
            }
        }
    }
    references
}

/// The name of something that is declared.
fn reference(reader: &mut Reader, node: &Node, name: &str, kind: &str, declared: &[&str]) -> Option<String> {
    let text = reader.scalar(node, name, &format!("the name of a {kind}"), |text| Ok(text.to_owned()))?;
    if declared.contains(&text.as_str()) {
        return Some(text);
    }
    let message = format!("{kind} `{}` is not declared", text.escape_debug());
    let hint = if declared.is_empty() {
        format!("no {kind} is declared: add it under `{kind}s`")
    } else {
        choose(&text, &format!("declared {kind}s"), declared)
    };
    reader.note(Diagnostic::new(node.span.clone(), message).with_hint(hint));
    None
}

fn receipt_rules(
    reader: &mut Reader,
    fields: &Fields<'_>,
    declared: &Declared<'_>,
    functions: &BTreeMap<String, Function>,
) -> Vec<ReceiptRule> {
    let Some(node) = fields.get("receipt_rules") else { return Vec::new() };
    let mut names = BTreeSet::new();
    let mut rules = Vec::new();
    for item in reader.list(node, "receipt_rules", "{name: …, actions: […]}") {
        rules.push(receipt_rule(reader, item, declared, functions, &mut names));
    }
    rules
}

fn receipt_rule<'tree>(
    reader: &mut Reader,
    node: &'tree Node,
    declared: &Declared<'_>,
    functions: &BTreeMap<String, Function>,
    names: &mut BTreeSet<&'tree str>,
) -> ReceiptRule {
    let known = ["name", "recipients", "tls", "scan", "actions"];
    let span = match &node.value {
        Value::Map(entries) => entries.first().map_or(node.span.clone(), |(key, _)| key.span.clone()),
        _ => node.span.clone(),
    };
    let mut fields = reader.fields(node, &span, "a receipt rule", &known);
    let name = reader.required(&fields, "name", "maintenance").and_then(|node| {
        if let Value::Text(name) = &node.value
            && !names.insert(name)
        {
            let message = format!("a second receipt rule is named `{}`", name.escape_debug());
            reader.note(Diagnostic::new(node.span.clone(), message).with_hint("names of rules must differ"));
        }
        reader.scalar(node, "name", "a name", |text| scalars::name(text, LONGEST_NAME))
    });
    if let Some(name) = &name {
        fields.subject = format!("receipt rule `{name}`");
    }
    let tls = fields
        .get("tls")
        .and_then(|node| reader.word(node, "tls", &[("require", Tls::Require), ("optional", Tls::Optional)]));
    let scanned = fields.get("scan").and_then(|node| reader.switch(node, "scan"));
    let recipients = recipients(reader, &fields);
    let actions = actions(reader, &fields, declared, functions);
    ReceiptRule {
        name: name.unwrap_or_default(),
        recipients,
        enabled: true,
        tls: tls.unwrap_or_default(),
        scan: scanned.unwrap_or(true),
        actions,
    }
}

fn recipients(reader: &mut Reader, fields: &Fields<'_>) -> Vec<super::Recipient> {
    let Some(node) = fields.get("recipients") else { return Vec::new() };
    let items = reader.list(node, "recipients", "maintenance@example.com");
    if let Some(item) = items.get(MOST_RECIPIENTS) {
        let message = format!("SES takes at most {MOST_RECIPIENTS} recipients in a rule");
        reader.note(Diagnostic::new(item.span.clone(), message).with_hint("spread them over several rules"));
    }
    let expected =
        "an address (`maintenance@example.com`), a domain (`example.com`) or its sub-domains (`.example.com`)";
    let mut recipients = Vec::new();
    for item in items {
        if let Some(recipient) = reader.scalar(item, "recipients", expected, scalars::recipient) {
            if recipients.contains(&recipient) {
                reader.note(Diagnostic::new(item.span.clone(), "this recipient is there twice"));
            }
            recipients.push(recipient);
        }
    }
    recipients
}

fn actions(
    reader: &mut Reader,
    fields: &Fields<'_>,
    declared: &Declared<'_>,
    functions: &BTreeMap<String, Function>,
) -> Vec<Action> {
    let Some(node) = reader.required(fields, "actions", "[{store: mail}]") else { return Vec::new() };
    let items = reader.list(node, "actions", "{store: mail, prefix: inbound/}");
    if matches!(&node.value, Value::List(items) if items.is_empty()) {
        let message = format!("{} has no action", fields.subject);
        reader.note(Diagnostic::new(node.span.clone(), message).with_hint("add one, such as `{store: mail}`"));
    }
    if let Some(item) = items.get(MOST_ACTIONS) {
        let message = format!("SES takes at most {MOST_ACTIONS} actions in a rule");
        reader.note(Diagnostic::new(item.span.clone(), message));
    }
    let mut actions = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some((action, span)) = action(reader, item, declared) else { continue };
        if action == Action::Stop && index + 1 < items.len() {
            reader.note(Diagnostic::new(span.clone(), "`stop` must be the last action: nothing after it is done"));
        }
        if let Action::Invoke { function, invocation, .. } = &action
            && let Some(declared) = functions.get(function)
        {
            check_invocation(reader, &span, (function, declared), *invocation, &actions);
        }
        actions.push(action);
    }
    actions
}

/// One action, and where what it names stands.
fn action(reader: &mut Reader, node: &Node, declared: &Declared<'_>) -> Option<(Action, Range<usize>)> {
    const FORMS: &str = "`{store: BUCKET, prefix: inbound/}`, `{invoke: FUNCTION}` or `stop`";
    if matches!(&node.value, Value::Text(word) if word == "stop") {
        return Some((Action::Stop, node.span.clone()));
    }
    let first = match &node.value {
        Value::Map(entries) => entries.iter().find(|(key, _)| matches!(key.name.as_str(), "store" | "invoke")),
        _ => None,
    };
    let Some((key, target)) = first else {
        if let Value::Map(entries) = &node.value
            && let [(key, _), ..] = entries.as_slice()
        {
            let message = format!("unknown action `{}`", key.name.escape_debug());
            let hint = choose(&key.name, "actions", &["store", "invoke", "stop"]);
            reader.note(Diagnostic::new(key.span.clone(), message).with_hint(hint));
        } else {
            let message = format!("an action must be {FORMS}, not {}", node.value.describe());
            reader.note(Diagnostic::new(node.span.clone(), message));
        }
        return None;
    };
    let action = if key.name == "store" {
        let fields = reader.fields(node, &key.span, "a `store` action", &["store", "prefix"]);
        let prefix = fields
            .get("prefix")
            .map(|node| reader.scalar(node, "prefix", "a prefix such as `inbound/`", scalars::prefix));
        let bucket = reference(reader, target, "store", "bucket", &declared.buckets)?;
        Action::Store { bucket, prefix: prefix.flatten().unwrap_or_default(), topic: None }
    } else {
        let fields = reader.fields(node, &key.span, "an `invoke` action", &["invoke", "invocation"]);
        let words = [("Event", Invocation::Event), ("RequestResponse", Invocation::RequestResponse)];
        let invocation = fields.get("invocation").and_then(|node| reader.word(node, "invocation", &words));
        let function = reference(reader, target, "invoke", "function", &declared.functions)?;
        Action::Invoke { function, invocation: invocation.unwrap_or_default(), topic: None }
    };
    Some((action, target.span.clone()))
}

/// A function that reads mails must find the one that it is invoked for, and must answer in time if SES waits.
fn check_invocation(
    reader: &mut Reader,
    span: &Range<usize>,
    (name, function): (&str, &Function),
    invocation: Invocation,
    before: &[Action],
) {
    let is_stored =
        before.iter().any(|action| matches!(action, Action::Store { bucket, .. } if function.reads.iter().any(|place| place.bucket == *bucket)));
    if let Some(Place { bucket, .. }) = function.reads.first()
        && !is_stored
    {
        let message =
            format!("function `{name}` reads bucket `{bucket}`, and no action before this one stores the mail there");
        reader.note(Diagnostic::new(span.clone(), message).with_hint(format!("put `{{store: {bucket}}}` before it")));
    }
    if invocation == Invocation::RequestResponse && function.timeout > LONGEST_ANSWER {
        let message = format!(
            "SES waits at most `{}` for an answer, and function `{name}` has a timeout of `{}`",
            scalars::spell(LONGEST_ANSWER),
            scalars::spell(function.timeout)
        );
        reader
            .note(Diagnostic::new(span.clone(), message).with_hint("shorten the timeout, or invoke it as an `Event`"));
    }
}
