//! S3 buckets, with everything that decides who can read their objects and how long these are kept.
//!
//! S3 has a call for each part of a bucket. Bucket names are global: every call names the account that must own the bucket, so
//! that one that somebody else created in our place is never written to.

mod children;
mod contents;
mod lifecycle;
mod parts;
mod settings;

use aws_sdk_s3::types::{BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration};
use aws_smithy_types::error::operation::BuildError;

use crate::{
    Kind, Manage, Session,
    identity::{Identity, Naming, Output},
    own_tags,
    rights::{Right, Target, deletes, reads, writes},
};
use aws::{ArnForm, OrFail};
use engine::{
    Address, Children, Class, Failure, Field, Holds, Life, Live, Owned, Owner, Protection, Stack, Tags, coupled,
    depends, plain, severe, stays,
};

pub use lifecycle::{DaysByPrefix, Lifecycle};
use parts::{policy, tags, write, write_tags};
pub use settings::{Encryption, Ownership, PublicAccess, Settings};
use settings::{encryption, ownership, public_access};

/// The kind of S3's buckets.
#[derive(Debug)]
pub struct Bucket;

/// Fields that S3 changes together.
const ENCRYPTION_FIELDS: &[&str] = &["encryption.algorithm", "encryption.kms_key", "encryption.bucket_key"];

/// Calls S3 about one bucket, which must belong to this account.
macro_rules! about {
    ($clients:expr, $session:expr, $name:expr, $call:ident) => {
        $clients.s3.$call().bucket($name).expected_bucket_owner(&$session.aws.realm.account)
    };
}
use about;

/// Returns the failure of a value that the SDK cannot send.
fn unbuilt(call: &'static str) -> impl Fn(BuildError) -> Failure {
    move |error| Failure::found(call, Class::Invalid, error.to_string())
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    section: Some("buckets"),
    arn: Some(ArnForm("s3:::{name}")),
    naming: Naming::Global,
    output: Output::Name,
    ..Identity::implied("bucket", "Buckets", 63)
};

/// Beginnings of the ids of our statements in a bucket's policy.
pub const STATEMENTS: &[&str] = &[REFUSE_PLAIN, STORE];
/// Id of the statement that refuses what comes without TLS.
pub const REFUSE_PLAIN: &str = "RefuseWithoutTls";
/// Beginning of the id of a statement that lets a rule store its mails.
pub const STORE: &str = "StoreMailOf";

/// Entry that the bucket for artefacts is created for. No entry of a declaration has a dot.
pub const ARTIFACTS: &str = "provision.artifacts";

/// Returns the name of a stack's bucket for artefacts. No entry leads to it: the names of declared buckets end with the region.
pub fn artifacts_name(stack: &Stack, account: &str) -> String {
    let name = format!("{}-{account}-{}-artifacts", stack.prefix(), stack.region);
    aws::cut(name, IDENTITY.longest, &format!("{account}/{}/{}", stack.id(), ARTIFACTS))
}

/// Returns whether a bucket of the stack is the one for artefacts: its content is rebuilt when needed.
fn is_for_artifacts(session: &Session, name: &str) -> bool {
    name == artifacts_name(&session.stack, &session.aws.realm.account)
}

/// Returns a failure with the other meaning that it may have: no two buckets of the world have one name, and of another account's S3 says
/// only that access is denied.
fn anothers(failure: Failure) -> Failure {
    if failure.class != Class::Denied {
        return failure;
    }
    let words = "if you have the rights of `provision policy`, the name belongs to another account: rename the entry or the stage";
    Failure { message: format!("{}; {words}", failure.message), ..failure }
}

