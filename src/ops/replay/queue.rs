//! Failure queues: events whose every attempt failed, with Lambda's record, and notifications that Lambda did not take.
//!
//! A message is received, which hides it from others for a while, and deleted only after Lambda has accepted its event; if the run ends
//! before, it becomes visible again. A message that is not a failed event of ours stays in the queue.
//!
//! SQS cannot show a message without counting a receipt. Where a redrive makes something of the count, nothing is received only to be shown.

use std::{collections::HashSet, time::Duration};

use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName as SystemName};
use futures::{StreamExt, stream};
use jiff::Timestamp;

use super::{
    Prepared, Unread, ending,
    held::{Received, Return, hold},
    meaning,
    queues::{self, Place, reason_not_to_look},
    record::Invocation,
};
use aws::{Detail, OrFail, failure_within};
use declaration::Declaration;
use engine::Failure;
use kinds::{Kind, Session};
use stack::Names;

/// Maximum number of messages per call of SQS.
const BATCH: usize = 10;
/// Number of messages of a queue that one round takes, give or take those of a call; a message has up to 1 MB. A run makes as many rounds
/// as the queue is long.
const ROUND: usize = 100;
/// Long-polling time, in seconds: with it SQS queries all its servers.
const PATIENCE: i32 = 1;
/// Time for a person's decision, during which messages stay hidden, besides the run's own time; SQS allows 12 h.
const THOUGHT: Duration = Duration::from_mins(15);
const LONGEST: Duration = Duration::from_hours(12);
/// Maximum number of failures that are looked up in logs: CloudWatch answers some five searches a second.
const MOST_EXPLAINED: usize = 50;
/// Maximum number of searches at once.
const LOOKS_AT_ONCE: usize = 4;

/// Use of the messages that are received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// They are shown, and visible to others again at once.
    Look,
    /// They are replayed after a person has agreed; each takes that long.
    Replay(Duration),
}

/// The queues in which failed events can stand, read in rounds: a queue may have more messages than one can hide from others at once.
#[derive(Debug)]
pub(crate) struct Queues {
    places: Vec<Place>,
    /// Function to which the reading is limited, by its entry name.
    only: Option<String>,
    /// Ids of the messages that earlier rounds have received.
    known: HashSet<String>,
    /// Time of the first round, in milliseconds since the epoch. What came later may be what this run has replayed, and failed again.
    began: Option<i64>,
}

impl Queues {
    /// Finds the queues: of one function, or of all. Those that are left out are among the unread of the prepared.
    pub(crate) async fn find(
        session: &Session,
        declaration: &Declaration,
        names: &Names,
        only: Option<&str>,
        prepared: &mut Prepared<'_>,
    ) -> Result<Self, Failure> {
        let (places, unread) = queues::find(session, declaration, names, only).await?;
        prepared.unread.extend(unread);
        Ok(Self { places, only: only.map(str::to_owned), known: HashSet::new(), began: None })
    }

    /// Receives the next messages of each queue. What was received before a failure is among the prepared all the same, to be given back.
    pub(crate) async fn receive(
        &mut self,
        session: &Session,
        names: &Names,
        purpose: Use,
        prepared: &mut Prepared<'_>,
    ) -> Result<(), Failure> {
        let is_first = self.began.is_none();
        let began = *self.began.get_or_insert_with(|| Timestamp::now().as_millisecond());
        let mut unexplained: Vec<(usize, Invocation)> = Vec::new();
        // Those of the last queue are hidden while those of the first are replayed.
        let count: usize = self.places.iter().map(|place| place.live.waiting.min(ROUND)).sum();
        let hidden = match purpose {
            Use::Look => hidden_for(count, Duration::ZERO),
            Use::Replay(each) => hidden_for(count, each),
        };
        for place in &mut self.places {
            if let (Use::Look, Some(reason)) = (purpose, reason_not_to_look(place.live.redrive.as_ref())) {
                let messages = place.live.waiting;
                if messages > 0 {
                    prepared.unread.push(Unread { queue: place.entry.clone(), messages: Some(messages), reason });
                }
                continue;
            }
            let (received, ended) = messages(session, &place.live.url, hidden).await;
            let (mut new, mut late) = (0, 0);
            for message in received {
                let is_known = !self.known.insert(message.message_id.clone().unwrap_or_default());
                let is_late = !is_first && !is_known && came_after(began, &message);
                new += usize::from(!is_known);
                late += usize::from(is_late);
                if is_known || is_late {
                    prepared.strange.push(hold(place, &message));
                } else {
                    unexplained.extend(meaning::sort(names, self.only.as_deref(), place, message, prepared));
                }
            }
            prepared.unread.extend(place.take(new, &ended, purpose));
            prepared.unread.extend(came_late(place, late));
            ended?;
        }
        explain(session, names, prepared, unexplained).await;
        Ok(())
    }

    /// Returns the approximate number of messages that the next rounds will receive.
    pub(crate) fn left(&self) -> usize {
        self.places.iter().map(|place| place.live.waiting).sum()
    }
}

