//! Credentials of AWS for a program on a server: those of the instance's role (IMDSv2), or of a container's, asked for again before they
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
    environment::{Reader, Secret},
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

/// Keys of AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// AWS access key id.
    pub access_key_id: String,
    /// AWS secret access key.
    pub secret_access_key: Secret,
    /// Session token; `None` for long-term keys.
    pub session_token: Option<Secret>,
}

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

impl Keys {
    /// Reads keys from the environment.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let access_key_id = reader.required("AWS_ACCESS_KEY_ID");
        let secret_access_key = reader.required("AWS_SECRET_ACCESS_KEY").map(Secret::from);
        let session_token = reader.optional("AWS_SESSION_TOKEN").map(Secret::from);
        secret_access_key.iter().chain(&session_token).for_each(remember);
        Some(Self { access_key_id: access_key_id?, secret_access_key: secret_access_key?, session_token })
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
    let Some(authority) = base.strip_prefix("http://") else { return false };
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
    /// `Success`, of an instance alone.
    code: Option<String>,
    access_key_id: String,
    secret_access_key: String,
    token: String,
    expiration: Timestamp,
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
    let Document { code, access_key_id, secret_access_key, token, expiration } = document;
    if let Some(code) = code.filter(|code| code != "Success") {
        return Err(format!("the metadata service answers `{code}`"));
    }
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
                return String::from_utf8(answer.body).map_err(|_| format!("{method} {path}: the answer is no text"));
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
mod tests {
    use std::{collections::BTreeMap, sync::Mutex as Lock};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// A metadata service, or a container's: answers by the number of the call and its head, and keeps the heads.
    async fn service(
        answer: impl Fn(usize, &str) -> (u16, String) + Send + 'static,
    ) -> (String, Arc<Lock<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Lock::new(Vec::new()));
        let seen = heads.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (mut head, mut byte) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await.unwrap() > 0 {
                    head.push(byte[0]);
                }
                let head = String::from_utf8(head).unwrap().to_lowercase();
                let (status, body) = answer(seen.lock().unwrap().len(), &head);
                seen.lock().unwrap().push(head);
                let text =
                    format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
                stream.write_all(text.as_bytes()).await.unwrap();
            }
        });
        (base, heads)
    }

    /// Returns a document whose keys expire in so many seconds.
    fn document(key: &str, seconds: i64) -> String {
        let at = Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
        format!(
            r#"{{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"{key}","SecretAccessKey":"s","Token":"t","Expiration":"{at}"}}"#
        )
    }

    /// Answers as version 2 of the metadata service does, for an instance with the role `worker`.
    fn instance(head: &str, document: String) -> (u16, String) {
        if head.starts_with("put /latest/api/token") {
            let is_asked = head.contains("x-aws-ec2-metadata-token-ttl-seconds: 60");
            return if is_asked { (200, "a-token".to_owned()) } else { (400, String::new()) };
        }
        if !head.contains("x-aws-ec2-metadata-token: a-token") {
            return (401, String::new());
        }
        match head.split(' ').nth(1) {
            Some(ROLES) => (200, "worker\n".to_owned()),
            Some(path) if path == format!("{ROLES}worker") => (200, document),
            _ => (404, String::new()),
        }
    }

    fn read(variables: &[(&str, &str)]) -> Result<Credentials, String> {
        let variables: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let look = |name: &str| variables.get(name).cloned();
        let mut reader = Reader::new(&look);
        let read = Credentials::read(&mut reader);
        reader.finish(read).map_err(|error| error.to_string())
    }

    async fn key(credentials: &Credentials) -> Result<String, String> {
        credentials.keys().await.map(|keys| keys.access_key_id)
    }

    #[tokio::test]
    async fn an_instance_is_asked_by_version_2_alone_and_once_while_its_keys_hold() {
        let (base, heads) = service(|_, head| instance(head, document("AKI1", 3600))).await;
        let credentials = read(&[(METADATA_ENDPOINT, &format!("{base}/"))]).unwrap();
        for _ in 0..3 {
            assert_eq!(key(&credentials).await, Ok("AKI1".to_owned()));
        }
        assert_eq!(heads.lock().unwrap().len(), 3);
        let text = format!("{credentials:?}");
        assert!(!text.contains("AKI1"), "{text}");
    }

    #[tokio::test]
    async fn keys_are_asked_for_again_before_they_expire_and_are_used_until_then() {
        // The first ones expire within the time in which new ones are asked for; from the second round on the service fails.
        let (base, _heads) = service(|number, head| match number {
            0..3 => instance(head, document("AKI1", 60)),
            3..6 => instance(head, document("AKI2", -1)),
            _ => (500, String::new()),
        })
        .await;
        let credentials = read(&[(METADATA_ENDPOINT, &base)]).unwrap();
        let Credentials::OfServer(server) = &credentials else { panic!() };
        let again = async || server.kept.lock().await.as_mut().unwrap().ask_again = SystemTime::UNIX_EPOCH;
        assert_eq!(key(&credentials).await, Ok("AKI1".to_owned()));
        // Not with every call, however soon they expire.
        assert_eq!(key(&credentials).await, Ok("AKI1".to_owned()));
        again().await;
        assert_eq!(key(&credentials).await, Ok("AKI2".to_owned()));
        again().await;
        let Err(reason) = key(&credentials).await else { panic!() };
        assert!(reason.contains("/latest/api/token: the service answers 500"), "{reason}");
        server.kept.lock().await.as_mut().unwrap().expire = SystemTime::now() + Duration::from_mins(1);
        assert_eq!(key(&credentials).await, Ok("AKI2".to_owned()));
    }

    #[tokio::test]
    async fn faults_of_the_service_are_told_in_words() {
        let failed = r#"{"Code":"Failed","AccessKeyId":"a","SecretAccessKey":"b","Token":"c","Expiration":"2027-01-05T11:00:00Z"}"#;
        for (broken, answer, said) in [
            ("put", (403, ""), "PUT /latest/api/token: the service answers 403"),
            ("security-credentials/ ", (404, ""), "security-credentials/: the service answers 404"),
            ("security-credentials/ ", (200, " \n"), "the instance has no role"),
            ("security-credentials/worker", (200, r#"{"SecretAccessKey":"hunter2"}"#), "the answer is not understood"),
            ("security-credentials/worker", (200, failed), "answers `Failed`"),
        ] {
            let (base, _heads) = service(move |_, head| {
                let (status, body) = answer;
                if head.contains(broken) { (status, body.to_owned()) } else { instance(head, document("AKI", 3600)) }
            })
            .await;
            let Err(reason) = key(&read(&[(METADATA_ENDPOINT, &base)]).unwrap()).await else { panic!("{said}") };
            assert!(reason.contains(said) && !reason.contains("hunter2"), "{said}: {reason}");
        }
    }

    #[tokio::test]
    async fn a_container_proves_itself_with_its_token_and_is_asked_first() {
        let (base, heads) = service(|_, _| (200, document("AKIC", 3600))).await;
        let file = std::env::temp_dir().join(format!("token-{}", std::process::id()));
        fs::write(&file, "from-a-file\n").unwrap();
        let (url, file) = (format!("{base}/v1/credentials"), file.display().to_string());
        for (further, proof) in [
            (&[][..], None),
            (&[(TOKEN, "given")], Some("authorization: given")),
            (&[(TOKEN, "given"), (TOKEN_FILE, &*file)], Some("authorization: from-a-file")),
        ] {
            let variables = [&[(FULL, &*url), (METADATA_ENDPOINT, "http://127.0.0.1:9")], further].concat();
            assert_eq!(key(&read(&variables).unwrap()).await, Ok("AKIC".to_owned()));
            let head = heads.lock().unwrap().pop().unwrap();
            assert!(head.starts_with("get /v1/credentials "), "{head}");
            assert_eq!(head.lines().find(|line| line.starts_with("authorization")), proof, "{head}");
        }
        fs::remove_file(file).unwrap();
    }

    #[test]
    fn the_environment_comes_first_and_what_is_wrong_in_it_is_said() {
        let fixed = [("AWS_ACCESS_KEY_ID", "AKIE"), ("AWS_SECRET_ACCESS_KEY", "s"), (RELATIVE, "/v2/credentials/a")];
        assert!(matches!(read(&fixed), Ok(Credentials::Fixed(keys)) if keys.access_key_id == "AKIE"));
        assert!(matches!(read(&[(RELATIVE, "/v2/credentials/a")]), Ok(Credentials::OfServer(_))));
        for (variable, value, said) in [
            ("AWS_ACCESS_KEY_ID", "AKIE", "`AWS_SECRET_ACCESS_KEY` is missing"),
            (RELATIVE, "evil.example", "is not a path"),
            (METADATA_DISABLED, "TRUE", "`AWS_EC2_METADATA_DISABLED` is set"),
            (FULL, "http://evil.example/credentials", "neither an address with `https`"),
            (FULL, "http://169.254.170.2.evil.example/credentials", "neither an address with `https`"),
            (FULL, "ftp://127.0.0.1/credentials", "neither an address with `https`"),
            (FULL, "127.0.0.1", "neither an address with `https`"),
        ] {
            let error = read(&[(variable, value)]).unwrap_err();
            assert!(error.contains(said), "{variable}={value}: {error}");
        }
        for url in
            ["https://a.example/x", "http://[fd00:ec2::23]/x", "http://169.254.170.23/x", "http://localhost:51679/x"]
        {
            assert!(read(&[(FULL, url)]).is_ok(), "{url}");
        }
    }
}
