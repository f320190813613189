//! Tests deliveries that do not succeed, each with its outcome and the words that tell a person
//! what to do.

use serde_json::{Value, json};

use super::{
    notice::{DOMAIN, Notice},
    pipeline::Pipeline,
    proxy::Proxy,
    say,
    server::NetBox,
};
use crate::harness::replaced;

/// Delivers a mail with the function's own token.
fn deliver(netbox: &NetBox, mail: &str) -> Value {
    deliver_to(&netbox.url, netbox.token(""), mail)
}

fn deliver_to(url: &str, token: &str, mail: &str) -> Value {
    let pipeline = Pipeline::new(url, token, DOMAIN);
    let path = pipeline.mail("notice.eml", mail);
    pipeline.deliver(&[path]).mails[0].clone()
}

/// Checks outcome and reasons.
#[track_caller]
fn ends(mail: &Value, outcome: &str, reasons: &[&str]) {
    let reason = mail["reason"].as_str().unwrap_or_default();
    assert_eq!(mail["outcome"], outcome, "{reason}");
    for part in reasons {
        assert!(reason.contains(part), "`{part}` is not in: {reason}");
    }
}

/// Checks that it was retried as often as Lambda does, and then put into the failure queue.
#[track_caller]
fn is_in_the_failure_queue(mail: &Value, reasons: &[&str]) {
    ends(mail, "failed", reasons);
    // The run's own folder is gone with it.
    assert_eq!((&mail["attempts"], &mail["failure_message"]), (&json!(3), &json!(null)), "{mail}");
}

