//! A part of a topic that is small enough for one answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::{
    entry::{Entry, Unreadable},
    reader::{NotRead, Positions, Reader, reaches},
    selection::Selection,
};

/// Longest wait for the next records of the brokers.
const POLL: Duration = Duration::from_millis(500);

/// Limits of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest size of its entries as JSON, in bytes.
    pub bytes: usize,
    /// Time for which it is waited for a first entry at the end of the topic.
    pub wait: Duration,
    /// Moment at which it ends, wherever it is.
    pub until: Instant,
}

/// The chosen records of a part of a topic, and the places behind it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The chosen records, and those that are no messages.
    pub entries: Vec<Entry>,
    /// Places from which the next page reads.
    pub next: Positions,
    /// End of the topic when this page was begun.
    pub ends: Positions,
}

impl Page {
    /// Returns `true` if nothing was left in the topic when this page was begun.
    pub fn is_at_end(&self) -> bool {
        self.reaches(&self.ends)
    }

    /// Returns `true` if nothing is left before an end that the topic had.
    pub fn reaches(&self, end: &Positions) -> bool {
        reaches(&self.next, end)
    }
}

impl Reader {
    /// Reads a page: up to the end of the topic with what was chosen of it, and no further than the limits allow. Each record is in
    /// one page: the next page begins behind what this one has looked at.
    pub async fn page(&self, selection: &Selection, limits: Limits) -> Result<Page, NotRead> {
        let began = Instant::now();
        let (mut page, mut size) = (Page { ends: self.ends().clone(), ..Page::default() }, 0);
        loop {
            let left = limits.until.saturating_duration_since(Instant::now());
            // First record of each partition that has no room any more.
            let mut held = Positions::new();
            for entry in self.next(POLL.min(left)).await? {
                if !held.is_empty() {
                    held.entry(entry.partition).or_insert(entry.offset);
                } else if entry.message.as_ref().is_err() || entry.message.as_ref().is_ok_and(|it| selection.has(it)) {
                    match fitting(entry, limits.bytes - size, page.entries.is_empty()) {
                        Ok((entry, more)) => {
                            size += more;
                            page.entries.push(entry);
                        }
                        Err((partition, offset)) => {
                            held.insert(partition, offset);
                        }
                    }
                }
            }
            page.next = self.positions().await;
            page.next.extend(&held);
            let is_waited_for = page.entries.is_empty() && began.elapsed() < limits.wait;
            if !held.is_empty() || left.is_zero() || (page.is_at_end() && !is_waited_for) {
                return Ok(page);
            }
        }
    }
}

/// Returns an entry with its size as JSON, if there is room for it; else its partition and offset. One that no page has room for is
/// told without its message.
fn fitting(entry: Entry, room: usize, is_first: bool) -> Result<(Entry, usize), (i32, i64)> {
    // An entry is made of texts and numbers: it always has a form in JSON. A comma follows it.
    let size = |entry: &Entry| serde_json::to_vec(entry).map_or(usize::MAX, |json| json.len() + 1);
    let own = size(&entry);
    if own <= room {
        return Ok((entry, own));
    }
    if !is_first {
        return Err((entry.partition, entry.offset));
    }
    let entry = Entry { message: Err(Unreadable(format!("it has {own} bytes, more than an answer takes"))), ..entry };
    let own = size(&entry).min(room);
    Ok((entry, own))
}
