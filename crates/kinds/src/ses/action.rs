//! Actions of receipt rules: all that SES has, in one normal form.

use std::mem::discriminant;

use aws_sdk_ses::types::{
    AddHeaderAction, BounceAction, ConnectAction, InvocationType, LambdaAction, ReceiptAction, S3Action, SnsAction,
    SnsActionEncoding, StopAction, StopScope, WorkmailAction,
};
use serde::Serialize;

use engine::{Class, Failure};

/// An action. `topic` is the ARN of a topic that is notified when the action is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Stores the mail in a bucket.
    S3 {
        /// Name of the bucket.
        bucket: String,
        /// Prefix of the key, before SES's message id; `None` for none.
        #[serde(skip_serializing_if = "Option::is_none")]
        prefix: Option<String>,
        /// ARN of the topic that is told of it; `None` tells nobody.
        #[serde(skip_serializing_if = "Option::is_none")]
        topic: Option<String>,
        /// ARN of a key for client-side encryption. We never set one: the function could not read the mail.
        #[serde(skip_serializing_if = "Option::is_none")]
        kms_key: Option<String>,
        /// ARN of a role that SES assumes. We never set one: the bucket's policy lets SES write.
        #[serde(skip_serializing_if = "Option::is_none")]
        role: Option<String>,
    },
    /// Invokes a function with the event.
    Lambda {
        /// ARN of the function.
        function: String,
        /// Invocation: asynchronous or synchronous.
        invocation: Invocation,
        /// ARN of the topic that is told of it; `None` tells nobody.
        #[serde(skip_serializing_if = "Option::is_none")]
        topic: Option<String>,
    },
    /// Publishes the mail, of at most 150 KB.
    Sns {
        /// ARN of the topic.
        topic: String,
        /// Encoding of the mail in the message.
        encoding: Encoding,
    },
    /// Refuses the mail with an answer.
    Bounce {
        /// Sender of the rejection.
        sender: String,
        /// SMTP code, three digits.
        code: String,
        /// Enhanced status code, such as `5.1.1`; `None` for none.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<String>,
        /// Text of the bounce.
        message: String,
        /// ARN of the topic that is told of it; `None` tells nobody.
        #[serde(skip_serializing_if = "Option::is_none")]
        topic: Option<String>,
    },
    /// Adds a header to the mail.
    AddHeader {
        /// Name of the header.
        name: String,
        /// Value of the header.
        value: String,
    },
    /// Ends the rule set for this mail; SES knows no other scope.
    Stop {
        /// ARN of the topic that is told of it; `None` tells nobody.
        #[serde(skip_serializing_if = "Option::is_none")]
        topic: Option<String>,
    },
    /// Gives the mail to `WorkMail`. Not offered: whoever adds it carries mails out.
    WorkMail {
        /// ARN of the organisation.
        organization: String,
        /// ARN of the topic that is told of it; `None` tells nobody.
        #[serde(skip_serializing_if = "Option::is_none")]
        topic: Option<String>,
    },
    /// Gives the mail to Amazon Connect. Not offered, either.
    Connect {
        /// ARN of the instance.
        instance: String,
        /// ARN of the role that SES assumes.
        role: String,
    },
    /// An action that SES has introduced since.
    Unknown,
}

/// The invocation of a function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Invocation {
    /// Asynchronously: SES does not wait.
    #[default]
    Event,
    /// Synchronously: the answer may stop the rule or the rule set.
    RequestResponse,
}

/// The encoding of a mail in a topic's message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub enum Encoding {
    /// As UTF-8; other bytes may be lost.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// As Base64: every byte is kept.
    #[serde(rename = "base64")]
    Base64,
}

/// Actions that a declaration has, as they are in settings.
pub(super) const OWN: &[&str] = &["s3", "lambda", "sns", "bounce", "add_header", "stop"];
/// Maximum number of actions of a rule.
const MAX_ACTIONS: usize = 10;

/// Returns the actions between two declarations. Where the desired ones no longer store, publish or hand over a mail, another rule may
/// be about to: until then the rule does all that it did, and what it did not do before. A function that is new in it would not
/// find what is stored elsewhere, and a rule may have no room for both: then it is what is desired.
pub(super) fn between(desired: &[Action], live: &[Action]) -> Vec<Action> {
    let has = |actions: &[Action], wanted: &Action| actions.iter().any(|one| discriminant(one) == discriminant(wanted));
    let moves_mail = |action: &Action| matches!(action, Action::S3 { .. } | Action::Lambda { .. } | Action::Sns { .. });
    let added: Vec<&Action> = desired.iter().filter(|action| !has(live, action)).collect();
    let invokes = added.iter().any(|action| matches!(action, Action::Lambda { .. }));
    let stays = |action: &Action| place(action).is_none() || desired.iter().any(|other| place(other) == place(action));
    let is_lost = live.iter().any(|action| moves_mail(action) && !has(desired, action));
    if !is_lost || invokes && !live.iter().all(stays) || live.len() + added.len() > MAX_ACTIONS {
        return desired.to_vec();
    }
    // A function reads what was stored before, and nothing follows a stop.
    let (stores, others): (Vec<&Action>, Vec<&Action>) = added.into_iter().partition(|action| place(action).is_some());
    let end = live.iter().position(|action| matches!(action, Action::Stop { .. })).unwrap_or(live.len());
    let (before, stop) = live.split_at(end);
    stores.into_iter().chain(before).chain(others).chain(stop).cloned().collect()
}

