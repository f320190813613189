//! Decides what the error codes of AWS's services mean to a function: the only file of the functions' side that does. The command line,
//! which calls other operations through the SDK, has its own in `aws::failure`.
//!
//! A code is read from where its service writes it, and compared whole: a message may repeat what a mail or an item says, and so may
//! hold any word.

use serde_json::Value;

use crate::{http::Answer, xml::error_code};

/// The meanings of codes, by what a function does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Too many calls; the same call succeeds later.
    Throttled,
    /// The function's role lacks a right.
    Denied,
    /// The object, the secret, the table or the queue does not exist.
    NotFound,
    /// The bucket does not exist.
    NoBucket,
    /// The upload does not exist: it was completed or aborted.
    NoUpload,
    /// The object under the key is not the expected one.
    Differs,
    /// Another write of the same key is running.
    Conflict,
    /// The secret cannot be read in its state, such as scheduled for deletion.
    Unreadable,
    /// The call itself is refused, its signature or its content; a retry does not help.
    Invalid,
}

/// A service, with the codes of each meaning.
type OfService = (&'static str, &'static [(Meaning, &'static [&'static str])]);

/// The codes of each service, without `Exception` at their end. Sources: "Error responses" of the API reference of S3, "Common errors" and
/// the errors of the called operations of the others.
const MEANINGS: &[OfService] = &[
    (
        "s3",
        &[
            (Meaning::Denied, &["AccessDenied"]),
            (Meaning::NotFound, &["NoSuchKey"]),
            (Meaning::NoBucket, &["NoSuchBucket"]),
            (Meaning::NoUpload, &["NoSuchUpload"]),
            (Meaning::Differs, &["PreconditionFailed"]),
            (Meaning::Conflict, &["ConditionalRequestConflict"]),
        ],
    ),
    (
        "sqs",
        &[
            // The last one is KMS's, for a queue that is encrypted with a key.
            (Meaning::Throttled, &["RequestThrottled", "Throttling", "RequestLimitExceeded", "KmsThrottled"]),
            (Meaning::Denied, &["AccessDenied"]),
            (Meaning::NotFound, &["QueueDoesNotExist"]),
        ],
    ),
    (
        "secretsmanager",
        &[
            (Meaning::Throttled, &["Throttling", "RequestLimitExceeded"]),
            (Meaning::Denied, &["AccessDenied"]),
            (Meaning::NotFound, &["ResourceNotFound"]),
            (Meaning::Unreadable, &["InvalidRequest"]),
        ],
    ),
    (
        "dynamodb",
        &[
            (Meaning::Throttled, &["ProvisionedThroughputExceeded", "Throttling", "RequestLimitExceeded"]),
            (Meaning::Denied, &["AccessDenied"]),
            (Meaning::NotFound, &["ResourceNotFound"]),
            (
                Meaning::Invalid,
                &[
                    "Validation",
                    "Serialization",
                    "UnrecognizedClient",
                    "InvalidSignature",
                    "MissingAuthenticationToken",
                    "IncompleteSignature",
                ],
            ),
        ],
    ),
];

/// Returns the meaning of a service's code; `None` if nothing follows from it.
pub(crate) fn meaning(service: &str, code: &str) -> Option<Meaning> {
    let code = code.strip_suffix("Exception").unwrap_or(code);
    let (_, meanings) = MEANINGS.iter().find(|(name, _)| *name == service)?;
    meanings.iter().find(|(_, codes)| codes.contains(&code)).map(|(meaning, _)| *meaning)
}

/// Returns the code of a service's error answer, without the namespace in front of it; `None` if it has none.
fn code(service: &str, answer: &Answer) -> Option<String> {
    if service == "s3" {
        return error_code(&String::from_utf8_lossy(&answer.body));
    }
    code_in(&serde_json::from_slice(&answer.body).ok()?).map(str::to_owned)
}

/// Returns the code in an error answer in JSON, without the namespace in front of it: `com.amazonaws.sqs#QueueDoesNotExist`.
pub(crate) fn code_in(document: &Value) -> Option<&str> {
    let code = ["__type", "code"].iter().find_map(|name| document.get(name)?.as_str())?;
    code.rsplit('#').next().filter(|code| !code.is_empty())
}

/// Returns whether a service refuses a call because there are too many: the code tells, since services that speak
/// JSON answer with the status of a wrong call.
pub(crate) fn is_throttled(service: &str, answer: &Answer) -> bool {
    answer.status >= 400 && code(service, answer).and_then(|code| meaning(service, &code)) == Some(Meaning::Throttled)
}

/// Returns the right that S3 says is missing; `None` if it does not name one. No code tells it: `User: … is not authorized to perform:
/// s3:GetObject on resource: …`.
pub(crate) fn missing_right(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("is not authorized to perform: ")?;
    rest.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec(), retry_after: None }
    }

    #[test]
    fn no_code_has_two_meanings_or_an_ending_that_is_never_compared() {
        for (service, meanings) in MEANINGS {
            let codes: Vec<&str> = meanings.iter().flat_map(|(_, codes)| codes.iter().copied()).collect();
            for (place, code) in codes.iter().enumerate() {
                assert!(!codes[..place].contains(code), "{service}: {code}");
                assert!(!code.ends_with("Exception"), "{service}: {code}");
                assert_eq!(meaning(service, code), meaning(service, &format!("{code}Exception")));
                assert_eq!(meaning("another", code), None);
            }
        }
    }

    #[test]
    fn a_service_throttles_with_its_own_code_alone() {
        for (service, code) in [
            ("sqs", "com.amazonaws.sqs#RequestThrottled"),
            ("sqs", "com.amazonaws.sqs#KmsThrottled"),
            ("secretsmanager", "ThrottlingException"),
            ("dynamodb", "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
            ("dynamodb", "com.amazon.coral.availability#ThrottlingException"),
            ("dynamodb", "com.amazonaws.dynamodb.v20120810#RequestLimitExceeded"),
        ] {
            let body = format!(r#"{{"__type":"{code}"}}"#);
            for status in [400, 403] {
                assert!(is_throttled(service, &answer(status, &body)), "{service} {code}");
            }
            assert!(!is_throttled(service, &answer(200, &body)), "{service} {code}");
            // The same words in a message, in a value or as a part of another code are none.
            for body in [
                format!(r#"{{"__type":"x#ValidationException","message":"{code}"}}"#),
                format!(r#"{{"message":"{{\"__type\":\"{code}\"}}"}}"#),
                format!(r#"{{"__type":"{code}Not"}}"#),
                format!("<Error><Code>{code}</Code></Error>"),
                code.to_owned(),
                String::new(),
            ] {
                assert!(!is_throttled(service, &answer(400, &body)), "{service} {body}");
            }
        }
        assert!(!is_throttled("dynamodb", &answer(400, r#"{"__type":"KmsThrottled"}"#)));
    }

    #[test]
    fn a_missing_right_is_read_whole() {
        let words =
            |action: &str| format!("User: arn:aws:sts::1:assumed-role/r/f is not authorized to perform: {action}");
        assert_eq!(missing_right(&words("s3:GetObject on resource: \"arn\"")), Some("s3:GetObject"));
        assert_eq!(missing_right(&words("s3:GetObjectTagging")), Some("s3:GetObjectTagging"));
        for none in ["Access Denied", "the key `s3:GetObject`", ""] {
            assert_eq!(missing_right(none), None, "{none}");
        }
    }
}
