//! Reads for `provision track` the database of delivery tracking, and SES's suppression list.

use std::{collections::BTreeMap, env};

use contract::{
    secret::Secret,
    tracking::{DATABASE_CA, DATABASE_URL},
};
use declaration::{Declaration, EventType, Function};
use delivery::{Database, Fault, Location};
use engine::{Class, Failure};
use jiff::Timestamp;
use kinds::{Kind, rds};
use problem::Problem;
use serde::Serialize;
use serde_json::Value;

use super::{account::Opened, sent};
use aws::{OrFail, json::Call};

/// Most addresses of a page of the suppression list.
const PAGE: &str = "1000";
const RIGHTS: &str = "`provision policy --for track` prints the rights that this needs";
const LIST: &str = "ListSuppressedDestinations";

/// The place of the address of a database, which holds a password.
#[derive(Debug)]
pub(crate) enum Address<'declared> {
    /// The address, from the environment.
    Given(Secret),
    /// Secret of a function of the declaration.
    OfFunction(String, &'declared Function),
}

/// Finds the place of the database's address.
pub(crate) fn address<'declared>(
    declaration: &'declared Declaration,
    function: Option<&str>,
) -> Result<Address<'declared>, Problem> {
    let given = if function.is_none() { from_environment() } else { None };
    match given {
        Some(url) => Ok(Address::Given(url)),
        None => declared(declaration, function)?.ok_or_else(|| {
            let message = "Failed to find the database of delivery tracking: no function tracks deliveries";
            let hint = format!(
                "set `{DATABASE_URL}` to `mysql://USER:PASSWORD@HOST:3306/DATABASE` for this command, or name a function with `--function`"
            );
            Problem::new(message).with_hint(hint)
        }),
    }
}

/// Finds the database of the declaration, by the function that is meant; `None` if none is named, and no function has a database. An address
/// in the environment stands in for that of the only one.
pub(crate) fn declared<'declared>(
    declaration: &'declared Declaration,
    function: Option<&str>,
) -> Result<Option<Address<'declared>>, Problem> {
    // Whoever names a function knows what is in its database.
    let is_meant = |declared: &Function| match function {
        None => declared.is_tracking(),
        Some(_) => !declared.databases.is_empty() || declared.secrets.contains_key(DATABASE_URL),
    };
    let tracking: BTreeMap<String, &Function> = declaration
        .functions
        .iter()
        .filter(|(_, function)| is_meant(function))
        .map(|(entry, function)| (entry.clone(), function))
        .collect();
    if tracking.is_empty() && function.is_none() {
        return Ok(None);
    }
    if let (Some(url), None) = (from_environment(), function) {
        return Ok(Some(Address::Given(url)));
    }
    let (entry, function) = sent::entry(&tracking, function, ("function with a database", "--function"))?;
    Ok(Some(Address::OfFunction(entry.to_owned(), function)))
}

fn from_environment() -> Option<Secret> {
    env::var(DATABASE_URL).ok().filter(|url| !url.trim().is_empty()).map(Secret::from)
}

/// Reads the location at that address; its secret is read where it is one.
pub(crate) async fn location(opened: &Opened, address: &Address<'_>) -> Result<Location, Problem> {
    match address {
        Address::Given(url) => given(url),
        Address::OfFunction(entry, function) => of_function(opened, entry, function).await,
    }
}

/// Reads a location from the environment.
pub(crate) fn given(url: &Secret) -> Result<Location, Problem> {
    let ca = env::var(DATABASE_CA).ok().filter(|pem| !pem.trim().is_empty());
    Location::read(url.expose(), ca.as_deref())
        .map_err(|error| Problem::new(format!("Failed to read `{DATABASE_URL}`")).with_source(error))
}

/// Reads the location of the database of a function: the one that it names, else that of its secret.
async fn of_function(opened: &Opened, entry: &str, function: &Function) -> Result<Location, Problem> {
    let ca = function.environment.get(DATABASE_CA).map(String::as_str);
    if let Some(database) = function.databases.first() {
        return of_stack(opened, database, ca).await;
    }
    let what = format!("the secret `{DATABASE_URL}` of the function `{entry}`");
    let failed = || Problem::new(format!("Failed to read {what}"));
    let secret = function.secrets.get(DATABASE_URL).ok_or_else(failed)?;
    let name = opened.names.secret(&opened.declaration, secret);
    let url = secret_value(opened, &name, &what).await?;
    Location::read(url.expose(), ca).map_err(|error| failed().with_source(error))
}

