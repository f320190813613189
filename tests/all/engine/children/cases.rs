//! The children that somebody adds, of every kind.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use aws_sdk_lambda::types::{DeadLetterConfig, FileSystemConfig, FunctionUrlAuthType, LastUpdateStatus};
use aws_sdk_s3::types::{
    AccelerateConfiguration, AnalyticsConfiguration, AnalyticsExportDestination, AnalyticsS3BucketDestination,
    AnalyticsS3ExportFileFormat, BucketAccelerateStatus, BucketLoggingStatus, CorsConfiguration, CorsRule, Destination,
    Event, EventBridgeConfiguration, ExistingObjectReplication, IndexDocument, IntelligentTieringAccessTier,
    IntelligentTieringConfiguration, IntelligentTieringStatus, InventoryConfiguration, InventoryDestination,
    InventoryFormat, InventoryFrequency, InventoryIncludedObjectVersions, InventoryS3BucketDestination,
    InventorySchedule, LoggingEnabled, MetricsConfiguration, NotificationConfiguration, ObjectLockConfiguration,
    ObjectLockEnabled, Payer, QueueConfiguration, ReplicationConfiguration, ReplicationRule, ReplicationRuleStatus,
    RequestPaymentConfiguration, StorageClassAnalysis, StorageClassAnalysisDataExport,
    StorageClassAnalysisSchemaVersion, Tiering, WebsiteConfiguration,
};
use aws_sdk_ses::types::{ReceiptAction, WorkmailAction};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use super::{Case, severe, stays};
use crate::stack::Trial;

const BUCKET: &str = "circuits-mail-123456789012-eu-west-1";
const FUNCTION: &str = "circuits-reader";
const LOGS: &str = "/aws/lambda/circuits-reader";
const ACCESS_LOGS: &str = "/aws/vendedlogs/circuits-hook";
const NEWS: &str = "arn:aws:sns:eu-west-1:123456789012:circuits-news";
const ALARMS: &str = "arn:aws:sns:eu-west-1:123456789012:circuits-alarms";
const FAILED: &str = "arn:aws:sqs:eu-west-1:123456789012:circuits-failed";
const SECRET: &str = "circuits-token";
const TABLE: &str = "circuits-items";
const TABLE_ARN: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/circuits-items";
const THEIRS: &str = "arn:aws:s3:::theirs";

/// Returns the id of the stack's API.
fn api(trial: &Trial) -> String {
    let apis = trial.account.wait(trial.account.apis.get_apis().send()).unwrap().items.unwrap();
    apis.into_iter().next().unwrap().api_id.unwrap()
}

fn dynamodb(trial: &Trial, action: &'static str, document: Value) {
    trial.account.wait(trial.account.dynamodb.call(aws::json::Call::new(action, document))).unwrap();
}

/// Adds nothing: another case does.
fn with_another(_: &Trial) {}

