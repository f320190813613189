//! Access logs: the log groups into which API Gateway delivers a line for each request.
//!
//! They are log groups like those of functions, below a path of their own: deliveries to groups below it share one entry in the one
//! policy of a region that lets services deliver, whose length is limited.

use serde::Serialize;

use super::log_group::{self, LogGroup};
use crate::{
    Kind, Manage, Session,
    identity::{Identity, Output},
    rights::Right,
};
use aws::ArnForm;
use engine::{Address, Children, Failure, Field, Holds, Live, Owned, Protection, Tags};

/// Access logs of APIs. Their address is the part of the log group's name below [`PATH`].
#[derive(Debug)]
pub struct AccessLog;

/// The settings of an access log: those of its log group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Settings(pub log_group::Settings);

/// Beginning of the names of log groups for deliveries.
pub const PATH: &str = "/aws/vendedlogs/";

/// Returns the address of the log group.
fn group(address: &Address) -> Address {
    Address::of(format!("{PATH}{}", address.name))
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    arn: Some(ArnForm("logs:{region}:{account}:log-group:/aws/vendedlogs/{name}")),
    output: Output::Nothing,
    ..Identity::implied("access log", "AccessLogs", 255)
};

impl Manage for AccessLog {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = LogGroup::FIELDS;

    const HOLDS: Holds = Holds::Passing;

    const REFERS_TO: &'static [Kind] = &[];

    const RIGHTS: &'static [Right] = &log_group::rights(Kind::AccessLog);

    #[cfg(test)]
    fn full() -> Settings {
        Settings(LogGroup::full())
    }

    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        LogGroup::keep_protections(&mut desired.0, &live.0)
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        LogGroup::tags(&mut settings.0)
    }

    fn children(settings: &mut Settings) -> Option<&mut Children> {
        LogGroup::children(&mut settings.0)
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let live = LogGroup::read(session, &group(address)).await?;
        Ok(live.map(|live| Live { settings: Settings(live.settings), owner: live.owner }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        LogGroup::create(session, &group(address), &desired.0).await
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        LogGroup::update(session, &group(address), &desired.0, &live.0).await
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        LogGroup::delete(session, &group(address)).await
    }

    async fn holds_data(session: &Session, address: &Address) -> Result<Option<String>, Failure> {
        LogGroup::holds_data(session, &group(address)).await
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let prefix = format!("{PATH}{}", IDENTITY.listed_by(&session.stack));
        let mut names: Vec<String> = log_group::names(session, &prefix).await?;
        names = names.iter().filter_map(|name| name.strip_prefix(PATH).map(str::to_owned)).collect();
        names.extend(session.named_otherwise(Kind::AccessLog)?);
        let owned = names.iter().map(|name| async move {
            let tags = log_group::tags(session, &format!("{PATH}{name}")).await;
            session.owned(Kind::AccessLog, name, tags)
        });
        Ok(futures::future::try_join_all(owned).await?.into_iter().flatten().collect())
    }
}
