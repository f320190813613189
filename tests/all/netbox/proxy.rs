//! A proxy before NetBox that passes calls on and injects faults.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// A fault of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// NetBox's own answer if its database is unavailable.
    DatabaseError,
    /// The answer of a reverse proxy in front of NetBox.
    Unavailable,
    /// No answer; NetBox has not seen the call.
    Silence,
    /// The connection ends; NetBox has not seen the call.
    CutBefore,
    /// The connection ends, but NetBox has done its work.
    CutAfter,
    /// No answer, but NetBox has done its work.
    SilenceAfter,
}

/// Faults in rotation; silence is rarer, since each costs the client's whole timeout.
const FAULTS: [Fault; 10] = [
    Fault::DatabaseError,
    Fault::Unavailable,
    Fault::CutBefore,
    Fault::CutAfter,
    Fault::Silence,
    Fault::DatabaseError,
    Fault::Unavailable,
    Fault::CutBefore,
    Fault::CutAfter,
    Fault::SilenceAfter,
];

/// Time limit of a client's patience with silence.
const SILENCE: Duration = Duration::from_mins(1);

/// A running proxy; it ends with the test's process.
pub(crate) struct Proxy {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: String,
    /// Faults per thousand calls.
    faulty: u64,
    gathering: Gathering,
    without_plugin: bool,
    calls: AtomicU64,
    seen: Mutex<Vec<String>>,
    faults: Mutex<BTreeMap<Fault, usize>>,
}

/// Waits until all writers want to create an event of one name, but not for ever, since some come later.
struct Gathering {
    writers: usize,
    patience: Duration,
    waiting: Mutex<BTreeMap<String, usize>>,
    arrived: Condvar,
}

impl Gathering {
    fn new(writers: usize, patience: Duration) -> Self {
        Self { writers, patience, waiting: Mutex::default(), arrived: Condvar::new() }
    }

    fn wait(&self, call: &Call) {
        if self.writers < 2 || !call.line.starts_with("POST /api/plugins/maintenance/circuitmaintenance/ ") {
            return;
        }
        let event: serde_json::Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let name = event["name"].as_str().unwrap_or_default().to_owned();
        let mut waiting = self.waiting.lock().unwrap();
        *waiting.entry(name.clone()).or_default() += 1;
        self.arrived.notify_all();
        let few = |waiting: &mut BTreeMap<String, usize>| waiting[&name] < self.writers;
        let _they_go_together = self.arrived.wait_timeout_while(waiting, self.patience, few).unwrap();
    }
}

struct Call {
    line: String,
    head: String,
    body: Vec<u8>,
}

impl Proxy {
    /// Returns a proxy before that address, which does harm to so many of a thousand calls, and holds the creation of an
    /// event until another one of the same name is asked for as well, for a moment.
    pub(crate) fn start(upstream: &str, faulty: u64) -> Self {
        let gathering = Gathering::new(if faulty > 0 { 2 } else { 1 }, Duration::from_secs(1));
        Self::run(Shared { faulty, gathering, ..Shared::before(upstream) }, None)
    }

    /// Returns a proxy that holds every creation of an event until so many of the same name are asked for.
    pub(crate) fn gathering(upstream: &str, writers: usize) -> Self {
        let gathering = Gathering::new(writers, Duration::from_secs(4));
        Self::run(Shared { gathering, ..Shared::before(upstream) }, None)
    }

    /// Returns a proxy before a NetBox that does not have the plugin.
    pub(crate) fn without_plugin(upstream: &str) -> Self {
        Self::run(Shared { without_plugin: true, ..Shared::before(upstream) }, None)
    }

    /// Returns a proxy that speaks TLS, and the authority that has signed its certificate, as PEM.
    pub(crate) fn with_tls(upstream: &str) -> (Self, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut about = rcgen::CertificateParams::new(Vec::new()).unwrap();
        about.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = about.self_signed(&key).unwrap().pem();
        let issuer = rcgen::Issuer::new(about, key);
        let own = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = certificate.signed_by(&own, &issuer).unwrap();
        (Self::run(Shared::before(upstream), Some(tls(&certificate, &own))), authority)
    }

    /// Returns a proxy whose certificate is one as `openssl req -x509 -subj /CN=netbox` makes it, which signs itself, calls itself an
    /// authority and states no name; and that certificate, as PEM.
    pub(crate) fn self_signed(upstream: &str) -> (Self, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut about = rcgen::CertificateParams::new(Vec::new()).unwrap();
        about.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = about.self_signed(&key).unwrap();
        (Self::run(Shared::before(upstream), Some(tls(&certificate, &key))), certificate.pem())
    }

