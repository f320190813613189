//! SNS topics, with their policy. The delivery, signing and logging of messages is not managed.
//!
//! A topic always has a policy: AWS gives it one that lets its owner use it. In the normal form that is the empty policy.

use crate::identity::{Identity, Output};
use aws::ArnForm;
use aws_sdk_sns::types::Tag;
use futures::future::try_join_all;
use serde::Serialize;

use crate::{
    Input, Kind, Manage, Session, own_tags,
    rights::{Right, Target, deletes, reads, writes},
    sns::children,
    surplus_tags,
};
use aws::{
    OrFail,
    policy::{Policy, Statement},
};
use engine::{Address, Children, Field, Holds, Live, Owned, Owner, Protection, Tags, depends, plain, stays};
use engine::{Class, Failure};

/// The kind of SNS's topics.
#[derive(Debug)]
pub struct Topic;

/// A topic. The default is AWS's for one that has a name only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Display name of the sender of its mails.
    pub display_name: String,
    /// Policy: who may publish and subscribe; empty means AWS's own, for the account alone.
    pub policy: Policy,
    /// Encrypted by this KMS key; where none is declared, one that is there stays.
    pub kms_key: Option<String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
    /// Parts that others added.
    #[serde(flatten)]
    pub children: Children,
    /// `true` if functions of the stack publish there, which nothing about the topic tells in AWS.
    #[serde(skip)]
    pub is_published_by_functions: Input<bool>,
}

const ATTRIBUTES: &str = "sns.GetTopicAttributes";
const DISPLAY_NAME: &str = "DisplayName";
const POLICY: &str = "Policy";
const KMS_KEY: &str = "KmsMasterKeyId";

/// Returns the ARN of a topic of the account: SNS's calls take nothing else.
pub fn arn(session: &Session, name: &str) -> String {
    IDENTITY.arn_of(&session.aws.realm, &session.stack, name)
}

/// Actions that AWS's own policy allows a topic's owner; `SNS:Receive` was once among them.
const OWNER_MAY: [&str; 8] = [
    "SNS:AddPermission",
    "SNS:DeleteTopic",
    "SNS:GetTopicAttributes",
    "SNS:ListSubscriptionsByTopic",
    "SNS:Publish",
    "SNS:RemovePermission",
    "SNS:SetTopicAttributes",
    "SNS:Subscribe",
];

/// The id of AWS's own statement.
const OWNER: &str = "__default_statement_ID";

/// Returns the statement with which a topic is used by its account. A policy of our own that names services needs it beside.
pub fn owner_statement(arn: &str) -> (String, Statement) {
    let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
    let mut statement = Statement::allow(&OWNER_MAY, [arn.to_owned()]);
    statement.principals.insert("*".to_owned());
    (OWNER.to_owned(), statement.when("StringEquals", "aws:SourceOwner", [account]))
}

/// Returns that statement without publishing, which it lets every service do that acts for the account. Whoever has the right by a policy
/// of his own publishes all the same.
pub fn owner_without_publishing(arn: &str) -> (String, Statement) {
    let (id, mut owner) = owner_statement(arn);
    owner.actions.remove("SNS:Publish");
    (id, owner)
}

fn is_default(policy: &Policy, arn: &str) -> bool {
    let (id, statement) = owner_statement(arn);
    let mut older = statement.clone();
    older.actions.insert("SNS:Receive".to_owned());
    [statement, older].into_iter().any(|statement| *policy == Policy::new([(id.clone(), statement)]))
}

