//! Tests that others on this machine can do nothing with a running `provision dev`.

use std::{
    io::{Read, Write},
    net::TcpStream,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::Command,
    time::Duration,
};

use super::session::{Live, Run, mail};

const SECRET: &str = "not-to-be-shown";

/// A run that has handled one mail, and the address that its function was told in a variable.
fn running(variable: &str) -> (Live, String) {
    let mut live = Run::new().variable("GREETING_TOKEN", SECRET).live(&[]);
    send(&live, &format!("print {variable}"));
    let printed = live.until_error(|line| line.contains(&format!("reader | {variable}=")));
    let value = printed.split_once('=').unwrap().1.trim_start_matches("http://").to_owned();
    (live, value)
}

fn send(live: &Live, subject: &str) {
    let mail = mail(subject).replace('\n', "\r\n") + ".\r\n";
    let says: [&[u8]; 5] = [
        b"EHLO here\r\n",
        b"MAIL FROM:<noc@carrier.example>\r\n",
        b"RCPT TO:<noc@example.com>\r\n",
        b"DATA\r\n",
        mail.as_bytes(),
    ];
    assert!(live.smtp(&says).last().unwrap().starts_with("250"), "{subject}");
}

/// Sends a request; returns the status, and the whole answer.
fn ask(address: &str, first: &str, headers: &[&str], body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let headers = headers.join("\r\n") + if headers.is_empty() { "" } else { "\r\n" };
    let length = body.len();
    write!(stream, "{first} HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    let _it_may_be_cut = stream.read_to_string(&mut answer);
    (answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default(), answer)
}

#[test]
fn an_unsigned_request_gets_no_secret() {
    let (_live, address) = running("AWS_ENDPOINT_URL");
    let host = format!("Host: {address}");
    let target = "x-amz-target: secretsmanager.GetSecretValue";
    let date = "X-Amz-Date: 20260102T030405Z";
    let guessed = "Authorization: AWS4-HMAC-SHA256 Credential=LOCAL0123456789ABCDE/20260102/eu-west-1/secretsmanager/aws4_request, \
                   SignedHeaders=host;x-amz-date;x-amz-target, Signature=0000000000000000000000000000000000000000000000000000000000000000";
    let garbage = "Authorization: AWS4-HMAC-SHA256 Credential=LOCAL, SignedHeaders=, Signature=";
    for headers in
        [vec![], vec![guessed, date], vec![garbage, date], vec![guessed], vec!["Authorization: Basic eDp5", date]]
    {
        let all = [&[host.as_str(), target], headers.as_slice()].concat();
        let (status, answer) = ask(&address, "POST /", &all, r#"{"SecretId": "greeting/token"}"#);
        assert_eq!(status, 403, "{headers:?}: {answer}");
        assert!(!answer.contains(SECRET), "{answer}");
    }
}

#[test]
fn a_web_page_that_leads_here_by_a_name_of_its_own_is_not_answered() {
    for (variable, path) in [
        ("AWS_ENDPOINT_URL", "POST /"),
        ("AWS_ENDPOINT_URL_S3", "GET /standin-mail-123456789012-eu-west-1/inbound/x"),
        ("AWS_LAMBDA_RUNTIME_API", "POST /2018-06-01/runtime/invocation/x/response"),
    ] {
        let (_live, address) = running(variable);
        let port = address.split(':').nth(1).unwrap();
        for host in [format!("Host: evil.example:{port}"), "Host: evil.example".to_owned(), "X-None: 1".to_owned()] {
            let (status, answer) = ask(&address, path, &[&host], "{}");
            assert!([400, 421].contains(&status), "{variable} {host}: {answer}");
        }
        for host in [format!("Host: {address}"), format!("Host: localhost:{port}")] {
            let (status, answer) = ask(&address, path, &[&host], "{}");
            assert!([400, 403].contains(&status) && !answer.contains("not the host"), "{variable} {host}: {answer}");
        }
    }
}

#[test]
fn keys_are_others_in_every_run() {
    let (_one, first) = running("AWS_SECRET_ACCESS_KEY");
    let (_other, second) = running("AWS_SECRET_ACCESS_KEY");
    assert!(first.len() == 64 && second.len() == 64 && first != second, "{first} {second}");
}

/// Only root can become somebody else.
#[test]
fn another_user_of_this_machine_is_not_let_in() {
    let (live, api) = running("AWS_LAMBDA_RUNTIME_API");
    let answer = |address: &str, user: u32| {
        let (host, port) = address.split_once(':').unwrap();
        let script = format!("exec 3<>/dev/tcp/{host}/{port}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; head -c 20 <&3");
        let output = Command::new("bash").args(["-c", &script]).uid(user).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let smtp = format!("127.0.0.1:{}", live.port);
    for address in [&smtp, &api] {
        let Ok(other) = answer(address, 65_534) else {
            println!("not run: this is not root, who could become another user");
            return;
        };
        assert_eq!(other, "", "{address}");
        assert_ne!(answer(address, rustix::process::geteuid().as_raw()).unwrap(), "", "{address}");
    }
}

#[test]
fn a_web_page_cannot_speak_smtp() {
    let (live, _) = running("AWS_REGION");
    let smtp = format!("127.0.0.1:{}", live.port);
    let commands = format!(
        "EHLO x\r\nMAIL FROM:<noc@carrier.example>\r\nRCPT TO:<noc@example.com>\r\nDATA\r\n{}.\r\n",
        mail("evil")
    );
    let (_, answer) = ask(&smtp, "POST /", &[&format!("Host: {smtp}")], &commands);
    assert!(answer.starts_with("220") && !answer.contains("354") && !answer.contains("250"), "{answer}");
}

#[test]
fn mails_and_events_are_nobody_else_s() {
    let run = Run::new().mail("a.eml", mail("report delivered")).mail("b.eml", mail("crash")).once(&[]);
    let mut seen = 0;
    look(&run.folder.path().join("state"), &mut seen);
    assert!(seen > 6, "{seen}");
}

/// Looks at a folder and all in it.
fn look(path: &Path, seen: &mut usize) {
    let status = std::fs::symlink_metadata(path).unwrap();
    let expected = if status.is_dir() { 0o700 } else { 0o600 };
    assert_eq!(status.permissions().mode() & 0o777, expected, "{}", path.display());
    *seen += 1;
    if status.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            look(&entry.unwrap().path(), seen);
        }
    }
}
