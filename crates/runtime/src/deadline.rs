//! The moment at which Lambda ends an invocation.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The deadline of an invocation. Start nothing that cannot finish before it.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use runtime::Deadline;
///
/// // Of the half minute of an invocation, ten seconds are kept for what comes after the calls.
/// let invocation = Deadline::at(SystemTime::now() + Duration::from_secs(30));
/// let calls = invocation.earlier(Duration::from_secs(10));
/// assert!(calls < invocation && !calls.is_over());
/// assert!(invocation.earlier(Duration::from_mins(1)).is_over());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(SystemTime);

impl Deadline {
    /// Creates the deadline at that moment.
    pub fn at(moment: SystemTime) -> Self {
        Self(moment)
    }

    /// Returns the time that is left; zero if there is none.
    pub fn left(self) -> Duration {
        self.0.duration_since(SystemTime::now()).unwrap_or_default()
    }

    /// Returns whether the deadline has passed.
    pub fn is_over(self) -> bool {
        self.left().is_zero()
    }

    /// Returns an earlier deadline, which keeps that much of the time free.
    #[must_use]
    pub fn earlier(self, by: Duration) -> Self {
        Self(self.0.checked_sub(by).unwrap_or(UNIX_EPOCH))
    }

    /// Returns milliseconds since the epoch.
    pub(crate) fn as_millis(self) -> u64 {
        let since = self.0.duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remaining_time_is_never_negative() {
        let past = Deadline::at(UNIX_EPOCH);
        assert!(past.is_over() && past.earlier(Duration::from_secs(1)).is_over());
        let soon = Deadline::at(SystemTime::now() + Duration::from_mins(1));
        assert!(!soon.is_over() && soon.earlier(Duration::from_mins(2)).is_over());
        assert!(soon.left() > Duration::from_secs(50));
    }
}
