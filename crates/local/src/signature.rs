//! Signature Version 4 of a request, checked: AWS's own library signs what arrived once more, and both signatures must be equal.

use std::time::{Duration, SystemTime};

use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_runtime_api::client::identity::Identity;
use axum::http::{HeaderMap, header::AUTHORIZATION, request::Parts};
use contract::secret::Secret;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use sha2::{Digest, Sha256};

/// AWS refuses a request whose time is further off.
const LARGEST_SKEW: Duration = Duration::from_mins(15);

/// Headers that the library adds to what it signs by itself.
const ADDED: [&str; 2] = ["host", "x-amz-date"];

/// A request that is not signed as it should be, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unsigned(&'static str);

impl Unsigned {
    /// Returns the refusal of an access key that no function of this run has.
    pub(crate) fn unknown_key() -> Self {
        Self("the access key is not one of this run")
    }
}

/// The parts of the header `Authorization`.
struct Authorization<'header> {
    access_key: &'header str,
    region: &'header str,
    service: &'header str,
    headers: Vec<&'header str>,
    signature: &'header str,
}

impl<'header> Authorization<'header> {
    fn read(header: &'header str) -> Option<Self> {
        let fields = header.strip_prefix("AWS4-HMAC-SHA256 ")?.split(',').map(str::trim);
        let (mut credential, mut headers, mut signature) = (None, None, None);
        for field in fields {
            let (name, value) = field.split_once('=')?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut headers,
                "Signature" => &mut signature,
                _ => return None,
            };
            if place.replace(value).is_some() {
                return None;
            }
        }
        let credential: Vec<_> = credential?.split('/').collect();
        let [access_key, _date, region, service, "aws4_request"] = credential[..] else { return None };
        Some(Self { access_key, region, service, headers: headers?.split(';').collect(), signature: signature? })
    }
}

/// Returns the access key that a request was signed with; `secret_of` knows the secret key of each. Only what its signature covers may
/// be believed: host, time, and every header that it names.
pub(crate) fn verify<'keys>(
    parts: &Parts,
    body: &[u8],
    secret_of: impl Fn(&str) -> Option<&'keys Secret>,
) -> Result<String, Unsigned> {
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    let header = headers.next().filter(|_| headers.next().is_none()).and_then(|header| header.to_str().ok());
    let authorization = header.and_then(Authorization::read).ok_or(Unsigned("the request is not signed"))?;
    let secret = secret_of(authorization.access_key).ok_or(Unsigned::unknown_key())?;
    let time = time(&parts.headers).ok_or(Unsigned("the request has no time"))?;
    let now = SystemTime::now();
    let skew = now.duration_since(time).or_else(|_| time.duration_since(now)).unwrap_or(Duration::MAX);
    if skew > LARGEST_SKEW {
        return Err(Unsigned("the request was signed at another time"));
    }
    let expected =
        signature(parts, body, &authorization, secret, time).ok_or(Unsigned("the request cannot be signed"))?;
    if ADDED.iter().any(|name| !authorization.headers.contains(name)) || !is_equal(&expected, authorization.signature) {
        return Err(Unsigned("the signature does not match"));
    }
    Ok(authorization.access_key.to_owned())
}

/// Returns the signature that the request should have.
fn signature(
    parts: &Parts,
    body: &[u8],
    authorization: &Authorization<'_>,
    secret: &Secret,
    time: SystemTime,
) -> Option<String> {
    let credentials =
        aws_credential_types::Credentials::new(authorization.access_key, secret.expose(), None, None, "local");
    let identity: Identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(authorization.region)
        .name(authorization.service)
        .time(time)
        .settings(SigningSettings::default())
        .build()
        .ok()?;
    let host = parts.headers.get("host")?.to_str().ok()?;
    let url = format!("http://{host}{}", parts.uri.path_and_query().map_or("/", |path| path.as_str()));
    let mut signed = Vec::new();
    for name in authorization.headers.iter().filter(|name| !ADDED.contains(name)) {
        signed.push((*name, parts.headers.get(*name)?.to_str().ok()?));
    }
    let request =
        SignableRequest::new(parts.method.as_str(), url, signed.into_iter(), SignableBody::Bytes(body)).ok()?;
    Some(sign(request, &parameters.into()).ok()?.signature().to_owned())
}

/// Reads the header `X-Amz-Date`, such as `20260102T030405Z`.
fn time(headers: &HeaderMap) -> Option<SystemTime> {
    let text = headers.get("x-amz-date")?.to_str().ok()?;
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(Timestamp::from(time.to_zoned(TimeZone::UTC).ok()?).into())
}

/// Compares two texts in a time that tells nothing of where they differ.
fn is_equal(one: &str, other: &str) -> bool {
    Sha256::digest(one) == Sha256::digest(other)
}
