//! The places of SMTP sessions: there are [`SESSIONS`]. Whoever comes later waits for one; a session that has said nothing whole for a
//! while then gives its place up. So a client that opens sessions and leaves them, or sends a byte now and then, keeps nobody out.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

/// Maximum number of sessions at once.
const SESSIONS: usize = 32;
/// Maximum number of clients that wait for a place.
const WAITING: usize = 128;
/// Time after which a session gives way that has not said a whole command.
const IDLE: Duration = Duration::from_secs(2);
/// Time after which a session gives way in which a mail, or its TLS, does not get on.
const SLOW: Duration = Duration::from_secs(20);
/// Time that a client waits for a place.
const PATIENCE: Duration = Duration::from_secs(30);
/// Interval of looking for a session that has become idle.
const LOOK: Duration = Duration::from_millis(100);

/// The work of a session at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// It waits for a command.
    Listening,
    /// It receives a mail, or agrees on TLS.
    Receiving,
    /// It stores a mail, or answers.
    Working,
}

impl Doing {
    /// Returns the time after which a session that does nothing else gives way; `None` if it never does.
    fn patience(self) -> Option<Duration> {
        match self {
            Self::Listening => Some(IDLE),
            Self::Receiving => Some(SLOW),
            Self::Working => None,
        }
    }
}

/// The places of all sessions, of which there is a limited number.
#[derive(Debug, Default)]
pub(super) struct Places {
    taken: Mutex<Taken>,
    freed: Notify,
}

/// The places that are taken, and the clients that wait.
#[derive(Debug, Default)]
struct Taken {
    sessions: BTreeMap<u64, Session>,
    next: u64,
    waiting: usize,
}

#[derive(Debug)]
struct Session {
    doing: Doing,
    since: Instant,
    /// Asks it to give way; kept until it listens.
    gives_way: Arc<Notify>,
    is_asked: bool,
}

/// A session's place; dropping it gives it to the next.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    gives_way: Arc<Notify>,
}

impl Taken {
    /// Takes a free place; returns its number.
    fn take(&mut self, now: Instant) -> Option<(u64, Arc<Notify>)> {
        if self.sessions.len() >= SESSIONS {
            return None;
        }
        let (number, gives_way) = (self.next, Arc::new(Notify::new()));
        self.next += 1;
        let asks = Arc::clone(&gives_way);
        self.sessions.insert(number, Session { doing: Doing::Working, since: now, gives_way, is_asked: false });
        Some((number, asks))
    }

    fn change(&mut self, number: u64, doing: Doing, now: Instant) {
        if let Some(session) = self.sessions.get_mut(&number) {
            (session.doing, session.since) = (doing, now);
        }
    }

    /// Asks as many sessions to give way as there are clients that wait, those first that have been idle for the longest time.
    fn ask_the_idle(&mut self, now: Instant) {
        let asked = self.sessions.values().filter(|session| session.is_asked).count();
        let is_idle = |session: &Session| {
            let idle = now.saturating_duration_since(session.since);
            !session.is_asked && session.doing.patience().is_some_and(|patience| idle >= patience)
        };
        let mut idle: Vec<&mut Session> = self.sessions.values_mut().filter(|session| is_idle(session)).collect();
        idle.sort_by_key(|session| session.since);
        for session in idle.into_iter().take(self.waiting.saturating_sub(asked)) {
            session.is_asked = true;
            session.gives_way.notify_one();
        }
    }
}

impl Places {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place; `None` if too many wait already, or none comes free in time.
    pub(super) async fn take(self: &Arc<Self>) -> Option<Place> {
        if let Some(place) = self.take_free() {
            return Some(place);
        }
        let _waiting = self.begin_to_wait()?;
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let freed = self.freed.notified();
            if let Some(place) = self.take_free() {
                return Some(place);
            }
            self.taken().ask_the_idle(Instant::now());
            let _either = tokio::time::timeout(LOOK, freed).await;
        }
        None
    }

    fn take_free(self: &Arc<Self>) -> Option<Place> {
        let (number, gives_way) = self.taken().take(Instant::now())?;
        Some(Place { places: Arc::clone(self), number, gives_way })
    }

    fn begin_to_wait(self: &Arc<Self>) -> Option<Waiting> {
        let mut taken = self.taken();
        if taken.waiting >= WAITING {
            return None;
        }
        taken.waiting += 1;
        Some(Waiting(Arc::clone(self)))
    }
}

