//! Signs requests as their senders would, for trying a receiver.

use contract::secret::Secret;
use data_encoding::HEXLOWER;
use form_urlencoded::byte_serialize;
use thiserror::Error;

use crate::{
    Scheme,
    claim::{AUTHORIZATION, GITHUB, GITLAB, Recipe, SHOPIFY, SLACK, STANDARD, STRIPE, SVIX, TWILIO, stamped},
    code::{self, KeyForm, Message},
    is_form, twilio, values,
};

/// A request before it is signed.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'draft> {
    /// Address that it will be sent to, whole; a `{token}` in it is replaced by the secret of the scheme [`Scheme::Path`].
    pub url: &'draft str,
    /// Content type of the body; `None` if it has none.
    pub content_type: Option<&'draft str>,
    /// Body, as it will be sent.
    pub body: &'draft [u8],
}

/// The id and the time that a signature covers, for schemes that have them.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'stamp> {
    /// Id of the request.
    pub id: &'stamp str,
    /// Time, in seconds since the epoch.
    pub time: u64,
}

/// The proof to send with a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// Address to send it to: Twilio adds the hash of a body, and a path may contain the secret.
    pub url: String,
    /// Headers to add, each as name and value.
    pub headers: Vec<(String, String)>,
}

/// Shows no value: a token is the secret itself.
impl std::fmt::Debug for Signed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        formatter.debug_struct("Signed").field("headers", &names).finish_non_exhaustive()
    }
}

/// The secret is empty, or is not a key of the scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the secret is empty, or is not a key of this scheme")]
pub struct NotSigned;

/// Signs a request with the first value of the secret.
///
/// ```
/// use contract::webhook::Scheme;
/// use webhook::{Draft, Request, Stamp, sign, verify};
///
/// let (scheme, secret) = (Scheme::Slack, "8f742231b10e8888abcd99yyyzzz85a5".into());
/// let draft = Draft { url: "https://in.example/hook", content_type: None, body: b"{}" };
/// let signed = sign(&scheme, &secret, draft, Stamp { id: "1", time: 1_531_420_618 }).unwrap();
/// let request = Request { url: &signed.url, headers: &signed.headers, body: b"{}", token: None };
/// assert_eq!(verify(&scheme, &secret, &request, 1_531_420_618), Ok(()));
/// ```
pub fn sign(scheme: &Scheme, secret: &Secret, draft: Draft<'_>, stamp: Stamp<'_>) -> Result<Signed, NotSigned> {
    let secret = values(secret).next().ok_or(NotSigned)?;
    let written = |recipe: Recipe, message: &Message<'_>| {
        let code = recipe.compute(secret, message).ok_or(NotSigned)?;
        Ok(code::write(recipe.encoding, &code))
    };
    let (id, time) = (stamp.id, stamp.time.to_string());
    let body = || stamped(String::new(), draft.body);
    let standard = |[id_header, time_header, code_header]: [&str; 3]| {
        let code = written(Recipe::STANDARD, &stamped(format!("{id}.{time}."), draft.body))?;
        Ok(vec![header(id_header, id), header(time_header, &time), header(code_header, &format!("v1,{code}"))])
    };
    let mut url = draft.url.to_owned();
    let headers = match scheme {
        Scheme::StandardWebhooks => standard(STANDARD)?,
        Scheme::Svix => standard(SVIX)?,
        Scheme::Github => vec![header(GITHUB, &format!("sha256={}", written(Recipe::HEX, &body())?))],
        Scheme::Gitlab => vec![header(GITLAB, secret)],
        Scheme::Stripe => {
            let code = written(Recipe::HEX, &stamped(format!("{time}."), draft.body))?;
            vec![header(STRIPE, &format!("t={time},v1={code}"))]
        }
        Scheme::Slack => {
            let code = written(Recipe::HEX, &stamped(format!("v0:{time}:"), draft.body))?;
            let [time_header, code_header] = SLACK;
            vec![header(time_header, &time), header(code_header, &format!("v0={code}"))]
        }
        Scheme::Shopify => vec![header(SHOPIFY, &written(Recipe::BASE64, &body())?)],
        Scheme::Twilio => {
            let fields = if is_form(draft.content_type) { twilio::fields(draft.body) } else { Vec::new() };
            url = twilio_url(draft);
            vec![header(TWILIO, &written(Recipe::TWILIO, &stamped(url.clone(), &fields))?)]
        }
        Scheme::Hmac { header: name, algorithm, encoding, prefix } => {
            let recipe = Recipe { algorithm: *algorithm, encoding: *encoding, key: KeyForm::Text };
            vec![header(name, &format!("{prefix}{}", written(recipe, &body())?))]
        }
        Scheme::Bearer => vec![header(AUTHORIZATION, &format!("Bearer {secret}"))],
        Scheme::Path => {
            url = url_with_token(draft.url, secret);
            Vec::new()
        }
    };
    Ok(Signed { url, headers })
}

/// Returns the address that Twilio signs: with the hash of a body that is no form.
fn twilio_url(draft: Draft<'_>) -> String {
    if is_form(draft.content_type) {
        return draft.url.to_owned();
    }
    let between = if draft.url.contains('?') { '&' } else { '?' };
    format!("{}{between}{}={}", draft.url, twilio::BODY_HASH, HEXLOWER.encode(&code::hash(draft.body)))
}

/// Returns an address with the secret in the place of its `{token}`.
fn url_with_token(url: &str, secret: &str) -> String {
    let token: String = byte_serialize(secret.as_bytes()).collect();
    // In a path a plus is itself.
    url.replace("{token}", &token.replace('+', "%20"))
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