    fn run(shared: Shared, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let url = match &tls {
            Some(_) => format!("https://localhost:{}", address.port()),
            None => format!("http://{address}"),
        };
        let shared = Arc::new(shared);
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (serving, tls) = (Arc::clone(&serving), tls.clone());
                stream.set_read_timeout(Some(SILENCE)).unwrap();
                thread::spawn(move || match tls {
                    None => serving.serve(stream),
                    Some(tls) => {
                        serving.serve(rustls::StreamOwned::new(rustls::ServerConnection::new(tls).unwrap(), stream))
                    }
                });
            }
        });
        Self { url, shared }
    }

    /// Returns method and path of every call so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Returns how often each fault was injected.
    pub(crate) fn faults(&self) -> BTreeMap<Fault, usize> {
        self.shared.faults.lock().unwrap().clone()
    }
}

impl Shared {
    /// Returns a proxy that only passes calls on.
    fn before(upstream: &str) -> Self {
        Self {
            upstream: upstream.trim_start_matches("http://").to_owned(),
            faulty: 0,
            gathering: Gathering::new(1, Duration::ZERO),
            without_plugin: false,
            calls: AtomicU64::default(),
            seen: Mutex::default(),
            faults: Mutex::default(),
        }
    }

    /// Serves one connection, kept alive until a fault.
    fn serve(&self, stream: impl Read + Write) -> Option<()> {
        let mut reader = BufReader::new(stream);
        loop {
            let mut call = read(&mut reader)?;
            let writer = reader.get_mut();
            if self.without_plugin {
                call.line = call.line.replace("/api/plugins/maintenance/", "/api/plugins/absent/");
            }
            self.gathering.wait(&call);
            self.seen.lock().unwrap().push(call.line.trim_end_matches(" HTTP/1.1").to_owned());
            let fault = self.fault();
            if let Some(fault) = fault {
                *self.faults.lock().unwrap().entry(fault).or_default() += 1;
            }
            match fault {
                None => writer.write_all(&self.pass_on(&call)?).ok()?,
                Some(Fault::DatabaseError) => {
                    let body = r#"{"error":"connection failed","exception":"OperationalError","netbox_version":"4"}"#;
                    writer.write_all(answer("500 Internal Server Error", "application/json", body).as_bytes()).ok()?;
                }
                Some(Fault::Unavailable) => {
                    let body = "<html><body>Service Unavailable</body></html>";
                    writer.write_all(answer("503 Service Unavailable", "text/html", body).as_bytes()).ok()?;
                }
                Some(Fault::CutBefore) => return None,
                Some(Fault::CutAfter) => {
                    self.pass_on(&call)?;
                    return None;
                }
                Some(Fault::Silence) => return until_closed(writer),
                Some(Fault::SilenceAfter) => {
                    self.pass_on(&call)?;
                    return until_closed(writer);
                }
            }
        }
    }

    /// Returns the fault of a call, by a generator of its own, so that a run depends on the order of the calls only.
    fn fault(&self) -> Option<Fault> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let mut bits = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits % 1000 < self.faulty).then(|| FAULTS[usize::try_from((bits >> 32) % FAULTS.len() as u64).unwrap()])
    }

    /// Returns the whole answer of NetBox.
    fn pass_on(&self, call: &Call) -> Option<Vec<u8>> {
        let mut upstream = TcpStream::connect(&self.upstream).ok()?;
        let head = format!("{}\r\n{}connection: close\r\n\r\n", call.line, call.head);
        upstream.write_all(head.as_bytes()).ok()?;
        upstream.write_all(&call.body).ok()?;
        let mut answer = Vec::new();
        upstream.read_to_end(&mut answer).ok()?;
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let lines: Vec<_> =
            head.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("connection:")).collect();
        Some([lines.join("\r\n").as_bytes(), &answer[end..]].concat())
    }
}

fn tls(certificate: &rcgen::Certificate, key: &rcgen::KeyPair) -> Arc<rustls::ServerConfig> {
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(ring).with_safe_default_protocol_versions().unwrap();
    Arc::new(tls.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap())
}

fn read(reader: &mut impl BufRead) -> Option<Call> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|read| *read > 0)?;
        let lower = header.to_ascii_lowercase();
        if header.trim().is_empty() {
            break;
        }
        assert!(!lower.starts_with("transfer-encoding:"), "a request in pieces, which we do not read");
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if !lower.starts_with("connection:") {
            head.push_str(&header);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Call { line: line.trim_end().to_owned(), head, body })
}

fn answer(status: &str, kind: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Sends nothing until the other side gives up.
fn until_closed(stream: &mut impl Read) -> Option<()> {
    let _it_is_closed_or_waits_for_ever = stream.read(&mut [0; 1]);
    None
}
