//! Tests a stack with a database and a function that signs in to it: what the function learns and may read, that nothing deletes the data
//! unasked, and the last snapshot at its end.

use aws::query::{Call, Element};
use serde_json::Value;

use super::{
    Trial, actions,
    networks::{Network, made},
};
use crate::harness::Run;

fn declaration(network: &Network, of_database: &str) -> String {
    let ([a, b], group) = (&network.subnets, &network.group);
    format!(
        "stack: tracking\nregion: eu-west-1\nfunctions:\n  worker:\n    use: standin\n    databases: [mails]\n    vpc: {{subnets: [{a}, {b}], security_groups: [{group}]}}\ndatabases:\n  mails: {{subnets: [{a}, {b}], security_groups: [{group}], {of_database}}}\n"
    )
}

fn rds(trial: &Trial, call: &Call) -> Element {
    trial.account.wait(trial.account.rds.call(call)).unwrap()
}

fn database(trial: &Trial) -> Element {
    let answer = rds(trial, &Call::new("DescribeDBInstances").with("DBInstanceIdentifier", "tracking-mails"));
    answer.list("DescribeDBInstancesResult/DBInstances")[0].clone()
}

fn snapshots(trial: &Trial) -> Vec<String> {
    let answer = rds(trial, &Call::new("DescribeDBSnapshots"));
    answer.texts("DescribeDBSnapshotsResult/DBSnapshots", "DBSnapshotIdentifier").collect()
}

fn words(run: &Run) -> String {
    run.stderr().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_database_comes_with_its_secret_and_goes_by_name_alone_with_a_last_snapshot() {
    let Some(trial) = Trial::new("stack: none\nregion: eu-west-1\n") else { return };
    let network = Network::make(&trial.account);
    let call = Call::new("CreateRoute").with("RouteTableId", &network.table).with("DestinationCidrBlock", "0.0.0.0/0");
    made(&trial.account, &call.with("NatGatewayId", "nat-0123456789abcdef0"), "return");
    trial.folder.write("infra.yaml", declaration(&network, "name: mails, user: keeper"));
    let plan = trial.expect(0, &["up", "--dry-run"]);
    assert!(words(&plan).contains("database `mails` costs some 14 US dollars a month"), "{plan}");
    trial.up();
    // `up` has waited until it was made.
    let made = database(&trial);
    assert_eq!(made.text("DBInstanceStatus"), "available");
    for (path, value) in [("StorageEncrypted", "true"), ("PubliclyAccessible", "false"), ("DeletionProtection", "true")]
    {
        assert_eq!(made.text(path), value, "{path}");
    }
    let (host, secret) = (made.text("Endpoint/Address"), made.text("MasterUserSecret/SecretArn"));
    let call = trial.account.lambda.get_function_configuration().function_name("tracking-worker");
    let environment = trial.account.wait(call.send()).unwrap().environment.unwrap().variables.unwrap();
    let context: Value = serde_json::from_str(&environment["PROVISION_CONTEXT"]).unwrap();
    let expected = serde_json::json!({"host": host, "port": 3306, "name": "mails", "user": "keeper", "secret": secret});
    assert_eq!(context["databases"]["mails"], expected);
    let call = trial.account.iam.get_role_policy().role_name("tracking-worker-eu-west-1").policy_name("provision");
    let policy = trial.account.wait(call.send()).unwrap().policy_document;
    let policy = percent_encoding::percent_decode_str(&policy).decode_utf8().unwrap().into_owned();
    let policy: Value = serde_json::from_str(&policy).unwrap();
    let reads = policy["Statement"].as_array().unwrap().iter().find(|one| one["Sid"] == "ReadPasswords").unwrap();
    let condition = reads["Condition"]["StringEquals"].as_object().unwrap();
    let (key, value) = condition.iter().next().unwrap();
    assert!(key.eq_ignore_ascii_case("secretsmanager:ResourceTag/aws:rds:primaryDBInstanceArn"), "{key}");
    assert!(value.to_string().contains("arn:aws:rds:eu-west-1:123456789012:db:tracking-mails"), "{value}");
    assert_eq!(actions(&trial.diff()), [""; 0]);

    // Another class restarts it, and `up` waits until it has done so.
    trial.folder.write("infra.yaml", declaration(&network, "name: mails, user: keeper, class: db.t4g.small"));
    trial.up();
    let changed = database(&trial);
    assert_eq!((changed.text("DBInstanceClass"), changed.text("DBInstanceStatus")), ("db.t4g.small", "available"));

    // Another user is another database: not unasked.
    trial.folder.write("infra.yaml", declaration(&network, "name: mails, user: other, class: db.t4g.small"));
    let refused = trial.run(&["up", "--yes"]);
    assert_ne!(refused.code(), Some(0), "{refused}");
    assert_eq!(database(&trial).text("MasterUsername"), "keeper");

    // It is declared no longer, and stays.
    trial.folder.write("infra.yaml", "stack: tracking\nregion: eu-west-1\n");
    trial.run(&["up", "--yes"]);
    assert_eq!(database(&trial).text("DBInstanceStatus"), "available");
    let down = trial.expect(0, &["down", "--confirm", "tracking"]);
    assert_eq!(database(&trial).text("DBInstanceStatus"), "available", "{down}");
    assert_eq!(snapshots(&trial), [""; 0]);
    trial.expect(0, &["down", "--confirm", "tracking", "--delete-data"]);
    let [snapshot] = &snapshots(&trial)[..] else { panic!("{:?}", snapshots(&trial)) };
    assert!(snapshot.starts_with("tracking-mails-final-"), "{snapshot}");
    let left = trial.account.inventory();
    assert!(!left.iter().any(|line| line.starts_with("database")), "{left:#?}");
}
