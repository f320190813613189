//! Roles, log groups, functions, what is done with failed events, and permissions.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use aws_sdk_cloudwatchlogs::types::LogGroupClass;
use aws_sdk_iam::types::Tag;
use aws_sdk_lambda::{
    operation::update_function_configuration::builders::UpdateFunctionConfigurationFluentBuilder as Configuration,
    primitives::Blob,
    types::{
        Architecture, DestinationConfig, Environment, EphemeralStorage, LastUpdateStatus, LayerVersionContentInput,
        LogFormat, LoggingConfig, OnFailure, OnSuccess, Runtime, TracingConfig, TracingMode, VpcConfig,
    },
};

use super::{Case, case};
use crate::{
    engine::protected::{KEY, OTHER_KEY},
    harness::replaced,
    stack::Trial,
};

pub(super) const CASES: &[Case] = &[
    case("role", "reader", "path", |trial| make_again(trial, "/elsewhere/")),
    case("role", "reader", "trust.*", trust),
    case("role", "reader", "policies.*", |trial| policy(trial, "provision")),
    case("role", "reader", "policies.*", |trial| policy(trial, "by-hand")),
    case("role", "reader", "attached", attach),
    case("role", "reader", "description", |trial| {
        let account = &trial.account;
        account.wait(account.iam.update_role().role_name(ROLE).description("by hand").send()).unwrap();
    }),
    case("role", "reader", "max_session", |trial| {
        let account = &trial.account;
        account.wait(account.iam.update_role().role_name(ROLE).max_session_duration(7_200).send()).unwrap();
    }),
    case("role", "reader", "permissions_boundary", |trial| {
        let (account, arn) = (&trial.account, managed_policy(trial));
        let call = account.iam.put_role_permissions_boundary().role_name(ROLE).permissions_boundary(arn);
        account.wait(call.send()).unwrap();
    }),
    case("role", "reader", "permissions_boundary", |trial| {
        let account = &trial.account;
        account.wait(account.iam.delete_role_permissions_boundary().role_name(ROLE).send()).unwrap();
    }),
    case("role", "reader", "tags.*", |trial| {
        let tag = Tag::builder().key("team").value("somebody else").build().unwrap();
        trial.account.wait(trial.account.iam.tag_role().role_name(ROLE).tags(tag).send()).unwrap();
    }),
    case("log group", "reader", "retention", |trial| {
        let account = &trial.account;
        account.wait(account.logs.delete_retention_policy().log_group_name(LOGS).send()).unwrap();
    }),
    case("log group", "reader", "class", log_class),
    case("log group", "reader", "kms_key", |trial| {
        let account = &trial.account;
        account.wait(account.logs.associate_kms_key().log_group_name(LOGS).kms_key_id(OTHER_KEY).send()).unwrap();
    }),
    case("log group", "reader", "kms_key", |trial| {
        let account = &trial.account;
        account.wait(account.logs.disassociate_kms_key().log_group_name(LOGS).send()).unwrap();
    }),
    case("log group", "reader", "tags.*", |trial| {
        let (account, arn) = (&trial.account, format!("arn:aws:logs:eu-west-1:123456789012:log-group:{LOGS}"));
        account.wait(account.logs.tag_resource().resource_arn(arn).tags("by-hand", "yes").send()).unwrap();
    }),
    case("function", "reader", "role", |trial| configure(trial, |call| call.role(other_role(trial)))),
    case("function", "reader", "handler", |trial| configure(trial, |call| call.handler("main"))),
    case("function", "reader", "runtime", |trial| configure(trial, |call| call.runtime(Runtime::Providedal2))),
    case("function", "reader", "architecture", |trial| update_code(trial, built(trial), Architecture::Arm64)),
    case("function", "reader", "description", |trial| configure(trial, |call| call.description("by hand"))),
    case("function", "reader", "memory", |trial| configure(trial, |call| call.memory_size(512))),
    case("function", "reader", "timeout", |trial| configure(trial, |call| call.timeout(9))),
    case("function", "reader", "ephemeral_storage", |trial| {
        configure(trial, |call| call.ephemeral_storage(EphemeralStorage::builder().size(1_024).build().unwrap()));
    }),
    case("function", "reader", "environment.*", |trial| environment(trial, "STANDIN", "by hand")),
    case("function", "reader", "environment.*", |trial| environment(trial, "ADDED", "by hand")),
    case("function", "reader", "kms_key", |trial| configure(trial, |call| call.kms_key_arn(OTHER_KEY))),
    case("function", "reader", "code_sha256", |trial| update_code(trial, other_zip(), Architecture::X8664)),
    case("function", "reader", "layers", layer),
    case("function", "reader", "vpc.subnets", |trial| {
        configure(trial, |call| call.vpc_config(vpc(&["subnet-1"], &[])));
    }),
    case("function", "reader", "vpc.security_groups", |trial| {
        configure(trial, |call| call.vpc_config(vpc(&["subnet-1"], &["sg-1"])));
    }),
    case("function", "reader", "tracing", |trial| {
        configure(trial, |call| call.tracing_config(TracingConfig::builder().mode(TracingMode::Active).build()));
    }),
    case("function", "reader", "logging.format", |trial| {
        let json = LoggingConfig::builder().log_format(LogFormat::Json).log_group(LOGS).build();
        configure(trial, |call| call.logging_config(json));
    }),
    case("function", "reader", "logging.log_group", |trial| {
        let other = LoggingConfig::builder().log_format(LogFormat::Text).log_group("/theirs").build();
        configure(trial, |call| call.logging_config(other));
    }),
    case("function", "reader", "reserved_concurrency", |trial| {
        let account = &trial.account;
        account.wait(account.lambda.delete_function_concurrency().function_name(NAME).send()).unwrap();
    }),
    case("function", "reader", "tags.*", |trial| {
        let account = &trial.account;
        account.wait(account.lambda.untag_resource().resource(FUNCTION).tag_keys("team").send()).unwrap();
    }),
    case("event invoke", "reader", "retries", |trial| event_invoke(trial, |call| call.maximum_retry_attempts(0))),
    case("event invoke", "reader", "maximum_age", |trial| {
        event_invoke(trial, |call| call.maximum_event_age_in_seconds(60));
    }),
    case("event invoke", "reader", "on_failure", |trial| {
        event_invoke(trial, |call| call.destination_config(DestinationConfig::builder().build()));
    }),
    case("event invoke", "reader", "on_success", |trial| {
        let failure = OnFailure::builder().destination(FAILED).build();
        let success = OnSuccess::builder().destination(FAILED).build();
        let both = DestinationConfig::builder().on_failure(failure).on_success(success).build();
        event_invoke(trial, |call| call.destination_config(both));
    }),
    case("permission", "reader.ses-reader", "principal", |trial| {
        permit(trial, |call| call.principal("s3.amazonaws.com").source_account(ACCOUNT).source_arn(RULE));
    }),
    case("permission", "reader.ses-reader", "action", |trial| {
        let ours = |call: Permission| call.principal(SES).source_account(ACCOUNT).source_arn(RULE);
        permit(trial, |call| ours(call).action("lambda:GetFunction"));
    }),
    case("permission", "reader.ses-reader", "source_account", |trial| {
        permit(trial, |call| call.principal(SES).source_arn(RULE));
    }),
    case("permission", "reader.ses-reader", "source_arn", |trial| {
        permit(trial, |call| call.principal(SES).source_account(ACCOUNT).source_arn(format!("{RULE}-other")));
    }),
    case("permission", "reader.ses-reader", "other", |trial| {
        let ours = |call: Permission| call.principal(SES).source_account(ACCOUNT).source_arn(RULE);
        permit(trial, |call| ours(call).principal_org_id("o-a1b2c3d4e5"));
    }),
];

