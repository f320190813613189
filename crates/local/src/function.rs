//! Runs a function as Lambda does: instances of its program, each with one event at a time, and as many as the events that come at
//! once need.
//!
//! This is one attempt, whoever the caller is. Retries are the work of callers: of Lambda's own queue for [`crate::asynchronous`] events, of
//! SQS for a [`crate::mapping`], of nobody for a request.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::body::Bytes;
use contract::report::Report;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    failure::Failure,
    instance::{Instance, Program},
    observer::{Activity, Observer, Usage},
    sessions::{Session, Sessions},
};

/// Time for which the log is read after an answer: another task reads it, so a report may be seen a little
/// later.
const REPORT_DELAY: Duration = Duration::from_millis(300);

/// The settings of a function in the local stack.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Name of the function's entry.
    pub entry: String,
    /// Program that runs for the function, with its limits.
    pub program: Program,
    /// Instances that may run at once.
    pub most_instances: usize,
}

/// Something that an event is about, and whose outcome is told.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Id under which the observer knows it: of a mail, a request, or a message.
    pub id: String,
    /// Body of the message; empty for anything else.
    pub body: String,
}

/// An event for a function.
#[derive(Debug)]
pub(crate) struct Event {
    /// The items that it is about.
    pub items: Vec<Item>,
    /// The event, as JSON.
    pub payload: Arc<Value>,
    /// Request id; the same for every attempt.
    pub request_id: String,
}

/// An event, and the receiver of the result of its attempt.
#[derive(Debug)]
struct Task {
    event: Event,
    ended: oneshot::Sender<Attempt>,
}

/// The result of an attempt.
pub(crate) type Attempt = Result<Answered, Failure>;

/// The answer of a function.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The answer, as JSON.
    pub answer: Value,
    /// Time and memory that it took.
    pub usage: Usage,
}

/// A running function; dropping it kills its processes.
#[derive(Debug)]
pub(crate) struct Function {
    tasks: mpsc::UnboundedSender<Task>,
    end: watch::Sender<bool>,
    /// Name of the function's entry.
    pub entry: String,
    /// ARN of the function.
    pub arn: String,
}

impl Function {
    /// Starts a function. Its first process starts with the first event.
    pub(crate) fn start(settings: Settings, observer: Observer, sessions: Sessions) -> Self {
        let (tasks, taken) = mpsc::unbounded_channel();
        let (end, ended) = watch::channel(false);
        let (entry, arn) = (settings.entry.clone(), settings.program.function_arn.clone());
        tokio::spawn(dispatch(Hands { settings, observer, sessions }, taken, ended));
        Self { tasks, end, entry, arn }
    }

    /// Queues an event, and returns the receiver of the result. It fails if the function ends before.
    pub(crate) fn invoke(&self, event: Event) -> oneshot::Receiver<Attempt> {
        let (ended, ending) = oneshot::channel();
        let _function_has_ended = self.tasks.send(Task { event, ended });
        ending
    }

    /// Ends the function's processes, whatever they are doing, and returns when they have ended.
    pub(crate) async fn end(&self) {
        self.end.send_replace(true);
        self.end.closed().await;
    }
}

/// Everything that a worker is made of.
#[derive(Debug, Clone)]
struct Hands {
    settings: Settings,
    observer: Observer,
    sessions: Sessions,
}

/// Gives each event to a worker: to the one that was busy last, since its process is warm, else to a new one, as far as there may be more.
async fn dispatch(hands: Hands, mut tasks: mpsc::UnboundedReceiver<Task>, mut end: watch::Receiver<bool>) {
    let (free, mut freed) = mpsc::unbounded_channel::<mpsc::UnboundedSender<Task>>();
    let (mut idle, mut started) = (Vec::new(), 0);
    loop {
        tokio::select! {
            biased;
            _ = end.changed() => break,
            Some(worker) = freed.recv() => idle.push(worker),
            task = tasks.recv(), if !idle.is_empty() || started < hands.settings.most_instances => {
                let Some(task) = task else { break };
                let worker = idle.pop().unwrap_or_else(|| {
                    started += 1;
                    start_worker(hands.clone(), free.clone(), end.clone())
                });
                let _worker_has_ended = worker.send(task);
            }
        }
    }
}

/// Starts a worker. It says that it is free after each event.
fn start_worker(
    hands: Hands,
    free: mpsc::UnboundedSender<mpsc::UnboundedSender<Task>>,
    end: watch::Receiver<bool>,
) -> mpsc::UnboundedSender<Task> {
    let (sender, tasks) = mpsc::unbounded_channel();
    let (lines, written) = mpsc::unbounded_channel();
    let own = sender.clone();
    let worker = Worker { hands, session: None, instance: None, lines, written, current: Current::default() };
    tokio::spawn(worker.run(tasks, end, move || {
        let _function_has_ended = free.send(own.clone());
    }));
    sender
}

/// The event that a worker works on.
#[derive(Debug, Default)]
struct Current {
    request_id: String,
    items: Vec<Item>,
    /// Positions of the items that were reported.
    reported: BTreeSet<usize>,
}