/// Returns `true` unless a message is known to have come before that time, in milliseconds since the epoch.
fn came_after(time: i64, message: &Message) -> bool {
    let sent = message.attributes.as_ref().and_then(|all| all.get(&SystemName::SentTimestamp)?.parse::<i64>().ok());
    sent.is_none_or(|sent| sent > time)
}

impl Place {
    /// Takes messages from the number of those that wait. Returns those that the run will not receive; `None` if it will receive all. So
    /// each round makes the number smaller, and the rounds end.
    fn take(&mut self, new: usize, ended: &Result<End, Failure>, purpose: Use) -> Option<Unread> {
        self.live.waiting = if matches!(ended, Ok(End::Empty)) { 0 } else { self.live.waiting.saturating_sub(new) };
        let reason = match purpose {
            Use::Look => format!("`--dry-run` shows no more than {ROUND} of a queue; without it all are replayed"),
            Use::Replay(_) if new == 0 => {
                "only messages that this run has already came from it: run it again".to_owned()
            }
            Use::Replay(_) => return None,
        };
        let messages = Some(std::mem::take(&mut self.live.waiting)).filter(|left| *left > 0);
        messages.map(|left| Unread { queue: self.entry.clone(), messages: Some(left), reason })
    }
}

/// Returns the messages that came while a run replayed others; `None` if there is none.
fn came_late(place: &Place, count: usize) -> Option<Unread> {
    let reason =
        "they came during this run, perhaps since what it replayed has failed again: look why, then run it again";
    (count > 0).then(|| Unread { queue: place.entry.clone(), messages: Some(count), reason: reason.to_owned() })
}

/// Adds to failures that the function could not explain what its log has of them. A log that cannot be read stops nothing.
async fn explain(session: &Session, names: &Names, prepared: &mut Prepared<'_>, unexplained: Vec<(usize, Invocation)>) {
    let group = |at: usize| {
        let (item, _) = prepared.items.get(at)?;
        Some(names.name(Kind::LogGroup, &item.function))
    };
    let looks: Vec<_> =
        unexplained.into_iter().take(MOST_EXPLAINED).filter_map(|(at, one)| Some((at, group(at)?, one))).collect();
    let looks =
        looks.into_iter().map(|(at, group, one)| async move { (at, ending::find(session, &group, &one).await) });
    let found: Vec<_> = stream::iter(looks).buffered(LOOKS_AT_ONCE).collect().await;
    for (at, ending) in found {
        if let Some((item, _)) = prepared.items.get_mut(at) {
            let known = item.about.failure.take().unwrap_or_else(|| "the record does not say why".to_owned());
            item.about.failure = Some(format!("{known}; {ending}"));
        }
    }
}

/// The reason why the reading of a queue ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nothing visible is left.
    Empty,
    /// There may be more.
    Early,
}

/// Receives the visible messages of a queue, each once, and hides them for that many seconds; with what ended that.
async fn messages(session: &Session, url: &str, hidden: i32) -> (Vec<Message>, Result<End, Failure>) {
    let mut all: Vec<Message> = Vec::new();
    while all.len() < ROUND {
        let call = session.aws.read.sqs.receive_message().queue_url(url).max_number_of_messages(10);
        let call = call.wait_time_seconds(PATIENCE).visibility_timeout(hidden).message_attribute_names("All");
        let call = call.message_system_attribute_names(SystemName::DeadLetterQueueSourceArn);
        let call = call.message_system_attribute_names(SystemName::SentTimestamp);
        let messages = match call.send().await.or_fail("sqs.ReceiveMessage") {
            Ok(answer) => answer.messages.unwrap_or_default(),
            Err(failure) => return (all, Err(failure)),
        };
        if messages.is_empty() {
            return (all, Ok(End::Empty));
        }
        // Where messages become visible again at once, this would never end.
        if !add(&mut all, messages) {
            break;
        }
    }
    (all, Ok(End::Early))
}

/// Adds messages to those that are known; returns `false` if none of them is new.
fn add(all: &mut Vec<Message>, messages: Vec<Message>) -> bool {
    let before = all.len();
    for message in messages {
        // A queue may deliver a message twice: its last receipt counts.
        match all.iter_mut().find(|known| known.message_id == message.message_id) {
            Some(known) => *known = message,
            None => all.push(message),
        }
    }
    all.len() > before
}

/// Returns the visibility timeout in seconds, if that many messages wait in all the queues of a run and each takes that long.
fn hidden_for(count: usize, each: Duration) -> i32 {
    let run = each.checked_mul(u32::try_from(count).unwrap_or(u32::MAX)).unwrap_or(LONGEST);
    let hidden = (THOUGHT + run.min(LONGEST) * 2).min(LONGEST);
    i32::try_from(hidden.as_secs()).unwrap_or(i32::MAX)
}

