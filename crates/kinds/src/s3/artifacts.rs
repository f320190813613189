//! Code that is too large to be sent with a call: it goes to Lambda through a bucket of the stack's own.
//!
//! The bucket is created and tagged as every other, as long as some function needs it. Its content is not data: a zip is
//! uploaded if it is missing, under a key that follows from its content, before the call that names it; Lambda copies it.

use std::sync::Arc;

use aws_sdk_s3::{config::Config, primitives::ByteStream};
use aws_smithy_types::timeout::TimeoutConfig;
use sha2::{Digest, Sha256};
use std::time::Duration;

use crate::{
    Code, Session,
    s3::bucket::{self, DaysByPrefix, Lifecycle, Settings},
};
use aws::{OrFail, policy::Policy};
use data_encoding::{BASE64, HEXLOWER};
use engine::Tags;
use engine::{Class, Failure};

/// Folder of what Lambda copies, and the days after which that is deleted: nobody reads it after its function was created, but it may
/// help to find a fault for a while.
const CODE: (&str, u32) = ("code/", 7);
/// Folder of what servers run.
pub const WORKERS: &str = "workers/";
/// Days after which that is deleted: a server reads it at the first start that succeeds after a change.
const DAYS_OF_WORKERS: u32 = 400;
const ABORT_INCOMPLETE_DAYS: u32 = 1;
/// Time limit of an upload: Lambda's largest zip over a slow line.
const LONGEST_UPLOAD: Duration = Duration::from_mins(30);

/// Returns the bucket's settings.
pub fn settings(policy: Policy, tags: Tags) -> Settings {
    let lifecycle = Lifecycle {
        expire_days: DaysByPrefix::from_iter(
            [CODE, (WORKERS, DAYS_OF_WORKERS)].map(|(folder, days)| (folder.to_owned(), days)),
        ),
        abort_incomplete_days: Some(ABORT_INCOMPLETE_DAYS),
        ..Lifecycle::default()
    };
    Settings { lifecycle, policy, tags, ..Settings::default() }
}

/// Returns the object of a zip.
pub fn code(session: &Session, zip: Arc<[u8]>) -> Code {
    Code::Object {
        bucket: bucket::artifacts_name(&session.stack, &session.aws.realm.account),
        key: format!("{}{}.zip", CODE.0, HEXLOWER.encode(&Sha256::digest(&zip))),
        zip,
    }
}

/// Returns the key of the zip of a worker by its `code_sha256`; empty as long as no code was built.
pub fn worker_key(code_sha256: &str) -> String {
    let hash = BASE64.decode(code_sha256.as_bytes()).unwrap_or_default();
    if hash.is_empty() { String::new() } else { format!("{WORKERS}{}.zip", HEXLOWER.encode(&hash)) }
}

/// Uploads the zip unless an object with its content hash as key already exists.
pub(crate) async fn put(session: &Session, bucket: &str, key: &str, zip: &Arc<[u8]>) -> Result<(), Failure> {
    let account = &session.aws.realm.account;
    let call = session.aws.read.s3.head_object().bucket(bucket).key(key).expected_bucket_owner(account);
    match call.send().await.or_absent("s3.HeadObject") {
        Ok(Some(_)) => return Ok(()),
        // For a missing object, S3 answers "access denied" to a caller that may not list the bucket.
        Err(failure) if failure.class != Class::Denied => return Err(failure),
        Ok(None) | Err(_) => {}
    }
    upload(session, bucket, key, zip).await
}

/// Uploads a zip, also one that is there: its days count from now.
pub(crate) async fn upload(session: &Session, bucket: &str, key: &str, zip: &Arc<[u8]>) -> Result<(), Failure> {
    let account = &session.aws.realm.account;
    let patient = Config::builder().timeout_config(TimeoutConfig::builder().read_timeout(LONGEST_UPLOAD).build());
    let call = session.aws.write.s3.put_object().bucket(bucket).key(key).expected_bucket_owner(account);
    let call = call.body(ByteStream::from(zip.to_vec())).customize().config_override(patient);
    call.send().await.or_fail("s3.PutObject").map(drop)
}
