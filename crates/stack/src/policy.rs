//! The least IAM policy that running a command for a declaration needs: the permissions of its kinds, on this stack's names.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Names,
    desired::{self, Given, RuleSet},
    preconditions,
};
use aws::policy::{Policy, Statement};
use declaration::Declaration;
use engine::Stack;
use kinds::{
    Kind, Right,
    iam::role,
    rights::{Access, Target},
};

/// The command that a policy must allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `provision up`.
    Up,
    /// `provision diff`.
    Diff,
    /// `provision down`.
    Down,
}

/// EC2 actions that Lambda takes on behalf of whoever puts a function into a VPC; they have no resource level.
const NETWORK: &[&str] = &["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"];

impl Purpose {
    /// Returns `true` if a permission is needed. A resource to delete may be of any kind: it may no longer be declared.
    fn needs(self, right: &Right, is_declared: bool) -> bool {
        match (right.access, self) {
            (Access::Read, _) | (Access::Delete, Self::Up | Self::Down) => true,
            (Access::Write, Self::Up) => is_declared,
            (Access::Write, Self::Diff | Self::Down) | (Access::Delete, Self::Diff) => false,
        }
    }
}

/// Returns the policy: a statement for each kind of resource, and one for the actions without resource level.
pub fn policy(declaration: &Declaration, names: &Names, purpose: Purpose) -> Policy {
    let declared = kinds(declaration, names);
    let mut everywhere: BTreeSet<&str> = BTreeSet::new();
    let mut by_target: BTreeMap<Target, BTreeSet<&str>> = BTreeMap::new();
    for kind in Kind::ALL {
        for right in kind.rights().iter().filter(|right| purpose.needs(right, declared.contains(kind))) {
            for action in right.actions {
                if right.target == Target::Everything {
                    everywhere.insert(action);
                } else {
                    by_target.entry(right.target).or_default().insert(action);
                }
            }
        }
    }
    if purpose == Purpose::Up {
        everywhere.extend(preconditions::actions(declaration));
    }
    if purpose == Purpose::Up && declaration.functions.values().any(|function| function.vpc.is_some()) {
        everywhere.extend(NETWORK);
    }
    let statement = |actions: BTreeSet<&str>, resources: Vec<String>| {
        Statement::allow(&actions.into_iter().collect::<Vec<_>>(), resources)
    };
    let targeted = by_target.into_iter().filter_map(|(target, actions)| {
        let resources = arns(target, declaration, names);
        let statement = (!resources.is_empty()).then(|| statement(actions, resources))?;
        let statement = match target {
            Target::Passed(_) => {
                statement.when("StringEquals", "iam:PassedToService", ["lambda.amazonaws.com".to_owned()])
            }
            _ => statement,
        };
        Some((target.id(), statement))
    });
    Policy::new(targeted.chain([("Everything".to_owned(), statement(everywhere, vec!["*".to_owned()]))]))
}

/// Returns the kinds of all resources that a declaration implies, whichever rule set is active.
fn kinds(declaration: &Declaration, names: &Names) -> BTreeSet<Kind> {
    let given = Given { names, code: &BTreeMap::new(), artifacts: true, rule_set: &RuleSet::Own };
    desired::resources(declaration, given).iter().map(|resource| resource.id.kind).collect()
}

