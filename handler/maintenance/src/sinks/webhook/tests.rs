//! Tests the webhook against a server in this process: the requests, and the reactions to its
//! answers.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::pipeline::held::{Retention, Source};
use contract::{address::Query, receipt_event::Received};
use mail::Mail;
use notice::outcome::Outcome;

const SECRET: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
const PLANNED: &[u8] = include_bytes!("../../../../../tests/mails/zayo/planned.eml");

type Asked = Arc<Mutex<Vec<String>>>;

/// Answers requests with these statuses, each on a connection of its own; 0 cuts the connection.
async fn server(statuses: &'static [u16]) -> (Webhook, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in?key=1", listener.local_addr().unwrap());
    let asked = Asked::default();
    let noting = Arc::clone(&asked);
    tokio::spawn(async move {
        for status in statuses {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let is_whole = |request: &[u8]| {
                let text = String::from_utf8_lossy(request);
                let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                length.is_some_and(|length| length.parse::<usize>().unwrap() <= body.len())
            };
            while !is_whole(&request) {
                let mut piece = [0; 4096];
                let read = stream.read(&mut piece).await.unwrap();
                request.extend_from_slice(&piece[..read]);
            }
            noting.lock().unwrap_or_else(PoisonError::into_inner).push(String::from_utf8(request).unwrap());
            if *status > 0 {
                let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 9\r\nconnection: close\r\n\r\nas it was");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    let address = Address::read(&url, Query::Allowed).unwrap();
    (Webhook::new(&address, None, SecretSource::Given(SECRET.into())), asked)
}

async fn deliver(webhook: &Webhook) -> Result<Delivered, SinkError> {
    let mail = Mail::decode(PLANNED);
    let Outcome::Notice(notice) = carriers::parse(&mail) else { panic!("no notice") };
    let mut arrived =
        ArrivedMail::unopened("ses-1", "mail".to_owned(), "inbound/ses-1".to_owned(), &Received::default());
    arrived.open(mail);
    webhook.deliver(&arrived, &notice).await
}

/// Returns the result of a delivery whose document points at the mail's object.
fn pointing() -> Delivered {
    Delivered { held: Held::POINTER, ..Delivered::completely() }
}

/// Returns the headers of a request by name, and its body.
fn parts(request: &str) -> (std::collections::BTreeMap<&str, &str>, &str) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    (head.lines().skip(1).filter_map(|line| line.split_once(": ")).collect(), body)
}

#[tokio::test]
async fn a_notice_is_sent_once_signed_and_whole() {
    let (webhook, asked) = server(&[204, 200]).await;
    assert_eq!(deliver(&webhook).await, Ok(pointing()));
    assert_eq!(deliver(&webhook).await, Ok(pointing()));
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(asked[0].starts_with("POST /in?key=1 HTTP/1.1\r\n"), "{}", asked[0]);
    let ((headers, body), (again, _)) = (parts(&asked[0]), parts(&asked[1]));
    let document: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((document["version"].as_u64(), document["kind"].as_str()), (Some(1), Some("notice")));
    assert_eq!(document["provider"], "zayo");
    assert_eq!(document["maintenances"][0]["maintenance_id"], "TTN-0007310442");
    assert_eq!(document["maintenances"][0].as_object().unwrap().len(), 12);
    assert_eq!(
        (document["id"].as_str(), document["mail"]["key"].as_str()),
        (Some(headers["webhook-id"]), Some("inbound/ses-1"))
    );
    assert_eq!(headers["webhook-id"], again["webhook-id"], "whoever has seen it can tell");
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[7; 32]);
    let signed = format!("{}.{}.{body}", headers["webhook-id"], headers["webhook-timestamp"]);
    let signature =
        aws_smithy_types::base64::decode(headers["webhook-signature"].strip_prefix("v1,").unwrap()).unwrap();
    ring::hmac::verify(&key, signed.as_bytes(), &signature).unwrap();
}

#[tokio::test]
async fn every_answer_has_its_reaction() {
    type Is = fn(&Result<Delivered, SinkError>) -> bool;
    let transient: Is = |end| matches!(end, Err(SinkError::Transient(_)));
    let refused: Is = |end| matches!(end, Err(SinkError::Refused(reason)) if reason.contains("as it was"));
    let table: [(&'static [u16], Is, usize); 9] = [
        (&[503, 0, 200], |end| *end == Ok(pointing()), 3),
        (&[429, 201], |end| *end == Ok(pointing()), 2),
        (&[500, 500, 500, 500], transient, 4),
        (&[400], refused, 1),
        (&[422], refused, 1),
        (&[413], refused, 1),
        (&[404], transient, 1),
        (&[401], transient, 1),
        (&[301], transient, 1),
    ];
    for (statuses, expected, requests) in table {
        let (webhook, asked) = server(statuses).await;
        let end = deliver(&webhook).await;
        assert!(expected(&end), "{statuses:?}: {end:?}");
        assert_eq!(asked.lock().unwrap_or_else(PoisonError::into_inner).len(), requests, "{statuses:?}");
    }
}

#[tokio::test]
async fn a_mail_for_a_person_is_a_document_of_its_own() {
    let (webhook, asked) = server(&[200]).await;
    let arrived = ArrivedMail::unopened("ses-1", "mail".to_owned(), "inbound/ses-1".to_owned(), &Received::default());
    let held = webhook.hand_over(&arrived, &Handover { reason: "a virus", suggestion: &[] }).await;
    assert_eq!(held, Ok(Held::POINTER));
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let document: serde_json::Value = serde_json::from_str(parts(&asked[0]).1).unwrap();
    assert_eq!((document["kind"].as_str(), document["reason"].as_str()), (Some("for_person"), Some("a virus")));
}

/// Returns the mail of a document that the server was sent.
fn mail_in(asked: &Asked, index: usize) -> serde_json::Value {
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    serde_json::from_str::<serde_json::Value>(parts(&asked[index]).1).unwrap()["mail"].take()
}

#[tokio::test]
async fn a_document_has_what_a_person_needs_and_the_whole_mail_or_its_place() {
    const MAIL: &str = "From: Jo <jo@carrier.example>\r\nSubject: Works\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n\
        <p>Tonight,<br>all night.</p>\r\n--b\r\nContent-Type: application/pdf; name=plan.pdf\r\n\r\n%PDF\r\n--b--\r\n";
    let mut arrived = ArrivedMail::unopened("1", "mail".to_owned(), "inbound/1".to_owned(), &Received::default());
    arrived.open(Mail::decode(MAIL.as_bytes()));
    arrived.source = Some(Source::of(MAIL.as_bytes().to_vec()));
    let handover = Handover { reason: "odd", suggestion: &[] };
    let place = "s3://mail/inbound/1";

    let (webhook, asked) = server(&[200, 200, 413, 200]).await;
    assert_eq!(webhook.hand_over(&arrived, &handover).await, Ok(Held::POINTER));
    let mail = mail_in(&asked, 0);
    assert_eq!((&mail["text"], &mail["text_is_cut"]), (&"Tonight,\nall night.".into(), &false.into()));
    assert_eq!(
        mail["attachments"],
        serde_json::json!([{"name": "plan.pdf", "content_type": "application/pdf", "size": 4}])
    );
    assert_eq!((mail["object"].as_str(), mail["source"].as_str()), (Some(place), None));

    arrived.retention = Retention::MayGo;
    assert!(webhook.hand_over(&arrived, &handover).await.unwrap().frees_object());
    let mail = mail_in(&asked, 1);
    let source = aws_smithy_types::base64::decode(mail["source"].as_str().unwrap()).unwrap();
    assert_eq!((source.as_slice(), mail["object"].as_str(), mail["key"].as_str()), (MAIL.as_bytes(), None, None));

    // It is too large for the server, so the object has to stay.
    assert_eq!(webhook.hand_over(&arrived, &handover).await, Ok(Held::POINTER));
    let mail = mail_in(&asked, 3);
    assert_eq!((mail["object"].as_str(), mail["source"].as_str()), (Some(place), None));
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    let ids: Vec<_> = asked.iter().map(|request| parts(request).0["webhook-id"].to_owned()).collect();
    assert_eq!((&ids[1], &ids[3]), (&ids[2], &ids[0]), "what holds more is no repetition");
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn nothing_is_sent_unsigned_or_when_the_time_is_up() {
    let (mut webhook, asked) = server(&[200]).await;
    webhook.until(runtime::Deadline::at(SystemTime::now()));
    let end = deliver(&webhook).await;
    assert!(matches!(&end, Err(SinkError::Transient(reason)) if reason.contains("time is up")), "{end:?}");
    webhook.secret = SecretSource::Given("guess".into());
    *webhook.key.lock().await = None;
    let end = deliver(&webhook).await;
    assert!(matches!(&end, Err(SinkError::Transient(reason)) if reason.contains("is not a webhook secret")), "{end:?}");
    assert_eq!(asked.lock().unwrap_or_else(PoisonError::into_inner).len(), 0);
}
