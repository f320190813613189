//! The proof that a request carries, by its scheme, before a secret is looked at.

use std::borrow::Cow;

use contract::webhook::{Algorithm, Encoding};

use crate::{
    Refused, Request, Scheme,
    code::{self, KeyForm, Message},
    twilio,
};

/// The proof of a request.
pub(crate) enum Claim<'request> {
    /// The secret itself, as the request has it.
    Token(&'request str),
    /// Codes of which one must be that of one of the messages.
    Codes { recipe: Recipe, time: Option<u64>, messages: Vec<Message<'request>>, codes: Vec<Vec<u8>> },
}

/// The making of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recipe {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: KeyForm,
    pub(crate) encoding: Encoding,
}

impl Recipe {
    /// Hexadecimal digits of an HMAC with SHA-256, whose key is the secret as it is written.
    pub(crate) const HEX: Self = Self { algorithm: Algorithm::Sha256, key: KeyForm::Text, encoding: Encoding::Hex };
    /// Base64 of the same.
    pub(crate) const BASE64: Self = Self { encoding: Encoding::Base64, ..Self::HEX };
    /// That of Standard Webhooks.
    pub(crate) const STANDARD: Self = Self { key: KeyForm::Base64, ..Self::BASE64 };
    /// That of Twilio: HMAC-SHA1 in base64.
    pub(crate) const TWILIO: Self = Self { algorithm: Algorithm::Sha1, ..Self::BASE64 };

    /// Returns the code of a message, by a secret; `None` if the secret is no key.
    pub(crate) fn compute(self, secret: &str, message: &Message<'_>) -> Option<Vec<u8>> {
        let key = self.key.key(secret)?;
        Some(code::compute(self.algorithm, &key, message))
    }
}

/// Returns a text and the body as a message.
pub(crate) fn stamped(before: String, body: &[u8]) -> Message<'_> {
    vec![Cow::Owned(before.into_bytes()), Cow::Borrowed(body)]
}

/// The headers of Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature`, and those of Svix.
pub(crate) type StandardHeaders = [&'static str; 3];
pub(crate) const STANDARD: StandardHeaders = ["webhook-id", "webhook-timestamp", "webhook-signature"];
pub(crate) const SVIX: StandardHeaders = ["svix-id", "svix-timestamp", "svix-signature"];
pub(crate) const GITHUB: &str = "X-Hub-Signature-256";
pub(crate) const GITLAB: &str = "X-Gitlab-Token";
pub(crate) const STRIPE: &str = "Stripe-Signature";
pub(crate) const SLACK: [&str; 2] = ["X-Slack-Request-Timestamp", "X-Slack-Signature"];
pub(crate) const SHOPIFY: &str = "X-Shopify-Hmac-Sha256";
pub(crate) const TWILIO: &str = "X-Twilio-Signature";
pub(crate) const AUTHORIZATION: &str = "Authorization";
/// Name, for errors, of a header that the declaration names.
const OWN: &str = "declared header";

impl<'request> Claim<'request> {
    /// Reads the proof of a request.
    pub(crate) fn read(scheme: &Scheme, request: &Request<'request>) -> Result<Self, Refused> {
        match scheme {
            Scheme::StandardWebhooks => standard(STANDARD, request),
            Scheme::Svix => standard(SVIX, request),
            Scheme::Stripe => stripe(request),
            Scheme::Slack => slack(request),
            Scheme::Twilio => twilio_claim(request),
            Scheme::Github => of_body(Recipe::HEX, request, GITHUB, GITHUB, "sha256="),
            Scheme::Shopify => of_body(Recipe::BASE64, request, SHOPIFY, SHOPIFY, ""),
            Scheme::Hmac { header, algorithm, encoding, prefix } => {
                let recipe = Recipe { algorithm: *algorithm, encoding: *encoding, key: KeyForm::Text };
                of_body(recipe, request, header, OWN, prefix)
            }
            Scheme::Gitlab => request.header(GITLAB).map(Self::Token),
            Scheme::Bearer => bearer(request.header(AUTHORIZATION)?),
            Scheme::Path => request.token.map(Self::Token).ok_or(Refused::Missing("{token}")),
        }
    }

    /// Returns the time at which the request was signed, in seconds since the epoch; `None` if the scheme signs none.
    pub(crate) fn time(&self) -> Option<u64> {
        match self {
            Self::Token(_) => None,
            Self::Codes { time, .. } => *time,
        }
    }

    /// Returns whether the proof was made with this secret; `None` if the secret is no key of the scheme.
    pub(crate) fn is_made_with(&self, secret: &str) -> Option<bool> {
        match self {
            Self::Token(given) => Some(code::are_same_texts(given, secret)),
            Self::Codes { recipe, messages, codes, .. } => {
                let mut is_made = false;
                for message in messages {
                    let expected = recipe.compute(secret, message)?;
                    // Every code is compared, so that the time does not tell which one it was.
                    is_made |= codes.iter().fold(false, |is_equal, code| is_equal | code::are_equal(code, &expected));
                }
                Some(is_made)
            }
        }
    }
}

/// Reads a time: seconds since the epoch, digits only.
fn seconds(text: &str, header: &'static str) -> Result<u64, Refused> {
    let is_number = !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_digit());
    text.parse().ok().filter(|_| is_number).ok_or(Refused::Malformed(header))
}

