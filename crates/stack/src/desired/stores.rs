//! Databases, each with a group of subnets and a group of parameters of its own, and caches, each with a group of subnets.

use std::collections::BTreeSet;

use super::{Blueprint, network, of};
use crate::moves::parameters_entry;
use declaration::{Cache, Database, Restore, SecretReference, SecretSource};
use engine::{Address, Children};
use kinds::{
    Id, Input, Kind,
    elasticache::{
        replication_group::{self, Data, Origin, TLS_REQUIRED},
        subnet_group as cache_subnets,
    },
    rds::{
        instance::{self, GP3, MYSQL_PORT},
        parameter_group, subnet_group,
    },
};

/// Parameters of every database: the clock of the world, and nobody without TLS.
const PARAMETERS: &[(&str, &str)] = &[("require_secure_transport", "1"), ("time_zone", "UTC")];

pub(super) fn add(blueprint: &mut Blueprint<'_>) {
    let declaration = blueprint.declaration;
    for (entry, declared) in &declaration.databases {
        let subnets = subnets(blueprint, entry, declared);
        let parameters = parameters(blueprint, entry, declared);
        database(blueprint, entry, declared, (subnets, parameters));
    }
    for (entry, declared) in &declaration.caches {
        cache(blueprint, entry, declared);
    }
}

fn subnets(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Database) -> Id {
    let (subnets, after) = network::parts(blueprint, Kind::Subnet, &declared.subnets);
    let settings = subnet_group::Settings {
        description: format!("Subnets of the database {entry}"),
        subnets,
        tags: blueprint.tags(entry, &declared.tags),
    };
    let address = Address::of(blueprint.names().name(Kind::DatabaseSubnets, entry));
    blueprint.add(of(Kind::DatabaseSubnets, entry), address, settings, after);
    of(Kind::DatabaseSubnets, entry)
}

/// Adds the group of parameters.
fn parameters(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Database) -> Id {
    let family = declared.family();
    let id = of(Kind::DatabaseParameters, parameters_entry(entry, declared));
    let settings = parameter_group::Settings {
        // RDS cannot change it, and the entry may get another name.
        description: format!("Parameters of a database of {family}"),
        family,
        parameters: PARAMETERS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        at_restart: Input::default(),
        tags: blueprint.tags(&id.entry, &declared.tags),
    };
    let address = Address::of(blueprint.names().name(Kind::DatabaseParameters, &id.entry));
    blueprint.add(id.clone(), address, settings, Vec::new());
    id
}

fn database(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Database, (subnets, parameters): (Id, Id)) {
    let names = blueprint.names();
    let (security_groups, mut after) = network::parts(blueprint, Kind::SecurityGroup, &declared.security_groups);
    after.extend([subnets, parameters.clone()]);
    let settings = instance::Settings {
        engine: declared.engine.of_rds().to_owned(),
        version: declared.version.clone(),
        class: declared.class.clone(),
        storage: declared.storage,
        storage_type: GP3.to_owned(),
        name: Some(declared.name.clone()),
        user: declared.user.clone(),
        managed_password: true,
        subnet_group: names.name(Kind::DatabaseSubnets, entry),
        security_groups,
        is_public: false,
        multi_az: declared.multi_az,
        port: MYSQL_PORT,
        is_encrypted: true,
        kms_key: blueprint.declaration.kms_key(declared.kms_key.as_ref()),
        backup_days: declared.backups.into(),
        backup_window: declared.backup_window.clone(),
        parameter_group: names.name(Kind::DatabaseParameters, &parameters.entry),
        minor_upgrades: declared.minor_upgrades,
        tagged_snapshots: true,
        deletion_protection: declared.deletion_protection,
        iam_users: false,
        is_made: true,
        state: Input::default(),
        tags: blueprint.protected_tags(Kind::Database, entry, &declared.tags, declared.protect),
        children: Children::default(),
    };
    let address = Address::of(names.name(Kind::Database, entry));
    blueprint.add(of(Kind::Database, entry), address, settings, after);
}

fn cache(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Cache) {
    let (names, group) = (blueprint.names(), of(Kind::CacheSubnets, entry));
    let (subnets, after) = network::parts(blueprint, Kind::Subnet, &declared.subnets);
    let settings = cache_subnets::Settings {
        description: format!("Subnets of the cache {entry}"),
        subnets,
        tags: blueprint.tags(entry, &declared.tags),
    };
    blueprint.add(group.clone(), Address::of(names.name(Kind::CacheSubnets, entry)), settings, after);
    let (security_groups, mut after) = network::parts(blueprint, Kind::SecurityGroup, &declared.security_groups);
    let settings = replication_group::Settings {
        description: format!("Cache {entry}"),
        engine: declared.engine.of_elasticache().to_owned(),
        version: declared.version.clone(),
        node: declared.node.clone(),
        replicas: declared.replicas,
        failover: declared.replicas > 0,
        multi_az: declared.replicas > 0,
        port: declared.port,
        subnet_group: names.name(Kind::CacheSubnets, entry),
        security_groups,
        parameter_group: format!("default.{}", declared.family()),
        tls: TLS_REQUIRED.to_owned(),
        has_password: true,
        user_groups: BTreeSet::new(),
        is_encrypted: true,
        kms_key: blueprint.declaration.kms_key(declared.kms_key.as_ref()),
        snapshot_days: declared.snapshots.into(),
        snapshot_window: declared.snapshot_window.clone(),
        minor_upgrades: declared.minor_upgrades,
        is_made: true,
        origin: Input(origin(blueprint, declared)),
        state: Input::default(),
        tags: blueprint.protected_tags(Kind::Cache, entry, &declared.tags, declared.protect),
        children: Children::default(),
    };
    let secret = blueprint.declaration.secrets.get(&declared.auth);
    let is_made = secret.is_some_and(|secret| matches!(secret.source, SecretSource::Created(_)));
    after.extend([group].into_iter().chain(is_made.then(|| of(Kind::Secret, &declared.auth))));
    blueprint.add(of(Kind::Cache, entry), Address::of(names.name(Kind::Cache, entry)), settings, after);
}

/// Returns what a cache is made from, and nobody can read of it.
fn origin(blueprint: &Blueprint<'_>, declared: &Cache) -> Origin {
    let secret = SecretReference::Declared(declared.auth.clone());
    let data = match &declared.restore {
        None => Data::Nothing,
        Some(Restore::Snapshot(name)) => Data::Snapshot(name.clone()),
        Some(Restore::Objects(arns)) => Data::Objects(arns.clone()),
    };
    Origin { password: blueprint.names().secret(blueprint.declaration, &secret), data }
}