/// Returns the subjects in the queue that people work through.
fn unlinked(netbox: &NetBox) -> Vec<String> {
    let mails = netbox.content().notifications;
    let mails = mails.iter().filter(|mail| mail["circuitmaintenance"].is_null());
    mails.map(|mail| mail["email_body"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_right_that_is_missing_is_named_and_the_mail_is_kept() {
    let Some(netbox) = NetBox::with_one_line() else { return };
    for (right, path) in [
        ("PROVIDER", "/api/circuits/providers/"),
        ("CIRCUIT", "/api/circuits/circuits/"),
        ("CIRCUITMAINTENANCE", "/circuitmaintenance/"),
        ("CIRCUITMAINTENANCEIMPACT", "/circuitmaintenanceimpact/"),
        ("CIRCUITMAINTENANCENOTIFICATIONS", "/circuitmaintenancenotifications/"),
    ] {
        // If NetBox knows a circuit, its provider is known as well.
        let cids = vec![if right == "PROVIDER" { "LINE-9" } else { "LINE-1" }];
        let notice = Notice { cids, ..Notice::new("CHG-1") };
        let mail = deliver_to(&netbox.url, netbox.token(&format!("WITHOUT_{right}")), &notice.mail());
        is_in_the_failure_queue(&mail, &[path, "NetBox answers 403", "You do not have permission"]);
    }
    let mail = deliver_to(&netbox.url, netbox.token("READ_ONLY"), &Notice::new("CHG-2").mail());
    is_in_the_failure_queue(&mail, &["POST /api/plugins/maintenance/circuitmaintenance/", "NetBox answers 403"]);
    // What a retry must finish is finished once the permissions are there.
    ends(&deliver(&netbox, &Notice::new("CHG-1").mail()), "delivered", &[]);
    let content = netbox.content();
    assert_eq!((content.events.len(), content.impacts.len(), content.notifications.len()), (1, 1, 1));
}

#[test]
fn a_wrong_token_a_netbox_that_is_away_and_one_without_the_plugin_keep_the_mail() {
    let Some(netbox) = NetBox::with_one_line() else { return };
    let mail = Notice::new("CHG-1").mail();
    let wrong = deliver_to(&netbox.url, "0000000000000000000000000000000000000000", &mail);
    is_in_the_failure_queue(&wrong, &["NetBox answers 403", "Invalid v1 token"]);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    is_in_the_failure_queue(&deliver_to(&format!("http://{nobody}"), netbox.token(""), &mail), &["Connection refused"]);
    let proxy = Proxy::without_plugin(&netbox.url);
    let bare = deliver_to(&proxy.url, netbox.token(""), &mail);
    is_in_the_failure_queue(
        &bare,
        &["NetBox answers 404", "the plugin netbox-circuitmaintenance is not installed there"],
    );
    assert_eq!(netbox.content().events.len(), 0);
}

#[test]
fn unknown_providers_and_circuits_are_visible_in_netbox() {
    let Some(netbox) = NetBox::with_one_line() else { return };
    let unknown = Notice { cids: vec!["LINE-1", "LINE-9"], ..Notice::new("CHG-1") };
    let said = "NetBox has no circuits of carrier.example with these CIDs: `LINE-9`";
    ends(&deliver(&netbox, &unknown.mail()), "for_person", &[said]);
    let content = netbox.content();
    let comments = content.events[0]["comments"].as_str().unwrap();
    assert!(comments.contains("> Not in NetBox: circuit `LINE-9`, OUTAGE"), "{comments}");
    assert_eq!(content.impacts.len(), 1, "the one that is known has its impact");
    assert!(unlinked(&netbox)[0].contains(said));

    netbox.empty();
    netbox.fill(&[("somebody.example".to_owned(), ["LINE-1".to_owned()].into())].into());
    let said = "NetBox has no provider with the slug or name `carrier.example`";
    ends(&deliver(&netbox, &Notice::new("CHG-2").mail()), "for_person", &[said, "NETBOX_PROVIDERS"]);
    assert!(unlinked(&netbox)[0].contains(said) && netbox.content().events.is_empty());

    let stranger = replaced(&Notice::new("CHG-3").mail(), &[("noc@carrier.example>", "noc@stranger.example>")]);
    ends(&deliver(&netbox, &stranger), "for_person", &["not trusted"]);
    let queue = unlinked(&netbox);
    assert!(queue[1].contains("Read, not verified: CHG-3 CONFIRMED"), "{queue:?}");
    ends(&deliver(&netbox, &stranger), "for_person", &["not trusted"]);
    assert_eq!(unlinked(&netbox), queue, "it is there once");
}

#[test]
fn a_provider_that_could_be_either_goes_to_a_person_and_a_cid_counts_within_its_provider() {
    let Some(netbox) = NetBox::find() else { return };
    netbox.empty();
    let line = || ["LINE-1".to_owned()].into();
    netbox.fill(&[("another.example".to_owned(), line()), (DOMAIN.to_owned(), line())].into());
    ends(&deliver(&netbox, &Notice::new("CHG-1").mail()), "delivered", &[]);
    let (content, ours) = (netbox.content(), netbox.content().events[0]["provider"]["id"].clone());
    assert_eq!(content.events()[0].provider, DOMAIN);
    let circuit = netbox.get(&format!("circuits/circuits/{}", content.impacts[0]["circuit"]["id"]));
    assert_eq!((content.impacts.len(), &circuit["provider"]["id"]), (1, &ours));

    netbox.empty();
    let twice = ["CARRIER.example", "Carrier.example"].map(|name| (name.to_owned(), line()));
    for (slug, provider) in ["one", "two"].iter().zip(twice) {
        netbox.post("circuits/providers", &json!({"name": provider.0, "slug": slug}));
    }
    let said = "NetBox has several providers with the slug or name `carrier.example` (";
    ends(&deliver(&netbox, &Notice::new("CHG-2").mail()), "for_person", &[said, "`one`", "`two`"]);
    assert!(unlinked(&netbox)[0].contains(said) && netbox.content().events.is_empty());
}

#[test]
fn a_first_notice_costs_seven_calls_whatever_its_provider_is_found_by() {
    let Some(netbox) = NetBox::find() else { return };
    let fill = |slug: &str, name: &str, cids: &[&str]| {
        netbox.empty();
        let id = netbox.post("circuits/providers", &json!({"name": name, "slug": slug}))["id"].clone();
        let kind = netbox.post("circuits/circuit-types", &json!({"name": "Line", "slug": "line"}))["id"].clone();
        let circuit = |cid: &&str| json!({"cid": cid, "provider": id, "type": kind, "status": "active"});
        netbox.post("circuits/circuits", &cids.iter().map(circuit).collect());
    };
    let proxy = Proxy::start(&netbox.url, 0);
    let calls = |mail: &str| {
        let before = proxy.calls().len();
        ends(&deliver_to(&proxy.url, netbox.token(""), mail), "delivered", &[]);
        proxy.calls().split_off(before)
    };
    let stranger = Notice::new("CHG-1").mail();
    // A carrier that we know under a slug.
    let known = include_str!("../../mails/aws/planned.eml");
    let its = &["dxcon-fh6q1w2e", "dxvif-ffk3m5n7", "dxvif-fg9z8y7x"];
    for (slug, name, mail, cids) in [
        ("carrier-2", DOMAIN, stranger.as_str(), &["LINE-1"][..]),
        ("carrier-3", "Carrier.Example", &stranger, &["LINE-1"]),
        ("aws", "Somebody", known, its),
        ("somebody", "Amazon Web Services", known, its),
    ] {
        fill(slug, name, cids);
        let first = calls(mail);
        let deletions = first.iter().filter(|call| call.contains("/api/core/object-changes/")).count();
        assert!(deletions == 1 && first.len() <= 7, "{slug}, {name}: {first:#?}");
        let again = calls(mail);
        assert!(again.len() <= 6 && again.iter().all(|call| call.starts_with("GET ")), "{slug}, {name}: {again:#?}");
        say(&format!("NetBox: {slug}, {name}: {} calls the first time, {} again", first.len(), again.len()));
    }
}

#[test]
fn long_texts_are_cut_only_where_netbox_requires_it() {
    let Some(netbox) = NetBox::with_one_line() else { return };
    let long = format!("{} end", "word ".repeat(199));
    let notice = Notice { summary: long.clone(), text: "a\0b".to_owned(), ..Notice::new("CHG-1") };
    ends(&deliver(&netbox, &notice.mail()), "delivered", &[]);
    let content = netbox.content();
    let event = &content.events[0];
    let summary = event["summary"].as_str().unwrap();
    assert!(summary.ends_with('…') && summary.chars().count() <= 200, "{summary}");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
    assert!(words(event["comments"].as_str().unwrap()).contains(&words(&long)), "{event}");
    let body = content.notifications[0]["email_body"].as_str().unwrap();
    assert!(body.starts_with("ab\n\nThe mail: s3://"), "without NUL: {body}");

    // A body that NetBox would not read: in JSON every quotation mark takes two bytes.
    let quotes = Notice { text: format!("{}\r\n", "\"".repeat(70)).repeat(25_000), ..Notice::new("CHG-2") };
    ends(&deliver(&netbox, &quotes.mail()), "delivered", &[]);
    let stored = netbox.content().notifications.pop().unwrap();
    let body = stored["email_body"].as_str().unwrap();
    assert!(body.len() > 1_000_000 && body.contains("[cut: the whole mail is s3://"), "{}", body.len());

    // A mail that is not even read: the person learns so, and where it is.
    let text = "Fifty letters in a line that says nothing, again\r\n".repeat(100_000);
    let large = Notice { text, ..Notice::new("CHG-3") }.mail();
    for _ in 0..2 {
        let mail = deliver(&netbox, &large);
        ends(&mail, "for_person", &[]);
        let queue = unlinked(&netbox);
        assert_eq!(queue.len(), 1, "it is queued once: {queue:?}");
        let reason = mail["reason"].as_str().unwrap();
        assert!(queue[0].contains(reason) && queue[0].contains("The mail: s3://"), "{reason}\n{}", queue[0]);
        assert!(queue[0].contains(" bytes, more than is shown here."), "{}", queue[0]);
    }
}

#[test]
fn an_event_that_was_made_by_hand_is_taken_over_and_its_notification_stays_beside_ours() {
    let Some(netbox) = NetBox::with_one_line() else { return };
    let notice = Notice::new("CHG-1");
    let event = json!({
        "name": "CHG-1", "summary": "Made by hand", "status": "TENTATIVE", "provider": 1,
        "start": "2030-01-01T07:00:00Z", "end": "2030-01-01T09:00:00Z", "comments": "Ask Kim.",
    });
    let id = netbox.post(super::server::EVENTS, &event)["id"].clone();
    let by_hand = json!({
        "circuitmaintenance": id, "email_body": notice.text, "subject": notice.subject(),
        "email_from": format!("noc@{DOMAIN}"), "email_received": "2030-01-01T00:00:00Z",
    });
    netbox.post("plugins/maintenance/circuitmaintenancenotifications", &by_hand);
    // Nobody can tell whether what was pasted there is this mail or another with the same words.
    for _ in 0..2 {
        ends(&deliver(&netbox, &notice.mail()), "delivered", &[]);
        let content = netbox.content();
        assert_eq!((content.events.len(), content.notifications.len()), (1, 2));
    }
    let content = netbox.content();
    assert_eq!(content.events()[0].start, notice.start());
    assert!(content.events[0]["comments"].as_str().unwrap().starts_with("Ask Kim.\n"));
}
