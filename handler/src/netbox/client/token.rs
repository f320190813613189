//! NetBox's API token: from Secrets Manager, or, for trying things out, from the environment.

use tokio::sync::Mutex;

use crate::{netbox::records::Fault, pipeline::configuration::Secret};

/// Where the token is.
#[derive(Debug)]
pub enum TokenSource {
    /// The environment had it.
    Given(Secret),
    /// A secret of that name or ARN.
    SecretsManager {
        /// What reads it.
        client: aws_sdk_secretsmanager::Client,
        /// Its name.
        name: String,
    },
}

/// The token, read once per instance, and again if NetBox no longer takes it.
#[derive(Debug)]
pub(super) struct Token {
    source: TokenSource,
    cached: Mutex<Option<Secret>>,
}

impl Token {
    pub(super) fn new(source: TokenSource) -> Self {
        Self { source, cached: Mutex::new(None) }
    }

    /// The value of `Authorization`. The prefix tells the second kind of tokens from the first.
    pub(super) async fn header(&self) -> Result<String, Fault> {
        let mut cached = self.cached.lock().await;
        let secret = match &*cached {
            Some(secret) => secret.clone(),
            None => cached.insert(self.source.read().await?).clone(),
        };
        let kind = if secret.0.starts_with("nbt_") { "Bearer" } else { "Token" };
        Ok(format!("{kind} {}", secret.0))
    }

    /// Reads it again: whether it is another one now.
    pub(super) async fn renew(&self) -> Result<bool, Fault> {
        let fresh = self.source.read().await?;
        let mut cached = self.cached.lock().await;
        let changed = cached.as_ref() != Some(&fresh);
        *cached = Some(fresh);
        Ok(changed)
    }
}

impl TokenSource {
    async fn read(&self) -> Result<Secret, Fault> {
        match self {
            Self::Given(secret) => Ok(secret.clone()),
            Self::SecretsManager { client, name } => {
                let answer = client.get_secret_value().secret_id(name).send().await;
                let answer = answer.map_err(|error| {
                    let words = aws_smithy_types::error::display::DisplayErrorContext(&error).to_string();
                    Fault::Unavailable(format!("the secret `{name}` could not be read: {words}"))
                })?;
                let value = answer.secret_string().unwrap_or_default().trim();
                // A token has no white space, and a header could not carry it.
                let fits = !value.is_empty() && value.chars().all(|letter| letter.is_ascii_graphic());
                fits.then(|| Secret(value.to_owned()))
                    .ok_or_else(|| Fault::Unavailable(format!("the secret `{name}` is no API token of NetBox")))
            }
        }
    }
}
