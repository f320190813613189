//! The least IAM policy for running a command with a declaration: the permissions of the kinds that the command needs, on the resources of
//! this stack.

mod parts;
mod resources;
mod sent;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::{Names, existing, preconditions, purpose::Purpose};
use aws::policy::{Policy, Statement};
use declaration::Declaration;
use engine::STACK_TAG;
use kinds::{
    Kind, Right,
    rights::{Access, Target},
};

pub use parts::{LIMIT, parts};
use resources::{Declared, arns, bounded, creating_action, functions, tagging};
pub use sent::BODIES;

/// KMS actions that services take on behalf of a caller who sets a key or writes what it encrypts.
const KEY_ACTIONS: &[&str] =
    &["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"];
/// Further KMS actions that EBS takes on behalf of a caller who creates an encrypted disk. Source: the user guide of EBS, "Permissions for IAM
/// users".
const DISK_KEY_ACTIONS: &[&str] = &["kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"];
/// Action by which `replay` sends a dead letter back to the queue that a function consumes.
const SEND_MESSAGE: &str = "sqs:SendMessage";
/// Action by which keys are looked up.
const DESCRIBE_KEY: &str = "kms:DescribeKey";
/// EC2 actions that Lambda takes on behalf of a caller who puts a function into a VPC; they have no resource level.
const VPC_ACTIONS: &[&str] = &["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"];
/// Action by which EC2 tags new and existing resources.
const CREATE_TAGS: &str = "ec2:CreateTags";
/// Action by which a function is taken out of its VPC before it is deleted.
const LEAVE_VPC: &str = "lambda:UpdateFunctionConfiguration";
/// EC2 actions by which a run waits until Lambda has deleted a function's network interfaces, and deletes those that are left, before it
/// deletes the function's role. AWS chooses the names of network interfaces, and those that Lambda creates have no tags.
const INTERFACE_ACTIONS: &[&str] = &["ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces"];
/// Action that deletes the event source mapping of a function that is no longer declared; the mapping has the stack's tag.
const DELETE_MAPPING: &str = "lambda:DeleteEventSourceMapping";

/// Returns the policy for a command. The id of each statement names its target. Statements of targets with the same resources and conditions
/// become one, with the id of the first of them, since IAM limits the size of a policy; [`parts()`] divides a policy that is too large.
///
/// ```
/// use std::path::Path;
///
/// use declaration::Declaration;
/// use stack::{Names, Purpose, policy::policy};
///
/// let source = "stack: shop\nregion: eu-west-1\nqueues: {orders: {}}\n";
/// let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
/// let declaration = &checked.declarations[0];
/// let names = Names::new(declaration, "123456789012");
///
/// let policy = policy(declaration, &names, Purpose::Diff);
/// let queues = &policy.statements()["Queues"];
/// assert!(queues.resources.contains("arn:aws:sqs:eu-west-1:123456789012:shop-orders"));
/// assert!(queues.actions.iter().all(|action| action.starts_with("sqs:Get") || action.starts_with("sqs:List")));
/// ```
pub fn policy(declaration: &Declaration, names: &Names, purpose: Purpose<'_>) -> Policy {
    let declared = Declared::new(declaration, names, purpose);
    let actions = Actions::new(declaration, &declared, purpose);
    let described_keys = actions.described_keys(declaration, purpose);
    let Actions { everywhere, by_target, removed } = actions;
    let targeted = by_target.into_iter().flat_map(|(target, actions)| {
        if let Target::Bounded(kind) | Target::Boundary(kind) = target {
            return bounded(target, kind, &actions, declaration, names);
        }
        let resources = arns(target, declaration, names, &declared);
        if resources.is_empty() {
            return Vec::new();
        }
        split_by_tag(target, limited(target, allow(actions, resources), declaration, names), names)
    });
    let owner = format!("aws:ResourceTag/{STACK_TAG}");
    let removed = allow(removed, vec!["*".to_owned()]).when("StringEquals", &owner, [names.stack().id()]);
    let removed = Some(("Removed".to_owned(), removed)).filter(|(_, removed)| !removed.actions.is_empty());
    let adopted = match purpose {
        Purpose::Adopt(kind, name) => {
            let (actions, resources) = tagging(kind, name, names);
            Some(("Adopted".to_owned(), allow(actions, resources)))
        }
        _ => None,
    };
    let everything = ("Everything".to_owned(), allow(everywhere, vec!["*".to_owned()]));
    let everything = Some(everything).filter(|(_, everything)| !everything.actions.is_empty());
    Policy::new(
        merge(targeted)
            .into_iter()
            .chain(described_keys)
            .chain(adopted)
            .chain(purpose.mails(declaration, names))
            .chain(sent::statements(declaration, names, purpose))
            .chain(removed)
            .chain(everything),
    )
}

