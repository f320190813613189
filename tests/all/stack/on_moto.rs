//! Tests servers and databases on a double of EC2 and RDS that is nobody's here, by somebody who has the least rights.

use std::collections::BTreeSet;

use aws::query::Call;

use super::{Trial, servers, workers};
use crate::effort::Effort;

/// Lists of EC2: the action, the list in its answer, and the place of the id in a member. Moto leaves the access list of a network that is gone,
/// and the interface of a server.
const OF_EC2: &[(&str, &str, &str)] = &[
    ("DescribeAddresses", "addressesSet", "allocationId"),
    ("DescribeInternetGateways", "internetGatewaySet", "internetGatewayId"),
    ("DescribeNatGateways", "natGatewaySet", "natGatewayId"),
    ("DescribeRouteTables", "routeTableSet", "routeTableId"),
    ("DescribeSecurityGroups", "securityGroupInfo", "groupId"),
    ("DescribeSubnets", "subnetSet", "subnetId"),
    ("DescribeVolumes", "volumeSet", "volumeId"),
    ("DescribeVpcEndpoints", "vpcEndpointSet", "vpcEndpointId"),
    ("DescribeVpcs", "vpcSet", "vpcId"),
];

/// Returns the ids of all that is there, whosever it is, but for servers.
fn everything(trial: &Trial) -> BTreeSet<String> {
    let ids = OF_EC2.iter().flat_map(|(action, list, id)| {
        let answer = trial.account.wait(trial.account.ec2.call(&Call::new(action))).unwrap();
        let there = answer.list(list).iter().filter(|one| one.text("state") != "deleted");
        there.map(|one| one.text(id).to_owned()).collect::<Vec<_>>()
    });
    ids.collect()
}

#[test]
fn a_server_comes_and_goes_there_as_well() {
    let Some(trial) = Trial::on_moto(&servers::example()) else { return };
    let somebody = trial.with_least_rights("up");
    let before = everything(&trial);
    servers::comes_and_goes(&trial, &|arguments| trial.run_as(&somebody, arguments));
    assert_eq!(everything(&trial), before);
    assert_eq!(servers::count(&trial), 0);
    let last = ["last snapshot example-server-seen", "last snapshot example-server-store"];
    assert_eq!(trial.account.inventory(), last, "nothing else is left");
}

#[test]
fn servers_there_run_a_function_and_take_each_new_build_one_after_the_other() {
    let Some(trial) = workers::with_crate(Trial::on_moto(workers::WORKERS)) else { return };
    let somebody = trial.with_least_rights("up");
    let run: servers::Runs<'_> = &|arguments| trial.run_as(&somebody, arguments);
    workers::is_made(&trial, run);
    workers::takes_a_new_build(&trial, run);
    if Effort::asked() == Effort::Whole {
        workers::takes_other_settings(&trial, run);
    }
    workers::ends(&trial, run);
}
