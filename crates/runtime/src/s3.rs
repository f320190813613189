//! Gets, puts and deletes objects in S3. AWS's own library signs the requests, and [`Http`] sends them. The SDK's
//! client is not used: with all of S3's checksum algorithms it would be a sixth of the function.

use std::{
    collections::BTreeMap,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_sdk_secretsmanager::config::Credentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_types::{
    body::SdkBody,
    date_time::{DateTime, Format},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::{Answer, Http, NoAnswer};
use crate::{
    environment::Aws,
    store::{Expected, Object, ObjectInfo, ObjectInfos, ObjectSource, ObjectStore, StoreError},
};

/// Maximum attempts of a call. Longer outages are left to Lambda's own retries.
const ATTEMPTS: u32 = 3;
/// Characters of a key that are not escaped in the path.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// A client of S3's objects.
#[derive(Debug, Clone)]
pub struct S3(Arc<Inner>);

struct Inner {
    /// Base address: buckets are in the path, which every endpoint understands.
    base: String,
    http: Http,
    region: String,
    identity: Identity,
}

/// Shows neither the keys nor the requests that they sign.
impl fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("S3").field("base", &self.base).finish_non_exhaustive()
    }
}

/// A call and the object that it is about.
#[derive(Clone, Copy)]
struct Call<'call> {
    /// Name of the operation in AWS.
    name: &'static str,
    method: &'static str,
    bucket: &'call str,
    key: &'call str,
    headers: &'call [(&'static str, &'call str)],
}

impl S3 {
    /// Returns a client. The certificates are read now: during its start a function has the most computing power.
    pub fn new(aws: &Aws) -> Self {
        let token = aws.session_token.as_ref().map(|token| token.expose().to_owned());
        let secret = aws.secret_access_key.expose();
        let identity = Credentials::new(&aws.access_key_id, secret, token, None, "environment").into();
        let suffix = if aws.region.starts_with("cn-") { ".cn" } else { "" };
        let own = || format!("https://s3.{}.amazonaws.com{suffix}", aws.region);
        let base = aws.s3_endpoint.as_deref().map_or_else(own, |url| url.trim_end_matches('/').to_owned());
        let http = Http::new(base.clone(), None);
        http.prepare();
        Self(Arc::new(Inner { base, http, region: aws.region.clone(), identity }))
    }

    /// Sends a request, retrying throttling and server errors; every other answer is returned.
    async fn call(&self, call: Call<'_>, body: SdkBody) -> Result<Answer, StoreError> {
        let path = format!("/{}/{}", call.bucket, utf8_percent_encode(call.key, IN_PATH));
        let mut attempt = 1;
        loop {
            let unavailable = |reason: String| StoreError::Unavailable(format!("{}: {reason}", call.name));
            let headers = self.0.signed(call, &path, &body).map_err(unavailable)?;
            let again = body.try_clone().ok_or_else(|| unavailable("its body cannot be sent".to_owned()))?;
            let is_last = attempt == ATTEMPTS;
            match self.0.http.send_body(call.method, &path, headers, again).await {
                Ok(answer) if is_last || !matches!(answer.status, 429 | 500 | 502 | 503 | 504) => return Ok(answer),
                Err(NoAnswer::TooLarge(length)) => return Err(StoreError::TooLarge(length)),
                Err(error) if is_last || !matches!(error, NoAnswer::Lost(_)) => {
                    return Err(unavailable(error.to_string()));
                }
                Ok(_) | Err(_) => {}
            }
            self.pause(Duration::from_millis(50 << attempt)).await;
            attempt += 1;
        }
    }

    /// Reads an object; returns S3's error answer if it refuses.
    async fn read(&self, bucket: &str, key: &str) -> Result<Result<Object, S3Error>, StoreError> {
        let call = Call { name: "GetObject", method: "GET", bucket, key, headers: &[] };
        let answer = self.call(call, SdkBody::empty()).await?;
        Ok(match answer.status {
            200 => Ok(Object { tag: answer.header("etag").unwrap_or_default().to_owned(), bytes: answer.body }),
            _ => Err(S3Error::by(call, &answer)),
        })
    }
}

impl Inner {
    /// Returns the headers of a request, with its signature.
    fn signed(&self, call: Call<'_>, path: &str, body: &SdkBody) -> Result<Vec<(&'static str, String)>, String> {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let parameters = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|error| error.to_string())?;
        let body = SignableBody::Bytes(body.bytes().unwrap_or_default());
        let url = format!("{}{path}", self.base);
        let request = SignableRequest::new(call.method, url.as_str(), call.headers.iter().copied(), body);
        let request = request.map_err(|error| error.to_string())?;
        let (signing, _) = sign(request, &parameters.into()).map_err(|error| error.to_string())?.into_parts();
        let signature = signing.into_parts().0.into_iter().map(|header| (header.name(), header.value().to_owned()));
        let own = call.headers.iter().map(|(name, value)| (*name, (*value).to_owned()));
        Ok(own.chain(signature).collect())
    }
}

