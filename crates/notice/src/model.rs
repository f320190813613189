//! The content of a notice. A value of these types cannot be invalid: a window ends after it starts, a
//! maintenance has an id, and circuits and a window unless it is over or cancelled.

use contract::identifier::Identifier;
pub use contract::maintenance::{Circuit, Impact, Status};
use jiff::{
    SignedDuration, Timestamp,
    tz::{Offset, TimeZone},
};

use super::found::Evidence;

/// An instant, with the offset and the zone in which the notice states it. Two are equal if the instants are.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    at: Timestamp,
    offset: Offset,
    /// Zone that the notice names; `None` where it states an offset, or an abbreviation for one.
    zone: Option<ZoneName>,
}

/// The name of a zone in IANA's database: `Europe/Paris`.
#[derive(Debug, Clone, Copy)]
struct ZoneName {
    letters: [u8; ZoneName::LONGEST],
    length: usize,
}

impl ZoneName {
    /// The longest names have 32 letters.
    const LONGEST: usize = 40;

    fn of(zone: &TimeZone) -> Option<Self> {
        let name = zone.iana_name().filter(|name| name.contains('/'))?;
        let mut letters = [0; Self::LONGEST];
        letters.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        Some(Self { letters, length: name.len() })
    }

    fn as_str(&self) -> &str {
        self.letters.get(..self.length).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
    }
}

impl Moment {
    /// Returns the instant as it is stated at that offset from UTC.
    pub fn new(at: Timestamp, offset: Offset) -> Self {
        Self { at, offset, zone: None }
    }

    /// Returns the instant as it is stated in that zone.
    pub fn in_zone(at: Timestamp, zone: &TimeZone) -> Self {
        Self { at, offset: zone.to_offset(at), zone: ZoneName::of(zone) }
    }

    /// Returns the name that IANA's database has for the zone in which the notice states the moment: `Europe/Paris`, `UTC`,
    /// `Etc/GMT-1` for one hour ahead of UTC. `None` for an offset that has none, such as that of half an hour.
    pub fn zone_name(&self) -> Option<String> {
        const HOUR: i32 = 3600;
        match (&self.zone, self.offset.seconds()) {
            (Some(zone), _) => Some(zone.as_str().to_owned()),
            (None, 0) => Some("UTC".to_owned()),
            // The sign of these names is the other way round.
            (None, seconds) if seconds % HOUR == 0 => Some(format!("Etc/GMT{:+}", -seconds / HOUR)),
            (None, _) => None,
        }
    }

    /// Returns the instant of the moment.
    pub fn at(self) -> Timestamp {
        self.at
    }

    /// Returns the offset from UTC in which the notice states it.
    pub fn offset(self) -> Offset {
        self.offset
    }

    /// Returns the moment that much later, stated alike; `None` beyond the calendar's end.
    pub fn checked_add(self, length: SignedDuration) -> Option<Self> {
        Some(Self { at: self.at.checked_add(length).ok()?, ..self })
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self::new(at, Offset::UTC)
    }
}

impl From<Moment> for Timestamp {
    fn from(moment: Moment) -> Self {
        moment.at
    }
}

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Moment {}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Moment {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

impl std::hash::Hash for Moment {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.at.hash(state);
    }
}

/// Writes the time as the notice states it: `2031-04-02T00:00:00+02:00`, with the zone's name where the notice has one.
impl std::fmt::Display for Moment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.offset {
            Offset::UTC => self.at.fmt(formatter)?,
            offset => self.at.display_with_offset(offset).fmt(formatter)?,
        }
        self.zone.map_or(Ok(()), |zone| write!(formatter, "[{}]", zone.as_str()))
    }
}

/// A window: `[start, end)`, the end after the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    start: Moment,
    end: Moment,
}

impl Window {
    /// Returns the window, or `None` unless it ends after it starts.
    pub fn new(start: impl Into<Moment>, end: impl Into<Moment>) -> Option<Self> {
        let (start, end) = (start.into(), end.into());
        (end > start).then_some(Self { start, end })
    }

