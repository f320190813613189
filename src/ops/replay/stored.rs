//! Finds stored mails, and rebuilds the events that SES made of them.

use aws_sdk_s3::primitives::DateTime;
use contract::receipt_event::SETUP_OBJECT;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;

use super::{About, Item, Origin, Prepared, Refused, Route, Work, trace};
use aws::OrFail;
use declaration::{Action, Invocation};
use engine::Failure;
use kinds::{Kind, Session};
use local::{
    arrival::{Arrival, Envelope},
    delivery,
    event::build,
    receipt::{any_takes, matches},
};
use stack::Names;

/// Size of the part that is read for a mail's headers, in bytes: SES itself reads 10 KB of them.
const HEADERS: u64 = 128 * 1024;
/// Maximum number of objects that are read at once.
const AT_ONCE: usize = 8;

/// A stored mail, and the rule that stored it.
#[derive(Debug, Clone)]
pub(crate) struct Mail<'declared> {
    pub(crate) route: Route<'declared>,
    key: String,
}

/// The reasons why a stored mail cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRebuilt {
    #[error("there is no such object in bucket `{0}`")]
    NotThere(String),
    #[error(transparent)]
    NotOfSes(#[from] trust::NotOfSes),
    #[error(transparent)]
    Unreadable(#[from] Failure),
    #[error("its event could not be written: {0}")]
    NoJson(#[from] serde_json::Error),
}

/// Finds mails by their keys, wherever rules store such keys.
pub(crate) fn named<'declared>(routes: &[Route<'declared>], keys: &[String]) -> (Vec<Mail<'declared>>, Vec<Refused>) {
    let (mut mails, mut refused) = (Vec::new(), Vec::new());
    for key in keys {
        let of_key = of_key(routes, key);
        if of_key.is_empty() {
            let origin = Origin::Stored { bucket: String::new(), key: key.clone() };
            let reason = "no receipt rule stores such a key before it invokes a function".to_owned();
            refused.push(Refused { origin, reason });
        }
        mails.extend(of_key);
    }
    (mails, refused)
}

/// Finds mails whose keys begin with a prefix.
pub(crate) async fn listed<'declared>(
    session: &Session,
    routes: &[Route<'declared>],
    prefix: &str,
) -> Result<Vec<Mail<'declared>>, Failure> {
    let overlaps = |route: &&Route<'_>| route.prefix.starts_with(prefix) || prefix.starts_with(route.prefix);
    let mut buckets: Vec<&str> = routes.iter().filter(overlaps).map(|route| route.bucket.as_str()).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let mut mails = Vec::new();
    for bucket in buckets {
        let call = session.aws.read.s3.list_objects_v2().bucket(bucket).prefix(prefix);
        let mut pages = call.expected_bucket_owner(&session.aws.realm.account).into_paginator().send();
        let routes: Vec<Route<'declared>> = routes.iter().filter(|route| route.bucket == bucket).cloned().collect();
        while let Some(page) = pages.next().await {
            let keys = page.or_fail("s3.ListObjectsV2")?.contents.unwrap_or_default().into_iter();
            mails.extend(keys.filter_map(|object| object.key).flat_map(|key| of_key(&routes, &key)));
        }
    }
    Ok(mails)
}

/// Returns the mails that a key may be, one per route; once for each function and bucket.
fn of_key<'declared>(routes: &[Route<'declared>], key: &str) -> Vec<Mail<'declared>> {
    let mut mails: Vec<Mail<'declared>> = Vec::new();
    for route in routes.iter().filter(|route| route.message_id(key).is_some_and(|id| id != SETUP_OBJECT)) {
        let is_known = |mail: &Mail<'_>| (&mail.route.bucket, mail.route.function) == (&route.bucket, route.function);
        if !mails.iter().any(is_known) {
            mails.push(Mail { route: route.clone(), key: key.to_owned() });
        }
    }
    mails
}

