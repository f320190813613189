//! The sink `calendar`: an iCalendar file in a bucket, which people's programs can subscribe to through whatever serves it to them.
//!
//! The file is read, changed and written back on the condition that nobody else has written it in between (S3's `If-Match`); a writer
//! that loses reads again. So two notices at once both get in, and no calendar is half written.

pub mod event;
pub mod settings;
pub mod text;

use std::time::Duration;

use jiff::Timestamp;

use self::event::{Feed, Findings, Source};
use crate::pipeline::{
    arrived_mail::ArrivedMail,
    held::{Held, Purpose},
    sink::{Delivered, Handover, Sink, SinkError},
    unmatched::Unmatched,
};
use carriers::providers::genericprovider;
use contract::context::Place;
use notice::outcome::Notice;
use runtime::store::{Expected, ObjectStore};
use schedule::Announcement;

/// Name of the file below the prefix of its place.
pub const FILE: &str = "maintenance.ics";
const MEDIA_TYPE: &str = "text/calendar; charset=utf-8";
/// Maximum attempts to write the file while others write it.
const MOST_ATTEMPTS: u32 = 12;

/// A calendar that takes notices.
#[derive(Debug)]
pub struct CalendarFile<Store> {
    /// Object store that holds the file.
    pub store: Store,
    /// Bucket and prefix of the file.
    pub place: Place,
    /// Name of the calendar, as people see it.
    pub name: String,
    /// Place for mails that a person has to see; `None` if another sink keeps them.
    pub unmatched: Option<Unmatched<Store>>,
    /// Clock, by which entries that ended long ago are removed.
    pub now: fn() -> Timestamp,
}

impl<Store: ObjectStore> CalendarFile<Store> {
    fn key(&self) -> String {
        format!("{}{FILE}", self.place.prefix)
    }

    /// Applies all of a notice to the current calendar; returns the findings about it, or `None` if somebody else has written the
    /// file meanwhile.
    async fn attempt(&self, source: &Source, all: &[Announcement]) -> Result<Option<Findings>, String> {
        let (bucket, key) = (&self.place.bucket, self.key());
        let found = self.store.fetch(bucket, &key).await.map_err(|error| error.to_string())?;
        let expected = found.as_ref().map_or(Expected::Nothing, |object| Expected::Tag(object.tag.clone()));
        let (mut feed, old) = match found {
            None => (Feed::default(), None),
            Some(object) => {
                let old = String::from_utf8(object.bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
                (text::read(&old).map_err(|error| error.to_string())?, Some(old))
            }
        };
        let before = feed.keys();
        let mut findings = Findings::default();
        for announcement in all {
            findings.add(feed.apply(source, announcement));
        }
        findings.add(feed.cut(&before, (self.now)()));
        let new = text::write(&feed, &self.name).map_err(|error| error.to_string())?;
        if old.as_ref() == Some(&new) {
            return Ok(Some(findings));
        }
        let written = self.store.put(bucket, &key, new.into_bytes(), MEDIA_TYPE, expected).await;
        Ok(written.map_err(|error| error.to_string())?.then_some(findings))
    }
}

impl<Store: ObjectStore> Sink for CalendarFile<Store> {
    /// An entry holds no mail; what is kept for a person is whole.
    fn can_hold(&self, _: &ArrivedMail, purpose: Purpose) -> Held {
        Held::expected(purpose == Purpose::HandOver && self.unmatched.is_some())
    }

    async fn deliver(&self, arrived: &ArrivedMail, notice: &Notice) -> Result<Delivered, SinkError> {
        let all =
            Announcement::of(notice, arrived.received_at).map_err(|error| SinkError::Refused(error.to_string()))?;
        let source = source(arrived, notice);
        let transient = |reason: &str| {
            SinkError::Transient(format!("the calendar s3://{}/{}: {reason}", self.place.bucket, self.key()))
        };
        let mut findings = None;
        for attempt in 0..MOST_ATTEMPTS {
            findings = self.attempt(&source, &all).await.map_err(|reason| transient(&reason))?;
            if findings.is_some() {
                break;
            }
            self.store.pause(Duration::from_millis(40 << attempt.min(5))).await;
        }
        let Findings { concerns, remarks } =
            findings.ok_or_else(|| transient("others were quicker each time, or it may not be read"))?;
        let mut held = Held::NOTHING;
        if !concerns.is_empty() {
            let reason = concerns.join("; ");
            held = self.hand_over(arrived, &Handover { reason: &reason, suggestion: &notice.maintenances }).await?;
        }
        Ok(Delivered { held, concerns, remarks, ..Delivered::default() })
    }

    async fn hand_over(&self, arrived: &ArrivedMail, handover: &Handover<'_>) -> Result<Held, SinkError> {
        match &self.unmatched {
            Some(unmatched) => unmatched.keep(arrived, handover).await,
            None => Ok(Held::NOTHING),
        }
    }

    async fn settle(&self, arrived: &ArrivedMail) -> Result<(), SinkError> {
        match &self.unmatched {
            Some(unmatched) => unmatched.close(arrived).await,
            None => Ok(()),
        }
    }
}

fn source(arrived: &ArrivedMail, notice: &Notice) -> Source {
    let provider = notice.recognised.provider;
    let announced = notice.maintenances.iter().find_map(|maintenance| maintenance.announced_provider());
    let (provider, provider_name) = match announced.filter(|_| provider.slug == genericprovider::PROVIDER.slug) {
        Some(name) => (name.to_lowercase(), name.to_owned()),
        None => (provider.slug.to_owned(), provider.name.to_owned()),
    };
    let sent = arrived.mail.as_ref().and_then(|mail| mail.outer().date);
    let stamp = arrived.received_at.or(notice.announced_at).or(sent).unwrap_or(Timestamp::UNIX_EPOCH);
    Source { provider, provider_name, stamp }
}

#[cfg(test)]
mod tests;
