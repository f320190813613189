//! The event with which API Gateway invokes a function, of an HTTP API (payload 2.0) or of a REST API (1.0), and the answer to it.
//!
//! Our own types, since a function that fails has its caller told of a fault of ours. Nothing is required: an unknown field is ignored,
//! and a field of another type counts as missing, so that every JSON document is an event; one that is no request has no route.

use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A request to an API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiEvent {
    /// Key of the route that took it, such as `POST /in/{token}`; empty if there is none.
    pub route: String,
    /// Address that it was sent to, with the query.
    pub url: String,
    /// Names and values of the headers. An HTTP API joins those of one name with commas, a REST API hands on each.
    pub headers: Vec<(String, String)>,
    /// Variables of the route's path, and their values.
    pub variables: Vec<(String, String)>,
    /// Address of the sender as AWS saw it, never one that the sender states; `None` if the event has none.
    pub source: Option<IpAddr>,
    /// Time at which API Gateway took the request, in milliseconds since the epoch; `None` if the event has none.
    pub received_ms: Option<i64>,
    /// Body as the event has it; empty if the request has none.
    pub body: String,
    /// `true` if the event has the body in base64.
    pub is_base64: bool,
}

impl ApiEvent {
    /// Returns the value of a header that stands there once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        values.next().filter(|_| values.next().is_none()).map(|(_, value)| value.as_str())
    }

    /// Returns the value of a variable of the path.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl<'de> Deserialize<'de> for ApiEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(read(&mut Value::deserialize(deserializer)?))
    }
}

fn read(event: &mut Value) -> ApiEvent {
    let body = event.get_mut("body").map(Value::take);
    let event = &*event;
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let object = |pointer: &str| event.pointer(pointer).and_then(Value::as_object);
    // A REST API has both; `headers` has the last value of each name alone.
    let headers = object("/multiValueHeaders").or_else(|| object("/headers")).map(pairs).unwrap_or_default();
    let route = match (text("/routeKey"), text("/httpMethod"), text("/resource")) {
        (Some(route), ..) => route.to_owned(),
        (None, Some(method), Some(resource)) => format!("{method} {resource}"),
        _ => String::new(),
    };
    let number = |pointer: &str| event.pointer(pointer).and_then(Value::as_i64);
    let source = text("/requestContext/http/sourceIp").or_else(|| text("/requestContext/identity/sourceIp"));
    let mut read = ApiEvent {
        route,
        url: String::new(),
        headers,
        variables: object("/pathParameters").map(pairs).unwrap_or_default(),
        source: source.and_then(|address| address.parse::<IpAddr>().ok()).map(|address| address.to_canonical()),
        received_ms: number("/requestContext/timeEpoch").or_else(|| number("/requestContext/requestTimeEpoch")),
        body: body.and_then(|body| if let Value::String(body) = body { Some(body) } else { None }).unwrap_or_default(),
        is_base64: event.get("isBase64Encoded") == Some(&Value::Bool(true)),
    };
    let host = text("/requestContext/domainName").or_else(|| read.header("host")).unwrap_or_default();
    // API Gateway itself speaks nothing but TLS; what stands in for it on a developer's machine does not.
    let scheme = if read.header("x-forwarded-proto") == Some("http") { "http" } else { "https" };
    let path = text("/rawPath").or_else(|| text("/requestContext/path")).or_else(|| text("/path")).unwrap_or_default();
    let query = match text("/rawQueryString") {
        Some(query) => query.to_owned(),
        None => object("/multiValueQueryStringParameters")
            .or_else(|| object("/queryStringParameters"))
            .map(|query| written(&pairs(query)))
            .unwrap_or_default(),
    };
    let between = if query.is_empty() { "" } else { "?" };
    read.url = format!("{scheme}://{host}{path}{between}{query}");
    read
}

/// Returns names and values; a list of values is several.
fn pairs(object: &Map<String, Value>) -> Vec<(String, String)> {
    let each = object.iter().flat_map(|(name, value)| {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        values.iter().filter_map(Value::as_str).map(|value| (name.clone(), value.to_owned()))
    });
    each.collect()
}

