//! The HTTP client for a NetBox: it connects as the function does, or through the proxy that the environment of this machine names.

use http_body_util::Full;
use hyper::{Request, Response, Uri, body::Bytes, body::Incoming};
use hyper_util::{
    client::{
        legacy::{self, connect::proxy::Tunnel},
        proxy::matcher::Matcher,
    },
    rt::TokioExecutor,
};
use tls::{Connector, Over, OwnCa};
use tokio::runtime::Runtime;

type Client<Connector> = legacy::Client<Connector, Full<Bytes>>;

/// A client, and the way that its connections take.
#[derive(Debug)]
pub(super) enum Http {
    /// It connects as the function does.
    Direct(Box<Client<Connector>>),
    /// It connects through the proxy that this environment variable names.
    Proxied(&'static str, Box<Client<Over<Tunnel<Connector>>>>),
}

impl Http {
    /// Returns the client for an address, or why there can be none. An address of plain HTTP is one of this machine, which needs no proxy.
    pub(super) fn new(address: &str, ca: &OwnCa, runtime: &Runtime) -> Result<Self, String> {
        let uri: Uri = address.parse().map_err(|_| "the address cannot be read".to_owned())?;
        let variable = if address.starts_with("https:") {
            aws::proxy_variable().map_err(|problem| problem.to_string())?
        } else {
            None
        };
        let proxy = variable.and_then(|variable| Some((variable, Matcher::from_env().intercept(&uri)?)));
        let Some((variable, proxy)) = proxy else {
            return Ok(Self::Direct(built(tls::connector(address, Some(ca))?)));
        };
        // The proxy may be one that opens TLS: then its certificates are AWS's, too.
        let bundle = runtime.block_on(aws::bundled_certificates()).map_err(|problem| problem.to_string())?;
        let pem: Vec<String> = ca.pem.clone().into_iter().chain(bundle).collect();
        let ca = OwnCa { variable: ca.variable, pem: (!pem.is_empty()).then(|| pem.join("\n")) };
        let mut tunnel = Tunnel::new(proxy.uri().clone(), tls::connector(&proxy.uri().to_string(), Some(&ca))?);
        if let Some(password) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(password.clone());
        }
        Ok(Self::Proxied(variable, built(tls::over(tunnel, address, Some(&ca))?)))
    }

    /// Returns the environment variable that names the proxy; `None` if there is none on the way.
    pub(super) fn proxy(&self) -> Option<&'static str> {
        match self {
            Self::Direct(_) => None,
            Self::Proxied(variable, _) => Some(variable),
        }
    }

    pub(super) async fn request(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, legacy::Error> {
        match self {
            Self::Direct(client) => client.request(request).await,
            Self::Proxied(_, client) => client.request(request).await,
        }
    }
}

fn built<C: legacy::connect::Connect + Clone>(connector: C) -> Box<Client<C>> {
    Box::new(legacy::Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector))
}
