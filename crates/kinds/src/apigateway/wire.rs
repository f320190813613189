//! An API in the words of API Gateway's interface: reading it whole, and writing one part after the other.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_apigatewayv2::types::{
    Api, AuthorizationType, Authorizer, Cors as WireCors, Integration, IntegrationType, IpAddressType, ProtocolType,
    Route as WireRoute, RouteSettings, Stage as WireStage,
};

use super::{
    PAGE,
    api::{Cors, IDENTITY, IPV4, NO_AUTHORIZATION, Route, Seen, Settings, TIMEOUT},
    stage, tags_of,
};
use crate::{
    Session,
    children::if_offered,
    number::{natural, wire},
    surplus_tags, unfinished,
};
use aws::OrFail;
use engine::{Children, Failure, Tags};

/// Description of our integrations: one that no route uses was left by a run that was ended, and goes.
const OURS: &str = "made by provision";
/// Version of the event that API Gateway sends where an integration names none.
const FIRST_PAYLOAD: &str = "1.0";

/// The parts of an API.
#[derive(Debug, Default)]
pub(super) struct Parts {
    routes: Vec<WireRoute>,
    integrations: Vec<Integration>,
    stages: Vec<WireStage>,
    authorizers: Vec<Authorizer>,
}

/// Reads all pages of one of the lists of an API; `None` if the API does not exist.
macro_rules! list {
    ($session:ident, $id:ident, $operation:ident, $call:literal) => {{
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            $session.aws.apis.pass().await;
            let call = $session.aws.read.apis.$operation().api_id($id).max_results(PAGE).set_next_token(next);
            let page = call.send().await.or_absent($call)?;
            let Some(page) = page else { return Ok(None) };
            found.extend(page.items.unwrap_or_default());
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                break found;
            }
        }
    }};
}

impl Parts {
    /// Reads the parts of an API; `None` if it does not exist.
    pub(super) async fn read(session: &Session, id: &str) -> Result<Option<Self>, Failure> {
        Ok(Some(Self {
            routes: list!(session, id, get_routes, "apigatewayv2.GetRoutes"),
            integrations: list!(session, id, get_integrations, "apigatewayv2.GetIntegrations"),
            stages: list!(session, id, get_stages, "apigatewayv2.GetStages"),
            authorizers: authorizers(session, id).await?,
        }))
    }

    /// Returns the stage that is ours, by its tag.
    fn stage(&self) -> Option<&WireStage> {
        self.stages.iter().find(|stage| stage::is_ours(stage))
    }

    fn integration_of(&self, route: &WireRoute) -> Option<&Integration> {
        let id = route.target.as_deref()?.strip_prefix(TARGET)?;
        self.integrations.iter().find(|one| one.integration_id.as_deref() == Some(id))
    }
}

async fn authorizers(session: &Session, id: &str) -> Result<Vec<Authorizer>, Failure> {
    session.aws.apis.pass().await;
    let answer = session.aws.read.apis.get_authorizers().api_id(id).max_results(PAGE).send().await;
    let answer = if_offered(answer.or_absent("apigatewayv2.GetAuthorizers"))?.flatten();
    Ok(answer.and_then(|answer| answer.items).unwrap_or_default())
}

/// Beginning of a route's target, before the id of its integration.
const TARGET: &str = "integrations/";

/// Returns the id of an API; AWS always names one.
pub(super) fn id(api: &Api) -> &str {
    api.api_id.as_deref().unwrap_or_default()
}

/// Returns the settings of a live API.
pub(super) fn settings(api: &Api, parts: &Parts) -> Settings {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let ours = parts.stage();
    let limits = ours.and_then(|stage| stage.route_settings.as_ref());
    let routes = parts.routes.iter().map(|route| {
        let key = text(&route.route_key);
        let of_stage = limits.and_then(|limits| limits.get(&key));
        (key, self::route(route, parts.integration_of(route), of_stage))
    });
    let mut children = Children::default();
    for stage in parts.stages.iter().filter(|stage| !stage::is_ours(stage)) {
        children.add(stage::FIELD, text(&stage.stage_name), "a stage", true);
    }
    for one in &parts.authorizers {
        children.add("authorizers", text(&one.name), text(&one.authorizer_uri), false);
    }
    let deployed = ours.and_then(|stage| stage.last_deployment_status_message.as_ref());
    let failure = deployed.filter(|message| is_failure(message)).cloned();
    Settings {
        name: text(&api.name),
        description: text(&api.description),
        version: text(&api.version),
        address_type: api.ip_address_type.as_ref().map_or(IPV4, IpAddressType::as_str).to_owned(),
        endpoint: api.disable_execute_api_endpoint != Some(true),
        cors: api.cors_configuration.as_ref().map(cors),
        routes: routes.collect(),
        stage: ours.map(stage::read),
        tags: tags_of(api),
        children,
        seen: Seen { url: ours.and_then(|stage| url(api, stage)), failure },
    }
}

