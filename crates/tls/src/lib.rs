//! Connections to servers: which certificates are trusted, and why a connection failed.
//!
//! A function and the command line connect through this crate alone, so that what `provision check` finds is what the function will find.

mod cause;
mod verifier;

use std::{sync::Arc, time::Duration};

use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, pem::PemObject},
};

pub use cause::{Cause, cause};
use verifier::Verifier;

/// Timeout of a TCP connection.
const CONNECT: Duration = Duration::from_secs(3);

/// Connects by HTTP, or by HTTPS with verified certificates.
pub type Connector = Over<HttpConnector>;
/// The same over connections that something else makes, such as a proxy.
pub type Over<Tcp> = hyper_rustls::HttpsConnector<Tcp>;

/// Certificates that are trusted besides the public ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCa {
    /// Environment variable that holds them.
    pub variable: &'static str,
    /// Certificates of authorities, or of servers themselves, as PEM; `None` if the variable is not set.
    pub pem: Option<String>,
}

/// Returns the connector for that address. Certificates are read only for one that begins with `https:`, since that is expensive.
///
/// ```
/// use tls::{OwnCa, connector};
///
/// let ca = OwnCa { variable: "NETBOX_CA", pem: Some("not a certificate".to_owned()) };
/// let refused = connector("https://netbox.example", Some(&ca)).err().unwrap();
/// assert_eq!(refused, "the certificates of `NETBOX_CA` cannot be read");
/// // Without TLS no certificate is needed, and none is read.
/// assert!(connector("http://127.0.0.1:8000", Some(&ca)).is_ok());
/// ```
pub fn connector(address: &str, ca: Option<&OwnCa>) -> Result<Connector, String> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT));
    over(tcp, address, ca)
}

/// Returns the connector for that address over connections that `tcp` makes.
pub fn over<Tcp>(tcp: Tcp, address: &str, ca: Option<&OwnCa>) -> Result<Over<Tcp>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    let config = if address.starts_with("https:") {
        let verifier = verifier(ca, provider)?;
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
    } else {
        builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
    };
    let builder = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config);
    Ok(builder.https_or_http().enable_http1().wrap_connector(tcp))
}

/// Returns what verifies certificates, by the public authorities and one's own.
fn verifier(ca: Option<&OwnCa>, provider: Arc<CryptoProvider>) -> Result<Verifier, String> {
    let own = match ca {
        Some(OwnCa { variable, pem: Some(pem) }) => {
            own_certificates(pem).ok_or_else(|| format!("the certificates of `{variable}` cannot be read"))?
        }
        _ => Vec::new(),
    };
    let mut roots = RootCertStore::empty();
    // Among those of a system there may well be some that cannot be parsed.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.add_parsable_certificates(own.iter().cloned());
    Verifier::new(roots, own, provider).map_err(|error| {
        format!("there is no certificate authority to trust, neither the system's nor one's own: {error}")
    })
}

/// Reads the certificates of a PEM text; `None` if there is none, or one that cannot be read.
pub fn own_certificates(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().ok()?;
    let mut store = RootCertStore::empty();
    let are_read = !all.is_empty() && all.iter().all(|certificate| store.add(certificate.clone()).is_ok());
    are_read.then_some(all)
}

#[cfg(test)]
mod tests;
