//! Code that is too large to be sent with a call: it goes to Lambda through a bucket of the stack's own.
//!
//! The bucket is made and marked as every other, for as long as some function needs it. What is in it is no data: a zip is
//! put where it is missing, under a key that follows from its content, before the call that names it; Lambda copies it.

use std::sync::Arc;

use aws_sdk_s3::{config::Config, primitives::ByteStream};
use aws_smithy_types::timeout::TimeoutConfig;
use sha2::{Digest, Sha256};
use std::time::Duration;

use crate::{
    Code, Session,
    s3::bucket::{self, Lifecycle, Settings},
};
use aws::{OrFail, policy::Policy};
use data_encoding::HEXLOWER;
use engine::Tags;
use engine::{Class, Failure};

/// The entry that the bucket is made for. No entry of a declaration has a dot.
pub const ENTRY: &str = "provision.artifacts";
/// Nobody reads a zip after its function was made; whoever looks for what went wrong may want it for a while.
const EXPIRE_DAYS: u32 = 7;
const ABORT_INCOMPLETE_DAYS: u32 = 1;
/// As much as Lambda takes, over a slow line.
const LONGEST_UPLOAD: Duration = Duration::from_mins(30);

/// The bucket's settings.
pub fn settings(policy: Policy, tags: Tags) -> Settings {
    let lifecycle = Lifecycle {
        expire_days: Some(EXPIRE_DAYS),
        abort_incomplete_days: Some(ABORT_INCOMPLETE_DAYS),
        ..Lifecycle::default()
    };
    Settings { lifecycle, policy, tags, ..Settings::default() }
}

/// Where a zip goes.
pub fn code(session: &Session, zip: Arc<[u8]>) -> Code {
    Code::Object {
        bucket: bucket::artifacts_name(&session.stack.id, &session.aws.realm),
        key: format!("code/{}.zip", HEXLOWER.encode(&Sha256::digest(&zip))),
        zip,
    }
}

/// Puts a zip where it is missing. Its key is its content's: one that is there is right.
pub(crate) async fn put(session: &Session, bucket: &str, key: &str, zip: &Arc<[u8]>) -> Result<(), Failure> {
    let account = &session.aws.realm.account;
    let call = session.aws.read.s3.head_object().bucket(bucket).key(key).expected_bucket_owner(account);
    match call.send().await.or_absent("s3.HeadObject") {
        Ok(Some(_)) => return Ok(()),
        // To whoever may not list a bucket, S3 says of a missing object that it may not be looked at.
        Err(failure) if failure.class != Class::Denied => return Err(failure),
        Ok(None) | Err(_) => {}
    }
    let patient = Config::builder().timeout_config(TimeoutConfig::builder().read_timeout(LONGEST_UPLOAD).build());
    let call = session.aws.write.s3.put_object().bucket(bucket).key(key).expected_bucket_owner(account);
    let call = call.body(ByteStream::from(zip.to_vec())).customize().config_override(patient);
    call.send().await.or_fail("s3.PutObject").map(drop)
}
