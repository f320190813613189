//! Text that no log, plan, error or argument list may show: tokens, passwords, signing keys.

use std::fmt;

/// Stands where a secret would.
pub const REDACTED: &str = "[secret]";

/// The shortest secret that is looked for in other people's text: a shorter one is found by chance. Bytes.
const SHORTEST: usize = 8;

/// Beginnings of tokens that everybody knows.
const PREFIXES: [&str; 2] = ["nbt_", "whsec_"];

/// A secret text. It is shown by none of Rust's formats and cannot be serialised: whoever needs it says so with [`Secret::expose`].
///
/// ```
/// use contract::secret::Secret;
///
/// let token = Secret::from("0123456789abcdef");
/// assert_eq!(format!("{token} {token:?}"), "[secret] Secret([secret])");
/// assert_eq!(token.redact("403: no user has 0123456789abcdef"), "403: no user has [secret]");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Secret(String);

impl Secret {
    /// Returns the text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the secret without white space around it.
    #[must_use]
    pub fn trimmed(&self) -> Self {
        Self(self.0.trim().to_owned())
    }

    /// Returns a text of others with this secret replaced, and each part of it that is secret by itself: the key and the token of
    /// `nbt_KEY.TOKEN`, what follows the `whsec_` of a webhook.
    pub fn redact(&self, text: &str) -> String {
        let token = PREFIXES.iter().find_map(|prefix| self.0.strip_prefix(prefix));
        let pieces = token.into_iter().flat_map(|token| token.split('.'));
        let all = std::iter::once(self.0.as_str()).chain(pieces).filter(|piece| piece.len() >= SHORTEST);
        all.fold(text.to_owned(), |text, piece| text.replace(piece, REDACTED))
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secret({REDACTED})")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_format_shows_a_secret() {
        let secret = Secret::from("canary-1234");
        for shown in
            [format!("{secret}"), format!("{secret:?}"), format!("{secret:#?}"), format!("{:?}", Some([&secret]))]
        {
            assert!(!shown.contains("canary"), "{shown}");
        }
    }

    #[test]
    fn an_echo_is_redacted_as_a_whole_and_in_its_parts() {
        for (secret, text) in [
            ("0123456789abcdef", "Token 0123456789abcdef is not valid"),
            ("nbt_abcdefghijkl.zyxwvutsrqpo", "no token abcdefghijkl, zyxwvutsrqpo"),
            ("whsec_abcdefghijkl", "bad key abcdefghijkl="),
        ] {
            let shown = Secret::from(secret).redact(text);
            assert!(shown.contains(REDACTED) && !shown.contains("abcdef") && !shown.contains("zyx"), "{shown}");
        }
        assert_eq!(Secret::default().redact("nothing"), "nothing");
    }
}
