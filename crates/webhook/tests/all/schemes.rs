//! One example of each scheme, signed.

use contract::{
    secret::Secret,
    webhook::{Algorithm, Encoding, Scheme},
};
use webhook::{Draft, Refused, Request, Signed, Stamp, sign, verify};

/// Now, in seconds since the epoch.
pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const BODY: &[u8] = br#"{"id":"016f6063-51a1-4948-a827-ce4c31ec53ed"}"#;

/// A scheme, a secret for it and another one.
pub(crate) struct Example {
    pub(crate) name: &'static str,
    pub(crate) scheme: Scheme,
    pub(crate) secret: &'static str,
    pub(crate) other: &'static str,
    /// `true` if the scheme signs the body.
    pub(crate) signs_body: bool,
    /// `true` if the scheme signs a time.
    pub(crate) signs_time: bool,
}

/// Returns an example of each scheme, and of each form of [`Scheme::Hmac`].
pub(crate) fn examples() -> Vec<Example> {
    let (text, other_text) = ("example-secret-of-24-characters", "another-secret-of-24-characters");
    let (key, other_key) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let mut examples = Vec::new();
    let mut add = |name, scheme, keyed: bool, signs_body, signs_time| {
        let (secret, other) = if keyed { (key, other_key) } else { (text, other_text) };
        examples.push(Example { name, scheme, secret, other, signs_body, signs_time });
    };
    add("standard-webhooks", Scheme::StandardWebhooks, true, true, true);
    add("svix", Scheme::Svix, true, true, true);
    add("github", Scheme::Github, false, true, false);
    add("gitlab", Scheme::Gitlab, false, false, false);
    add("stripe", Scheme::Stripe, false, true, true);
    add("slack", Scheme::Slack, false, true, true);
    add("shopify", Scheme::Shopify, false, true, false);
    add("twilio", Scheme::Twilio, false, true, false);
    add("bearer", Scheme::Bearer, false, false, false);
    add("path", Scheme::Path, false, false, false);
    for algorithm in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512] {
        for encoding in [Encoding::Hex, Encoding::Base64] {
            for prefix in ["", "v1="] {
                let (header, prefix) = ("X-Code".to_owned(), prefix.to_owned());
                add("hmac", Scheme::Hmac { header, algorithm, encoding, prefix }, false, true, false);
            }
        }
    }
    examples
}

/// A request that was signed.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) token: Option<String>,
}

impl Sent {
    /// Signs a request by that scheme and secret.
    pub(crate) fn new(example: &Example, secret: &str, time: u64, body: &[u8], content_type: &str) -> Self {
        let url = match example.scheme {
            Scheme::Path => "https://in.example.com/in/{token}",
            _ => "https://in.example.com/hook?a=1",
        };
        let draft = Draft { url, content_type: Some(content_type), body };
        let signed = sign(&example.scheme, &Secret::from(secret), draft, Stamp { id: "msg_1", time });
        let Signed { url, mut headers } = signed.unwrap();
        headers.push(("Content-Type".to_owned(), content_type.to_owned()));
        let token = url.strip_prefix("https://in.example.com/in/").map(str::to_owned);
        Self { url, headers, body: body.to_vec(), token }
    }

    /// Signs the usual request.
    pub(crate) fn of(example: &Example) -> Self {
        Self::new(example, example.secret, NOW, BODY, "application/json")
    }

    /// Verifies it by that scheme and secret.
    pub(crate) fn verified(&self, scheme: &Scheme, secret: &str) -> Result<(), Refused> {
        let Self { url, headers, body, token } = self;
        let request = Request { url, headers, body, token: token.as_deref() };
        verify(scheme, &Secret::from(secret), &request, NOW)
    }
}
