//! The sinks, one folder each. None of them knows another.

pub mod calendar;
pub mod lines;
pub mod netbox;
pub mod webhook;

/// Variable: the sinks, one or several of `lines`, `netbox`, `webhook` and `calendar`, separated by commas.
pub const SINK: &str = "SINK";

#[cfg(test)]
mod agreement;
