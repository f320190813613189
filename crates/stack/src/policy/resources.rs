//! The resources of a policy's statements, by their ARNs.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Existing, Names,
    desired::{self, Inputs, RuleSet, SECRET_OF_DATABASE},
    existing,
    moves::server_role_entry,
    purpose::Purpose,
};
use aws::{ArnForm, policy::Statement};
use declaration::{Declaration, NetworkPart, PublicAddress, Restore, SecretReference};
use kinds::{
    Kind,
    iam::role,
    logs::notes,
    rights::{Access, Target},
    stores::LAST_SNAPSHOT,
};

/// Forms of the ARNs of HTTP APIs: the list of them, each with all its parts, and their tags.
const APIS: [ArnForm; 3] = [
    ArnForm("apigateway:{region}::/apis"),
    ArnForm("apigateway:{region}::/apis/{name}"),
    ArnForm("apigateway:{region}::/tags/{name}"),
];

/// The role that MSK makes for itself when the first cluster of an account is made.
const ROLE_OF_KAFKA: ArnForm =
    ArnForm("iam::{account}:role/aws-service-role/kafka.amazonaws.com/AWSServiceRoleForKafka");

/// The role that RDS makes for itself when the first database of an account is made.
const ROLE_OF_DATABASES: ArnForm =
    ArnForm("iam::{account}:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS");

/// The role that `ElastiCache` makes for itself when the first cache of an account is made.
const ROLE_OF_CACHES: ArnForm =
    ArnForm("iam::{account}:role/aws-service-role/elasticache.amazonaws.com/AWSServiceRoleForElastiCache");
/// The ARN of a cache's node. `ElastiCache` checks it beside the cache, as it does the snapshots and its own parameters for each engine.
const NODE: ArnForm = ArnForm("elasticache:{region}:{account}:cluster:{name}");
const SNAPSHOT: ArnForm = ArnForm("elasticache:{region}:{account}:snapshot:{name}");
const SNAPSHOT_OF_DATABASE: ArnForm = ArnForm("rds:{region}:{account}:snapshot:{name}");
/// Characters of the stack's prefix that a name keeps however long its entry is: those of `ElastiCache` have 40, and a hash at the end.
const LEAST_OF_NAME: usize = 20;
const PARAMETERS: ArnForm = ArnForm("elasticache:{region}:{account}:parametergroup:default.{name}");
/// RDS's own groups of options: a database without one is in that of its engine.
const OPTIONS_OF_RDS: ArnForm = ArnForm("rds:{region}:{account}:og:default:{name}");

/// The parts of a server without a tag of the stack: its image, its own disk and its network interface.
const LAUNCH: [ArnForm; 3] = [
    ArnForm("ec2:{region}::image/{name}"),
    ArnForm("ec2:{region}:{account}:network-interface/{name}"),
    ArnForm("ec2:{region}:{account}:volume/{name}"),
];
/// A key pair, which nobody makes here.
const KEY_PAIR: ArnForm = ArnForm("ec2:{region}:{account}:key-pair/{name}");
/// A public parameter of AWS that names an image.
const IMAGE_PARAMETER: ArnForm = ArnForm("ssm:{region}::parameter/{name}");

/// The names of all resources that a declaration implies, whichever rule set is active, by kind.
pub(super) struct Declared {
    by_kind: BTreeMap<Kind, BTreeSet<String>>,
    /// Name of the stack's log group for notes, if it is looked for.
    notes: Option<String>,
}

impl Declared {
    /// Returns the names. A command that compares looks for the notes of the stack whatever is declared, and of a group that does not
    /// exist IAM knows no tags.
    pub(super) fn of(declaration: &Declaration, names: &Names, purpose: Purpose<'_>) -> Self {
        let given = Inputs {
            names,
            code: &BTreeMap::new(),
            artifacts: true,
            rule_set: &RuleSet::Own,
            existing: &Existing::default(),
        };
        let mut by_kind: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
        for resource in desired::resources(declaration, given) {
            by_kind.entry(resource.id.kind).or_default().insert(resource.address.name);
        }
        Self { by_kind, notes: purpose.compares().then(|| names.name(Kind::LogGroup, notes::ENTRY)) }
    }

    pub(super) fn has(&self, kind: Kind) -> bool {
        self.by_kind.contains_key(&kind)
    }

    fn names(&self, kind: Kind) -> impl Iterator<Item = &String> {
        self.by_kind.get(&kind).into_iter().flatten()
    }

