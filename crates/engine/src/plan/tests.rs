//! Tests what the action on one resource means for others, over kinds with ids, parts and durations.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::{Field, Holds, Live, Owned, Owner, Read, immutable, plain};

/// A kind for each relation between resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
enum Sort {
    /// AWS chooses its id, which alarms contain.
    Gate,
    /// AWS chooses its id, which alarms contain.
    Server,
    /// Contains ids of gates and servers.
    Alarm,
    /// A part of a server.
    Part,
}

const ENDING: Slow = Slow { seconds: 300, why: "it ends slowly" };

impl Kind for Sort {
    type Session = ();
    type Settings = Value;

    fn all() -> &'static [Self] {
        &[Self::Gate, Self::Server, Self::Alarm, Self::Part]
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Server => "server",
            Self::Alarm => "alarm",
            Self::Part => "part",
        }
    }

    fn fields(self) -> &'static [Field] {
        const FIELDS: &[Field] =
            &[immutable("image", "it is fixed"), plain("one"), plain("other"), plain("threshold"), plain("list")];
        FIELDS
    }

    fn refers_to(self) -> &'static [Self] {
        match self {
            Self::Gate | Self::Server => &[],
            Self::Alarm | Self::Part => &[Self::Gate, Self::Server],
        }
    }

    fn holds(self, _: &str) -> Holds {
        Holds::Nothing
    }

    crate::planned::planned_only!();

    fn interruption(self) -> Option<Duration> {
        (self != Self::Alarm).then_some(Duration::from_mins(3))
    }

    fn stands_for_id(self) -> Option<String> {
        matches!(self, Self::Gate | Self::Server).then(|| format!("(id of {} ", self.name()))
    }

    fn ends_in(self) -> Option<Slow> {
        (self == Self::Server).then_some(ENDING)
    }
}

/// Returns a declared resource whose address is named like its entry.
fn declared(kind: Sort, entry: &str, settings: Value, after: &[(Sort, &str)]) -> Resource<Sort> {
    Resource {
        id: Id::new(kind, entry),
        address: Address::of(entry),
        settings,
        after: after.iter().map(|(kind, entry)| Id::new(*kind, *entry)).collect(),
        moved_from: None,
        protections: Vec::new(),
    }
}

/// Returns the plan of declared resources, each with its live settings.
fn plan(resources: &[(Resource<Sort>, Value)]) -> Plan<Sort> {
    let mut survey = Survey::default();
    for (resource, live) in resources {
        let live = Live { settings: live.clone(), owner: Owner::Ours };
        survey.read.insert((resource.id.kind, resource.address.clone()), Read::Present(live));
    }
    let declared: Vec<_> = resources.iter().map(|(resource, _)| resource.clone()).collect();
    Plan::new(&declared, &survey).unwrap()
}

fn item<'plan>(plan: &'plan Plan<Sort>, kind: Sort, entry: &str) -> &'plan Item<Sort> {
    plan.items().iter().find(|item| item.id == Id::new(kind, entry)).unwrap()
}

/// Returns the paths that a change writes, each with its declared value.
fn changes(item: &Item<Sort>) -> Vec<(&str, String)> {
    let Action::Change { differences } = &item.action else { return Vec::new() };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    differences.iter().map(|difference| (difference.path.as_str(), text(&difference.declared))).collect()
}

fn replaced(kind: Sort) -> (Resource<Sort>, Value) {
    (declared(kind, "a", json!({"image": "new"}), &[]), json!({"image": "old"}))
}

#[test]
fn the_id_of_a_replaced_resource_is_written_anew_wherever_a_resource_contains_it() {
    let id = |entry: &str| format!("(id of server {entry})");
    let (gate, server, kept) = ((Sort::Gate, "a"), (Sort::Server, "a"), (Sort::Server, "kept"));
    let cases = [
        // Live settings, declared ones, what the alarm waits for, and the paths that are written.
        ("alone", json!({"one": id("a")}), json!({"one": id("a")}), vec![server], vec!["one"]),
        ("after another id", json!({"one": id("a")}), json!({"one": id("a")}), vec![gate, server], vec!["one"]),
        ("in a list", json!({"list": [id("a"), 1]}), json!({"list": [id("a"), 1]}), vec![server], vec!["list"]),
        (
            "with a change of its own",
            json!({"one": id("a"), "threshold": 1}),
            json!({"one": id("a"), "threshold": 2}),
            vec![server],
            vec!["one", "threshold"],
        ),
        ("without an id", json!({"one": "fixed"}), json!({"one": "fixed"}), vec![server], vec![]),
        ("of what stays", json!({"one": id("kept")}), json!({"one": id("kept")}), vec![kept], vec![]),
    ];
    for (entry, live, desired, after, expected) in cases {
        let alarm = declared(Sort::Alarm, entry, desired, &after);
        let kept = (declared(Sort::Server, "kept", json!({}), &[]), json!({}));
        let plan = plan(&[replaced(Sort::Gate), replaced(Sort::Server), kept, (alarm, live)]);
        let alarm = item(&plan, Sort::Alarm, entry);
        let changes = changes(alarm);
        assert_eq!(changes.iter().map(|(path, _)| *path).collect::<Vec<_>>(), expected, "{entry}");
        let is_new = |(path, value): &(&str, String)| *path == "threshold" || value == "(id of the new server a)";
        assert!(changes.iter().all(is_new), "{entry}: {changes:?}");
        let follows = expected.iter().any(|path| *path != "threshold");
        assert_eq!(alarm.follows, follows, "{entry}");
        assert_eq!(alarm.unchanged_fields, if follows { 5 - expected.len() } else { 0 }, "{entry}");
    }
}

#[test]
fn a_part_of_what_is_replaced_is_created_anew_and_tells_of_no_interruption_of_its_own() {
    let mut part = declared(Sort::Part, "part", json!({"image": "new"}), &[(Sort::Server, "a")]);
    part.address.container = Some("a".to_owned());
    let live = json!({"image": "old"});
    let plan_of = |server| plan(&[server, (part.clone(), live.clone())]);
    let alone = plan_of((declared(Sort::Server, "a", json!({}), &[]), json!({})));
    assert_eq!(item(&alone, Sort::Part, "part").interrupts, Some(180));
    let with_whole = plan_of(replaced(Sort::Server));
    assert_eq!(
        item(&with_whole, Sort::Server, "a").interrupts,
        Some(ENDING.seconds),
        "its end takes longer than 180 s"
    );
    let part = item(&with_whole, Sort::Part, "part");
    assert_eq!((&part.action, part.interrupts), (&Action::Create, None));
    assert_eq!(part.renewed_with, Some(Id::new(Sort::Server, "a")));
}

#[test]
fn a_deletion_that_takes_minutes_says_so() {
    let mut survey = Survey::default();
    for kind in [Sort::Server, Sort::Alarm] {
        survey.owned.entry(kind).or_default().insert(Owned::new("gone", Address::of("gone")));
    }
    let plan = Plan::new(&[], &survey).unwrap();
    for (kind, slow) in [(Sort::Server, Some(ENDING)), (Sort::Alarm, None)] {
        let item = item(&plan, kind, "gone");
        assert_eq!((&item.action, item.slow), (&Action::Delete, slow), "{kind:?}");
    }
}
