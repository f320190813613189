//! Delivery to a real NetBox with the plugin `netbox-notices`: a smaller set, run on request.
//!
//! `NETBOX_TEST_PLUGIN=notices tests/netbox/start.sh`, then `PROVISION_REQUIRE=notices cargo test -p maintenance --test all notices`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Command,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use mail::Mail;
use maintenance::{
    pipeline::{
        arrived_mail::ArrivedMail,
        held::Held,
        sink::{Delivered, Sink},
    },
    sinks::netbox::{client::Client, delivery::NetBox, fields},
};
use notice::{
    model::Maintenance,
    outcome::{Notice, Outcome},
};
use runtime::{SecretSource, http::Http};
use schedule::{Announcement, EventStatus, ScheduledWindow};
use serde_json::{Value, json};

use crate::support;

/// Lock, since there is one NetBox.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The NetBox that was started.
struct Server {
    variables: BTreeMap<String, String>,
    admin: Http,
    calls: AtomicU64,
    _alone: MutexGuard<'static, ()>,
}

/// The comparable part of an event: status, window, and the worst impact on each circuit.
type Shown = (String, i64, i64, BTreeMap<String, String>);

impl Server {
    fn find() -> Option<Self> {
        let required =
            std::env::var("PROVISION_REQUIRE").is_ok_and(|list| list.split(',').any(|word| word == "notices"));
        let target = std::env::var_os("NETBOX_TEST_DIR");
        let target = target.map_or_else(|| support::repository().join("target/netbox"), PathBuf::from);
        let environment = fs::read_to_string(target.join("notices/environment")).ok();
        let Some(environment) = environment.filter(|_| required) else {
            assert!(!required, "PROVISION_REQUIRE names notices, and no NetBox with netbox-notices was started");
            println!("not run: netbox-notices, on request only");
            return None;
        };
        let lines = environment.lines().filter_map(|line| line.split_once('='));
        let variables: BTreeMap<_, _> = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let admin = Http::new(variables["NETBOX_URL"].clone(), None);
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Self { variables, admin, calls: AtomicU64::new(0), _alone: alone })
    }

    fn empty() {
        let script = support::repository().join("tests/netbox/reset.sh");
        let status = Command::new(script).env("NETBOX_TEST_PLUGIN", "notices").status().unwrap();
        assert!(status.success());
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let headers = [("authorization", format!("Token {}", self.variables["NETBOX_TOKEN_ADMIN"]))];
        let body = body.map(|body| body.to_string().into_bytes());
        let answer = self.admin.send(method, &format!("/api/{path}"), &headers, body).await.unwrap();
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.quote());
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        let page = self.ask("GET", &format!("{path}/?limit=1000"), None).await;
        assert_eq!(page["next"], Value::Null, "{path} has more than a page");
        page["results"].as_array().unwrap().clone()
    }

    /// Creates the provider and the circuits that a notice names, unless they exist.
    async fn fill(&self, circuits: &BTreeMap<String, BTreeSet<String>>) {
        let kind = json!({"name": "Transit", "slug": "transit"});
        let kind = self.ask("POST", "circuits/circuit-types/", Some(kind)).await["id"].clone();
        for (provider, cids) in circuits {
            let id = json!({"name": provider, "slug": provider});
            let id = self.ask("POST", "circuits/providers/", Some(id)).await["id"].clone();
            let all: Vec<_> =
                cids.iter().map(|cid| json!({"cid": cid, "provider": id, "type": kind, "status": "active"})).collect();
            self.ask("POST", "circuits/circuits/", Some(json!(all))).await;
        }
    }

    /// Returns the events by name, and the numbers of impacts and notifications in all.
    async fn content(&self) -> (BTreeMap<String, Vec<Shown>>, usize, usize) {
        let (events, impacts) =
            (self.list("plugins/notices/maintenance").await, self.list("plugins/notices/impact").await);
        let seconds = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut shown: BTreeMap<String, Vec<Shown>> = BTreeMap::new();
        for event in &events {
            let of = impacts.iter().filter(|impact| impact["event_object_id"] == event["id"]);
            let of = of.map(|impact| (text(&impact["target"]["cid"]), text(&impact["impact"]))).collect();
            let key = format!("{} {}", event["provider"]["slug"].as_str().unwrap(), event["name"].as_str().unwrap());
            let one = (text(&event["status"]), seconds(&event["start"]), seconds(&event["end"]), of);
            shown.entry(key).or_default().push(one);
        }
        (shown, impacts.len(), self.list("plugins/notices/eventnotification").await.len())
    }

    fn sink(&self) -> NetBox {
        let token = SecretSource::Given(self.variables["NETBOX_TOKEN"].clone().into());
        NetBox::new(Client::new(&self.variables["NETBOX_URL"], None, token), BTreeMap::new())
    }

    async fn deliver(&self, sink: &NetBox, bytes: &[u8]) -> Result<Delivered, String> {
        let (arrived, notice) = read(bytes);
        let before = sink.client.calls();
        let end = sink.deliver(&arrived, &notice).await.map_err(|error| error.to_string());
        self.calls.fetch_add(sink.client.calls() - before, Ordering::Relaxed);
        end
    }
}

