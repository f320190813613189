//! The client: each call is an operation of the SDK's own runtime, with the parts that its generated clients have.

use std::{sync::Arc, time::Duration};

use aws_config::SdkConfig;
use aws_runtime::{
    auth::{SigV4OperationSigningConfig, sigv4},
    invocation_id::InvocationIdInterceptor,
    request_info::RequestInfoInterceptor,
    retries::classifiers::AwsErrorCodeClassifier,
    service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor},
    user_agent::{ApiMetadata, UserAgentInterceptor},
};
use aws_smithy_runtime::client::{
    identity::IdentityCache,
    orchestrator::operation::Operation,
    retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier},
};
use aws_smithy_runtime_api::client::{
    auth::{
        AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
        static_resolver::StaticAuthSchemeOptionResolver,
    },
    identity::SharedIdentityCache,
    orchestrator::{HttpRequest, HttpResponse, OrchestratorError},
    result::SdkError,
    runtime_components::RuntimeComponentsBuilder,
    runtime_plugin::StaticRuntimePlugin,
};
use aws_smithy_types::{body::SdkBody, config_bag::Layer, retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{
    SigningName,
    region::{Region, SigningRegion},
    service_config::ServiceConfigKey,
};
use data_encoding::HEXLOWER;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::{Call, Element, Service, refusal::Refusal};
use crate::{OrFail, calls::Told, refused::Refused};
use contract::partition::Partition;
use engine::{Class, Failure};

/// Maximum time of one attempt, where the configuration has none: a connection that stays silent does not use up all of a call's time.
const ATTEMPT: Duration = Duration::from_secs(20);
/// Maximum number of pages: a service that never ends its list does not block a run.
const MOST_PAGES: usize = 500;
/// Characters that a form does not escape.
const IN_FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A client of one service.
#[derive(Debug, Clone)]
pub struct Client(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    service: Service,
    config: SdkConfig,
    region: String,
    endpoint: String,
    timeouts: TimeoutConfig,
    identities: SharedIdentityCache,
}

impl Client {
    /// Returns a client for the region of the configuration, or for the endpoint that `AWS_ENDPOINT_URL_<SERVICE>`, a profile or
    /// `AWS_ENDPOINT_URL` names.
    pub fn new(config: &SdkConfig, service: Service) -> Self {
        let region = config.region().map_or_else(String::new, ToString::to_string);
        let timeouts = config.timeout_config().cloned().unwrap_or_else(|| TimeoutConfig::builder().build());
        let attempt = timeouts.operation_attempt_timeout().or(timeouts.read_timeout()).unwrap_or(ATTEMPT);
        let parts = Parts {
            service,
            endpoint: endpoint(config, service, &region),
            region,
            timeouts: timeouts.to_builder().operation_attempt_timeout(attempt).build(),
            // Credentials are looked for once, and not with every call.
            identities: config.identity_cache().unwrap_or_else(|| IdentityCache::lazy().build()),
            config: config.clone(),
        };
        Self(Arc::new(parts))
    }

    /// Makes a call and returns the answer's outermost element.
    pub async fn call(&self, call: &Call) -> Result<Element, Failure> {
        let parts = &self.0;
        let name = format!("{}.{}", parts.service.name, call.action);
        let result = self.operation(call.action).invoke(form(parts.service, call)).await;
        let said =
            result.as_ref().err().and_then(SdkError::as_service_error).and_then(|error| error.request_id.clone());
        result.or_fail(&name).map_err(|failure| Failure { request_id: failure.request_id.or(said), ..failure })
    }

    /// Makes a call for every page of a list, and returns the members of all.
    pub async fn pages(&self, call: Call, list: &str) -> Result<Vec<Element>, Failure> {
        let (parameter, place) = self.0.service.page;
        let place = place.replace("{action}", call.action);
        let mut members = Vec::new();
        let mut page = call.clone();
        for _ in 0..MOST_PAGES {
            let answer = self.call(&page).await?;
            members.extend_from_slice(answer.list(list));
            let next = answer.text(&place);
            if next.is_empty() {
                return Ok(members);
            }
            page = call.clone().with(parameter, next);
        }
        let name = format!("{}.{}", self.0.service.name, call.action);
        Err(Failure::found(&name, Class::Other, format!("the list has no end after {MOST_PAGES} pages")))
    }

    fn operation(&self, action: &'static str) -> Operation<String, Element, Refusal> {
        let Parts { service, config, endpoint, timeouts, .. } = &*self.0;
        let mut operation = Operation::builder()
            .service_name(service.id)
            .operation_name(action)
            .endpoint_url(endpoint)
            .timeout_config(timeouts.clone())
            .with_connection_poisoning()
            .runtime_plugin(self.identification())
            .interceptor(ServiceClockSkewInterceptor::new())
            .interceptor(RequestInfoInterceptor::new())
            .interceptor(UserAgentInterceptor::new())
            .interceptor(InvocationIdInterceptor::new())
            .interceptor(Told)
            .standard_retry(&config.retry_config().cloned().unwrap_or_else(RetryConfig::standard))
            .retry_classifier(TransientErrorClassifier::<Refusal>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
            .retry_classifier(ServiceClockSkewClassifier::<Refusal>::new())
            .retry_classifier(Refused)
            .serializer(request)
            .deserializer(answer);
        if let Some(version) = config.behavior_version() {
            operation = operation.behavior_version(version);
        }
        if let Some(http) = config.http_client() {
            operation = operation.http_client(http);
        }
        if let Some(sleep) = config.sleep_impl() {
            operation = operation.sleep_impl(sleep);
        }
        if let Some(time) = config.time_source() {
            operation = operation.time_source(time);
        }
        operation.build()
    }

    /// Returns what tells the caller, and what is called.
    fn identification(&self) -> StaticRuntimePlugin {
        let Parts { service, config, region, identities, .. } = &*self.0;
        let mut layer = Layer::new("query");
        layer.store_put(ApiMetadata::new(service.name, env!("CARGO_PKG_VERSION")));
        layer.store_put(SigningRegion::from(Region::new(region.clone())));
        layer.store_put(SigningName::from(service.name));
        layer.store_put(SigV4OperationSigningConfig::default());
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        if let Some(name) = config.app_name() {
            layer.store_put(name.clone());
        }
        let mut parts = RuntimeComponentsBuilder::new("query");
        let schemes = StaticAuthSchemeOptionResolver::new(vec![sigv4::SCHEME_ID]);
        parts.set_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(schemes)));
        parts.push_auth_scheme(SharedAuthScheme::new(sigv4::SigV4AuthScheme::new()));
        parts.set_identity_cache(Some(identities.clone()));
        if let Some(credentials) = config.credentials_provider() {
            parts.set_identity_resolver(sigv4::SCHEME_ID, credentials);
        }
        StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(parts)
    }
}

