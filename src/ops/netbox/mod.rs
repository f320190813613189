//! Checks a NetBox before the first mail needs it: does it answer, does it have the plugin, and may the token do what the function
//! does?
//!
//! Nothing is written for that. NetBox checks permissions before the content: it answers 403 if one is missing, and otherwise that an
//! empty object is invalid (400), or that there is no object 0 (404).

mod client;
mod http;
pub(crate) mod precondition;
mod token;

pub(crate) use client::{Access, Client};

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use client::Answer;

use contract::context::Context;
use declaration::Declaration;

/// Names of the plugins in NetBox.
const PLUGIN: &str = "netbox_circuitmaintenance";
const OTHER_PLUGIN: &str = "notices";

/// Objects: their path, their name, and the permissions that the function needs.
type Objects = &'static [(&'static str, &'static str, &'static [Right])];

/// Objects of NetBox itself.
const OBJECTS: Objects = &[
    ("circuits/providers", "providers", &[Right::View]),
    ("circuits/circuits", "circuits", &[Right::View]),
    // They tell which events people have deleted or renamed.
    ("core/object-changes", "changelog", &[Right::View]),
];

/// Objects of the plugin `netbox-circuitmaintenance`.
const OBJECTS_OF_PLUGIN: Objects = &[
    ("plugins/maintenance/circuitmaintenance", "maintenances", &[Right::View, Right::Add, Right::Change]),
    (
        "plugins/maintenance/circuitmaintenanceimpact",
        "impacts",
        &[Right::View, Right::Add, Right::Change, Right::Delete],
    ),
    ("plugins/maintenance/circuitmaintenancenotifications", "notifications", &[Right::View, Right::Add, Right::Change]),
];

/// Objects of the plugin `netbox-notices`.
const OBJECTS_OF_OTHER_PLUGIN: Objects = &[
    ("plugins/notices/maintenance", "maintenances", &[Right::View, Right::Add, Right::Change]),
    ("plugins/notices/impact", "impacts", &[Right::View, Right::Add, Right::Change, Right::Delete]),
    ("plugins/notices/eventnotification", "notifications", &[Right::View, Right::Add, Right::Change]),
];

/// Variables of the function, and of this process, with the address and the token of NetBox.
pub(crate) const URL: &str = "NETBOX_URL";
pub(crate) const TOKEN: &str = "NETBOX_TOKEN";
pub(crate) const CA: &str = "NETBOX_CA";

/// Oldest version of NetBox that compares what is written with what was read (`If-Match`).
const OLDEST: (u32, u32) = (4, 6);

/// The subject of what was found of NetBox itself.
const NETBOX: &str = "NetBox";

/// A NetBox, as functions are configured with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Declared {
    /// Certificates that are trusted for it, as PEM; `None` if none are declared.
    pub(crate) ca: Option<String>,
    /// `true` if each of its functions has a place for mails that NetBox does not take; `None` without a declaration.
    pub(crate) keeps_unmatched: Option<bool>,
}

/// Returns every NetBox that functions are configured with, by address.
pub(crate) fn declared(declaration: &Declaration) -> BTreeMap<String, Declared> {
    let mut all: BTreeMap<String, Declared> = BTreeMap::new();
    for function in declaration.functions.values() {
        let Some(url) = function.environment.get(URL) else { continue };
        let netbox = all.entry(url.clone()).or_default();
        netbox.ca = netbox.ca.take().or_else(|| function.environment.get(CA).cloned());
        let keeps = function.writes.iter().any(|place| Context::is_unmatched(&place.prefix));
        netbox.keeps_unmatched = Some(netbox.keeps_unmatched.unwrap_or(true) && keeps);
    }
    all
}

/// A permission on a kind of object, in NetBox's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Right {
    View,
    Add,
    Change,
    Delete,
}

impl Right {
    fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Add => "add",
            Self::Change => "change",
            Self::Delete => "delete",
        }
    }

    /// Returns the method and the path of a probe, and the status of NetBox's answer if the permission is granted.
    fn probe(self) -> (&'static str, &'static str, u16) {
        match self {
            Self::View => ("GET", "?limit=1", 200),
            Self::Add => ("POST", "", 400),
            Self::Change => ("PATCH", "0/", 404),
            Self::Delete => ("DELETE", "0/", 404),
        }
    }
}

