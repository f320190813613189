//! Kinds of Lambda's resources.

pub mod event_invoke;
pub mod function;
pub(crate) mod interfaces;
pub mod mapping;
pub mod permission;
mod policy;
pub(crate) mod sources;
