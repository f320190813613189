//! Waits: SES's one request per second, polling, and deadlines. All of them use one clock, so that tests need not
//! wait.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Waiting times between calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pacing {
    /// Interval between two calls of SES's receipt rules: AWS takes one per second and account.
    pub receipt_rules: Duration,
    /// Interval between two calls of API Gateway: AWS takes ten a second for the account.
    pub apis: Duration,
    /// Interval between two reads of a resource that is in progress, and the first wait before a retry.
    pub poll: Duration,
    /// Deadline of a write's retries, if AWS may need to see another change first.
    pub deadline: Duration,
    /// Deadline of one attempt of a step, all its calls and waits included.
    pub attempt: Duration,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            receipt_rules: Duration::from_secs(1),
            apis: Duration::from_millis(100),
            poll: Duration::from_secs(1),
            deadline: Duration::from_mins(2),
            attempt: Duration::from_mins(10),
        }
    }
}

impl Pacing {
    /// Environment variable that shortens all waits, for emulators, in milliseconds.
    pub const VARIABLE: &'static str = "PROVISION_PACING_MS";
    /// Environment variable with the deadline of a write's retries, in seconds: AWS may take 45 minutes to take network interfaces away.
    pub const DEADLINE: &'static str = "PROVISION_WAIT_S";

    /// Returns the pacing of AWS, or that of an emulator, as the environment variables say.
    pub fn from_environment() -> Self {
        Self::typed(|name| std::env::var(name).ok())
    }

    fn typed(variable: impl Fn(&str) -> Option<String>) -> Self {
        let number = |name: &str| -> Option<u64> { variable(name).and_then(|text| text.trim().parse().ok()) };
        let mut pacing = Self::default();
        if let Some(milliseconds) = number(Self::VARIABLE) {
            pacing.receipt_rules = Duration::from_millis(milliseconds);
            pacing.apis = Duration::from_millis(milliseconds.min(100));
            pacing.poll = Duration::from_millis(milliseconds.max(10));
        }
        if let Some(seconds) = number(Self::DEADLINE) {
            pacing.deadline = Duration::from_secs(seconds);
        }
        pacing
    }
}

/// Lets callers pass one after another, an interval apart.
#[derive(Debug, Clone)]
pub struct Turnstile {
    turns: Arc<Mutex<Turns>>,
}

/// The time at which the next caller may pass.
#[derive(Debug)]
struct Turns {
    interval: Duration,
    next: Option<Instant>,
}

impl Turns {
    /// Books the next turn; returns the time at which a caller that comes now may pass.
    fn book(&mut self, now: Instant) -> Instant {
        let turn = self.next.map_or(now, |next| next.max(now));
        self.next = Some(turn + self.interval);
        turn
    }
}

impl Turnstile {
    /// Returns a turnstile that nobody has passed yet.
    pub fn new(interval: Duration) -> Self {
        Self { turns: Arc::new(Mutex::new(Turns { interval, next: None })) }
    }

    /// Waits for the caller's turn. Callers pass in the order of their calls.
    pub async fn pass(&self) {
        let turn = self.turns.lock().unwrap_or_else(PoisonError::into_inner).book(Instant::now());
        tokio::time::sleep_until(turn).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_an_interval_apart_and_nobody_waits_without_need() {
        let start = Instant::now();
        let at = |milliseconds: u64| start + Duration::from_millis(milliseconds);
        let mut turns = Turns { interval: Duration::from_secs(1), next: None };
        assert_eq!([turns.book(at(0)), turns.book(at(0)), turns.book(at(500))], [at(0), at(1_000), at(2_000)]);
        assert_eq!(turns.book(at(9_000)), at(9_000));
    }
}
