//! The least IAM policy that running a command for a declaration needs: the permissions of its kinds, on this stack's names.

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
use resources::{Declared, arns, bounded, functions, tagging};
pub use sent::BODIES;

/// Calls that services make to KMS on behalf of a caller who sets a key or writes what it encrypts.
const KEYS: &[&str] = &["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"];
/// Further calls that EBS makes on behalf of a caller who creates an encrypted disk. Source: the user guide of EBS, "Permissions for IAM users".
const KEYS_OF_DISKS: &[&str] = &["kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"];
/// The call by which a dead letter goes back into the queue that a function consumes.
const RETURN: &str = "sqs:SendMessage";
/// The call by which keys are looked at before the first change.
const DESCRIBE_KEY: &str = "kms:DescribeKey";
/// EC2 actions that Lambda takes on behalf of a caller who puts a function into a VPC; they have no resource level.
const NETWORK: &[&str] = &["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"];
/// Action by which EC2 tags new resources and live ones.
const TAGGING: &str = "ec2:CreateTags";
/// Action by which a function leaves its VPC before it goes.
const LEAVING: &str = "lambda:UpdateFunctionConfiguration";
/// EC2 actions by which a run waits for the network interfaces of a function before it deletes the role, and deletes those that are left.
/// AWS chooses the names of interfaces, and those that Lambda makes have no tags.
const INTERFACES: &[&str] = &["ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces"];
/// Action by which a mapping of a function that is no longer declared goes. Its tag tells whose it is.
const MAPPING: &str = "lambda:DeleteEventSourceMapping";

/// Returns the policy, whose statements tell by their ids what they are for; those with the same resources and conditions are one. IAM limits the
/// size of a policy: see [`parts()`].
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
    let declared = Declared::of(declaration, names, purpose);
    let actions = Actions::of(declaration, &declared, purpose);
    let described = actions.described(declaration, purpose);
    let Actions { everywhere, by_target, removed } = actions;
    let targeted = by_target.into_iter().flat_map(|(target, actions)| {
        if let Target::Bounded(kind) | Target::Boundary(kind) = target {
            return bounded(target, kind, &actions, declaration, names);
        }
        let resources = arns(target, declaration, names, &declared);
        if resources.is_empty() {
            return Vec::new();
        }
        by_tag(target, limited(target, allow(actions, resources), declaration, names), names)
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
        merged(targeted)
            .into_iter()
            .chain(described)
            .chain(adopted)
            .chain(purpose.mails(declaration, names))
            .chain(sent::statements(declaration, names, purpose))
            .chain(removed)
            .chain(everything),
    )
}

/// The actions that a command needs.
struct Actions<'actions> {
    /// Actions that have no resource level.
    everywhere: BTreeSet<&'actions str>,
    /// Actions on the declared resources.
    by_target: BTreeMap<Target, BTreeSet<&'actions str>>,
    /// Actions on whatever has the stack's tag: resources that are no longer declared.
    removed: BTreeSet<&'actions str>,
}

