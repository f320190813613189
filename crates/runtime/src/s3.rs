//! Gets, puts and deletes objects in S3.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws_smithy_types::date_time::{DateTime, Format};
use hyper::body::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    Deadline,
    environment::Aws,
    http::{Answer, NoAnswer},
    meaning::{Meaning, meaning, missing_right},
    signed::{self, Service},
    store::{Expected, Object, ObjectInfo, ObjectInfos, ObjectSource, ObjectStore, StoreError},
    xml::{element, error_code},
};

/// Characters of a key that are not escaped in the path.
pub(crate) const IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// The right without which S3 tells nobody that an object is missing.
const LISTS: &str = "s3:ListBucket";

/// Timeout of a call that sends a large part of an object, or joins parts.
const LARGE: Duration = Duration::from_secs(30);

/// A client of S3's objects. Buckets are in the path, which every endpoint understands.
///
/// An object that others write too is read, changed, and written back on the condition that it is still the one that was read:
///
/// ```no_run
/// use runtime::{S3, store::{Expected, ObjectStore, StoreError}};
///
/// /// Adds a line to an object; returns `false` if somebody else was quicker.
/// async fn append(s3: &S3, line: &str) -> Result<bool, StoreError> {
///     let found = s3.fetch("bucket", "list.txt").await?;
///     let (mut bytes, expected) = match found {
///         Some(object) => (object.bytes, Expected::Tag(object.tag)),
///         None => (Vec::new(), Expected::Nothing),
///     };
///     bytes.extend_from_slice(line.as_bytes());
///     s3.put("bucket", "list.txt", bytes, "text/plain", expected).await
/// }
/// ```
#[derive(Debug, Clone)]
pub struct S3(Arc<Service>);

/// A call and the object that it is about.
#[derive(Clone, Copy, Default)]
pub(crate) struct Call<'call> {
    /// Name of the operation in AWS.
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) bucket: &'call str,
    pub(crate) key: &'call str,
    /// Query, escaped; may be empty.
    pub(crate) query: &'call str,
    pub(crate) headers: &'call [(&'static str, &'call str)],
    /// SHA-256 of the body in hexadecimal digits; `None` if it is not known yet.
    pub(crate) digest: Option<&'call str>,
}

impl S3 {
    /// Returns a client. The certificates are read now: during its start a function has the most computing power.
    pub fn new(aws: &Aws) -> Self {
        let service = Service::new("s3", aws, aws.s3_endpoint.as_deref());
        service.prepare();
        Self(Arc::new(service))
    }

    /// Returns a client whose calls may take as long as large parts of objects need.
    pub fn for_large_objects(aws: &Aws) -> Self {
        let service = Service::new("s3", aws, aws.s3_endpoint.as_deref()).waiting(LARGE);
        service.prepare();
        Self(Arc::new(service))
    }

    /// Sets the invocation's deadline: no call begins shortly before it or later.
    pub fn until(&self, deadline: Deadline) {
        self.0.until(deadline);
    }

    pub(crate) async fn call(&self, call: Call<'_>, body: Bytes) -> Result<Answer, StoreError> {
        let mark = if call.query.is_empty() { "" } else { "?" };
        let path = format!("/{}/{}{mark}{}", call.bucket, utf8_percent_encode(call.key, IN_PATH), call.query);
        let Call { method, headers, digest, .. } = call;
        let request = signed::Call { method, path: &path, headers, body, digest };
        self.0.send(request).await.map_err(|error| match error {
            NoAnswer::TooLarge(length) => StoreError::TooLarge(length),
            error => StoreError::Unavailable(format!("{}: {error}", call.name)),
        })
    }

    /// Tries to read an object that is not there. S3 says which right is missing, where it says anything: of a function that may read and not
    /// list, it is the right to list. Returns what could not be found out.
    pub(crate) async fn try_reading(&self, bucket: &str, key: &str) -> Result<Option<String>, String> {
        match self.read(bucket, key).await.map_err(|error| error.to_string())? {
            Ok(_) => Ok(None),
            Err(told) => told.judged("s3:GetObject"),
        }
    }

