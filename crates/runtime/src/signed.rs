//! Signed requests to one service of AWS. AWS's own library signs them, and [`Http`] sends them: the SDK's clients would be a third of a
//! function, and tell a failure in another way than every other server's is told.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use aws_smithy_runtime_api::client::identity::Identity;
use contract::partition::Partition;
use hyper::body::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    Credentials, Deadline,
    environment::{Aws, Keys},
    http::{Answer, Http, NoAnswer},
    meaning::is_throttled,
};

/// Maximum attempts of a call. Longer outages are left to Lambda's own retries.
const ATTEMPTS: u32 = 3;
/// Part of the invocation's time that is kept free, for the log line: other servers are given up earlier, so that what follows from that
/// can still be written.
pub(crate) const MARGIN: Duration = Duration::from_millis(300);

/// A service of AWS in one region.
pub(crate) struct Service {
    name: &'static str,
    /// Base address, without a slash at its end.
    base: String,
    http: Http,
    region: String,
    credentials: Credentials,
}

/// A request to a service of AWS, before it is signed.
#[derive(Debug, Clone)]
pub(crate) struct Call<'call> {
    pub(crate) method: &'static str,
    /// Path of the URL, escaped.
    pub(crate) path: &'call str,
    pub(crate) headers: &'call [(&'static str, &'call str)],
    pub(crate) body: Bytes,
    /// SHA-256 of the body in hexadecimal digits; `None` if it is not known yet.
    pub(crate) digest: Option<&'call str>,
}

/// Shows neither the keys nor the requests that they sign.
impl fmt::Debug for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Service").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Service {
    /// Returns the service of that name in the function's region, or at another endpoint. It makes no call by itself.
    pub(crate) fn new<C>(name: &'static str, aws: &Aws<C>, endpoint: Option<&str>) -> Self
    where
        C: Clone + Into<Credentials>,
    {
        let credentials = aws.credentials.clone().into();
        let own = || format!("https://{}", Partition::endpoint(name, &aws.region));
        let base = endpoint.map_or_else(own, |url| url.trim_end_matches('/').to_owned());
        let http = Http::new(base.clone(), None);
        Self { name, base, http, region: aws.region.clone(), credentials }
    }

    /// Reads the certificates now: during its start a function has the most computing power.
    pub(crate) fn prepare(&self) {
        self.http.prepare();
    }

    /// Returns the service with that timeout of an answer.
    #[must_use]
    pub(crate) fn waiting(mut self, patience: Duration) -> Self {
        self.http = self.http.waiting(patience);
        self
    }

    /// Sets the invocation's deadline.
    pub(crate) fn until(&self, deadline: Deadline) {
        self.http.until_before(deadline, MARGIN);
    }

    /// Sends a request, trying again after faults of the service, too many requests and lost connections; every other answer is returned.
    pub(crate) async fn send(&self, call: Call<'_>) -> Result<Answer, NoAnswer> {
        let mut attempt = 1;
        loop {
            let keys = self.credentials.keys().await.map_err(NoAnswer::NoRequest)?;
            let headers = self.signed(&call, &keys).map_err(NoAnswer::NoRequest)?;
            let ended = self.http.send_body(call.method, call.path, headers, call.body.clone()).await;
            let is_trouble = match &ended {
                Ok(answer) => answer.is_trouble() || is_throttled(self.name, answer),
                Err(error) => matches!(error, NoAnswer::Lost(_)),
            };
            if !is_trouble || attempt == ATTEMPTS {
                return ended;
            }
            pause(Duration::from_millis(50 << attempt).min(self.http.left())).await;
            attempt += 1;
        }
    }

    /// Returns the headers of a request, with its signature.
    fn signed(&self, call: &Call<'_>, keys: &Keys) -> Result<Vec<(&'static str, String)>, String> {
        let mut settings = SigningSettings::default();
        if self.name == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let identity = identity(keys);
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.name)
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|error| error.to_string())?;
        let url = format!("{}{}", self.base, call.path);
        let known = |digest: &str| SignableBody::Precomputed(digest.to_owned());
        let body = call.digest.map_or(SignableBody::Bytes(&call.body), known);
        let request = SignableRequest::new(call.method, url.as_str(), call.headers.iter().copied(), body);
        let request = request.map_err(|error| error.to_string())?;
        let (signing, _) = sign(request, &parameters.into()).map_err(|error| error.to_string())?.into_parts();
        let signature = signing.into_parts().0.into_iter().map(|header| (header.name(), header.value().to_owned()));
        let own = call.headers.iter().map(|(name, value)| (*name, (*value).to_owned()));
        Ok(own.chain(signature).collect())
    }
}

/// Returns a URL with a signature in its query, which whoever has it may use for that long: what brokers of Kafka take as a proof. No
/// call is made.
pub fn presigned(aws: &Aws, service: &str, url: &str, lifetime: Duration, now: SystemTime) -> Result<String, String> {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(lifetime);
    let identity = identity(&aws.credentials);
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&aws.region)
        .name(service)
        .time(now)
        .settings(settings)
        .build()
        .map_err(|error| error.to_string())?;
    let request = SignableRequest::new("GET", url, std::iter::empty(), SignableBody::Bytes(b""));
    let request = request.map_err(|error| error.to_string())?;
    let (signing, _) = sign(request, &parameters.into()).map_err(|error| error.to_string())?.into_parts();
    let mut signed = url.to_owned();
    for (name, value) in signing.params() {
        let between = if signed.contains('?') { '&' } else { '?' };
        signed.push(between);
        signed.push_str(name);
        signed.push('=');
        signed.extend(utf8_percent_encode(value, UNESCAPED));
    }
    Ok(signed)
}

/// Characters that need an escape in a signed query: all but letters, digits and these four.
const UNESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn identity(keys: &Keys) -> Identity {
    let Keys { access_key_id, secret_access_key, session_token } = keys;
    let token = session_token.as_ref().map(|token| token.expose().to_owned());
    AwsCredentials::new(access_key_id, secret_access_key.expose(), token, None, "environment").into()
}

/// Waits about that long.
pub(crate) async fn pause(about: Duration) {
    tokio::time::sleep(about.mul_f64(0.5 + fastrand::f64())).await;
}
