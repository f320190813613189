//! Events of both formats, and their messages.

use std::{fs, path::Path};

use events::{Event, Problem, Reading, read};
use serde_json::{Value, json};

/// Returns the folder of samples.
pub(crate) fn samples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/events");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let samples: Vec<_> = files
        .map(|file| (file.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&file).unwrap()))
        .collect();
    assert!(samples.len() > 15, "there are samples");
    samples
}

fn event(document: &Value) -> Box<Event> {
    match read(&document.to_string()) {
        Ok(Reading::Event(event)) => event,
        other => panic!("{document}: {other:?}"),
    }
}

fn sample(name: &str) -> Value {
    let (_, text) = samples().into_iter().find(|(known, _)| known == name).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_message_of_a_bounce_has_all_fields() {
    let messages = event(&sample("event-bounce.json")).messages("5d0b0a3e-7d0f-5a67-a1a2-5a2f0c1d2e3f", Some("order"));
    assert_eq!(messages.len(), 1);
    let message = serde_json::to_string(&messages[0].message).unwrap();
    let expected = concat!(
        r#"{"store_id":"07546168632411276601","from_email":"orders@shop.example","to_email":"bob@example.com","#,
        r#""send_domain":"shop.example","recipient_domain":"example.com","send_ip":"192.0.2.7","notify_type":"Bounce","#,
        r#""platform":"SES","created_at":"2027-01-05T11:00:03.000Z","delivery_code":2,"delivery_message":"bounce","#,
        r#""message_id":"0107018f5b2a3c4d-1b9e7a55-0c11-4d0a-9a53-2f6f0a7e11aa-000000","template_id":"order","#,
        r#""notify_subtype":"Permanent","send_at":"2027-01-05T11:00:00.000Z","#,
        r#""email_id":"0107018f5b2a3c4d-1b9e7a55-0c11-4d0a-9a53-2f6f0a7e11aa-000000","event_day":"2027-01-05"}"#
    );
    assert_eq!(message, expected);
    let milliseconds = messages[0].message.store_id.parse::<u64>().unwrap() >> 22;
    assert_eq!(milliseconds, 1_799_146_803_000);
    assert_eq!(messages[0].dedup_id.len(), 32);
    assert!(messages[0].dedup_id.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit)));
    assert_eq!(serde_json::from_str::<events::Message>(&message).unwrap(), messages[0].message);
}

