//! Signatures of Standard Webhooks: header `webhook-signature: v1,BASE64`, secrets as `whsec_BASE64`.

use std::fmt;

use aws_smithy_types::base64;
use ring::hmac;

use runtime::environment::Secret;

/// Prefix of a secret; its base64 follows.
const PREFIX: &str = "whsec_";
/// Minimum length that the standard recommends, in bytes.
const SHORTEST: usize = 24;
const LONGEST: usize = 64;

/// A key that signs documents.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key(Vec<u8>);

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(…)")
    }
}

impl Key {
    /// Returns the key of a secret; the error says what is wrong with it.
    pub(super) fn of(secret: &Secret) -> Result<Self, String> {
        let written = secret.expose().strip_prefix(PREFIX).and_then(|text| base64::decode(text).ok());
        let key = written.filter(|key| (SHORTEST..=LONGEST).contains(&key.len()));
        key.map(Self).ok_or_else(|| {
            format!("is not a webhook secret: expected `{PREFIX}` and the base64 of {SHORTEST} to {LONGEST} bytes")
        })
    }

    /// Returns the value of the signature header.
    pub(super) fn signature(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut signing = hmac::Context::with_key(&key);
        signing.update(format!("{id}.{timestamp}.").as_bytes());
        signing.update(body);
        format!("v1,{}", base64::encode(signing.sign()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_standard() {
        // Checked with Python's hmac module.
        let key = Key::of(&format!("{PREFIX}{}", base64::encode([7; 32])).into()).unwrap();
        assert_eq!(
            key.signature("id-1", 1_772_438_400, b"{\"a\":1}"),
            "v1,Ru2A/H0obNCULLtQBR1pKwH3XQ3RmcgOTFkjgSPQxX8="
        );
        assert_eq!(format!("{key:?}"), "Key(…)");
    }

    #[test]
    fn a_malformed_webhook_secret_is_refused() {
        let short = format!("{PREFIX}{}", base64::encode([1; 8]));
        for bad in ["", "secret", PREFIX, "whsec_???", short.as_str()] {
            let error = Key::of(&bad.into()).unwrap_err();
            assert!(error.contains("`whsec_`") && !error.contains("???"), "{error}");
        }
    }
}
