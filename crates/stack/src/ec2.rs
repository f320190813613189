//! Kinds of EC2 that a declaration has something of.

use std::collections::BTreeSet;

use declaration::{Declaration, PublicAddress};
use kinds::Kind;

/// Returns the kinds of EC2 of which a stack has something of its own: others name it by what stands for its id.
pub fn kinds_of_ec2(declaration: &Declaration) -> BTreeSet<Kind> {
    let own = || declaration.networks.values().filter(|network| network.existing().is_none());
    let servers = || declaration.servers.values();
    let has_own_address = servers().any(|server| server.address == PublicAddress::Own);
    let kinds = [
        (Kind::Network, own().next().is_some()),
        (Kind::Subnet, own().next().is_some()),
        (Kind::InternetGateway, own().next().is_some()),
        (Kind::RouteTable, own().next().is_some()),
        (Kind::NatGateway, own().any(declaration::Network::has_nat)),
        (Kind::Endpoint, own().any(|network| !network.endpoints().is_empty())),
        (Kind::Address, has_own_address || own().any(declaration::Network::has_nat)),
        (Kind::SecurityGroup, !declaration.security_groups.is_empty()),
        (Kind::Volume, servers().any(|server| server.volume.is_some())),
        (Kind::Server, servers().next().is_some()),
    ];
    kinds.into_iter().filter(|(_, is_there)| *is_there).map(|(kind, _)| kind).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        Existing, Names,
        desired::{Inputs, RuleSet, resources},
    };

    #[test]
    fn they_are_those_of_its_resources() {
        let of_existing = "networks: {main: {existing: vpc-0a1b2c3d, private: [subnet-0a1b2c3d]}}\n";
        for rest in [
            "",
            "networks: {main: {}}\n",
            "networks: {main: {nat: true, endpoints: []}}\n",
            &format!("{of_existing}security_groups: {{web: {{network: main}}}}\n"),
            &format!(
                "{of_existing}security_groups: {{web: {{network: main}}}}\nservers: {{host: {{network: main, security_groups: [web], volume: {{}}}}}}\n"
            ),
            "networks: {main: {}}\nsecurity_groups: {web: {network: main}}\nservers: {host: {network: main, security_groups: [web], address: new}}\n",
        ] {
            let source = format!("stack: circuits\nregion: eu-west-1\n{rest}");
            let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
            let declaration = &checked.declarations[0];
            let names = Names::new(declaration, "123456789012");
            let (code, existing) = (std::collections::BTreeMap::new(), Existing::default());
            let inputs =
                Inputs { names: &names, code: &code, artifacts: false, rule_set: &RuleSet::Own, existing: &existing };
            let of_ec2 = |kind: &Kind| names.arn_of(*kind, "x").contains(":ec2:");
            let expected: BTreeSet<Kind> =
                resources(declaration, inputs).into_iter().map(|one| one.id.kind).filter(of_ec2).collect();
            assert_eq!(kinds_of_ec2(declaration), expected, "{rest}");
        }
    }
}
