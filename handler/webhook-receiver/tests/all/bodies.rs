//! Bodies that announce a job, and those that do not.

use contract::webhook::Scheme;
use proptest::{collection::vec, prelude::*, proptest};
use serde_json::{Value, json};
use webhook_receiver::body::{IdForm, Place};

use crate::trial::{ID, TOKEN, Trial, post, with_headers};

/// Ids that are none, or no UUID. The first is the attack that the reference let through: into its path, its key and its address.
const NO_UUIDS: [&str; 22] = [
    "../../v1/data/list?x=",
    "",
    ".",
    "..",
    "../data/xyz/download?",
    "a/b",
    "%2e%2e%2f",
    "016f6063-51a1-4948-a827-ce4c31ec53ed/",
    "/016f6063-51a1-4948-a827-ce4c31ec53ed",
    "016f6063-51a1-4948-a827-ce4c31ec53ed\n",
    " 016f6063-51a1-4948-a827-ce4c31ec53ed",
    "016f6063-51a1-4948-a827-ce4c31ec53e\u{0}",
    "016f6063-51a1-4948-a827-ce4c31ec53eg",
    "016f6063-51a1-4948-a827-ce4c31ec53e",
    "016f606351a14948a827ce4c31ec53ed",
    "{016f6063-51a1-4948-a827-ce4c31ec53ed}",
    "urn:uuid:016f6063-51a1-4948-a827-ce4c31ec53ed",
    "０16f6063-51a1-4948-a827-ce4c31ec53ed",
    "job-1",
    "https://example.com/",
    "a\\b",
    "s3://bucket/key",
];

#[test]
fn an_id_is_a_uuid_or_the_request_is_wrong() {
    let (uuid, token) = (Trial::bearer(), Trial::bearer().reading(|intake| intake.id_form = IdForm::Token));
    for id in NO_UUIDS {
        let event = post(&json!({"id": id, "event": "job_complete"}).to_string());
        let ended = uuid.post(&event);
        assert_eq!((ended.status, ended.line["item"].as_str()), (400, Some("")), "{id:?}: {ended:?}");
        assert!(ended.body["error"]["message"].as_str().unwrap().contains("id"), "{ended:?}");
        let is_token = ["016f606351a14948a827ce4c31ec53ed", "016f6063-51a1-4948-a827-ce4c31ec53eg", "job-1"]
            .contains(&id)
            || id == "016f6063-51a1-4948-a827-ce4c31ec53e";
        assert_eq!(token.post(&event).status, if is_token { 202 } else { 400 }, "{id:?}");
    }
    for id in [ID.to_owned(), ID.to_uppercase()] {
        // One job, however its letters are written.
        assert_eq!(uuid.post(&post(&json!({"id": id, "event": "e"}).to_string())).body["id"], ID);
    }
}

