//! The providers, one file each, and their registry.

pub mod apple;
pub mod aws;
pub mod google;

use super::provider::Provider;

/// Every provider, by slug. To add one: a file here, a line here, mails in `tests/mails/SLUG/`.
#[rustfmt::skip]
pub const ALL: &[&Provider] = &[
    &apple::PROVIDER,
    &aws::PROVIDER,
    &google::PROVIDER,
];
