//! Tells of resources with fixed costs before they are made.

use std::path::Path;

use super::Finding;
use crate::{Names, costs};
use declaration::{ClusterSource, Declaration};
use kinds::{Id, Kind};

/// Returns a finding about the price of everything that is not there yet.
pub(super) fn prices((file, declaration): (&Path, &Declaration), names: &Names) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut tell = |(kind, section, entry): (Kind, &str, &str), price: costs::Price, how_long: &str, hint: &str| {
        if names.is_found(&Id::new(kind, entry)) {
            return;
        }
        let place = declaration.places.show(file, &[section, entry]);
        let (noun, price) = (kind.name(), price.describe());
        let what = format!("{place}: {noun} `{entry}` costs {price}, and takes {how_long} to be made");
        findings.push(Finding::warns(what, hint));
    };
    for (entry, cluster) in &declaration.clusters {
        let ClusterSource::Created(own) = &cluster.source else { continue };
        let price = costs::brokers(own.brokers, &own.instance, own.storage);
        let hint = "name one that is there, `existing: ARN`, if you have one: a topic in it costs nothing";
        tell((Kind::Cluster, "clusters", entry), price, "half an hour", hint);
    }
    for (entry, declared) in &declaration.databases {
        let price = costs::database(&declared.class, declared.storage, declared.multi_az);
        let hint = "nothing, if that is what you want: `db.t4g.micro` with 20 GiB is the least";
        tell((Kind::Database, "databases", entry), price, "a quarter of an hour", hint);
    }
    for (entry, declared) in &declaration.caches {
        let price = costs::cache(declared.replicas + 1, &declared.node, declared.engine.of_elasticache());
        let hint = "nothing, if that is what you want: `cache.t4g.micro` without replicas is the least";
        tell((Kind::Cache, "caches", entry), price, "ten minutes", hint);
    }
    findings
}
