//! The emulator's account through AWS's plain clients, for tests that inspect it, and that change it outside of
//! `provision`.

use std::{future::Future, process::Command};

use aws::query::Element;
use aws_config::{BehaviorVersion, Region, stalled_stream_protection::StalledStreamProtectionConfig};
use aws_sdk_s3::config::Credentials;
use tokio::runtime::Runtime;

use super::server::{CREDENTIALS, REGION};

/// One client per service.
pub(crate) struct Account {
    pub(crate) apis: aws_sdk_apigatewayv2::Client,
    pub(crate) alarms: aws_sdk_cloudwatch::Client,
    pub(crate) dynamodb: aws::json::Client,
    pub(crate) ec2: aws::query::Client,
    pub(crate) elasticache: aws::query::Client,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) kafka: aws::json::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
    pub(crate) rds: aws::query::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
    pub(crate) ses: aws_sdk_ses::Client,
    pub(crate) sesv2: aws::json::Client,
    pub(crate) sns: aws_sdk_sns::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) sts: aws_sdk_sts::Client,
    runtime: Runtime,
}

/// Kinds to which EC2 gives ids, with the calls that list it and the lists in their answers.
const OF_EC2: [(&str, &str, &str); 9] = [
    ("network", "DescribeVpcs", "vpcSet"),
    ("subnet", "DescribeSubnets", "subnetSet"),
    ("route table", "DescribeRouteTables", "routeTableSet"),
    ("gateway", "DescribeInternetGateways", "internetGatewaySet"),
    ("NAT gateway", "DescribeNatGateways", "natGatewaySet"),
    ("address", "DescribeAddresses", "addressesSet"),
    ("endpoint", "DescribeVpcEndpoints", "vpcEndpointSet"),
    ("security group", "DescribeSecurityGroups", "securityGroupInfo"),
    ("volume", "DescribeVolumes", "volumeSet"),
];

/// Returns the entry of what EC2 gives an id; `None` of what is no stack's, or is told for an hour after its end.
fn entry(one: &Element) -> Option<String> {
    let tags = one.list("tagSet");
    let entry = tags.iter().find(|tag| tag.text("key") == "provision:id")?.text("value").to_owned();
    (one.text("state") != "deleted").then_some(entry)
}

/// Somebody in the account who has one policy and nothing else.
pub(crate) struct Somebody {
    key: String,
    secret: String,
}

impl Somebody {
    /// Returns a new user with a policy, as a managed one: IAM limits its size.
    pub(crate) fn new(account: &Account, name: &str, policy: &str) -> Self {
        let iam = &account.iam;
        account.wait(iam.create_user().user_name(name).send()).unwrap();
        let made = account.wait(iam.create_policy().policy_name(name).policy_document(policy).send()).unwrap();
        let arn = made.policy.unwrap().arn.unwrap();
        account.wait(iam.attach_user_policy().user_name(name).policy_arn(arn).send()).unwrap();
        let key = account.wait(iam.create_access_key().user_name(name).send()).unwrap().access_key.unwrap();
        Self { key: key.access_key_id, secret: key.secret_access_key }
    }

    /// Returns a command with the credentials of this user.
    pub(crate) fn runs(&self, mut command: Command) -> Command {
        command.env("AWS_ACCESS_KEY_ID", &self.key).env("AWS_SECRET_ACCESS_KEY", &self.secret);
        command
    }

    /// Returns the account as this user sees it.
    pub(crate) fn account(&self, url: &str) -> Account {
        Account::with_credentials(url, (&self.key, &self.secret))
    }
}

impl Account {
    /// Returns the account at an address: that of an emulator, or of a proxy before one.
    pub(crate) fn at(url: &str) -> Self {
        Self::with_credentials(url, CREDENTIALS)
    }

    /// Returns the same for somebody else than the account's root.
    pub(crate) fn with_credentials(url: &str, credentials: (&str, &str)) -> Self {
        Self::of(url, credentials, REGION)
    }

