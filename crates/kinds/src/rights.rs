//! The IAM permissions that whoever runs `provision` needs, for each kind.
//!
//! Each kind lists its permissions beside the code that makes the calls, as the constant `RIGHTS` of [`crate::Manage`]. Which of them a command
//! needs follows from [`Access`], and on which resources from [`Target`] and the stack's names.

use crate::Kind;

/// The purpose of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading, which every command needs that compares the declaration with the account.
    Read,
    /// Creating and changing, which `up` needs for declared kinds; `adopt` needs those that write tags.
    Write,
    /// Deleting, which `up` and `down` need for every kind: a resource to delete may be of a kind that is no longer declared.
    Delete,
}

/// The resources that a permission is for. Their ARNs follow from the kind's identity and the stack's names. Some targets are
/// patterns; the others stand for declared resources, and without any for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The stack's resources of a kind, with all their parts.
    Own(Kind),
    /// The objects in the stack's buckets.
    Objects,
    /// Resources of a kind that are declared as `existing`.
    Existing(Kind),
    /// The stack's resources of a kind by bare name: for a role that does not exist, IAM evaluates the ARN without its path.
    WithoutPath(Kind),
    /// The stack's roles, as they are passed to Lambda and EC2 (`iam:PassRole`).
    Passed(Kind),
    /// The stack's roles, on condition that they have the permissions boundary that is declared for them; without a condition if none is declared.
    Bounded(Kind),
    /// The stack's roles for which a permissions boundary is declared, on condition that it is this boundary that they get.
    Boundary(Kind),
    /// The KMS keys that are declared.
    Keys,
    /// The contents of the stack's bucket for artefacts.
    Artifacts,
    /// Event source mappings of the stack's functions, by a condition on the function: AWS chooses the ids of mappings.
    Mappings,
    /// Tags of event source mappings, to which no condition on the function applies.
    MappingTags,
    /// The list of HTTP APIs, and, if some are declared, all HTTP APIs with their parts and tags: AWS chooses their ids.
    Apis,
    /// The declared clusters of Kafka, the stack's and those that exist, with their declared topics.
    Kafka,
    /// The service-linked role of MSK in the account, if a cluster is created.
    KafkaRole,
    /// The secrets that RDS creates for its databases and whose names it chooses, if a database is declared.
    DatabaseSecrets,
    /// The service-linked role of RDS in the account, if a database is declared.
    DatabaseRole,
    /// The last snapshots that are taken when the stack's caches or databases are deleted, declared ones or not. They are known by their
    /// names: IAM checks the right to create a snapshot before it exists, and so before it has tags.
    LastSnapshots(Kind),
    /// The snapshots that declared caches are restored from, and `ElastiCache`'s default parameter groups for their engines.
    CacheParts,
    /// The files in S3 that declared caches are restored from.
    CacheObjects,
    /// The secrets with the passwords of declared caches.
    CachePasswords,
    /// The service-linked role of `ElastiCache` in the account, if a cache is declared.
    CacheRole,
    /// RDS's default option groups, if a database is declared: each database is in one.
    DatabaseOptions,
    /// The resources that EC2 launches a server with and that do not have the stack's tag, if a server is declared: images, key pairs,
    /// the server's own disk and network interface, and existing subnets and security groups.
    Launch,
    /// Existing security groups that declared servers are in.
    ExistingGroups,
    /// Declared public addresses that exist.
    ExistingAddresses,
    /// The parameters that name the images of declared servers.
    Images,
    /// `*`: the action has no resource level in IAM, or the names of its resources are not known before the call. Source: "Actions,
    /// resources, and condition keys for AWS services".
    Everything,
}

impl Target {
    /// Returns the id of its statement in a policy.
    pub fn id(self) -> String {
        match self {
            Self::Own(kind) => kind.identity().plural.to_owned(),
            Self::Objects => "Objects".to_owned(),
            Self::Existing(kind) => format!("Existing{}", kind.identity().plural),
            Self::WithoutPath(kind) => format!("Unknown{}", kind.identity().plural),
            Self::Passed(kind) => format!("Passed{}", kind.identity().plural),
            Self::Bounded(kind) => format!("RightsOf{}", kind.identity().plural),
            Self::Boundary(kind) => format!("BoundariesOf{}", kind.identity().plural),
            Self::Keys => "Keys".to_owned(),
            Self::Artifacts => "Artifacts".to_owned(),
            Self::MappingTags => "TagsOfMappings".to_owned(),
            Self::Apis => "HttpApis".to_owned(),
            Self::Mappings => "MappingsOfFunctions".to_owned(),
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
            Self::ExistingAddresses => "AddressesOfServers".to_owned(),
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
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn rights() -> impl Iterator<Item = (Kind, &'static Right)> {
        Kind::ALL.iter().flat_map(|kind| kind.rights().iter().map(|right| (*kind, right)))
    }

    #[test]
    fn every_kind_can_be_looked_at_made_and_deleted() {
        for kind in Kind::ALL {
            for access in [Access::Read, Access::Write, Access::Delete] {
                let is_listed = kind.rights().iter().any(|right| right.access == access && !right.actions.is_empty());
                // The order of rules cannot be deleted, and topics of Kafka never are.
                let is_deleted = ![Kind::ReceiptOrder, Kind::KafkaTopic].contains(kind);
                assert!(is_listed || !is_deleted && access == Access::Delete, "{kind:?} {access:?}");
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
                // A pattern may cover nothing but actions that read.
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
                | Target::Existing(named)
                | Target::WithoutPath(named)
                | Target::Passed(named)
                | Target::Bounded(named)
                | Target::Boundary(named)
                | Target::LastSnapshots(named) => named,
                Target::Objects
                | Target::Keys
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
        let actions = |on_everything: bool| {
            let rights = rights().filter(|(_, right)| (right.target == Target::Everything) == on_everything);
            rights.flat_map(|(_, right)| right.actions).copied().collect::<BTreeSet<_>>()
        };
        assert_eq!(actions(true).intersection(&actions(false)).collect::<Vec<_>>(), Vec::<&&str>::new());
    }

    #[test]
    fn the_names_of_kinds_differ() {
        let count = |name: fn(&Kind) -> &'static str| Kind::ALL.iter().map(name).collect::<BTreeSet<_>>().len();
        assert_eq!(count(|kind| kind.identity().name), Kind::ALL.len());
        assert_eq!(count(|kind| kind.identity().plural), Kind::ALL.len());
    }

    /// A policy has one statement for each id: of two targets with one id, the second statement would replace the first.
    #[test]
    fn the_ids_of_targets_differ() {
        const OF_A_KIND: [fn(Kind) -> Target; 7] = [
            Target::Own,
            Target::Existing,
            Target::WithoutPath,
            Target::Passed,
            Target::Bounded,
            Target::Boundary,
            Target::LastSnapshots,
        ];
        let of_kinds = Kind::ALL.iter().flat_map(|kind| OF_A_KIND.map(|target| target(*kind)));
        let targets: BTreeSet<Target> = rights().map(|(_, right)| right.target).chain(of_kinds).collect();
        let mut by_id: BTreeMap<String, Vec<Target>> = BTreeMap::new();
        for target in targets {
            by_id.entry(target.id()).or_default().push(target);
        }
        let shared: Vec<_> = by_id.iter().filter(|(_, targets)| targets.len() > 1).collect();
        assert!(shared.is_empty(), "{shared:?}");
    }
}
