//! The types of events.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A type of event: SES's ten, or one that it did not have when this was written. As JSON it is SES's word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Kind {
    /// SES accepted the mail and tries to deliver it.
    Send,
    /// The mail was not sent: its template could not be filled.
    RenderingFailure,
    /// SES accepted the mail and did not send it: it carries a virus.
    Reject,
    /// The recipient's server took the mail.
    Delivery,
    /// The mail came back for good, or SES gave up.
    Bounce,
    /// The recipient called it spam.
    Complaint,
    /// The mail is late; SES goes on trying.
    DeliveryDelay,
    /// The recipient changed what he is subscribed to.
    Subscription,
    /// The mail was opened.
    Open,
    /// A link in the mail was followed.
    Click,
    /// Any other type, in SES's word.
    Other(String),
}

/// Each type with SES's word, the code and the word of our messages. The first three are those of the reference.
const KINDS: [(Kind, &str, u8, &str); 10] = [
    (Kind::Delivery, "Delivery", 0, "success"),
    (Kind::Complaint, "Complaint", 1, "complaint"),
    (Kind::Bounce, "Bounce", 2, "bounce"),
    (Kind::Send, "Send", 3, "send"),
    (Kind::Reject, "Reject", 4, "reject"),
    (Kind::RenderingFailure, "Rendering Failure", 5, "rendering failure"),
    (Kind::DeliveryDelay, "DeliveryDelay", 6, "delivery delay"),
    (Kind::Subscription, "Subscription", 7, "subscription"),
    (Kind::Open, "Open", 8, "open"),
    (Kind::Click, "Click", 9, "click"),
];

/// The code of a type that SES did not have when this was written.
const OTHER: u8 = 99;

impl From<String> for Kind {
    fn from(word: String) -> Self {
        Self::of(&word)
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        kind.as_str().to_owned()
    }
}

impl Kind {
    /// Returns the ten types that SES has, in the order of their codes.
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS.into_iter().map(|(kind, ..)| kind)
    }

    /// Returns the type of that word of SES; blanks and case do not matter.
    pub fn of(word: &str) -> Self {
        let plain = |word: &str| word.replace([' ', '_', '-'], "").to_ascii_lowercase();
        let known = KINDS.into_iter().find(|(_, known, ..)| plain(known) == plain(word));
        known.map_or_else(|| Self::Other(word.to_owned()), |(kind, ..)| kind)
    }

    /// Returns the type in SES's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(word) => word,
            known => KINDS.iter().find(|(kind, ..)| kind == known).map_or("", |(_, word, ..)| word),
        }
    }

    /// Returns the code in our messages: the reference's 0 for a delivery, 1 for a complaint and 2 for a bounce; 3 to 9 for the other
    /// types, 99 for one that is unknown.
    pub fn code(&self) -> u8 {
        KINDS.iter().find(|(kind, ..)| kind == self).map_or(OTHER, |(_, _, code, _)| *code)
    }

    /// Returns the word in our messages: the reference's `success`, `complaint` and `bounce`, else the type in small letters.
    pub fn result(&self) -> String {
        let known = KINDS.iter().find(|(kind, ..)| kind == self);
        known.map_or_else(|| self.as_str().to_lowercase(), |(.., word)| (*word).to_owned())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_type_has_its_word_and_its_code() {
        for (index, kind) in Kind::all().enumerate() {
            assert_eq!((Kind::of(kind.as_str()), usize::from(kind.code())), (kind.clone(), index));
        }
        assert_eq!(Kind::all().map(|kind| kind.result()).collect::<BTreeSet<_>>().len(), KINDS.len());
        assert_eq!(Kind::of("RenderingFailure"), Kind::RenderingFailure);
        assert_eq!(Kind::of("DELIVERY_DELAY"), Kind::DeliveryDelay);
        let other = Kind::of("Received");
        assert_eq!((other.code(), other.as_str(), other.result().as_str()), (99, "Received", "received"));
    }
}