impl Manage for Bucket {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        plain("public_access.block_acls"),
        plain("public_access.ignore_acls"),
        plain("public_access.block_policy"),
        plain("public_access.restrict_buckets"),
        plain("ownership"),
        coupled("encryption.algorithm", ENCRYPTION_FIELDS),
        coupled("encryption.kms_key", ENCRYPTION_FIELDS),
        coupled("encryption.bucket_key", ENCRYPTION_FIELDS),
        plain("versioning").with_life(Life::Keeps),
        plain("lifecycle.expire_days.*").with_life(Life::EndsBelow),
        plain("lifecycle.noncurrent_days.*").with_life(Life::EndsBelow),
        plain("lifecycle.abort_incomplete_days").with_life(Life::Ends),
        // One of our own that does not do what it says is among them.
        plain("lifecycle.others.*").with_life(Life::Unrelated).shared(&[lifecycle::RULE]),
        plain("policy.*").shared(STATEMENTS),
        plain("tags.*"),
        severe("replication.*", "a rule copies the bucket's objects"),
        depends("notifications.*", "somebody is told of the bucket's objects").used(),
        severe("inventories.*", "lists of the bucket's objects are written elsewhere"),
        depends("analytics.*", "an analysis of how the bucket's objects are used"),
        stays("logging", "requests to the bucket are logged"),
        stays("cors", "pages of these origins may use the bucket"),
        stays("website", "the bucket is a website for whoever may read it"),
        stays("requester_pays", "whoever reads the bucket pays for it"),
        stays("acceleration", "the bucket takes and gives objects at the edge"),
        stays("object_lock", "objects can be locked against deletion"),
        stays("tiering.*", "a rule moves objects between tiers of storage"),
        stays("metrics.*", "requests to the bucket are counted"),
    ];

    const HOLDS: Holds = Holds::Lasting;

    const REFERS_TO: &'static [Kind] = &[];

    const RIGHTS: &'static [Right] = &[
        // All of a bucket's configuration: each of these actions by its name would not fit into a managed policy.
        reads(Target::Own(Kind::Bucket), &["s3:Get*Configuration", "s3:GetBucket*", "s3:ListBucketVersions"]),
        reads(Target::Everything, &["s3:ListAllMyBuckets"]),
        writes(
            Target::Own(Kind::Bucket),
            &[
                "s3:CreateBucket",
                "s3:DeleteBucketPolicy",
                "s3:PutAnalyticsConfiguration",
                "s3:PutBucketNotification",
                "s3:PutBucketOwnershipControls",
                "s3:PutBucketPolicy",
                "s3:PutBucketPublicAccessBlock",
                "s3:PutBucketTagging",
                "s3:PutBucketVersioning",
                "s3:PutEncryptionConfiguration",
                "s3:PutInventoryConfiguration",
                "s3:PutLifecycleConfiguration",
                "s3:PutReplicationConfiguration",
            ],
        ),
        deletes(Target::Own(Kind::Bucket), &["s3:DeleteBucket"]),
        // SES's test object is deleted with the bucket.
        deletes(Target::Objects, &["s3:DeleteObject", "s3:DeleteObjectVersion"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{map, policy, tags, text};
        let encryption = Encryption { algorithm: text(), kms_key: Some(text()), bucket_key: true };
        Settings {
            public_access: PublicAccess {
                block_acls: true,
                ignore_acls: true,
                block_policy: true,
                restrict_buckets: true,
            },
            ownership: Ownership(text()),
            encryption,
            versioning: true,
            lifecycle: Lifecycle {
                expire_days: DaysByPrefix::from_iter([(text(), 1)]),
                noncurrent_days: DaysByPrefix::from_iter([(text(), 1)]),
                abort_incomplete_days: Some(1),
                others: map(),
            },
            policy: policy(),
            tags: tags(),
            children: Children::one_in_each(Self::FIELDS),
        }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let (name, read) = (&address.name, &session.aws.read);
        // Every bucket has an answer to this call, so that only a missing bucket has none.
        let versioning = async {
            let answer = about!(read, session, name, get_bucket_versioning).send().await;
            answer.or_absent("s3.GetBucketVersioning")
        };
        let block = async {
            let answer = about!(read, session, name, get_public_access_block).send().await;
            Ok(answer.or_absent("s3.GetPublicAccessBlock")?.and_then(|answer| answer.public_access_block_configuration))
        };
        let controls = async {
            let answer = about!(read, session, name, get_bucket_ownership_controls).send().await;
            Ok(answer.or_absent("s3.GetBucketOwnershipControls")?.and_then(|answer| answer.ownership_controls))
        };
        let encrypted = async {
            let answer = about!(read, session, name, get_bucket_encryption).send().await;
            let answer = answer.or_absent("s3.GetBucketEncryption")?;
            Ok(answer.and_then(|answer| answer.server_side_encryption_configuration))
        };
        let (versioning, block, controls, encrypted, lifecycle, policy, tags, data, children) = tokio::try_join!(
            versioning,
            block,
            controls,
            encrypted,
            lifecycle::read(session, name),
            policy(session, name),
            tags(session, name),
            contents::holds_data(session, name),
            children::read(session, name),
        )
        .map_err(anothers)?;
        let Some(versioning) = versioning else { return Ok(None) };
        let owner = Owner::of(&tags, &session.stack, data);
        let settings = Settings {
            public_access: public_access(block),
            ownership: ownership(controls),
            encryption: encryption(encrypted),
            versioning: versioning.status == Some(BucketVersioningStatus::Enabled),
            lifecycle,
            policy,
            tags,
            children,
        };
        Ok(Some(Live { settings, owner }))
    }

    fn interim(desired: &Settings, live: &Settings) -> Settings {
        Settings { policy: desired.policy.widened(&live.policy), ..desired.clone() }
    }

    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        let mut kept = crate::keep_denials(&mut desired.policy, &live.policy);
        // Encryption by KMS is the stronger one, even by AWS's own key.
        if desired.encryption == Encryption::default() && live.encryption.algorithm != desired.encryption.algorithm {
            let key = live.encryption.kms_key.as_ref().unwrap_or(&live.encryption.algorithm);
            kept.push(Protection::new("encryption", key, crate::ENCRYPTS));
            desired.encryption = live.encryption.clone();
        }
        kept
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    fn children(settings: &mut Settings) -> Option<&mut Children> {
        Some(&mut settings.children)
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let mut call = session.aws.write.s3.create_bucket().bucket(&address.name);
        // The one region that has no name here.
        if session.aws.realm.region != "us-east-1" {
            let place = BucketLocationConstraint::from(session.aws.realm.region.as_str());
            let configuration = CreateBucketConfiguration::builder().location_constraint(place).build();
            call = call.create_bucket_configuration(configuration);
        }
        call.send().await.or_fail("s3.CreateBucket")?;
        // Marked at once, so that it is found again whatever comes between.
        write_tags(session, &address.name, &crate::unfinished(&desired.tags)).await?;
        write(session, &address.name, desired, None).await
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        children::remove(session, &address.name, desired, live).await?;
        write(session, &address.name, desired, Some(live)).await
    }

    /// Deletes a bucket if it is empty. Its content is somebody's mail, and is deleted only on request.
    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        if session.empties(Kind::Bucket, address) || is_for_artifacts(session, &address.name) {
            contents::empty(session, &address.name).await?;
        }
        if !contents::clear(session, &address.name).await? {
            return Ok(());
        }
        let answer = about!(session.aws.write, session, &address.name, delete_bucket).send().await;
        answer.or_absent("s3.DeleteBucket").map(drop)
    }

    async fn holds_data(session: &Session, address: &Address) -> Result<Option<String>, Failure> {
        let is_data = !is_for_artifacts(session, &address.name) && contents::holds_data(session, &address.name).await?;
        Ok(is_data.then(|| "objects".to_owned()))
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let prefix = IDENTITY.listed_by(&session.stack);
        let call = session.aws.read.s3.list_buckets().prefix(&prefix).bucket_region(&session.aws.realm.region);
        let mut pages = call.max_buckets(1_000).into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            names.extend(
                page.or_fail("s3.ListBuckets")?.buckets.unwrap_or_default().into_iter().filter_map(|one| one.name),
            );
        }
        names.retain(|name| name.starts_with(&prefix));
        names.extend(session.named_otherwise(Kind::Bucket)?);
        let owned = names
            .iter()
            .map(|name| async move { session.owned(Kind::Bucket, name, tags(session, name).await.map(Some)) });
        Ok(futures::future::try_join_all(owned).await?.into_iter().flatten().collect())
    }
}
