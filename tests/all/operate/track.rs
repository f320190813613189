//! Tests `provision track` on a database of MariaDB: what it shows, in which form, and where the database's address may come from.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use delivery::{Begun, Database, Recording, Store, changes};
use events::{Reading, read};
use serde_json::{Value, json};

use crate::{
    harness::{Folder, Run},
    servers::MySql,
    stack::{self, Trial},
};

const DECLARATION: &str = "\
stack: shop
region: eu-west-1
functions:
  tracking: {use: tracking, secrets: {DATABASE_URL: shop/database}}
  other: {use: standin}
configuration_sets:
  mails: {events: {all: {topic: events, types: [send, delivery, bounce]}}}
topics: {events: {}}
alarms: {off: [errors, throttles, duration, undelivered, messages, age, backlog]}
";
const PASSWORD: &str = "s3cret-of-a-test";

/// Fills a database: a mail to two recipients that its sender has recorded, and one that nobody has.
fn fill(database: &Database) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let event = |kind: &str, mail: &str, to: &[&str], second: u32| {
        let at = format!("2027-01-05T11:00:{second:02}.000Z");
        let text = json!({
            "eventType": kind, kind.to_lowercase(): {"timestamp": at},
            "mail": {"messageId": mail, "timestamp": at, "destination": to},
        });
        let text = text.to_string();
        let Ok(Reading::Event(event)) = read(&text) else { panic!("{text}") };
        changes(&text, &event).unwrap()
    };
    let at = "2027-01-05T11:00:00Z".parse().unwrap();
    let mail_id = contract::sending::MailId::of([7; 16]);
    let begun = Begun {
        mail_id,
        sender: "orders@shop.example".to_owned(),
        template_id: None,
        request: None,
        body_key: None,
        at,
    };
    let to = ["Ada@Example.org", "b@example.org"];
    runtime.block_on(async {
        let recording = Recording(database);
        recording.begin(&begun).await.unwrap();
        recording.confirm(&begun, "m-1", &to.map(str::to_owned), at).await.unwrap();
        for (kind, mail, to, second) in [
            ("Open", "m-1", &to[..1], 30),
            ("Delivery", "m-1", &to[..], 9),
            ("Complaint", "m-2", &["c@example.org"][..], 20),
        ] {
            database.apply(&event(kind, mail, to, second)).await.unwrap();
        }
    });
}

/// Runs the command with the database's address in its environment; no call to AWS has an answer.
fn run(folder: &Folder, url: &str, arguments: &[&str]) -> Run {
    let mut command = folder.command(&[&["track"], arguments].concat());
    command.envs([("DATABASE_URL", url), ("AWS_ENDPOINT_URL", "http://127.0.0.1:9")]);
    folder.finish(arguments, command.output().unwrap())
}

#[test]
fn mails_are_shown_for_each_recipient_in_three_forms() {
    let Some(mut maria) = MySql::start() else { return };
    let folder = Folder::with_declaration(DECLARATION);
    let early = run(&folder, &maria.url(), &["m-1"]);
    assert!(early.code() == Some(2) && early.stderr().contains("no tables of delivery tracking"), "{early}");
    fill(&maria.database());
    for (arguments, code, shown) in [
        (&["m-1"][..], 0, &["ada@example.org", "opened since 2027-01-05T11:00:30Z", "b@example.org", "1 open"][..]),
        (&["ADA@example.org"], 0, &["m-1", "opened", "Delivery"]),
        (&["c@example.org"], 0, &["m-2", "complained", "parked: no sender has recorded it"]),
        (&["--since", "2027-01-05T11:00:20Z"], 0, &["m-1", "m-2"]),
        (&["m-3"], 1, &[]),
        (&["nobody@example.org"], 1, &[]),
    ] {
        let run = run(&folder, &maria.url(), arguments);
        assert_eq!(run.code(), Some(code), "{run}");
        assert!(shown.iter().all(|words| run.stdout().contains(words)), "{run}");
        assert!(run.stdout().lines().all(|line| line.chars().count() <= 80), "{run}");
        assert!(!run.to_string().contains(PASSWORD), "{run}");
        assert!(run.stderr().contains("Nobody sees who has read a mail"), "{run}");
    }
    // The status of a mail of that time is earlier: what is shown has a status of that time or later.
    assert!(!run(&folder, &maria.url(), &["--since", "2027-01-05T11:00:25Z"]).stdout().contains("m-2"));
    let parked = run(&folder, &maria.url(), &["--parked", "--json"]).json().remove(0);
    // The events of the tests are of the future, as a clock may be that is wrong: none is parked for five minutes.
    assert_eq!((&parked["mails"], &parked["tells_of_opens"]), (&json!([]), &json!(false)));
    let whole = run(&folder, &maria.url(), &["m-1", "--json"]).json().remove(0);
    let ada = &whole["mails"][0];
    assert_eq!(
        (&ada["recipient"], &ada["status"], &ada["opens"]),
        (&json!("ada@example.org"), &json!("opened"), &json!(1))
    );
    assert_eq!(ada["events"][0], json!({"at": "2027-01-05T11:00:09Z", "kind": "Delivery", "subtype": null}));
    let csv = run(&folder, &maria.url(), &["m-1", "--csv"]).stdout();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 4, "{csv}");
    assert_eq!(lines[0], "message_id,recipient,status,status_at,sent_at,opens,clicks,event_at,event,subtype");
    assert!(lines[1].starts_with("m-1,ada@example.org,opened,2027-01-05T11:00:30Z,2027-01-05T11:00:00Z,1,0,"), "{csv}");
    let first = run(&folder, &maria.url(), &["--since", "2027-01-01T00:00:00Z", "--limit", "1", "--json"]);
    let first = first.json().remove(0);
    assert_eq!((first["mails"].as_array().unwrap().len(), &first["has_more"]), (1, &json!(true)));
    let wrong = run(&folder, &maria.url().replace(PASSWORD, "an0ther"), &["m-1"]);
    assert!(wrong.code() == Some(2) && wrong.stderr().contains("another user or password"), "{wrong}");
    assert!(!wrong.to_string().contains("an0ther"), "{wrong}");
    maria.kill();
    let away = run(&folder, &maria.url(), &["m-1"]);
    assert!(away.code() == Some(2) && away.stderr().contains("inside its VPC alone"), "{away}");
}

