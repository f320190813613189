//! Waits for functions: until a change is made, the network is left, or a deleted one is gone.

use aws::OrFail;
use engine::{Class, Failure};

use super::wire;
use crate::Session;

const CONFIGURATION: &str = "lambda.GetFunctionConfiguration";

/// Waits until a function is ready; a failed change is an error.
pub(super) async fn settle(session: &Session, name: &str) -> Result<(), Failure> {
    let end = tokio::time::Instant::now() + session.aws.pacing.deadline;
    loop {
        let call = session.aws.read.lambda.get_function_configuration().function_name(name);
        let live = call.send().await.or_fail(CONFIGURATION)?;
        let progress = wire::Progress {
            state: live.state,
            state_reason: live.state_reason,
            update: live.last_update_status,
            update_reason: live.last_update_status_reason,
        };
        if let Some(reason) = progress.failure() {
            return Err(Failure::found(CONFIGURATION, Class::Other, format!("the function `{name}` failed: {reason}")));
        }
        if !progress.is_going_on() {
            return Ok(());
        }
        if tokio::time::Instant::now() >= end {
            return Err(late(session, &format!("the function `{name}` is not ready")));
        }
        tokio::time::sleep(session.aws.pacing.poll).await;
    }
}

/// Takes a function out of its network: Lambda then gives its network interfaces back, for which it needs the role. Deleting the
/// function earlier would break that off. A function that cannot leave, since it never came into its network, may go all the same.
pub(super) async fn leave_network(session: &Session, name: &str) -> Result<(), Failure> {
    let call = session.aws.read.lambda.get_function_configuration().function_name(name);
    let network = call.send().await.or_absent(CONFIGURATION)?.and_then(|live| live.vpc_config);
    if network.and_then(|network| network.subnet_ids).is_none_or(|subnets| subnets.is_empty()) {
        return Ok(());
    }
    let left = async {
        wire::leave_network(session, name).await?;
        settle(session, name).await
    };
    match left.await {
        Err(failure) if matches!(failure.class, Class::Invalid | Class::Other) => Ok(()),
        left => left,
    }
}

/// Waits until a deleted function is gone: until then none with its name can be created.
pub(super) async fn gone(session: &Session, name: &str) -> Result<(), Failure> {
    let end = tokio::time::Instant::now() + session.aws.pacing.deadline;
    loop {
        let call = session.aws.read.lambda.get_function_configuration().function_name(name);
        match call.send().await.or_absent(CONFIGURATION) {
            Ok(None) => return Ok(()),
            // A right by the stack's tag ends with the function: of one that is gone IAM knows no tags. It was read before it was deleted.
            Err(failure) if failure.class == Class::Denied => return Ok(()),
            answer => answer?,
        };
        if tokio::time::Instant::now() >= end {
            return Err(late(session, &format!("the function `{name}` is still there")));
        }
        tokio::time::sleep(session.aws.pacing.poll).await;
    }
}

fn late(session: &Session, what: &str) -> Failure {
    Failure::found(CONFIGURATION, Class::InProgress, format!("{what} after {:?}", session.aws.pacing.deadline))
}
