//! Tests of roles: AWS's defaults, drift, and what stays.

use aws_sdk_iam::{
    primitives::DateTime,
    types::{AttachedPermissionsBoundary, builders::RoleBuilder},
};

use replaced::Replaced as _;

use super::*;
use aws::policy::Statement;

const TRUST: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Sid%22%3A%22lambda%22%2C%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";

fn recorded() -> RoleBuilder {
    // IAM's answer for a role that was created with a trust policy alone.
    LiveRole::builder()
        .path("/provision/mail/")
        .role_name("mail-maintenance")
        .role_id("AROAEXAMPLE")
        .arn("arn:aws:iam::123456789012:role/provision/mail/mail-maintenance")
        .create_date(DateTime::from_secs(1_730_000_000))
        .assume_role_policy_document(TRUST)
        .max_session_duration(3600)
}

fn desired() -> Settings {
    let statement = Statement::allow(&["sts:AssumeRole"], []).for_service("lambda.amazonaws.com");
    let trust = Policy::new([("lambda".to_owned(), statement)]);
    Settings { path: "/provision/mail/".to_owned(), trust, ..Settings::default() }
}

fn settings(role: RoleBuilder) -> Settings {
    Settings::of(role.build().unwrap()).unwrap()
}

#[test]
fn defaults_of_aws_are_the_defaults() {
    let memory = Tag::builder().key(crate::PREVIOUS_RULE_SET_TAG).value("office").build().unwrap();
    let system = Tag::builder().key("aws:cloudformation:stack-id").value("a").build().unwrap();
    assert_eq!(settings(recorded().tags(memory).tags(system)), desired());
}

#[test]
fn one_real_change_is_seen() {
    let boundary = AttachedPermissionsBoundary::builder().permissions_boundary_arn("arn:aws:iam::aws:policy/A").build();
    for changed in [
        recorded().description("by hand"),
        recorded().max_session_duration(7200),
        recorded().path("/"),
        recorded().permissions_boundary(boundary),
        recorded().assume_role_policy_document(TRUST.replaced("lambda.", "ec2.")),
        recorded().tags(Tag::builder().key("a").value("b").build().unwrap()),
    ] {
        assert_ne!(settings(changed), desired());
    }
}

#[test]
fn an_undeclared_protection_stays_and_any_other_policy_goes() {
    let denying = Policy::new([("no".to_owned(), Statement::deny(&["s3:*"], ["*".to_owned()]))]);
    let allowing = Policy::new([("yes".to_owned(), Statement::allow(&["s3:*"], ["*".to_owned()]))]);
    let set = |arns: &[&str]| arns.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let live = Settings {
        policies: BTreeMap::from([("guard".to_owned(), denying.clone()), ("more".to_owned(), allowing)]),
        attached: set(&["arn:quarantine", "arn:admin"]),
        denying: Input(set(&["arn:quarantine"])),
        permissions_boundary: Some("arn:boundary".to_owned()),
        ..desired()
    };
    let mut wanted = desired();
    let kept: Vec<_> = Role::keep_protections(&mut wanted, &live).into_iter().map(|one| one.path).collect();
    assert_eq!(kept, ["permissions_boundary", "policies.guard", "attached"]);
    let policies = BTreeMap::from([("guard".to_owned(), denying)]);
    let boundary = Some("arn:boundary".to_owned());
    let expected =
        Settings { policies, attached: set(&["arn:quarantine"]), permissions_boundary: boundary, ..desired() };
    assert_eq!(wanted, expected);
    let mut declared = Settings { permissions_boundary: Some("arn:declared".to_owned()), ..desired() };
    Role::keep_protections(&mut declared, &live);
    assert_eq!(declared.permissions_boundary.as_deref(), Some("arn:declared"));
}
