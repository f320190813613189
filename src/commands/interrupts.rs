//! Interrupts (Ctrl-C and similar): a command that has started something ends it before it ends
//! itself.

use std::time::Duration;

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::sleep,
};

/// Exit code of an interrupted run.
pub(super) const INTERRUPTED: u8 = 130;
/// Time that a command has to end by itself after a second signal.
const GRACE: Duration = Duration::from_secs(3);

/// The signals that end a run.
pub(super) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Interrupts {
    /// Listens from now on: the signals no longer end the process by themselves. Whatever the command does then, a second signal
    /// ends it.
    pub(super) fn new() -> std::io::Result<Self> {
        let mut signals = Self::listen()?;
        tokio::spawn(async move {
            signals.next().await;
            signals.next().await;
            sleep(GRACE).await;
            std::process::exit(INTERRUPTED.into());
        });
        Self::listen()
    }

    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
