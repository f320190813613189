//! A listener like MSK's port 9098 before a plain broker: TLS, the role's signature verified, a session that ends, and faults.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    sasl,
    wire::{API_VERSIONS, PRODUCE, SASL_AUTHENTICATE, SASL_HANDSHAKE, frame, head, send, with_code},
};

/// A fault that befalls a request to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The broker does it and answers.
    None,
    /// The connection ends before the broker gets it.
    Lost,
    /// The broker does it, and the connection ends before the answer.
    AnswerLost,
    /// The broker does it, and no answer ever comes.
    Silence,
    /// The broker does it and answers with this error code.
    Code(i16),
}

/// Chooses the fault of the n-th request to write.
type Choice = Box<dyn Fn(u64) -> Fault + Send>;

/// The state that the listeners of all brokers share.
pub(crate) struct Front {
    /// Certificate that clients have to trust, as PEM.
    pub(crate) ca: String,
    acceptor: TlsAcceptor,
    choice: Mutex<Choice>,
    produced: AtomicU64,
    /// Faults that were made.
    pub(crate) faults: AtomicU64,
    is_away: AtomicBool,
    /// Connections and requests that met nobody, since the brokers were away.
    pub(crate) refused: AtomicU64,
    /// Number of times that all connections were cut.
    cuts: AtomicU64,
    /// Duration of a session, in milliseconds; 0 for one that does not end.
    session_ms: AtomicI64,
    /// Connections that were made and proved whose they are.
    pub(crate) connections: AtomicU64,
    /// Proofs that were verified or refused, in words.
    pub(crate) proofs: Mutex<Vec<String>>,
}

impl Front {
    pub(crate) fn new() -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
        Self {
            ca: cert.pem(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
            choice: Mutex::new(Box::new(|_| Fault::None)),
            produced: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            is_away: AtomicBool::new(false),
            refused: AtomicU64::new(0),
            cuts: AtomicU64::new(0),
            session_ms: AtomicI64::new(0),
            connections: AtomicU64::new(0),
            proofs: Mutex::default(),
        }
    }

    /// Chooses faults from now on; requests to write are counted from zero.
    pub(crate) fn choose(&self, choice: impl Fn(u64) -> Fault + Send + 'static) {
        *self.choice.lock().unwrap() = Box::new(choice);
        self.produced.store(0, Ordering::SeqCst);
    }

    /// Forgets the connections and proofs that were counted.
    pub(crate) fn forget(&self) {
        self.connections.store(0, Ordering::SeqCst);
        self.proofs.lock().unwrap().clear();
    }

    /// Takes the brokers away, or brings them back.
    pub(crate) fn set_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    /// Ends every connection that is there, at its next request.
    pub(crate) fn cut(&self) {
        self.cuts.fetch_add(1, Ordering::SeqCst);
    }

    /// Lets sessions end after that time.
    pub(crate) fn end_sessions_after(&self, duration: Duration) {
        self.session_ms.store(i64::try_from(duration.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Returns whether the brokers are away; counts who asks then.
    fn is_away(&self) -> bool {
        let is_away = self.is_away.load(Ordering::SeqCst);
        self.refused.fetch_add(u64::from(is_away), Ordering::SeqCst);
        is_away
    }

    /// Serves the connections of one broker.
    pub(crate) async fn listen(self: Arc<Self>, listener: TcpListener, broker: std::net::SocketAddr) {
        while let Ok((stream, _)) = listener.accept().await {
            let front = Arc::clone(&self);
            tokio::spawn(async move {
                // A connection that ends is nothing to tell: that is what the tests are about.
                let _ended = front.serve(stream, broker).await;
            });
        }
    }

    async fn serve(&self, stream: TcpStream, broker: std::net::SocketAddr) -> io::Result<()> {
        if self.is_away() {
            return Ok(());
        }
        stream.set_nodelay(true)?;
        let mut client = self.acceptor.accept(stream).await?;
        let mut broker = TcpStream::connect(broker).await?;
        broker.set_nodelay(true)?;
        let cuts = self.cuts.load(Ordering::SeqCst);
        let (mut mechanism, mut session): (String, Option<Option<Instant>>) = (String::new(), None);
        loop {
            let request = frame(&mut client).await?;
            if self.is_away() || self.cuts.load(Ordering::SeqCst) != cuts {
                return Ok(());
            }
            let (api, version) = {
                let head = head(&request);
                (head.api, head.version)
            };
            match api {
                SASL_HANDSHAKE | SASL_AUTHENTICATE => {
                    let session_ms = self.session_ms.load(Ordering::SeqCst);
                    let (answer, verified) = sasl::answer(&request, &mut mechanism, session_ms);
                    send(&mut client, &answer).await?;
                    if api == SASL_AUTHENTICATE {
                        let said = format!("{mechanism}: {verified:?}");
                        self.proofs.lock().unwrap().push(said);
                        if verified.is_err() {
                            return client.shutdown().await;
                        }
                        self.connections.fetch_add(u64::from(session.is_none()), Ordering::SeqCst);
                        let life = u64::try_from(session_ms).unwrap();
                        session = Some((life > 0).then(|| Instant::now() + Duration::from_millis(life)));
                    }
                }
                API_VERSIONS => {
                    send(&mut broker, &request).await?;
                    send(&mut client, &frame(&mut broker).await?).await?;
                }
                _ => {
                    // As Kafka does: nothing without a proof, and nothing after the session's end.
                    let Some(end) = session else { return Ok(()) };
                    if end.is_some_and(|end| Instant::now() > end) {
                        return Ok(());
                    }
                    let fault = if api == PRODUCE { self.fault() } else { Fault::None };
                    if fault == Fault::Lost {
                        return Ok(());
                    }
                    send(&mut broker, &request).await?;
                    let mut answer = frame(&mut broker).await?;
                    match fault {
                        Fault::AnswerLost | Fault::Lost => return Ok(()),
                        Fault::Silence => std::future::pending().await,
                        Fault::Code(code) => with_code(&mut answer, version, code),
                        Fault::None => {}
                    }
                    send(&mut client, &answer).await?;
                }
            }
        }
    }

    fn fault(&self) -> Fault {
        let number = self.produced.fetch_add(1, Ordering::SeqCst);
        let fault = (self.choice.lock().unwrap())(number);
        self.faults.fetch_add(u64::from(fault != Fault::None), Ordering::SeqCst);
        fault
    }
}
