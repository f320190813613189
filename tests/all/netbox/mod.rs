//! Tests what reaches a real NetBox, started by `tests/netbox/start.sh`, through the real function as `provision dev` runs it.

mod at_once;
mod chaos;
mod check;
mod circuits;
mod corpus;
mod edit_table;
mod edits;
mod identity;
mod notice;
mod outcomes;
mod pipeline;
mod proxy;
mod server;
mod tls;
mod whole;

use serde_json::json;

use server::{Event, NetBox};

/// Prints figures, and what is not run.
#[expect(clippy::print_stdout, reason = "figures, and what is not run")]
fn say(line: &str) {
    println!("{line}");
}

#[test]
fn the_harness_empties_fills_and_reads() {
    let Some(netbox) = NetBox::find() else { return };
    netbox.empty();
    netbox.fill(&[("carrier".to_owned(), ["C-1".to_owned(), "C-2".to_owned()].into())].into());
    let event = json!({
        "name": "CHG-1", "summary": "Works", "status": "CONFIRMED", "provider": 1,
        "start": "2027-01-01T07:00:00Z", "end": "2027-01-01T09:00:00Z",
    });
    let id = netbox.post(server::EVENTS, &event)["id"].clone();
    netbox.post(server::IMPACTS, &json!({"circuitmaintenance": id, "circuit": 2, "impact": "OUTAGE"}));
    let content = netbox.content();
    let expected = Event {
        provider: "carrier".to_owned(),
        name: "CHG-1".to_owned(),
        status: "CONFIRMED".to_owned(),
        start: 1_798_786_800,
        end: 1_798_794_000,
        summary: "Works".to_owned(),
        impacts: [("C-2".to_owned(), "OUTAGE".to_owned())].into(),
    };
    assert_eq!(content.events(), [expected]);
    assert_eq!(netbox.content(), content, "reading changes nothing");
    netbox.empty_of_events();
    assert_eq!((netbox.content().events.len(), netbox.content().notifications.len()), (0, 0));
}