/// A client that waits; dropping it ends that.
struct Waiting(Arc<Places>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.taken().waiting -= 1;
    }
}

impl Place {
    /// Records what the session does from now on: it has got on.
    pub(super) fn now(&self, doing: Doing) {
        self.places.taken().change(self.number, doing, Instant::now());
    }

    /// Waits until the session is asked to give way.
    pub(super) async fn give_way(&self) {
        self.gives_way.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().sessions.remove(&self.number);
        self.places.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    /// Returns all places, taken one after the other, each with a session that does this.
    fn full(doing: Doing, now: Instant) -> (Taken, Vec<Arc<Notify>>) {
        let mut taken = Taken::default();
        let sessions = (0..SESSIONS).map(|second| {
            let (number, gives_way) = taken.take(now).unwrap();
            taken.change(number, doing, now + Duration::from_secs(second.try_into().unwrap()));
            gives_way
        });
        let sessions = sessions.collect();
        (taken, sessions)
    }

    /// Returns the numbers of the sessions that were asked to give way.
    fn asked(sessions: &[Arc<Notify>]) -> Vec<usize> {
        let is_asked = |session: &Arc<Notify>| session.notified().now_or_never().is_some();
        (0..).zip(sessions).filter(|(_, session)| is_asked(session)).map(|(number, _)| number).collect()
    }

    #[test]
    fn those_who_are_idle_for_the_longest_time_give_way_to_as_many_as_wait() {
        for doing in [Doing::Listening, Doing::Receiving] {
            let (now, patience) = (Instant::now(), doing.patience().unwrap());
            let (mut taken, sessions) = full(doing, now);
            assert!(taken.take(now).is_none());
            taken.ask_the_idle(now + patience * 100);
            assert!(asked(&sessions).is_empty(), "nobody waits");
            taken.waiting = 2;
            taken.ask_the_idle(now + patience.saturating_sub(Duration::from_millis(1)));
            assert!(asked(&sessions).is_empty(), "{doing:?}: nobody is idle for long enough");
            taken.ask_the_idle(now + patience);
            assert_eq!(asked(&sessions), [0], "{doing:?}");
            taken.ask_the_idle(now + patience * 100);
            assert_eq!(asked(&sessions), [1], "{doing:?}: one was asked before");
            taken.ask_the_idle(now + patience * 100);
            assert!(asked(&sessions).is_empty(), "{doing:?}: as many as wait were asked");
            taken.sessions.remove(&0);
            assert!(taken.take(now).is_some(), "{doing:?}");
        }
    }

    #[test]
    fn who_works_or_gets_on_keeps_the_place() {
        let now = Instant::now();
        let (mut taken, sessions) = full(Doing::Working, now);
        taken.waiting = SESSIONS;
        taken.ask_the_idle(now + PATIENCE * 100);
        assert!(asked(&sessions).is_empty());
        let later = now + PATIENCE;
        for number in 0..SESSIONS as u64 {
            taken.change(number, Doing::Listening, if number == 7 { now } else { later });
        }
        taken.ask_the_idle(later);
        assert_eq!(asked(&sessions), [7]);
    }

    #[tokio::test]
    async fn a_place_that_comes_free_is_taken_and_no_more_wait_than_may() {
        let places = Arc::new(Places::default());
        let mut sessions: Vec<Place> = (0..SESSIONS).map(|_| places.take_free().unwrap()).collect();
        let mut first = Box::pin(places.take());
        assert!(first.as_mut().now_or_never().is_none());
        let waiting: Vec<_> = (1..WAITING).map(|_| places.begin_to_wait().unwrap()).collect();
        assert!(places.take().await.is_none(), "too many wait");
        sessions.pop();
        assert!(first.await.is_some());
        drop(waiting);
        assert_eq!(places.taken().waiting, 0);
    }
}
