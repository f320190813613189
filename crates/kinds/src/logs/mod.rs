//! Kinds of CloudWatch Logs' resources.

pub mod access_log;
mod children;
pub mod log_group;
pub mod notes;