/// Returns the URL of a stage. The name of the default one is no part of it.
fn url(api: &Api, stage: &WireStage) -> Option<String> {
    let (endpoint, name) = (api.api_endpoint.as_ref()?, stage.stage_name.as_ref()?);
    let endpoint = endpoint.trim_end_matches('/');
    Some(if name == "$default" { endpoint.to_owned() } else { format!("{endpoint}/{name}") })
}

/// Returns whether the message of a deployment tells of a failure: of a success it says "Successfully deployed stage with deployment
/// ID".
fn is_failure(message: &str) -> bool {
    !message.is_empty() && !message.starts_with("Successfully")
}

fn cors(wire: &WireCors) -> Cors {
    let set = |list: &Option<Vec<String>>| list.iter().flatten().cloned().collect::<BTreeSet<_>>();
    // API Gateway writes the names of headers in lower case.
    let lower = |list: &Option<Vec<String>>| list.iter().flatten().map(|one| one.to_ascii_lowercase()).collect();
    Cors {
        origins: set(&wire.allow_origins),
        methods: set(&wire.allow_methods),
        headers: lower(&wire.allow_headers),
        exposed: lower(&wire.expose_headers),
        // Zero is what none means.
        max_age: wire.max_age.map(natural).filter(|age| *age > 0),
        credentials: wire.allow_credentials == Some(true),
    }
}

/// Returns what an integration changes of requests and answers, by place, and the role by whose rights it calls. We set none.
fn changes(integration: &Integration) -> BTreeMap<String, String> {
    let requests = integration.request_parameters.iter().flatten();
    let requests = requests.map(|(place, value)| (format!("request.{place}"), value.clone()));
    let answers = integration.response_parameters.iter().flatten().flat_map(|(status, places)| {
        places.iter().map(move |(place, value)| (format!("response.{status}.{place}"), value.clone()))
    });
    let role = integration.credentials_arn.iter().filter(|role| !role.is_empty());
    let role = role.map(|role| ("credentials".to_owned(), role.clone()));
    requests.chain(answers).chain(role).collect()
}

fn route(route: &WireRoute, integration: Option<&Integration>, limits: Option<&RouteSettings>) -> Route {
    let is_function = |one: &&Integration| one.integration_type == Some(IntegrationType::AwsProxy);
    let function = integration.filter(is_function).and_then(|one| one.integration_uri.as_deref());
    // The form with a path around it means the same function.
    let function = function.map(|uri| match uri.split_once("/functions/") {
        Some((_, rest)) => rest.trim_end_matches("/invocations"),
        None => uri,
    });
    let needs_key = route.api_key_required == Some(true);
    let authorization = route.authorization_type.as_ref().map_or(NO_AUTHORIZATION, AuthorizationType::as_str);
    Route {
        function: function.unwrap_or_default().to_owned(),
        payload: integration
            .and_then(|one| one.payload_format_version.clone())
            .unwrap_or_else(|| FIRST_PAYLOAD.to_owned()),
        timeout: integration.and_then(|one| one.timeout_in_millis).map_or(TIMEOUT, natural),
        authorization: if needs_key { format!("{authorization} and a key") } else { authorization.to_owned() },
        rate: limits.and_then(|limits| limits.throttling_rate_limit),
        burst: limits.and_then(|limits| limits.throttling_burst_limit).map(natural),
        changes: integration.map(changes).unwrap_or_default(),
    }
}

