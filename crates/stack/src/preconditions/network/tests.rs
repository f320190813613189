//! Tests the judgement on networks as EC2 tells them: a network that passes, and each way in which one does not.

use std::path::Path;

use super::{judge::judge, *};
use crate::preconditions::Weight;
use aws::Realm;
use replaced::Replaced as _;

const DECLARATION: &str = "\
stack: mail
region: eu-west-1
buckets: {mail: {}}
queues: {jobs: {}}
secrets: {token: {value_from: stdin}}
functions:
  reader:
    crate: maintenance
    bin: reader
    reads: [mail]
    secrets: {TOKEN: token}
    vpc: {subnets: [subnet-0000000a, subnet-0000000b], security_groups: [sg-0000000a]}
";

/// A network, as three of EC2's answers tell it, in words: one part a line.
///
/// `subnet ID VPC ZONE BLOCK`, `table ID VPC main|SUBNET,… DESTINATION=TARGET …`, `gateway ID VPC SERVICE TABLE,…`,
/// `interface ID VPC SERVICE named|unnamed|pending GROUP,…`, `group ID VPC in=PORT:PEER,… out=PORT:PEER,…`.
fn network(parts: &str) -> Network {
    let mut network = Network::default();
    for line in parts.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (kind, id, vpc, rest) = (words[0], words[1], words[2], &words[3..]);
        match kind {
            "subnet" => {
                let owner = rest.get(2).copied().unwrap_or(ACCOUNT);
                let xml = format!(
                    "<item><subnetId>{id}</subnetId><vpcId>{vpc}</vpcId><availabilityZone>{}</availabilityZone><cidrBlock>{}</cidrBlock><ownerId>{owner}</ownerId></item>",
                    rest[0], rest[1]
                );
                network.subnets.extend([Subnet::read(&Element::read(&xml).unwrap())]);
            }
            "table" => network.tables.push(Table::read(&Element::read(&table(id, vpc, rest)).unwrap())),
            "gateway" | "interface" => {
                network.endpoints.push(Endpoint::read(&Element::read(&endpoint(&words)).unwrap()));
            }
            "group" => network.groups.extend([Group::read(&Element::read(&group(id, vpc, rest)).unwrap())]),
            other => panic!("{other}"),
        }
    }
    network
}

fn items(list: &str, item: impl Fn(&str) -> String) -> String {
    list.split(',').filter(|one| !one.is_empty()).map(item).collect()
}

fn table(id: &str, vpc: &str, rest: &[&str]) -> String {
    let associations = items(rest[0], |one| match one {
        "main" => "<item><main>true</main></item>".to_owned(),
        subnet => format!("<item><main>false</main><subnetId>{subnet}</subnetId></item>"),
    });
    let route = |word: &&str| {
        let (to, by) = word.split_once('=').unwrap();
        let to = match to {
            _ if to.starts_with("pl-") => format!("<destinationPrefixListId>{to}</destinationPrefixListId>"),
            _ if to.contains("::") => format!("<destinationIpv6CidrBlock>{to}</destinationIpv6CidrBlock>"),
            _ => format!("<destinationCidrBlock>{to}</destinationCidrBlock>"),
        };
        let (by, state) = by.strip_prefix('!').map_or((by, "active"), |by| (by, "blackhole"));
        let by = match by.split('-').next().unwrap() {
            "nat" => format!("<natGatewayId>{by}</natGatewayId>"),
            "tgw" => format!("<transitGatewayId>{by}</transitGatewayId>"),
            "pcx" => format!("<vpcPeeringConnectionId>{by}</vpcPeeringConnectionId>"),
            "eni" => format!("<networkInterfaceId>{by}</networkInterfaceId>"),
            "eigw" => format!("<egressOnlyInternetGatewayId>{by}</egressOnlyInternetGatewayId>"),
            _ => format!("<gatewayId>{by}</gatewayId>"),
        };
        format!("<item>{to}{by}<state>{state}</state></item>")
    };
    let routes: String = rest[1..].iter().map(route).collect();
    format!(
        "<item><routeTableId>{id}</routeTableId><vpcId>{vpc}</vpcId><associationSet>{associations}</associationSet><routeSet>{routes}</routeSet></item>"
    )
}