    /// Returns the names of a kind's resources that calls are made on, declared or not.
    fn called(&self, kind: Kind) -> BTreeSet<&String> {
        self.names(kind).chain(self.notes.iter().filter(|_| kind == Kind::LogGroup)).collect()
    }
}

/// Returns the ARNs of a stack's resources: those that are declared. What begins like them may be another stack's.
pub(super) fn arns(target: Target, declaration: &Declaration, names: &Names, declared: &Declared) -> Vec<String> {
    let of = |kind: Kind, name: &str| names.arn_of(kind, name);
    let arn = |form: ArnForm, name: &str| String::from(names.realm().arn(form, "", name));
    let (has_databases, has_caches) = (!declaration.databases.is_empty(), !declaration.caches.is_empty());
    match target {
        Target::Own(kind) | Target::Passed(kind) => own(kind, names, declared),
        Target::Contents(kind) => declared.names(kind).map(|name| format!("{}/*", of(kind, name))).collect(),
        Target::Existing(kind) => existing_of(kind, declaration, names),
        Target::WithoutPath(kind) => {
            let path = role::path(names.stack());
            declared.names(kind).map(|name| of(kind, name).replace(&path, "/")).collect()
        }
        // By role, since each may have a boundary of its own: see `bounded`.
        Target::Bounded(_) | Target::Boundary(_) => Vec::new(),
        Target::Keys => declaration.kms_keys(),
        Target::Artifacts => vec![format!("{}/*", of(Kind::Bucket, &names.artifacts()))],
        Target::MappingTags => vec![of(Kind::Mapping, "*")],
        // AWS's answer about the list tells which of them are the stack's.
        Target::Apis if declaration.apis.is_empty() => vec![arn(APIS[0], "*")],
        Target::Apis => APIS.map(|form| arn(form, "*")).to_vec(),
        // To make one, IAM knows no other resource. The condition names the functions.
        Target::Mappings => one_if(declaration.lambda_functions().next().is_some(), "*".to_owned()),
        Target::Kafka => kafka(declaration, names),
        Target::KafkaRole => {
            let is_made = declaration.clusters.values().any(|cluster| cluster.existing().is_none());
            one_if(is_made, arn(ROLE_OF_KAFKA, ""))
        }
        Target::DatabaseSecrets => one_if(has_databases, arn(SECRET_OF_DATABASE, "*")),
        Target::DatabaseRole => one_if(has_databases, arn(ROLE_OF_DATABASES, "")),
        Target::DatabaseOptions => one_if(has_databases, arn(OPTIONS_OF_RDS, "*")),
        Target::LastSnapshots(kind) => last_snapshots(kind, names),
        Target::CacheParts => parts_of_caches(declaration, names),
        Target::CacheObjects => objects_of_caches(declaration),
        Target::CachePasswords => passwords_of_caches(declaration, names),
        Target::CacheRole => one_if(has_caches, arn(ROLE_OF_CACHES, "")),
        Target::Launch => launch(declaration, names),
        Target::ExistingGroups => existing_groups(declaration, names),
        Target::ExistingAddresses => existing_addresses(declaration, names),
        Target::Images => {
            let parameters = declaration.servers.values().filter_map(|server| server.image.strip_prefix('/'));
            parameters.map(|name| arn(IMAGE_PARAMETER, name)).collect()
        }
        Target::Everything => vec!["*".to_owned()],
    }
}

/// Returns the ARN if there is something that needs it.
fn one_if(is_needed: bool, arn: String) -> Vec<String> {
    is_needed.then_some(arn).into_iter().collect()
}

/// Returns the ARNs of the stack's resources of a kind.
fn own(kind: Kind, names: &Names, declared: &Declared) -> Vec<String> {
    let all = names.arn_of(kind, "*");
    match kind {
        // AWS chooses their ids. Of those that others have, the condition on their tags keeps them: see `by_tag`.
        kind if making(kind).is_some() => one_if(declared.has(kind), all),
        // The path of a role is the stack's alone, so that roles of removed functions are found there, too; and so with profiles.
        Kind::Role | Kind::InstanceProfile => vec![all],
        kind => declared.called(kind).into_iter().flat_map(|name| arns_of(kind, name, names)).collect(),
    }
}

