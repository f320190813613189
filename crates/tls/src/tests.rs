//! Tests which certificates are trusted, with ones that `openssl req -x509` makes.

use std::{
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use rustls::{
    CertificateError, Error,
    client::danger::ServerCertVerifier,
    pki_types::{ServerName, UnixTime},
};

use super::*;

/// Makes a certificate with its key; returns it as PEM.
fn made(folder: &std::path::Path, name: &str, more: &str) -> String {
    let command = format!(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {name}.key -out {name}.pem {more}"
    );
    let output = Command::new("openssl").args(command.split_whitespace()).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read_to_string(folder.join(format!("{name}.pem"))).unwrap()
}

/// Returns why a server's certificate is not trusted now with that `NETBOX_CA`; `None` if it is.
fn refusal(ca: &str, shown: &str, name: &str) -> Option<Error> {
    refusal_after(Duration::ZERO, ca, shown, name)
}

fn refusal_after(time: Duration, ca: &str, shown: &str, name: &str) -> Option<Error> {
    let ca = OwnCa { variable: "NETBOX_CA", pem: Some(ca.to_owned()) };
    let verifier = verifier(Some(&ca), Arc::new(rustls::crypto::ring::default_provider())).unwrap();
    let shown = own_certificates(shown).unwrap().remove(0);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let now = UnixTime::since_unix_epoch(SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + time);
    verifier.verify_server_cert(&shown, &[], &name, &[], now).err()
}

#[test]
fn a_self_signed_certificate_is_trusted_where_it_is_named_and_no_other_is() {
    if Command::new("openssl").arg("version").output().is_err() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, more: &str| made(folder.path(), name, more);
    let plain = make("plain", "-days 2 -subj /CN=netbox.example");
    let twin = make("twin", "-days 2 -subj /CN=netbox.example");
    let named = make("named", "-days 2 -subj /CN=x -addext subjectAltName=DNS:netbox.example,IP:127.0.0.1");
    let leaf = make("leaf", "-days 2 -subj /CN=netbox.example -addext basicConstraints=critical,CA:FALSE");
    let signed = make(
        "signed",
        "-days 2 -subj /CN=s -addext subjectAltName=DNS:netbox.example -addext basicConstraints=CA:FALSE -CA plain.pem -CAkey plain.key",
    );
    let both = format!("{plain}{named}");
    let is_name = |error: &Error| {
        matches!(
            error,
            Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
            )
        )
    };
    let is_past = |error: &Error| {
        matches!(error, Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }))
    };
    for (what, ca, shown, name) in [
        ("plain", &plain, &plain, "netbox.example"),
        ("by its address", &plain, &plain, "127.0.0.1"),
        ("named", &named, &named, "netbox.example"),
        ("named by its address", &named, &named, "127.0.0.1"),
        ("leaf", &leaf, &leaf, "netbox.example"),
        ("one of two", &both, &named, "netbox.example"),
        ("signed by an authority", &plain, &signed, "netbox.example"),
    ] {
        assert_eq!(refusal(ca, shown, name), None, "{what}");
    }
    assert!(refusal(&named, &named, "other.example").is_some_and(|error| is_name(&error)));
    assert!(
        refusal(&plain, &signed, "other.example").is_some_and(|error| is_name(&error)),
        "an authority's names count"
    );
    let days = Duration::from_hours(72);
    assert!(refusal_after(days, &plain, &plain, "netbox.example").is_some_and(|error| is_past(&error)));
    for (what, ca, shown) in [("a twin", &plain, &twin), ("another", &plain, &named), ("a leaf", &plain, &leaf)] {
        assert!(refusal(ca, shown, "netbox.example").is_some(), "{what}");
    }
}

#[test]
fn certificates_that_cannot_be_read_are_no_certificates() {
    for pem in ["", "text", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let ca = OwnCa { variable: "NETBOX_CA", pem: Some(pem.to_owned()) };
        let error = connector("https://netbox.example", Some(&ca)).unwrap_err();
        assert_eq!(error, "the certificates of `NETBOX_CA` cannot be read", "{pem}");
        assert!(connector("http://netbox.example", Some(&ca)).is_ok(), "they are not needed");
    }
}
