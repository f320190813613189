//! Permissions that running the tool needs, for each kind, in IAM's words.
//!
//! They are beside the code that makes the calls: a kind without them cannot be written. The command decides which of them are
//! needed ([`Access`]); the stack's names decide on which resources ([`Target`]).

use crate::Kind;

/// The purpose of a permission: reading, creating and changing, or deleting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Every command needs it.
    Read,
    /// `up` needs it for declared kinds.
    Write,
    /// `up` and `down` need it for every kind that may exist.
    Delete,
}

/// The resources that a permission is for. Their ARNs follow from the kind's identity and the stack's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The stack's resources of a kind, with all their parts.
    Own(Kind),
    /// The contents of the stack's resources of a kind: objects in buckets.
    Contents(Kind),
    /// Declared resources of a kind that exist already.
    Existing(Kind),
    /// The stack's resources of a kind by bare name: for a role that does not exist, IAM evaluates the ARN without its path.
    WithoutPath(Kind),
    /// The stack's roles, to be given to functions and servers.
    Passed(Kind),
    /// The stack's roles, as long as they have the boundary that is declared for them.
    Bounded(Kind),
    /// The stack's roles that a boundary is declared for: they are given that one.
    Boundary(Kind),
    /// The KMS keys that are declared.
    Keys,
    /// The contents of the stack's bucket for artefacts.
    Artifacts,
    /// Event source mappings: AWS chooses their names.
    Mappings,
    /// Tags of event source mappings, for which IAM does not look at functions.
    MappingTags,
    /// The list of HTTP APIs, and, where some are declared, all of them with their parts and tags: AWS chooses their names.
    Apis,
    /// The declared clusters of Kafka, the stack's and those that exist, with their declared topics.
    Kafka,
    /// The role that MSK has in an account.
    KafkaRole,
    /// The secrets that RDS makes for databases, if some are declared: it chooses their names.
    DatabaseSecrets,
    /// The role that RDS has in an account.
    DatabaseRole,
    /// The snapshots that caches or databases leave at their end, declared or not. IAM checks the right before a snapshot exists,
    /// so that no tag can tell whose it is.
    LastSnapshots(Kind),
    /// The snapshots that caches begin with, and the parameters that `ElastiCache` has for engines, if some are declared.
    CacheParts,
    /// The files in S3 that caches begin with.
    CacheObjects,
    /// The secrets with the passwords of caches.
    CachePasswords,
    /// The role that `ElastiCache` has in an account.
    CacheRole,
    /// RDS's own groups of options, one of which each database is in, if some are declared.
    DatabaseOptions,
    /// Parts of a server that are not the stack's: images, key pairs, its own disk and interface, and declared subnets
    /// and groups that exist, if some server is declared.
    Launch,
    /// Existing security groups that declared servers are in.
    ExistingGroups,
    /// Declared public addresses that exist.
    ExistingAddresses,
    /// The parameters that name the images of declared servers.
    Images,
    /// `*`: IAM has no resources for the action, or the call is made for resources whose names nobody knows before. Source: "Actions, resources,
    /// and condition keys for AWS services".
    Everything,
}

impl Target {
    /// Returns the id of its statement in a policy.
    pub fn id(self) -> String {
        match self {
            Self::Own(kind) => kind.identity().plural.to_owned(),
            Self::Contents(_) => "Objects".to_owned(),
            Self::Existing(kind) => format!("Existing{}", kind.identity().plural),
            Self::WithoutPath(kind) => format!("Unknown{}", kind.identity().plural),
            Self::Passed(kind) => format!("Passed{}", kind.identity().plural),
            Self::Bounded(kind) => format!("RightsOf{}", kind.identity().plural),
            Self::Boundary(kind) => format!("BoundariesOf{}", kind.identity().plural),
            Self::Keys => "Keys".to_owned(),
            Self::Artifacts => "Artifacts".to_owned(),
            Self::MappingTags => "TagsOfMappings".to_owned(),
            Self::Apis => "HttpApis".to_owned(),
            Self::Mappings => "Mappings".to_owned(),
            Self::Kafka => "Kafka".to_owned(),
            Self::KafkaRole => "RoleOfKafka".to_owned(),
            Self::DatabaseSecrets => "SecretsOfDatabases".to_owned(),
            Self::DatabaseRole => "RoleOfDatabases".to_owned(),
            Self::LastSnapshots(kind) => format!("LastSnapshotsOf{}", kind.identity().plural),
            Self::CacheParts => "PartsOfCaches".to_owned(),
            Self::CacheObjects => "DataOfCaches".to_owned(),
            Self::CachePasswords => "PasswordsOfCaches".to_owned(),
            Self::CacheRole => "RoleOfCaches".to_owned(),
            Self::DatabaseOptions => "OptionsOfDatabases".to_owned(),
            Self::Launch => "Launch".to_owned(),
            Self::ExistingGroups => "ExistingGroups".to_owned(),
            Self::ExistingAddresses => "ExistingAddresses".to_owned(),
            Self::Images => "Images".to_owned(),
            Self::Everything => "Everything".to_owned(),
        }
    }
}

