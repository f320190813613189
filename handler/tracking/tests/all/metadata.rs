//! The program as a worker with the credentials of an instance, which expire.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use crate::{
    event,
    function::tracked,
    queue::Queue,
    servers::MySql,
    worker::{Running, command, wait_for},
};

/// Answers as version 2 of the metadata service does, with keys that expire in a moment; returns its address, and the number of times that
/// keys were asked for.
fn metadata_service() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let rounds = Arc::new(AtomicUsize::new(0));
    let count = rounds.clone();
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer(stream, &count)));
    (url, rounds)
}

fn answer(mut stream: TcpStream, rounds: &AtomicUsize) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or_default() > 0 {
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let has_token = head.contains("x-aws-ec2-metadata-token: a-token");
    let path = head.split(' ').nth(1).unwrap_or_default();
    let body = match (path, has_token) {
        ("/latest/api/token", _) if head.starts_with("put ") => Some("a-token".to_owned()),
        ("/latest/meta-data/iam/security-credentials/", true) => Some("worker".to_owned()),
        ("/latest/meta-data/iam/security-credentials/worker", true) => {
            rounds.fetch_add(1, Ordering::SeqCst);
            let at = jiff::Timestamp::try_from(SystemTime::now() + Duration::from_secs(5)).unwrap();
            Some(format!(
                r#"{{"Code":"Success","AccessKeyId":"test","SecretAccessKey":"test-of-an-instance","Token":"t","Expiration":"{at}"}}"#
            ))
        }
        _ => None,
    };
    let status = if body.is_some() { 200 } else { 401 };
    let body = body.unwrap_or_default();
    let text = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    // Whoever asked may have ended.
    let _gone = stream.write_all(text.as_bytes());
}

#[test]
fn a_worker_has_the_credentials_of_its_instance() {
    let Some(maria) = MySql::start() else { return };
    let Some(queue) = Queue::start() else { return };
    let (url, rounds) = metadata_service();
    let mut command = command(&queue);
    let worker = Running::start(command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", url).env("DATABASE_URL", maria.url()));
    queue.send(&event("Delivery", "m-1", 9));
    wait_for(&queue, 0);
    assert_eq!(tracked(&maria, "m-1")[0].status, "delivered");
    assert!(rounds.load(Ordering::SeqCst) > 0);
    worker.end();
}
