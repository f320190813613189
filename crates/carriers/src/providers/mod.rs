//! The providers, one file each, and their registry.

pub mod apple;
pub mod aquacomms;
pub mod arelion;
pub mod att;
pub mod aws;
pub mod bso;
pub mod cirion;
pub mod cogent;
pub mod colt;
pub mod crowncastle;
pub mod equinix;
pub mod eunetworks;
pub mod flag;
pub mod genericprovider;
pub mod globalcloudxchange;
pub mod google;
pub mod gtt;
pub mod hawaiki;
pub mod hgc;
pub mod kpn;
pub mod lumen;
pub mod megaport;
pub mod momentum;
pub mod netflix;
pub mod ntt;
pub mod packetfabric;
pub mod pccw;
pub mod published;
pub mod retn;
pub mod seaborn;
pub mod sparkle;
pub mod summitig;
pub mod tata;
pub mod telstra;
pub mod telxius;
pub mod turkcell;
pub mod verizon;
pub mod vodafone;
pub mod windstream;
pub mod zayo;

use notice::{maintnote, provider::Provider};

/// Every provider, by slug. To add one: a file here, a line here, mails in `tests/mails/SLUG/`.
#[rustfmt::skip]
pub const ALL: &[&Provider] = &[
    &published::AMS_IX,
    &apple::PROVIDER,
    &aquacomms::PROVIDER,
    &arelion::PROVIDER,
    &att::PROVIDER,
    &aws::PROVIDER,
    &bso::PROVIDER,
    &cirion::PROVIDER,
    &cogent::PROVIDER,
    &colt::PROVIDER,
    &crowncastle::PROVIDER,
    &published::DE_CIX,
    &equinix::PROVIDER,
    &eunetworks::PROVIDER,
    &flag::PROVIDER,
    &genericprovider::PROVIDER,
    &globalcloudxchange::PROVIDER,
    &google::PROVIDER,
    &gtt::PROVIDER,
    &hawaiki::PROVIDER,
    &hgc::PROVIDER,
    &kpn::PROVIDER,
    &published::LINX,
    &lumen::PROVIDER,
    &megaport::PROVIDER,
    &momentum::PROVIDER,
    &netflix::PROVIDER,
    &ntt::PROVIDER,
    &packetfabric::PROVIDER,
    &pccw::PROVIDER,
    &retn::PROVIDER,
    &seaborn::PROVIDER,
    &sparkle::PROVIDER,
    &summitig::PROVIDER,
    &tata::PROVIDER,
    &telstra::PROVIDER,
    &telxius::PROVIDER,
    &turkcell::PROVIDER,
    &verizon::PROVIDER,
    &vodafone::PROVIDER,
    &windstream::PROVIDER,
    &zayo::PROVIDER,
];

/// Returns the provider that we know by a name or domain in `X-MAINTNOTE-PROVIDER`.
pub fn named(text: &str) -> Option<&'static Provider> {
    ALL.iter().copied().find(|provider| maintnote::is_name(text, provider))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_slug_stands_once() {
        let slugs: BTreeSet<_> = ALL.iter().map(|provider| provider.slug).collect();
        assert_eq!(slugs.len(), ALL.len());
    }

    #[test]
    fn domains_are_lower_case_names_that_can_be_looked_up() {
        for provider in ALL {
            for domain in provider.domains {
                let parsed = mail::Domain::new(domain).map(|parsed| parsed.as_str().to_owned());
                assert_eq!(parsed.as_deref(), Some(*domain), "{}", provider.slug);
            }
        }
    }
}
