//! NTT's Global IP Network: MAINTNOTE calendars.

use notice::{
    found::Found,
    maintnote,
    provider::{LearnedFrom, Provider},
    source::Source,
};

/// Definition of the provider NTT.
pub static PROVIDER: Provider = Provider {
    slug: "ntt",
    name: "NTT",
    domains: &["ntt.net"],
    organizer: "noc@us.ntt.net",
    learned_from: LearnedFrom::RealMails,
    says,
    read: maintnote::read_or_other,
};

fn says(source: &Source<'_>) -> Option<Found<String>> {
    maintnote::names(source, source.provider())
}
