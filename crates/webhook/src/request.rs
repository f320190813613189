//! A request, as far as its proof needs it.

use crate::Refused;

/// A request to verify.
#[derive(Debug, Clone, Copy)]
pub struct Request<'request> {
    /// Address that it was sent to, whole: Twilio signs it.
    pub url: &'request str,
    /// Names, in any case, and values of the headers.
    pub headers: &'request [(String, String)],
    /// Body, as it was sent.
    pub body: &'request [u8],
    /// Value of the route's variable `{token}`; `None` if it has none.
    pub token: Option<&'request str>,
}

impl<'request> Request<'request> {
    /// Returns the value of a header that must be there once: of one that stands there twice, nobody could say which one counts.
    pub(crate) fn header(&self, name: &'static str) -> Result<&'request str, Refused> {
        self.named(name, name)
    }

    /// Returns the value of a header that must be there once; an error calls it `called`.
    pub(crate) fn named(&self, name: &str, called: &'static str) -> Result<&'request str, Refused> {
        let mut values = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let (first, second) = (values.next(), values.next());
        match (first, second) {
            (Some((_, value)), None) => Ok(value.trim()),
            (Some(_), Some(_)) => Err(Refused::Malformed(called)),
            (None, _) => Err(Refused::Missing(called)),
        }
    }
}

/// Returns whether a body of that content type is a form.
pub fn is_form(content_type: Option<&str>) -> bool {
    let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Returns names and values of a form.
pub fn form(body: &[u8]) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(body).into_owned()
}
