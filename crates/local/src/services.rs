//! The rest of AWS, as far as functions need it here: Secrets Manager's `GetSecretValue`, answered from the environment
//! of `provision dev`. Every other service is refused by name, so that no call ever leaves this machine.
//!
//! The values are real: a request must be signed with the keys of a function of this run, and gets the secrets that this
//! function declares.

use crate::{
    names::Secret,
    rights::Grant,
    signature::{self, Unsigned},
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

/// The largest request that is read. Bytes.
const LARGEST_REQUEST: usize = 1024 * 1024;

/// The secrets, and the functions that read them.
#[derive(Debug)]
struct Services {
    secrets: Secrets,
    grants: Vec<Grant>,
}

/// The endpoint for all services but S3.
pub(crate) fn router(secrets: Secrets, grants: Vec<Grant>) -> Router {
    Router::new().fallback(answer).with_state(Arc::new(Services { secrets, grants }))
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
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let target = header("x-amz-target");
    if target != "secretsmanager.GetSecretValue" {
        let service = service(header("authorization")).unwrap_or("this service");
        let message = format!("`provision dev` has no {service} {target}");
        return refusal(StatusCode::BAD_REQUEST, "NotImplemented", &message);
    }
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let id = asked.get("SecretId").and_then(Value::as_str).unwrap_or_default();
    services.secret(id, grant)
}

impl Services {
    /// Answers `GetSecretValue`.
    fn secret(&self, id: &str, grant: Option<&Grant>) -> Response {
        let missing = |message: &str| refusal(StatusCode::BAD_REQUEST, "ResourceNotFoundException", message);
        let found = self.secrets.iter().find(|(name, _)| *name == id || is_arn_of(id, name));
        let Some((name, Secret { arn, variable })) = found else {
            return missing(&format!("the declaration names no secret `{id}`"));
        };
        if !grant.is_some_and(|grant| grant.secrets.contains(name)) {
            let message = format!("the function's `secrets` does not name `{name}`");
            return refusal(StatusCode::BAD_REQUEST, "AccessDeniedException", &message);
        }
        match std::env::var(variable) {
            Ok(value) => Json(json!({
                "ARN": format!("{arn}-local0"),
                "Name": name,
                "SecretString": value,
                "VersionId": "00000000-0000-0000-0000-000000000000",
                "VersionStages": ["AWSCURRENT"],
            }))
            .into_response(),
            Err(_) => missing(&format!(
                "set the environment variable `{variable}` of `provision dev`: it stands for the secret `{name}`"
            )),
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

    use super::*;
    use crate::{guard, rights};

    /// What is in the environment of every test, and stands for a secret here.
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
        };
        let listener = guard::Listener::bind(0).await.unwrap();
        let address = listener.address();
        let router = guard::of_host(router(secrets.into(), vec![grant]), address);
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