impl Actions<'_> {
    fn of(declaration: &Declaration, declared: &Declared, purpose: Purpose<'_>) -> Self {
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
            everywhere.extend(is_in_vpc.then_some(NETWORK).into_iter().flatten());
        }
        if matches!(purpose, Purpose::Up | Purpose::Down) {
            // A function that is no longer declared, or no longer in a VPC, may have been in one, and may have consumed a queue.
            everywhere.extend(INTERFACES);
            actions.removed.extend([LEAVING, MAPPING]);
            if is_in_vpc {
                actions.by_target.entry(Target::Own(Kind::Function)).or_default().insert(LEAVING);
            }
        }
        // Whoever sends back to an encrypted queue needs its key, too: see `on_keys`.
        let returns =
            purpose == Purpose::Replay && declaration.functions.values().any(|function| function.consumes.is_some());
        if returns {
            actions.by_target.entry(Target::Own(Kind::Queue)).or_default().insert(RETURN);
        }
        let keys = Self::on_keys(declared, purpose, returns);
        if !keys.is_empty() {
            actions.by_target.insert(Target::Keys, keys);
        }
        actions
    }

    /// Returns the actions on the declared KMS keys. `returns` says that messages are given back to a queue.
    fn on_keys(declared: &Declared, purpose: Purpose<'_>, returns: bool) -> BTreeSet<&'static str> {
        match purpose {
            Purpose::Up => {
                let of_disks = declared.has(Kind::Volume).then_some(KEYS_OF_DISKS).into_iter().flatten();
                KEYS.iter().chain(of_disks).copied().collect()
            }
            // Reading mails, events or lines of a log that are encrypted needs their key.
            Purpose::Replay
            | Purpose::Logs
            | Purpose::Backfill
            | Purpose::Send
            | Purpose::Track
            | Purpose::Timeline(_) => {
                let sends = returns || matches!(purpose, Purpose::Backfill | Purpose::Send);
                let writes = sends.then_some("kms:GenerateDataKey");
                ["kms:Decrypt"].into_iter().chain(writes).collect()
            }
            _ => BTreeSet::new(),
        }
    }

    fn add(&mut self, right: &'static Right) {
        if finds_by_tag(right) {
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

    /// Returns the statement about the declared keys that are looked at before the first change.
    fn described(&self, declaration: &Declaration, purpose: Purpose<'_>) -> Option<(String, Statement)> {
        let keys = declaration.kms_keys();
        let is_needed = purpose == Purpose::Up && !keys.is_empty() && !self.everywhere.contains(DESCRIBE_KEY);
        is_needed.then(|| ("DescribedKeys".to_owned(), Statement::allow(&[DESCRIBE_KEY], keys)))
    }
}

fn allow(actions: BTreeSet<&str>, resources: Vec<String>) -> Statement {
    Statement::allow(&actions.into_iter().collect::<Vec<_>>(), resources)
}

/// Returns a statement with the conditions under which its resources may be used.
fn limited(target: Target, statement: Statement, declaration: &Declaration, names: &Names) -> Statement {
    match target {
        Target::Passed(_) => {
            let servers = (!declaration.servers.is_empty()).then_some("ec2.amazonaws.com");
            let services = servers.into_iter().chain(["lambda.amazonaws.com"]).map(str::to_owned);
            statement.when("StringEquals", "iam:PassedToService", services)
        }
        // Services decrypt on behalf of their caller, who cannot use the key directly.
        Target::Keys => statement.when("StringEquals", "kms:ViaService", key_services(names)),
        // Of mappings, which have no names, those of the stack's functions.
        Target::Mappings => statement.when("ArnLike", "lambda:FunctionArn", functions(declaration, names)),
        _ => statement,
    }
}

/// Splits a statement about resources whose ids AWS chooses, which a policy cannot name: they may be created with the stack's tag only,
/// tagged by the call that creates them only, and changed only where they have the stack's tag. Other statements stay as they are.
fn by_tag(target: Target, statement: Statement, names: &Names) -> Vec<(String, Statement)> {
    let id = target.id();
    let Target::Own(kind) = target else { return vec![(id, statement)] };
    let Some(making) = resources::making(kind) else { return vec![(id, statement)] };
    let (made, changed): (BTreeSet<String>, BTreeSet<String>) =
        statement.actions.iter().cloned().partition(|action| action == making);
    let tagged: BTreeSet<String> =
        changed.iter().filter(|action| !made.is_empty() && *action == TAGGING).cloned().collect();
    let stack = names.stack().id();
    let of = |actions: BTreeSet<String>| Statement { actions, ..statement.clone() };
    let during = making.split_once(':').map_or(making, |(_, action)| action).to_owned();
    let all = [
        (format!("New{id}"), of(made).when("StringEquals", &format!("aws:RequestTag/{STACK_TAG}"), [stack.clone()])),
        (format!("TagsOfNew{id}"), of(tagged).when("StringEquals", "ec2:CreateAction", [during])),
        (id, of(changed).when("StringEquals", &format!("aws:ResourceTag/{STACK_TAG}"), [stack])),
    ];
    all.into_iter().filter(|(_, statement)| !statement.actions.is_empty()).collect()
}

/// Puts statements about the same resources, under the same conditions, into one: IAM limits the size of a policy.
fn merged(statements: impl Iterator<Item = (String, Statement)>) -> Vec<(String, Statement)> {
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

/// Returns whether a permission is also needed on resources that are no longer declared, which have the stack's tag. Roles and
/// profiles are found by their path; S3 does not look at the tags of buckets, so that a removed one needs the policy of before.
fn finds_by_tag(right: &Right) -> bool {
    let is_tagged = !matches!(right.target, Target::Own(Kind::Bucket | Kind::Role | Kind::InstanceProfile));
    matches!(right.target, Target::Own(_)) && is_tagged && right.access != Access::Write
}

/// Returns the services that use a key on behalf of their caller.
fn key_services(names: &Names) -> Vec<String> {
    ["dynamodb", "ec2", "elasticache", "kafka", "lambda", "logs", "rds", "s3", "secretsmanager", "sns", "sqs"]
        .map(|service| names.realm().endpoint(service))
        .into()
}
