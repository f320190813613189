//! Kinds of IAM's resources.

pub mod instance_profile;
pub mod role;
