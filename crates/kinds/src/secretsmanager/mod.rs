//! Kinds of Secrets Manager's resources.

pub mod secret;
