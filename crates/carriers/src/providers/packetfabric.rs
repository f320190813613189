//! The MAINTNOTE calendars of `PacketFabric`.

use notice::{
    found::Found,
    maintnote,
    provider::{LearnedFrom, Provider},
    source::Source,
};

/// Definition of the provider `PacketFabric`.
pub static PROVIDER: Provider = Provider {
    slug: "packetfabric",
    name: "PacketFabric",
    domains: &["packetfabric.com"],
    organizer: "support@packetfabric.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read: maintnote::read_or_other,
};

fn says(source: &Source<'_>) -> Option<Found<String>> {
    maintnote::names(source, source.provider())
}
