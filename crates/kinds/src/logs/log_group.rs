//! Log groups: where functions write, and how long the lines are kept.
//!
//! Lambda creates a function's log group by itself if it may, and keeps it for ever. So the stack creates it, and the
//! function may not.

use crate::identity::{Identity, LOG_GROUPS, LONGEST_FUNCTION, Naming};
use aws::ArnForm;
use aws_sdk_cloudwatchlogs::types::{DataProtectionStatus, LogGroup as LiveGroup, LogGroupClass};
use serde::Serialize;

use crate::{
    Kind, Manage, Session,
    logs::children,
    number::{natural, wire},
    own_tags,
    rights::{Right, Target, deletes, reads, writes},
    surplus_tags, unfinished,
};
use aws::OrFail;
use engine::Failure;
use engine::{
    Address, Children, Field, Holds, Life, Live, Owned, Owner, Protection, Tags, UNFINISHED_TAG, depends, immutable,
    plain, stays,
};

/// The kind of log groups of functions.
#[derive(Debug)]
pub struct LogGroup;

/// The settings of a log group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Retention, in days: one of CloudWatch's steps. `None` keeps lines for ever.
    pub retention: Option<u32>,
    /// Log class: `STANDARD`, `INFREQUENT_ACCESS` or `DELIVERY`.
    pub class: String,
    /// The KMS key that lines are encrypted with instead of CloudWatch's own; where none is declared, one that is there stays.
    pub kms_key: Option<String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
    /// Parts that others added.
    #[serde(flatten)]
    pub children: Children,
}

impl Default for Settings {
    /// Returns AWS's defaults for a group that is created with a name only.
    fn default() -> Self {
        Self {
            retention: None,
            class: LogGroupClass::Standard.as_str().to_owned(),
            kms_key: None,
            tags: Tags::new(),
            children: Children::default(),
        }
    }
}

impl Settings {
    fn of(group: &LiveGroup, tags: Tags) -> Self {
        let mut children = Children::default();
        let protection = group.data_protection_status.as_ref().filter(|one| **one == DataProtectionStatus::Activated);
        children.add_only("data_protection", protection.map(|_| "activated"), false);
        Self {
            retention: group.retention_in_days.map(natural),
            class: group.log_group_class.as_ref().unwrap_or(&LogGroupClass::Standard).as_str().to_owned(),
            kms_key: group.kms_key_id.clone().filter(|key| !key.is_empty()),
            tags,
            children,
        }
    }
}

/// Returns the ARN that tagging calls take: without `:*`, which answers contain and permissions need.
pub(super) fn arn(session: &Session, name: &str) -> String {
    IDENTITY.arn_of(&session.aws.realm, &session.stack, name)
}

async fn groups(
    session: &Session,
    prefix: &str,
    is_enough: impl Fn(&LiveGroup) -> bool,
) -> Result<Vec<LiveGroup>, Failure> {
    let mut pages = session.aws.read.logs.describe_log_groups().log_group_name_prefix(prefix).into_paginator().send();
    let mut groups = Vec::new();
    while let Some(page) = pages.next().await {
        groups.extend(page.or_fail("logs.DescribeLogGroups")?.log_groups.unwrap_or_default());
        if groups.iter().any(&is_enough) {
            break;
        }
    }
    Ok(groups)
}

/// Returns the names that begin so.
pub(super) async fn names(session: &Session, prefix: &str) -> Result<Vec<String>, Failure> {
    let groups = groups(session, prefix, |_| false).await?;
    Ok(groups.into_iter().filter_map(|group| group.log_group_name).collect())
}

async fn find(session: &Session, name: &str) -> Result<Option<LiveGroup>, Failure> {
    let is_it = |group: &LiveGroup| group.log_group_name.as_deref() == Some(name);
    Ok(groups(session, name, is_it).await?.into_iter().find(is_it))
}

/// Returns all tags of a group, those with facts too; `None` if it does not exist.
pub(super) async fn all_tags(session: &Session, name: &str) -> Result<Option<Tags>, Failure> {
    let answer = session.aws.read.logs.list_tags_for_resource().resource_arn(arn(session, name)).send().await;
    let tags = answer.or_absent("logs.ListTagsForResource")?.map(|answer| answer.tags.unwrap_or_default());
    Ok(tags.map(|tags| tags.into_iter().collect()))
}

