//! Another id, another circuit, one circuit more or less: the reading differs in that alone.

use serde_json::{Value, json};

use super::{Changed, Sample, Variation};
use crate::rewrite::{
    attachment,
    circuits::{self, Unit},
};

/// Another value of the same shape: every digit is the next one, but for leading zeros.
fn next(id: &str) -> String {
    id.chars()
        .map(|digit| digit.to_digit(10).map_or(digit, |value| char::from_digit(value % 9 + 1, 10).unwrap()))
        .collect()
}

fn ids(sample: &Sample) -> Vec<&str> {
    let circuits = sample.maintenances().iter().flat_map(|one| one["circuits"].as_array().unwrap());
    let ids = sample.maintenances().iter().map(|one| &one["maintenance_id"]);
    // Of the id of a peer the notice has the number.
    let ids = ids.chain(circuits.map(|one| &one["circuit_id"]));
    let mut ids: Vec<_> =
        ids.map(|id| id.as_str().unwrap().trim_start_matches("AS")).filter(|id| id.len() > 4).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Returns how often a title of a mail names a thing.
fn titles(plain: &str, name: &str) -> usize {
    plain.lines().filter(|line| line.starts_with("Subject:")).map(|line| line.matches(name).count()).sum()
}

#[test]
fn another_id_or_circuit() {
    let variation = Variation { changes_hashes: true, ..Variation::of_all("another id or circuit") };
    variation.check(|sample| {
        let Some(plain) = &sample.plain else { return Vec::new() };
        let ids = ids(sample).into_iter().filter(|id| next(id) != *id && plain.contains(id));
        let changed = ids.map(|id| {
            // A title may name the id without its revision.
            let core = id.split_once('.').map_or(id, |(core, _)| core);
            // Another window of the same id keeps it.
            let is_shared = plain.matches(core).count() != plain.matches(id).count() + titles(plain, core);
            let (core, next_id) = (if core.len() > 4 && !is_shared { core } else { id }, next(id));
            let next_core = next_id.get(..core.len()).unwrap();
            let changed = |text: &str| text.replace(id, &next_id).replace(core, next_core);
            Changed {
                bytes: changed(plain).into_bytes(),
                expected: serde_json::from_str(&changed(&sample.reading.to_string())).unwrap(),
                how: next_id.clone(),
                may_be_refused: false,
            }
        });
        changed.collect()
    });
}

/// The markup of one circuit in each provider's format.
const UNITS: &[(&str, Unit)] = &[
    ("amsix", Unit::Line),
    ("apple", Unit::Line),
    ("aquacomms", Unit::Break),
    ("arelion", Unit::Line),
    ("att", Unit::Element("row")),
    ("aws", Unit::Line),
    ("bso", Unit::RowOrElse("span")),
    ("cirion", Unit::Row),
    ("cogent", Unit::Item(", ")),
    ("colt", Unit::Line),
    ("crowncastle", Unit::Row),
    ("decix", Unit::Line),
    ("equinix", Unit::Row),
    ("eunetworks", Unit::Line),
    ("flag", Unit::Row),
    ("genericprovider", Unit::Line),
    ("globalcloudxchange", Unit::Row),
    ("google", Unit::Row),
    ("gtt", Unit::Row),
    ("hawaiki", Unit::Item(", ")),
    ("hgc", Unit::Item(", ")),
    ("kpn", Unit::Element("row")),
    ("linx", Unit::Line),
    ("lumen", Unit::Row),
    ("megaport", Unit::Row),
    ("momentum", Unit::Item(", ")),
    ("netflix", Unit::Line),
    ("ntt", Unit::Line),
    ("packetfabric", Unit::Line),
    ("pccw", Unit::Line),
    ("retn", Unit::Item(", ")),
    ("seaborn", Unit::Item(", ")),
    ("sparkle", Unit::Row),
    ("summitig", Unit::Item(", ")),
    ("tata", Unit::Item(", ")),
    ("telstra", Unit::Break),
    ("telxius", Unit::Row),
    ("turkcell", Unit::Row),
    ("verizon", Unit::Row),
    ("vodafone", Unit::Item("; ")),
    ("windstream", Unit::Row),
    ("zayo", Unit::Row),
];

/// Mails in another layout of their provider's.
const OTHER_UNITS: &[(&str, Unit)] = &[
    ("aws/rescheduled", Unit::Element("li")),
    ("cirion/no-alternative-id", Unit::Item(" & ")),
    ("retn/ticket-cancelled", Unit::Break),
    ("retn/ticket-closed", Unit::Break),
    ("retn/ticket-opened", Unit::Break),
    ("telstra/newer-template", Unit::Item(", ")),
    ("vodafone/essential", Unit::Row),
    ("vodafone/original-and-new", Unit::Row),
];

/// Returns the mail with its texts and attachments changed; `None` where `change` changes none of them.
fn with_texts(sample: &Sample, change: impl Fn(&str) -> Option<String>) -> Option<Vec<u8>> {
    let plain = sample.plain.as_ref()?;
    let end = plain.find("\r\n\r\n").or_else(|| plain.find("\n\n"))?;
    let (headers, body) = plain.split_at(end);
    let in_text = change(body).map(|body| format!("{headers}{body}").into_bytes());
    let in_attachment = |mail: &[u8]| {
        attachment::changed(mail, |name, bytes| match name.rsplit('.').next() {
            Some("xlsx") => attachment::workbook(bytes, &change),
            Some("csv" | "txt") => attachment::utf16(bytes, &change),
            Some("ics") => Some(change(str::from_utf8(bytes).ok()?)?.into_bytes()),
            _ => None,
        })
    };
    in_attachment(in_text.as_deref().unwrap_or(plain.as_bytes())).or(in_text)
}

/// Returns the markup of one circuit in the mail.
fn unit(sample: &Sample) -> Unit {
    let of_mail = OTHER_UNITS.iter().find(|(name, _)| *name == sample.name);
    of_mail.or_else(|| UNITS.iter().find(|(slug, _)| *slug == sample.slug)).unwrap().1
}

/// Returns the mail with its first circuit, of those that are written in one piece, changed as `change` makes it of text,
/// circuit, another circuit and unit; and what it says then.
fn with_first_circuit(
    sample: &Sample,
    change: impl Fn(&str, &[(String, String)], Unit) -> Option<String>,
    expect: impl Fn(&mut Vec<Value>, usize, &str),
) -> Option<Changed> {
    let circuits = sample.maintenances().first()?["circuits"].as_array().unwrap();
    let ids = circuits.iter().map(|circuit| circuit["circuit_id"].as_str().unwrap());
    ids.filter(|id| next(id) != **id).find_map(|id| {
        let another = next(id);
        let bytes = with_texts(sample, |text| change(text, &values(sample, id, &another), unit(sample)))?;
        let mut expected = sample.reading.clone();
        for maintenance in expected["maintenances"].as_array_mut().unwrap() {
            let circuits = maintenance["circuits"].as_array_mut().unwrap();
            if let Some(at) = circuits.iter().position(|circuit| circuit["circuit_id"] == id) {
                expect(circuits, at, &another);
            }
        }
        Some(Changed { how: format!("{id} and {another}"), bytes, expected, may_be_refused: false })
    })
}

/// Returns the texts of a circuit and of another one. For the id of a peer the notice has the number; the id of a session
/// is two addresses, which are apart.
fn values(sample: &Sample, id: &str, another: &str) -> Vec<(String, String)> {
    let pair = |(one, other): (&str, &str)| (one.to_owned(), other.to_owned());
    if sample.slug == "google" {
        return id.split('-').zip(another.split('-')).map(pair).collect();
    }
    vec![pair((id.trim_start_matches("AS"), another.trim_start_matches("AS")))]
}

#[test]
fn one_circuit_more() {
    let variation = Variation { changes_hashes: true, ..Variation::of_all("one circuit more") };
    let expect = |circuits: &mut Vec<Value>, at: usize, another: &str| {
        circuits.insert(at + 1, json!({"circuit_id": another, "impact": circuits[at]["impact"]}));
    };
    variation.check(|sample| with_first_circuit(sample, circuits::with_another, expect).into_iter().collect());
}

/// One circuit is removed, and one at least remains: another is inserted first.
#[test]
fn one_circuit_less() {
    let variation = Variation { changes_hashes: true, ..Variation::of_all("one circuit less") };
    let change = |text: &str, values: &[(String, String)], unit| {
        circuits::without(&circuits::with_another(text, values, unit)?, &values[0].0, unit)
    };
    let expect = |circuits: &mut Vec<Value>, at: usize, another: &str| circuits[at]["circuit_id"] = another.into();
    variation.check(|sample| with_first_circuit(sample, change, expect).into_iter().collect());
}
