//! The settings of a queue, and the attributes that they are to SQS.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde::Serialize;
use serde_json::Value;

use super::ATTRIBUTES;
use aws::policy::Policy;
use engine::{Children, Class, Failure, Tags};

/// A queue. All times are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Retention of a message, in seconds.
    pub retention: u32,
    /// Time for which a received message is hidden from others, in seconds.
    pub visibility_timeout: u32,
    /// Time for which a new message is hidden, in seconds.
    pub delay: u32,
    /// Time for which a request waits for a message, in seconds.
    pub receive_wait: u32,
    /// Size limit of a message, in bytes.
    pub maximum_message_size: u32,
    /// `true` if keys that SQS manages encrypt messages.
    pub managed_encryption: bool,
    /// ARN of the KMS key that encrypts messages instead; `None` for none. An undeclared key of the live queue stays.
    pub kms_key: Option<String>,
    /// Dead-letter queue for messages that were received too often; `None` for none.
    pub redrive: Option<Redrive>,
    /// Policy that says who may send messages.
    pub policy: Policy,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
    /// Parts that others added.
    #[serde(flatten)]
    pub children: Children,
}

/// A dead-letter queue for messages that were received too often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Redrive {
    /// ARN of the dead-letter queue.
    pub queue: String,
    /// Number of receipts before a message moves.
    pub after: u32,
}

impl Default for Settings {
    /// Returns AWS's defaults for a queue that is created without any attribute.
    fn default() -> Self {
        Self {
            retention: 345_600,
            visibility_timeout: 30,
            delay: 0,
            receive_wait: 0,
            maximum_message_size: 1_048_576,
            managed_encryption: true,
            kms_key: None,
            redrive: None,
            policy: Policy::default(),
            tags: Tags::new(),
            children: Children::default(),
        }
    }
}

impl Settings {
    /// Returns every managed attribute, since SQS would keep the live value of one that a call leaves out.
    pub(super) fn attributes(&self) -> HashMap<Name, String> {
        let redrive = self.redrive.as_ref().map(|redrive| {
            serde_json::json!({"deadLetterTargetArn": redrive.queue, "maxReceiveCount": redrive.after}).to_string()
        });
        let policy = if self.policy.is_empty() { String::new() } else { self.policy.to_json() };
        let mut attributes = HashMap::from([
            (Name::MessageRetentionPeriod, self.retention.to_string()),
            (Name::VisibilityTimeout, self.visibility_timeout.to_string()),
            (Name::DelaySeconds, self.delay.to_string()),
            (Name::ReceiveMessageWaitTimeSeconds, self.receive_wait.to_string()),
            (Name::MaximumMessageSize, self.maximum_message_size.to_string()),
            (Name::SqsManagedSseEnabled, self.managed_encryption.to_string()),
            (Name::RedrivePolicy, redrive.unwrap_or_default()),
            (Name::Policy, policy),
        ]);
        if !self.managed_encryption {
            attributes.insert(Name::KmsMasterKeyId, self.kms_key.clone().unwrap_or_default());
        }
        attributes
    }

    /// Reads the attributes that SQS answers. One that is missing has AWS's default.
    pub(super) fn from_attributes(attributes: &HashMap<Name, String>, tags: Tags) -> Result<Self, Failure> {
        let wrong = |what: &str| Failure::found(ATTRIBUTES, Class::Other, format!("AWS's answer has a wrong {what}"));
        let text = |name: Name| attributes.get(&name).map(String::as_str).filter(|text| !text.is_empty());
        let number = |name: Name, default: u32| match text(name.clone()) {
            Some(text) => text.parse().map_err(|_| wrong(name.as_str())),
            None => Ok(default),
        };
        let default = Self::default();
        let mut children = Children::default();
        children.add_only("redrive_allow", text(Name::RedriveAllowPolicy), false);
        Ok(Self {
            retention: number(Name::MessageRetentionPeriod, default.retention)?,
            visibility_timeout: number(Name::VisibilityTimeout, default.visibility_timeout)?,
            delay: number(Name::DelaySeconds, default.delay)?,
            receive_wait: number(Name::ReceiveMessageWaitTimeSeconds, default.receive_wait)?,
            maximum_message_size: number(Name::MaximumMessageSize, default.maximum_message_size)?,
            managed_encryption: text(Name::SqsManagedSseEnabled) == Some("true"),
            kms_key: text(Name::KmsMasterKeyId).map(str::to_owned),
            redrive: match text(Name::RedrivePolicy) {
                Some(text) => Some(redrive(text).ok_or_else(|| wrong("RedrivePolicy"))?),
                None => None,
            },
            policy: match text(Name::Policy) {
                Some(text) => Policy::from_json(text).map_err(|_| wrong("Policy"))?,
                None => Policy::default(),
            },
            tags,
            children,
        })
    }
}

/// Parses a redrive policy, whose count is a number or a string.
fn redrive(text: &str) -> Option<Redrive> {
    let policy: BTreeMap<String, Value> = serde_json::from_str(text).ok()?;
    let count = policy.get("maxReceiveCount")?;
    let after = count.as_u64().or_else(|| count.as_str()?.parse().ok())?;
    let queue = policy.get("deadLetterTargetArn")?.as_str()?.to_owned();
    Some(Redrive { queue, after: u32::try_from(after).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(changes: &[(Name, &str)]) -> HashMap<Name, String> {
        // SQS's answer for a queue that was created with a name only.
        let mut attributes: HashMap<Name, String> = [
            (Name::QueueArn, "arn:aws:sqs:eu-west-1:123456789012:a-failed"),
            (Name::ApproximateNumberOfMessages, "0"),
            (Name::CreatedTimestamp, "1730000000"),
            (Name::VisibilityTimeout, "30"),
            (Name::MaximumMessageSize, "1048576"),
            (Name::MessageRetentionPeriod, "345600"),
            (Name::DelaySeconds, "0"),
            (Name::ReceiveMessageWaitTimeSeconds, "0"),
            (Name::SqsManagedSseEnabled, "true"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into();
        attributes.extend(changes.iter().map(|(name, value)| (name.clone(), (*value).to_owned())));
        attributes
    }

    #[test]
    fn defaults_of_aws_are_the_defaults() {
        assert_eq!(Settings::from_attributes(&recorded(&[]), Tags::new()).unwrap(), Settings::default());
    }

    #[test]
    fn one_real_change_is_seen() {
        for (name, value) in [
            (Name::VisibilityTimeout, "31"),
            (Name::SqsManagedSseEnabled, "false"),
            (
                Name::RedrivePolicy,
                r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:b","maxReceiveCount":"5"}"#,
            ),
            (Name::Policy, r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage"}}"#),
        ] {
            let live = Settings::from_attributes(&recorded(&[(name.clone(), value)]), Tags::new()).unwrap();
            assert_ne!(live, Settings::default(), "{name}");
        }
    }

    #[test]
    fn a_count_is_a_number_or_a_string() {
        let policy = |count: &str| redrive(&format!(r#"{{"deadLetterTargetArn":"a","maxReceiveCount":{count}}}"#));
        assert_eq!(policy("5"), policy("\"5\""));
        assert_eq!(policy("\"many\""), None);
    }
}
