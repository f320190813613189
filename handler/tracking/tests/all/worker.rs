//! The program as a worker: two at once, killed, told to end, and with a database that goes away.

use std::{
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    context, envelope, event,
    function::tracked,
    queue::Queue,
    servers::{MySql, Redis},
};

/// Returns the command of a worker on a queue, with neither credentials nor a database.
pub(crate) fn command(queue: &Queue) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracking"));
    command
        .args(["--queue", &queue.url])
        .env_clear()
        .env("PROVISION_CONTEXT", context().to_string())
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ENDPOINT_URL", &queue.endpoint)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// Credentials for the emulator.
pub(crate) const CREDENTIALS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

/// A worker that runs. Killed when it is dropped, as by a test that fails.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Tells it to end, and waits until it has.
    pub(crate) fn end(mut self) {
        let told = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(told.success());
        let mut ended = None;
        patiently("the worker to end", || {
            ended = self.0.try_wait().unwrap();
            ended.is_some()
        });
        assert!(ended.unwrap().success(), "{ended:?}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

fn start(queue: &Queue, maria: &MySql, redis: &Redis) -> Running {
    let mut command = command(queue);
    Running::start(command.envs(CREDENTIALS).env("DATABASE_URL", maria.url()).env("CACHE_URL", redis.url()))
}

/// Waits until the queue has that many messages.
pub(crate) fn wait_for(queue: &Queue, count: u32) {
    patiently("an empty queue", || queue.count(&queue.url) <= count);
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn patiently(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_mins(2), "waited too long for {what}");
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn workers_lose_nothing_when_they_are_killed_or_the_database_goes_away_and_end_when_told() {
    let (Some(mut maria), Some(redis)) = (MySql::start(), Redis::start()) else { return };
    let Some(queue) = Queue::start() else { return };
    let mails: Vec<String> = (0..60).map(|mail| format!("m-{mail}")).collect();
    for (index, mail) in mails.iter().enumerate() {
        // The late one first; raw and in the envelope; doubled.
        for (kind, second) in [("Open", 30), ("Delivery", 9), ("Open", 30)] {
            let text = event(kind, mail, second);
            queue.send(&if index % 2 == 0 { text } else { envelope(&text) });
        }
    }
    let stays = start(&queue, &maria, &redis);
    let mut others = Vec::new();
    for round in 0..3 {
        let killed = start(&queue, &maria, &redis);
        sleep(Duration::from_millis(150 + 100 * round));
        drop(killed);
    }
    maria.restart(Duration::from_millis(500));
    others.push(start(&queue, &maria, &redis));
    wait_for(&queue, 0);
    for mail in &mails {
        let all = tracked(&maria, mail);
        let [mail] = &all[..] else { panic!("{mail}: {all:?}") };
        assert_eq!((mail.status.as_str(), mail.opens, mail.events.len()), ("opened", 1, 2));
    }
    // What is no event stays, and the worker goes on.
    queue.send("{");
    queue.send(&event("Complaint", "m-0", 50));
    wait_for(&queue, 1);
    patiently("the complaint", || tracked(&maria, "m-0")[0].status == "complained");
    assert_eq!(queue.count(&queue.dead_letters) + queue.count(&queue.url), 1);
    others.push(stays);
    others.into_iter().for_each(Running::end);
}

#[test]
fn poison_goes_to_the_dead_letters_and_the_worker_goes_on() {
    let (Some(maria), Some(redis)) = (MySql::start(), Redis::start()) else { return };
    let Some(queue) = Queue::start_with(2) else { return };
    let worker = start(&queue, &maria, &redis);
    let poison = ["{", r#"{"eventType":"Send"}"#, "\u{0}"];
    for body in poison {
        queue.send(&envelope(body));
    }
    queue.send(&event("Delivery", "m-1", 9));
    queue.send("Successfully validated SNS topic for Amazon SES event publishing.");
    wait_for(&queue, 0);
    assert_eq!(queue.count(&queue.dead_letters), 3);
    assert_eq!(tracked(&maria, "m-1")[0].status, "delivered");
    worker.end();
}
