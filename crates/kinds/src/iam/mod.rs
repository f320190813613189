//! Kinds of IAM's resources.

pub mod role;
