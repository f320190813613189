//! Runs a function as Lambda does: its queue of events, one instance at a time, retries, the failure
//! queue.

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum::body::Bytes;
use contract::report::Report;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    failure::{self, Failure},
    instance::{Instance, Program},
    observer::{Activity, Next, Observer, Usage},
    private,
    work::Piece,
};

/// Lambda's waits before the second and the third attempt.
const LAMBDA_WAITS: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];
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
    /// Number of retries of a failed event.
    pub retries: u8,
    /// Wait before a retry.
    pub retry_delay: Duration,
    /// Failure queue: its entry name and its folder; `None` if the function has none.
    pub failure_queue: Option<(String, PathBuf)>,
}

/// An event for a function.
#[derive(Debug)]
pub(crate) struct Job {
    /// SES message id of the mail that the event is about.
    pub mail: String,
    /// The event, as JSON.
    pub event: Arc<Value>,
    /// Request id; the same for every attempt.
    pub request_id: String,
    /// Number of the attempt, from 1.
    pub attempt: u8,
    /// `true` if a failure is retried.
    pub asynchronous: bool,
    /// Receiver of the event's ending, after the last attempt.
    pub ended: oneshot::Sender<Ending>,
    /// Work that is open until then.
    _work: Piece,
}

/// The ending of an event, after all its attempts.
#[derive(Debug)]
pub enum Ending {
    /// The function answered without an error.
    Succeeded {
        /// Answer of the function, as JSON.
        answer: Value,
    },
    /// Every attempt to invoke the function failed.
    Failed,
}

/// A running function; dropping it kills its process.
#[derive(Debug)]
pub(crate) struct Function {
    queue: mpsc::UnboundedSender<Job>,
    end: watch::Sender<bool>,
}

impl Function {
    /// Starts a function. Its process starts with the first event.
    pub(crate) fn start(settings: Settings, observer: Observer) -> Self {
        let (queue, jobs) = mpsc::unbounded_channel();
        let (end, ended) = watch::channel(false);
        let (lines, written) = mpsc::unbounded_channel();
        let worker = Worker { settings, observer, queue: queue.downgrade(), instance: None, lines, written };
        tokio::spawn(worker.run(jobs, ended));
        Self { queue, end }
    }

    /// Queues an event, and returns the receiver of its ending.
    pub(crate) fn invoke(
        &self,
        mail: &str,
        event: Value,
        asynchronous: bool,
        work: Piece,
    ) -> oneshot::Receiver<Ending> {
        let (ended, ending) = oneshot::channel();
        let job = Job {
            mail: mail.to_owned(),
            event: Arc::new(event),
            request_id: request_id(mail),
            attempt: 1,
            asynchronous,
            ended,
            _work: work,
        };
        // A worker that has ended drops the job, and the receiver fails.
        let _worker_has_ended = self.queue.send(job);
        ending
    }

    /// Ends the function's process, whatever it is doing, and returns when it has ended.
    pub(crate) async fn end(&self) {
        self.end.send_replace(true);
        self.end.closed().await;
    }
}

#[derive(Debug)]
struct Worker {
    settings: Settings,
    observer: Observer,
    /// Queue of the function. Weak, so that events that wait for a retry do not keep it open.
    queue: mpsc::WeakUnboundedSender<Job>,
    instance: Option<Instance>,
    lines: mpsc::UnboundedSender<String>,
    written: mpsc::UnboundedReceiver<String>,
}

