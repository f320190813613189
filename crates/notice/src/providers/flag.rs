//! FLAG, the name that Global Cloud Xchange took: the same format.

use super::globalcloudxchange;
use crate::{
    failure::Failure,
    found::Found,
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
};

/// FLAG Telecom.
pub static PROVIDER: Provider = Provider {
    slug: "flag",
    name: "FLAG",
    domains: &["flagtel.com"],
    organizer: "",
    learned_from: LearnedFrom::PublicKnowledge,
    says,
    read,
};

static NAME: Pattern = Pattern::new(r"\bFLAG\b");

/// A record in the subject, in a mail that names FLAG and not its old name.
fn says(source: &Source<'_>) -> Option<Found<String>> {
    let subject = source.subject();
    let body = source.body().ok()?.joined();
    let is_ours = NAME.is_match(&body) && !body.contains("Global Cloud Xchange");
    (is_ours && globalcloudxchange::ID.is_match(&subject.value)).then_some(subject)
}

/// Its address is not published: whoever wrote the mail is the organizer.
fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    Ok(globalcloudxchange::read(source)?.sent_by_author(source))
}
