//! Tests STARTTLS of `provision dev`.

use std::{
    io::{BufReader, Read, Write},
    net::TcpStream,
    sync::Arc,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

use super::session::{Live, Run, answer};

/// Agrees on TLS over a connection, with no trust but in the run's own certificate.
fn secured(live: &Live, plain: TcpStream) -> BufReader<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(live.state().join("certificate.pem")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    BufReader::new(StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), plain))
}

/// Says something, and returns the last line of the answer.
fn say(client: &mut BufReader<impl Read + Write>, words: &str) -> String {
    client.get_mut().write_all(words.as_bytes()).unwrap();
    client.get_mut().flush().unwrap();
    answer(client)
}

#[test]
fn a_mail_arrives_by_starttls_with_a_certificate_that_can_be_checked() {
    let mut live = Run::new().live(&[]);
    let mut plain = live.client();
    plain.get_mut().write_all(b"EHLO mx\r\n").unwrap();
    let mut offers = String::new();
    while !offers.contains("250 ") {
        std::io::BufRead::read_line(&mut plain, &mut offers).unwrap();
    }
    assert!(offers.contains("250-STARTTLS\r\n"), "{offers}");
    // What is said without TLS does not count with it.
    assert_eq!(say(&mut plain, "MAIL FROM:<forged@carrier.example>\r\n"), "250 2.1.0 OK");
    assert_eq!(say(&mut plain, "STARTTLS\r\n"), "220 2.0.0 Begin");
    let mut client = secured(&live, plain.into_inner());
    assert_eq!(say(&mut client, "RCPT TO:<noc@example.com>\r\n"), "503 5.5.1 Say MAIL FROM first");
    assert_eq!(say(&mut client, "MAIL FROM:<a@carrier.example>\r\n"), "503 5.5.1 Say EHLO first");
    client.get_mut().write_all(b"EHLO mx\r\n").unwrap();
    let mut offers = String::new();
    while !offers.contains("250 ") {
        std::io::BufRead::read_line(&mut client, &mut offers).unwrap();
    }
    assert!(!offers.contains("STARTTLS"), "{offers}");
    assert_eq!(say(&mut client, "STARTTLS\r\n"), "503 5.5.1 This is TLS already");
    assert_eq!(say(&mut client, "MAIL FROM:<a@carrier.example>\r\n"), "250 2.1.0 OK");
    assert_eq!(say(&mut client, "RCPT TO:<noc@example.com>\r\n"), "250 2.1.5 OK");
    assert!(say(&mut client, "DATA\r\n").starts_with("354"));
    assert!(say(&mut client, "Subject: report delivered\r\n\r\nbody\r\n.\r\n").starts_with("250 2.0.0 OK"));
    assert_eq!(say(&mut client, "QUIT\r\n"), "221 2.0.0 Bye");
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty(), "the end is not cut off");
    live.until(|line| line.starts_with("#1 delivered"));
}

#[test]
fn commands_that_come_along_with_starttls_are_not_taken() {
    let live = Run::new().live(&[]);
    let mut plain = live.client();
    say(&mut plain, "EHLO mx\r\n");
    let along = "STARTTLS\r\nMAIL FROM:<forged@carrier.example>\r\nRCPT TO:<noc@example.com>\r\n";
    assert_eq!(say(&mut plain, along), "501 5.5.4 Nothing may follow STARTTLS before its answer");
    assert_eq!(say(&mut plain, "RCPT TO:<noc@example.com>\r\n"), "503 5.5.1 Say MAIL FROM first");
    // The client may try again.
    assert_eq!(say(&mut plain, "STARTTLS\r\n"), "220 2.0.0 Begin");
    let mut client = secured(&live, plain.into_inner());
    assert!(say(&mut client, "EHLO mx\r\n").starts_with("250"));
}

#[test]
fn who_speaks_plainly_after_starttls_is_not_heard() {
    let live = Run::new().live(&[]);
    let mut plain = live.client();
    say(&mut plain, "EHLO mx\r\n");
    assert_eq!(say(&mut plain, "STARTTLS\r\n"), "220 2.0.0 Begin");
    plain.get_mut().write_all(b"MAIL FROM:<forged@carrier.example>\r\n").unwrap();
    let mut heard = Vec::new();
    let _it_is_reset = plain.read_to_end(&mut heard);
    assert!(!heard.windows(3).any(|code| code == b"250"), "{heard:?}");
}
