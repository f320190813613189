//! Servers of a closed network: one that speaks TLS under the certificates of an authority of its own, one that answers as told, and a proxy
//! that lets nobody out but by itself.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use data_encoding::BASE64;

/// The requests to a server, in order.
pub(super) type Seen = Arc<Mutex<Vec<Request>>>;

/// A request that a server has read whole.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// First line and headers.
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Request {
    fn read(stream: &mut impl Read) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let mut request = Self { head, body: Vec::new() };
        let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        request.body = vec![0; length];
        reader.read_exact(&mut request.body).ok()?;
        Some(request)
    }

    /// Returns the value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// Returns the second word of the first line.
    pub(super) fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }
}

/// The way in which a server answers: bytes for a request.
type Answers = Arc<dyn Fn(&Request) -> Vec<u8> + Send + Sync>;

/// Returns an answer of HTTP that ends its connection.
pub(super) fn answer(status: &str, kind: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Returns answers that another server gives, at a plain address.
pub(super) fn passing_on(upstream: &str) -> Answers {
    let upstream = upstream.trim_start_matches("http://").to_owned();
    Arc::new(move |request| {
        let mut stream = TcpStream::connect(&upstream).unwrap();
        let (line, headers) = request.head.split_once("\r\n").unwrap();
        let kept = headers.lines().filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
        let headers: Vec<&str> = kept.filter(|line| !line.is_empty()).collect();
        let head = format!("{line}\r\n{}\r\nConnection: close\r\n\r\n", headers.join("\r\n"));
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&request.body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        // One connection for each request.
        let line = answer.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        answer.splice(line..line, *b"Connection: close\r\n");
        answer
    })
}

/// An authority that no system knows.
pub(super) struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    /// Its certificate, in PEM.
    pub(super) pem: String,
}

impl Authority {
    pub(super) fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut about = rcgen::CertificateParams::new(Vec::new()).unwrap();
        about.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let pem = about.self_signed(&key).unwrap().pem();
        Self { issuer: rcgen::Issuer::new(about, key), pem }
    }

    /// Returns what a server of these names needs.
    fn server(&self, names: &[&str]) -> Arc<rustls::ServerConfig> {
        let key = rcgen::KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = rcgen::CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(ring).with_safe_default_protocol_versions().unwrap();
        Arc::new(tls.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }
}

/// A server; it ends with the test's process.
pub(super) struct Server {
    pub(super) port: u16,
    pub(super) seen: Seen,
}

impl Server {
    /// Starts a server of plain HTTP.
    pub(super) fn plain(answers: Answers) -> Self {
        Self::start(move |mut stream, seen| exchange(&mut stream, &answers, seen))
    }

    /// Starts a server of HTTPS under these names.
    pub(super) fn secure(authority: &Authority, names: &[&str], answers: Answers) -> Self {
        let tls = authority.server(names);
        Self::start(move |stream, seen| {
            let session = rustls::ServerConnection::new(Arc::clone(&tls)).unwrap();
            let mut stream = rustls::StreamOwned::new(session, stream);
            exchange(&mut stream, &answers, seen);
            stream.conn.send_close_notify();
            let _gone = stream.flush();
        })
    }

    fn start(serve: impl Fn(TcpStream, &Seen) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, seen) = (listener.local_addr().unwrap().port(), Seen::default());
        let (serve, kept) = (Arc::new(serve), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (serve, seen) = (Arc::clone(&serve), Arc::clone(&kept));
                thread::spawn(move || serve(stream, &seen));
            }
        });
        Self { port, seen }
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

fn exchange(stream: &mut (impl Read + Write), answers: &Answers, seen: &Seen) {
    let Some(request) = Request::read(stream) else { return };
    seen.lock().unwrap().push(request.clone());
    let _gone = stream.write_all(&answers(&request)).and_then(|()| stream.flush());
}

/// Starts a proxy that knows one server, under whatever name that is asked for; with a user and a password, if there are any. It records
/// the heads of what it was asked for.
pub(super) fn proxy(to: u16, user: Option<&'static str>) -> Server {
    Server::start(move |mut stream, seen| {
        let Some(request) = read_head(&mut stream) else { return };
        seen.lock().unwrap().push(request.clone());
        let wanted = user.map(|user| format!("Basic {}", BASE64.encode(user.as_bytes())));
        if wanted.as_deref() != request.header("proxy-authorization") {
            let _gone = stream.write_all(&answer("407 Proxy Authentication Required", "text/plain", ""));
            return;
        }
        if !request.head.starts_with("CONNECT ") {
            let request = in_origin_form(&request, &mut stream);
            let answer = passing_on(&format!("http://127.0.0.1:{to}"))(&request);
            let _gone = stream.write_all(&answer);
            return;
        }
        let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
        let (there, back) = ((stream.try_clone().unwrap(), server.try_clone().unwrap()), (server, stream));
        let copying = thread::spawn(move || copy(there.0, &there.1));
        copy(back.0, &back.1);
        let _ended = copying.join();
    })
}

/// Returns a request with its body, and with a path in place of the address: a server is asked as if there were no proxy.
fn in_origin_form(request: &Request, stream: &mut TcpStream) -> Request {
    let (scheme, rest) = request.target().split_once("://").unwrap();
    let origin = format!("{scheme}://{}", rest.split('/').next().unwrap());
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    Request { head: request.head.replacen(&origin, "", 1), body }
}

fn copy(mut from: TcpStream, mut to: &TcpStream) {
    let _gone = std::io::copy(&mut from, &mut to);
    let _closed = to.shutdown(Shutdown::Write);
}

/// Reads the head of a request, and not a byte of what follows.
fn read_head(stream: &mut TcpStream) -> Option<Request> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.extend(byte);
    }
    Some(Request { head: String::from_utf8(head).ok()?, body: Vec::new() })
}