#[test]
fn every_message_is_as_the_schema_says() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/message.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let required: Vec<&str> =
        schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut count = 0;
    for (name, text) in samples() {
        let Reading::Event(event) = read(&text).unwrap() else { continue };
        for template in [None, Some("order")] {
            for addressed in event.messages("n-1", template) {
                let text = serde_json::to_string(&addressed.message).unwrap();
                let message: Value = serde_json::from_str(&text).unwrap();
                assert!(validator.is_valid(&message), "{name}: {message}");
                let described = schema["properties"].as_object().unwrap();
                assert!(message.as_object().unwrap().keys().eq(described.keys()), "{name}");
                // The order of the fields is that of the schema's list.
                let places: Vec<usize> =
                    required.iter().map(|field| text.find(&format!("\"{field}\":")).unwrap()).collect();
                assert!(places.is_sorted(), "{text}");
                count += 1;
            }
        }
    }
    assert!(count > 30 && required.len() == 17, "{count}");
    let mut wrong = serde_json::to_value(&event(&sample("event-open.json")).messages("n", None)[0].message).unwrap();
    wrong["store_id"] = json!(7);
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn what_is_missing_or_odd_is_left_out_and_what_must_be_there_is_named() {
    let whole = json!({"eventType": "Bounce", "mail": {"messageId": "m-1", "timestamp": "2027-01-05T11:00:00Z"}});
    let message = |changes: &[(&str, Value)]| {
        let mut document = whole.clone();
        for (pointer, value) in changes {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            document.pointer_mut(parent).unwrap()[name] = value.clone();
        }
        event(&document).messages("n-1", None).into_iter().map(|one| json!(one.message)).collect::<Vec<_>>()
    };
    let least = message(&[]);
    assert_eq!(
        (least.len(), &least[0]["to_email"], &least[0]["created_at"]),
        (1, &json!(null), &json!("2027-01-05T11:00:00.000Z"))
    );
    for odd in [json!(null), json!(3), json!("text"), json!([]), json!([[3], null, {}]), json!({"a": {}})] {
        for place in [
            "/bounce",
            "/delivery",
            "/mail/source",
            "/mail/destination",
            "/mail/tags",
            "/mail/commonHeaders",
            "/mail/sourceIp",
        ] {
            assert_eq!(message(&[(place, odd.clone())]).len(), 1, "{place}: {odd}");
        }
    }
    let named = message(&[
        ("/mail/destination", json!(["Ada <ada@Example.org>", "bob@example.com", "bob@example.com"])),
        ("/mail/source", json!("\"Shop <x@y.example>\" <Orders@Shop.example>")),
        ("/mail/tags", json!({"ses:source-ip": ["192.0.2.9"], "odd": 3})),
        ("/bounce", json!({"bounceType": "Undetermined", "bounceSubType": "Undetermined", "timestamp": "soon"})),
    ]);
    let of = |name: &str| json!(named.iter().map(|one| one[name].clone()).collect::<Vec<_>>());
    assert_eq!(of("to_email"), json!(["ada@Example.org", "bob@example.com"]));
    assert_eq!(of("recipient_domain"), json!(["example.org", "example.com"]));
    assert_eq!(of("from_email"), json!(["Orders@Shop.example", "Orders@Shop.example"]));
    assert_eq!(of("send_ip"), json!(["192.0.2.9", "192.0.2.9"]));
    assert_eq!(of("notify_subtype"), json!(["Undetermined", "Undetermined"]));
    for (document, problem) in [
        (json!({}), Problem::NoType),
        (json!({"eventType": " "}), Problem::NoType),
        (json!({"eventType": 3, "mail": whole["mail"]}), Problem::NoType),
        (json!({"eventType": "Open"}), Problem::NoMessageId),
        (json!({"eventType": "Open", "mail": {"messageId": ""}}), Problem::NoMessageId),
        (json!({"eventType": "Open", "mail": {"messageId": "m-1"}}), Problem::NoTime),
        (
            json!({"eventType": "Open", "mail": {"messageId": "m-1", "timestamp": "soon"}, "open": {"timestamp": 3}}),
            Problem::NoTime,
        ),
    ] {
        assert_eq!(read(&document.to_string()), Err(problem), "{document}");
    }
    for text in ["", "ada@example.org", "[]", "3", "{", "\"Successfully validated\""] {
        let Err(Problem::NotJson(reason)) = read(text) else { panic!("{text}") };
        assert!(!reason.contains("ada"), "{reason}");
    }
}

#[test]
fn words_of_ses_that_it_may_publish_are_no_events() {
    for text in [
        "Successfully validated SNS topic for Amazon SES event publishing.\n",
        "\u{feff}Successfully validated SNS topic for Amazon SES event publishing.",
        r#"{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"…"}"#,
    ] {
        assert_eq!(read(text), Ok(Reading::Validation), "{text}");
    }
}

#[test]
fn events_are_sorted_by_their_time_and_not_by_their_ids() {
    let at = |time: &str, notification: &str| {
        let mail = json!({"messageId": "m-1", "timestamp": "2027-01-05T11:00:00Z"});
        let document = json!({"eventType": "Open", "open": {"timestamp": time}, "mail": mail});
        event(&document).messages(notification, None).remove(0).message.store_id
    };
    let times = [
        "1960-01-01T00:00:00Z",
        "1971-01-01T00:00:00Z",
        "2027-01-05T11:00:00.001Z",
        "2027-01-05T11:00:00.002Z",
        "2027-01-05T12:00:01+01:00",
        "2039-12-31T23:59:59Z",
        "2108-12-31T23:59:59Z",
        "2999-12-31T23:59:59Z",
    ];
    for (first, second) in [("a", "b"), ("b", "a"), ("n-7", "n-1")] {
        let ids: Vec<String> =
            times.iter().zip([first, second].iter().cycle()).map(|(time, id)| at(time, id)).collect();
        assert!(ids.is_sorted() && ids.iter().all(|id| id.len() == 20), "{ids:?}");
        let numbers: Vec<u64> = ids.iter().map(|id| id.parse().unwrap()).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
    }
}
