//! Answers to browsers of other origins, as API Gateway gives them: to the question before a request it answers itself, whatever the path,
//! and to a request's answer it adds who may read it.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header},
};
use declaration::Cors;

/// Headers of an answer that API Gateway sets itself where an API has CORS: those of the function are dropped.
const SET: [HeaderName; 6] = [
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
];

/// Returns the answer to a browser's question whether it may send a request; `None` if a request asks nothing of the kind.
pub(super) fn preflight(cors: &Cors, method: &Method, headers: &HeaderMap) -> Option<Response<Body>> {
    let asks = headers.contains_key(header::ORIGIN) && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if method != Method::OPTIONS || !asks {
        return None;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Some(origin) = allowed(cors, headers) {
        let answered = response.headers_mut();
        answered.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let lists = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, &cors.methods),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, &cors.headers),
        ];
        for (name, list) in lists {
            if let Ok(value) = HeaderValue::try_from(list.join(","))
                && !list.is_empty()
            {
                answered.insert(name, value);
            }
        }
        if !cors.max_age.is_zero() {
            answered.insert(header::ACCESS_CONTROL_MAX_AGE, cors.max_age.as_secs().into());
        }
    }
    Some(response)
}

/// Adds to an answer which origin may read it.
pub(super) fn mark(cors: &Cors, headers: &HeaderMap, response: &mut Response<Body>) {
    for name in SET {
        response.headers_mut().remove(name);
    }
    if let Some(origin) = allowed(cors, headers) {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
}

/// Returns what allows the origin of a request; `None` if it has none, or one that may not ask.
fn allowed(cors: &Cors, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let is_named = |named: &String| origin.as_bytes().eq_ignore_ascii_case(named.as_bytes());
    if cors.origins.iter().any(|named| named == "*") {
        return Some(HeaderValue::from_static("*"));
    }
    cors.origins.iter().any(is_named).then(|| origin.clone())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn cors(origins: &[&str]) -> Cors {
        Cors {
            origins: origins.iter().map(|&origin| origin.to_owned()).collect(),
            methods: vec!["POST".to_owned(), "PUT".to_owned()],
            headers: vec!["x-code".to_owned()],
            max_age: Duration::from_hours(1),
        }
    }

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn a_browser_learns_whether_it_may_ask() {
        let asks = |origin: &str| headers(&[(header::ORIGIN, origin), (header::ACCESS_CONTROL_REQUEST_METHOD, "POST")]);
        for (origins, origin, expected) in [
            (&["https://a.example"][..], "https://a.example", Some("https://a.example")),
            (&["https://a.example", "*"], "https://b.example", Some("*")),
            (&["https://a.example"], "https://b.example", None),
            (&["https://a.example"], "https://a.example.evil.example", None),
            (&["https://a.example"], "null", None),
        ] {
            let answer = preflight(&cors(origins), &Method::OPTIONS, &asks(origin)).unwrap();
            let told = |name: HeaderName| answer.headers().get(name).map(|value| value.to_str().unwrap());
            assert_eq!(answer.status(), StatusCode::NO_CONTENT);
            assert_eq!(told(header::ACCESS_CONTROL_ALLOW_ORIGIN), expected, "{origin}");
            let rest = [
                told(header::ACCESS_CONTROL_ALLOW_METHODS),
                told(header::ACCESS_CONTROL_ALLOW_HEADERS),
                told(header::ACCESS_CONTROL_MAX_AGE),
            ];
            let all = [Some("POST,PUT"), Some("x-code"), Some("3600")];
            assert_eq!(rest, if expected.is_some() { all } else { [None; 3] }, "{origin}");
        }
        let one = cors(&["*"]);
        assert!(preflight(&one, &Method::POST, &asks("https://a.example")).is_none());
        assert!(preflight(&one, &Method::OPTIONS, &headers(&[(header::ORIGIN, "https://a.example")])).is_none());
    }

    #[test]
    fn an_answer_says_who_may_read_it_whatever_the_function_says() {
        let mut answer = Response::new(Body::empty());
        answer.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("https://theirs"));
        mark(&cors(&["https://a.example"]), &headers(&[(header::ORIGIN, "https://b.example")]), &mut answer);
        assert!(answer.headers().is_empty());
        mark(&cors(&["https://a.example"]), &headers(&[(header::ORIGIN, "https://a.example")]), &mut answer);
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://a.example");
    }
}