    /// Returns the account in another region.
    pub(crate) fn elsewhere(url: &str, region: &'static str) -> Self {
        Self::of(url, CREDENTIALS, region)
    }

    fn of(url: &str, (key, secret): (&str, &str), region: &'static str) -> Self {
        let credentials = Credentials::new(key, secret, None, None, "test");
        // Multi-threaded, so that connections are maintained between two calls.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        // On a busy machine an answer may take seconds: a write that is sent a second time would be refused.
        let patient = StalledStreamProtectionConfig::disabled();
        let loading = aws_config::defaults(BehaviorVersion::latest())
            .stalled_stream_protection(patient)
            .region(Region::from_static(region))
            .endpoint_url(url)
            .credentials_provider(credentials)
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        let configuration = runtime.block_on(loading.load());
        Self {
            apis: aws_sdk_apigatewayv2::Client::new(&configuration),
            alarms: aws_sdk_cloudwatch::Client::new(&configuration),
            dynamodb: aws::json::Client::new(&configuration, aws::json::DYNAMODB),
            ec2: aws::query::Client::new(&configuration, aws::query::EC2),
            elasticache: aws::query::Client::new(&configuration, aws::query::ELASTICACHE),
            iam: aws_sdk_iam::Client::new(&configuration),
            kafka: aws::json::Client::new(&configuration, aws::json::KAFKA),
            lambda: aws_sdk_lambda::Client::new(&configuration),
            logs: aws_sdk_cloudwatchlogs::Client::new(&configuration),
            rds: aws::query::Client::new(&configuration, aws::query::RDS),
            s3: aws_sdk_s3::Client::new(&configuration),
            secrets: aws_sdk_secretsmanager::Client::new(&configuration),
            ses: aws_sdk_ses::Client::new(&configuration),
            sesv2: aws::json::Client::new(&configuration, aws::json::SES),
            sns: aws_sdk_sns::Client::new(&configuration),
            sqs: aws_sdk_sqs::Client::new(&configuration),
            sts: aws_sdk_sts::Client::new(&configuration),
            runtime,
        }
    }

