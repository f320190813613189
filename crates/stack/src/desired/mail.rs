//! The receipt rules, the rule set that contains them, their order, the activation of the set, and the filters before it.

use std::collections::BTreeMap;

use super::{
    Blueprint, RuleSet, distinct, function::invoked_by_rules, of, storage::stored_by, subscriptions::subscriptions_of,
    topic_of,
};
use declaration::{Action, Bucket, Encoding, FilterPolicy, Invocation, ReceiptFilter, ReceiptRule, Tls};
use engine::Address;
use kinds::{
    Id, Input, Kind,
    logs::{log_group, notes},
    ses::{
        action::{self, Action as SesAction},
        activation, filter, order,
        rule::{self, recipient},
        rule_set,
    },
};

/// Entry name of the resources that all rules of a stack share.
const RULES: &str = "rules";

pub(super) fn add(blueprint: &mut Blueprint<'_>) {
    let declaration = blueprint.declaration;
    filters(blueprint);
    if !declaration.receipt_rules.is_empty() || !declaration.identities.is_empty() {
        notes(blueprint);
    }
    if declaration.receipt_rules.is_empty() {
        return;
    }
    let names = blueprint.names();
    let set = blueprint.given.rule_set.name(names);
    let is_own = *blueprint.given.rule_set == RuleSet::Own;
    if is_own {
        blueprint.add(own_set(blueprint), Address::of(&set), rule_set::Settings {}, Vec::new());
    }
    let all: Vec<String> =
        declaration.receipt_rules.iter().map(|rule| names.name(Kind::ReceiptRule, &rule.name)).collect();
    for (index, declared) in declaration.receipt_rules.iter().enumerate() {
        let predecessors = all.iter().take(index).cloned().collect();
        rule(blueprint, declared, &set, predecessors);
    }
    let rules: Vec<Id> = declaration.receipt_rules.iter().map(|rule| of(Kind::ReceiptRule, &rule.name)).collect();
    if all.len() > 1 {
        blueprint.add(of(Kind::ReceiptOrder, RULES), Address::of(&set), order::Settings { order: all }, rules.clone());
    }
    if is_own {
        let settings = activation::Settings { active: true, take_over: Input(declaration.take_over) };
        // The notes keep the name of the set that was active before.
        let notes = of(Kind::LogGroup, notes::ENTRY);
        let mut after: Vec<Id> = rules.into_iter().chain([notes, own_set(blueprint)]).collect();
        if declaration.receipt_rules.len() > 1 {
            after.push(of(Kind::ReceiptOrder, RULES));
        }
        blueprint.add(of(Kind::Activation, &set), Address::of(&set), settings, after);
    }
}

/// Adds the filters. Whoever is allowed is so before anybody is blocked: else his mail would be refused in between.
fn filters(blueprint: &mut Blueprint<'_>) {
    let declared = &blueprint.declaration.receipt_filters;
    let id = |filter: &ReceiptFilter| of(Kind::ReceiptFilter, &filter.name);
    let allowed: Vec<Id> = declared.iter().filter(|filter| filter.policy == FilterPolicy::Allow).map(id).collect();
    for filter in declared {
        let (policy, after) = match filter.policy {
            FilterPolicy::Allow => (filter::Policy::Allow, Vec::new()),
            FilterPolicy::Block => (filter::Policy::Block, allowed.clone()),
        };
        let address = Address::of(blueprint.names().name(Kind::ReceiptFilter, &filter.name));
        let settings = filter::Settings { policy, cidr: filter::range(&filter.cidr.to_string()) };
        blueprint.add(id(filter), address, settings, after);
    }
}

/// Returns the identity of the stack's own rule set. Its entry is its name, as for every kind
/// without tags.
fn own_set(blueprint: &Blueprint<'_>) -> Id {
    of(Kind::ReceiptRuleSet, blueprint.given.rule_set.name(blueprint.names()))
}

/// Adds the log group that notes what the stack must remember about rule sets, buckets and identities of others.
fn notes(blueprint: &mut Blueprint<'_>) {
    let tags = blueprint.tags(notes::ENTRY, &BTreeMap::new());
    let address = Address::of(blueprint.names().name(Kind::LogGroup, notes::ENTRY));
    let settings = log_group::Settings { tags, ..log_group::Settings::default() };
    blueprint.add(of(Kind::LogGroup, notes::ENTRY), address, settings, Vec::new());
}

