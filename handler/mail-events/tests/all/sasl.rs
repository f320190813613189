//! The proof of identity as MSK verifies it: a signed request that nobody sends, in one of two forms.

use std::collections::BTreeMap;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Keys that the listener knows: what `function-trial` gives a function.
const KEY: &str = "AKIAEXAMPLE";
const SECRET: &str = "example";

/// Verifies the proof; returns the answer to it, or why it is refused.
pub(crate) fn verify(mechanism: &str, proof: &[u8]) -> Result<Vec<u8>, String> {
    match mechanism {
        "AWS_MSK_IAM" => {
            let document: BTreeMap<String, String> =
                serde_json::from_slice(proof).map_err(|error| error.to_string())?;
            let mut query = BTreeMap::from([("Action".to_owned(), field(&document, "action")?.to_owned())]);
            for (name, key) in [
                ("X-Amz-Algorithm", "x-amz-algorithm"),
                ("X-Amz-Credential", "x-amz-credential"),
                ("X-Amz-Date", "x-amz-date"),
                ("X-Amz-Expires", "x-amz-expires"),
                ("X-Amz-SignedHeaders", "x-amz-signedheaders"),
            ] {
                query.insert(name.to_owned(), field(&document, key)?.to_owned());
            }
            if let Some(token) = document.get("x-amz-security-token") {
                query.insert("X-Amz-Security-Token".to_owned(), token.clone());
            }
            // Java's client signs for the broker's own name, and MSK takes no other one.
            verify_query((field(&document, "host")?, "127.0.0.1"), &query, field(&document, "x-amz-signature")?)?;
            Ok(json!({"version": "2020_10_22", "request-id": "r-1"}).to_string().into_bytes())
        }
        "OAUTHBEARER" => {
            let text = String::from_utf8_lossy(proof);
            let token = text.split('\u{1}').find_map(|part| part.strip_prefix("auth=Bearer ")).ok_or("no token")?;
            let url = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|error| error.to_string())?;
            let url = String::from_utf8(url).map_err(|error| error.to_string())?;
            let (host, query) = url.strip_prefix("https://").and_then(|url| url.split_once("/?")).ok_or("no URL")?;
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let mut query: BTreeMap<String, String> =
                pairs.map(|(name, value)| (name.to_owned(), unescaped(value))).collect();
            let signature = query.remove("X-Amz-Signature").ok_or("no signature")?;
            query.remove("User-Agent");
            verify_query((host, "kafka.eu-west-1.amazonaws.com"), &query, &signature)?;
            Ok(Vec::new())
        }
        other => Err(format!("the mechanism {other}")),
    }
}

fn field<'document>(document: &'document BTreeMap<String, String>, name: &str) -> Result<&'document str, String> {
    document.get(name).map(String::as_str).ok_or_else(|| format!("`{name}` is missing"))
}