impl Current {
    /// Returns the id of the item that a report is about. Functions name an item in their own way: a mail by its id, a job by the
    /// id in the message's body. Of several messages about one job, each has a report of its own.
    fn item_of(&mut self, word: &str) -> Option<String> {
        let quoted = format!("\"{word}\"");
        let is_it = |item: &Item| item.id == word || item.body == word || item.body.contains(&quoted);
        let fitting: Vec<usize> = match &self.items[..] {
            [_] => vec![0],
            items => items.iter().enumerate().filter(|(_, item)| is_it(item)).map(|(position, _)| position).collect(),
        };
        let open = fitting.iter().find(|position| !self.reported.contains(position));
        let position = *open.or(fitting.last())?;
        self.reported.insert(position);
        self.items.get(position).map(|item| item.id.clone())
    }
}

#[derive(Debug)]
struct Worker {
    hands: Hands,
    session: Option<Session>,
    instance: Option<Instance>,
    lines: mpsc::UnboundedSender<String>,
    written: mpsc::UnboundedReceiver<String>,
    current: Current,
}

impl Worker {
    async fn run(
        mut self,
        mut tasks: mpsc::UnboundedReceiver<Task>,
        mut end: watch::Receiver<bool>,
        is_free: impl Fn() + Send,
    ) {
        loop {
            tokio::select! {
                _ = end.changed() => break,
                Some(line) = self.written.recv() => { self.read(&line); }
                task = tasks.recv() => {
                    let Some(Task { event, ended }) = task else { break };
                    tokio::select! {
                        _ = end.changed() => break,
                        result = self.attempt(event) => { let _nobody_waits = ended.send(result); }
                    }
                    is_free();
                }
            }
        }
        if let Some(instance) = self.instance.take() {
            instance.end().await;
        }
    }

    /// Makes an attempt. A process that cannot go on after it is ended.
    async fn attempt(&mut self, event: Event) -> Attempt {
        let Event { items, payload, request_id } = event;
        self.current = Current { request_id, items, reported: BTreeSet::new() };
        let result = self.invoke(&payload).await;
        if let Some(session) = &self.session {
            session.work_on(Vec::new());
        }
        if result.as_ref().is_err_and(Failure::ends_instance)
            && let Some(instance) = self.instance.take()
        {
            instance.end().await;
            self.read_what_is_left(false).await;
        }
        result
    }

    /// Gives the event to a process, and reads what it writes meanwhile.
    async fn invoke(&mut self, payload: &Value) -> Attempt {
        if self.instance.as_mut().is_some_and(Instance::has_ended) {
            self.instance = None;
        }
        let items = self.current.items.iter().map(|item| item.id.clone()).collect();
        let session = self.open_session()?;
        session.work_on(items);
        let token = session.token();
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => Instance::start(self.hands.settings.program.clone(), token, &self.lines).await?,
        };
        let (request_id, mut reported) = (self.current.request_id.clone(), false);
        let result = {
            let mut invoked = std::pin::pin!(instance.invoke(&request_id, Bytes::from(payload.to_string())));
            loop {
                tokio::select! {
                    biased;
                    Some(line) = self.written.recv() => reported |= self.read(&line),
                    result = &mut invoked => break result,
                }
            }
        };
        self.instance = Some(instance);
        self.read_what_is_left(!reported).await;
        result.map(|(answer, usage)| Answered { answer, usage })
    }

    /// Returns the session of this worker's processes.
    fn open_session(&mut self) -> Result<&Session, Failure> {
        if self.session.is_none() {
            let opened = self.hands.sessions.open().map_err(|error| Failure::NotRun(error.to_string()))?;
            self.session = Some(opened);
        }
        self.session.as_ref().ok_or_else(|| Failure::NotRun("it has no session".to_owned()))
    }

    /// Reads the remaining lines, and waits a little for the report of the event if there was none.
    async fn read_what_is_left(&mut self, mut waiting: bool) {
        while waiting {
            match tokio::time::timeout(REPORT_DELAY, self.written.recv()).await {
                Ok(Some(line)) => waiting = !self.read(&line),
                Ok(None) | Err(_) => break,
            }
        }
        while let Ok(line) = self.written.try_recv() {
            self.read(&line);
        }
    }

    /// Reports a line to the observer; returns `true` if the line is the report of an item of the current event.
    fn read(&mut self, line: &str) -> bool {
        let Ok(report) = serde_json::from_str::<Report>(line) else {
            let function = self.hands.settings.entry.clone();
            self.hands.observer.tell(Activity::Logged { function, line: line.to_owned() });
            return false;
        };
        let (mut item, mut is_current) = (None, false);
        if let Report::Item(report) = &report {
            is_current = report.request_id == self.current.request_id;
            item = is_current.then(|| self.current.item_of(&report.item)).flatten();
        }
        self.hands.observer.tell(Activity::Reported { item, report: Box::new(report) });
        is_current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_about_the_item_that_it_names_and_of_equal_ones_about_the_next() {
        let item = |id: &str, body: &str| Item { id: id.to_owned(), body: body.to_owned() };
        let mut current = Current { items: vec![item("mail", "")], ..Current::default() };
        assert_eq!(current.item_of("anything").as_deref(), Some("mail"));
        let items = vec![
            item("post-1", r#"{"id": "job-1"}"#),
            item("post-2", r#"{"id": "job-2"}"#),
            item("post-3", r#"{"id": "job-1"}"#),
        ];
        let mut current = Current { items, ..Current::default() };
        let mut told = |word: &str| current.item_of(word).unwrap_or_default();
        assert_eq!(
            [told("job-1"), told("job-2"), told("job-1"), told("job-1")],
            ["post-1", "post-2", "post-3", "post-3"]
        );
        assert_eq!([told("post-2"), told("job")], ["post-2", ""]);
    }
}