/// Returns the ARN patterns of a stack's resources. They cover every name with the stack's prefix: resources that are no longer
/// declared have to be found, too.
fn arns(target: Target, declaration: &Declaration, names: &Names) -> Vec<String> {
    let stack = names.stack();
    let of = |kind: Kind, name: &str| names.arn_of(kind, name);
    match target {
        Target::Own(kind) | Target::Passed(kind) => vec![of(kind, &kind.identity().own_names(stack))],
        Target::All(kind) => vec![of(kind, "*")],
        Target::Contents(kind) => vec![format!("{}/*", of(kind, &kind.identity().names_of_stack(stack)))],
        Target::Existing(kind) => {
            let existing = declaration.buckets.values().filter_map(|bucket| bucket.existing.as_ref());
            existing.map(|name| of(kind, name)).collect()
        }
        Target::WithoutPath(kind) => {
            let arn = of(kind, &kind.identity().names_of_stack(stack));
            vec![arn.replace(&role::path(&Stack { id: stack.to_owned() }), "/")]
        }
        Target::Artifacts => vec![format!("{}/*", of(Kind::Bucket, &names.artifacts()))],
        Target::Everything => vec!["*".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn policy_of(source: &str, purpose: Purpose) -> Policy {
        let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
        let declaration = &checked.declarations[0];
        policy(declaration, &Names::new(declaration, "123456789012"), purpose)
    }

    const QUEUE: &str = "stack: circuits\nregion: eu-west-1\nqueues: {failed: {}}\n";

    #[test]
    fn only_what_the_purpose_needs_is_allowed() {
        let actions = |purpose| {
            let policy = policy_of(QUEUE, purpose);
            policy.statements()["Queues"].actions.iter().cloned().collect::<Vec<_>>().join(" ")
        };
        let read = "sqs:GetQueueAttributes sqs:GetQueueUrl sqs:ListQueueTags";
        assert_eq!(actions(Purpose::Diff), read);
        assert_eq!(actions(Purpose::Down), format!("sqs:DeleteQueue {read}"));
        let all = format!("sqs:CreateQueue sqs:DeleteQueue {read} sqs:SetQueueAttributes sqs:TagQueue sqs:UntagQueue");
        assert_eq!(actions(Purpose::Up), all);
    }

    #[test]
    fn what_is_not_declared_can_be_deleted_and_not_made() {
        let policy = policy_of(QUEUE, Purpose::Up);
        let topics: Vec<&String> = policy.statements()["Topics"].actions.iter().collect();
        let expected = [
            "sns:DeleteTopic",
            "sns:GetTopicAttributes",
            "sns:ListSubscriptionsByTopic",
            "sns:ListTagsForResource",
            "sns:UntagResource",
        ];
        assert_eq!(topics, expected);
        assert!(!policy.statements().contains_key("PassedRoles"));
    }

    #[test]
    fn every_resource_is_named_but_where_there_is_none() {
        let policy = policy_of(QUEUE, Purpose::Up);
        for (id, statement) in policy.statements() {
            let is_everything = statement.resources.contains("*");
            assert_eq!(is_everything, id == "Everything", "{id}");
        }
        let everything = &policy.statements()["Everything"];
        // A write that IAM could limit to a resource must not be allowed on all. The exceptions are SES's receipt rules and
        // subscriptions, which have no ARN of their own there.
        let writes = everything.actions.iter().filter(|action| {
            let name = action.split_once(':').map_or("", |(_, name)| name);
            !["Get", "List", "Describe"].iter().any(|verb| name.starts_with(verb))
        });
        let expected =
            ["ses:DeleteReceiptRule", "ses:DeleteReceiptRuleSet", "ses:SetActiveReceiptRuleSet", "sns:Unsubscribe"];
        assert_eq!(writes.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_network_and_a_bucket_that_exists_need_more() {
        let source = "\
stack: circuits
region: eu-west-1
buckets: {archive: {existing: example-archive}}
functions:
  reader:
    crate: maintenance
    bin: reader
    reserved_concurrency: 1
    vpc: {subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d]}
receipt_rules: [{name: all, actions: [{store: archive}]}]
";
        let policy = policy_of(source, Purpose::Up);
        let statements = policy.statements();
        for action in ["ec2:DescribeSubnets", "ses:GetIdentityVerificationAttributes", "lambda:GetAccountSettings"] {
            assert!(statements["Everything"].actions.contains(action), "{action}");
        }
        assert_eq!(
            statements["ExistingBuckets"].resources,
            BTreeSet::from(["arn:aws:s3:::example-archive".to_owned()])
        );
        assert!(!policy_of(QUEUE, Purpose::Up).statements().contains_key("ExistingBuckets"));
    }

    #[test]
    fn the_policy_of_a_whole_stack_is_one_that_iam_takes() {
        let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra.yaml")).unwrap();
        let json = policy_of(&source, Purpose::Up).to_json();
        // IAM's limit for a managed policy; spaces do not count.
        assert!(json.len() <= 6_144, "{}", json.len());
    }
}
