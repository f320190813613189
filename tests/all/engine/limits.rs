//! Tests that exhausted quotas of an account stop `up` before the first change.

use aws_sdk_lambda::{
    primitives::Blob,
    types::{FunctionCode, Runtime},
};

use super::fields::{declaration, other_zip};
use crate::{
    emulator::account::Account,
    harness::replaced,
    stack::{EVERYTHING, Trial},
};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// Creates somebody's function, which reserves all but that much of the account's concurrency.
fn somebody_leaves(account: &Account, count: i32) {
    let limit = account.wait(account.lambda.get_account_settings().send()).unwrap().account_limit.unwrap();
    let call = account.iam.create_role().role_name("theirs").assume_role_policy_document(TRUST);
    let role = account.wait(call.send()).unwrap().role.unwrap().arn;
    let code = FunctionCode::builder().zip_file(Blob::new(other_zip())).build();
    let call = account.lambda.create_function().function_name("theirs").role(role).code(code);
    account.wait(call.handler("bootstrap").runtime(Runtime::Providedal2023).send()).unwrap();
    let call = account.lambda.put_function_concurrency().function_name("theirs");
    account.wait(call.reserved_concurrent_executions(limit.concurrent_executions - count).send()).unwrap();
}

#[test]
fn what_others_reserve_counts_and_what_is_ours_already_does_not() {
    let declared = replaced(&declaration(), &[("archive: {existing: company-archive}", "archive: {}")]);
    let Some(trial) = Trial::new(&declared) else { return };
    somebody_leaves(&trial.account, 105);
    // 5 more leave the account's 100: exactly what must be left, and no less when everything is
    // done again.
    trial.up();
    trial.is_converged();
    let more = replaced(&declared, &[("reserved_concurrency: 5", "reserved_concurrency: 6")]);
    trial.folder.write("infra.yaml", more);
    trial.proxy.reset();
    let run = trial.expect(2, &["up", "--yes"]);
    assert!(run.stderr().contains("the functions reserve 6 of the 105 concurrent executions"), "{run}");
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
}

#[test]
fn an_account_with_all_its_rule_sets_has_no_room_for_ours() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let account = &trial.account;
    for number in 0..40 {
        account.wait(account.ses.create_receipt_rule_set().rule_set_name(format!("set-{number}")).send()).unwrap();
    }
    let run = trial.expect(2, &["up", "--yes"]);
    assert!(run.stderr().contains("the account has 40 receipt rule sets, and SES takes 40"), "{run}");
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
    // Ours is one of them: it need not be created.
    account.wait(account.ses.delete_receipt_rule_set().rule_set_name("set-0").send()).unwrap();
    trial.up();
    trial.is_converged();
}