    /// Returns the resources in the account, one line each, so that duplicates and leftovers show.
    pub(crate) fn inventory(&self) -> Vec<String> {
        let mut all: Vec<(&str, Vec<String>)> = Vec::new();
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let buckets = self.wait(self.s3.list_buckets().send()).unwrap();
        all.push(("bucket", buckets.buckets().iter().map(|one| text(one.name())).collect()));
        let queues = self.wait(self.sqs.list_queues().send()).unwrap();
        all.push(("queue", queues.queue_urls().to_vec()));
        let topics = self.wait(self.sns.list_topics().send()).unwrap();
        all.push(("topic", topics.topics().iter().map(|one| text(one.topic_arn())).collect()));
        let subscriptions = self.wait(self.sns.list_subscriptions().send()).unwrap();
        let shown =
            |one: &aws_sdk_sns::types::Subscription| format!("{} → {}", text(one.topic_arn()), text(one.endpoint()));
        all.push(("subscription", subscriptions.subscriptions().iter().map(shown).collect()));
        let roles = self.wait(self.iam.list_roles().send()).unwrap();
        all.push(("role", roles.roles().iter().map(|one| one.arn().to_owned()).collect()));
        let functions = self.wait(self.lambda.list_functions().send()).unwrap();
        all.push(("function", functions.functions().iter().map(|one| text(one.function_arn())).collect()));
        let groups = self.wait(self.logs.describe_log_groups().send()).unwrap();
        all.push(("log group", groups.log_groups().iter().map(|one| text(one.log_group_name())).collect()));
        let secrets = self.wait(self.secrets.list_secrets().send()).unwrap();
        // RDS gives those that it makes a name of its own: `rds!db-…`.
        let secret = |one: &aws_sdk_secretsmanager::types::SecretListEntry| {
            let name = text(one.name());
            name.split_once("!db-").map_or(name.clone(), |(of, _)| format!("{of}!db"))
        };
        all.push(("secret", secrets.secret_list().iter().map(secret).collect()));
        let alarms = self.wait(self.alarms.describe_alarms().send()).unwrap();
        all.push(("alarm", alarms.metric_alarms().iter().map(|one| text(one.alarm_name())).collect()));
        let sets = self.wait(self.ses.list_receipt_rule_sets().send()).unwrap();
        all.push(("rule set", sets.rule_sets().iter().map(|one| text(one.name())).collect()));
        let active = self.wait(self.ses.describe_active_receipt_rule_set().send()).unwrap();
        all.push(("active rule", active.rules().iter().map(|one| one.name().to_owned()).collect()));
        let named = |list: serde_json::Value| -> Vec<String> {
            let listed = list.as_array().into_iter().flatten();
            listed.map(|one| one["clusterName"].as_str().or(one.as_str()).unwrap_or_default().to_owned()).collect()
        };
        let tables = aws::json::Call::new("ListTables", serde_json::json!({}));
        all.push(("table", named(self.wait(self.dynamodb.call(tables)).unwrap()["TableNames"].take())));
        let clusters = aws::json::Call::get("ListClustersV2", &["api", "v2", "clusters"]);
        all.push(("cluster", named(self.wait(self.kafka.call(clusters)).unwrap()["clusterInfoList"].take())));
        let sets = aws::json::Call::post(
            "ListConfigurationSets",
            &["v2", "email", "list-configuration-sets"],
            serde_json::json!({}),
        );
        all.push(("configuration set", named(self.wait(self.sesv2.call(sets)).unwrap()["ConfigurationSets"].take())));
        for (kind, action, list, name) in [
            ("database", "DescribeDBInstances", "DBInstances", "DBInstanceIdentifier"),
            ("database subnets", "DescribeDBSubnetGroups", "DBSubnetGroups", "DBSubnetGroupName"),
            ("database parameters", "DescribeDBParameterGroups", "DBParameterGroups", "DBParameterGroupName"),
        ] {
            let answer = self.wait(self.rds.call(&aws::query::Call::new(action))).unwrap();
            all.push((kind, answer.texts(&format!("{action}Result/{list}"), name).collect()));
        }
        for (kind, action, list, name) in [
            ("cache", "DescribeReplicationGroups", "ReplicationGroups", "ReplicationGroupId"),
            ("cache subnets", "DescribeCacheSubnetGroups", "CacheSubnetGroups", "CacheSubnetGroupName"),
        ] {
            let answer = self.wait(self.elasticache.call(&aws::query::Call::new(action))).unwrap();
            all.push((kind, answer.texts(&format!("{action}Result/{list}"), name).collect()));
        }
        for (kind, action, list, name) in [
            ("last snapshot", "DescribeDBSnapshots", "DBSnapshots", "DBSnapshotIdentifier"),
            ("last snapshot", "DescribeSnapshots", "Snapshots", "SnapshotName"),
        ] {
            let of_rds = action == "DescribeDBSnapshots";
            let client = if of_rds { &self.rds } else { &self.elasticache };
            let answer = self.wait(client.call(&aws::query::Call::new(action))).unwrap();
            let named: Vec<String> = answer.texts(&format!("{action}Result/{list}"), name).collect();
            // Without the time of each.
            let last = named.iter().filter_map(|name| Some(name.split_once("-final-")?.0.to_owned()));
            all.push((kind, last.collect()));
        }
        for (kind, action, list) in OF_EC2 {
            let answer = self.wait(self.ec2.call(&aws::query::Call::new(action))).unwrap();
            all.push((kind, answer.list(list).iter().filter_map(entry).collect()));
        }
        let lines =
            all.into_iter().flat_map(|(kind, names)| names.into_iter().map(move |name| format!("{kind} {name}")));
        let mut lines: Vec<String> = lines.collect();
        lines.sort();
        lines
    }

    /// Waits for calls to be done: `account.wait(account.s3.list_buckets().send())`.
    pub(crate) fn wait<F: Future>(&self, calls: F) -> F::Output {
        self.runtime.block_on(calls)
    }
}