/// Reads codes that are listed in a header; without one that can be read the header is malformed.
fn codes<'text>(
    recipe: Recipe,
    texts: impl Iterator<Item = &'text str>,
    header: &'static str,
) -> Result<Vec<Vec<u8>>, Refused> {
    let codes: Vec<_> = texts.filter_map(|text| code::read(recipe.encoding, text)).collect();
    if codes.is_empty() { Err(Refused::Malformed(header)) } else { Ok(codes) }
}

/// Reads the proof of Standard Webhooks: codes with the version `v1`, separated by spaces.
fn standard<'request>(headers: StandardHeaders, request: &Request<'request>) -> Result<Claim<'request>, Refused> {
    let [id_header, time_header, code_header] = headers;
    let (id, time) = (request.header(id_header)?, request.header(time_header)?);
    let listed = request.header(code_header)?.split(' ').filter_map(|code| code.strip_prefix("v1,"));
    let recipe = Recipe::STANDARD;
    Ok(Claim::Codes {
        recipe,
        codes: codes(recipe, listed, code_header)?,
        time: Some(seconds(time, time_header)?),
        messages: vec![stamped(format!("{id}.{time}."), request.body)],
    })
}

/// Reads Stripe's proof: `t=TIME,v1=CODE`, with codes of other versions beside.
fn stripe<'request>(request: &Request<'request>) -> Result<Claim<'request>, Refused> {
    let fields =
        || request.header(STRIPE).map(|value| value.split(',').filter_map(|field| field.trim().split_once('=')));
    let mut times = fields()?.filter(|(name, _)| *name == "t").map(|(_, time)| time);
    let (Some(time), None) = (times.next(), times.next()) else { return Err(Refused::Malformed(STRIPE)) };
    let listed = fields()?.filter(|(name, _)| *name == "v1").map(|(_, code)| code);
    let recipe = Recipe::HEX;
    Ok(Claim::Codes {
        recipe,
        codes: codes(recipe, listed, STRIPE)?,
        time: Some(seconds(time, STRIPE)?),
        messages: vec![stamped(format!("{time}."), request.body)],
    })
}

/// Reads the proof of a request from Slack.
fn slack<'request>(request: &Request<'request>) -> Result<Claim<'request>, Refused> {
    let [time_header, code_header] = SLACK;
    let (time, code) = (request.header(time_header)?, request.header(code_header)?);
    let recipe = Recipe::HEX;
    Ok(Claim::Codes {
        recipe,
        codes: codes(recipe, code.strip_prefix("v0=").into_iter(), code_header)?,
        time: Some(seconds(time, time_header)?),
        messages: vec![stamped(format!("v0:{time}:"), request.body)],
    })
}

/// Reads the proof of a request from Twilio.
fn twilio_claim<'request>(request: &Request<'request>) -> Result<Claim<'request>, Refused> {
    let recipe = Recipe::TWILIO;
    let code = request.header(TWILIO)?;
    let codes = codes(recipe, std::iter::once(code), TWILIO)?;
    Ok(Claim::Codes { recipe, codes, time: None, messages: twilio::messages(request)? })
}

/// Reads a code of the body alone.
fn of_body<'request>(
    recipe: Recipe,
    request: &Request<'request>,
    header: &str,
    called: &'static str,
    prefix: &str,
) -> Result<Claim<'request>, Refused> {
    let value = request.named(header, called)?;
    let codes = codes(recipe, value.strip_prefix(prefix).into_iter(), called)?;
    Ok(Claim::Codes { recipe, codes, time: None, messages: vec![vec![Cow::Borrowed(request.body)]] })
}

/// Reads `Bearer TOKEN`; the word is written in any case.
fn bearer(value: &str) -> Result<Claim<'_>, Refused> {
    let (word, token) = value.split_once(' ').ok_or(Refused::Malformed(AUTHORIZATION))?;
    if word.eq_ignore_ascii_case("bearer") {
        Ok(Claim::Token(token.trim()))
    } else {
        Err(Refused::Malformed(AUTHORIZATION))
    }
}