fn endpoint(words: &[&str]) -> String {
    let (id, vpc, service) = (words[1], words[2], words[3]);
    let (form, state) = if words[0] == "gateway" { ("Gateway", "available") } else { ("Interface", words[4]) };
    let tables = items(if form == "Gateway" { words[4] } else { "" }, |one| format!("<item>{one}</item>"));
    let groups =
        items(words.get(5).copied().unwrap_or_default(), |one| format!("<item><groupId>{one}</groupId></item>"));
    let (is_named, state) = (state != "unnamed", if state == "pending" { "pending" } else { "available" });
    format!(
        "<item><vpcEndpointId>{id}</vpcEndpointId><vpcEndpointType>{form}</vpcEndpointType><vpcId>{vpc}</vpcId><serviceName>com.amazonaws.eu-west-1.{service}</serviceName><state>{state}</state><routeTableIdSet>{tables}</routeTableIdSet><groupSet>{groups}</groupSet><privateDnsEnabled>{is_named}</privateDnsEnabled></item>"
    )
}

fn group(id: &str, vpc: &str, rest: &[&str]) -> String {
    let rules = |direction: &str| {
        let list = rest.iter().find_map(|word| word.strip_prefix(direction)).unwrap_or_default();
        items(list, |one| {
            let (port, peer) = one.split_once(':').unwrap();
            let ports = match port {
                "*" => "<ipProtocol>-1</ipProtocol>".to_owned(),
                "udp" => "<ipProtocol>udp</ipProtocol><fromPort>443</fromPort><toPort>443</toPort>".to_owned(),
                port => format!("<ipProtocol>tcp</ipProtocol><fromPort>{port}</fromPort><toPort>{port}</toPort>"),
            };
            let peer = match peer {
                _ if peer.starts_with("sg-") => format!("<groups><item><groupId>{peer}</groupId></item></groups>"),
                _ if peer.starts_with("pl-") => {
                    format!("<prefixListIds><item><prefixListId>{peer}</prefixListId></item></prefixListIds>")
                }
                _ => format!("<ipRanges><item><cidrIp>{peer}</cidrIp></item></ipRanges>"),
            };
            format!("<item>{ports}{peer}</item>")
        })
    };
    let (ingress, egress) = (rules("in="), rules("out="));
    format!(
        "<item><groupId>{id}</groupId><vpcId>{vpc}</vpcId><ipPermissions>{ingress}</ipPermissions><ipPermissionsEgress>{egress}</ipPermissionsEgress></item>"
    )
}

const ACCOUNT: &str = "123456789012";

/// Returns what is told of the function's network: the weight and the words of each finding.
fn told(declaration: &str, parts: &str) -> Vec<(Weight, String)> {
    told_with(declaration, parts, &[])
}

fn told_with(declaration: &str, parts: &str, known: &[(&str, [u8; 4])]) -> Vec<(Weight, String)> {
    let checked = Declaration::parse(Path::new("infra.yaml"), declaration.as_bytes(), None).unwrap();
    let realm = Realm { region: "eu-west-1".to_owned(), account: ACCOUNT.to_owned() };
    let function = functions(&checked.declarations[0], Path::new("infra.yaml")).remove(0);
    let mut needs = needs::of(function.declared);
    for need in &mut needs {
        if let Need::Server { host, addresses, .. } = need {
            addresses.extend(
                known.iter().filter(|(name, _)| name == host).map(|(_, address)| std::net::Ipv4Addr::from(*address)),
            );
        }
    }
    let findings = judge(&network(parts), &realm, &function, &needs);
    findings.into_iter().map(|finding| (finding.weight, finding.what)).collect()
}

const SUBNETS: &str = "
    subnet subnet-0000000a vpc-1 eu-west-1a 10.0.1.0/24
    subnet subnet-0000000b vpc-1 eu-west-1b 10.0.2.0/24
    ";
const OPEN: &str = "group sg-0000000a vpc-1 out=*:0.0.0.0/0\n";
const LOCAL: &str = "table rtb-1 vpc-1 main 10.0.0.0/16=local";

