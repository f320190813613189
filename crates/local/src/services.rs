//! The rest of AWS, as far as functions need it here: Secrets Manager's `GetSecretValue`, answered from the environment
//! of `provision dev`, and what functions ask of [`sqs`]. Every other service is refused by name, so that no call ever
//! leaves this machine.
//!
//! The values are real: a request must be signed with the keys of a function of this run, and gets the secrets that this
//! function declares.

use crate::{
    names::Secret,
    queue::Queue,
    rights::Grant,
    service_refusal::Refusal,
    sessions::Sessions,
    signature::{self, Unsigned},
    sqs,
    tables::Tables,
};
use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    body::to_bytes,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// Secrets, by their names in Secrets Manager.
pub(crate) type Secrets = BTreeMap<String, Secret>;

/// The largest request that is read: a message of SQS, escaped as JSON. Bytes.
const LARGEST_REQUEST: usize = 4 * 1024 * 1024;

/// The secrets and the queues, and the functions that use them.
#[derive(Debug, Default)]
pub(crate) struct Services {
    pub secrets: Secrets,
    /// Values of the secrets that the run has made itself, by their names in Secrets Manager.
    pub given: BTreeMap<String, contract::secret::Secret>,
    pub queues: BTreeMap<String, Arc<Queue>>,
    pub tables: Tables,
    pub grants: Vec<Grant>,
    pub sessions: Sessions,
}

/// Returns the endpoint for all services but S3.
pub(crate) fn router(services: Services) -> Router {
    Router::new().fallback(answer).with_state(Arc::new(services))
}

async fn answer(State(services): State<Arc<Services>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_REQUEST).await else {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLarge", "the request is too large");
    };
    let secret_of =
        |key: &str| services.grants.iter().find(|grant| grant.access_key == key).map(|grant| &grant.secret_key);
    let grant = match signature::verify(&parts, &body, secret_of) {
        Ok(key) => services.grants.iter().find(|grant| grant.access_key == key),
        Err(unsigned) => return not_signed(unsigned),
    };
    let Some(grant) = grant else { return not_signed(Unsigned::unknown_key()) };
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let target = header("x-amz-target");
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let answered = match target.split_once('.') {
        Some(("secretsmanager", "GetSecretValue")) => services.secret(&asked, grant),
        Some(("DynamoDB_20120810", operation)) => services.tables.answer(operation, &asked, grant),
        Some(("AmazonSQS", operation)) => {
            let item = services.sessions.item_of(header("x-amz-security-token"));
            sqs::answer(operation, &asked, (&services.queues, grant), item.as_deref()).await
        }
        _ => {
            let service = service(header("authorization")).unwrap_or("this service");
            Err((StatusCode::BAD_REQUEST, "NotImplemented", format!("`provision dev` has no {service} {target}")))
        }
    };
    match answered {
        Ok(answer) => Json(answer).into_response(),
        Err((status, kind, message)) => refusal(status, kind, &message),
    }
}

impl Services {
    /// Answers `GetSecretValue` with a secret that the function may read.
    fn secret(&self, asked: &Value, grant: &Grant) -> Result<Value, Refusal> {
        let id = asked.get("SecretId").and_then(Value::as_str).unwrap_or_default();
        let missing = |message: String| (StatusCode::BAD_REQUEST, "ResourceNotFoundException", message);
        let denied = |name: &str| {
            let message = format!("the function's `secrets` does not name `{name}`");
            (StatusCode::BAD_REQUEST, "AccessDeniedException", message)
        };
        let answer = |arn: &str, name: &str, value: &str| {
            json!({
                "ARN": format!("{arn}-local0"),
                "Name": name,
                "SecretString": value,
                "VersionId": "00000000-0000-0000-0000-000000000000",
                "VersionStages": ["AWSCURRENT"],
            })
        };
        if let Some(value) = self.given.get(id) {
            return if grant.secrets.contains(id) { Ok(answer(id, id, value.expose())) } else { Err(denied(id)) };
        }
        let found = self.secrets.iter().find(|(name, _)| *name == id || is_arn_of(id, name));
        let Some((name, Secret { arn, variable })) = found else {
            return Err(missing(format!("the declaration names no secret `{id}`")));
        };
        if !grant.secrets.contains(name) {
            return Err(denied(name));
        }
        match std::env::var(variable) {
            Ok(value) => Ok(answer(arn, name, &value)),
            Err(_) => Err(missing(format!(
                "set the environment variable `{variable}` of `provision dev`: it replaces the secret `{name}`"
            ))),
        }
    }
}