impl Worker {
    async fn run(mut self, mut jobs: mpsc::UnboundedReceiver<Job>, mut end: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                _ = end.changed() => break,
                Some(line) = self.written.recv() => { self.read(&line); }
                job = jobs.recv() => {
                    let Some(job) = job else { break };
                    tokio::select! {
                        _ = end.changed() => break,
                        () = self.handle(job) => {}
                    }
                }
            }
        }
        if let Some(instance) = self.instance.take() {
            instance.end().await;
        }
    }

    async fn handle(&mut self, job: Job) {
        let (mail, function) = (job.mail.clone(), self.settings.entry.clone());
        let result = self.attempt(&job).await;
        match result {
            Ok((answer, usage)) => {
                self.observer.tell(Activity::Succeeded { mail, function, usage });
                let _nobody_waits = job.ended.send(Ending::Succeeded { answer });
            }
            Err(failure) => {
                if failure.ends_instance()
                    && let Some(instance) = self.instance.take()
                {
                    instance.end().await;
                    self.read_what_is_left(None).await;
                }
                let next = self.after_failure(&job, &failure).await;
                self.observer.tell(Activity::Failed { mail, function, failure, next: next.clone() });
                match next {
                    Next::Retry { after, .. } => self.try_again(job, after),
                    Next::FailureQueue { .. } | Next::Lost { .. } | Next::NotRetried => {
                        let _nobody_waits = job.ended.send(Ending::Failed);
                    }
                }
            }
        }
    }

    /// Makes one attempt, and reads what the process writes meanwhile.
    async fn attempt(&mut self, job: &Job) -> Result<(Value, Usage), Failure> {
        if self.instance.as_mut().is_some_and(Instance::has_ended) {
            self.instance = None;
        }
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => Instance::start(self.settings.program.clone(), &self.lines).await?,
        };
        let event = Bytes::from(job.event.to_string());
        let mut reported = false;
        let result = {
            let mut invoked = std::pin::pin!(instance.invoke(&job.request_id, event));
            loop {
                tokio::select! {
                    biased;
                    Some(line) = self.written.recv() => reported |= self.read(&line).as_ref() == Some(&job.request_id),
                    result = &mut invoked => break result,
                }
            }
        };
        self.instance = Some(instance);
        self.read_what_is_left((!reported).then_some(&job.request_id)).await;
        result
    }

    /// Reads the remaining lines, and waits a little for the report of a request if there was none.
    async fn read_what_is_left(&mut self, mut waiting_for: Option<&String>) {
        while let Some(request) = waiting_for {
            match tokio::time::timeout(REPORT_DELAY, self.written.recv()).await {
                Ok(Some(line)) if self.read(&line).as_ref() == Some(request) => waiting_for = None,
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        while let Ok(line) = self.written.try_recv() {
            self.read(&line);
        }
    }

    /// Reports a line to the observer; returns the request id if the line is the report of an item.
    fn read(&self, line: &str) -> Option<String> {
        let Ok(report) = serde_json::from_str::<Report>(line) else {
            let function = self.settings.entry.clone();
            self.observer.tell(Activity::Logged { function, line: line.to_owned() });
            return None;
        };
        let request = match &report {
            Report::Item(report) => Some(report.request_id.clone()),
            Report::Output(_) => None,
        };
        self.observer.tell(Activity::Reported { report: Box::new(report) });
        request
    }

    async fn after_failure(&self, job: &Job, failure: &Failure) -> Next {
        if !job.asynchronous {
            return Next::NotRetried;
        }
        if job.attempt <= self.settings.retries {
            let lambda_waits =
                LAMBDA_WAITS.get(usize::from(job.attempt - 1)).copied().unwrap_or(Duration::from_mins(2));
            return Next::Retry {
                after: self.settings.retry_delay,
                lambda_waits,
                attempt: job.attempt + 1,
                attempts: self.settings.retries + 1,
            };
        }
        let Some((queue, folder)) = &self.settings.failure_queue else {
            return Next::Lost { reason: "the function declares no `on_failure`".to_owned() };
        };
        let arn = &self.settings.program.function_arn;
        let record = failure::record(&job.request_id, arn, job.attempt, &job.event, failure);
        let file = folder.join(format!("{}.json", job.request_id));
        match private::write(&file, format!("{record:#}\n").into_bytes()).await {
            Ok(()) => Next::FailureQueue { queue: queue.clone(), file },
            Err(error) => Next::Lost { reason: format!("failed to write `{}`: {error}", file.display()) },
        }
    }

    /// Queues an event again after a wait; other events are handled meanwhile.
    fn try_again(&self, job: Job, after: Duration) {
        let queue = self.queue.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            if let Some(queue) = queue.upgrade() {
                let _worker_has_ended = queue.send(Job { attempt: job.attempt + 1, ..job });
            }
        });
    }
}

/// Returns a request id in the form of Lambda's.
fn request_id(mail: &str) -> String {
    use sha2::{Digest, Sha256};
    static COUNTER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let digits = data_encoding::HEXLOWER.encode(&Sha256::digest(format!("{mail} {count}").as_bytes()));
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().to_owned();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
