//! Queues of SQS: messages in memory, and one file each in the state folder, so that nothing that was accepted is lost with the run.
//!
//! A file holds the body alone, for people to read; receipts are counted anew in every run.

use std::{
    collections::BTreeMap,
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::{sync::Notify, time::Instant};

use crate::{
    ids,
    names::QueueNames,
    observer::{Activity, Observer},
    private,
    work::{Piece, Work},
};

/// Ending of the names of messages' files.
const ENDING: &str = ".json";

/// A local queue, with its messages as files.
#[derive(Debug)]
pub(crate) struct Queue {
    /// Name of the queue's entry.
    pub entry: String,
    /// ARN of the queue.
    pub arn: String,
    /// URL of the queue in AWS.
    pub url: String,
    /// Time for which a message that was received is hidden.
    pub visibility: Duration,
    folder: PathBuf,
    /// Work that every message is until it is done; `None` if no function consumes the queue.
    work: Option<Work>,
    observer: Observer,
    messages: Mutex<Messages>,
    /// Told of every message that comes or becomes visible.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Messages {
    /// Number of the next message.
    next: u64,
    /// Messages in the order in which they came.
    waiting: BTreeMap<u64, Message>,
}

#[derive(Debug)]
struct Message {
    id: String,
    body: Arc<str>,
    /// Id under which the observer knows what it comes from.
    item: String,
    sent: SystemTime,
    first_received: Option<SystemTime>,
    received: u16,
    visible: Instant,
    /// Handle of the last receipt; empty before the first.
    receipt: String,
    /// Time for which the function asked to hide it since its last receipt; `None` if it did not.
    asked: Option<Duration>,
    _work: Option<Piece>,
}

/// A message as its consumer gets it.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    number: u64,
    /// SQS's id of the message.
    pub id: String,
    /// Body of the message.
    pub body: Arc<str>,
    /// Id under which the observer knows what it comes from.
    pub item: String,
    /// Time at which it was sent.
    pub sent: SystemTime,
    /// Time at which it was received for the first time.
    pub first_received: SystemTime,
    /// Number of receipts, with this one.
    pub received: u16,
    /// Handle of this receipt.
    pub receipt: String,
}

/// The settings of a queue.
#[derive(Debug)]
pub(crate) struct Settings {
    pub entry: String,
    pub names: QueueNames,
    pub visibility: Duration,
    /// Folder of the messages' files.
    pub folder: PathBuf,
    /// Work of the stack; `None` if no function consumes the queue.
    pub work: Option<Work>,
}

impl Queue {
    /// Opens a queue in its folder, which need not exist. If a function consumes it, the messages that an earlier run has left are in it.
    pub(crate) fn open(settings: Settings, observer: Observer) -> io::Result<Self> {
        let Settings { entry, names: QueueNames { arn, url }, visibility, folder, work } = settings;
        let folder = private::make(&folder)?;
        let (messages, changed) = (Mutex::default(), Notify::new());
        let queue = Self { entry, arn, url, visibility, folder, work, observer, messages, changed };
        if queue.work.is_some() {
            for (sent, id, body) in queue.left()? {
                queue.tell(&id, &id);
                queue.add(id.clone(), body.into(), id, sent);
            }
        }
        Ok(queue)
    }

