//! Applies events: their log and the statuses of their mails, in one transaction.

use std::{collections::BTreeMap, future::Future};

use contract::sending::MailId;
use jiff::Timestamp;
use mysql_async::{
    Conn, IsolationLevel, Params, Transaction, TxOpts, Value,
    prelude::{FromRow, Queryable},
};

use crate::{Change, Database, Fault, Status};

/// The status of a mail for one recipient, as it is in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// SES's id of the mail.
    pub message_id: String,
    /// Recipient's bare address in small letters.
    pub recipient: String,
    /// Status of the mail.
    pub status: Status,
    /// `true` as long as no sender's record of the mail is known.
    pub is_parked: bool,
}

/// A store to which changes are applied.
pub trait Store {
    /// Applies changes, all or none, and returns the statuses that follow. Applying them again changes nothing. After an error they may be
    /// there all the same.
    fn apply(&self, changes: &[Change]) -> impl Future<Output = Result<Vec<Standing>, Fault>>;
    /// Tries whether changes could be applied; changes no mail.
    fn reach(&self) -> impl Future<Output = Result<(), Fault>>;
}

/// Most rows of a statement. MySQL takes 65,535 parameters in one, a batch of Lambda may have 10,000 messages, and the time that the server
/// takes to plan how it looks rows up grows with the square of their number: a second for 1,000.
const MOST_ROWS: usize = 200;

/// A mail for one recipient.
type Key = (String, String);

/// The rise of a status: the greatest of a batch, and its first time.
#[derive(Debug, Clone, Copy)]
struct Rise {
    status: Status,
    at: Timestamp,
    /// Time at which the sender's record was made; `None` if none is known.
    sent_at: Option<Timestamp>,
}

impl Store for Database {
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Standing>, Fault> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        self.run_with(changes.len(), async |connection| transact(connection, changes).await).await
    }

    async fn reach(&self) -> Result<(), Fault> {
        self.run(async |connection| connection.query_drop("SELECT 1 FROM mail LIMIT 1").await).await
    }
}

async fn transact(connection: &mut Conn, changes: &[Change]) -> mysql_async::Result<Vec<Standing>> {
    // Locks between rows would only make deadlocks: no statement depends on what is not there.
    let mut options = TxOpts::default();
    options.with_isolation_level(IsolationLevel::ReadCommitted);
    let mut transaction = connection.start_transaction(options).await?;
    // In the order of their keys, so that two workers wait for each other rather than deadlock.
    let mut sorted: Vec<&Change> = changes.iter().collect();
    sorted.sort_unstable_by_key(|change| change.event_id);
    write_events(&mut transaction, &sorted).await?;
    let records = known_records(&mut transaction, &sorted).await?;
    let rises = rises(&sorted, &records);
    raise(&mut transaction, &rises).await?;
    let standings = standings(&mut transaction, &rises).await?;
    transaction.commit().await?;
    Ok(standings)
}

async fn write_events(transaction: &mut Transaction<'_>, changes: &[&Change]) -> mysql_async::Result<()> {
    for some in changes.chunks(MOST_ROWS) {
        let statement = format!(
            "INSERT INTO mail_event (event_id, message_id, recipient, kind, at, subtype) VALUES {}
             ON DUPLICATE KEY UPDATE event_id = mail_event.event_id",
            rows(some.len(), "(?,?,?,?,?,?)")
        );
        let mut values = Vec::with_capacity(some.len() * 6);
        for Change { event_id, message_id, recipient, kind, at, subtype, .. } in some {
            values.push(Value::from(event_id.as_slice()));
            values.extend([message_id, recipient, kind].map(Value::from));
            values.extend([Value::from(instant(*at)), Value::from(subtype)]);
        }
        transaction.exec_drop(statement, Params::Positional(values)).await?;
    }
    Ok(())
}

/// Returns when the sender began each mail that carries his id, and notes SES's id in a record that does not have it: its sender has not
/// learned it, or not yet.
async fn known_records(
    transaction: &mut Transaction<'_>,
    changes: &[&Change],
) -> mysql_async::Result<BTreeMap<String, Timestamp>> {
    let carried: BTreeMap<&MailId, &Change> =
        changes.iter().filter_map(|change| Some((change.mail_id.as_ref()?, *change))).collect();
    let mut known = BTreeMap::new();
    if carried.is_empty() {
        return Ok(known);
    }
    let ids: Vec<Value> = carried.keys().map(|id| Value::from(id.as_str())).collect();
    let mut found: Vec<(String, String, bool)> = Vec::new();
    for some in ids.chunks(MOST_ROWS) {
        let statement = format!(
            "SELECT mail_id, {}, message_id IS NULL FROM sent_mail WHERE mail_id IN ({})",
            text_of("begun_at"),
            rows(some.len(), "?")
        );
        let more: Vec<(String, String, bool)> = transaction.exec(statement, Params::Positional(some.to_vec())).await?;
        found.extend(more);
    }
    for (id, begun_at, lacks_id) in found {
        let change = MailId::read(&id).and_then(|id| carried.get(&id).copied());
        let (Some(change), Some(begun_at)) = (change, read_instant(&begun_at)) else { continue };
        if lacks_id {
            const NOTE: &str =
                "UPDATE sent_mail SET message_id = ?, sent_at = begun_at WHERE mail_id = ? AND message_id IS NULL";
            transaction.exec_drop(NOTE, (&change.message_id, &id)).await?;
        }
        known.insert(id, begun_at);
    }
    Ok(known)
}

