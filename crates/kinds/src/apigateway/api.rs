//! HTTP APIs, each with its routes, its integrations and its one stage.
//!
//! They are one resource: API Gateway takes one change of an API at a time, and a route without its integration or its limit would be
//! open or broken. An API has no name of its own: its id comes from AWS, and its tags tell whose it is.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{find, known, tags_of, wire};
use crate::{
    Condition, Kind, Manage, Session,
    identity::Identity,
    rights::{Right, Target, deletes, reads, writes},
};
use aws::{ArnForm, OrFail};
use engine::{Address, Children, Class, Failure, Field, Holds, Live, Owned, Owner, Tags, plain, severe, stays};

/// HTTP APIs. Their address is the id that AWS gave one, or the name that its entry has until it exists.
#[derive(Debug)]
pub struct Api;

/// An API. Throttling of the stage as a whole, its variables and its description are left as they are: AWS cannot take them back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    /// Name, for people: names of APIs are not unique.
    pub name: String,
    /// Description of the resource, for people.
    pub description: String,
    /// Version of the API, for people.
    pub version: String,
    /// Addresses under which it is reached: `ipv4` or `dualstack`.
    pub address_type: String,
    /// `true` if it is reached under the name that AWS gave it.
    pub endpoint: bool,
    /// Answers to browsers of other origins; `None` gives none.
    pub cors: Option<Cors>,
    /// Routes by key: `POST /job-complete`.
    pub routes: BTreeMap<String, Route>,
    /// Stage that has the routes; `None` if there is none.
    pub stage: Option<Stage>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
    /// Parts that others added.
    #[serde(flatten)]
    pub children: Children,
    /// State of a live API; nobody declares or compares it.
    #[serde(skip)]
    pub seen: Seen,
}

/// The state of a live API, beside its settings.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// URL under which its stage is reached, without a `/` at its end; `None` if there is no stage.
    pub url: Option<String>,
    /// Why its last deployment failed; `None` if it did not.
    pub failure: Option<String>,
}

impl PartialEq for Seen {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Answers to browsers of other origins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cors {
    /// Origins that may ask.
    pub origins: BTreeSet<String>,
    /// Methods that they may use.
    pub methods: BTreeSet<String>,
    /// Headers that they may send, in lower case.
    pub headers: BTreeSet<String>,
    /// Headers that they may read, in lower case.
    pub exposed: BTreeSet<String>,
    /// Time for which a browser keeps the answer, in seconds, at least 1; `None` leaves it to the browser.
    pub max_age: Option<u32>,
    /// `true` if browsers send credentials.
    pub credentials: bool,
}

/// A route, with its integration and its limits in the stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Route {
    /// ARN of the function that it invokes; empty if it invokes none.
    pub function: String,
    /// Version of the event that the function gets: `2.0`.
    pub payload: String,
    /// Time within which the function has to answer, in milliseconds.
    pub timeout: u32,
    /// Authorization by API Gateway: `NONE`, since the function proves the sender.
    pub authorization: String,
    /// Requests a second that are let through; `None` is the limit of the account.
    pub rate: Option<f64>,
    /// Requests beyond the rate that are let through at once; `None` is the limit of the account.
    pub burst: Option<u32>,
    /// Changes that the integration makes to requests (`request.PLACE`) and answers (`response.STATUS.PLACE`), and the role by which it
    /// calls the function (`credentials`). We set none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<String, String>,
}

/// The one stage of an API, through which its routes are reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// Name: `$default`, or the first part of the path.
    pub name: String,
    /// `true` if every change is live at once.
    pub deploys_itself: bool,
    /// ARN of the log group of its access log; `None` writes none.
    pub log_group: Option<String>,
    /// Form of a line of its access log; `None` if there is none.
    pub log_format: Option<String>,
}

/// Longest time that API Gateway waits for a function, in milliseconds.
pub const TIMEOUT: u32 = 30_000;
/// Version of the event.
pub const PAYLOAD: &str = "2.0";
/// Authorization by API Gateway: none.
pub const NO_AUTHORIZATION: &str = "NONE";
/// Addresses of version 4 alone.
pub const IPV4: &str = "ipv4";
/// Form of a line of the access log. No path and no query: either may have a secret in it.
pub const LOG_FORMAT: &str = r#"{"requestId":"$context.requestId","time":"$context.requestTime","source":"$context.identity.sourceIp","method":"$context.httpMethod","route":"$context.routeKey","status":"$context.status","length":"$context.responseLength","functionStatus":"$context.integrationStatus","functionError":"$context.integrationErrorMessage","error":"$context.error.message"}"#;

impl Settings {
    /// Returns an API of a name with AWS's defaults, without any route or stage.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: String::new(),
            version: String::new(),
            address_type: IPV4.to_owned(),
            endpoint: true,
            cors: None,
            routes: BTreeMap::new(),
            stage: None,
            tags: Tags::new(),
            children: Children::default(),
            seen: Seen::default(),
        }
    }
}

