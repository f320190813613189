//! Checks of servers that need no call: a way to them.

use std::path::Path;

use super::Finding;
use declaration::{Declaration, PublicAddress};

/// Returns what keeps a server from being reached. What an existing network has is not known from here.
pub(super) fn ways((file, declaration): (&Path, &Declaration)) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (entry, server) in &declaration.servers {
        let Some(network) = declaration.networks.get(&server.network) else { continue };
        if server.address != PublicAddress::None || network.existing().is_some() || network.has_nat() {
            continue;
        }
        let place = declaration.places.show(file, &["servers", entry]);
        let todo =
            format!("declare `nat: true` for the network `{}`, or `address: new` for the server", server.network);
        if let Some(function) = &server.runs {
            let what =
                format!("{place}: server `{entry}` has no way to SQS, from which it takes for function `{function}`");
            findings.push(Finding::blocks(what, todo));
            continue;
        }
        findings.push(Finding::warns(
            format!("{place}: server `{entry}` has no way to the internet: Session Manager does not reach it, and it loads no packages"),
            todo,
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_any_way_is_told() {
        let told = |network: &str, server: &str| {
            let source = format!(
                "stack: circuits\nregion: eu-west-1\nnetworks: {{main: {network}}}\nsecurity_groups: {{web: {{network: main}}}}\n\
                 servers: {{host: {{network: main, security_groups: [web]{server}}}}}\n"
            );
            let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
            ways((Path::new("infra.yaml"), &checked.declarations[0])).len()
        };
        assert_eq!(told("{}", ""), 1);
        assert_eq!(told("{nat: true}", ""), 0);
        assert_eq!(told("{}", ", address: new"), 0);
        assert_eq!(told("{existing: vpc-0a1b2c3d, private: [subnet-0a1b2c3d]}", ""), 0);
    }
}
