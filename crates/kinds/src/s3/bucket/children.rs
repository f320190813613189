//! Children of a bucket: where its objects, or news of them, are carried to, and how else it is used.

use aws_sdk_s3::{
    operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput,
    types::{NotificationConfiguration, Payer},
};

use super::{Session, Settings, about};
use crate::children::if_offered;
use aws::{OrFail, Realm};
use engine::{Children, Failure};

/// Field of the rules that copy objects to other buckets.
const REPLICATION: &str = "replication";
/// Field of what is told of new and deleted objects.
const NOTIFICATIONS: &str = "notifications";
/// Name of the notification that is for a whole event bus.
const EVENT_BRIDGE: &str = "event_bridge";
/// Field of the lists of objects that are written to other buckets.
const INVENTORIES: &str = "inventories";
/// Field of the analyses of how objects are used.
const ANALYTICS: &str = "analytics";

/// Adds the ids of a bucket's configurations of one sort, all pages of them.
macro_rules! configurations {
    ($session:expr, $name:expr, $call:ident, $called:literal, $list:ident, $add:expr) => {{
        let (mut children, mut token, add) = (Children::default(), None, $add);
        loop {
            let call = about!($session.aws.read, $session, $name, $call).set_continuation_token(token.take());
            let Some(page) = if_offered(call.send().await.or_fail($called))? else { break };
            for one in page.$list.unwrap_or_default() {
                add(&mut children, one);
            }
            token = page.next_continuation_token;
            if token.is_none() {
                break;
            }
        }
        Ok::<_, Failure>(children)
    }};
}

/// Reads the children of a bucket; none of one that does not exist.
pub(super) async fn read(session: &Session, name: &str) -> Result<Children, Failure> {
    let (carried, listed, used) =
        tokio::try_join!(carried_out(session, name), configured(session, name), otherwise_used(session, name))?;
    let mut children = carried;
    children.extend(listed);
    children.extend(used);
    Ok(children)
}

/// Reads what carries objects out, or news of them.
async fn carried_out(session: &Session, name: &str) -> Result<Children, Failure> {
    let replication = async {
        let answer = about!(session.aws.read, session, name, get_bucket_replication).send().await;
        if_offered(answer.or_fail("s3.GetBucketReplication"))
    };
    let notifications = async {
        let answer = about!(session.aws.read, session, name, get_bucket_notification_configuration).send().await;
        if_offered(answer.or_fail("s3.GetBucketNotificationConfiguration"))
    };
    let (replication, notifications) = tokio::try_join!(replication, notifications)?;
    let mut children = notifications.map(|live| notifications_of(live, &session.aws.realm)).unwrap_or_default();
    let replication = replication.and_then(|answer| answer.replication_configuration);
    for (number, rule) in replication.map(|one| one.rules).unwrap_or_default().into_iter().enumerate() {
        let to = rule.destination.map(|to| match to.account {
            Some(account) => format!("{} of account {account}", to.bucket),
            None => to.bucket,
        });
        let id = rule.id.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("rule-{}", number + 1));
        children.add(REPLICATION, id, to.unwrap_or_default(), true);
    }
    Ok(children)
}

/// Returns who is told of the bucket's objects: another account is severe.
fn notifications_of(live: GetBucketNotificationConfigurationOutput, realm: &Realm) -> Children {
    let mut children = Children::default();
    let queues = live.queue_configurations.unwrap_or_default().into_iter().map(|one| (one.id, one.queue_arn));
    let topics = live.topic_configurations.unwrap_or_default().into_iter().map(|one| (one.id, one.topic_arn));
    let functions = live.lambda_function_configurations.unwrap_or_default().into_iter();
    let functions = functions.map(|one| (one.id, one.lambda_function_arn));
    for (id, target) in queues.chain(topics).chain(functions) {
        let is_severe = !realm.has(&target);
        children.add(NOTIFICATIONS, id.unwrap_or_else(|| target.clone()), target, is_severe);
    }
    if live.event_bridge_configuration.is_some() {
        children.add(NOTIFICATIONS, EVENT_BRIDGE, "EventBridge", false);
    }
    children
}

