//! The one registry of kinds: a kind that is not here does not exist, and one that is here is read, planned, applied,
//! listed, printed and tested like all the others.

use serde::Serialize;
use serde_json::Value;

use super::{
    Address, Field, Live, Manage, Owned, Right, Session, alarm, bucket, bucket_statement, event_invoke, function,
    log_group, permission, queue, receipt, role, secret, subscription, topic,
};
use crate::aws::{Class, Failure};

/// Makes the enums over all kinds, and passes each call on to the kind's own code.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $kind:ty;)+) => {
        /// A kind of AWS resource, in the order in which resources are shown.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Kind {
            $($(#[$doc])* $variant,)+
        }

        /// The settings of one resource. They are boxed: some are large, and most are of kinds that are small.
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) enum Settings {
            $($(#[$doc])* $variant(Box<<$kind as Manage>::Settings>),)+
        }

        $(impl From<<$kind as Manage>::Settings> for Settings {
            fn from(settings: <$kind as Manage>::Settings) -> Self {
                Self::$variant(Box::new(settings))
            }
        })+

        impl Kind {
            /// All of them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// What it is called in a plan, before an entry's name.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Every field of its settings.
            pub(crate) const fn fields(self) -> &'static [Field] {
                match self { $(Self::$variant => <$kind as Manage>::FIELDS,)+ }
            }

            /// The kinds that one of it may refer to.
            pub(crate) const fn refers_to(self) -> &'static [Self] {
                match self { $(Self::$variant => <$kind as Manage>::REFERS_TO,)+ }
            }

            /// What whoever runs the tool must be allowed to do.
            pub(crate) const fn rights(self) -> &'static [Right] {
                match self { $(Self::$variant => <$kind as Manage>::RIGHTS,)+ }
            }

            /// What is in AWS. This and the others are boxed: a future is as large as all calls that may be in it.
            pub(crate) async fn read(
                self,
                session: &Session,
                address: &Address,
            ) -> Result<Option<Live<Settings>>, Failure> {
                match self {
                    $(Self::$variant => {
                        let live = Box::pin(<$kind as Manage>::read(session, address)).await?;
                        Ok(live.map(|live| Live { settings: live.settings.into(), owner: live.owner }))
                    })+
                }
            }

            /// Deletes one.
            pub(crate) async fn delete(self, session: &Session, address: &Address) -> Result<(), Failure> {
                match self { $(Self::$variant => Box::pin(<$kind as Manage>::delete(session, address)).await,)+ }
            }

            /// What one holds that must not be deleted unasked.
            pub(crate) async fn holds_data(
                self,
                session: &Session,
                address: &Address,
            ) -> Result<Option<String>, Failure> {
                match self { $(Self::$variant => Box::pin(<$kind as Manage>::holds_data(session, address)).await,)+ }
            }

            /// All of this stack's.
            pub(crate) async fn list_owned(self, session: &Session) -> Result<Vec<Owned>, Failure> {
                match self { $(Self::$variant => Box::pin(<$kind as Manage>::list_owned(session)).await,)+ }
            }
        }

        impl Settings {
            /// Which kind they are of.
            pub(crate) const fn kind(&self) -> Kind {
                match self { $(Self::$variant(_) => Kind::$variant,)+ }
            }

            /// As a tree, whose paths are those of the fields.
            pub(crate) fn tree(&self) -> Value {
                match self { $(Self::$variant(settings) => tree(settings.as_ref()),)+ }
            }

            /// Makes one.
            pub(crate) async fn create(&self, session: &Session, address: &Address) -> Result<(), Failure> {
                match self { $(Self::$variant(desired) => Box::pin(<$kind as Manage>::create(session, address, desired)).await,)+ }
            }

            /// Makes a live one as these say.
            pub(crate) async fn update(&self, session: &Session, address: &Address, live: &Self) -> Result<(), Failure> {
                $(if let (Self::$variant(desired), Self::$variant(live)) = (self, live) {
                    return Box::pin(<$kind as Manage>::update(session, address, desired, live)).await;
                })+
                let message = format!("a {} cannot become a {}", live.kind().name(), self.kind().name());
                Err(Failure::found("update", Class::Invalid, message))
            }
        }
    };
}

kinds! {
    /// S3 buckets.
    Bucket = "bucket", bucket::Bucket;
    /// Our statements in the policies of buckets that are not ours.
    BucketStatement = "bucket statement", bucket_statement::BucketStatement;
    /// SQS queues.
    Queue = "queue", queue::Queue;
    /// IAM roles.
    Role = "role", role::Role;
    /// Log groups.
    LogGroup = "log group", log_group::LogGroup;
    /// Lambda functions.
    Function = "function", function::Function;
    /// Event invoke configurations of functions.
    EventInvoke = "event invoke", event_invoke::EventInvoke;
    /// Permissions to invoke functions.
    Permission = "permission", permission::Permission;
    /// SNS topics.
    Topic = "topic", topic::Topic;
    /// Subscriptions of topics.
    Subscription = "subscription", subscription::Subscription;
    /// Secrets.
    Secret = "secret", secret::Secret;
    /// SES's receipt rule sets.
    ReceiptRuleSet = "receipt rule set", receipt::rule_set::RuleSet;
    /// Receipt rules.
    ReceiptRule = "receipt rule", receipt::rule::Rule;
    /// The order of receipt rules in a set.
    ReceiptOrder = "receipt rule order", receipt::order::Order;
    /// Which rule set takes the account's mail.
    Activation = "active rule set", receipt::activation::Activation;
    /// Alarms on metrics.
    Alarm = "alarm", alarm::Alarm;
}

fn tree(settings: &impl Serialize) -> Value {
    // `Serialize` fails for maps whose keys are no strings; no kind has one.
    serde_json::to_value(settings).unwrap_or_default()
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
