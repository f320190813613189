//! Where notices go, one folder each. None of them knows another.

pub mod calendar;
pub mod lines;
pub mod netbox;
pub mod webhook;

#[cfg(test)]
mod agreement;
