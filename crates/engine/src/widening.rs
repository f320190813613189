//! Rights that an action of a plan gives, and how long its step takes: what somebody who approves a plan looks for.

use serde::Serialize;

/// A right that an action gives, and that nobody had before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Widening {
    /// Path of the setting that gives it: `policies.provision.GetObjects`; empty if it is the whole resource.
    pub path: String,
    /// The right, in words: `may s3:GetObject on arn:aws:s3:::…`.
    pub right: String,
}

/// The usual duration of a step that takes minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Slow {
    /// Usual duration, in seconds.
    pub seconds: u64,
    /// Why it takes so long.
    pub why: &'static str,
}

impl Slow {
    /// Returns how long it is waited for at most, in seconds: twice as long as it usually takes.
    pub const fn most(self) -> u64 {
        self.seconds * 2
    }

    /// Returns how long both take, one after the other; the second one's reason counts.
    pub fn then(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        let seconds = [first, second].into_iter().flatten().map(|slow| slow.seconds).sum();
        second.or(first).map(|slow| Self { seconds, ..slow })
    }
}