/// Creates an API without parts, tagged as unfinished; returns its id.
pub(super) async fn create(session: &Session, desired: &Settings) -> Result<String, Failure> {
    session.aws.apis.pass().await;
    let call = session.aws.write.apis.create_api().name(&desired.name).protocol_type(ProtocolType::Http);
    // An empty text clears one, and there is none yet.
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let call = call.set_description(some(&desired.description)).set_version(some(&desired.version));
    let call = call.disable_execute_api_endpoint(!desired.endpoint);
    let call = call.ip_address_type(IpAddressType::from(desired.address_type.as_str()));
    let call = call.set_cors_configuration(desired.cors.as_ref().map(wire_cors));
    let call = call.set_tags(Some(unfinished(&desired.tags).into_iter().collect()));
    let answer = call.send().await.or_fail("apigatewayv2.CreateApi")?;
    Ok(answer.api_id.unwrap_or_default())
}

/// Changes the API itself. What a call leaves out keeps its value, and there is a call of its own to answer no browser any more.
pub(super) async fn update(session: &Session, id: &str, desired: &Settings, live: &Settings) -> Result<(), Failure> {
    let own = |settings: &Settings| {
        let Settings { name, description, version, address_type, endpoint, cors, .. } = settings.clone();
        (name, description, version, address_type, endpoint, cors)
    };
    let apis = &session.aws.write.apis;
    if desired.cors.is_none() && live.cors.is_some() {
        session.aws.apis.pass().await;
        let call = apis.delete_cors_configuration().api_id(id);
        call.send().await.or_absent("apigatewayv2.DeleteCorsConfiguration")?;
    }
    let without = |settings: &Settings| Settings { cors: desired.cors.clone(), ..settings.clone() };
    if own(desired) == own(&without(live)) && (desired.cors == live.cors || desired.cors.is_none()) {
        return Ok(());
    }
    session.aws.apis.pass().await;
    let call = apis.update_api().api_id(id).name(&desired.name).description(&desired.description);
    let call = call.version(&desired.version).disable_execute_api_endpoint(!desired.endpoint);
    let call = call.ip_address_type(IpAddressType::from(desired.address_type.as_str()));
    let call = call.set_cors_configuration(desired.cors.as_ref().map(wire_cors));
    call.send().await.or_fail("apigatewayv2.UpdateApi").map(drop)
}

fn wire_cors(cors: &Cors) -> WireCors {
    let list = |set: &BTreeSet<String>| Some(set.iter().cloned().collect::<Vec<_>>());
    WireCors::builder()
        .set_allow_origins(list(&cors.origins))
        .set_allow_methods(list(&cors.methods))
        .set_allow_headers(list(&cors.headers))
        .set_expose_headers(list(&cors.exposed))
        .set_max_age(cors.max_age.map(wire))
        .allow_credentials(cors.credentials)
        .build()
}

/// Brings routes, integrations and stages to what is desired, one call after the other: API Gateway takes one at a time. A stage comes
/// after the routes that it limits: a new route of a stage that is there has the account's limit until then. Of what is surplus only that
/// goes which the plan has seen: what somebody has added since then is told by the next one.
pub(super) async fn write_parts(
    session: &Session,
    id: &str,
    (desired, planned): (&Settings, &Settings),
    live: &Parts,
) -> Result<(), Failure> {
    let is_surplus = |key: &String| !desired.routes.contains_key(key) && planned.routes.contains_key(key);
    for route in live.routes.iter().filter(|route| route.route_key.as_ref().is_some_and(is_surplus)) {
        delete_route(session, id, route).await?;
    }
    let mut used = BTreeSet::new();
    for (key, route) in &desired.routes {
        let found = live.routes.iter().find(|one| one.route_key.as_ref() == Some(key));
        // An integration that somebody gave to two routes stays with the first of them.
        let integration = found.and_then(|route| live.integration_of(route));
        let integration = integration.filter(|one| one.integration_id.as_ref().is_some_and(|id| !used.contains(id)));
        used.insert(write_route(session, id, (key, route), (found, integration)).await?);
    }
    for one in &live.integrations {
        let is_left = one.description.as_deref() == Some(OURS);
        if let Some(integration) = one.integration_id.as_ref().filter(|id| is_left && !used.contains(*id)) {
            session.aws.apis.pass().await;
            let call = session.aws.write.apis.delete_integration().api_id(id).integration_id(integration);
            call.send().await.or_absent("apigatewayv2.DeleteIntegration")?;
        }
    }
    stage::write(session, id, (desired, planned), &live.stages).await
}

async fn delete_route(session: &Session, id: &str, route: &WireRoute) -> Result<(), Failure> {
    session.aws.apis.pass().await;
    let call = session.aws.write.apis.delete_route().api_id(id).set_route_id(route.route_id.clone());
    call.send().await.or_absent("apigatewayv2.DeleteRoute").map(drop)
}

