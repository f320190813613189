//! Calls for the parts of a bucket: S3 has one for each.

use aws_sdk_s3::types::{
    BucketVersioningStatus, ObjectOwnership, OwnershipControls, OwnershipControlsRule, PublicAccessBlockConfiguration,
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    Tag, Tagging, VersioningConfiguration,
};

use super::{Encryption, Ownership, PublicAccess, Session, Settings, Tags, about, lifecycle, own_tags, unbuilt};
use aws::{OrFail, policy::Policy};
use engine::{Class, Failure};

pub(super) async fn tags(session: &Session, name: &str) -> Result<Tags, Failure> {
    let answer = about!(session.aws.read, session, name, get_bucket_tagging).send().await;
    let tags = answer.or_absent("s3.GetBucketTagging")?.map(|answer| answer.tag_set).unwrap_or_default();
    Ok(own_tags(tags.into_iter().map(|tag| (tag.key, tag.value))))
}

pub(super) async fn policy(session: &Session, name: &str) -> Result<Policy, Failure> {
    const CALL: &str = "s3.GetBucketPolicy";
    let answer = about!(session.aws.read, session, name, get_bucket_policy).send().await.or_absent(CALL)?;
    match answer.and_then(|answer| answer.policy).filter(|text| !text.is_empty()) {
        Some(text) => Policy::from_json(&text).map_err(|error| Failure::found(CALL, Class::Other, error.to_string())),
        None => Ok(Policy::default()),
    }
}

/// Brings the parts of a bucket to the desired state: all that differ from the live ones, or from a new
/// bucket's.
pub(super) async fn write(
    session: &Session,
    name: &str,
    desired: &Settings,
    live: Option<&Settings>,
) -> Result<(), Failure> {
    // One after another: S3 refuses two concurrent changes of one bucket.
    if live.is_none_or(|live| live.public_access != desired.public_access) {
        write_public_access(session, name, &desired.public_access).await?;
    }
    if live.is_none_or(|live| live.ownership != desired.ownership) {
        write_ownership(session, name, &desired.ownership).await?;
    }
    if live.is_none_or(|live| live.encryption != desired.encryption) {
        write_encryption(session, name, &desired.encryption).await?;
    }
    if live.map_or(desired.versioning, |live| live.versioning != desired.versioning) {
        let status =
            if desired.versioning { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
        let versioning = VersioningConfiguration::builder().status(status).build();
        let call = about!(session.aws.write, session, name, put_bucket_versioning).versioning_configuration(versioning);
        call.send().await.or_fail("s3.PutBucketVersioning")?;
    }
    if live.map_or(!desired.lifecycle.is_empty(), |live| live.lifecycle != desired.lifecycle) {
        lifecycle::write(session, name, &desired.lifecycle).await?;
    }
    // After the block, since S3 refuses what it forbids.
    if live.map_or(!desired.policy.is_empty(), |live| live.policy != desired.policy) {
        write_policy(session, name, &desired.policy).await?;
    }
    // Without the mark of an unfinished one, others rely on it.
    if live.is_none_or(|live| live.tags != desired.tags) {
        write_tags(session, name, &desired.tags).await?;
    }
    Ok(())
}

pub(super) async fn write_tags(session: &Session, name: &str, tags: &Tags) -> Result<(), Failure> {
    const CALL: &str = "s3.PutBucketTagging";
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let tags = tags.collect::<Result<_, _>>().map_err(unbuilt(CALL))?;
    let tagging = Tagging::builder().set_tag_set(Some(tags)).build().map_err(unbuilt(CALL))?;
    let call = about!(session.aws.write, session, name, put_bucket_tagging).tagging(tagging);
    call.send().await.or_fail(CALL).map(drop)
}

async fn write_public_access(session: &Session, name: &str, desired: &PublicAccess) -> Result<(), Failure> {
    let block = PublicAccessBlockConfiguration::builder()
        .block_public_acls(desired.block_acls)
        .ignore_public_acls(desired.ignore_acls)
        .block_public_policy(desired.block_policy)
        .restrict_public_buckets(desired.restrict_buckets)
        .build();
    let call = about!(session.aws.write, session, name, put_public_access_block);
    call.public_access_block_configuration(block).send().await.or_fail("s3.PutPublicAccessBlock").map(drop)
}

async fn write_ownership(session: &Session, name: &str, desired: &Ownership) -> Result<(), Failure> {
    const CALL: &str = "s3.PutBucketOwnershipControls";
    let rule = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::from(desired.0.as_str()));
    let rule = rule.build().map_err(unbuilt(CALL))?;
    let controls = OwnershipControls::builder().rules(rule).build().map_err(unbuilt(CALL))?;
    let call = about!(session.aws.write, session, name, put_bucket_ownership_controls).ownership_controls(controls);
    call.send().await.or_fail(CALL).map(drop)
}

async fn write_encryption(session: &Session, name: &str, desired: &Encryption) -> Result<(), Failure> {
    const CALL: &str = "s3.PutBucketEncryption";
    let chosen = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::from(desired.algorithm.as_str()))
        .set_kms_master_key_id(desired.kms_key.clone())
        .build()
        .map_err(unbuilt(CALL))?;
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(chosen)
        .bucket_key_enabled(desired.bucket_key)
        .build();
    let encryption = ServerSideEncryptionConfiguration::builder().rules(rule).build().map_err(unbuilt(CALL))?;
    let call = about!(session.aws.write, session, name, put_bucket_encryption);
    call.server_side_encryption_configuration(encryption).send().await.or_fail(CALL).map(drop)
}

async fn write_policy(session: &Session, name: &str, desired: &Policy) -> Result<(), Failure> {
    if desired.is_empty() {
        let call = about!(session.aws.write, session, name, delete_bucket_policy);
        return call.send().await.or_absent("s3.DeleteBucketPolicy").map(drop);
    }
    let call = about!(session.aws.write, session, name, put_bucket_policy).policy(desired.to_json());
    call.send().await.or_fail("s3.PutBucketPolicy").map(drop)
}
