//! Tests that the comparison of every kind proves itself: recorded answers of AWS, as files below `shapes/KIND`, go through the kind's own
//! `read`. Each compares clean against the settings that made it, and with every single managed field changed it does not.
//!
//! A folder has these files:
//!
//! - `NAME.settings.json`: settings that a declaration comes to. Fields that have no value are left out.
//! - `NAME.shape`: the kind, the address, the settings and the source in its head; then each call with its status and its answer. The
//!   answers of calls that are left out are those of `shapes/absent`: there is nothing.
//! - `changes`: for each field a call and a part of its answer in `whole.shape`, and what stands in its place when the field was changed.
//!   A line break in a part is written `\n`; the part `*` is the whole answer, with its status.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "shapes/cbor.rs"]
mod cbor;
#[path = "shapes/recorded.rs"]
mod recorded;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use engine::{Address, Kind as _, Treatment, difference::differences};
use kinds::Kind;
use recorded::{Answer, Answers, session};
use serde_json::Value;

/// The folder of a kind, read.
struct Folder {
    kind: Kind,
    path: PathBuf,
    settings: BTreeMap<String, Value>,
    shapes: BTreeMap<String, Shape>,
    changes: Vec<Change>,
}

/// Recorded answers about one resource.
#[derive(Debug, Clone)]
struct Shape {
    address: Address,
    /// Name of the settings that made it.
    settings: String,
    answers: Answers,
}

/// A change behind our back, as it shows in an answer.
struct Change {
    field: String,
    call: String,
    from: String,
    to: String,
}

/// How many changes there were, and how many of them were seen.
#[derive(Default)]
struct Seen {
    seen: usize,
    all: usize,
}

impl Seen {
    fn count(&mut self, is_seen: bool) {
        self.all += 1;
        self.seen += usize::from(is_seen);
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shapes")
}

/// Returns the name of a kind's folder.
fn folder_of(kind: Kind) -> PathBuf {
    root().join(
        kind.name()
            .replace(' ', "-")
            .replace("receipt-rule-order", "receipt-order")
            .replace("active-rule-set", "activation"),
    )
}

impl Folder {
    /// Reads the folder of a kind; fails if there is none.
    fn read(kind: Kind) -> Self {
        let path = folder_of(kind);
        assert!(path.is_dir(), "a {} has no shapes: make `{}`", kind.name(), path.display());
        let mut folder =
            Self { kind, path: path.clone(), settings: BTreeMap::new(), shapes: BTreeMap::new(), changes: Vec::new() };
        for entry in fs::read_dir(&path).unwrap() {
            let path = entry.unwrap().path();
            let (name, text) = (path.file_name().unwrap().to_str().unwrap(), fs::read_to_string(&path).unwrap());
            if let Some(name) = name.strip_suffix(".settings.json") {
                folder.settings.insert(name.to_owned(), serde_json::from_str(&text).unwrap());
            } else if let Some(name) = name.strip_suffix(".shape") {
                folder.shapes.insert(name.to_owned(), shape(kind, &path, &text));
            } else {
                assert_eq!(name, "changes", "{}", path.display());
                folder.changes = changes(&text);
            }
        }
        folder
    }

