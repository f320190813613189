//! The settings of the sink `webhook`, and its construction from them.

use contract::{
    address::{Address, Query},
    context::Context,
};
use runtime::{
    OwnCa, SecretSource,
    environment::{Aws, Reader, SecretPlace},
};

use super::Webhook;

/// Variable: address to which documents are posted, `https://…` (`http://` on this machine only).
pub const WEBHOOK_URL: &str = "WEBHOOK_URL";
/// Variable: secret that signs them, `whsec_` and base64. In AWS a secret of the declaration, which names it in
/// [`Context::secrets`]; the value itself for trials only.
pub const WEBHOOK_SECRET: &str = "WEBHOOK_SECRET";
/// Variable: certificates that are trusted besides the public ones, as PEM.
pub const WEBHOOK_CA: &str = "WEBHOOK_CA";

/// The settings of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Address, with its path.
    pub url: Address,
    /// Place of the secret.
    pub secret: SecretPlace,
    /// Certificates that are trusted besides the public ones, as PEM.
    pub ca: Option<String>,
}

impl Settings {
    /// Reads the settings from the environment.
    pub fn read(reader: &mut Reader<'_>, context: Option<&Context>) -> Option<Self> {
        let url = reader.url(WEBHOOK_URL, "https://maintenance.example.com/notices", Query::Allowed);
        let is_secret = |secret: &str| secret.starts_with("whsec_");
        let malformed = "is not a webhook secret, which begins with `whsec_`";
        let secret = reader.secret(WEBHOOK_SECRET, context, is_secret, malformed);
        let ca = reader.optional(WEBHOOK_CA);
        Some(Self { url: url?, secret: secret?, ca })
    }

    /// Creates the sink. Nothing is read or connected before the first mail needs it.
    pub fn open(self, aws: &Aws) -> Webhook {
        let ca = Some(OwnCa { variable: WEBHOOK_CA, pem: self.ca });
        Webhook::new(&self.url, ca, SecretSource::at(self.secret, aws))
    }
}