/// Returns a query: a REST API hands on its values without escapes.
fn written(pairs: &[(String, String)]) -> String {
    let escaped = |text: &str| -> String {
        let escape = |byte: u8| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        };
        text.bytes().map(escape).collect()
    };
    let each = pairs.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
    each.collect::<Vec<_>>().join("&")
}

/// An answer to a request, in the form that both kinds of API take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiAnswer {
    /// HTTP status of the answer.
    pub status_code: u16,
    /// Headers of the answer, each once.
    pub headers: std::collections::BTreeMap<&'static str, String>,
    /// Body of the answer, as text.
    pub body: String,
}

impl ApiAnswer {
    /// Returns an answer with a JSON document.
    pub fn json(status_code: u16, document: &Value) -> Self {
        let headers = [("content-type", "application/json".to_owned())].into();
        Self { status_code, headers, body: document.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(event: Value) -> ApiEvent {
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn both_kinds_of_api_say_the_same() {
        let headers = vec![("X-A".to_owned(), "1".to_owned()), ("x-forwarded-for".to_owned(), "10.0.0.1".to_owned())];
        let expected = ApiEvent {
            route: "POST /in/{token}".to_owned(),
            url: "https://abc.execute-api.eu-west-1.amazonaws.com/in/t?a=1%202&b=%C3%BC".to_owned(),
            headers,
            variables: vec![("token".to_owned(), "t".to_owned())],
            source: Some("203.0.113.50".parse().unwrap()),
            received_ms: Some(1_799_146_800_000),
            body: "{}".to_owned(),
            is_base64: false,
        };
        let host = "abc.execute-api.eu-west-1.amazonaws.com";
        let http = json!({"version": "2.0", "routeKey": "POST /in/{token}", "rawPath": "/in/t", "rawQueryString": "a=1%202&b=%C3%BC",
            "headers": {"X-A": "1", "x-forwarded-for": "10.0.0.1"}, "pathParameters": {"token": "t"}, "body": "{}", "isBase64Encoded": false,
            "requestContext": {"domainName": host, "timeEpoch": 1_799_146_800_000_i64, "http": {"sourceIp": "203.0.113.50"}}});
        assert_eq!(event(http), expected);
        let rest = json!({"resource": "/in/{token}", "path": "/in/t", "httpMethod": "POST", "body": "{}",
            "headers": {"X-A": "2"}, "multiValueHeaders": {"X-A": ["1"], "x-forwarded-for": ["10.0.0.1"]}, "pathParameters": {"token": "t"},
            "multiValueQueryStringParameters": {"a": ["1 2"], "b": ["ü"]},
            "requestContext": {"domainName": host, "requestTimeEpoch": 1_799_146_800_000_i64, "identity": {"sourceIp": "::ffff:203.0.113.50"}}});
        assert_eq!(event(rest), expected);
    }

    #[test]
    fn every_document_is_an_event() {
        for odd in [
            json!(null),
            json!(3),
            json!([{}]),
            json!({}),
            json!({"routeKey": 1, "httpMethod": "POST", "resource": null, "headers": [], "body": {"id": 1}, "isBase64Encoded": "true",
                "pathParameters": "x", "requestContext": {"http": "x", "timeEpoch": "1", "identity": {"sourceIp": 1}}}),
        ] {
            let read = event(odd.clone());
            assert_eq!((read.route.as_str(), read.body.as_str(), read.is_base64), ("", "", false), "{odd}");
            assert_eq!((read.source, read.received_ms), (None, None));
        }
        let odd =
            event(json!({"headers": {"A": "1", "b": 2, "C": null}, "requestContext": {"http": {"sourceIp": "a"}}}));
        assert_eq!((odd.header("a"), odd.header("b"), odd.source), (Some("1"), None, None));
    }

    #[test]
    fn a_header_that_stands_there_twice_has_no_value() {
        let read = event(json!({"multiValueHeaders": {"X-A": ["1", "2"], "X-B": ["3"]}}));
        assert_eq!((read.header("x-a"), read.header("x-b"), read.headers.len()), (None, Some("3"), 3));
    }
}
