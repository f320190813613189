//! The event with which SNS invokes a function: notifications, as a rule one. What is missing or of another type in one of them is empty,
//! so that it fails by itself and not the others with it.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An invocation by a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct NotificationEvent {
    /// Notifications of the event.
    #[serde(rename = "Records")]
    pub records: Vec<NotificationRecord>,
}

/// One record of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct NotificationRecord {
    /// Notification that the record delivers.
    #[serde(default, rename = "Sns", deserialize_with = "lenient")]
    pub sns: Notification,
}

/// A notification of SNS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Notification {
    /// SNS's id of the message, the same when it is delivered again; empty if it is missing.
    #[serde(deserialize_with = "lenient")]
    pub message_id: String,
    /// Text of the message.
    #[serde(deserialize_with = "lenient")]
    pub message: String,
    /// ARN of the topic; empty if it is missing.
    #[serde(deserialize_with = "lenient")]
    pub topic_arn: String,
}

/// Reads a value, or its default if it has another form.
fn lenient<'de, T: serde::de::DeserializeOwned + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notification_is_read_and_an_odd_one_is_empty() {
        let json = r#"{"Records":[
            {"EventSource":"aws:sns","Sns":{"MessageId":"1","Message":"text","TopicArn":"arn","MessageAttributes":{}}},
            {"Sns":{"MessageId":2,"Message":null}},{"Sns":3},{}]}"#;
        let event: NotificationEvent = serde_json::from_str(json).unwrap();
        let expected =
            Notification { message_id: "1".to_owned(), message: "text".to_owned(), topic_arn: "arn".to_owned() };
        assert_eq!(event.records[0].sns, expected);
        assert!(event.records.len() == 4 && event.records[1..].iter().all(|one| one.sns == Notification::default()));
        assert!(serde_json::from_str::<NotificationEvent>("{}").is_err());
    }
}
