//! Kinds of iam.

pub mod role;
pub(crate) mod role_tags;
