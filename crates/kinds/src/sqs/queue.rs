//! SQS queues, with their policy and their dead-letter queue.
//!
//! SQS returns every value as a string, and a queue has no attribute that it was not given, or that AWS chose for
//! it.

mod settings;

use contract::count::counted;

use aws_sdk_sqs::types::QueueAttributeName as Name;

use crate::{
    Kind, Manage, Session,
    identity::{Identity, Output},
    lambda::sources::{self, Source},
    own_tags,
    rights::{Right, Target, deletes, reads, writes},
    surplus_tags,
};
use aws::{ArnForm, OrFail};
use engine::{
    Address, Children, Class, Failure, Field, Holds, Life, Live, Owned, Owner, Protection, Tags, coupled, plain,
    severe, stays,
};

pub use settings::{Redrive, Settings};

/// The kind of SQS's queues.
#[derive(Debug)]
pub struct Queue;

/// Fields that SQS changes together.
const ENCRYPTION_FIELDS: &[&str] = &["managed_encryption", "kms_key"];

/// Call that reads the attributes of a queue.
const ATTRIBUTES: &str = "sqs.GetQueueAttributes";
/// Attributes that count the messages of a queue: those that wait, those that are being read, and those that are delayed.
const MESSAGES: [Name; 3] = [
    Name::ApproximateNumberOfMessages,
    Name::ApproximateNumberOfMessagesNotVisible,
    Name::ApproximateNumberOfMessagesDelayed,
];

/// Returns the queue's URL, which calls need; it is not always the one that account and region suggest.
async fn url(session: &Session, name: &str) -> Result<Option<String>, Failure> {
    let answer = session.aws.read.sqs.get_queue_url().queue_name(name).send().await;
    Ok(answer.or_absent("sqs.GetQueueUrl")?.and_then(|answer| answer.queue_url))
}

async fn existing_url(session: &Session, name: &str) -> Result<String, Failure> {
    let missing = || Failure::found("sqs.GetQueueUrl", Class::NotFound, format!("queue `{name}` does not exist"));
    url(session, name).await?.ok_or_else(missing)
}

async fn tags(session: &Session, url: &str) -> Result<Option<Tags>, Failure> {
    let answer = session.aws.read.sqs.list_queue_tags().queue_url(url).send().await;
    Ok(answer.or_absent("sqs.ListQueueTags")?.map(|answer| own_tags(answer.tags.unwrap_or_default())))
}

/// Field of the event source mappings that take messages.
const CONSUMERS: &str = "consumers";

/// Returns what takes a queue's messages: functions, whosever they are.
async fn consumers(session: &Session, name: &str) -> Result<Children, Failure> {
    let arn = IDENTITY.arn_of(&session.aws.realm, &session.stack, name);
    let mut children = Children::default();
    for one in sources::mappings_of_others(session, Source::Arn(&arn)).await? {
        children.add(CONSUMERS, one.uuid.unwrap_or_default(), one.function_arn.unwrap_or_default(), true);
    }
    Ok(children)
}

/// Reads a queue without its consumers.
async fn live(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
    let Some(url) = url(session, &address.name).await? else { return Ok(None) };
    let attributes = async {
        let call = session.aws.read.sqs.get_queue_attributes().queue_url(&url).attribute_names(Name::All);
        call.send().await.or_absent(ATTRIBUTES)
    };
    let (attributes, tags) = tokio::try_join!(attributes, tags(session, &url))?;
    // Both are absent if the queue was deleted just after its URL was read.
    let (Some(attributes), Some(tags)) = (attributes, tags) else { return Ok(None) };
    let attributes = attributes.attributes.unwrap_or_default();
    let holds = attributes.get(&Name::ApproximateNumberOfMessages).is_some_and(|count| count != "0");
    let owner = Owner::of(&tags, &session.stack, holds);
    Ok(Some(Live { settings: Settings::from_attributes(&attributes, tags)?, owner }))
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    section: Some("queues"),
    arn: Some(ArnForm("sqs:{region}:{account}:{name}")),
    output: Output::Arn,
    ..Identity::implied("queue", "Queues", 80)
};

/// Beginnings of the ids of our statements in a queue's policy.
pub const STATEMENTS: &[&str] = &[MESSAGES_OF];
/// Beginning of the id of a statement that lets a topic send.
pub const MESSAGES_OF: &str = "MessagesOf";