/// Returns the address of a service: the one that is configured, else AWS's own in the partition of the region.
fn endpoint(config: &SdkConfig, service: Service, region: &str) -> String {
    let key =
        ServiceConfigKey::builder().service_id(service.id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let own = config.service_config().zip(key.ok()).and_then(|(config, key)| config.load_config(key));
    let name = match config.use_fips() {
        Some(true) => format!("{}-fips", service.name),
        _ => service.name.to_owned(),
    };
    own.or_else(|| config.endpoint_url().map(str::to_owned)).unwrap_or_else(|| match config.use_dual_stack() {
        Some(true) if Partition::of_region(region) != Partition::China => format!("https://{name}.{region}.api.aws"),
        _ => format!("https://{}", Partition::endpoint(&name, region)),
    })
}

/// Returns the body of a call.
fn form(service: Service, call: &Call) -> String {
    let token =
        call.step.as_ref().filter(|_| service.tokens.contains(&call.action)).map(|step| token(call.action, step));
    let fixed = [("Action", call.action), ("Version", service.version)];
    let pairs = fixed.into_iter().chain(call.parameters()).chain(token.as_deref().map(|token| ("ClientToken", token)));
    let pairs = pairs
        .map(|(name, value)| format!("{}={}", utf8_percent_encode(name, IN_FORM), utf8_percent_encode(value, IN_FORM)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Returns the token of a step: 64 characters, the longest that EC2 takes.
fn token(action: &str, step: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(format!("{action}\n{step}")))
}

fn request(form: String) -> Result<HttpRequest, aws_smithy_runtime_api::box_error::BoxError> {
    let mut request = HttpRequest::new(SdkBody::from(form));
    request.set_method("POST")?;
    request.set_uri("/")?;
    request.headers_mut().insert("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    Ok(request)
}

fn answer(response: &HttpResponse) -> Result<Element, OrchestratorError<Refusal>> {
    let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
    if response.status().is_success() {
        return Element::read(&body)
            .map_err(|error| OrchestratorError::other(format!("the answer is no XML: {error}")));
    }
    Err(OrchestratorError::operation(Refusal::read(response.status(), &body)))
}

#[cfg(test)]
mod tests;
