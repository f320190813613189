//! Delivers mails as SES does, which the emulator does not: by the account's active rule set at that moment, and by the rule
//! evaluation of `provision dev`.

use aws_sdk_lambda::{primitives::Blob, types::InvocationType};
use aws_sdk_ses::types as ses;
use declaration::{Invocation, ReceiptRule, Recipient, Tls};
use local::{
    arrival::{Arrival, Envelope},
    event::build as event,
    receipt::{Disposition, Flow, matches},
    verdicts::Verdicts,
};
use serde_json::{Value, json};

use super::{account::Account, server::REGION};

/// An action that was taken on a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Done {
    HeaderAdded {
        name: String,
    },
    Stored {
        bucket: String,
        key: String,
    },
    /// Invoked a function; `answer` is that of a function that SES waits for.
    Invoked {
        function: String,
        answer: Option<Value>,
    },
    Published {
        topic: String,
    },
    Bounced {
        reply: String,
    },
    Stopped,
}

/// A mail on its way through the rules.
struct Delivery<'account> {
    account: &'account Account,
    arrival: Arrival,
    /// Headers that rules add, followed by the mail.
    added: Vec<u8>,
    done: Vec<Done>,
}

/// Delivers a mail; does nothing if no rule takes it.
pub(crate) fn deliver(account: &Account, sender: &str, recipients: &[&str], mail: &[u8]) -> Vec<Done> {
    let recipients: Vec<String> = recipients.iter().map(|text| (*text).to_owned()).collect();
    let active = account.wait(account.ses.describe_active_receipt_rule_set().send()).unwrap();
    let live: Vec<&ses::ReceiptRule> = active.rules().iter().filter(|rule| rule.enabled()).collect();
    let rules: Vec<ReceiptRule> = live.iter().map(|rule| as_declared(rule)).collect();
    let envelope = Envelope { helo: "mx.carrier.example".to_owned(), sender: sender.to_owned(), recipients };
    let mut delivery = Delivery {
        account,
        arrival: Arrival::now(envelope.clone(), mail.to_vec()),
        added: Vec::new(),
        done: Vec::new(),
    };
    'rules: for matched in matches(&rules, &envelope.recipients) {
        let rule = live.iter().find(|rule| rule.name() == matched.rule.name).unwrap();
        for action in rule.actions() {
            match delivery.act(rule, action, &matched.recipients) {
                Flow::NextAction => {}
                Flow::NextRule => continue 'rules,
                Flow::End => break 'rules,
            }
        }
    }
    delivery.done
}

/// Returns a live rule in the words of a declaration, without its actions, which `act` reads as they are.
fn as_declared(rule: &ses::ReceiptRule) -> ReceiptRule {
    let recipient = |text: &String| match (text.strip_prefix('.'), text.contains('@')) {
        (Some(parent), _) => Recipient::SubDomains(parent.to_owned()),
        (None, true) => Recipient::Address(text.clone()),
        (None, false) => Recipient::Domain(text.clone()),
    };
    ReceiptRule {
        name: rule.name().to_owned(),
        enabled: rule.enabled(),
        recipients: rule.recipients().iter().map(recipient).collect(),
        tls: Tls::Optional,
        scan: rule.scan_enabled(),
        actions: Vec::new(),
    }
}

