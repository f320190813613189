//! Every scheme through both kinds of API, and everything that must not pass: nothing else happens then.

use contract::webhook::Scheme;
use serde_json::json;

use crate::{
    schemes::{Example, Sent, examples},
    trial::{Form, ID, Posted, Trial, now},
};

fn body() -> String {
    format!(r#"{{"id":"{ID}","event":"job_complete","msg":"Job complete"}}"#)
}

fn route(example: &Example) -> &'static str {
    if example.scheme == Scheme::Path { "POST /in/{token}" } else { "POST /hook" }
}

/// Changes of a request, each with its name and the status of its answer where nothing protects from it.
type Change = (&'static str, fn(&Example, &mut Sent));

const CHANGES: [Change; 7] = [
    ("right", |_, _| {}),
    ("changed body", |_, sent| sent.body = sent.body.replace_last(b"complete", b"Complete")),
    ("old timestamp", |example, sent| *sent = signed(example, example.secret, now() - 600)),
    ("future timestamp", |example, sent| *sent = signed(example, example.secret, now() + 600)),
    ("another secret", |example, sent| *sent = signed(example, example.other, now())),
    ("missing proof", |_, sent| {
        sent.headers.retain(|(name, _)| name == "Content-Type");
        sent.token = None;
    }),
    ("repeated proof", |_, sent| {
        let again: Vec<_> = sent.headers.iter().filter(|(name, _)| name != "Content-Type").cloned().collect();
        sent.headers.extend(again);
        sent.token = sent.token.as_ref().map(|token| format!("{token},{token}"));
    }),
];

trait ReplaceLast {
    fn replace_last(&self, old: &[u8], new: &[u8]) -> Vec<u8>;
}

impl ReplaceLast for Vec<u8> {
    fn replace_last(&self, old: &[u8], new: &[u8]) -> Vec<u8> {
        let at = self.windows(old.len()).rposition(|window| window == old).unwrap();
        [&self[..at], new, &self[at + old.len()..]].concat()
    }
}

fn signed(example: &Example, secret: &str, time: u64) -> Sent {
    Sent::new(example, secret, time, body().as_bytes(), "application/json")
}

fn expected(example: &Example, change: &str) -> u16 {
    match change {
        "right" => 202,
        "changed body" if !example.signs_body => 202,
        "old timestamp" | "future timestamp" if !example.signs_time => 202,
        _ => 401,
    }
}

#[test]
fn each_scheme_proves_its_sender_through_both_kinds_of_api() {
    let mut tried = 0;
    for example in examples() {
        let trial = Trial::new(route(&example), example.scheme.clone(), example.secret, &[]);
        for (called, change) in CHANGES {
            let mut sent = signed(&example, example.secret, now());
            change(&example, &mut sent);
            for (form, in_base64, shape) in [
                (Form::Http, false, "as it is"),
                (Form::Http, true, "as it is"),
                (Form::Rest, false, "as it is"),
                (Form::Rest, true, "as it is"),
                (Form::Rest, false, "names in upper case"),
            ] {
                let mut sent = sent.clone();
                if shape != "as it is" {
                    sent.headers.iter_mut().for_each(|(name, _)| *name = name.to_ascii_uppercase());
                }
                let Sent { url, headers, body, token } = &sent;
                let token = token.as_deref();
                let posted = Posted { route: route(&example), url, headers, body, token, source: "203.0.113.5" };
                let ended = trial.post(&posted.event(form, in_base64));
                let place = format!("{} {called}, {form:?}, base64 {in_base64}, {shape}: {ended:?}", example.name);
                assert_eq!(ended.status, expected(&example, called), "{place}");
                if ended.status == 401 {
                    let answer = json!({"error": {"message": "the request is not authentic"}});
                    assert_eq!((&ended.body, &ended.line["class"]), (&answer, &json!("ignored")), "{place}");
                    assert_eq!((&ended.line["Refused"], &ended.line["Queued"]), (&json!(1), &json!(0)), "{place}");
                } else {
                    let job = ended.job.unwrap();
                    assert_eq!((&job["id"], &job["received"]), (&json!(ID), &json!("2027-01-05T11:00:00Z")), "{place}");
                }
                let shown = format!("{} {}", ended.line, ended.answer.body);
                assert!(!shown.contains(example.secret) && !shown.contains(example.other), "{shown}");
                tried += 1;
            }
        }
        for secret in ["", " \n "] {
            let trial = Trial::new(route(&example), example.scheme.clone(), secret, &[]);
            let Sent { url, headers, body, token } = &signed(&example, example.secret, now());
            let posted =
                Posted { route: route(&example), url, headers, body, token: token.as_deref(), source: "203.0.113.5" };
            assert_eq!(trial.post(&posted.event(Form::Http, false)).status, 401, "{}: empty secret", example.name);
        }
    }
    println!("{tried} requests");
}

#[test]
fn the_route_and_the_network_come_before_the_proof_and_the_proof_before_the_body() {
    let trial = Trial::new("POST /hook", Scheme::Bearer, crate::trial::TOKEN, &["203.0.113.0/24", "2001:db8::/32"]);
    let right = ("authorization".to_owned(), format!("Bearer {}", crate::trial::TOKEN));
    let wrong = ("authorization".to_owned(), "Bearer wrong".to_owned());
    let forwarded = ("x-forwarded-for".to_owned(), "203.0.113.5".to_owned());
    let large = "a&".repeat(200_000);
    for (route, source, header, body, status) in [
        ("POST /other", "198.51.100.1", &wrong, "odd", 404),
        ("GET /hook", "203.0.113.5", &right, "odd", 404),
        ("POST /hook", "198.51.100.1", &right, "odd", 403),
        ("POST /hook", "2001:db9::1", &right, "odd", 403),
        ("POST /hook", "odd", &right, "odd", 403),
        ("POST /hook", "", &right, "odd", 403),
        ("POST /hook", "203.0.113.5", &wrong, "odd", 401),
        ("POST /hook", "203.0.113.5", &wrong, &large, 413),
        ("POST /hook", "203.0.113.5", &right, "odd", 400),
        ("POST /hook", "203.0.113.5", &right, &body(), 202),
        ("POST /hook", "2001:db8::7", &right, &body(), 202),
        ("POST /hook", "::ffff:203.0.113.5", &right, &body(), 202),
    ] {
        for form in [Form::Http, Form::Rest] {
            let headers = [header.clone(), forwarded.clone()];
            let url = "https://in.example.com/hook";
            let posted = Posted { route, url, headers: &headers, body: body.as_bytes(), token: None, source };
            let ended = trial.post(&posted.event(form, false));
            assert_eq!(ended.status, status, "{route} {source} {header:?} {body} {form:?}: {ended:?}");
        }
    }
}
