//! SNS, as far as it tells functions what became of sent mails: each file is what SES publishes, and invokes the functions that are
//! subscribed to a topic that hears of mails.

use std::{collections::BTreeMap, fs, path::PathBuf};

use declaration::{Declaration, Subscription};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    asynchronous::Invocable,
    ids,
    observer::{Activity, Observer, Trigger},
    post,
};

/// A topic that hears of mails, and its functions.
#[derive(Debug, Clone)]
pub struct Topic {
    /// Entry name of the topic.
    pub entry: String,
    /// ARN of the topic.
    pub(crate) arn: String,
    pub(crate) functions: Vec<Invocable>,
}

/// Endings of the names of files that are published of a folder.
const ENDINGS: [&str; 2] = ["json", "txt"];

/// Returns the topics that hear of mails: by a configuration set, or by the feedback of an identity. `arns` are the topics' by entry.
pub(crate) fn topics(
    declaration: &Declaration,
    arns: &BTreeMap<String, String>,
    invocable: impl Fn(&str) -> Option<Invocable>,
) -> Vec<Topic> {
    let topic = |entry: &str| {
        let declared = declaration.topics.get(entry)?;
        let functions = declared.subscriptions.iter().filter_map(|subscription| match subscription {
            Subscription::Function { function, .. } => invocable(function),
            Subscription::Mail(_) | Subscription::Queue { .. } => None,
        });
        let arn = arns.get(entry)?.clone();
        Some(Topic { entry: entry.to_owned(), arn, functions: functions.collect() })
    };
    declaration.event_topics().into_iter().filter_map(topic).collect()
}

/// Publishes the files of folders and lists, and returns when all functions have ended. A file that cannot be read, or that nobody hears
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
    json!({"Records": [{
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": format!("{topic}:{}", ids::uuid()),
        "Sns": {
            "Type": "Notification",
            "MessageId": id,
            "TopicArn": topic,
            "Subject": "Amazon SES Email Event Notification",
            "Message": text,
            "Timestamp": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            "SignatureVersion": "1",
            "Signature": "",
            "SigningCertUrl": "",
            "UnsubscribeUrl": "",
            "MessageAttributes": {},
        },
    }]})
}
