//! Message authentication codes: keys, hashes, and how a code is written.

use std::borrow::Cow;

use contract::webhook::{Algorithm, Encoding};
use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use ring::{digest, hmac};
use subtle::ConstantTimeEq;

/// Prefix of a secret whose base64 follows.
const PREFIX: &str = "whsec_";

/// A signed text, in pieces.
pub(crate) type Message<'piece> = Vec<Cow<'piece, [u8]>>;

/// The way from a secret to its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyForm {
    /// The secret's own bytes.
    Text,
    /// The bytes whose base64 the secret is, with or without `whsec_` before it.
    Base64,
}

impl KeyForm {
    /// Returns the key of a secret; `None` if it is no key, or an empty one.
    pub(crate) fn key(self, secret: &str) -> Option<Vec<u8>> {
        let key = match self {
            Self::Text => secret.as_bytes().to_vec(),
            Self::Base64 => {
                let text = secret.strip_prefix(PREFIX).unwrap_or(secret);
                BASE64_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok()?
            }
        };
        (!key.is_empty()).then_some(key)
    }
}

/// Returns the code of a message.
pub(crate) fn compute(algorithm: Algorithm, key: &[u8], message: &Message<'_>) -> Vec<u8> {
    let algorithm = match algorithm {
        Algorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Algorithm::Sha256 => hmac::HMAC_SHA256,
        Algorithm::Sha512 => hmac::HMAC_SHA512,
    };
    let mut signing = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
    for piece in message {
        signing.update(piece);
    }
    signing.sign().as_ref().to_vec()
}

/// Returns a code as it stands in a header.
pub(crate) fn write(encoding: Encoding, code: &[u8]) -> String {
    match encoding {
        Encoding::Hex => HEXLOWER.encode(code),
        Encoding::Base64 => BASE64.encode(code),
    }
}

/// Reads a code; `None` if it is not written so.
pub(crate) fn read(encoding: Encoding, text: &str) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Hex => HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok(),
        Encoding::Base64 => BASE64.decode(text.as_bytes()).ok(),
    }
}

/// Compares codes in constant time.
pub(crate) fn are_equal(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

/// Compares texts in a time that tells nothing of them, their length included.
pub(crate) fn are_same_texts(one: &str, other: &str) -> bool {
    are_equal(&hash(one.as_bytes()), &hash(other.as_bytes()))
}

/// Returns the SHA-256 of bytes.
pub(crate) fn hash(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}
