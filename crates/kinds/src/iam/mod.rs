//! Kinds of IAM's resources.

pub mod role;
pub(crate) mod role_tags;
