//! Tests what takes AWS minutes: a database and a cache in a network of the stack's own, which stay in their network, in their groups and
//! under their names until their end.

use aws::query::{Call, Element};

use super::{Trial, actions, interrupts};
use crate::{emulator::fault::Fault, harness::replaced};

/// A stack whose parts take minutes to be made, changed and deleted.
pub(super) const STORES: &str = "\
stack: stores
region: eu-west-1
networks: {main: {nat: true}}
security_groups: {data: {network: main, egress: []}}
secrets: {token: {value_from: {environment: TRY_TOKEN}}}
databases: {mails: {network: main, security_groups: [data]}}
caches: {seen: {network: main, security_groups: [data], auth: token}}
";

/// The same with another class of machine and another type of node, for which AWS restarts what is there.
pub(super) fn resized() -> String {
    replaced(
        STORES,
        &[
            ("mails: {network", "mails: {class: db.t4g.small, network"),
            ("seen: {network", "seen: {node: cache.t4g.small, network"),
        ],
    )
}

/// The end of all of it.
pub(super) const DOWN: &[&str] = &["down", "--confirm", "stores", "--delete-data"];

fn database(trial: &Trial) -> Element {
    let call = Call::new("DescribeDBInstances").with("DBInstanceIdentifier", "stores-mails");
    let answer = trial.account.wait(trial.account.rds.call(&call)).unwrap();
    answer.list("DescribeDBInstancesResult/DBInstances")[0].clone()
}

fn cache(trial: &Trial) -> Element {
    let call = Call::new("DescribeReplicationGroups").with("ReplicationGroupId", "stores-seen");
    let answer = trial.account.wait(trial.account.elasticache.call(&call)).unwrap();
    answer.list("DescribeReplicationGroupsResult/ReplicationGroups")[0].clone()
}

fn last_snapshots(trial: &Trial) -> Vec<String> {
    trial.account.inventory().into_iter().filter(|line| line.starts_with("last snapshot")).collect()
}

#[test]
fn a_run_after_one_that_ended_amid_a_deletion_waits_for_its_end() {
    let Some(trial) = Trial::new(STORES) else { return };
    let empty = trial.account.inventory();
    trial.up();
    let (made, end) = (trial.emulator.snapshot(), trial.account.inventory());
    // `down` again: what is deleted last time is still in its network and its groups.
    interrupts::killed(&trial, DOWN, |call| call.operation.name == "DeleteDBInstance");
    assert_eq!(database(&trial).text("DBInstanceStatus"), "deleting");
    trial.expect(0, DOWN);
    let snapshots = ["last snapshot stores-mails", "last snapshot stores-seen"];
    assert_eq!(last_snapshots(&trial), snapshots, "one of each, although one deletion was asked for twice");
    let left: Vec<String> = trial.account.inventory().into_iter().filter(|line| !empty.contains(line)).collect();
    assert_eq!(left, snapshots);
    // `up` instead: the names are taken until then.
    for name in ["DeleteDBInstance", "DeleteReplicationGroup"] {
        trial.emulator.restore(&made);
        interrupts::killed(&trial, DOWN, move |call| call.operation.name == name);
        trial.up();
        assert_eq!(
            (database(&trial).text("DBInstanceStatus"), cache(&trial).text("Status")),
            ("available", "available")
        );
        let now: Vec<String> =
            trial.account.inventory().into_iter().filter(|line| !line.starts_with("last snapshot")).collect();
        assert_eq!(now, end, "after {name}");
    }
    trial.is_converged();
}

#[test]
fn what_is_replaced_is_made_when_the_one_before_it_is_gone() {
    let Some(trial) = Trial::new(STORES) else { return };
    trial.up();
    let other = replaced(
        STORES,
        &[("mails: {network", "mails: {user: keeper, network"), ("seen: {network", "seen: {port: 6380, network")],
    );
    trial.folder.write("infra.yaml", other);
    let planned = actions(&trial.diff());
    assert_eq!(planned, ["replace database mails", "replace cache seen"]);
    trial.expect(0, &["up", "--yes", "--allow-delete", "database/mails", "--allow-delete", "cache/seen"]);
    assert_eq!(database(&trial).text("MasterUsername"), "keeper");
    assert_eq!(cache(&trial).list("NodeGroups")[0].text("PrimaryEndpoint/Port"), "6380");
    assert_eq!(last_snapshots(&trial), ["last snapshot stores-mails", "last snapshot stores-seen"]);
    trial.is_converged();
}

/// The end of the restart is waited for, of the database and of the cache, whose nodes alone tell of it first.
#[test]
fn a_restart_is_told_before_it_and_waited_for() {
    let Some(trial) = Trial::new(STORES) else { return };
    trial.up();
    trial.folder.write("infra.yaml", resized());
    let plan = trial.expect(0, &["up", "--dry-run"]);
    let told = [plan.stdout(), plan.stderr()].concat().split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["RDS restarts the database: it is away for some minutes", "connections break for some seconds"] {
        assert!(told.contains(words), "{words}: {plan}");
    }
    trial.up();
    let (database, cache) = (database(&trial), cache(&trial));
    assert_eq!((database.text("DBInstanceClass"), database.text("DBInstanceStatus")), ("db.t4g.small", "available"));
    assert_eq!((cache.text("CacheNodeType"), cache.text("Status")), ("cache.t4g.small", "available"));
}

/// Somebody has asked for what is declared, and RDS has it wait for the maintenance window: nothing is to be done, and it is told.
#[test]
fn what_waits_for_its_maintenance_window_is_no_drift_and_is_told() {
    let Some(trial) = Trial::new(STORES) else { return };
    trial.up();
    let change = |class: &str| {
        let call = Call::new("ModifyDBInstance").with("DBInstanceIdentifier", "stores-mails");
        trial.account.wait(trial.account.rds.call(&call.with("DBInstanceClass", class))).unwrap();
    };
    change("db.t4g.small");
    assert_eq!(database(&trial).text("DBInstanceClass"), "db.t4g.micro");
    assert_eq!(actions(&trial.diff()), ["change database mails"], "it would be another one after the window");
    let declared = replaced(STORES, &[("mails: {network", "mails: {class: db.t4g.small, network")]);
    trial.folder.write("infra.yaml", declared);
    assert_eq!(actions(&trial.diff()), [""; 0]);
    let status = trial.run(&["status"]);
    let told = [status.stdout(), status.stderr()].concat().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("a change waits for its maintenance window"), "{status}");
}

/// A run that lost the answer to a deletion has not lost the deletion.
#[test]
fn a_deletion_whose_answer_is_lost_is_waited_for_and_takes_one_snapshot() {
    let Some(trial) = Trial::new(STORES) else { return };
    trial.up();
    for name in ["DeleteDBInstance", "DeleteReplicationGroup"] {
        drop(trial.proxy.on(Fault::CutAfter, move |call| call.operation.name == name && call.repetition == 1));
    }
    trial.expect(0, DOWN);
    assert_eq!(last_snapshots(&trial), ["last snapshot stores-mails", "last snapshot stores-seen"]);
}