/// Reads the configurations of which a bucket may have many.
async fn configured(session: &Session, name: &str) -> Result<Children, Failure> {
    let (mut children, analytics, tiering, metrics) = tokio::try_join!(
        inventories(session, name),
        analytics(session, name),
        tiering(session, name),
        metrics(session, name)
    )?;
    for others in [analytics, tiering, metrics] {
        children.extend(others);
    }
    Ok(children)
}

/// Reads the lists of objects that S3 writes: each carries names out of the bucket.
async fn inventories(session: &Session, name: &str) -> Result<Children, Failure> {
    configurations!(
        session,
        name,
        list_bucket_inventory_configurations,
        "s3.ListBucketInventoryConfigurations",
        inventory_configuration_list,
        |children: &mut Children, one: aws_sdk_s3::types::InventoryConfiguration| {
            let to = one.destination.and_then(|to| to.s3_bucket_destination).map(|to| to.bucket);
            children.add(INVENTORIES, one.id, to.unwrap_or_default(), true);
        }
    )
}

/// Reads the analyses of storage classes: one that is exported carries data out of the bucket.
async fn analytics(session: &Session, name: &str) -> Result<Children, Failure> {
    configurations!(
        session,
        name,
        list_bucket_analytics_configurations,
        "s3.ListBucketAnalyticsConfigurations",
        analytics_configuration_list,
        |children: &mut Children, one: aws_sdk_s3::types::AnalyticsConfiguration| {
            let export = one.storage_class_analysis.and_then(|analysis| analysis.data_export);
            let to = export.and_then(|export| export.destination).and_then(|to| to.s3_bucket_destination);
            let to = to.map(|to| to.bucket);
            let is_exported = to.is_some();
            children.add(ANALYTICS, one.id, to.unwrap_or_else(|| "not exported".to_owned()), is_exported);
        }
    )
}

/// Reads the rules by which objects move to cheaper storage.
async fn tiering(session: &Session, name: &str) -> Result<Children, Failure> {
    configurations!(
        session,
        name,
        list_bucket_intelligent_tiering_configurations,
        "s3.ListBucketIntelligentTieringConfigurations",
        intelligent_tiering_configuration_list,
        |children: &mut Children, one: aws_sdk_s3::types::IntelligentTieringConfiguration| {
            children.add("tiering", one.id, one.status.as_str(), false);
        }
    )
}

/// Reads the parts of the bucket whose requests are counted apart.
async fn metrics(session: &Session, name: &str) -> Result<Children, Failure> {
    configurations!(
        session,
        name,
        list_bucket_metrics_configurations,
        "s3.ListBucketMetricsConfigurations",
        metrics_configuration_list,
        |children: &mut Children, one: aws_sdk_s3::types::MetricsConfiguration| {
            children.add("metrics", one.id, "counted apart", false);
        }
    )
}

