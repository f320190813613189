//! The other AWS services that functions call: Secrets Manager's `GetSecretValue`, answered from the environment of
//! `provision dev`. Every other service is refused by name, so that no call leaves this machine.

use crate::names::Secret;
use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// Secrets, by their names in Secrets Manager.
pub(crate) type Secrets = BTreeMap<String, Secret>;

/// Returns the endpoint for all services except S3.
pub(crate) fn router(secrets: Secrets) -> Router {
    Router::new().fallback(answer).with_state(Arc::new(secrets))
}

async fn answer(State(secrets): State<Arc<Secrets>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    if target != "secretsmanager.GetSecretValue" {
        let service = headers.get("authorization").and_then(|value| value.to_str().ok()).and_then(service);
        let service = service.unwrap_or("this service");
        return refusal("NotImplemented", &format!("`provision dev` has no {service} {target}"));
    }
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let id = asked.get("SecretId").and_then(Value::as_str).unwrap_or_default();
    let found = secrets.iter().find(|(name, _)| *name == id || is_arn_of(id, name));
    let Some((name, Secret { arn, variable })) = found else {
        return refusal("ResourceNotFoundException", &format!("the declaration names no secret `{id}`"));
    };
    match std::env::var(variable) {
        Ok(value) => Json(json!({
            "ARN": format!("{arn}-local0"),
            "Name": name,
            "SecretString": value,
            "VersionId": "00000000-0000-0000-0000-000000000000",
            "VersionStages": ["AWSCURRENT"],
        }))
        .into_response(),
        Err(_) => refusal(
            "ResourceNotFoundException",
            &format!("set the environment variable `{variable}` of `provision dev`: it stands for the secret `{name}`"),
        ),
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

fn refusal(kind: &str, message: &str) -> Response {
    let body = json!({"__type": kind, "message": message, "Message": message});
    (StatusCode::BAD_REQUEST, [("x-amzn-errortype", kind.to_owned())], Json(body)).into_response()
}
