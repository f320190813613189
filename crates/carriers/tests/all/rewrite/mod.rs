//! Rewrites mails: encoded, wrapped, folded and forwarded as mail programs do it, or about other days and other
//! circuits.

pub(crate) mod attachment;
pub(crate) mod circuits;
pub(crate) mod dates;
pub(crate) mod forward;
mod message;
mod texts;

pub(crate) use message::Message;
pub(crate) use texts::{Charset, Encoding, encoded, flowed, footed, headed, rewrapped, written};
