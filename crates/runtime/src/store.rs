//! Objects in a store, as functions see them: [`crate::S3`] in AWS, simulated ones in tests.

use std::{collections::BTreeMap, future::Future, time::Duration};

use serde::Serialize;
use thiserror::Error;

/// Size limit of an object that is read, in bytes: a larger one would exhaust the memory. SES takes mails up to 40 MB, encoding
/// included.
pub const LARGEST_OBJECT: u64 = 48 * 1024 * 1024;

/// A source of objects that others have written, and that are read and deleted.
pub trait ObjectSource {
    /// Returns the bytes of an object; `None` if it does not exist.
    fn get(&self, bucket: &str, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>>;

    /// Deletes an object; succeeds if it does not exist.
    fn delete(&self, bucket: &str, key: &str) -> impl Future<Output = Result<(), StoreError>>;
}

/// A store of objects that the function itself writes.
pub trait ObjectStore {
    /// Returns an object with the tag of its version; `None` if it does not exist, or may not be read: a write with
    /// [`Expected::Nothing`] then tells which.
    fn fetch(&self, bucket: &str, key: &str) -> impl Future<Output = Result<Option<Object>, StoreError>>;

    /// Writes an object whole; returns `false` if the precondition does not hold.
    fn put(
        &self,
        bucket: &str,
        key: &str,
        bytes: Vec<u8>,
        media_type: &str,
        expected: Expected,
    ) -> impl Future<Output = Result<bool, StoreError>>;

    /// Waits about that long, between two attempts.
    fn pause(&self, about: Duration) -> impl Future<Output = ()>;
}

/// A source of objects' sizes, times and metadata, without their content.
pub trait ObjectInfos {
    /// Describes an object; `None` if it does not exist.
    fn head(&self, bucket: &str, key: &str) -> impl Future<Output = Result<Option<ObjectInfo>, StoreError>>;
}

/// Size, times and metadata of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ObjectInfo {
    /// Size of the object, in bytes.
    pub size: u64,
    /// `ETag` of its content; `None` if S3 states none.
    pub etag: Option<String>,
    /// Time of the last write, RFC 3339; `None` if S3 states none.
    pub last_modified: Option<String>,
    /// Metadata: its `x-amz-meta-` headers, without that prefix.
    pub metadata: BTreeMap<String, String>,
}

/// An object that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Content of the object, complete.
    pub bytes: Vec<u8>,
    /// `ETag` of the version that was read.
    pub tag: String,
}

/// The precondition of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// The write has no precondition.
    Anything,
    /// The object must not exist.
    Nothing,
    /// The object must have this tag.
    Tag(String),
}

/// Errors of reading and writing objects.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// A retry may succeed: the network, throttling, and refusals too, since S3 answers `AccessDenied` for a missing object to
    /// a caller that may not list the bucket.
    #[error("{0}")]
    Unavailable(String),
    /// The object is larger than [`LARGEST_OBJECT`]. The number is its size, in bytes.
    #[error("the object has {0} bytes, more than are read of one")]
    TooLarge(u64),
}