pub(super) const CASES: &[Case] = &[
    stays("function", "reader", "aliases", alias),
    stays("function", "reader", "versions", with_another),
    stays("function", "reader", "urls", |trial| url(trial, FunctionUrlAuthType::AwsIam, Some("live"))),
    stays("function", "reader", "permissions", |trial| permit(trial, "events", "events.amazonaws.com", true)),
    stays("function", "reader", "file_systems", file_system),
    severe("function", "reader", "urls", |trial| url(trial, FunctionUrlAuthType::None, None)),
    severe("function", "reader", "permissions", |trial| permit(trial, "anybody", "*", false)),
    severe("function", "reader", "permissions", |trial| permit(trial, "theirs", "210987654321", false)),
    severe("function", "reader", "mappings", mapping),
    severe("function", "reader", "dead_letter", dead_letter),
    severe("queue", "failed", "consumers", with_another),
    stays("queue", "failed", "redrive_allow", redrive_allow),
    severe("topic", "news", "subscriptions", |trial| subscribe(trial, NEWS, "sqs", FAILED)),
    stays("topic", "alarms", "subscriptions", |trial| subscribe(trial, ALARMS, "sqs", FAILED)),
    stays("topic", "news", "delivery_policy", |trial| {
        topic(trial, "DeliveryPolicy", r#"{"http":{"disableSubscriptionOverrides":true}}"#);
    }),
    stays("topic", "news", "delivery_logging", |trial| {
        topic(trial, "SQSFailureFeedbackRoleArn", "arn:aws:iam::123456789012:role/theirs");
    }),
    stays("topic", "news", "tracing", |trial| topic(trial, "TracingConfig", "Active")),
    stays("topic", "news", "signature", |trial| topic(trial, "SignatureVersion", "2")),
    severe("secret", "token", "replicas", replicate_secret),
    stays("secret", "token", "rotation", rotate),
    severe("log group", "reader", "subscription_filters", |trial| send_lines(trial, LOGS, "theirs", "210987654321")),
    stays("log group", "reader", "subscription_filters", |trial| send_lines(trial, LOGS, "ours", "123456789012")),
    stays("log group", "reader", "metric_filters", |trial| metric_filter(trial, LOGS)),
    severe("access log", "hook", "subscription_filters", |trial| {
        send_lines(trial, ACCESS_LOGS, "theirs", "210987654321");
    }),
    stays("access log", "hook", "subscription_filters", |trial| send_lines(trial, ACCESS_LOGS, "ours", "123456789012")),
    stays("access log", "hook", "metric_filters", |trial| metric_filter(trial, ACCESS_LOGS)),
    severe("api", "hook", "stages", |trial| {
        let call = trial.account.apis.create_stage().api_id(api(trial)).stage_name("theirs");
        trial.account.wait(call.send()).unwrap();
    }),
    stays("api", "hook", "authorizers", |trial| {
        let call = trial.account.apis.create_authorizer().api_id(api(trial)).name("theirs");
        let call = call.authorizer_type(aws_sdk_apigatewayv2::types::AuthorizerType::Request);
        let call =
            call.authorizer_payload_format_version("2.0").authorizer_uri("theirs").identity_source("$request.header.a");
        trial.account.wait(call.send()).unwrap();
    }),
    stays("table", "items", "stream", |trial| {
        let stream = json!({"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"});
        dynamodb(trial, "UpdateTable", json!({"TableName": TABLE, "StreamSpecification": stream}));
    }),
    stays("table", "items", "indexes", |trial| {
        let index = json!({
            "IndexName": "theirs",
            "KeySchema": [{"AttributeName": "of", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        });
        let attributes = json!([{"AttributeName": "of", "AttributeType": "S"}]);
        let document = json!({
            "TableName": TABLE,
            "AttributeDefinitions": attributes,
            "GlobalSecondaryIndexUpdates": [{"Create": index}],
        });
        dynamodb(trial, "UpdateTable", document);
    }),
    severe("table", "items", "resource_policy", |trial| {
        let statement = json!({
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
            "Action": "dynamodb:GetItem",
            "Resource": TABLE_ARN,
        });
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        dynamodb(trial, "PutResourcePolicy", json!({"ResourceArn": TABLE_ARN, "Policy": policy}));
    }),
    severe("table", "items", "streaming", |trial| {
        let stream = "arn:aws:kinesis:eu-west-1:123456789012:stream/theirs";
        dynamodb(trial, "EnableKinesisStreamingDestination", json!({"TableName": TABLE, "StreamArn": stream}));
    }),
    severe("table", "items", "replicas", |trial| {
        let create = json!([{"Create": {"RegionName": "us-east-1"}}]);
        dynamodb(trial, "UpdateTable", json!({"TableName": TABLE, "ReplicaUpdates": create}));
    }),
    severe("bucket", "mail", "replication", replicate),
    severe("bucket", "mail", "notifications", |trial| notify(trial, &["ours", "theirs"])),
    stays("bucket", "mail", "notifications", |trial| notify(trial, &["ours"])),
    severe("bucket", "mail", "inventories", inventory),
    severe("bucket", "mail", "analytics", |trial| analyse(trial, "exported", true)),
    stays("bucket", "mail", "analytics", |trial| analyse(trial, "kept", false)),
    stays("bucket", "mail", "logging", log),
    stays("bucket", "mail", "cors", cors),
    stays("bucket", "mail", "website", website),
    stays("bucket", "mail", "requester_pays", requester_pays),
    stays("bucket", "mail", "acceleration", accelerate),
    stays("bucket", "mail", "object_lock", lock),
    stays("bucket", "mail", "tiering", tier),
    stays("bucket", "mail", "metrics", count),
];

fn alias(trial: &Trial) {
    let (account, lambda) = (&trial.account, &trial.account.lambda);
    let version = account.wait(lambda.publish_version().function_name(FUNCTION).send()).unwrap().version.unwrap();
    let call = lambda.create_alias().function_name(FUNCTION).name("live").function_version(version);
    account.wait(call.send()).unwrap();
}

fn url(trial: &Trial, by: FunctionUrlAuthType, alias: Option<&str>) {
    let call = trial.account.lambda.create_function_url_config().function_name(FUNCTION).auth_type(by);
    trial.account.wait(call.set_qualifier(alias.map(str::to_owned)).send()).unwrap();
}

pub(super) fn permit(trial: &Trial, id: &str, principal: &str, is_confined: bool) {
    let call = trial.account.lambda.add_permission().function_name(FUNCTION).statement_id(id);
    let call = call.action("lambda:InvokeFunction").principal(principal);
    let rule = is_confined.then(|| "arn:aws:events:eu-west-1:123456789012:rule/theirs".to_owned());
    trial.account.wait(call.set_source_arn(rule).send()).unwrap();
}

fn configure(
    trial: &Trial,
    change: impl FnOnce(
        aws_sdk_lambda::operation::update_function_configuration::builders::UpdateFunctionConfigurationFluentBuilder,
    )
        -> aws_sdk_lambda::operation::update_function_configuration::builders::UpdateFunctionConfigurationFluentBuilder,
) {
    let call = change(trial.account.lambda.update_function_configuration().function_name(FUNCTION));
    trial.account.wait(call.send()).unwrap();
    let began = Instant::now();
    loop {
        let read = trial.account.lambda.get_function_configuration().function_name(FUNCTION);
        let read = trial.account.wait(read.send()).unwrap();
        if read.last_update_status() == Some(&LastUpdateStatus::Successful) {
            return;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "the update does not end: {read:?}");
        sleep(Duration::from_millis(20));
    }
}

fn file_system(trial: &Trial) {
    let arn = "arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-0123456789abcdef0";
    let system = FileSystemConfig::builder().arn(arn).local_mount_path("/mnt/theirs").build().unwrap();
    configure(trial, |call| call.file_system_configs(system));
}

fn dead_letter(trial: &Trial) {
    configure(trial, |call| call.dead_letter_config(DeadLetterConfig::builder().target_arn(FAILED).build()));
}

/// Lets the function eat the events that it failed at.
pub(super) fn mapping(trial: &Trial) {
    let call = trial.account.lambda.create_event_source_mapping().function_name(FUNCTION).event_source_arn(FAILED);
    trial.account.wait(call.enabled(false).send()).unwrap();
}

fn redrive_allow(trial: &Trial) {
    let (account, sqs) = (&trial.account, &trial.account.sqs);
    let url = account.wait(sqs.get_queue_url().queue_name("circuits-failed").send()).unwrap().queue_url.unwrap();
    let call = sqs.set_queue_attributes().queue_url(url);
    let call = call.attributes(QueueAttributeName::RedriveAllowPolicy, r#"{"redrivePermission":"allowAll"}"#);
    account.wait(call.send()).unwrap();
}

pub(super) fn subscribe(trial: &Trial, topic: &str, protocol: &str, endpoint: &str) {
    let call = trial.account.sns.subscribe().topic_arn(topic).protocol(protocol).endpoint(endpoint);
    trial.account.wait(call.send()).unwrap();
}

fn topic(trial: &Trial, name: &str, value: &str) {
    let call = trial.account.sns.set_topic_attributes().topic_arn(NEWS).attribute_name(name).attribute_value(value);
    trial.account.wait(call.send()).unwrap();
}

fn replicate_secret(trial: &Trial) {
    let to = aws_sdk_secretsmanager::types::ReplicaRegionType::builder().region("eu-central-1").build();
    let call = trial.account.secrets.replicate_secret_to_regions().secret_id(SECRET).add_replica_regions(to);
    trial.account.wait(call.send()).unwrap();
}

fn rotate(trial: &Trial) {
    let rules = aws_sdk_secretsmanager::types::RotationRulesType::builder().automatically_after_days(30).build();
    let call = trial.account.secrets.rotate_secret().secret_id(SECRET).rotation_rules(rules);
    let by = "arn:aws:lambda:eu-west-1:123456789012:function:theirs";
    trial.account.wait(call.rotation_lambda_arn(by).send()).unwrap();
}

fn send_lines(trial: &Trial, logs: &str, name: &str, account: &str) {
    let call = trial.account.logs.put_subscription_filter().log_group_name(logs).filter_name(name);
    let to = format!("arn:aws:logs:eu-west-1:{account}:destination:all");
    trial.account.wait(call.filter_pattern("").destination_arn(to).send()).unwrap();
}

fn metric_filter(trial: &Trial, logs: &str) {
    let metric = aws_sdk_cloudwatchlogs::types::MetricTransformation::builder();
    let metric = metric.metric_name("errors").metric_namespace("theirs").metric_value("1").build().unwrap();
    let call = trial.account.logs.put_metric_filter().log_group_name(logs).filter_name("theirs");
    trial.account.wait(call.filter_pattern("ERROR").metric_transformations(metric).send()).unwrap();
}

fn replicate(trial: &Trial) {
    let to = Destination::builder().bucket(THEIRS).account("210987654321").build().unwrap();
    let rule = ReplicationRule::builder().id("theirs").status(ReplicationRuleStatus::Enabled).destination(to);
    #[expect(deprecated, reason = "the shortest rule is one of the older form")]
    let rule = rule.prefix("").set_existing_object_replication(None::<ExistingObjectReplication>).build().unwrap();
    let by = "arn:aws:iam::123456789012:role/theirs";
    let rules = ReplicationConfiguration::builder().role(by).rules(rule).build().unwrap();
    let call = trial.account.s3.put_bucket_replication().bucket(BUCKET).replication_configuration(rules);
    trial.account.wait(call.send()).unwrap();
}

/// Tells an event bus of new objects, and queues: `ours` is one of this account.
fn notify(trial: &Trial, ids: &[&str]) {
    let queue = |id: &&str| {
        let arn = if *id == "ours" { FAILED } else { "arn:aws:sqs:eu-west-1:210987654321:theirs" };
        QueueConfiguration::builder().id(*id).queue_arn(arn).events(Event::S3ObjectCreated).build().unwrap()
    };
    let all = NotificationConfiguration::builder().set_queue_configurations(Some(ids.iter().map(queue).collect()));
    let all = all.event_bridge_configuration(EventBridgeConfiguration::builder().build()).build();
    let call = trial.account.s3.put_bucket_notification_configuration().bucket(BUCKET).notification_configuration(all);
    trial.account.wait(call.skip_destination_validation(true).send()).unwrap();
}

/// Returns the ids of the queues that are told of new objects, and whether an event bus is.
pub(super) fn notified(trial: &Trial) -> (Vec<String>, bool) {
    let call = trial.account.s3.get_bucket_notification_configuration().bucket(BUCKET);
    let live = trial.account.wait(call.send()).unwrap();
    let ids = live.queue_configurations.unwrap_or_default().into_iter().filter_map(|one| one.id).collect();
    (ids, live.event_bridge_configuration.is_some())
}

fn inventory(trial: &Trial) {
    let to = InventoryS3BucketDestination::builder().bucket(THEIRS).format(InventoryFormat::Csv).build().unwrap();
    let daily = InventorySchedule::builder().frequency(InventoryFrequency::Daily).build().unwrap();
    let one = InventoryConfiguration::builder().id("theirs").is_enabled(true).schedule(daily);
    let one = one.included_object_versions(InventoryIncludedObjectVersions::All);
    let one = one.destination(InventoryDestination::builder().s3_bucket_destination(to).build()).build().unwrap();
    let call = trial.account.s3.put_bucket_inventory_configuration().bucket(BUCKET).id("theirs");
    trial.account.wait(call.inventory_configuration(one).send()).unwrap();
}

fn analyse(trial: &Trial, id: &str, is_exported: bool) {
    let to = AnalyticsS3BucketDestination::builder().bucket(THEIRS).format(AnalyticsS3ExportFileFormat::Csv);
    let to = AnalyticsExportDestination::builder().s3_bucket_destination(to.build().unwrap()).build();
    let export = StorageClassAnalysisDataExport::builder().output_schema_version(StorageClassAnalysisSchemaVersion::V1);
    let export = is_exported.then(|| export.destination(to).build().unwrap());
    let analysis = StorageClassAnalysis::builder().set_data_export(export).build();
    let one = AnalyticsConfiguration::builder().id(id).storage_class_analysis(analysis).build().unwrap();
    let call = trial.account.s3.put_bucket_analytics_configuration().bucket(BUCKET).id(id);
    trial.account.wait(call.analytics_configuration(one).send()).unwrap();
}

fn log(trial: &Trial) {
    let to = LoggingEnabled::builder().target_bucket(BUCKET).target_prefix("logs/").build().unwrap();
    let status = BucketLoggingStatus::builder().logging_enabled(to).build();
    let call = trial.account.s3.put_bucket_logging().bucket(BUCKET).bucket_logging_status(status);
    trial.account.wait(call.send()).unwrap();
}

fn cors(trial: &Trial) {
    let rule = CorsRule::builder().allowed_methods("GET").allowed_origins("https://theirs.example").build().unwrap();
    let rules = CorsConfiguration::builder().cors_rules(rule).build().unwrap();
    trial.account.wait(trial.account.s3.put_bucket_cors().bucket(BUCKET).cors_configuration(rules).send()).unwrap();
}

fn website(trial: &Trial) {
    let index = IndexDocument::builder().suffix("index.html").build().unwrap();
    let website = WebsiteConfiguration::builder().index_document(index).build();
    let call = trial.account.s3.put_bucket_website().bucket(BUCKET).website_configuration(website);
    trial.account.wait(call.send()).unwrap();
}

fn requester_pays(trial: &Trial) {
    let payer = RequestPaymentConfiguration::builder().payer(Payer::Requester).build().unwrap();
    let call = trial.account.s3.put_bucket_request_payment().bucket(BUCKET).request_payment_configuration(payer);
    trial.account.wait(call.send()).unwrap();
}

fn accelerate(trial: &Trial) {
    let on = AccelerateConfiguration::builder().status(BucketAccelerateStatus::Enabled).build();
    let call = trial.account.s3.put_bucket_accelerate_configuration().bucket(BUCKET).accelerate_configuration(on);
    trial.account.wait(call.send()).unwrap();
}

fn lock(trial: &Trial) {
    let lock = ObjectLockConfiguration::builder().object_lock_enabled(ObjectLockEnabled::Enabled).build();
    let call = trial.account.s3.put_object_lock_configuration().bucket(BUCKET).object_lock_configuration(lock);
    trial.account.wait(call.send()).unwrap();
}

fn tier(trial: &Trial) {
    let tiering = Tiering::builder().days(90).access_tier(IntelligentTieringAccessTier::ArchiveAccess).build().unwrap();
    let one = IntelligentTieringConfiguration::builder().id("theirs").status(IntelligentTieringStatus::Enabled);
    let call = trial.account.s3.put_bucket_intelligent_tiering_configuration().bucket(BUCKET).id("theirs");
    let call = call.intelligent_tiering_configuration(one.tierings(tiering).build().unwrap());
    trial.account.wait(call.send()).unwrap();
}

fn count(trial: &Trial) {
    let one = MetricsConfiguration::builder().id("theirs").build().unwrap();
    let call = trial.account.s3.put_bucket_metrics_configuration().bucket(BUCKET).id("theirs");
    trial.account.wait(call.metrics_configuration(one).send()).unwrap();
}

/// Gives the mails of the first rule to somebody's organisation, too.
pub(super) fn add_workmail(trial: &Trial) {
    let (account, ses) = (&trial.account, &trial.account.ses);
    let call = ses.describe_receipt_rule().rule_set_name("circuits").rule_name("circuits.reader");
    let mut rule = account.wait(call.send()).unwrap().rule.unwrap();
    let organization = "arn:aws:workmail:eu-west-1:123456789012:organization/m-1234";
    let action = WorkmailAction::builder().organization_arn(organization).build().unwrap();
    rule.actions.as_mut().unwrap().insert(0, ReceiptAction::builder().workmail_action(action).build());
    account.wait(ses.update_receipt_rule().rule_set_name("circuits").rule(rule).send()).unwrap();
}
