//! `DynamoDB` tables, which grow and are paid by use. Four calls give the picture of one; each concern has a call of its own to change
//! it, and a table takes one change at a time.

mod wire;

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    Kind, Manage, Session,
    documents::{is, list, number, tag_list, tags, text},
    identity::{Identity, Output},
    rights::{Right, Target, deletes, reads, writes},
    surplus_tags,
};
use aws::{ArnForm, json::Call};
use engine::{
    Address, Children, Class, Failure, Field, Holds, Life, Live, Owned, Owner, Protection, Tags, UNFINISHED_TAG,
    immutable, plain, severe, stays,
};
use wire::{ON_DEMAND, Parts, settings};

/// The kind of `DynamoDB`'s tables.
#[derive(Debug)]
pub struct Table;

/// The managed settings of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Attribute by which items are spread.
    pub partition_key: Key,
    /// Attribute by which the items of one partition key are sorted; `None` if each is alone.
    pub sort_key: Option<Key>,
    /// `true` if it grows by itself and is paid by use; `false` if a throughput is paid for.
    pub on_demand: bool,
    /// Class of its storage: `STANDARD`, or `STANDARD_INFREQUENT_ACCESS`.
    pub class: String,
    /// ARN of the KMS key that encrypts it; `None` is a key of AWS's own, which is free.
    pub kms_key: Option<String>,
    /// Attribute with the time, in seconds since 1970, after which an item is deleted; `None` deletes none.
    pub time_to_live: Option<String>,
    /// Days to every second of which the table can be brought back; `None` if it cannot be.
    pub point_in_time_recovery: Option<u32>,
    /// `true` if AWS refuses to delete it.
    pub deletion_protection: bool,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
    /// Parts that others added.
    #[serde(flatten)]
    pub children: Children,
}

/// An attribute of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Key {
    /// Name of the attribute.
    pub name: String,
    /// Type of its values: `S` for texts, `N` for numbers, `B` for bytes.
    pub values: String,
}

impl Key {
    /// Returns a key of texts.
    pub fn of_texts(name: impl Into<String>) -> Self {
        Self { name: name.into(), values: "S".to_owned() }
    }
}

/// Class of storage that AWS gives to a table.
pub const STANDARD: &str = "STANDARD";
/// Days that AWS keeps for point-in-time recovery where nothing else is said.
pub const RECOVERY_DAYS: u32 = 35;

impl Settings {
    /// Returns a table with these keys, as AWS makes one on demand that nothing else is said of.
    pub fn new(partition_key: Key, sort_key: Option<Key>) -> Self {
        Self {
            partition_key,
            sort_key,
            on_demand: true,
            class: STANDARD.to_owned(),
            kms_key: None,
            time_to_live: None,
            point_in_time_recovery: None,
            deletion_protection: false,
            tags: Tags::new(),
            children: Children::default(),
        }
    }
}

const DESCRIBE: &str = "dynamodb.DescribeTable";

/// Field of the streams to Kinesis.
const STREAMING: &str = "streaming";
/// Field of the table's own policy.
const POLICY: &str = "resource_policy";

fn call(action: &'static str, body: Value) -> Call {
    Call::new(action, body)
}

fn named(action: &'static str, name: &str) -> Call {
    call(action, json!({"TableName": name}))
}

fn arn(session: &Session, name: &str) -> String {
    IDENTITY.arn_of(&session.aws.realm, &session.stack, name)
}

/// Returns what AWS tells of a table; `None` if there is none, or if it is on its way out.
async fn describe(session: &Session, name: &str) -> Result<Option<Value>, Failure> {
    let answer = session.aws.read.dynamodb.find(named("DescribeTable", name)).await?;
    let table = answer.and_then(|mut answer| answer.get_mut("Table").map(Value::take));
    Ok(table.filter(|table| text(table, &["TableStatus"]) != Some("DELETING")))
}

