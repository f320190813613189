//! Tells a service that is not there from one that has a bad moment: where nobody listens, or no such host exists, another attempt
//! only makes the person wait.

use std::{error::Error, io::ErrorKind};

use aws_smithy_runtime_api::client::{
    interceptors::context::InterceptorContext,
    retries::classifiers::{ClassifyRetry, RetryAction},
};

/// Forbids retries of a call whose connection was refused.
#[derive(Debug)]
pub(crate) struct Refused;

impl ClassifyRetry for Refused {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err).and_then(|error| error.as_connector_error());
        if error.is_some_and(|error| is_refused(error)) {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "refused connection"
    }
}

/// Returns `true` if an error, or one of its causes, is a refused connection or a host that does not exist.
fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == ErrorKind::ConnectionRefused) || error.to_string() == "dns error" {
            return true;
        }
        // The source of an error of I/O that wraps another one is what that one wraps.
        let wrapped = io.and_then(std::io::Error::get_ref).map(|inner| inner as &(dyn Error + 'static));
        cause = wrapped.or_else(|| error.source());
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_found_among_the_causes() {
        let io = |kind: ErrorKind| std::io::Error::other(std::io::Error::from(kind));
        assert!(is_refused(&io(ErrorKind::ConnectionRefused)));
        assert!(!is_refused(&io(ErrorKind::ConnectionReset)));
    }
}
