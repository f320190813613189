//! Tests that a failure is told with its cause, whatever sink it is a failure of: a table of causes and sinks, with real servers.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    cloud::{Cloud, Running},
    function::{PROGRAM, event, mail},
};

/// Time of an invocation: what is tried again is tried for the first two thirds of it.
const TIME: Duration = Duration::from_secs(6);

/// The servers that a mail needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    NetBox,
    Webhook,
    S3,
    Secrets,
}

/// The ways in which a server fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failing {
    Refuses,
    /// Its certificate is its own.
    Untrusted,
    /// It does not speak TLS at an address that begins with `https:`.
    Plain,
    /// It closes each connection.
    Closes,
    /// It accepts connections and never answers.
    Silent,
    /// It answers this status with [`BODY`].
    Answers(u16),
}

const BODY: &str = "closed for works until noon";

const SERVERS: [Server; 4] = [Server::NetBox, Server::Webhook, Server::S3, Server::Secrets];
const FAILURES: [Failing; 9] = [
    Failing::Refuses,
    Failing::Untrusted,
    Failing::Plain,
    Failing::Closes,
    Failing::Silent,
    Failing::Answers(503),
    Failing::Answers(429),
    Failing::Answers(403),
    Failing::Answers(302),
];

impl Failing {
    /// Words that the error has to have.
    fn words(self, server: Server) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Refuses => &["Connection refused"],
            Self::Untrusted => &["invalid peer certificate"],
            Self::Plain => &["the server does not speak TLS"],
            // By which error depends on how much of the request was read.
            Self::Closes => &["connection"],
            Self::Silent => &["no answer in time"],
            Self::Answers(_) => &[BODY],
        };
        let variable = match server {
            Server::NetBox => "`NETBOX_CA`",
            Server::Webhook => "`WEBHOOK_CA`",
            Server::S3 | Server::Secrets => "the system trusts",
        };
        let status = if let Self::Answers(status) = self { Some(status.to_string()) } else { None };
        let more = status.into_iter().chain((self == Self::Untrusted).then(|| variable.to_owned()));
        words.iter().map(|word| (*word).to_owned()).chain(more).collect()
    }

    fn is_permanent(self) -> bool {
        matches!(self, Self::Untrusted | Self::Plain | Self::Answers(403 | 302))
    }
}

/// Starts a server that fails; returns its address, and the number of the connections to it.
fn failing(failing: Failing) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let scheme = if matches!(failing, Failing::Untrusted | Failing::Plain) { "https" } else { "http" };
    let count = Arc::new(AtomicUsize::new(0));
    if failing == Failing::Refuses {
        return (format!("{scheme}://{address}"), count);
    }
    let counting = Arc::clone(&count);
    let tls = untrusted();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            counting.fetch_add(1, Ordering::Relaxed);
            let tls = Arc::clone(&tls);
            thread::spawn(move || match failing {
                Failing::Refuses => drop(stream),
                Failing::Closes => {
                    let mut stream = stream;
                    let _read = stream.read(&mut [0; 8192]);
                }
                Failing::Silent => {
                    let mut stream = stream;
                    let _it_gives_up = stream.read_to_end(&mut Vec::new());
                }
                Failing::Untrusted => {
                    let connection = rustls::ServerConnection::new(tls).unwrap();
                    let _it_is_refused = rustls::StreamOwned::new(connection, stream).read(&mut [0; 1]);
                }
                Failing::Plain => answer(stream, 400),
                Failing::Answers(status) => answer(stream, status),
            });
        }
    });
    (format!("{scheme}://localhost:{}", address.port()), count)
}

fn untrusted() -> Arc<rustls::ServerConfig> {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(ring).with_safe_default_protocol_versions().unwrap();
    Arc::new(tls.with_no_client_auth().with_single_cert(vec![certified.cert.der().clone()], key).unwrap())
}

