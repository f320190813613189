//! Waiting: SES's one request a second, polling, and the way to a deadline. All of it goes through one clock, so that
//! tests can look at it without waiting.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Waiting times between calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pacing {
    /// Between two calls of SES's receipt rules: AWS takes one a second of an account.
    pub receipt_rules: Duration,
    /// Between two looks at something that is in progress, and the first wait before a retry.
    pub poll: Duration,
    /// The longest time that a write is tried again for, where AWS may need to see something else first.
    pub deadline: Duration,
}

impl Default for Pacing {
    fn default() -> Self {
        Self { receipt_rules: Duration::from_secs(1), poll: Duration::from_secs(1), deadline: Duration::from_mins(2) }
    }
}

impl Pacing {
    /// The environment variable that shortens all waits, for emulators, in milliseconds.
    pub const VARIABLE: &'static str = "PROVISION_PACING_MS";

    /// Returns the pacing of an account: AWS's own, or that of an emulator.
    pub fn from_environment() -> Self {
        let typed = std::env::var(Self::VARIABLE).ok().and_then(|text| text.trim().parse().ok());
        typed.map_or_else(Self::default, |milliseconds| Self {
            receipt_rules: Duration::from_millis(milliseconds),
            poll: Duration::from_millis(milliseconds.max(10)),
            ..Self::default()
        })
    }
}

/// Lets one caller go after another, an interval apart.
#[derive(Debug, Clone)]
pub struct Turnstile {
    turns: Arc<Mutex<Turns>>,
}

/// When the next caller may go.
#[derive(Debug)]
struct Turns {
    interval: Duration,
    next: Option<Instant>,
}

impl Turns {
    /// When somebody who comes now may go.
    fn book(&mut self, now: Instant) -> Instant {
        let turn = self.next.map_or(now, |next| next.max(now));
        self.next = Some(turn + self.interval);
        turn
    }
}

impl Turnstile {
    /// Returns a turnstile that has let nobody through yet.
    pub fn new(interval: Duration) -> Self {
        Self { turns: Arc::new(Mutex::new(Turns { interval, next: None })) }
    }

    /// Waits for the caller's turn. Callers go in the order in which they came.
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