impl Settings {
    /// Returns every managed attribute.
    fn attributes(&self, arn: &str) -> [(&'static str, String); 3] {
        let policy = if self.policy.is_empty() { Policy::new([owner_statement(arn)]) } else { self.policy.clone() };
        [
            (DISPLAY_NAME, self.display_name.clone()),
            (POLICY, policy.to_json()),
            (KMS_KEY, self.kms_key.clone().unwrap_or_default()),
        ]
    }

    fn from_attributes<'a>(get: impl Fn(&str) -> Option<&'a String>, arn: &str, tags: Tags) -> Result<Self, Failure> {
        let wrong = |_| Failure::found(ATTRIBUTES, Class::Other, "AWS's answer has a wrong Policy");
        let text = |name: &str| get(name).filter(|text| !text.is_empty());
        let policy = text(POLICY).map(|text| Policy::from_json(text)).transpose().map_err(wrong)?;
        Ok(Self {
            display_name: text(DISPLAY_NAME).cloned().unwrap_or_default(),
            policy: policy.filter(|policy| !is_default(policy, arn)).unwrap_or_default(),
            kms_key: text(KMS_KEY).cloned(),
            tags,
            ..Self::default()
        })
    }
}

fn tag(key: &str, value: &str) -> Result<Tag, Failure> {
    let tag = Tag::builder().key(key).value(value).build();
    tag.map_err(|error| Failure::found("sns.TagResource", Class::Invalid, error.to_string()))
}

/// Returns all tags of a topic, those of its subscriptions too.
pub(super) async fn all_tags(session: &Session, arn: &str) -> Result<Option<Vec<Tag>>, Failure> {
    let answer = session.aws.read.sns.list_tags_for_resource().resource_arn(arn).send().await;
    Ok(answer.or_absent("sns.ListTagsForResource")?.map(|answer| answer.tags.unwrap_or_default()))
}

async fn tags(session: &Session, arn: &str) -> Result<Option<Tags>, Failure> {
    Ok(all_tags(session, arn).await?.map(|tags| own_tags(tags.into_iter().map(|tag| (tag.key, tag.value)))))
}

/// Sets tags on a topic.
pub(super) async fn set_tags(session: &Session, arn: &str, tags: &Tags) -> Result<(), Failure> {
    let tags = tags.iter().map(|(key, value)| tag(key, value)).collect::<Result<_, _>>()?;
    let answer = session.aws.write.sns.tag_resource().resource_arn(arn).set_tags(Some(tags)).send().await;
    answer.or_fail("sns.TagResource").map(drop)
}

/// Takes tags from a topic.
pub(super) async fn remove_tags(session: &Session, arn: &str, keys: Vec<String>) -> Result<(), Failure> {
    let answer = session.aws.write.sns.untag_resource().resource_arn(arn).set_tag_keys(Some(keys)).send().await;
    answer.or_absent("sns.UntagResource").map(drop)
}

/// Returns the ARNs and names of the topics whose names begin as this stack's do, or that have its tag.
pub(super) async fn named(session: &Session) -> Result<Vec<(String, String)>, Failure> {
    let mut pages = session.aws.read.sns.list_topics().into_paginator().send();
    let mut named = Vec::new();
    while let Some(page) = pages.next().await {
        let arns = page.or_fail("sns.ListTopics")?.topics.unwrap_or_default().into_iter();
        let topics = arns.filter_map(|topic| topic.topic_arn).filter_map(|arn| {
            let name = arn.rsplit(':').next()?.to_owned();
            Some((arn, name))
        });
        named.extend(topics.filter(|(_, name)| IDENTITY.is_given_by(&session.stack, name)));
    }
    let others = session.named_otherwise(Kind::Topic)?.into_iter();
    named.extend(others.map(|name| (arn(session, &name), name)));
    Ok(named)
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    section: Some("topics"),
    arn: Some(ArnForm("sns:{region}:{account}:{name}")),
    output: Output::Arn,
    ..Identity::implied("topic", "Topics", 256)
};

/// Beginnings of the ids of our statements in a topic's policy.
pub const STATEMENTS: &[&str] = &[NEWS_OF, ALARMS, OWNER, MAIL_EVENTS, MAIL_FEEDBACK];
/// Id of the statement that lets configuration sets tell what becomes of mails.
pub const MAIL_EVENTS: &str = "MailEvents";
/// Id of the statement that lets identities tell what becomes of mails.
pub const MAIL_FEEDBACK: &str = "MailFeedback";
/// Beginning of the id of a statement that lets a rule publish.
pub const NEWS_OF: &str = "NewsOf";
/// Id of the statement that lets alarms publish.
pub const ALARMS: &str = "Alarms";

