//! The tables, and how an older schema becomes this one: forward only, also when two workers begin at once.

use std::time::Duration;

use mysql_async::{Conn, prelude::Queryable};

use crate::Fault;

/// Version of the schema that this code reads and writes.
pub const VERSION: u32 = 1;

/// The lock of a database's migrations. MySQL keeps locks for a whole server, so the database's name is added.
const LOCK: &str = "provision.delivery";
/// Longest wait for another worker's migration.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The steps from each version to the next: entry 0 makes version 1. A step may be cut short at any statement, and be repeated by another
/// worker: MySQL commits each change of a table by itself. So every statement changes nothing where it was run before.
const STEPS: [&[&str]; VERSION as usize] = [&[
    "CREATE TABLE IF NOT EXISTS sent_mail (
        mail_id     CHAR(32)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        message_id  VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NULL,
        sender      VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        template_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
        request     CHAR(64)     CHARACTER SET ascii COLLATE ascii_bin NULL,
        body_key    VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
        begun_at    DATETIME(3)  NOT NULL,
        sent_at     DATETIME(3)  NULL,
        PRIMARY KEY (mail_id), UNIQUE KEY request (request), KEY message_id (message_id), KEY begun_at (begun_at)
    ) ENGINE=InnoDB",
    "CREATE TABLE IF NOT EXISTS mail (
        message_id VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        recipient  VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        status     VARCHAR(20)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        precedence TINYINT UNSIGNED NOT NULL,
        status_at  DATETIME(3)  NOT NULL,
        sent_at    DATETIME(3)  NULL,
        PRIMARY KEY (message_id, recipient), KEY recipient (recipient, status_at), KEY status_at (status_at),
        KEY parked (sent_at, status_at)
    ) ENGINE=InnoDB",
    "CREATE TABLE IF NOT EXISTS mail_event (
        event_id   BINARY(32)   NOT NULL,
        message_id VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        recipient  VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        kind       VARCHAR(40)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        at         DATETIME(3)  NOT NULL,
        subtype    VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
        PRIMARY KEY (event_id), KEY mail (message_id, recipient, at)
    ) ENGINE=InnoDB",
]];

/// Brings the schema to [`VERSION`]; does nothing if it is there. Returns the id of the database, which a new one does not share: by it a
/// cache tells what it has of another.
pub(crate) async fn migrate(connection: &mut Conn) -> Result<String, Fault> {
    if let Some((version, id)) = current(connection).await?
        && version >= VERSION
    {
        return known(version).map(|()| id);
    }
    let wait = PATIENCE.as_secs();
    let lock = format!("GET_LOCK(CONCAT('{LOCK}.', DATABASE()), {wait})");
    let is_ours: Option<Option<u8>> = connection.query_first(format!("SELECT {lock}")).await?;
    if is_ours.flatten() != Some(1) {
        return Err(Fault::Away(format!("another worker migrates the database for more than {wait} seconds")));
    }
    let ended = advance(connection).await;
    // The lock ends with the connection, too: an error here is of no consequence.
    let _released = connection.query_drop(format!("DO RELEASE_LOCK(CONCAT('{LOCK}.', DATABASE()))")).await;
    ended
}

/// Returns the id of a database whose schema is this one; makes no table.
pub(crate) async fn ensure(connection: &mut Conn) -> Result<String, Fault> {
    match current(connection).await? {
        Some((version, id)) if version >= VERSION => known(version).map(|()| id),
        _ => Err(Fault::Away(
            "the database has no tables of delivery tracking: its worker makes them when it begins".to_owned(),
        )),
    }
}

async fn advance(connection: &mut Conn) -> Result<String, Fault> {
    connection
        .query_drop(
            "CREATE TABLE IF NOT EXISTS delivery_schema (
                one TINYINT NOT NULL, version INT UNSIGNED NOT NULL, id CHAR(36) CHARACTER SET ascii NOT NULL, PRIMARY KEY (one)
            ) ENGINE=InnoDB",
        )
        .await?;
    connection
        .query_drop("INSERT INTO delivery_schema VALUES (1, 0, UUID()) ON DUPLICATE KEY UPDATE one = one")
        .await?;
    loop {
        let (version, id) = current(connection).await?.unwrap_or_default();
        let Some(statements) = usize::try_from(version).ok().and_then(|version| STEPS.get(version)) else {
            return known(version).map(|()| id);
        };
        for statement in *statements {
            connection.query_drop(*statement).await?;
        }
        let next = version + 1;
        connection.exec_drop("UPDATE delivery_schema SET version = ? WHERE version < ?", (next, next)).await?;
    }
}

/// Returns the version of the schema and the id of the database; `None` if there is no schema.
async fn current(connection: &mut Conn) -> Result<Option<(u32, String)>, Fault> {
    const NO_TABLE: u16 = 1146;
    match connection.query_first("SELECT version, id FROM delivery_schema").await {
        Err(mysql_async::Error::Server(error)) if error.code == NO_TABLE => Ok(None),
        found => Ok(found?),
    }
}

/// Refuses a schema that is newer than this code: it would miss what the newer one means.
fn known(version: u32) -> Result<(), Fault> {
    if version > VERSION {
        let reason = format!(
            "the database has version {version} of the schema, and this program knows {VERSION}: run a newer one"
        );
        return Err(Fault::Away(reason));
    }
    Ok(())
}