#[test]
fn what_may_lead_out_is_not_doubted() {
    for table in [
        "0.0.0.0/0=nat-1",
        "0.0.0.0/0=tgw-1",
        "10.0.0.0/8=tgw-1",
        "172.16.0.0/12=pcx-1",
        "0.0.0.0/0=eni-1",
        "0.0.0.0/0=vgw-1",
        // An appliance behind an endpoint of a load balancer.
        "0.0.0.0/0=vpce-1",
        "pl-1=tgw-1",
        "0.0.0.0/0=igw-1 192.168.0.0/16=vgw-1",
    ] {
        let parts = format!("{SUBNETS}{OPEN}{LOCAL} {table}");
        assert_eq!(told(DECLARATION, &parts), [], "{table}");
    }
    // Endpoints for both, and no other way.
    let endpoints = "
        gateway vpce-s3 vpc-1 s3 rtb-1
        interface vpce-sm vpc-1 secretsmanager named sg-0000000e
        group sg-0000000e vpc-1 in=443:10.0.0.0/16";
    assert_eq!(told(DECLARATION, &format!("{SUBNETS}{OPEN}{LOCAL} pl-1=vpce-s3\n{endpoints}")), []);
    // Of a network that another account shares not everything is told.
    let shared = SUBNETS.replaced("/24", "/24 210987654321");
    assert_eq!(told(DECLARATION, &format!("{shared}{OPEN}{LOCAL}")), []);
    // Without a table nothing is known.
    assert_eq!(told(DECLARATION, &format!("{SUBNETS}{OPEN}")), []);
}

/// Returns the words of the one finding of each service, without the place and the function.
fn lacks(parts: &str) -> Vec<String> {
    let findings = told(DECLARATION, parts).into_iter();
    let short = |(weight, what): (Weight, String)| {
        let words =
            what.strip_prefix("infra.yaml:12: function `reader` ").unwrap_or_else(|| panic!("{what}")).to_owned();
        assert_eq!(weight == Weight::Blocks, words.starts_with("does not reach"), "{words}");
        words
    };
    findings.map(short).collect()
}

#[test]
fn a_network_without_a_way_out_is_told_for_each_service_with_the_reason() {
    let both = "from `subnet-0000000a` and `subnet-0000000b`: route table `rtb-1` does not lead out of the VPC";
    for table in ["", " ::/0=eigw-1", " 0.0.0.0/0=!nat-1", " ::/0=nat-1"] {
        let expected = [format!("does not reach S3 {both}"), format!("does not reach Secrets Manager {both}")];
        assert_eq!(lacks(&format!("{SUBNETS}{OPEN}{LOCAL}{table}")), expected, "{table}");
    }
    let internet = lacks(&format!("{SUBNETS}{OPEN}{LOCAL} 0.0.0.0/0=igw-1"));
    assert!(
        internet[0].ends_with(
            "through internet gateway `igw-1` alone, which serves public addresses, and a function has none"
        )
    );
    // One subnet suffices, with a table of its own: Lambda may choose it.
    let parts = format!("{SUBNETS}{OPEN}{LOCAL} 0.0.0.0/0=nat-1\ntable rtb-2 vpc-1 subnet-0000000b 10.0.0.0/16=local");
    assert_eq!(
        lacks(&parts)[0],
        "does not reach S3 from `subnet-0000000b`: route table `rtb-2` does not lead out of the VPC"
    );
    // A gateway endpoint stands for its service, and for the tables that lead to it.
    let gateway = |table: &str| format!("{SUBNETS}{OPEN}{LOCAL}\ngateway vpce-1 vpc-1 s3 {table}");
    assert_eq!(lacks(&gateway("rtb-1")).len(), 1);
    assert_eq!(lacks(&gateway("rtb-9")).len(), 2);
}

