//! Arelion (once Telia Carrier): MAINTNOTE calendars, several entries in one. Its "Disturbance Information" tells of
//! faults, not of maintenance.

use notice::{
    failure::Failure,
    found::Found,
    maintnote,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
};

/// Definition of the provider Arelion.
pub static PROVIDER: Provider = Provider {
    slug: "arelion",
    name: "Arelion",
    domains: &["arelion.com", "teliacompany.com", "teliacarrier.com"],
    organizer: "support@arelion.com",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

fn says(source: &Source<'_>) -> Option<Found<String>> {
    maintnote::names(source, source.provider())
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = source.subject().value.to_lowercase();
    if subject.contains("disturbance information") {
        return Ok(Reading::Other("a disturbance, no maintenance".to_owned()));
    }
    maintnote::read_or_other(source)
}
