//! Tests the client against a server in this process that answers as NetBox does. An exchange that was not seen on a real NetBox is
//! marked as such.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use replaced::Replaced as _;
use schedule::EventStatus;

use super::*;
use crate::sinks::netbox::{
    claim::{Claim, Claimant},
    ids::{CircuitId, EventId, ImpactId, ProviderId},
    mark::{Mark, Role},
    records::{Action, EventChange, NewEvent, NewImpact, Past, Performed, Records},
};

/// Requests that the server received: request line, headers and body.
type Asked = Arc<Mutex<Vec<String>>>;

/// Answers requests with these, one after the other, each on a connection of its own. `(0, …)` cuts the connection.
async fn server(answers: Vec<(u16, &'static str, String)>) -> (Client, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let asked = Asked::default();
    let noted = Arc::clone(&asked);
    tokio::spawn(async move {
        for (status, headers, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            loop {
                let read = stream.read(&mut piece).await.unwrap();
                request.extend_from_slice(&piece[..read]);
                let text = String::from_utf8_lossy(&request).to_lowercase();
                let length = text.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
                let length: usize = length.map_or(0, |length| length.parse().unwrap());
                if read == 0 || text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length) {
                    break;
                }
            }
            noted.lock().unwrap_or_else(PoisonError::into_inner).push(String::from_utf8(request).unwrap());
            if status > 0 {
                let head = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n",
                    body.len()
                );
                stream.write_all(head.as_bytes()).await.unwrap();
                stream.write_all(body.as_bytes()).await.unwrap();
            }
        }
    });
    (Client::new(&url, None, SecretSource::Given("0".repeat(40).into())), asked)
}

fn ok(body: &str) -> (u16, &'static str, String) {
    (200, "", body.to_owned())
}

