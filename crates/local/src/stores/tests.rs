//! Tests databases and caches of a run, with the machine's own servers.

use std::os::unix::fs::PermissionsExt;

use contract::context::{Cache, Database};
use process::tool;

use super::*;

fn context() -> Context {
    let database = Database {
        name: "mails".to_owned(),
        user: "worker".to_owned(),
        host: "in-aws".to_owned(),
        ..Database::default()
    };
    let cache = Cache { host: "in-aws".to_owned(), tls: true, secret: Some("in/aws".to_owned()), ..Cache::default() };
    Context {
        databases: [("mails".to_owned(), database)].into(),
        caches: [("seen".to_owned(), cache)].into(),
        ..Context::default()
    }
}

/// Starts the stores of two functions; `None` where they are not installed, which is said.
async fn started(contexts: &mut [Context; 2], folder: &Path) -> Option<Stores> {
    match start(contexts.iter_mut().collect(), folder).await {
        Ok(stores) => Some(stores),
        Err((what, NotServed::Missing { program, package })) => {
            let required = env::var("PROVISION_REQUIRE").unwrap_or_default();
            assert!(!required.contains("mariadb"), "{what}: `{program}` of `{package}` is not installed");
            eprintln!("not run: {what}: `{program}` of `{package}` is not installed");
            None
        }
        Err((what, error)) => panic!("{what}: {error}"),
    }
}

#[tokio::test]
async fn two_functions_share_their_stores_whose_passwords_are_secrets_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut contexts = [context(), context()];
    let Some(stores) = started(&mut contexts, folder.path()).await else { return };
    assert_eq!(contexts[0], contexts[1]);
    let what: Vec<_> = stores.running.iter().map(|store| (store.what.as_str(), store.product)).collect();
    assert_eq!(what, [("database mails", "MariaDB"), ("cache seen", "Redis")]);
    let (database, cache) = (&contexts[0].databases["mails"], &contexts[0].caches["seen"]);
    assert_eq!((database.host.as_str(), database.port), ("127.0.0.1", stores.running[0].address.port()));
    assert!(!cache.tls && stores.secrets.contains_key(cache.secret.as_ref().unwrap()));
    let secret: serde_json::Value = serde_json::from_str(stores.secrets[&database.secret].expose()).unwrap();
    assert_eq!(secret["username"], "worker");
    // In no argument of a process, and in no file.
    let password = secret["password"].as_str().unwrap();
    for store in &stores.running {
        let arguments = fs::read(format!("/proc/{}/cmdline", store.group.child.id().unwrap())).unwrap();
        assert!(!String::from_utf8_lossy(&arguments).contains(password), "{}", store.what);
    }
    let home = folder.path().join("databases/mails");
    assert!(!home.join("first.sql").exists());
    assert_eq!(fs::metadata(&home).unwrap().permissions().mode() & 0o077, 0);
    for store in stores.running {
        store.end().await;
    }
    // The next run has another password for the rows that are there.
    let mut contexts = [context(), context()];
    let stores = started(&mut contexts, folder.path()).await.unwrap();
    assert!(!stores.secrets[&contexts[0].databases["mails"].secret].expose().contains(password));
}

#[tokio::test]
async fn a_server_that_ends_is_told_with_the_end_of_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut command = tool("/bin/sh");
    command.args(["-c", "echo starting; echo the port is taken; exit 1"]);
    logged(&mut command, &log).unwrap();
    let mut group = Group::start(&mut command).unwrap();
    let error = until("mariadbd", &mut group, async || false, &log).await.unwrap_err();
    assert_eq!(error.to_string(), "mariadbd has ended; its log ends with: the port is taken");
}

#[tokio::test]
async fn what_a_killed_run_left_is_ended_and_tables_that_were_not_finished_are_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("databases/mails");
    fs::create_dir_all(home.join("data.unfinished/mysql")).unwrap();
    let mut contexts = [context(), context()];
    let Some(stores) = started(&mut contexts, folder.path()).await else { return };
    let left = stores.running[0].group.child.id().unwrap();
    // As after `kill -9` of the run: nobody ends what it started.
    std::mem::forget(stores);
    let stores = started(&mut contexts, folder.path()).await.unwrap();
    assert_ne!(stores.running[0].group.child.id(), Some(left));
    let is_there = fs::read_to_string(format!("/proc/{left}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    assert!(!is_there, "the server of before still runs");
    for store in stores.running {
        store.end().await;
    }
}
