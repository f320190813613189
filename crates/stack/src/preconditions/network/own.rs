//! Judges the network of a function that the stack makes: its ways are known before it is there.

use std::net::Ipv4Addr;

use super::{
    block::Block,
    judge::Function,
    needs::{Need, Service},
};
use crate::preconditions::Finding;
use declaration::{Declaration, Network};

/// Returns what a function in a network of the stack's own does not reach.
pub(super) fn judge(declaration: &Declaration, function: &Function<'_>, needs: &[Need]) -> Vec<Finding> {
    let named = function.network.and_then(|entry| Some((entry, declaration.networks.get(entry)?)));
    let Some((entry, network)) = named.filter(|(_, network)| network.existing().is_none()) else { return Vec::new() };
    let findings = needs.iter().filter_map(|need| match need {
        Need::Service(service) => of_service(network, entry, function, *service),
        Need::Server { variable, host, addresses, .. } => {
            // To private addresses there may be ways that are not declared, such as a peering.
            let is_private = |address: &Ipv4Addr| Block::parse(&format!("{address}/32")).is_some_and(Block::is_private);
            let is_outside = !addresses.is_empty() && !addresses.iter().any(is_private);
            let what = format!(
                "{}: function `{}` does not reach `{host}` (`{variable}`): network `{entry}` has no NAT gateway",
                function.place, function.entry
            );
            (is_outside && !network.has_nat())
                .then(|| Finding::blocks(what, format!("declare `nat: true` for `{entry}`")))
        }
    });
    findings.collect()
}

fn of_service(network: &Network, entry: &str, function: &Function<'_>, service: Service) -> Option<Finding> {
    let has_endpoint = network.endpoints().iter().any(|endpoint| endpoint.word() == service.name);
    if network.has_nat() || has_endpoint {
        return None;
    }
    let what = format!(
        "{}: function `{}` does not reach {}: network `{entry}` has neither a NAT gateway nor an endpoint of it",
        function.place, function.entry, service.title
    );
    let todo = if service.has_gateway {
        format!("add `{}` to the `endpoints` of `{entry}` (it costs nothing), or declare `nat: true`", service.name)
    } else {
        format!("declare `nat: true` for `{entry}`")
    };
    Some(Finding::blocks(what, todo))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{functions, needs};
    use super::*;

    /// Returns what is told of a function in a network that is declared so, with a server at an address.
    fn told(network: &str, address: &str) -> Vec<String> {
        let source = format!(
            "stack: mail\nregion: eu-west-1\nbuckets: {{mail: {{}}}}\nqueues: {{jobs: {{}}}}\nnetworks: {{main: {network}}}\n\
             security_groups: {{app: {{network: main}}}}\nfunctions:\n  reader:\n    crate: maintenance\n    bin: reader\n    \
             reads: [mail]\n    sends: [jobs]\n    environment: {{URL: 'https://{address}'}}\n    \
             vpc: {{network: main, security_groups: [app]}}\n"
        );
        let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
        let declaration = &checked.declarations[0];
        let function = functions(declaration, Path::new("infra.yaml")).remove(0);
        assert!(function.subnets.is_empty() || declaration.networks["main"].existing().is_some());
        let findings = judge(declaration, &function, &needs::of(function.declared));
        findings.into_iter().map(|finding| format!("{} | {}", finding.what, finding.todo)).collect()
    }

    #[test]
    fn each_way_is_one_of_the_declared_ones() {
        let reasons =
            |network, address| told(network, address).iter().map(|one| one.contains("NAT")).collect::<Vec<_>>();
        assert_eq!(reasons("{nat: true}", "203.0.113.7"), [false; 0]);
        assert_eq!(reasons("{}", "203.0.113.7"), [true, true], "SQS and the server");
        assert_eq!(reasons("{}", "10.1.2.3"), [true], "to a private address there may be a way");
        assert_eq!(reasons("{endpoints: []}", "10.1.2.3"), [true, true], "S3 and SQS");
        let with = told("{endpoints: [dynamodb]}", "10.1.2.3");
        assert!(with[0].starts_with("infra.yaml:") && with[0].contains("does not reach S3"), "{with:?}");
        assert!(with[0].contains("add `s3` to the `endpoints` of `main`"), "{with:?}");
        let existing = "{existing: vpc-0a1b2c3d, private: [subnet-0000000a, subnet-0000000b]}";
        assert_eq!(told(existing, "203.0.113.7"), [""; 0], "AWS is asked about it");
    }
}
