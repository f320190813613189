//! Writes objects of any size into S3: whole or not at all, and never over another. S3 verifies each part by its SHA-256, and joins the
//! parts only if nothing lies under the key yet.

use std::fmt::Write;

use aws_smithy_types::base64;
use hyper::body::Bytes;
use percent_encoding::{AsciiSet, utf8_percent_encode};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{
    S3,
    meaning::Meaning,
    s3::{Call, IN_PATH, S3Error},
    store::StoreError,
    xml::{element, error_code},
};

/// Characters of a query's value that are not escaped.
const IN_QUERY: &AsciiSet = &IN_PATH.add(b'/');

/// Size of each part of an upload but the last, in bytes: 10,000 parts are 78 GiB.
pub const PART: usize = 8 * 1024 * 1024;

/// A new object: its place and what is stored with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewObject {
    /// Name of the bucket.
    pub bucket: String,
    /// Key of the object.
    pub key: String,
    /// Headers: `content-type`, and metadata under `x-amz-meta-…`. Values are printable ASCII.
    pub headers: Vec<(&'static str, String)>,
}

/// The reasons why an object is not written. Texts are for people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotWritten {
    /// A retry may succeed.
    #[error("{0}")]
    Unavailable(String),
    /// S3 refuses until somebody changes something: the function's role, the bucket.
    #[error("{0}")]
    Refused(String),
}

impl From<StoreError> for NotWritten {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<S3Error> for NotWritten {
    fn from(told: S3Error) -> Self {
        let is_refusal = told.status == 403 || told.means(&[Meaning::NoBucket]);
        let words = StoreError::from(told).to_string();
        if is_refusal { Self::Refused(words) } else { Self::Unavailable(words) }
    }
}

/// A part that S3 has.
#[derive(Debug)]
struct Part {
    tag: String,
    /// SHA-256 of the part, in base64.
    checksum: String,
}

/// An upload in parts, which is an object once it is completed. [`Upload::abort`] frees what was sent.
#[derive(Debug)]
pub struct Upload<'upload> {
    store: &'upload S3,
    object: &'upload NewObject,
    id: String,
    parts: Vec<Part>,
    /// Bytes that were sent.
    size: u64,
}

/// The SHA-256 of a body, as S3 takes it.
struct Checksum {
    hexadecimal: String,
    base64: String,
}

impl Checksum {
    fn of(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        let hexadecimal = digest.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _a_text_takes_all = write!(text, "{byte:02x}");
            text
        });
        Self { hexadecimal, base64: base64::encode(digest) }
    }
}

impl NewObject {
    fn headers<'call>(&'call self, more: &[(&'static str, &'call str)]) -> Vec<(&'static str, &'call str)> {
        let own = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        own.chain(more.iter().copied()).collect()
    }

    fn call<'call>(&'call self, name: &'static str, method: &'static str, query: &'call str) -> Call<'call> {
        Call { name, method, bucket: &self.bucket, key: &self.key, query, ..Call::default() }
    }
}

/// Returns whether S3 refuses to write since there is an object already.
fn is_taken(told: &S3Error) -> bool {
    told.status == 412 || told.means(&[Meaning::Differs])
}

impl S3 {
    /// Writes a small object in one call; returns `false` if there is one already.
    pub async fn put_new(&self, object: &NewObject, bytes: Bytes) -> Result<bool, NotWritten> {
        match self.put_whole(object, bytes, &[("if-none-match", "*")]).await? {
            Ok(()) => Ok(true),
            Err(told) if is_taken(&told) => Ok(false),
            Err(told) => Err(told.into()),
        }
    }

    /// Writes a small object in one call, in place of one that is there.
    pub async fn put_over(&self, object: &NewObject, bytes: Bytes) -> Result<(), NotWritten> {
        Ok(self.put_whole(object, bytes, &[]).await??)
    }