#[test]
fn an_interface_endpoint_counts_if_its_name_leads_there_and_its_groups_let_the_function_in() {
    let secrets = |rest: &str| {
        let parts = format!("{SUBNETS}{OPEN}{LOCAL} 0.0.0.0/0=nat-1\n{rest}");
        lacks(&parts).first().cloned().unwrap_or_default()
    };
    let named = "interface vpce-1 vpc-1 secretsmanager named sg-0000000e";
    for (group, is_let) in [
        ("in=443:10.0.0.0/16", true),
        ("in=443:sg-0000000a", true),
        ("in=*:0.0.0.0/0", true),
        ("in=443:pl-1", true),
        ("in=443:10.0.9.0/24", false),
        ("in=80:10.0.0.0/16", false),
        ("in=udp:10.0.0.0/16", false),
        ("", false),
    ] {
        // Its name leads there even where there is another way.
        let told = secrets(&format!("{named}\ngroup sg-0000000e vpc-1 {group}"));
        assert_eq!(told.is_empty(), is_let, "{group}: {told}");
        assert!(
            is_let || told.contains("the security groups of endpoint `vpce-1` do not let it in on port 443"),
            "{told}"
        );
    }
    assert_eq!(secrets(named), "", "of a group that is not told nothing is known");
    let closed = format!("{SUBNETS}{OPEN}{LOCAL}\ngateway vpce-s3 vpc-1 s3 rtb-1\n");
    let unnamed = lacks(&format!("{closed}interface vpce-1 vpc-1 secretsmanager unnamed sg-0000000e"));
    assert!(
        unnamed[0].starts_with("may not reach Secrets Manager") && unnamed[0].contains("has no private DNS"),
        "{unnamed:?}"
    );
    let pending = lacks(&format!("{closed}interface vpce-1 vpc-1 secretsmanager pending sg-0000000e"));
    assert!(
        pending[0].starts_with("may not reach Secrets Manager") && pending[0].contains("not available yet"),
        "{pending:?}"
    );
}

#[test]
fn security_groups_that_let_443_out_to_nothing_or_to_private_addresses_alone_are_told() {
    let with = |out: &str, table: &str| lacks(&format!("{SUBNETS}group sg-0000000a vpc-1 {out}\n{LOCAL} {table}"));
    for out in ["", "out=80:0.0.0.0/0", "out=udp:0.0.0.0/0"] {
        let told = with(out, "0.0.0.0/0=tgw-1");
        assert!(
            told.len() == 2 && told[0].ends_with("the rules of `sg-0000000a` let port 443 out to nothing"),
            "{out}: {told:?}"
        );
    }
    for (out, table, count) in [
        ("out=443:10.0.0.0/8", "0.0.0.0/0=nat-1", 2),
        ("out=443:sg-0000000e", "0.0.0.0/0=nat-1", 2),
        // What is behind a transit gateway may have private addresses.
        ("out=443:10.0.0.0/8", "0.0.0.0/0=tgw-1", 0),
        ("out=443:pl-1", "0.0.0.0/0=nat-1", 0),
        ("out=443:52.0.0.0/8", "0.0.0.0/0=nat-1", 0),
    ] {
        assert_eq!(with(out, table).len(), count, "{out} {table}");
    }
    let endpoint = |out: &str| {
        let rest = "interface vpce-1 vpc-1 secretsmanager named sg-0000000e\ngroup sg-0000000e vpc-1 in=443:0.0.0.0/0";
        lacks(&format!("{SUBNETS}group sg-0000000a vpc-1 {out}\n{LOCAL} pl-1=tgw-1\n{rest}"))
    };
    for (out, count) in [
        ("out=443:sg-0000000e", 0),
        ("out=443:10.0.7.0/24", 0),
        ("out=443:sg-0000000f", 1),
        ("out=443:192.168.0.0/16", 1),
    ] {
        assert_eq!(endpoint(out).len(), count, "{out}");
    }
}

#[test]
fn parts_that_do_not_exist_or_do_not_fit_are_told_before_any_way_is() {
    let words = |parts: &str| -> String {
        let told = told(DECLARATION, parts);
        assert!(!told.is_empty(), "{parts}");
        told.into_iter().map(|(weight, what)| format!("{weight:?} {what}")).collect::<Vec<_>>().join("\n")
    };
    let two = format!("{SUBNETS}{OPEN}{LOCAL} 0.0.0.0/0=nat-1");
    assert_eq!(
        words(&format!("subnet subnet-0000000a vpc-1 eu-west-1a 10.0.1.0/24\n{OPEN}")),
        "Blocks infra.yaml:12: subnet `subnet-0000000b` of function `reader` does not exist in eu-west-1, in account 123456789012"
    );
    assert_eq!(
        words(SUBNETS),
        "Blocks infra.yaml:12: security group `sg-0000000a` of function `reader` does not exist in eu-west-1, in account 123456789012"
    );
    assert_eq!(
        words(&two.replaced("subnet-0000000b vpc-1", "subnet-0000000b vpc-2")),
        "Blocks infra.yaml:12: the subnets of function `reader` are in several VPCs: `subnet-0000000a` in `vpc-1`, `subnet-0000000b` in `vpc-2`"
    );
    assert_eq!(
        words(&two.replaced("sg-0000000a vpc-1", "sg-0000000a vpc-2")),
        "Blocks infra.yaml:12: security group `sg-0000000a` of function `reader` is in `vpc-2`, and its subnets are in `vpc-1`"
    );
    assert_eq!(
        words(&two.replaced("eu-west-1b", "eu-west-1a")),
        "Warns infra.yaml:12: all subnets of function `reader` are in eu-west-1a: it stops when that zone does"
    );
}