    /// Reads the messages that an earlier run has left, the oldest first.
    fn left(&self) -> io::Result<Vec<(SystemTime, String, String)>> {
        let mut left = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(id) = name.strip_suffix(ENDING).filter(|id| !id.starts_with('.')) {
                left.push((entry.metadata()?.modified()?, id.to_owned(), fs::read_to_string(entry.path())?));
            }
        }
        left.sort();
        Ok(left)
    }

    /// Accepts a new message, and returns its id: when this returns, it is kept.
    pub(crate) async fn send(&self, body: &str, item: Option<&str>) -> io::Result<String> {
        let id = ids::uuid();
        self.put(&id, body, item).await?;
        Ok(id)
    }

    /// Accepts a message of that id, and returns its file: when this returns, it is kept. `item` is the id of what it comes from.
    pub(crate) async fn put(&self, id: &str, body: &str, item: Option<&str>) -> io::Result<PathBuf> {
        let file = self.file(id);
        private::write(&file, body.as_bytes().to_vec()).await?;
        let item = item.unwrap_or(id);
        if self.work.is_some() {
            self.tell(item, id);
            self.add(id.to_owned(), body.into(), item.to_owned(), SystemTime::now());
        }
        Ok(file)
    }

    fn tell(&self, item: &str, message: &str) {
        let (item, queue, message) = (item.to_owned(), self.entry.clone(), message.to_owned());
        self.observer.tell(Activity::Queued { item, queue, message });
    }

    fn add(&self, id: String, body: Arc<str>, item: String, sent: SystemTime) {
        let mut messages = self.messages();
        let number = messages.next;
        messages.next += 1;
        messages.waiting.insert(
            number,
            Message {
                id,
                body,
                item,
                sent,
                first_received: None,
                received: 0,
                visible: Instant::now(),
                receipt: String::new(),
                asked: None,
                _work: self.work.as_ref().map(Work::begin),
            },
        );
        drop(messages);
        self.changed.notify_waiters();
    }

    /// Waits for messages, and receives up to `most` of them, the oldest first. After the first it waits up to `window` for more.
    pub(crate) async fn receive(&self, most: usize, window: Duration) -> Vec<Delivery> {
        let mut end = None;
        loop {
            let changed = self.changed.notified();
            let (visible, next) = self.visible();
            if visible > 0 {
                let end = *end.get_or_insert_with(|| Instant::now() + window);
                if visible >= most || end <= Instant::now() {
                    let received = self.take(most);
                    if !received.is_empty() {
                        return received;
                    }
                }
            }
            let until = [end.filter(|_| visible > 0), next].into_iter().flatten().min();
            tokio::select! {
                () = changed => {}
                () = sleep_until(until) => {}
            }
        }
    }

    /// Returns the number of visible messages, and the time at which the next becomes visible.
    fn visible(&self) -> (usize, Option<Instant>) {
        let (messages, now) = (self.messages(), Instant::now());
        let visible = messages.waiting.values().filter(|message| message.visible <= now).count();
        let hidden = messages.waiting.values().map(|message| message.visible).filter(|visible| *visible > now);
        (visible, hidden.min())
    }

    fn take(&self, most: usize) -> Vec<Delivery> {
        let (mut messages, now) = (self.messages(), Instant::now());
        let visible = messages.waiting.iter_mut().filter(|(_, message)| message.visible <= now);
        let taken = visible.take(most).map(|(number, message)| {
            message.received = message.received.saturating_add(1);
            message.visible = now + self.visibility;
            message.receipt = ids::uuid();
            message.asked = None;
            Delivery {
                number: *number,
                id: message.id.clone(),
                body: Arc::clone(&message.body),
                item: message.item.clone(),
                sent: message.sent,
                first_received: *message.first_received.get_or_insert_with(SystemTime::now),
                received: message.received,
                receipt: message.receipt.clone(),
            }
        });
        taken.collect()
    }

    /// Deletes a message: it is done.
    pub(crate) async fn delete(&self, message: &Delivery) -> io::Result<()> {
        match tokio::fs::remove_file(self.file(&message.id)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.forget(message);
        Ok(())
    }

    /// Leaves a message to the next run: its file stays.
    pub(crate) fn forget(&self, message: &Delivery) {
        self.messages().waiting.remove(&message.number);
    }

    /// Makes messages of one batch visible again after a wait, all at once. Returns the wait that SQS would make for each.
    pub(crate) fn release(&self, received: &[&Delivery], after: Duration) -> Vec<Duration> {
        let (mut messages, visible) = (self.messages(), Instant::now() + after);
        let asked = received.iter().map(|message| {
            let waiting = messages.waiting.get_mut(&message.number)?;
            if waiting.receipt == message.receipt {
                waiting.visible = visible;
            }
            waiting.asked
        });
        let waits = asked.map(|asked| asked.unwrap_or(self.visibility)).collect();
        drop(messages);
        self.changed.notify_waiters();
        waits
    }

    /// Hides the message of a receipt for another time than the queue's; returns `false` if there is none.
    pub(crate) fn hide(&self, receipt: &str, time: Duration) -> bool {
        let mut messages = self.messages();
        let waiting = messages.waiting.values_mut().find(|message| !receipt.is_empty() && message.receipt == receipt);
        if let Some(message) = waiting {
            message.visible = Instant::now() + time;
            message.asked = Some(time);
            return true;
        }
        false
    }

    fn file(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}{ENDING}"))
    }

    fn messages(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Time for which the queue hides a message that was received.
    const HIDDEN: Duration = Duration::from_millis(500);

    fn queue(folder: &tempfile::TempDir, work: Option<&Work>) -> Queue {
        let settings = Settings {
            entry: "jobs".to_owned(),
            names: QueueNames::default(),
            visibility: HIDDEN,
            folder: folder.path().join("jobs"),
            work: work.cloned(),
        };
        Queue::open(settings, Observer::new().0).unwrap()
    }

    fn bodies(received: &[Delivery]) -> Vec<&str> {
        received.iter().map(|message| &*message.body).collect()
    }

    #[tokio::test]
    async fn messages_come_in_batches_and_are_hidden_until_they_are_released() {
        let (folder, work) = (tempfile::tempdir().unwrap(), Work::new());
        let queue = queue(&folder, Some(&work));
        for body in ["a", "b", "c"] {
            queue.send(body, None).await.unwrap();
        }
        let first = queue.receive(2, Duration::ZERO).await;
        assert_eq!((bodies(&first), first[0].received), (vec!["a", "b"], 1));
        assert_eq!(bodies(&queue.receive(2, Duration::ZERO).await), ["c"]);
        queue.delete(&first[0]).await.unwrap();
        let (begun, after) = (Instant::now(), Duration::from_millis(100));
        assert_eq!(queue.release(&[&first[1]], after), [HIDDEN]);
        let again = queue.receive(2, Duration::ZERO).await;
        assert_eq!((bodies(&again), again[0].received), (vec!["b"], 2));
        assert!(begun.elapsed() >= after);
        assert_ne!(again[0].receipt, first[1].receipt);
        assert_eq!(work.open(), 2);
        // Nobody says what became of the two: they come again when the queue's time is over.
        let again = queue.receive(2, Duration::from_mins(1)).await;
        assert_eq!(bodies(&again), ["b", "c"]);
        assert!(begun.elapsed() >= HIDDEN);
    }

    #[tokio::test]
    async fn a_function_can_hide_the_message_that_it_holds_for_another_time() {
        let (folder, work) = (tempfile::tempdir().unwrap(), Work::new());
        let queue = queue(&folder, Some(&work));
        queue.send("a", None).await.unwrap();
        let received = queue.receive(1, Duration::ZERO).await;
        assert!(queue.hide(&received[0].receipt, Duration::from_mins(2)));
        assert!(!queue.hide("another", HIDDEN) && !queue.hide("", HIDDEN));
        assert_eq!(queue.release(&[&received[0]], Duration::from_secs(1)), [Duration::from_mins(2)]);
    }

    #[tokio::test]
    async fn the_next_run_has_the_messages_that_were_not_done() {
        let (folder, work) = (tempfile::tempdir().unwrap(), Work::new());
        let first = queue(&folder, Some(&work));
        for body in ["done", "left"] {
            first.send(body, Some("post")).await.unwrap();
        }
        let received = first.receive(2, Duration::ZERO).await;
        first.delete(&received[0]).await.unwrap();
        drop(first);
        assert_eq!(work.open(), 0);
        let next = queue(&folder, Some(&work));
        let received = next.receive(2, Duration::ZERO).await;
        assert_eq!((bodies(&received), received[0].received), (vec!["left"], 1));
        assert_eq!(received[0].item, received[0].id);
    }

    #[tokio::test]
    async fn a_queue_that_nobody_consumes_keeps_its_messages_as_files() {
        let folder = tempfile::tempdir().unwrap();
        let queue = queue(&folder, None);
        let file = queue.put("one", "body", None).await.unwrap();
        assert_eq!(fs::read_to_string(file).unwrap(), "body");
        assert_eq!(queue.visible(), (0, None));
    }
}
