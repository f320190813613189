//! The policy of a function: the stack's own statements are in it, and those of others.

use std::collections::BTreeMap;

use crate::Session;
use aws::{
    OrFail,
    policy::{Policy, Statement},
};
use engine::{Class, Failure};

/// Beginning of the ids of our statements. The function is ours, and others may add statements of their own.
pub(super) const OURS: &str = "provision-";

/// Returns the statements of the policy of a function, or of an alias or version of it, by id; none if there is no such policy.
pub(super) async fn statements(
    session: &Session,
    function: &str,
    qualifier: Option<&str>,
) -> Result<BTreeMap<String, Statement>, Failure> {
    const CALL: &str = "lambda.GetPolicy";
    let call = session.aws.read.lambda.get_policy().function_name(function).set_qualifier(qualifier.map(str::to_owned));
    let answer = call.send().await.or_absent(CALL)?;
    match answer.and_then(|answer| answer.policy).filter(|text| !text.is_empty()) {
        Some(text) => {
            let policy = Policy::from_json(&text);
            Ok(policy.map_err(|error| Failure::found(CALL, Class::Other, error.to_string()))?.statements().clone())
        }
        None => Ok(BTreeMap::new()),
    }
}
