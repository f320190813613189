//! Tests every resource of a stack by deleting it outside of `provision`, one at a time: `diff` reports it with everything
//! that was deleted with it, and `up` restores it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    existing,
    fields::{caches, every_kind, machines, sending, servers, stores},
};
use crate::{
    effort::Effort,
    stack::{Trial, actions},
};

/// A resource as the plan names it.
struct Resource {
    kind: String,
    entry: String,
    container: String,
    name: String,
}

impl Resource {
    fn of(item: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let address = &item["address"];
        let (container, name) = (text(&address["container"]), text(&address["name"]));
        Self { kind: text(&item["kind"]), entry: text(&item["entry"]), container, name }
    }

    /// Returns whether deleting the other resource deletes this one too.
    fn goes_with(&self, other: &Self) -> bool {
        match (other.kind.as_str(), self.kind.as_str()) {
            ("function", "event invoke" | "permission") | ("topic", "subscription") | ("cluster", "kafka topic") => {
                self.container == other.name
            }
            // The notes say whose the topics of an identity were before.
            ("log group", "identity feedback") => other.entry == "provision.notes",
            ("receipt rule set", "receipt rule" | "receipt rule order" | "active rule set") => true,
            _ => self.kind == other.kind && self.entry == other.entry,
        }
    }

    /// Returns whether this one contains the id of the other one.
    fn names(&self, other: &Self) -> bool {
        // AWS lets nobody delete a group that another one names.
        if self.kind == "security group" {
            return other.kind == "security group" && (self.entry.as_str(), other.entry.as_str()) == ("web", "app");
        }
        if self.kind == "route table" {
            let is_subnet = other.kind == "subnet" && other.entry.starts_with(&format!("{}-", self.entry));
            let way = if self.entry.ends_with("-public") { "internet gateway" } else { "nat gateway" };
            return is_subnet || other.kind == way;
        }
        if self.kind == "nat gateway" {
            return other.kind == "subnet" && other.entry.ends_with("-public-1");
        }
        if self.kind == "endpoint" {
            return other.kind == "route table";
        }
        if self.kind == "instance profile" {
            return other.kind == "role" && other.entry == self.entry;
        }
        if self.kind == "alarm" && self.entry.starts_with(&format!("{}-server_", other.entry)) && other.kind == "server"
        {
            return true;
        }
        let is_of_api = match self.kind.as_str() {
            "permission" => self.entry.contains(".api-"),
            "alarm" => self.entry == format!("{}-server_errors", other.entry),
            _ => false,
        };
        other.kind == "api" && is_of_api
    }

    /// Returns what is planned for one that contains an id of something that is gone.
    fn when_stale(&self) -> &'static str {
        if self.kind == "permission" { "replace" } else { "change" }
    }

    fn delete(&self, trial: &Trial) {
        let (account, name, container) = (&trial.account, &self.name, &self.container);
        match self.kind.as_str() {
            "bucket" => delete_bucket(trial, name),
            "bucket statement" => {
                let mut policy = existing::policy(account);
                policy["Statement"].as_array_mut().unwrap().retain(|one| one["Sid"] != name.as_str());
                existing::write(account, &policy);
            }
            "queue" => {
                let url = account.wait(account.sqs.get_queue_url().queue_name(name).send()).unwrap().queue_url;
                account.wait(account.sqs.delete_queue().set_queue_url(url).send()).unwrap();
            }
            "role" => {
                if self.entry.ends_with("-server") {
                    machines::delete(trial, "role");
                }
                delete_role(trial, name);
            }
            "server" | "instance profile" => machines::delete(trial, &self.kind),
            "log group" => drop(account.wait(account.logs.delete_log_group().log_group_name(name).send()).unwrap()),
            "access log" => {
                let group = format!("/aws/vendedlogs/{name}");
                account.wait(account.logs.delete_log_group().log_group_name(group).send()).unwrap();
            }
            "function" => drop(account.wait(account.lambda.delete_function().function_name(name).send()).unwrap()),
            "event invoke" => {
                let call = account.lambda.delete_function_event_invoke_config().function_name(container);
                account.wait(call.send()).unwrap();
            }
            "permission" => {
                let call = account.lambda.remove_permission().function_name(container).statement_id(name);
                account.wait(call.send()).unwrap();
            }
            "topic" => drop(account.wait(account.sns.delete_topic().topic_arn(topic(name)).send()).unwrap()),
            "subscription" => self.unsubscribe(trial),
            "secret" => drop(account.wait(account.secrets.delete_secret().secret_id(name).send()).unwrap()),
            "receipt rule set" => {
                account.wait(account.ses.set_active_receipt_rule_set().send()).unwrap();
                account.wait(account.ses.delete_receipt_rule_set().rule_set_name(name).send()).unwrap();
            }
            "receipt rule" => {
                let call = account.ses.delete_receipt_rule().rule_set_name(container).rule_name(name);
                account.wait(call.send()).unwrap();
            }
            "receipt filter" => {
                account.wait(account.ses.delete_receipt_filter().filter_name(name).send()).unwrap();
            }
            "api" => drop(account.wait(account.apis.delete_api().api_id(api(trial)).send()).unwrap()),
            "event source mapping" => {
                let call = account.lambda.list_event_source_mappings().function_name(container);
                for one in account.wait(call.send()).unwrap().event_source_mappings.unwrap() {
                    let call = account.lambda.delete_event_source_mapping().set_uuid(one.uuid);
                    account.wait(call.send()).unwrap();
                }
            }
            "alarm" => drop(account.wait(account.alarms.delete_alarms().alarm_names(name).send()).unwrap()),
            "database" => stores::delete(trial, name),
            "cache" => caches::delete(trial, name),
            "subnet" | "internet gateway" | "route table" | "security group" | "nat gateway" | "endpoint" => {
                servers::delete(trial, &self.kind, &self.entry);
            }
            kind => sending::delete(trial, kind, &self.entry),
        }
    }

    fn unsubscribe(&self, trial: &Trial) {
        let account = &trial.account;
        let call = account.sns.list_subscriptions_by_topic().topic_arn(topic(&self.container));
        let listed = account.wait(call.send()).unwrap().subscriptions.unwrap();
        let (protocol, endpoint) = self.name.split_once(':').unwrap();
        let is_it = |one: &aws_sdk_sns::types::Subscription| {
            one.protocol.as_deref() == Some(protocol) && one.endpoint.as_deref() == Some(endpoint)
        };
        let arn = listed.into_iter().find(is_it).unwrap().subscription_arn;
        account.wait(account.sns.unsubscribe().set_subscription_arn(arn).send()).unwrap();
    }
}

