//! Tests runs that are ended halfway: by Ctrl-C, and by kill -9 after any call that changed something.

use std::{
    process::{Child, ExitStatus},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{EVERYTHING, Trial, faults, servers, taking_time};
use crate::{
    effort::Effort,
    emulator::{fault::Fault, proxy::Call},
};

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

/// Kills a run after a call: the service has done its work, and nobody gets its answer. Returns the call.
pub(super) fn killed(trial: &Trial, arguments: &[&str], after: impl Fn(&Call) -> bool + Send + 'static) -> Call {
    trial.proxy.reset();
    let hit = trial.proxy.on(Fault::Silent, after);
    let mut child = trial.command(arguments).spawn().unwrap();
    let call = hit.recv_timeout(PATIENCE);
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    let call = call.unwrap_or_else(|_| panic!("no such call\n{}", trial.proxy.record()));
    trial.proxy.reset();
    call
}

#[test]
fn whatever_call_a_run_is_killed_after_the_next_one_converges() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let empty = trial.emulator.snapshot();
    trial.up();
    let (count, end) = (trial.proxy.mutating().len(), trial.account.inventory());
    for number in (1..=count).step_by(Effort::asked().of(7, 2, 1)) {
        trial.emulator.restore(&empty);
        let call = killed(&trial, &["up", "--yes"], move |call| call.mutation == Some(number));
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
        killed(&trial, &["up", "--yes"], move |call| call.operation.name == *name);
        let run = trial.run(&["up", "--yes"]);
        assert_eq!(run.code(), Some(0), "killed after {name}\n{run}\n{}", trial.proxy.record());
        assert_eq!(servers::count(&trial), 1, "killed after {name}");
        assert_eq!(trial.account.inventory(), end, "killed after {name}");
    }
}

/// Calls of a stack after which a run is killed, one run each.
struct Killed {
    declaration: &'static str,
    furnish: fn(&Trial),
    /// Calls of a first `up`.
    up: &'static [&'static str],
    down: &'static [&'static str],
    /// Calls of `down`.
    ends: &'static [&'static str],
}

/// Stores that take minutes, in a network of the stack: nothing of it is there twice, and nothing is left that nobody finds again.
const STORES: Killed = Killed {
    declaration: taking_time::STORES,
    furnish: |_| (),
    up: &[
        "CreateDBInstance",
        "CreateReplicationGroup",
        "CreateSubnet",
        "CreateNatGateway",
        "CreateVpcEndpoint",
        "CreateSecurityGroup",
        "CreateDBSubnetGroup",
        "CreateCacheSubnetGroup",
        "CreateDBParameterGroup",
        "CreateRouteTable",
        "AttachInternetGateway",
        "AssociateRouteTable",
        "CreateRoute",
        "AllocateAddress",
        "RevokeSecurityGroupEgress",
    ],
    down: taking_time::DOWN,
    ends: &[
        "DeleteReplicationGroup",
        "DeleteNatGateway",
        "ModifyDBInstance",
        "DeleteDBInstance",
        "DeleteSecurityGroup",
        "DeleteSubnet",
        "DetachInternetGateway",
        "ReleaseAddress",
        "DeleteVpcEndpoints",
        "DeleteRouteTable",
        "DeleteDBSubnetGroup",
        "DeleteVpc",
    ],
};

/// Resources that tell of sent mails.
const HEARING: Killed = Killed {
    declaration: faults::HEARING.declaration,
    furnish: faults::HEARING.furnish,
    up: &[
        "CreateClusterV2",
        "CreateTopic",
        "CreateConfigurationSetEventDestination",
        "SetIdentityNotificationTopic",
        "CreateTable",
        "CreateConfigurationSet",
        "UpdateTimeToLive",
    ],
    down: &["down", "--confirm", "hearing", "--delete-data"],
    ends: &["DeleteCluster", "DeleteConfigurationSet", "DeleteTable", "SetIdentityNotificationTopic"],
};

#[test]
fn what_takes_minutes_is_neither_made_twice_nor_forgotten_when_a_run_is_killed() {
    let effort = Effort::asked();
    for (killed, first) in [(STORES, effort.of(1, 3, usize::MAX)), (HEARING, effort.of(1, 2, usize::MAX))] {
        is_finished_after_each(&killed, first);
    }
}

/// Kills an `up` and a `down` after each of the first so many calls of a stack, and checks that the next run does what is left.
fn is_finished_after_each(stack: &Killed, first: usize) {
    let Some(trial) = Trial::new(stack.declaration) else { return };
    (stack.furnish)(&trial);
    let before = trial.emulator.snapshot();
    trial.up();
    let made = trial.emulator.snapshot();
    for (from, arguments, names) in [(&before, &["up", "--yes"][..], stack.up), (&made, stack.down, stack.ends)] {
        trial.emulator.restore(from);
        trial.expect(0, arguments);
        let end = trial.account.inventory();
        for name in names.iter().take(first) {
            trial.emulator.restore(from);
            killed(&trial, arguments, move |call| call.operation.name == *name);
            let run = trial.run(arguments);
            assert_eq!(run.code(), Some(0), "killed after {name}\n{run}\n{}", trial.proxy.record());
            assert_eq!(trial.account.inventory(), end, "killed after {name}");
        }
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
    // Of two signals at once the system delivers one: it is pressed until the run ends.
    let began = Instant::now();
    let ended = loop {
        assert!(began.elapsed() < PATIENCE, "the run does not end");
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        signal(&child, Signal::INT);
        sleep(Duration::from_millis(50));
    };
    assert_eq!(ended.code(), Some(130));
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
