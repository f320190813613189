//! SNS, as far as it tells functions what became of sent mails: each file is what SES publishes, and invokes the functions, and goes into
//! the queues, that are subscribed to a topic that hears of mails.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use declaration::{Declaration, Subscription};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    asynchronous::Invocable,
    ids,
    observer::{Activity, Observer, Trigger},
    post,
    queue::Queue,
};

/// A topic that hears of mails, and its subscribers.
#[derive(Debug, Clone)]
pub struct Topic {
    /// Entry name of the topic.
    pub entry: String,
    /// ARN of the topic.
    pub(crate) arn: String,
    pub(crate) functions: Vec<Invocable>,
    pub(crate) queues: Vec<SubscribedQueue>,
}

/// A queue that is subscribed to a topic.
#[derive(Debug, Clone)]
pub(crate) struct SubscribedQueue {
    queue: Arc<Queue>,
    /// `true` if messages come without SNS's envelope.
    raw: bool,
}

/// Endings of the names of files that are published of a folder.
const ENDINGS: [&str; 2] = ["json", "txt"];

/// Returns the topics that hear of mails: by a configuration set, or by the feedback of an identity. `arns` are the topics' by entry.
pub(crate) fn topics(
    declaration: &Declaration,
    (arns, queues): (&BTreeMap<String, String>, &BTreeMap<String, Arc<Queue>>),
    invocable: impl Fn(&str) -> Option<Invocable>,
) -> Vec<Topic> {
    let topic = |entry: &str| {
        let declared = declaration.topics.get(entry)?;
        let functions = declared.subscriptions.iter().filter_map(|subscription| match subscription {
            Subscription::Function { function, .. } => invocable(function),
            Subscription::Mail(_) | Subscription::Queue { .. } => None,
        });
        let subscribed = declared.subscriptions.iter().filter_map(|subscription| match subscription {
            Subscription::Queue { queue, raw } => {
                Some(SubscribedQueue { queue: Arc::clone(queues.get(queue)?), raw: *raw })
            }
            Subscription::Mail(_) | Subscription::Function { .. } => None,
        });
        let arn = arns.get(entry)?.clone();
        Some(Topic { entry: entry.to_owned(), arn, functions: functions.collect(), queues: subscribed.collect() })
    };
    declaration.event_topics().into_iter().filter_map(topic).collect()
}

/// Publishes the files of folders and lists, and returns when all functions have ended, and the queues have their messages. A file that cannot be read, or that nobody hears
/// of, is reported to the observer.
pub async fn notify(topics: &[Topic], observer: &Observer, paths: &[PathBuf]) {
    let mut endings = Vec::new();
    for path in paths.iter().flat_map(|path| post::files(path, &ENDINGS)) {
        let read = path.and_then(|path| {
            let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok((path.display().to_string(), text))
        });
        let (origin, text) = match read {
            Ok(read) => read,
            Err(reason) => {
                observer.tell(Activity::Unreadable { reason });
                continue;
            }
        };
        // SNS's id of the message: functions report the notification by it.
        let item = ids::uuid();
        observer.tell(Activity::Notified { item: item.clone(), origin });
        for topic in topics {
            for SubscribedQueue { queue, raw } in &topic.queues {
                let body = if *raw { text.clone() } else { envelope(&topic.arn, &item, &text).to_string() };
                // Under the id of the notification, by which functions report it.
                if let Err(error) = queue.put(&item, &body, Some(&item)).await {
                    let reason = format!("the message could not be kept in queue {}: {error}", queue.entry);
                    observer.tell(Activity::Unreadable { reason });
                }
            }
            for function in &topic.functions {
                let (by, name) = (Trigger::Topic(topic.entry.clone()), function.function.entry.clone());
                observer.tell(Activity::Handed { item: item.clone(), by, function: name });
                endings.push(function.invoke(&item, event(&topic.arn, &item, &text), true));
            }
        }
    }
    for ending in endings {
        // It ends without one only if the run does.
        let _ended = ending.await;
    }
}

/// Returns the event with which SNS invokes a function.
fn event(topic: &str, id: &str, text: &str) -> Value {
    let mut sns = envelope(topic, id, text);
    if let Value::Object(members) = &mut sns {
        // A function's event has other letters in these two names than a queue's message.
        members.retain(|name, _| !name.ends_with("URL"));
        members.extend(["SigningCertUrl", "UnsubscribeUrl"].map(|name| (name.to_owned(), "".into())));
        members.insert("MessageAttributes".to_owned(), json!({}));
    }
    json!({"Records": [{
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": format!("{topic}:{}", ids::uuid()),
        "Sns": sns,
    }]})
}

/// Returns the envelope in which SNS puts a message for a queue.
fn envelope(topic: &str, id: &str, text: &str) -> Value {
    json!({
        "Type": "Notification",
        "MessageId": id,
        "TopicArn": topic,
        "Subject": "Amazon SES Email Event Notification",
        "Message": text,
        "Timestamp": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        "SignatureVersion": "1",
        "Signature": "",
        "SigningCertURL": "",
        "UnsubscribeURL": "",
    })
}
