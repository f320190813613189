//! The requests of `tests/webhooks`, which `provision dev --post` sends as well.

use std::{fs, path::Path};

use contract::webhook::Scheme;
use serde_json::{Value, json};
use webhook::{Draft, Stamp, sign};

use crate::trial::{Form, Posted, TOKEN, Trial, now};

/// Posts the files of a folder, in the order of their names; returns each name and the status of its answer.
fn post_all(folder: &str) -> Vec<(String, u16)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/webhooks").join(folder);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    let status = |path: &Path| {
        let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let body = file["body"].as_str().map_or_else(|| file["body"].to_string(), str::to_owned);
        let (route, url) = (file["route"].as_str().unwrap(), "https://in.example.com/job-complete");
        let draft = Draft { url, content_type: Some("application/json"), body: body.as_bytes() };
        let signed = sign(&Scheme::Stripe, &TOKEN.into(), draft, Stamp { id: "1", time: now() }).unwrap();
        let trial =
            Trial::new(route, Scheme::Stripe, TOKEN, &[]).reading(|intake| intake.events = vec!["job_complete".into()]);
        let headers = &signed.headers;
        let posted = Posted { route, url, headers, body: body.as_bytes(), token: None, source: "203.0.113.5" };
        let ended = trial.post(&posted.event(Form::Http, false));
        assert!(ended.status != 202 || ended.job.unwrap()["id"] == file["body"]["id"]);
        ended.status
    };
    files.iter().map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), status(path))).collect()
}

#[test]
fn the_samples_are_queued_ignored_or_refused_as_their_names_say() {
    let expected = [("1-complete", 202), ("2-another", 202), ("3-repeated", 202), ("4-other-event", 200)];
    let expected = expected.map(|(name, status)| (format!("{name}.json"), status));
    assert_eq!(post_all(""), expected);
    let refused = post_all("refused");
    assert!(refused.len() > 3 && refused.iter().all(|(_, status)| *status == 400), "{refused:?}");
    assert_eq!(json!(refused[0].0), "1-path.json");
}