async fn tags_of(session: &Session, name: &str) -> Result<Option<Tags>, Failure> {
    let call = call("ListTagsOfResource", json!({"ResourceArn": arn(session, name)}));
    Ok(session.aws.read.dynamodb.find(call).await?.map(|answer| tags(&answer, &["Tags"])))
}

/// Reads all that is told of a table. Of one that is not there some calls tell that nobody may ask, so that it is looked for first.
async fn parts(session: &Session, name: &str) -> Result<Option<Parts>, Failure> {
    let Some(table) = describe(session, name).await? else { return Ok(None) };
    let read = &session.aws.read.dynamodb;
    let (time_to_live, backups, tags, streaming, policy) = tokio::try_join!(
        read.find(named("DescribeTimeToLive", name)),
        read.find(named("DescribeContinuousBackups", name)),
        tags_of(session, name),
        read.find(named("DescribeKinesisStreamingDestination", name)),
        read.find(call("GetResourcePolicy", json!({"ResourceArn": arn(session, name)}))),
    )?;
    let mut children = Children::default();
    for one in list(&streaming.unwrap_or_default(), &["KinesisDataStreamDestinations"]) {
        if text(one, &["DestinationStatus"]).is_some_and(|status| ["ACTIVE", "ENABLING", "UPDATING"].contains(&status))
        {
            let arn = text(one, &["StreamArn"]).unwrap_or_default();
            children.add(STREAMING, arn.rsplit('/').next().unwrap_or_default(), arn, true);
        }
    }
    let policy = policy.and_then(|answer| text(&answer, &["Policy"]).map(str::to_owned));
    children.add_only(POLICY, policy, true);
    let (time_to_live, backups) = (time_to_live.unwrap_or_default(), backups.unwrap_or_default());
    Ok(Some(Parts { table, time_to_live, backups, tags: tags.unwrap_or_default(), children }))
}

/// Waits until a table takes another change, or is gone.
async fn settle(session: &Session, name: &str) -> Result<(), Failure> {
    let end = tokio::time::Instant::now() + session.aws.pacing.deadline;
    loop {
        let answer = session.aws.read.dynamodb.find(named("DescribeTable", name)).await?;
        match answer.as_ref().and_then(|answer| text(answer, &["Table", "TableStatus"])) {
            None | Some("ACTIVE") => return Ok(()),
            Some(status) if tokio::time::Instant::now() >= end => {
                let words = format!("the table `{name}` is {status} after {:?}", session.aws.pacing.deadline);
                return Err(Failure::found(DESCRIBE, Class::InProgress, words));
            }
            Some(_) => tokio::time::sleep(session.aws.pacing.poll).await,
        }
    }
}

async fn update_table(session: &Session, name: &str, field: &str, value: Value) -> Result<(), Failure> {
    let mut document = json!({"TableName": name});
    if let Some(document) = document.as_object_mut() {
        document.insert(field.to_owned(), value);
    }
    session.aws.write.dynamodb.call(call("UpdateTable", document)).await?;
    settle(session, name).await
}

async fn write_time_to_live(session: &Session, name: &str, attribute: &str, is_on: bool) -> Result<(), Failure> {
    let specification = json!({"AttributeName": attribute, "Enabled": is_on});
    let document = json!({"TableName": name, "TimeToLiveSpecification": specification});
    session.aws.write.dynamodb.call(call("UpdateTimeToLive", document)).await.map(drop)
}

async fn write_recovery(session: &Session, name: &str, days: Option<u32>) -> Result<(), Failure> {
    // The number of days together with `false` is refused.
    let specification = match days {
        Some(days) => json!({"PointInTimeRecoveryEnabled": true, "RecoveryPeriodInDays": days}),
        None => json!({"PointInTimeRecoveryEnabled": false}),
    };
    let document = json!({"TableName": name, "PointInTimeRecoverySpecification": specification});
    session.aws.write.dynamodb.call(call("UpdateContinuousBackups", document)).await.map(drop)
}

