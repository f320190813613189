//! Reads functions' logs in the order of time, each line once.
//!
//! `FilterLogEvents` shows an event some seconds after it happened, and not always in order: of two functions, or of two
//! instances of one, the later event may be seen first. So each read starts some time before the newest known event, and
//! known events are recognised by their ids: no event is returned twice, and none of the same millisecond is skipped.

use std::collections::BTreeMap;

use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use jiff::Timestamp;
use serde::Serialize;

use aws::OrFail;
use engine::Failure;
use kinds::Session;

/// How far before the newest known event a read starts, in milliseconds. Events that CloudWatch shows later are missed.
const LATE: i64 = 2 * 60 * 1000;

/// A line of a function's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Event {
    /// Time at which the function wrote it.
    pub(crate) time: Timestamp,
    /// Entry name of the function.
    pub(crate) function: String,
    /// The log stream: each instance of a function has its own.
    pub(crate) stream: String,
    /// CloudWatch's id of the event.
    pub(crate) id: String,
    /// Text that was written, without the line's end.
    pub(crate) message: String,
}

/// A function whose log is read.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Entry name of the function.
    pub(crate) function: String,
    /// Name of its log group.
    pub(crate) group: String,
}

/// The result of one read.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Events that were not returned before, oldest first.
    pub(crate) events: Vec<Event>,
    /// The functions that have no log group.
    pub(crate) missing: Vec<String>,
}

/// A reader of logs that knows which events it has returned.
#[derive(Debug)]
pub(crate) struct Reader {
    sources: Vec<(Source, Told)>,
}

impl Reader {
    /// Returns a reader that starts at that time.
    pub(crate) fn new(sources: Vec<Source>, since: Timestamp) -> Self {
        let told = || Told::since(since.as_millisecond());
        Self { sources: sources.into_iter().map(|source| (source, told())).collect() }
    }

    /// Reads every log once.
    pub(crate) async fn look(&mut self, session: &Session) -> Result<Found, Failure> {
        let looks = self.sources.iter_mut().map(|(source, told)| async move {
            let since = Search { since: told.since_when(), ..Search::default() };
            let events = search(session, &source.group, since).await?;
            Ok::<_, Failure>((source.function.clone(), events.map(|events| told.news(events))))
        });
        let mut found = Found::default();
        for (function, news) in futures::future::try_join_all(looks).await? {
            match news {
                Some(news) => found.events.extend(news.into_iter().filter_map(|event| of(&function, event))),
                None => found.missing.push(function),
            }
        }
        // A stable sort, so that the lines of one millisecond stay in CloudWatch's order.
        found.events.sort_by_key(|event| event.time);
        Ok(found)
    }
}

/// The events of one log that were returned so far.
#[derive(Debug)]
struct Told {
    /// Earliest time that is read, in milliseconds since the epoch.
    start: i64,
    /// Time of the newest event, in milliseconds since the epoch; `None` before the first one.
    newest: Option<i64>,
    /// Events that the next read finds again, with their times.
    ids: BTreeMap<String, i64>,
}

impl Told {
    fn since(start: i64) -> Self {
        Self { start, newest: None, ids: BTreeMap::new() }
    }

    /// Returns the time at which the next read starts, in milliseconds since the epoch.
    fn since_when(&self) -> i64 {
        self.newest.map_or(self.start, |newest| self.start.max(newest - LATE))
    }

    /// Returns the events that were not returned before, and marks them as returned.
    fn news(&mut self, events: Vec<FilteredLogEvent>) -> Vec<FilteredLogEvent> {
        let mut news = Vec::new();
        for event in events {
            let (Some(id), Some(time)) = (event.event_id.clone(), event.timestamp) else { continue };
            if self.ids.insert(id, time).is_none() {
                self.newest = self.newest.max(Some(time));
                news.push(event);
            }
        }
        let since = self.since_when();
        self.ids.retain(|_, time| *time >= since);
        news
    }
}

/// The events of a log that are searched for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    /// Time of the earliest one, in milliseconds since the epoch.
    pub(crate) since: i64,
    /// Time of the latest one, in milliseconds since the epoch; `None` for no limit.
    pub(crate) until: Option<i64>,
    /// CloudWatch's filter pattern; `None` for all events.
    pub(crate) pattern: Option<String>,
    /// The only log stream; `None` for all of them.
    pub(crate) stream: Option<String>,
}

/// Returns the events of a group, in order; `None` if the group does not exist.
pub(crate) async fn search(
    session: &Session,
    group: &str,
    searched: Search,
) -> Result<Option<Vec<FilteredLogEvent>>, Failure> {
    let Search { since, until, pattern, stream } = searched;
    let call = session.aws.read.logs.filter_log_events().log_group_name(group).start_time(since);
    let call = call.set_end_time(until).set_filter_pattern(pattern).set_log_stream_names(stream.map(|name| vec![name]));
    let mut pages = call.into_paginator().send();
    let mut events = Vec::new();
    while let Some(page) = pages.next().await {
        let Some(page) = page.or_absent("logs.FilterLogEvents")? else { return Ok(None) };
        events.extend(page.events.unwrap_or_default());
    }
    Ok(Some(events))
}

fn of(function: &str, event: FilteredLogEvent) -> Option<Event> {
    Some(Event {
        time: Timestamp::from_millisecond(event.timestamp?).ok()?,
        function: function.to_owned(),
        stream: event.log_stream_name.unwrap_or_default(),
        id: event.event_id.unwrap_or_default(),
        message: event.message.unwrap_or_default().trim_end().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, time: i64) -> FilteredLogEvent {
        FilteredLogEvent::builder().event_id(id).timestamp(time).message(id).build()
    }

    fn ids(events: Vec<FilteredLogEvent>) -> Vec<String> {
        events.into_iter().filter_map(|event| event.event_id).collect()
    }

    #[test]
    fn nothing_is_told_twice_and_nothing_of_one_millisecond_is_passed_over() {
        let mut told = Told::since(1_000);
        assert_eq!(ids(told.news(vec![event("a", 5_000), event("b", 5_000)])), ["a", "b"]);
        assert_eq!(ids(told.news(vec![event("a", 5_000), event("c", 5_000), event("b", 5_000)])), ["c"]);
        assert_eq!(ids(told.news(vec![event("late", 4_000), event("d", 5_001)])), ["late", "d"]);
        assert_eq!(told.since_when(), 1_000);
    }

    #[test]
    fn a_read_goes_back_a_limited_time_and_forgets_older_events() {
        let mut told = Told::since(1_000);
        told.news(vec![event("old", 2_000), event("new", 2_000 + LATE + 1)]);
        assert_eq!(told.since_when(), 2_001);
        assert_eq!(told.ids.keys().collect::<Vec<_>>(), ["new"]);
    }
}