/// Reads the settings of other uses, of which a bucket has one at most.
async fn otherwise_used(session: &Session, name: &str) -> Result<Children, Failure> {
    let read = &session.aws.read;
    let logging = async {
        let answer = about!(read, session, name, get_bucket_logging).send().await;
        Ok::<_, Failure>(if_offered(answer.or_fail("s3.GetBucketLogging"))?.and_then(|answer| answer.logging_enabled))
    };
    let cors = async {
        let answer = about!(read, session, name, get_bucket_cors).send().await;
        Ok(if_offered(answer.or_fail("s3.GetBucketCors"))?.and_then(|answer| answer.cors_rules))
    };
    let website = async {
        let answer = about!(read, session, name, get_bucket_website).send().await;
        if_offered(answer.or_fail("s3.GetBucketWebsite"))
    };
    let payer = async {
        let answer = about!(read, session, name, get_bucket_request_payment).send().await;
        Ok(if_offered(answer.or_fail("s3.GetBucketRequestPayment"))?.and_then(|answer| answer.payer))
    };
    let acceleration = async {
        let answer = about!(read, session, name, get_bucket_accelerate_configuration).send().await;
        Ok(if_offered(answer.or_fail("s3.GetBucketAccelerateConfiguration"))?.and_then(|answer| answer.status))
    };
    let lock = async {
        let answer = about!(read, session, name, get_object_lock_configuration).send().await;
        let answer = if_offered(answer.or_fail("s3.GetObjectLockConfiguration"))?;
        Ok(answer.and_then(|answer| answer.object_lock_configuration?.object_lock_enabled))
    };
    let (logging, cors, website, payer, acceleration, lock) =
        tokio::try_join!(logging, cors, website, payer, acceleration, lock)?;
    let mut children = Children::default();
    children.add_only("logging", logging.map(|to| format!("to {}/{}", to.target_bucket, to.target_prefix)), false);
    let origins = cors.into_iter().flatten().flat_map(|rule| rule.allowed_origins).collect::<Vec<_>>();
    children.add_only("cors", (!origins.is_empty()).then(|| origins.join(", ")), false);
    let website = website.map(|it| match (it.redirect_all_requests_to, it.index_document) {
        (Some(to), _) => format!("redirects to {}", to.host_name),
        (None, index) => format!("index {}", index.map(|index| index.suffix).unwrap_or_default()),
    });
    children.add_only("website", website, false);
    children.add_only("requester_pays", payer.filter(|payer| *payer == Payer::Requester).map(|_| "yes"), false);
    let is_on = |status: &aws_sdk_s3::types::BucketAccelerateStatus| status.as_str() == "Enabled";
    children.add_only("acceleration", acceleration.filter(is_on).map(|_| "yes"), false);
    children.add_only("object_lock", lock.map(|lock| lock.as_str().to_owned()), false);
    Ok(children)
}

/// Removes the children that are not desired. S3 keeps all rules of replication in one document, and none of them is ever desired.
pub(super) async fn remove(session: &Session, name: &str, desired: &Settings, live: &Settings) -> Result<(), Failure> {
    let (write, live, desired) = (&session.aws.write, &live.children, &desired.children);
    if live.has_surplus(desired, REPLICATION) {
        let answer = about!(write, session, name, delete_bucket_replication).send().await;
        answer.or_absent("s3.DeleteBucketReplication")?;
    }
    let surplus = live.surplus(desired, NOTIFICATIONS);
    if !surplus.is_empty() {
        remove_notifications(session, name, &surplus).await?;
    }
    for id in live.surplus(desired, INVENTORIES) {
        let answer = about!(write, session, name, delete_bucket_inventory_configuration).id(id).send().await;
        answer.or_absent("s3.DeleteBucketInventoryConfiguration")?;
    }
    for id in live.surplus(desired, ANALYTICS) {
        let answer = about!(write, session, name, delete_bucket_analytics_configuration).id(id).send().await;
        answer.or_absent("s3.DeleteBucketAnalyticsConfiguration")?;
    }
    Ok(())
}

/// Removes notifications, by id or target. S3 keeps all of a bucket in one document.
async fn remove_notifications(session: &Session, name: &str, surplus: &[&str]) -> Result<(), Failure> {
    let answer = about!(session.aws.read, session, name, get_bucket_notification_configuration).send().await;
    let live = answer.or_fail("s3.GetBucketNotificationConfiguration")?;
    let stays = |id: &Option<String>, target: &str| !surplus.contains(&id.as_deref().unwrap_or(target));
    let (mut queues, mut topics) = (live.queue_configurations, live.topic_configurations);
    let mut functions = live.lambda_function_configurations;
    if let Some(all) = &mut queues {
        all.retain(|one| stays(&one.id, &one.queue_arn));
    }
    if let Some(all) = &mut topics {
        all.retain(|one| stays(&one.id, &one.topic_arn));
    }
    if let Some(all) = &mut functions {
        all.retain(|one| stays(&one.id, &one.lambda_function_arn));
    }
    let left = NotificationConfiguration::builder()
        .set_queue_configurations(queues)
        .set_topic_configurations(topics)
        .set_lambda_function_configurations(functions)
        .set_event_bridge_configuration(live.event_bridge_configuration)
        .build();
    let call = about!(session.aws.write, session, name, put_bucket_notification_configuration);
    // What stays was valid when somebody made it, and is not ours to judge now.
    let answer = call.notification_configuration(left).skip_destination_validation(true).send().await;
    answer.or_fail("s3.PutBucketNotificationConfiguration").map(drop)
}
