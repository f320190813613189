//! Ids in a declaration that belong to what the stack has made itself: an entry says which one it is, before it is made and after it was
//! made anew, and an id does neither.

use std::path::Path;

use super::Finding;
use declaration::{ClusterSource, Declaration, NetworkPart, NetworkSource, Peer, PublicAddress};
use kinds::Kind;

/// A declared id of something that exists: its place in the declaration, its kind, the id.
type Declared<'declared> = (&'static str, &'declared str, Kind, &'declared str);

/// Returns the declared ids that are those of the stack's own resources. `own` has these: kind, entry, id.
pub(super) fn ids<'own>(
    (file, declaration): (&Path, &Declaration),
    own: impl Iterator<Item = (Kind, &'own str, &'own str)>,
) -> Vec<Finding> {
    let declared = declared(declaration);
    own.flat_map(|(kind, entry, id)| {
        let named = declared.iter().filter(move |(_, _, of, named)| *of == kind && *named == id);
        named.map(move |(section, at, ..)| {
            let place = declaration.places.show(file, &[*section, *at]);
            let what = format!("{place}: `{id}` is the stack's own {} `{entry}`, named by its id", kind.name());
            Finding::blocks(what, format!("write `{entry}` in place of `{id}`"))
        })
    })
    .collect()
}

/// Returns every id of something in a network that a declaration names.
fn declared(declaration: &Declaration) -> Vec<Declared<'_>> {
    let Declaration { functions, clusters, databases, caches, servers, security_groups, networks, .. } = declaration;
    let functions = functions.iter().filter_map(|(entry, function)| Some((entry, function.vpc.as_ref()?)));
    let in_networks = (functions.map(|(entry, vpc)| ("functions", entry, &vpc.subnets, &vpc.security_groups)))
        .chain(clusters.iter().filter_map(|(entry, cluster)| match &cluster.source {
            ClusterSource::Created(made) => Some(("clusters", entry, &made.subnets, &made.security_groups)),
            ClusterSource::Existing(_) => None,
        }))
        .chain(databases.iter().map(|(entry, one)| ("databases", entry, &one.subnets, &one.security_groups)))
        .chain(caches.iter().map(|(entry, one)| ("caches", entry, &one.subnets, &one.security_groups)));
    let mut all = Vec::new();
    for (section, entry, subnets, groups) in in_networks {
        let parts = [(Kind::Subnet, subnets), (Kind::SecurityGroup, groups)];
        all.extend(parts.into_iter().flat_map(|(kind, parts)| {
            parts.iter().filter_map(NetworkPart::existing).map(move |id| (section, entry.as_str(), kind, id))
        }));
    }
    for (entry, server) in servers {
        let groups = server.security_groups.iter().filter_map(NetworkPart::existing);
        all.extend(groups.map(|id| ("servers", entry.as_str(), Kind::SecurityGroup, id)));
        if let PublicAddress::Existing(id) = &server.address {
            all.push(("servers", entry, Kind::Address, id));
        }
    }
    for (entry, group) in security_groups {
        let peers =
            group.ingress.iter().chain(group.egress.iter().flatten()).filter_map(|traffic| match &traffic.peer {
                Peer::Existing(id) => Some(id.as_str()),
                Peer::Group(_) | Peer::Range(_) => None,
            });
        all.extend(peers.map(|id| ("security_groups", entry.as_str(), Kind::SecurityGroup, id)));
    }
    for (entry, network) in networks {
        if let NetworkSource::Existing { id, public, private } = &network.source {
            all.push(("networks", entry, Kind::Network, id));
            all.extend(public.iter().chain(private).map(|id| ("networks", entry.as_str(), Kind::Subnet, id.as_str())));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A declaration that names by its id, in every place where that can be done, what may be its own.
    const DECLARATION: &str = "\
stack: circuits
region: eu-west-1
networks:
  theirs: {existing: vpc-0a1b2c3d, public: [subnet-9a1b2c3d], private: [subnet-0a1b2c3d, subnet-4e5f6a7b]}
security_groups:
  web: {network: theirs, ingress: [{from: sg-0a1b2c3d, port: 80}], egress: [{to: sg-0a1b2c3d, port: 80}]}
functions:
  f: {use: echo, vpc: {subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d]}}
clusters:
  log: {brokers: 2, subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d]}
databases:
  mails: {subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d]}
caches:
  seen: {auth: token, subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d]}
secrets:
  token: {existing: token}
servers:
  host: {network: theirs, security_groups: [sg-0a1b2c3d], address: eipalloc-0a1b2c3d}
";

    #[test]
    fn whatever_names_what_is_the_stacks_own_by_its_id_is_told_to_name_its_entry() {
        let checked = Declaration::parse(Path::new("infra.yaml"), DECLARATION.as_bytes(), None).unwrap();
        let told = |own: &[(Kind, &'static str, &'static str)]| {
            ids((Path::new("infra.yaml"), &checked.declarations[0]), own.iter().copied())
        };
        assert_eq!(told(&[(Kind::SecurityGroup, "other", "sg-4e5f6a7b"), (Kind::Queue, "queue", "sg-0a1b2c3d")]), []);
        for (kind, entry, id) in [
            (Kind::Network, "main", "vpc-0a1b2c3d"),
            (Kind::Subnet, "main-private-1", "subnet-0a1b2c3d"),
            (Kind::SecurityGroup, "worker", "sg-0a1b2c3d"),
            (Kind::Address, "host", "eipalloc-0a1b2c3d"),
        ] {
            let findings = told(&[(kind, entry, id)]);
            let named = DECLARATION.matches(id).count();
            assert_eq!(findings.len(), named, "{id}: {findings:?}");
            let words = |finding: &Finding| {
                finding.what.starts_with("infra.yaml:") && finding.what.contains(entry) && finding.todo.contains(id)
            };
            assert!(findings.iter().all(words), "{findings:?}");
        }
    }
}
