//! The notices of one maintenance over time: which of two notices is newer, which window of a notice is which event, what happens to the
//! events that a notice leaves out, and how the status of an event changes.
//!
//! Every sink that keeps events decides by this crate: it turns what it holds into [`StoredWindow`]s, asks [`WindowPairing`] what the
//! next notice does to each, and writes that in its own way. The crate is pure: it knows the model of notices only.
//!
//! The rules:
//! 1. [`Version`] orders notices. An older notice changes nothing. Neither does another notice of the same moment, or one whose revision
//!    and date contradict each other, which a person sees.
//! 2. A newer notice pairs equal windows first, then its other windows with the other events, in order. An event that is COMPLETED
//!    is never moved to another window.
//! 3. A window that has no event yet gets the next number: `ID`, `ID #2`, `ID #3`, ….
//! 4. An event whose window the notice leaves out becomes CANCELLED, and a person sees that. What was COMPLETED, over or not, and
//!    what was CANCELLED stays as it is.
//! 5. What a notice says without a window holds for every event that it does not name and that is neither COMPLETED nor CANCELLED.

pub mod announcement;
mod digest;
pub mod lifecycle;
pub mod name;
pub mod pairing;
pub mod version;

pub use announcement::{Announcement, Content, Contradiction, ScheduledWindow};
pub use digest::digest;
pub use lifecycle::{EventStatus, Lifecycle};
pub use pairing::{PairedEvent, PairedWindow, Stored, StoredWindow, WindowPairing};
pub use version::{Order, Version};