    /// Returns the start of the window.
    pub fn start(&self) -> Timestamp {
        self.start.at
    }

    /// Returns when it is over.
    pub fn end(&self) -> Timestamp {
        self.end.at
    }

    /// Returns start and end as the notice states them, each in its own offset from UTC.
    pub fn stated(&self) -> (Moment, Moment) {
        (self.start, self.end)
    }
}

/// One maintenance in one window. Made by [`super::draft::Draft::build`] alone, which checks the rules above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    pub(super) provider: &'static str,
    pub(super) announced_provider: Option<String>,
    pub(super) account: Option<Identifier>,
    pub(super) nameless_account: &'static str,
    pub(super) id: Identifier,
    pub(super) organizer: String,
    pub(super) status: Status,
    pub(super) circuits: Vec<Circuit>,
    pub(super) window: Option<Window>,
    pub(super) stamp: Timestamp,
    pub(super) sequence: Option<u32>,
    pub(super) uid: String,
    pub(super) summary: String,
    pub(super) evidence: Vec<Evidence>,
    pub(super) last_field: Option<&'static str>,
}

impl Maintenance {
    /// Returns our slug of the provider: its identity and the key of mappings.
    pub fn provider(&self) -> &'static str {
        self.provider
    }

    /// Returns the provider as the notice itself names it (`X-MAINTNOTE-PROVIDER`), where it does.
    pub fn announced_provider(&self) -> Option<&str> {
        self.announced_provider.as_deref()
    }

    /// Returns the customer's account with the provider; empty where the notice names none.
    pub fn account(&self) -> &str {
        self.account.as_ref().map_or("", Identifier::as_str)
    }

    /// Returns the text that JSON has for the account: that of the provider's format where the notice names none.
    pub fn account_text(&self) -> &str {
        self.account.as_ref().map_or(self.nameless_account, Identifier::as_str)
    }

    /// Returns the provider's id of the maintenance; never empty, never a placeholder.
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    /// Returns the organizer: an address, or the calendar's text.
    pub fn organizer(&self) -> &str {
        &self.organizer
    }

    /// Returns the status of the maintenance.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Returns the circuits, in the mail's order, repetitions included. Empty only if [`Status::is_final`].
    pub fn circuits(&self) -> &[Circuit] {
        &self.circuits
    }

    /// Returns the window. `None` only if [`Status::is_final`].
    pub fn window(&self) -> Option<Window> {
        self.window
    }

    /// Returns the time at which the notice was issued, as the provider's format defines it.
    pub fn stamp(&self) -> Timestamp {
        self.stamp
    }

    /// Returns the revision that the notice itself states.
    pub fn sequence(&self) -> Option<u32> {
        self.sequence
    }

    /// Returns the calendar's UID, else `0`.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// Returns the summary: what is done and why. It may be empty.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// Returns, for each value, its place in the mail.
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_keeps_the_zone_in_which_it_is_stated() {
        let at: Timestamp = "2031-07-01T22:00:00Z".parse().unwrap();
        let paris = Moment::in_zone(at, &TimeZone::get("Europe/Paris").unwrap());
        assert_eq!(paris.to_string(), "2031-07-02T00:00:00+02:00[Europe/Paris]");
        assert_eq!(paris.zone_name().as_deref(), Some("Europe/Paris"));
        for (hours, minutes, stated, name) in [
            (0, 0, "2031-07-01T22:00:00Z", Some("UTC")),
            (1, 0, "2031-07-01T23:00:00+01:00", Some("Etc/GMT-1")),
            (-5, 0, "2031-07-01T17:00:00-05:00", Some("Etc/GMT+5")),
            (5, 30, "2031-07-02T03:30:00+05:30", None),
        ] {
            let moment = Moment::new(at, Offset::from_seconds(hours * 3600 + minutes * 60).unwrap());
            assert_eq!(moment.to_string(), stated);
            assert_eq!(moment.zone_name().as_deref(), name);
            assert!(name.is_none_or(|name| TimeZone::get(name).unwrap().to_offset(at) == moment.offset()));
        }
    }
}