/// Returns the service of a signed request: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`; `None` without a
/// signature.
fn service(authorization: &str) -> Option<&str> {
    authorization.split_once("Credential=")?.1.split('/').nth(3)
}

/// Returns whether an ARN names a secret: it ends with the name, a hyphen and six characters.
fn is_arn_of(id: &str, name: &str) -> bool {
    id.starts_with("arn:") && id.split_once(":secret:").is_some_and(|(_, rest)| rest.starts_with(&format!("{name}-")))
}

fn not_signed(unsigned: Unsigned) -> Response {
    refusal(StatusCode::FORBIDDEN, "InvalidSignatureException", &unsigned.to_string())
}

fn refusal(status: StatusCode, kind: &str, message: &str) -> Response {
    let body = json!({"__type": kind, "message": message, "Message": message});
    (status, [("x-amzn-errortype", kind.to_owned())], Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use aws_sdk_secretsmanager::{
        Client, Config,
        config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
        error::ProvideErrorMetadata,
    };

    use std::collections::BTreeSet;

    use super::*;
    use crate::{guard, rights};

    /// Variable in the environment of every test, used as a secret here.
    const VARIABLE: &str = "CARGO_MANIFEST_DIR";

    async fn endpoint() -> std::net::SocketAddr {
        let secret =
            || Secret { arn: "arn:aws:secretsmanager:eu-west-1:1:secret:x".to_owned(), variable: VARIABLE.to_owned() };
        let secrets = ["netbox/token", "other/token"].map(|name| (name.to_owned(), secret()));
        let grant = rights::Grant {
            access_key: "LOCAL1".to_owned(),
            secret_key: "hidden".into(),
            secrets: ["netbox/token".to_owned()].into(),
            reads: Vec::new(),
            writes: Vec::new(),
            deletes: Vec::new(),
            sends: BTreeSet::new(),
            consumes: None,
            queries: BTreeSet::new(),
        };
        let listener = guard::Listener::bind(0).await.unwrap();
        let address = listener.address();
        let services = Services { secrets: secrets.into(), grants: vec![grant], ..Services::default() };
        let router = guard::of_host(router(services), address);
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    async fn asked(address: std::net::SocketAddr, (key, secret): (&str, &str), name: &str) -> String {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new(key, secret, None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .endpoint_url(format!("http://{address}"));
        match Client::from_conf(config.build()).get_secret_value().secret_id(name).send().await {
            Ok(answer) => answer.secret_string().unwrap().to_owned(),
            Err(error) => error.code().unwrap_or("no code").to_owned(),
        }
    }

    #[tokio::test]
    async fn a_secret_goes_to_a_function_of_this_run_that_declares_it_and_to_nobody_else() {
        let address = endpoint().await;
        for (keys, name, expected) in [
            (("LOCAL1", "hidden"), "netbox/token", env!("CARGO_MANIFEST_DIR")),
            (("LOCAL1", "guessed"), "netbox/token", "InvalidSignatureException"),
            (("LOCAL2", "hidden"), "netbox/token", "InvalidSignatureException"),
            (("LOCAL1", "hidden"), "other/token", "AccessDeniedException"),
            (("LOCAL1", "hidden"), "no/token", "ResourceNotFoundException"),
        ] {
            assert_eq!(asked(address, keys, name).await, expected, "{keys:?} {name}");
        }
    }
}
