//! Notifications of topics: in the event that a function failed on, and in the queue to which SNS moves what Lambda did not take.

use contract::notification_event::{Notification, NotificationEvent};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::About;

/// Keys of a notification that SNS writes otherwise in the event of a function.
const RENAMED: [(&str, &str); 2] = [("SigningCertURL", "SigningCertUrl"), ("UnsubscribeURL", "UnsubscribeUrl")];

/// A notification that Lambda did not take.
#[derive(Debug, PartialEq)]
pub(super) struct Undelivered {
    /// ARN of the topic.
    pub(super) topic: String,
    /// Event with which SNS would have invoked the function, as JSON.
    pub(super) event: String,
    pub(super) about: About,
}

/// Returns the features of an event of SNS; `None` if it is none.
pub(super) fn about(event: &Value) -> Option<About> {
    let records = event.get("Records")?.as_array()?;
    let is_of_sns = |record: &Value| record.get("EventSource").and_then(Value::as_str) == Some("aws:sns");
    if !records.iter().all(is_of_sns) {
        return None;
    }
    let notifications = NotificationEvent::deserialize(event).ok()?.records;
    let is_whole = |one: &Notification| !one.message_id.is_empty() && !one.topic_arn.is_empty();
    let first = notifications.first().filter(|_| notifications.iter().all(|record| is_whole(&record.sns)))?;
    let at = records.first().and_then(|record| record.get("Sns")?.get("Timestamp")?.as_str()?.parse().ok());
    Some(describe(&first.sns, at))
}

/// Reads a message of a subscription's redrive queue: SNS puts the notification there as it does into a subscribed queue. `None` if it is
/// none.
pub(super) fn read(body: &str) -> Option<Undelivered> {
    let notification: Map<String, Value> = serde_json::from_str(body).ok()?;
    if notification.get("Type").and_then(Value::as_str) != Some("Notification") {
        return None;
    }
    let subscription = notification.get("UnsubscribeURL").and_then(Value::as_str).and_then(subscription);
    let renamed =
        |name: String| RENAMED.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| (*new).to_owned());
    let mut sns: Map<String, Value> = notification.into_iter().map(|(name, value)| (renamed(name), value)).collect();
    // What SNS leaves out in a queue is empty in an event.
    sns.entry("Subject").or_insert(Value::Null);
    sns.entry("MessageAttributes").or_insert_with(|| json!({}));
    let record = json!({
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription.unwrap_or_default(),
        "Sns": sns,
    });
    let event = json!({ "Records": [record] });
    let topic = event.pointer("/Records/0/Sns/TopicArn")?.as_str()?.to_owned();
    let about = about(&event)?;
    Some(Undelivered { topic, event: event.to_string(), about })
}

/// Returns the ARN of the subscription from the address that ends it.
fn subscription(address: &str) -> Option<String> {
    let (_, after) = address.split_once("SubscriptionArn=")?;
    let arn = after.split('&').next().unwrap_or(after);
    arn.starts_with("arn:").then(|| arn.to_owned())
}

/// Describes a notification: what SES says of a mail, else the topic.
fn describe(notification: &Notification, received_at: Option<Timestamp>) -> About {
    let Notification { message_id, message, topic_arn } = notification;
    let said: Value = serde_json::from_str(message).unwrap_or_default();
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let kind = text(said.get("eventType")).or_else(|| text(said.get("notificationType")));
    let subject = match (kind, text(said.pointer("/mail/messageId"))) {
        (Some(kind), Some(mail)) => format!("{kind} of the mail {mail}"),
        _ => format!("{message_id} of the topic {}", topic_arn.rsplit(':').next().unwrap_or(topic_arn)),
    };
    About { received_at, subject: Some(subject), ..About::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:shop-mail-events";

    fn envelope(message: &str) -> Value {
        json!({
            "Type": "Notification", "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e", "TopicArn": TOPIC, "Message": message,
            "Timestamp": "2027-01-05T10:15:30.123Z", "SignatureVersion": "1", "Signature": "x",
            "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/a.pem",
            "UnsubscribeURL": format!("https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={TOPIC}:1a-2b"),
        })
    }

    #[test]
    fn a_notification_becomes_the_event_of_a_function() {
        let message = r#"{"eventType":"Bounce","mail":{"messageId":"0107-1"}}"#;
        let Undelivered { topic, event, about } = read(&envelope(message).to_string()).unwrap();
        assert_eq!((topic.as_str(), about.subject.as_deref()), (TOPIC, Some("Bounce of the mail 0107-1")));
        assert_eq!(about.received_at, Some("2027-01-05T10:15:30.123Z".parse().unwrap()));
        let event: Value = serde_json::from_str(&event).unwrap();
        let record = &event["Records"][0];
        assert_eq!(record["EventSource"], "aws:sns");
        assert_eq!(record["EventSubscriptionArn"], format!("{TOPIC}:1a-2b"));
        let sns = &record["Sns"];
        assert_eq!((&sns["Message"], &sns["MessageId"]), (&json!(message), &envelope("")["MessageId"]));
        assert_eq!((&sns["Subject"], &sns["MessageAttributes"]), (&Value::Null, &json!({})));
        assert!(
            sns["SigningCertUrl"].is_string() && sns["SigningCertURL"].is_null() && sns["UnsubscribeUrl"].is_string()
        );
    }

    #[test]
    fn what_is_no_notification_is_none() {
        let without = |key: &str| {
            let mut envelope = envelope("text");
            envelope.as_object_mut().unwrap().remove(key);
            envelope.to_string()
        };
        for body in ["hello", "{}", "[]", r#"{"Type":"SubscriptionConfirmation"}"#] {
            assert_eq!(read(body), None, "{body}");
        }
        for key in ["Type", "MessageId", "TopicArn"] {
            assert_eq!(read(&without(key)), None, "{key}");
        }
        let other = read(&envelope("text").to_string()).unwrap().about.subject;
        assert_eq!(other.as_deref(), Some("95df01b4-ee98-5cb9-9903-4c221d41eb5e of the topic shop-mail-events"));
        for event in
            [json!({}), json!({"Records": []}), json!({"Records": [{"EventSource": "aws:ses", "Sns": envelope("")}]})]
        {
            assert_eq!(about(&event), None, "{event}");
        }
    }
}