/// Returns the rise of each mail of a batch, in the order of their keys.
fn rises(changes: &[&Change], records: &BTreeMap<String, Timestamp>) -> BTreeMap<Key, Rise> {
    let mut all: BTreeMap<Key, Rise> = BTreeMap::new();
    for change in changes {
        let status = change.status.unwrap_or(Status::Pending);
        let sent_at = change.mail_id.as_ref().and_then(|id| records.get(id.as_str()).copied());
        let next = Rise { status, at: change.at, sent_at };
        let rise = all.entry((change.message_id.clone(), change.recipient.clone())).or_insert(next);
        let at = if next.status == rise.status { next.at.min(rise.at) } else { rise.at };
        let (status, at) = if next.status > rise.status { (next.status, next.at) } else { (rise.status, at) };
        *rise = Rise { status, at, sent_at: rise.sent_at.or(next.sent_at) };
    }
    all
}

async fn raise(transaction: &mut Transaction<'_>, rises: &BTreeMap<Key, Rise>) -> mysql_async::Result<()> {
    let all: Vec<_> = rises.iter().collect();
    for some in all.chunks(MOST_ROWS) {
        let values = some
            .iter()
            .flat_map(|((message_id, recipient), rise)| row(message_id, recipient, rise.status, rise.at, rise.sent_at));
        transaction.exec_drop(rising(some.len()), Params::Positional(values.collect())).await?;
    }
    Ok(())
}

/// Returns the statement that writes some rows of `mail`, of which each status only rises. MySQL assigns from left to right, so the
/// comparisons come before what they compare with. `VALUES()` is what MySQL and MariaDB have both.
pub(crate) fn rising(count: usize) -> String {
    format!(
        "INSERT INTO mail (message_id, recipient, status, precedence, status_at, sent_at) VALUES {}
         ON DUPLICATE KEY UPDATE
         status_at = IF(VALUES(precedence) > precedence OR VALUES(precedence) = precedence AND VALUES(status_at) < status_at,
             VALUES(status_at), status_at),
         status = IF(VALUES(precedence) > precedence, VALUES(status), status),
         precedence = GREATEST(precedence, VALUES(precedence)),
         sent_at = LEAST(COALESCE(sent_at, VALUES(sent_at)), COALESCE(VALUES(sent_at), sent_at))",
        rows(count, "(?,?,?,?,?,?)")
    )
}

/// Returns the values of a row of `mail` for [`rising`].
pub(crate) fn row(
    message_id: &str,
    recipient: &str,
    status: Status,
    at: Timestamp,
    sent_at: Option<Timestamp>,
) -> [Value; 6] {
    [
        Value::from(message_id),
        Value::from(recipient),
        Value::from(status.as_str()),
        Value::from(status.precedence()),
        Value::from(instant(at)),
        Value::from(sent_at.map(instant)),
    ]
}

async fn standings(
    transaction: &mut Transaction<'_>,
    rises: &BTreeMap<Key, Rise>,
) -> mysql_async::Result<Vec<Standing>> {
    let all: Vec<_> = rises.keys().collect();
    let mut found: Vec<(String, String, String, bool)> = Vec::new();
    for some in all.chunks(MOST_ROWS) {
        let statement = format!(
            "SELECT message_id, recipient, status, sent_at IS NULL FROM mail WHERE (message_id, recipient) IN ({})",
            rows(some.len(), "(?,?)")
        );
        let keys = some.iter().flat_map(|(id, recipient)| [Value::from(id), Value::from(recipient)]).collect();
        let more: Vec<(String, String, String, bool)> = transaction.exec(statement, Params::Positional(keys)).await?;
        found.extend(more);
    }
    let standing = |(message_id, recipient, status, is_parked): (String, String, String, bool)| Standing {
        message_id,
        recipient,
        status: Status::read(&status).unwrap_or(Status::Pending),
        is_parked,
    };
    Ok(found.into_iter().map(standing).collect())
}

/// Returns as many of these with commas between.
pub(crate) fn rows(count: usize, one: &str) -> String {
    vec![one; count].join(",")
}

/// Returns a time as the database takes it, in UTC with milliseconds; what is less is cut.
pub(crate) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

/// Returns the expression for a column of time as [`read_instant`] reads it.
pub(crate) fn text_of(column: &str) -> String {
    format!("DATE_FORMAT({column}, '%Y-%m-%dT%H:%i:%s.%fZ')")
}

/// Reads a time of [`text_of`]; `None` if it is none.
pub(crate) fn read_instant(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// Reads rows of some columns.
pub(crate) async fn read<Row: FromRow + Send + 'static>(
    connection: &mut Conn,
    statement: &str,
    values: Vec<Value>,
) -> mysql_async::Result<Vec<Row>> {
    connection.exec(statement, Params::Positional(values)).await
}
