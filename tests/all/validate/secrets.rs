//! Secrets where everybody reads them, and addresses that would carry them in clear: refused before anything is sent.

use std::{io::Read, net::TcpListener, time::Duration};

use crate::harness::Folder;

const CANARY: &str = "canary-0123456789";

/// A declaration whose function has these lines in its environment. It stands in no workspace of Cargo's.
fn declaration(code: &str, environment: &str) -> String {
    format!(
        "stack: s\nregion: eu-west-1\nfunctions:\n  maintenance:\n    {code}\n    environment:\n      SINK: lines\n      {environment}\n"
    )
}

#[test]
fn a_secret_as_a_literal_is_refused_with_the_line_to_write_and_not_repeated() {
    for code in ["use: maintenance", "crate: maintenance"] {
        for name in ["NETBOX_TOKEN", "WEBHOOK_SECRET"] {
            let folder = Folder::with_declaration(declaration(code, &format!("{name}: {CANARY}")));
            let run = folder.run(&["validate"]);
            assert_eq!(run.code(), Some(2), "{run}");
            let shown = run.to_string();
            assert!(shown.contains(&format!("`{name}` is a secret")), "{shown}");
            assert!(shown.contains("secrets") && shown.contains(&format!("{name}: ")), "{shown}");
            assert!(!shown.contains(CANARY), "{shown}");
        }
    }
}

#[test]
fn an_address_that_the_function_refuses_is_refused_and_what_may_be_secret_in_it_is_not_repeated() {
    for name in ["NETBOX_URL", "WEBHOOK_URL"] {
        for (address, is_taken) in [
            (format!("http://a.example/{CANARY}"), false),
            (format!("https://me:{CANARY}@a.example"), false),
            (format!("http://127.0.0.1.a.example/{CANARY}"), false),
            (format!("https://a.example/{CANARY}"), true),
            (format!("http://127.0.0.1:8000/{CANARY}"), true),
            (format!("http://localhost/{CANARY}"), true),
        ] {
            let folder = Folder::with_declaration(declaration("use: maintenance", &format!("{name}: \"{address}\"")));
            let run = folder.run(&["validate"]);
            assert_eq!(run.code(), Some(if is_taken { 0 } else { 2 }), "{name} {address}\n{run}");
            assert!(is_taken || !run.to_string().contains(CANARY), "{run}");
        }
    }
}

/// The token is sent to nobody who would get it in clear.
#[test]
fn check_and_dev_refuse_an_address_without_tls_before_the_token_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = Folder::with_declaration(declaration("use: maintenance", "CALENDAR_NAME: x"));
    for address in [
        format!("http://127.0.0.1.nip.example:{port}"),
        format!("http://0.0.0.0:{port}"),
        format!("http://me:{CANARY}@127.0.0.1:{port}"),
        "http://netbox.example".to_owned(),
        format!("netbox.example/{CANARY}"),
    ] {
        let run = |arguments: &[&str]| {
            let output = folder.command(arguments).env("NETBOX_TOKEN", CANARY).output().unwrap();
            folder.finish(arguments, output)
        };
        let run = run(&["check", "--netbox", &address]);
        assert_eq!(run.code(), Some(2), "{run}");
        let shown = run.shown();
        assert!(shown.contains("https://") && !shown.contains(CANARY), "{shown}");
    }
    std::thread::sleep(Duration::from_millis(50));
    assert!(listener.accept().is_err(), "somebody was asked");
}

/// A NetBox that repeats what it was sent.
#[test]
fn check_does_not_repeat_a_token_that_a_server_repeats() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let length = stream.read(&mut request).unwrap();
        let head = String::from_utf8_lossy(&request[..length]).into_owned();
        let sent = head.lines().find(|line| line.to_ascii_lowercase().starts_with("authorization")).unwrap();
        assert!(sent.contains(CANARY), "{head}");
        let answer = format!("HTTP/1.1 403 No\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{sent}", sent.len());
        std::io::Write::write_all(&mut stream, answer.as_bytes()).unwrap();
    });
    let folder = Folder::new();
    let arguments = ["check", "--netbox", &address];
    let output = folder.command(&arguments).env("NETBOX_TOKEN", CANARY).output().unwrap();
    let run = folder.finish(&arguments, output);
    assert_eq!(run.code(), Some(1), "{run}");
    assert!(!run.shown().contains(CANARY) && run.shown().contains("[secret]"), "{run}");
    serving.join().unwrap();
}
