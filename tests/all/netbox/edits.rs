//! Tests that people's edits of a real NetBox stay, and that events which they rename, mark or delete are known.

use serde_json::{Value, json};

use super::{
    notice::{DOMAIN, Notice},
    pipeline::Pipeline,
    server::{EVENTS, IMPACTS, NetBox},
};

/// Returns a mail of one maintenance in one window, written as the `number`th.
fn mail(number: u32, status: &'static str, summary: &str) -> String {
    Notice { number, day: Some(1), status, summary: summary.to_owned(), ..Notice::new("CHG-1") }.mail()
}

fn deliver(netbox: &NetBox, mail: &str) -> Value {
    let pipeline = Pipeline::new(&netbox.url, netbox.token(""), DOMAIN);
    let path = pipeline.mail("notice.eml", mail);
    pipeline.deliver(&[path]).mails[0].clone()
}

#[track_caller]
fn ends(mail: &Value, outcome: &str, reason: &str) {
    let said = mail["reason"].as_str().unwrap_or_default();
    assert!(mail["outcome"] == outcome && said.contains(reason), "{mail}");
}

/// Returns the path of the only event.
fn event(netbox: &NetBox) -> String {
    let events = netbox.content().events;
    assert_eq!(events.len(), 1, "{events:#?}");
    format!("{EVENTS}/{}", events[0]["id"])
}

#[test]
fn edits_stay_until_a_notice_changes_the_same_and_conflicts_are_told() {
    let Some(netbox) = NetBox::with_one_line() else { return };
    let first = mail(15, "CONFIRMED", "Works on a line");
    ends(&deliver(&netbox, &first), "delivered", "");
    let path = event(&netbox);
    assert_eq!(netbox.get(&path)["time_zone"], "UTC");
    assert!(netbox.content().notifications[0]["email_body"].as_str().unwrap().contains("The mail: s3://"));
    let edits = json!({
        "name": "Frankfurt", "summary": "by hand", "status": "TENTATIVE", "end": "2040-01-01T00:00:00Z",
        "acknowledged": true, "internal_ticket": "T-1", "time_zone": "Asia/Tokyo",
    });
    netbox.patch(&path, &edits);
    let impact = format!("{IMPACTS}/{}", netbox.content().impacts[0]["id"]);
    netbox.delete(&impact);
    // Another provider, as for a subsidiary.
    let other = netbox.post("circuits/providers", &json!({"name": "Other", "slug": "other"}))["id"].clone();
    netbox.patch(&path, &json!({"provider": other}));
    let before = netbox.content();
    ends(&deliver(&netbox, &first), "delivered", "");
    let now = netbox.content();
    assert_eq!(now.notifications, before.notifications);
    // The function waits for no clock: impacts that were written seconds ago may be written again.
    assert_eq!(now.events, before.events);

    ends(
        &deliver(&netbox, &mail(16, "CONFIRMED", "Works on two lines")),
        "delivered",
        "Summary was set to by hand by hand",
    );
    let now = netbox.get(&path);
    let fields = ["name", "summary", "status", "end", "acknowledged", "internal_ticket", "time_zone"];
    let fields = fields.map(|key| now[key].clone());
    let expected = [
        json!("Frankfurt"),
        json!("Works on two lines"),
        json!("TENTATIVE"),
        json!("2040-01-01T00:00:00Z"),
        json!(true),
        json!("T-1"),
        json!("Asia/Tokyo"),
    ];
    assert_eq!(fields, expected);
    assert!(now["comments"].as_str().unwrap().contains("> **Conflict**: Summary was set to by hand by hand"), "{now}");

    ends(&deliver(&netbox, &mail(17, "CANCELLED", "Works on two lines")), "delivered", "Status was set to TENTATIVE");
    let now = netbox.get(&path);
    assert_eq!(
        (&now["status"], &now["name"], &now["acknowledged"]),
        (&json!("CANCELLED"), &json!("Frankfurt"), &json!(false))
    );
    assert_eq!(netbox.content().notifications.len(), 3);
    let messages = netbox.messages();
    let told = |words: &str| messages.iter().any(|message| message.starts_with(words));
    assert!(
        told("provision: a maintenance is announced; genericprovider, mail CHG-1.15@carrier.example"),
        "{messages:#?}"
    );
    assert!(told("provision: a notice; genericprovider, mail CHG-1.17@carrier.example"), "{messages:#?}");
    assert!(told("provision: the mail of an event is stored; "), "{messages:#?}");
}

#[test]
fn a_deleted_event_is_made_again_by_a_notice_that_says_something_new_and_by_no_other() {
    let Some(netbox) = NetBox::with_one_line() else { return };
    let first = mail(15, "CONFIRMED", "Works on a line");
    ends(&deliver(&netbox, &first), "delivered", "");
    let path = event(&netbox);
    netbox.patch(&path, &json!({"name": "Frankfurt"}));
    netbox.delete(&path);
    let said = "was deleted in NetBox by hand, and is not made again";
    for unchanged in [&first, &mail(16, "CONFIRMED", "Works on a line"), &mail(17, "CANCELLED", "Works on a line")] {
        ends(&deliver(&netbox, unchanged), "delivered", said);
        assert_eq!(netbox.content().events.len(), 0);
    }
    ends(&deliver(&netbox, &mail(18, "CONFIRMED", "Works on two lines")), "delivered", "");
    let now = netbox.get(&event(&netbox));
    assert_eq!((&now["name"], &now["summary"]), (&json!("CHG-1"), &json!("Works on two lines")));
    assert!(now["comments"].as_str().unwrap().contains("was deleted by hand"), "{now}");
}

#[test]
fn a_marked_event_stays_as_it_is_and_a_person_gets_what_is_new() {
    let Some(netbox) = NetBox::with_one_line() else { return };
    ends(&deliver(&netbox, &mail(15, "CONFIRMED", "Works on a line")), "delivered", "");
    netbox.post("extras/tags", &json!({"name": "provision: hands off", "slug": "provision-hands-off"}));
    let path = event(&netbox);
    let marked = netbox.patch(&path, &json!({"tags": [{"name": "provision: hands off"}]}));
    let moved = mail(16, "CANCELLED", "Works on a line");
    ends(&deliver(&netbox, &moved), "for_person", "has the mark `provision: hands off`");
    assert_eq!(netbox.get(&path), marked);
    assert_eq!(netbox.content().notifications.len(), 3, "with the event twice, and in the queue");
    netbox.patch(&path, &json!({"tags": []}));
    ends(&deliver(&netbox, &moved), "delivered", "");
    assert_eq!(netbox.get(&path)["status"], "CANCELLED");
}
