//! The token file of the platform: its key and its base address.

use std::{fmt, sync::atomic::AtomicBool};

use contract::secret::Secret;
use runtime::{
    Reach,
    outside::{Host, Hosts},
    remember,
};
use serde_json::Value;

/// Base address of the platform if the token states none.
const BASE: &str = "https://api.voxel51.com";

/// An access token of the platform, with the address that it is for.
pub(super) struct Token {
    /// Key of the bearer.
    pub(super) key: Secret,
    /// Base address, without a slash at its end.
    pub(super) base: String,
    /// Servers that requests may go to.
    pub(super) hosts: Hosts,
    /// `true` once the server has listed jobs for it.
    pub(super) is_known: AtomicBool,
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Token").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Token {
    /// Reads the token file: a JSON object, or a JSON string that contains one. Errors are predicates and show nothing of it.
    pub(super) fn read(secret: &Secret, redirects: &[Host], reach: Reach) -> Result<Self, String> {
        let not = || "is not the token file of the platform: a JSON object with `access_token`".to_owned();
        let mut file: Value = serde_json::from_str(secret.expose()).map_err(|_| not())?;
        if let Value::String(text) = &file {
            file = serde_json::from_str(text).map_err(|_| not())?;
        }
        let token = file.get("access_token").ok_or_else(not)?;
        let text = |name: &str| token.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        let key = text("private_key").ok_or("has no `access_token.private_key`")?;
        let base = text("base_api_url").unwrap_or(BASE).trim_end_matches('/').to_owned();
        let is_plain = !base.contains(['?', '#', '@', '{', '}']);
        let hosts =
            if is_plain { Hosts::new(&base, redirects, reach) } else { Err("it has more than a path".to_owned()) };
        let hosts = hosts.map_err(|reason| format!("has a `base_api_url` that is not used: {reason}"))?;
        let key = Secret::from(key);
        remember(&key);
        Ok(Self { key, base, hosts, is_known: AtomicBool::new(false) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<Token, String> {
        Token::read(&text.into(), &[], Reach::Public)
    }

    #[test]
    fn a_token_file_is_read_as_an_object_and_as_a_text() {
        let file = json!({"access_token": {"private_key": "EXAMPLE-NOT-A-KEY", "token_id": "0", "base_api_url": "https://a.example/"}});
        for text in [file.to_string(), format!("{file:#}"), json!(file.to_string()).to_string()] {
            let token = read(&text).unwrap();
            assert_eq!((token.key.expose(), token.base.as_str()), ("EXAMPLE-NOT-A-KEY", "https://a.example"));
            assert!(!format!("{token:?}").contains("NOT-A-KEY"));
        }
        let least = json!({"access_token": {"private_key": "EXAMPLE-NOT-A-KEY"}}).to_string();
        assert_eq!(read(&least).unwrap().base, BASE);
    }

    #[test]
    fn another_text_is_refused_and_not_shown() {
        let of =
            |key: &str, base: &str| json!({"access_token": {"private_key": key, "base_api_url": base}}).to_string();
        for text in [
            String::new(),
            "canary".to_owned(),
            "[]".to_owned(),
            "{}".to_owned(),
            json!("canary").to_string(),
            json!({"access_token": "canary"}).to_string(),
            json!({"access_token": {"private_key": 7}}).to_string(),
            of("", "https://a.example"),
            of("canary", "http://a.example"),
            of("canary", "http://127.0.0.1:80"),
            of("canary", "https://169.254.169.254"),
            of("canary", "https://me:canary@a.example"),
            of("canary", "https://a.example/?x=canary"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(!error.contains("canary"), "{error}");
        }
    }
}