    /// Tries to replace an object that is not there by nothing: S3 refuses that, and for another reason if the right is missing. Returns
    /// what could not be found out.
    pub(crate) async fn try_writing(&self, bucket: &str, key: &str) -> Result<Option<String>, String> {
        let headers = [("if-match", "\"00000000000000000000000000000000\"")];
        let call = Call { name: "PutObject", method: "PUT", bucket, key, headers: &headers, ..Call::default() };
        let answer = self.call(call, Bytes::new()).await.map_err(|error| error.to_string())?;
        match answer.status {
            412 => Ok(None),
            200 => Err(format!("the server takes no notice of `If-Match`: it has written `{key}`")),
            _ => S3Error::by(call, &answer).judged("s3:PutObject"),
        }
    }

    /// Describes an object; `None` if there is none, or it may not be read: S3 refuses a missing object to a caller that may not list the
    /// bucket. A write on the condition that there is none then tells which.
    pub async fn describe(&self, bucket: &str, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
        self.info(bucket, key, &[403, 404]).await
    }

    /// Describes an object; `None` if S3 answers with one of the statuses that say that there is none.
    async fn info(&self, bucket: &str, key: &str, absent: &[u16]) -> Result<Option<ObjectInfo>, StoreError> {
        let call = Call { name: "HeadObject", method: "HEAD", bucket, key, ..Call::default() };
        let answer = self.call(call, Bytes::new()).await?;
        match answer.status {
            200 => Ok(Some(info(&answer))),
            status if absent.contains(&status) => Ok(None),
            _ => Err(S3Error::by(call, &answer).into()),
        }
    }

    /// Reads an object; returns S3's error answer if it refuses.
    async fn read(&self, bucket: &str, key: &str) -> Result<Result<Object, S3Error>, StoreError> {
        let call = Call { name: "GetObject", method: "GET", bucket, key, ..Call::default() };
        let answer = self.call(call, Bytes::new()).await?;
        Ok(match answer.status {
            200 => Ok(Object { tag: answer.header("etag").unwrap_or_default().to_owned(), bytes: answer.body }),
            _ => Err(S3Error::by(call, &answer)),
        })
    }
}

/// An error answer of S3.
pub(crate) struct S3Error {
    pub(crate) status: u16,
    code: Option<String>,
    words: String,
}

impl S3Error {
    pub(crate) fn by(call: Call<'_>, answer: &Answer) -> Self {
        let (status, text) = (answer.status, String::from_utf8_lossy(&answer.body));
        let request = answer.header("x-amz-request-id").unwrap_or("unknown");
        let code = error_code(&text);
        let words = match &code {
            Some(code) => {
                let message = element(&text, "Message").unwrap_or_else(|| "no message".to_owned());
                format!("{} {code}: {message} (request {request})", call.name)
            }
            // An answer to HEAD has no body, and not every server in between speaks S3's language.
            None if answer.body.is_empty() => format!("{} {status} (request {request})", call.name),
            None => format!("{} {status}: {} (request {request})", call.name, answer.quote()),
        };
        Self { status, code, words }
    }

    /// Returns what a refusal says of a right, where no object is: that it is there (`None`), that it cannot be told, or that it is missing.
    fn judged(self, right: &str) -> Result<Option<String>, String> {
        match (self.meaning(), missing_right(&self.words)) {
            (Some(Meaning::NotFound | Meaning::Differs), _) | (Some(Meaning::Denied), Some(LISTS)) => Ok(None),
            (Some(Meaning::Denied), None) => Ok(Some(format!(
                "S3 answers; whether `{right}` is allowed, it does not say of an object that is not there"
            ))),
            _ => Err(self.words),
        }
    }

    /// Returns what the code means; `None` if nothing follows from it.
    fn meaning(&self) -> Option<Meaning> {
        meaning("s3", self.code.as_deref()?)
    }

    /// Returns whether the code has one of these meanings.
    pub(crate) fn means(&self, meanings: &[Meaning]) -> bool {
        self.meaning().is_some_and(|meaning| meanings.contains(&meaning))
    }
}

impl From<S3Error> for StoreError {
    fn from(told: S3Error) -> Self {
        Self::Unavailable(told.words)
    }
}

