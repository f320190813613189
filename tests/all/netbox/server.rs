//! The NetBox that `tests/netbox/start.sh` has started: tests empty it, fill it and read it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use super::notice::DOMAIN;

pub(crate) const EVENTS: &str = "plugins/maintenance/circuitmaintenance";
pub(crate) const IMPACTS: &str = "plugins/maintenance/circuitmaintenanceimpact";
const NOTIFICATIONS: &str = "plugins/maintenance/circuitmaintenancenotifications";

/// CIDs of each provider's circuits.
pub(crate) type Circuits = BTreeMap<String, BTreeSet<String>>;

/// A running NetBox, for one test at a time.
pub(crate) struct NetBox {
    pub(crate) url: String,
    variables: BTreeMap<String, String>,
    folder: PathBuf,
    plugin: String,
    agent: ureq::Agent,
    _one_test_at_a_time: File,
}

impl NetBox {
    /// Returns the NetBox that was started, with the carrier of [`DOMAIN`] and one line of it alone.
    pub(crate) fn with_one_line() -> Option<Self> {
        let netbox = Self::find()?;
        netbox.empty();
        netbox.fill(&[(DOMAIN.to_owned(), ["LINE-1".to_owned()].into())].into());
        Some(netbox)
    }

    /// Returns the NetBox that was started. Without one a test has nothing to do, and says so; with `netbox` in
    /// `PROVISION_REQUIRE` that is a failure.
    pub(crate) fn find() -> Option<Self> {
        let plugin = std::env::var("NETBOX_TEST_PLUGIN").unwrap_or_else(|_| "circuitmaintenance".to_owned());
        let file = folder().join(&plugin).join("environment");
        let Ok(environment) = fs::read_to_string(&file) else { return absent("none was started") };
        let variables: BTreeMap<String, String> = environment
            .lines()
            .filter_map(|line| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
            .collect();
        let lock = File::create(folder().join("test.lock")).unwrap();
        lock.lock().unwrap();
        let timeout = Some(Duration::from_mins(1));
        let agent = ureq::config::Config::builder().http_status_as_error(false).timeout_global(timeout);
        // Its server closes what is idle: a request on a kept connection may come a moment too late.
        let agent = agent.max_idle_connections(0).build();
        let url = variables["NETBOX_URL"].clone();
        let agent = agent.into();
        let netbox = Self { url, variables, folder: folder(), plugin, agent, _one_test_at_a_time: lock };
        match netbox.agent.get(format!("{}/api/", netbox.url)).header("Authorization", netbox.authorization()).call() {
            Ok(_) => Some(netbox),
            Err(error) => absent(&format!("{} does not answer: {error}", netbox.url)),
        }
    }

    /// Returns a token of `start.sh`: `""` is the function's own, with the least rights; `V2`, `ADMIN`, `READ_ONLY`,
    /// `NO_RIGHTS`, and `WITHOUT_MODEL` for the function's rights without those on one model.
    pub(crate) fn token(&self, name: &str) -> &str {
        let variable = if name.is_empty() { "NETBOX_TOKEN".to_owned() } else { format!("NETBOX_TOKEN_{name}") };
        &self.variables[&variable]
    }

    fn authorization(&self) -> String {
        format!("Token {}", self.token("ADMIN"))
    }

    /// Returns whether its plugin takes mails without an event: until 0.8 it did not.
    pub(crate) fn has_queue(&self) -> bool {
        self.plugin == "circuitmaintenance"
    }

    /// Removes events, circuits and providers.
    pub(crate) fn empty(&self) {
        self.script("reset.sh", &[]);
    }

    /// Removes all events from NetBox.
    pub(crate) fn empty_of_events(&self) {
        self.script("reset.sh", &["--events"]);
    }

    /// Runs one of the scripts beside `start.sh` on this NetBox.
    fn script(&self, name: &str, arguments: &[&str]) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/netbox").join(name);
        let output = Command::new(&path).args(arguments).env("NETBOX_TEST_DIR", &self.folder).output().unwrap();
        assert!(output.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
    }

    /// Restarts NetBox; meanwhile nobody answers.
    pub(crate) fn restart(&self) {
        self.script("stop.sh", &["--netbox"]);
        self.script("start.sh", &[]);
    }

    /// Creates providers and their circuits.
    pub(crate) fn fill(&self, circuits: &Circuits) {
        self.post("circuits/circuit-types", &json!({"name": "Line", "slug": "line"}));
        self.fill_more(circuits);
    }

    /// Creates further providers and their circuits.
    pub(crate) fn fill_more(&self, circuits: &Circuits) {
        let providers: Vec<_> = circuits
            .keys()
            .map(
                |name| json!({"name": name, "slug": name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-")}),
            )
            .collect();
        let made = self.post("circuits/providers", &Value::from(providers));
        let ids: BTreeMap<&str, i64> =
            list(&made).iter().map(|made| (made["name"].as_str().unwrap(), made["id"].as_i64().unwrap())).collect();
        let kind = self.all("circuits/circuit-types")[0]["id"].clone();
        let circuit = |provider: &str, cid: &str| json!({"cid": cid, "provider": ids[provider], "type": kind, "status": "active"});
        let circuits: Vec<_> =
            circuits.iter().flat_map(|(provider, cids)| cids.iter().map(|cid| circuit(provider, cid))).collect();
        if !circuits.is_empty() {
            self.post("circuits/circuits", &Value::from(circuits));
        }
    }

    /// Creates a circuit of a provider that is there.
    pub(crate) fn fill_with(&self, provider: &str, cid: &str) {
        let providers = self.all("circuits/providers");
        let provider = providers.iter().find(|found| found["name"] == provider).unwrap()["id"].clone();
        let kind = self.all("circuits/circuit-types")[0]["id"].clone();
        self.post("circuits/circuits", &json!({"cid": cid, "provider": provider, "type": kind, "status": "active"}));
    }

    /// Creates objects, or fails the test with NetBox's answer.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/api/{path}/", self.url);
        let mut answer = self.agent.post(&url).header("Authorization", self.authorization()).send_json(body).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert!(answer.status().is_success(), "POST {url}: {} {text}", answer.status());
        serde_json::from_str(&text).unwrap()
    }

    /// Changes an object, as a person would.
    pub(crate) fn patch(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/api/{path}/", self.url);
        let mut answer = self.agent.patch(&url).header("Authorization", self.authorization()).send_json(body).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert!(answer.status().is_success(), "PATCH {url}: {} {text}", answer.status());
        serde_json::from_str(&text).unwrap()
    }

    /// Deletes an object, as a person would.
    pub(crate) fn delete(&self, path: &str) {
        let url = format!("{}/api/{path}/", self.url);
        let answer = self.agent.delete(&url).header("Authorization", self.authorization()).call().unwrap();
        assert!(answer.status().is_success(), "DELETE {url}: {}", answer.status());
    }

    /// Returns the id of a user.
    pub(crate) fn user(&self, name: &str) -> Value {
        let users = self.all("users/users");
        users.iter().find(|user| user["username"] == name).unwrap_or_else(|| panic!("no user {name}"))["id"].clone()
    }

    /// Returns the messages of the changelog, in order, without those of people.
    pub(crate) fn messages(&self) -> Vec<String> {
        let changes = self.all("core/object-changes");
        let messages = changes.iter().map(|change| change["message"].as_str().unwrap().to_owned());
        messages.filter(|message| message.starts_with("provision: ")).collect()
    }

    /// Returns one object by its path.
    pub(crate) fn get(&self, path: &str) -> Value {
        let url = format!("{}/api/{path}/", self.url);
        let mut answer = self.agent.get(&url).header("Authorization", self.authorization()).call().unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert!(answer.status().is_success(), "GET {url}: {} {text}", answer.status());
        serde_json::from_str(&text).unwrap()
    }

    /// Returns all objects of a kind, as NetBox shows them, in the order in which they were made.
    pub(crate) fn all(&self, path: &str) -> Vec<Value> {
        let url = format!("{}/api/{path}/?limit=1000&ordering=id", self.url);
        let mut answer = self.agent.get(&url).header("Authorization", self.authorization()).call().unwrap();
        let text = answer.body_mut().with_config().limit(1 << 30).read_to_string().unwrap();
        assert!(answer.status().is_success(), "GET {url}: {} {text}", answer.status());
        let page: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(page["next"], Value::Null, "there is more than a page of {path}");
        list(&page["results"]).clone()
    }

    /// Returns everything that a delivery may have written.
    pub(crate) fn content(&self) -> Content {
        thread::scope(|scope| {
            let [events, impacts, notifications] =
                [EVENTS, IMPACTS, NOTIFICATIONS].map(|path| scope.spawn(move || self.all(path)));
            let [events, impacts, notifications] = [events, impacts, notifications].map(|all| all.join().unwrap());
            Content { events, impacts, notifications }
        })
    }
}

/// The content of NetBox as it shows it: equal values mean that nothing was written in between, since every write
/// shows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Content {
    pub(crate) events: Vec<Value>,
    pub(crate) impacts: Vec<Value>,
    pub(crate) notifications: Vec<Value>,
}

/// An event, as the projection of a notice has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Event {
    pub(crate) provider: String,
    pub(crate) name: String,
    pub(crate) status: String,
    /// Start of the window, in seconds since the epoch.
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) summary: String,
    /// Impact on each circuit, by CID.
    pub(crate) impacts: BTreeMap<String, String>,
}

