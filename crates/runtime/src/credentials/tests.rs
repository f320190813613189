//! Tests of the credentials of a server: services that answer as AWS describes them, on 127.0.0.1.

use std::{collections::BTreeMap, sync::Mutex as Lock};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

/// A metadata service, or a container's: answers by the number of the call and its head, and keeps the heads.
async fn service(answer: impl Fn(usize, &str) -> (u16, String) + Send + 'static) -> (String, Arc<Lock<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let heads = Arc::new(Lock::new(Vec::new()));
    let seen = heads.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await.unwrap() > 0 {
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap().to_lowercase();
            let (status, body) = answer(seen.lock().unwrap().len(), &head);
            seen.lock().unwrap().push(head);
            let text =
                format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            stream.write_all(text.as_bytes()).await.unwrap();
        }
    });
    (base, heads)
}

/// Returns a document whose keys expire in so many seconds.
fn document(key: &str, seconds: i64) -> String {
    let at = Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    format!(
        r#"{{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"{key}","SecretAccessKey":"s","Token":"t","Expiration":"{at}"}}"#
    )
}

/// Answers as version 2 of the metadata service does, for an instance with the role `worker`.
fn instance(head: &str, document: String) -> (u16, String) {
    if head.starts_with("put /latest/api/token") {
        let is_asked = head.contains("x-aws-ec2-metadata-token-ttl-seconds: 60");
        return if is_asked { (200, "a-token".to_owned()) } else { (400, String::new()) };
    }
    if !head.contains("x-aws-ec2-metadata-token: a-token") {
        return (401, String::new());
    }
    match head.split(' ').nth(1) {
        Some(ROLES) => (200, "worker\n".to_owned()),
        Some(path) if path == format!("{ROLES}worker") => (200, document),
        _ => (404, String::new()),
    }
}

fn read(variables: &[(&str, &str)]) -> Result<Credentials, String> {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let look = |name: &str| variables.get(name).cloned();
    let mut reader = Reader::new(&look);
    let read = Credentials::read(&mut reader);
    reader.finish(read).map_err(|error| error.to_string())
}

async fn key(credentials: &Credentials) -> Result<String, String> {
    credentials.keys().await.map(|keys| keys.access_key_id)
}

#[tokio::test]
async fn an_instance_is_asked_by_version_2_alone_and_once_while_its_keys_hold() {
    let (base, heads) = service(|_, head| instance(head, document("AKI1", 3600))).await;
    let credentials = read(&[(METADATA_ENDPOINT, &format!("{base}/"))]).unwrap();
    for _ in 0..3 {
        assert_eq!(key(&credentials).await, Ok("AKI1".to_owned()));
    }
    assert_eq!(heads.lock().unwrap().len(), 3);
    let text = format!("{credentials:?}");
    assert!(!text.contains("AKI1"), "{text}");
}

#[tokio::test]
async fn keys_are_asked_for_again_before_they_expire_and_are_used_until_then() {
    // The first ones expire within the time in which new ones are asked for; from the second round on the service fails.
    let (base, _heads) = service(|number, head| match number {
        0..3 => instance(head, document("AKI1", 60)),
        3..6 => instance(head, document("AKI2", -1)),
        _ => (500, String::new()),
    })
    .await;
    let credentials = read(&[(METADATA_ENDPOINT, &base)]).unwrap();
    let Credentials::OfServer(server) = &credentials else { panic!() };
    let again = async || server.kept.lock().await.as_mut().unwrap().ask_again = SystemTime::UNIX_EPOCH;
    assert_eq!(key(&credentials).await, Ok("AKI1".to_owned()));
    // Not with every call, however soon they expire.
    assert_eq!(key(&credentials).await, Ok("AKI1".to_owned()));
    again().await;
    assert_eq!(key(&credentials).await, Ok("AKI2".to_owned()));
    again().await;
    let Err(reason) = key(&credentials).await else { panic!() };
    assert!(reason.contains("/latest/api/token: the service answers 500"), "{reason}");
    server.kept.lock().await.as_mut().unwrap().expire = SystemTime::now() + Duration::from_mins(1);
    assert_eq!(key(&credentials).await, Ok("AKI2".to_owned()));
}

