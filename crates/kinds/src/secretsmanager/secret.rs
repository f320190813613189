//! Secrets Manager's secrets: their existence, and never their values.
//!
//! A value is written when a secret is created, and is never read, compared or kept anywhere else. A secret's own policy is ours
//! alone, and empty: the roles of the stack say who may read it. A deleted secret keeps its name, and can be restored, for
//! [`RECOVERY_DAYS`]: a token that somebody had to request is not lost by a mistaken `down`. Until then AWS says that it
//! exists; for us it is absent, and creating it restores it.

use crate::identity::Identity;
use aws::ArnForm;
use aws_sdk_secretsmanager::{
    operation::describe_secret::DescribeSecretOutput,
    types::{Filter, FilterNameStringType, Tag},
};
use serde::Serialize;

use crate::{
    Kind, Manage, Session, own_tags,
    rights::{Right, Target, deletes, reads, writes},
    surplus_tags,
};
use aws::{OrFail, policy::Policy};
use engine::{
    Address, Children, ENTRY_TAG, Field, Holds, Live, Owned, Owner, Protection, STACK_TAG, Tags, plain, severe, stays,
};
use engine::{Class, Failure};

/// The kind of Secrets Manager's secrets.
#[derive(Debug)]
pub struct Secret;

/// A secret, without its value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Description of the resource, for people.
    pub description: String,
    /// Encrypted by this KMS key in place of AWS's own; where none is declared, one that is there stays.
    pub kms_key: Option<String>,
    /// Policy: who may read the secret beside those whom their own policies allow it. Ours alone, but for statements that deny.
    pub policy: Policy,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
    /// Parts that others added.
    #[serde(flatten)]
    pub children: Children,
}

/// Time for which a deleted secret can be restored, in days: AWS's minimum.
const RECOVERY_DAYS: i64 = 7;
/// Key that AWS uses if none is set.
const DEFAULT_KEY: &str = "alias/aws/secretsmanager";
const DESCRIBE: &str = "secretsmanager.DescribeSecret";
const CREATE: &str = "secretsmanager.CreateSecret";

async fn describe(session: &Session, name: &str) -> Result<Option<DescribeSecretOutput>, Failure> {
    session.aws.read.secrets.describe_secret().secret_id(name).send().await.or_absent(DESCRIBE)
}

/// Returns whether `up` needs a value: the secret does not exist, not even as one that can be restored.
pub async fn needs_value(session: &Session, name: &str) -> Result<bool, Failure> {
    Ok(describe(session, name).await?.is_none())
}

impl Settings {
    fn from_aws(answer: &DescribeSecretOutput) -> Self {
        let key = answer.kms_key_id.clone().filter(|key| !key.is_empty() && !key.ends_with(DEFAULT_KEY));
        let mut children = Children::default();
        for one in answer.replication_status() {
            let status = one.status.as_ref().map_or("", |status| status.as_str());
            children.add(REPLICAS, one.region.clone().unwrap_or_default(), status, true);
        }
        let rotation = answer.rotation_enabled == Some(true);
        let by = answer.rotation_lambda_arn.clone().unwrap_or_else(|| "AWS".to_owned());
        children.add_only("rotation", rotation.then_some(by), false);
        Self {
            description: answer.description.clone().unwrap_or_default(),
            kms_key: key,
            policy: Policy::default(),
            tags: own_tags(answer.tags().iter().filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default())))),
            children,
        }
    }

    fn aws_tags(&self) -> Vec<Tag> {
        self.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
    }
}

/// Field of the copies in other regions.
const REPLICAS: &str = "replicas";

/// Reads the policy of a secret; an empty one if it has none.
async fn policy(session: &Session, name: &str) -> Result<Policy, Failure> {
    const CALL: &str = "secretsmanager.GetResourcePolicy";
    let answer = session.aws.read.secrets.get_resource_policy().secret_id(name).send().await.or_absent(CALL);
    let answer = match answer {
        // A deleted one is refused; its description tells that it is.
        Err(failure) if failure.class == Class::Invalid => None,
        answer => answer?,
    };
    match answer.and_then(|answer| answer.resource_policy).filter(|text| !text.is_empty()) {
        Some(text) => Policy::from_json(&text).map_err(|error| Failure::found(CALL, Class::Other, error.to_string())),
        None => Ok(Policy::default()),
    }
}

