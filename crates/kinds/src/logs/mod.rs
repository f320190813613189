//! Kinds of CloudWatch Logs' resources.

pub mod log_group;
pub mod notes;