/// Brings a route and its integration to what is desired; returns the id of the integration.
async fn write_route(
    session: &Session,
    id: &str,
    (key, desired): (&str, &Route),
    (found, integration): (Option<&WireRoute>, Option<&Integration>),
) -> Result<String, Failure> {
    let apis = &session.aws.write.apis;
    // What changes requests or calls by other rights cannot be taken off surely: another integration takes the place of this one.
    let ours = |one: &&Integration| one.description.as_deref() == Some(OURS) && changes(one).is_empty();
    let integration = write_integration(session, id, desired, integration.filter(ours)).await?;
    let target = format!("{TARGET}{integration}");
    let is_so = found.is_some_and(|found| {
        found.target.as_deref() == Some(&target)
            && self::route(found, None, None).authorization == desired.authorization
    });
    if is_so {
        return Ok(integration);
    }
    let authorization = AuthorizationType::from(desired.authorization.as_str());
    session.aws.apis.pass().await;
    if let Some(found) = found {
        let call = apis.update_route().api_id(id).set_route_id(found.route_id.clone()).target(target);
        let call = call.authorization_type(authorization).api_key_required(false);
        call.send().await.or_fail("apigatewayv2.UpdateRoute")?;
    } else {
        let call = apis.create_route().api_id(id).route_key(key).target(target);
        let call = call.authorization_type(authorization);
        call.send().await.or_fail("apigatewayv2.CreateRoute")?;
    }
    Ok(integration)
}

/// Brings an integration of ours to what is desired; returns its id.
async fn write_integration(
    session: &Session,
    id: &str,
    desired: &Route,
    live: Option<&Integration>,
) -> Result<String, Failure> {
    let apis = &session.aws.write.apis;
    let known = live.and_then(|live| live.integration_id.as_ref());
    if let (Some(live), Some(known)) = (live, known) {
        let limits = RouteSettings::builder().set_throttling_rate_limit(desired.rate);
        let limits = limits.set_throttling_burst_limit(desired.burst.map(wire)).build();
        let bare = WireRoute::builder().authorization_type(AuthorizationType::from(desired.authorization.as_str()));
        if route(&bare.build(), Some(live), Some(&limits)) == *desired {
            return Ok(known.clone());
        }
        session.aws.apis.pass().await;
        let call = apis.update_integration().api_id(id).integration_id(known);
        let call = call.integration_type(IntegrationType::AwsProxy).integration_uri(&desired.function);
        let call = call.payload_format_version(&desired.payload).timeout_in_millis(wire(desired.timeout));
        call.send().await.or_fail("apigatewayv2.UpdateIntegration")?;
        return Ok(known.clone());
    }
    session.aws.apis.pass().await;
    let call = apis.create_integration().api_id(id).description(OURS);
    let call = call.integration_type(IntegrationType::AwsProxy).integration_uri(&desired.function);
    let call = call.payload_format_version(&desired.payload).timeout_in_millis(wire(desired.timeout));
    let answer = call.send().await.or_fail("apigatewayv2.CreateIntegration")?;
    Ok(answer.integration_id.unwrap_or_default())
}

pub(super) fn arn(session: &Session, id: &str) -> String {
    IDENTITY.arn_of(&session.aws.realm, &session.stack, id)
}

pub(super) async fn write_tags(session: &Session, id: &str, desired: &Tags, live: &Tags) -> Result<(), Failure> {
    let surplus = surplus_tags(desired, live);
    if !surplus.is_empty() {
        untag(session, id, surplus).await?;
    }
    if desired.iter().any(|(key, value)| live.get(key) != Some(value)) {
        session.aws.apis.pass().await;
        let call = session.aws.write.apis.tag_resource().resource_arn(arn(session, id));
        let call = call.set_tags(Some(desired.clone().into_iter().collect()));
        call.send().await.or_fail("apigatewayv2.TagResource")?;
    }
    Ok(())
}

/// Takes tags from an API.
pub(super) async fn untag(session: &Session, id: &str, keys: Vec<String>) -> Result<(), Failure> {
    session.aws.apis.pass().await;
    let call = session.aws.write.apis.untag_resource().resource_arn(arn(session, id)).set_tag_keys(Some(keys));
    call.send().await.or_fail("apigatewayv2.UntagResource").map(drop)
}
