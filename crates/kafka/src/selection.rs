//! Which messages are shown.

use std::collections::BTreeSet;

use events::{Kind, Message};
use serde::{Deserialize, Serialize};

/// Which messages are shown; empty lists choose all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Bare addresses of recipients, or domains as `@example.org`; case does not matter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// Types of events; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<Kind>,
    /// SES's ids of mails.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub mails: BTreeSet<String>,
}

impl Selection {
    /// Returns `true` if a message is among them.
    pub fn has(&self, message: &Message) -> bool {
        let recipient = message.to_email.as_deref().unwrap_or_default().to_lowercase();
        let is_for = |wanted: &String| {
            let wanted = wanted.to_lowercase();
            if wanted.starts_with('@') { recipient.ends_with(&wanted) } else { recipient == wanted }
        };
        (self.recipients.is_empty() || self.recipients.iter().any(is_for))
            && (self.kinds.is_empty() || self.kinds.contains(&Kind::of(&message.notify_type)))
            && (self.mails.is_empty() || self.mails.contains(&message.message_id))
    }
}
