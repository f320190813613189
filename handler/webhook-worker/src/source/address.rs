//! An address for each job: a template with the id in it, and headers that may be secret.

use std::collections::BTreeMap;

use contract::{backfill::List, job::JobId, secret::Secret};
use jiff::Timestamp;
use runtime::{
    Deadline, Reach,
    outside::{Host, Hosts, NoAnswer, Outside, Request, Streamed},
    remember,
};

use super::{Cached, Description, Failure, Source, refusal};
use crate::name::Form;

/// Place of the id in a template.
const ID: &str = "{id}";
/// Headers that belong to the connection, and are not to be set.
const RESERVED: [&str; 6] = ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te"];

/// An address such as `https://files.example.com/jobs/{id}.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(String);

impl Template {
    /// Reads a template: an address with `{id}` in its path or query. Returns a predicate if it is none.
    pub fn read(text: &str, reach: Reach) -> Result<Self, String> {
        let text = text.trim();
        let filled = text.replace(ID, "0");
        let authority =
            text.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?']).next().unwrap_or_default());
        let fault = if !text.contains(ID) {
            "does not contain `{id}`".to_owned()
        } else if authority.contains(['{', '}']) || filled.contains(['{', '}', '#', '@']) {
            "is not an address with `{id}` in its path".to_owned()
        } else {
            match Hosts::new(&filled, &[], reach) {
                Ok(_) => return Ok(Self(text.to_owned())),
                Err(reason) => format!("is not used: {reason}"),
            }
        };
        Err(format!("{fault}; expected an address such as `https://files.example.com/jobs/{ID}`"))
    }

    fn fill(&self, id: &JobId) -> String {
        self.0.replace(ID, id.as_str())
    }

    /// Returns the form of the outputs: by the extension of the path.
    fn form(&self) -> Form {
        let path = self.0.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
        Form::of(path.split('?').next().unwrap_or_default())
    }
}

/// Outputs at addresses of their own.
#[derive(Debug)]
pub struct AddressSource {
    pub(super) client: Outside,
    pub(super) template: Template,
    /// Headers of each request; `None` if there are none.
    pub(super) headers: Option<Cached<Vec<(String, Secret)>>>,
    pub(super) redirects: Vec<Host>,
    pub(super) reach: Reach,
}

impl Source for AddressSource {
    fn until(&self, deadline: Deadline) {
        if let Some(headers) = &self.headers {
            headers.until(deadline);
        }
    }

    async fn describe(&self, _: &JobId, _: Deadline) -> Result<Description, Failure> {
        Ok(Description::of(self.template.form()))
    }

    /// An address says nothing of how long it stays.
    async fn keep(&self, _: &JobId, _: Deadline) {}

    async fn open(&self, id: &JobId, deadline: Deadline) -> Result<Streamed, Failure> {
        let mut headers = match &self.headers {
            Some(cached) => cached.get(read_headers).await?.to_vec(),
            None => Vec::new(),
        };
        let mut answer = self.get(id, headers, deadline).await?;
        if let (401, Some(cached)) = (answer.status, &self.headers) {
            headers = cached.read(read_headers).await?.to_vec();
            answer = self.get(id, headers, deadline).await?;
        }
        // 404 may become 200 when the server has caught up with its webhook.
        if answer.status == 200 { Ok(answer) } else { Err(refusal(answer, &[410]).await) }
    }

    async fn list(&self, _: Option<Timestamp>, _: Option<&JobId>, _: Deadline) -> Result<List, Failure> {
        let words = "nothing lists its jobs: the function fetches from addresses (`SOURCE: url`)";
        Err(Failure::Later(words.to_owned()))
    }
}

impl AddressSource {
    async fn get(&self, id: &JobId, headers: Vec<(String, Secret)>, deadline: Deadline) -> Result<Streamed, NoAnswer> {
        let url = self.template.fill(id);
        let hosts = Hosts::new(&url, &self.redirects, self.reach).map_err(NoAnswer::NoRequest)?;
        self.client.send(&Request { method: "GET", url, hosts: &hosts, headers, form: None }, deadline).await
    }
}

