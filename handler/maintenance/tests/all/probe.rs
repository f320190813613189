//! The question whether the function reaches what it uses: answered from its own place, and nothing is changed for it.

use std::sync::{Arc, Mutex};

use contract::probe;
use function_trial::{Answer, Request, Server};
use replaced::Replaced as _;
use serde_json::{Value, json};

use crate::{
    cloud::{Cloud, Running},
    function::{PROGRAM, event, mail},
};

const TOKEN: &str = "canary0123456789canary0123456789canary01";

/// S3, Secrets Manager and NetBox, which answer as they are told; returns the requests that they got.
fn servers(
    s3: fn(&Request) -> Answer,
    secret: Answer,
    netbox: Answer,
) -> (Server, Server, Server, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let record = |seen: &Arc<Mutex<Vec<String>>>, request: &Request| {
        seen.lock().unwrap().push(format!("{} {}", request.method, request.path));
    };
    let (of_s3, of_netbox) = (Arc::clone(&seen), Arc::clone(&seen));
    let storage = Server::start(move |request| {
        record(&of_s3, &request);
        Some(s3(&request))
    });
    let secrets = Server::start(move |_| Some(secret.clone()));
    let netbox = Server::start(move |request| {
        record(&of_netbox, &request);
        let is_known = request.header("authorization") == format!("Token {TOKEN}");
        Some(if is_known { netbox.clone() } else { Answer::new(403, "{\"detail\": \"Invalid token\"}") })
    });
    (storage, secrets, netbox, seen)
}

fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::new(status, format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"))
}

/// As S3 answers a function that may get and put objects, and not list the bucket.
fn allowed(request: &Request) -> Answer {
    match request.method.as_str() {
        "PUT" if request.header("if-match").is_empty() => Answer::new(200, ""),
        "PUT" => error(404, "NoSuchKey", "The specified key does not exist."),
        _ => error(
            403,
            "AccessDenied",
            "User: arn:aws:sts::1:assumed-role/r/f is not authorized to perform: s3:ListBucket on resource: \"arn:aws:s3:::mail\"",
        ),
    }
}

fn denied(request: &Request) -> Answer {
    let action = if request.method == "PUT" { "s3:PutObject" } else { "s3:GetObject" };
    error(
        403,
        "AccessDenied",
        &format!("User: arn:aws:sts::1:assumed-role/r/f is not authorized to perform: {action} on resource: \"arn\""),
    )
}

/// Asks a function in these surroundings; returns its answer and the requests that it made.
fn asked(servers: &(Server, Server, Server, Arc<Mutex<Vec<String>>>)) -> (Value, Vec<String>) {
    let (storage, secrets, netbox, seen) = servers;
    let cloud = Cloud::start();
    let mut command = cloud.function(PROGRAM);
    command.envs([
        ("AWS_ENDPOINT_URL_S3", storage.url().as_str()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url().as_str()),
        ("SINK", "netbox"),
        ("NETBOX_URL", netbox.url().as_str()),
        (
            "PROVISION_CONTEXT",
            r#"{"stack":"s","function":"f","mail":[{"bucket":"mail","prefix":"inbound/"}],"secrets":{"NETBOX_TOKEN":"netbox/token"},"writes":[{"bucket":"mail","prefix":"unmatched/"}]}"#,
        ),
    ]);
    let function = Running::start(command);
    let said = cloud.invoke("request-1", &probe::event().to_string());
    let (lines, log) = function.stop();
    assert!(said.path.ends_with("/response"), "{said:?}\n{log}");
    assert!(!format!("{said:?} {lines:?} {log}").contains("canary"), "{said:?} {lines:?} {log}");
    let requests = seen.lock().unwrap().clone();
    (serde_json::from_str(&said.body).unwrap(), requests)
}

fn outcomes(answer: &Value) -> Vec<(String, bool)> {
    let checks = answer["probe"].as_array().unwrap().iter();
    let mut outcomes: Vec<_> =
        checks.map(|check| (check["what"].as_str().unwrap().to_owned(), check["ok"].as_bool().unwrap())).collect();
    for (what, _) in &mut outcomes {
        // The address of a test's server differs each time.
        *what = what.split(" at ").next().unwrap().to_owned();
    }
    outcomes
}

fn expected(ok: bool) -> Vec<(String, bool)> {
    ["secret `netbox/token`", "read `mail/inbound/`", "write `mail/unmatched/`", "NetBox"]
        .map(|what| (what.to_owned(), ok))
        .into()
}

