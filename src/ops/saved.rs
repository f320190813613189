//! A plan in a file: what somebody approves, to be applied exactly so.
//!
//! The file decides nothing. `up FILE` reads the declaration, builds the code, surveys the account and plans again; only if all of
//! that is what the file says, the new plan is applied. So a file that was changed, cut or mixed up with another one does
//! nothing, and neither does an account, a declaration or code that is another one by now.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    hash::{BuildHasher as _, Hasher as _},
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    account::Opened,
    compare::{Code, Compared},
};
use engine::Live;
use kinds::{Item, Read, Resource};
use problem::Problem;

/// Version of the file's form.
const FORMAT: u32 = 1;
/// Rights of everybody but the owner in a file's mode: to read it, and to write it.
const OTHERS_READ: u32 = 0o044;
const OTHERS_WRITE: u32 = 0o022;
/// Maximum number of differences that are named.
const NAMED: usize = 12;

/// A plan with everything that it follows from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Saved {
    format: u32,
    /// Version of the tool that made the plan.
    provision: String,
    account: String,
    region: String,
    /// Name of the stack.
    stack: String,
    /// Stage of the stack; `None` if it has none.
    stage: Option<String>,
    /// SHA-256 of the declaration's file.
    declaration: String,
    /// Hash of each function's code, as Lambda states it.
    code: BTreeMap<String, String>,
    /// Losses that were agreed to, as `KIND/ENTRY`.
    pub(crate) consent: Vec<String>,
    /// Random text that the digests begin with, so that nobody recognises a value by its digest in another file.
    salt: String,
    /// Digest of each resource's live and desired settings and of the action on it, by id and name.
    resources: BTreeMap<String, String>,
    /// The plan as `diff --json` prints it, for whoever reviews it.
    plan: Value,
}

/// The parts of a saved plan.
pub(crate) struct Parts<'parts> {
    pub(crate) opened: &'parts Opened,
    pub(crate) code: &'parts Code,
    pub(crate) compared: &'parts Compared,
    /// The plan as it is shown.
    pub(crate) plan: Value,
}

impl Saved {
    /// Returns a plan to be written.
    pub(crate) fn new(parts: Parts<'_>) -> Self {
        Self::salted(parts, salt())
    }

    /// Returns the plan of now, to be compared with this one.
    pub(crate) fn again(&self, parts: Parts<'_>) -> Self {
        Self::salted(parts, self.salt.clone())
    }

    fn salted(parts: Parts<'_>, salt: String) -> Self {
        let Parts { opened, code, compared, plan } = parts;
        let session = &opened.session;
        let code = match code {
            Code::Built { code_sha256, .. } => code_sha256.clone(),
            Code::NotBuilt => BTreeMap::new(),
        };
        let resources = compared.plan.items().iter().map(|item| (named(item), digest(&salt, item, compared)));
        Self {
            format: FORMAT,
            provision: env!("CARGO_PKG_VERSION").to_owned(),
            account: session.aws.realm.account.clone(),
            region: session.aws.realm.region.clone(),
            stack: session.stack.name.clone(),
            stage: session.stack.stage.clone(),
            declaration: hex(&Sha256::digest(&opened.source)),
            code,
            consent: session.consent.named().map(str::to_owned).collect(),
            resources: resources.collect(),
            salt,
            plan,
        }
    }

