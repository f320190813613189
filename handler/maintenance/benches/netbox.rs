//! Measures the cost of a notice of one maintenance with one circuit, the first time and again: calls to NetBox, our own time and the
//! whole time. Our own time is the CPU time of this thread, from the mail's bytes to the last answer read: everything happens on it,
//! and while NetBox works it waits.
//!
//! Against the NetBox that `tests/netbox/start.sh` has started, or the one at `NETBOX_URL` with `NETBOX_TOKEN` and, for the provider
//! and the circuit, `NETBOX_TOKEN_ADMIN`. What it writes stays there.
//!
//! `cargo bench -p maintenance --bench netbox`

use std::{
    collections::BTreeMap,
    env, fs,
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use mail::Mail;
use maintenance::{
    pipeline::{arrived_mail::ArrivedMail, sink::Sink},
    sinks::netbox::{client::Client, delivery::NetBox},
};
use notice::outcome::Outcome;
use runtime::{SecretSource, http::Http};
use serde_json::{Value, json};

const MAILS: usize = 40;
/// Number of deliveries before the measurement, which open connections and fill NetBox's own caches.
const WARMING: usize = 5;
const DOMAIN: &str = "bench.example";
const CID: &str = "BENCH-1";

/// The cost of one delivery.
struct Cost {
    calls: u64,
    own: Duration,
    whole: Duration,
}

#[expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints its result, and may fail")]
fn main() {
    let Some(variables) = netbox() else {
        println!("not run: `tests/netbox/start.sh` has started no NetBox, and `NETBOX_URL` names none");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(fill(&variables["NETBOX_URL"], &variables["NETBOX_TOKEN_ADMIN"]));
    let token = SecretSource::Given(variables["NETBOX_TOKEN"].clone().into());
    let sink = NetBox::new(Client::new(&variables["NETBOX_URL"], None, token), BTreeMap::new());
    let run = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for number in 0..MAILS + WARMING {
        let mail = mail(&format!("BENCH-{run}-{number}"));
        let costs = [&mut first, &mut again].map(|costs| costs.push(runtime.block_on(deliver(&sink, &mail))));
        assert_eq!(costs.len(), 2);
    }
    println!(
        "one maintenance with one circuit, {MAILS} mails\n{:12} {:>11} {:>9} {:>10}",
        "", "calls", "own time", "whole time"
    );
    for (name, costs) in [("first time", &first), ("again", &again)] {
        let costs = &costs[WARMING..];
        let most = costs.iter().map(|cost| cost.calls).max().unwrap();
        let least = costs.iter().map(|cost| cost.calls).min().unwrap();
        let (own, whole) = (median(costs, |cost| cost.own), median(costs, |cost| cost.whole));
        println!("{name:12} {:>11} {own:>6.2} ms {whole:>7.0} ms", format!("{least} to {most}"));
    }
}

/// Returns the median of a cost, in milliseconds.
fn median(costs: &[Cost], of: impl Fn(&Cost) -> Duration) -> f64 {
    let mut all: Vec<_> = costs.iter().map(of).collect();
    all.sort();
    all.get(all.len() / 2).map_or(0.0, |duration| duration.as_secs_f64() * 1000.0)
}

#[expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark may fail")]
async fn deliver(sink: &NetBox, bytes: &[u8]) -> Cost {
    let (calls, started, before) = (sink.client.calls(), Instant::now(), computed());
    let mail = Mail::decode(bytes);
    let Outcome::Notice(notice) = carriers::parse(&mail) else { panic!("it is no notice") };
    let arrived = ArrivedMail {
        ses_message_id: "bench".to_owned(),
        bucket: "mail".to_owned(),
        key: "bench".to_owned(),
        received_at: mail.outer().date,
        sender: mail.outer().sender.as_ref().map(|sender| sender.address.clone()),
        subject: Some(mail.outer().subject.clone()),
        message_id: None,
        mail: Some(mail),
        ..ArrivedMail::default()
    };
    let delivered = sink.deliver(&arrived, &notice).await.unwrap();
    assert!(delivered.concerns.is_empty() && delivered.remarks.is_empty(), "{delivered:?}");
    let own = computed().saturating_sub(before);
    Cost { calls: sink.client.calls() - calls, own, whole: started.elapsed() }
}

/// Returns the CPU time of this thread so far, as Linux reports it.
#[expect(clippy::unwrap_used, reason = "a benchmark may fail")]
fn computed() -> Duration {
    let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}

fn mail(id: &str) -> Vec<u8> {
    format!(
        "From: NOC <noc@{DOMAIN}>\r\nTo: maintenance@example.com\r\nSubject: Works {id}\r\nDate: Mon, 2 Mar 2026 08:00:00 +0000\r\n\
         Message-ID: <{id}@{DOMAIN}>\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; charset=utf-8; method=PUBLISH\r\n\r\n\
         BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//{DOMAIN}//notices//EN\r\nBEGIN:VEVENT\r\nUID:{id}@{DOMAIN}\r\n\
         DTSTAMP:20260302T080000Z\r\nDTSTART:20310302T080000Z\r\nDTEND:20310302T090000Z\r\nSUMMARY:Works on a line\r\nSEQUENCE:1\r\n\
         ORGANIZER:mailto:noc@{DOMAIN}\r\nX-MAINTNOTE-PROVIDER:{DOMAIN}\r\nX-MAINTNOTE-ACCOUNT:1001\r\n\
         X-MAINTNOTE-MAINTENANCE-ID:{id}\r\nX-MAINTNOTE-STATUS:CONFIRMED\r\nX-MAINTNOTE-IMPACT:OUTAGE\r\n\
         X-MAINTNOTE-OBJECT-ID:{CID}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    .into_bytes()
}

/// Creates the provider and the circuit, unless they exist.
#[expect(clippy::unwrap_used, reason = "a benchmark may fail")]
async fn fill(url: &str, token: &str) {
    let http = Http::new(url.to_owned(), None);
    let headers = [("authorization", format!("Token {token}"))];
    let made = async |path: &str, slug: &str, body: Value| {
        let list = format!("/api/circuits/{path}/");
        let body = Some(body.to_string().into_bytes());
        http.send("POST", &list, &headers, body).await.unwrap();
        let found = http.send("GET", &format!("{list}?{slug}"), &headers, None).await.unwrap();
        let found: Value = serde_json::from_slice(&found.body).unwrap();
        found["results"][0]["id"].clone()
    };
    let provider = made("providers", "slug=bench", json!({"name": DOMAIN, "slug": "bench"})).await;
    let kind = made("circuit-types", "slug=bench", json!({"name": "Bench", "slug": "bench"})).await;
    let circuit = json!({"cid": CID, "provider": provider, "type": kind, "status": "active"});
    assert!(made("circuits", &format!("cid={CID}"), circuit).await.is_u64());
}

/// Returns the address of the started NetBox, and its tokens; `None` if there is none.
fn netbox() -> Option<BTreeMap<String, String>> {
    if env::var_os("NETBOX_URL").is_some() {
        return Some(env::vars().filter(|(name, _)| name.starts_with("NETBOX_")).collect());
    }
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/netbox/circuitmaintenance/environment");
    let variables = fs::read_to_string(file).ok()?;
    let variables = variables.lines().filter_map(|line| line.split_once('='));
    Some(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}
