//! The providers, one file each, and their registry.

pub mod apple;
pub mod aquacomms;
pub mod aws;
pub mod crowncastle;
pub mod globalcloudxchange;
pub mod google;
pub mod verizon;

use super::provider::Provider;

/// Every provider, by slug. To add one: a file here, a line here, mails in `tests/mails/SLUG/`.
#[rustfmt::skip]
pub const ALL: &[&Provider] = &[
    &apple::PROVIDER,
    &aquacomms::PROVIDER,
    &aws::PROVIDER,
    &crowncastle::PROVIDER,
    &globalcloudxchange::PROVIDER,
    &google::PROVIDER,
    &verizon::PROVIDER,
];