impl Delivery<'_> {
    fn act(&mut self, rule: &ses::ReceiptRule, action: &ses::ReceiptAction, recipients: &[String]) -> Flow {
        if let Some(header) = action.add_header_action() {
            let line = format!("{}: {}\r\n", header.header_name(), header.header_value());
            self.added.extend(line.into_bytes());
            self.done.push(Done::HeaderAdded { name: header.header_name().to_owned() });
        } else if let Some(store) = action.s3_action() {
            self.store(rule, store, recipients);
        } else if let Some(invoke) = action.lambda_action() {
            return self.invoke(rule, invoke, recipients).flow();
        } else if let Some(publish) = action.sns_action() {
            let how = json!({"type": "SNS", "topicArn": publish.topic_arn(), "encoding": "UTF-8"});
            let mut notification = self.notification(rule, recipients, &how);
            notification["content"] = Value::from(String::from_utf8_lossy(&self.stored(rule)).into_owned());
            self.publish(publish.topic_arn(), &notification);
        } else if let Some(bounce) = action.bounce_action() {
            let status = bounce.status_code().unwrap_or_default();
            let reply = format!("{} {status} {}", bounce.smtp_reply_code(), bounce.message());
            self.done.push(Done::Bounced { reply });
        } else if action.stop_action().is_some() {
            self.done.push(Done::Stopped);
            return Flow::End;
        } else {
            panic!("an action that no test has needed so far: {action:?}");
        }
        Flow::NextAction
    }

    fn verdicts(rule: &ses::ReceiptRule) -> Verdicts {
        Verdicts::default().under(rule.scan_enabled())
    }

    /// Returns the mail with SES's headers, and those of the rules before them.
    fn stored(&self, rule: &ses::ReceiptRule) -> Vec<u8> {
        [self.added.clone(), self.arrival.stored(REGION, Self::verdicts(rule))].concat()
    }

    fn store(&mut self, rule: &ses::ReceiptRule, store: &ses::S3Action, recipients: &[String]) {
        let (bucket, id) = (store.bucket_name(), &self.arrival.id);
        let key = format!("{}{id}", store.object_key_prefix().unwrap_or_default());
        let putting = self.account.s3.put_object().bucket(bucket).key(&key).body(self.stored(rule).into());
        self.account.wait(putting.send()).unwrap();
        self.done.push(Done::Stored { bucket: bucket.to_owned(), key: key.clone() });
        if let Some(topic) = store.topic_arn() {
            let how = json!({"type": "S3", "topicArn": topic, "bucketName": bucket, "objectKey": key});
            self.publish(topic, &self.notification(rule, recipients, &how));
        }
    }

    fn invoke(&mut self, rule: &ses::ReceiptRule, invoke: &ses::LambdaAction, recipients: &[String]) -> Disposition {
        let waits = invoke.invocation_type() == Some(&ses::InvocationType::RequestResponse);
        let (invocation, how) = if waits {
            (Invocation::RequestResponse, InvocationType::RequestResponse)
        } else {
            (Invocation::Event, InvocationType::Event)
        };
        let event = self.event(rule, recipients, invoke.function_arn(), invocation);
        let calling = self.account.lambda.invoke().function_name(invoke.function_arn()).invocation_type(how);
        let answer = self.account.wait(calling.payload(Blob::new(event.to_string())).send()).unwrap();
        let answer =
            answer.payload().filter(|_| waits).map(|payload| serde_json::from_slice(payload.as_ref()).unwrap());
        let disposition = answer.as_ref().map(Disposition::of).unwrap_or_default();
        self.done.push(Done::Invoked { function: invoke.function_arn().to_owned(), answer });
        disposition
    }

    fn publish(&mut self, topic: &str, notification: &Value) {
        let publishing = self.account.sns.publish().topic_arn(topic).subject("Amazon SES Email Receipt Notification");
        self.account.wait(publishing.message(notification.to_string()).send()).unwrap();
        self.done.push(Done::Published { topic: topic.to_owned() });
    }

    fn event(&self, rule: &ses::ReceiptRule, recipients: &[String], function: &str, invocation: Invocation) -> Value {
        let stored = self.stored(rule);
        let event =
            event(&self.arrival, &stored, recipients.to_vec(), Self::verdicts(rule), function.to_owned(), invocation);
        serde_json::to_value(event).unwrap()
    }

    /// Returns the message to a topic: the event of a function with another action.
    fn notification(&self, rule: &ses::ReceiptRule, recipients: &[String], how: &Value) -> Value {
        let event = self.event(rule, recipients, "", Invocation::Event);
        let mut told = event["Records"][0]["ses"].clone();
        told["notificationType"] = Value::from("Received");
        told["receipt"]["action"] = how.clone();
        told
    }
}
