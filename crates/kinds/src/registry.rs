//! The one registry of kinds: a kind that is not here does not exist, and one that is here is read, planned, applied,
//! listed, printed and tested like all the others.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::Value;

use engine::{Address, Children, Class, Failure, Field, Holds, Live, Owned, Protection, Slow, Tags, Widening};

use crate::{
    Condition, Identity, Manage, Right, Session, apigateway, cloudwatch, dynamodb, ec2, elasticache, iam, kafka,
    lambda, logs, rds, s3, secretsmanager, server, ses, sns, sqs, widening,
};

/// Creates the enums over all kinds, and passes each call on to the kind's own code.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $kind:ty;)+) => {
        /// A kind of AWS resource, in the order in which resources are shown.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $variant,)+
        }

        /// The settings of one resource. They are boxed: some are large, and most are of kinds that are small.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Settings {
            $($(#[$doc])* $variant(Box<<$kind as Manage>::Settings>),)+
        }

        $(impl From<<$kind as Manage>::Settings> for Settings {
            fn from(settings: <$kind as Manage>::Settings) -> Self {
                Self::$variant(Box::new(settings))
            }
        })+

        impl Kind {
            /// All kinds, in the order in which resources are shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the identity, from which names, ARNs, permissions and outputs follow.
            pub const fn identity(self) -> Identity {
                match self { $(Self::$variant => <$kind as Manage>::IDENTITY,)+ }
            }

            /// Returns its name in a plan, before an entry's name.
            pub const fn name(self) -> &'static str {
                self.identity().name
            }

            /// Returns every field of the kind's settings.
            pub const fn fields(self) -> &'static [Field] {
                match self { $(Self::$variant => <$kind as Manage>::FIELDS,)+ }
            }

            /// Returns the kinds that a resource of this kind may refer to.
            pub const fn refers_to(self) -> &'static [Self] {
                match self { $(Self::$variant => <$kind as Manage>::REFERS_TO,)+ }
            }

            /// Returns how it holds data that is lost with a resource. An entry with a dot is of something that another entry implies,
            /// and holds what can be made again.
            pub fn holds(self, entry: &str) -> Holds {
                if entry.contains('.') {
                    return Holds::Nothing;
                }
                match self { $(Self::$variant => <$kind as Manage>::HOLDS,)+ }
            }

            /// Returns the permissions that its calls need.
            pub const fn rights(self) -> &'static [Right] {
                match self { $(Self::$variant => <$kind as Manage>::RIGHTS,)+ }
            }
        }

        impl Settings {
            /// Returns the kind that the settings belong to.
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$variant(_) => Kind::$variant,)+ }
            }

            /// Returns the condition of a live resource: it may exist, as declared, and not work.
            pub fn condition(&self) -> Condition {
                match self { $(Self::$variant(live) => <$kind as Manage>::condition(live),)+ }
            }

            /// Returns the tags among the settings; `None` for a kind that AWS keeps no tags of.
            pub fn tags_mut(&mut self) -> Option<&mut Tags> {
                match self { $(Self::$variant(settings) => <$kind as Manage>::tags(settings),)+ }
            }

            /// Returns settings of a kind with a value in every field.
            #[cfg(test)]
            pub(crate) fn full(kind: Kind) -> Self {
                match kind { $(Kind::$variant => <$kind as Manage>::full().into(),)+ }
            }

            /// Returns the settings as a tree, whose paths are those of the fields.
            pub fn tree(&self) -> Value {
                match self { $(Self::$variant(settings) => tree(settings.as_ref()),)+ }
            }
        }

        impl engine::Kind for Kind {
            type Session = Session;
            type Settings = Settings;

            fn all() -> &'static [Self] {
                Self::ALL
            }

            fn name(self) -> &'static str {
                self.name()
            }

            fn fields(self) -> &'static [Field] {
                self.fields()
            }

            fn refers_to(self) -> &'static [Self] {
                self.refers_to()
            }

            fn holds(self, entry: &str) -> Holds {
                self.holds(entry)
            }

            fn tree(settings: &Settings) -> Value {
                settings.tree()
            }

            // Boxed like the others: a future is as large as all calls that it may contain.
            async fn read(self, session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
                match self {
                    $(Self::$variant => {
                        let live = Box::pin(<$kind as Manage>::read(session, address)).await?;
                        Ok(live.map(|live| Live { settings: live.settings.into(), owner: live.owner }))
                    })+
                }
            }

            async fn create(settings: &Settings, session: &Session, address: &Address) -> Result<(), Failure> {
                match settings {
                    $(Settings::$variant(desired) => Box::pin(<$kind as Manage>::create(session, address, desired)).await,)+
                }
            }

            async fn update(
                settings: &Settings,
                session: &Session,
                address: &Address,
                live: &Settings,
            ) -> Result<(), Failure> {
                $(if let (Settings::$variant(desired), Settings::$variant(live)) = (settings, live) {
                    return Box::pin(<$kind as Manage>::update(session, address, desired, live)).await;
                })+
                let message = format!("a {} cannot become a {}", live.kind().name(), settings.kind().name());
                Err(Failure::found("update", Class::Invalid, message))
            }

            async fn delete(self, session: &Session, address: &Address) -> Result<(), Failure> {
                match self { $(Self::$variant => Box::pin(<$kind as Manage>::delete(session, address)).await,)+ }
            }

            fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
                $(if let (Settings::$variant(desired), Settings::$variant(live)) = (&mut *desired, live) {
                    return <$kind as Manage>::keep_protections(desired, live);
                })+
                Vec::new()
            }

            fn children(settings: &mut Settings) -> Option<&mut Children> {
                match settings { $(Settings::$variant(settings) => <$kind as Manage>::children(settings),)+ }
            }

            fn judge_children(live: &mut Settings, desired: &Settings) {
                $(if let (Settings::$variant(live), Settings::$variant(desired)) = (&mut *live, desired) {
                    <$kind as Manage>::judge_children(live, desired);
                })+
            }

            fn interim(desired: &Settings, live: &Settings) -> Settings {
                $(if let (Settings::$variant(desired), Settings::$variant(live)) = (desired, live) {
                    return <$kind as Manage>::interim(desired, live).into();
                })+
                desired.clone()
            }

            fn interruption(self) -> Option<Duration> {
                match self { $(Self::$variant => <$kind as Manage>::INTERRUPTION,)+ }
            }

            fn stands_for_id(self) -> Option<String> {
                match self { $(Self::$variant => <$kind as Manage>::stands_for_id(),)+ }
            }

            fn widenings(live: Option<&Settings>, desired: &Settings) -> Vec<Widening> {
                widening::widenings(live, desired)
            }

            fn under_way(live: &Settings) -> Option<&'static str> {
                match live { $(Settings::$variant(live) => <$kind as Manage>::under_way(live),)+ }
            }

            fn slow(live: Option<&Settings>, desired: &Settings) -> Option<Slow> {
                match desired {
                    $(Settings::$variant(desired) => {
                        let live = live.and_then(|live| match live {
                            Settings::$variant(live) => Some(live.as_ref()),
                            _ => None,
                        });
                        <$kind as Manage>::slow(live, desired)
                    })+
                }
            }

            fn ends_in(self) -> Option<Slow> {
                match self { $(Self::$variant => <$kind as Manage>::ENDS_IN,)+ }
            }

            async fn forget(session: &Session) {
                session.receipt.forget().await;
                session.apis.forget().await;
                session.networks.forget().await;
            }

            fn created_at(live: &Settings) -> Option<SystemTime> {
                match live { $(Settings::$variant(live) => <$kind as Manage>::created_at(live),)+ }
            }

            async fn holds_data(self, session: &Session, address: &Address) -> Result<Option<String>, Failure> {
                match self { $(Self::$variant => Box::pin(<$kind as Manage>::holds_data(session, address)).await,)+ }
            }

            async fn list_owned(self, session: &Session) -> Result<Vec<Owned>, Failure> {
                match self { $(Self::$variant => Box::pin(<$kind as Manage>::list_owned(session)).await,)+ }
            }
        }
    };
}

