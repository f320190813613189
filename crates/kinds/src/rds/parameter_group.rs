//! Groups of parameters: the settings of a database's engine. Those that nobody changed are the engine's own and not managed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{owned, tags_of, used, write_tags};
use crate::{
    Input, Kind, Manage, Session,
    identity::{Identity, Naming},
    rights::{Right, Target, deletes, reads, writes},
    stores::with_tags,
};
use aws::{
    ArnForm,
    query::{Call, Element},
};
use engine::{Address, Failure, Field, Holds, Live, Owned, Owner, Slow, Tags, immutable, plain};

/// The kind of groups of parameters of databases.
#[derive(Debug)]
pub struct ParameterGroup;

/// A group of parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Engine and major version that it is for: `mysql8.4`.
    pub family: String,
    /// Description of the group, for people.
    pub description: String,
    /// Values that somebody chose, by parameter.
    pub parameters: BTreeMap<String, String>,
    /// Names of parameters that RDS applies only at a restart. Nobody compares them.
    #[serde(skip)]
    pub at_restart: Input<BTreeSet<String>>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
}

/// Maximum number of parameters of a call that changes some (botocore 1.44.8, `ModifyDBParameterGroup`).
const MOST: usize = 20;

fn arn(session: &Session, name: &str) -> String {
    IDENTITY.arn_of(&session.aws.realm, &session.stack, name)
}

/// Returns a call for each twenty of some parameters. RDS refuses to apply those at once that wait for a restart.
fn calls(
    action: &'static str,
    name: &str,
    parameters: &[(&String, Option<&String>)],
    at_restart: &BTreeSet<String>,
) -> Vec<Call> {
    let of = |chunk: &[(&String, Option<&String>)]| {
        let call = Call::new(action).with("DBParameterGroupName", name);
        chunk.iter().zip(1..).fold(call, |call, ((parameter, value), number)| {
            let key = |end: &str| format!("Parameters.Parameter.{number}.{end}");
            let method = if at_restart.contains(*parameter) { "pending-reboot" } else { "immediate" };
            let call = call.with(&key("ParameterName"), *parameter).with(&key("ApplyMethod"), method);
            match value {
                Some(value) => call.with(&key("ParameterValue"), *value),
                None => call,
            }
        })
    };
    parameters.chunks(MOST).map(of).collect()
}

fn settings(group: &Element, chosen: &[Element], tags: Tags) -> Settings {
    let parameters = || chosen.iter().filter(|one| one.text("Source") != "engine-default");
    let at_restart = parameters().filter(|one| one.text("ApplyType") == "static");
    let named = |one: &Element| (one.text("ParameterName").to_ascii_lowercase(), one.text("ParameterValue").to_owned());
    Settings {
        family: group.text("DBParameterGroupFamily").to_owned(),
        description: group.text("Description").to_owned(),
        parameters: parameters().map(named).collect(),
        at_restart: Input(at_restart.map(|one| named(one).0).collect()),
        tags,
    }
}

async fn write_parameters(
    session: &Session,
    name: &str,
    desired: &BTreeMap<String, String>,
    live: &BTreeMap<String, String>,
    at_restart: &BTreeSet<String>,
) -> Result<(), Failure> {
    let differ = desired.iter().filter(|(key, value)| live.get(*key) != Some(value));
    let set: Vec<_> = differ.map(|(key, value)| (key, Some(value))).collect();
    let surplus: Vec<_> = live.keys().filter(|key| !desired.contains_key(*key)).map(|key| (key, None)).collect();
    let sets = calls("ModifyDBParameterGroup", name, &set, at_restart);
    for call in sets.into_iter().chain(calls("ResetDBParameterGroup", name, &surplus, at_restart)) {
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

    const ENDS_IN: Option<Slow> = Some(super::instance::ENDING);

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
        Settings { family: text(), description: text(), parameters: map(), at_restart: Input::default(), tags: tags() }
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
        write_parameters(session, name, &desired.parameters, &BTreeMap::new(), &BTreeSet::new()).await
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let name = &address.name;
        write_tags(session, &arn(session, name), &desired.tags, &live.tags).await?;
        write_parameters(session, name, &desired.parameters, &live.parameters, &live.at_restart).await
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
        let calls = calls("ResetDBParameterGroup", "g", &parameters, &BTreeSet::from(["p07".to_owned()]));
        let count_in = |call: &Call| call.parameters().filter(|(key, _)| key.ends_with("ParameterName")).count();
        assert_eq!(calls.iter().map(count_in).collect::<Vec<_>>(), [20, 20, 1]);
        // What RDS applies at a restart alone waits for it, and nothing else does.
        let waits = |call: &Call| call.parameters().filter(|(_, value)| *value == "pending-reboot").count();
        assert_eq!(calls.iter().map(waits).collect::<Vec<_>>(), [1, 0, 0]);
    }

    #[test]
    fn what_is_applied_at_a_restart_alone_is_known_by_its_type() {
        let parameter = |name: &str, of: &str| {
            let text = format!(
                "<Parameter><ParameterName>{name}</ParameterName><ParameterValue>1</ParameterValue><Source>user</Source><ApplyType>{of}</ApplyType></Parameter>"
            );
            Element::read(&text).unwrap()
        };
        let chosen = [parameter("performance_schema", "static"), parameter("time_zone", "dynamic")];
        let group = Element::read("<DBParameterGroup/>").unwrap();
        let at_restart = settings(&group, &chosen, Tags::new()).at_restart;
        assert_eq!(at_restart.0, BTreeSet::from(["performance_schema".to_owned()]));
    }
}
