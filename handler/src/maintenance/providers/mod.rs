//! The providers, one file each, and their registry.

pub mod apple;
pub mod aquacomms;
pub mod aws;
pub mod bso;
pub mod colt;
pub mod crowncastle;
pub mod equinix;
pub mod globalcloudxchange;
pub mod google;
pub mod lumen;
pub mod verizon;
pub mod zayo;

use super::provider::Provider;

/// Every provider, by slug. To add one: a file here, a line here, mails in `tests/mails/SLUG/`.
#[rustfmt::skip]
pub const ALL: &[&Provider] = &[
    &apple::PROVIDER,
    &aquacomms::PROVIDER,
    &aws::PROVIDER,
    &colt::PROVIDER,
    &bso::PROVIDER,
    &crowncastle::PROVIDER,
    &globalcloudxchange::PROVIDER,
    &equinix::PROVIDER,
    &google::PROVIDER,
    &verizon::PROVIDER,
    &lumen::PROVIDER,
    &zayo::PROVIDER,
];
