//! Carriers of whose notices we have seen none: what is published is that they send MAINTNOTE calendars, or lists of labels
//! and values. They are data, not files, until real mails show a format of their own.
//!
//! Being known by name makes their mails theirs (the slug in NetBox, the domains that are trusted), where they would be an
//! unknown carrier's otherwise. What is not whole goes to a person.

mod labels;

pub(super) use labels::read as read_labels;

use notice::{
    found::Found,
    maintnote,
    provider::{LearnedFrom, Provider},
    source::Source,
};

macro_rules! carriers {
    ($($constant:ident: $slug:literal, $name:literal, $domains:expr, $read:path;)*) => {$(
        #[doc = concat!($name, ".")]
        pub static $constant: Provider = Provider {
            slug: $slug,
            name: $name,
            domains: &$domains,
            organizer: "",
            learned_from: LearnedFrom::PublicKnowledge,
            says,
            read: $read,
        };
    )*};
}

#[rustfmt::skip]
carriers! {
    AMS_IX:   "amsix",    "AMS-IX",    ["ams-ix.net"],                  maintnote::read_or_other;
    DE_CIX:   "decix",    "DE-CIX",    ["de-cix.net"],                  maintnote::read_or_other;
    LINX:     "linx",     "LINX",      ["linx.net"],                    maintnote::read_or_other;
}

/// Only a calendar names its carrier.
fn says(source: &Source<'_>) -> Option<Found<String>> {
    maintnote::names(source, source.provider())
}