async fn untag(session: &Session, name: &str, keys: &[String]) -> Result<(), Failure> {
    let document = json!({"ResourceArn": arn(session, name), "TagKeys": keys});
    session.aws.write.dynamodb.call(call("UntagResource", document)).await.map(drop)
}

/// Removes what others added and nobody declared.
async fn remove_children(session: &Session, name: &str, desired: &Children, live: &Children) -> Result<(), Failure> {
    let write = &session.aws.write.dynamodb;
    if live.has_surplus(desired, POLICY) {
        write.call(call("DeleteResourcePolicy", json!({"ResourceArn": arn(session, name)}))).await?;
    }
    for (_, stream, child) in live.iter().filter(|(field, ..)| *field == STREAMING) {
        if live.surplus(desired, STREAMING).contains(&stream) {
            let document = json!({"TableName": name, "StreamArn": child.value});
            write.call(call("DisableKinesisStreamingDestination", document)).await?;
            settle(session, name).await?;
        }
    }
    for region in live.surplus(desired, "replicas") {
        update_table(session, name, "ReplicaUpdates", json!([{"Delete": {"RegionName": region}}])).await?;
    }
    Ok(())
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    section: Some("tables"),
    arn: Some(ArnForm("dynamodb:{region}:{account}:table/{name}")),
    output: Output::Name,
    ..Identity::implied("table", "Tables", 255)
};

