//! euNetworks: MAINTNOTE calendars. A cancelled one names no circuits.

use notice::{
    found::Found,
    maintnote,
    provider::{LearnedFrom, Provider},
    source::Source,
};

/// Definition of the provider euNetworks.
pub static PROVIDER: Provider = Provider {
    slug: "eunetworks",
    name: "euNetworks",
    domains: &["eunetworks.com"],
    organizer: "noc@eunetworks.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read: maintnote::read_or_other,
};

fn says(source: &Source<'_>) -> Option<Found<String>> {
    maintnote::names(source, source.provider())
}