fn rule<'given>(
    blueprint: &mut Blueprint<'given>,
    declared: &'given ReceiptRule,
    set: &str,
    predecessors: Vec<String>,
) {
    let settings = rule::Settings {
        enabled: declared.enabled,
        recipients: declared.recipients.iter().map(|one| recipient(&one.to_string())).collect(),
        scan: declared.scan,
        tls: match declared.tls {
            Tls::Optional => rule::Tls::Optional,
            Tls::Require => rule::Tls::Require,
        },
        actions: declared.actions.iter().map(|action| to_ses_action(blueprint, action)).collect(),
        after: Input(predecessors),
    };
    let address = Address::within(set, blueprint.names().name(Kind::ReceiptRule, &declared.name));
    let after = prerequisites(blueprint, declared);
    blueprint.add(of(Kind::ReceiptRule, &declared.name), address, settings, after);
}

/// Returns what must exist before a rule: SES checks at its creation that it may write, publish and invoke; and what a topic
/// delivers to must listen before the first mail.
fn prerequisites<'given>(blueprint: &Blueprint<'given>, declared: &'given ReceiptRule) -> Vec<Id> {
    let mut ids = Vec::new();
    if *blueprint.given.rule_set == RuleSet::Own {
        ids.push(own_set(blueprint));
    }
    for action in &declared.actions {
        if let Some(topic) = topic_of(action) {
            ids.push(of(Kind::Topic, topic));
            ids.extend(subscriptions_of(blueprint.declaration, topic));
        }
        match action {
            Action::Store { bucket, .. } => ids.extend(write_permission_of(blueprint, bucket, &declared.name)),
            Action::Invoke { function, .. } => {
                ids.extend([of(Kind::Function, function), of(Kind::EventInvoke, function)]);
                let group = blueprint.group_of(&declared.name);
                ids.extend(group.iter().flat_map(|group| invoked_by_rules(function, group)));
            }
            _ => {}
        }
    }
    distinct(ids)
}

/// Returns the identity of the permission that lets SES store a rule's mails in a bucket: a
/// statement for an existing bucket, else the bucket with its policy.
fn write_permission_of<'given>(blueprint: &Blueprint<'given>, bucket: &str, rule: &'given str) -> Option<Id> {
    let exists = |bucket: &Bucket| bucket.existing.is_some();
    if blueprint.declaration.buckets.get(bucket).is_some_and(exists) {
        let group = blueprint.group_of(rule)?;
        Some(of(Kind::BucketStatement, stored_by(bucket, group.part)))
    } else {
        Some(of(Kind::Bucket, bucket))
    }
}

fn to_ses_action(blueprint: &Blueprint<'_>, action: &Action) -> SesAction {
    let names = blueprint.names();
    let topic = || topic_of(action).map(|topic| names.arn(Kind::Topic, topic));
    match action {
        Action::Store { bucket, prefix, .. } => SesAction::S3 {
            bucket: names.name(Kind::Bucket, bucket),
            prefix: Some(prefix.clone()).filter(|prefix| !prefix.is_empty()),
            topic: topic(),
            kms_key: None,
            role: None,
        },
        Action::Invoke { function, invocation, .. } => SesAction::Lambda {
            function: names.arn(Kind::Function, function),
            invocation: match invocation {
                Invocation::Event => action::Invocation::Event,
                Invocation::RequestResponse => action::Invocation::RequestResponse,
            },
            topic: topic(),
        },
        Action::Publish { topic, encoding } => SesAction::Sns {
            topic: names.arn(Kind::Topic, topic),
            encoding: match encoding {
                Encoding::Utf8 => action::Encoding::Utf8,
                Encoding::Base64 => action::Encoding::Base64,
            },
        },
        Action::Bounce(declaration::Bounce { smtp_code, status_code, message, sender, .. }) => SesAction::Bounce {
            sender: sender.clone(),
            code: smtp_code.clone(),
            status: status_code.clone(),
            message: message.clone(),
            topic: topic(),
        },
        Action::AddHeader { name, value } => SesAction::AddHeader { name: name.clone(), value: value.clone() },
        Action::Stop => SesAction::Stop { topic: None },
    }
}
