//! Answers the questions about topics, each from its own connection: a function is frozen between its invocations.

use std::{
    collections::BTreeMap,
    io,
    time::{Duration, Instant},
};

use contract::{
    context::{Created, Produced},
    probe::Check,
    report::{Class, ItemReport},
};
use kafka::{
    Limits, NotEnsured, Reader, Start, Wanted,
    asked::{Answer, Ensure, LARGEST_ANSWER, LONGEST_WAIT_MS, Question, Read},
    ensure,
};
use runtime::{
    Deadline,
    log::{Log, Metric, Unit},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::configuration::Configuration;

/// Part of an invocation that is kept free at its end, for the answer. A fifth of it if that is less.
const RESERVE: Duration = Duration::from_secs(2);

/// A function that reaches topics.
#[derive(Debug)]
pub struct Function {
    /// The topics, and the way to their brokers.
    pub configuration: Configuration,
    /// Log of the function.
    pub log: Log,
}

/// An answer, and a word for what was done with how much.
struct Done {
    answer: Value,
    word: &'static str,
    count: usize,
}

impl Function {
    /// Answers a question. An error says why there is no answer.
    pub async fn handle(&self, request_id: &str, question: &Question, end: Deadline) -> Result<Value, String> {
        let started = Instant::now();
        let deadline = end.earlier(RESERVE.min(end.left() / 5));
        let (topic, asked) = match question {
            Question::Ensure(Ensure { topic, .. }) => (topic, "ensure"),
            Question::Read(Read { topic, .. }) => (topic, "read"),
        };
        let answered = timeout(deadline.left(), self.answer(question, deadline)).await;
        let answered = answered.unwrap_or_else(|_| late());
        let report = report(request_id, (topic, asked), answered.as_ref(), started.elapsed());
        let metrics = [Metric { name: "Duration", unit: Unit::Milliseconds, value: report.duration_ms }];
        self.log.item(report, &metrics).map_err(|error: io::Error| format!("the log: {error}"))?;
        answered.map(|done| done.answer)
    }

    /// Tries whether the topics can be reached; nothing is changed.
    pub async fn check(&self, deadline: Deadline) -> Vec<Check> {
        let context = &self.configuration.context;
        let mut checks = Vec::new();
        for (key, topic) in &context.follows {
            let reached = timeout(deadline.left(), self.open(topic, Start::Now)).await;
            let reached = reached.map_or_else(|_| late(), |reached| reached.map(drop));
            checks.push(Check::of(format!("topic `{key}`"), reached));
        }
        for (key, Created { place: Produced { bootstrap, .. }, .. }) in &context.creates {
            let security = self.configuration.security(bootstrap);
            let reached = timeout(deadline.left(), kafka::connect(bootstrap, &security)).await;
            let reached =
                reached.map_or_else(|_| late(), |reached| reached.map(drop).map_err(|error| error.to_string()));
            checks.push(Check::of(format!("brokers of `{key}`"), reached));
        }
        checks
    }

    async fn answer(&self, question: &Question, deadline: Deadline) -> Result<Done, String> {
        let context = &self.configuration.context;
        match question {
            Question::Ensure(asked) => {
                self.ensure(declared(&context.creates, &asked.topic, "creates")?, asked, deadline).await
            }
            Question::Read(asked) => {
                self.read(declared(&context.follows, &asked.topic, "follows")?, asked, deadline).await
            }
        }
    }

    async fn ensure(&self, topic: &Created, asked: &Ensure, deadline: Deadline) -> Result<Done, String> {
        let Created { place, partitions, replication } = topic;
        let security = self.configuration.security(&place.bootstrap);
        let replication = (!asked.leaves_replication).then_some(*replication);
        let wanted = Wanted { partitions: *partitions, replication };
        let until = tokio::time::Instant::now() + deadline.left();
        let (answer, word) = match ensure((&place.bootstrap, &place.topic), wanted, &security, until).await {
            Ok(there) => (Answer::Ensured(there), "ensured"),
            Err(error @ NotEnsured::Denied(..)) => (Answer::Denied(error.to_string()), "denied"),
            Err(error) => return Err(error.to_string()),
        };
        let answer = serde_json::to_value(answer).map_err(|error| error.to_string())?;
        Ok(Done { answer, word, count: 1 })
    }

    async fn read(&self, topic: &Produced, asked: &Read, deadline: Deadline) -> Result<Done, String> {
        let reader = self.open(topic, asked.start.clone()).await?;
        // What is read last must have time to be answered.
        let until = tokio::time::Instant::now() + deadline.earlier(RESERVE.min(deadline.left() / 5)).left();
        let wait = Duration::from_millis(asked.wait_ms.min(LONGEST_WAIT_MS));
        let limits = Limits { bytes: LARGEST_ANSWER, wait, until };
        let page = reader.page(&asked.selection, limits).await.map_err(|error| error.to_string())?;
        reader.close().await;
        let answer = serde_json::to_value(&page).map_err(|error| error.to_string())?;
        Ok(Done { answer, word: "read", count: page.entries.len() })
    }

    async fn open(&self, topic: &Produced, start: Start) -> Result<Reader, String> {
        let security = self.configuration.security(&topic.bootstrap);
        Reader::open(&topic.bootstrap, &topic.topic, &security, start).await.map_err(|error| error.to_string())
    }
}

/// Returns that no answer came before the time was up.
fn late<T>() -> Result<T, String> {
    Err("the brokers do not answer in time: is there a route to them?".to_owned())
}

/// Returns where a topic is, if the declaration lets the function use it so.
fn declared<'context, Topic>(
    topics: &'context BTreeMap<String, Topic>,
    topic: &str,
    key: &str,
) -> Result<&'context Topic, String> {
    topics.get(topic).ok_or_else(|| format!("the function's `{key}` does not name the topic `{topic}`"))
}

/// Returns the log line of a question. What is in a topic is nobody's business who reads the log.
fn report(
    request_id: &str,
    (topic, asked): (&str, &str),
    answered: Result<&Done, &String>,
    took: Duration,
) -> ItemReport {
    let (class, outcome, count) = match answered {
        Ok(done) => (Class::Done, done.word, Some(done.count)),
        Err(_) => (Class::Retry, "not answered", None),
    };
    let facts = [("asked", Some(asked.to_owned())), ("entries", count.map(|count| count.to_string()))];
    let Value::Object(details) = json!({"asked": asked, "entries": count}) else { return ItemReport::default() };
    ItemReport {
        request_id: request_id.to_owned(),
        item: topic.to_owned(),
        class,
        outcome: outcome.to_owned(),
        reason: answered.err().cloned(),
        facts: facts.into_iter().filter_map(|(label, text)| Some((label.to_owned(), text?))).collect(),
        duration_ms: took.as_secs_f64() * 1e3,
        details,
    }
}
