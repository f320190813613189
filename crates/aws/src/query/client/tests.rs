//! Tests the client against a server on loopback that answers as it is told, and records what it was sent.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};

use aws_config::BehaviorVersion;
use aws_sdk_s3::config::Credentials;
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::region::Region;
use contract::secret::Secret;

use super::*;
use crate::query::{EC2, ELASTICACHE, RDS};

/// An answer of the server in a test.
enum Answer {
    /// Status, further headers, and body.
    Says(u16, &'static str, String),
    /// Nothing: the connection stays open.
    Silence,
}

/// A request as it arrived: its headers, in lower case, and its body.
struct Sent {
    head: String,
    body: String,
}

/// Starts a server that gives these answers, one after the other; returns its address and the requests.
fn server(answers: Vec<Answer>) -> (String, mpsc::Receiver<Sent>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut silent = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let _nobody_looks = tell.send(read(&stream));
            match answer {
                Answer::Says(status, headers, body) => {
                    let length = body.len();
                    let head = format!(
                        "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n"
                    );
                    stream.write_all((head + &body).as_bytes()).unwrap();
                }
                Answer::Silence => silent.push(stream),
            }
        }
    });
    (url, told)
}

fn read(stream: &TcpStream) -> Sent {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.read_line(&mut head).unwrap() > 2 {}
    let head = head.to_lowercase();
    let length = head.split_once("content-length: ").unwrap().1.split('\r').next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Sent { head, body: String::from_utf8(body).unwrap() }
}

async fn client(url: &str, service: Service, attempts: u32) -> Client {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(300)).build();
    let retries = RetryConfig::standard().with_max_attempts(attempts).with_initial_backoff(Duration::from_millis(1));
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(aws_config::Region::from_static("eu-west-1"))
        .credentials_provider(Credentials::new("AKIAEXAMPLE", "hush", None, None, "test"))
        .http_client(crate::http::client(None).unwrap())
        .retry_config(retries)
        .timeout_config(timeouts)
        .endpoint_url(url);
    Client::new(&config.load().await, service)
}

fn well(body: &str) -> Answer {
    Answer::Says(200, "", body.to_owned())
}

fn refused(status: u16, headers: &'static str, code: &str) -> Answer {
    let body = format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors><RequestID>r-1</RequestID></Response>"
    );
    Answer::Says(status, headers, body)
}

#[tokio::test]
async fn a_call_is_signed_and_told_as_those_of_the_generated_clients_are() {
    let (url, told) = server(vec![well("<R><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet></R>")]);
    let call = Call::new("DescribeVpcs").filter("tag:a", ["b & <c>"]);
    let answer = client(&url, EC2, 1).await.call(&call).await.unwrap();
    assert_eq!(answer.text("vpcSet/item/vpcId"), "vpc-1");
    let Sent { head, body } = told.recv().unwrap();
    assert_eq!(body, "Action=DescribeVpcs&Version=2016-11-15&Filter.1.Name=tag%3Aa&Filter.1.Value.1=b%20%26%20%3Cc%3E");
    for part in [
        "post / http/1.1",
        "/eu-west-1/ec2/aws4_request",
        "user-agent: provision/",
        "aws-sdk-rust/",
        "api/ec2/",
        "amz-sdk-invocation-id: ",
        "amz-sdk-request: attempt=1",
    ] {
        assert!(head.contains(part), "`{part}` is not in\n{head}");
    }
}

#[tokio::test]
async fn a_list_is_read_to_its_last_page_in_either_form() {
    let ec2 = |id: &str, next: &str| {
        well(&format!("<R><subnetSet><item><subnetId>{id}</subnetId></item></subnetSet>{next}</R>"))
    };
    let (url, told) = server(vec![ec2("subnet-1", "<nextToken>a+b=</nextToken>"), ec2("subnet-2", "<nextToken/>")]);
    let subnets = client(&url, EC2, 1).await.pages(Call::new("DescribeSubnets"), "subnetSet").await.unwrap();
    assert_eq!(subnets.iter().map(|one| one.text("subnetId")).collect::<Vec<_>>(), ["subnet-1", "subnet-2"]);
    let bodies: Vec<_> = told.iter().map(|sent| sent.body).collect();
    assert!(bodies[1].ends_with("&NextToken=a%2Bb%3D") && !bodies[0].contains("NextToken"), "{bodies:?}");

    let rds = |id: &str, next: &str| {
        let list = format!("<DBInstances><DBInstance><Id>{id}</Id></DBInstance></DBInstances>");
        well(&format!("<R><DescribeDBInstancesResult>{list}{next}</DescribeDBInstancesResult></R>"))
    };
    let (url, told) = server(vec![rds("a", "<Marker>m</Marker>"), rds("b", "")]);
    let call = Call::new("DescribeDBInstances");
    let instances = client(&url, RDS, 1).await.pages(call, "DescribeDBInstancesResult/DBInstances").await.unwrap();
    assert_eq!(instances.len(), 2);
    assert!(told.iter().nth(1).unwrap().body.ends_with("&Marker=m"));
}

