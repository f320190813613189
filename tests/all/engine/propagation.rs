//! Tests that what another run has just made is waited for, and that a service which is not there is told once, and at once.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    emulator::{fault::Fault, proxy::Call},
    stack::{EVERYTHING, Trial},
};

const PATIENCE: Duration = Duration::from_mins(1);
/// Lambda's answer for a role that it does not see yet.
const NOT_YET: Fault = Fault::Refuses {
    status: 400,
    code: "InvalidParameterValueException",
    message: "The role defined for the function cannot be assumed by Lambda.",
};

#[test]
fn a_role_that_an_interrupted_run_made_is_waited_for() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let hit = trial.proxy.on(Fault::Silent, |call| call.operation.name == "CreateFunction");
    let mut child = trial.command(&["up", "--yes"]).spawn().unwrap();
    hit.recv_timeout(PATIENCE).unwrap();
    kill_process(i32::try_from(child.id()).ok().and_then(Pid::from_raw).unwrap(), Signal::KILL).unwrap();
    child.wait().unwrap();
    let call = trial.account.lambda.delete_function().function_name("circuits-reader");
    trial.account.wait(call.send()).unwrap();
    trial.proxy.reset();
    let is_early = |call: &Call| call.operation.name == "CreateFunction" && call.repetition <= 3;
    let hits = trial.proxy.on(NOT_YET, is_early);
    trial.up();
    assert_eq!(hits.try_iter().count(), 3);
    trial.is_converged();
}

/// Far more than a run takes on a busy machine, and far less than ten minutes, for which a call that may succeed is tried again.
const AT_ONCE: Duration = Duration::from_mins(2);

/// Returns an address at which nobody listens.
fn nobody() -> String {
    format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
}

#[test]
fn a_cloud_that_is_not_there_is_told_once_and_at_once() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    for arguments in [&["up", "--yes"][..], &["diff"], &["down", "--confirm", "circuits"]] {
        let start = Instant::now();
        let mut command = trial.command(arguments);
        command.env("AWS_ENDPOINT_URL", nobody()).env_remove("PROVISION_PACING_MS");
        let run = trial.folder.finish(arguments, command.output().unwrap());
        assert_eq!(run.code(), Some(2), "{run}");
        assert_eq!(run.stderr().matches("cannot be reached").count(), 1, "{run}");
        assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
    }
}

#[test]
fn a_service_that_is_not_there_is_told_once_and_at_once() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    for (arguments, code) in [(&["diff", "--no-build"][..], 2), (&["down", "--dry-run"], 2)] {
        let start = Instant::now();
        let mut command = trial.command(arguments);
        command.env("AWS_ENDPOINT_URL_SES", nobody()).env_remove("PROVISION_PACING_MS");
        let run = trial.folder.finish(arguments, command.output().unwrap());
        assert_eq!(run.code(), Some(code), "{run}");
        assert_eq!(run.stdout().matches("Connection refused").count(), 1, "{run}");
        assert!(run.stdout().contains("! ses cannot be reached: "), "{run}");
        assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
    }
}
