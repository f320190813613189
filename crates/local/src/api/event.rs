//! The event of a request, payload format 2.0, as API Gateway's HTTP APIs write it.

use std::{collections::BTreeMap, net::IpAddr};

use axum::http::{HeaderMap, Uri, Version, header};
use data_encoding::BASE64;
use jiff::{Timestamp, tz::TimeZone};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::names::ACCOUNT;

/// A request for a route.
#[derive(Debug)]
pub(super) struct Incoming<'request> {
    pub(super) api: &'request str,
    pub(super) stage: &'request str,
    pub(super) id: &'request str,
    pub(super) route: &'request str,
    pub(super) values: Vec<(String, String)>,
    pub(super) source: IpAddr,
    pub(super) method: &'request str,
    pub(super) uri: &'request Uri,
    pub(super) version: Version,
    pub(super) headers: &'request HeaderMap,
    pub(super) body: &'request [u8],
}

/// Returns the event. Optional parts that the request does not have are absent.
pub(super) fn build(request: &Incoming<'_>, now: Timestamp) -> Value {
    let headers = headers(request);
    let one = |name: &str| headers.get(name).cloned().unwrap_or_default();
    let domain = one("host");
    let path = request.uri.path();
    let mut event = json!({
        "version": "2.0",
        "routeKey": request.route,
        "rawPath": path,
        "rawQueryString": request.uri.query().unwrap_or_default(),
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": request.api,
            "domainName": domain,
            "domainPrefix": domain.split(['.', ':']).next(),
            "http": {
                "method": request.method,
                "path": path,
                "protocol": format!("{:?}", request.version),
                "sourceIp": request.source,
                "userAgent": one("user-agent"),
            },
            "requestId": request.id,
            "routeKey": request.route,
            "stage": request.stage,
            "time": now.to_zoned(TimeZone::UTC).strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
        "isBase64Encoded": false,
    });
    if let Value::Object(event) = &mut event {
        add_what_is_there(event, request);
    }
    event
}

fn add_what_is_there(event: &mut Map<String, Value>, request: &Incoming<'_>) {
    let cookies = request.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies: Vec<&str> = cookies.flat_map(|value| value.split(';')).map(str::trim).collect();
    if !cookies.is_empty() {
        event.insert("cookies".to_owned(), json!(cookies));
    }
    let query = query(request.uri.query().unwrap_or_default());
    if !query.is_empty() {
        event.insert("queryStringParameters".to_owned(), json!(query));
    }
    if !request.values.is_empty() {
        let values: BTreeMap<_, _> = request.values.iter().cloned().collect();
        event.insert("pathParameters".to_owned(), json!(values));
    }
    if request.body.is_empty() {
        return;
    }
    let text = std::str::from_utf8(request.body).ok().filter(|_| is_text(request.headers));
    event.insert("isBase64Encoded".to_owned(), json!(text.is_none()));
    event.insert("body".to_owned(), text.map_or_else(|| json!(BASE64.encode(request.body)), |text| json!(text)));
}

/// Returns the headers: names in lower case, repeated ones joined, cookies apart, with those that API Gateway adds.
fn headers(request: &Incoming<'_>) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in request.headers.iter().filter(|(name, _)| **name != header::COOKIE) {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|present| {
                present.push(',');
                present.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    let source = request.source.to_string();
    let forwarded = headers.get("x-forwarded-for").map_or(source.clone(), |before| format!("{before}, {source}"));
    headers.insert("x-forwarded-for".to_owned(), forwarded);
    headers.entry("x-forwarded-proto".to_owned()).or_insert_with(|| "http".to_owned());
    headers
}

/// Returns the parameters of a query; the values of a repeated one are joined.
fn query(query: &str) -> BTreeMap<String, String> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name), decode(value));
        parameters
            .entry(name)
            .and_modify(|present| {
                present.push(',');
                present.push_str(&value);
            })
            .or_insert(value);
    }
    parameters
}

