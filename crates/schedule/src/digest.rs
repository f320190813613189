//! Short digests that tell texts apart.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Returns the first `length` bytes of the SHA-256 in hexadecimal.
pub fn digest(bytes: &[u8], length: usize) -> String {
    Sha256::digest(bytes).iter().take(length).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