pub(super) async fn tags(session: &Session, name: &str) -> Result<Option<Tags>, Failure> {
    Ok(all_tags(session, name).await?.map(own_tags))
}

async fn write_retention(session: &Session, name: &str, desired: Option<u32>) -> Result<(), Failure> {
    let logs = &session.aws.write.logs;
    if let Some(days) = desired {
        let call = logs.put_retention_policy().log_group_name(name).retention_in_days(wire(days));
        return call.send().await.or_fail("logs.PutRetentionPolicy").map(drop);
    }
    let call = logs.delete_retention_policy().log_group_name(name);
    call.send().await.or_fail("logs.DeleteRetentionPolicy").map(drop)
}

/// Entry of the group with the stack's notes, whose use [`super::notes`] describes. No entry of a declaration has a dot.
pub(super) const NOTES: &str = "provision.notes";

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    arn: Some(ArnForm("logs:{region}:{account}:log-group:{name}")),
    naming: Naming::After(LOG_GROUPS, LONGEST_FUNCTION),
    ..Identity::implied("log group", "LogGroups", 512)
};

/// Returns the permissions that the calls on log groups need, whatever they are for.
pub(super) const fn rights(kind: Kind) -> [Right; 4] {
    [
        reads(Target::Everything, &["logs:DescribeLogGroups"]),
        reads(Target::Own(kind), &["logs:Describe*", "logs:ListTagsForResource"]),
        writes(
            Target::Own(kind),
            &[
                "logs:AssociateKmsKey",
                "logs:CreateLogGroup",
                "logs:DeleteRetentionPolicy",
                "logs:DeleteSubscriptionFilter",
                "logs:PutRetentionPolicy",
                "logs:TagResource",
                "logs:UntagResource",
            ],
        ),
        deletes(Target::Own(kind), &["logs:DeleteLogGroup"]),
    ]
}

