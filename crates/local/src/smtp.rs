//! The SMTP server on 127.0.0.1, by which mails arrive.
//!
//! A recipient that no rule takes is refused during the session (550), as SES does. A mail is accepted (250) only after
//! the rules have stored it. STARTTLS is offered; plain SMTP is accepted here even if a rule requires TLS.

mod input;
mod places;
mod session;
mod tls;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::AsyncWriteExt,
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::timeout,
};

use self::{places::Places, session::Session};
use super::{guard::Listener, receiver::Receiver};

pub(crate) use self::tls::Certificate;

/// SES's size limit of a mail with an S3 action, in bytes.
pub(crate) const LARGEST_MAIL: usize = 40 * 1024 * 1024;
/// Time that sessions have to hear the answer to an accepted mail when the server ends.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// Time that a client has to take in a last answer.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A listening server; dropping it ends it and its sessions.
#[derive(Debug)]
pub(crate) struct Server {
    /// Address on which it listens.
    pub address: SocketAddr,
    ends: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Listens on a port of 127.0.0.1; 0 takes any free port.
    pub(crate) async fn start(port: u16, receiver: Arc<Receiver>, certificate: Certificate) -> io::Result<Self> {
        let listener = Listener::bind(port).await?;
        let (address, (ends, ended)) = (listener.address(), watch::channel(false));
        let accepting = tokio::spawn(accept(listener, receiver, certificate, ended));
        Ok(Self { address, ends, accepting })
    }

    /// Takes no more mail, and returns when every client was answered whose mail was accepted.
    pub(crate) async fn end(&mut self) {
        self.ends.send_replace(true);
        let _a_client_does_not_listen = timeout(LAST_ANSWERS, &mut self.accepting).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: Listener,
    receiver: Arc<Receiver>,
    certificate: Certificate,
    mut ended: watch::Receiver<bool>,
) {
    let places = Arc::new(Places::default());
    let mut sessions = JoinSet::new();
    loop {
        while sessions.try_join_next().is_some() {}
        let accepted = tokio::select! {
            _ = ended.wait_for(|ended| *ended) => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((mut stream, client)) = accepted else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (receiver, certificate, places) = (Arc::clone(&receiver), certificate.clone(), Arc::clone(&places));
        let mut ended = ended.clone();
        sessions.spawn(async move {
            let place = tokio::select! {
                _ = ended.wait_for(|ended| *ended) => None,
                place = places.take() => place,
            };
            if let Some(place) = place {
                Session::new(Box::new(stream), client, receiver, certificate, place, ended).serve().await;
            } else {
                let full = b"421 4.3.2 Too many sessions: try again later\r\n";
                let _client_went_away = timeout(LAST_WORDS, stream.write_all(full)).await;
            }
        });
    }
    while sessions.join_next().await.is_some() {}
}
