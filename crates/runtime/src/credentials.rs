//! Credentials of AWS for a program on a server: those of the instance's role (`IMDSv2`), or of a container's, asked for again before they
//! expire. A function's are in its environment, and last as long as it does.
//!
//! The providers of AWS's SDK bring its clients of STS and SSO along, which would be a third of a function; this is the part of them that a
//! server needs. Version 1 of the metadata service, which answers whoever reaches it, is never asked.
//!
//! Formats: "Use the Instance Metadata Service" in the EC2 guide, "Container credential provider" in the reference of SDKs and tools.

use std::{
    fmt, fs,
    net::IpAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use hyper::body::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{
    environment::{Aws, Keys, Reader, Secret},
    http::Http,
    known::remember,
};

/// Time before they expire from which on credentials are asked for again. AWS has new ones five minutes before, at the latest.
const EARLY: Duration = Duration::from_mins(5);
/// Pause after an attempt that failed while the credentials there are still hold.
const PAUSE: Duration = Duration::from_secs(30);
/// Timeout of an answer: the service is on the same machine. A container that is a hop too far away gets none.
const PATIENCE: Duration = Duration::from_secs(2);
/// Address of the metadata service.
const METADATA: &str = "http://169.254.169.254";
/// Variable: another address of it.
const METADATA_ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
/// Variable: `true` if it must not be asked.
const METADATA_DISABLED: &str = "AWS_EC2_METADATA_DISABLED";
/// Path of the names of roles.
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
/// Lifetime of a token of the metadata service, in seconds: one is used for one round of calls.
const TOKEN_LIFETIME: &str = "60";
/// Address of ECS's service, for a relative path.
const CONTAINER: &str = "http://169.254.170.2";
/// Addresses without TLS that a container's credentials may come from, besides this machine: those of ECS and of EKS.
const CONTAINERS: [&str; 3] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];
const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// Where a program has its keys from.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Keys that last as long as the process.
    Fixed(Keys),
    /// Keys of this server or container, which expire.
    OfServer(Arc<Server>),
}

impl From<Keys> for Credentials {
    fn from(keys: Keys) -> Self {
        Self::Fixed(keys)
    }
}

impl Credentials {
    /// Returns the keys as they are now, or why there are none.
    pub(crate) async fn keys(&self) -> Result<Keys, String> {
        match self {
            Self::Fixed(keys) => Ok(keys.clone()),
            Self::OfServer(server) => server.keys().await,
        }
    }

    /// Reads where the credentials are, in the order of AWS's SDKs: the environment, the container, the instance.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        if reader.optional("AWS_ACCESS_KEY_ID").is_some() {
            return Keys::read(reader).map(Self::Fixed);
        }
        let source = match (reader.optional(RELATIVE), reader.optional(FULL)) {
            (Some(path), _) if path.starts_with('/') => container(reader, CONTAINER, &path),
            (Some(_), _) => {
                reader.problem(RELATIVE, "is not a path such as `/v2/credentials/ID`");
                return None;
            }
            (None, Some(url)) => {
                let Some((base, path)) = split(&url).filter(|(base, _)| may_be_asked(base)) else {
                    const WRONG: &str = "is neither an address with `https` nor one of this machine, of ECS or of EKS";
                    reader.problem(FULL, WRONG);
                    return None;
                };
                container(reader, base, path)
            }
            (None, None)
                if reader.optional(METADATA_DISABLED).is_some_and(|text| text.eq_ignore_ascii_case("true")) =>
            {
                reader.problem("AWS_ACCESS_KEY_ID", "is missing, and `AWS_EC2_METADATA_DISABLED` is set");
                return None;
            }
            (None, None) => {
                let base = reader.optional(METADATA_ENDPOINT).unwrap_or_else(|| METADATA.to_owned());
                Source::Instance(Http::new(base.trim_end_matches('/').to_owned(), None).waiting(PATIENCE))
            }
        };
        Some(Self::OfServer(Arc::new(Server { source, kept: Mutex::default() })))
    }
}

impl Reader<'_> {
    /// Reads the variables for calls to AWS, for a program on a server or in a container.
    pub fn aws_on_server(&mut self) -> Option<Aws<Credentials>> {
        let credentials = Credentials::read(self);
        self.calls_with(credentials)
    }
}

impl Aws {
    /// Returns the same for calls of a program whose credentials may be of any kind.
    pub fn of_any_kind(self) -> Aws<Credentials> {
        let Self { region, credentials, s3_endpoint, secrets_endpoint, sqs_endpoint, dynamodb_endpoint } = self;
        let credentials = credentials.into();
        Aws { region, credentials, s3_endpoint, secrets_endpoint, sqs_endpoint, dynamodb_endpoint }
    }
}

/// Splits an address into that of the server and the path.
fn split(url: &str) -> Option<(&str, &str)> {
    let host = url.find("://")? + 3;
    let path = url.get(host..)?.find('/')? + host;
    Some((url.get(..path)?, url.get(path..)?))
}

/// Returns whether credentials may be asked for there: by TLS, or where nobody listens on the way.
fn may_be_asked(base: &str) -> bool {
    if base.starts_with("https://") {
        return true;
    }
    // What stands before an `@` is no host.
    let Some(authority) = base.strip_prefix("http://").filter(|authority| !authority.contains('@')) else {
        return false;
    };
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    is_here || CONTAINERS.contains(&host)
}

