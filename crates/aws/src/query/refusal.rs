//! Refusals of the query protocol, in both of its forms: `Response/Errors/Error` of EC2, `ErrorResponse/Error` of the others.

use std::{error::Error, fmt};

use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::error::{ErrorMetadata, metadata::ProvideErrorMetadata};

use super::Element;

/// An answer that refuses a call.
#[derive(Debug)]
pub(super) struct Refusal {
    metadata: ErrorMetadata,
    /// Request id; `None` if the answer names none.
    pub(super) request_id: Option<String>,
}

impl Refusal {
    /// Reads a refusal. A server in between may answer in any form: then the status is all there is.
    pub(super) fn read(status: StatusCode, body: &str) -> Self {
        let answer = Element::read(body).unwrap_or_default();
        let told = |paths: [&str; 2]| paths.iter().map(|path| answer.text(path)).find(|text| !text.is_empty());
        let metadata = ErrorMetadata::builder();
        let metadata = match told(["Errors/Error/Code", "Error/Code"]) {
            Some(code) => {
                metadata.code(code).message(told(["Errors/Error/Message", "Error/Message"]).unwrap_or_default())
            }
            None => {
                metadata.message(format!("the answer has the status {} and is not an answer of AWS", status.as_u16()))
            }
        };
        let request_id = told(["RequestID", "RequestId"]).map(str::to_owned);
        Self { metadata: metadata.build(), request_id }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.metadata.fmt(formatter)
    }
}

impl Error for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_read_in_either_form_and_in_none() {
        let ec2 = "<Response><Errors><Error><Code>InvalidSubnetID.NotFound</Code><Message>The subnet ID 'subnet-0a' does not exist</Message></Error></Errors><RequestID>ea966190-EXAMPLE</RequestID></Response>";
        let rds = r#"<ErrorResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><Error><Type>Sender</Type><Code>DBInstanceNotFound</Code><Message>DBInstance a not found.</Message></Error><RequestId>b9f9f2f5-EXAMPLE</RequestId></ErrorResponse>"#;
        for (status, body, code, message, id) in [
            (
                400,
                ec2,
                Some("InvalidSubnetID.NotFound"),
                "The subnet ID 'subnet-0a' does not exist",
                Some("ea966190-EXAMPLE"),
            ),
            (404, rds, Some("DBInstanceNotFound"), "DBInstance a not found.", Some("b9f9f2f5-EXAMPLE")),
            (502, "<html>Bad gateway", None, "the answer has the status 502 and is not an answer of AWS", None),
        ] {
            let refusal = Refusal::read(StatusCode::try_from(status).unwrap(), body);
            assert_eq!((refusal.code(), refusal.message(), refusal.request_id.as_deref()), (code, Some(message), id));
        }
    }
}
