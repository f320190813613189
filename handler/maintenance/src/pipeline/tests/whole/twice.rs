//! Tests that a mail which two rules store and hand over, as between two declarations, is in every sink once.

use std::collections::BTreeSet;

use super::*;

/// Returns the different values of a key of JSON documents.
fn different(documents: &[Value], key: &str) -> BTreeSet<String> {
    documents.iter().map(|document| document[key].to_string()).collect()
}

#[test]
fn a_mail_that_two_rules_hand_over_is_in_every_sink_once() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let sinks = [One::Lines, One::Webhook(100_000_000), One::Calendar(true), One::NetBox(true)];
    for (is_notice, deletes, sink) in every(sinks) {
        let case = Case {
            is_notice,
            has_id: true,
            parts: vec![Part::Text(30), Part::File(vec![1; 100])],
            sinks: vec![sink],
            deletion: Deletion { processed: deletes, unknown: deletes },
            failing: "",
            times: 2,
            rules: 2,
        };
        let left = runtime.block_on(run_case(&case));
        let what = format!("{sink:?}, notice {is_notice}, deletes {deletes}");
        let reports = |kind: &str| left.log.iter().filter(|line| line["report"] == kind).cloned().collect::<Vec<_>>();
        let outcomes: Vec<_> = reports("item").iter().map(|line| line["outcome"].clone()).collect();
        let expected = if is_notice { "delivered" } else { "for_person" };
        assert_eq!(outcomes, [expected, expected], "{what}");
        match sink {
            One::Lines => assert_eq!(different(&reports("output"), "mail").len(), 1, "{what}"),
            One::Webhook(_) => {
                let sent: Vec<Value> = left.documents.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
                assert_eq!((sent.len(), different(&sent, "id").len()), (2, 1), "{what}");
            }
            One::Calendar(_) => {
                let kept = |beginning: &str| left.buckets.keys().filter(|key| key.starts_with(beginning)).count();
                assert_eq!(
                    kept("kept/unmatched/m"),
                    if is_notice { 0 } else { 2 },
                    "{what}: the mail, and what is said of it"
                );
                let calendar = left.buckets.iter().find(|(key, _)| key.starts_with("kept/calendar/"));
                let entries =
                    calendar.map_or(0, |(_, text)| String::from_utf8_lossy(text).matches("BEGIN:VEVENT").count());
                assert_eq!(entries, usize::from(is_notice), "{what}");
            }
            One::NetBox(_) => assert_eq!(left.bodies.len(), 1, "{what}: {:#?}", left.bodies),
        }
    }
}

/// Returns every sink, with every kind of mail, where mails may be deleted and where not.
fn every(sinks: [One; 4]) -> impl Iterator<Item = (bool, bool, One)> {
    let both = [true, false];
    both.into_iter()
        .flat_map(move |is_notice| both.map(|deletes| (is_notice, deletes)))
        .flat_map(move |(is_notice, deletes)| sinks.map(|sink| (is_notice, deletes, sink)))
}
