//! Kinds of secretsmanager.

pub mod secret;
