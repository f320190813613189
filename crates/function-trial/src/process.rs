//! Runs the process of a function in a test.

use std::{
    io::Read,
    process::{Child, Command, ExitStatus},
    thread,
};

/// A running function, which is killed in the end.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Option<thread::JoinHandle<String>>,
    stderr: Option<thread::JoinHandle<String>>,
}

impl Running {
    /// Starts a program whose output is piped, as that of [`crate::Lambda::function`].
    pub fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let stderr = child.stderr.take().unwrap();
        Self { child, stdout: Some(read(stdout)), stderr: Some(read(stderr)) }
    }

    /// Returns its peak resident memory, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Returns the time that it has taken of a processor, in milliseconds.
    pub fn processor_ms(&self) -> u64 {
        // Ticks of user and system time, of which Linux counts a hundred a second.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
        fields.map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum()
    }

    /// Returns whether the process has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Kills the function, and returns the lines of its standard output and its standard error.
    pub fn stop(mut self) -> (Vec<String>, String) {
        self.child.kill().unwrap();
        self.finish().1
    }

    /// Waits until the function ends by itself.
    pub fn end(mut self) -> (ExitStatus, (Vec<String>, String)) {
        self.finish()
    }

    fn finish(&mut self) -> (ExitStatus, (Vec<String>, String)) {
        let status = self.child.wait().unwrap();
        let written = |pipe: &mut Option<thread::JoinHandle<String>>| pipe.take().unwrap().join().unwrap();
        let lines = written(&mut self.stdout).lines().map(str::to_owned).collect();
        (status, (lines, written(&mut self.stderr)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.stdout.is_some() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn read(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
}
