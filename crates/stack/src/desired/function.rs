//! Functions, each with its role, its log group, its handling of failed events, and the permissions to
//! invoke it.

use std::collections::BTreeMap;

use contract::context::VARIABLE;

use super::{
    Blueprint, RuleSet, distinct, network, of, rights, seconds, sending,
    sharing::{ALL_RULES, Group, SES},
    subscriptions::invoked_by_topic,
};
use declaration::{Action, Architecture, Declaration, Function, SecretReference, SecretSource, Subscription, Tier};
use engine::Address;
use kinds::{
    FUNCTION_TAG, Id, Kind,
    iam::role,
    lambda::{
        event_invoke,
        function::{self, Logging, Vpc},
        mapping, permission,
    },
    logs::log_group,
    s3::bucket,
};

pub(super) fn add(blueprint: &mut Blueprint<'_>) {
    for (entry, declared) in &blueprint.declaration.functions {
        log_group(blueprint, entry, declared);
        // Servers run it: its rights are those of their roles.
        if blueprint.declaration.is_worker(entry) {
            continue;
        }
        role(blueprint, entry, declared);
        function(blueprint, entry, declared);
        event_invoke(blueprint, entry, declared);
        mapping(blueprint, entry, declared);
    }
    permissions(blueprint);
}

/// Adds the role, after everything that its policy names: if a function's bucket cannot be created, the
/// function is not created either. A protected function keeps its role: without it, it could do nothing.
fn role(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Function) {
    let names = blueprint.names();
    let mut tags = blueprint.protected_tags(Kind::Role, entry, &declared.tags, declared.protect);
    let name = names.name(Kind::Function, entry);
    if declared.vpc.is_some() && name != names.derived(Kind::Function, entry) {
        tags.insert(FUNCTION_TAG.to_owned(), name);
    }
    let settings = role::Settings {
        path: role::path(names.stack()),
        trust: rights::trust_of_functions(),
        policies: rights::function_policies(blueprint, entry, declared),
        permissions_boundary: blueprint.declaration.permissions_boundary(declared),
        tags,
        ..role::Settings::default()
    };
    let after = referred(blueprint, declared);
    blueprint.add(of(Kind::Role, entry), Address::of(names.name(Kind::Role, entry)), settings, after);
}

/// Returns the stack's own resources that a function's permissions name.
pub(super) fn referred(blueprint: &Blueprint<'_>, declared: &Function) -> Vec<Id> {
    let places = declared.reads.iter().chain(&declared.writes).chain(&declared.deletes);
    let is_ours = |bucket: &str| {
        let declared = blueprint.declaration.buckets.get(bucket);
        declared.is_some_and(|bucket| bucket.existing.is_none())
    };
    let mut ids: Vec<Id> =
        places.filter(|place| is_ours(&place.bucket)).map(|place| of(Kind::Bucket, &place.bucket)).collect();
    let consumed = declared.consumes.iter().map(|consumes| &consumes.queue);
    ids.extend(declared.sends.iter().chain(&declared.on_failure).chain(consumed).map(|queue| of(Kind::Queue, queue)));
    ids.extend(declared.publishes.iter().map(|topic| of(Kind::Topic, topic)));
    ids.extend(declared.queries.iter().map(|table| of(Kind::Table, table)));
    ids.extend(declared.databases.iter().map(|database| of(Kind::Database, database)));
    ids.extend(declared.caches.iter().map(|cache| of(Kind::Cache, cache)));
    ids.extend(secrets_of(blueprint.declaration, declared).iter().filter_map(|secret| match secret {
        SecretReference::Declared(entry) => {
            let source = &blueprint.declaration.secrets.get(entry)?.source;
            matches!(source, SecretSource::Created(_)).then(|| of(Kind::Secret, entry))
        }
        SecretReference::Existing(_) => None,
    }));
    distinct(ids)
}

/// Returns the secrets that a function reads: its own, and those with the passwords of its caches.
pub(crate) fn secrets_of(declaration: &Declaration, function: &Function) -> Vec<SecretReference> {
    let caches = function.caches.iter().filter_map(|cache| declaration.caches.get(cache));
    let passwords = caches.map(|cache| SecretReference::Declared(cache.auth.clone()));
    function.secrets.values().cloned().chain(passwords).collect()
}

/// Adds the log group, so that its lines expire; the function itself may not create it.
fn log_group(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Function) {
    let settings = log_group::Settings {
        retention: Some(declared.log_retention.into()),
        kms_key: blueprint.declaration.kms_key(declared.kms_key.as_ref()),
        tags: blueprint.tags(entry, &declared.tags),
        ..log_group::Settings::default()
    };
    let address = Address::of(blueprint.names().name(Kind::LogGroup, entry));
    blueprint.add(of(Kind::LogGroup, entry), address, settings, Vec::new());
}

fn function(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Function) {
    let names = blueprint.names();
    let name = names.name(Kind::Function, entry);
    let mut environment = declared.environment.clone();
    environment.insert(VARIABLE.to_owned(), context(blueprint, entry));
    let code = blueprint.given.code.get(entry).cloned().unwrap_or_default();
    let (vpc, in_network) = vpc(blueprint, declared);
    let defaults = function::Settings::new(&name, names.arn(Kind::Role, entry), code);
    let settings = function::Settings {
        architecture: match declared.architecture {
            Architecture::X86_64 => "x86_64",
            Architecture::Arm64 => "arm64",
        }
        .to_owned(),
        description: declared.description.clone(),
        memory: declared.memory,
        timeout: seconds(declared.timeout),
        environment,
        kms_key: blueprint.declaration.kms_key(declared.kms_key.as_ref()),
        vpc,
        reserved_concurrency: declared.reserved_concurrency,
        // Either of the two may have a name of its own.
        logging: Logging { log_group: names.name(Kind::LogGroup, entry), ..defaults.logging },
        tags: blueprint.protected_tags(Kind::Function, entry, &declared.tags, declared.protect),
        ..defaults
    };
    let mut after = vec![of(Kind::Role, entry), of(Kind::LogGroup, entry)];
    after.extend(in_network);
    if blueprint.given.artifacts {
        after.push(of(Kind::Bucket, bucket::ARTIFACTS));
    }
    after.extend(sending::clusters_of(blueprint, declared));
    blueprint.add(of(Kind::Function, entry), Address::of(name), settings, after);
}