/// Returns whether API Gateway passes a body as text, by its content type. Forms are not text for it, nor is anything compressed.
fn is_text(headers: &HeaderMap) -> bool {
    if headers.contains_key(header::CONTENT_ENCODING) {
        return false;
    }
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else { return true };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || ["application/json", "application/xml", "application/javascript"].contains(&kind.as_str())
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn event(uri: &str, headers: &[(&str, &str)], body: &[u8]) -> Value {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let uri = uri.parse().unwrap();
        let incoming = Incoming {
            api: "local",
            stage: "$default",
            id: "LV7fzho-PHcEJPw=",
            route: "POST /in/{token}",
            values: vec![("token".to_owned(), "abc".to_owned())],
            source: Ipv4Addr::new(203, 0, 113, 50).into(),
            method: "POST",
            uri: &uri,
            version: Version::HTTP_11,
            headers: &all,
            body,
        };
        build(&incoming, Timestamp::from_millisecond(1_799_146_800_000).unwrap())
    }

    #[test]
    fn an_event_is_as_api_gateway_writes_it() {
        let headers = [
            ("Host", "127.0.0.1:8080"),
            ("Content-Type", "application/json"),
            ("User-Agent", "axios/0.19.0"),
            ("X-Twice", "a"),
            ("X-Twice", "b, c"),
            ("Cookie", "one=1; two=2"),
            ("X-Forwarded-For", "192.0.2.1"),
        ];
        let event = event("/in/abc?b=2&a=x%20y&b=3&c", &headers, b"{\"id\": 1}");
        let expected = json!({
            "version": "2.0",
            "routeKey": "POST /in/{token}",
            "rawPath": "/in/abc",
            "rawQueryString": "b=2&a=x%20y&b=3&c",
            "cookies": ["one=1", "two=2"],
            "headers": {
                "content-type": "application/json",
                "host": "127.0.0.1:8080",
                "user-agent": "axios/0.19.0",
                "x-forwarded-for": "192.0.2.1, 203.0.113.50",
                "x-forwarded-proto": "http",
                "x-twice": "a,b, c",
            },
            "queryStringParameters": {"a": "x y", "b": "2,3", "c": ""},
            "pathParameters": {"token": "abc"},
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "local",
                "domainName": "127.0.0.1:8080",
                "domainPrefix": "127",
                "http": {
                    "method": "POST",
                    "path": "/in/abc",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "203.0.113.50",
                    "userAgent": "axios/0.19.0",
                },
                "requestId": "LV7fzho-PHcEJPw=",
                "routeKey": "POST /in/{token}",
                "stage": "$default",
                "time": "05/Jan/2027:11:00:00 +0000",
                "timeEpoch": 1_799_146_800_000_u64,
            },
            "body": "{\"id\": 1}",
            "isBase64Encoded": false,
        });
        assert_eq!(event, expected, "{event:#}");
    }

    #[test]
    fn a_body_that_is_not_text_is_base64() {
        let of = |kind: &[(&str, &str)], body: &[u8]| {
            let event = event("/in/abc", kind, body);
            (event["isBase64Encoded"].as_bool().unwrap(), event["body"].as_str().unwrap_or("none").to_owned())
        };
        for (kind, is_encoded) in [
            ("application/json", false),
            ("application/json; charset=utf-8", false),
            ("Application/vnd.github+JSON", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", true),
            ("application/octet-stream", true),
            ("multipart/form-data; boundary=x", true),
        ] {
            assert_eq!(of(&[("content-type", kind)], b"a").0, is_encoded, "{kind}");
        }
        assert_eq!(
            of(&[("content-type", "application/json"), ("content-encoding", "gzip")], b"a"),
            (true, "YQ==".to_owned())
        );
        assert_eq!(of(&[("content-type", "application/json")], b"\xff"), (true, "/w==".to_owned()));
        assert_eq!(of(&[], b"a"), (false, "a".to_owned()));
        assert_eq!(of(&[("content-type", "application/json")], b""), (false, "none".to_owned()));
    }
}
