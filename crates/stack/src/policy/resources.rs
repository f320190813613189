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

/// ARN of the list of HTTP APIs.
const API_LIST: ArnForm = ArnForm("apigateway:{region}::/apis");
/// ARN of an HTTP API; with `*` as name, of all HTTP APIs and of everything in them.
const API: ArnForm = ArnForm("apigateway:{region}::/apis/{name}");
/// ARN of the tags of a resource of API Gateway, which are a resource of their own to IAM.
const API_TAGS: ArnForm = ArnForm("apigateway:{region}::/tags/{name}");

/// ARN of MSK's service-linked role, which MSK creates with the first cluster of an account.
const KAFKA_ROLE: ArnForm = ArnForm("iam::{account}:role/aws-service-role/kafka.amazonaws.com/AWSServiceRoleForKafka");
/// ARN of RDS's service-linked role, which RDS creates with the first database of an account.
const DATABASE_ROLE: ArnForm = ArnForm("iam::{account}:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS");
/// ARN of `ElastiCache`'s service-linked role, which `ElastiCache` creates with the first cache of an account.
const CACHE_ROLE: ArnForm =
    ArnForm("iam::{account}:role/aws-service-role/elasticache.amazonaws.com/AWSServiceRoleForElastiCache");

/// ARN of a node of a cache. `ElastiCache` describes and tags the nodes of a cache with it.
const CACHE_NODE: ArnForm = ArnForm("elasticache:{region}:{account}:cluster:{name}");
/// ARN of a snapshot of a cache.
const CACHE_SNAPSHOT: ArnForm = ArnForm("elasticache:{region}:{account}:snapshot:{name}");
/// ARN of `ElastiCache`'s default parameter group for a family of versions, such as `valkey8`.
const CACHE_PARAMETERS: ArnForm = ArnForm("elasticache:{region}:{account}:parametergroup:default.{name}");
/// ARN of a snapshot of a database.
const DATABASE_SNAPSHOT: ArnForm = ArnForm("rds:{region}:{account}:snapshot:{name}");
/// ARN of RDS's default option groups, in which a database is that names none.
const DATABASE_OPTIONS: ArnForm = ArnForm("rds:{region}:{account}:og:default:{name}");
/// Characters of the stack's prefix that every name of a cache or database begins with, however long its entry is: at least as many are left
/// when a name is cut to `ElastiCache`'s 40 characters, or RDS's 63, and ends with a hash.
const KEPT_OF_PREFIX: usize = 20;

/// ARNs of what EC2 launches a server with and that does not have the stack's tag: its image, its network interface and its own disk.
const LAUNCH: [ArnForm; 3] = [
    ArnForm("ec2:{region}::image/{name}"),
    ArnForm("ec2:{region}:{account}:network-interface/{name}"),
    ArnForm("ec2:{region}:{account}:volume/{name}"),
];
/// ARN of a key pair, which the stack names and never creates.
const KEY_PAIR: ArnForm = ArnForm("ec2:{region}:{account}:key-pair/{name}");
/// ARN of a public parameter of AWS that names an image.
const IMAGE_PARAMETER: ArnForm = ArnForm("ssm:{region}::parameter/{name}");

/// Key of the condition on a role's permissions boundary.
const BOUNDARY_KEY: &str = "iam:PermissionsBoundary";

/// The names of all resources that a declaration implies, by kind. Names do not depend on the inputs of a run, such as code and the active
/// rule set, so that no code and no active rule set is given, and the bucket for artefacts counts as declared.
pub(super) struct Declared {
    by_kind: BTreeMap<Kind, BTreeSet<String>>,
    /// Name of the stack's log group for its notes on runs; `None` if the command does not read it.
    notes: Option<String>,
}

