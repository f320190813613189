//! TLS of the SMTP server, with a certificate that is made at every start and signed by itself. Its key is nowhere but in memory.

use std::{io, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio_rustls::TlsAcceptor;

/// Names in the certificate: those of what listens here.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// A certificate with its key.
#[derive(Clone)]
pub(crate) struct Certificate {
    /// Takes TLS connections with it.
    pub(super) acceptor: TlsAcceptor,
    /// The certificate as PEM, without its key: who wants to check it can trust this.
    pub(crate) pem: String,
}

impl Certificate {
    /// Makes a self-signed certificate for the listener.
    pub(crate) fn new() -> io::Result<Self> {
        let made = rcgen::generate_simple_self_signed(NAMES.map(str::to_owned)).map_err(io::Error::other)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key))
            .map_err(io::Error::other)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), pem: made.cert.pem() })
    }
}
