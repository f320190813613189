//! The secrets that this process has read: whatever it writes to its log or answers is written without them, however they came into it,
//! such as by a server that repeats what it was sent.

use std::sync::{Mutex, PoisonError};

use contract::secret::Secret;

static KNOWN: Mutex<Vec<Secret>> = Mutex::new(Vec::new());

/// Remembers a secret that was read. [`crate::SecretSource`] remembers what it reads as a whole: a part that is secret by itself is
/// remembered by whoever takes it out.
pub fn remember(secret: &Secret) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    // In JSON some characters are escaped.
    let escaped = serde_json::Value::from(secret.expose()).to_string();
    for secret in [secret.clone(), escaped.trim_matches('"').into()] {
        if !known.contains(&secret) {
            known.push(secret);
        }
    }
}

/// Returns a text without any secret that was read.
///
/// ```
/// use contract::secret::Secret;
/// use runtime::{redact, remember};
///
/// remember(&Secret::from("hunter2-and-more"));
/// assert_eq!(redact("401: no user has hunter2-and-more"), "401: no user has [secret]");
/// ```
pub fn redact(text: &str) -> String {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.iter().fold(text.to_owned(), |text, secret| secret.redact(&text))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use contract::context::Context;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::{SecretSource, http::Http, log::Log};

    /// A log that a test can read.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_secret_that_a_server_repeats_is_not_repeated_again() {
        for secret in ["nbt_canaryabcdef.canaryzyxwvu", "canary-with-\"-and-\\-in-it"] {
            let read = SecretSource::Given(secret.into()).read().await.unwrap();
            assert_eq!(read.expose(), secret);
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let base = format!("http://{}", listener.local_addr().unwrap());
            let said = format!("no user has {secret}, nor {}", secret.split('.').next_back().unwrap());
            let body = said.clone();
            tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _read = stream.read(&mut [0; 4096]).await.unwrap();
                let head = format!("HTTP/1.1 403 X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                stream.write_all((head + &body).as_bytes()).await.unwrap();
            });
            let answer = Http::new(base, None).send("GET", "/", &[], None).await.unwrap();
            let written = Written::default();
            let log = Log::new(&Context::default(), written.clone());
            log.line(&serde_json::json!({"reason": said, "in": [secret]})).unwrap();
            let logged = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
            serde_json::from_str::<serde_json::Value>(&logged).unwrap();
            for shown in [answer.quote(), logged, redact(&said), format!("{read:?} {read}")] {
                assert!(!shown.contains("canary") && shown.contains("[secret]"), "{shown}");
            }
        }
    }

    #[tokio::test]
    async fn the_path_of_a_webhook_is_told_to_nobody() {
        let http = Http::to_secret("http://127.0.0.1:9".to_owned(), &"/in/canary-path".into(), None);
        let error = http.send("POST", "/in/canary-path", &[], None).await.unwrap_err().to_string();
        assert!(error.starts_with("POST http://127.0.0.1:9: ") && !error.contains("canary"), "{error}");
        assert!(!format!("{http:?}").contains("canary"));
    }
}