/// Returns the ARNs of the resources of others that are declared as existing.
fn existing_of(kind: Kind, declaration: &Declaration, names: &Names) -> Vec<String> {
    let buckets = declaration.buckets.values().filter_map(|bucket| bucket.existing.as_deref());
    let buckets = buckets.map(|name| (Kind::Bucket, name));
    let networks = declaration.networks.values().filter_map(|network| network.existing());
    let networks = networks.map(|id| (Kind::Network, id));
    let all: BTreeSet<(Kind, &str)> = existing::names(declaration).into_iter().chain(buckets).chain(networks).collect();
    let of_kind = all.into_iter().filter(|(of, _)| *of == kind);
    of_kind.flat_map(|(_, name)| arns_of(kind, name, names)).collect()
}

/// Returns the ARNs of security groups that are not the stack's, and that its servers are in.
fn existing_groups(declaration: &Declaration, names: &Names) -> Vec<String> {
    let groups = declaration.servers.values().flat_map(|server| &server.security_groups);
    let ids: BTreeSet<&str> = groups.filter_map(NetworkPart::existing).collect();
    ids.into_iter().map(|id| names.arn_of(Kind::SecurityGroup, id)).collect()
}

/// Returns the ARNs of public addresses that are not the stack's, and that its servers get.
fn existing_addresses(declaration: &Declaration, names: &Names) -> Vec<String> {
    let addresses = declaration.servers.values().filter_map(|server| match &server.address {
        PublicAddress::Existing(id) => Some(names.arn_of(Kind::Address, id)),
        PublicAddress::None | PublicAddress::Own => None,
    });
    addresses.collect()
}

/// Returns the ARNs of the objects that caches are filled from.
fn objects_of_caches(declaration: &Declaration) -> Vec<String> {
    let restored = declaration.caches.values().filter_map(|cache| cache.restore.as_ref());
    let objects = restored.filter_map(|restore| match restore {
        Restore::Objects(arns) => Some(arns),
        Restore::Snapshot(_) => None,
    });
    objects.flatten().cloned().collect()
}

/// Returns the ARNs of the secrets that hold the passwords of caches.
fn passwords_of_caches(declaration: &Declaration, names: &Names) -> Vec<String> {
    let secrets = declaration.caches.values().map(|cache| SecretReference::Declared(cache.auth.clone()));
    let secrets: BTreeSet<String> = secrets.map(|secret| names.secret(declaration, &secret)).collect();
    secrets.iter().map(|name| format!("{}-??????", names.arn_of(Kind::Secret, name))).collect()
}

/// Returns the ARNs of the snapshots that a kind leaves at its end. Names are cut where they are too long, and so is what they begin with here:
/// to take a snapshot of another name does no harm.
fn last_snapshots(kind: Kind, names: &Names) -> Vec<String> {
    let form = match kind {
        Kind::Cache => SNAPSHOT,
        Kind::Database => SNAPSHOT_OF_DATABASE,
        _ => return Vec::new(),
    };
    let beginning: String = names.stack().prefix().chars().take(LEAST_OF_NAME).collect();
    vec![names.realm().arn(form, "", &format!("{beginning}*{LAST_SNAPSHOT}*")).into()]
}

/// Returns the ARNs of what caches are made with, and the stack does not have.
fn parts_of_caches(declaration: &Declaration, names: &Names) -> Vec<String> {
    let arn = |form: ArnForm, name: &str| names.realm().arn(form, "", name).into();
    let with = declaration.caches.values().flat_map(|cache| {
        let restored = match &cache.restore {
            Some(Restore::Snapshot(name)) => Some(arn(SNAPSHOT, name)),
            _ => None,
        };
        restored.into_iter().chain([arn(PARAMETERS, &cache.family())])
    });
    with.collect::<BTreeSet<String>>().into_iter().collect()
}

/// Returns what servers are made of and with that the stack does not have. What they are made with and the stack has is limited by its tag.
fn launch(declaration: &Declaration, names: &Names) -> Vec<String> {
    if declaration.servers.is_empty() {
        return Vec::new();
    }
    let mut arns: BTreeSet<String> = LAUNCH.iter().map(|form| names.realm().arn(*form, "", "*").into()).collect();
    for server in declaration.servers.values() {
        let network = declaration.networks.get(&server.network);
        let subnets = network.map(|network| network.parts(&server.network, server.tier())).unwrap_or_default();
        arns.extend(subnets.iter().filter_map(NetworkPart::existing).map(|id| names.arn_of(Kind::Subnet, id)));
        let groups = server.security_groups.iter().filter_map(NetworkPart::existing);
        arns.extend(groups.map(|id| names.arn_of(Kind::SecurityGroup, id)));
        arns.extend(server.key.iter().map(|key| names.realm().arn(KEY_PAIR, "", key).into()));
    }
    arns.into_iter().collect()
}