fn verify_query(
    (host, expected_host): (&str, &str),
    query: &BTreeMap<String, String>,
    signature: &str,
) -> Result<(), String> {
    let field = |name: &str| field(query, name);
    let credential: Vec<&str> = field("X-Amz-Credential")?.split('/').collect();
    let [key, day, region, service, "aws4_request"] = credential[..] else { return Err("the credential".to_owned()) };
    for (what, is, expected) in [
        ("host", host, expected_host),
        ("key", key, KEY),
        ("region", region, "eu-west-1"),
        ("service", service, "kafka-cluster"),
        ("action", field("Action")?, "kafka-cluster:Connect"),
        ("headers", field("X-Amz-SignedHeaders")?, "host"),
    ] {
        if is != expected {
            return Err(format!("the {what} is {is}"));
        }
    }
    let date = field("X-Amz-Date")?;
    let canonical: Vec<String> =
        query.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    let canonical = format!("GET\n/\n{}\nhost:{host}\n\nhost\n{}", canonical.join("&"), hex(&Sha256::digest(b"")));
    let text = format!(
        "AWS4-HMAC-SHA256\n{date}\n{day}/{region}/{service}/aws4_request\n{}",
        hex(&Sha256::digest(canonical.as_bytes()))
    );
    let steps = [day, region, service, "aws4_request", &text];
    let computed = steps.iter().fold(format!("AWS4{SECRET}").into_bytes(), |key, step| hmac(&key, step.as_bytes()));
    if hex(&computed) != signature {
        return Err("the signature".to_owned());
    }
    let signed_at = DateTime::strptime("%Y%m%dT%H%M%SZ", date).map_err(|error| error.to_string())?;
    let signed_at = signed_at.to_zoned(TimeZone::UTC).map_err(|error| error.to_string())?.timestamp();
    let age = Timestamp::now().as_second() - signed_at.as_second();
    let life: i64 = field("X-Amz-Expires")?.parse().map_err(|_| "the expiry")?;
    if age < -300 || age > life || life > 900 { Err("it has expired".to_owned()) } else { Ok(()) }
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    assert!(key.len() <= block.len());
    block[..key.len()].copy_from_slice(key);
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::new_with_prefix(padded(0x36)).chain_update(text).finalize();
    Sha256::new_with_prefix(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

fn escaped(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

/// Returns the answer to a request of SASL, and whether the client is known from then on.
pub(crate) fn answer(frame: &[u8], mechanism: &mut String, session_ms: i64) -> (Vec<u8>, Result<(), String>) {
    let crate::wire::Head { api, version, correlation, mut rest } = crate::wire::head(frame);
    let mut out = correlation.to_be_bytes().to_vec();
    if api == crate::wire::SASL_HANDSHAKE {
        let length = usize::try_from(rest.short()).unwrap();
        *mechanism = String::from_utf8_lossy(rest.take(length)).into_owned();
        let known = ["AWS_MSK_IAM", "OAUTHBEARER"];
        let code: i16 = if known.contains(&mechanism.as_str()) { 0 } else { 33 };
        out.extend(code.to_be_bytes());
        out.extend(2_i32.to_be_bytes());
        for name in known {
            out.extend(i16::try_from(name.len()).unwrap().to_be_bytes());
            out.extend(name.as_bytes());
        }
        return (out, Err("not yet".to_owned()));
    }
    let is_compact = version >= 2;
    let length = if is_compact {
        rest.varint();
        rest.varint() - 1
    } else {
        usize::try_from(rest.int()).unwrap()
    };
    let verified = verify(mechanism, rest.take(length));
    let (code, message, bytes) = match &verified {
        Ok(bytes) => (0_i16, None, bytes.clone()),
        Err(reason) => (58, Some(format!("Access denied: {reason}")), refusal(mechanism, reason)),
    };
    if is_compact {
        out.push(0);
    }
    out.extend(code.to_be_bytes());
    match (message, is_compact) {
        (None, true) => out.push(0),
        (None, false) => out.extend((-1_i16).to_be_bytes()),
        (Some(message), true) => {
            crate::wire::varint(message.len() + 1, &mut out);
            out.extend(message.as_bytes());
        }
        (Some(message), false) => {
            out.extend(i16::try_from(message.len()).unwrap().to_be_bytes());
            out.extend(message.as_bytes());
        }
    }
    if is_compact {
        crate::wire::varint(bytes.len() + 1, &mut out);
    } else {
        out.extend(i32::try_from(bytes.len()).unwrap().to_be_bytes());
    }
    out.extend(bytes);
    if version >= 1 {
        out.extend(session_ms.to_be_bytes());
    }
    if is_compact {
        out.push(0);
    }
    (out, verified.map(|_| ()))
}

fn refusal(mechanism: &str, reason: &str) -> Vec<u8> {
    if mechanism != "OAUTHBEARER" {
        return Vec::new();
    }
    Value::to_string(&json!({"status": format!("Access denied: {reason}")})).into_bytes()
}
