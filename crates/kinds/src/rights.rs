//! What whoever runs the tool must be allowed to do in AWS, for each kind, in IAM's words.
//!
//! They stand beside the code that makes the calls: a kind without them cannot be written. What of them somebody needs depends
//! on what is to be done ([`Access`]); which resources they are for follows from the stack's names ([`Target`]).

/// Whether a right is for looking, for making and changing, or for deleting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody needs it.
    Read,
    /// `up` needs it for what is declared.
    Write,
    /// `up` and `down` need it for whatever may be there.
    Delete,
}

/// The resources that a right is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The stack's alarms.
    Alarms,
    /// All alarms: a list by a prefix is asked of all.
    AllAlarms,
    /// All log groups, likewise.
    AllLogGroups,
    /// What is in the stack's bucket for artefacts.
    Artifacts,
    /// The stack's buckets.
    Buckets,
    /// Buckets that are there already, and are declared.
    ExistingBuckets,
    /// The stack's functions.
    Functions,
    /// The stack's log groups.
    LogGroups,
    /// What is in the stack's buckets.
    Objects,
    /// The stack's roles, to be given to functions.
    PassedRoles,
    /// The stack's queues.
    Queues,
    /// The stack's roles.
    Roles,
    /// The stack's secrets.
    Secrets,
    /// The stack's topics, and their subscriptions.
    Topics,
    /// Roles by the stack's names alone: of a role that is not there IAM knows no path.
    UnknownRoles,
    /// SES's receipt rules, which are no resources to IAM.
    ReceiptRules,
}

/// The actions that IAM knows no resources for: the one list of them. All others are allowed on named resources alone. Source: "Actions, resources, and condition keys for AWS services".
pub const WITHOUT_RESOURCE: &[&str] = &[
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "iam:ListRoles",
    "lambda:GetAccountSettings",
    "lambda:ListFunctions",
    "s3:ListAllMyBuckets",
    "secretsmanager:ListSecrets",
    "ses:CreateReceiptRule",
    "ses:CreateReceiptRuleSet",
    "ses:DeleteReceiptRule",
    "ses:DeleteReceiptRuleSet",
    "ses:DescribeActiveReceiptRuleSet",
    "ses:DescribeReceiptRuleSet",
    "ses:GetIdentityVerificationAttributes",
    "ses:ListReceiptRuleSets",
    "ses:SetActiveReceiptRuleSet",
    "ses:SetReceiptRulePosition",
    "ses:UpdateReceiptRule",
    "sns:GetSubscriptionAttributes",
    "sns:ListTopics",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
    "sqs:ListQueues",
];

/// Some actions on some resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// Access: to read, to write or to delete.
    pub access: Access,
    /// Resources that the actions are allowed on.
    pub target: Target,
    /// `service:Action`.
    pub actions: &'static [&'static str],
}

/// What is needed to look.
pub const fn reads(target: Target, actions: &'static [&'static str]) -> Right {
    Right { access: Access::Read, target, actions }
}

/// What is needed to make and change.
pub const fn writes(target: Target, actions: &'static [&'static str]) -> Right {
    Right { access: Access::Write, target, actions }
}

/// What is needed to delete.
pub const fn deletes(target: Target, actions: &'static [&'static str]) -> Right {
    Right { access: Access::Delete, target, actions }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Kind;

    fn rights() -> impl Iterator<Item = (Kind, &'static Right)> {
        Kind::ALL.iter().flat_map(|kind| kind.rights().iter().map(|right| (*kind, right)))
    }

    #[test]
    fn every_kind_can_be_looked_at_made_and_deleted() {
        for kind in Kind::ALL {
            for access in [Access::Read, Access::Write, Access::Delete] {
                // An order has nothing that could be deleted.
                let is_there = kind.rights().iter().any(|right| right.access == access && !right.actions.is_empty());
                assert!(is_there || (*kind, access) == (Kind::ReceiptOrder, Access::Delete), "{kind:?} {access:?}");
            }
        }
    }

    #[test]
    fn actions_are_written_as_iam_does() {
        for (kind, right) in rights() {
            for action in right.actions {
                let (service, name) = action.split_once(':').unwrap();
                assert!(
                    service.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()),
                    "{kind:?} {action}"
                );
                let is_name = name.starts_with(|first: char| first.is_ascii_uppercase());
                assert!(is_name && name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{kind:?} {action}");
            }
        }
    }

    #[test]
    fn receipt_rules_are_no_resources() {
        let listed: BTreeSet<&str> = WITHOUT_RESOURCE.iter().copied().collect();
        assert!(
            rights()
                .filter(|(_, right)| right.target == Target::ReceiptRules)
                .all(|(_, right)| { right.actions.iter().all(|action| listed.contains(action)) })
        );
    }
}