async fn write_policy(session: &Session, name: &str, desired: &Policy) -> Result<(), Failure> {
    let write = &session.aws.write.secrets;
    if desired.is_empty() {
        let answer = write.delete_resource_policy().secret_id(name).send().await;
        return answer.or_absent("secretsmanager.DeleteResourcePolicy").map(drop);
    }
    let call = write.put_resource_policy().secret_id(name).resource_policy(desired.to_json());
    call.send().await.or_fail("secretsmanager.PutResourcePolicy").map(drop)
}

/// Writes the value of a secret, if one was given.
async fn put_value(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
    match desired.tags.get(ENTRY_TAG).and_then(|entry| session.secrets.get(entry)) {
        Some(value) => write_value(session, &address.name, value).await,
        None => Ok(()),
    }
}

/// Writes the value of an existing secret.
pub async fn write_value(session: &Session, name: &str, value: &contract::secret::Secret) -> Result<(), Failure> {
    let call = session.aws.write.secrets.put_secret_value().secret_id(name).secret_string(value.expose());
    call.send().await.or_fail("secretsmanager.PutSecretValue").map(drop)
}

/// Restores a deleted secret, if it was ours.
async fn restore(
    session: &Session,
    address: &Address,
    desired: &Settings,
    found: &DescribeSecretOutput,
) -> Result<(), Failure> {
    let mut live = Settings::from_aws(found);
    if let Owner::Other(owner) = Owner::of(&live.tags, &session.stack, true) {
        return Err(Failure::found("secretsmanager.RestoreSecret", Class::Invalid, format!("not restored: {owner}")));
    }
    let call = session.aws.write.secrets.restore_secret().secret_id(&address.name);
    call.send().await.or_fail("secretsmanager.RestoreSecret")?;
    // The policy of a deleted one cannot be read. Whoever it lets in must not get the new value.
    live.policy = policy(session, &address.name).await?;
    let mut desired = desired.clone();
    Secret::keep_protections(&mut desired, &live);
    let desired = &desired;
    Secret::update(session, address, desired, &live).await?;
    put_value(session, address, desired).await
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    section: Some("secrets"),
    arn: Some(ArnForm("secretsmanager:{region}:{account}:secret:{name}")),
    // A hyphen and six characters.
    added_to_arn: 7,
    ..Identity::implied("secret", "Secrets", 512)
};