/// The result of checking a NetBox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Findings {
    /// Version of NetBox; `None` if it did not say.
    pub(crate) netbox: Option<String>,
    /// Name and version of the plugin; `None` if NetBox has none.
    pub(crate) plugin: Option<String>,
    /// Parts that were checked.
    pub(crate) checks: Vec<Check>,
}

/// A part that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// The part that was checked.
    pub(crate) subject: String,
    /// The fault; `None` if the part is fine.
    pub(crate) fault: Option<String>,
    /// Advice on the fault; `None` without a fault.
    pub(crate) hint: Option<String>,
    /// Finding about a part that is fine; `None` if there is nothing to tell.
    pub(crate) detail: Option<String>,
}

impl Findings {
    /// Returns `true` if mails can be delivered.
    pub(crate) fn is_well(&self) -> bool {
        self.checks.iter().all(|check| check.fault.is_none())
    }

    fn fine(&mut self, subject: impl Into<String>) {
        self.checks.push(Check { subject: subject.into(), fault: None, hint: None, detail: None });
    }

    fn well(&mut self, subject: impl Into<String>, detail: impl Into<String>) {
        self.checks.push(Check { subject: subject.into(), fault: None, hint: None, detail: Some(detail.into()) });
    }

    fn wrong(&mut self, subject: impl Into<String>, fault: impl Into<String>, hint: impl Into<String>) {
        self.checks.push(Check {
            subject: subject.into(),
            fault: Some(fault.into()),
            hint: Some(hint.into()),
            detail: None,
        });
    }
}

/// Checks a NetBox. Parts that depend on a faulty one are not checked. `keeps_unmatched`: see [`Declared::keeps_unmatched`].
pub(crate) fn examine(client: &Client, keeps_unmatched: Option<bool>) -> Findings {
    let mut findings = Findings::default();
    if let Some(plugins) = status(client, &mut findings)
        && let Some(objects) = plugin(&plugins, &mut findings)
    {
        for (path, name, rights) in OBJECTS.iter().chain(objects) {
            rights_of(client, path, name, rights, &mut findings);
        }
        token::constraints(client, objects, &mut findings);
        unmatched(keeps_unmatched, &mut findings);
    }
    findings
}

/// Returns what to do if NetBox cannot be reached.
fn unreached(client: &Client, error: &str) -> String {
    match client.proxy() {
        Some(variable) => format!(
            "it is reached through the proxy that {variable} names; if no proxy leads there, name the server in NO_PROXY"
        ),
        None if client.is_plain() && !error.contains("refused") => {
            "the address is NETBOX_URL; a server that expects TLS needs `https://`".to_owned()
        }
        None => "the address is NETBOX_URL; a certificate of your own goes into NETBOX_CA".to_owned(),
    }
}

/// Reads the versions of NetBox and its plugins; returns the plugins if NetBox can be worked with.
fn status(client: &Client, findings: &mut Findings) -> Option<Value> {
    let answer = match client.ask("GET", "status/") {
        Ok(answer) => answer,
        Err(error) => {
            let hint = unreached(client, &error);
            findings.wrong(NETBOX, error, hint);
            return None;
        }
    };
    let status: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let version = status.get("netbox-version").and_then(Value::as_str).filter(|_| answer.status == 200);
    let Some(version) = version else {
        refused(client, &answer, findings);
        return None;
    };
    findings.netbox = Some(version.to_owned());
    if numbers(version) < OLDEST {
        findings.wrong(
            NETBOX,
            format!(
                "version {version} does not know `If-Match`: of two writers at once, one would undo the other's work"
            ),
            "update NetBox to 4.6 or newer",
        );
        return None;
    }
    match client.proxy() {
        Some(variable) => findings
            .well(NETBOX, format!("through the proxy that {variable} names here; the function connects without it")),
        None => findings.fine(NETBOX),
    }
    token::report(client, findings);
    Some(status.get("plugins").cloned().unwrap_or_default())
}

/// Tells of an answer without a version.
fn refused(client: &Client, answer: &Answer, findings: &mut Findings) {
    let told = answer.to_string();
    match answer.status {
        401 | 403 => {
            findings.wrong("token", told, "make one for the function's user, and put it into NETBOX_TOKEN");
        }
        400 if client.is_plain() && answer.body.contains("HTTPS") => {
            findings.wrong(NETBOX, told, "the server expects TLS: NETBOX_URL needs `https://`");
        }
        300..=399 => findings.wrong(NETBOX, told, "name the address that it leads to"),
        _ => findings.wrong(
            NETBOX,
            format!("no NetBox answers at this address: {told}"),
            "set NETBOX_URL to the address without `/api`",
        ),
    }
}