/// Finds a database of the stack, and reads its password.
async fn of_stack(opened: &Opened, entry: &str, ca: Option<&str>) -> Result<Location, Problem> {
    let failed = || Problem::new(format!("Failed to find the database `{entry}`"));
    let declared = opened.declaration.databases.get(entry).ok_or_else(failed)?;
    let found = rds::place(&opened.session, &opened.names.name(Kind::Database, entry)).await;
    let found = found.map_err(|failure| failed().with_hint(RIGHTS).with_source(failure))?;
    let place = found.ok_or_else(|| failed().with_hint("`provision up` makes it, and waits until it is there"))?;
    let what = format!("the password of the database `{entry}`");
    let document = secret_value(opened, &place.secret, &what).await?;
    let document: Value = serde_json::from_str(document.expose()).unwrap_or_default();
    let password = document.get("password").and_then(Value::as_str);
    let password = password.ok_or_else(|| Problem::new(format!("Failed to read {what}: the secret has none")))?;
    Ok(Location::of(&place.host, place.port, &declared.name, &declared.user, password, ca))
}

/// Reads the value of a secret, by its name or its ARN.
async fn secret_value(opened: &Opened, id: &str, what: &str) -> Result<Secret, Problem> {
    let call = opened.session.aws.read.secrets.get_secret_value().secret_id(id);
    let value = call.send().await.or_fail("secretsmanager.GetSecretValue").map_err(|failure| {
        let hint = match failure.class {
            Class::NotFound => "`provision up` creates the declared secrets",
            Class::Denied => RIGHTS,
            _ => "set `DATABASE_URL` in the environment to do without it",
        };
        Problem::new(format!("Failed to read {what}")).with_hint(hint).with_source(failure)
    })?;
    Ok(value.secret_string().unwrap_or_default().into())
}

/// Returns why the database was not read, and what to do.
pub(crate) fn unread(location: &str, fault: Fault) -> Problem {
    let hint = match &fault {
        Fault::Denied(_) => "the address has another user or password, or the user may not read the tables",
        Fault::Away(_) | Fault::Refused(_) => {
            "a database is reached inside its VPC alone: run this on a machine there, or through a tunnel"
        }
    };
    Problem::new(format!("Failed to read the database {location}")).with_hint(hint).with_source(fault)
}

/// Returns the database of an address, for reading.
pub(crate) fn reader(location: &Location) -> Database {
    Database::with_schema_as_it_is(location.clone())
}

/// Returns `true` if SES tells of openings, by the declared configuration sets; `None` if none is declared that tells of anything.
pub(crate) fn tells_of_opens(declaration: &Declaration) -> Option<bool> {
    let mut destinations = declaration.configuration_sets.values().flat_map(|set| set.events.values()).peekable();
    destinations.peek()?;
    Some(destinations.any(|destination| destination.types.contains(&EventType::Open)))
}

/// An address to which SES sends nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Suppressed {
    /// Suppressed address of a recipient.
    pub(crate) address: String,
    /// Reason in SES's words: `BOUNCE` or `COMPLAINT`.
    pub(crate) reason: String,
    /// Time at which it came onto the list; `None` if SES does not say.
    pub(crate) since: Option<Timestamp>,
}

/// Reads the account's suppression list in the stack's region, sorted by address.
pub(crate) async fn suppressed(opened: &Opened) -> Result<Vec<Suppressed>, Failure> {
    let call = Call::get(LIST, &["v2", "email", "suppression", "addresses"]).with_query("PageSize", PAGE);
    let pages = opened.session.aws.read.sesv2.pages(call, "SuppressedDestinationSummaries", ("NextToken", "NextToken"));
    let members = pages.await?;
    let read = |member: &Value| {
        let text = |name: &str| member.get(name).and_then(Value::as_str).map(str::to_owned);
        let since = member.get("LastUpdateTime").and_then(Value::as_f64).and_then(moment);
        Some(Suppressed { address: text("EmailAddress")?, reason: text("Reason")?, since })
    };
    let unread =
        || Failure::found(&format!("sesv2.{LIST}"), Class::Other, "an entry has no `EmailAddress` and `Reason`");
    let mut list = members.iter().map(read).collect::<Option<Vec<_>>>().ok_or_else(unread)?;
    list.sort_by(|one, other| one.address.cmp(&other.address));
    Ok(list)
}

/// Returns the time that is so many seconds after 1970.
fn moment(seconds: f64) -> Option<Timestamp> {
    let duration = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
    Timestamp::UNIX_EPOCH.checked_add(duration).ok()
}
