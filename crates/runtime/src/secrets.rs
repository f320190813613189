//! Reads secrets: from Secrets Manager, or, for trials, from the environment.

use std::fmt;

use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::{
    Credentials, Deadline,
    environment::{Aws, Secret, SecretPlace},
    http::Answer,
    known::remember,
    meaning::{Meaning, code_in, meaning},
    signed::{Call, Service},
};

/// The source of a secret.
#[derive(Debug)]
pub enum SecretSource {
    /// Value from the environment.
    Given(Secret),
    /// Secret of Secrets Manager.
    SecretsManager(Box<StoredSecret>),
}

/// A secret of Secrets Manager.
#[derive(Debug)]
pub struct StoredSecret {
    service: Service,
    /// Name or ARN of the secret.
    name: String,
}

impl SecretSource {
    /// Returns the source of the secret at that place. It makes no call by itself.
    pub fn at<C>(place: SecretPlace, aws: &Aws<C>) -> Self
    where
        C: Clone + Into<Credentials>,
    {
        match place {
            SecretPlace::Given(secret) => Self::Given(secret),
            SecretPlace::SecretsManager(name) => {
                let service = Service::new("secretsmanager", aws, aws.secrets_endpoint.as_deref());
                Self::SecretsManager(Box::new(StoredSecret { service, name }))
            }
        }
    }

    /// Sets the invocation's deadline: no call begins shortly before it or later.
    pub fn until(&self, deadline: Deadline) {
        if let Self::SecretsManager(stored) = self {
            stored.service.until(deadline);
        }
    }

    /// Returns the secret without surrounding white space, or why it cannot be read.
    pub async fn read(&self) -> Result<Secret, String> {
        let secret = match self {
            Self::Given(secret) => secret.clone(),
            Self::SecretsManager(stored) => {
                stored.fetch().await.map_err(|reason| format!("{self} could not be read: {reason}"))?
            }
        };
        let secret = secret.trimmed();
        remember(&secret);
        // While a secret is rotated its value is a list, one a line.
        secret.expose().lines().map(|line| Secret::from(line.trim())).for_each(|line| remember(&line));
        Ok(secret)
    }
}

impl StoredSecret {
    async fn fetch(&self) -> Result<Secret, String> {
        let headers =
            [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "secretsmanager.GetSecretValue")];
        let body = Bytes::from(json!({"SecretId": self.name}).to_string());
        let call = Call { method: "POST", path: "/", headers: &headers, body, digest: None };
        let answer = self.service.send(call).await.map_err(|error| error.to_string())?;
        let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if answer.status != 200 {
            return Err(refusal(&answer, &document));
        }
        let text = document.get("SecretString").and_then(Value::as_str);
        text.map(Secret::from).ok_or_else(|| "it has no text: its value was stored as bytes".to_owned())
    }
}

/// Returns an error answer in words, with what to do about it where that is known.
fn refusal(answer: &Answer, document: &Value) -> String {
    let Some(code) = code_in(document) else {
        return format!("Secrets Manager answers {}: {}", answer.status, answer.quote());
    };
    let advice = match meaning("secretsmanager", code) {
        Some(Meaning::NotFound) => ": it does not exist; `provision up` creates the declared ones",
        Some(Meaning::Denied) => ": the function's role may not read it; its `secrets` must name it",
        Some(Meaning::Unreadable) => ": it may be scheduled for deletion; `provision up` restores it",
        _ => "",
    };
    let message = ["message", "Message"].iter().find_map(|name| document.get(name)?.as_str()).unwrap_or("no message");
    let request = answer.header("x-amzn-requestid").map(|id| format!(" (request {id})")).unwrap_or_default();
    format!("{code}: {message}{request}{advice}")
}

/// Shows the place, not the secret.
impl fmt::Display for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => formatter.write_str("the secret in the environment"),
            Self::SecretsManager(stored) => write!(formatter, "the secret `{}`", stored.name),
        }
    }
}