kinds! {
    /// S3 buckets.
    Bucket = s3::bucket::Bucket;
    /// Our statements in the policies of buckets that are not ours.
    BucketStatement = s3::bucket_statement::BucketStatement;
    /// SQS queues.
    Queue = sqs::queue::Queue;
    /// IAM roles.
    Role = iam::role::Role;
    /// Access logs of APIs.
    AccessLog = logs::access_log::AccessLog;
    /// Log groups of functions.
    LogGroup = logs::log_group::LogGroup;
    /// Lambda functions.
    Function = lambda::function::Function;
    /// Event invoke configurations of functions.
    EventInvoke = lambda::event_invoke::EventInvoke;
    /// HTTP APIs.
    Api = apigateway::api::Api;
    /// Event source mappings: queues whose messages invoke functions.
    Mapping = lambda::mapping::Mapping;
    /// Permissions to invoke functions.
    Permission = lambda::permission::Permission;
    /// SNS topics.
    Topic = sns::topic::Topic;
    /// Subscriptions of queues, functions and addresses to topics.
    Subscription = sns::subscription::Subscription;
    /// `DynamoDB` tables.
    Table = dynamodb::table::Table;
    /// Clusters of Kafka.
    Cluster = kafka::cluster::Cluster;
    /// Topics in clusters of Kafka.
    KafkaTopic = kafka::topic::Topic;
    /// Groups of subnets of databases.
    DatabaseSubnets = rds::subnet_group::SubnetGroup;
    /// Groups of parameters of databases.
    DatabaseParameters = rds::parameter_group::ParameterGroup;
    /// Databases of RDS, which calls them instances.
    Database = rds::instance::Instance;
    /// Groups of subnets of caches.
    CacheSubnets = elasticache::subnet_group::SubnetGroup;
    /// Caches of `ElastiCache`, which calls them replication groups.
    Cache = elasticache::replication_group::ReplicationGroup;
    /// Secrets of Secrets Manager, without their values.
    Secret = secretsmanager::secret::Secret;
    /// SES's receipt rule sets.
    ReceiptRuleSet = ses::rule_set::RuleSet;
    /// Receipt rules of SES.
    ReceiptRule = ses::rule::Rule;
    /// The order of receipt rules in a set.
    ReceiptOrder = ses::order::Order;
    /// The activation of a rule set, of which an account has one.
    Activation = ses::activation::Activation;
    /// Receipt IP address filters, which SES asks before any rule.
    ReceiptFilter = ses::filter::Filter;
    /// Configuration sets of SES.
    ConfigurationSet = ses::configuration_set::ConfigurationSet;
    /// Topics that hear the feedback about identities of SES.
    Feedback = ses::feedback::Feedback;
    /// Networks: virtual private clouds.
    Network = ec2::network::Network;
    /// Subnets of networks.
    Subnet = ec2::subnet::Subnet;
    /// Internet gateways of networks.
    InternetGateway = ec2::internet_gateway::InternetGateway;
    /// Route tables of networks.
    RouteTable = ec2::route_table::RouteTable;
    /// Security groups, with their rules.
    SecurityGroup = ec2::security_group::SecurityGroup;
    /// Public addresses, which EC2 calls elastic ones.
    Address = ec2::address::Address;
    /// NAT gateways of networks.
    NatGateway = ec2::nat_gateway::NatGateway;
    /// Gateway endpoints of networks.
    Endpoint = ec2::endpoint::Endpoint;
    /// Instance profiles: the roles of servers.
    InstanceProfile = iam::instance_profile::InstanceProfile;
    /// Disks of servers for data.
    Volume = ec2::volume::Volume;
    /// Servers, which EC2 calls instances.
    Server = server::Server;
    /// Alarms on metrics.
    Alarm = cloudwatch::alarm::Alarm;
}

fn tree(settings: &impl Serialize) -> Value {
    // `Serialize` fails only for maps whose keys are not strings; no kind has one.
    serde_json::to_value(settings).unwrap_or_default()
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