/// Returns what an answer to `HeadObject` says of the object.
fn info(answer: &Answer) -> ObjectInfo {
    let modified = answer.header("last-modified").and_then(|time| DateTime::from_str(time, Format::HttpDate).ok());
    let metadata = answer
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().strip_prefix("x-amz-meta-")?, value.to_str().ok()?)));
    ObjectInfo {
        size: answer.header("content-length").and_then(|size| size.parse().ok()).unwrap_or_default(),
        etag: answer.header("etag").map(|etag| etag.trim_matches('"').to_owned()),
        last_modified: modified.and_then(|time| time.fmt(Format::DateTime).ok()),
        metadata: metadata.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>(),
    }
}

impl ObjectSource for S3 {
    async fn get(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.read(bucket, key).await? {
            Ok(object) => Ok(Some(object.bytes)),
            Err(told) if told.means(&[Meaning::NotFound]) => Ok(None),
            Err(told) => Err(told.into()),
        }
    }

    async fn delete(&self, bucket: &str, key: &str) -> Result<(), StoreError> {
        let call = Call { name: "DeleteObject", method: "DELETE", bucket, key, ..Call::default() };
        let answer = self.call(call, Bytes::new()).await?;
        if matches!(answer.status, 200 | 204) { Ok(()) } else { Err(S3Error::by(call, &answer).into()) }
    }
}

impl ObjectStore for S3 {
    async fn fetch(&self, bucket: &str, key: &str) -> Result<Option<Object>, StoreError> {
        match self.read(bucket, key).await? {
            Ok(object) => Ok(Some(object)),
            // S3 answers `AccessDenied` for a missing object to a caller that may not list the bucket.
            Err(told) if told.means(&[Meaning::NotFound, Meaning::Denied]) => Ok(None),
            Err(told) => Err(told.into()),
        }
    }

    async fn put(
        &self,
        bucket: &str,
        key: &str,
        bytes: Vec<u8>,
        media_type: &str,
        expected: Expected,
    ) -> Result<bool, StoreError> {
        let condition = match &expected {
            Expected::Anything => None,
            Expected::Nothing => Some(("if-none-match", "*")),
            Expected::Tag(tag) => Some(("if-match", tag.as_str())),
        };
        let headers: Vec<_> = [("content-type", media_type)].into_iter().chain(condition).collect();
        let call = Call { name: "PutObject", method: "PUT", bucket, key, headers: &headers, ..Call::default() };
        let answer = self.call(call, Bytes::from(bytes)).await?;
        if answer.status == 200 {
            return Ok(true);
        }
        let told = S3Error::by(call, &answer);
        // Not found: the object to replace has been deleted meanwhile.
        let is_another = told.status == 412 || told.means(&[Meaning::Differs, Meaning::Conflict, Meaning::NotFound]);
        if expected != Expected::Anything && is_another { Ok(false) } else { Err(told.into()) }
    }

    async fn pause(&self, about: Duration) {
        signed::pause(about).await;
    }
}

impl ObjectInfos for S3 {
    async fn head(&self, bucket: &str, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
        self.info(bucket, key, &[404]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_which_right_is_missing_where_it_tells_any() {
        let told =
            |code: &str, words: &str| S3Error { status: 403, code: Some(code.to_owned()), words: words.to_owned() };
        let denied = |action: &str| {
            format!(
                "User: arn:aws:sts::123456789012:assumed-role/r/f is not authorized to perform: {action} on resource: \"arn\""
            )
        };
        assert_eq!(told("NoSuchKey", "").judged("s3:GetObject"), Ok(None));
        assert_eq!(told("AccessDenied", &denied("s3:ListBucket")).judged("s3:GetObject"), Ok(None));
        assert_eq!(told("AccessDenied", &denied("s3:GetObject")).judged("s3:GetObject"), Err(denied("s3:GetObject")));
        assert_eq!(told("NoSuchBucket", "gone").judged("s3:GetObject"), Err("gone".to_owned()));
        assert!(told("AccessDenied", "Access Denied").judged("s3:PutObject").is_ok_and(|unknown| unknown.is_some()));
        // A key that has the words of a right names none.
        let of_key = "Access Denied: `s3:ListBucket`";
        assert!(told("AccessDenied", of_key).judged("s3:GetObject").is_ok_and(|unknown| unknown.is_some()));
        assert_eq!(told("AccessDenied", &denied("kms:Decrypt")).judged("s3:GetObject"), Err(denied("kms:Decrypt")));
    }
}
