//! Codes that others made are taken, and ours are the same. How they were made is in `tests/vectors`.

use std::{collections::BTreeMap, fs, path::Path};

use contract::{secret::Secret, webhook::Scheme};
use serde_json::Value;
use webhook::{Draft, Request, Stamp, sign, verify};

/// Time at which `make.py` signs, in seconds since the epoch.
const TIME: u64 = 1_800_000_000;

fn vectors() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let read =
        |name: &str| -> Vec<Value> { serde_json::from_str(&fs::read_to_string(folder.join(name)).unwrap()).unwrap() };
    ["published.json", "python.json", "node.json"].into_iter().flat_map(read).collect()
}

#[test]
fn codes_of_the_senders_own_libraries_are_taken_and_made() {
    let mut seen = BTreeMap::<String, usize>::new();
    for vector in vectors() {
        let text = |key: &str| vector[key].as_str().unwrap();
        let scheme: Scheme = serde_json::from_value(vector["scheme"].clone()).unwrap();
        let (secret, url, body) = (Secret::from(text("secret")), text("url"), text("body").as_bytes());
        let time = vector["time"].as_u64().unwrap_or(TIME);
        let proof = vector["headers"].as_object().unwrap().iter();
        let proof: Vec<_> = proof.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        let content_type = text("content_type");
        let mut headers = proof.clone();
        headers.push(("content-type".to_owned(), content_type.to_owned()));
        let request = Request { url, headers: &headers, body, token: None };
        assert_eq!(verify(&scheme, &secret, &request, time), Ok(()), "{vector:#}");

        let id = proof.iter().find(|(name, _)| name.ends_with("-id")).map_or("", |(_, id)| id);
        // The hash of a body is added by whoever signs.
        let bare = url.split(['?', '&']).filter(|part| !part.starts_with("bodySHA256="));
        let bare =
            bare.enumerate().map(|(index, part)| [["", "?", "&"][index.min(2)], part].concat()).collect::<String>();
        let draft = Draft { url: &bare, content_type: Some(content_type), body };
        let signed = sign(&scheme, &secret, draft, Stamp { id, time }).unwrap();
        let sorted = |mut headers: Vec<(String, String)>| {
            headers.sort();
            headers
        };
        assert_eq!((signed.url.as_str(), sorted(signed.headers)), (url, sorted(proof)), "{vector:#}");
        *seen.entry(text("made_with").to_owned()).or_default() += 1;
    }
    println!("{seen:#?}");
    for made_with in ["svix ", "standardwebhooks ", "stripe ", "slack_sdk ", "twilio ", "@octokit/", "@shopify/"] {
        assert!(seen.keys().any(|known| known.starts_with(made_with)), "no vector of {made_with}");
    }
}
