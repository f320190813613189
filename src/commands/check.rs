//! `provision check`: checks the declared NetBox, or another one, before the first mail needs it.

use std::{collections::BTreeMap, process::ExitCode};

use crate::{
    cli::{Check, Common},
    ops::netbox::{self, Access, CA, Client, Findings, TOKEN},
    render::{self, Printer},
};
use contract::{
    address::{Address, Query},
    secret::Secret,
};
use declaration::Declaration;
use problem::Problem;

/// Exit code if a NetBox has a fault.
const WRONG: u8 = 1;

pub(super) fn run(printer: &Printer, common: &Common, typed: &Check) -> anyhow::Result<ExitCode> {
    let addresses = match &typed.netbox {
        Some(url) => BTreeMap::from([(url.clone(), None)]),
        None => netbox::declared(&Declaration::read(&common.file, common.stage.as_deref())?),
    };
    if addresses.is_empty() {
        return Err(Problem::new(
            "Failed to find a NetBox: no function of the declaration has the variable `NETBOX_URL`",
        )
        .with_hint("name one with `--netbox URL`")
        .into());
    }
    let token = token()?;
    let mut all: BTreeMap<String, Findings> = BTreeMap::new();
    for (url, ca) in addresses {
        let address = address(&url)?;
        let access = Access { address, token: token.clone(), ca: ca.or_else(|| variable(CA)) };
        let client = Client::new(&access).map_err(|error| Problem::new("Failed to reach NetBox").with_source(error))?;
        all.insert(url, netbox::examine(&client));
    }
    render::netbox::findings(printer, &all)?;
    Ok(if all.values().all(Findings::is_well) { ExitCode::SUCCESS } else { ExitCode::from(WRONG) })
}

/// Reads an address to which the token may be sent, by the rules of the function.
pub(super) fn address(url: &str) -> Result<Address, Problem> {
    Address::read(url, Query::Refused).map_err(|error| {
        Problem::new(format!("Failed to read the address of NetBox {error}"))
            .with_hint("name it with `https://`: the token would be sent in clear otherwise")
    })
}

/// Returns the token from the environment: a secret is neither typed nor declared.
pub(super) fn token() -> Result<Secret, Problem> {
    variable(TOKEN).map(Secret::from).ok_or_else(|| {
        Problem::new("Failed to find NetBox's token: the environment variable `NETBOX_TOKEN` is not set")
            .with_hint("set it to a token of the function's user")
    })
}

pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}