impl Content {
    /// Returns the events with their impacts, sorted.
    pub(crate) fn events(&self) -> Vec<Event> {
        let mut events: Vec<_> = self.events.iter().map(|event| self.event(event)).collect();
        events.sort();
        events
    }

    fn event(&self, event: &Value) -> Event {
        let mut impacts = BTreeMap::new();
        for impact in self.impacts.iter().filter(|impact| impact["circuitmaintenance"]["id"] == event["id"]) {
            let before = impacts.insert(text(&impact["circuit"]["cid"]), text(&impact["impact"]));
            assert_eq!(before, None, "two impacts of one circuit: {impact}");
        }
        Event {
            provider: text(&event["provider"]["name"]),
            name: text(&event["name"]),
            status: text(&event["status"]),
            start: seconds(&event["start"]),
            end: seconds(&event["end"]),
            summary: text(&event["summary"]),
            impacts,
        }
    }
}

/// Returns the value of a field that may be shown with its label.
fn text(value: &Value) -> String {
    value.as_str().or_else(|| value["value"].as_str()).unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn seconds(value: &Value) -> i64 {
    value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second()
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

fn absent<Any>(reason: &str) -> Option<Any> {
    let required = std::env::var("PROVISION_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|what| what.trim() == "netbox"), "there is no NetBox: {reason}");
    #[expect(clippy::print_stdout, reason = "a test that is not run says so")]
    {
        println!("not run: there is no NetBox: {reason}; `tests/netbox/start.sh` starts one");
    }
    None
}

fn folder() -> PathBuf {
    std::env::var_os("NETBOX_TEST_DIR")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("netbox"), PathBuf::from)
}
