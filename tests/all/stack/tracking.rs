//! Tests the stack that tracks deliveries: one command makes the network, the database, the way of SES's events and the function, and
//! `track` finds the database by itself.

use aws::query::Call;
use serde_json::Value;

use super::{Trial, actions};
use crate::harness::replaced;

fn attributes(trial: &Trial, queue: &str) -> std::collections::HashMap<aws_sdk_sqs::types::QueueAttributeName, String> {
    let (account, sqs) = (&trial.account, &trial.account.sqs);
    let url = account.wait(sqs.get_queue_url().queue_name(queue).send()).unwrap().queue_url.unwrap();
    let all = aws_sdk_sqs::types::QueueAttributeName::All;
    account.wait(sqs.get_queue_attributes().queue_url(url).attribute_names(all).send()).unwrap().attributes.unwrap()
}

#[test]
fn one_command_makes_the_whole_stack_and_track_finds_its_database() {
    use aws_sdk_sqs::types::QueueAttributeName as Name;
    let example = include_str!("../../../examples/tracking.yaml");
    let standin = replaced(
        example,
        &[("    crate: tracking\n", "    use: standin\n"), ("environment: CACHE_PASSWORD", "environment: TRY_TOKEN")],
    );
    let Some(trial) = Trial::new(&standin) else { return };
    trial.up();
    assert_eq!(actions(&trial.diff()), [""; 0]);
    // The queue takes messages of the topic alone, and gives what is no event to the dead letters.
    let of_queue = attributes(&trial, "tracking-events");
    let topic = "arn:aws:sns:eu-west-1:123456789012:tracking-events";
    let policy: Value = serde_json::from_str(&of_queue[&Name::Policy]).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    assert!(statements.len() == 1 && statements[0].to_string().contains(topic), "{policy}");
    let redrive: Value = serde_json::from_str(&of_queue[&Name::RedrivePolicy]).unwrap();
    assert!(redrive["deadLetterTargetArn"].as_str().unwrap().ends_with(":tracking-dead-letters"), "{redrive}");
    // `track` finds the database and its password; the account's database has no MySQL behind it that would answer.
    let call = Call::new("DescribeDBInstances").with("DBInstanceIdentifier", "tracking-mails");
    let found = trial.account.wait(trial.account.rds.call(&call)).unwrap();
    let host = found.list("DescribeDBInstancesResult/DBInstances")[0].text("Endpoint/Address").to_owned();
    trial.folder.write("infra.yaml", example);
    let run = trial.run(&["track", "m-1"]);
    let said = run.stderr();
    let said_where = said.contains(&format!("Failed to read the database {host}:"));
    assert!(run.code() == Some(2) && said_where && said.contains("inside its VPC alone"), "{run}");
    let called = trial.proxy.record();
    assert!(called.contains("rds.DescribeDBInstances") && called.contains("secretsmanager.GetSecretValue"), "{called}");
}
