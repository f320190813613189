//! Cuts names of resources to the length that AWS takes.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Characters of the hash at the end of a cut name: 48 bits.
const HASH: usize = 12;
/// Characters between what is left of a name and the hash. No declared name has two hyphens in a row, so no name is cut into one
/// that is declared elsewhere.
const BETWEEN: &str = "--";

/// Cuts a name that is too long, and appends a hash of `whole`, which is more than the name: everything that tells the resource from
/// others of its kind. So two resources whose names are equal before the cut have different ones after it.
///
/// ```
/// let name = "circuit-maintenance-production-notices".to_owned();
/// assert_eq!(aws::cut(name.clone(), 64, "one"), name);
/// let (one, other) = (aws::cut(name.clone(), 32, "one"), aws::cut(name, 32, "other"));
/// assert!(one.starts_with("circuit-maintenanc--") && one != other);
/// ```
pub fn cut(name: String, longest: usize, whole: &str) -> String {
    if name.len() <= longest { name } else { hashed(&name, longest, whole) }
}

/// Returns the form of a name that was cut, whether or not it is too long.
pub fn hashed(name: &str, longest: usize, whole: &str) -> String {
    let hash = HEXLOWER.encode(&Sha256::digest(whole.as_bytes()));
    let hash: String = hash.chars().take(HASH).collect();
    format!("{}{BETWEEN}{hash}", kept(name, longest))
}

/// Returns `true` if a name has the form of one that was cut.
///
/// ```
/// assert!(aws::is_cut(&aws::hashed("a-very-long-name", 16, "whole")));
/// assert!(!aws::is_cut("mail--prod-0a1b") && !aws::is_cut("mail-0a1b2c3d4e5f"));
/// ```
pub fn is_cut(name: &str) -> bool {
    let hash = name.rsplit_once(BETWEEN).map(|(_, hash)| hash).unwrap_or_default();
    hash.len() == HASH && hash.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Returns what names that begin alike still have in common after a cut: lists by a prefix ask for it.
///
/// ```
/// assert_eq!(aws::kept_prefix("mail-prod-", 64), "mail-prod-");
/// assert_eq!(aws::kept_prefix("a-very-long-stack-name-", 30), "a-very-long-stac");
/// ```
pub fn kept_prefix(prefix: &str, longest: usize) -> String {
    prefix.chars().take(longest.saturating_sub(HASH + BETWEEN.len())).collect()
}

/// Returns the beginning that a cut leaves.
fn kept(name: &str, longest: usize) -> String {
    kept_prefix(name, longest).trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_stay_and_long_names_stay_different() {
        assert_eq!(cut("stack-mail".to_owned(), 63, "whole"), "stack-mail");
        let long = "a".repeat(70);
        let (one, two) = (cut(long.clone(), 63, "one"), cut(long, 63, "two"));
        assert_eq!((one.len(), two.len()), (63, 63));
        assert_ne!(one, two);
    }

    #[test]
    fn what_is_left_begins_as_the_list_asks() {
        for length in 1..80 {
            let prefix = format!("{}-", "s".repeat(length));
            let name = cut(format!("{prefix}{}", "e".repeat(64)), 64, "whole");
            assert!(name.starts_with(&kept_prefix(&prefix, 64)), "{name}");
            assert!(name.len() <= 64, "{name}");
        }
    }
}
