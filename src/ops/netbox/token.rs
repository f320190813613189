//! Reads the token from NetBox: its user, its expiry, and the rights that it lacks.

use contract::secret::REDACTED;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;
use serde_json::Value;

use super::{Client, Findings, Objects};

/// Days before a token's end in which it is called a fault.
const SOON: i64 = 7;

/// The user of a token.
#[derive(Debug, Deserialize)]
struct User {
    id: u64,
    username: String,
    #[serde(default)]
    groups: Vec<Nested>,
}

#[derive(Debug, Deserialize)]
struct Nested {
    id: u64,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
struct Page<Item> {
    count: u64,
    results: Vec<Item>,
}

/// A token, as its own user sees it.
#[derive(Debug, Deserialize)]
struct Token {
    #[serde(default)]
    display: String,
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    expires: Option<Timestamp>,
    #[serde(default)]
    write_enabled: Option<bool>,
    #[serde(default)]
    allowed_ips: Option<Vec<Value>>,
}

/// A permission, as whoever may see permissions sees it.
#[derive(Debug, Deserialize)]
struct Permission {
    name: String,
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    object_types: Vec<String>,
    #[serde(default)]
    constraints: Value,
    #[serde(default)]
    users: Vec<Nested>,
    #[serde(default)]
    groups: Vec<Nested>,
}

/// A provider with the number of its circuits, whoever may see them.
#[derive(Debug, Deserialize)]
struct Provider {
    #[serde(default)]
    circuit_count: u64,
}

/// Asks NetBox for something; `None` if it is not told.
fn fetch<T: for<'text> Deserialize<'text>>(client: &Client, path: &str) -> Option<T> {
    let answer = client.ask("GET", path).ok().filter(|answer| answer.status == 200)?;
    serde_json::from_str(&answer.body).ok()
}

/// Reports the user, the version and the end of the token.
pub(super) fn report(client: &Client, findings: &mut Findings) {
    let text = client.token().expose();
    let version = if text.starts_with("nbt_") { 2 } else { 1 };
    let user: Option<User> = fetch(client, "authentication-check/");
    let of = user.map(|user| format!(" of user `{}`", user.username)).unwrap_or_default();
    let all: Option<Page<Token>> = fetch(client, "users/tokens/?limit=1000");
    let token = all.and_then(|all| all.results.into_iter().find(|token| token.is(text)));
    let Some(token) = token else {
        findings.well("token", format!("version {version}{of}; NetBox does not tell when it expires"));
        return;
    };
    let end = token.expires.map_or_else(|| "does not expire".to_owned(), |end| format!("expires {end}"));
    let from: Vec<_> = token.allowed_ips.iter().flatten().map(|range| range.to_string().replace('"', "")).collect();
    let from = if from.is_empty() { String::new() } else { format!(", is taken from {} only", from.join(", ")) };
    let said = format!("version {version}{of}, {end}{from}");
    let soon = Timestamp::now().checked_add((SOON * 24).hours()).unwrap_or(Timestamp::MAX);
    if token.write_enabled == Some(false) {
        findings.wrong("token", format!("{said}: it may only read"), "allow it to write: `Write enabled`");
    } else if token.expires.is_some_and(|end| end < soon) {
        let hint = "make a new one, and set it with `provision up --set-secret`";
        findings.wrong("token", said, hint);
    } else {
        findings.well("token", said);
    }
}

impl Token {
    /// Returns whether this is the token with that text. Of version 1 NetBox shows the last six characters.
    fn is(&self, text: &str) -> bool {
        if let Some((key, _)) = text.strip_prefix("nbt_").and_then(|text| text.split_once('.')) {
            // The client shows no part of the token, its key neither.
            return self.key.as_deref().is_some_and(|shown| shown == key || shown == REDACTED);
        }
        let shown = self.display.trim_start_matches('*');
        self.key.is_none() && shown.len() >= 4 && text.ends_with(shown)
    }
}

/// Tells which objects the rights of the token leave out. Who may not see permissions does not learn the constraints of its own; but the
/// circuits of a provider are counted for everybody.
pub(super) fn constraints(client: &Client, objects: Objects, findings: &mut Findings) {
    let subject = "constraints";
    let counted = || {
        let providers: Page<Provider> = fetch(client, "circuits/providers/?limit=1000&fields=id,circuit_count")?;
        let seen: Page<Value> = fetch(client, "circuits/circuits/?limit=1&fields=id")?;
        let all: u64 = providers.results.iter().map(|provider| provider.circuit_count).sum();
        (seen.count < all).then(|| format!("the token sees {} of {all} circuits", seen.count))
    };
    let limited = named(client, objects);
    let named = limited.as_ref().filter(|named| !named.is_empty()).map(|named| named.join("; "));
    let fault = match (counted(), named) {
        (None, None) if limited.is_some() => return findings.well(subject, "none"),
        (None, None) => return findings.well(subject, "none that can be seen; the token may not look at permissions"),
        (Some(counted), None) => format!("{counted}: a permission of its user has constraints"),
        (None, Some(named)) => named,
        (Some(counted), Some(named)) => format!("{counted}: {named}"),
    };
    let hint = "what they leave out is not there for the function: mails about it go to a person, or are tried again";
    findings.wrong(subject, fault, hint);
}

/// Returns the constraints of the user's permissions for these objects; `None` if the token may not see permissions.
fn named(client: &Client, objects: Objects) -> Option<Vec<String>> {
    let user: User = fetch(client, "authentication-check/")?;
    let all: Page<Permission> = fetch(client, "users/permissions/?limit=1000")?;
    let is_users = |permission: &Permission| {
        let by_group = permission.groups.iter().any(|group| user.groups.iter().any(|of| of.id == group.id));
        by_group || permission.users.iter().any(|of| of.id == user.id)
    };
    let is_needed = |name: &String| {
        let model = name.rsplit('.').next().unwrap_or_default();
        super::OBJECTS.iter().chain(objects).any(|(path, ..)| {
            let list = path.rsplit('/').next().unwrap_or_default();
            list.trim_end_matches('s') == model.trim_end_matches('s')
        })
    };
    let limits = all.results.into_iter().filter(|permission| {
        let is_limited = !matches!(&permission.constraints, Value::Null)
            && !permission.constraints.as_array().is_some_and(Vec::is_empty)
            && !permission.constraints.as_object().is_some_and(serde_json::Map::is_empty);
        permission.enabled && is_limited && is_users(permission) && permission.object_types.iter().any(is_needed)
    });
    let told = |limit: Permission| {
        format!(
            "permission `{}` on {} has constraints: {}",
            limit.name,
            limit.object_types.join(", "),
            limit.constraints
        )
    };
    Some(limits.map(told).collect())
}
