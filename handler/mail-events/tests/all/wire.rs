//! Frames of Kafka's protocol, as far as the listener looks into them.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Requests that the listener knows.
pub(crate) const PRODUCE: i16 = 0;
pub(crate) const SASL_HANDSHAKE: i16 = 17;
pub(crate) const API_VERSIONS: i16 = 18;
pub(crate) const SASL_AUTHENTICATE: i16 = 36;

/// Reads a frame without its length.
pub(crate) async fn frame(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let length = usize::try_from(stream.read_i32().await?).map_err(io::Error::other)?;
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame).await?;
    Ok(frame)
}

/// Writes a frame with its length.
pub(crate) async fn send(stream: &mut (impl AsyncWrite + Unpin), frame: &[u8]) -> io::Result<()> {
    let mut bytes = i32::try_from(frame.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(frame);
    stream.write_all(&bytes).await?;
    stream.flush().await
}

/// Bytes that are read from their beginning.
pub(crate) struct Bytes<'frame>(pub(crate) &'frame [u8]);

impl<'frame> Bytes<'frame> {
    pub(crate) fn take(&mut self, count: usize) -> &'frame [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    pub(crate) fn short(&mut self) -> i16 {
        i16::from_be_bytes(self.take(2).try_into().unwrap())
    }

    pub(crate) fn int(&mut self) -> i32 {
        i32::from_be_bytes(self.take(4).try_into().unwrap())
    }

    /// Reads a number of the compact forms: seven bits a byte.
    pub(crate) fn varint(&mut self) -> usize {
        let mut number = 0;
        for shift in (0..).step_by(7) {
            let byte = self.take(1)[0];
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }
}

/// Writes a number of the compact forms.
pub(crate) fn varint(mut number: usize, out: &mut Vec<u8>) {
    while number > 0x7f {
        out.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap());
}

/// The head of a request.
pub(crate) struct Head<'frame> {
    pub(crate) api: i16,
    pub(crate) version: i16,
    pub(crate) correlation: i32,
    /// Rest of the frame: tags if the head has some, and the body.
    pub(crate) rest: Bytes<'frame>,
}

/// Reads the head of a request.
pub(crate) fn head(frame: &[u8]) -> Head<'_> {
    let mut rest = Bytes(frame);
    let (api, version, correlation) = (rest.short(), rest.short(), rest.int());
    let client = rest.short();
    rest.take(usize::try_from(client).unwrap_or_default());
    Head { api, version, correlation, rest }
}

/// Puts an error code into the answer to a request to write, in place of the first partition's.
pub(crate) fn with_code(answer: &mut [u8], version: i16, code: i16) {
    let place = {
        let mut rest = Bytes(answer);
        rest.int();
        if version >= 9 {
            rest.varint();
            assert!(rest.varint() > 1, "the answer has a topic");
            let name = if version >= 13 { 16 } else { rest.varint() - 1 };
            rest.take(name);
            assert!(rest.varint() > 1, "the topic has a partition");
        } else {
            assert!(rest.int() > 0, "the answer has a topic");
            let name = usize::try_from(rest.short()).unwrap();
            rest.take(name);
            assert!(rest.int() > 0, "the topic has a partition");
        }
        rest.int();
        answer.len() - rest.0.len()
    };
    answer[place..place + 2].copy_from_slice(&code.to_be_bytes());
}
