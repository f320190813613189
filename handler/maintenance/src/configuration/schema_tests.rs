//! Tests that `configuration.json` describes what the reader reads: the same names, and the same
//! accepted values.

use std::{cell::RefCell, collections::BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    tests::{environment, read},
    *,
};

const PLACES: &str = r#"{"stack":"s","function":"f","mail":[{"bucket":"b","prefix":"inbound/"}],
    "writes":[{"bucket":"b","prefix":"unmatched/"},{"bucket":"b","prefix":"calendar/"}]}"#;

/// Values that configure all sinks.
const WHOLE: [(&str, &str); 6] = [
    ("PROVISION_CONTEXT", PLACES),
    ("SINK", "lines, netbox, webhook, calendar"),
    ("NETBOX_URL", "https://netbox.example.com"),
    ("NETBOX_TOKEN", "abc"),
    ("WEBHOOK_URL", "https://hooks.example.com/in?key=1"),
    ("WEBHOOK_SECRET", "whsec_abc"),
];

fn schema() -> Value {
    serde_json::from_str(include_str!("../../configuration.json")).unwrap()
}

/// Returns whether `provision`, Lambda or AWS sets a variable, so that nobody declares it.
fn is_given(name: &str) -> bool {
    name == context::VARIABLE || name.starts_with("AWS_")
}

#[test]
fn the_schema_has_the_variables_that_are_read_and_no_other() {
    let asked = RefCell::new(BTreeSet::new());
    let environment = environment(&WHOLE);
    let look_up = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        environment.get(name).map(|value| (*value).to_owned())
    };
    Configuration::read(&look_up).unwrap();
    let asked: BTreeSet<String> = asked.into_inner().into_iter().filter(|name| !is_given(name)).collect();
    let schema = schema();
    let described: BTreeSet<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(described, asked);
    let secret = |name: &&String| schema["properties"][name.as_str()]["secret"] == true;
    assert_eq!(described.iter().filter(secret).collect::<Vec<_>>(), ["NETBOX_TOKEN", "WEBHOOK_SECRET"]);
}

#[test]
fn the_schema_accepts_the_values_that_the_reader_accepts() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let values = [
        (
            "SINK",
            &[
                "lines",
                "lines,netbox , webhook",
                "nautobot",
                "lines;netbox",
                "line",
                "lines, lines",
                "netbox,lines ,netbox",
            ][..],
        ),
        (
            "NETBOX_URL",
            &[
                "https://netbox.example/",
                "https://netbox.example:8000/a",
                "http://127.0.0.1:8000",
                "http://localhost",
                "http://localhost.example",
                "http://netbox.example",
                "netbox.example",
                "https://me:secret@netbox.example",
                "https://netbox.example/?a=1",
                "https://",
            ],
        ),
        ("NETBOX_TOKEN", &["nbt_a.b", "a b"]),
        ("NETBOX_CA", &["", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"]),
        ("NETBOX_PROVIDERS", &["telia=arelion, x y = Y Z", "telia", "=arelion", "telia=", "a=b,,c=d"]),
        ("NETBOX_CIRCUIT_ALIASES", &["aliases", " other_names ", "cf.aliases", "a b", "a,b"]),
        ("NETBOX_PLUGIN", &["notices", "circuitmaintenance", "maintenance"]),
        ("WEBHOOK_URL", &["https://a.example/in?key=1", "https://a.example?key=1", "http://a.example", "a"]),
        ("WEBHOOK_SECRET", &["whsec_abc", "abc"]),
        ("DMARC_FAIL", &["person", "unproven", "ignore"]),
        ("DELETE_PROCESSED_MAIL", &["true", "false", "yes"]),
        ("DELETE_UNKNOWN_MAIL", &["true", "false", "1"]),
    ];
    for (name, values) in values {
        for value in values {
            let is_read = read(&environment(&[&WHOLE[..], &[(name, *value)]].concat())).is_ok();
            assert_eq!(schema.is_valid(&declared(&[(name, value)], "")), is_read, "{name}={value}");
        }
    }
    for missing in ["SINK", "NETBOX_URL", "NETBOX_TOKEN", "WEBHOOK_URL", "WEBHOOK_SECRET"] {
        assert!(read(&environment(&[&WHOLE[..], &[(missing, "")]].concat())).is_err(), "{missing}");
        assert!(!schema.is_valid(&declared(&[], missing)), "{missing}");
    }
    assert!(schema.is_valid(&json!({"SINK": "lines"})) && schema.is_valid(&declared(&[], "")));
}

/// Returns the variables that a declaration would set, with these changes and without that
/// variable.
fn declared(changes: &[(&str, &str)], without: &str) -> Value {
    let all = WHOLE.iter().chain(changes).filter(|(name, _)| !is_given(name) && *name != without);
    Value::Object(all.map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<Map<_, _>>())
}