fn read(bytes: &[u8]) -> (ArrivedMail, Notice) {
    let mail = Mail::decode(bytes);
    let Outcome::Notice(notice) = carriers::parse(&mail) else { panic!("no notice") };
    let outer = mail.outer();
    let arrived = ArrivedMail {
        ses_message_id: "ses".to_owned(),
        bucket: "mail".to_owned(),
        key: "inbound/ses".to_owned(),
        received_at: outer.date,
        sender: outer.sender.as_ref().map(|sender| sender.address.clone()),
        subject: Some(outer.subject.clone()),
        message_id: outer.message_id.clone(),
        mail: Some(mail),
        ..ArrivedMail::default()
    };
    (arrived, notice)
}

/// Returns the result of a complete delivery: a notification points at the mail's object.
fn pointing() -> Delivered {
    Delivered { held: Held::POINTER, ..Delivered::completely() }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Returns what NetBox should show of a notice.
fn expected(notice: &Notice, arrived: &ArrivedMail) -> BTreeMap<String, Vec<Shown>> {
    let mut shown = BTreeMap::new();
    for announcement in Announcement::of(notice, arrived.received_at).unwrap() {
        for (index, ScheduledWindow { window, content }) in announcement.windows.iter().enumerate() {
            let status = content.status.unwrap_or(EventStatus::Unknown);
            let status = status.word().to_owned();
            let circuits = content.circuits.iter().map(|(cid, impact)| (cid.clone(), impact.to_string())).collect();
            let name = format!("{} {}", notice.recognised.provider.slug, fields::name(&announcement.id, index + 1));
            shown.insert(name, vec![(status, window.start().as_second(), window.end().as_second(), circuits)]);
        }
    }
    shown
}

/// Returns one planned mail of each provider, and the circuits of all.
fn planned() -> (Vec<support::Named>, BTreeMap<String, BTreeSet<String>>) {
    let mut mails = support::own_mails();
    mails.retain(|mail| mail.name.ends_with("/planned") && !mail.name.starts_with("genericprovider/"));
    let mut circuits: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for mail in &mails {
        let (_, notice) = read(&mail.bytes);
        let cids = notice.maintenances.iter().flat_map(Maintenance::circuits).map(|circuit| circuit.id().to_owned());
        circuits.entry(notice.recognised.provider.slug.to_owned()).or_default().extend(cids);
    }
    (mails, circuits)
}

#[test]
fn notices_of_every_provider_are_there_once_and_right() {
    let Some(server) = Server::find() else { return };
    Server::empty();
    let (mails, circuits) = planned();
    runtime().block_on(async {
        server.fill(&circuits).await;
        let sink = server.sink();
        let mut all = BTreeMap::new();
        for mail in &mails {
            assert_eq!(server.deliver(&sink, &mail.bytes).await, Ok(pointing()), "{}", mail.name);
            let (arrived, notice) = read(&mail.bytes);
            all.extend(expected(&notice, &arrived));
        }
        let first = server.content().await;
        for (name, shown) in &all {
            assert_eq!(first.0.get(name), Some(shown), "{name}");
        }
        assert_eq!((first.0.len(), first.2), (all.len(), all.len()), "events, and a notification each");
        println!(
            "{} mails, {} events, {} impacts, {} calls",
            mails.len(),
            all.len(),
            first.1,
            server.calls.load(Ordering::Relaxed)
        );
        for mail in &mails {
            assert_eq!(server.deliver(&sink, &mail.bytes).await, Ok(pointing()), "{}", mail.name);
        }
        assert_eq!(server.content().await, first, "a second time nothing changes");
    });
}

#[test]
fn notices_that_change_and_cancel_are_followed_and_nothing_is_twice() {
    let Some(server) = Server::find() else { return };
    Server::empty();
    let mail = |name: &str| fs::read(support::repository().join("tests/mails/zayo").join(name)).unwrap();
    let (planned, rescheduled, cancelled) = (mail("planned.eml"), mail("rescheduled.eml"), mail("cancelled.eml"));
    runtime().block_on(async {
        let cids = read(&planned)
            .1
            .maintenances
            .iter()
            .flat_map(Maintenance::circuits)
            .map(|one| one.id().to_owned())
            .collect();
        server.fill(&[("zayo".to_owned(), cids)].into()).await;
        let sinks: Vec<_> = (0..6).map(|_| server.sink()).collect();
        let mut deliveries = tokio::task::JoinSet::new();
        let server = std::rc::Rc::new(server);
        let local = tokio::task::LocalSet::new();
        local
            .run_until(async {
                for sink in sinks {
                    let (server, planned) = (std::rc::Rc::clone(&server), planned.clone());
                    deliveries.spawn_local(async move { server.deliver(&sink, &planned).await });
                }
                while let Some(end) = deliveries.join_next().await {
                    assert_eq!(end.unwrap(), Ok(pointing()));
                }
            })
            .await;
        let (events, _, notifications) = server.content().await;
        let open: Vec<_> = events.iter().filter(|(name, _)| !name.contains("duplicate")).collect();
        assert_eq!((open.len(), notifications), (2, 2), "{events:?}");
        let sink = server.sink();
        let end = server.deliver(&sink, &rescheduled).await;
        // One window less: the mail is for a person too, for whom this plugin has no queue.
        assert!(end.as_ref().is_err_and(|error| error.contains("`unmatched/`")), "{end:?}");
        let states = |events: &BTreeMap<String, Vec<Shown>>| -> BTreeSet<String> {
            let shown = events.iter().filter(|(name, _)| !name.contains("duplicate")).flat_map(|(_, shown)| shown);
            shown.map(|(status, ..)| status.clone()).collect()
        };
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        assert_eq!(states(&server.content().await.0), words(&["RE-SCHEDULED", "CANCELLED"]));
        let _ = server.deliver(&sink, &cancelled).await;
        assert_eq!(states(&server.content().await.0), words(&["CANCELLED"]));
        assert!(server.deliver(&sink, &planned).await.is_ok(), "an older notice changes nothing");
        assert_eq!(states(&server.content().await.0), words(&["CANCELLED"]));
    });
}

#[test]
fn edits_stay_and_events_that_were_renamed_or_deleted_are_known() {
    let Some(server) = Server::find() else { return };
    Server::empty();
    let planned = fs::read(support::repository().join("tests/mails/zayo/planned.eml")).unwrap();
    let (arrived, notice) = read(&planned);
    let cids = notice.maintenances.iter().flat_map(Maintenance::circuits).map(|one| one.id().to_owned()).collect();
    runtime().block_on(async {
        server.fill(&[("zayo".to_owned(), cids)].into()).await;
        let sink = server.sink();
        assert_eq!(server.deliver(&sink, &planned).await, Ok(pointing()));
        let events = server.list("plugins/notices/maintenance").await;
        let windows = Announcement::of(&notice, arrived.received_at).unwrap();
        let zone = windows[0].windows[0].window.stated().0.zone_name().unwrap();
        assert!(events.len() == 2 && events[0]["original_timezone"] == json!(zone), "{zone}: {events:?}");
        let path = |event: &Value| format!("plugins/notices/maintenance/{}/", event["id"]);
        let edit = json!({"name": "Frankfurt", "status": "TENTATIVE", "original_timezone": "", "impact": "by hand", "acknowledged": true});
        server.ask("PATCH", &path(&events[0]), Some(edit)).await;
        server.ask("DELETE", &path(&events[1]), None).await;
        let before = server.list("plugins/notices/maintenance").await;
        let again = server.deliver(&sink, &planned).await.unwrap();
        assert!(again.remarks[0].contains("was deleted in NetBox by hand"), "{again:?}");
        assert_eq!(server.list("plugins/notices/maintenance").await, before);
        let changes = server.list("core/object-changes").await;
        let told = |change: &&Value| change["message"].as_str().unwrap().starts_with("provision: a maintenance is announced; zayo, mail ");
        assert_eq!(changes.iter().filter(told).count(), 2);
    });
}
