//! Orders the notices of one maintenance.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The facts that order the notices of one maintenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// UID of the calendar entry; `None` if the notice has no calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Revision that the notice states; `None` if it states none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u32>,
    /// Time at which the provider wrote the notice; `None` if the mail does not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced_at: Option<Timestamp>,
    /// Time at which SES received the mail; `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Timestamp>,
    /// Digest of what the notice says of the maintenance.
    pub digest: String,
}

/// How a notice stands to what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The notice is newer than what is stored.
    Newer,
    /// The notice is stored already, or says the same at the same time.
    Same,
    /// A newer notice is stored.
    Older,
    /// The notices say different things, and nothing tells which came first: neither states more than the other, or the one has the
    /// higher revision and the other the later date.
    Tie,
}

impl Order {
    /// Returns how a notice stands to everything that is stored: it is older if any event shows a newer one.
    pub fn of_all(orders: impl Iterator<Item = Self>) -> Self {
        let rank = |order: &Self| match order {
            Self::Older => 0,
            Self::Tie => 1,
            Self::Same => 2,
            Self::Newer => 3,
        };
        orders.min_by_key(rank).unwrap_or(Self::Newer)
    }

    /// Returns whether a sink writes what the notice says. The same notice again writes what its last delivery did not get done.
    pub const fn changes(self) -> bool {
        matches!(self, Self::Newer | Self::Same)
    }
}

impl Version {
    /// Returns how this notice stands to a stored one. Revisions count between notices of one UID only; providers that state none,
    /// or always the same one, are ordered by their own date, and in the end by the time of receipt. A revision and a date that
    /// contradict each other prove nothing: a cancellation under an old revision may be the last word.
    ///
    /// ```
    /// use schedule::{Order, Version};
    ///
    /// let revision = |sequence: u32| Version {
    ///     uid: Some("1@carrier.example".to_owned()),
    ///     sequence: Some(sequence),
    ///     announced_at: None,
    ///     received_at: None,
    ///     digest: sequence.to_string(),
    /// };
    /// assert_eq!(revision(2).order(&revision(1)), Order::Newer);
    /// assert_eq!(revision(1).order(&revision(2)), Order::Older);
    /// ```
    pub fn order(&self, stored: &Self) -> Order {
        let revision = match (&self.uid, &stored.uid) {
            (Some(ours), Some(theirs)) if ours == theirs => compare(self.sequence, stored.sequence),
            _ => None,
        };
        let settled = |order: Option<Ordering>| match order {
            Some(Ordering::Greater) => Some(Order::Newer),
            Some(Ordering::Less) => Some(Order::Older),
            Some(Ordering::Equal) | None => None,
        };
        let same = (self.digest == stored.digest).then_some(Order::Same);
        match (settled(revision), settled(compare(self.announced_at, stored.announced_at))) {
            (Some(one), Some(other)) if one != other => return same.unwrap_or(Order::Tie),
            (Some(order), _) | (None, Some(order)) => return order,
            (None, None) => {}
        }
        same.or_else(|| settled(compare(self.received_at, stored.received_at))).unwrap_or(Order::Tie)
    }
}

fn compare<T: Ord>(ours: Option<T>, theirs: Option<T>) -> Option<Ordering> {
    Some(ours?.cmp(&theirs?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `uid sequence announced received digest`, with a hyphen for what is not stated.
    fn version(text: &str) -> Version {
        let words: Vec<_> = text.split(' ').collect();
        let stated = |index: usize| words.get(index).filter(|word| **word != "-");
        let time = |index| stated(index).map(|word| Timestamp::from_second(word.parse().unwrap()).unwrap());
        Version {
            uid: stated(0).map(ToString::to_string),
            sequence: stated(1).map(|word| word.parse().unwrap()),
            announced_at: time(2),
            received_at: time(3),
            digest: words[4].to_owned(),
        }
    }

    #[test]
    fn revisions_of_one_uid_count_first_then_dates_then_receipt_and_a_contradiction_proves_nothing() {
        let table = [
            ("u 2 20 10 a", "u 1 10 20 b", Order::Newer),
            ("u 2 10 10 a", "u 1 10 20 b", Order::Newer),
            ("u 2 - 10 a", "u 1 20 20 b", Order::Newer),
            ("u 1 20 20 a", "u 2 10 10 b", Order::Tie),
            ("u 1 20 20 a", "u 2 10 10 a", Order::Same),
            ("u 1 20 20 a", "v 2 10 10 b", Order::Newer),
            ("- 1 20 20 a", "- 2 10 10 b", Order::Newer),
            ("u - 20 20 a", "u 2 10 10 b", Order::Newer),
            ("u 1 20 10 a", "u 1 10 20 b", Order::Newer),
            ("- - 10 20 a", "- - 20 10 a", Order::Older),
            ("- - 10 20 a", "- - 10 10 b", Order::Newer),
            ("- - 10 10 a", "- - 10 20 b", Order::Older),
            ("- - - 10 a", "- - 10 20 b", Order::Older),
            ("- - 10 20 a", "- - 10 10 a", Order::Same),
            ("- - 20 20 a", "- - 10 10 a", Order::Newer),
            ("- - 10 10 a", "- - 10 10 b", Order::Tie),
            ("- - 10 - a", "- - 10 10 b", Order::Tie),
            ("- - - - a", "- - - - a", Order::Same),
        ];
        for (ours, stored, expected) in table {
            assert_eq!(version(ours).order(&version(stored)), expected, "{ours} to {stored}");
            let back = match expected {
                Order::Newer => Order::Older,
                Order::Older => Order::Newer,
                other => other,
            };
            assert_eq!(version(stored).order(&version(ours)), back, "{stored} to {ours}");
        }
    }
}
