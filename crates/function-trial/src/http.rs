//! An HTTP server on a port of its own: one thread for each connection, which is kept alive.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// Duration for which a silent server holds a connection: longer than any test waits.
const SILENCE: Duration = Duration::from_mins(5);

/// A request of the function.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Method, such as `POST`.
    pub method: String,
    /// Path with the query.
    pub path: String,
    /// Values by names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Body of the request.
    pub body: Vec<u8>,
}

impl Request {
    /// Returns a header's value, empty if it is missing; the name is in lower case.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns whether the request has a signature of AWS, made with the key that [`crate::Lambda::function`] gives.
    pub fn is_signed(&self) -> bool {
        self.header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
    }
}

/// The answer to a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Status, headers and body.
    Http(u16, Vec<(String, String)>, Vec<u8>),
    /// A body of that length is announced, and the connection ends after these bytes.
    Cut(u64, Vec<u8>),
    /// The connection ends without an answer.
    Close,
    /// The connection stays, and nothing comes.
    Silence,
}

impl Answer {
    /// Returns an answer without headers.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Http(status, Vec::new(), body.into())
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Http(_, headers, _) = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    fn send(self, is_head: bool, mut stream: &TcpStream) -> Option<()> {
        match self {
            Self::Http(status, headers, body) => {
                // An answer to HEAD may state the length of what it leaves out.
                let is_stated = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
                let length = (!is_stated).then_some(body.len() as u64);
                let mut bytes = head(status, &headers, length);
                if !is_head {
                    bytes.extend_from_slice(&body);
                }
                stream.write_all(&bytes).ok()
            }
            Self::Cut(length, body) => {
                stream.write_all(&[head(200, &[], Some(length)), body].concat()).ok()?;
                stream.shutdown(Shutdown::Both).ok()?;
                None
            }
            Self::Close => {
                stream.shutdown(Shutdown::Both).ok()?;
                None
            }
            Self::Silence => {
                thread::sleep(SILENCE);
                None
            }
        }
    }
}

/// Returns status line and headers of an answer.
fn head(status: u16, headers: &[(String, String)], length: Option<u64>) -> Vec<u8> {
    let length = length.map(|length| ("Content-Length".to_owned(), length.to_string()));
    let lines = length.iter().chain(headers).map(|(name, value)| format!("{name}: {value}\r\n"));
    format!("HTTP/1.1 {status} Told\r\n{}\r\n", lines.collect::<Vec<_>>().concat()).into_bytes()
}

/// A server of a test. It takes connections until its last clone is dropped: tests that start thousands keep no port of any.
///
/// ```
/// use std::{io::{Read, Write}, net::TcpStream};
///
/// use function_trial::{Answer, Server};
///
/// let server = Server::start(|request| (request.path == "/health").then(|| Answer::new(200, "well")));
/// let mut stream = TcpStream::connect(&server.address).unwrap();
/// stream.write_all(b"GET /health HTTP/1.1\r\n\r\nGET /other HTTP/1.1\r\n\r\n").unwrap();
/// let mut answer = String::new();
/// // The other request has no answer: the connection ends.
/// stream.read_to_string(&mut answer).unwrap();
/// assert!(answer.ends_with("\r\n\r\nwell"), "{answer}");
/// ```
#[derive(Debug, Clone)]
pub struct Server {
    /// Host and port, such as `127.0.0.1:4321`.
    pub address: String,
    _open: Arc<Open>,
}

/// A listener that is open.
#[derive(Debug)]
struct Open {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // The listener waits for a connection: this one is the last.
        let _it_is_closed_already = TcpStream::connect(self.address);
    }
}

impl Server {
    /// Starts a server that answers with that function; a connection ends when the function has no answer.
    pub fn start(answer: impl Fn(Request) -> Option<Answer> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let open = Open { address, is_over: Arc::default() };
        let (answer, is_over) = (Arc::new(answer), Arc::clone(&open.is_over));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
                let answer = Arc::clone(&answer);
                thread::spawn(move || serve(&stream, &*answer));
            }
        });
        Self { address: address.to_string(), _open: Arc::new(open) }
    }

    /// Returns the URL of the server, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn serve(stream: &TcpStream, answer: &dyn Fn(Request) -> Option<Answer>) -> Option<()> {
    // Head and body of an answer are two packets now and then, and the second would wait for the first one's receipt.
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        assert!(!headers.contains_key("transfer-encoding"), "a request in pieces, which we do not read");
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let is_head = method == "HEAD";
        answer(Request { method, path, headers, body })?.send(is_head, stream)?;
    }
}
