//! Tests of the rights to roles: below their boundaries, and passed to what runs with them.

use super::*;

const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/boundary";

fn condition<'policy>(policy: &'policy Policy, id: &str) -> Option<&'policy BTreeSet<String>> {
    policy.statements()[id].conditions.get("StringEquals")?.get("iam:permissionsboundary")
}

#[test]
fn the_rights_of_roles_are_given_below_the_declared_boundary_alone() {
    let functions = "functions: {reader: {crate: maintenance, bin: reader}, other: {crate: maintenance, bin: other}}";
    let of = |boundary: &str| format!("stack: circuits\nregion: eu-west-1\n{boundary}{functions}\n");
    let all: BTreeSet<_> = [BOUNDARY.to_owned()].into();
    for purpose in [Purpose::Up, Purpose::Down] {
        let policy = policy_of(&of(&format!("permissions_boundary: {BOUNDARY}\n")), purpose);
        for (id, statement) in policy.statements() {
            let gives_rights = |action: &str| {
                ["Policy", "CreateRole", "PermissionsBoundary"].iter().any(|word| action.contains(word))
                    && !["Get", "List"].iter().any(|verb| action.contains(&format!("iam:{verb}")))
                    && action != "iam:UpdateAssumeRolePolicy"
            };
            for action in statement.actions.iter().filter(|action| action.starts_with("iam:")) {
                if gives_rights(action) {
                    assert_eq!(condition(&policy, id), Some(&all), "{action}");
                }
            }
        }
    }
    let without = policy_of(&of(""), Purpose::Up);
    // Without a boundary they are rights to the roles as all others are.
    assert_eq!(condition(&without, "Roles"), None);
    assert!(without.statements()["Roles"].actions.contains("iam:PutRolePolicy"));
    assert!(!without.statements().contains_key("BoundariesOfRoles"));
    // One function of two has one: neither role is made as the other.
    let one = of("").replaced("bin: reader", &format!("bin: reader, permissions_boundary: '{BOUNDARY}'"));
    let one = policy_of(&one, Purpose::Up);
    let role = |name: &str| {
        BTreeSet::from([format!("arn:aws:iam::123456789012:role/provision/circuits.eu-west-1/{name}-eu-west-1")])
    };
    assert_eq!(one.statements()["RightsOfRoles"].resources, role("circuits-other"));
    assert_eq!(condition(&one, "RightsOfRoles"), None);
    assert_eq!(one.statements()["RightsOfRoles2"].resources, role("circuits-reader"));
    assert_eq!(condition(&one, "RightsOfRoles2"), Some(&all));
    assert!(one.statements()["RightsOfRoles2"].actions.contains("iam:PutRolePermissionsBoundary"));
}

#[test]
fn nobody_widens_himself() {
    for boundary in ["", "permissions_boundary: arn:aws:iam::123456789012:policy/boundary\n"] {
        let functions = "functions: {reader: {crate: maintenance, bin: reader}}";
        let source = format!("stack: circuits\nregion: eu-west-1\n{boundary}{functions}\n");
        let policy = policy_of(&source, Purpose::Up);
        for (id, statement) in policy.statements() {
            for action in statement.actions.iter().filter(|action| action.starts_with("iam:")) {
                let reads = ["iam:Get", "iam:List"].iter().any(|verb| action.starts_with(verb));
                let forbidden =
                    ["DeleteRolePermissionsBoundary", "AttachRolePolicy", "CreatePolicy", "SetDefault", "*"];
                assert!(reads || !forbidden.iter().any(|word| action.contains(word)), "{id}: {action}");
                let is_own = |arn: &String| {
                    let own = arn.strip_prefix("arn:aws:iam::123456789012:").unwrap_or_default();
                    ["role", "instance-profile"]
                        .iter()
                        .any(|kind| own.starts_with(&format!("{kind}/provision/circuits.eu-west-1/")))
                };
                assert!(reads || statement.resources.iter().all(is_own), "{id}: {action}");
            }
        }
        let passed = &policy.statements()["PassedRoles"].conditions["StringEquals"]["iam:passedtoservice"];
        assert_eq!(*passed, BTreeSet::from(["lambda.amazonaws.com".to_owned()]));
    }
}

#[test]
fn roles_are_passed_to_the_services_alone_that_run_what_is_declared() {
    let function = "functions: {reader: {crate: maintenance, bin: reader}}\n";
    let server = "networks: {main: {}}\nsecurity_groups: {app: {network: main}}\n\
                  servers: {host: {network: main, security_groups: [app]}}\n";
    for (declared, expected) in [
        (function.to_owned(), vec!["lambda.amazonaws.com"]),
        (server.to_owned(), vec!["ec2.amazonaws.com"]),
        (format!("{function}{server}"), vec!["ec2.amazonaws.com", "lambda.amazonaws.com"]),
    ] {
        let policy = policy_of(&format!("stack: circuits\nregion: eu-west-1\n{declared}"), Purpose::Up);
        let services = &policy.statements()["PassedRoles"].conditions["StringEquals"]["iam:passedtoservice"];
        assert_eq!(services.iter().collect::<Vec<_>>(), expected, "{declared}");
    }
}

/// The role of a function that is no longer declared may have had the boundary of any function, or none.
#[test]
fn rights_are_taken_from_a_removed_role_whatever_boundaries_the_others_have() {
    const OTHER: &str = "arn:aws:iam::123456789012:policy/other";
    let removed = "arn:aws:iam::123456789012:role/provision/circuits.eu-west-1/circuits-removed-eu-west-1";
    let stack = |boundaries: [Option<&str>; 2]| {
        let functions = boundaries.iter().zip(["one", "two"]).map(|(boundary, name)| {
            let boundary = boundary.map(|arn| format!(", permissions_boundary: '{arn}'")).unwrap_or_default();
            format!("  {name}: {{crate: maintenance, bin: {name}{boundary}}}\n")
        });
        format!("stack: circuits\nregion: eu-west-1\nfunctions:\n{}", functions.collect::<String>())
    };
    for (boundaries, operator, values) in [
        ([None, None], None, vec![]),
        ([Some(BOUNDARY), Some(BOUNDARY)], Some("StringEquals"), vec![BOUNDARY]),
        ([Some(BOUNDARY), Some(OTHER)], Some("StringEquals"), vec![BOUNDARY, OTHER]),
        ([Some(BOUNDARY), None], Some("StringEqualsIfExists"), vec![BOUNDARY]),
    ] {
        for purpose in [Purpose::Up, Purpose::Down] {
            let policy = policy_of(&stack(boundaries), purpose);
            let allows = |action: &str| -> Vec<&Statement> {
                let all = policy.statements().values().filter(|one| one.actions.contains(action));
                all.filter(|one| one.resources.iter().any(|pattern| covers(pattern, removed))).collect()
            };
            for action in ["iam:DeleteRolePolicy", "iam:DetachRolePolicy"] {
                let statements = allows(action);
                let [statement] = &statements[..] else { panic!("{boundaries:?} {action}: {statements:?}") };
                let condition = |operator| statement.conditions.get(operator)?.get("iam:permissionsboundary");
                let named: Vec<&String> = operator.and_then(condition).into_iter().flatten().collect();
                assert_eq!(named, values, "{boundaries:?} {action}: {statement:?}");
            }
            // With several boundaries, nothing creates a role that is not declared, or gives it a right.
            let is_one = boundaries[0] == boundaries[1];
            assert_eq!(allows("iam:PutRolePolicy").is_empty(), !is_one || purpose == Purpose::Down, "{boundaries:?}");
        }
    }
}
