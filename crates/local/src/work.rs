//! Accepted work that is not done: mails that are being stored, and events that a function has not ended with. A run that is asked to
//! end waits for it.

use tokio::sync::watch;

/// Counts the pieces of work that are open.
#[derive(Debug, Clone)]
pub(crate) struct Work(watch::Sender<usize>);

/// An open piece of work; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Piece(watch::Sender<usize>);

impl Work {
    /// Returns a counter without work.
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Opens a piece of work.
    pub(crate) fn begin(&self) -> Piece {
        self.0.send_modify(|open| *open += 1);
        Piece(self.0.clone())
    }

    /// Returns the number of open pieces.
    pub(crate) fn open(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits until no piece is open.
    pub(crate) async fn done(&self) {
        let mut open = self.0.subscribe();
        let _counter_is_here = open.wait_for(|open| *open == 0).await;
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn work_is_done_when_its_last_piece_is() {
        let work = Work::new();
        work.done().await;
        let (one, other) = (work.begin(), work.begin());
        drop(one);
        assert_eq!(work.open(), 1);
        assert!(work.done().now_or_never().is_none());
        drop(other);
        work.done().await;
    }
}