/// Returns the bucket and the prefix in which an action stores a mail; `None` if it stores none.
fn place(action: &Action) -> Option<(&str, &str)> {
    match action {
        Action::S3 { bucket, prefix, .. } => Some((bucket, prefix.as_deref().unwrap_or_default())),
        _ => None,
    }
}

impl Action {
    /// Converts an action of SES.
    pub(crate) fn from_aws(action: &ReceiptAction) -> Self {
        if let Some(it) = &action.s3_action {
            return Self::S3 {
                bucket: it.bucket_name.clone(),
                prefix: some(it.object_key_prefix.as_ref()),
                topic: some(it.topic_arn.as_ref()),
                kms_key: some(it.kms_key_arn.as_ref()),
                role: some(it.iam_role_arn.as_ref()),
            };
        }
        if let Some(it) = &action.lambda_action {
            return Self::lambda(it).unwrap_or(Self::Unknown);
        }
        if let Some(it) = &action.sns_action {
            return Self::sns(it).unwrap_or(Self::Unknown);
        }
        if let Some(it) = &action.bounce_action {
            return Self::Bounce {
                sender: it.sender.clone(),
                code: it.smtp_reply_code.clone(),
                status: some(it.status_code.as_ref()),
                message: it.message.clone(),
                topic: some(it.topic_arn.as_ref()),
            };
        }
        if let Some(it) = &action.add_header_action {
            return Self::AddHeader { name: it.header_name.clone(), value: it.header_value.clone() };
        }
        if let Some(it) = action.stop_action.as_ref().filter(|it| it.scope == StopScope::RuleSet) {
            return Self::Stop { topic: some(it.topic_arn.as_ref()) };
        }
        if let Some(it) = &action.workmail_action {
            return Self::WorkMail { organization: it.organization_arn.clone(), topic: some(it.topic_arn.as_ref()) };
        }
        if let Some(it) = &action.connect_action {
            return Self::Connect { instance: it.instance_arn.clone(), role: it.iam_role_arn.clone() };
        }
        Self::Unknown
    }

    fn lambda(action: &LambdaAction) -> Option<Self> {
        let invocation = match action.invocation_type {
            None | Some(InvocationType::Event) => Invocation::Event,
            Some(InvocationType::RequestResponse) => Invocation::RequestResponse,
            Some(_) => return None,
        };
        Some(Self::Lambda { function: action.function_arn.clone(), invocation, topic: some(action.topic_arn.as_ref()) })
    }

    fn sns(action: &SnsAction) -> Option<Self> {
        let encoding = match action.encoding {
            None | Some(SnsActionEncoding::Utf8) => Encoding::Utf8,
            Some(SnsActionEncoding::Base64) => Encoding::Base64,
            Some(_) => return None,
        };
        Some(Self::Sns { topic: action.topic_arn.clone(), encoding })
    }

    /// Converts the action for SES. An unknown one cannot be written.
    pub(super) fn to_aws(&self) -> Result<ReceiptAction, Failure> {
        let action = ReceiptAction::builder();
        Ok(match self.clone() {
            Self::S3 { bucket, prefix, topic, kms_key, role } => {
                let it = S3Action::builder().bucket_name(bucket).set_object_key_prefix(prefix).set_topic_arn(topic);
                action.s3_action(it.set_kms_key_arn(kms_key).set_iam_role_arn(role).build().map_err(unbuilt)?)
            }
            Self::Lambda { function, invocation, topic } => {
                let invocation = match invocation {
                    Invocation::Event => InvocationType::Event,
                    Invocation::RequestResponse => InvocationType::RequestResponse,
                };
                let it = LambdaAction::builder().function_arn(function).invocation_type(invocation);
                action.lambda_action(it.set_topic_arn(topic).build().map_err(unbuilt)?)
            }
            Self::Sns { topic, encoding } => {
                let encoding = match encoding {
                    Encoding::Utf8 => SnsActionEncoding::Utf8,
                    Encoding::Base64 => SnsActionEncoding::Base64,
                };
                action.sns_action(SnsAction::builder().topic_arn(topic).encoding(encoding).build().map_err(unbuilt)?)
            }
            Self::Bounce { sender, code, status, message, topic } => {
                let it = BounceAction::builder().sender(sender).smtp_reply_code(code).set_status_code(status);
                action.bounce_action(it.message(message).set_topic_arn(topic).build().map_err(unbuilt)?)
            }
            Self::AddHeader { name, value } => {
                let it = AddHeaderAction::builder().header_name(name).header_value(value);
                action.add_header_action(it.build().map_err(unbuilt)?)
            }
            Self::Stop { topic } => {
                let it = StopAction::builder().scope(StopScope::RuleSet).set_topic_arn(topic);
                action.stop_action(it.build().map_err(unbuilt)?)
            }
            Self::WorkMail { organization, topic } => {
                let it = WorkmailAction::builder().organization_arn(organization).set_topic_arn(topic);
                action.workmail_action(it.build().map_err(unbuilt)?)
            }
            Self::Connect { instance, role } => {
                let it = ConnectAction::builder().instance_arn(instance).iam_role_arn(role);
                action.connect_action(it.build().map_err(unbuilt)?)
            }
            Self::Unknown => return Err(unbuilt("this version does not know the action")),
        }
        .build())
    }
}

/// Returns the text; SES's empty and missing texts are equal.
fn some(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

pub(super) fn unbuilt(error: impl Into<Box<dyn std::error::Error>>) -> Failure {
    let error: Box<dyn std::error::Error> = error.into();
    Failure::found("ses.UpdateReceiptRule", Class::Invalid, error.to_string())
}