/// Returns the context of a function, as JSON.
pub(super) fn context(blueprint: &Blueprint<'_>, entry: &str) -> String {
    let context = blueprint.names().function_context(blueprint.declaration, entry);
    // `Serialize` fails only for maps whose keys are not strings; a context has none.
    blueprint.given.existing.with_brokers(serde_json::to_string(&context).unwrap_or_default())
}

/// Returns the network of a function, and what must be there of it before.
fn vpc(blueprint: &Blueprint<'_>, declared: &Function) -> (Vpc, Vec<Id>) {
    let Some(vpc) = &declared.vpc else { return (Vpc::default(), Vec::new()) };
    let (subnets, mut after) = network::parts(blueprint, Kind::Subnet, &vpc.subnets);
    let (security_groups, groups) = network::parts(blueprint, Kind::SecurityGroup, &vpc.security_groups);
    after.extend(groups);
    after.extend(vpc.network.iter().flat_map(|entry| network::ways(blueprint, entry, Tier::Private)));
    (Vpc { subnets, security_groups }, after)
}

fn event_invoke(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Function) {
    let names = blueprint.names();
    let settings = event_invoke::Settings {
        retries: declared.retries.into(),
        maximum_age: seconds(declared.maximum_event_age),
        on_failure: declared.on_failure.as_ref().map(|queue| names.arn(Kind::Queue, queue)),
        on_success: None,
    };
    let mut after = vec![of(Kind::Function, entry)];
    after.extend(declared.on_failure.iter().map(|queue| of(Kind::Queue, queue)));
    let address = Address::within(names.name(Kind::Function, entry), event_invoke::QUALIFIER);
    blueprint.add(of(Kind::EventInvoke, entry), address, settings, after);
}

/// Adds the mapping that lets a queue invoke the function. It comes after both, and goes before either.
fn mapping(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Function) {
    let Some(consumes) = &declared.consumes else { return };
    let names = blueprint.names();
    let id = mapping::entry(entry, &consumes.queue);
    let settings = mapping::Settings {
        batch: consumes.batch.into(),
        window: seconds(consumes.window),
        concurrency: consumes.concurrency.map(u32::from),
        partial_batches: true,
        tags: blueprint.tags(&id, &declared.tags),
        ..mapping::Settings::default()
    };
    let after = vec![of(Kind::Function, entry), of(Kind::Queue, &consumes.queue)];
    let address = Address::within(names.name(Kind::Function, entry), names.name(Kind::Queue, &consumes.queue));
    blueprint.add(of(Kind::Mapping, id), address, settings, after);
}

/// Adds the permissions to invoke functions, each for one rule or topic.
fn permissions(blueprint: &mut Blueprint<'_>) {
    let names = blueprint.names();
    let mut permissions: Vec<(&str, Id, permission::Settings)> = Vec::new();
    let invokes = blueprint.rules_that(|action| match action {
        Action::Invoke { function, .. } => Some(function.as_str()),
        _ => None,
    });
    let mut rules_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (rule, function) in invokes {
        rules_of.entry(function).or_default().push(rule);
    }
    for (function, rules) in rules_of {
        for group in blueprint.groups(rules) {
            let sources = group.sources.iter().map(|arn| permission::Settings::invoke(SES, names.account(), arn));
            let permitted = invoked_by_rules(function, &group).into_iter().zip(sources);
            permissions.extend(permitted.map(|(id, settings)| (function, id, settings)));
        }
    }
    for (topic, declared) in &blueprint.declaration.topics {
        for told in &declared.subscriptions {
            let Subscription::Function { function, .. } = told else { continue };
            let settings =
                permission::Settings::invoke("sns.amazonaws.com", names.account(), names.arn(Kind::Topic, topic));
            permissions.push((function, invoked_by_topic(names, function, topic), settings));
        }
    }
    permissions.sort_by(|(_, one, _), (_, other, _)| one.cmp(other));
    for (function, id, settings) in permissions {
        let part = id.entry.split_once('.').map_or(id.entry.as_str(), |(_, part)| part);
        // Lambda cannot change a statement: for a rule in another set there is another one, beside it, until the rules are switched.
        let name = match blueprint.given.rule_set {
            RuleSet::Joined(set) if settings.principal == SES => format!("{part}-in-{set}"),
            _ => part.to_owned(),
        };
        let address = Address::within(names.name(Kind::Function, function), names.name(Kind::Permission, &name));
        blueprint.add(id, address, settings, vec![of(Kind::Function, function)]);
    }
}

/// Returns the identities of the permissions that let a group of receipt rules invoke a function: Lambda takes one source for each.
pub(super) fn invoked_by_rules(function: &str, group: &Group<'_>) -> Vec<Id> {
    let id = |source: &String| {
        // By its form, so that another pattern beside it leaves a permission as it is: no other name has two hyphens in a row.
        let rule = source.rsplit('/').next().unwrap_or_default();
        let form = if group.part == ALL_RULES && rule.contains("--") { "-cut" } else { "" };
        of(Kind::Permission, permission::entry(function, &format!("ses-{}{form}", group.part)))
    };
    group.sources.iter().map(id).collect()
}
