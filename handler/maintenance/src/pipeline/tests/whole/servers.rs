//! Servers in this process that record what they accept: a web server, and a NetBox.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::sinks::{
    netbox::{client::Client, delivery::NetBox},
    webhook::Webhook,
};
use contract::address::{Address, Query};
use runtime::SecretSource;

/// Bodies that the servers have accepted.
pub(super) type Accepted = Arc<Mutex<Vec<String>>>;

/// Answers requests by that function of method, path and body.
async fn serve(answer: impl FnMut(&str, &str, &str) -> (u16, String) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let mut answer = answer;
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut request, mut piece) = (Vec::new(), vec![0; 65_536]);
            let (head, body) = loop {
                let read = stream.read(&mut piece).await.unwrap();
                request.extend_from_slice(&piece[..read]);
                if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
                    let head = String::from_utf8(request[..end].to_vec()).unwrap();
                    let named = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                    let length = named.map_or(0, |length| length.parse().unwrap());
                    let mut body = request[end + 4..].to_vec();
                    let read = body.len();
                    body.resize(length, 0);
                    stream.read_exact(&mut body[read..]).await.unwrap();
                    break (head, String::from_utf8(body).unwrap());
                }
                assert!(read > 0, "the request is cut");
            };
            let mut words = head.split(' ');
            let (status, text) = answer(words.next().unwrap(), words.next().unwrap(), &body);
            let head =
                format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}", text.len());
            stream.write_all(head.as_bytes()).await.unwrap();
        }
    });
    url
}

/// Returns a webhook whose server takes documents of up to that size, in bytes.
pub(super) async fn webhook(largest: usize, accepted: Accepted) -> Webhook {
    let url = serve(move |_, _, body| {
        if body.len() > largest {
            return (413, "too large".to_owned());
        }
        accepted.lock().unwrap_or_else(PoisonError::into_inner).push(body.to_owned());
        (204, String::new())
    })
    .await;
    let secret = SecretSource::Given("whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=".into());
    Webhook::new(&Address::read(&url, Query::Allowed).unwrap(), None, secret)
}

/// Returns a NetBox that stores events, impacts and notifications.
pub(super) async fn netbox(knows: bool, accepted: Accepted) -> NetBox {
    let (mut stored, mut last) = (BTreeMap::<String, Vec<Value>>::new(), 0_u64);
    let url = serve(move |method, path, body| {
        let kind = path.split('?').next().unwrap().trim_matches('/').rsplit('/').next().unwrap().to_owned();
        let provider = json!({"id": 3, "name": "carrier.example", "slug": "carrier"});
        if method == "GET" {
            let found = match kind.as_str() {
                "providers" if knows => vec![provider],
                "circuits" if knows => vec![json!({"id": 1, "cid": "LINE-1", "provider": provider})],
                _ => stored.get(&kind).cloned().unwrap_or_default(),
            };
            return (200, json!({"count": found.len(), "next": null, "results": found}).to_string());
        }
        let sent: Value = serde_json::from_str(body).unwrap();
        let is_list = sent.is_array();
        let mut made: Vec<Value> = sent.as_array().cloned().unwrap_or_else(|| vec![sent.clone()]);
        for one in &mut made {
            last += 1;
            one["id"] = json!(last);
            one["last_updated"] = json!("2026-11-22T16:06:28.374939Z");
            one["acknowledged"] = json!(false);
            if kind == "circuitmaintenance" {
                one["provider"] = provider.clone();
            } else if let Value::Number(event) = one["circuitmaintenance"].clone() {
                one["circuitmaintenance"] = json!({"id": event});
            }
            if let Value::Number(circuit) = one["circuit"].clone() {
                one["circuit"] = json!({"id": circuit});
            }
            accepted
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(one["email_body"].as_str().map(str::to_owned));
        }
        stored.entry(kind).or_default().extend(made.clone());
        (201, if is_list { json!(made) } else { made.remove(0) }.to_string())
    })
    .await;
    NetBox::new(Client::new(&url, None, SecretSource::Given("0".repeat(40).into())), BTreeMap::new())
}
