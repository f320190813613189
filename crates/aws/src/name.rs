//! Cuts names of resources to the length that AWS takes.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Cuts a name that is too long, and appends a hash of the whole, so that two long names never
/// become equal.
pub fn cut(name: String, longest: usize) -> String {
    if name.len() <= longest {
        return name;
    }
    let hash = HEXLOWER.encode(Sha256::digest(name.as_bytes()).get(..4).unwrap_or_default());
    let kept: String = name.chars().filter(char::is_ascii).take(longest.saturating_sub(hash.len() + 1)).collect();
    format!("{kept}-{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_stay_and_long_names_stay_different() {
        assert_eq!(cut("stack-mail".to_owned(), 63), "stack-mail");
        let (one, two) = (cut(format!("{}1", "a".repeat(70)), 63), cut(format!("{}2", "a".repeat(70)), 63));
        assert_eq!((one.len(), two.len()), (63, 63));
        assert_ne!(one, two);
    }
}
