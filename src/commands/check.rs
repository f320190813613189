//! `provision check`: checks the declared NetBox, or another one, before the first mail needs it; or lets the deployed functions check
//! what they reach.

use std::{collections::BTreeMap, process::ExitCode};

use super::{invoke::not_invoked, until_interrupted};
use crate::{
    cli::{Check, Common},
    ops::{
        self, account, invocation,
        netbox::{self, Access, CA, Client, Declared, Findings, TOKEN},
        probe,
    },
    render::{self, Printer},
};
use contract::{
    address::{Address, Query},
    secret::Secret,
};
use declaration::Declaration;
use kinds::Kind;
use problem::Problem;

/// Exit code if a NetBox has a fault.
const WRONG: u8 = 1;

pub(super) fn run(printer: &Printer, common: &Common, typed: &Check) -> anyhow::Result<ExitCode> {
    match &typed.from_function {
        Some(functions) => until_interrupted(from_functions(printer, common, functions)),
        None => from_here(printer, common, typed),
    }
}

/// Lets deployed functions check what they reach: those that are named, or all.
async fn from_functions(printer: &Printer, common: &Common, named: &[String]) -> anyhow::Result<ExitCode> {
    let opened = account::open(&common.file, common.stage.as_deref()).await?;
    for entry in named {
        ops::function_of_lambda(&opened.declaration, entry, "ask")?;
    }
    let all = || opened.declaration.lambda_functions().map(|(entry, _)| entry.clone()).collect();
    let entries = if named.is_empty() { all() } else { named.to_vec() };
    if entries.is_empty() {
        let of_servers = if opened.declaration.has_workers() { " that Lambda runs" } else { "" };
        return Err(Problem::new(format!("Failed to find a function: the declaration has none{of_servers}")).into());
    }
    if common.dry_run {
        for entry in &entries {
            let name = opened.names.name(Kind::Function, entry);
            let tried = invocation::try_out(&opened.session, &name, contract::probe::event().to_string()).await;
            tried.map_err(|failure| not_invoked(entry, failure))?;
        }
        render::probe::tried(printer, &entries);
        return Ok(ExitCode::SUCCESS);
    }
    let asked = probe::ask(&opened, &entries).await.map_err(|(entry, failure)| not_invoked(&entry, failure))?;
    render::probe::answers(printer, &asked)?;
    Ok(if asked.values().all(probe::Asked::is_well) { ExitCode::SUCCESS } else { ExitCode::from(WRONG) })
}

fn from_here(printer: &Printer, common: &Common, typed: &Check) -> anyhow::Result<ExitCode> {
    let declared =
        Declaration::read(&common.file, common.stage.as_deref()).map(|declaration| netbox::declared(&declaration));
    let netboxes = match &typed.netbox {
        // A declaration is not needed for it, but what it says of the same NetBox counts.
        Some(url) => BTreeMap::from([(url.clone(), meant(url, declared.unwrap_or_default()))]),
        None => declared?,
    };
    if netboxes.is_empty() {
        return Err(Problem::new(
            "Failed to find a NetBox: no function of the declaration has the variable `NETBOX_URL`",
        )
        .with_hint("name one with `--netbox URL`")
        .into());
    }
    let token = token()?;
    let mut all: BTreeMap<String, Findings> = BTreeMap::new();
    for (url, declared) in netboxes {
        let client = client(&url, &declared, &token)?;
        all.insert(url, netbox::examine(&client, declared.keeps_unmatched));
    }
    render::netbox::findings(printer, &all)?;
    Ok(if all.values().all(Findings::is_well) { ExitCode::SUCCESS } else { ExitCode::from(WRONG) })
}

/// Returns a client for the NetBox at an address, with the certificates that are declared for it, else those of the environment.
pub(super) fn client(url: &str, declared: &Declared, token: &Secret) -> Result<Client, Problem> {
    let ca = declared.ca.clone().or_else(|| variable(CA));
    let access = Access { address: address(url)?, token: token.clone(), ca };
    Client::new(&access).map_err(|error| Problem::new(format!("Failed to reach NetBox at {}: {error}", access.address)))
}

/// Returns what is declared of the NetBox at an address: of the one with this address, else of the only one, which may be reached by another
/// address from here.
fn meant(url: &str, mut declared: BTreeMap<String, Declared>) -> Declared {
    let same = declared.keys().find(|other| other.trim_end_matches('/') == url.trim_end_matches('/')).cloned();
    let only = declared.keys().next().filter(|_| declared.len() == 1).cloned();
    same.or(only).and_then(|url| declared.remove(&url)).unwrap_or_default()
}

/// Reads an address to which the token may be sent, by the rules of the function.
pub(super) fn address(url: &str) -> Result<Address, Problem> {
    Address::read(url, Query::Refused).map_err(|error| {
        let hint = without_scheme(url).map_or_else(
            || "name it with `https://`: the token would be sent in clear otherwise".to_owned(),
            |host| format!("put `https://` in front of it: `https://{host}`"),
        );
        Problem::new(format!("Failed to read the address of NetBox {error}")).with_hint(hint)
    })
}

/// Returns the server that an address without a scheme names; `None` if it is no such address. What follows may be a secret.
fn without_scheme(url: &str) -> Option<&str> {
    let host = url.trim().split(['/', '?', '#']).next().unwrap_or_default();
    let is_host = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | ':');
    (!url.contains("://") && !url.contains('@') && !host.is_empty() && host.chars().all(is_host)).then_some(host)
}

/// Returns the token from the environment: a secret is neither typed nor declared.
pub(super) fn token() -> Result<Secret, Problem> {
    let text = variable(TOKEN).ok_or_else(|| {
        Problem::new("Failed to find NetBox's token: the environment variable `NETBOX_TOKEN` is not set")
            .with_hint("set it to a token of the function's user")
    })?;
    let first = text.split(|letter: char| letter.is_whitespace() || letter == ':').next().unwrap_or_default();
    let fault = match first.to_ascii_lowercase().as_str() {
        word @ ("token" | "bearer" | "authorization") if word.len() < text.len() => {
            format!("`NETBOX_TOKEN` begins with `{first}`, which is not part of the token")
        }
        _ if text.contains(['"', '\'']) => "`NETBOX_TOKEN` has quotation marks in it".to_owned(),
        _ if !text.chars().all(|letter| letter.is_ascii_graphic()) => {
            "`NETBOX_TOKEN` has blanks or other characters in it that no token has".to_owned()
        }
        _ => return Ok(text.into()),
    };
    Err(Problem::new(format!("Failed to read NetBox's token: {fault}"))
        .with_hint("set it to the token alone: 40 characters, or `nbt_KEY.TOKEN`"))
}

pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}
