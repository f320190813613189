//! Kinds of logs.

pub mod log_group;
