//! Outputs at addresses of their own, and redirects.

use replaced::Replaced as _;
use serde_json::json;

use crate::{
    platform::{Job, KEY, Odd, Platform},
    trial::{ID, TIME, Trial, job},
};

#[test]
fn an_output_is_fetched_from_the_address_of_its_job() {
    let mut trial = Trial::with_addresses(&[("HEADERS", r#"{"X-Key": "canary-1234"}"#)]);
    trial.platform.add(ID, Job::complete(b"a,b\n"));
    assert!(trial.take() && trial.take());
    let object = trial.bucket.object(&format!("labels/{ID}.csv")).unwrap();
    assert_eq!((object.bytes.as_slice(), object.headers["content-type"].as_str()), (&b"a,b\n"[..], "text/csv"));
    let seen = trial.platform.seen();
    assert_eq!(
        (seen.len(), seen[0].key.as_deref(), seen[0].path.as_str()),
        (1, Some("canary-1234"), format!("/files/{ID}.csv").as_str())
    );
    trial.stop();
}

#[test]
fn an_address_tells_of_an_output_that_is_not_there_yet_or_no_more() {
    let mut trial = Trial::with_addresses(&[]);
    assert!(!trial.take(), "404: the server may not have caught up with its webhook");
    trial.platform.add(ID, Job::complete(b"").odd(&[Odd::Status(410, String::new())]));
    assert!(trial.take());
    assert_eq!(trial.bucket.keys(), [format!("labels/failed/{ID}.json")]);
}

/// Returns the address of a platform under another name, for which it is another server.
fn other_name(platform: &Platform) -> String {
    platform.base.replaced("127.0.0.1", "localhost")
}

#[test]
fn a_redirect_to_a_declared_host_is_followed_without_the_token() {
    let storage = Platform::start();
    storage.add(ID, Job::complete(b"{\"from\": \"storage\"}"));
    let host = storage.base.trim_start_matches("http://").to_owned();
    let mut trial = Trial::start(&[("HOSTS", &host)]);
    let signed = format!("{}/stored/{ID}?X-Signature=canary-of-an-address", storage.base);
    trial.platform.add(ID, Job::complete(b"").odd(&[Odd::Redirect(signed)]));
    assert!(trial.take());
    assert_eq!(trial.bucket.object(&format!("labels/{ID}.json")).unwrap().bytes, b"{\"from\": \"storage\"}");
    let seen = storage.seen();
    assert_eq!((seen.len(), &seen[0].authorization), (1, &None));
    // A redirect within the platform keeps it.
    trial.platform.add("own", Job::complete(b"{}").odd(&[Odd::Redirect("/v1/jobs/own/output?again".to_owned())]));
    assert!(trial.hand_over(&[job("own")], TIME).is_empty());
    assert!(
        trial
            .platform
            .seen()
            .iter()
            .all(|seen| seen.authorization.as_deref() == Some(format!("Bearer {KEY}").as_str()))
    );
    trial.stop();
}

#[test]
fn the_token_does_not_come_back_with_a_redirect_from_another_host() {
    let storage = Platform::start();
    let host = storage.base.trim_start_matches("http://").to_owned();
    let mut trial = Trial::start(&[("HOSTS", &host)]);
    let back = format!("{}/stored/{ID}", trial.platform.base);
    storage.add(ID, Job::complete(b"").odd(&[Odd::Redirect(back)]));
    let away = Odd::Redirect(format!("{}/stored/{ID}", storage.base));
    trial.platform.add(ID, Job::complete(b"{}").odd(&[away]));
    assert!(trial.take());
    let seen = trial.platform.seen();
    assert_eq!(seen.last().unwrap().authorization, None);
}

#[test]
fn redirects_to_anywhere_else_are_refused() {
    let other = Platform::start();
    other.add(ID, Job::complete(b"{}"));
    let port = other.base.rsplit(':').next().unwrap().to_owned();
    let mut trial = Trial::start(&[]);
    let own = trial.platform.base.trim_start_matches("http://").to_owned();
    for location in [
        format!("{}/stored/{ID}", other.base),
        format!("//127.0.0.1:{port}/stored/{ID}"),
        format!("{}/stored/{ID}", other_name(&trial.platform)),
        format!("http://{own}@127.0.0.1:{port}/stored/{ID}"),
        format!("http://127.0.0.1:{port}\\@{own}/stored/{ID}"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.0.0.1:{port}/"),
        format!("http://0177.0.0.1:{port}/"),
        format!("http://127.1:{port}/"),
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/".to_owned(),
        "http://[fd00:ec2::254]/latest/meta-data/".to_owned(),
        "http://169.254.170.2/v2/credentials".to_owned(),
        "http://10.0.0.1/".to_owned(),
        "https://evil.example/".to_owned(),
        "https://127.0.0.1.evil.example/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "ftp://evil.example/".to_owned(),
        "javascript:alert(1)".to_owned(),
        String::new(),
    ] {
        trial.platform.add(ID, Job::complete(b"{}").odd(&[Odd::Redirect(location.clone())]));
        assert!(!trial.take(), "{location}");
        assert_eq!(trial.bucket.keys(), Vec::<String>::new(), "{location}");
    }
    assert_eq!(other.requests(), 0, "nothing was sent there");
    // Endless ones end.
    let again = Odd::Redirect(format!("/v1/jobs/{ID}/output"));
    trial.platform.add(ID, Job::complete(b"{}").odd(&vec![again.clone(); 5]));
    assert!(trial.take(), "five are followed");
    trial.platform.add("endless", Job::complete(b"{}").odd(&[]));
    trial.platform.choose(move |id, is_output| {
        (is_output && id == "endless").then(|| Odd::Redirect("/v1/jobs/endless/output".to_owned()))
    });
    assert!(!trial.hand_over(&[job("endless")], TIME).is_empty());
    assert_eq!(trial.platform.count("GET", "/v1/jobs/endless/output"), 6);
    let lines = trial.stop();
    assert!(
        lines.iter().all(|line| line["class"] != json!("for_person")),
        "whoever declares the host and replays has the output"
    );
}
