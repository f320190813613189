//! The start of a function: its log, its one HTTP client, and how a failed start is told to Lambda.

use std::{panic, process::ExitCode};

use aws_sdk_secretsmanager::config::SharedHttpClient;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use lambda_runtime_api_client::{PooledClient, build_request};
use tracing_subscriber::filter::LevelFilter;

/// Sends what is not a report to standard error as JSON lines, from `AWS_LAMBDA_LOG_LEVEL` on (`WARN` without it).
///
/// Of a panic only the place is told: its message may quote the mail.
pub fn prepare_log() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    tracing_subscriber::fmt()
        .json()
        .with_max_level(level.unwrap_or(LevelFilter::WARN))
        .with_writer(std::io::stderr)
        .init();
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panicked");
    }));
}

/// The HTTP client that all clients share: reading the certificates is the most expensive part of a start,
/// and is left out where the endpoint has no use for them.
pub fn http_client(endpoint: Option<&str>) -> SharedHttpClient {
    if endpoint.is_some_and(|url| url.starts_with("http://")) {
        return Builder::new().build_http();
    }
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// Tells Lambda, and the log, why the function cannot start.
pub async fn failed_start(reason: &str) -> ExitCode {
    tracing::error!(reason, "the function cannot start");
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        tracing::error!(
            "`AWS_LAMBDA_RUNTIME_API` is missing: this program is started by Lambda, or by `provision dev`"
        );
        return ExitCode::FAILURE;
    }
    let body = serde_json::json!({"errorType": "Configuration", "errorMessage": reason, "stackTrace": []});
    let request = build_request()
        .method("POST")
        .uri("/2018-06-01/runtime/init/error")
        .header("lambda-runtime-function-error-type", "Runtime.InitError")
        .body(body.to_string().into());
    match request {
        Ok(request) => {
            if let Err(error) = PooledClient::builder().build().call(request).await {
                tracing::error!(%error, "the Runtime API does not take the error");
            }
        }
        Err(error) => tracing::error!(%error, "the error could not be put into a request"),
    }
    ExitCode::FAILURE
}