type Permission = aws_sdk_lambda::operation::add_permission::builders::AddPermissionFluentBuilder;
type EventInvoke =
    aws_sdk_lambda::operation::put_function_event_invoke_config::builders::PutFunctionEventInvokeConfigFluentBuilder;

/// Name of the function and of its role.
const NAME: &str = "circuits-reader";
const ROLE: &str = "circuits-reader-eu-west-1";
const ACCOUNT: &str = "123456789012";
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:circuits-reader";
const LOGS: &str = "/aws/lambda/circuits-reader";
const FAILED: &str = "arn:aws:sqs:eu-west-1:123456789012:circuits-failed";
const SES: &str = "ses.amazonaws.com";
const RULE: &str = "arn:aws:ses:eu-west-1:123456789012:receipt-rule-set/circuits:receipt-rule/circuits.reader";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Lambda","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
pub(crate) const ANYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// Deletes the role and creates it again with all its properties, except its path.
fn make_again(trial: &Trial, path: &str) {
    let (account, iam) = (&trial.account, &trial.account.iam);
    let role = account.wait(iam.get_role().role_name(ROLE).send()).unwrap().role.unwrap();
    let policies = account.wait(iam.list_role_policies().role_name(ROLE).send()).unwrap().policy_names;
    let read = |policy: String| {
        let answer = account.wait(iam.get_role_policy().role_name(ROLE).policy_name(&policy).send()).unwrap();
        account.wait(iam.delete_role_policy().role_name(ROLE).policy_name(&policy).send()).unwrap();
        let document = percent_encoding::percent_decode_str(&answer.policy_document).decode_utf8().unwrap();
        (policy, document.into_owned())
    };
    let policies: Vec<_> = policies.into_iter().map(read).collect();
    account.wait(iam.delete_role().role_name(ROLE).send()).unwrap();
    let call = iam.create_role().role_name(ROLE).path(path).assume_role_policy_document(TRUST);
    let call = call.permissions_boundary(super::BOUNDARY);
    account.wait(call.set_tags(role.tags).send()).unwrap();
    for (policy, document) in policies {
        let call = iam.put_role_policy().role_name(ROLE).policy_name(policy).policy_document(document);
        account.wait(call.send()).unwrap();
    }
}

