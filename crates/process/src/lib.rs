//! Child processes: each with everything that it starts in a process group of its own, ended as a whole ([`Group`]), and tools with an
//! environment that has no secrets ([`tool`]).

mod environment;

use std::{io, process::ExitStatus, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

pub use environment::tool;

/// How long a process may take to end by itself once it was asked to.
const PATIENCE: Duration = Duration::from_millis(500);

/// A process group; dropping it kills it.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use tokio::process::Command;
///
/// // The shell waits for its child: ending it alone would leave the child behind.
/// let mut group = process::Group::start(Command::new("sh").args(["-c", "sleep 600; true"])).unwrap();
/// group.end().await;
/// let status = group.child.wait().await.unwrap();
/// assert_eq!(process::describe(status), "signal 15");
/// # });
/// ```
#[derive(Debug)]
pub struct Group {
    /// The group's first process.
    pub child: Child,
    id: Option<Pid>,
}

impl Group {
    /// Starts a command as the leader of a new process group, out of reach of the terminal's
    /// Ctrl-C.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child, id })
    }

    /// Asks the group to end, and kills the processes that do not end in half a second.
    pub async fn end(&mut self) {
        self.end_within(PATIENCE).await;
    }

    /// Asks the group to end, and kills the processes that do not end in time.
    pub async fn end_within(&mut self, patience: Duration) {
        self.signal(Signal::TERM);
        if timeout(patience, self.child.wait()).await.is_err() {
            self.signal(Signal::KILL);
            let _it_is_dead = self.child.wait().await;
        }
        self.signal(Signal::KILL);
    }

    /// Returns the peak resident memory of the first process, in bytes; `None` if the system does
    /// not tell.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
    }

    /// Sends a signal to the remaining processes of the group.
    fn signal(&self, signal: Signal) {
        if let Some(id) = self.id {
            let _nothing_is_left = kill_process_group(id, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Describes an exit status: the exit code, or the signal that ended the process.
pub fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}
