//! Where notices go, one folder each. None of them knows another.

pub mod calendar;
pub mod lines;
pub mod netbox;
pub mod webhook;

/// The variable that says where notices go: one or several of `lines`, `netbox`, `webhook` and `calendar`, separated by commas.
pub const SINK: &str = "SINK";

#[cfg(test)]
mod agreement;
