//! Creates a resource of EC2 and never a second one in its place. Names are not unique in EC2, and a new resource is not listed at once.
//!
//! Each attempt first looks for the resource of an earlier attempt. Some calls take a client token: EC2 answers a repeated token with the
//! resource of the first call. Types whose resources are expensive, and are listed for an hour after they are deleted, get a token that is the
//! same in the next run. For other types, an attempt waits as long as EC2 usually takes to list a new resource, both after an
//! earlier run that was interrupted and after a call whose answer was lost.

use std::time::{Duration, Instant};

use super::{ResourceType, id, not_yet};
use crate::Session;
use aws::query::Call;
use engine::{Address, Class, ENTRY_TAG, Failure, STACK_TAG, Tags};

/// Time after which EC2 usually lists a new resource, in waits between two reads; each wait takes seconds.
const UNTIL_TOLD: u32 = 5;
/// Seconds for which EC2 lists a deleted resource at least, and answers a repeated token with the first resource at most.
const HOUR: u64 = 3_600;

/// Creates a resource unless an earlier attempt has, and returns its id. `place` is the path of the id in the call's answer.
pub(crate) async fn make(
    session: &Session,
    resource_type: ResourceType,
    address: &Address,
    call: Call,
    (place, tags): (&str, &Tags),
) -> Result<String, Failure> {
    if let Some(id) = session.networks.created_id(resource_type.kind, &address.name).await {
        return Ok(id);
    }
    if resource_type.ended.is_none() {
        wait_for_earlier_run(session).await;
    }
    if let Some(id) = id(session, resource_type, address).await? {
        return Ok(id);
    }
    let key = (resource_type.kind, address.name.clone());
    let unanswered = session.networks.seen.lock().await.unanswered.get(&key).copied();
    if unanswered.is_some_and(|since| since.elapsed() < session.aws.pacing.poll * UNTIL_TOLD) {
        let words = format!(
            "EC2 may have made the {} `{}`, and does not tell of it yet",
            resource_type.kind.name(),
            address.name
        );
        return Err(Failure::found(&resource_type.call(), Class::InProgress, words));
    }
    let call = with_tags(resource_type, call, tags);
    let step = step(session, resource_type, address, tags).await?.of(&call);
    let call = call.once(step);
    let answer = match session.aws.write.ec2.call(&call).await.map_err(not_yet) {
        // Another look would find nothing, and make it again at once.
        Err(failure) if failure.class == Class::Exists => return Err(taken(resource_type, &address.name, failure)),
        Err(failure) => {
            if failure.class == Class::Unreachable {
                session.networks.seen.lock().await.unanswered.insert(key, Instant::now());
            }
            return Err(failure);
        }
        Ok(answer) => answer,
    };
    let id = answer.text(place).to_owned();
    let mut seen = session.networks.seen.lock().await;
    seen.created.insert(key, id.clone());
    seen.members.remove(&resource_type.kind);
    Ok(id)
}

/// Returns a call with the tags of what it makes.
fn with_tags(resource_type: ResourceType, call: Call, tags: &Tags) -> Call {
    let call = call.with("TagSpecification.1.ResourceType", resource_type.name);
    tags.iter().zip(1..).fold(call, |call, ((key, value), number)| {
        let tag = format!("TagSpecification.1.Tag.{number}");
        call.with(&format!("{tag}.Key"), key).with(&format!("{tag}.Value"), value)
    })
}

/// Waits until EC2 tells of what a run has made that was ended just before this one began.
async fn wait_for_earlier_run(session: &Session) {
    let began = session.networks.seen.lock().await.began;
    let until = session.aws.pacing.poll * UNTIL_TOLD;
    tokio::time::sleep(until.saturating_sub(began.elapsed())).await;
}

/// The identity of a call that makes something. Calls of equal identity make it once.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    /// Stack, kind and name.
    what: String,
    /// Start of the run: in whole hours where the next run is to make the same call.
    start: Duration,
    /// Number of deletions in this run.
    deleted: u32,
    /// Ids of those of the entry that are gone: another one is made after them.
    gone: Vec<String>,
}

impl Step {
    fn of(&self, call: &Call) -> String {
        // EC2 refuses the token of before with other parameters.
        let parameters: Vec<_> = call.parameters().collect();
        let Self { what, start, deleted, gone } = self;
        format!("{what} {} {deleted} {gone:?} {parameters:?}", start.as_nanos())
    }
}

async fn step(session: &Session, resource_type: ResourceType, address: &Address, tags: &Tags) -> Result<Step, Failure> {
    let (start, deleted) = session.networks.seen.lock().await.token_parts;
    let what = format!("{} {} {}", session.stack.id(), resource_type.kind.name(), address.name);
    let Some(states) = resource_type.ended else { return Ok(Step { what, start, deleted, gone: Vec::new() }) };
    let call = Call::new(resource_type.describe).filter(&format!("tag:{STACK_TAG}"), [session.stack.id()]);
    let (filter, _) = resource_type.states.unwrap_or_default();
    let there = resource_type
        .members(session.aws.read.ec2.pages(call.filter(filter, states.iter().copied()), resource_type.list).await?);
    let entry = tags.get(ENTRY_TAG);
    let of_entry = there.iter().filter(|one| super::tags_of(one).get(ENTRY_TAG) == entry);
    let mut gone: Vec<String> = of_entry.map(|one| one.text(resource_type.id).to_owned()).collect();
    gone.sort();
    let start = Duration::from_secs(start.as_secs() / HOUR * HOUR);
    Ok(Step { what, start, deleted, gone })
}

/// Returns a failure because something with the name, but without the tags of the stack, is there.
fn taken(resource_type: ResourceType, name: &str, failure: Failure) -> Failure {
    let message = format!(
        "{}; the {} `{name}` of the stack is not there: what takes its place has not the stack's tags, or EC2 does not tell of it yet",
        failure.message,
        resource_type.kind.name()
    );
    Failure { class: Class::NotYet, message, ..failure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_run_makes_the_same_call_until_what_it_made_is_gone() {
        let step = Step {
            what: "circuits.eu-west-1 server host".to_owned(),
            start: Duration::from_secs(HOUR),
            deleted: 0,
            gone: Vec::new(),
        };
        let call = |machine: &str| Call::new("RunInstances").with("InstanceType", machine);
        assert_eq!(step.of(&call("t3.micro")), step.clone().of(&call("t3.micro")));
        let others = [
            Step { gone: vec!["i-0a".to_owned()], ..step.clone() },
            Step { deleted: 1, ..step.clone() },
            Step { what: "circuits.eu-west-1 server other".to_owned(), ..step.clone() },
            Step { start: Duration::from_secs(2 * HOUR), ..step.clone() },
        ];
        for other in others {
            assert_ne!(step.of(&call("t3.micro")), other.of(&call("t3.micro")), "{other:?}");
        }
        assert_ne!(step.of(&call("t3.micro")), step.of(&call("t3.small")), "EC2 would refuse the token");
    }
}
