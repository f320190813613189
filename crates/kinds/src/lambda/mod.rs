//! Kinds of lambda.

pub mod event_invoke;
pub mod function;
pub mod permission;