impl Manage for Queue {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        plain("retention").with_life(Life::Ends),
        plain("visibility_timeout"),
        plain("delay"),
        plain("receive_wait"),
        plain("maximum_message_size"),
        coupled("managed_encryption", ENCRYPTION_FIELDS),
        coupled("kms_key", ENCRYPTION_FIELDS),
        plain("redrive.*"),
        plain("policy.*").shared(STATEMENTS),
        plain("tags.*"),
        severe("consumers.*", "a function takes the queue's messages").used(),
        stays("redrive_allow", "which queues may use this one for dead letters"),
    ];

    const HOLDS: Holds = Holds::Passing;

    const REFERS_TO: &'static [Kind] = &[];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Own(Kind::Queue), &["sqs:GetQueue*", "sqs:ListQueueTags"]),
        reads(Target::Everything, &["lambda:ListEventSourceMappings", "sqs:ListQueues"]),
        reads(Target::Everything, &["lambda:ListTags"]),
        writes(Target::Mappings, &["lambda:DeleteEventSourceMapping"]),
        writes(
            Target::Own(Kind::Queue),
            &["sqs:CreateQueue", "sqs:SetQueueAttributes", "sqs:TagQueue", "sqs:UntagQueue"],
        ),
        deletes(Target::Own(Kind::Queue), &["sqs:DeleteQueue"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{policy, tags, text};
        Settings {
            retention: 60,
            visibility_timeout: 1,
            delay: 1,
            receive_wait: 1,
            maximum_message_size: 1_024,
            managed_encryption: true,
            kms_key: Some(text()),
            redrive: Some(Redrive { queue: text(), after: 3 }),
            policy: policy(),
            tags: tags(),
            children: Children::one_in_each(Self::FIELDS),
        }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let (live, consumers) = tokio::try_join!(live(session, address), consumers(session, &address.name))?;
        Ok(live.map(|mut live| {
            live.settings.children.extend(consumers);
            live
        }))
    }

    fn children(settings: &mut Settings) -> Option<&mut Children> {
        Some(&mut settings.children)
    }

    fn interim(desired: &Settings, live: &Settings) -> Settings {
        Settings { policy: desired.policy.widened(&live.policy), ..desired.clone() }
    }

    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        let mut kept = crate::keep_denials(&mut desired.policy, &live.policy);
        let key = crate::keep_key("kms_key", &mut desired.kms_key, live.kms_key.as_ref());
        if key.is_some() {
            desired.managed_encryption = live.managed_encryption;
        }
        kept.extend(key);
        kept
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let attributes = desired.attributes().into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let call = session.aws.write.sqs.create_queue().queue_name(&address.name);
        let call = call.set_attributes(Some(attributes)).set_tags(Some(desired.tags.clone().into_iter().collect()));
        call.send().await.or_fail("sqs.CreateQueue").map(drop)
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let arn = IDENTITY.arn_of(&session.aws.realm, &session.stack, &address.name);
        for uuid in live.children.surplus(&desired.children, CONSUMERS) {
            sources::delete_mapping(session, Source::Arn(&arn), uuid).await?;
        }
        let url = existing_url(session, &address.name).await?;
        let write = &session.aws.write.sqs;
        if desired.attributes() != live.attributes() || desired.kms_key != live.kms_key {
            let call = write.set_queue_attributes().queue_url(&url).set_attributes(Some(desired.attributes()));
            call.send().await.or_fail("sqs.SetQueueAttributes")?;
        }
        let surplus = surplus_tags(&desired.tags, &live.tags);
        if !surplus.is_empty() {
            let call = write.untag_queue().queue_url(&url).set_tag_keys(Some(surplus));
            call.send().await.or_fail("sqs.UntagQueue")?;
        }
        if desired.tags.iter().any(|(key, value)| live.tags.get(key) != Some(value)) {
            let call = write.tag_queue().queue_url(&url).set_tags(Some(desired.tags.clone().into_iter().collect()));
            call.send().await.or_fail("sqs.TagQueue")?;
        }
        Ok(())
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some(url) = url(session, &address.name).await? else { return Ok(()) };
        session.aws.write.sqs.delete_queue().queue_url(url).send().await.or_absent("sqs.DeleteQueue").map(drop)
    }

    async fn holds_data(session: &Session, address: &Address) -> Result<Option<String>, Failure> {
        let Some(url) = url(session, &address.name).await? else { return Ok(None) };
        let call = session.aws.read.sqs.get_queue_attributes().queue_url(url);
        let call = call.set_attribute_names(Some(MESSAGES.to_vec()));
        let Some(answer) = call.send().await.or_absent(ATTRIBUTES)? else { return Ok(None) };
        let counts = answer.attributes.unwrap_or_default();
        let count = |name| counts.get(name).and_then(|count: &String| count.parse::<u64>().ok()).unwrap_or(0);
        let messages: u64 = MESSAGES.iter().map(count).sum();
        Ok((messages > 0).then(|| counted(usize::try_from(messages).unwrap_or(usize::MAX), "message")))
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let (named, others) = tokio::try_join!(named(session), named_otherwise(session))?;
        Ok(named.into_iter().chain(others).flatten().collect())
    }
}

/// Returns the queues whose names begin as this stack's do, as far as they are its.
async fn named(session: &Session) -> Result<Vec<Option<Owned>>, Failure> {
    let call = session.aws.read.sqs.list_queues().queue_name_prefix(IDENTITY.listed_by(&session.stack));
    let mut pages = call.max_results(1_000).into_paginator().send();
    let mut urls = Vec::new();
    while let Some(page) = pages.next().await {
        urls.extend(page.or_fail("sqs.ListQueues")?.queue_urls.unwrap_or_default());
    }
    futures::future::try_join_all(urls.iter().map(|url| async move {
        let name = url.rsplit('/').next().unwrap_or(url);
        session.owned(Kind::Queue, name, tags(session, url).await)
    }))
    .await
}

/// Returns the queues with this stack's tag and other names, as far as they are its.
async fn named_otherwise(session: &Session) -> Result<Vec<Option<Owned>>, Failure> {
    let names = session.named_otherwise(Kind::Queue)?;
    futures::future::try_join_all(names.iter().map(|name| async move {
        let Some(url) = url(session, name).await? else { return Ok(None) };
        session.owned(Kind::Queue, name, tags(session, &url).await)
    }))
    .await
}