    /// Writes an object in one call, on conditions; returns S3's error answer if it refuses.
    async fn put_whole(
        &self,
        object: &NewObject,
        bytes: Bytes,
        conditions: &[(&'static str, &str)],
    ) -> Result<Result<(), S3Error>, NotWritten> {
        let checksum = Checksum::of(&bytes);
        let headers = object.headers(&[conditions, &[("x-amz-checksum-sha256", checksum.base64.as_str())]].concat());
        let call =
            Call { headers: &headers, digest: Some(&checksum.hexadecimal), ..object.call("PutObject", "PUT", "") };
        let answer = self.call(call, bytes).await?;
        Ok(if answer.status == 200 { Ok(()) } else { Err(S3Error::by(call, &answer)) })
    }

    /// Begins an upload in parts.
    pub async fn begin_upload<'upload>(
        &'upload self,
        object: &'upload NewObject,
    ) -> Result<Upload<'upload>, NotWritten> {
        let headers = object.headers(&[("x-amz-checksum-algorithm", "SHA256")]);
        let call = Call { headers: &headers, ..object.call("CreateMultipartUpload", "POST", "uploads=") };
        let answer = self.call(call, Bytes::new()).await?;
        let id = element(&String::from_utf8_lossy(&answer.body), "UploadId").filter(|_| answer.status == 200);
        let id = id.ok_or_else(|| NotWritten::from(S3Error::by(call, &answer)))?;
        Ok(Upload { store: self, object, id, parts: Vec::new(), size: 0 })
    }
}

impl Upload<'_> {
    fn query(&self, before: &str) -> String {
        format!("{before}uploadId={}", utf8_percent_encode(&self.id, IN_QUERY))
    }

    /// Sends the next part: [`PART`] bytes, the last one fewer.
    pub async fn send(&mut self, bytes: Bytes) -> Result<(), NotWritten> {
        let (checksum, size) = (Checksum::of(&bytes), bytes.len() as u64);
        let query = self.query(&format!("partNumber={}&", self.parts.len() + 1));
        let headers = [("x-amz-checksum-sha256", checksum.base64.as_str())];
        let call = Call {
            headers: &headers,
            digest: Some(&checksum.hexadecimal),
            ..self.object.call("UploadPart", "PUT", &query)
        };
        let answer = self.store.call(call, bytes).await?;
        let tag = answer.header("etag").filter(|_| answer.status == 200).map(str::to_owned);
        let tag = tag.ok_or_else(|| NotWritten::from(S3Error::by(call, &answer)))?;
        self.parts.push(Part { tag, checksum: checksum.base64 });
        self.size += size;
        Ok(())
    }

    /// Joins the parts to the object; returns `false` if there is one already. S3 refuses parts that are missing, differ, or are another
    /// number of bytes in all.
    pub async fn complete(&self) -> Result<bool, NotWritten> {
        let (query, size) = (self.query(""), self.size.to_string());
        let headers =
            [("content-type", "application/xml"), ("if-none-match", "*"), ("x-amz-mp-object-size", size.as_str())];
        let call = Call { headers: &headers, ..self.object.call("CompleteMultipartUpload", "POST", &query) };
        let answer = self.store.call(call, Bytes::from(self.document())).await?;
        // S3 begins with 200 while it joins, and may end with an error all the same.
        let has_error = error_code(&String::from_utf8_lossy(&answer.body)).is_some();
        if answer.status == 200 && !has_error {
            return Ok(true);
        }
        let told = S3Error::by(call, &answer);
        if is_taken(&told) { Ok(false) } else { Err(told.into()) }
    }

    fn document(&self) -> String {
        let mut text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">".to_owned();
        for (index, Part { tag, checksum }) in self.parts.iter().enumerate() {
            let tag = tag.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
            let _a_text_takes_all = write!(
                text,
                "<Part><PartNumber>{}</PartNumber><ETag>{tag}</ETag><ChecksumSHA256>{checksum}</ChecksumSHA256></Part>",
                index + 1
            );
        }
        text.push_str("</CompleteMultipartUpload>");
        text
    }

    /// Frees the parts that were sent; succeeds if there is no such upload any more.
    pub async fn abort(self) -> Result<(), NotWritten> {
        let query = self.query("");
        let call = self.object.call("AbortMultipartUpload", "DELETE", &query);
        let answer = self.store.call(call, Bytes::new()).await?;
        let told = S3Error::by(call, &answer);
        if matches!(answer.status, 200 | 204) || told.means(&[Meaning::NoUpload]) { Ok(()) } else { Err(told.into()) }
    }
}