/// The actions that a command needs, by the resources that they are allowed on.
struct Actions<'actions> {
    /// Actions on `*`: they have no resource level, or the names of their resources are unknown before the call.
    everywhere: BTreeSet<&'actions str>,
    /// Actions by target, which stands for declared resources or for a pattern of names.
    by_target: BTreeMap<Target, BTreeSet<&'actions str>>,
    /// Actions that read, delete, or prepare a deletion, on every resource with the stack's tag: it may no longer be declared.
    removed: BTreeSet<&'actions str>,
}

impl Actions<'_> {
    fn new(declaration: &Declaration, declared: &Declared, purpose: Purpose<'_>) -> Self {
        let everywhere = purpose.everywhere().into_iter().collect();
        let mut actions = Self { everywhere, by_target: BTreeMap::new(), removed: BTreeSet::new() };
        for kind in Kind::ALL {
            for right in kind.rights().iter().filter(|right| purpose.needs(right, declared.has(*kind))) {
                actions.add(right);
            }
        }
        for (target, own) in purpose.own_calls() {
            actions.by_target.entry(*target).or_default().extend(*own);
        }
        let everywhere = &mut actions.everywhere;
        if purpose.compares() && existing::has_unknown_keys(declaration) {
            everywhere.insert(DESCRIBE_KEY);
        }
        let is_in_vpc = declaration.functions.values().any(|function| function.vpc.is_some());
        if purpose == Purpose::Up {
            everywhere.extend(preconditions::actions(declaration));
            everywhere.extend(is_in_vpc.then_some(VPC_ACTIONS).into_iter().flatten());
        }
        if matches!(purpose, Purpose::Up | Purpose::Down) {
            // An undeclared function, or one that is no longer in a VPC, may have been in a VPC and may have consumed a queue.
            everywhere.extend(INTERFACE_ACTIONS);
            actions.removed.extend([LEAVE_VPC, DELETE_MAPPING]);
            if is_in_vpc {
                actions.by_target.entry(Target::Own(Kind::Function)).or_default().insert(LEAVE_VPC);
            }
        }
        let sends_back =
            purpose == Purpose::Replay && declaration.functions.values().any(|function| function.consumes.is_some());
        if sends_back {
            actions.by_target.entry(Target::Own(Kind::Queue)).or_default().insert(SEND_MESSAGE);
        }
        let on_keys = Self::on_keys(declared, purpose, sends_back);
        if !on_keys.is_empty() {
            actions.by_target.entry(Target::Keys).or_default().extend(on_keys);
        }
        actions
    }

    /// Returns the actions on the declared KMS keys. `sends_back` is `true` if messages are sent back to a queue, which may be encrypted.
    fn on_keys(declared: &Declared, purpose: Purpose<'_>, sends_back: bool) -> BTreeSet<&'static str> {
        match purpose {
            Purpose::Up => {
                let for_disks = declared.has(Kind::Volume).then_some(DISK_KEY_ACTIONS).into_iter().flatten();
                KEY_ACTIONS.iter().chain(for_disks).copied().collect()
            }
            // These commands read what may be encrypted: mails, events, lines of a log. Some of them write it, too.
            Purpose::Replay
            | Purpose::Logs
            | Purpose::Backfill
            | Purpose::Send
            | Purpose::Track
            | Purpose::Timeline(_) => {
                let sends = sends_back || matches!(purpose, Purpose::Backfill | Purpose::Send);
                let writes = sends.then_some("kms:GenerateDataKey");
                ["kms:Decrypt"].into_iter().chain(writes).collect()
            }
            // Lambda decrypts the environment of a function with the rights of whoever reads it.
            _ if purpose.compares() && declared.has(Kind::Function) => ["kms:Decrypt"].into(),
            _ => BTreeSet::new(),
        }
    }

    /// Adds a permission of a kind.
    fn add(&mut self, right: &'static Right) {
        if is_needed_on_removed(right) {
            self.removed.extend(right.actions);
        }
        for action in right.actions {
            if right.target == Target::Everything {
                self.everywhere.insert(action);
            } else {
                self.by_target.entry(right.target).or_default().insert(action);
            }
        }
    }

    /// Returns the statement that lets `up` check the declared keys before the first change; `None` for other commands, if no key is
    /// declared, or if all keys of the account may be described.
    fn described_keys(&self, declaration: &Declaration, purpose: Purpose<'_>) -> Option<(String, Statement)> {
        let keys = declaration.kms_keys();
        let is_needed = purpose == Purpose::Up && !keys.is_empty() && !self.everywhere.contains(DESCRIBE_KEY);
        is_needed.then(|| ("DescribedKeys".to_owned(), Statement::allow(&[DESCRIBE_KEY], keys)))
    }
}

