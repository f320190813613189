//! NetBox's API token: from Secrets Manager, or, for trials, from the environment.

use tokio::sync::Mutex;

use crate::sinks::netbox::records::Fault;
use runtime::{Deadline, SecretSource, environment::Secret};

/// The token, read once per instance, and again if NetBox no longer takes it.
#[derive(Debug)]
pub(super) struct Token {
    source: SecretSource,
    cached: Mutex<Option<Secret>>,
}

impl Token {
    pub(super) fn new(source: SecretSource) -> Self {
        Self { source, cached: Mutex::new(None) }
    }

    /// Sets the invocation's deadline.
    pub(super) fn until(&self, deadline: Deadline) {
        self.source.until(deadline);
    }

    /// Returns the value of `Authorization`. The prefix tells tokens of version 2 from those of version
    /// 1.
    pub(super) async fn header(&self) -> Result<String, Fault> {
        let mut cached = self.cached.lock().await;
        let secret = match &*cached {
            Some(secret) => secret.clone(),
            None => cached.insert(read(&self.source).await?).clone(),
        };
        let kind = if secret.expose().starts_with("nbt_") { "Bearer" } else { "Token" };
        Ok(format!("{kind} {}", secret.expose()))
    }

    /// Reads the token again; returns whether it has changed.
    pub(super) async fn renew(&self) -> Result<bool, Fault> {
        let fresh = read(&self.source).await?;
        let mut cached = self.cached.lock().await;
        let changed = cached.as_ref() != Some(&fresh);
        *cached = Some(fresh);
        Ok(changed)
    }
}

async fn read(source: &SecretSource) -> Result<Secret, Fault> {
    // Boxed, since the compiler limits the depth of nested futures, and those of AWS's clients are
    // deep.
    let secret = Box::pin(source.read()).await.map_err(Fault::Unavailable)?;
    // A token contains no white space, and a header could not carry it.
    let fits = !secret.expose().is_empty() && secret.expose().chars().all(|letter| letter.is_ascii_graphic());
    let pasted = ["token ", "bearer "].iter().any(|word| secret.expose().to_ascii_lowercase().starts_with(word));
    let advice = if pasted { ": its first word is not part of it, NetBox's page shows the header" } else { "" };
    fits.then_some(secret).ok_or_else(|| Fault::Unavailable(format!("{source} is not an API token of NetBox{advice}")))
}
