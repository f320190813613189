//! Input of a client: a stream, plain or TLS, and the bytes of it that were not processed yet.

use smtp_proto::request::receiver::{DataReceiver, DummyDataReceiver};
use tokio::io::{AsyncRead, AsyncWrite};

use super::LARGEST_MAIL;

/// A connection, plain or TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// The data of a mail.
#[derive(Debug)]
pub(super) enum Mail {
    Whole(Vec<u8>),
    TooLarge,
}

/// Collects the data of a mail up to the line with the dot.
pub(super) struct MailData {
    data: DataReceiver,
    mail: Vec<u8>,
    /// Skips the rest of a mail that is too large.
    skipping: Option<DummyDataReceiver>,
}

impl MailData {
    pub(super) fn new() -> Self {
        let mut data = DataReceiver::new();
        let mut mail = Vec::new();
        // The dot may be the very first line: it ends a mail only after a line end.
        data.ingest(&mut b"\r\n".iter(), &mut mail);
        mail.clear();
        Self { data, mail, skipping: None }
    }

    /// Takes bytes; returns the mail at its end, and leaves what comes after it.
    pub(super) fn take(&mut self, unread: &mut Vec<u8>) -> Option<Mail> {
        let mut bytes = unread.iter();
        let ended = match &mut self.skipping {
            None => self.data.ingest(&mut bytes, &mut self.mail),
            Some(skipping) => skipping.ingest(&mut bytes),
        };
        *unread = bytes.as_slice().to_vec();
        let is_large = self.skipping.is_some() || self.mail.len() > LARGEST_MAIL;
        if ended {
            return Some(if is_large { Mail::TooLarge } else { Mail::Whole(std::mem::take(&mut self.mail)) });
        }
        if is_large && self.skipping.is_none() {
            self.skipping = Some(DummyDataReceiver::new_data(&self.data));
            self.mail = Vec::new();
        }
        None
    }
}

/// Returns `true` if what a client says begins a request of HTTP, and no command of SMTP.
pub(super) fn speaks_http(unread: &[u8]) -> bool {
    const METHODS: [&[u8]; 9] =
        [b"GET ", b"POST ", b"PUT ", b"HEAD ", b"DELETE ", b"OPTIONS ", b"PATCH ", b"CONNECT ", b"TRACE "];
    METHODS.iter().any(|method| unread.get(..method.len()).is_some_and(|start| start.eq_ignore_ascii_case(method)))
}
