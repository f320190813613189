//! Webhooks: the routes of an API that invoke a function, and how a request of each proves who sent it.

use serde::{Deserialize, Serialize};

/// A route of an API that invokes the function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Method and path as API Gateway writes them, such as `POST /job-complete` or `POST /in/{token}`.
    pub route: String,
    /// Proof of the sender.
    pub authentication: Authentication,
    /// Networks that requests may come from, in CIDR notation; empty allows all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
}

/// The proof of a request's sender. The secret is that of an environment variable: see [`crate::context::Context::secrets`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// Way in which the request proves its sender.
    #[serde(flatten)]
    pub scheme: Scheme,
    /// Environment variable of the secret.
    pub secret: String,
}

/// The ways in which a request proves its sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "kebab-case")]
pub enum Scheme {
    /// <https://www.standardwebhooks.com>: headers `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    StandardWebhooks,
    /// As [`Scheme::StandardWebhooks`], with headers `svix-…`.
    Svix,
    /// Header `X-Hub-Signature-256`.
    Github,
    /// Header `X-Gitlab-Token`: the secret itself.
    Gitlab,
    /// Header `Stripe-Signature`, with a timestamp.
    Stripe,
    /// Headers `X-Slack-Signature` and `X-Slack-Request-Timestamp`.
    Slack,
    /// Header `X-Shopify-Hmac-Sha256`.
    Shopify,
    /// Header `X-Twilio-Signature`, over the address and the form.
    Twilio,
    /// Code of the body in a header of one's own.
    Hmac {
        /// Name of the header.
        header: String,
        /// Hash of the code.
        algorithm: Algorithm,
        /// Form of the code in the header.
        encoding: Encoding,
        /// Text before the code, such as `sha256=`; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        prefix: String,
    },
    /// Header `Authorization: Bearer SECRET`.
    Bearer,
    /// The path itself: the value of the route's variable `{token}`.
    Path,
}

/// The hashes of an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// SHA-1, for old senders.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// The forms of a code in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Hexadecimal digits.
    Hex,
    /// Base64 with padding.
    Base64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_reads_back_as_it_was_written() {
        for json in [
            r#"{"route":"POST /in/{token}","authentication":{"scheme":"path","secret":"TOKEN"}}"#,
            r#"{"route":"POST /a","authentication":{"scheme":"standard-webhooks","secret":"S"},"sources":["203.0.113.0/24"]}"#,
            r#"{"route":"POST /a","authentication":{"scheme":"hmac","header":"X-Code","algorithm":"sha256","encoding":"hex","prefix":"v1=","secret":"S"}}"#,
        ] {
            let route: Route = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&route).unwrap(), json);
        }
    }
}