/// Kinds whose ids AWS chooses, and whose calls know them by these alone, with the actions that make one. Each of these actions takes tags.
pub(super) const BY_ID: &[(Kind, &str)] = &[
    (Kind::Network, "ec2:CreateVpc"),
    (Kind::Subnet, "ec2:CreateSubnet"),
    (Kind::InternetGateway, "ec2:CreateInternetGateway"),
    (Kind::RouteTable, "ec2:CreateRouteTable"),
    (Kind::SecurityGroup, "ec2:CreateSecurityGroup"),
    (Kind::Address, "ec2:AllocateAddress"),
    (Kind::NatGateway, "ec2:CreateNatGateway"),
    (Kind::Endpoint, "ec2:CreateVpcEndpoint"),
    (Kind::Volume, "ec2:CreateVolume"),
    (Kind::Server, "ec2:RunInstances"),
];

/// Returns the action that makes one of a kind whose ids AWS chooses; `None` for other kinds.
pub(super) fn making(kind: Kind) -> Option<&'static str> {
    BY_ID.iter().find(|(of, _)| *of == kind).map(|(_, action)| *action)
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
        // Its nodes are looked at, too, and have its tags.
        Kind::Cache => vec![names.realm().arn(NODE, "", &format!("{name}-*")).into(), arn],
        // AWS chooses the id behind the name.
        Kind::Cluster => vec![format!("{arn}/*")],
        _ => vec![arn],
    }
}

/// Returns the ARNs of the declared clusters of Kafka, and of their declared topics.
fn kafka(declaration: &Declaration, names: &Names) -> Vec<String> {
    let clusters = declaration.clusters.iter();
    let arns = clusters.flat_map(|(entry, cluster)| {
        let topics = cluster.topics.keys().map(|topic| names.kafka_topic_arn(entry, topic));
        topics.chain([names.cluster_arn(entry)]).collect::<Vec<_>>()
    });
    arns.collect()
}

/// Returns the ARNs of the functions that Lambda runs, with those of their versions and aliases.
pub(super) fn functions(declaration: &Declaration, names: &Names) -> Vec<String> {
    let functions = declaration.lambda_functions().map(|(entry, _)| names.name(Kind::Function, entry));
    functions.flat_map(|name| arns_of(Kind::Function, &name, names)).collect()
}

/// Returns the actions that write the tags of a resource, and what IAM knows these by.
pub(super) fn tagging(kind: Kind, name: &str, names: &Names) -> (BTreeSet<&'static str>, Vec<String>) {
    // Tags of an API are resources of their own, whose names have its ARN in another form.
    if kind == Kind::Api {
        return (
            BTreeSet::from(["apigateway:POST", "apigateway:PUT"]),
            vec![names.realm().arn(APIS[2], "", "*").into()],
        );
    }
    let target = if kind == Kind::Mapping { Target::MappingTags } else { Target::Own(kind) };
    let writes = kind.rights().iter().filter(|right| right.access == Access::Write && right.target == target);
    let is_tagging = |action: &&&str| {
        action.contains("Tag") && !["Untag", "RemoveTags", "DeleteTags"].iter().any(|one| action.contains(one))
    };
    (writes.flat_map(|right| right.actions).filter(is_tagging).copied().collect(), arns_of(kind, name, names))
}

/// Statements about the rights of roles, one for each boundary: of a function that one is declared for, the role may be made
/// and changed with that boundary alone. Roles of functions that are no longer declared are changed as the strictest.
pub(super) fn bounded(
    target: Target,
    kind: Kind,
    actions: &BTreeSet<&str>,
    declaration: &Declaration,
    names: &Names,
) -> Vec<(String, Statement)> {
    let mut by_boundary: BTreeMap<Option<String>, Vec<String>> = BTreeMap::new();
    for (entry, function) in declaration.lambda_functions() {
        by_boundary.entry(declaration.permissions_boundary(function)).or_default().push(entry.clone());
    }
    for entry in declaration.servers.keys() {
        by_boundary.entry(declaration.permissions_boundary.clone()).or_default().push(server_role_entry(entry));
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
            entries.iter().map(|entry| names.arn(kind, entry)).collect()
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
