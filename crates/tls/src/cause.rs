//! Why a connection failed, and whether trying again may help.

use std::{error::Error, io};

use rustls::CertificateError;

use crate::OwnCa;

/// The cause of a failed connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The error and what caused it, with what to do about it where that is known.
    pub words: String,
    /// `true` if the same attempt fails again until somebody changes something.
    pub is_permanent: bool,
}

/// Returns the cause of an error; `ca` is what the connection trusted besides the public authorities.
///
/// ```
/// use std::{error::Error, fmt};
///
/// #[derive(Debug)]
/// struct NotSent(std::io::Error);
/// impl fmt::Display for NotSent {
///     fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
///         formatter.write_str("the request was not sent")
///     }
/// }
/// impl Error for NotSent {
///     fn source(&self) -> Option<&(dyn Error + 'static)> {
///         Some(&self.0)
///     }
/// }
///
/// let reset = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "connection reset by peer");
/// let cause = tls::cause(&NotSent(reset), None);
/// assert_eq!(cause.words, "the request was not sent: connection reset by peer");
/// assert!(!cause.is_permanent);
/// ```
pub fn cause(error: &(dyn Error + 'static), ca: Option<&OwnCa>) -> Cause {
    let words = chain(error);
    match tls_error(error).and_then(|error| advice(error, ca)) {
        Some(advice) => Cause { words: format!("{words} ({advice})"), is_permanent: true },
        None => Cause { words, is_permanent: false },
    }
}

/// Returns an error and its causes, each once.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let cause = error.to_string();
        if !words.last().is_some_and(|last| last.contains(&cause)) {
            words.push(cause);
        }
        next = error.source();
    }
    words.join(": ")
}

/// Returns the error of TLS that an error is or was caused by. An `io::Error` passes over what it contains when it is asked for its source.
fn tls_error<'error>(error: &'error (dyn Error + 'static)) -> Option<&'error rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => tls_error(inner),
        None => tls_error(error.source()?),
    }
}

/// Returns what to do about an error of TLS; `None` if another attempt may succeed.
fn advice(error: &rustls::Error, ca: Option<&OwnCa>) -> Option<String> {
    Some(match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::Other(_)) => match ca {
            Some(OwnCa { variable, .. }) => {
                format!(
                    "put the certificate of its authority, or the server's own if it is self-signed, into `{variable}`"
                )
            }
            None => "its authority is not one that the system trusts".to_owned(),
        },
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "the address must name the server as its certificate does".to_owned(),
        rustls::Error::InvalidCertificate(_) => "the server needs another certificate".to_owned(),
        rustls::Error::InvalidMessage(_) => {
            "the server does not speak TLS at this port: is its address `http://`, or its port another?".to_owned()
        }
        rustls::Error::PeerIncompatible(_) | rustls::Error::AlertReceived(_) => {
            "the server must speak TLS 1.2 or 1.3".to_owned()
        }
        _ => return None,
    })
}
