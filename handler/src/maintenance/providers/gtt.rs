//! GTT, now EXA Infrastructure: MAINTNOTE calendars.

use crate::maintenance::{
    calendar,
    failure::Failure,
    found::Found,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
};

/// The provider.
pub static PROVIDER: Provider = Provider {
    slug: "gtt",
    name: "GTT (EXA)",
    domains: &["gtt.net", "exainfra.net"],
    organizer: "InfraCo.CM@exainfra.net",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

fn says(source: &Source<'_>) -> Option<Found<String>> {
    calendar::names(source, source.provider())
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    if let Some(drafts) = calendar::read(source)? {
        return Ok(Reading::Notice(drafts));
    }
    Err(Failure::missing("a calendar with X-MAINTNOTE properties"))
}