#[test]
fn a_function_that_reaches_everything_says_so_and_changes_nothing() {
    let secret = || Answer::new(200, json!({"SecretString": TOKEN}).to_string());
    let servers = servers(allowed, secret(), Answer::new(200, "{\"netbox-version\": \"4.7.3\"}"));
    let (answer, requests) = asked(&servers);
    assert_eq!(outcomes(&answer), expected(true), "{answer}");
    // An object that is not there is asked for, and a write that cannot succeed is tried.
    let [get, put, status] = &sorted(requests)[..] else { panic!("{answer}") };
    assert!(
        get.starts_with("GET /mail/inbound/provision-check-")
            && put.starts_with("PUT /mail/unmatched/provision-check-"),
        "{get} {put}"
    );
    assert_eq!(status, "GET /api/status/");
}

/// Returns the requests, that to NetBox last.
fn sorted(mut requests: Vec<String>) -> Vec<String> {
    requests.sort_by_key(|request| (request.contains("/api/"), request.clone()));
    requests
}

#[test]
fn each_part_that_it_does_not_reach_is_named_with_the_reason() {
    let secret = Answer::new(400, json!({"__type": "AccessDeniedException", "Message": "no"}).to_string());
    let (answer, _) = asked(&servers(denied, secret, Answer::new(200, "{}")));
    assert_eq!(outcomes(&answer), expected(false), "{answer}");
    let reason = |place: usize| answer["probe"][place]["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason(0).contains("the function's role may not read it"), "{answer}");
    assert!(reason(1).contains("not authorized to perform: s3:GetObject"), "{answer}");
    assert!(reason(2).contains("not authorized to perform: s3:PutObject"), "{answer}");
    // NetBox with another token than the one that it knows.
    let secret = Answer::new(200, json!({"SecretString": TOKEN.replaced("c", "k")}).to_string());
    let (answer, _) = asked(&servers(allowed, secret, Answer::new(200, "{}")));
    assert_eq!(outcomes(&answer)[3], ("NetBox".to_owned(), false), "{answer}");
    assert!(answer["probe"][3]["reason"].as_str().unwrap().contains("403"), "{answer}");
}

#[test]
fn no_event_of_a_sender_is_taken_for_the_question_and_the_question_for_no_mail() {
    let cloud = Cloud::start();
    cloud.answer("mail/inbound/one", 200, &mail("one", "planned.eml"));
    let function = Running::start(cloud.function(PROGRAM));
    // A mail whose every field says so is a mail.
    let worded = event(&["one"]).replaced("\"Works\"", &json!(probe::event().to_string()).to_string());
    assert!(worded.contains("probe"), "{worded}");
    assert_eq!(cloud.invoke("request-1", &worded).body, "null");
    let mut beside = probe::event();
    beside["Records"] = serde_json::from_str::<Value>(&event(&["one"])).unwrap()["Records"].clone();
    assert_eq!(cloud.invoke("request-2", &beside.to_string()).body, "null");
    let asked = cloud.invoke("request-3", &probe::event().to_string());
    assert!(serde_json::from_str::<probe::Answer>(&asked.body).is_ok(), "{asked:?}");
    let (lines, _) = function.stop();
    assert!(lines.iter().all(|line| !line.contains("request-3")), "{lines:?}");
}

/// A zip says which build it is, and each instance begins its log with that. Without such a file, or with another text in it, nothing is
/// told.
#[test]
fn the_log_begins_with_the_build_of_the_code() {
    let folder = tempfile::tempdir().unwrap();
    let first = |build: Option<&str>| {
        let file = folder.path().join(contract::report::BUILD);
        match build {
            Some(build) => std::fs::write(&file, build).unwrap(),
            None => assert!(!file.exists()),
        }
        let cloud = Cloud::start();
        let mut command = cloud.function(PROGRAM);
        command.env("LAMBDA_TASK_ROOT", folder.path());
        let function = Running::start(command);
        cloud.invoke("request-1", &probe::event().to_string());
        let (lines, _) = function.stop();
        lines.first().cloned()
    };
    assert_eq!(first(None), None);
    let told = first(Some("0a1b2c3d4e5f6071\n")).unwrap();
    assert_eq!(told, r#"{"report":"start","build":"0a1b2c3d4e5f6071"}"#);
    for other in ["", "no build", &"a".repeat(1000)] {
        assert_eq!(first(Some(other)), None, "{other}");
    }
}