impl Declared {
    /// Collects the names. A command that compares reads the log group for notes even if nothing that is declared implies it. The
    /// policy names this group: a condition on a tag cannot match a group that does not exist yet.
    pub(super) fn new(declaration: &Declaration, names: &Names, purpose: Purpose<'_>) -> Self {
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

    /// Returns the names of a kind's resources that the command makes calls on: the declared ones, and the log group for notes.
    fn with_notes(&self, kind: Kind) -> BTreeSet<&String> {
        self.names(kind).chain(self.notes.iter().filter(|_| kind == Kind::LogGroup)).collect()
    }
}

/// Returns the ARNs that a permission's target stands for; none for a target that depends on declared resources if there are none. Resources
/// are named one by one, except where AWS chooses ids or a path is only the stack's: a pattern such as `STACK-*` would cover resources of
/// other stacks whose names begin alike.
pub(super) fn arns(target: Target, declaration: &Declaration, names: &Names, declared: &Declared) -> Vec<String> {
    let arn_of = |kind: Kind, name: &str| names.arn_of(kind, name);
    let arn = |form: ArnForm, name: &str| String::from(names.realm().arn(form, "", name));
    let (has_databases, has_caches) = (!declaration.databases.is_empty(), !declaration.caches.is_empty());
    match target {
        Target::Own(kind) | Target::Passed(kind) => own(kind, names, declared),
        Target::Objects => {
            declared.names(Kind::Bucket).map(|name| format!("{}/*", arn_of(Kind::Bucket, name))).collect()
        }
        Target::Existing(kind) => existing_of(kind, declaration, names),
        Target::WithoutPath(kind) => {
            let path = role::path(names.stack());
            declared.names(kind).map(|name| arn_of(kind, name).replace(&path, "/")).collect()
        }
        // `bounded` makes these statements: each role may have a boundary of its own.
        Target::Bounded(_) | Target::Boundary(_) => Vec::new(),
        Target::Keys => declaration.kms_keys(),
        Target::Artifacts => vec![format!("{}/*", arn_of(Kind::Bucket, &names.artifacts()))],
        Target::MappingTags => vec![arn_of(Kind::Mapping, "*")],
        // The list has the tags of each API, so that an undeclared API of the stack is found there.
        Target::Apis if declaration.apis.is_empty() => vec![arn(API_LIST, "*")],
        Target::Apis => [API_LIST, API, API_TAGS].map(|form| arn(form, "*")).to_vec(),
        // IAM checks the creation of a mapping on `*` only. A condition names the functions: see `limited`.
        Target::Mappings => one_if(declaration.lambda_functions().next().is_some(), "*".to_owned()),
        Target::Kafka => kafka(declaration, names),
        Target::KafkaRole => {
            let is_created = declaration.clusters.values().any(|cluster| cluster.existing().is_none());
            one_if(is_created, arn(KAFKA_ROLE, ""))
        }
        Target::DatabaseSecrets => one_if(has_databases, arn(SECRET_OF_DATABASE, "*")),
        Target::DatabaseRole => one_if(has_databases, arn(DATABASE_ROLE, "")),
        Target::DatabaseOptions => one_if(has_databases, arn(DATABASE_OPTIONS, "*")),
        Target::LastSnapshots(kind) => last_snapshots(kind, names),
        Target::CacheParts => parts_of_caches(declaration, names),
        Target::CacheObjects => objects_of_caches(declaration),
        Target::CachePasswords => passwords_of_caches(declaration, names),
        Target::CacheRole => one_if(has_caches, arn(CACHE_ROLE, "")),
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

/// Returns the ARN if it is needed.
fn one_if(is_needed: bool, arn: String) -> Vec<String> {
    is_needed.then_some(arn).into_iter().collect()
}

/// Returns the ARNs of the stack's resources of a kind.
fn own(kind: Kind, names: &Names, declared: &Declared) -> Vec<String> {
    let all = names.arn_of(kind, "*");
    match kind {
        // AWS chooses their ids. A condition on the stack's tag excludes those of others: see `split_by_tag`.
        kind if creating_action(kind).is_some() => one_if(declared.has(kind), all),
        // Nobody but the stack uses its path of roles and instance profiles, so that the pattern covers those of removed functions and
        // no others.
        Kind::Role | Kind::InstanceProfile => vec![all],
        kind => declared.with_notes(kind).into_iter().flat_map(|name| arns_of(kind, name, names)).collect(),
    }
}

/// Returns the ARNs of the resources of a kind that are declared as `existing`.
fn existing_of(kind: Kind, declaration: &Declaration, names: &Names) -> Vec<String> {
    let buckets = declaration.buckets.values().filter_map(|bucket| bucket.existing.as_deref());
    let buckets = buckets.map(|name| (Kind::Bucket, name));
    let networks = declaration.networks.values().filter_map(|network| network.existing());
    let networks = networks.map(|id| (Kind::Network, id));
    let all: BTreeSet<(Kind, &str)> = existing::names(declaration).into_iter().chain(buckets).chain(networks).collect();
    let of_kind = all.into_iter().filter(|(other, _)| *other == kind);
    of_kind.flat_map(|(_, name)| arns_of(kind, name, names)).collect()
}

/// Returns the ARNs of the existing security groups that declared servers are in.
fn existing_groups(declaration: &Declaration, names: &Names) -> Vec<String> {
    let groups = declaration.servers.values().flat_map(|server| &server.security_groups);
    let ids: BTreeSet<&str> = groups.filter_map(NetworkPart::existing).collect();
    ids.into_iter().map(|id| names.arn_of(Kind::SecurityGroup, id)).collect()
}

/// Returns the ARNs of the existing public addresses that declared servers get.
fn existing_addresses(declaration: &Declaration, names: &Names) -> Vec<String> {
    let addresses = declaration.servers.values().filter_map(|server| match &server.address {
        PublicAddress::Existing(id) => Some(names.arn_of(Kind::Address, id)),
        PublicAddress::None | PublicAddress::Own => None,
    });
    addresses.collect()
}

/// Returns the ARNs of the files in S3 that declared caches are restored from.
fn objects_of_caches(declaration: &Declaration) -> Vec<String> {
    let restored = declaration.caches.values().filter_map(|cache| cache.restore.as_ref());
    let objects = restored.filter_map(|restore| match restore {
        Restore::Objects(arns) => Some(arns),
        Restore::Snapshot(_) => None,
    });
    objects.flatten().cloned().collect()
}

/// Returns the ARNs of the secrets with the passwords of declared caches.
fn passwords_of_caches(declaration: &Declaration, names: &Names) -> Vec<String> {
    let secrets = declaration.caches.values().map(|cache| SecretReference::Declared(cache.auth.clone()));
    let secrets: BTreeSet<String> = secrets.map(|secret| names.secret(declaration, &secret)).collect();
    secrets.iter().map(|name| format!("{}-??????", names.arn_of(Kind::Secret, name))).collect()
}

/// Returns patterns for the ARNs of the last snapshots of a kind's resources, declared or not: by the beginning of the stack's names, and by the
/// names of resources whose names begin differently, such as adopted ones. The beginning may be shared with other stacks: the right to take a
/// snapshot with such a name does no harm.
fn last_snapshots(kind: Kind, names: &Names) -> Vec<String> {
    let form = match kind {
        Kind::Cache => CACHE_SNAPSHOT,
        Kind::Database => DATABASE_SNAPSHOT,
        _ => return Vec::new(),
    };
    let beginning: String = names.stack().prefix().chars().take(KEPT_OF_PREFIX).collect();
    let others = names.found(kind).filter(|name| !name.starts_with(&beginning)).map(str::to_owned);
    let patterns = others.chain([format!("{beginning}*")]);
    patterns.map(|name| names.realm().arn(form, "", &format!("{name}{LAST_SNAPSHOT}*")).into()).collect()
}

/// Returns the ARNs of the snapshots that declared caches are restored from, and of the default parameter groups for their engines.
fn parts_of_caches(declaration: &Declaration, names: &Names) -> Vec<String> {
    let arn = |form: ArnForm, name: &str| names.realm().arn(form, "", name).into();
    let parts = declaration.caches.values().flat_map(|cache| {
        let restored = match &cache.restore {
            Some(Restore::Snapshot(name)) => Some(arn(CACHE_SNAPSHOT, name)),
            _ => None,
        };
        restored.into_iter().chain([arn(CACHE_PARAMETERS, &cache.family())])
    });
    parts.collect::<BTreeSet<String>>().into_iter().collect()
}

/// Returns the ARNs of the resources that EC2 launches declared servers with and that do not have the stack's tag. Rights to those that do are
/// limited by the tag.
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

/// Kinds of EC2 whose resources have ids that AWS chooses, instead of names, each with the action that creates one. Each of these actions takes tags.
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

/// Returns the action that creates a resource of a kind of [`BY_ID`]; `None` for other kinds.
pub(super) fn creating_action(kind: Kind) -> Option<&'static str> {
    BY_ID.iter().find(|(by_id, _)| *by_id == kind).map(|(_, action)| *action)
}

/// Returns the ARNs by which IAM knows a resource.
fn arns_of(kind: Kind, name: &str, names: &Names) -> Vec<String> {
    let arn = names.arn_of(kind, name);
    match kind {
        // The ARN of an existing secret ends with a hyphen and six characters; IAM checks the creation of one without them.
        Kind::Secret => vec![format!("{arn}-??????"), arn],
        // `:*` covers the aliases of a function, each of which has a policy of its own, and the streams of a log group, on which IAM
        // checks calls about its lines and filters.
        Kind::Function | Kind::LogGroup | Kind::AccessLog => vec![format!("{arn}:*"), arn],
        // `ElastiCache` describes and tags the nodes of a cache as well.
        Kind::Cache => vec![names.realm().arn(CACHE_NODE, "", &format!("{name}-*")).into(), arn],
        // The ARN of a cluster ends with an id that AWS chooses.
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

/// Returns the actions that write the tags of a resource, and the ARNs on which IAM checks them.
pub(super) fn tagging(kind: Kind, name: &str, names: &Names) -> (BTreeSet<&'static str>, Vec<String>) {
    if kind == Kind::Api {
        return (
            BTreeSet::from(["apigateway:POST", "apigateway:PUT"]),
            vec![names.realm().arn(API_TAGS, "", "*").into()],
        );
    }
    let target = if kind == Kind::Mapping { Target::MappingTags } else { Target::Own(kind) };
    let writes = kind.rights().iter().filter(|right| right.access == Access::Write && right.target == target);
    let is_tagging = |action: &&&str| {
        action.contains("Tag") && !["Untag", "RemoveTags", "DeleteTags"].iter().any(|one| action.contains(one))
    };
    (writes.flat_map(|right| right.actions).filter(is_tagging).copied().collect(), arns_of(kind, name, names))
}

/// Returns the statements about the rights of roles, one for each permissions boundary: a role is created, and gets rights, only with the
/// boundary that is declared for its function or server. If there are several, one more statement is about taking rights from roles that
/// are no longer declared, with any boundary that still is.
pub(super) fn bounded(
    target: Target,
    kind: Kind,
    actions: &BTreeSet<&str>,
    declaration: &Declaration,
    names: &Names,
) -> Vec<(String, Statement)> {
    let mut by_boundary = roles_by_boundary(declaration);
    let boundaries: Vec<Option<String>> = by_boundary.keys().cloned().collect();
    let is_one = boundaries.len() < 2;
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
            Some(arn) => (id, statement.when("StringEquals", BOUNDARY_KEY, [arn])),
            None => (id, statement),
        }
    });
    let removed = (!is_one).then(|| rights_of_removed(target, kind, &actions, boundaries, names)).flatten();
    statements.chain(removed).collect()
}

/// Returns the entries of the declared roles, by permissions boundary. A declaration without roles counts as one with the stack's boundary, if any.
fn roles_by_boundary(declaration: &Declaration) -> BTreeMap<Option<String>, Vec<String>> {
    let functions = declaration.lambda_functions();
    let functions = functions.map(|(entry, function)| (declaration.permissions_boundary(function), entry.clone()));
    let servers = declaration.servers.keys();
    let servers = servers.map(|entry| (declaration.permissions_boundary.clone(), server_role_entry(entry)));
    let mut by_boundary: BTreeMap<Option<String>, Vec<String>> = BTreeMap::new();
    for (boundary, entry) in functions.chain(servers) {
        by_boundary.entry(boundary).or_default().push(entry);
    }
    if by_boundary.is_empty() {
        by_boundary.insert(declaration.permissions_boundary.clone(), Vec::new());
    }
    by_boundary
}

/// Returns the statement about taking rights from roles that are no longer declared; `None` for a target without such actions. A role whose
/// boundary is declared nowhere any more is left to the policy of the declaration that had it.
fn rights_of_removed(
    target: Target,
    kind: Kind,
    actions: &[&str],
    boundaries: Vec<Option<String>>,
    names: &Names,
) -> Option<(String, Statement)> {
    let deletes = kind.rights().iter().filter(|right| right.target == target && right.access == Access::Delete);
    let needed: Vec<&str> =
        deletes.flat_map(|right| right.actions).copied().filter(|action| actions.contains(action)).collect();
    // A role without a boundary has no such key in a request.
    let operator = if boundaries.contains(&None) { "StringEqualsIfExists" } else { "StringEquals" };
    let statement = Statement::allow(&needed, [names.arn_of(kind, "*")]);
    let id = format!("RightsOfRemoved{}", kind.identity().plural);
    (!needed.is_empty()).then(|| (id, statement.when(operator, BOUNDARY_KEY, boundaries.into_iter().flatten())))
}
