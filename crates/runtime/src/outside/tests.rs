//! Tests of streams over TLS and of names, over servers of their own.

use std::{net::SocketAddr, sync::Arc, time::SystemTime};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::reach::Resolve;

/// Serves these answers, one for each connection; returns the address, and the requests as they come.
async fn serve(answers: &'static [&'static str]) -> (SocketAddr, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 8192];
            let read = stream.read(&mut buffer).await.unwrap();
            requests.push(String::from_utf8_lossy(&buffer[..read]).into_owned());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        requests
    });
    (address, serving)
}

fn soon() -> Deadline {
    Deadline::at(SystemTime::now() + Duration::from_secs(20))
}

fn get<'request>(url: &str, hosts: &'request Hosts) -> Request<'request> {
    let headers = vec![("authorization".to_owned(), Secret::from("Bearer canary-1234"))];
    Request { method: "GET", url: url.to_owned(), hosts, headers, form: None }
}

async fn fetch(url: &str) -> Result<Vec<u8>, NoAnswer> {
    let hosts = Hosts::new(url, &[], Reach::PublicAndLoopback).unwrap();
    let answer = Outside::new(Reach::PublicAndLoopback).send(&get(url, &hosts), soon()).await?;
    assert!(answer.tells_its_end() || answer.status != 200);
    answer.whole(1000).await
}

#[tokio::test]
async fn a_body_is_whole_or_an_error() {
    for (answer, body) in [
        ("HTTP/1.1 200 X\r\ncontent-length: 4\r\nconnection: close\r\n\r\nfour", Some("four")),
        ("HTTP/1.1 200 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", Some("")),
        ("HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n2\r\nfo\r\n2\r\nur\r\n0\r\n\r\n", Some("four")),
        ("HTTP/1.1 200 X\r\ncontent-length: 5\r\nconnection: close\r\n\r\nfour", None),
        ("HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n2\r\nfo\r\n", None),
        ("HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfo", None),
        ("HTTP/1.1 200 X\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nfour", None),
        ("", None),
        ("odd\r\n\r\n", None),
    ] {
        let answers: &'static [&'static str] = Box::leak(Box::new([answer]));
        let (address, serving) = serve(answers).await;
        let fetched = fetch(&format!("http://{address}/a")).await;
        assert_eq!(fetched.as_deref().ok(), body.map(str::as_bytes), "{answer}: {fetched:?}");
        let requests = serving.await.unwrap();
        assert!(
            requests[0].contains("authorization: Bearer canary-1234")
                && requests[0].contains("accept-encoding: identity")
        );
        if let Err(error) = fetched {
            assert!(matches!(error, NoAnswer::Lost(_)) && !error.to_string().contains("canary"), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_wait_is_stated_in_seconds_or_by_a_date() {
    let date = "HTTP/1.1 429 X\r\nretry-after: Fri, 01 Jan 2100 00:00:00 GMT\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let past = "HTTP/1.1 503 X\r\nretry-after: Thu, 01 Jan 1970 00:00:00 GMT\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let seconds = "HTTP/1.1 503 X\r\nretry-after: 7\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let odd = "HTTP/1.1 503 X\r\nretry-after: soon\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let answers: &'static [&'static str] = Box::leak(Box::new([date, past, seconds, odd]));
    let (address, _serving) = serve(answers).await;
    let url = format!("http://{address}/a");
    let hosts = Hosts::new(&url, &[], Reach::PublicAndLoopback).unwrap();
    let client = Outside::new(Reach::PublicAndLoopback);
    let mut waits = Vec::new();
    for _ in answers {
        waits.push(client.send(&get(&url, &hosts), soon()).await.unwrap().retry_after());
    }
    assert!(waits[0].is_some_and(|wait| wait > Duration::from_hours(24 * 365)));
    assert_eq!(waits[1..], [Some(Duration::ZERO), Some(Duration::from_secs(7)), None]);
}

#[tokio::test]
async fn a_declared_name_with_a_private_address_is_not_asked() {
    let (address, serving) = serve(&["HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n"]).await;
    let resolve: Resolve = Arc::new(move |_, _| Box::pin(std::future::ready(Ok(vec![address]))));
    let client = Outside::with(Reach::Public, Guarded::new(Reach::Public, resolve));
    for url in ["https://files.example.com/a", "https://files.example.com:8443/a"] {
        let hosts = Hosts::new(url, &[], Reach::Public).unwrap();
        let error = client.send(&get(url, &hosts), soon()).await.unwrap_err();
        let NoAnswer::NoRequest(words) = &error else { panic!("{error:?}") };
        assert!(words.contains("is not a public address"), "{words}");
    }
    assert!(!serving.is_finished(), "nobody has connected");
    serving.abort();
}

#[tokio::test]
async fn a_server_is_known_by_its_name_whatever_its_address() {
    // The name is that of the address, not of the address that was checked: a server without a certificate for it is refused.
    let (address, serving) = serve(&["HTTP/1.1 400 X\r\ncontent-length: 0\r\n\r\n"]).await;
    let resolve: Resolve = Arc::new(move |_, _| Box::pin(std::future::ready(Ok(vec![address]))));
    let client = Outside::with(Reach::PublicAndLoopback, Guarded::new(Reach::PublicAndLoopback, resolve));
    let url = "https://files.example.com/a";
    let hosts = Hosts::new(url, &[], Reach::Public).unwrap();
    let error = client.send(&get(url, &hosts), soon()).await.unwrap_err();
    assert!(matches!(error, NoAnswer::Impossible(_)), "{error:?}");
    let hello = serving.await.unwrap().concat();
    assert!(
        hello.contains("files.example.com") && !hello.contains("canary"),
        "the name is in TLS's first message, the token is not"
    );
}

#[tokio::test]
async fn nothing_is_sent_when_the_time_is_up() {
    let hosts = Hosts::new("http://127.0.0.1:9/", &[], Reach::PublicAndLoopback).unwrap();
    let client = Outside::new(Reach::PublicAndLoopback);
    let error = client.send(&get("http://127.0.0.1:9/", &hosts), Deadline::at(SystemTime::now())).await.unwrap_err();
    assert_eq!(error, NoAnswer::TimeIsUp(None));
}
