//! euNetworks: MAINTNOTE calendars. A cancelled one names no circuits.

use crate::maintenance::{
    calendar,
    found::Found,
    provider::{LearnedFrom, Provider},
    source::Source,
};

/// The provider.
pub static PROVIDER: Provider = Provider {
    slug: "eunetworks",
    name: "euNetworks",
    domains: &["eunetworks.com"],
    organizer: "noc@eunetworks.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read: calendar::read_or_other,
};

fn says(source: &Source<'_>) -> Option<Found<String>> {
    calendar::names(source, source.provider())
}
