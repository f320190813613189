//! Any text, and any change of an event: it is read or refused, and nothing panics.

use events::{Reading, read};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use crate::messages::samples;

/// Any JSON, not too deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("2027-01-05T11:00:00Z")),
        Just(json!("A <a@b.example>")),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        let name = prop_oneof![
            any::<String>(),
            "(eventType|notificationType|mail|messageId|timestamp|source|destination|tags|bounce|bouncedRecipients|emailAddress|delivery|recipients)",
        ];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec((name, inner), 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// Puts a value in the place of the n-th one of a document.
fn replace(document: &mut Value, left: &mut usize, new: &Value) {
    if *left == 0 {
        *document = new.clone();
    }
    *left = left.wrapping_sub(1);
    match document {
        Value::Array(entries) => entries.iter_mut().for_each(|entry| replace(entry, left, new)),
        Value::Object(entries) => entries.values_mut().for_each(|entry| replace(entry, left, new)),
        _ => {}
    }
}

/// Asserts what every reading promises.
fn sound(text: &str) {
    let Ok(Reading::Event(event)) = read(text) else { return };
    let messages = event.messages("n-1", Some("t"));
    assert!(!messages.is_empty(), "an event without a message is a lost one: {text}");
    for one in &messages {
        assert!(!one.message.message_id.is_empty() && one.message.store_id.len() == 20 && one.dedup_id.len() == 32);
    }
    let mut ids: Vec<&str> = messages.iter().map(|one| one.dedup_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), messages.len(), "{text}");
    assert_eq!(event.messages("n-1", Some("t")), messages);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), bytes in vec(any::<u8>(), 0..200)) {
        sound(&text);
        sound(&String::from_utf8_lossy(&bytes));
        let _shown = (events::bare(&text), events::domain(&text), events::digest(&text));
    }

    #[test]
    fn any_json_is_read_or_refused(document in any_json(), mail in any_json()) {
        sound(&document.to_string());
        sound(&json!({"eventType": "Bounce", "mail": mail, "bounce": document}).to_string());
    }

    #[test]
    fn any_change_of_an_event_is_read_or_refused(which in any::<prop::sample::Index>(), place in 0_usize..60, new in any_json()) {
        let samples = samples();
        let (_, text) = &samples[which.index(samples.len())];
        if let Ok(mut document) = serde_json::from_str::<Value>(text) {
            replace(&mut document, &mut { place }, &new);
            sound(&document.to_string());
        }
    }

    #[test]
    fn an_event_cut_short_is_refused(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>()) {
        let samples = samples();
        let (_, text) = &samples[which.index(samples.len())];
        let text = text.trim_end();
        let at = at.index(text.len());
        if text.starts_with('{') && text.is_char_boundary(at) {
            prop_assert!(read(&text[..at]).is_err(), "{}", &text[..at]);
        }
    }
}
