//! The way of a mail through an account: rule, rights, function.

use super::account::{Place, State};
use aws::policy::{Effect, Policy};
use contract::context::{Context, VARIABLE};
use engine::Address;
use kinds::{
    Kind, Settings,
    ses::{action::Action, rule},
};

/// A way of the mail for one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// A rule takes the mail.
    Taken(String),
    /// The mail is stored.
    Stored(String),
    /// A function gets it, whether a rule or a topic invokes it.
    Handled(String),
}

fn arn_of_rule(set: &str, rule: &str) -> String {
    format!("arn:aws:ses:eu-west-1:123456789012:receipt-rule-set/{set}:receipt-rule/{rule}")
}

/// Returns `true` if a policy lets a source do something with a resource.
fn allows(policy: &Policy, action: &str, resource: &str, source: Option<&str>) -> bool {
    policy.statements().values().any(|statement| {
        let covers = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => resource.starts_with(beginning),
            None => pattern == resource,
        };
        let sources = statement.conditions.values().filter_map(|keys| keys.get("aws:sourcearn")).flatten();
        let sources: Vec<&String> = sources.collect();
        statement.effect == Effect::Allow
            && statement.actions.iter().any(|one| one.eq_ignore_ascii_case(action))
            && statement.resources.iter().any(covers)
            && source.is_none_or(|source| sources.iter().any(|one| *one == source))
    })
}

fn settings<'state>(state: &'state State, kind: Kind, name: &str) -> Option<&'state Settings> {
    state.live.get(&(kind, Address::of(name)))
}

/// Returns `true` if SES may store mails of a rule with a prefix.
fn may_store(state: &State, bucket: &str, prefix: &str, rule: &str) -> bool {
    let resource = format!("arn:aws:s3:::{bucket}/{prefix}mail");
    let may = |policy: &Policy| allows(policy, "s3:PutObject", &resource, Some(rule));
    if let Some(Settings::Bucket(bucket)) = settings(state, Kind::Bucket, bucket) {
        return may(&bucket.policy);
    }
    state.live.iter().any(|((_, address), settings)| match settings {
        Settings::BucketStatement(statement) if address.container() == bucket => {
            may(&Policy::new([("one".to_owned(), statement.as_ref().clone())]))
        }
        _ => false,
    })
}

/// Returns `true` if a source may invoke a function.
fn may_invoke(state: &State, function: &str, source: &str) -> bool {
    state.live.iter().any(|((_, address), settings)| match settings {
        Settings::Permission(permission) => {
            address.container() == function && permission.source_arn.as_deref() == Some(source)
        }
        _ => false,
    })
}

fn last(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

fn may_publish(state: &State, topic: &str, rule: &str) -> bool {
    let Some(Settings::Topic(there)) = settings(state, Kind::Topic, last(topic)) else { return false };
    allows(&there.policy, "SNS:Publish", topic, Some(rule))
}

/// Returns why SES would refuse a rule; `None` if it would take it.
pub(super) fn unusable(state: &State, set: &str, name: &str, rule: &rule::Settings) -> Option<String> {
    let arn = arn_of_rule(set, name);
    rule.actions.iter().find_map(|action| {
        let works = match action {
            Action::S3 { bucket, prefix, .. } => may_store(state, bucket, prefix.as_deref().unwrap_or_default(), &arn),
            Action::Lambda { function, .. } => {
                settings(state, Kind::Function, last(function)).is_some() && may_invoke(state, last(function), &arn)
            }
            Action::Sns { topic, .. } => may_publish(state, topic, &arn),
            _ => true,
        };
        let topic = match action {
            Action::S3 { topic, .. } | Action::Lambda { topic, .. } => topic.as_deref(),
            _ => None,
        };
        let works = works && topic.is_none_or(|topic| may_publish(state, topic, &arn));
        (!works).then(|| format!("rule {name} in {set} may not do {action:?}"))
    })
}

/// Returns `true` if a function works, and finds a mail where it was stored.
fn takes(state: &State, function: &str, stored: &[(&str, &str)]) -> bool {
    let Some(Settings::Function(live)) = settings(state, Kind::Function, function) else { return false };
    let role = live.role.rsplit('/').next().unwrap_or_default();
    let Some(Settings::Role(role)) = settings(state, Kind::Role, role) else { return false };
    let context = live.environment.get(VARIABLE).and_then(|text| serde_json::from_str::<Context>(text).ok());
    let places = context.unwrap_or_default().mail;
    stored.iter().all(|(bucket, prefix)| {
        let resource = format!("arn:aws:s3:::{bucket}/{prefix}mail");
        places.iter().any(|place| place.bucket == *bucket && place.prefix == *prefix)
            && role.policies.values().any(|policy| allows(policy, "s3:GetObject", &resource, None))
    })
}

/// Returns `true` if a topic has a subscription whose function gets the message.
fn delivers(state: &State, topic: &str) -> bool {
    state.live.iter().any(|((_, address), settings)| {
        let function = address.name.strip_prefix("lambda:").map(last);
        matches!(settings, Settings::Subscription(_))
            && address.container() == last(topic)
            && function.is_some_and(|function| takes(state, function, &[]) && may_invoke(state, function, topic))
    })
}

impl Way {
    /// Returns the part of the way that is missing; `None` if mail gets through.
    pub(super) fn missing(&self, state: &State) -> Option<String> {
        let Some(set) = &state.active else { return Some("no set is active".to_owned()) };
        let (Self::Taken(recipient) | Self::Stored(recipient) | Self::Handled(recipient)) = self;
        let mut why = format!("no rule in {set} takes it");
        for ((_, address), settings) in rules(state, set) {
            let Settings::ReceiptRule(rule) = settings else { continue };
            if !rule.enabled || !(rule.recipients.is_empty() || rule.recipients.contains(recipient)) {
                continue;
            }
            match self.missing_in(state, set, &address.name, rule) {
                None => return None,
                Some(words) => why = words,
            }
        }
        Some(format!("{self:?}: {why}"))
    }

    fn missing_in(&self, state: &State, set: &str, name: &str, rule: &rule::Settings) -> Option<String> {
        if let Some(why) = unusable(state, set, name, rule) {
            return Some(why);
        }
        let mut stored: Vec<(&str, &str)> = Vec::new();
        let mut handled = false;
        for action in &rule.actions {
            match action {
                Action::S3 { bucket, prefix, topic, .. } => {
                    stored.push((bucket, prefix.as_deref().unwrap_or_default()));
                    handled |= topic.as_deref().is_some_and(|topic| delivers(state, topic));
                }
                Action::Lambda { function, .. } => {
                    if !takes(state, last(function), &stored) {
                        return Some(format!("function {} does not find the mail of rule {name}", last(function)));
                    }
                    handled = true;
                }
                Action::Sns { topic, .. } => handled |= delivers(state, topic),
                _ => {}
            }
        }
        let is_whole = match self {
            Self::Taken(_) => true,
            Self::Stored(_) => !stored.is_empty(),
            Self::Handled(_) => handled,
        };
        (!is_whole).then(|| format!("rule {name} does less"))
    }
}

/// Returns the rules of a set.
fn rules<'state>(state: &'state State, set: &str) -> impl Iterator<Item = (&'state Place, &'state Settings)> {
    let set = set.to_owned();
    state.live.iter().filter(move |((kind, address), _)| *kind == Kind::ReceiptRule && address.container() == set)
}