/// Returns the id of the stack's API.
fn api(trial: &Trial) -> String {
    let apis = trial.account.wait(trial.account.apis.get_apis().send()).unwrap().items.unwrap();
    apis.into_iter().find_map(|api| api.api_id).unwrap()
}

fn topic(name: &str) -> String {
    format!("arn:aws:sns:eu-west-1:123456789012:{name}")
}

/// Deletes a bucket with the object by which SES tried whether it may write.
fn delete_bucket(trial: &Trial, name: &str) {
    let (account, s3) = (&trial.account, &trial.account.s3);
    for version in account.wait(s3.list_object_versions().bucket(name).send()).unwrap().versions.unwrap_or_default() {
        let call = s3.delete_object().bucket(name).set_key(version.key).set_version_id(version.version_id);
        account.wait(call.send()).unwrap();
    }
    account.wait(s3.delete_bucket().bucket(name).send()).unwrap();
}

fn delete_role(trial: &Trial, name: &str) {
    let (account, iam) = (&trial.account, &trial.account.iam);
    let policies = account.wait(iam.list_role_policies().role_name(name).send()).unwrap().policy_names;
    for policy in policies {
        account.wait(iam.delete_role_policy().role_name(name).policy_name(policy).send()).unwrap();
    }
    account.wait(iam.delete_role().role_name(name).send()).unwrap();
}

/// Returns whether a resource can be deleted: an order and an activation are states of something else, and an unconfirmed
/// subscriber cannot be unsubscribed; networks, addresses and disks stay as long as something has them, and RDS and `ElastiCache` keep the groups of
/// what is there.
fn can_be_deleted(resource: &Resource) -> bool {
    let is_pending = resource.kind == "subscription" && resource.name.starts_with("email:");
    let groups = ["database subnets", "database parameters", "cache subnets"];
    let stays = ["receipt rule order", "active rule set", "network", "address", "volume"];
    let has_gateway = resource.kind == "subnet" && resource.entry.ends_with("-public-1");
    !is_pending && !has_gateway && !stays.iter().chain(&groups).any(|kind| *kind == resource.kind)
}

#[test]
fn whatever_somebody_deletes_is_missed_and_made_again() {
    let mut kinds = BTreeSet::new();
    for declaration in [every_kind(), sending::alone(), servers::alone(), machines::alone()] {
        let Some(trial) = Trial::new(&declaration) else { return };
        existing::bucket(&trial.account);
        sending::identities(&trial);
        kinds.extend(deleted_and_made_again(&trial));
    }
    let Some(trial) = Trial::new(&every_kind()) else { return };
    let known: Value = serde_json::from_str(&trial.run(&["schema", "--fields"]).stdout()).unwrap();
    let known: BTreeSet<String> =
        known["kinds"].as_array().unwrap().iter().map(|kind| kind["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, known, "the stacks of this test have something of every kind");
}

/// Deletes each resource of a stack and makes it again (one of each kind, unless all are asked for), and returns the kinds of the stack.
#[expect(clippy::print_stdout, reason = "the figures are what one wants to see")]
fn deleted_and_made_again(trial: &Trial) -> BTreeSet<String> {
    trial.up();
    let plan = trial.diff();
    let all: Vec<Resource> = plan["resources"].as_array().unwrap().iter().map(Resource::of).collect();
    let mut count = 0;
    let mut tried = BTreeSet::new();
    // EC2 deletes no group that a server is in.
    let has_server = all.iter().any(|one| one.kind == "server");
    let is_in_use = |one: &Resource| has_server && one.kind == "security group" && one.entry == "web";
    let is_next = |one: &&Resource| tried.insert(one.kind.clone()) || Effort::asked() == Effort::Whole;
    for resource in all.iter().filter(|one| can_be_deleted(one) && !is_in_use(one)).filter(is_next) {
        resource.delete(trial);
        // Of an identity the topics go, and the note stays that they were the stack's.
        let verb = if resource.kind == "identity feedback" { "change" } else { "create" };
        let gone = all.iter().filter(|one| one.goes_with(resource)).map(|one| (verb, one));
        // What names an API by its id names one that is gone.
        let stale = all.iter().filter(|one| one.names(resource)).map(|one| (one.when_stale(), one));
        let expected: BTreeSet<String> =
            gone.chain(stale).map(|(verb, one)| format!("{verb} {} {}", one.kind, one.entry)).collect();
        let plan = trial.diff();
        let missed: BTreeSet<String> = actions(&plan).into_iter().collect();
        assert_eq!(missed, expected, "after {} {} was deleted", resource.kind, resource.entry);
        trial.up_losing(&plan);
        assert_eq!(actions(&trial.diff()), [""; 0], "after {} {} was made again", resource.kind, resource.entry);
        count += 1;
    }
    println!("{count} of {} resources deleted and made again", all.len());
    all.into_iter().map(|one| one.kind).collect()
}
