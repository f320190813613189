//! Classifies AWS errors: the one place that decides what an error means.
//!
//! The rest of the code looks at the class, and at a [`Detail`] where one code makes it go on differently; code, message and request id
//! are for the person who reads it. Classes follow each service's documented error codes; where a code says too little (Lambda's
//! `InvalidParameterValueException`), its message is looked at, here and nowhere else.

mod class;
mod detail;

use std::error::Error;

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};
use class::{classify, plain_code};
pub use detail::Detail;
use engine::{Class, Failure};

/// Converts the SDK's error of a call, such as `sqs.GetQueueUrl`, into a failure.
fn failure<E>(call: &str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let request_id = request_id(error);
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.code().map(|code| plain_code(call, code));
    let message = match error.message() {
        Some(message) => message.to_owned(),
        None if code.is_some() => String::new(),
        None => chain(error),
    };
    let class = match error {
        // The SDK has no kind of its own for missing credentials; a connection that ends early is of the same one.
        SdkError::DispatchFailure(failure) if failure.is_other() && message.contains("credential") => {
            Class::NoCredentials
        }
        _ => classify(call, status, code.as_deref(), &message),
    };
    Failure { call: call.to_owned(), class, status, code, message, request_id }
}

/// Returns the failure of one part of a call that succeeded as a whole, such as one object of `s3.DeleteObjects`.
pub fn failure_within(call: &str, code: &str, message: impl Into<String>) -> Failure {
    // The status of a success: a code that nobody knows is of no class.
    const SUCCESS: u16 = 200;
    let (code, message) = (plain_code(call, code), message.into());
    let class = classify(call, Some(SUCCESS), Some(&code), &message);
    Failure { code: Some(code).filter(|code| !code.is_empty()), ..Failure::found(call, class, message) }
}

/// Converts the result of a call: `answer.or_fail("sqs.GetQueueUrl")?`.
pub trait OrFail<T> {
    /// Returns the answer, or the failure of the named call.
    fn or_fail(self, call: &str) -> Result<T, Failure>;
    /// Returns the answer, or `None` if the resource does not exist.
    fn or_absent(self, call: &str) -> Result<Option<T>, Failure>;
}

impl<T, E> OrFail<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    fn or_fail(self, call: &str) -> Result<T, Failure> {
        self.map_err(|error| failure(call, &error))
    }

    fn or_absent(self, call: &str) -> Result<Option<T>, Failure> {
        match self.or_fail(call) {
            Ok(answer) => Ok(Some(answer)),
            Err(failure) if failure.class == Class::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

/// Returns the request id of every kind of answer.
fn request_id<E: Error>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    let headers = error.raw_response()?.headers();
    let id = ["x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id"].iter().find_map(|name| headers.get(*name));
    id.map(str::to_owned).or_else(|| error.raw_response().and_then(|response| response.request_id().map(str::to_owned)))
}

/// Returns the causes of an error that has no code, outermost first: `Display` of the SDK's own says only "dispatch failure".
fn chain(error: &dyn Error) -> String {
    // A cause may have several lines, as the credential chain's does; here it becomes part of one line.
    let in_one_line = |error: &dyn Error| error.to_string().lines().map(str::trim).collect::<Vec<_>>().join("; ");
    let mut words = vec![in_one_line(error)];
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = in_one_line(error);
        if words.last() != Some(&said) {
            words.push(said);
        }
        cause = error.source();
    }
    words.join(": ")
}
