//! The least IAM policy that running a command for a declaration needs: the permissions of its kinds, on this stack's names.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Existing, Names,
    desired::{self, Inputs, RuleSet},
    existing, preconditions,
    purpose::Purpose,
};
use aws::{
    ArnForm,
    policy::{Policy, Statement},
};
use declaration::Declaration;
use engine::STACK_TAG;
use kinds::{
    Kind, Right,
    iam::role,
    rights::{Access, Target},
};

/// Calls that services make to KMS on behalf of whoever puts a key somewhere or writes by it.
const KEYS: &[&str] = &["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"];
/// The call by which a dead letter goes back into the queue that a function consumes.
const RETURN: &str = "sqs:SendMessage";
/// The call by which keys are looked at before the first change.
const DESCRIBE_KEY: &str = "kms:DescribeKey";
/// EC2 actions that Lambda takes on behalf of whoever puts a function into a VPC; they have no resource level.
const NETWORK: &[&str] = &["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"];
/// Action by which a function leaves its VPC before it goes.
const LEAVING: &str = "lambda:UpdateFunctionConfiguration";
/// EC2 actions by which a role waits for the network interfaces of its function; they have no resource level.
const INTERFACES: &[&str] = &["ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces"];

/// Returns the policy: a statement for each kind of resource, and one for the actions without resource level.
pub fn policy(declaration: &Declaration, names: &Names, purpose: Purpose<'_>) -> Policy {
    let declared = Declared::of(declaration, names);
    let mut everywhere: BTreeSet<&str> = purpose.everywhere().into_iter().collect();
    let mut by_target: BTreeMap<Target, BTreeSet<&str>> = BTreeMap::new();
    let mut removed: BTreeSet<&str> = BTreeSet::new();
    for kind in Kind::ALL {
        for right in kind.rights().iter().filter(|right| purpose.needs(right, declared.has(*kind))) {
            if finds_by_tag(right) {
                removed.extend(right.actions);
            }
            for action in right.actions {
                if right.target == Target::Everything {
                    everywhere.insert(action);
                } else {
                    by_target.entry(right.target).or_default().insert(action);
                }
            }
        }
    }
    for (target, actions) in purpose.own_calls() {
        by_target.entry(*target).or_default().extend(*actions);
    }
    let returns =
        purpose == Purpose::Replay && declaration.functions.values().any(|function| function.consumes.is_some());
    if returns {
        by_target.entry(Target::Own(Kind::Queue)).or_default().insert(RETURN);
    }
    if purpose == Purpose::Up {
        everywhere.extend(preconditions::actions(declaration));
    }
    // The keys of what exists are known once it was read.
    if purpose.compares() && !existing::names(declaration).is_empty() {
        everywhere.insert(DESCRIBE_KEY);
    }
    let is_in_vpc = declaration.functions.values().any(|function| function.vpc.is_some());
    if purpose == Purpose::Up && is_in_vpc {
        everywhere.extend(NETWORK);
    }
    if matches!(purpose, Purpose::Up | Purpose::Down) && is_in_vpc {
        everywhere.extend(INTERFACES);
        by_target.entry(Target::Own(Kind::Function)).or_default().insert(LEAVING);
        removed.insert(LEAVING);
    }
    let statement = |actions: BTreeSet<&str>, resources: Vec<String>| {
        Statement::allow(&actions.into_iter().collect::<Vec<_>>(), resources)
    };
    match purpose {
        Purpose::Up => by_target.insert(Target::Keys, KEYS.iter().copied().collect()),
        // What is encrypted by a declared key is read by it: mails, events and lines of a log.
        Purpose::Replay | Purpose::Logs | Purpose::Backfill => {
            // Such a queue takes messages of those alone who may use its key.
            let sends = returns || purpose == Purpose::Backfill;
            let writes = sends.then_some("kms:GenerateDataKey");
            by_target.insert(Target::Keys, ["kms:Decrypt"].into_iter().chain(writes).collect())
        }
        _ => None,
    };
    let described = declaration.kms_keys();
    let described = (purpose == Purpose::Up && !described.is_empty() && !everywhere.contains(DESCRIBE_KEY))
        .then(|| ("DescribedKeys".to_owned(), Statement::allow(&[DESCRIBE_KEY], described)));
    let targeted = by_target.into_iter().flat_map(|(target, actions)| {
        if let Target::Bounded(kind) | Target::Boundary(kind) = target {
            return bounded(target, kind, &actions, declaration, names);
        }
        let resources = arns(target, declaration, names, &declared);
        if resources.is_empty() {
            return Vec::new();
        }
        let statement = statement(actions, resources);
        let statement = match target {
            Target::Passed(_) => {
                statement.when("StringEquals", "iam:PassedToService", ["lambda.amazonaws.com".to_owned()])
            }
            // Nobody decrypts anything by himself: the services do, for what he may do there.
            Target::Keys => statement.when("StringEquals", "kms:ViaService", key_services(names)),
            // Of mappings, which have no names, those of the stack's functions.
            Target::Mappings => statement.when("ArnLike", "lambda:FunctionArn", functions(declaration, names)),
            _ => statement,
        };
        vec![(target.id(), statement)]
    });
    let owner = format!("aws:ResourceTag/{STACK_TAG}");
    let removed = statement(removed, vec!["*".to_owned()]).when("StringEquals", &owner, [names.stack().id()]);
    let everything = statement(everywhere, vec!["*".to_owned()]);
    let adopted = match purpose {
        Purpose::Adopt(kind, name) => {
            let (actions, resources) = tagging(kind, name, names);
            Some(("Adopted".to_owned(), statement(actions, resources)))
        }
        _ => None,
    };
    let removed = Some(("Removed".to_owned(), removed)).filter(|(_, removed)| !removed.actions.is_empty());
    let rest = removed.into_iter().chain([("Everything".to_owned(), everything)]);
    Policy::new(
        merged(targeted)
            .into_iter()
            .chain(described)
            .chain(adopted)
            .chain(purpose.mails(declaration, names))
            .chain(rest),
    )
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

/// Returns the actions that write the tags of a resource, and what IAM knows these by.
fn tagging(kind: Kind, name: &str, names: &Names) -> (BTreeSet<&'static str>, Vec<String>) {
    // Tags of an API are resources of their own, whose names have its ARN in another form.
    if kind == Kind::Api {
        return (
            BTreeSet::from(["apigateway:POST", "apigateway:PUT"]),
            vec![names.realm().arn(APIS[2], "", "*").into()],
        );
    }
    let target = if kind == Kind::Mapping { Target::MappingTags } else { Target::Own(kind) };
    let writes = kind.rights().iter().filter(|right| right.access == Access::Write && right.target == target);
    let is_tagging = |action: &&&str| action.contains("Tag") && !action.contains("Untag");
    (writes.flat_map(|right| right.actions).filter(is_tagging).copied().collect(), arns_of(kind, name, names))
}

/// Returns the ARNs by which IAM knows a resource.
fn arns_of(kind: Kind, name: &str, names: &Names) -> Vec<String> {
    let arn = names.arn_of(kind, name);
    match kind {
        // An ARN of a secret ends with a hyphen and six characters, as soon as there is the secret.
        Kind::Secret => vec![format!("{arn}-??????"), arn],
        // An alias of a function, which others may have made, has a policy of its own. Calls on lines and filters of a log group know
        // it as all of its streams, those on tags as itself.
        Kind::Function | Kind::LogGroup | Kind::AccessLog => vec![format!("{arn}:*"), arn],
        // AWS chooses the id behind the name.
        Kind::Cluster => vec![format!("{arn}/*")],
        _ => vec![arn],
    }
}

/// Forms of the ARNs of HTTP APIs: the list of them, each with all its parts, and their tags.
const APIS: [ArnForm; 3] = [
    ArnForm("apigateway:{region}::/apis"),
    ArnForm("apigateway:{region}::/apis/{name}"),
    ArnForm("apigateway:{region}::/tags/{name}"),
];

/// The role that MSK makes for itself when the first cluster of an account is made.
const ROLE_OF_KAFKA: ArnForm =
    ArnForm("iam::{account}:role/aws-service-role/kafka.amazonaws.com/AWSServiceRoleForKafka");

/// Returns the ARNs of the declared clusters of Kafka, and of their declared topics.
fn kafka(declaration: &Declaration, names: &Names) -> Vec<String> {
    let clusters = declaration.clusters.iter();
    let arns = clusters.flat_map(|(entry, cluster)| {
        let topics = cluster.topics.keys().map(|topic| names.kafka_topic_arn(entry, topic));
        topics.chain([names.cluster_arn(entry)]).collect::<Vec<_>>()
    });
    arns.collect()
}

/// Returns the ARNs of the declared functions, with those of their versions and aliases.
fn functions(declaration: &Declaration, names: &Names) -> Vec<String> {
    let functions = declaration.functions.keys().map(|entry| names.name(Kind::Function, entry));
    functions.flat_map(|name| arns_of(Kind::Function, &name, names)).collect()
}

/// Returns whether a permission is also needed on resources that are no longer declared, which have the stack's tag. Roles are found
/// by their path; S3 does not look at the tags of buckets, so that a removed one needs the policy of before.
fn finds_by_tag(right: &Right) -> bool {
    let is_tagged = !matches!(right.target, Target::Own(Kind::Bucket | Kind::Role));
    matches!(right.target, Target::Own(_)) && is_tagged && right.access != Access::Write
}

/// Services that use a key in the name of whoever calls them.
fn key_services(names: &Names) -> Vec<String> {
    ["dynamodb", "kafka", "lambda", "logs", "s3", "secretsmanager", "sns", "sqs"]
        .map(|service| names.realm().endpoint(service))
        .into()
}

/// Statements about the rights of roles, one for each boundary: of a function that one is declared for, the role may be made
/// and changed with that boundary alone. Roles of functions that are no longer declared are changed as the strictest.
fn bounded(
    target: Target,
    kind: Kind,
    actions: &BTreeSet<&str>,
    declaration: &Declaration,
    names: &Names,
) -> Vec<(String, Statement)> {
    let mut by_boundary: BTreeMap<Option<String>, Vec<&str>> = BTreeMap::new();
    for (entry, function) in &declaration.functions {
        by_boundary.entry(declaration.permissions_boundary(function)).or_default().push(entry);
    }
    let is_one = by_boundary.len() < 2;
    if by_boundary.is_empty() {
        by_boundary.insert(declaration.permissions_boundary.clone(), Vec::new());
    }
    if target == Target::Boundary(kind) {
        by_boundary.remove(&None);
    }
    let actions: Vec<&str> = actions.iter().copied().collect();
    let statements = by_boundary.into_iter().enumerate().map(|(index, (boundary, entries))| {
        let resources = if is_one {
            vec![names.arn_of(kind, "*")]
        } else {
            entries.into_iter().map(|entry| names.arn(kind, entry)).collect()
        };
        let statement = Statement::allow(&actions, resources);
        let id = if index == 0 { target.id() } else { format!("{}{}", target.id(), index + 1) };
        match boundary {
            Some(arn) => (id, statement.when("StringEquals", "iam:PermissionsBoundary", [arn])),
            None => (id, statement),
        }
    });
    statements.collect()
}

/// The names of all resources that a declaration implies, whichever rule set is active, by kind.
struct Declared(BTreeMap<Kind, BTreeSet<String>>);

impl Declared {
    fn of(declaration: &Declaration, names: &Names) -> Self {
        let given = Inputs {
            names,
            code: &BTreeMap::new(),
            artifacts: true,
            rule_set: &RuleSet::Own,
            existing: &Existing::default(),
        };
        let mut declared: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
        for resource in desired::resources(declaration, given) {
            declared.entry(resource.id.kind).or_default().insert(resource.address.name);
        }
        Self(declared)
    }

    fn has(&self, kind: Kind) -> bool {
        self.0.contains_key(&kind)
    }

    fn names(&self, kind: Kind) -> impl Iterator<Item = &String> {
        self.0.get(&kind).into_iter().flatten()
    }
}

/// Returns the ARNs of a stack's resources: those that are declared. What begins like them may be another stack's.
fn arns(target: Target, declaration: &Declaration, names: &Names, declared: &Declared) -> Vec<String> {
    let of = |kind: Kind, name: &str| names.arn_of(kind, name);
    match target {
        // The path of a role is the stack's alone, so that roles of removed functions are found there, too.
        Target::Own(Kind::Role) | Target::Passed(Kind::Role) => vec![of(Kind::Role, "*")],
        Target::Own(kind) | Target::Passed(kind) => {
            declared.names(kind).flat_map(|name| arns_of(kind, name, names)).collect()
        }
        Target::Contents(kind) => declared.names(kind).map(|name| format!("{}/*", of(kind, name))).collect(),
        Target::Existing(kind) => {
            let buckets = declaration.buckets.values().filter_map(|bucket| bucket.existing.as_deref());
            let buckets = buckets.map(|name| (Kind::Bucket, name));
            let all: BTreeSet<(Kind, &str)> = existing::names(declaration).into_iter().chain(buckets).collect();
            let of_kind = all.into_iter().filter(|(of, _)| *of == kind);
            of_kind.flat_map(|(_, name)| arns_of(kind, name, names)).collect()
        }
        Target::WithoutPath(kind) => {
            let path = role::path(names.stack());
            declared.names(kind).map(|name| of(kind, name).replace(&path, "/")).collect()
        }
        // By role, since each may have a boundary of its own: see `bounded`.
        Target::Bounded(_) | Target::Boundary(_) => Vec::new(),
        Target::Keys => declaration.kms_keys(),
        Target::Artifacts => vec![format!("{}/*", of(Kind::Bucket, &names.artifacts()))],
        Target::MappingTags => vec![names.arn_of(Kind::Mapping, "*")],
        // AWS's answer about the list tells which of them are the stack's.
        Target::Apis => {
            let forms = if declaration.apis.is_empty() { &APIS[..1] } else { &APIS };
            forms.iter().map(|form| names.realm().arn(*form, "", "*").into()).collect()
        }
        // To make one, IAM knows no other resource. The condition names the functions.
        Target::Mappings => Vec::from_iter((!declaration.functions.is_empty()).then(|| "*".to_owned())),
        Target::Kafka => kafka(declaration, names),
        Target::KafkaRole => {
            let is_made = declaration.clusters.values().any(|cluster| cluster.existing().is_none());
            Vec::from_iter(is_made.then(|| names.realm().arn(ROLE_OF_KAFKA, "", "").into()))
        }
        Target::Everything => vec!["*".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn adopting_needs_to_tag_that_one_resource_and_to_read_the_rest() {
        use engine::Kind as _;
        for kind in Kind::ALL.iter().filter(|kind| kind.has_tags()) {
            let policy = policy_of(QUEUE, Purpose::Adopt(*kind, "old"));
            let adopted = &policy.statements()["Adopted"];
            let expected = if *kind == Kind::Api { 2 } else { 1 };
            assert_eq!(adopted.actions.len(), expected, "{kind:?}");
            assert!(!adopted.resources.is_empty(), "{kind:?}");
        }
        let policy = policy_of(QUEUE, Purpose::Adopt(Kind::Queue, "old"));
        let adopted = &policy.statements()["Adopted"];
        assert_eq!(adopted.actions, BTreeSet::from(["sqs:TagQueue".to_owned()]));
        assert_eq!(adopted.resources, BTreeSet::from(["arn:aws:sqs:eu-west-1:123456789012:old".to_owned()]));
        let writes = policy.statements().values().flat_map(|statement| &statement.actions);
        let writes: Vec<_> = writes.filter(|action| action.contains(":Create") || action.contains(":Delete")).collect();
        assert_eq!(writes, Vec::<&String>::new());
    }

    fn policy_of(source: &str, purpose: Purpose<'_>) -> Policy {
        let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
        let declaration = &checked.declarations[0];
        policy(declaration, &Names::new(declaration, "123456789012"), purpose)
    }

    const QUEUE: &str = "stack: circuits\nregion: eu-west-1\nqueues: {failed: {}}\n";

    #[test]
    fn only_the_permissions_of_the_purpose_are_allowed() {
        let actions = |purpose| {
            let policy = policy_of(QUEUE, purpose);
            policy.statements()["Queues"].actions.iter().cloned().collect::<Vec<_>>().join(" ")
        };
        let read = "sqs:GetQueue* sqs:ListQueueTags";
        assert_eq!(actions(Purpose::Diff), read);
        assert_eq!(actions(Purpose::Down), format!("sqs:DeleteQueue {read}"));
        let all = format!("sqs:CreateQueue sqs:DeleteQueue {read} sqs:SetQueueAttributes sqs:TagQueue sqs:UntagQueue");
        assert_eq!(actions(Purpose::Up), all);
    }

    #[test]
    fn undeclared_kinds_can_be_deleted_and_not_created() {
        let policy = policy_of(QUEUE, Purpose::Up);
        let removed = &policy.statements()["Removed"];
        let topics: Vec<&String> = removed.actions.iter().filter(|action| action.starts_with("sns:")).collect();
        let expected = ["sns:DeleteTopic", "sns:GetTopicAttributes", "sns:List*", "sns:UntagResource"];
        assert_eq!(topics, expected);
        let owner = &removed.conditions["StringEquals"]["aws:resourcetag/provision:stack"];
        assert_eq!(*owner, BTreeSet::from(["circuits.eu-west-1".to_owned()]));
        assert!(!policy.statements().contains_key("Topics"));
        assert!(!policy.statements().contains_key("PassedRoles"));
    }

    /// Returns whether a pattern of an ARN covers one, as IAM reads it.
    fn covers(pattern: &str, arn: &str) -> bool {
        match pattern.split_once('*') {
            None => pattern == arn,
            Some((before, after)) => arn
                .strip_prefix(before)
                .is_some_and(|rest| (0..=rest.len()).filter_map(|at| rest.get(at..)).any(|rest| covers(after, rest))),
        }
    }

    #[test]
    fn nothing_of_a_stack_whose_name_begins_alike_is_named() {
        let of = |stack: &str, stage: Option<&str>| {
            let stages = stage.map(|stage| format!("stages: {{{stage}: {{}}}}\n")).unwrap_or_default();
            let source = format!(
                "stack: {stack}\nregion: eu-west-1\nbuckets: {{a: {{}}}}\nqueues: {{a: {{}}}}\ntopics: {{a: {{}}}}\nsecrets: {{a: {{value_from: stdin}}}}\nfunctions: {{a: {{crate: maintenance, bin: reader}}}}\n{stages}"
            );
            let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), stage).unwrap();
            checked.declarations.into_iter().next().unwrap()
        };
        let (ours, theirs) = (of("mail", Some("prod")), of("mail", Some("prod-b")));
        let names = |declaration: &Declaration| Names::new(declaration, "123456789012");
        let policy = policy(&ours, &names(&ours), Purpose::Up);
        let patterns: Vec<&String> = policy
            .statements()
            .values()
            .flat_map(|statement| &statement.resources)
            .filter(|pattern| *pattern != "*" && !pattern.ends_with(":*"))
            .collect();
        for kind in [Kind::Bucket, Kind::Queue, Kind::Topic, Kind::Secret, Kind::Function, Kind::Role, Kind::LogGroup] {
            let covered = |arn: String| patterns.iter().any(|pattern| covers(pattern, &arn));
            assert!(covered(names(&ours).arn(kind, "a")), "{kind:?}");
            assert!(!covered(names(&theirs).arn(kind, "a")), "{kind:?}");
        }
    }

    #[test]
    fn every_resource_is_named_but_where_there_is_none() {
        let policy = policy_of(QUEUE, Purpose::Up);
        for (id, statement) in policy.statements() {
            let is_everything = statement.resources.contains("*");
            assert_eq!(is_everything, id == "Everything" || id == "Removed", "{id}");
        }
        let everything = &policy.statements()["Everything"];
        // A write that IAM could limit to a resource must not be allowed on all. The exceptions are SES's receipt rules and filters and
        // subscriptions, which have no ARN of their own there.
        let writes = everything.actions.iter().filter(|action| {
            let name = action.split_once(':').map_or("", |(_, name)| name);
            !["Get", "List", "Describe"].iter().any(|verb| name.starts_with(verb))
        });
        let expected = [
            "logs:DeleteLogDelivery",
            "ses:DeleteReceiptFilter",
            "ses:DeleteReceiptRule",
            "ses:DeleteReceiptRuleSet",
            "ses:SetActiveReceiptRuleSet",
            "sns:Unsubscribe",
        ];
        assert_eq!(writes.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn mappings_are_deleted_of_the_stacks_functions_alone() {
        let functions = "functions: {reader: {crate: maintenance, bin: reader}}";
        for (functions, purpose, is_there) in
            [(functions, Purpose::Up, true), (functions, Purpose::Diff, false), ("tags: {}", Purpose::Up, false)]
        {
            let policy = policy_of(&format!("stack: circuits\nregion: eu-west-1\n{functions}\n"), purpose);
            let is_mapping = |action: &String| action == "lambda:DeleteEventSourceMapping";
            let statements: Vec<_> =
                policy.statements().values().filter(|one| one.actions.iter().any(is_mapping)).collect();
            assert_eq!(statements.len(), usize::from(is_there), "{functions} {purpose:?}");
            for statement in statements {
                let reader = "arn:aws:lambda:eu-west-1:123456789012:function:circuits-reader";
                let expected = BTreeSet::from([reader.to_owned(), format!("{reader}:*")]);
                assert_eq!(statement.conditions["ArnLike"]["lambda:functionarn"], expected);
            }
        }
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
        for action in [
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcEndpoints",
            "ses:GetIdentityVerificationAttributes",
            "lambda:GetAccountSettings",
        ] {
            assert!(statements["Everything"].actions.contains(action), "{action}");
        }
        let of_ec2 = |source: &str, purpose| {
            let policy = policy_of(source, purpose);
            let actions = policy.statements().values().flat_map(|statement| &statement.actions);
            actions.filter(|action| action.starts_with("ec2:")).cloned().collect::<Vec<_>>()
        };
        assert_eq!(of_ec2(source, Purpose::Down), INTERFACES);
        assert!(policy_of(source, Purpose::Down).statements()["Removed"].actions.contains(LEAVING));
        assert!(!policy_of(QUEUE, Purpose::Down).statements()["Removed"].actions.contains(LEAVING));
        assert_eq!(of_ec2(QUEUE, Purpose::Up).len() + of_ec2(source, Purpose::Diff).len(), 0);
        assert_eq!(
            statements["ExistingBuckets"].resources,
            BTreeSet::from(["arn:aws:s3:::example-archive".to_owned()])
        );
        assert!(!policy_of(QUEUE, Purpose::Up).statements().contains_key("ExistingBuckets"));
    }

    const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/boundary";

    fn condition<'policy>(policy: &'policy Policy, id: &str) -> Option<&'policy BTreeSet<String>> {
        policy.statements()[id].conditions.get("StringEquals")?.get("iam:permissionsboundary")
    }

    #[test]
    fn the_rights_of_roles_are_given_below_the_declared_boundary_alone() {
        let functions =
            "functions: {reader: {crate: maintenance, bin: reader}, other: {crate: maintenance, bin: other}}";
        let of = |boundary: &str| format!("stack: circuits\nregion: eu-west-1\n{boundary}{functions}\n");
        let all: BTreeSet<_> = [BOUNDARY.to_owned()].into();
        for purpose in [Purpose::Up, Purpose::Down] {
            let policy = policy_of(&of(&format!("permissions_boundary: {BOUNDARY}\n")), purpose);
            for (id, statement) in policy.statements() {
                let gives_rights = |action: &str| {
                    ["Policy", "CreateRole", "PermissionsBoundary"].iter().any(|word| action.contains(word))
                        && !["Get", "List"].iter().any(|verb| action.contains(&format!("iam:{verb}")))
                        && action != "iam:UpdateAssumeRolePolicy"
                };
                for action in statement.actions.iter().filter(|action| action.starts_with("iam:")) {
                    if gives_rights(action) {
                        assert_eq!(condition(&policy, id), Some(&all), "{action}");
                    }
                }
            }
        }
        let without = policy_of(&of(""), Purpose::Up);
        // Without a boundary they are rights to the roles as all others are.
        assert_eq!(condition(&without, "Roles"), None);
        assert!(without.statements()["Roles"].actions.contains("iam:PutRolePolicy"));
        assert!(!without.statements().contains_key("BoundariesOfRoles"));
        // One function of two has one: neither role is made as the other.
        let one = of("").replace("bin: reader", &format!("bin: reader, permissions_boundary: '{BOUNDARY}'"));
        let one = policy_of(&one, Purpose::Up);
        let role = |name: &str| {
            BTreeSet::from([format!("arn:aws:iam::123456789012:role/provision/circuits.eu-west-1/{name}-eu-west-1")])
        };
        assert_eq!(one.statements()["RightsOfRoles"].resources, role("circuits-other"));
        assert_eq!(condition(&one, "RightsOfRoles"), None);
        assert_eq!(one.statements()["RightsOfRoles2"].resources, role("circuits-reader"));
        assert_eq!(condition(&one, "RightsOfRoles2"), Some(&all));
        assert!(one.statements()["RightsOfRoles2"].actions.contains("iam:PutRolePermissionsBoundary"));
    }

    #[test]
    fn nobody_widens_himself() {
        for boundary in ["", "permissions_boundary: arn:aws:iam::123456789012:policy/boundary\n"] {
            let functions = "functions: {reader: {crate: maintenance, bin: reader}}";
            let source = format!("stack: circuits\nregion: eu-west-1\n{boundary}{functions}\n");
            let policy = policy_of(&source, Purpose::Up);
            for (id, statement) in policy.statements() {
                for action in statement.actions.iter().filter(|action| action.starts_with("iam:")) {
                    let forbidden =
                        ["DeleteRolePermissionsBoundary", "AttachRolePolicy", "CreatePolicy", "SetDefault", "*"];
                    assert!(!forbidden.iter().any(|word| action.contains(word)), "{id}: {action}");
                    let reads = ["iam:Get", "iam:List"].iter().any(|verb| action.starts_with(verb));
                    let is_own =
                        |arn: &String| arn.starts_with("arn:aws:iam::123456789012:role/provision/circuits.eu-west-1/");
                    assert!(reads || statement.resources.iter().all(is_own), "{id}: {action}");
                }
            }
            let passed = &policy.statements()["PassedRoles"].conditions["StringEquals"]["iam:passedtoservice"];
            assert_eq!(*passed, BTreeSet::from(["lambda.amazonaws.com".to_owned()]));
        }
    }

    #[test]
    fn the_policy_of_a_whole_stack_is_one_that_iam_takes() {
        let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra.yaml")).unwrap();
        let json = policy_of(&source, Purpose::Up).to_json();
        // IAM's limit for a managed policy; spaces do not count.
        assert!(json.len() <= 6_144, "{}", json.len());
    }
}
