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
        // Mails for a person are kept by another sink, if there is one.
        let needed = if alone { &["calendar/", "unmatched/"][..] } else { &["calendar/"] };
        let is_missing =
            |end: &&str| if *end == "calendar/" { context.calendar().is_none() } else { unmatched.is_none() };
        let missing: Vec<&str> = needed.iter().copied().filter(is_missing).collect();
        if !missing.is_empty() {
            let lines: Vec<String> = needed.iter().map(|end| format!("{{bucket: mail, prefix: {end}}}")).collect();
            let fault = format!(
                "is `calendar`, and the function's `writes` names no prefix that ends in `{}`; declare `writes: [{}]`",
                missing.join("`, and none that ends in `"),
                lines.join(", ")
            );
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
