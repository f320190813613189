//! Groups of parameters: the settings of a database's engine. Those that nobody changed are the engine's own and not managed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{owned, tags_of, used, with_tags, write_tags};
use crate::{
    Kind, Manage, Session,
    identity::{Identity, Naming},
    rights::{Right, Target, deletes, reads, writes},
};
use aws::{
    ArnForm,
    query::{Call, Element},
};
use engine::{Address, Failure, Field, Holds, Live, Owned, Owner, Tags, immutable, plain};

/// Groups of parameters.
#[derive(Debug)]
pub struct ParameterGroup;

/// A group of parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Engine and major version that it is for: `mysql8.4`.
    pub family: String,
    /// Description for people.
    pub description: String,
    /// Values that somebody chose, by parameter.
    pub parameters: BTreeMap<String, String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
}

/// Maximum number of parameters of a call that changes some (botocore 1.44.8, `ModifyDBParameterGroup`).
const MOST: usize = 20;

fn arn(session: &Session, name: &str) -> String {
    IDENTITY.arn_of(&session.aws.realm, &session.stack, name)
}

/// Returns a call for each twenty of some parameters. Static ones wait for a restart, and RDS refuses to apply them at once, while it
/// applies dynamic ones at a restart, too: those of ours are dynamic.
fn calls(action: &'static str, name: &str, parameters: &[(&String, Option<&String>)]) -> Vec<Call> {
    let of = |chunk: &[(&String, Option<&String>)]| {
        let call = Call::new(action).with("DBParameterGroupName", name);
        chunk.iter().zip(1..).fold(call, |call, ((parameter, value), number)| {
            let key = |end: &str| format!("Parameters.Parameter.{number}.{end}");
            let call = call.with(&key("ParameterName"), *parameter).with(&key("ApplyMethod"), "immediate");
            match value {
                Some(value) => call.with(&key("ParameterValue"), *value),
                None => call,
            }
        })
    };
    parameters.chunks(MOST).map(of).collect()
}

fn settings(group: &Element, chosen: &[Element], tags: Tags) -> Settings {
    let parameters = chosen.iter().filter(|one| one.text("Source") != "engine-default");
    let named = |one: &Element| (one.text("ParameterName").to_ascii_lowercase(), one.text("ParameterValue").to_owned());
    Settings {
        family: group.text("DBParameterGroupFamily").to_owned(),
        description: group.text("Description").to_owned(),
        parameters: parameters.map(named).collect(),
        tags,
    }
}

async fn write_parameters(
    session: &Session,
    name: &str,
    desired: &BTreeMap<String, String>,
    live: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let changed: Vec<_> = desired.iter().filter(|(key, value)| live.get(*key) != Some(value)).collect();
    let changed: Vec<_> = changed.into_iter().map(|(key, value)| (key, Some(value))).collect();
    let surplus: Vec<_> = live.keys().filter(|key| !desired.contains_key(*key)).map(|key| (key, None)).collect();
    let calls = calls("ModifyDBParameterGroup", name, &changed).into_iter().chain(calls(
        "ResetDBParameterGroup",
        name,
        &surplus,
    ));
    for call in calls {
        session.aws.write.rds.call(&call).await?;
    }
    Ok(())
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    arn: Some(ArnForm("rds:{region}:{account}:pg:{name}")),
    naming: Naming::SingleHyphens,
    ..Identity::implied("database parameters", "DatabaseParameters", 255)
};

