//! Where mails are kept, as far as the pipeline has to know.

use std::future::Future;

use thiserror::Error;

/// SES takes mails up to 40 MB, encoding included. A larger object is none, and reading it would end the process.
pub const LARGEST_MAIL: u64 = 48 * 1024 * 1024;

/// What holds mails.
pub trait MailStore {
    /// The bytes of an object; `None` if there is no such object.
    fn get(&self, bucket: &str, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>>;
}

/// Why an object could not be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// It may be there another time: the network, throttling, and refusals too, since S3 says `AccessDenied` of an object that
    /// is not there to whoever may not list the bucket.
    #[error("{0}")]
    Unavailable(String),
    /// It is larger than [`LARGEST_MAIL`]. Bytes.
    #[error("the object has {0} bytes, more than a mail can have")]
    TooLarge(u64),
}
