//! Ids in the forms of AWS's: unique, and no secrets.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};

/// Returns a new id in the form of Lambda's requests and SQS's messages.
pub(crate) fn uuid() -> String {
    let digits = HEXLOWER.encode(&unique());
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().to_owned();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

/// Returns a new id in the form of API Gateway's requests.
pub(crate) fn api_request() -> String {
    BASE64.encode(unique().get(..11).unwrap_or_default()).replace(['+', '/'], "-")
}

/// Returns bytes that no other call returns, in this run or another on the same state folder.
fn unique() -> [u8; 32] {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    static START: LazyLock<SystemTime> = LazyLock::new(SystemTime::now);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    Sha256::digest(format!("{} {:?} {count}", std::process::id(), *START)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_forms_and_are_unique() {
        let (one, other) = (uuid(), uuid());
        assert_ne!(one, other);
        assert_eq!(one.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        let request = api_request();
        assert!(request.len() == 16 && request.ends_with('=') && !request.contains('/'), "{request}");
    }
}