impl Manage for Table {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        immutable("partition_key.*", "DynamoDB cannot change the keys of a table"),
        immutable("sort_key.*", "DynamoDB cannot change the keys of a table"),
        plain("on_demand"),
        plain("class"),
        plain("kms_key"),
        plain("time_to_live").with_life(Life::Ends),
        plain("point_in_time_recovery").with_life(Life::Recovers),
        plain("deletion_protection").with_life(Life::Keeps),
        plain("tags.*"),
        severe("resource_policy", "a policy of the table lets somebody in"),
        severe("streaming.*", "the table's changes go to a stream of Kinesis"),
        severe("replicas.*", "a copy of the table in another region"),
        stays("indexes.*", "an index of the table"),
        stays("stream", "the table's changes can be read"),
    ];

    const HOLDS: Holds = Holds::Lasting;

    const REFERS_TO: &'static [Kind] = &[];

    const RIGHTS: &'static [Right] = &[
        reads(
            Target::Own(Kind::Table),
            &["dynamodb:Describe*", "dynamodb:GetResourcePolicy", "dynamodb:ListTagsOfResource"],
        ),
        writes(
            Target::Own(Kind::Table),
            &[
                "dynamodb:CreateTable",
                "dynamodb:DeleteResourcePolicy",
                "dynamodb:DisableKinesisStreamingDestination",
                "dynamodb:TagResource",
                "dynamodb:UntagResource",
                "dynamodb:UpdateContinuousBackups",
                "dynamodb:UpdateTable",
                "dynamodb:UpdateTimeToLive",
            ],
        ),
        deletes(Target::Own(Kind::Table), &["dynamodb:DeleteTable", "dynamodb:UpdateTable"]),
    ];

    const INTERRUPTION: Option<Duration> = Some(Duration::from_secs(30));

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text};
        Settings {
            partition_key: Key::of_texts("id"),
            sort_key: Some(Key::of_texts("at")),
            on_demand: true,
            class: text(),
            kms_key: Some(text()),
            time_to_live: Some(text()),
            point_in_time_recovery: Some(1),
            deletion_protection: true,
            tags: tags(),
            children: Children::one_in_each(Self::FIELDS),
        }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let Some(parts) = Box::pin(parts(session, &address.name)).await? else { return Ok(None) };
        // Right after its creation the list of tags may be empty, so that this tells nothing of a stranger's.
        let holds = number(&parts.table, &["ItemCount"]).is_none_or(|count| count > 0);
        let owner = Owner::of(&parts.tags, &session.stack, holds);
        Ok(Some(Live { settings: settings(parts)?, owner }))
    }

    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        crate::keep_key("kms_key", &mut desired.kms_key, live.kms_key.as_ref()).into_iter().collect()
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    fn children(settings: &mut Settings) -> Option<&mut Children> {
        Some(&mut settings.children)
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let name = &address.name;
        session.aws.write.dynamodb.call(call("CreateTable", desired.document(name))).await?;
        settle(session, name).await?;
        if let Some(attribute) = &desired.time_to_live {
            write_time_to_live(session, name, attribute, true).await?;
        }
        if desired.point_in_time_recovery.is_some() {
            write_recovery(session, name, desired.point_in_time_recovery).await?;
        }
        untag(session, name, &[UNFINISHED_TAG.to_owned()]).await
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let name = &address.name;
        settle(session, name).await?;
        remove_children(session, name, &desired.children, &live.children).await?;
        if desired.deletion_protection != live.deletion_protection {
            update_table(session, name, "DeletionProtectionEnabled", json!(desired.deletion_protection)).await?;
        }
        if desired.point_in_time_recovery != live.point_in_time_recovery {
            write_recovery(session, name, desired.point_in_time_recovery).await?;
        }
        if desired.on_demand != live.on_demand {
            update_table(session, name, "BillingMode", json!(ON_DEMAND)).await?;
        }
        if desired.class != live.class {
            update_table(session, name, "TableClass", json!(desired.class)).await?;
        }
        if desired.kms_key != live.kms_key {
            update_table(session, name, "SSESpecification", desired.encryption()).await?;
        }
        if desired.time_to_live != live.time_to_live {
            // Another attribute can be named only where none is.
            if let Some(attribute) = &live.time_to_live {
                write_time_to_live(session, name, attribute, false).await?;
            }
            if let Some(attribute) = &desired.time_to_live {
                write_time_to_live(session, name, attribute, true).await?;
            }
        }
        let surplus = surplus_tags(&desired.tags, &live.tags);
        if !surplus.is_empty() {
            untag(session, name, &surplus).await?;
        }
        if desired.tags.iter().any(|(key, value)| live.tags.get(key) != Some(value)) {
            let document = json!({"ResourceArn": arn(session, name), "Tags": tag_list(&desired.tags)});
            session.aws.write.dynamodb.call(call("TagResource", document)).await?;
        }
        Ok(())
    }

    /// Deletes a table. The caller has agreed to lose its items, so that the protection goes first.
    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let name = &address.name;
        let Some(table) = describe(session, name).await? else { return settle(session, name).await };
        if is(&table, &["DeletionProtectionEnabled"], false) {
            update_table(session, name, "DeletionProtectionEnabled", json!(false)).await?;
        }
        session.aws.write.dynamodb.find(named("DeleteTable", name)).await?;
        match settle(session, name).await {
            // Of a table that is no longer declared the tags give the rights, and of one that is gone IAM knows none.
            Err(failure) if failure.class == Class::Denied => Ok(()),
            gone => gone,
        }
    }

    /// Returns the number of its items, as AWS counted them some hours ago: nobody but the functions may read them.
    async fn holds_data(session: &Session, address: &Address) -> Result<Option<String>, Failure> {
        let Some(table) = describe(session, &address.name).await? else { return Ok(None) };
        let count = number(&table, &["ItemCount"]).unwrap_or_default();
        Ok(Some(format!("its items, {count} as AWS counted them some hours ago")))
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let names = session.indexed(Kind::Table)?;
        let owned = names.iter().map(|name| async move {
            match describe(session, name).await {
                // The index is behind, and about what is gone nobody may ask for tags.
                Ok(None) => Ok(None),
                _ => session.owned(Kind::Table, name, tags_of(session, name).await),
            }
        });
        Ok(futures::future::try_join_all(owned).await?.into_iter().flatten().collect())
    }
}
