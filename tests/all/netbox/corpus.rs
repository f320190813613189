//! Published mails of real carriers, each delivered to an emptied NetBox by one running pipeline: NetBox then says what `parse` reads.
//! The tests of the readers hold each reading against the corpus.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::{
    pipeline::{Live, Pipeline},
    proxy::Proxy,
    say,
    server::{Circuits, Event, NetBox},
};

/// Impacts, from the least to the worst.
const IMPACTS: [&str; 4] = ["NO-IMPACT", "REDUCED-REDUNDANCY", "DEGRADED", "OUTAGE"];
/// NetBox's length limit of a summary, in characters.
const LONGEST_SUMMARY: usize = 200;

struct Case {
    name: String,
    provider: String,
    mail: PathBuf,
    /// Maintenances that the mail announces; `None` for a mail that cannot be understood.
    announced: Option<Vec<Value>>,
}

#[test]
fn netbox_shows_what_the_mails_announce_and_a_second_delivery_changes_nothing() {
    let Some(cases) = cases() else { return };
    let Some(netbox) = NetBox::find() else { return };
    netbox.empty();
    netbox.fill(&circuits(&cases));
    let proxy = Proxy::start(&netbox.url, 0);
    let pipeline = Pipeline::before(&netbox, &proxy.url, &domains_of_senders(&cases));
    let mut live = pipeline.live();
    let (mut wrong, mut calls) = (Vec::new(), Vec::new());
    for case in &cases {
        netbox.empty_of_events();
        let before = proxy.calls().len();
        wrong.extend(deliver(case, &netbox, &mut live, &mut || calls.push(proxy.calls().len() - before)));
    }
    let (first, mails) = (calls.iter().sum::<usize>(), calls.len());
    say(&format!(
        "NetBox: {mails} mails, {} wrong; calls per mail, the first time: {:.1} on average, {} at most",
        wrong.len(),
        f64::from(u32::try_from(first).unwrap()) / f64::from(u32::try_from(mails).unwrap()),
        calls.iter().max().unwrap(),
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Delivers a mail twice; returns the faults that it finds.
fn deliver(case: &Case, netbox: &NetBox, live: &mut Live, delivered: &mut impl FnMut()) -> Option<String> {
    let mail = fs::read(&case.mail).unwrap();
    let fails = |what: &str| Some(format!("{}: {what}", case.name));
    let expected_outcome = if case.announced.is_some() { "\ndelivered " } else { "\nfor person " };
    let as_expected = |told: &str| told.contains(expected_outcome) && told.contains("\ndone ");
    let once = live.deliver(&mail);
    delivered();
    if !as_expected(&once) {
        return fails(&once);
    }
    let content = netbox.content();
    let expected = case.announced.as_deref().map(|announced| projection(&case.provider, announced)).unwrap_or_default();
    if content.events() != expected {
        return fails(&format!("NetBox should say {expected:#?}\nand says {:#?}", content.events()));
    }
    let is_linked = |mail: &Value| !mail["circuitmaintenance"].is_null();
    let linked: BTreeSet<bool> = content.notifications.iter().map(is_linked).collect();
    let is_kept = case.announced.is_some() || netbox.has_queue();
    if linked != is_kept.then_some(case.announced.is_some()).into_iter().collect() {
        return fails(&format!("its notifications are {:#?}", content.notifications));
    }
    let twice = live.deliver(&mail);
    if !as_expected(&twice) {
        return fails(&format!("the second time: {twice}"));
    }
    if netbox.content() != content {
        return fails(&format!("the second time made {:#?}\nof {content:#?}", netbox.content()));
    }
    None
}

/// Returns the events that NetBox must have: one per maintenance and window, its circuits once with their worst impact.
fn projection(provider: &str, announced: &[Value]) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let mut windows: BTreeMap<&str, usize> = BTreeMap::new();
    for maintenance in announced {
        let id = maintenance["maintenance_id"].as_str().unwrap();
        let number = windows.entry(id).and_modify(|number| *number += 1).or_insert(1);
        let mut impacts: BTreeMap<String, String> = BTreeMap::new();
        for circuit in maintenance["circuits"].as_array().unwrap() {
            let (cid, impact) = (circuit["circuit_id"].as_str().unwrap(), circuit["impact"].as_str().unwrap());
            let rank = |word: &str| IMPACTS.iter().position(|impact| *impact == word).unwrap();
            let worst = impacts.entry(cid.to_owned()).or_insert_with(|| impact.to_owned());
            if rank(impact) > rank(worst) {
                impact.clone_into(worst);
            }
        }
        events.push(Event {
            provider: provider.to_owned(),
            name: if *number == 1 { id.to_owned() } else { format!("{id} #{number}") },
            status: maintenance["status"].as_str().unwrap().replace("NO-CHANGE", "UNKNOWN"),
            start: maintenance["start"].as_i64().unwrap(),
            end: maintenance["end"].as_i64().unwrap(),
            summary: summary(provider, id, maintenance["summary"].as_str().unwrap()),
            impacts,
        });
    }
    events.sort();
    events
}

fn summary(provider: &str, id: &str, announced: &str) -> String {
    let line = announced.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return format!("{id}: {provider}");
    }
    if line.chars().count() <= LONGEST_SUMMARY {
        return line;
    }
    format!("{}…", line.chars().take(LONGEST_SUMMARY - 1).collect::<String>().trim_end())
}

/// Returns every provider with the circuits that its mails name.
fn circuits(cases: &[Case]) -> Circuits {
    let mut all = Circuits::new();
    for case in cases {
        let circuits = all.entry(case.provider.clone()).or_default();
        let named = case.announced.iter().flatten().flat_map(|announced| announced["circuits"].as_array().unwrap());
        circuits.extend(named.map(|circuit| circuit["circuit_id"].as_str().unwrap().to_owned()));
    }
    all
}

/// Returns the domains that the mails come from, separated by commas.
fn domains_of_senders(cases: &[Case]) -> String {
    let domains: BTreeSet<_> = cases.iter().map(|case| domain_of_sender(&fs::read(&case.mail).unwrap())).collect();
    domains.into_iter().collect::<Vec<_>>().join(",")
}

/// Returns the domain that a mail comes from, as its header names it.
fn domain_of_sender(mail: &[u8]) -> String {
    let text = String::from_utf8_lossy(mail).replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ");
    let from = text.lines().find(|line| line.to_ascii_lowercase().starts_with("from:")).unwrap_or_default();
    let domain = from.rsplit_once('@').map_or("nobody.example", |(_, domain)| domain);
    domain.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric()).to_ascii_lowercase()
}

