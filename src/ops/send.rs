//! Writes for `provision send` the records of mails, and their bodies.

use aws::Clients;
use contract::sending::{PARTITION_KEY, SORT_KEY};
use declaration::Declaration;
use delivery::Database;
use kinds::Kind;
use problem::Problem;
use sending::{Account, Bodies, Both, NotSent, Patience, Records, Request, Sending, Tracking, settle};
use stack::{Names, policy::BODIES};

use super::{
    account::Opened,
    sent,
    track::{self, Address},
};

/// The entries that were named; `None` for the only one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Chosen<'typed> {
    /// Table of the declaration.
    pub(crate) table: Option<&'typed str>,
    /// Bucket of the declaration.
    pub(crate) bucket: Option<&'typed str>,
    /// Function whose database keeps records.
    pub(crate) function: Option<&'typed str>,
}

/// The places of records: there is one at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Keeping<D> {
    /// A table, by its name in AWS.
    Table(String),
    /// The database of delivery tracking.
    Database(D),
    /// Both: the table of this name and the database.
    Both(String, D),
}

impl<D> Keeping<D> {
    /// Returns the name of the table; `None` if there is none.
    pub(crate) fn table(&self) -> Option<&str> {
        match self {
            Self::Table(table) | Self::Both(table, _) => Some(table),
            Self::Database(_) => None,
        }
    }

    /// Returns the database; `None` if there is none.
    pub(crate) fn database(&self) -> Option<&D> {
        match self {
            Self::Database(database) | Self::Both(_, database) => Some(database),
            Self::Table(_) => None,
        }
    }
}

/// The places of what a mail leaves.
#[derive(Debug)]
pub(crate) struct Place<D> {
    /// Place of the record.
    pub(crate) records: Keeping<D>,
    /// Bucket of the body; `None` if it is not kept.
    pub(crate) bodies: Option<Bodies>,
}

impl Place<Address<'_>> {
    /// Returns the same places with the database, which is connected to when it is needed.
    pub(crate) async fn opened(self, opened: &Opened) -> Result<Place<Database>, Problem> {
        let Self { records, bodies } = self;
        let records = match records {
            Keeping::Table(table) => Keeping::Table(table),
            Keeping::Database(address) => Keeping::Database(database(opened, &address).await?),
            Keeping::Both(table, address) => Keeping::Both(table, database(opened, &address).await?),
        };
        Ok(Place { records, bodies })
    }
}

async fn database(opened: &Opened, address: &Address<'_>) -> Result<Database, Problem> {
    Ok(Database::with_schema_as_it_is(track::location(opened, address).await?))
}

/// Finds the places. A stack that tracks deliveries keeps records in its database, and needs neither a table nor a bucket.
pub(crate) fn place<'declared>(
    declaration: &'declared Declaration,
    names: &Names,
    chosen: Chosen<'_>,
) -> Result<Place<Address<'declared>>, Problem> {
    let tracking = track::declared(declaration, chosen.function)?;
    let table = table(declaration, chosen.table, tracking.is_some())?.map(|entry| names.name(Kind::Table, entry));
    let needs_bucket = table.is_some() || chosen.bucket.is_some() || !declaration.buckets.is_empty();
    let bodies = if needs_bucket {
        let bucket = sent::entry(&declaration.buckets, chosen.bucket, ("bucket", "--bucket"))?.0;
        Some(Bodies { bucket: names.name(Kind::Bucket, bucket), owner: names.account().to_owned() })
    } else {
        None
    };
    let records = match (table, tracking) {
        (Some(table), Some(database)) => Keeping::Both(table, database),
        (Some(table), None) => Keeping::Table(table),
        (None, Some(database)) => Keeping::Database(database),
        (None, None) => return Err(Problem::new("Failed to find a place for the record of the mail")),
    };
    Ok(Place { records, bodies })
}

/// Finds the table that is meant. Where it may be missing, tables for something else are passed over.
fn table<'declared>(
    declaration: &'declared Declaration,
    named: Option<&str>,
    may_be_missing: bool,
) -> Result<Option<&'declared str>, Problem> {
    if may_be_missing && named.is_none() && !declaration.tables.values().any(sent::keeps_mails) {
        return Ok(None);
    }
    let (table, declared) = sent::entry(&declaration.tables, named, ("table", "--table"))?;
    if !sent::keeps_mails(declared) {
        let message = format!("Failed to use the table `{table}` for sent mails: its keys are others");
        let hint = format!("declare it with `partition_key: {PARTITION_KEY}` and `sort_key: {SORT_KEY}`");
        return Err(Problem::new(message).with_hint(hint));
    }
    Ok(Some(table))
}

/// Sends a request, or records that it was sent under a message id.
pub(crate) async fn send(
    clients: &Clients,
    place: &Place<Database>,
    request: &Request,
    sent_as: Option<&str>,
) -> Result<Sending, NotSent> {
    let table = |name| sending::Table { clients, name };
    let tracking = |database| Tracking { database, keeps_bodies: place.bodies.is_some() };
    match &place.records {
        Keeping::Table(name) => run(clients, place, table(name), request, sent_as).await,
        Keeping::Database(database) => run(clients, place, tracking(database), request, sent_as).await,
        Keeping::Both(name, database) => {
            run(clients, place, Both(table(name), tracking(database)), request, sent_as).await
        }
    }
}

async fn run(
    clients: &Clients,
    place: &Place<Database>,
    records: impl Records,
    request: &Request,
    sent_as: Option<&str>,
) -> Result<Sending, NotSent> {
    let account = Account { clients, bodies: place.bodies.as_ref(), records };
    let patience = Patience::default();
    match sent_as {
        Some(message_id) => settle(&account, request, message_id, patience).await,
        None => sending::send(&account, request, BODIES, patience).await,
    }
}