/// Puts a dead letter into its queue again.
pub(crate) async fn send_back(
    session: &Session,
    names: &Names,
    received: &Received,
    back: &Return,
) -> Result<(), Failure> {
    let name = names.name(Kind::Queue, &back.queue);
    let found = session.aws.read.sqs.get_queue_url().queue_name(name).send().await.or_fail("sqs.GetQueueUrl")?;
    let call = session.aws.write.sqs.send_message().set_queue_url(found.queue_url).message_body(&received.event);
    call.set_message_attributes(back.attributes.clone()).send().await.or_fail("sqs.SendMessage").map(drop)
}

/// Deletes a message whose event Lambda has accepted.
pub(crate) async fn delete(session: &Session, received: &Received) -> Result<(), Failure> {
    let call = session.aws.write.sqs.delete_message().queue_url(&received.url).receipt_handle(&received.receipt);
    call.send().await.or_fail("sqs.DeleteMessage").map(drop)
}

/// Makes messages visible to others again: all that it can, whatever fails. Returns the first failure.
pub(crate) async fn give_back(session: &Session, messages: &[&Received]) -> Result<(), Failure> {
    let mut given = Ok(());
    let mut urls: Vec<&str> = messages.iter().map(|message| message.url.as_str()).collect();
    urls.sort_unstable();
    urls.dedup();
    for url in urls {
        let of_queue: Vec<_> = messages.iter().filter(|message| message.url == url).collect();
        for some in of_queue.chunks(BATCH) {
            given = given.and(give_back_some(session, url, some).await);
        }
    }
    given
}

/// Makes messages of one queue visible to others again, as many as one call takes.
async fn give_back_some(session: &Session, url: &str, messages: &[&&Received]) -> Result<(), Failure> {
    const CALL: &str = "sqs.ChangeMessageVisibilityBatch";
    let entry = |(number, message): (usize, &&&Received)| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(number.to_string());
        entry.receipt_handle(&message.receipt).visibility_timeout(0).build()
    };
    let entries: Result<Vec<_>, _> = messages.iter().enumerate().map(entry).collect();
    let entries = entries.map_err(|error| Failure::found(CALL, engine::Class::Invalid, error.to_string()))?;
    let call = session.aws.write.sqs.change_message_visibility_batch().queue_url(url).set_entries(Some(entries));
    let answer = call.send().await.or_fail(CALL)?;
    // One that is not hidden any more, or gone, is where it should be.
    let failed = answer.failed.into_iter();
    let mut failed = failed.map(|one| failure_within(CALL, &one.code, one.message.unwrap_or_default()));
    failed.find(|failure| !Detail::NotHidden.is_told_by(failure)).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use super::*;

    #[test]
    fn messages_are_hidden_for_as_long_as_it_takes() {
        assert_eq!(hidden_for(0, Duration::from_millis(200)), 900);
        assert_eq!(hidden_for(100, Duration::from_millis(200)), 900 + 40);
        assert_eq!(hidden_for(usize::MAX, Duration::from_hours(1)), 12 * 3600);
        assert_eq!(hidden_for(3 * ROUND, Duration::ZERO), 900);
    }

    #[test]
    fn an_answer_without_a_new_message_ends_the_reading() {
        let some = |ids: &[&str]| ids.iter().map(|id| Message::builder().message_id(*id).build()).collect();
        let mut all = Vec::new();
        assert!(add(&mut all, some(&["a", "b"])));
        assert!(add(&mut all, some(&["b", "c"])));
        assert!(!add(&mut all, some(&["c", "a"])));
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn what_came_after_the_first_round_is_another_runs() {
        let sent = |at: Option<&str>| {
            let attributes = at.map(|at| HashMap::from([(SystemName::SentTimestamp, at.to_owned())]));
            Message::builder().set_attributes(attributes).build()
        };
        for (at, is_late) in
            [(Some("1000"), false), (Some("1001"), true), (Some("999"), false), (Some(""), true), (None, true)]
        {
            assert_eq!(came_after(1_000, &sent(at)), is_late, "{at:?}");
        }
    }

    #[test]
    fn rounds_end_whatever_a_queue_says_of_its_length() {
        for (ended, new, purpose, left, unread) in [
            (Ok(End::Empty), 7, Use::Replay(Duration::ZERO), 0, None),
            (Ok(End::Early), 100, Use::Replay(Duration::ZERO), 50, None),
            (Ok(End::Early), 200, Use::Replay(Duration::ZERO), 0, None),
            (Ok(End::Early), 0, Use::Replay(Duration::ZERO), 0, Some(150)),
            (Ok(End::Early), 100, Use::Look, 0, Some(50)),
            (Ok(End::Empty), 150, Use::Look, 0, None),
        ] {
            let mut place = place(150);
            let told = place.take(new, &ended, purpose).and_then(|unread| unread.messages);
            assert_eq!((place.live.waiting, told), (left, unread), "{ended:?} {new} {purpose:?}");
        }
    }

    fn place(waiting: usize) -> Place {
        let live = queues::Live { url: String::new(), waiting, redrive: None };
        let entry = "failed".to_owned();
        Place { entry, functions: BTreeSet::new(), sources: Vec::new(), subscribers: Vec::new(), live }
    }
}