fn allow(actions: BTreeSet<&str>, resources: Vec<String>) -> Statement {
    Statement::allow(&actions.into_iter().collect::<Vec<_>>(), resources)
}

/// Returns a statement with the conditions that its target asks for.
fn limited(target: Target, statement: Statement, declaration: &Declaration, names: &Names) -> Statement {
    match target {
        Target::Passed(_) => {
            let services = [
                ("ec2.amazonaws.com", !declaration.servers.is_empty()),
                ("lambda.amazonaws.com", declaration.lambda_functions().next().is_some()),
            ];
            let services = services.into_iter().filter(|(_, is_used)| *is_used).map(|(service, _)| service.to_owned());
            statement.when("StringEquals", "iam:PassedToService", services)
        }
        // The caller may use a key only through a service that encrypts with it.
        Target::Keys => statement.when("StringEquals", "kms:ViaService", key_services(names)),
        // AWS chooses the ids of mappings, so that a condition on the function identifies them.
        Target::Mappings => statement.when("ArnLike", "lambda:FunctionArn", functions(declaration, names)),
        _ => statement,
    }
}

/// Splits a statement about resources whose ids AWS chooses, and which a policy therefore cannot name, into up to three: creation,
/// with the stack's tag in the request; tagging, by the call that creates them; and every change, tagging included, of what has the stack's
/// tag. Returns any other statement as it is.
fn split_by_tag(target: Target, statement: Statement, names: &Names) -> Vec<(String, Statement)> {
    let id = target.id();
    let Target::Own(kind) = target else { return vec![(id, statement)] };
    let Some(creating) = creating_action(kind) else { return vec![(id, statement)] };
    let (create, change): (BTreeSet<String>, BTreeSet<String>) =
        statement.actions.iter().cloned().partition(|action| action == creating);
    let tag: BTreeSet<String> =
        change.iter().filter(|action| !create.is_empty() && *action == CREATE_TAGS).cloned().collect();
    let stack = names.stack().id();
    let allow_only = |actions: BTreeSet<String>| Statement { actions, ..statement.clone() };
    let request_tag = format!("aws:RequestTag/{STACK_TAG}");
    let resource_tag = format!("aws:ResourceTag/{STACK_TAG}");
    // `ec2:CreateAction` holds the action without its service.
    let create_action = creating.split_once(':').map_or(creating, |(_, action)| action).to_owned();
    let all = [
        (format!("New{id}"), allow_only(create).when("StringEquals", &request_tag, [stack.clone()])),
        (format!("TagsOfNew{id}"), allow_only(tag).when("StringEquals", "ec2:CreateAction", [create_action])),
        (id, allow_only(change).when("StringEquals", &resource_tag, [stack])),
    ];
    all.into_iter().filter(|(_, statement)| !statement.actions.is_empty()).collect()
}

/// Merges statements with the same resources and conditions into one, which keeps the id of the first of them.
fn merge(statements: impl Iterator<Item = (String, Statement)>) -> Vec<(String, Statement)> {
    let mut merged: Vec<(String, Statement)> = Vec::new();
    for (id, statement) in statements {
        let is_alike =
            |other: &Statement| (&other.resources, &other.conditions) == (&statement.resources, &statement.conditions);
        match merged.iter_mut().find(|(_, other)| is_alike(other)) {
            Some((_, other)) => other.actions.extend(statement.actions),
            None => merged.push((id, statement)),
        }
    }
    merged
}

/// Returns `true` if a permission is also needed on undeclared resources with the stack's tag: it reads or deletes.
///
/// Kinds without tags have no actions of their own here: theirs are on what they are part of, or on `*`.
///
/// Roles and instance profiles are left out, since a pattern of their path covers undeclared ones; so are buckets, since S3 does not
/// evaluate a bucket's tags unless ABAC is enabled for it: deleting an undeclared bucket needs the policy for a declaration that has it.
fn is_needed_on_removed(right: &Right) -> bool {
    let is_known_by_tag = match right.target {
        Target::Own(kind) => !matches!(kind, Kind::Bucket | Kind::Role | Kind::InstanceProfile),
        _ => false,
    };
    is_known_by_tag && right.access != Access::Write
}

/// Returns the endpoints of the services that use a key on behalf of their caller, as `kms:ViaService` has them.
fn key_services(names: &Names) -> Vec<String> {
    ["dynamodb", "ec2", "elasticache", "kafka", "lambda", "logs", "rds", "s3", "secretsmanager", "sns", "sqs"]
        .map(|service| names.realm().endpoint(service))
        .into()
}
