//! Tests that people's edits of a real NetBox stay, as a table: every field that people may change × every kind of notice that comes
//! afterwards. One maintenance for each pair; all of them are delivered by one run, edited, and delivered again by another one.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    notice::{DOMAIN, Notice},
    pipeline::Pipeline,
    say,
    server::{Content, EVENTS, IMPACTS, NetBox},
};
use crate::effort::Effort;

/// Seconds that a function of these tests may run. Impacts that are changed sooner after a delivery may be written again.
const TIMEOUT: u64 = 20;

/// Fields of an event, by their names in the plugin's API, and impacts by `impact CID`.
type Fields = BTreeMap<String, Value>;

/// A person's edit: the field, and its new value. Null removes an impact.
type Edit = (&'static str, Value);

/// A kind of notice that comes after the edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// A later notice that says the same.
    Unchanged,
    /// A later notice that says otherwise of every field that notices state.
    Changed,
    /// A later notice with another summary.
    Other,
    /// A later notice that cancels the maintenance.
    Cancelled,
    /// The event is renamed, too, before a notice as in `Changed` comes.
    Renamed,
    /// The event is deleted, before a notice as in `Unchanged` comes.
    Deleted,
    /// The event is deleted, before a notice as in `Changed` comes.
    DeletedAndChanged,
}

const ALL: [Then; 7] = [
    Then::Unchanged,
    Then::Changed,
    Then::Other,
    Then::Cancelled,
    Then::Renamed,
    Then::Deleted,
    Then::DeletedAndChanged,
];

impl Then {
    fn is_deleted(self) -> bool {
        matches!(self, Self::Deleted | Self::DeletedAndChanged)
    }

    /// Returns the later notice.
    fn notice(self, id: &str) -> Notice {
        let later = Notice { number: 2, ..first(id) };
        let summary = "Works on two lines".to_owned();
        match self {
            Self::Unchanged | Self::Deleted => later,
            Self::Other => Notice { summary, ..later },
            Self::Cancelled => Notice { status: "CANCELLED", ..later },
            Self::Changed | Self::Renamed | Self::DeletedAndChanged => {
                let cids = vec!["LINE-1", "LINE-2"];
                Notice { day: Some(2), status: "TENTATIVE", summary, cids, impact: "DEGRADED", ..later }
            }
        }
    }
}

fn first(id: &str) -> Notice {
    Notice { day: Some(1), ..Notice::new(id) }
}

