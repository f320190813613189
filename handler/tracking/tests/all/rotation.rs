//! The database's password changes while the worker runs: its address is a secret of Secrets Manager.

use mysql_async::prelude::Queryable;
use replaced::Replaced as _;
use serde_json::json;

use crate::{
    context, event,
    function::tracked,
    queue::Queue,
    servers::MySql,
    worker::{CREDENTIALS, Running, command, patiently, wait_for},
};

const SECRET: &str = "mails/database";

/// Returns how many connections the database has refused so far.
async fn refused(connection: &mut mysql_async::Conn) -> u64 {
    let row: Option<(String, u64)> =
        connection.query_first("SHOW GLOBAL STATUS LIKE 'Aborted_connects'").await.unwrap();
    row.unwrap().1
}

#[test]
fn a_rotated_password_is_read_again_and_nothing_is_lost_meanwhile() {
    let Some(maria) = MySql::start() else { return };
    let Some(queue) = Queue::start() else { return };
    let put = |action: &str, name: &str, url: &str| {
        queue.call_of(&format!("secretsmanager.{action}"), &json!({name: SECRET, "SecretString": url}));
    };
    put("CreateSecret", "Name", &maria.url());
    let mut context = context();
    context["secrets"] = json!({"DATABASE_URL": SECRET});
    let mut command = command(&queue);
    let worker = Running::start(command.envs(CREDENTIALS).env("PROVISION_CONTEXT", context.to_string()));
    queue.send(&event("Send", "m-1", 1));
    wait_for(&queue, 0);
    // The password changes, and every connection ends; the secret has the old one yet.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut connection = runtime.block_on(maria.connection());
    let denied = runtime.block_on(async {
        connection.query_drop("SET PASSWORD = PASSWORD('an0ther-of-a-test')").await.unwrap();
        let others: Vec<u64> = connection
            .query("SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID()")
            .await
            .unwrap();
        for other in others {
            // It may have ended by itself.
            let _gone = connection.query_drop(format!("KILL CONNECTION {other}")).await;
        }
        refused(&mut connection).await
    });
    queue.send(&event("Delivery", "m-1", 9));
    patiently("a worker with the old password", || runtime.block_on(refused(&mut connection)) > denied);
    assert_eq!((queue.count(&queue.url), queue.count(&queue.dead_letters)), (1, 0));
    let rotated = maria.url().replaced("s3cret-of-a-test", "an0ther-of-a-test");
    put("PutSecretValue", "SecretId", &rotated);
    wait_for(&queue, 0);
    assert_eq!(queue.count(&queue.dead_letters), 0);
    runtime.block_on(async {
        let mut connection = mysql_async::Conn::from_url(format!("{rotated}?prefer_socket=false")).await.unwrap();
        connection.query_drop("SET PASSWORD = PASSWORD('s3cret-of-a-test')").await.unwrap();
    });
    assert_eq!(tracked(&maria, "m-1")[0].status, "delivered");
    worker.end();
}