/// A permission: some actions on some resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// Access: to read, to write or to delete.
    pub access: Access,
    /// Resources that the actions are allowed on.
    pub target: Target,
    /// Actions that are allowed, as `service:Action`.
    pub actions: &'static [&'static str],
}

/// Returns the permission for reading.
pub const fn reads(target: Target, actions: &'static [&'static str]) -> Right {
    Right { access: Access::Read, target, actions }
}

/// Returns the permission for creating and changing.
pub const fn writes(target: Target, actions: &'static [&'static str]) -> Right {
    Right { access: Access::Write, target, actions }
}

/// Returns the permission for deleting.
pub const fn deletes(target: Target, actions: &'static [&'static str]) -> Right {
    Right { access: Access::Delete, target, actions }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn rights() -> impl Iterator<Item = (Kind, &'static Right)> {
        Kind::ALL.iter().flat_map(|kind| kind.rights().iter().map(|right| (*kind, right)))
    }

    #[test]
    fn every_kind_can_be_looked_at_made_and_deleted() {
        for kind in Kind::ALL {
            for access in [Access::Read, Access::Write, Access::Delete] {
                // An order cannot be deleted by itself, and topics of Kafka never are.
                let is_there = kind.rights().iter().any(|right| right.access == access && !right.actions.is_empty());
                let is_deleted = ![Kind::ReceiptOrder, Kind::KafkaTopic].contains(kind);
                assert!(is_there || !is_deleted && access == Access::Delete, "{kind:?} {access:?}");
            }
        }
    }

    #[test]
    fn actions_are_written_as_iam_does() {
        for (kind, right) in rights() {
            for action in right.actions {
                let (service, name) = action.split_once(':').unwrap();
                assert!(
                    service.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
                    "{kind:?} {action}"
                );
                let is_name = name.starts_with(|first: char| first.is_ascii_uppercase());
                // Actions of reading alone are told by the beginning of their names.
                let is_reading = ["Get", "List", "Describe"].iter().any(|verb| name.starts_with(verb));
                let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'*' && is_reading;
                assert!(is_name && name.bytes().all(is_part), "{kind:?} {action}");
            }
        }
    }

    #[test]
    fn a_right_on_resources_is_one_of_a_kind_that_has_arns() {
        for (kind, right) in rights() {
            let named = match right.target {
                Target::Own(named)
                | Target::Contents(named)
                | Target::Existing(named)
                | Target::WithoutPath(named)
                | Target::Passed(named)
                | Target::Bounded(named)
                | Target::Boundary(named)
                | Target::LastSnapshots(named) => named,
                Target::Keys
                | Target::Artifacts
                | Target::Mappings
                | Target::MappingTags
                | Target::Apis
                | Target::Kafka
                | Target::KafkaRole
                | Target::DatabaseSecrets
                | Target::DatabaseRole
                | Target::CacheParts
                | Target::CacheObjects
                | Target::CachePasswords
                | Target::CacheRole
                | Target::DatabaseOptions
                | Target::Launch
                | Target::ExistingGroups
                | Target::ExistingAddresses
                | Target::Images
                | Target::Everything => continue,
            };
            assert!(named.identity().arn.is_some(), "{kind:?} {right:?}");
        }
    }

    #[test]
    fn no_action_is_allowed_on_named_resources_here_and_on_all_there() {
        let of = |everything: bool| {
            let rights = rights().filter(|(_, right)| (right.target == Target::Everything) == everything);
            rights.flat_map(|(_, right)| right.actions).copied().collect::<BTreeSet<_>>()
        };
        assert_eq!(of(true).intersection(&of(false)).collect::<Vec<_>>(), Vec::<&&str>::new());
    }

    #[test]
    fn the_names_of_kinds_differ() {
        let of = |name: fn(&Kind) -> &'static str| Kind::ALL.iter().map(name).collect::<BTreeSet<_>>().len();
        assert_eq!(of(|kind| kind.identity().name), Kind::ALL.len());
        assert_eq!(of(|kind| kind.identity().plural), Kind::ALL.len());
    }
}
