//! Subscriptions of our topics. The subscriptions of a topic are shared: those of others are never touched.
//!
//! A subscription has no name and no tags, and a mail address does not tell who subscribed it. So the topic, which is ours,
//! carries a tag for each subscription that we created; that tag is not a setting of the topic, and is never compared.
//! Protocol and endpoint are the address: another endpoint is another subscription.

use crate::Condition;
use crate::identity::Identity;
use std::collections::HashMap;

use aws_sdk_sns::types::{Subscription as Listed, Tag};
use futures::future::try_join_all;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    Kind, Manage, SUBSCRIPTION_TAG, Session,
    rights::{Right, Target, deletes, reads, writes},
    sns::topic,
};
use aws::OrFail;
use contract::address::shown;
use engine::{Address, Class, ENTRY_TAG, Failure, Field, Holds, Life, Live, Owned, Owner, Tags, plain};

/// SNS subscriptions, each within its topic, named `PROTOCOL:ENDPOINT`.
#[derive(Debug)]
pub struct Subscription;

/// A subscription. The default is AWS's for one that has an endpoint only.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Settings {
    /// `true` if queues and URLs get the message alone, without SNS's envelope.
    pub raw_delivery: bool,
    /// Filter of messages; `None` delivers all of them.
    pub filter: Option<Filter>,
    /// ARN of the queue for undeliverable messages; `None` for none.
    pub redrive: Option<String>,
    /// `true` if the endpoint has not confirmed yet. AWS then returns no settings, so they count as the desired ones.
    #[serde(skip)]
    pub pending: bool,
}

/// A filter of messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// Scope: `MessageAttributes` or `MessageBody`.
    pub scope: String,
    /// Filter policy in SNS's language.
    pub policy: Value,
}

impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        let known = |settings: &Self| (settings.raw_delivery, settings.filter.clone(), settings.redrive.clone());
        self.pending || other.pending || known(self) == known(other)
    }
}

const SCOPE: &str = "MessageAttributes";
const ATTRIBUTES: &str = "sns.GetSubscriptionAttributes";
/// SNS's value in place of an ARN before the confirmation.
const PENDING: &str = "PendingConfirmation";
const DELETED: &str = "Deleted";

impl Settings {
    /// Returns every managed attribute; a filter's scope is set before a policy that needs it.
    fn attributes(&self) -> [(&'static str, Option<String>); 4] {
        let redrive = self.redrive.as_ref().map(|queue| serde_json::json!({"deadLetterTargetArn": queue}).to_string());
        let filter = self.filter.as_ref();
        [
            ("RawMessageDelivery", Some(self.raw_delivery.to_string())),
            ("FilterPolicyScope", filter.map(|filter| filter.scope.clone())),
            // An empty document removes the filter, and a missing value the redrive policy, as documented.
            ("FilterPolicy", Some(filter.map_or_else(|| "{}".to_owned(), |filter| filter.policy.to_string()))),
            ("RedrivePolicy", redrive),
        ]
    }

    fn from_attributes(attributes: &HashMap<String, String>) -> Result<Self, Failure> {
        let wrong = |what: &str| Failure::found(ATTRIBUTES, Class::Other, format!("AWS's answer has a wrong {what}"));
        let text = |name: &str| attributes.get(name).map(String::as_str).filter(|text| !text.is_empty());
        let json = |name: &str| match text(name) {
            Some(text) => serde_json::from_str::<Value>(text).map(Some).map_err(|_| wrong(name)),
            None => Ok(None),
        };
        let filter = json("FilterPolicy")?.filter(|policy| policy.as_object().is_none_or(|policy| !policy.is_empty()));
        let redrive = json("RedrivePolicy")?;
        let queue = redrive.as_ref().and_then(|policy| policy.get("deadLetterTargetArn")?.as_str());
        Ok(Self {
            raw_delivery: text("RawMessageDelivery") == Some("true"),
            filter: filter
                .map(|policy| Filter { scope: text("FilterPolicyScope").unwrap_or(SCOPE).to_owned(), policy }),
            redrive: queue.map(str::to_owned),
            pending: false,
        })
    }
}

/// Returns a subscription's name within its topic.
pub fn name(protocol: &str, endpoint: &str) -> String {
    format!("{protocol}:{endpoint}")
}

/// Returns whether two names mean one subscription. SNS returns mail addresses as they were given; they are compared
/// without case.
fn same_name(one: &str, other: &str) -> bool {
    let is_mail = one.starts_with("email");
    one == other || (is_mail && one.eq_ignore_ascii_case(other))
}

pub(super) fn listed_name(listed: &Listed) -> String {
    name(listed.protocol.as_deref().unwrap_or_default(), listed.endpoint.as_deref().unwrap_or_default())
}

/// Returns the key of the tag that marks a subscription as ours on its topic: a name may be longer than a key, and have
/// other characters.
pub(super) fn mark(name: &str) -> String {
    let name = if name.starts_with("email") { name.to_ascii_lowercase() } else { name.to_owned() };
    format!("{SUBSCRIPTION_TAG}{}", digest(&name))
}

/// Returns a name as anybody may read it. The path of an address may be all that a server knows a sender by: scheme and host stay of it, and
/// a digest that tells it from others.
pub(super) fn shown_name(name: &str) -> String {
    match name.split_once(':') {
        Some((protocol @ ("http" | "https"), endpoint)) => format!("{protocol}:{}#{}", shown(endpoint), digest(name)),
        _ => name.to_owned(),
    }
}

fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes()).iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    format!("{digest:016x}")
}

