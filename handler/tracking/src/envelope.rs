//! The body of a message: what SES published, in SNS's envelope or without it (raw delivery).

use serde_json::Value;

/// Returns the text that SES published.
///
/// ```
/// use tracking::envelope::unwrapped;
///
/// assert_eq!(unwrapped(r#"{"Type":"Notification","MessageId":"1","TopicArn":"arn","Message":"{}"}"#), "{}");
/// assert_eq!(unwrapped(r#"{"eventType":"Send"}"#), r#"{"eventType":"Send"}"#);
/// ```
pub fn unwrapped(body: &str) -> String {
    let Ok(Value::Object(document)) = serde_json::from_str(body) else { return body.to_owned() };
    let word = |name: &str| document.get(name).and_then(Value::as_str);
    // An event of SES has neither key; an envelope has both.
    match (word("Type"), word("Message")) {
        (Some("Notification"), Some(message)) => message.to_owned(),
        _ => body.to_owned(),
    }
}
