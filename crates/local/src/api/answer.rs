//! The answer to a request, made from a function's as API Gateway makes it.

use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use data_encoding::BASE64;
use serde_json::{Map, Value, json};

/// Header with the id of the request.
const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

/// Returns the answer of API Gateway itself: a status and its words.
pub(super) fn own(status: StatusCode, id: &str) -> Response<Vec<u8>> {
    let words = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        other => other.canonical_reason().unwrap_or_default(),
    };
    with_json(status, json!({ "message": words }).to_string(), id)
}

/// Returns a function's answer. One that is not of API Gateway's form becomes the body of a 200, and a broken one a 500.
pub(super) fn of_function(answer: &Value, id: &str) -> Response<Vec<u8>> {
    match answer {
        Value::Object(parts) if parts.contains_key("statusCode") => {
            response(parts, id).unwrap_or_else(|| own(StatusCode::INTERNAL_SERVER_ERROR, id))
        }
        Value::String(text) => with_json(StatusCode::OK, text.clone(), id),
        other => with_json(StatusCode::OK, other.to_string(), id),
    }
}

/// Returns the answer with its parts; `None` if one of them is no such part.
fn response(parts: &Map<String, Value>, id: &str) -> Option<Response<Vec<u8>>> {
    let status = parts.get("statusCode").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok())?;
    let status = StatusCode::from_u16(status).ok()?;
    let is_encoded = parts.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or_default();
    let body = match parts.get("body") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) if is_encoded => BASE64.decode(text.as_bytes()).ok()?,
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(_) => return None,
    };
    let mut response = Response::builder().status(status).header(REQUEST_ID, id);
    let mut has_type = false;
    for (name, value) in parts.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let name = HeaderName::try_from(name.as_str()).ok()?;
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        has_type |= name == header::CONTENT_TYPE;
        // The length is that of the body.
        if name != header::CONTENT_LENGTH {
            response = response.header(name, HeaderValue::try_from(value).ok()?);
        }
    }
    for cookie in parts.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        response = response.header(header::SET_COOKIE, HeaderValue::try_from(cookie.as_str()?).ok()?);
    }
    if !has_type {
        response = response.header(header::CONTENT_TYPE, "text/plain;charset=UTF-8");
    }
    response.body(body).ok()
}

fn with_json(status: StatusCode, body: String, id: &str) -> Response<Vec<u8>> {
    let mut response = Response::new(body.into_bytes());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(answer: &Value) -> (u16, String, String) {
        let response = of_function(answer, "id");
        assert_eq!(response.headers()[REQUEST_ID], "id");
        let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        let status = response.status().as_u16();
        (status, kind, String::from_utf8_lossy(response.body()).into_owned())
    }

    #[test]
    fn a_functions_answer_is_rendered_as_api_gateway_does() {
        let (json_type, text) = ("application/json", "text/plain;charset=UTF-8");
        let broken = (500, json_type, r#"{"message":"Internal Server Error"}"#);
        for (answer, expected) in [
            (json!({"statusCode": 202, "body": "queued"}), (202, text, "queued")),
            (
                json!({"statusCode": 401, "headers": {"Content-Type": "application/json"}, "body": "{}"}),
                (401, json_type, "{}"),
            ),
            (json!({"statusCode": 200, "body": "YQ==", "isBase64Encoded": true}), (200, text, "a")),
            (json!({"statusCode": 204}), (204, text, "")),
            (json!({"status": "ignored"}), (200, json_type, r#"{"status":"ignored"}"#)),
            (json!("hello"), (200, json_type, "hello")),
            (json!(null), (200, json_type, "null")),
            (json!({"statusCode": "200"}), broken),
            (json!({"statusCode": 99_999}), broken),
            (json!({"statusCode": 200, "body": {"a": 1}}), broken),
            (json!({"statusCode": 200, "body": "?", "isBase64Encoded": true}), broken),
            (json!({"statusCode": 200, "headers": {"a b": "c"}}), broken),
            (json!({"statusCode": 200, "headers": {"a": "b\r\nc: d"}}), broken),
        ] {
            let (status, kind, body) = told(&answer);
            assert_eq!((status, kind.as_str(), body.as_str()), expected, "{answer}");
        }
    }

    #[test]
    fn headers_and_cookies_are_passed_on() {
        let answer = json!({"statusCode": 200, "headers": {"Retry-After": 5, "Content-Length": "9"}, "cookies": ["a=1", "b=2"], "body": "x"});
        let response = of_function(&answer, "id");
        assert_eq!(response.headers()["retry-after"], "5");
        assert!(!response.headers().contains_key(header::CONTENT_LENGTH));
        let cookies: Vec<_> = response.headers().get_all(header::SET_COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
    }
}
