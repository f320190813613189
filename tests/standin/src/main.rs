//! A function for tests: speaks the Runtime API as a runtime does, and then behaves as the mail's
//! subject, the request's parameter `subject` or the bodies of the messages ask.

use std::{
    collections::HashSet,
    env,
    io::{Read, Write},
    net::TcpStream,
    os::unix::process::CommandExt,
    process::{Command, exit},
    thread::sleep,
    time::Duration,
};

fn main() {
    if let Ok(program) = env::var("STANDIN_PROGRAM") {
        be(&program);
    }
    let api = env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    if env::var("STANDIN").as_deref() == Ok("no start") {
        let error = r#"{"errorType": "Configuration", "errorMessage": "BUCKET is not set"}"#;
        http(&api, "POST", "/2018-06-01/runtime/init/error", "", error);
        exit(1);
    }
    let mut seen = HashSet::new();
    loop {
        let (_, headers, event) = http(&api, "GET", "/2018-06-01/runtime/invocation/next", "", "");
        let request = header(&headers, "lambda-runtime-aws-request-id");
        let path = |what: &str| format!("/2018-06-01/runtime/invocation/{request}/{what}");
        // SNS writes it with a capital.
        let subject = ["subject", "Subject"].map(|key| text(&event, key)).into_iter().find(|found| !found.is_empty());
        let subject = subject.unwrap_or_default();
        let first_time = seen.insert(request.clone());
        if event.contains(r#""eventSource":"aws:sqs""#) {
            let answer = messages(&request, &event);
            http(&api, "POST", &path("response"), "", &answer);
            continue;
        }
        let mut answer = "null".to_owned();
        match subject.split_once(' ').unwrap_or((&subject, "")) {
            ("error", _) => {
                http(&api, "POST", &path("error"), "", r#"{"errorType": "Transient", "errorMessage": "S3 is away"}"#);
                continue;
            }
            ("once", _) if first_time => {
                http(&api, "POST", &path("error"), "", r#"{"errorType": "Transient", "errorMessage": "once"}"#);
                continue;
            }
            ("report", outcome) => println!("{}", report(&request, &event, outcome)),
            ("crash", _) => exit(7),
            ("sleep", _) => sleep(Duration::from_secs(60)),
            ("slow", seconds) => {
                println!("begun");
                sleep(Duration::from_secs(seconds.parse().unwrap_or(1)));
                println!("handled {subject}");
            }
            ("memory", _) => {
                let much = vec![1_u8; 300 * 1024 * 1024];
                sleep(Duration::from_secs(60));
                println!("{}", much.iter().map(|byte| usize::from(*byte)).sum::<usize>());
            }
            ("stubborn", seconds) => {
                // A process that does not end when it is asked to.
                let child = Command::new("sh").args(["-c", &format!("trap '' TERM; sleep {seconds}")]).spawn().unwrap();
                eprintln!("started {} {}", std::process::id(), child.id());
                sleep(Duration::from_secs(60));
            }
            ("environment", _) => {
                let names: std::collections::BTreeSet<String> = env::vars().map(|(name, _)| name).collect();
                println!("environment: {}", names.into_iter().collect::<Vec<_>>().join(" "));
            }
            ("event", _) => println!("{event}"),
            ("print", name) => println!("{name}={}", env::var(name).unwrap_or_default()),
            ("twice", _) => {
                let wrong = http(&api, "POST", "/2018-06-01/runtime/invocation/another/response", "", "null").0;
                let first = http(&api, "POST", &path("response"), "", "null").0;
                let second = http(&api, "POST", &path("error"), "", "{}").0;
                println!("answers: {wrong} {first} {second}");
                continue;
            }
            ("answer", "made") => {
                answer = r#"{"statusCode": 201, "headers": {"X-Made": "yes"}, "cookies": ["a=1"], "body": "made"}"#.to_owned();
            }
            ("answer", "refused") => answer = r#"{"statusCode": 401, "body": "who are you?"}"#.to_owned(),
            ("answer", text) => answer = format!(r#"{{"text": "{text}"}}"#),
            ("stop", disposition) => answer = format!(r#"{{"disposition": "{disposition}"}}"#),
            ("unsigned", path) => {
                let s3 = env::var("AWS_ENDPOINT_URL_S3").unwrap().replace("http://", "");
                println!("unsigned: {}", http(&s3, "GET", path, "", "").0);
            }
            ("secret", name) => {
                let other = env::var("AWS_ENDPOINT_URL").unwrap().replace("http://", "");
                let target = "x-amz-target: secretsmanager.GetSecretValue\r\n";
                let (status, _, body) = http(&other, "POST", "/", target, &format!(r#"{{"SecretId": "{name}"}}"#));
                println!("secret: {status}, {} letters {:?}", text(&body, "SecretString").len(), text(&body, "message"));
            }
            _ => println!("handled {subject}"),
        }
        http(&api, "POST", &path("response"), "", &answer);
    }
}

/// Becomes another function, with brokers that it reaches in its context.
fn be(program: &str) -> ! {
    let (context, brokers) = (env::var("PROVISION_CONTEXT").unwrap(), env::var("STANDIN_BROKERS").unwrap());
    let mut parts = context.split(r#""bootstrap":""#);
    let mut told = parts.next().unwrap().to_owned();
    for part in parts {
        let (_, rest) = part.split_once('"').unwrap();
        told.push_str(&format!(r#""bootstrap":"{brokers}"{rest}"#));
    }
    panic!("{}", Command::new(program).env("PROVISION_CONTEXT", told).exec());
}

/// Handles the messages of a batch as the first word of each body asks; returns the answer.
fn messages(request: &str, event: &str) -> String {
    let mut failures = Vec::new();
    let records: Vec<&str> = event.split(r#"{"attributes":"#).skip(1).collect();
    println!("batch of {}", records.len());
    for record in records {
        let (id, body, count) = (text(record, "messageId"), text(record, "body"), text(record, "ApproximateReceiveCount"));
        println!("message {body}, receipt {count}");
        let word = body.split(' ').next().unwrap_or_default();
        match word {
            "crash" => exit(7),
            "slow" => sleep(Duration::from_millis(500)),
            "unknown" => failures.push("another".to_owned()),
            _ => {}
        }
        let fails = word == "fail" || (word == "once" && count == "1");
        if fails {
            failures.push(id);
        }
        let (class, outcome, reason) =
            if fails { ("retry", "retry", r#""the platform is away""#) } else { ("done", "stored", "null") };
        println!(
            r#"{{"report":"item","request_id":"{request}","item":"{body}","class":"{class}","outcome":"{outcome}","reason":{reason},"facts":[["object","s3://bucket/{word}"]]}}"#
        );
    }
    let failures: Vec<String> = failures.iter().map(|id| format!(r#"{{"itemIdentifier": "{id}"}}"#)).collect();
    format!(r#"{{"batchItemFailures": [{}]}}"#, failures.join(", "))
}

/// Returns the line that our own functions write about a mail.
fn report(request: &str, event: &str, outcome: &str) -> String {
    let id = event
        .match_indices(r#""messageId":"#)
        .map(|(at, key)| event[at + key.len()..].split('"').nth(1).unwrap())
        .find(|id| id.len() == 40)
        .unwrap();
    let maintenance = r#"{"provider":"carrier","account":"Example Networks","maintenance_id":"CHG-1","status":"CONFIRMED","circuits":[{"circuit_id":"C-1","impact":"OUTAGE"}],"start":1798786800,"end":1798794000,"stamp":1798700000,"organizer":"noc@carrier.example","uid":"0","sequence":1,"summary":"Works"}"#;
    let maintenances = if outcome == "delivered" { maintenance } else { "" };
    let class = if outcome == "delivered" { "done" } else { outcome };
    let id_fact = if outcome == "delivered" { r#"["maintenance","CHG-1"],"# } else { "" };
    format!(
        r#"{{"report":"item","request_id":"{request}","item":"{id}","class":"{class}","outcome":"{outcome}","reason":null,"facts":[["provider","carrier"],{id_fact}["mail","{id}"]],"duration_ms":1.5,"details":{{"maintenances":[{maintenances}],"suggestion":[]}}}}"#
    )
}

/// Sends one request over a connection of its own; returns status, headers, body.
fn http(host: &str, method: &str, path: &str, headers: &str, body: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body.to_owned())
}

fn header(headers: &str, name: &str) -> String {
    let found = headers.lines().filter_map(|line| line.split_once(": ")).find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.to_owned()).unwrap_or_default()
}

/// Returns the first text under a key of a JSON document, with or without a space before it.
fn text(json: &str, key: &str) -> String {
    let start = json.split_once(&format!(r#""{key}":"#)).map_or("", |(_, rest)| rest.trim_start());
    start.split('"').nth(1).unwrap_or_default().to_owned()
}
