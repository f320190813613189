//! Help for reading the children of resources: parts that others add, and that no declaration has.

use aws::Detail;
use engine::{Class, Failure};

/// Returns the answer about a feature; `None` if there is nothing, or if the service does not have the feature there.
pub(crate) fn if_offered<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    let is_none = |failure: &Failure| failure.class == Class::NotFound || Detail::NotOffered.is_told_by(failure);
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(failure) if is_none(&failure) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Fails if others added to a resource what the stack has no right to end, with the commands by which somebody does.
pub(crate) fn ensure_ended(operation: &str, of: &str, commands: &[String]) -> Result<(), Failure> {
    if commands.is_empty() {
        return Ok(());
    }
    let commands: Vec<String> = commands.iter().map(|command| format!("`{command}`")).collect();
    let words = format!(
        "{of} has what others added and the stack has no right to end: {}, then run it again",
        commands.join(" and ")
    );
    Err(Failure::found(operation, Class::Other, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(class: Class, code: &str) -> Result<(), Failure> {
        Err(Failure { code: Some(code.to_owned()), ..Failure::found("s3.GetBucketAccelerateConfiguration", class, "") })
    }

    #[test]
    fn only_what_is_not_there_or_not_offered_is_nothing() {
        for (class, code) in [(Class::NotFound, "NoSuchCORSConfiguration"), (Class::Other, "MethodNotAllowed")] {
            assert_eq!(if_offered(failure(class, code)), Ok(None), "{code}");
        }
        for (class, code) in
            [(Class::Denied, "AccessDenied"), (Class::Throttled, "SlowDown"), (Class::Other, "Strange")]
        {
            assert!(if_offered(failure(class, code)).is_err(), "{code}");
        }
        assert_eq!(if_offered(Ok(1)), Ok(Some(1)));
    }
}
