//! Calls on the SDK's own runtime, for services that have no generated client here: each is an operation with the parts that the
//! generated clients have.

use std::{error::Error, fmt, sync::Arc, time::Duration};

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
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        auth::{
            AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
            static_resolver::StaticAuthSchemeOptionResolver,
        },
        identity::SharedIdentityCache,
        interceptors::SharedInterceptor,
        orchestrator::{HttpRequest, HttpResponse, OrchestratorError},
        runtime_components::RuntimeComponentsBuilder,
        runtime_plugin::StaticRuntimePlugin,
    },
};
use aws_smithy_types::{
    config_bag::Layer, error::metadata::ProvideErrorMetadata, retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_types::{
    SigningName,
    region::{Region, SigningRegion},
    service_config::ServiceConfigKey,
};

use crate::{calls::CallListener, refused::Refused};
use contract::partition::Partition;

/// Maximum time of one attempt, where the configuration has none: a connection that stays silent does not use up all of a call's time.
const ATTEMPT: Duration = Duration::from_secs(20);

/// Address, credentials and waits of one service's calls.
#[derive(Debug, Clone)]
pub(crate) struct Caller(Arc<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    id: &'static str,
    name: &'static str,
    config: SdkConfig,
    region: String,
    endpoint: String,
    timeouts: TimeoutConfig,
    identities: SharedIdentityCache,
    observer: Option<SharedInterceptor>,
}

impl Caller {
    /// Returns what calls a service in the region of the configuration, or at the endpoint that `AWS_ENDPOINT_URL_<SERVICE>`, a profile or
    /// `AWS_ENDPOINT_URL` names. `id` is the service's in that variable, in AWS's own case; `name` that in the host and the signature.
    pub(crate) fn new(config: &SdkConfig, id: &'static str, name: &'static str) -> Self {
        Self::signed_as(config, id, name, name)
    }

    /// Makes a client of a service whose name in the signature differs from that in the host.
    pub(crate) fn signed_as(config: &SdkConfig, id: &'static str, host: &'static str, name: &'static str) -> Self {
        let region = config.region().map_or_else(String::new, ToString::to_string);
        let timeouts = config.timeout_config().cloned().unwrap_or_else(|| TimeoutConfig::builder().build());
        let attempt = timeouts.operation_attempt_timeout().or(timeouts.read_timeout()).unwrap_or(ATTEMPT);
        let parts = Parts {
            id,
            name,
            endpoint: endpoint(config, id, host, &region),
            region,
            timeouts: timeouts.to_builder().operation_attempt_timeout(attempt).build(),
            // Credentials are looked for once, and not with every call.
            identities: config.identity_cache().unwrap_or_else(|| IdentityCache::lazy().build()),
            config: config.clone(),
            observer: None,
        };
        Self(Arc::new(parts))
    }

    /// Returns the same with somebody else who looks at the calls.
    pub(crate) fn with(self, observer: SharedInterceptor) -> Self {
        Self(Arc::new(Parts { observer: Some(observer), ..(*self.0).clone() }))
    }

    /// Returns an operation of the service, with the forms of its requests and answers.
    pub(crate) fn operation<Input, Answer, Refusal>(
        &self,
        action: &'static str,
        request: fn(Input) -> Result<HttpRequest, BoxError>,
        answer: fn(&HttpResponse) -> Result<Answer, OrchestratorError<Refusal>>,
    ) -> Operation<Input, Answer, Refusal>
    where
        Input: fmt::Debug + Send + Sync + 'static,
        Answer: fmt::Debug + Send + Sync + 'static,
        Refusal: Error + ProvideErrorMetadata + fmt::Debug + Send + Sync + 'static,
    {
        let Parts { id, config, endpoint, timeouts, observer, .. } = &*self.0;
        let mut operation = Operation::builder()
            .service_name(*id)
            .operation_name(action)
            .endpoint_url(endpoint)
            .timeout_config(timeouts.clone())
            .with_connection_poisoning()
            .runtime_plugin(self.identification())
            .interceptor(ServiceClockSkewInterceptor::new())
            .interceptor(RequestInfoInterceptor::new())
            .interceptor(UserAgentInterceptor::new())
            .interceptor(InvocationIdInterceptor::new())
            .standard_retry(&config.retry_config().cloned().unwrap_or_else(RetryConfig::standard))
            .retry_classifier(TransientErrorClassifier::<Refusal>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
            .retry_classifier(ServiceClockSkewClassifier::<Refusal>::new())
            .retry_classifier(Refused)
            .serializer(request)
            .deserializer(answer);
        operation = match observer {
            Some(observer) => operation.interceptor(observer.clone()),
            None => operation.interceptor(CallListener),
        };
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
        let Parts { name, config, region, identities, .. } = &*self.0;
        let mut layer = Layer::new("call");
        layer.store_put(ApiMetadata::new(name, env!("CARGO_PKG_VERSION")));
        layer.store_put(SigningRegion::from(Region::new(region.clone())));
        layer.store_put(SigningName::from(*name));
        layer.store_put(SigV4OperationSigningConfig::default());
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        if let Some(app) = config.app_name() {
            layer.store_put(app.clone());
        }
        let mut parts = RuntimeComponentsBuilder::new("call");
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
pub(crate) fn endpoint(config: &SdkConfig, id: &'static str, name: &str, region: &str) -> String {
    let key = ServiceConfigKey::builder().service_id(id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let own = config.service_config().zip(key.ok()).and_then(|(config, key)| config.load_config(key));
    let name = match config.use_fips() {
        Some(true) => format!("{name}-fips"),
        _ => name.to_owned(),
    };
    own.or_else(|| config.endpoint_url().map(str::to_owned)).unwrap_or_else(|| match config.use_dual_stack() {
        Some(true) if Partition::of_region(region) != Partition::China => format!("https://{name}.{region}.api.aws"),
        _ => format!("https://{}", Partition::endpoint(&name, region)),
    })
}