fn container(reader: &mut Reader<'_>, base: &str, path: &str) -> Source {
    let token = reader.optional(TOKEN).map(Secret::from);
    token.iter().for_each(remember);
    let token = match (reader.optional(TOKEN_FILE), token) {
        (Some(file), _) => Some(Token::File(file.into())),
        (None, token) => token.map(Token::Given),
    };
    Source::Container { http: Http::new(base.to_owned(), None).waiting(PATIENCE), path: path.to_owned(), token }
}

/// The credentials of a server, which is asked for them when they are needed.
pub struct Server {
    source: Source,
    kept: Mutex<Option<Kept>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Server").field("source", &self.source).finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum Source {
    Instance(Http),
    Container { http: Http, path: String, token: Option<Token> },
}

/// The proof of a container that the credentials are its own.
#[derive(Debug)]
enum Token {
    Given(Secret),
    /// File that EKS writes anew before the token in it expires.
    File(PathBuf),
}

/// Keys, and when they are asked for again.
struct Kept {
    keys: Keys,
    expire: SystemTime,
    ask_again: SystemTime,
}

/// The answer of either service.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    /// `Success`, or a reason; of an instance alone.
    code: Option<String>,
    message: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    token: Option<String>,
    expiration: Option<Timestamp>,
}

impl Server {
    /// Returns keys that hold for a while. Whoever comes while they are asked for waits for the answer.
    async fn keys(&self) -> Result<Keys, String> {
        let mut kept = self.kept.lock().await;
        let now = SystemTime::now();
        if let Some(Kept { keys, .. }) = kept.as_ref().filter(|kept| now < kept.ask_again) {
            return Ok(keys.clone());
        }
        match (self.source.fetch().await, kept.as_mut()) {
            (Ok((keys, expire)), _) => {
                let early = expire.checked_sub(EARLY).unwrap_or(now);
                *kept = Some(Kept { keys: keys.clone(), expire, ask_again: early.max(now + PAUSE) });
                Ok(keys)
            }
            // Those that there are hold yet.
            (Err(reason), Some(kept)) if now < kept.expire => {
                tracing::warn!(reason, "new credentials could not be had: it is tried again");
                kept.ask_again = now + PAUSE;
                Ok(kept.keys.clone())
            }
            (Err(reason), _) => Err(format!("there are no credentials of AWS: {reason}")),
        }
    }
}

impl Source {
    async fn fetch(&self) -> Result<(Keys, SystemTime), String> {
        let body = match self {
            Self::Instance(http) => {
                let lifetime = [("x-aws-ec2-metadata-token-ttl-seconds", TOKEN_LIFETIME.to_owned())];
                let token = ask(http, "PUT", "/latest/api/token", &lifetime).await?;
                remember(&token.as_str().into());
                let proof = [("x-aws-ec2-metadata-token", token)];
                let roles = ask(http, "GET", ROLES, &proof).await?;
                let role = roles.lines().next().map(str::trim).filter(|role| !role.is_empty());
                let role = role.ok_or("the instance has no role")?;
                ask(http, "GET", &format!("{ROLES}{role}"), &proof).await?
            }
            Self::Container { http, path, token } => {
                let token = match token {
                    None => None,
                    Some(Token::Given(token)) => Some(token.expose().to_owned()),
                    Some(Token::File(file)) => {
                        let read = fs::read_to_string(file);
                        let token = read.map_err(|error| format!("`{}`: {error}", file.display()))?.trim().to_owned();
                        remember(&token.as_str().into());
                        Some(token)
                    }
                };
                let proof: Vec<_> = token.map(|token| ("authorization", token)).into_iter().collect();
                ask(http, "GET", path, &proof).await?
            }
        };
        understood(&body)
    }
}

fn understood(body: &str) -> Result<(Keys, SystemTime), String> {
    // The text has the keys in it: it is not quoted.
    let document: Document =
        serde_json::from_str(body).map_err(|error| format!("the answer is not understood (line {})", error.line()))?;
    let Document { code, message, access_key_id, secret_access_key, token, expiration } = document;
    if let Some(code) = code.filter(|code| code != "Success") {
        let message = message.map(|message| format!(": {message}")).unwrap_or_default();
        return Err(format!("the service answers `{code}`{message}"));
    }
    let keys = access_key_id.zip(secret_access_key).zip(token).zip(expiration);
    let Some((((access_key_id, secret_access_key), token), expiration)) = keys else {
        return Err("the answer lacks a part of the credentials".to_owned());
    };
    let (secret_access_key, token) = (Secret::from(secret_access_key), Secret::from(token));
    remember(&secret_access_key);
    remember(&token);
    Ok((Keys { access_key_id, secret_access_key, session_token: Some(token) }, expiration.into()))
}

/// Asks a service for a text; a second time after a fault of its own.
async fn ask(http: &Http, method: &str, path: &str, headers: &[(&'static str, String)]) -> Result<String, String> {
    let mut last = String::new();
    for _ in 0..2 {
        match http.send_body(method, path, headers.to_vec(), Bytes::new()).await {
            Ok(answer) if answer.status == 200 => {
                return String::from_utf8(answer.body).map_err(|_| format!("{method} {path}: the answer is not text"));
            }
            Ok(answer) => {
                last = format!("{method} {path}: the service answers {}", answer.status);
                if !answer.is_trouble() {
                    return Err(last);
                }
            }
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests;