impl Manage for LogGroup {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        plain("retention").with_life(Life::Ends),
        immutable("class", "CloudWatch cannot change the class of a log group"),
        plain("kms_key"),
        plain("tags.*"),
        depends("subscription_filters.*", "lines of the log are sent elsewhere").used(),
        stays("metric_filters.*", "lines of the log are counted").used(),
        stays("data_protection", "a policy hides parts of the log's lines"),
    ];

    const HOLDS: Holds = Holds::Passing;

    const REFERS_TO: &'static [Kind] = &[];

    const RIGHTS: &'static [Right] = &rights(Kind::LogGroup);

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text};
        let children = Children::one_in_each(Self::FIELDS);
        Settings { retention: Some(1), class: text(), kms_key: Some(text()), tags: tags(), children }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let name = &address.name;
        let (group, tags, children) =
            tokio::try_join!(find(session, name), tags(session, name), children::read(session, name))?;
        let (Some(group), Some(tags)) = (group, tags) else { return Ok(None) };
        let owner = Owner::of(&tags, &session.stack, group.stored_bytes.is_some_and(|bytes| bytes > 0));
        let mut settings = Settings::of(&group, tags);
        settings.children.extend(children);
        Ok(Some(Live { settings, owner }))
    }

    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        crate::keep_key("kms_key", &mut desired.kms_key, live.kms_key.as_ref()).into_iter().collect()
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    fn children(settings: &mut Settings) -> Option<&mut Children> {
        Some(&mut settings.children)
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let call = session.aws.write.logs.create_log_group().log_group_name(&address.name);
        let call = call.log_group_class(LogGroupClass::from(desired.class.as_str()));
        let is_one_call = desired.retention.is_none();
        let tags = if is_one_call { desired.tags.clone() } else { unfinished(&desired.tags) };
        let call = call.set_kms_key_id(desired.kms_key.clone()).set_tags(Some(tags.into_iter().collect()));
        call.send().await.or_fail("logs.CreateLogGroup")?;
        if is_one_call {
            return Ok(());
        }
        write_retention(session, &address.name, desired.retention).await?;
        let call = session.aws.write.logs.untag_resource().resource_arn(arn(session, &address.name));
        call.tag_keys(UNFINISHED_TAG).send().await.or_fail("logs.UntagResource").map(drop)
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let (name, logs) = (&address.name, &session.aws.write.logs);
        children::remove(session, name, &desired.children, &live.children).await?;
        if desired.retention != live.retention {
            write_retention(session, name, desired.retention).await?;
        }
        if let Some(key) = desired.kms_key.as_ref().filter(|key| live.kms_key.as_ref() != Some(key)) {
            let call = logs.associate_kms_key().log_group_name(name).kms_key_id(key);
            call.send().await.or_fail("logs.AssociateKmsKey")?;
        }
        let surplus = surplus_tags(&desired.tags, &live.tags);
        if !surplus.is_empty() {
            let call = logs.untag_resource().resource_arn(arn(session, name)).set_tag_keys(Some(surplus));
            call.send().await.or_fail("logs.UntagResource")?;
        }
        if desired.tags.iter().any(|(key, value)| live.tags.get(key) != Some(value)) {
            let call = logs.tag_resource().resource_arn(arn(session, name));
            let call = call.set_tags(Some(desired.tags.clone().into_iter().collect()));
            call.send().await.or_fail("logs.TagResource")?;
        }
        Ok(())
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let call = session.aws.write.logs.delete_log_group().log_group_name(&address.name);
        call.send().await.or_absent("logs.DeleteLogGroup").map(drop)
    }

    async fn holds_data(session: &Session, address: &Address) -> Result<Option<String>, Failure> {
        // While our set goes on taking mail for others, somebody may still want to know what was active before.
        if is_for_notes(session, &address.name) {
            return session.rules_of_others().await;
        }
        // The count of bytes lags by hours, so a stream is looked for.
        let call = session.aws.read.logs.describe_log_streams().log_group_name(&address.name).limit(1);
        let answer = call.send().await.or_absent("logs.DescribeLogStreams")?;
        let has_streams = answer.is_some_and(|answer| !answer.log_streams().is_empty());
        Ok(has_streams.then(|| "logs".to_owned()))
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let mut names = names(session, &IDENTITY.listed_by(&session.stack)).await?;
        names.extend(session.named_otherwise(Kind::LogGroup)?);
        let owned =
            names.iter().map(|name| async move { session.owned(Kind::LogGroup, name, tags(session, name).await) });
        Ok(futures::future::try_join_all(owned).await?.into_iter().flatten().collect())
    }
}

/// Returns whether a log group is the one for notes.
fn is_for_notes(session: &Session, group: &str) -> bool {
    group == IDENTITY.name_of(&session.stack, &session.aws.realm.account, NOTES)
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatchlogs::types::builders::LogGroupBuilder;

    use super::*;

    fn recorded() -> LogGroupBuilder {
        // CloudWatch's answer for a group that was created with a name only.
        LiveGroup::builder()
            .log_group_name("/aws/lambda/mail-maintenance")
            .creation_time(1_730_000_000_000)
            .metric_filter_count(0)
            .arn("arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/mail-maintenance:*")
            .log_group_arn("arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/mail-maintenance")
            .stored_bytes(0)
            .log_group_class(LogGroupClass::Standard)
    }

    fn settings(group: LogGroupBuilder) -> Settings {
        Settings::of(&group.build(), Tags::new())
    }

    #[test]
    fn defaults_of_aws_are_the_defaults() {
        assert_eq!(settings(recorded()), Settings::default());
        assert_eq!(settings(recorded().set_log_group_class(None)), Settings::default());
    }

    #[test]
    fn a_policy_that_hides_parts_of_lines_is_seen() {
        for (status, count) in [(DataProtectionStatus::Activated, 1), (DataProtectionStatus::Deleted, 0)] {
            assert_eq!(settings(recorded().data_protection_status(status)).children.iter().count(), count);
        }
    }

    #[test]
    fn one_real_change_is_seen() {
        for changed in [
            recorded().retention_in_days(30),
            recorded().log_group_class(LogGroupClass::InfrequentAccess),
            recorded().kms_key_id("arn:aws:kms:eu-west-1:123456789012:key/a"),
        ] {
            assert_ne!(settings(changed), Settings::default());
        }
    }
}
