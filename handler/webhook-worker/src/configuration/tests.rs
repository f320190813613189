//! Tests that the configuration is read whole, and that `configuration.json` describes it.

use std::{cell::RefCell, collections::BTreeSet};

use replaced::Replaced as _;
use serde_json::{Map, Value, json};

use super::*;

const CONTEXT: &str = r#"{"stack":"egress","function":"worker","writes":[{"bucket":"outputs","prefix":"labels/"}]}"#;
/// Variables that Lambda and `provision` set.
const GIVEN: [(&str, &str); 8] = [
    ("PROVISION_CONTEXT", CONTEXT),
    ("AWS_REGION", "eu-west-1"),
    ("AWS_ACCESS_KEY_ID", "id"),
    ("AWS_SECRET_ACCESS_KEY", "key"),
    ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"),
    ("AWS_LAMBDA_FUNCTION_NAME", "worker"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
];
const DECLARED: [(&str, &str); 2] = [("PLATFORM_TOKEN", "{}"), ("URL_TEMPLATE", "https://files.example.com/{id}")];

fn read(changes: &[(&str, &str)]) -> Result<Configuration, String> {
    let all = [&GIVEN[..], &DECLARED, changes].concat();
    let look_up = |name: &str| all.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Configuration::read(&look_up).map_err(|error| error.to_string())
}

fn schema() -> Value {
    serde_json::from_str(include_str!("../../configuration.json")).unwrap()
}

#[test]
fn the_source_has_what_it_needs() {
    let configuration = read(&[]).unwrap();
    assert_eq!((configuration.place.bucket.as_str(), configuration.reach), ("outputs", Reach::Public));
    let SourceSettings::Platform { extension_days, redirects, .. } = configuration.source else { panic!("a platform") };
    assert_eq!((extension_days, redirects.len(), configuration.transform), (7, 0, OneTransform::None));
    let hosts = ("HOSTS", " storage.example, b.example:8443 ,");
    let configuration = read(&[("SOURCE", "url"), hosts, ("TRANSFORM", "video-quality")]).unwrap();
    let SourceSettings::Address { headers, redirects, .. } = configuration.source else { panic!("addresses") };
    assert_eq!((headers, redirects.len(), configuration.transform), (None, 2, OneTransform::VideoQuality));
    assert_eq!(read(&[("AWS_LAMBDA_LOG_STREAM_NAME", "local")]).unwrap().reach, Reach::PublicAndLoopback);
    let declared = CONTEXT.replaced("\"stack\"", r#""secrets":{"PLATFORM_TOKEN":"egress-token"},"stack""#);
    let configuration = read(&[("PROVISION_CONTEXT", &declared), ("PLATFORM_TOKEN", "")]).unwrap();
    let SourceSettings::Platform { token, .. } = configuration.source else { panic!("a platform") };
    assert_eq!(token, SecretPlace::SecretsManager("egress-token".to_owned()));
}

#[test]
fn the_schema_has_the_variables_that_are_read_and_no_other() {
    let asked = RefCell::new(BTreeSet::new());
    let look_up = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        None
    };
    assert!(Configuration::read(&look_up).is_err());
    let is_declared = |name: &String| name != "PROVISION_CONTEXT" && !name.starts_with("AWS_");
    let asked: BTreeSet<String> = asked.into_inner().into_iter().filter(is_declared).collect();
    let schema = schema();
    let described: BTreeSet<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(described, asked);
    let secrets = described.iter().filter(|name| schema["properties"][name.as_str()]["secret"] == true);
    assert_eq!(secrets.collect::<Vec<_>>(), ["HEADERS", "PLATFORM_TOKEN"]);
}

#[test]
fn the_schema_accepts_the_values_that_the_reader_accepts() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let declared = |changes: &[(&str, &str)]| {
        let all = DECLARED.iter().chain(changes).filter(|(_, value)| !value.is_empty());
        Value::Object(all.map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<Map<_, _>>())
    };
    for (name, values) in [
        ("SOURCE", &["voxel51", "url", "s3"][..]),
        ("TRANSFORM", &["none", "video-quality", "other"]),
        ("PLATFORM_TOKEN", &["{\"access_token\": {}}", " \"{}\"", "abc"]),
        ("HEADERS", &["{\"X-Key\": \"a\"}", "X-Key: a", "[]"]),
        ("EXTENSION_DAYS", &["0", "7", "365", "366", "-1", "a", "1.5", "+7", " 30 "]),
        (
            "URL_TEMPLATE",
            &[
                "https://a.example/{id}",
                "https://a.example:8443/x/{id}.csv?a={id}",
                "https://a.example/x",
                "https://{id}.example/",
                "http://a.example/{id}",
                "https://me@a.example/{id}",
                "https://a.example/{id}#a",
                "https://a.example/{name}/{id}",
                "a.example/{id}",
            ],
        ),
        (
            "HOSTS",
            &[
                "a.example",
                "a.example, b.example:8443",
                "a.example,",
                "10.0.0.1",
                "a",
                "*.example",
                "https://a.example",
            ],
        ),
    ] {
        for value in values {
            let is_read = read(&[(name, value)]).is_ok();
            assert_eq!(schema.is_valid(&declared(&[(name, value)])), is_read, "{name}={value}");
        }
    }
    for (source, missing) in [("voxel51", "PLATFORM_TOKEN"), ("url", "URL_TEMPLATE")] {
        assert!(read(&[("SOURCE", source), (missing, "")]).is_err());
        let variables = [("SOURCE", source), DECLARED[0], DECLARED[1]];
        let variables = variables.into_iter().filter(|(name, _)| *name != missing);
        let variables: Map<_, _> = variables.map(|(name, value)| (name.to_owned(), json!(value))).collect();
        assert!(!schema.is_valid(&Value::Object(variables)));
    }
}
