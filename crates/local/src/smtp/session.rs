//! An SMTP session with one client.

use std::{borrow::Cow, io, net::SocketAddr, sync::Arc, time::Duration};

use smtp_proto::{Error, Request, request::receiver::RequestReceiver};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
    time::timeout,
};

use super::{
    Certificate, LARGEST_MAIL, LAST_WORDS,
    input::{Mail, MailData, Stream, speaks_http},
    places::{Doing, Place},
};
use crate::{arrival::Envelope, observer::Activity, receiver::Receiver};

/// SES's limit on the recipients of a mail.
const MOST_RECIPIENTS: usize = 100;
/// Idle timeout of a session.
const PATIENCE: Duration = Duration::from_mins(5);
/// Time that a client has to take in an answer, and to agree on TLS.
const SHORT_PATIENCE: Duration = Duration::from_secs(30);
/// Part of a mail after which it has got on, in bytes.
const STEP: usize = 16 * 1024;

/// A session with one client.
pub(super) struct Session {
    stream: Box<dyn Stream>,
    /// Bytes of the client that were not processed yet.
    unread: Vec<u8>,
    client: SocketAddr,
    receiver: Arc<Receiver>,
    /// Certificate for STARTTLS; `None` once TLS is agreed on.
    certificate: Option<Certificate>,
    place: Place,
    ended: watch::Receiver<bool>,
    helo: Option<String>,
    sender: Option<String>,
    recipients: Vec<String>,
}

/// The next step after a command.
enum Step {
    Reply(Cow<'static, str>),
    Data,
    StartTls,
    Quit,
}

/// The end of a session before the client's QUIT.
enum Left {
    /// The client went away.
    Gone,
    /// The client is told this.
    Told(&'static str),
}

impl From<io::Error> for Left {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl Session {
    pub(super) fn new(
        stream: Box<dyn Stream>,
        client: SocketAddr,
        receiver: Arc<Receiver>,
        certificate: Certificate,
        place: Place,
        ended: watch::Receiver<bool>,
    ) -> Self {
        let certificate = Some(certificate);
        let (unread, helo, sender, recipients) = (Vec::new(), None, None, Vec::new());
        Self { stream, unread, client, receiver, certificate, place, ended, helo, sender, recipients }
    }

    /// Talks with the client until one of both ends it.
    pub(super) async fn serve(mut self) {
        let last = match self.talk().await {
            Ok(()) => "221 2.0.0 Bye",
            Err(Left::Told(last)) => last,
            Err(Left::Gone) => return,
        };
        let end = async {
            self.stream.write_all(format!("{last}\r\n").as_bytes()).await?;
            // With TLS, the client hears that nothing was cut off.
            self.stream.shutdown().await
        };
        let _client_went_away = timeout(LAST_WORDS, end).await;
    }

    async fn talk(&mut self) -> Result<(), Left> {
        self.reply("220 provision dev, ESMTP").await?;
        let mut commands = RequestReceiver::default();
        loop {
            // A web page can make a browser send commands here, but its request begins as HTTP does.
            if speaks_http(&self.unread) {
                return Err(Left::Told("421 4.7.0 This is SMTP, not HTTP"));
            }
            let unread = std::mem::take(&mut self.unread);
            let mut bytes = unread.iter();
            let read = commands.ingest(&mut bytes);
            self.unread = bytes.as_slice().to_vec();
            let step = match read {
                Ok(request) => self.command(request),
                Err(Error::NeedsMoreData { .. }) => {
                    self.read().await?;
                    continue;
                }
                // The start of the next command is unknown.
                Err(Error::ResponseTooLong) => return Err(Left::Told("500 5.5.2 The line is too long")),
                Err(error) => Step::Reply(refusal(&error).into()),
            };
            match step {
                Step::Reply(text) => self.reply(&text).await?,
                Step::Data => self.data().await?,
                Step::StartTls => {
                    self.start_tls().await?;
                    commands = RequestReceiver::default();
                }
                Step::Quit => return Ok(()),
            }
        }
    }