impl Manage for ParameterGroup {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        immutable("family", "RDS cannot change what a group of parameters is for"),
        immutable("description", "RDS cannot change the description of a group of parameters"),
        plain("parameters.*"),
        plain("tags.*"),
    ];

    // It goes with its database, and stays with it.
    const HOLDS: Holds = Holds::Passing;

    const REFERS_TO: &'static [Kind] = &[];

    const RIGHTS: &'static [Right] = &[
        reads(
            Target::Own(Kind::DatabaseParameters),
            &["rds:DescribeDBParameterGroups", "rds:DescribeDBParameters", "rds:ListTagsForResource"],
        ),
        writes(
            Target::Own(Kind::DatabaseParameters),
            &[
                "rds:AddTagsToResource",
                "rds:CreateDBParameterGroup",
                "rds:ModifyDBParameterGroup",
                "rds:RemoveTagsFromResource",
                "rds:ResetDBParameterGroup",
            ],
        ),
        deletes(Target::Own(Kind::DatabaseParameters), &["rds:DeleteDBParameterGroup"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{map, tags, text};
        Settings { family: text(), description: text(), parameters: map(), tags: tags() }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let (name, read) = (&address.name, &session.aws.read.rds);
        let call = Call::new("DescribeDBParameterGroups").with("DBParameterGroupName", name);
        let Some(answer) = read.find(&call).await? else { return Ok(None) };
        let groups = answer.list("DescribeDBParameterGroupsResult/DBParameterGroups");
        let found = groups.iter().find(|group| group.text("DBParameterGroupName") == name);
        let Some(group) = found else { return Ok(None) };
        // The engine's own are some hundreds.
        let chosen = Call::new("DescribeDBParameters").with("DBParameterGroupName", name).with("Source", "user");
        let arn = arn(session, name);
        let (chosen, tags) =
            tokio::try_join!(read.pages(chosen, "DescribeDBParametersResult/Parameters"), tags_of(session, &arn))?;
        let settings = settings(group, &chosen, tags.unwrap_or_default());
        // It has tags from its beginning, so that one without is somebody's.
        let owner = Owner::of(&settings.tags, &session.stack, true);
        Ok(Some(Live { settings, owner }))
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let name = &address.name;
        let call = Call::new("CreateDBParameterGroup")
            .with("DBParameterGroupName", name)
            .with("DBParameterGroupFamily", &desired.family)
            .with("Description", &desired.description);
        session.aws.write.rds.call(&with_tags(call, &desired.tags)).await?;
        write_parameters(session, name, &desired.parameters, &BTreeMap::new()).await
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let name = &address.name;
        write_tags(session, &arn(session, name), &desired.tags, &live.tags).await?;
        write_parameters(session, name, &desired.parameters, &live.parameters).await
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let call = Call::new("DeleteDBParameterGroup").with("DBParameterGroupName", &address.name);
        session.aws.write.rds.find(&call).await.map(drop)
    }

    async fn holds_data(session: &Session, address: &Address) -> Result<Option<String>, Failure> {
        used(session, Kind::DatabaseParameters, address).await
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        owned(session, Kind::DatabaseParameters).await
    }
}

#[cfg(test)]
mod tests {
    use engine::Kind as _;

    use super::*;

    #[test]
    fn what_cannot_be_changed_is_seen() {
        let read = |family: &str, description: &str| {
            let text = format!(
                "<DBParameterGroup><DBParameterGroupFamily>{family}</DBParameterGroupFamily><Description>{description}</Description></DBParameterGroup>"
            );
            Kind::tree(&settings(&Element::read(&text).unwrap(), &[], Tags::new()).into())
        };
        let plain = read("mysql8.4", "d");
        for (other, field) in [(read("mysql8.0", "d"), "family"), (read("mysql8.4", "other"), "description")] {
            let paths: Vec<String> = engine::differences(&other, &plain).into_iter().map(|one| one.path).collect();
            assert_eq!(paths, [field]);
        }
    }

    #[test]
    fn a_call_changes_twenty_parameters_at_most() {
        let names: Vec<String> = (0..41).map(|number| format!("p{number:02}")).collect();
        let parameters: Vec<_> = names.iter().map(|name| (name, None)).collect();
        let calls = calls("ResetDBParameterGroup", "g", &parameters);
        let count_in = |call: &Call| call.parameters().filter(|(key, _)| key.ends_with("ParameterName")).count();
        assert_eq!(calls.iter().map(count_in).collect::<Vec<_>>(), [20, 20, 1]);
    }
}