impl Manage for Secret {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        plain("description"),
        plain("kms_key"),
        plain("policy.*").shared(&[]),
        plain("tags.*"),
        severe("replicas.*", "a copy of the secret in another region"),
        stays("rotation", "a function changes the secret's value"),
    ];

    const HOLDS: Holds = Holds::Lasting;

    const REFERS_TO: &'static [Kind] = &[];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Own(Kind::Secret), &["secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy"]),
        reads(Target::Existing(Kind::Secret), &["secretsmanager:DescribeSecret"]),
        reads(Target::Everything, &["secretsmanager:ListSecrets"]),
        writes(
            Target::Own(Kind::Secret),
            &[
                "secretsmanager:CreateSecret",
                "secretsmanager:DeleteResourcePolicy",
                "secretsmanager:PutResourcePolicy",
                "secretsmanager:PutSecretValue",
                "secretsmanager:RemoveRegionsFromReplication",
                "secretsmanager:RestoreSecret",
                "secretsmanager:TagResource",
                "secretsmanager:UntagResource",
                "secretsmanager:UpdateSecret",
            ],
        ),
        deletes(Target::Own(Kind::Secret), &["secretsmanager:DeleteSecret"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{policy, tags, text};
        let children = Children::one_in_each(Self::FIELDS);
        Settings { description: text(), kms_key: Some(text()), policy: policy(), tags: tags(), children }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let (answer, policy) = tokio::try_join!(describe(session, &address.name), policy(session, &address.name))?;
        let answer = answer.filter(|answer| answer.deleted_date.is_none());
        Ok(answer.map(|answer| {
            let settings = Settings { policy, ..Settings::from_aws(&answer) };
            let holds = answer.version_ids_to_stages.is_some_and(|versions| !versions.is_empty());
            let owner = Owner::of(&settings.tags, &session.stack, holds);
            Live { settings, owner }
        }))
    }

    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        let mut kept = crate::keep_denials(&mut desired.policy, &live.policy);
        kept.extend(crate::keep_key("kms_key", &mut desired.kms_key, live.kms_key.as_ref()));
        kept
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    fn children(settings: &mut Settings) -> Option<&mut Children> {
        Some(&mut settings.children)
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let found = describe(session, &address.name).await?;
        if let Some(found) = found.filter(|found| found.deleted_date.is_some()) {
            return restore(session, address, desired, &found).await;
        }
        let Some(value) = desired.tags.get(ENTRY_TAG).and_then(|entry| session.secrets.get(entry)) else {
            let words = format!("no value was given for the secret `{}`", address.name);
            return Err(Failure::found(CREATE, Class::Invalid, words));
        };
        let call = session.aws.write.secrets.create_secret().name(&address.name).secret_string(value.expose());
        let call = call.description(&desired.description).set_kms_key_id(desired.kms_key.clone());
        call.set_tags(Some(desired.aws_tags())).send().await.or_fail(CREATE).map(drop)
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let write = &session.aws.write.secrets;
        let replicas = live.children.surplus(&desired.children, REPLICAS);
        if !replicas.is_empty() {
            let regions = replicas.into_iter().map(str::to_owned).collect();
            let call = write.remove_regions_from_replication().secret_id(&address.name);
            let call = call.set_remove_replica_regions(Some(regions));
            call.send().await.or_absent("secretsmanager.RemoveRegionsFromReplication")?;
        }
        if desired.policy != live.policy {
            write_policy(session, &address.name, &desired.policy).await?;
        }
        if (&desired.description, &desired.kms_key) != (&live.description, &live.kms_key) {
            // A key that is left out stays.
            let call = write.update_secret().secret_id(&address.name).description(&desired.description);
            call.set_kms_key_id(desired.kms_key.clone()).send().await.or_fail("secretsmanager.UpdateSecret")?;
        }
        let surplus = surplus_tags(&desired.tags, &live.tags);
        if !surplus.is_empty() {
            let call = write.untag_resource().secret_id(&address.name).set_tag_keys(Some(surplus));
            call.send().await.or_fail("secretsmanager.UntagResource")?;
        }
        if desired.tags.iter().any(|(key, value)| live.tags.get(key) != Some(value)) {
            let call = write.tag_resource().secret_id(&address.name).set_tags(Some(desired.aws_tags()));
            call.send().await.or_fail("secretsmanager.TagResource")?;
        }
        Ok(())
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some(found) = describe(session, &address.name).await? else { return Ok(()) };
        if found.deleted_date.is_some() {
            return Ok(());
        }
        let call = session.aws.write.secrets.delete_secret().secret_id(&address.name);
        let answer = call.recovery_window_in_days(RECOVERY_DAYS).send().await;
        answer.or_absent("secretsmanager.DeleteSecret").map(drop)
    }

    /// By their tag, which is the only filter that leaves out those of others. Deleted ones are not listed.
    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let filter = |name, value: &str| Filter::builder().key(name).values(value).build();
        let call = session.aws.read.secrets.list_secrets();
        let call = call.filters(filter(FilterNameStringType::TagKey, STACK_TAG));
        let call = call.filters(filter(FilterNameStringType::TagValue, &session.stack.id()));
        let mut pages = call.into_paginator().send();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            all.extend(page.or_fail("secretsmanager.ListSecrets")?.secret_list.unwrap_or_default());
        }
        let living = all.into_iter().filter(|secret| secret.deleted_date.is_none());
        let owned = living.filter_map(|secret| {
            let tags = secret.tags.iter().flatten();
            let tags = own_tags(tags.filter_map(|tag| Some((tag.key.clone()?, tag.value.clone()?))));
            let name = secret.name?;
            session.stack.owned(&name, &tags, IDENTITY.is_given_by(&session.stack, &name))
        });
        Ok(owned.collect())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_secretsmanager::primitives::DateTime;

    use super::*;

    fn recorded(key: &str, description: &str) -> Settings {
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        let answer = DescribeSecretOutput::builder()
            .name("netbox/token")
            .kms_key_id(key)
            .description(description)
            .last_accessed_date(DateTime::from_secs(1_730_000_000))
            .version_ids_to_stages("a1", vec!["AWSCURRENT".to_owned()])
            .tags(tag("aws:cloudformation:stack-name", "other"))
            .tags(tag(STACK_TAG, "mail"));
        Settings::from_aws(&answer.build())
    }

    #[test]
    fn defaults_of_aws_are_the_defaults() {
        let tags = Tags::from([(STACK_TAG.to_owned(), "mail".to_owned())]);
        let plain = Settings { tags, ..Settings::default() };
        assert_eq!(recorded("", ""), plain);
        assert_eq!(recorded("arn:aws:kms:eu-west-1:123456789012:alias/aws/secretsmanager", ""), plain);
    }

    #[test]
    fn one_real_change_is_seen() {
        let plain = recorded("", "");
        assert_ne!(recorded("arn:aws:kms:eu-west-1:123456789012:key/1b2c", ""), plain);
        assert_ne!(recorded("", "NetBox"), plain);
    }
}