/// Checks that a plugin exists in a supported version, and returns its objects.
fn plugin(plugins: &Value, findings: &mut Findings) -> Option<Objects> {
    let subject = "plugin";
    if let Some(version) = plugins.get(OTHER_PLUGIN).and_then(Value::as_str) {
        findings.plugin = Some(format!("netbox-notices {version}"));
        findings.fine(subject);
        return Some(OBJECTS_OF_OTHER_PLUGIN);
    }
    let Some(version) = plugins.get(PLUGIN).and_then(Value::as_str) else {
        findings.wrong(
            subject,
            format!("neither `{PLUGIN}` nor `{OTHER_PLUGIN}` is installed"),
            "install netbox-circuitmaintenance 0.8",
        );
        return None;
    };
    findings.plugin = Some(format!("netbox-circuitmaintenance {version}"));
    match numbers(version) {
        (0, ..6) => findings.wrong(subject, format!("version {version} is too old"), "install 0.8"),
        _ => findings.fine(subject),
    }
    Some(OBJECTS_OF_PLUGIN)
}

/// Returns major and minor version; 0 for what is no number.
fn numbers(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or_default());
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
}

/// Checks that mails for a person have a place: only `netbox-circuitmaintenance` 0.8 and newer takes those without an event.
fn unmatched(keeps: Option<bool>, findings: &mut Findings) {
    let plugin = findings.plugin.clone().unwrap_or_default();
    let version = plugin.strip_prefix("netbox-circuitmaintenance ");
    if version.is_some_and(|version| numbers(version) >= (0, 8)) {
        return;
    }
    let subject = "unmatched";
    let needs = format!("{plugin} takes no mail without an event: the function keeps mails for a person in a bucket");
    match keeps {
        Some(true) => findings.fine(subject),
        Some(false) => findings.wrong(
            subject,
            format!("{needs}, and its `writes` names no prefix that ends in `unmatched/`"),
            "add `writes: [{bucket: mail, prefix: unmatched/}]` to the function",
        ),
        None => findings.well(subject, format!("{needs}: it needs `writes: [{{bucket: mail, prefix: unmatched/}}]`")),
    }
}

fn rights_of(client: &Client, path: &str, name: &str, rights: &[Right], findings: &mut Findings) {
    let mut missing = Vec::new();
    for right in rights {
        let (method, rest, expected) = right.probe();
        match client.ask(method, &format!("{path}/{rest}")) {
            Ok(Answer { status: 403, .. }) => missing.push(right.as_str()),
            Ok(answer) if answer.status == expected => {}
            Ok(answer) => {
                findings.wrong(name, format!("{method} answers {answer}"), "look into NetBox's own log");
                return;
            }
            Err(error) => return findings.wrong(name, error, "try again"),
        }
    }
    if missing.is_empty() {
        findings.fine(name);
    } else {
        let wanted: Vec<_> = rights.iter().map(|right| right.as_str()).collect();
        let fault = format!("the token may not {}", missing.join(", "));
        let writes = if wanted.len() > 1 { ", and the token must be allowed to write" } else { "" };
        let hint = format!("its user needs {}{writes}", wanted.join(", "));
        findings.wrong(name, fault, hint);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plugin_is_known_by_its_name_and_version() {
        let judged = |plugins: Value| {
            let mut findings = Findings::default();
            let first = plugin(&plugins, &mut findings).and_then(|objects| objects.first()).map(|(path, ..)| *path);
            (first, findings.checks.into_iter().filter_map(|check| check.fault).collect::<String>())
        };
        for version in ["0.6.1", "0.8.0", "1.0"] {
            let judged = judged(json!({"netbox_circuitmaintenance": version}));
            assert_eq!(judged, (Some("plugins/maintenance/circuitmaintenance"), String::new()), "{version}");
        }
        assert_eq!(judged(json!({"netbox_circuitmaintenance": "0.5.9"})).1, "version 0.5.9 is too old");
        assert_eq!(
            judged(json!({})),
            (None, "neither `netbox_circuitmaintenance` nor `notices` is installed".to_owned())
        );
        assert_eq!(judged(json!({"notices": "1.3.0"})), (Some("plugins/notices/maintenance"), String::new()));
    }
}
