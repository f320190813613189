//! The providers, one file each, and their registry.

pub mod aws;

use super::provider::Provider;

/// Every provider, by slug. To add one: a file here, a line here, mails in `tests/mails/SLUG/`.
pub const ALL: &[&Provider] = &[&aws::PROVIDER];