fn trust(trial: &Trial) {
    let both = replaced(TRUST, &[(r#""lambda.amazonaws.com""#, r#"["lambda.amazonaws.com","ec2.amazonaws.com"]"#)]);
    let call = trial.account.iam.update_assume_role_policy().role_name(ROLE).policy_document(both);
    trial.account.wait(call.send()).unwrap();
}

fn policy(trial: &Trial, name: &str) {
    let call = trial.account.iam.put_role_policy().role_name(ROLE).policy_name(name).policy_document(ANYTHING);
    trial.account.wait(call.send()).unwrap();
}

/// Returns somebody's managed policy, created at its first use.
fn managed_policy(trial: &Trial) -> String {
    let call = trial.account.iam.create_policy().policy_name("theirs").policy_document(ANYTHING);
    // It may exist from another case.
    let _made = trial.account.wait(call.send());
    "arn:aws:iam::123456789012:policy/theirs".to_owned()
}

fn attach(trial: &Trial) {
    let call = trial.account.iam.attach_role_policy().role_name(ROLE).policy_arn(managed_policy(trial));
    trial.account.wait(call.send()).unwrap();
}

fn other_role(trial: &Trial) -> String {
    let (account, iam) = (&trial.account, &trial.account.iam);
    let call = iam.create_role().role_name("theirs").assume_role_policy_document(TRUST);
    let arn = account.wait(call.send()).unwrap().role.unwrap().arn;
    let call = iam.put_role_policy().role_name("theirs").policy_name("anything").policy_document(ANYTHING);
    account.wait(call.send()).unwrap();
    arn
}

fn log_class(trial: &Trial) {
    let (account, logs) = (&trial.account, &trial.account.logs);
    let arn = format!("arn:aws:logs:eu-west-1:123456789012:log-group:{LOGS}");
    let tags = account.wait(logs.list_tags_for_resource().resource_arn(arn).send()).unwrap().tags;
    let groups = account.wait(logs.describe_log_groups().log_group_name_prefix(LOGS).send()).unwrap();
    let retention = groups.log_groups()[0].retention_in_days().unwrap();
    account.wait(logs.delete_log_group().log_group_name(LOGS).send()).unwrap();
    let call = logs.create_log_group().log_group_name(LOGS).log_group_class(LogGroupClass::InfrequentAccess);
    account.wait(call.set_tags(tags).kms_key_id(KEY).send()).unwrap();
    account.wait(logs.put_retention_policy().log_group_name(LOGS).retention_in_days(retention).send()).unwrap();
}

/// Waits until the function's last change is done, since it takes one at a time.
fn settle(trial: &Trial) {
    let started = Instant::now();
    loop {
        let call = trial.account.lambda.get_function_configuration().function_name(NAME);
        if trial.account.wait(call.send()).unwrap().last_update_status != Some(LastUpdateStatus::InProgress) {
            return;
        }
        assert!(started.elapsed() < Duration::from_mins(1), "the function is not ready");
        sleep(Duration::from_millis(20));
    }
}

fn configure(trial: &Trial, change: impl FnOnce(Configuration) -> Configuration) {
    settle(trial);
    let call = change(trial.account.lambda.update_function_configuration().function_name(NAME));
    trial.account.wait(call.send()).unwrap();
    settle(trial);
}

fn environment(trial: &Trial, key: &str, value: &str) {
    let call = trial.account.lambda.get_function_configuration().function_name(NAME);
    let mut variables = trial.account.wait(call.send()).unwrap().environment.unwrap().variables.unwrap();
    variables.insert(key.to_owned(), value.to_owned());
    let environment = Environment::builder().set_variables(Some(variables)).build();
    configure(trial, |call| call.environment(environment));
}

fn vpc(subnets: &[&str], groups: &[&str]) -> VpcConfig {
    let texts = |texts: &[&str]| Some(texts.iter().map(ToString::to_string).collect());
    VpcConfig::builder().set_subnet_ids(texts(subnets)).set_security_group_ids(texts(groups)).build()
}

/// Returns the zip that the function is made from.
fn built(trial: &Trial) -> Vec<u8> {
    trial.expect(0, &["build", "--out", "zips"]);
    fs::read(trial.folder.path("zips/reader.zip")).unwrap()
}

/// Returns the zip of somebody's program.
pub(crate) fn other_zip() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("bootstrap", zip::write::SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
    std::io::Write::write_all(&mut zip, b"#!/bin/sh\nexit 0\n").unwrap();
    zip.finish().unwrap().into_inner()
}

fn update_code(trial: &Trial, zip: Vec<u8>, architecture: Architecture) {
    settle(trial);
    let call = trial.account.lambda.update_function_code().function_name(NAME).zip_file(Blob::new(zip));
    trial.account.wait(call.architectures(architecture).send()).unwrap();
    settle(trial);
}

fn layer(trial: &Trial) {
    let content = LayerVersionContentInput::builder().zip_file(Blob::new(other_zip())).build();
    let call = trial.account.lambda.publish_layer_version().layer_name("theirs").content(content);
    let arn = trial.account.wait(call.send()).unwrap().layer_version_arn.unwrap();
    configure(trial, |call| call.layers(arn));
}

/// Writes the configuration with one change: the emulator has no `UpdateFunctionEventInvokeConfig`.
fn event_invoke(trial: &Trial, change: impl FnOnce(EventInvoke) -> EventInvoke) {
    let (account, lambda) = (&trial.account, &trial.account.lambda);
    let live = account.wait(lambda.get_function_event_invoke_config().function_name(NAME).send()).unwrap();
    let call = lambda.put_function_event_invoke_config().function_name(NAME);
    let call = call.set_maximum_retry_attempts(live.maximum_retry_attempts);
    let call = call.set_maximum_event_age_in_seconds(live.maximum_event_age_in_seconds);
    account.wait(change(call.set_destination_config(live.destination_config)).send()).unwrap();
}

/// Replaces our statement by a changed one.
fn permit(trial: &Trial, change: impl FnOnce(Permission) -> Permission) {
    let (account, id) = (&trial.account, "provision-ses-reader");
    account.wait(account.lambda.remove_permission().function_name(NAME).statement_id(id).send()).unwrap();
    let call = account.lambda.add_permission().function_name(NAME).statement_id(id).action("lambda:InvokeFunction");
    account.wait(change(call).send()).unwrap();
}
