//! Kinds of CloudWatch Logs' resources.

mod children;
pub mod log_group;
pub mod notes;