/// Reads the mails' headers: which mails can be replayed, and how people recognise them. A mail that is in one of several
/// buckets is not reported as missing in the others.
pub(crate) async fn look<'declared>(
    session: &Session,
    names: &Names,
    mails: Vec<Mail<'declared>>,
) -> Prepared<'declared> {
    let looks = mails.into_iter().map(|mail| async move {
        let rebuilt = rebuild(session, names, &mail).await;
        (mail, rebuilt)
    });
    let looked: Vec<_> = stream::iter(looks).buffered(AT_ONCE).collect().await;
    let found: Vec<String> =
        looked.iter().filter(|(_, rebuilt)| rebuilt.is_ok()).map(|(mail, _)| mail.key.clone()).collect();
    let mut prepared = Prepared::default();
    for (mail, rebuilt) in looked {
        let origin = Origin::Stored { bucket: mail.route.bucket.clone(), key: mail.key.clone() };
        match rebuilt {
            Ok((_, about)) => {
                let function = mail.route.function.to_owned();
                prepared.items.push((Item { origin, function, about }, Work::Stored(mail)));
            }
            Err(NotRebuilt::NotThere(_)) if found.contains(&mail.key) => {}
            Err(error) => prepared.refused.push(Refused { origin, reason: error.to_string() }),
        }
    }
    prepared
}

/// Rebuilds the event that SES made of a mail, as JSON.
pub(crate) async fn rebuild(session: &Session, names: &Names, mail: &Mail<'_>) -> Result<(String, About), NotRebuilt> {
    let Mail { route, key } = mail;
    let id = route.message_id(key).unwrap_or(key);
    let (stored, modified) = beginning(session, &route.bucket, key).await?;
    let trace = trace::read(&stored, id, &added(route))?;
    let bytes = stored.get(trace.length..).unwrap_or_default().to_vec();
    let rules = std::slice::from_ref(route.rule);
    let told: Vec<String> = trace.recipient.iter().cloned().collect();
    let recipients = delivery::envelope(&bytes, &told, rules, |recipient| any_takes(rules, recipient)).recipients;
    let taken = matches(rules, &recipients).next().map_or_else(|| recipients.clone(), |matched| matched.recipients);
    let arrival = Arrival {
        id: id.to_owned(),
        envelope: Envelope { helo: trace.helo, sender: trace.sender, recipients },
        received_at: trace.received_at.or(modified).unwrap_or_else(Timestamp::now),
        bytes,
    };
    let arn = names.arn(Kind::Function, route.function);
    let event = serde_json::to_value(build(&arrival, &stored, taken, trace.verdicts, arn, Invocation::Event))?;
    let headers = event.pointer("/Records/0/ses/mail/commonHeaders");
    let text =
        |path: &str| headers.and_then(|headers| headers.pointer(path)).and_then(Value::as_str).map(str::to_owned);
    let about = About {
        received_at: Some(arrival.received_at),
        from: text("/from/0"),
        subject: text("/subject"),
        failure: None,
    };
    Ok((event.to_string(), about))
}

/// Returns the names of the headers that the rule adds to mails before it stores them.
fn added<'declared>(route: &Route<'declared>) -> Vec<&'declared str> {
    let names = route.rule.actions.iter().filter_map(|action| match action {
        Action::AddHeader { name, .. } => Some(name.as_str()),
        _ => None,
    });
    names.collect()
}

/// Reads the beginning of an object, with all headers of a mail, and the time of its last write.
async fn beginning(session: &Session, bucket: &str, key: &str) -> Result<(Vec<u8>, Option<Timestamp>), NotRebuilt> {
    const CALL: &str = "s3.GetObject";
    let call =
        session.aws.read.s3.get_object().bucket(bucket).key(key).expected_bucket_owner(&session.aws.realm.account);
    let answer = call.range(format!("bytes=0-{}", HEADERS - 1)).send().await.or_absent(CALL)?;
    let answer = answer.ok_or_else(|| NotRebuilt::NotThere(bucket.to_owned()))?;
    let modified = answer.last_modified.and_then(moment);
    let broken = |error: &dyn std::fmt::Display| Failure::found(CALL, engine::Class::Unreachable, error.to_string());
    let bytes = answer.body.collect().await.map_err(|error| broken(&error))?;
    Ok((bytes.to_vec(), modified))
}

fn moment(time: DateTime) -> Option<Timestamp> {
    Timestamp::from_second(time.secs()).ok()
}