#[test]
fn a_body_that_announces_nothing_is_the_senders_mistake() {
    let trial = Trial::bearer().reading(|intake| intake.events = vec!["job_complete".to_owned()]);
    for (body, words) in [
        ("", "empty"),
        (" \r\n", "empty"),
        ("{\"id\": ", "not valid JSON"),
        ("id=1", "not valid JSON"),
        ("{} {}", "not valid JSON"),
        ("[]", "not a JSON object"),
        ("\"text\"", "not a JSON object"),
        ("null", "not a JSON object"),
        ("7", "not a JSON object"),
        ("{}", "the event is missing"),
        (r#"{"event": null}"#, "the event is missing"),
        (r#"{"event": 7}"#, "the event is not a string"),
        (r#"{"event": ["job_complete"]}"#, "the event is not a string"),
        (r#"{"event": "job_complete"}"#, "the id is missing"),
        (r#"{"event": "job_complete", "id": null}"#, "the id is missing"),
        (r#"{"event": "job_complete", "id": 16}"#, "the id is not a string"),
        (r#"{"event": "job_complete", "id": {"a": 1}}"#, "the id is not a string"),
        (&format!("{}{}", "[".repeat(300), "]".repeat(300)), "not valid JSON"),
        (&format!("\u{feff}{{\"id\":\"{ID}\",\"event\":\"job_complete\"}}"), "not valid JSON"),
        (&format!(r#"{{"event":"{}"}}"#, "e".repeat(257)), "more than 256 bytes"),
    ] {
        let ended = trial.post(&post(body));
        assert_eq!(ended.status, 400, "{body}: {ended:?}");
        let told = ended.body["error"]["message"].as_str().unwrap();
        assert!(told.contains(words), "{body}: {told}");
        assert_eq!(ended.answer.headers["content-type"], "application/json");
    }
    let mut odd = post("{}");
    odd["isBase64Encoded"] = json!(true);
    assert!(trial.post(&odd).body.to_string().contains("base64"));
    for missing in [json!(null), json!(7), json!({"id": ID})] {
        let mut event = post("{}");
        event["body"] = missing;
        assert!(trial.post(&event).body.to_string().contains("empty"));
    }
}

#[test]
fn a_body_may_have_its_largest_size_and_no_more() {
    let trial = Trial::bearer().reading(|intake| intake.largest_body = 100);
    let body = |size: usize| {
        let start = format!(r#"{{"id":"{ID}","event":"e","msg":""#);
        format!("{start}{}\"}}", "x".repeat(size - start.len() - 2))
    };
    assert_eq!(trial.post(&post(&body(100))).status, 202);
    let ended = trial.post(&post(&body(101)));
    assert_eq!((ended.status, ended.body.to_string().contains("100 bytes")), (413, true));
    assert_eq!(Trial::bearer().post(&post(&body(262_145))).status, 413);
    let ended = Trial::bearer().post(&post(&body(262_144)));
    assert_eq!(ended.job.unwrap()["message"].as_str().unwrap().len(), 1000, "a text for people is cut");
}

#[test]
fn other_events_are_ignored_or_refused_as_configured() {
    let events = |strict| {
        Trial::bearer().reading(move |intake| {
            intake.events = vec!["job_complete".to_owned(), "b".to_owned()];
            intake.strict = strict;
        })
    };
    let other = post(r#"{"event": "job_failed", "id": 7}"#);
    let ended = events(false).post(&other);
    assert_eq!((ended.status, ended.body), (200, json!({"status": "ignored"})));
    assert_eq!((&ended.line["class"], &ended.line["Ignored"]), (&json!("ignored"), &json!(1)));
    assert_eq!(ended.line["facts"], json!([["event", "job_failed"]]));
    let ended = events(true).post(&other);
    assert_eq!((ended.status, ended.body), (400, json!({"error": {"message": "this event is not taken"}})));
    for event in ["job_complete", "b"] {
        assert_eq!(events(true).post(&post(&json!({"event": event, "id": ID}).to_string())).status, 202);
    }
    // Without a list every event is queued, and a request need not have one.
    for body in [json!({"id": ID}), json!({"id": ID, "event": "anything"})] {
        assert_eq!(Trial::bearer().post(&post(&body.to_string())).status, 202);
    }
}

#[test]
fn values_are_read_where_the_configuration_says() {
    let trial = Trial::bearer().reading(|intake| {
        intake.id = Place::Pointer("/data/object/id~1x".to_owned());
        intake.event = Place::Header("X-Event".to_owned());
        intake.message = Place::Pointer("/data/list/1".to_owned());
    });
    let authorization = format!("Bearer {TOKEN}");
    let headers = [("Authorization", authorization.as_str()), ("x-event", "push")];
    let body = json!({"data": {"object": {"id/x": ID}, "list": [0, {"a": 1}]}}).to_string();
    let ended = trial.post(&with_headers(&headers, &body));
    let job = json!({"id": ID, "event": "push", "message": "{\"a\":1}", "received": "2027-01-05T11:00:00Z"});
    assert_eq!((ended.status, ended.job), (202, Some(job)));
    assert_eq!(ended.line["item"], json!(ID));
    assert_eq!(ended.line["facts"], json!([["event", "push"], ["message", "{\"a\":1}"]]));

    let headers = [("authorization", authorization.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let ended = Trial::bearer().post(&with_headers(&headers, &format!("id={ID}&event=a+b&msg=%C3%BC")));
    let job = ended.job.unwrap();
    assert_eq!((&job["event"], &job["message"]), (&json!("a b"), &json!("ü")));
}

#[test]
fn no_character_keeps_a_job_from_the_queue() {
    // What SQS takes: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    let is_taken = |letter: char| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let all: Vec<char> = ('\0'..'\u{300}').chain('\u{fff0}'..'\u{10010}').collect();
    for odd in all {
        let ended = Trial::bearer()
            .post(&post(&json!({"id": ID, "event": format!("e{odd}"), "msg": format!("m{odd}")}).to_string()));
        let message = ended.message.unwrap_or_else(|| panic!("{odd:?} is not queued: {}", ended.answer.body));
        assert!(message.chars().all(is_taken), "{odd:?}: {message}");
    }
}

#[test]
fn what_is_not_queued_is_never_told_to_be() {
    let ended = Trial::bearer().broken().post(&post(&json!({"id": ID, "event": "e"}).to_string()));
    assert_eq!((ended.status, ended.answer.headers["retry-after"].as_str()), (503, "10"));
    assert_eq!((&ended.line["class"], &ended.line["Failed"]), (&json!("retry"), &json!(1)));
    assert_eq!((&ended.line["item"], &ended.line["reason"]), (&json!(ID), &json!("SQS answers 500")));
    assert!(!ended.answer.body.contains("SQS"), "{}", ended.answer.body);
}

/// Returns any JSON document.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!(ID)),
        Just(json!("job_complete")),
        Just(json!(format!("Bearer {TOKEN}"))),
    ];
    let key = prop_oneof![
        Just("id".to_owned()),
        Just("event".to_owned()),
        Just("msg".to_owned()),
        Just("body".to_owned()),
        Just("headers".to_owned()),
        Just("authorization".to_owned()),
        Just("routeKey".to_owned()),
        "\\PC{0,4}",
    ];
    leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((key.clone(), inner), 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    // `post` asserts of each: one line in the log, and 2xx only with a job in the queue or an event that is ignored.
    #[test]
    fn no_event_and_no_body_panics_or_is_told_to_be_queued_without_a_job(
        mut event in document(), body in document(), bytes in "\\PC{0,60}", in_base64 in any::<bool>(), whole in any::<bool>(),
    ) {
        let trial = Trial::bearer().reading(|intake| intake.events = vec!["job_complete".to_owned()]);
        trial.post(&event);
        trial.post(&post(&bytes));
        let mut right = post(&body.to_string());
        right["isBase64Encoded"] = json!(in_base64);
        trial.post(&right);
        if let (Value::Object(event), true) = (&mut event, whole) {
            event.insert("routeKey".to_owned(), json!("POST /hook"));
        }
        let path = Trial::new("POST /hook/{token}", Scheme::Path, TOKEN, &[]);
        prop_assert_ne!(path.post(&event).status, 202);
    }
}
