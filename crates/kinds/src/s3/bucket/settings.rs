//! The settings of a bucket, and the reading of S3's answers about them.

use aws_sdk_s3::types::{
    ObjectOwnership, OwnershipControls, PublicAccessBlockConfiguration, ServerSideEncryption,
    ServerSideEncryptionConfiguration,
};
use serde::Serialize;

use super::Lifecycle;
use aws::policy::Policy;
use engine::{Children, Tags};

/// The settings of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Block of public access to the bucket.
    pub public_access: PublicAccess,
    /// Owner of objects that others put there.
    pub ownership: Ownership,
    /// Encryption of the bucket's objects.
    pub encryption: Encryption,
    /// `true` if older versions are kept. A bucket that once kept them is `Suspended` ever after, which is off.
    pub versioning: bool,
    /// Expiry of the bucket's objects.
    pub lifecycle: Lifecycle,
    /// Ours alone, but for statements that deny.
    pub policy: Policy,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
    /// Parts that others added.
    #[serde(flatten)]
    pub children: Children,
}

/// The public access block. A new bucket has all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are S3's four switches, each by itself")]
pub struct PublicAccess {
    /// `BlockPublicAcls`: S3 refuses new public ACLs.
    pub block_acls: bool,
    /// `IgnorePublicAcls`: public ACLs have no effect.
    pub ignore_acls: bool,
    /// `BlockPublicPolicy`: S3 refuses new public policies.
    pub block_policy: bool,
    /// `RestrictPublicBuckets`: a public policy serves the account and AWS's services alone.
    pub restrict_buckets: bool,
}

impl Default for PublicAccess {
    fn default() -> Self {
        Self { block_acls: true, ignore_acls: true, block_policy: true, restrict_buckets: true }
    }
}

/// `ObjectOwnership`, as S3 calls it: `BucketOwnerEnforced`, `BucketOwnerPreferred` or `ObjectWriter`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Ownership(pub String);

impl Default for Ownership {
    /// Returns S3's default for a new bucket: there are no access lists, and everything in it belongs to its owner.
    fn default() -> Self {
        Self(ObjectOwnership::BucketOwnerEnforced.as_str().to_owned())
    }
}

/// The encryption of objects that are put without specifying it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Encryption {
    /// Algorithm: `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub algorithm: String,
    /// KMS key; `None` uses S3's own.
    pub kms_key: Option<String>,
    /// `true` if S3 asks KMS once for many objects.
    pub bucket_key: bool,
}

impl Encryption {
    /// Returns encryption by a KMS key, which S3 asks for once per bucket and time.
    pub fn by_key(key: String) -> Self {
        Self { algorithm: ServerSideEncryption::AwsKms.as_str().to_owned(), kms_key: Some(key), bucket_key: true }
    }
}

impl Default for Encryption {
    /// Returns S3's default for every bucket since 2023.
    fn default() -> Self {
        Self { algorithm: ServerSideEncryption::Aes256.as_str().to_owned(), kms_key: None, bucket_key: false }
    }
}

/// Returns the public access block of an answer.
pub(super) fn public_access(live: Option<PublicAccessBlockConfiguration>) -> PublicAccess {
    // Without the block nothing is blocked.
    let live = live.unwrap_or_else(|| PublicAccessBlockConfiguration::builder().build());
    PublicAccess {
        block_acls: live.block_public_acls.unwrap_or_default(),
        ignore_acls: live.ignore_public_acls.unwrap_or_default(),
        block_policy: live.block_public_policy.unwrap_or_default(),
        restrict_buckets: live.restrict_public_buckets.unwrap_or_default(),
    }
}

/// Returns the ownership. Without controls, objects belong to who writes them.
pub(super) fn ownership(live: Option<OwnershipControls>) -> Ownership {
    let rule = live.and_then(|controls| controls.rules.into_iter().next());
    Ownership(rule.map_or(ObjectOwnership::ObjectWriter, |rule| rule.object_ownership).as_str().to_owned())
}

/// Returns the encryption of an answer.
pub(super) fn encryption(live: Option<ServerSideEncryptionConfiguration>) -> Encryption {
    let Some(rule) = live.and_then(|live| live.rules.into_iter().next()) else { return Encryption::default() };
    let bucket_key = rule.bucket_key_enabled.unwrap_or_default();
    match rule.apply_server_side_encryption_by_default {
        Some(chosen) => Encryption {
            algorithm: chosen.sse_algorithm.as_str().to_owned(),
            kms_key: chosen.kms_master_key_id.filter(|key| !key.is_empty()),
            bucket_key,
        },
        None => Encryption { bucket_key, ..Encryption::default() },
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::types::{ServerSideEncryptionByDefault, ServerSideEncryptionRule};

    use super::*;

    fn encrypted(algorithm: &str, key: Option<&str>, bucket_key: Option<bool>) -> Encryption {
        let chosen = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::from(algorithm))
            .set_kms_master_key_id(key.map(str::to_owned))
            .build()
            .unwrap();
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(chosen)
            .set_bucket_key_enabled(bucket_key)
            .build();
        encryption(Some(ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap()))
    }

    fn blocked(policy: bool) -> PublicAccess {
        let block = PublicAccessBlockConfiguration::builder().block_public_acls(true).ignore_public_acls(true);
        public_access(Some(block.block_public_policy(policy).restrict_public_buckets(true).build()))
    }

    #[test]
    fn a_new_bucket_is_the_default() {
        assert_eq!(blocked(true), PublicAccess::default());
        assert_eq!(encrypted("AES256", None, Some(false)), Encryption::default());
        assert_eq!(encrypted("AES256", Some(""), None), Encryption::default());
        assert_eq!(encryption(None), Encryption::default());
    }

    #[test]
    fn one_real_change_is_seen() {
        assert_ne!(blocked(false), PublicAccess::default());
        assert_ne!(encrypted("aws:kms", None, Some(false)), Encryption::default());
        assert_ne!(encrypted("AES256", None, Some(true)), Encryption::default());
        assert_ne!(encrypted("aws:kms", Some("alias/a"), None), encrypted("aws:kms", None, None));
    }

    #[test]
    fn a_guard_that_was_taken_away_is_no_default() {
        assert_ne!(public_access(None), PublicAccess::default());
        assert_ne!(ownership(None), Ownership::default());
    }
}
