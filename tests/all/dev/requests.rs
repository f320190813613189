//! Tests the HTTP endpoint of `provision dev`: its routes, the events of requests, and the handling of a function's answer.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use super::session::Run;

const DECLARATION: &str = "
stack: standin
region: eu-west-1
functions:
  reader:
    crate: standin
    bin: standin
    memory: 128MB
    timeout: 20s
    secrets: {GREETING_TOKEN: greeting/token}
apis:
  hooks:
    routes:
      - {route: POST /do, invoke: reader, authentication: {scheme: bearer, secret: GREETING_TOKEN}}
      - {route: 'PUT /in/{token}', invoke: reader, rate: 1, burst: 2, authentication: {scheme: path, secret: GREETING_TOKEN}}
";

/// Returns a run whose function answers requests.
fn run() -> Run {
    Run::of(DECLARATION)
}

/// Sends a request to the API; returns status, and the whole answer.
fn ask(port: u16, first: &str, headers: &[&str], body: &[u8]) -> (u16, String) {
    let address = format!("127.0.0.1:{port}");
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let headers = headers.join("\r\n") + if headers.is_empty() { "" } else { "\r\n" };
    let length = body.len();
    write!(
        stream,
        "{first} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
    )
    .unwrap();
    let _it_may_be_refused_before = stream.write_all(body);
    let mut answer = String::new();
    let _it_may_be_cut = stream.read_to_string(&mut answer);
    (answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default(), answer)
}

#[test]
fn a_request_reaches_the_function_of_its_route_and_gets_its_answer() {
    let mut live = run().live(&[]);
    let (status, answer) = ask(live.port, "POST /do?subject=answer%20made", &["Content-Type: text/plain"], b"hello");
    assert_eq!(status, 201, "{answer}");
    assert!(
        answer.contains("x-made: yes") && answer.contains("set-cookie: a=1") && answer.ends_with("made"),
        "{answer}"
    );
    let (status, answer) = ask(live.port, "POST /do?subject=answer+plain", &[], b"");
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("content-type: application/json") && answer.ends_with(r#"{"text":"plain"}"#), "{answer}");
    let (status, answer) = ask(live.port, "POST /do?subject=answer%20refused", &[], b"{}");
    assert_eq!(status, 401, "{answer}");
    let refused = live.until(|line| line.starts_with("#3 answered"));
    assert_eq!(refused, "#3 answered   401 who are you?");
    let run = live.interrupt();
    assert_eq!(run.code, 130, "{run}");
    for line in ["#1 posted     HTTP: POST /do", "#1 handed     route POST /do → function reader", "#1 answered   201"]
    {
        assert!(run.output.contains(line), "`{line}` is missing in\n{run}");
    }
    assert!(run.output.contains("3 requests: 2 handled, 1 not taken"), "{run}");
}

#[test]
fn the_event_of_a_request_is_one_of_payload_format_2() {
    let live = run().live(&[]);
    let headers = ["X-Twice: a", "X-Twice: b", "Cookie: one=1; two=2", "Content-Type: application/octet-stream"];
    let (status, _) = ask(live.port, "PUT /in/to%20ken?subject=event", &headers, b"\xff");
    assert_eq!(status, 200);
    let run = live.interrupt();
    let event: serde_json::Value = serde_json::from_str(&run.logged()).unwrap_or_else(|error| panic!("{error}: {run}"));
    for (pointer, expected) in [
        ("/version", "2.0"),
        ("/routeKey", "PUT /in/{token}"),
        ("/rawPath", "/in/to%20ken"),
        ("/rawQueryString", "subject=event"),
        ("/pathParameters/token", "to ken"),
        ("/queryStringParameters/subject", "event"),
        ("/headers/x-twice", "a,b"),
        ("/cookies/1", "two=2"),
        ("/body", "/w=="),
        ("/requestContext/http/method", "PUT"),
        ("/requestContext/http/sourceIp", "127.0.0.1"),
        ("/requestContext/stage", "$default"),
    ] {
        assert_eq!(event.pointer(pointer), Some(&serde_json::json!(expected)), "{pointer} in {event:#}");
    }
    assert_eq!(event["isBase64Encoded"], true);
    assert!(event["headers"].get("cookie").is_none(), "{event:#}");
}

#[test]
fn everything_else_is_turned_away_as_api_gateway_does() {
    let mut live = run().live(&[]);
    for (first, status, message) in [
        ("GET /do", 404, "Not Found"),
        ("POST /other", 404, "Not Found"),
        ("POST /do/more", 404, "Not Found"),
        ("PUT /in/", 404, "Not Found"),
        ("POST /do?subject=error", 500, "Internal Server Error"),
        ("POST /do?subject=crash", 500, "Internal Server Error"),
        ("POST /do", 200, ""),
    ] {
        let (answered, answer) = ask(live.port, first, &[], b"");
        assert_eq!(answered, status, "{first}: {answer}");
        assert!(message.is_empty() || answer.ends_with(&format!("{{\"message\":\"{message}\"}}")), "{first}: {answer}");
    }
    // All at once, so that none is admitted for the time that others took.
    let port = live.port;
    let put = || ask(port, "PUT /in/a", &[], b"");
    let answers: Vec<_> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..10).map(|_| scope.spawn(put)).collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let throttled: Vec<_> = answers.iter().filter(|(status, _)| *status == 429).collect();
    let is_told = |answer: &str| answer.ends_with("{\"message\":\"Too Many Requests\"}");
    assert!(!throttled.is_empty() && throttled.iter().all(|(_, answer)| is_told(answer)), "{answers:?}");
    assert!(answers.iter().any(|(status, _)| *status == 200), "{answers:?}");
    let (status, _) = ask(live.port, "POST /do", &[], &vec![b'x'; 10 * 1024 * 1024 + 1]);
    assert_eq!(status, 413);
    live.until(|line| line == "turned away HTTP: POST /other: 404");
    live.until(|line| {
        line.starts_with("#1 failed     function reader: Transient: S3 is away; the sender is answered 500")
    });
    // A path may have a secret in it.
    live.until(|line| line == "turned away HTTP: PUT /in/{token}: 429");
    let address = format!("127.0.0.1:{}", live.port);
    for host in ["evil.example".to_owned(), format!("evil.example:{}", live.port)] {
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "POST /do HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
    }
}

