//! Addresses as SES states them: `ada@example.org`, or `Ada <ada@example.org>`.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Returns the address without a name; `None` if there is none.
///
/// ```
/// assert_eq!(events::bare("\"Shop <old@shop.example>\" <orders@shop.example>"), Some("orders@shop.example"));
/// assert_eq!(events::bare(" ada@example.org "), Some("ada@example.org"));
/// assert_eq!(events::bare("Shop <>"), None);
/// ```
pub fn bare(text: &str) -> Option<&str> {
    let text = text.trim();
    // The name may hold brackets of its own, quoted; the address is in the last ones.
    let inner = text.strip_suffix('>').and_then(|inner| inner.rsplit_once('<'));
    let address = inner.map_or(text, |(_, address)| address).trim();
    (!address.is_empty()).then_some(address)
}

/// Returns the domain of a bare address, in small letters; `None` if it has none.
pub fn domain(address: &str) -> Option<String> {
    let (_, domain) = address.rsplit_once('@')?;
    (!domain.is_empty()).then(|| domain.to_lowercase())
}

/// Returns an address as a log may show it: 12 hexadecimal digits of its SHA-256 in small letters, and its domain.
///
/// ```
/// assert_eq!(events::digest("Ada@Example.org"), events::digest("ada@example.org"));
/// assert!(events::digest("ada@example.org").ends_with("@example.org"));
/// ```
pub fn digest(address: &str) -> String {
    let digest = Sha256::digest(address.to_lowercase());
    let digits = HEXLOWER.encode(digest.get(..6).unwrap_or_default());
    format!("{digits}@{}", domain(address).unwrap_or_default())
}
