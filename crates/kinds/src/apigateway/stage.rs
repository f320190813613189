//! The stages of an API: ours, with the access log and the limits of its routes, and others.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_apigatewayv2::types::{AccessLogSettings, RouteSettings, Stage as WireStage};

use super::{
    api::{Route, Settings, Stage},
    wire::arn,
};
use crate::{Session, number::wire};
use aws::OrFail;
use engine::{Failure, STACK_TAG};

/// Field of the stages that are not ours.
pub(super) const FIELD: &str = "stages";

/// Returns whether a stage is ours, by its tag.
pub(super) fn is_ours(stage: &WireStage) -> bool {
    stage.tags.as_ref().is_some_and(|tags| tags.contains_key(STACK_TAG))
}

/// Returns the settings of a live stage.
pub(super) fn read(wire: &WireStage) -> Stage {
    let log = wire.access_log_settings.as_ref();
    let some = |text: Option<&String>| text.filter(|text| !text.is_empty()).cloned();
    Stage {
        name: wire.stage_name.clone().unwrap_or_default(),
        deploys_itself: wire.auto_deploy == Some(true),
        log_group: some(log.and_then(|log| log.destination_arn.as_ref()))
            .map(|arn| arn.trim_end_matches(":*").to_owned()),
        log_format: some(log.and_then(|log| log.format.as_ref())),
    }
}

/// Brings the stages to what is desired: ours, with its limits, and no other one that the plan has seen.
pub(super) async fn write(
    session: &Session,
    id: &str,
    (desired, planned): (&Settings, &Settings),
    live: &[WireStage],
) -> Result<(), Failure> {
    let apis = &session.aws.write.apis;
    if let Some(stage) = &desired.stage {
        let found = live.iter().find(|one| one.stage_name.as_ref() == Some(&stage.name));
        write_stage(session, id, (stage, &desired.routes), found).await?;
    }
    for one in live {
        let Some(name) = &one.stage_name else { continue };
        let is_among =
            |settings: &Settings| settings.children.iter().any(|(field, child, _)| field == FIELD && child == name);
        let is_desired = desired.stage.as_ref().is_some_and(|stage| stage.name == *name) || is_among(desired);
        if !is_desired && (is_ours(one) || is_among(planned)) {
            session.aws.apis.pass().await;
            let call = apis.delete_stage().api_id(id).stage_name(name);
            call.send().await.or_absent("apigatewayv2.DeleteStage")?;
        }
    }
    Ok(())
}

async fn write_stage(
    session: &Session,
    id: &str,
    (desired, routes): (&Stage, &BTreeMap<String, Route>),
    live: Option<&WireStage>,
) -> Result<(), Failure> {
    let apis = &session.aws.write.apis;
    let limits: HashMap<String, RouteSettings> =
        routes.iter().map(|(key, route)| (key.clone(), limits(route))).collect();
    let log = desired.log_group.as_ref().map(|group| {
        AccessLogSettings::builder().destination_arn(group).set_format(desired.log_format.clone()).build()
    });
    let tags = [(STACK_TAG.to_owned(), session.stack.id())];
    let Some(live) = live else {
        session.aws.apis.pass().await;
        let call = apis.create_stage().api_id(id).stage_name(&desired.name).auto_deploy(desired.deploys_itself);
        let call = call.set_access_log_settings(log).set_route_settings(Some(limits)).set_tags(Some(tags.into()));
        return call.send().await.or_fail("apigatewayv2.CreateStage").map(drop);
    };
    if !is_ours(live) {
        let arn = format!("{}/stages/{}", arn(session, id), desired.name);
        session.aws.apis.pass().await;
        let call = apis.tag_resource().resource_arn(arn).set_tags(Some(tags.into()));
        call.send().await.or_fail("apigatewayv2.TagResource")?;
    }
    remove_surplus(session, id, desired, &limits, live).await?;
    let live_limits = |key: &String| live.route_settings.as_ref().and_then(|settings| settings.get(key));
    let is_limited = limits.iter().all(|(key, limit)| live_limits(key) == Some(limit));
    if read(live) == *desired && is_limited {
        return Ok(());
    }
    session.aws.apis.pass().await;
    let call = apis.update_stage().api_id(id).stage_name(&desired.name).auto_deploy(desired.deploys_itself);
    let call = call.set_access_log_settings(log).set_route_settings(Some(limits));
    call.send().await.or_fail("apigatewayv2.UpdateStage").map(drop)
}

/// Removes the limits of routes and the access log that a stage has and is not to have: an update leaves what it does not name.
async fn remove_surplus(
    session: &Session,
    id: &str,
    desired: &Stage,
    limits: &HashMap<String, RouteSettings>,
    live: &WireStage,
) -> Result<(), Failure> {
    let apis = &session.aws.write.apis;
    let surplus = live.route_settings.iter().flat_map(|live| live.keys()).filter(|key| !limits.contains_key(*key));
    for key in surplus {
        session.aws.apis.pass().await;
        let call = apis.delete_route_settings().api_id(id).stage_name(&desired.name).route_key(key);
        call.send().await.or_absent("apigatewayv2.DeleteRouteSettings")?;
    }
    if desired.log_group.is_none() && live.access_log_settings.is_some() {
        session.aws.apis.pass().await;
        let call = apis.delete_access_log_settings().api_id(id).stage_name(&desired.name);
        call.send().await.or_absent("apigatewayv2.DeleteAccessLogSettings")?;
    }
    Ok(())
}

/// Returns the limits of a route. Both numbers are always there: one that is left out may count as 0, which refuses everything.
fn limits(route: &Route) -> RouteSettings {
    let limits = RouteSettings::builder().set_throttling_rate_limit(route.rate);
    limits.set_throttling_burst_limit(route.burst.map(wire)).detailed_metrics_enabled(false).build()
}