#[tokio::test]
async fn a_step_has_one_token_in_all_its_attempts_where_the_action_takes_one() {
    let (url, told) = server(vec![refused(503, "", "Unavailable"), well("<R/>"), well("<R/>")]);
    let client = client(&url, EC2, 2).await;
    client.call(&Call::new("CreateRouteTable").once("mail/table/private")).await.unwrap();
    client.call(&Call::new("CreateVpc").once("mail/network/main")).await.unwrap();
    let tokens: Vec<_> =
        told.iter().map(|sent| sent.body.split_once("ClientToken=").map(|(_, token)| token.to_owned())).collect();
    assert_eq!(tokens[0], tokens[1]);
    assert_eq!((tokens[0].as_ref().map(String::len), &tokens[2]), (Some(64), &None), "CreateVpc takes none");
    let other = token("CreateRouteTable", "mail/table/public");
    assert_ne!(tokens[0], Some(other));
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_told_with_its_code_and_request() {
    let (url, told) = server(vec![refused(503, "", "RequestLimitExceeded"), Answer::Silence, well("<R/>")]);
    let (client_of_three, call) = (client(&url, EC2, 3).await, Call::new("DescribeVpcs"));
    let called = tokio::time::timeout(Duration::from_mins(1), client_of_three.call(&call)).await;
    called.expect("a silent connection ends with its attempt").unwrap();
    assert_eq!(told.iter().take(3).count(), 3);

    let (url, _told) = server(vec![refused(400, "", "InvalidVpcID.NotFound")]);
    let failure = client(&url, EC2, 3).await.call(&Call::new("DescribeVpcs")).await.unwrap_err();
    assert_eq!(failure.to_string(), "ec2.DescribeVpcs 400 InvalidVpcID.NotFound: no (request r-1)");
    assert_eq!(failure.class, Class::NotFound);

    let (url, _told) = server(vec![well("<html>")]);
    let failure = client(&url, ELASTICACHE, 1).await.call(&Call::new("DescribeReplicationGroups")).await.unwrap_err();
    assert!(failure.message.contains("the answer is no XML: it ends early"), "{failure}");
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_set_right_by_the_service() {
    let (url, told) =
        server(vec![refused(401, "date: Tue, 01 Jan 2030 00:00:00 GMT\r\n", "AuthFailure"), well("<R/>")]);
    client(&url, EC2, 2).await.call(&Call::new("DescribeVpcs")).await.unwrap();
    let dates: Vec<_> =
        told.iter().map(|sent| sent.head.split_once("x-amz-date: ").unwrap().1[..8].to_owned()).collect();
    assert!(dates[0] != dates[1] && ["20291231", "20300101"].contains(&dates[1].as_str()), "{dates:?}");
}

#[test]
fn an_address_is_that_of_the_partition_unless_another_one_is_configured() {
    let of = |region: &'static str, change: fn(aws_types::sdk_config::Builder) -> aws_types::sdk_config::Builder| {
        let config = change(SdkConfig::builder().region(Region::new(region))).build();
        crate::operation::endpoint(&config, EC2.id, EC2.name, region)
    };
    assert_eq!(of("eu-west-1", |it| it), "https://ec2.eu-west-1.amazonaws.com");
    assert_eq!(of("cn-north-1", |it| it), "https://ec2.cn-north-1.amazonaws.com.cn");
    assert_eq!(of("us-gov-west-1", |it| it), "https://ec2.us-gov-west-1.amazonaws.com");
    assert_eq!(of("us-east-1", |it| it.use_fips(true)), "https://ec2-fips.us-east-1.amazonaws.com");
    assert_eq!(of("us-east-1", |it| it.use_dual_stack(true)), "https://ec2.us-east-1.api.aws");
    assert_eq!(of("us-east-1", |it| it.endpoint_url("http://127.0.0.1:1")), "http://127.0.0.1:1");
}

#[tokio::test]
async fn a_secret_that_the_service_repeats_is_in_no_failure() {
    let body = "<ErrorResponse><Error><Code>InvalidParameterValue</Code><Message>The token correct-horse is weak: correct-horse</Message></Error></ErrorResponse>";
    let (url, told) = server(vec![Answer::Says(400, "", body.to_owned())]);
    let secret = Secret::from("correct-horse".to_owned());
    let call = Call::new("ModifyReplicationGroup").with_secret("AuthToken", &secret);
    let failure = client(&url, ELASTICACHE, 1).await.call(&call).await.unwrap_err();
    assert!(told.recv().unwrap().body.contains("AuthToken=correct-horse"));
    assert_eq!(failure.code.as_deref(), Some("InvalidParameterValue"));
    let told = format!("{failure} {failure:?} {call:?}");
    assert!(told.contains("is weak") && !told.contains("horse"), "{told}");
}
