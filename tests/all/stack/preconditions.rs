//! Tests preconditions that a person must fulfil: they are reported before the first change, and
//! again at the end.

use std::{net::UdpSocket, thread};

use domain::{
    base::{Message, MessageBuilder, Name, Rtype, iana::Rcode},
    rdata::{A, Mx},
};

use super::{EVERYTHING, Trial};
use crate::harness::{Run, replaced};

/// Starts a name server on loopback, with the regions that receive mail and one MX record; returns
/// its address.
fn name_server(exchange: &'static str) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut bytes = [0; 1500];
        // It ends with the test's process.
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            let Ok(question) = Message::from_octets(bytes[..length].to_vec()) else { continue };
            let asked = question.sole_question().unwrap();
            let name = asked.qname().to_string();
            let is_known = name == "inbound-smtp.eu-west-1.amazonaws.com" || name == "example.com";
            let code = if is_known { Rcode::NOERROR } else { Rcode::NXDOMAIN };
            let mut answer = MessageBuilder::new_vec().start_answer(&question, code).unwrap();
            if is_known && asked.qtype() == Rtype::A {
                answer.push((asked.qname(), 60, A::from_octets(127, 0, 0, 1))).unwrap();
            } else if is_known && asked.qtype() == Rtype::MX {
                let exchange: Name<Vec<u8>> = exchange.parse().unwrap();
                answer.push((asked.qname(), 60, Mx::new(10, exchange))).unwrap();
            }
            socket.send_to(answer.finish().as_slice(), from).unwrap();
        }
    });
    address
}

fn up(trial: &Trial, resolver: &str, arguments: &[&str]) -> Run {
    let mut command = trial.command(arguments);
    trial.folder.finish(arguments, command.env("PROVISION_RESOLVER", resolver).output().unwrap())
}

#[test]
fn what_is_left_for_a_person_is_told_before_and_after() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let elsewhere = name_server("mx.example.net");
    let run = up(&trial, &elsewhere, &["up", "--yes"]);
    assert_eq!(run.code(), Some(0), "{run}");
    let (before, after) = (run.stderr(), run.stdout());
    for (what, todo) in [
        ("domain `example.com` is not a verified identity of SES in eu-west-1", "create-email-identity"),
        ("goes to `mx.example.net`, not to SES", "`example.com. MX 10 inbound-smtp.eu-west-1.amazonaws.com.`"),
    ] {
        assert!(before.contains(what) && before.contains(todo), "{run}");
        assert!(after.contains(what) && after.contains(todo), "{run}");
    }
    assert!(after.contains("`noc@example.com` has not confirmed the subscription of topic `news`"), "{run}");
    let warned = before.find("warning: domain").unwrap();
    assert!(warned < before.find("created in").unwrap(), "it is told before the first change: {run}");
}

#[test]
fn where_all_is_well_nothing_is_told() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.folder.write(
        "infra.yaml",
        replaced(
            EVERYTHING,
            &[
                ("[noc@example.com, {queue", "[{queue"),
                ("alarms: {notify: [noc@example.com]}", "alarms: {notify: [news]}"),
            ],
        ),
    );
    let account = &trial.account;
    account.wait(account.ses.verify_domain_identity().domain("example.com").send()).unwrap();
    let right = name_server("inbound-smtp.eu-west-1.amazonaws.com");
    let run = up(&trial, &right, &["up", "--yes", "--json"]);
    assert_eq!(run.code(), Some(0), "{run}");
    assert_eq!(run.json()[0]["todo"], serde_json::json!([]), "{run}");
}

#[test]
fn a_region_that_receives_no_mail_stops_it() {
    let Some(trial) = Trial::new(&replaced(EVERYTHING, &[("eu-west-1", "eu-north-1")])) else { return };
    let resolver = name_server("inbound-smtp.eu-west-1.amazonaws.com");
    let run = up(&trial, &resolver, &["up", "--yes"]);
    assert_eq!(run.code(), Some(2), "{run}");
    assert!(run.stderr().contains("SES does not receive mail in eu-north-1"), "{run}");
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
}