impl Route {
    /// Returns a route that invokes a function, with its limits.
    pub fn to(function: impl Into<String>, rate: u32, burst: u32) -> Self {
        Self {
            function: function.into(),
            payload: PAYLOAD.to_owned(),
            timeout: TIMEOUT,
            authorization: NO_AUTHORIZATION.to_owned(),
            rate: Some(rate.into()),
            burst: Some(burst),
            changes: BTreeMap::new(),
        }
    }
}

/// The identity of this kind. The name in its ARN is its id.
pub const IDENTITY: Identity = Identity {
    section: Some("apis"),
    arn: Some(ArnForm("apigateway:{region}::/apis/{name}")),
    ..Identity::implied("api", "Apis", 128)
};

/// Form of what a route is to Lambda: the stage is any, since the name of the default one is no part of a path.
pub const SOURCE: ArnForm = ArnForm("execute-api:{region}:{account}:{container}/*/{name}");

impl Manage for Api {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        plain("name"),
        plain("description"),
        plain("version").with_life(engine::Life::Unrelated),
        plain("address_type"),
        plain("endpoint"),
        plain("cors.*").with_life(engine::Life::Unrelated),
        plain("routes.*"),
        plain("stage.*"),
        plain("tags.*"),
        severe("stages.*", "another stage answers to the same routes, with limits of its own"),
        stays("authorizers.*", "an authorizer of the API"),
    ];

    // Whoever sends to it knows its URL, which nobody can make again.
    const HOLDS: Holds = Holds::Lasting;

    const REFERS_TO: &'static [Kind] = &[Kind::Function, Kind::AccessLog];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Apis, &["apigateway:GET"]),
        reads(Target::Own(Kind::Api), &["apigateway:GET"]),
        writes(Target::Apis, &["apigateway:DELETE", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT"]),
        // A stage with an access log has a delivery, which the caller makes.
        writes(
            Target::Everything,
            &[
                "logs:CreateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:DescribeResourcePolicies",
                "logs:GetLogDelivery",
                "logs:ListLogDeliveries",
                "logs:PutResourcePolicy",
                "logs:UpdateLogDelivery",
            ],
        ),
        deletes(Target::Own(Kind::Api), &["apigateway:DELETE"]),
        deletes(Target::Everything, &["logs:DeleteLogDelivery"]),
    ];

    fn condition(live: &Settings) -> Condition {
        live.seen.failure.clone().map_or(Condition::Well, Condition::Failed)
    }

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text, texts};
        let cors = Cors {
            origins: texts(),
            methods: texts(),
            headers: texts(),
            exposed: texts(),
            max_age: Some(1),
            credentials: true,
        };
        let stage = Stage { name: text(), deploys_itself: true, log_group: Some(text()), log_format: Some(text()) };
        let route = Route {
            function: text(),
            payload: text(),
            timeout: 50,
            authorization: text(),
            rate: Some(1.0),
            burst: Some(1),
            changes: BTreeMap::from([("request.append:header.a".to_owned(), text())]),
        };
        Settings {
            name: text(),
            description: text(),
            version: text(),
            address_type: text(),
            endpoint: true,
            cors: Some(cors),
            routes: BTreeMap::from([("POST /a".to_owned(), route)]),
            stage: Some(stage),
            tags: tags(),
            children: Children::one_in_each(Self::FIELDS),
            seen: Seen { url: Some(text()), failure: Some(text()) },
        }
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    fn children(settings: &mut Settings) -> Option<&mut Children> {
        Some(&mut settings.children)
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let Some(api) = find(session, &address.name).await? else { return Ok(None) };
        let owner = Owner::of(&tags_of(&api), &session.stack, true);
        let Some(parts) = wire::Parts::read(session, wire::id(&api)).await? else { return Ok(None) };
        Ok(Some(Live { settings: wire::settings(&api, &parts), owner }))
    }

    async fn create(session: &Session, _: &Address, desired: &Settings) -> Result<(), Failure> {
        let id = wire::create(session, desired).await?;
        session.apis.forget().await;
        let (parts, nothing) = (wire::Parts::default(), Settings::new(&desired.name));
        wire::write_parts(session, &id, (desired, &nothing), &parts).await?;
        let tagged = wire::untag(session, &id, vec![engine::UNFINISHED_TAG.to_owned()]).await;
        session.apis.forget().await;
        tagged
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let gone = || Failure::found("apigatewayv2.GetApis", Class::NotFound, "the API is gone");
        let api = find(session, &address.name).await?.ok_or_else(gone)?;
        let id = wire::id(&api);
        let parts = wire::Parts::read(session, id).await?.ok_or_else(gone)?;
        wire::update(session, id, desired, live).await?;
        wire::write_parts(session, id, (desired, live), &parts).await?;
        let tagged = wire::write_tags(session, id, &desired.tags, &live.tags).await;
        session.apis.forget().await;
        tagged
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some(api) = find(session, &address.name).await? else { return Ok(()) };
        session.aws.apis.pass().await;
        let call = session.aws.write.apis.delete_api().api_id(wire::id(&api));
        let deleted = call.send().await.or_absent("apigatewayv2.DeleteApi").map(drop);
        session.apis.forget().await;
        deleted
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let apis = known(session).await?;
        let owned = apis.iter().map(|api| session.owned(Kind::Api, wire::id(api), Ok(Some(tags_of(api)))));
        Ok(owned.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }
}
