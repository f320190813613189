//! A maintenance in the making: providers fill it from [`Found`] values, [`Draft::build`] checks the model's rules.

use jiff::Timestamp;

use super::{
    failure::Failure,
    found::{Evidence, Found, Place},
    model::{Circuit, Maintenance, Status, Window},
    source::Source,
};

/// Start and end of a window as they were found.
pub type Times = (Found<Timestamp>, Found<Timestamp>);

/// The most circuits of one notice, counted once for each of its windows.
const MOST_CIRCUITS: usize = 20_000;

/// A failure where so many windows with so many circuits each are more than any notice announces: the product grows with
/// the square of the mail's size.
pub fn bounded(windows: usize, circuits: usize) -> Result<(), Failure> {
    if windows > 1 && windows.saturating_mul(circuits) > MOST_CIRCUITS {
        return Err(Failure::too_large(format!(
            "at most {MOST_CIRCUITS} circuits in all windows, there are {windows} windows of {circuits}"
        )));
    }
    Ok(())
}

/// A maintenance in the making.
#[derive(Debug, Clone)]
#[must_use]
pub struct Draft {
    provider: &'static str,
    announced_provider: Option<String>,
    account: String,
    id: Option<String>,
    organizer: Option<String>,
    status: Option<Status>,
    circuits: Vec<Circuit>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    stamp: Option<Timestamp>,
    sequence: Option<u32>,
    uid: Option<String>,
    summary: String,
    evidence: Vec<Evidence>,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty => $field:ident as $key:literal, |$value:ident| $store:expr;)*) => {$(
        $(#[$doc])*
        pub fn $name(mut self, found: Found<$type>) -> Self {
            self.note($key, &found);
            let $value = found.value;
            self.$field = $store;
            self
        }
    )*};
}

impl Draft {
    /// A draft with what follows from the mail itself: the provider's organizer, and the outer date as stamp.
    pub fn new(source: &Source<'_>) -> Self {
        let draft = Self {
            provider: source.provider().slug,
            announced_provider: None,
            account: String::new(),
            id: None,
            organizer: None,
            status: None,
            circuits: Vec::new(),
            start: None,
            end: None,
            stamp: None,
            sequence: None,
            uid: None,
            summary: String::new(),
            evidence: Vec::new(),
        };
        let draft = draft.organizer(Found::by_rule(source.provider().organizer.to_owned(), "the provider's address"));
        match source.stamp() {
            Some(stamp) => draft.stamp(stamp),
            None => draft,
        }
    }

    fn note<T>(&mut self, field: &'static str, found: &Found<T>) {
        self.evidence.retain(|evidence| evidence.field != field);
        self.evidence.push(Evidence { field, place: found.place.clone(), quote: found.quote.clone() });
    }

    setters! {
        /// The provider as the notice names it.
        announced_provider: String => announced_provider as "provider", |value| Some(value);
        /// The customer's account; without it, empty.
        account: String => account as "account", |value| value;
        /// The provider's id of the maintenance. Needed.
        id: String => id as "maintenance_id", |value| Some(value);
        /// Who announced it; without it, the provider's address.
        organizer: String => organizer as "organizer", |value| Some(value);
        /// Where it stands. Needed.
        status: Status => status as "status", |value| Some(value);
        /// When it begins.
        start: Timestamp => start as "start", |value| Some(value);
        /// When it is over.
        end: Timestamp => end as "end", |value| Some(value);
        /// When the notice was issued; without it, the mail's outer date. One of both is needed.
        stamp: Timestamp => stamp as "stamp", |value| Some(value);
        /// The revision that the notice states.
        sequence: u32 => sequence as "sequence", |value| Some(value);
        /// The calendar's UID; without it, `0`.
        uid: String => uid as "uid", |value| Some(value);
        /// What is done and why; without it, empty.
        summary: String => summary as "summary", |value| value;
    }

    /// Adds circuits in the mail's order; repetitions are kept.
    pub fn circuits(mut self, circuits: impl IntoIterator<Item = Found<Circuit>>) -> Self {
        for circuit in circuits {
            self.evidence.push(Evidence {
                field: "circuits",
                place: circuit.place.clone(),
                quote: circuit.quote.clone(),
            });
            self.circuits.push(circuit.value);
        }
        self
    }

    /// Names whoever wrote the innermost message as the organizer, for providers whose own address we do not know.
    pub fn sent_by_author(self, source: &Source<'_>) -> Self {
        let sender = source.mail().layers().iter().rev().find_map(|layer| layer.sender.as_ref());
        match sender {
            Some(sender) => self.organizer(Found::text(&sender.address, Place::Header("From"))),
            None => self,
        }
    }

    /// One draft per window, all with the same circuits; a failure where that makes more than any network has.
    pub fn in_windows(self, windows: Vec<Times>) -> Result<Vec<Self>, Failure> {
        bounded(windows.len(), self.circuits.len())?;
        Ok(windows.into_iter().map(|(start, end)| self.clone().window(start, end)).collect())
    }

    /// Start and end at once.
    pub fn window(self, start: Found<Timestamp>, end: Found<Timestamp>) -> Self {
        self.start(start).end(end)
    }

    /// The maintenance, if it keeps the model's rules.
    pub fn build(self) -> Result<Maintenance, Failure> {
        let id = self
            .id
            .map(|id| id.trim().to_owned())
            .filter(|id| !id.is_empty())
            .ok_or_else(|| Failure::missing("a maintenance id"))?;
        let status = self.status.ok_or_else(|| Failure::missing("a status"))?;
        let stamp = self.stamp.ok_or_else(|| Failure::missing("the date of the notice"))?;
        let window = match (self.start, self.end) {
            (Some(start), Some(end)) => Some(
                Window::new(start, end)
                    .ok_or_else(|| Failure::ambiguous(format!("an end after the start (start {start}, end {end})")))?,
            ),
            (None, None) if status.is_final() => None,
            (None, _) => return Err(Failure::missing("a start time")),
            (_, None) => return Err(Failure::missing("an end time")),
        };
        if self.circuits.is_empty() && !status.is_final() {
            return Err(Failure::missing("at least one circuit"));
        }
        Ok(Maintenance {
            provider: self.provider,
            announced_provider: self.announced_provider,
            account: self.account,
            id,
            organizer: self.organizer.unwrap_or_default(),
            status,
            circuits: self.circuits,
            window,
            stamp,
            sequence: self.sequence,
            uid: self.uid.unwrap_or_else(|| "0".to_owned()),
            summary: self.summary,
            evidence: self.evidence,
        })
    }
}