/// Returns a text of XML without escapes: the five names that XML knows by itself, and the numbers of quotes.
fn unescaped(text: &str) -> String {
    let escapes = [("&apos;", "'"), ("&#39;", "'"), ("&quot;", "\""), ("&#34;", "\""), ("&lt;", "<"), ("&gt;", ">")];
    let text = escapes.into_iter().fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain));
    // The last one, so that nothing is taken for an escape that was none.
    text.replace("&amp;", "&")
}

/// An error answer of S3.
struct S3Error {
    status: u16,
    code: Option<String>,
    words: String,
}

impl S3Error {
    fn by(call: Call<'_>, answer: &Answer) -> Self {
        let (status, text) = (answer.status, String::from_utf8_lossy(&answer.body));
        let element = |name: &str| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            Some(unescaped(rest.split_once('<')?.0))
        };
        let request = answer.header("x-amz-request-id").unwrap_or("unknown");
        let code = element("Code");
        let words = match &code {
            Some(code) => {
                let message = element("Message").unwrap_or_else(|| "no message".to_owned());
                format!("{} {code}: {message} (request {request})", call.name)
            }
            // An answer to HEAD has no body.
            None => format!("{} {status} (request {request})", call.name),
        };
        Self { status, code, words }
    }

    fn is(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.contains(&code))
    }
}

impl From<S3Error> for StoreError {
    fn from(told: S3Error) -> Self {
        Self::Unavailable(told.words)
    }
}

impl ObjectSource for S3 {
    async fn get(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.read(bucket, key).await? {
            Ok(object) => Ok(Some(object.bytes)),
            Err(told) if told.is(&["NoSuchKey"]) => Ok(None),
            Err(told) => Err(told.into()),
        }
    }

    async fn delete(&self, bucket: &str, key: &str) -> Result<(), StoreError> {
        let call = Call { name: "DeleteObject", method: "DELETE", bucket, key, headers: &[] };
        let answer = self.call(call, SdkBody::empty()).await?;
        if matches!(answer.status, 200 | 204) { Ok(()) } else { Err(S3Error::by(call, &answer).into()) }
    }
}

impl ObjectStore for S3 {
    async fn fetch(&self, bucket: &str, key: &str) -> Result<Option<Object>, StoreError> {
        match self.read(bucket, key).await? {
            Ok(object) => Ok(Some(object)),
            // S3 answers `AccessDenied` for a missing object to a caller that may not list the bucket.
            Err(told) if told.is(&["NoSuchKey", "AccessDenied"]) => Ok(None),
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
        let call = Call { name: "PutObject", method: "PUT", bucket, key, headers: &headers };
        let answer = self.call(call, SdkBody::from(bytes)).await?;
        if answer.status == 200 {
            return Ok(true);
        }
        let told = S3Error::by(call, &answer);
        // `NoSuchKey`: the object to replace has been deleted meanwhile.
        let is_another =
            told.status == 412 || told.is(&["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"]);
        if expected != Expected::Anything && is_another { Ok(false) } else { Err(told.into()) }
    }

    async fn pause(&self, about: Duration) {
        tokio::time::sleep(about.mul_f64(0.5 + fastrand::f64())).await;
    }
}

impl ObjectInfos for S3 {
    async fn head(&self, bucket: &str, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
        let call = Call { name: "HeadObject", method: "HEAD", bucket, key, headers: &[] };
        let answer = self.call(call, SdkBody::empty()).await?;
        match answer.status {
            200 => {}
            404 => return Ok(None),
            _ => return Err(S3Error::by(call, &answer).into()),
        }
        let modified = answer.header("last-modified").and_then(|time| DateTime::from_str(time, Format::HttpDate).ok());
        let metadata =
            answer.headers.iter().filter_map(|(name, value)| Some((name.strip_prefix("x-amz-meta-")?, value)));
        Ok(Some(ObjectInfo {
            size: answer.header("content-length").and_then(|size| size.parse().ok()).unwrap_or_default(),
            etag: answer.header("etag").map(|etag| etag.trim_matches('"').to_owned()),
            last_modified: modified.and_then(|time| time.fmt(Format::DateTime).ok()),
            metadata: metadata.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>(),
        }))
    }
}
