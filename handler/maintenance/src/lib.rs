//! The function that takes carriers' maintenance mails: an event of SES in, notices out.
//!
//! Data flows one way: event → stored mail → [`mail::Mail`] → [`notice::outcome::Outcome`] → decision → [`schedule::Announcement`] → sinks. The binary
//! composes it: [`composition`] alone knows which sinks there are.

// Recursion limit of the compiler, for nested futures.
#![recursion_limit = "256"]

pub mod composition;
pub mod configuration;
pub mod pipeline;
pub mod sinks;
