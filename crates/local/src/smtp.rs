//! The SMTP server on 127.0.0.1, by which mails arrive.
//!
//! A recipient that no rule takes is refused during the session (550), as SES does. A mail is accepted (250) only after
//! the rules have stored it. Plain SMTP is accepted here even if a rule requires TLS.

use std::{borrow::Cow, io, net::SocketAddr, sync::Arc, time::Duration};

use smtp_proto::{
    Error, Request,
    request::receiver::{DataReceiver, DummyDataReceiver, RequestReceiver},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
};

use super::{arrival::Envelope, guard::Listener, observer::Activity, receiver::Receiver};

/// SES's size limit of a mail with an S3 action, in bytes.
pub(crate) const LARGEST_MAIL: usize = 40 * 1024 * 1024;
/// SES's limit on the recipients of a mail.
const MOST_RECIPIENTS: usize = 100;
/// Idle timeout of a session.
const PATIENCE: Duration = Duration::from_mins(5);
/// Maximum number of sessions at once.
const SESSIONS: usize = 32;

/// A listening server; dropping it ends it and its sessions.
#[derive(Debug)]
pub(crate) struct Server {
    /// Address on which it listens.
    pub address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Listens on a port of 127.0.0.1; 0 takes any free port.
    pub(crate) async fn start(port: u16, receiver: Arc<Receiver>) -> io::Result<Self> {
        let listener = Listener::bind(port).await?;
        let address = listener.address();
        Ok(Self { address, accepting: tokio::spawn(accept(listener, receiver)) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: Listener, receiver: Arc<Receiver>) {
    let places = Arc::new(Semaphore::new(SESSIONS));
    let mut sessions = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        while sessions.try_join_next().is_some() {}
        let Ok((stream, client)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let receiver = Arc::clone(&receiver);
        sessions.spawn(async move {
            let _client_went_away = Session::new(stream, client, receiver).serve().await;
            drop(place);
        });
    }
}

/// An SMTP session with one client.
struct Session {
    stream: TcpStream,
    client: SocketAddr,
    receiver: Arc<Receiver>,
    helo: Option<String>,
    sender: Option<String>,
    recipients: Vec<String>,
}

/// The next step after a command.
enum Step {
    Reply(Cow<'static, str>),
    Data,
    Quit,
}

impl Session {
    fn new(stream: TcpStream, client: SocketAddr, receiver: Arc<Receiver>) -> Self {
        Self { stream, client, receiver, helo: None, sender: None, recipients: Vec::new() }
    }

    async fn serve(mut self) -> io::Result<()> {
        self.reply("220 provision dev, ESMTP").await?;
        let mut commands = RequestReceiver::default();
        let mut input = Input::default();
        loop {
            let mut bytes = input.unread.iter();
            // A web page can make a browser send commands here, but its request begins as HTTP does.
            if speaks_http(&input.unread) {
                return self.reply("421 4.7.0 This is SMTP, not HTTP").await;
            }
            let step = match commands.ingest(&mut bytes) {
                Ok(request) => self.command(request),
                Err(Error::NeedsMoreData { .. }) => {
                    if !input.read(&mut self.stream).await? {
                        return Ok(());
                    }
                    continue;
                }
                // The start of the next command is unknown.
                Err(Error::ResponseTooLong) => return self.reply("500 5.5.2 The line is too long").await,
                Err(error) => Step::Reply(refusal(&error).into()),
            };
            let rest = bytes.as_slice().to_vec();
            input.unread = rest;
            match step {
                Step::Reply(text) => self.reply(&text).await?,
                Step::Data => {
                    self.reply("354 End with <CR><LF>.<CR><LF>").await?;
                    let Some(mail) = input.mail(&mut self.stream).await? else { return Ok(()) };
                    let answer = self.receive(mail).await;
                    self.reply(&answer).await?;
                }
                Step::Quit => return self.reply("221 2.0.0 Bye").await,
            }
        }
    }

    fn command(&mut self, request: Request<Cow<'_, str>>) -> Step {
        let text = match request {
            Request::Ehlo { host } => {
                self.reset();
                self.helo = Some(host.into_owned());
                let size = format!(
                    "250-provision dev\r\n250-SIZE {LARGEST_MAIL}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES"
                );
                return Step::Reply(size.into());
            }
            Request::Helo { host } => {
                self.reset();
                self.helo = Some(host.into_owned());
                "250 provision dev"
            }
            Request::Mail { .. } if self.helo.is_none() => "503 5.5.1 Say EHLO first",
            Request::Mail { .. } if self.sender.is_some() => "503 5.5.1 There is a sender already",
            Request::Mail { from } if from.size > LARGEST_MAIL => "552 5.3.4 The mail is larger than 40 MB",
            Request::Mail { from } => {
                self.sender = Some(from.address.into_owned());
                "250 2.1.0 OK"
            }
            Request::Rcpt { .. } if self.sender.is_none() => "503 5.5.1 Say MAIL FROM first",
            Request::Rcpt { .. } if self.recipients.len() >= MOST_RECIPIENTS => "452 4.5.3 Too many recipients",
            Request::Rcpt { to } => {
                let recipient = to.address.into_owned();
                if !self.receiver.takes(&recipient) {
                    self.receiver.observer().tell(Activity::Refused { recipient });
                    return Step::Reply("550 5.1.1 No receipt rule takes mail for this recipient".into());
                }
                self.recipients.push(recipient);
                "250 2.1.5 OK"
            }
            Request::Data if self.recipients.is_empty() => "503 5.5.1 Say RCPT TO first",
            Request::Data => return Step::Data,
            Request::Rset => {
                self.reset();
                "250 2.0.0 OK"
            }
            Request::Noop { .. } => "250 2.0.0 OK",
            Request::Vrfy { .. } => "252 2.1.5 Send it and see",
            Request::Help { .. } => "214 2.0.0 RFC 5321",
            Request::Quit => return Step::Quit,
            _ => "502 5.5.1 Not offered here",
        };
        Step::Reply(text.into())
    }

    fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }

    /// Hands a mail over; answers 250 only after it was stored.
    async fn receive(&mut self, mail: Mail) -> String {
        let sender = self.sender.take().unwrap_or_default();
        let recipients = std::mem::take(&mut self.recipients);
        let Mail::Whole(bytes) = mail else { return "552 5.3.4 The mail is larger than 40 MB".to_owned() };
        let helo = self.helo.clone().unwrap_or_default();
        let origin = format!("SMTP client {}", self.client);
        match self.receiver.receive(Envelope { helo, sender, recipients }, bytes, origin).await {
            Ok(received) => format!("250 2.0.0 OK {}", received.mail),
            Err(error) => format!("451 4.3.0 {}", error.to_string().replace(['\r', '\n'], " ")),
        }
    }

    async fn reply(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(format!("{text}\r\n").as_bytes()).await
    }
}

/// The data of a mail.
enum Mail {
    Whole(Vec<u8>),
    TooLarge,
}

/// Input from the client that was not processed yet.
#[derive(Default)]
struct Input {
    unread: Vec<u8>,
}

impl Input {
    /// Reads more input; returns `false` at its end.
    async fn read(&mut self, stream: &mut TcpStream) -> io::Result<bool> {
        let mut chunk = vec![0; 16 * 1024];
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut chunk)).await??;
        chunk.truncate(read);
        self.unread = chunk;
        Ok(read > 0)
    }

    /// Reads up to the line with the dot; `None` if the client disconnects before.
    async fn mail(&mut self, stream: &mut TcpStream) -> io::Result<Option<Mail>> {
        let mut data = DataReceiver::new();
        let mut mail = Vec::new();
        // The dot may be the very first line: it ends a mail only after a line end.
        data.ingest(&mut b"\r\n".iter(), &mut mail);
        mail.clear();
        let mut skipping: Option<DummyDataReceiver> = None;
        loop {
            let mut bytes = self.unread.iter();
            let ended = match &mut skipping {
                None => data.ingest(&mut bytes, &mut mail),
                Some(skipping) => skipping.ingest(&mut bytes),
            };
            let rest = bytes.as_slice().to_vec();
            self.unread = rest;
            if ended {
                return Ok(Some(if skipping.is_none() && mail.len() <= LARGEST_MAIL {
                    Mail::Whole(mail)
                } else {
                    Mail::TooLarge
                }));
            }
            if skipping.is_none() && mail.len() > LARGEST_MAIL {
                skipping = Some(DummyDataReceiver::new_data(&data));
                mail = Vec::new();
            }
            if !self.read(stream).await? {
                return Ok(None);
            }
        }
    }
}

/// Returns `true` if what a client says begins a request of HTTP, and no command of SMTP.
fn speaks_http(unread: &[u8]) -> bool {
    const METHODS: [&[u8]; 9] =
        [b"GET ", b"POST ", b"PUT ", b"HEAD ", b"DELETE ", b"OPTIONS ", b"PATCH ", b"CONNECT ", b"TRACE "];
    METHODS.iter().any(|method| unread.get(..method.len()).is_some_and(|start| start.eq_ignore_ascii_case(method)))
}

fn refusal(error: &Error) -> &'static str {
    match error {
        Error::UnknownCommand => "500 5.5.1 Unknown command",
        Error::InvalidSenderAddress => "501 5.1.7 The sender's address is not well formed",
        Error::InvalidRecipientAddress => "501 5.1.3 The recipient's address is not well formed",
        _ => "501 5.5.4 The command is not well formed",
    }
}
