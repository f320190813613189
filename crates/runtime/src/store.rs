//! Objects in a store, as far as functions have to know of it: [`crate::S3`] in AWS, made up ones in tests.

use std::{collections::BTreeMap, future::Future, time::Duration};

use serde::Serialize;
use thiserror::Error;

/// The largest object that is read, in bytes: reading a larger one would end the process. SES takes mails up to 40 MB, encoding
/// included.
pub const LARGEST_OBJECT: u64 = 48 * 1024 * 1024;

/// Objects that others have written, and that are read and deleted.
pub trait ObjectSource {
    /// Returns the bytes of an object; `None` if there is no such object.
    fn get(&self, bucket: &str, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>>;

    /// Deletes an object; one that is not there is no error.
    fn delete(&self, bucket: &str, key: &str) -> impl Future<Output = Result<(), StoreError>>;
}

/// Objects that the function itself writes.
pub trait ObjectStore {
    /// Returns an object and what tells this state of it from any other; `None` if it is not there, or may not be seen: a write
    /// with [`Expected::Nothing`] then tells which.
    fn fetch(&self, bucket: &str, key: &str) -> impl Future<Output = Result<Option<Object>, StoreError>>;

    /// Writes an object whole; false if it is not what was expected.
    fn put(
        &self,
        bucket: &str,
        key: &str,
        bytes: Vec<u8>,
        media_type: &str,
        expected: Expected,
    ) -> impl Future<Output = Result<bool, StoreError>>;

    /// Waits about that long.
    fn pause(&self, about: Duration) -> impl Future<Output = ()>;
}

/// Objects that are described and not read.
pub trait ObjectInfos {
    /// Describes an object; `None` if there is no such object.
    fn head(&self, bucket: &str, key: &str) -> impl Future<Output = Result<Option<ObjectInfo>, StoreError>>;
}

/// Size, times and metadata of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ObjectInfo {
    /// Size, in bytes.
    pub size: u64,
    /// S3's mark of its content.
    pub etag: Option<String>,
    /// When it was written, RFC 3339.
    pub last_modified: Option<String>,
    /// Its `x-amz-meta-` headers, without that prefix.
    pub metadata: BTreeMap<String, String>,
}

/// An object as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The whole content.
    pub bytes: Vec<u8>,
    /// `ETag` of the version that was read.
    pub tag: String,
}

/// The precondition of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// No precondition.
    Anything,
    /// The object must not exist.
    Nothing,
    /// The object with that tag.
    Tag(String),
}

/// Errors of reading and writing objects.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// It may be there another time: the network, throttling, and refusals too, since S3 says `AccessDenied` of an object that
    /// is not there to whoever may not list the bucket.
    #[error("{0}")]
    Unavailable(String),
    /// It is larger than [`LARGEST_OBJECT`]. Bytes.
    #[error("the object has {0} bytes, more than a mail can have")]
    TooLarge(u64),
}
