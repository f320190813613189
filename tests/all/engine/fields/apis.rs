//! HTTP APIs with their access logs, and what a queue invokes.

use std::collections::HashMap;

use aws_sdk_apigatewayv2::types::{Api, IpAddressType, RouteSettings, Stage};
use aws_sdk_cloudwatchlogs::types::LogGroupClass;
use aws_sdk_lambda::{
    operation::update_event_source_mapping::builders::UpdateEventSourceMappingFluentBuilder as Update,
    types::{Filter, FilterCriteria, ScalingConfig},
};

use super::{Case, case};
use crate::stack::Trial;

/// APIs in the declaration of this test.
pub(super) const DECLARED: &str = "\
apis:
  hook:
    routes:
      - {route: POST /done, invoke: reader, authentication: {scheme: bearer, secret: TOKEN}}
      - {route: PUT /done, invoke: reader, authentication: {scheme: bearer, secret: TOKEN}}
    cors: {origins: [https://example.com], methods: [POST], headers: [x-code], max_age: 1h}
";
/// The same of the function that consumes a queue.
pub(super) const CONSUMES: &str = "    consumes: {queue: events, batch: 20, window: 1s, concurrency: 5}\n";

pub(super) const CASES: &[Case] = &[
    case("api", "hook", "name", |trial| update(trial, |call| call.name("theirs"))),
    case("api", "hook", "description", |trial| update(trial, |call| call.description("by hand"))),
    case("api", "hook", "version", |trial| update(trial, |call| call.version("2"))),
    case("api", "hook", "address_type", |trial| update(trial, |call| call.ip_address_type(IpAddressType::Dualstack))),
    case("api", "hook", "endpoint", |trial| update(trial, |call| call.disable_execute_api_endpoint(true))),
    case("api", "hook", "cors.*", |trial| {
        let call = trial.account.apis.delete_cors_configuration().api_id(id(trial));
        trial.account.wait(call.send()).unwrap();
    }),
    case("api", "hook", "cors.*", |trial| {
        let cors = aws_sdk_apigatewayv2::types::Cors::builder().allow_origins("*").allow_methods("*").build();
        update(trial, |call| call.cors_configuration(cors));
    }),
    case("api", "hook", "routes.*", |trial| {
        let call = trial.account.apis.create_route().api_id(id(trial)).route_key("$default");
        trial.account.wait(call.target(target(trial)).send()).unwrap();
    }),
    case("api", "hook", "routes.*", |trial| {
        let routes = trial.account.wait(trial.account.apis.get_routes().api_id(id(trial)).send()).unwrap();
        let one = routes.items.unwrap().remove(0).route_id.unwrap();
        trial.account.wait(trial.account.apis.delete_route().api_id(id(trial)).route_id(one).send()).unwrap();
    }),
    case("api", "hook", "routes.*", |trial| {
        let integration = target(trial).replace("integrations/", "");
        let call = trial.account.apis.update_integration().api_id(id(trial)).integration_id(integration);
        trial.account.wait(call.timeout_in_millis(50).send()).unwrap();
    }),
    case("api", "hook", "routes.*", |trial| {
        let integration = target(trial).replace("integrations/", "");
        let call = trial.account.apis.update_integration().api_id(id(trial)).integration_id(integration);
        trial.account.wait(call.request_parameters("overwrite:header.authorization", "theirs").send()).unwrap();
    }),
    case("api", "hook", "routes.*", |trial| {
        let integration = target(trial).replace("integrations/", "");
        let call = trial.account.apis.update_integration().api_id(id(trial)).integration_id(integration);
        trial.account.wait(call.credentials_arn("arn:aws:iam::123456789012:role/theirs").send()).unwrap();
    }),
    case("api", "hook", "routes.*", |trial| limit(trial, &[("POST /done", 9_000.0)])),
    case("api", "hook", "stage.*", |trial| {
        let call = trial.account.apis.update_stage().api_id(id(trial)).stage_name("$default").auto_deploy(false);
        trial.account.wait(call.send()).unwrap();
    }),
    case("api", "hook", "stage.*", |trial| {
        let call = trial.account.apis.delete_access_log_settings().api_id(id(trial)).stage_name("$default");
        trial.account.wait(call.send()).unwrap();
    }),
    case("api", "hook", "tags.*", |trial| {
        let arn = format!("arn:aws:apigateway:eu-west-1::/apis/{}", id(trial));
        let call = trial.account.apis.tag_resource().resource_arn(arn).tags("by-hand", "yes");
        trial.account.wait(call.send()).unwrap();
    }),
    case("event source mapping", "reader.events", "enabled", |trial| mapping(trial, |call| call.enabled(false))),
    case("event source mapping", "reader.events", "batch", |trial| mapping(trial, |call| call.batch_size(2))),
    case("event source mapping", "reader.events", "window", |trial| {
        mapping(trial, |call| call.maximum_batching_window_in_seconds(9));
    }),
    case("event source mapping", "reader.events", "concurrency", |trial| {
        mapping(trial, |call| call.scaling_config(ScalingConfig::builder().build()));
    }),
    case("event source mapping", "reader.events", "partial_batches", |trial| {
        mapping(trial, |call| call.set_function_response_types(Some(Vec::new())));
    }),
    case("event source mapping", "reader.events", "filters", |trial| {
        let filter = Filter::builder().pattern(r#"{"body": {"theirs": [true]}}"#).build();
        mapping(trial, |call| call.filter_criteria(FilterCriteria::builder().filters(filter).build()));
    }),
    case("event source mapping", "reader.events", "kms_key", |trial| {
        mapping(trial, |call| call.kms_key_arn("arn:aws:kms:eu-west-1:123456789012:key/theirs"));
    }),
    case("event source mapping", "reader.events", "tags.*", |trial| {
        let arn = format!("arn:aws:lambda:eu-west-1:123456789012:event-source-mapping:{}", uuid(trial));
        let call = trial.account.lambda.tag_resource().resource(arn).tags("by-hand", "yes");
        trial.account.wait(call.send()).unwrap();
    }),
    case("access log", "hook", "retention", |trial| {
        let call = trial.account.logs.put_retention_policy().log_group_name(LOGS).retention_in_days(1);
        trial.account.wait(call.send()).unwrap();
    }),
    case("access log", "hook", "class", |trial| {
        let (logs, arn) = (&trial.account.logs, format!("arn:aws:logs:eu-west-1:123456789012:log-group:{LOGS}"));
        let tags = trial.account.wait(logs.list_tags_for_resource().resource_arn(arn).send()).unwrap().tags;
        trial.account.wait(logs.delete_log_group().log_group_name(LOGS).send()).unwrap();
        let call = logs.create_log_group().log_group_name(LOGS).log_group_class(LogGroupClass::InfrequentAccess);
        trial.account.wait(call.kms_key_id(super::protected::KEY).set_tags(tags).send()).unwrap();
        let call = logs.put_retention_policy().log_group_name(LOGS).retention_in_days(30);
        trial.account.wait(call.send()).unwrap();
    }),
    case("access log", "hook", "kms_key", |trial| {
        let call = trial.account.logs.disassociate_kms_key().log_group_name(LOGS);
        trial.account.wait(call.send()).unwrap();
    }),
    case("access log", "hook", "tags.*", |trial| {
        let arn = format!("arn:aws:logs:eu-west-1:123456789012:log-group:{LOGS}");
        let call = trial.account.logs.tag_resource().resource_arn(arn).tags("by-hand", "yes");
        trial.account.wait(call.send()).unwrap();
    }),
];

const LOGS: &str = "/aws/vendedlogs/circuits-hook";

/// Returns the stack's API.
fn api(trial: &Trial) -> Api {
    let apis = trial.account.wait(trial.account.apis.get_apis().send()).unwrap().items.unwrap();
    let is_it = |api: &Api| api.tags.as_ref().is_some_and(|tags| tags.contains_key("provision:stack"));
    apis.into_iter().find(is_it).unwrap()
}

fn id(trial: &Trial) -> String {
    api(trial).api_id.unwrap()
}

/// Returns the target of one of the API's routes.
fn target(trial: &Trial) -> String {
    let routes = trial.account.wait(trial.account.apis.get_routes().api_id(id(trial)).send()).unwrap();
    routes.items.unwrap().remove(0).target.unwrap()
}

fn update(
    trial: &Trial,
    change: impl FnOnce(
        aws_sdk_apigatewayv2::operation::update_api::builders::UpdateApiFluentBuilder,
    ) -> aws_sdk_apigatewayv2::operation::update_api::builders::UpdateApiFluentBuilder,
) {
    trial.account.wait(change(trial.account.apis.update_api().api_id(id(trial))).send()).unwrap();
}

fn limit(trial: &Trial, rates: &[(&str, f64)]) {
    let stages = trial.account.wait(trial.account.apis.get_stages().api_id(id(trial)).send()).unwrap();
    let live: Stage = stages.items.unwrap().remove(0);
    let mut limits: HashMap<String, RouteSettings> = live.route_settings.unwrap();
    for (key, rate) in rates {
        limits.insert((*key).to_owned(), RouteSettings::builder().throttling_rate_limit(*rate).build());
    }
    let call = trial.account.apis.update_stage().api_id(id(trial)).stage_name("$default");
    trial.account.wait(call.set_route_settings(Some(limits)).send()).unwrap();
}

fn uuid(trial: &Trial) -> String {
    let call = trial.account.lambda.list_event_source_mappings().function_name("circuits-reader");
    trial.account.wait(call.send()).unwrap().event_source_mappings.unwrap().remove(0).uuid.unwrap()
}

fn mapping(trial: &Trial, change: impl FnOnce(Update) -> Update) {
    let call = trial.account.lambda.update_event_source_mapping().uuid(uuid(trial));
    trial.account.wait(change(call).send()).unwrap();
}
