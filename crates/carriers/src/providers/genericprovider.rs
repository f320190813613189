//! Any carrier whose mail carries a MAINTNOTE calendar, whoever it is: the calendar says so itself.
//!
//! It has no domain and no wording of its own: `recognise` takes it where no other provider is recognised.

use notice::{
    failure::Failure,
    maintnote,
    provider::{LearnedFrom, Provider, Reading, says_nothing},
    source::Source,
};

/// Definition of the provider MAINTNOTE calendar.
pub static PROVIDER: Provider = Provider {
    slug: "genericprovider",
    name: "MAINTNOTE calendar",
    domains: &[],
    organizer: "",
    learned_from: LearnedFrom::RealMails,
    says: says_nothing,
    read,
};

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    maintnote::expect(source).map(Reading::Notice)
}
