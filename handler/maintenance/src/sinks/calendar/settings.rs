//! The settings of the sink `calendar`, and its construction from them.

use contract::context::{Context, Place};
use jiff::Timestamp;
use runtime::{S3, environment::Reader};

use super::CalendarFile;
use crate::{pipeline::unmatched::Unmatched, sinks::SINK};

/// Variable: name of the calendar, for people; the default is the stack's name.
pub const CALENDAR_NAME: &str = "CALENDAR_NAME";

/// The settings of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Name of the calendar, for people.
    pub name: String,
    /// Place of its file.
    pub place: Place,
    /// Place of mails for a person; `None` if another sink keeps them.
    pub unmatched: Option<Place>,
}

impl Settings {
    /// Reads the settings from the environment. `alone`: no other sink keeps mails for a person.
    pub fn read(reader: &mut Reader<'_>, context: Option<&Context>, alone: bool) -> Option<Self> {
        let name = reader.optional(CALENDAR_NAME).map(|name| name.trim().to_owned());
        let context = context?;
        let unmatched = context.unmatched().cloned();
        if context.calendar().is_none() {
            let fault = "is `calendar`, and the function's `writes` names no prefix that ends in `calendar/`; declare \
                         `writes: [{bucket: mail, prefix: calendar/}, {bucket: mail, prefix: unmatched/}]`";
            reader.problem(SINK, fault);
        }
        if alone && unmatched.is_none() {
            let fault = "is `calendar` alone, and the function's `writes` names no prefix that ends in `unmatched/`, \
                         where mails for a person would be kept; declare \
                         `writes: [{bucket: mail, prefix: calendar/}, {bucket: mail, prefix: unmatched/}]`";
            reader.problem(SINK, fault);
            return None;
        }
        let name = name.unwrap_or_else(|| context.stack.clone());
        Some(Self { name, place: context.calendar()?.clone(), unmatched })
    }

    /// Creates the sink from its settings.
    pub fn open(self, store: &S3) -> CalendarFile<S3> {
        let unmatched = self.unmatched.map(|place| Unmatched { store: store.clone(), place });
        CalendarFile { store: store.clone(), place: self.place, name: self.name, unmatched, now: Timestamp::now }
    }
}