    /// Returns how the live settings of a shape differ from settings: paths, and `gone` if the resource was not found.
    async fn differences(&self, shape: &Shape, settings: &Value) -> Result<Vec<String>, String> {
        let session = session(&shape.answers);
        let live = self.kind.read(&session, &shape.address).await;
        let unlisted = shape.answers.unlisted();
        assert!(
            unlisted.is_empty(),
            "add to `shapes/absent` what these calls answer where there is nothing: {unlisted:?}"
        );
        let live = live.map_err(|failure| failure.to_string())?;
        let Some(live) = live else { return Ok(vec!["gone".to_owned()]) };
        Ok(differences(&live.settings.tree(), settings).into_iter().map(|difference| difference.path).collect())
    }
}

fn shape(kind: Kind, path: &Path, text: &str) -> Shape {
    let (head, calls) = text.split_once("\n== ").unwrap();
    let head: BTreeMap<&str, &str> = head.lines().filter_map(|line| line.split_once(": ")).collect();
    assert_eq!(
        head.keys().copied().collect::<Vec<_>>(),
        ["address", "kind", "settings", "source"],
        "{}",
        path.display()
    );
    assert_eq!(head["kind"], kind.name(), "{}", path.display());
    let address = match head["address"].split_once(' ') {
        Some((container, name)) => Address::within(container, name),
        None => Address::of(head["address"]),
    };
    let answers = calls.split("\n== ").map(|call| {
        let (line, body) = call.split_once('\n').unwrap();
        let (call, answer) = line.split_once(' ').unwrap();
        (call.to_owned(), Answer::new(answer, body.trim()))
    });
    Shape { address, settings: head["settings"].to_owned(), answers: Answers::new(answers) }
}

fn changes(text: &str) -> Vec<Change> {
    let blocks = text.split("\n\n").filter(|block| !block.trim().is_empty());
    let change = |block: &str| {
        let lines: Vec<&str> = block.trim().lines().collect();
        let [head, from, to] = lines[..] else { panic!("{block}") };
        let (field, call) = head.split_once(" in ").unwrap();
        let part = |line: &str, mark: &str| line.strip_prefix(mark).unwrap().replace("\\n", "\n");
        Change { field: field.to_owned(), call: call.to_owned(), from: part(from, "- "), to: part(to, "+ ") }
    };
    blocks.map(change).collect()
}

/// Returns whether a path is one that may show when a field was changed: its own, or that of a field that AWS changes together with it.
fn may_show(kind: Kind, field: &str, path: &str) -> bool {
    let fields = kind.fields().iter().filter(|one| one.path == field);
    fields.into_iter().any(|one| {
        let set = if let Treatment::Coupled(set) = one.treatment { set } else { &[] };
        one.covers(path) || set.contains(&path)
    })
}

/// Returns each leaf of settings changed, with its path.
fn changed(settings: &Value) -> Vec<(String, Value)> {
    fn go(path: &str, at: &Value, rebuilt: &dyn Fn(Value) -> Value, found: &mut Vec<(String, Value)>) {
        let other = match at {
            Value::Object(object) if !object.is_empty() => {
                for (key, value) in object {
                    let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    let rebuilt = |value: Value| {
                        let mut object = object.clone();
                        object.insert(key.clone(), value);
                        rebuilt(Value::Object(object))
                    };
                    go(&below, value, &rebuilt, found);
                }
                return;
            }
            Value::Bool(one) => Value::from(!one),
            Value::Number(number) => Value::from(number.as_f64().unwrap() + 1.0),
            Value::String(text) => Value::from(format!("{text}-other")),
            Value::Array(items) => Value::from([&items[..], &[Value::from("other")]].concat()),
            Value::Null | Value::Object(_) => Value::from("other"),
        };
        found.push((path.to_owned(), rebuilt(other)));
    }
    let mut found = Vec::new();
    go("", settings, &|value| value, &mut found);
    found.retain(|(path, _)| !path.is_empty());
    found
}

#[tokio::test]
async fn every_shape_compares_clean_and_with_one_change_it_does_not() {
    let (mut shapes, mut clean, mut settings_seen, mut answers_seen) = (0, 0, Seen::default(), Seen::default());
    let mut faults: Vec<String> = Vec::new();
    for kind in Kind::ALL {
        let folder = Folder::read(*kind);
        let place = |name: &str| folder.path.join(name).display().to_string();
        let used: BTreeSet<&str> = folder.shapes.values().map(|shape| shape.settings.as_str()).collect();
        assert_eq!(used, folder.settings.keys().map(String::as_str).collect(), "{}", place("*.settings.json"));
        for (name, shape) in &folder.shapes {
            shapes += 1;
            let settings = &folder.settings[&shape.settings];
            match folder.differences(shape, settings).await {
                Ok(paths) if paths.is_empty() => clean += 1,
                other => faults.push(format!("{}: not clean: {other:?}", place(name))),
            }
            for (path, changed) in changed(settings) {
                let found = folder.differences(shape, &changed).await;
                let is_seen = found == Ok(vec![path.clone()]);
                settings_seen.count(is_seen);
                if !is_seen {
                    faults.push(format!("{}: another {path} shows as {found:?}", place(name)));
                }
            }
        }
        for field in kind.fields() {
            if !folder.changes.iter().any(|change| change.field == field.path) {
                faults.push(format!("{}: no change of {}", place("changes"), field.path));
            }
        }
        for Change { field, call, from, to } in &folder.changes {
            let whole = &folder.shapes["whole"];
            let shape = Shape { answers: whole.answers.with(call, from, to), ..whole.clone() };
            let found = folder.differences(&shape, &folder.settings[&whole.settings]).await;
            let is_seen = found
                .as_ref()
                .is_ok_and(|paths| !paths.is_empty() && paths.iter().all(|path| may_show(*kind, field, path)));
            answers_seen.count(is_seen);
            if !is_seen {
                faults.push(format!("{}: {field}, `{from}` to `{to}` in {call}, shows as {found:?}", place("changes")));
            }
        }
    }
    println!(
        "{} kinds, {shapes} shapes: {clean} clean; {} of {} other settings and {} of {} other answers seen",
        Kind::ALL.len(),
        settings_seen.seen,
        settings_seen.all,
        answers_seen.seen,
        answers_seen.all,
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_folder_is_of_a_kind_that_does_not_exist() {
    let known: BTreeSet<PathBuf> = Kind::ALL.iter().map(|kind| folder_of(*kind)).collect();
    let there = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let unknown: Vec<PathBuf> = there.filter(|path| !known.contains(path)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
