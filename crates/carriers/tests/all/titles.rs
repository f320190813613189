//! A title that names another maintenance than the notice below it is for a person: one of both is wrong.

use std::collections::BTreeSet;

use crate::support;

/// Returns the id with other digits in its longest number.
fn other(id: &str) -> Option<String> {
    let numbers = id.split(|letter: char| !letter.is_ascii_digit()).filter(|number| number.len() > 3);
    let number = numbers.max_by_key(|number| number.len())?;
    let other = number.bytes().map(|digit| char::from((digit - b'0' + 3) % 10 + b'0')).collect::<String>();
    Some(id.replace(number, &other))
}

#[test]
fn a_title_with_another_id_is_for_a_person() {
    let (mut ran, mut wrong) = (0, Vec::new());
    for mail in support::own_mails() {
        let Ok(text) = str::from_utf8(&mail.bytes) else { continue };
        let Some((head, body)) = text.split_once("\n\n") else { continue };
        let reading = support::parse(&mail.bytes);
        let maintenances = reading["maintenances"].as_array().unwrap().iter();
        let ids: BTreeSet<&str> =
            maintenances.map(|maintenance| maintenance["maintenance_id"].as_str().unwrap()).collect();
        // The title of a forwarded notice stands in the body.
        let is_forwarded = body.contains("Subject:");
        let [id] = ids.into_iter().collect::<Vec<_>>()[..] else { continue };
        let Some(other) = other(id).filter(|_| !is_forwarded && head.contains(id) && body.contains(id)) else {
            continue;
        };
        ran += 1;
        let changed = support::parse(format!("{head}\n\n{}", body.replace(id, &other)).as_bytes());
        if changed["outcome"] != "failed" {
            wrong.push(format!("{}: {id} in the title, {other} below: {changed}", mail.name));
        }
    }
    println!("other ids in titles: {ran} notices, {} of them read", wrong.len());
    assert!(ran > 50 || std::env::var("PROVIDER").is_ok());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
