//! Tests what is in a network of the stack's own, by the network's name: subnets and groups have no ids yet when they are declared.

use std::collections::BTreeSet;

use aws::query::Call;

use super::{Trial, actions};

const DECLARATION: &str = "\
stack: tracking
region: eu-west-1
functions:
  worker:
    use: standin
    databases: [mails]
    vpc: {network: main, security_groups: [worker]}
databases:
  mails: {network: main, security_groups: [data]}
networks:
  main: {nat: true}
security_groups:
  worker: {network: main}
  data: {network: main, ingress: [{from: worker, port: 3306}], egress: []}
";

/// Returns the ids of everything of a kind that has the tags of an entry that begins so.
fn ids(trial: &Trial, (action, list, id): (&'static str, &str, &str), entry: &str) -> BTreeSet<String> {
    let call = Call::new(action).filter("tag:provision:stack", ["tracking.eu-west-1"]);
    let answer = trial.account.wait(trial.account.ec2.call(&call)).unwrap();
    let is_of = |one: &&aws::query::Element| {
        let tags = one.list("tagSet");
        tags.iter().any(|tag| tag.text("key") == "provision:id" && tag.text("value").starts_with(entry))
    };
    answer.list(list).iter().filter(is_of).map(|one| one.text(id).to_owned()).collect()
}

#[test]
fn what_names_a_network_is_in_its_private_subnets_and_goes_before_it() {
    let Some(trial) = Trial::new(DECLARATION) else { return };
    trial.up();
    let private = ids(&trial, ("DescribeSubnets", "subnetSet", "subnetId"), "main-private-");
    assert_eq!(private.len(), 2);
    let groups = |entry: &str| ids(&trial, ("DescribeSecurityGroups", "securityGroupInfo", "groupId"), entry);
    let call = trial.account.lambda.get_function_configuration().function_name("tracking-worker");
    let vpc = trial.account.wait(call.send()).unwrap().vpc_config.unwrap();
    assert_eq!(vpc.subnet_ids().iter().cloned().collect::<BTreeSet<_>>(), private);
    assert_eq!(vpc.security_group_ids().iter().cloned().collect::<BTreeSet<_>>(), groups("worker"));
    let rds = |action| trial.account.wait(trial.account.rds.call(&Call::new(action))).unwrap();
    let subnets = rds("DescribeDBSubnetGroups");
    let subnets = subnets.list("DescribeDBSubnetGroupsResult/DBSubnetGroups");
    let own = subnets.iter().find(|group| group.text("DBSubnetGroupName") == "tracking-mails").unwrap();
    assert_eq!(own.texts("Subnets", "SubnetIdentifier").collect::<BTreeSet<_>>(), private);
    let database = rds("DescribeDBInstances");
    let database = &database.list("DescribeDBInstancesResult/DBInstances")[0];
    let of_database: BTreeSet<_> = database.texts("VpcSecurityGroups", "VpcSecurityGroupId").collect();
    assert_eq!(of_database, groups("data"));
    assert_eq!(actions(&trial.diff()), [""; 0]);
    // `up` has waited for the NAT gateway, to which the table of the private subnets leads.
    let gateways = ids(&trial, ("DescribeNatGateways", "natGatewaySet", "natGatewayId"), "main");
    let tables = trial.account.wait(trial.account.ec2.call(&Call::new("DescribeRouteTables"))).unwrap();
    let ways: BTreeSet<_> = tables
        .list("routeTableSet")
        .iter()
        .flat_map(|table| table.texts("routeSet", "natGatewayId").collect::<Vec<_>>())
        .collect();
    assert_eq!(ways, gateways);

    // Another group of the function is the only change.
    trial
        .folder
        .write("infra.yaml", DECLARATION.replace("security_groups: [worker]", "security_groups: [worker, data]"));
    let plan = trial.run(&["diff", "--json"]).json().remove(0);
    assert_eq!(actions(&plan), ["change function worker"], "{plan:#}");

    // The database stays, and so does all that it is in; the function and the ways to the internet go.
    trial.expect(0, &["down", "--confirm", "tracking"]);
    assert_eq!(ids(&trial, ("DescribeSubnets", "subnetSet", "subnetId"), "main-private-"), private);
    assert_eq!(groups("data").len(), 1);
    // A gateway that is gone is told for an hour; the address that it had is not.
    assert_eq!(ids(&trial, ("DescribeAddresses", "addressesSet", "allocationId"), "main"), BTreeSet::new());
    assert_eq!(rds("DescribeDBInstances").list("DescribeDBInstancesResult/DBInstances").len(), 1);

    trial.expect(0, &["down", "--confirm", "tracking", "--delete-data"]);
    for (told, entry) in [
        (("DescribeVpcs", "vpcSet", "vpcId"), "main"),
        (("DescribeSubnets", "subnetSet", "subnetId"), "main"),
        (("DescribeAddresses", "addressesSet", "allocationId"), "main"),
        (("DescribeVpcEndpoints", "vpcEndpointSet", "vpcEndpointId"), "main"),
        (("DescribeSecurityGroups", "securityGroupInfo", "groupId"), ""),
    ] {
        assert_eq!(ids(&trial, told, entry), BTreeSet::new(), "{told:?}");
    }
}

#[test]
fn a_way_that_a_network_of_the_stacks_own_does_not_have_is_told_before_anything_is_made() {
    let Some(trial) = Trial::new(&DECLARATION.replace("{nat: true}", "{endpoints: []}")) else { return };
    let refused = trial.run(&["up", "--yes"]);
    assert_eq!(refused.code(), Some(2), "{refused}");
    let words = refused.stderr().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("function `worker` does not reach Secrets Manager: network `main` has neither"),
        "{refused}"
    );
    assert_eq!(ids(&trial, ("DescribeVpcs", "vpcSet", "vpcId"), ""), BTreeSet::new());
}