    /// Writes the plan into a new file that its owner alone may read.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Problem> {
        let failed = |error: std::io::Error| not_written(path).with_source(error);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Of mode 0600, and moved to its place when it is whole, unless there is something by now.
        let mut file = tempfile::Builder::new().prefix(".provision-plan-").tempfile_in(folder).map_err(failed)?;
        let text = serde_json::to_string_pretty(self).map_err(|error| failed(error.into()))?;
        file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist_noclobber(path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Reads a plan, and a warning if others can read it, too. One that others can change is refused.
    pub(crate) fn read(path: &Path) -> Result<(Self, Option<String>), Problem> {
        let shown = path.display();
        let failed = || Problem::new(format!("Failed to read the plan `{shown}`"));
        let mode = fs::metadata(path).map_err(|error| failed().with_source(error))?.permissions().mode();
        if mode & OTHERS_WRITE != 0 {
            let problem = Problem::new(format!("Failed to trust the plan `{shown}`: others may have changed it"));
            return Err(problem.with_hint(format!("look at it, and then run `chmod 600 {shown}`")));
        }
        let text = fs::read_to_string(path).map_err(|error| failed().with_source(error))?;
        let saved: Self = serde_json::from_str(&text).map_err(|error| {
            failed()
                .with_hint("a plan is made with `provision diff --out FILE`, and is not to be edited")
                .with_source(error)
        })?;
        if saved.format != FORMAT {
            return Err(
                failed().with_hint("make it again with `provision diff --out`: it has the form of another version")
            );
        }
        let is_seen = mode & OTHERS_READ != 0;
        Ok((saved, is_seen.then(|| format!("others may read the plan `{shown}`; `chmod 600` keeps it to you"))))
    }

    /// Fails unless the plan of now is this one in every part; names what differs.
    pub(crate) fn ensure_equal(&self, now: &Self, path: &Path) -> Result<(), Problem> {
        let differences = self.differences(now);
        if differences.is_empty() {
            return Ok(());
        }
        let (named, rest) = differences.split_at(differences.len().min(NAMED));
        let rest = if rest.is_empty() { String::new() } else { format!("; and {} more", rest.len()) };
        let message = format!(
            "Failed to apply `{}`: it is not the plan of now; nothing was done: {}{rest}",
            path.display(),
            named.join("; ")
        );
        Err(Problem::new(message).with_hint("make and approve a new one with `provision diff --out FILE`"))
    }

    /// Returns everything in which the plan of now differs, in words.
    fn differences(&self, now: &Self) -> Vec<String> {
        let elsewhere = self.elsewhere(now);
        if !elsewhere.is_empty() {
            return elsewhere;
        }
        let mut found = Vec::new();
        if self.declaration != now.declaration {
            found.push("the declaration was changed".to_owned());
        }
        for function in keys(&self.code, &now.code).filter(|key| self.code.get(*key) != now.code.get(*key)) {
            found.push(format!("the code of function `{function}` is another one"));
        }
        if self.consent != now.consent {
            found.push("the losses that are agreed to are others".to_owned());
        }
        for resource in keys(&self.resources, &now.resources) {
            let difference = match (self.resources.get(resource), now.resources.get(resource)) {
                (Some(before), Some(after)) if before == after => continue,
                (Some(_), Some(_)) => changed(self.action(resource), now.action(resource)),
                (Some(_), None) => "is in the plan of then alone".to_owned(),
                (None, _) => "is in the plan of now alone".to_owned(),
            };
            found.push(format!("{resource} {difference}"));
        }
        if found.is_empty() && self.without_what_stays() != now.without_what_stays() {
            found.push("the file was changed".to_owned());
        }
        found
    }

    /// Returns what tells that the plan is for something else.
    fn elsewhere(&self, now: &Self) -> Vec<String> {
        let stage = |stage: &Option<String>| stage.clone().unwrap_or_else(|| "none".to_owned());
        let pairs = [
            ("version of `provision`", self.provision.clone(), now.provision.clone()),
            ("account", self.account.clone(), now.account.clone()),
            ("region", self.region.clone(), now.region.clone()),
            ("stack", self.stack.clone(), now.stack.clone()),
            ("stage", stage(&self.stage), stage(&now.stage)),
        ];
        let differing = pairs.into_iter().filter(|(_, before, after)| before != after);
        differing.map(|(what, before, after)| format!("its {what} is {before}, and this is {after}")).collect()
    }

    fn without_what_stays(&self) -> Self {
        let mut saved = self.clone();
        let resources = saved.plan.get_mut("resources").and_then(Value::as_array_mut);
        resources.into_iter().flatten().for_each(forget_reason);
        saved
    }

    /// Returns the action on a resource, as the plan shows it.
    fn action(&self, resource: &str) -> Option<&str> {
        let resources = self.plan.get("resources")?.as_array()?;
        let is_it = |shown: &&Value| {
            let text = |path: &str| shown.pointer(path).and_then(Value::as_str).unwrap_or_default();
            format!("{} {} ({})", text("/kind"), text("/entry"), text("/address/name")) == resource
        };
        resources.iter().find(is_it)?.get("action")?.as_str()
    }
}

/// Fails if a plan cannot be written there, before anything is built.
pub(crate) fn ensure_new(path: &Path) -> Result<(), Problem> {
    // A link that leads nowhere is something, too.
    if path.symlink_metadata().is_ok() {
        return Err(not_written(path).with_hint("it exists; name another file, or remove it"));
    }
    Ok(())
}

/// Fails if `up` would refuse a plan: nobody can approve it.
pub(crate) fn ensure_appliable(compared: &Compared) -> Result<(), Problem> {
    let counts = compared.plan.counts();
    if counts.unreadable + counts.foreign > 0 {
        let message = "Failed to save the plan: it has what could not be read, or is not the stack's";
        return Err(Problem::new(message).with_hint("the plan above says what and why"));
    }
    Ok(())
}

fn not_written(path: &Path) -> Problem {
    Problem::new(format!("Failed to write the plan `{}`", path.display()))
}

fn keys<'map>(
    one: &'map BTreeMap<String, String>,
    other: &'map BTreeMap<String, String>,
) -> impl Iterator<Item = &'map String> {
    one.keys().chain(other.keys()).collect::<BTreeSet<_>>().into_iter()
}

fn changed(before: Option<&str>, after: Option<&str>) -> String {
    match (before, after) {
        (Some(before), Some(after)) if before != after => {
            format!("has another action: {before} then, {after} now")
        }
        _ => "is or becomes something else".to_owned(),
    }
}

/// Returns the id of an item with its name in AWS, which tell it from all others.
fn named(item: &Item) -> String {
    format!("{} ({})", item.id, item.address.name)
}

/// Returns the digest of everything that a plan has about a resource.
fn digest(salt: &str, item: &Item, compared: &Compared) -> String {
    let mut action = json!(item);
    forget_reason(&mut action);
    let place = (item.id.kind, item.address.clone());
    let live = match compared.survey.read.get(&place) {
        Some(Read::Present(Live { settings, owner })) => {
            json!({"settings": settings.tree(), "owner": format!("{owner:?}")})
        }
        Some(Read::Absent) | None => Value::Null,
        Some(Read::Unreadable(failure)) => json!(failure),
    };
    let is_it = |resource: &&Resource| resource.id == item.id && resource.address == item.address;
    let desired = compared.resources.iter().find(is_it).map(|resource| resource.settings.tree());
    let between = item.interim.as_ref().map(kinds::Settings::tree);
    let whole = json!([salt, action, item.address, item.is_declared, live, desired, between]);
    hex(&Sha256::digest(whole.to_string().as_bytes()))
}

/// Leaves out how much an item holds that stays: messages come and go.
fn forget_reason(item: &mut Value) {
    if item.get("action").is_some_and(|action| action == "keep")
        && let Some(item) = item.as_object_mut()
    {
        item.remove("why");
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns a text that no other plan has: the keys of the standard library's hash maps are random.
fn salt() -> String {
    let part = || std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", part(), part())
}