#[test]
fn only_what_a_function_uses_is_asked_for() {
    let names = |declaration: &str| -> Vec<String> {
        let checked = Declaration::parse(Path::new("infra.yaml"), declaration.as_bytes(), None).unwrap();
        needs::of(&checked.declarations[0].functions["reader"]).iter().map(|need| format!("{need:?}")).collect()
    };
    let titles = |declaration: &str, title: &str| names(declaration).iter().any(|need| need.contains(title));
    assert!(
        titles(DECLARATION, "\"S3\"") && titles(DECLARATION, "\"Secrets Manager\"") && names(DECLARATION).len() == 2
    );
    let sends = DECLARATION.replaced("    reads: [mail]\n", "    sends: [jobs]\n");
    assert!(titles(&sends, "\"SQS\"") && !titles(&sends, "\"S3\""));
    let writes = DECLARATION.replaced("    reads: [mail]\n", "    on_failure: jobs\n");
    assert_eq!(names(&writes).len(), 1, "Lambda itself sends failed events");
}

#[test]
fn a_server_is_reached_by_the_longest_route_to_its_address() {
    let with = |url: &str| {
        DECLARATION.replaced(
            "    reads: [mail]\n    secrets: {TOKEN: token}\n",
            &format!("    environment: {{TARGET: \"{url}\"}}\n"),
        )
    };
    let one = |url: &str, table: &str, known: &[(&str, [u8; 4])]| {
        let told = told_with(&with(url), &format!("{SUBNETS}{OPEN}{LOCAL} {table}"), known);
        told.into_iter().next().map(|(weight, _)| weight)
    };
    for (url, table, expected) in [
        ("https://10.0.7.7", "", None),
        ("https://10.1.7.7", "", Some(Weight::Blocks)),
        ("https://10.1.7.7", "10.1.0.0/16=tgw-1", None),
        ("https://10.1.7.7", "10.0.0.0/8=tgw-1 10.1.0.0/16=!pcx-1", Some(Weight::Blocks)),
        ("https://203.0.113.7", "0.0.0.0/0=igw-1", Some(Weight::Blocks)),
        ("https://203.0.113.7", "0.0.0.0/0=nat-1", None),
        ("https://203.0.113.7", "10.0.0.0/8=tgw-1", Some(Weight::Blocks)),
        ("https://203.0.113.7", "pl-1=tgw-1", None),
        // Of a name nothing is known from here.
        ("https://netbox.example.com", "", None),
    ] {
        assert_eq!(one(url, table, &[]), expected, "{url} {table}");
    }
    // In the network a name may lead elsewhere than here.
    let public = [("netbox.example.com", [203, 0, 113, 7])];
    assert_eq!(one("https://netbox.example.com", "0.0.0.0/0=igw-1", &public), Some(Weight::Warns));
    assert_eq!(one("https://netbox.example.com", "0.0.0.0/0=nat-1", &public), None);
    let several = [("netbox.example.com", [203, 0, 113, 7]), ("netbox.example.com", [10, 0, 7, 7])];
    assert_eq!(one("https://netbox.example.com", "", &several), None);
    // The port has to be let out, whatever the address is.
    let shut = |port: u16, out: &str| {
        told(
            &with(&format!("https://netbox.example.com:{port}")),
            &format!("{SUBNETS}group sg-0000000a vpc-1 {out}\n{LOCAL}"),
        )
    };
    assert_eq!(shut(8443, "out=8443:10.0.0.0/8"), []);
    assert_eq!(shut(8443, "out=443:0.0.0.0/0")[0].0, Weight::Warns);
}
