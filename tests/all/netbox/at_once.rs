//! Tests deliveries at the same instant: a proxy holds every creation of an event until all writers have requested it, so that the
//! race in which each creates one happens every time.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    notice::{DOMAIN, Notice},
    pipeline::Pipeline,
    proxy::Proxy,
    say,
    server::{Content, NetBox},
};
use crate::effort::Effort;

/// Number of concurrent pipelines.
const PIPELINES: usize = 8;

/// Returns whether all pipelines deliver the same mail: in every other maintenance; else each delivers another notice of it.
fn is_one_mail(round: usize) -> bool {
    round.is_multiple_of(2)
}

fn notice(round: usize, pipeline: usize) -> Notice {
    let number = if is_one_mail(round) { 1 } else { u32::try_from(pipeline).unwrap() + 1 };
    Notice { number, ..Notice::new(format!("CHG-{round:03}")) }
}

#[test]
fn eight_deliveries_at_once_make_one_event_with_the_newest_state_and_store_each_mail_once() {
    let Some(netbox) = NetBox::find() else { return };
    let rounds = Effort::asked().of(2, 3, 50);
    netbox.empty();
    netbox.fill(&[(DOMAIN.to_owned(), ["LINE-1".to_owned()].into())].into());
    let proxy = Proxy::gathering(&netbox.url, PIPELINES);
    let running: Vec<_> = (0..PIPELINES)
        .map(|number| {
            let pipeline = Pipeline::new(&proxy.url, netbox.token(""), DOMAIN);
            let mails: Vec<_> =
                (0..rounds).map(|round| pipeline.mail(&format!("{round}.eml"), notice(round, number).mail())).collect();
            let delivery = pipeline.start(&mails, "1");
            (pipeline, delivery)
        })
        .collect();
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    let mut reasons = Vec::new();
    for (_pipeline, delivery) in running {
        for mail in delivery.end().mails {
            *outcomes.entry(mail["outcome"].as_str().unwrap_or("none").to_owned()).or_default() += 1;
            reasons.extend(mail["reason"].as_str().map(str::to_owned));
        }
    }
    let content = netbox.content();
    let made_way = content.events().iter().filter(|event| event.name.contains("(duplicate ")).count();
    let wrong: Vec<_> = (0..rounds).flat_map(|round| wrong(round, &content)).collect();
    say(&format!(
        "NetBox, {PIPELINES} deliveries at once, {}: {rounds} maintenances, {outcomes:?}, {made_way} events made at the same time and \
         merged, {} notifications, {} wrong",
        Effort::asked(),
        content.notifications.len(),
        wrong.len(),
    ));
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), reasons.join("\n"));
    assert_eq!(outcomes, [("delivered".to_owned(), PIPELINES * rounds)].into(), "{}", reasons.join("\n"));
    assert!(made_way >= rounds, "the race did not happen");
}

/// Returns the faults of a maintenance's events.
fn wrong(round: usize, content: &Content) -> Vec<String> {
    let newest = notice(round, PIPELINES - 1);
    let mut wrong = Vec::new();
    let events: Vec<_> = content.events.iter().filter(|event| event["name"] == newest.id.as_str()).collect();
    let [event] = &events[..] else { return vec![format!("{}: {} events", newest.id, events.len())] };
    let told = content.events();
    let told = told.iter().find(|event| event.name == newest.id).unwrap();
    let impacts = [("LINE-1".to_owned(), "OUTAGE".to_owned())].into();
    if (told.start, told.status.as_str(), &told.impacts) != (newest.start(), "CONFIRMED", &impacts) {
        wrong.push(format!("{told:?} is not the newest"));
    }
    let subjects: BTreeSet<_> = (0..PIPELINES).map(|pipeline| notice(round, pipeline).subject()).collect();
    for subject in subjects {
        let found = content.notifications.iter().filter(|mail| mail["subject"] == subject.as_str());
        let of: Vec<_> = found.map(|mail| mail["circuitmaintenance"]["id"].clone()).collect();
        if of != [event["id"].clone()] {
            wrong.push(format!("{subject} is with events {of:?}, not once with {}", event["id"]));
        }
    }
    wrong
}
