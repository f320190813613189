//! The version of the plugin, as far as its answers have shown it: asking would cost every start a call.

use std::sync::{Mutex, PoisonError};

use crate::sinks::netbox::fields;

/// The versions of `netbox-circuitmaintenance` that differ for us. The differences were seen with 0.6.0 on NetBox 4.7.3, and
/// the plugin's migrations tell when each changed: 0.7 was never published as a package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PluginVersion {
    /// 0.8 or newer.
    #[default]
    Current,
    /// Each mail has to have an event, a subject has at most 100 characters, and events have no time zone.
    Before0_8,
    /// `email_received` is misspelt besides, and a circuit may have two impacts in one event.
    Before0_7,
}

impl PluginVersion {
    /// Returns the version that a refusal of mails shows, which may be about one without an event. NetBox reports the errors
    /// of all fields together.
    pub(super) fn told_by(said: &str, has_unlinked: bool) -> Self {
        let has_no_queue = has_unlinked && said.contains(r#""circuitmaintenance""#) && said.contains("may not be null");
        let has_short_subjects = said.contains(r#""subject":["Ensure this field has no more than"#);
        if said.contains("email_recieved") {
            Self::Before0_7
        } else if has_no_queue || has_short_subjects {
            Self::Before0_8
        } else {
            Self::Current
        }
    }

    /// Returns the name of the field for the time at which a mail was received.
    pub(super) fn received(self) -> &'static str {
        if self < Self::Before0_7 { "email_received" } else { "email_recieved" }
    }

    /// Returns the length limit of a subject, in characters.
    pub(super) fn longest_subject(self) -> usize {
        if self < Self::Before0_8 { fields::LONGEST_SUBJECT } else { fields::SHORT_SUBJECT }
    }
}

/// The oldest version that the plugin has shown itself to be.
#[derive(Debug, Default)]
pub(super) struct OldestShown(Mutex<PluginVersion>);

impl OldestShown {
    pub(super) fn age(&self) -> PluginVersion {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, age: PluginVersion) {
        let mut oldest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *oldest = age.max(*oldest);
    }
}
