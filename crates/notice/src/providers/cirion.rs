//! Cirion, which took over Lumen's network in Latin America and its notices: the same format under another name.

use super::lumen;
use crate::{
    failure::Failure,
    found::Found,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
};

/// Cirion Technologies.
pub static PROVIDER: Provider = Provider {
    slug: "cirion",
    name: "Cirion",
    domains: &["ciriontechnologies.com"],
    organizer: "",
    learned_from: LearnedFrom::PublicKnowledge,
    says,
    read,
};

/// The heading with an id, in a mail that names Cirion, and not Lumen's portal.
fn says(source: &Source<'_>) -> Option<Found<String>> {
    let lines = source.body().ok()?;
    let heading = lines.matching(&lumen::HEADING)?;
    let names = |name: &str| lines.iter().any(|(_, line)| line.contains(name));
    (names("Cirion") && !names("Lumen")).then_some(heading)
}

/// Its address is not published: whoever wrote the mail is the organizer.
fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    Ok(lumen::read(source)?.sent_by_author(source))
}