fn page(results: &str) -> (u16, &'static str, String) {
    ok(&format!(r#"{{"count":1,"next":null,"previous":null,"results":[{results}]}}"#))
}

fn lines(asked: &Asked) -> Vec<String> {
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    asked.iter().map(|request| request.lines().next().unwrap().replace(" HTTP/1.1", "")).collect()
}

const EVENT: &str = r#"{"id":7,"name":"CHG-1","summary":"s","status":"CONFIRMED","provider":{"id":3,"slug":"carrier"},
    "start":"2026-03-02T08:00:00Z","end":"2026-03-02T09:00:00Z","acknowledged":false,"comments":"","time_zone":"UTC","last_updated":"2026-11-22T16:06:28.374939Z"}"#;

#[tokio::test]
async fn objects_that_were_not_queried_are_ignored() {
    let other = EVENT.replaced("CHG-1", "CHG-2");
    let stranger = EVENT.replaced("\"id\":3", "\"id\":4");
    let (client, asked) = server(vec![page(&format!("{other},{stranger},{EVENT}"))]).await;
    let names = ["CHG-1".to_owned(), "CHG-1 #2".to_owned()];
    let events = client.events(ProviderId::new(3), &names).await.unwrap();
    assert_eq!(events.iter().map(|event| event.id).collect::<Vec<_>>(), [EventId::new(7)]);
    assert_eq!(events[0].etag, "W/\"2026-11-22T16:06:28.374939+00:00\"");
    let line = &lines(&asked)[0];
    assert!(line.ends_with("&provider=3&name=CHG-1&name=CHG-1%20%232&limit=1000&offset=0"), "{line}");
}

#[tokio::test]
async fn providers_are_asked_for_by_all_their_names_at_once() {
    let (client, asked) = server(vec![page(r#"{"id":3,"name":"Carrier","slug":"carrier"}"#)]).await;
    let names = ["a b".to_owned(), "\n".to_owned(), "c".to_owned()];
    assert_eq!(client.providers("name__ie", &names).await.unwrap().len(), 1);
    assert_eq!(client.providers("slug", &[]).await, Ok(Vec::new()), "an empty filter would be ignored");
    let lines = lines(&asked);
    assert!(lines.len() == 1 && lines[0].contains("&name__ie=a%20b&name__ie=c&limit="), "{lines:?}");
}

#[tokio::test]
async fn pages_are_followed_and_long_lists_are_asked_for_in_parts() {
    let circuit =
        |id: u32| format!(r#"{{"id":{id},"cid":"C-{id}","provider":{{"id":3,"name":"Carrier","slug":"carrier"}}}}"#);
    let first = ok(&format!(r#"{{"next":"http://x/","results":[{}]}}"#, circuit(1)));
    let (client, asked) = server(vec![first, page(&circuit(2)), page(&circuit(499))]).await;
    let cids: Vec<_> = (1..500).map(|id| format!("C-{id}")).collect();
    let found = client.circuits(&cids.iter().map(String::as_str).collect()).await.unwrap();
    assert_eq!(found.iter().map(|circuit| circuit.id).collect::<Vec<_>>(), [1, 2, 499].map(CircuitId::new));
    let lines = lines(&asked);
    assert!(
        lines.iter().all(|line| line.len() < 4000) && lines[1].ends_with("offset=1") && lines[2].ends_with("offset=0")
    );
}

#[tokio::test]
async fn look_ups_are_tried_again_and_writes_are_not() {
    let cut = || (0, "", String::new());
    let (client, asked) = server(vec![(503, "", "busy".to_owned()), cut(), page(EVENT)]).await;
    assert_eq!(client.events(ProviderId::new(3), &["CHG-1".to_owned()]).await.unwrap().len(), 1);
    assert_eq!(lines(&asked).len(), 3);
    let (client, asked) = server(vec![cut(), ok("[]")]).await;
    let impact =
        NewImpact { event: EventId::new(7), circuit: CircuitId::new(1), impact: notice::model::Impact::Outage };
    let fault = client.perform(&Action::AddImpacts(vec![impact]), &claimant()).await.unwrap_err();
    assert!(matches!(fault, Fault::Transient(_)), "{fault:?}");
    assert_eq!(lines(&asked).len(), 1);
}

#[tokio::test]
async fn every_error_answer_has_its_fault() {
    type Is = fn(&Fault) -> bool;
    let table: [(u16, &str, Is); 12] = [
        (412, r#"{"detail":"Precondition failed."}"#, |fault| matches!(fault, Fault::Conflict(_))),
        (500, r#"{"error":"duplicate key","exception":"IntegrityError"}"#, |fault| matches!(fault, Fault::Conflict(_))),
        (500, r#"{"error":"closed","exception":"OperationalError"}"#, |fault| matches!(fault, Fault::Transient(_))),
        (500, "<h1>Server Error (500)</h1>", |fault| matches!(fault, Fault::Transient(_))),
        (500, r#"{"error":"x","exception":"RequestDataTooBig"}"#, |fault| matches!(fault, Fault::Refused(_))),
        (400, r#"{"summary":["too long"]}"#, |fault| matches!(fault, Fault::Rejected(_))),
        (404, "", |fault| matches!(fault, Fault::Unavailable(said) if said.contains("not installed"))),
        (403, r#"{"detail":"Invalid v1 token"}"#, |fault| matches!(fault, Fault::Unavailable(_))),
        (429, "", |fault| matches!(fault, Fault::Transient(_))),
        (502, "", |fault| matches!(fault, Fault::Transient(_))),
        (504, "", |fault| matches!(fault, Fault::Transient(_))),
        (413, "", |fault| matches!(fault, Fault::Refused(_))),
    ];
    for (status, body, expected) in table {
        let (client, _) = server(vec![(status, "", body.to_owned())]).await;
        let fault = client.perform(&Action::RemoveImpacts(vec![ImpactId::new(1)]), &claimant()).await.unwrap_err();
        assert!(expected(&fault), "{status} {body}: {fault:?}");
        let words = fault.to_string();
        assert!(
            words.contains(&status.to_string()) && words.contains(body) && !words.contains("0000000000"),
            "{words}"
        );
    }
}

#[tokio::test]
async fn changes_that_may_not_be_seen_are_asked_for_once_and_those_of_other_providers_are_passed_over() {
    let names = ["CHG-1".to_owned()];
    let refused = (403, "", r#"{"detail":"You do not have permission to perform this action."}"#.to_owned());
    let (client, asked) = server(vec![refused]).await;
    for _ in 0..2 {
        assert_eq!(client.past(ProviderId::new(3), &names).await, Ok(Past::default()));
    }
    assert_eq!(lines(&asked).len(), 1);
    let deleted = |id: u32, provider: u32| {
        let data = format!(
            r#"{{"name":"CHG-1","summary":"s","status":"CONFIRMED","provider":{provider},"start":"2026-03-02T08:00:00Z","end":"2026-03-02T09:00:00Z","comments":""}}"#
        );
        format!(
            r#"{{"action":{{"value":"delete"}},"changed_object_id":{id},"changed_object":null,"prechange_data":{data},"postchange_data":{{}}}}"#
        )
    };
    let (client, _) = server(vec![page(&format!("{},{}", deleted(7, 3), deleted(8, 4)))]).await;
    let past = client.past(ProviderId::new(3), &names).await.unwrap();
    assert_eq!(past.deleted.iter().map(|event| event.id).collect::<Vec<_>>(), [EventId::new(7)]);
    let (client, _) = server(vec![(502, "", "bad gateway".to_owned())]).await;
    let fault = client.past(ProviderId::new(3), &names).await.unwrap_err();
    assert!(matches!(fault, Fault::Transient(_)), "what is not known is not taken for nothing: {fault:?}");
}

/// Recorded with NetBox 4.7.3.
#[tokio::test]
async fn a_zone_that_netbox_does_not_know_keeps_no_maintenance_back() {
    let refused = (400, "", r#"{"time_zone":["A valid timezone is required."]}"#.to_owned());
    let (client, asked) = server(vec![refused, (201, "", EVENT.to_owned())]).await;
    let at = jiff::Timestamp::UNIX_EPOCH;
    let new = NewEvent {
        provider: ProviderId::new(3),
        name: "CHG-1".to_owned(),
        summary: "s".to_owned(),
        status: EventStatus::Confirmed,
        start: at,
        end: at,
        zone: Some("Europe/Atlantis".to_owned()),
        comments: String::new(),
    };
    assert!(matches!(client.perform(&Action::Create(new), &claimant()).await, Ok(Performed::Event(_))));
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!([&asked[0], &asked[1]].map(|request| request.contains("Europe/Atlantis")), [true, false]);
}

const CHANGED: &str = r#"{"changelog_message":"provision: a notice; carrier, mail <1@carrier.example>","summary":"t"}"#;

#[tokio::test]
async fn a_change_carries_the_tag_and_both_kinds_of_tokens_are_sent() {
    let (mut client, asked) = server(vec![ok(EVENT), ok(EVENT)]).await;
    let change = EventChange { summary: Some("t".to_owned()), ..EventChange::default() };
    let action = Action::Update {
        event: EventId::new(7),
        etag: "W/\"1\"".to_owned(),
        change,
        conflicts: Vec::new(),
        reason: "a notice",
    };
    let Performed::Event(event) = client.perform(&action, &claimant()).await.unwrap() else { panic!("no event") };
    assert_eq!(event.id, EventId::new(7));
    client.token = Token::new(SecretSource::Given("nbt_key.secret".into()));
    client.perform(&action, &claimant()).await.unwrap();
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(asked[0].starts_with("PATCH /api/plugins/maintenance/circuitmaintenance/7/ "));
    assert!(asked[0].contains("if-match: W/\"1\"\r\n") && asked[0].ends_with(CHANGED), "{}", asked[0]);
    assert!(
        asked[0].contains("authorization: Token 0000") && asked[1].contains("authorization: Bearer nbt_key.secret\r\n")
    );
}

/// Recorded with the plugin's 0.6.0 on NetBox 4.7.3: the field's name is misspelt there, and the subject shorter.
#[tokio::test]
async fn an_older_plugins_differences_are_found_out_once() {
    let spelling = r#""email_recieved":["This field is required."]"#;
    let subject = r#""subject":["Ensure this field has no more than 100 characters."]"#;
    let refused = |what: &str| {
        let said = format!(
            r#"{{"detail":"1 of 1 objects could not be created.","errors":[{{"index":0,"errors":{{{what}}}}}]}}"#
        );
        (400, "", said)
    };
    let stored = || (201, "", "[]".to_owned());
    let both = format!("{subject},{spelling}");
    // The last answer is that of 0.7, by its migrations.
    for (refusal, received) in [(&*both, "email_recieved"), (spelling, "email_recieved"), (subject, "email_received")] {
        let (client, asked) = server(vec![refused(refusal), stored(), stored()]).await;
        for _ in 0..2 {
            client.notify(&[mail(Some(EventId::new(7)))]).await.unwrap();
        }
        let asked = asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_old = |request: &String| {
            request.contains(&format!(r#""{received}":"1970-01-01T00:00:00Z""#))
                && request.contains(&format!(r#""subject":"{}…""#, "s".repeat(99)))
        };
        assert_eq!(asked.iter().map(is_old).collect::<Vec<_>>(), [false, true, true], "{asked:?}");
    }
}

/// Recorded with the plugin's 0.6.0 on NetBox 4.7.3: an event has no zone there.
#[tokio::test]
async fn an_event_shows_how_old_the_plugin_is() {
    for (event, is_old) in [(EVENT.to_owned(), false), (EVENT.replaced(r#""time_zone":"UTC","#, ""), true)] {
        let (client, asked) = server(vec![page(&event), (201, "", "[]".to_owned())]).await;
        client.events(ProviderId::new(3), &["CHG-1".to_owned()]).await.unwrap();
        client.notify(&[mail(Some(EventId::new(7)))]).await.unwrap();
        let asked = asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        assert_eq!(asked[1].contains(&format!(r#""subject":"{}…""#, "s".repeat(99))), is_old, "{}", asked[1]);
        assert_eq!((client.takes_twins(), client.has_queue()), (is_old, !is_old));
    }
}

/// A permanent refusal is not retried, whichever version the plugin has.
#[tokio::test]
async fn a_refusal_that_teaches_nothing_ends_the_matter() {
    let refused = r#"{"subject":["Ensure this field has no more than 100 characters."]}"#.to_owned();
    let (client, asked) = server(vec![(400, "", refused.clone()), (400, "", refused)]).await;
    let fault = client.notify(&[mail(Some(EventId::new(7)))]).await.unwrap_err();
    assert!(matches!(fault, Fault::Rejected(_)), "{fault:?}");
    assert_eq!(asked.lock().unwrap_or_else(PoisonError::into_inner).len(), 2);
}

/// The plugin may have kept less of the subject than another version would have.
#[tokio::test]
async fn a_stored_mail_is_found_by_the_kept_part_of_its_subject() {
    let stored = |subject: &str| {
        page(&format!(
            r#"{{"id":1,"circuitmaintenance":{{"id":7}},"email_body":"b [provision: mail ab]","subject":"{subject}","email_from":"noc@carrier.example"}}"#
        ))
    };
    let (cut, whole) = (format!("{}…", "s".repeat(99)), "s".repeat(200));
    let (client, asked) = server(vec![stored(&cut), stored(&whole), stored(&"s".repeat(98))]).await;
    let mut found = Vec::new();
    for _ in 0..3 {
        let among = Among::Event(EventId::new(7));
        found.push(client.find_notification(&mail(None), among).await.unwrap().is_some());
    }
    assert_eq!(found, [true, true, false]);
    assert!(lines(&asked).iter().all(|line| line.contains(&format!("&subject__isw={}&", "s".repeat(99)))));
}

/// The second recorded with the plugin's 0.6.0 on NetBox 4.7.3, the first what an older NetBox makes of it; 0.7 was never published as a
/// package, and is taken to do the same.
#[tokio::test]
async fn until_0_8_a_mail_without_an_event_is_refused() {
    for refused in [
        r#"[{"circuitmaintenance":["This field may not be null."]}]"#,
        r#"{"detail":"1 of 1 objects could not be created.","errors":[{"index":0,"errors":{"circuitmaintenance":["This field may not be null."]}}]}"#,
    ] {
        let (client, _) = server(vec![(400, "", refused.to_owned())]).await;
        assert!(client.has_queue());
        let fault = client.notify(&[mail(None)]).await.unwrap_err();
        assert!(matches!(fault, Fault::Rejected(_)) && !client.has_queue(), "{fault:?}");
        let (client, _) = server(vec![(400, "", refused.to_owned())]).await;
        assert!(client.notify(&[mail(Some(EventId::new(7)))]).await.is_err() && client.has_queue());
    }
}

fn claimant() -> Claimant {
    let claim = Claim { by: "a".to_owned(), until: jiff::Timestamp::UNIX_EPOCH };
    Claimant { mail: "ab".to_owned(), claim, source: "carrier, mail <1@carrier.example>".to_owned() }
}

fn mail(event: Option<EventId>) -> NewNotification {
    NewNotification {
        event,
        body: "b [provision: mail ab]".to_owned(),
        mark: Mark { role: Role::OfEvent, mail: "ab".to_owned() },
        subject: "s".repeat(200),
        sender: "noc@carrier.example".to_owned(),
        received_at: jiff::Timestamp::UNIX_EPOCH,
        message: "provision: a mail".to_owned(),
    }
}

const TYPES: &str =
    r#"{"id":12,"app_label":"circuits","model":"circuit"},{"id":165,"app_label":"notices","model":"maintenance"}"#;

/// Recorded with netbox-notices 1.3.
#[tokio::test]
async fn the_other_plugin_is_found_out_once_and_spoken_to_in_its_words() {
    let absent = (404, "", "<!DOCTYPE html>\n<title>Page Not Found | NetBox</title>".to_owned());
    let status = ok(r#"{"netbox-version":"4.7.3","plugins":{"notices":"1.3.0"}}"#);
    let impact = r#"{"id":5,"event_content_type":165,"event_object_id":7,"target_content_type":12,"target_object_id":1,"impact":"OUTAGE"}"#;
    let event = EVENT.replaced("\"acknowledged\":false", "\"acknowledged\":null");
    let answers = vec![absent, status, page(TYPES), page(&event), page(&event), ok(&format!("[{impact}]")), ok("[]")];
    let (client, asked) = server(answers).await;
    let names = ["CHG-1".to_owned()];
    for _ in 0..2 {
        let events = client.events(ProviderId::new(3), &names).await.unwrap();
        assert_eq!((events.len(), events[0].acknowledged), (1, false));
    }
    let new = NewImpact { event: EventId::new(7), circuit: CircuitId::new(1), impact: notice::model::Impact::Outage };
    let Performed::Impacts(written) = client.perform(&Action::AddImpacts(vec![new]), &claimant()).await.unwrap() else {
        panic!("no impacts")
    };
    assert_eq!((written[0].id, written[0].circuit), (ImpactId::new(5), CircuitId::new(1)));
    client.notify(&[mail(Some(EventId::new(7)))]).await.unwrap();
    assert!(!client.has_queue());
    let fault = client.notify(&[mail(None)]).await.unwrap_err();
    assert!(matches!(fault, Fault::Refused(_)), "{fault:?}");
    let lines = lines(&asked);
    let starts = [
        "GET /api/plugins/maintenance/circuitmaintenance/?",
        "GET /api/status/",
        "GET /api/core/object-types/?",
        "GET /api/plugins/notices/maintenance/?",
        "GET /api/plugins/notices/maintenance/?",
        "POST /api/plugins/notices/impact/",
        "POST /api/plugins/notices/eventnotification/",
    ];
    assert_eq!(lines.len(), starts.len(), "{lines:?}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    assert!(lines[3].contains("&provider_id=3&name=CHG-1&"), "{}", lines[3]);
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(
        asked[5].contains(r#""event_content_type":165,"event_object_id":7,"impact":"OUTAGE","target_content_type":12"#)
    );
    assert!(asked[6].contains(&format!("\"subject\":\"{}…\"", "s".repeat(99))), "{}", asked[6]);
}

#[tokio::test]
async fn a_netbox_without_a_plugin_or_with_another_than_configured_says_so() {
    let absent = || (404, "", "<html>".to_owned());
    let names = ["CHG-1".to_owned()];
    for (plugin, plugins, words) in [
        (None, "{}", "neither the plugin netbox-circuitmaintenance nor netbox-notices"),
        (Some(Plugin::CircuitMaintenance), r#"{"notices":"1.3.0"}"#, "the plugin that `NETBOX_PLUGIN` names"),
    ] {
        let (client, _) = server(vec![absent(), ok(&format!(r#"{{"plugins":{plugins}}}"#))]).await;
        let fault = client.with_plugin(plugin).events(ProviderId::new(3), &names).await.unwrap_err();
        assert!(matches!(&fault, Fault::Unavailable(said) if said.contains(words)), "{fault:?}");
    }
    let (client, _) = server(vec![page("")]).await;
    let fault = client.with_plugin(Some(Plugin::Notices)).events(ProviderId::new(3), &names).await.unwrap_err();
    assert!(fault.to_string().contains("the plugin that `NETBOX_PLUGIN` names"), "{fault}");
}

#[tokio::test]
async fn no_call_is_begun_when_the_time_is_up() {
    let (client, asked) = server(vec![page("")]).await;
    client.until(runtime::Deadline::at(std::time::SystemTime::now()));
    let fault = client.events(ProviderId::new(3), &["CHG-1".to_owned()]).await.unwrap_err();
    assert!(matches!(&fault, Fault::Unavailable(reason) if reason.contains("time is up")), "{fault:?}");
    assert_eq!(lines(&asked).len(), 0);
}

#[tokio::test]
async fn certificates_that_cannot_be_read_are_said_to_be_so() {
    let ca = Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned());
    let client = Client::new("https://127.0.0.1:9", ca, SecretSource::Given("t".into()));
    let fault = client.perform(&Action::RemoveImpacts(vec![ImpactId::new(1)]), &claimant()).await.unwrap_err();
    assert!(fault.to_string().contains("`NETBOX_CA` cannot be read"), "{fault}");
}

/// Recorded with NetBox 4.7.3. A NetBox that does not know the filter would answer with the circuits of all providers.
#[tokio::test]
async fn all_names_of_a_providers_circuits_are_listed_page_by_page() {
    let circuit = |id: u32, provider: u32, more: &str| {
        format!(
            r#"{{"id":{id},"cid":"C-{id}","provider":{{"id":{provider},"name":"Carrier","slug":"carrier"}}{more}}}"#
        )
    };
    let ends = r#","termination_a":{"id":1,"display":"s","xconnect_id":"XC-1","description":""},"termination_z":null"#;
    let field = |value: &str| format!(r#","custom_fields":{{"aliases":{value},"other":"no alias"}}"#);
    let first = [circuit(1, 3, ends), circuit(2, 4, ends), circuit(3, 3, &field(r#"" A 1, B-2\n;C""#))].join(",");
    let second =
        [circuit(4, 3, &field("null")), circuit(5, 3, &field(r#"["D","E,F"]"#)), circuit(6, 3, &field("7"))].join(",");
    let paged = ok(&format!(r#"{{"next":"http://x/","results":[{first}]}}"#));
    let (client, asked) = server(vec![paged, page(&second)]).await;
    let found = client.all_circuits(ProviderId::new(3), Some("aliases")).await.unwrap().unwrap();
    let names: Vec<_> = found
        .iter()
        .map(|circuit| (circuit.cid.as_str(), circuit.aliases.join("|"), circuit.cross_connects.join("|")))
        .collect();
    let expected = [
        ("C-1", "", "XC-1"),
        ("C-3", "A 1|A 1, B-2\n;C|B-2|C", ""),
        ("C-4", "", ""),
        ("C-5", "D|E|E,F|F", ""),
        ("C-6", "7", ""),
    ];
    assert_eq!(names, expected.map(|(cid, aliases, ends)| (cid, aliases.to_owned(), ends.to_owned())));
    let lines = lines(&asked);
    assert!(lines[0].contains("custom_fields&provider_id=3&ordering=id&limit=1000&offset=0"), "{lines:?}");
    assert!(lines[1].ends_with("offset=3"), "{lines:?}");
    let endless = || ok(r#"{"next":"http://x/","results":[{"id":1,"cid":"C","provider":{"id":3}}]}"#);
    let (client, asked) = server((0..30).map(|_| endless()).collect()).await;
    assert_eq!(client.all_circuits(ProviderId::new(3), None).await, Ok(None), "too many to look through");
    assert_eq!(asked.lock().unwrap_or_else(PoisonError::into_inner).len(), 25);
}
