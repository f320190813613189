//! Checks that the declared functions can write to their NetBox.

use crate::ops::netbox::{Access, CA, Client, Declared, TOKEN, URL, declared, examine};
use contract::address::{Address, Query};
use declaration::Declaration;

use stack::preconditions::Finding;

/// Checks every declared NetBox whose token is available: it is a secret, and may well not be.
pub(crate) async fn check(declaration: &Declaration) -> Vec<Finding> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let mut findings = Vec::new();
    for (url, Declared { ca, keeps_unmatched }) in declared(declaration) {
        let address = match Address::read(&url, Query::Refused) {
            Ok(address) => address,
            Err(error) => {
                let what = format!("the NetBox at {error}");
                findings.push(Finding::warns(what, format!("set `{URL}` to its address with `https://`")));
                continue;
            }
        };
        let Some(token) = variable(TOKEN) else {
            let what = format!("the NetBox at {url} was not looked at");
            findings
                .push(Finding::warns(what, format!("set `{TOKEN}` to the function's token, or run `provision check`")));
            continue;
        };
        let access = Access { address, token: token.trim().into(), ca: ca.or_else(|| variable(CA)) };
        let examined =
            tokio::task::spawn_blocking(move || Client::new(&access).map(|client| examine(&client, keeps_unmatched)))
                .await;
        let wrong = |reason: String| {
            Finding::warns(format!("the NetBox at {url} cannot be looked at: {reason}"), "run `provision check`")
        };
        match examined {
            Ok(Ok(examined)) => findings.extend(examined.checks.into_iter().filter_map(|check| {
                let fault = check.fault?;
                let what = format!("the NetBox at {url} is not ready: {}: {fault}", check.subject);
                Some(Finding::warns(what, check.hint.unwrap_or_default()))
            })),
            Ok(Err(error)) => findings.push(wrong(error)),
            Err(error) => findings.push(wrong(error.to_string())),
        }
    }
    findings
}