/// Returns all subscriptions of a topic; `None` if the topic does not exist.
pub(super) async fn listed(session: &Session, topic: &str) -> Result<Option<Vec<Listed>>, Failure> {
    let call = session.aws.read.sns.list_subscriptions_by_topic().topic_arn(topic::arn(session, topic));
    let mut pages = call.into_paginator().send();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        let Some(page) = page.or_absent("sns.ListSubscriptionsByTopic")? else { return Ok(None) };
        all.extend(page.subscriptions.unwrap_or_default());
    }
    all.retain(|subscription| subscription.subscription_arn.as_deref() != Some(DELETED));
    Ok(Some(all))
}

async fn find(session: &Session, address: &Address) -> Result<Option<Listed>, Failure> {
    let listed = listed(session, address.container()).await?.unwrap_or_default();
    Ok(listed.into_iter().find(|listed| same_name(&listed_name(listed), &address.name)))
}

pub(super) fn arn_of(listed: &Listed) -> Option<String> {
    listed.subscription_arn.clone().filter(|arn| arn != PENDING)
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity::implied("subscription", "Subscriptions", 256);

impl Manage for Subscription {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] =
        &[plain("raw_delivery"), plain("filter.*").shared(&[]), plain("redrive").with_life(Life::Catches)];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[Kind::Topic, Kind::Queue];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Own(Kind::Topic), &["sns:List*"]),
        reads(Target::Everything, &["sns:GetSubscriptionAttributes", "sns:ListTopics"]),
        writes(Target::Own(Kind::Topic), &["sns:Subscribe", "sns:TagResource"]),
        writes(Target::Everything, &["sns:SetSubscriptionAttributes"]),
        deletes(Target::Own(Kind::Topic), &["sns:UntagResource"]),
        deletes(Target::Everything, &["sns:Unsubscribe"]),
    ];

    fn condition(live: &Settings) -> Condition {
        if live.pending {
            Condition::Pending("waits until its endpoint confirms it".to_owned())
        } else {
            Condition::Well
        }
    }

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::text;
        let filter = Filter { scope: text(), policy: serde_json::json!({"kind": ["notice"]}) };
        Settings { raw_delivery: true, filter: Some(filter), redrive: Some(text()), pending: false }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let Some(listed) = find(session, address).await? else { return Ok(None) };
        let Some(arn) = arn_of(&listed) else {
            let settings = Settings { pending: true, ..Settings::default() };
            return Ok(Some(Live { settings, owner: Owner::Ours }));
        };
        let answer = session.aws.read.sns.get_subscription_attributes().subscription_arn(arn).send().await;
        let Some(answer) = answer.or_absent(ATTRIBUTES)? else { return Ok(None) };
        let settings = Settings::from_attributes(&answer.attributes.unwrap_or_default())?;
        // It is a declared member of our topic: whoever subscribed it wanted the same.
        Ok(Some(Live { settings, owner: Owner::Ours }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let arn = topic::arn(session, address.container());
        let Some((protocol, endpoint)) = address.name.split_once(':') else {
            let words = format!("`{}` is not `PROTOCOL:ENDPOINT`", address.name);
            return Err(Failure::found("sns.Subscribe", Class::Invalid, words));
        };
        // The tag comes first: one without a subscription does no harm, a subscription without one would stay for ever.
        topic::set_tags(session, &arn, &Tags::from([(mark(&address.name), protocol.to_owned())])).await?;
        let default = Settings::default().attributes();
        let attributes = desired.attributes().into_iter().zip(default).filter(|(desired, default)| desired != default);
        let attributes = attributes.filter_map(|((name, value), _)| Some((name.to_owned(), value?))).collect();
        let call = session.aws.write.sns.subscribe().topic_arn(arn).protocol(protocol).endpoint(endpoint);
        call.set_attributes(Some(attributes)).send().await.or_fail("sns.Subscribe").map(drop)
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        // A pending subscription has no settings to change.
        let Some(arn) = find(session, address).await?.as_ref().and_then(arn_of) else { return Ok(()) };
        let attributes = desired.attributes().into_iter().zip(live.attributes());
        for ((name, value), _) in attributes.filter(|(desired, live)| desired != live) {
            // A scope without a policy has no meaning.
            if name == "FilterPolicyScope" && value.is_none() {
                continue;
            }
            let call = session.aws.write.sns.set_subscription_attributes().subscription_arn(&arn).attribute_name(name);
            call.set_attribute_value(value).send().await.or_fail("sns.SetSubscriptionAttributes")?;
        }
        Ok(())
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let call = "sns.Unsubscribe";
        if let Some(listed) = find(session, address).await? {
            let Some(arn) = arn_of(&listed) else {
                let words = "AWS removes an endpoint that has not confirmed after some days, and nobody can before";
                return Err(Failure::found(call, Class::Invalid, words));
            };
            session.aws.write.sns.unsubscribe().subscription_arn(arn).send().await.or_absent(call)?;
        }
        topic::remove_tags(session, &topic::arn(session, address.container()), vec![mark(&address.name)]).await
    }

    /// Lists the subscriptions of our topics that carry our tag. Pending ones cannot be removed; they are found once they
    /// are confirmed.
    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let topics = topic::named(session).await?;
        let lists = topics.iter().map(|(arn, name)| async move {
            let (listed, tags) = tokio::join!(listed(session, name), topic::all_tags(session, arn));
            let as_tags = |tags: Vec<Tag>| tags.into_iter().map(|tag| (tag.key, tag.value)).collect::<Tags>();
            let tags = tags.map(|tags| tags.map(as_tags));
            let found = session.owned(Kind::Topic, name, tags.clone())?;
            if found.is_none_or(|topic| topic.stays.is_some()) {
                return Ok(Vec::new());
            }
            let (listed, tags) = (listed?, tags?.unwrap_or_default());
            let topic = tags.get(ENTRY_TAG).unwrap_or(name);
            let confirmed = listed.unwrap_or_default().into_iter().filter(|listed| arn_of(listed).is_some());
            let ours = confirmed.map(|listed| listed_name(&listed)).filter(|name| tags.contains_key(&mark(name)));
            let owned = |part: String| Owned::new(format!("{topic}.{part}"), Address::within(name, part));
            Ok::<_, Failure>(ours.map(owned).collect::<Vec<_>>())
        });
        Ok(try_join_all(lists).await?.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(changes: &[(&str, &str)]) -> Settings {
        // SNS's answer for a subscription that was created with an endpoint only.
        let mut attributes: HashMap<String, String> = [
            ("Protocol", "sqs"),
            ("Endpoint", "arn:aws:sqs:eu-west-1:123456789012:mail-inbox"),
            ("PendingConfirmation", "false"),
            ("RawMessageDelivery", "false"),
            ("FilterPolicyScope", "MessageAttributes"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        attributes.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Settings::from_attributes(&attributes).unwrap()
    }

    #[test]
    fn defaults_of_aws_are_the_defaults() {
        assert_eq!(recorded(&[]), Settings::default());
        assert_eq!(recorded(&[("FilterPolicy", "{}"), ("RedrivePolicy", "")]), Settings::default());
    }

    #[test]
    fn one_real_change_is_seen() {
        for change in [
            ("RawMessageDelivery", "true"),
            ("FilterPolicy", r#"{"provider":["zayo"]}"#),
            ("RedrivePolicy", r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:mail-failed"}"#),
        ] {
            assert_ne!(recorded(&[change]), Settings::default(), "{change:?}");
        }
        let filtered = |scope: &str| recorded(&[("FilterPolicy", r#"{"a":[1]}"#), ("FilterPolicyScope", scope)]);
        assert_ne!(filtered("MessageBody"), filtered("MessageAttributes"));
    }

    #[test]
    fn waiting_for_an_answer_is_no_drift() {
        let pending = Settings { pending: true, ..Settings::default() };
        assert_eq!(pending, recorded(&[("RawMessageDelivery", "true")]));
    }

    #[test]
    fn a_mark_fits_into_a_tag_and_belongs_to_one_endpoint() {
        let one = mark("email:Noc@noc.example");
        assert_eq!(one, mark("email:noc@noc.example"));
        assert_ne!(one, mark("email:noc@noc2.example"));
        assert_ne!(mark("https:https://a.example/A"), mark("https:https://a.example/a"));
        assert!(mark(&"x".repeat(5_000)).len() <= 128);
    }

    #[test]
    fn an_address_is_shown_without_what_may_be_a_key() {
        let one = shown_name("https:https://me:s3cr3t@hooks.example:8443/in/k3y?t=k3y");
        assert!(one.starts_with("https:https://hooks.example:8443#"), "{one}");
        assert!(!one.contains("k3y") && !one.contains("s3cr3t"), "{one}");
        assert_ne!(one, shown_name("https:https://me:s3cr3t@hooks.example:8443/in/k3y?t=other"));
        assert!(!shown_name("https:hooks.example/in/k3y").contains("k3y"));
        for whole in ["email:noc@noc.example", "sqs:arn:aws:sqs:eu-west-1:123456789012:mail", "sms:+15550100"] {
            assert_eq!(shown_name(whole), whole);
        }
    }
}