/// Returns the fields that a notice states.
fn stated(notice: &Notice) -> Fields {
    let time = |seconds: i64| json!(jiff::Timestamp::from_second(seconds).unwrap().to_string());
    let mut fields: Fields = [
        ("status", json!(notice.status)),
        ("start", time(notice.start())),
        ("end", time(notice.start() + 3_600)),
        ("summary", json!(notice.summary)),
        ("time_zone", json!("UTC")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    fields.extend(notice.cids.iter().map(|cid| (format!("impact {cid}"), json!(notice.impact))));
    fields
}

/// Returns one edit of every field that a person may change, and every edit of an impact. `docs/netbox.md` has the table of fields.
fn edits(netbox: &NetBox, provider: i64, tag: i64) -> Vec<Edit> {
    let mut edits = vec![
        ("impact LINE-1", json!("REDUCED-REDUNDANCY")),
        ("impact LINE-1", Value::Null),
        ("impact LINE-2", json!("NO-IMPACT")),
        ("impact LINE-3", json!("OUTAGE")),
        ("status", json!("IN-PROCESS")),
        ("start", json!("2030-03-01T00:00:00Z")),
        ("end", json!("2040-01-01T00:00:00Z")),
        ("summary", json!("by hand")),
        ("time_zone", json!("Asia/Tokyo")),
        ("acknowledged", json!(true)),
        ("internal_ticket", json!("T-1")),
        ("name", json!("Frankfurt")),
        ("provider", json!(provider)),
        ("tags", json!([tag])),
        ("comments", json!("Ask Kim first.")),
    ];
    if !netbox.has_queue() {
        edits.retain(|(field, _)| *field != "time_zone");
    }
    edits
}

/// One maintenance of the table.
struct Cell {
    id: String,
    edit: Edit,
    then: Then,
}

impl Cell {
    fn name(&self) -> String {
        if self.edit.0 == "name" || self.then == Then::Renamed {
            format!("Frankfurt {}", self.id)
        } else {
            self.id.clone()
        }
    }

    /// Returns what must stand in NetBox at the end; nothing if no event must stand there.
    fn expected(&self) -> Option<Fields> {
        let (said, says) = (stated(&first(&self.id)), stated(&self.then.notice(&self.id)));
        let mut stands = said.clone();
        let hand = [("acknowledged", json!(false)), ("internal_ticket", json!("")), ("name", json!(self.id))];
        stands.extend(hand.map(|(name, value)| (name.to_owned(), value)));
        if self.then == Then::Deleted {
            return None;
        }
        if self.then.is_deleted() {
            stands.extend(says);
            return Some(stands);
        }
        let (field, value) = &self.edit;
        stands.insert((*field).to_owned(), value.clone());
        stands.insert("name".to_owned(), json!(self.name()));
        let fields: BTreeSet<&String> = said.keys().chain(says.keys()).collect();
        for field in fields.into_iter().filter(|field| said.get(*field) != says.get(*field)) {
            stands.insert(field.clone(), says.get(field).cloned().unwrap_or_default());
        }
        let moves = |field: &str| said.get(field) != says.get(field) && self.edit.0 != field;
        if self.edit.0 == "acknowledged" && ["status", "start", "end"].iter().any(|field| moves(field)) {
            stands.insert("acknowledged".to_owned(), json!(false));
        }
        stands.retain(|_, value| !value.is_null());
        Some(stands)
    }

    /// Makes the person's edits of its event.
    fn edit(&self, netbox: &NetBox, content: &Content, circuits: &BTreeMap<String, i64>) {
        let event = content.events.iter().find(|event| event["name"] == self.id.as_str());
        let event = event.unwrap_or_else(|| panic!("no event {}", self.id));
        let path = format!("{EVENTS}/{}", event["id"]);
        let (field, value) = &self.edit;
        match field.strip_prefix("impact ") {
            Some(cid) => {
                let is_it = |impact: &&Value| {
                    impact["circuitmaintenance"]["id"] == event["id"] && impact["circuit"]["cid"] == cid
                };
                let stored = content.impacts.iter().find(is_it).map(|impact| format!("{IMPACTS}/{}", impact["id"]));
                match stored {
                    Some(path) if value.is_null() => netbox.delete(&path),
                    Some(path) => drop(netbox.patch(&path, &json!({"impact": value}))),
                    None => {
                        let impact =
                            json!({"circuitmaintenance": event["id"], "circuit": circuits[cid], "impact": value});
                        netbox.post(IMPACTS, &impact);
                    }
                }
            }
            None if *field == "comments" => {
                let text = format!("{}\n\n{}", value.as_str().unwrap(), event["comments"].as_str().unwrap());
                netbox.patch(&path, &json!({"comments": text}));
            }
            None if *field == "name" => {}
            None => drop(netbox.patch(&path, &json!({*field: value}))),
        }
        if self.name() != self.id {
            netbox.patch(&path, &json!({"name": self.name()}));
        }
        if self.then.is_deleted() {
            netbox.delete(&path);
        }
    }

    /// Returns how NetBox differs from what must stand there.
    fn wrong(&self, content: &Content) -> Vec<String> {
        let names = [json!(self.id), json!(self.name())];
        let events: Vec<&Value> = content.events.iter().filter(|event| names.contains(&event["name"])).collect();
        let Some(mut expected) = self.expected() else {
            return events.iter().map(|event| format!("{} was made again", event["name"])).collect();
        };
        let [event] = events[..] else { return vec![format!("{} events", events.len())] };
        // Until 0.8 the plugin had no time zones.
        expected.retain(|field, _| field != "time_zone" || event.get(field).is_some());
        let mut found: Fields = content
            .impacts
            .iter()
            .filter(|impact| impact["circuitmaintenance"]["id"] == event["id"])
            .map(|impact| (format!("impact {}", impact["circuit"]["cid"].as_str().unwrap()), plain(&impact["impact"])))
            .collect();
        let of_event = expected.keys().filter(|field| event.get(field.as_str()).is_some());
        found.extend(of_event.map(|field| (field.clone(), plain(&event[field.as_str()]))));
        let text = event["comments"].as_str().unwrap_or_default();
        if let Some(words) = expected.get("comments").and_then(Value::as_str) {
            found.insert("comments".to_owned(), json!(if text.contains(words) { words } else { text }));
        }
        let fields: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
        let differs = fields.into_iter().filter(|field| expected.get(*field) != found.get(*field));
        differs.map(|field| format!("{field}: {:?}, expected {:?}", found.get(field), expected.get(field))).collect()
    }
}

/// Returns a field's value as it is written: a choice's value, the id of what is referred to.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(object) => object.get("value").or_else(|| object.get("id")).cloned().unwrap_or_default(),
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}

#[test]
fn every_edit_stands_as_every_notice_leaves_it() {
    let Some(netbox) = NetBox::find() else { return };
    netbox.empty();
    let lines = ["LINE-1", "LINE-2", "LINE-3"].map(str::to_owned);
    netbox.fill(&[(DOMAIN.to_owned(), lines.into()), ("subsidiary".to_owned(), BTreeSet::new())].into());
    let id = |found: &Value| found["id"].as_i64().unwrap();
    let circuits: BTreeMap<String, i64> =
        netbox.all("circuits/circuits").iter().map(|one| (one["cid"].as_str().unwrap().to_owned(), id(one))).collect();
    let providers = netbox.all("circuits/providers");
    let subsidiary = id(providers.iter().find(|one| one["name"] == "subsidiary").unwrap());
    let tag = netbox.all("extras/tags").iter().find(|tag| tag["slug"] == "by-hand").map(id);
    let tag = tag.unwrap_or_else(|| id(&netbox.post("extras/tags", &json!({"name": "by hand", "slug": "by-hand"}))));

    let table = edits(&netbox, subsidiary, tag).into_iter().enumerate();
    let cells = table.flat_map(|(row, edit)| {
        ALL.into_iter().enumerate().map(move |(column, then)| Cell {
            id: format!("CHG-{row}-{column}"),
            edit: edit.clone(),
            then,
        })
    });
    // Steps that share no factor with the number of notices reach every edit and every notice.
    let cells: Vec<Cell> = cells.step_by(Effort::asked().of(8, 5, 1)).collect();
    let pipeline = Pipeline::new(&netbox.url, netbox.token(""), DOMAIN).with_timeout(TIMEOUT);
    let write = |kind: &str, mail: &dyn Fn(&Cell) -> String| -> Vec<_> {
        cells.iter().map(|cell| pipeline.mail(&format!("{}-{kind}.eml", cell.id), mail(cell))).collect()
    };
    for mail in pipeline.deliver(&write("first", &|cell| first(&cell.id).mail())).mails {
        assert_eq!(mail["outcome"], "delivered", "{mail}");
    }
    let delivered = Instant::now();
    thread::sleep(Duration::from_secs(TIMEOUT + 11).saturating_sub(delivered.elapsed()));
    let content = netbox.content();
    for cell in &cells {
        cell.edit(&netbox, &content, &circuits);
    }
    for mail in pipeline.deliver(&write("later", &|cell| cell.then.notice(&cell.id).mail())).mails {
        assert_eq!(mail["outcome"], "delivered", "{mail}");
    }
    let content = netbox.content();
    let wrong: Vec<String> = cells
        .iter()
        .flat_map(|cell| {
            let wrong = cell.wrong(&content).into_iter();
            wrong
                .map(move |wrong| format!("{} {:?}, then {:?}: {wrong}", cell.id, cell.edit, cell.then))
                .collect::<Vec<_>>()
        })
        .collect();
    say(&format!(
        "NetBox, people's edits, {}: {} pairs of an edit and a notice, {} wrong",
        Effort::asked(),
        cells.len(),
        wrong.len()
    ));
    assert_eq!(wrong, [""; 0]);
}