#[tokio::test]
async fn faults_of_the_service_are_told_in_words() {
    let failed = r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role"}"#;
    for (broken, answer, said) in [
        ("put", (403, ""), "PUT /latest/api/token: the service answers 403"),
        ("security-credentials/ ", (404, ""), "security-credentials/: the service answers 404"),
        ("security-credentials/ ", (200, " \n"), "the instance has no role"),
        ("security-credentials/worker", (200, r#"{"SecretAccessKey":"hunter2"}"#), "lacks a part of the credentials"),
        ("security-credentials/worker", (200, "hunter2"), "the answer is not understood"),
        ("security-credentials/worker", (200, failed), "`AssumeRoleUnauthorizedAccess`: EC2 cannot assume the role"),
    ] {
        let (base, _heads) = service(move |_, head| {
            let (status, body) = answer;
            if head.contains(broken) { (status, body.to_owned()) } else { instance(head, document("AKI", 3600)) }
        })
        .await;
        let Err(reason) = key(&read(&[(METADATA_ENDPOINT, &base)]).unwrap()).await else { panic!("{said}") };
        assert!(reason.contains(said) && !reason.contains("hunter2"), "{said}: {reason}");
    }
}

#[tokio::test]
async fn a_container_proves_itself_with_its_token_and_is_asked_first() {
    let (base, heads) = service(|_, _| (200, document("AKIC", 3600))).await;
    let file = std::env::temp_dir().join(format!("token-{}", std::process::id()));
    fs::write(&file, "from-a-file\n").unwrap();
    let (url, file) = (format!("{base}/v1/credentials"), file.display().to_string());
    for (further, proof) in [
        (&[][..], None),
        (&[(TOKEN, "given")], Some("authorization: given")),
        (&[(TOKEN, "given"), (TOKEN_FILE, &*file)], Some("authorization: from-a-file")),
    ] {
        let variables = [&[(FULL, &*url), (METADATA_ENDPOINT, "http://127.0.0.1:9")], further].concat();
        assert_eq!(key(&read(&variables).unwrap()).await, Ok("AKIC".to_owned()));
        let head = heads.lock().unwrap().pop().unwrap();
        assert!(head.starts_with("get /v1/credentials "), "{head}");
        assert_eq!(head.lines().find(|line| line.starts_with("authorization")), proof, "{head}");
    }
    fs::remove_file(file).unwrap();
}

#[test]
fn the_environment_comes_first_and_what_is_wrong_in_it_is_said() {
    let fixed = [("AWS_ACCESS_KEY_ID", "AKIE"), ("AWS_SECRET_ACCESS_KEY", "s"), (RELATIVE, "/v2/credentials/a")];
    assert!(matches!(read(&fixed), Ok(Credentials::Fixed(keys)) if keys.access_key_id == "AKIE"));
    assert!(matches!(read(&[(RELATIVE, "/v2/credentials/a")]), Ok(Credentials::OfServer(_))));
    for (variable, value, said) in [
        ("AWS_ACCESS_KEY_ID", "AKIE", "`AWS_SECRET_ACCESS_KEY` is missing"),
        (RELATIVE, "evil.example", "is not a path"),
        (METADATA_DISABLED, "TRUE", "`AWS_EC2_METADATA_DISABLED` is set"),
        (FULL, "http://evil.example/credentials", "neither an address with `https`"),
        (FULL, "http://169.254.170.2.evil.example/credentials", "neither an address with `https`"),
        (FULL, "http://127.0.0.1:80@evil.example/credentials", "neither an address with `https`"),
        (FULL, "ftp://127.0.0.1/credentials", "neither an address with `https`"),
        (FULL, "127.0.0.1", "neither an address with `https`"),
    ] {
        let error = read(&[(variable, value)]).unwrap_err();
        assert!(error.contains(said), "{variable}={value}: {error}");
    }
    for url in ["https://a.example/x", "http://[fd00:ec2::23]/x", "http://169.254.170.23/x", "http://localhost:51679/x"]
    {
        assert!(read(&[(FULL, url)]).is_ok(), "{url}");
    }
}
