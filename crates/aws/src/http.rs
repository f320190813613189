//! The one HTTP client of all services: plain or with TLS as each address says, through the proxies that the environment names, with the
//! certificates that the system and `AWS_CA_BUNDLE` have, and under the tool's own name.

use std::path::Path;

use aws_sdk_s3::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_http_client::{
    Builder, ConnectorBuilder,
    proxy::ProxyConfig,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::HttpRequest,
};

use crate::{
    credentials::{CA_BUNDLE, Profiles},
    proxy::check_proxies,
};
use problem::Problem;

/// Beginning of the user agent of every call.
const USER_AGENT: &str = concat!("provision/", env!("CARGO_PKG_VERSION"));

/// Returns the client; `bundle` is a file of certificates in PEM, if there is one.
pub(crate) fn client(bundle: Option<&Path>) -> Result<SharedHttpClient, Problem> {
    check_proxies()?;
    let trusted = TrustStore::default();
    let trusted = match bundle {
        Some(bundle) => trusted.with_pem_certificate(certificates(bundle)?),
        None => trusted,
    };
    let unread = |error| Problem::new("Failed to set up TLS").with_source(error);
    let tls = TlsContext::builder().with_trust_store(trusted).build().map_err(unread)?;
    let plain = Builder::new().build_with_connector_fn(|settings, _| connector(settings).build_http());
    let secure = Builder::new().build_with_connector_fn(move |settings, _| {
        connector(settings).tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls.clone()).build()
    });
    Ok(SharedHttpClient::new(ByScheme { plain, secure }))
}

/// Returns the certificates, in PEM, that `AWS_CA_BUNDLE` or `ca_bundle` of the profile names; `None` if neither does.
///
/// # Errors
///
/// The profiles or the file cannot be read, or it has no certificate, or one that is none.
pub async fn bundled_certificates() -> Result<Option<String>, Problem> {
    let bundle = Profiles::read().await?.ca_bundle();
    bundle.as_deref().map(certificates).transpose()
}

/// Reads a file of certificates as text.
fn certificates(file: &Path) -> Result<String, Problem> {
    let failed = || Problem::new(format!("Failed to read the certificates of `{}`", file.display()));
    let hint = format!(
        "`{CA_BUNDLE}`, or `ca_bundle` of the profile, is the path of a file with certificates in PEM, one after the other"
    );
    let pem = std::fs::read_to_string(file).map_err(|error| failed().with_hint(&hint).with_source(error))?;
    match tls::own_certificates(&pem) {
        Some(_) => Ok(pem),
        None => Err(Problem::new(format!(
            "Failed to read the certificates of `{}`: it has none, or one that cannot be read",
            file.display()
        ))
        .with_hint(hint)),
    }
}

fn connector(settings: Option<&HttpConnectorSettings>) -> ConnectorBuilder {
    let mut builder = ConnectorBuilder::default().proxy_config(ProxyConfig::from_env());
    builder.set_connector_settings(settings.cloned());
    builder
}

/// Two clients, of which an address chooses one: certificates are read only if one uses TLS, and addresses of either kind may be mixed.
#[derive(Debug)]
struct ByScheme {
    plain: SharedHttpClient,
    secure: SharedHttpClient,
}

impl HttpClient for ByScheme {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Choice {
            plain: self.plain.clone(),
            secure: self.secure.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

/// The connector of one call, which does not know its address yet.
#[derive(Debug)]
struct Choice {
    plain: SharedHttpClient,
    secure: SharedHttpClient,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for Choice {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        // No signature covers it.
        let agent = request.headers().get("user-agent").map(|agent| format!("{USER_AGENT} {agent}"));
        request.headers_mut().insert("user-agent", agent.unwrap_or_else(|| USER_AGENT.to_owned()));
        let client = if request.uri().starts_with("http://") { &self.plain } else { &self.secure };
        client.http_connector(&self.settings, &self.components).call(request)
    }
}
