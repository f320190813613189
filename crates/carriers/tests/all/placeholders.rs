//! A placeholder is no id, whichever field of whichever carrier's notice it stands in: the notice goes to a person, or has no such id.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support;

/// Words that stand in a field for want of a value, in the languages of our carriers.
const PLACEHOLDERS: &[&str] = &[
    "_",
    "-",
    "--",
    "N/A",
    "NA",
    "none",
    "TBD",
    "TBA",
    "see attached",
    "unknown",
    "x",
    "…",
    "n.v.t.",
    "zie bijlage",
    "onbekend",
    "keine",
    "siehe Anhang",
    "unbekannt",
    "ninguno",
    "ver adjunto",
    "por definir",
    "nenhum",
    "vide anexo",
    "a definir",
    "nessuno",
    "vedi allegato",
    "da definire",
    "yok",
    "ekte",
    "bilinmiyor",
    "aucun",
    "voir ci-joint",
    "inconnu",
];

/// Returns the ids of a reading, each with the field that it stands in.
fn ids(reading: &Value) -> BTreeSet<(&'static str, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of_one = |maintenance: &Value| {
        let circuits = maintenance["circuits"].as_array().unwrap().iter();
        let circuits = circuits.map(|circuit| ("circuit", text(&circuit["circuit_id"])));
        let own = [("maintenance id", &maintenance["maintenance_id"]), ("account", &maintenance["account"])];
        own.map(|(field, value)| (field, text(value))).into_iter().chain(circuits).collect::<Vec<_>>()
    };
    reading["maintenances"].as_array().unwrap().iter().flat_map(of_one).collect()
}

#[test]
fn a_placeholder_is_no_id_of_any_carrier() {
    let (mut ran, mut read, mut wrong) = (0, 0, Vec::new());
    for mail in support::own_mails() {
        let Ok(text) = str::from_utf8(&mail.bytes) else { continue };
        let reading = support::parse(&mail.bytes);
        for (field, id) in ids(&reading).into_iter().filter(|(_, id)| id.len() > 3 && text.contains(id.as_str())) {
            // Each id with every placeholder would take minutes: each mail starts with another of them.
            let shift = mail.name.len() + id.len();
            for placeholder in PLACEHOLDERS.iter().cycle().skip(shift).step_by(4).take(PLACEHOLDERS.len() / 3) {
                ran += 1;
                let changed = support::parse(text.replace(&id, placeholder).as_bytes());
                read += usize::from(changed["outcome"] == "maintenance");
                let kept = ids(&changed);
                let plain = |text: &str| text.trim_matches(['"', ' ']).to_lowercase();
                if kept.iter().any(|(other, kept)| *other == field && plain(kept) == plain(placeholder)) {
                    wrong.push(format!("{}: {field} `{id}` as `{placeholder}`: {changed}", mail.name));
                }
            }
        }
    }
    println!("placeholders: {ran} notices, {read} read without such an id, {} with one", wrong.len());
    assert!(ran > 1_000 || std::env::var("PROVIDER").is_ok());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
