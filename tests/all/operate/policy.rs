//! Tests `provision policy`: the policy suffices for its purpose, and without any part of it the command fails.

use serde_json::{Value, json};

use crate::{
    harness::{Folder, replaced},
    stack::{EVERYTHING, Trial},
};

fn without(policy: &Value, sid: &str) -> Value {
    let mut policy = policy.clone();
    policy["Statement"].as_array_mut().unwrap().retain(|statement| statement["Sid"] != sid);
    policy
}

#[test]
fn the_policy_suffices_and_every_part_of_it_is_needed() {
    let Some(trial) = Trial::checked(EVERYTHING) else { return };
    let policy = trial.policy("up");
    let little = json!({"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"});
    let nobody = trial.user("nobody", &json!({"Version": "2012-10-17", "Statement": [little]}));
    trial.expect_as(2, &nobody, &["up", "--yes"]);
    let blind = trial.user("blind", &without(&policy, "UnknownRoles"));
    let run = trial.expect_as(2, &blind, &["diff"]);
    assert!(run.stdout().contains("! role reader   could not be read: iam."), "{run}");
    let up = trial.user("up", &policy);
    trial.expect_as(0, &up, &["up", "--yes"]);
    trial.expect_as(0, &up, &["diff"]);

    let diff = trial.user("diff", &trial.policy("diff"));
    trial.expect_as(0, &diff, &["diff"]);
    // The emulator does not look at tags: what covers removed resources by their tag would cover everything.
    let declared = without(&policy, "Removed");
    trial.expect_as(0, &trial.user("declared", &declared), &["diff"]);
    for statement in declared["Statement"].as_array().unwrap() {
        let sid = statement["Sid"].as_str().unwrap();
        // The emulator does not check who passes a role, and the code is small enough to need no artefacts. Objects and event source
        // mappings are only deleted, missing roles only looked up before they are created, and the rights of roles only written. Instance
        // profiles are looked up where there is, or was, a server, and last snapshots taken where there was a database or a cache.
        let unused = [
            "PassedRoles",
            "Artifacts",
            "Objects",
            "MappingsOfFunctions",
            "UnknownRoles",
            "RightsOfRoles",
            "InstanceProfiles",
            "LastSnapshotsOfDatabases",
            "LastSnapshotsOfCaches",
        ];
        if unused.contains(&sid) {
            continue;
        }
        let key = trial.user(sid, &without(&declared, sid));
        let run = trial.expect_as(2, &key, &["diff", "--no-build"]);
        assert!(run.stdout().contains(" is not authorized to perform: "), "without {sid}\n{run}");
    }

    // A changed declaration needs nothing for a caller that may only look.
    trial
        .folder
        .write("infra.yaml", replaced(EVERYTHING, &[("retention: 14d", "retention: 14d, visibility_timeout: 40s")]));
    trial.expect_as(1, &diff, &["diff"]);
    let run = trial.expect_as(2, &diff, &["up", "--yes"]);
    assert!(run.stderr().contains("sqs.SetQueueAttributes 403 AccessDenied"), "{run}");
    trial.expect_as(0, &up, &["up", "--yes"]);

    let confirm = ["down", "--confirm", "circuits", "--delete-data"];
    let down = trial.policy("down");
    let keeper = trial.user("keeper", &without(&down, "Objects"));
    trial.expect_as(2, &keeper, &confirm);
    let down = trial.user("down", &down);
    trial.expect_as(0, &down, &confirm);
    let run = trial.expect_as(0, &down, &["down", "--dry-run", "--json"]);
    assert_eq!(run.json()[0]["resources"], json!([]), "{run}");
}

#[test]
fn a_declared_account_needs_no_credentials() {
    let folder =
        Folder::with_declaration("stack: s\nregion: eu-west-1\naccount: \"123456789012\"\nqueues: {failed: {}}\n");
    let run = folder.run(&["policy", "--for", "diff"]);
    assert_eq!(run.code(), Some(0), "{run}");
    let policy: Value = serde_json::from_str(&run.stdout()).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let queues = statements.iter().find(|statement| statement["Sid"] == "Queues").unwrap();
    assert_eq!(queues["Resource"], json!(["arn:aws:sqs:eu-west-1:123456789012:s-failed"]));
    assert!(run.stdout().contains("\n  \"Statement\": ["), "people read it: {run}");
}

/// Whoever may run `up` makes and changes roles below the declared boundary, by the tool and without it.
#[test]
fn who_may_run_up_gives_no_right_beyond_the_boundary() {
    const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/boundary";
    const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let Some(trial) = Trial::checked(EVERYTHING) else { return };
    let declared = format!("stack: circuits\npermissions_boundary: {BOUNDARY}\n");
    trial.folder.write("infra.yaml", replaced(EVERYTHING, &[("stack: circuits\n", &declared)]));
    let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let anything = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let root = &trial.account;
    for name in ["boundary", "other"] {
        root.wait(root.iam.create_policy().policy_name(name).policy_document(&anything).send()).unwrap();
    }
    let up = trial.user("up", &trial.policy("up"));
    trial.expect_as(0, &up, &["up", "--yes"]);
    let role = root.wait(root.iam.get_role().role_name("circuits-reader-eu-west-1").send()).unwrap().role.unwrap();
    assert_eq!(role.permissions_boundary.unwrap().permissions_boundary_arn.as_deref(), Some(BOUNDARY));
    // A role of the stack without its boundary, as somebody else may have made it.
    let path = "/provision/circuits.eu-west-1/";
    let call = root.iam.create_role().role_name("circuits-open").path(path).assume_role_policy_document(TRUST);
    root.wait(call.send()).unwrap();
    let me = up.account(&trial.emulator.url);
    let iam = &me.iam;
    let create = || iam.create_role().role_name("circuits-new").path(path).assume_role_policy_document(TRUST);
    let put = |role: &str| iam.put_role_policy().role_name(role).policy_name("more").policy_document(&anything);
    let bound = |arn: &str| {
        iam.put_role_permissions_boundary().role_name("circuits-reader-eu-west-1").permissions_boundary(arn)
    };
    let other = BOUNDARY.replace("boundary", "other");
    let unbound = iam.delete_role_permissions_boundary().role_name("circuits-reader-eu-west-1");
    let attach = iam.attach_role_policy().role_name("circuits-reader-eu-west-1").policy_arn(&other);
    let wider = iam.create_policy_version().policy_arn(BOUNDARY).policy_document(&anything);
    let own = iam.put_user_policy().user_name("up").policy_name("more").policy_document(&anything);
    let refused = [
        ("a role without a boundary", me.wait(create().send()).is_err()),
        ("a role with another one", me.wait(create().permissions_boundary(&other).send()).is_err()),
        ("a right without the boundary", me.wait(put("circuits-open").send()).is_err()),
        ("another boundary", me.wait(bound(&other).send()).is_err()),
        ("no boundary", me.wait(unbound.send()).is_err()),
        ("a managed policy", me.wait(attach.send()).is_err()),
        ("a wider boundary", me.wait(wider.send()).is_err()),
        ("a right of one's own", me.wait(own.send()).is_err()),
    ];
    for (what, is_refused) in refused {
        assert!(is_refused, "{what} is given");
    }
    me.wait(put("circuits-reader-eu-west-1").send()).unwrap();
    me.wait(bound(BOUNDARY).send()).unwrap();
}
