//! The way to the brokers: over TLS with the signature of a role, as MSK wants it, or plain on this machine.

use std::{net::IpAddr, time::Duration};

use contract::secret::Secret;
use krafka::{
    Kafka,
    auth::{AuthConfig, AwsMskIamCredentials, TlsConfig},
    error::KrafkaError,
};

/// Name that the reader gives itself at the brokers.
const CLIENT: &str = "provision";
/// Timeout of a connection with its TLS and its proof of identity.
const CONNECT: Duration = Duration::from_secs(5);
/// Timeout of an answer of a broker.
const REQUEST: Duration = Duration::from_secs(15);

/// Keys of an identity in AWS.
#[derive(Debug, Clone)]
pub struct Keys {
    /// AWS access key id.
    pub access_key_id: String,
    /// AWS secret access key.
    pub secret_access_key: Secret,
    /// AWS session token; `None` for long-term keys.
    pub session_token: Option<Secret>,
    /// Region of the cluster.
    pub region: String,
}

/// The ways in which brokers are spoken to.
#[derive(Debug, Clone)]
pub enum Security {
    /// TLS, with a signature of these keys (`AWS_MSK_IAM`).
    Iam {
        /// AWS keys that sign the connection.
        keys: Keys,
        /// Certificates of the authorities, as PEM, that alone are trusted; `None` for the public ones.
        ca: Option<String>,
    },
    /// Neither: for brokers on this machine.
    None,
}

/// A failure to connect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the brokers at `{bootstrap}` cannot be reached: {reason}")]
pub struct NotConnected {
    bootstrap: String,
    reason: String,
    is_denied: bool,
}

impl NotConnected {
    /// Returns `true` if the brokers were reached and do not take the keys: new rights work within a minute.
    pub fn is_denied(&self) -> bool {
        self.is_denied
    }
}

/// Connects to brokers: `bootstrap` is `HOST:PORT`, or several with commas between them.
pub async fn connect(bootstrap: &str, security: &Security) -> Result<Kafka, NotConnected> {
    let authentication = match security {
        Security::None => AuthConfig::plaintext(),
        Security::Iam { keys, ca } => {
            let tls = ca.iter().fold(TlsConfig::new(), |tls, pem| tls.with_ca_cert_pem(pem.clone()));
            let Keys { access_key_id, secret_access_key, session_token, region } = keys;
            let credentials = AwsMskIamCredentials::new(access_key_id, secret_access_key.expose(), region);
            let credentials =
                session_token.iter().fold(credentials, |keys, token| keys.with_session_token(token.expose()));
            AuthConfig::aws_msk_iam_with_credentials(credentials).with_tls(tls)
        }
    };
    let connecting = Kafka::builder(bootstrap)
        .client_id(CLIENT)
        .security(authentication)
        .connect_timeout(CONNECT)
        .request_timeout(REQUEST)
        .connect();
    let failed = |reason: String, is_denied| NotConnected { bootstrap: bootstrap.to_owned(), reason, is_denied };
    match tokio::time::timeout(REQUEST, connecting).await {
        Ok(connected) => connected.map_err(|error: KrafkaError| {
            let is_denied = matches!(error, KrafkaError::Auth { .. });
            failed(error.to_string(), is_denied)
        }),
        Err(_) => Err(failed(format!("no answer in {} s", REQUEST.as_secs()), false)),
    }
}

/// Returns `true` if all brokers of a list are on this machine, where they may be spoken to without TLS.
///
/// ```
/// assert!(kafka::is_local("127.0.0.1:9092,localhost:9093,[::1]:9094"));
/// assert!(!kafka::is_local("127.0.0.1:9092,b-1.example.com:9098"));
/// ```
pub fn is_local(bootstrap: &str) -> bool {
    bootstrap.split(',').all(|broker| {
        let host = broker.trim().rsplit_once(':').map_or(broker.trim(), |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    })
}
