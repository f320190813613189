//! Tests runs that are ended halfway: by Ctrl-C, and by kill -9 after any call that changed something.

use std::{
    process::{Child, ExitStatus},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{EVERYTHING, Trial, servers};
use crate::{effort::Effort, emulator::fault::Fault};

const PATIENCE: Duration = Duration::from_mins(1);

fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Returns how a run ended that must not take longer than this.
fn ended_within(child: &mut Child, limit: Duration) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if start.elapsed() > limit {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the run did not end within {limit:?}");
        }
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn whatever_call_a_run_is_killed_after_the_next_one_converges() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let empty = trial.emulator.snapshot();
    trial.up();
    let (count, end) = (trial.proxy.mutating().len(), trial.account.inventory());
    for number in (1..=count).step_by(Effort::asked().of(7, 2, 1)) {
        trial.emulator.restore(&empty);
        trial.proxy.reset();
        // The service has done its work; nobody gets its answer.
        let hit = trial.proxy.on(Fault::Silent, move |call| call.mutation == Some(number));
        let mut child = trial.command(&["up", "--yes"]).spawn().unwrap();
        let call = hit.recv_timeout(PATIENCE).unwrap();
        signal(&child, Signal::KILL);
        child.wait().unwrap();
        trial.proxy.reset();
        // Before it returns 0, a run checks by itself that nothing differs.
        let run = trial.run(&["up", "--yes"]);
        assert_eq!(run.code(), Some(0), "killed after {call}\n{run}\n{}", trial.proxy.record());
        assert_eq!(trial.account.inventory(), end, "killed after {call}");
    }
    assert!(count > 30, "{count}");
}

/// EC2 gives ids to the parts of a server, so each part must be found again and never made twice. After each of these calls something is
/// half done.
#[test]
fn a_server_that_is_half_made_when_a_run_is_killed_is_finished_and_not_made_twice() {
    const CASES: &[&str] =
        &["RunInstances", "AttachVolume", "CreateVolume", "AllocateAddress", "AddRoleToInstanceProfile", "CreateVpc"];
    let Some(trial) = Trial::new(&servers::alone("")) else { return };
    let empty = trial.emulator.snapshot();
    trial.up();
    let end = trial.account.inventory();
    for name in Effort::asked().of(&CASES[..1], &CASES[..3], CASES) {
        trial.emulator.restore(&empty);
        trial.proxy.reset();
        let hit = trial.proxy.on(Fault::Silent, move |call| call.operation.name == *name);
        let mut child = trial.command(&["up", "--yes"]).spawn().unwrap();
        hit.recv_timeout(PATIENCE).unwrap();
        signal(&child, Signal::KILL);
        child.wait().unwrap();
        trial.proxy.reset();
        let run = trial.run(&["up", "--yes"]);
        assert_eq!(run.code(), Some(0), "killed after {name}\n{run}\n{}", trial.proxy.record());
        assert_eq!(servers::count(&trial), 1, "killed after {name}");
        assert_eq!(trial.account.inventory(), end, "killed after {name}");
    }
}

#[test]
fn ctrl_c_finishes_running_steps_and_lists_the_rest() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.proxy.delay(Duration::from_millis(200));
    let hit = trial.proxy.on(Fault::Throttles, |call| call.mutation == Some(1));
    let child = trial.command(&["up", "--yes"]).spawn().unwrap();
    hit.recv_timeout(PATIENCE).unwrap();
    signal(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    let run = trial.folder.finish(&["up", "--yes"], output);
    assert_eq!(run.code(), Some(130), "{run}");
    assert!(run.stderr().contains("skipped: interrupted"), "{run}");
    let ended = trial.proxy.calls().iter().all(|call| call.ended.is_some());
    assert!(ended, "what was in flight was not finished\n{}", trial.proxy.record());
    trial.proxy.reset();
    trial.up();
    trial.is_converged();
}

#[test]
fn ctrl_c_ends_a_run_that_waits_for_a_retry() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let hit = trial.proxy.on(Fault::Throttles, |call| call.operation.name == "CreateQueue");
    let mut child = trial.command(&["up", "--yes"]).spawn().unwrap();
    // The waits grow: this one is seconds before the next retry.
    for _ in 0..8 {
        hit.recv_timeout(PATIENCE).unwrap();
    }
    signal(&child, Signal::INT);
    assert_eq!(ended_within(&mut child, Duration::from_secs(20)).code(), Some(130));
}

#[test]
fn a_second_ctrl_c_ends_a_run_whose_call_is_never_answered() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let hit = trial.proxy.on(Fault::Silent, |call| call.mutation == Some(1));
    let mut child = trial.command(&["up", "--yes"]).spawn().unwrap();
    hit.recv_timeout(PATIENCE).unwrap();
    signal(&child, Signal::INT);
    sleep(Duration::from_millis(300));
    signal(&child, Signal::INT);
    assert_eq!(ended_within(&mut child, Duration::from_secs(20)).code(), Some(130));
}

#[test]
fn ctrl_c_ends_a_run_that_reads_the_account_again() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    let queue = trial.account.wait(trial.account.sqs.get_queue_url().queue_name("circuits-events").send()).unwrap();
    trial.account.wait(trial.account.sqs.delete_queue().queue_url(queue.queue_url().unwrap()).send()).unwrap();
    trial.proxy.reset();
    let created = trial.proxy.on(Fault::Delays, |call| call.operation.name == "CreateQueue");
    let mut child = trial.command(&["up", "--yes"]).spawn().unwrap();
    created.recv_timeout(PATIENCE).unwrap();
    // Every read is silent from now on.
    let silent = trial.proxy.on(Fault::Silent, |call| call.mutation.is_none());
    silent.recv_timeout(PATIENCE).unwrap();
    signal(&child, Signal::INT);
    assert_eq!(ended_within(&mut child, Duration::from_secs(20)).code(), Some(130));
}