fn answer(mut stream: std::net::TcpStream, status: u16) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    let mut length = 0;
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let _read = reader.read_exact(&mut vec![0; length]);
    let head = format!("HTTP/1.1 {status} Told\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", BODY.len());
    let _written = stream.write_all((head + BODY).as_bytes());
}

/// Sets the function's environment so that everything works but that server.
fn configure(command: &mut Command, server: Server, url: &str) {
    match server {
        Server::NetBox => command.env("SINK", "netbox").env("NETBOX_URL", url).env("NETBOX_TOKEN", "0".repeat(40)),
        Server::Webhook => {
            let secret = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
            command.env("SINK", "webhook").env("WEBHOOK_URL", url).env("WEBHOOK_SECRET", secret)
        }
        Server::S3 => command.env("AWS_ENDPOINT_URL_S3", url),
        Server::Secrets => command
            .env("SINK", "netbox")
            .env("NETBOX_URL", "http://127.0.0.1:9")
            .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)
            .env(
                "PROVISION_CONTEXT",
                r#"{"stack":"s","function":"f","mail":[{"bucket":"mail","prefix":"inbound/"}],"secrets":{"NETBOX_TOKEN":"netbox/token"}}"#,
            ),
    };
}

/// Lets the function handle a mail while a server fails; returns its error.
fn told(server: Server, url: &str) -> String {
    let cloud = Cloud::start();
    cloud.limit(TIME);
    cloud.answer("mail/inbound/one", 200, &mail("one", "planned.eml"));
    let mut command = cloud.function(PROGRAM);
    configure(&mut command, server, url);
    let function = Running::start(command);
    let said = cloud.invoke("request-1", &event(&["one"]));
    function.stop();
    assert!(said.path.ends_with("/error"), "{server:?}: {said:?}");
    let body: Value = serde_json::from_str(&said.body).unwrap();
    body["errorMessage"].as_str().unwrap().to_owned()
}

#[test]
fn every_failure_of_every_server_is_told_with_its_cause() {
    let check = |server: Server, failure: Failing| {
        let (url, connections) = failing(failure);
        let started = Instant::now();
        let error = told(server, &url);
        let took = started.elapsed();
        let what = format!("{server:?} {failure:?} after {took:?}: {error}");
        for word in failure.words(server) {
            assert!(error.contains(&word), "`{word}` is missing: {what}");
        }
        assert!(!error.contains("SdkError") && !error.contains("Connector"), "a structure of ours: {what}");
        assert!(!error.contains(": the invocation's time is up"), "no cause: {what}");
        let connections = connections.load(Ordering::Relaxed);
        if failure.is_permanent() {
            // A mail is searched in two places.
            let most = if server == Server::S3 { 2 } else { 1 };
            assert!(connections <= most, "{connections} connections: {what}");
        } else if failure != Failing::Refuses && failure != Failing::Silent {
            assert!(connections > 1, "it is tried again: {what}");
        }
    };
    for server in SERVERS {
        thread::scope(|scope| {
            for failure in FAILURES {
                scope.spawn(move || check(server, failure));
            }
        });
    }
}

#[test]
fn a_missing_secret_and_a_refused_one_are_named_with_what_to_do() {
    for (code, words) in [
        ("ResourceNotFoundException", "`provision up` creates the declared ones"),
        ("AccessDeniedException", "its `secrets` must name it"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let body = format!(r#"{{"__type":"{code}","Message":"As it is told."}}"#);
        let answered = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _read = stream.read(&mut [0; 8192]).unwrap();
            let head = format!("HTTP/1.1 400 X\r\nx-amzn-requestid: id-1\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all((head + &body).as_bytes()).unwrap();
        });
        let error = told(Server::Secrets, &url);
        answered.join().unwrap();
        let expected = format!("the secret `netbox/token` could not be read: {code}: As it is told. (request id-1): ");
        assert!(error.contains(&expected) && error.contains(words), "{error}");
    }
}