#[test]
fn where_the_address_is_missing_or_wrong_is_said_before_anything_is_asked() {
    let folder = Folder::with_declaration(DECLARATION);
    let other = Folder::with_declaration("stack: s\nregion: eu-west-1\n");
    for (folder, url, arguments, said) in [
        (&folder, "mysql://app:hunter2@db.example", &["m-1"][..], "names no database"),
        (&folder, "redis://:hunter2@db.example", &["m-1"], "cannot be read"),
        (&folder, "", &["m-1", "--function", "other"], "has none of that name"),
        (&other, "", &["m-1"], "no function tracks deliveries"),
        (&folder, "", &[], "required arguments were not provided"),
        (&folder, "", &["m-1", "--parked"], "cannot be used with"),
        (&folder, "", &["m-1", "--csv", "--json"], "cannot be used with"),
    ] {
        let run = run(folder, url, arguments);
        assert!(run.code() == Some(2) && run.stderr().contains(said), "{said}: {run}");
        assert!(!run.to_string().contains("hunter2"), "{run}");
    }
}

#[test]
fn the_address_in_a_secret_is_read_with_the_least_rights() {
    let Some(maria) = MySql::start() else { return };
    let Some(trial) = Trial::checked(DECLARATION) else { return };
    fill(&maria.database());
    let made = trial.account.secrets.create_secret().name("shop/database").secret_string(maria.url());
    trial.account.wait(made.send()).unwrap();
    let somebody = trial.with_least_rights("track");
    let run = trial.expect_as(0, &somebody, &["track", "m-1"]);
    assert!(run.stdout().contains("ada@example.org") && !run.to_string().contains(PASSWORD), "{run}");
    trial.expect_as(1, &somebody, &["track", "--suppressed"]);
    let nobody = trial.user("nobody", &trial.policy("logs"));
    let run = trial.expect_as(2, &nobody, &["track", "m-1"]);
    assert!(run.stderr().contains("policy --for track"), "{run}");
    let run = trial.expect_as(2, &nobody, &["track", "--suppressed"]);
    assert!(run.stderr().contains("policy --for track"), "{run}");
}

/// Answers `ListSuppressedDestinations` with two pages, in SES's form; returns its address.
fn suppression_list() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let page = |mut stream: TcpStream| {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if stream.read(&mut byte).unwrap_or_default() == 0 {
                return;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("GET /v2/email/suppression/addresses?PageSize=1000"), "{head}");
        let one = |address: &str, reason: &str, at: f64| json!({"EmailAddress": address, "Reason": reason, "LastUpdateTime": at});
        let body = if head.contains("NextToken=more") {
            json!({"SuppressedDestinationSummaries": [one("ada@example.org", "COMPLAINT", 1_799_150_400.5)]})
        } else {
            json!({"SuppressedDestinationSummaries": [one("b@example.org", "BOUNCE", 1_799_150_460.0)], "NextToken": "more"})
        };
        let body = body.to_string();
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {length}"
        );
        write!(stream, "{head}\r\n\r\n{body}").unwrap();
    };
    thread::spawn(move || listener.incoming().flatten().for_each(page));
    url
}

#[test]
fn the_suppression_list_is_shown_and_exported_whole() {
    let Some(trial) = Trial::new(DECLARATION) else { return };
    let url = suppression_list();
    let run = |arguments: &[&str]| {
        let mut command =
            stack::command(&trial.folder, &trial.proxy.url, &[&["track", "--suppressed"], arguments].concat());
        trial.folder.finish(arguments, command.env("AWS_ENDPOINT_URL_SESV2", &url).output().unwrap())
    };
    let text = run(&[]);
    assert_eq!(
        (text.code(), text.stdout().as_str()),
        (Some(0), "2027-01-05T12:00:00Z  complaint  ada@example.org\n2027-01-05T12:01:00Z  bounce     b@example.org\n"),
        "{text}"
    );
    let csv = run(&["--csv"]).stdout();
    assert_eq!(
        csv.lines().collect::<Vec<_>>()[..2],
        ["address,reason,since", "ada@example.org,COMPLAINT,2027-01-05T12:00:00Z"]
    );
    let document: Value = run(&["--json"]).json().remove(0);
    let addresses: Vec<_> = document["suppressed"].as_array().unwrap().iter().map(|one| &one["address"]).collect();
    assert_eq!(addresses, ["ada@example.org", "b@example.org"]);
}
