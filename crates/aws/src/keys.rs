//! The keys of the caller, for protocols that AWS's clients do not speak: Kafka's brokers take a signature, too.

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::ProvideCredentials as _;
use contract::secret::Secret;

use crate::{credentials::Profiles, http};
use problem::Problem;

/// The keys of an identity.
#[derive(Debug, Clone)]
pub struct Keys {
    /// AWS access key id.
    pub access_key_id: String,
    /// AWS secret access key.
    pub secret_access_key: Secret,
    /// AWS session token; `None` for long-term keys.
    pub session_token: Option<Secret>,
}

/// Returns the keys that AWS's clients sign with in that region. They are good for as long as their source says: an hour, mostly.
///
/// # Errors
///
/// There are none, or their source cannot be asked.
pub async fn keys(region: &str) -> Result<Keys, Problem> {
    let failed = || Problem::new("Failed to find AWS credentials");
    let profiles = Profiles::read().await?;
    let http = http::client(profiles.ca_bundle().as_deref())?;
    let config = aws_config::defaults(BehaviorVersion::latest()).region(Region::new(region.to_owned()));
    let config = config.http_client(http).load().await;
    let provider = config.credentials_provider().ok_or_else(failed)?;
    let found = provider.provide_credentials().await.map_err(|error| failed().with_source(error))?;
    Ok(Keys {
        access_key_id: found.access_key_id().to_owned(),
        secret_access_key: found.secret_access_key().into(),
        session_token: found.session_token().map(Into::into),
    })
}
