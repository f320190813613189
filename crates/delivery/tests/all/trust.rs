//! TLS to the database: verified by the authority that is named, and by RDS's where none is.

use std::fs;

use delivery::{Database, Fault, Location, Store};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use replaced::Replaced as _;

use crate::servers::MySql;

/// Returns an authority as PEM, and the options of a server whose certificate it has signed.
fn secured(folder: &std::path::Path, names: &[&str]) -> (String, Vec<String>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let (certificate_file, key_file) = (folder.join("certificate.pem"), folder.join("key.pem"));
    fs::write(&certificate_file, certificate.pem()).unwrap();
    fs::write(&key_file, key.serialize_pem()).unwrap();
    let options =
        vec![format!("--ssl-cert={}", certificate_file.display()), format!("--ssl-key={}", key_file.display())];
    (authority.pem(), options)
}

#[tokio::test]
async fn only_a_certificate_of_the_named_authority_for_the_named_host_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, options) = secured(folder.path(), &["127.0.0.1"]);
    let Some(maria) = MySql::start_with(&options) else { return };
    assert!(maria.folder().is_dir());
    let with = |url: &str, ca: Option<&str>| Database::new(Location::read(url, ca).unwrap());
    with(&maria.url(), Some(&authority)).reach().await.unwrap();
    let other = tempfile::tempdir().unwrap();
    let (stranger, _) = secured(other.path(), &["127.0.0.1"]);
    let by_name = maria.url().replaced("127.0.0.1", "localhost");
    let (this, of_rds) = (maria.url(), include_str!("../../certificates/rds.pem"));
    for (url, ca) in [(&this, stranger.as_str()), (&by_name, authority.as_str()), (&this, of_rds)] {
        let Err(Fault::Away(reason)) = with(url, Some(ca)).reach().await else { panic!("{url} was trusted by {ca}") };
        assert!(!reason.contains("s3cret"), "{reason}");
        assert!(reason.contains("certificate"), "{reason}");
    }
}
