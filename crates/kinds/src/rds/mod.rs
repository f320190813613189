//! Kinds of RDS: databases, and the groups of subnets and parameters that they have for themselves.

pub mod instance;
pub mod parameter_group;
pub mod subnet_group;

use contract::context::Context;

use crate::{Kind, Session, stores};
use engine::{Address, Class, ENTRY_TAG, Failure, Owned, Tags};

/// Reads the tags of a resource, which most answers do not have.
async fn tags_of(session: &Session, arn: &str) -> Result<Option<Tags>, Failure> {
    stores::tags_of(&session.aws.read.rds, arn).await
}

/// Writes the tags of a resource that differ.
async fn write_tags(session: &Session, arn: &str, desired: &Tags, live: &Tags) -> Result<(), Failure> {
    stores::write_tags(&session.aws.write.rds, arn, desired, live).await
}

/// Lists this stack's resources of a kind of group.
async fn owned(session: &Session, kind: Kind) -> Result<Vec<Owned>, Failure> {
    let mut owned = Vec::new();
    for name in session.indexed(kind)? {
        let arn = kind.identity().arn_of(&session.aws.realm, &session.stack, &name);
        // Nobody may ask for the tags of what is gone, and the index is behind.
        owned.extend(session.owned(kind, &name, tags_of(session, &arn).await)?);
    }
    Ok(owned)
}

/// Beginning of what an entry of a group of parameters has behind that of its database.
pub const FAMILY: &str = "-mysql";

/// Returns what uses a group, if its database does: RDS keeps a group as long as that is there.
async fn used(session: &Session, kind: Kind, address: &Address) -> Result<Option<String>, Failure> {
    let name = &address.name;
    let arn = kind.identity().arn_of(&session.aws.realm, &session.stack, name);
    let Some(tags) = tags_of(session, &arn).await? else { return Ok(None) };
    let Some(entry) = tags.get(ENTRY_TAG) else { return Ok(None) };
    let entry =
        if kind == Kind::DatabaseParameters { entry.rsplit_once(FAMILY).map_or("", |(of, _)| of) } else { entry };
    let database = database_of(session, entry);
    let found = match instance::describe(session, &database).await {
        // Of one that is gone IAM knows no tags: whoever may by the tags alone is refused.
        Err(failure) if failure.class == Class::Denied && !is_indexed(session, entry) => None,
        found => found?,
    };
    let Some(found) = found else { return Ok(None) };
    let groups = found.texts("DBParameterGroups", "DBParameterGroupName").collect::<Vec<_>>();
    let is_used = found.text("DBSubnetGroup/DBSubnetGroupName") == name || groups.contains(name);
    Ok(is_used.then(|| format!("the database `{}`, which uses it", found.text("DBInstanceIdentifier"))))
}

/// Returns `true` if AWS's index of tags has the database of an entry.
fn is_indexed(session: &Session, entry: &str) -> bool {
    session.tagged.entries().any(|(kind, of, _)| kind == Kind::Database && of == entry)
}

/// Returns the name of the database of an entry.
fn database_of(session: &Session, entry: &str) -> String {
    let indexed = session.tagged.entries().find(|(kind, of, _)| *kind == Kind::Database && *of == entry);
    indexed.map_or_else(
        || instance::IDENTITY.name_of(&session.stack, &session.aws.realm.account, entry),
        |(_, _, name)| name.to_owned(),
    )
}

/// Beginnings and end of what stands for the host of a database and for the ARN of its secret, around its name: AWS chooses both when it
/// makes one, and the functions that sign in to it are declared before.
const STANDS_FOR_HOST: &str = "(host of the database ";
const STANDS_FOR_SECRET: &str = "(secret of the database ";
const STANDS_FOR_END: &str = ")";

/// Returns what stands for the host of a database in settings of functions, declared and live ones.
pub fn host_of(database: &str) -> String {
    format!("{STANDS_FOR_HOST}{database}{STANDS_FOR_END}")
}

/// Returns what stands for the ARN of the secret of a database in settings of functions, declared and live ones.
pub fn secret_of(database: &str) -> String {
    format!("{STANDS_FOR_SECRET}{database}{STANDS_FOR_END}")
}

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name of its host.
    pub host: String,
    /// TCP port of the database.
    pub port: u16,
    /// ARN of the secret with its password, a JSON document with `username` and `password`.
    pub secret: String,
}

/// Returns where a database is; `None` if it is not there, or is being made.
pub async fn place(session: &Session, name: &str) -> Result<Option<Place>, Failure> {
    let Some(found) = instance::describe(session, name).await? else { return Ok(None) };
    let (host, secret) = (found.text("Endpoint/Address"), found.text("MasterUserSecret/SecretArn"));
    let port = found.text("Endpoint/Port").parse().unwrap_or(instance::MYSQL_PORT);
    let is_made = !host.is_empty() && !secret.is_empty();
    Ok(is_made.then(|| Place { host: host.to_owned(), port, secret: secret.to_owned() }))
}

/// Returns a context for a call: with the hosts and secrets of databases in place of what stands for them.
pub(crate) async fn with_databases(session: &Session, context: &str) -> Result<String, Failure> {
    let mut text = context.to_owned();
    for beginning in [STANDS_FOR_HOST, STANDS_FOR_SECRET] {
        while let Some((before, rest)) = text.split_once(beginning) {
            let Some((name, behind)) = rest.split_once(STANDS_FOR_END) else { break };
            let missing = |what: &str| {
                let words = format!("the database `{name}` {what}");
                Failure::found("rds.DescribeDBInstances", Class::NotYet, words)
            };
            let found = instance::describe(session, name).await?.ok_or_else(|| missing("is not there"))?;
            let (place, what) = match beginning {
                STANDS_FOR_HOST => ("Endpoint/Address", "has no address yet"),
                _ => ("MasterUserSecret/SecretArn", "has no secret yet"),
            };
            let value = Some(found.text(place)).filter(|value| !value.is_empty()).ok_or_else(|| missing(what))?;
            text = format!("{before}{value}{behind}");
        }
    }
    Ok(text)
}

/// Returns a context that was read, with what stands for them in place of the hosts and secrets of the stack's databases.
pub(crate) async fn without_databases(session: &Session, context: &str) -> Result<String, Failure> {
    let Ok(mut read) = serde_json::from_str::<Context>(context) else { return Ok(context.to_owned()) };
    for (entry, database) in &mut read.databases {
        let name = database_of(session, entry);
        let Some(found) = instance::describe(session, &name).await? else { continue };
        if found.text("Endpoint/Address") == database.host {
            database.host = host_of(&name);
        }
        if found.text("MasterUserSecret/SecretArn") == database.secret {
            database.secret = secret_of(&name);
        }
    }
    if read.databases.is_empty() {
        return Ok(context.to_owned());
    }
    Ok(serde_json::to_string(&read).unwrap_or_else(|_| context.to_owned()))
}