impl Manage for Topic {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        plain("display_name"),
        plain("policy.*").shared(STATEMENTS),
        plain("kms_key"),
        plain("tags.*"),
        depends("subscriptions.*", "somebody else hears what is published")
            .used()
            .declared_as(super::subscription::IDENTITY.name),
        stays("delivery_policy", "how often messages are delivered anew"),
        stays("delivery_logging.*", "deliveries are logged"),
        stays("tracing", "messages are traced"),
        stays("signature", "the version of the messages' signatures"),
    ];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Own(Kind::Topic), &["sns:GetTopicAttributes", "sns:List*"]),
        reads(Target::Everything, &["sns:ListTopics"]),
        writes(
            Target::Own(Kind::Topic),
            &["sns:CreateTopic", "sns:SetTopicAttributes", "sns:TagResource", "sns:UntagResource"],
        ),
        writes(Target::Everything, &["sns:Unsubscribe"]),
        deletes(Target::Own(Kind::Topic), &["sns:DeleteTopic"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{policy, tags, text};
        let children = Children::one_in_each(Self::FIELDS);
        let is_published_by_functions = Input::default();
        Settings {
            display_name: text(),
            policy: policy(),
            kms_key: Some(text()),
            tags: tags(),
            children,
            is_published_by_functions,
        }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let arn = arn(session, &address.name);
        let attributes =
            async { session.aws.read.sns.get_topic_attributes().topic_arn(&arn).send().await.or_absent(ATTRIBUTES) };
        let (attributes, there) = tokio::try_join!(attributes, children::read(session, &address.name))?;
        let (Some(attributes), Some((tags, foreign))) = (attributes, there) else { return Ok(None) };
        let tags = own_tags(tags.into_iter().map(|tag| (tag.key, tag.value)));
        let attributes = attributes.attributes.unwrap_or_default();
        let counts = ["SubscriptionsConfirmed", "SubscriptionsPending"];
        let holds = counts.iter().any(|name| attributes.get(*name).is_some_and(|count| count != "0"));
        let owner = Owner::of(&tags, &session.stack, holds);
        let mut settings = Settings::from_attributes(|name| attributes.get(name), &arn, tags)?;
        settings.children.extend(children::of_attributes(attributes.iter()));
        children::add_subscriptions(&mut settings, foreign);
        Ok(Some(Live { settings, owner }))
    }

    fn interim(desired: &Settings, live: &Settings) -> Settings {
        Settings { policy: desired.policy.widened(&live.policy), ..desired.clone() }
    }

    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        let is_by_aws = desired.policy.is_empty();
        let mut kept = crate::keep_denials(&mut desired.policy, &live.policy);
        // Beside statements that deny, AWS's own policy has to be written down.
        let owner = live.policy.statements().get(OWNER);
        if is_by_aws
            && !kept.is_empty()
            && let Some(arn) = owner.and_then(|owner| owner.resources.first())
            && is_default(&Policy::new(owner.map(|owner| (OWNER.to_owned(), owner.clone()))), arn)
        {
            desired.policy = desired.policy.with(OWNER, owner.cloned());
        }
        kept.extend(crate::keep_key("kms_key", &mut desired.kms_key, live.kms_key.as_ref()));
        kept
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    fn children(settings: &mut Settings) -> Option<&mut Children> {
        Some(&mut settings.children)
    }

    fn judge_children(live: &mut Settings, desired: &Settings) {
        let carries_mails = [&live.policy, &desired.policy].into_iter().any(children::carries_mails);
        // A function publishes what it makes of mails and events; an alarm says that it rings.
        let carries_data = carries_mails || *desired.is_published_by_functions;
        live.children.judge(children::SUBSCRIPTIONS, |state| carries_data && state == children::CONFIRMED);
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let attributes = desired.attributes(&arn(session, &address.name)).into_iter();
        let attributes =
            attributes.filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.to_owned(), value));
        let tags = desired.tags.iter().map(|(key, value)| tag(key, value)).collect::<Result<_, _>>()?;
        let call = session.aws.write.sns.create_topic().name(&address.name);
        let answer = call.set_attributes(Some(attributes.collect())).set_tags(Some(tags)).send().await;
        answer.or_fail("sns.CreateTopic").map(drop)
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let arn = arn(session, &address.name);
        children::remove(session, &address.name, &desired.children, &live.children).await?;
        let attributes = desired.attributes(&arn).into_iter().zip(live.attributes(&arn));
        for ((name, value), _) in attributes.filter(|(desired, live)| desired != live) {
            let call = session.aws.write.sns.set_topic_attributes().topic_arn(&arn).attribute_name(name);
            call.attribute_value(value).send().await.or_fail("sns.SetTopicAttributes")?;
        }
        let surplus = surplus_tags(&desired.tags, &live.tags);
        if !surplus.is_empty() {
            remove_tags(session, &arn, surplus).await?;
        }
        if desired.tags.iter().any(|(key, value)| live.tags.get(key) != Some(value)) {
            set_tags(session, &arn, &desired.tags).await?;
        }
        Ok(())
    }

    /// Deletes a topic. Its subscriptions are deleted with it, those of others too: there is nothing left to hear.
    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let answer = session.aws.write.sns.delete_topic().topic_arn(arn(session, &address.name)).send().await;
        answer.or_absent("sns.DeleteTopic").map(drop)
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let named = named(session).await?;
        let tagged = try_join_all(
            named.iter().map(|(arn, name)| async move { session.owned(Kind::Topic, name, tags(session, arn).await) }),
        );
        Ok(tagged.await?.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const ARN: &str = "arn:aws:sns:eu-west-1:123456789012:mail-alarms";

    /// Returns SNS's answer for a topic that was created with a name only.
    fn recorded(changes: &[(&str, &str)]) -> Settings {
        let policy = r#"{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID",
            "Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes",
            "SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic",
            "SNS:Publish"],"Resource":"arn:aws:sns:eu-west-1:123456789012:mail-alarms",
            "Condition":{"StringEquals":{"AWS:SourceOwner":"123456789012"}}}]}"#;
        let mut attributes: HashMap<String, String> = [
            ("TopicArn", ARN),
            ("Owner", "123456789012"),
            ("DisplayName", ""),
            ("Policy", policy),
            ("SubscriptionsConfirmed", "0"),
            ("EffectiveDeliveryPolicy", "{}"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        for (name, value) in changes {
            let (name, value) = match name.split_once('=') {
                Some((name, from)) => (name, attributes.get(name).unwrap().replace(from, value)),
                None => (*name, (*value).to_owned()),
            };
            attributes.insert(name.to_owned(), value);
        }
        Settings::from_attributes(|name| attributes.get(name), ARN, Tags::new()).unwrap()
    }

    #[test]
    fn defaults_of_aws_are_the_defaults() {
        assert_eq!(recorded(&[]), Settings::default());
        assert_eq!(recorded(&[("Policy=\"SNS:Publish\"", "\"SNS:Publish\",\"SNS:Receive\"")]), Settings::default());
    }

    #[test]
    fn one_real_change_is_seen() {
        for change in [
            ("DisplayName", "Alarms"),
            ("KmsMasterKeyId", "alias/aws/sns"),
            ("Policy=SNS:Publish", "SNS:*"),
            ("Policy=\"AWS:SourceOwner\":\"123456789012\"", "\"AWS:SourceOwner\":\"210987654321\""),
            ("Policy=\"Condition\"", "\"NoCondition\""),
        ] {
            assert_ne!(recorded(&[change]), Settings::default(), "{change:?}");
        }
    }

    #[test]
    fn the_default_is_written_as_the_policy_that_aws_gives() {
        let attributes: HashMap<_, _> = Settings::default().attributes(ARN).into();
        let policy = Policy::from_json(attributes.get(POLICY).unwrap()).unwrap();
        assert!(is_default(&policy, ARN));
    }
}
