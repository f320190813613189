//! NTT's Global IP Network: MAINTNOTE calendars.

use crate::maintenance::{
    calendar,
    found::Found,
    provider::{LearnedFrom, Provider},
    source::Source,
};

/// The provider.
pub static PROVIDER: Provider = Provider {
    slug: "ntt",
    name: "NTT",
    domains: &["ntt.net"],
    organizer: "noc@us.ntt.net",
    learned_from: LearnedFrom::RealMails,
    says,
    read: calendar::read_or_other,
};

fn says(source: &Source<'_>) -> Option<Found<String>> {
    calendar::names(source, source.provider())
}
