//! The code of the functions that `provision` deploys.
//!
//! Data flows one way: bytes → [`mail::Mail`] → provider → [`maintenance::outcome::Outcome`] → [`schedule::Announcement`] → delivery.
//! Everything up to the outcome is pure and total: no I/O, no clock, no panic, for any bytes.

pub mod context;
pub mod echo;
pub mod event;
pub mod feed;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod mail;
pub mod maintenance;
pub mod netbox;
pub mod pipeline;
pub mod report;
pub mod schedule;
pub mod text;
pub mod trust;
#[cfg(feature = "lambda")]
pub mod webhook;

#[cfg(test)]
mod sinks_agree;