fn cases() -> Option<Vec<Case>> {
    let folder = std::env::var_os("MAINTENANCE_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from);
    if !folder.is_dir() {
        let required = std::env::var("PROVISION_REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|what| what.trim() == "corpus"), "there is no corpus in {}", folder.display());
        say(&format!("not run: there is no corpus in {}", folder.display()));
        return None;
    }
    let only = std::env::var("PROVIDER").ok();
    let mut cases = Vec::new();
    for provider in folders(&folder) {
        let slug = provider.file_name().unwrap().to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|only| *only != slug) {
            continue;
        }
        cases.extend(folders(&provider).iter().map(|case| read(&slug, case)));
    }
    assert!(!cases.is_empty(), "no case was found");
    Some(cases)
}

/// Reads a case's mail as `parse` does.
fn read(provider: &str, folder: &Path) -> Case {
    let mail = folder.join("mail.eml");
    let run = Command::new(env!("CARGO_BIN_EXE_provision")).args(["parse", "--json"]).arg(&mail).output().unwrap();
    let mut reading: Value = serde_json::from_slice(&run.stdout).unwrap();
    let announced = match reading["maintenances"].take() {
        Value::Array(maintenances) if reading["outcome"] == "maintenance" => Some(maintenances),
        _ => None,
    };
    // NetBox has a carrier under our slug, and an unknown sender under the name in its calendar.
    let of_nobody = announced.as_ref().filter(|_| provider == "genericprovider");
    let named = of_nobody.and_then(|announced| announced[0]["provider"].as_str());
    Case {
        name: format!("{provider}/{}", folder.file_name().unwrap().to_string_lossy()),
        provider: named.unwrap_or(provider).to_owned(),
        mail,
        announced,
    }
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}
