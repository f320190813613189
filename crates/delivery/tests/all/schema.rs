//! The schema: two workers at once, a repeated start, and a database that is newer than the program.

use delivery::{Fault, Store, VERSION};
use mysql_async::prelude::Queryable;

use crate::servers::MySql;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_workers_at_once_migrate_an_empty_database_once() {
    let Some(maria) = MySql::start() else { return };
    let workers = (0..8).map(|_| maria.database()).map(|database| tokio::spawn(async move { database.id().await }));
    let mut ids: Vec<String> = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        ids.push(worker.await.unwrap().unwrap());
    }
    assert!(ids[0].len() == 36 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let mut connection = maria.connection().await;
    let versions: Vec<u32> = connection.query("SELECT version FROM delivery_schema").await.unwrap();
    assert_eq!(versions, [VERSION]);
}

/// A worker that was killed between two statements of a step leaves some tables, and no version.
#[tokio::test]
async fn a_migration_that_was_cut_short_is_ended_by_the_next_worker() {
    let Some(maria) = MySql::start() else { return };
    maria.database().reach().await.unwrap();
    let mut connection = maria.connection().await;
    connection.query_drop("DROP TABLE mail_event").await.unwrap();
    connection.query_drop("UPDATE delivery_schema SET version = 0").await.unwrap();
    maria.database().reach().await.unwrap();
    let count: Option<u32> = connection.query_first("SELECT COUNT(*) FROM mail_event").await.unwrap();
    assert_eq!(count, Some(0));
    connection.query_drop("DROP TABLE delivery_schema").await.unwrap();
    maria.database().reach().await.unwrap();
}

#[tokio::test]
async fn a_database_that_is_newer_than_the_program_is_left_alone() {
    let Some(maria) = MySql::start() else { return };
    maria.database().reach().await.unwrap();
    let mut connection = maria.connection().await;
    connection.query_drop(format!("UPDATE delivery_schema SET version = {}", VERSION + 1)).await.unwrap();
    let Err(Fault::Away(reason)) = maria.database().reach().await else { panic!() };
    assert!(reason.contains("run a newer one"), "{reason}");
}
