//! Faults of calls, in the format of the called service.

use std::time::Duration;

use http_body_util::Full;
use hyper::{Response, StatusCode, body::Bytes};

use super::calls::Protocol;

/// A fault of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The service fails; nothing was changed.
    Fails,
    /// The service throttles the call; nothing was changed.
    Throttles,
    /// The caller lacks the permission; nothing was changed.
    Denies,
    /// The service refuses; nothing was changed.
    Refuses { status: u16, code: &'static str, message: &'static str },
    /// The connection ends; the service has not seen the call.
    CutBefore,
    /// The connection ends, but the service has done its work.
    CutAfter,
    /// The service has done its work, and the answer comes long after all others.
    Delays,
    /// The service has done its work, and no answer comes.
    Silent,
}

/// Faults that may hit every call of a run that is expected to end by itself.
pub(crate) const FAULTS: [Fault; 5] =
    [Fault::Fails, Fault::Throttles, Fault::Delays, Fault::CutBefore, Fault::CutAfter];
/// Delay of a delayed answer.
pub(crate) const DELAY: Duration = Duration::from_millis(500);

/// Status, code and message of a refusal.
type Refusal = (u16, &'static str, &'static str);

impl Fault {
    /// Returns whether the service sees the call.
    pub(crate) fn passes_on(self) -> bool {
        matches!(self, Self::CutAfter | Self::Delays | Self::Silent)
    }

    /// Returns the answer in the service's place; `None` if the service answers itself.
    pub(crate) fn answer(self, service: &str, protocol: Protocol, request_id: &str) -> Option<Response<Full<Bytes>>> {
        let (status, code, message) = self.refusal(service, protocol)?;
        let (kind, body) = match protocol {
            Protocol::RestXml => (
                "application/xml",
                format!(
                    "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId></Error>"
                )
                .into_bytes(),
            ),
            Protocol::Query => (
                "text/xml",
                format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                     <RequestId>{request_id}</RequestId></ErrorResponse>"
                )
                .into_bytes(),
            ),
            Protocol::Json | Protocol::RestJson => (
                "application/x-amz-json-1.1",
                serde_json::json!({"__type": code, "message": message}).to_string().into_bytes(),
            ),
            Protocol::Cbor => ("application/cbor", cbor(&[("__type", code), ("message", message)])),
        };
        let mut answer = Response::builder()
            .status(StatusCode::from_u16(status).unwrap())
            .header("content-type", kind)
            .header("x-amzn-requestid", request_id)
            .header("x-amz-request-id", request_id)
            .header("x-amzn-errortype", code);
        if protocol == Protocol::Cbor {
            answer = answer.header("smithy-protocol", "rpc-v2-cbor");
        }
        Some(answer.body(Full::from(body)).unwrap())
    }

    fn refusal(self, service: &str, protocol: Protocol) -> Option<Refusal> {
        let fails = match service {
            "s3" => (500, "InternalError", "We encountered an internal error. Please try again."),
            "iam" => (500, "ServiceFailure", "The request processing has failed because of an unknown error."),
            "lambda" => (500, "ServiceException", "An error occurred and the request cannot be processed."),
            "secretsmanager" => (500, "InternalServiceError", "An error occurred on the server side."),
            "cloudwatch" => (500, "InternalServiceFault", "Request processing has failed due to some unknown error."),
            _ => (500, "InternalFailure", "The request processing has failed because of an unknown error."),
        };
        let throttles = match (service, protocol) {
            ("s3", _) => (503, "SlowDown", "Please reduce your request rate."),
            ("lambda", _) => (429, "TooManyRequestsException", "Rate Exceeded."),
            ("sqs", _) => (403, "RequestThrottled", "The request was denied due to request throttling."),
            (_, Protocol::Query) => (400, "Throttling", "Rate exceeded"),
            _ => (400, "ThrottlingException", "Rate exceeded"),
        };
        let denies = match protocol {
            Protocol::RestXml | Protocol::Query => {
                (403, "AccessDenied", "User is not authorized to perform this operation")
            }
            _ => (400, "AccessDeniedException", "User is not authorized to perform this operation"),
        };
        match self {
            Self::Fails => Some(fails),
            Self::Throttles => Some(throttles),
            Self::Denies if service == "lambda" => Some((403, denies.1, denies.2)),
            Self::Denies => Some(denies),
            Self::Refuses { status, code, message } => Some((status, code, message)),
            Self::CutBefore | Self::CutAfter | Self::Delays | Self::Silent => None,
        }
    }
}

/// Returns a map of texts (RFC 8949).
fn cbor(entries: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| {
        let length = u16::try_from(text.len()).unwrap().to_be_bytes();
        [&[0x79, length[0], length[1]], text.as_bytes()].concat()
    };
    let mut encoded = vec![0xa0 + u8::try_from(entries.len()).unwrap()];
    encoded.extend(entries.iter().flat_map(|(key, value)| [text(key), text(value)].concat()));
    encoded
}