    fn command(&mut self, request: Request<Cow<'_, str>>) -> Step {
        if let Some(refusal) = self.out_of_place(&request) {
            return Step::Reply(refusal.into());
        }
        let text = match request {
            Request::Ehlo { host } => {
                self.greet(host);
                return Step::Reply(self.offers().into());
            }
            Request::Helo { host } => {
                self.greet(host);
                "250 provision dev"
            }
            // What came along was not protected, and would be taken for commands that are.
            Request::StartTls if !self.unread.is_empty() => {
                self.unread.clear();
                "501 5.5.4 Nothing may follow STARTTLS before its answer"
            }
            Request::StartTls => return Step::StartTls,
            Request::Mail { from } => {
                self.sender = Some(from.address.into_owned());
                "250 2.1.0 OK"
            }
            Request::Rcpt { to } => self.recipient(to.address.into_owned()),
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

    /// Returns the refusal of a command that has no place at this point of the session, or that asks for too much; `None` if it is fine.
    fn out_of_place(&self, request: &Request<Cow<'_, str>>) -> Option<&'static str> {
        Some(match request {
            Request::StartTls if self.certificate.is_none() => "503 5.5.1 This is TLS already",
            Request::Mail { .. } if self.helo.is_none() => "503 5.5.1 Say EHLO first",
            Request::Mail { .. } if self.sender.is_some() => "503 5.5.1 There is a sender already",
            Request::Mail { from } if from.size > LARGEST_MAIL => "552 5.3.4 The mail is larger than 40 MB",
            Request::Rcpt { .. } if self.sender.is_none() => "503 5.5.1 Say MAIL FROM first",
            Request::Rcpt { .. } if self.recipients.len() >= MOST_RECIPIENTS => "452 4.5.3 Too many recipients",
            Request::Data if self.recipients.is_empty() => "503 5.5.1 Say RCPT TO first",
            _ => return None,
        })
    }

    fn greet(&mut self, host: Cow<'_, str>) {
        self.reset();
        self.helo = Some(host.into_owned());
    }

    /// Takes a recipient, if a receipt rule does.
    fn recipient(&mut self, recipient: String) -> &'static str {
        if !self.receiver.takes(&recipient) {
            self.receiver.observer().tell(Activity::Refused { recipient });
            return "550 5.1.1 No receipt rule takes mail for this recipient";
        }
        self.recipients.push(recipient);
        "250 2.1.5 OK"
    }

    /// Returns the answer to EHLO.
    fn offers(&self) -> String {
        let size = format!("SIZE {LARGEST_MAIL}");
        let tls = self.certificate.as_ref().map(|_| "STARTTLS");
        let all = ["provision dev", &size, "8BITMIME", "SMTPUTF8", "PIPELINING"].into_iter().chain(tls);
        let lines: Vec<_> = all.map(|offer| format!("250-{offer}\r\n")).collect();
        format!("{}250 ENHANCEDSTATUSCODES", lines.concat())
    }

    fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }

    /// Reads a mail and hands it over.
    async fn data(&mut self) -> Result<(), Left> {
        self.reply("354 End with <CR><LF>.<CR><LF>").await?;
        let mut data = MailData::new();
        let mut part = 0;
        self.place.now(Doing::Receiving);
        let mail = loop {
            if let Some(mail) = data.take(&mut self.unread) {
                break mail;
            }
            self.read().await?;
            part += self.unread.len();
            if part >= STEP {
                part = 0;
                self.place.now(Doing::Receiving);
            }
        };
        self.place.now(Doing::Working);
        let answer = self.receive(mail).await;
        self.reply(&answer).await
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

    /// Agrees on TLS, and forgets what was said without it.
    async fn start_tls(&mut self) -> Result<(), Left> {
        let Some(certificate) = self.certificate.take() else { return Ok(()) };
        self.reply("220 2.0.0 Begin").await?;
        self.place.now(Doing::Receiving);
        let plain = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        let agreed = tokio::select! {
            _ = self.ended.wait_for(|ended| *ended) => return Err(Left::Gone),
            () = self.place.give_way() => return Err(Left::Gone),
            agreed = timeout(SHORT_PATIENCE, certificate.acceptor.accept(plain)) => agreed,
        };
        let Ok(Ok(stream)) = agreed else { return Err(Left::Gone) };
        self.stream = Box::new(stream);
        self.helo = None;
        self.reset();
        self.place.now(Doing::Listening);
        Ok(())
    }

    /// Reads more input. The session ends if there is none, if it has to give way, or if the server ends.
    async fn read(&mut self) -> Result<(), Left> {
        let mut chunk = vec![0; STEP];
        let read = tokio::select! {
            biased;
            _ = self.ended.wait_for(|ended| *ended) => return Err(Left::Told("421 4.3.2 provision dev ends")),
            () = self.place.give_way() => return Err(Left::Told("421 4.4.2 Idle, and others wait")),
            read = timeout(PATIENCE, self.stream.read(&mut chunk)) => read,
        };
        let Ok(read) = read else { return Err(Left::Told("421 4.4.2 Idle")) };
        let read = read?;
        if read == 0 {
            return Err(Left::Gone);
        }
        chunk.truncate(read);
        self.unread = chunk;
        Ok(())
    }

    /// Answers, and waits for the next command.
    async fn reply(&mut self, text: &str) -> Result<(), Left> {
        let answered = async {
            self.stream.write_all(format!("{text}\r\n").as_bytes()).await?;
            // TLS keeps records back.
            self.stream.flush().await
        };
        timeout(SHORT_PATIENCE, answered).await.map_err(|_| Left::Gone)??;
        self.place.now(Doing::Listening);
        Ok(())
    }
}

fn refusal(error: &Error) -> &'static str {
    match error {
        Error::UnknownCommand => "500 5.5.1 Unknown command",
        Error::InvalidSenderAddress => "501 5.1.7 The sender's address is not well formed",
        Error::InvalidRecipientAddress => "501 5.1.3 The recipient's address is not well formed",
        _ => "501 5.5.4 The command is not well formed",
    }
}