/// Reads a JSON object of headers. Errors are predicates and show nothing of it.
fn read_headers(secret: &Secret) -> Result<Vec<(String, Secret)>, String> {
    let headers: BTreeMap<String, String> = serde_json::from_str(secret.expose())
        .map_err(|_| "is not a JSON object of headers and their values".to_owned())?;
    let is_set = |name: &str| {
        let is_token = !name.is_empty()
            && name.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_');
        is_token && !RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved))
    };
    let is_value = |value: &str| value.bytes().all(|letter| (0x20..0x7f).contains(&letter));
    if headers.iter().any(|(name, value)| !is_set(name) || !is_value(value)) {
        return Err("has a header that cannot be sent".to_owned());
    }
    let headers = headers.into_iter().map(|(name, value)| (name, Secret::from(value)));
    let headers: Vec<_> = headers.inspect(|(_, value)| remember_parts(value)).collect();
    Ok(headers)
}

/// Remembers a value, and what follows its first word: `Bearer TOKEN`.
fn remember_parts(value: &Secret) {
    remember(value);
    if let Some((_, rest)) = value.expose().split_once(' ') {
        remember(&rest.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_the_id_in_its_path_and_a_public_host() {
        let id = JobId::read("01234567-89ab-cdef-0123-456789abcdef").unwrap();
        for (text, address, extension) in [
            (
                "https://files.example.com/jobs/{id}",
                "https://files.example.com/jobs/01234567-89ab-cdef-0123-456789abcdef",
                "bin",
            ),
            (
                " https://a.example:8443/{id}.csv?x=1",
                "https://a.example:8443/01234567-89ab-cdef-0123-456789abcdef.csv?x=1",
                "csv",
            ),
            (
                "https://a.example/get.json?id={id}",
                "https://a.example/get.json?id=01234567-89ab-cdef-0123-456789abcdef",
                "json",
            ),
        ] {
            let template = Template::read(text, Reach::Public).unwrap();
            assert_eq!((template.fill(&id), template.form().extension.as_str()), (address.to_owned(), extension));
        }
        for refused in [
            "",
            "{id}",
            "https://a.example/",
            "https://{id}.example/",
            "https://a.example:{id}/",
            "https://{id}/a",
            "https://a.example{id}/",
            "http://a.example/{id}",
            "https://127.0.0.1/{id}",
            "https://10.0.0.1/{id}",
            "https://[::1]/{id}",
            "https://localhost/{id}",
            "https://me:pass@a.example/{id}",
            "https://a.example/{id}#a",
            "https://a.example/{id}/{name}",
            "ftp://a.example/{id}",
            "https://a.example/a b/{id}",
            "https://169.254.169.254/{id}",
            "https://0x7f.1/{id}",
        ] {
            assert!(Template::read(refused, Reach::Public).is_err(), "{refused}");
        }
        assert!(Template::read("http://127.0.0.1:8080/{id}", Reach::PublicAndLoopback).is_ok());
    }

    #[test]
    fn headers_are_an_object_of_texts() {
        let headers = read_headers(&r#"{"Authorization": "Bearer canary-1234", "X-Key": "a b"}"#.into()).unwrap();
        assert_eq!(headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["Authorization", "X-Key"]);
        assert!(!runtime::redact("canary-1234").contains("canary"));
        for text in [
            "",
            "[]",
            "canary",
            r#"{"A": 1}"#,
            r#"{"A b": "canary"}"#,
            r#"{"Host": "canary"}"#,
            r#"{"A": "canary\r\nB: c"}"#,
            r#"{"": "canary"}"#,
            r#"{"Content-Length": "canary"}"#,
        ] {
            let error = read_headers(&text.into()).unwrap_err();
            assert!(!error.contains("canary"), "{error}");
        }
    }
}