#[test]
fn requests_are_handled_side_by_side_and_finished_at_ctrl_c() {
    let mut live = run().live(&[]);
    let port = live.port;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(move || assert_eq!(ask(port, "POST /do?subject=slow%202", &[], b"").0, 200));
        }
        for _ in 0..3 {
            live.until_error(|line| line.contains("begun"));
        }
        live.press_ctrl_c();
    });
    live.until_error(|line| line == "Finishing what was accepted; Ctrl-C once more ends it at once");
    let run = live.end();
    assert_eq!(run.code, 130, "{run}");
    assert!(run.output.contains("3 requests: 3 handled"), "{run}");
    let begun = run.errors.matches("begun").count();
    let first_end = run.errors.find("handled slow").unwrap();
    assert_eq!((begun, run.errors[..first_end].matches("begun").count()), (3, 3), "{run}");
}

#[test]
fn a_port_in_use_is_said_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = run().start_and_end(&["--http-port", &port]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.errors.contains(&format!("Failed to listen on 127.0.0.1:{port} for HTTP")), "{run}");
    assert!(run.errors.contains("hint: `--http-port 0` takes any free port"), "{run}");
}

#[test]
fn requests_of_files_are_posted_with_the_proof_that_the_route_wants() {
    let run = run()
        .variable("GREETING_TOKEN", "not-to-be-shown")
        .post("a.json", r#"{"route": "POST /do", "body": {"id": 1}, "headers": {"X-Own": "own"}}"#)
        .post("b.json", r#"{"route": "PUT /in/{token}", "body": "text"}"#)
        .post("c.json", r#"{"route": "POST /elsewhere", "body": {}}"#)
        .posting(&["--json"]);
    assert_eq!(run.code, 1, "{run}");
    let document: serde_json::Value =
        serde_json::from_str(&run.output).unwrap_or_else(|error| panic!("{error}: {run}"));
    assert_eq!(document["counts"], serde_json::json!({"handled": 2, "not_taken": 1}), "{run}");
    let mut requests: Vec<_> = document["requests"].as_array().unwrap().iter().collect();
    requests.sort_by_key(|request| request["origin"].to_string());
    assert_eq!(requests[0]["status"], 200);
    assert_eq!(requests[1]["route"], "PUT /in/{token}");
    assert_eq!(requests[2]["reason"], "no API of the declaration has the route `POST /elsewhere`");
    assert!(!run.to_string().contains("not-to-be-shown"), "{run}");
}

#[test]
fn a_file_that_cannot_be_posted_says_why() {
    for (file, code, reason) in [
        ("{", 2, "EOF while parsing"),
        (r#"{"body": {}}"#, 2, "missing field `route`"),
        (r#"{"route": "POST /do", "text": 1}"#, 2, "unknown field `text`"),
        (r#"{"route": "POST /do"}"#, 1, "set the environment variable `GREETING_TOKEN` of `provision dev`"),
    ] {
        let run = run().post("a.json", file).posting(&[]);
        assert_eq!(run.code, code, "{file}: {run}");
        assert!(run.output.contains(reason), "{file}: {run}");
    }
    let empty = run().posting(&[]);
    assert_eq!(empty.code, 2, "{empty}");
    assert!(empty.output.contains("there is no file *.json in it"), "{empty}");
    let run = run().variable("GREETING_TOKEN", "").post("a.json", r#"{"route": "POST /do"}"#).posting(&[]);
    assert!(run.output.contains("`GREETING_TOKEN` cannot sign it: the secret is empty"), "{run}");
}
