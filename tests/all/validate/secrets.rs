//! Secrets where everybody reads them, and addresses that would carry them in clear: refused before anything is sent.

use std::{fs, io::Read, net::TcpListener, path::Path};

use serde_json::Value;

use crate::{
    emulator::server::Emulator,
    harness::{Folder, Run},
};

const CANARY: &str = "canary-0123456789";

/// A declaration whose function has these lines in its environment. It stands in no workspace of Cargo's.
fn declaration(function: &str, code: &str, environment: &str) -> String {
    format!(
        "stack: s\nregion: eu-west-1\nfunctions:\n  {function}:\n    {code}\n    environment:\n      {environment}\n      SINK: lines\n"
    )
}

#[test]
fn a_secret_as_a_literal_is_refused_with_the_line_to_write_and_not_repeated() {
    for code in ["use: maintenance", "crate: maintenance"] {
        for name in ["NETBOX_TOKEN", "WEBHOOK_SECRET"] {
            let folder = Folder::with_declaration(declaration("maintenance", code, &format!("{name}: {CANARY}")));
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
            let folder = Folder::with_declaration(declaration(
                "maintenance",
                "use: maintenance",
                &format!("{name}: \"{address}\""),
            ));
            let run = folder.run(&["validate"]);
            assert_eq!(run.code(), Some(if is_taken { 0 } else { 2 }), "{name} {address}\n{run}");
            assert!(is_taken || !run.to_string().contains(CANARY), "{run}");
        }
    }
}

/// Returns every function of this repository with the variables of its `configuration.json`.
fn functions() -> Vec<(String, serde_json::Map<String, Value>)> {
    let handlers = Path::new(env!("CARGO_MANIFEST_DIR")).join("handler");
    let read = |folder: fs::DirEntry| {
        let schema = fs::read(folder.path().join("configuration.json")).ok()?;
        let schema: Value = serde_json::from_slice(&schema).unwrap();
        let variables = schema["properties"].as_object().unwrap().clone();
        Some((folder.file_name().into_string().unwrap(), variables))
    };
    let functions: Vec<_> = fs::read_dir(handlers).unwrap().filter_map(|folder| read(folder.unwrap())).collect();
    assert!(functions.len() > 1, "{functions:?}");
    functions
}

/// Runs what would send the environment to AWS, whose place a listener takes that nobody may ask.
fn refused_before_the_first_call(folder: &Folder, what: &str) -> Vec<Run> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let commands: [&[&str]; 4] = [&["validate"], &["diff", "--no-build"], &["up", "--yes"], &["up", "--dry-run"]];
    let runs = commands.iter().map(|arguments| {
        let output = folder.command(arguments).envs(Emulator::environment(&url)).output().unwrap();
        let run = folder.finish(arguments, output);
        assert_eq!(run.code(), Some(2), "{what}: {run}");
        assert!(!run.to_string().contains(CANARY), "{what}: {run}");
        run
    });
    let runs = runs.collect();
    assert!(listener.accept().is_err(), "{what}: AWS was asked");
    runs
}

/// Every variable of every function that is a secret, and every address that may not be clear text, wherever the function's schema
/// comes from: refused with its place by all that would bring it to AWS, before anything is asked of AWS.
#[test]
fn whatever_protects_a_variable_protects_it_before_the_first_call_of_aws() {
    let mut tried = 0;
    for (function, variables) in functions() {
        for (name, variable) in variables {
            let is_address = variable["pattern"].as_str().is_some_and(|form| form.contains("https://"));
            let values: Vec<String> = if variable["secret"] == true {
                vec![CANARY.to_owned(), format!("whsec_{CANARY}"), format!("'\\u0022{CANARY}'")]
            } else if is_address {
                [
                    "http://a.example/",
                    "HTTP://127.0.0.1.a.example/",
                    "http://10.0.0.1/",
                    "ftp://a.example/",
                    "a.example/",
                    "https://me:",
                ]
                .map(|address| format!("\"{address}{CANARY}@a.example\""))
                .into()
            } else {
                continue;
            };
            for value in values {
                for code in [format!("use: {function}"), format!("crate: {function}")] {
                    tried += 1;
                    let folder = Folder::with_declaration(declaration(&function, &code, &format!("{name}: {value}")));
                    for run in refused_before_the_first_call(&folder, &format!("{code}, {name}: {value}")) {
                        let place = format!("infra.yaml:7:{}: error: `{name}`", name.len() + 9);
                        assert!(run.diagnostics().iter().any(|line| line.starts_with(&place)), "{place}\n{run}");
                    }
                }
            }
        }
    }
    assert!(tried > 10, "{tried}");
}

/// The token is sent to nobody who would get it in clear.
#[test]
fn check_and_dev_refuse_an_address_without_tls_before_the_token_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = Folder::with_declaration(declaration("maintenance", "use: maintenance", "CALENDAR_NAME: x"));
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
    // Who was asked has the connection since before the command ended.
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
