//! A maintenance in the making: providers fill it from [`Found`] values, [`Draft::build`] checks the model's rules.

use contract::{count::counted, identifier::Identifier};
use jiff::{SignedDuration, Timestamp};

use super::{
    failure::Failure,
    found::{Evidence, Found, Place},
    model::{Circuit, Maintenance, Moment, Status, Window},
    source::Source,
};

/// Start and end of a window as they were found.
pub type Times = (Found<Moment>, Found<Moment>);

/// The most circuits of one notice, counted once for each of its windows.
const MOST_CIRCUITS: usize = 20_000;

/// Maximum size of the drafts that are made of one, in bytes: texts are written out once for each, and the product grows with the square
/// of the mail's size.
const MOST_COPIED: usize = 4 * 1024 * 1024;

/// Maximum length of an id of a maintenance, a circuit or an account, in bytes. The longest real ones, names of routes and companies, have
/// about 100; what is longer is a text that was taken for an id.
const LONGEST_ID: usize = 500;

/// Returns a failure where so many windows with so many circuits each are more than any notice announces: the product grows with
/// the square of the mail's size.
pub fn bounded(windows: usize, circuits: usize) -> Result<(), Failure> {
    if windows.saturating_mul(circuits) <= MOST_CIRCUITS {
        return Ok(());
    }
    Err(Failure::too_large(format!(
        "at most {MOST_CIRCUITS} circuits in all windows, there are {} of {}",
        counted(windows, "window"),
        counted(circuits, "circuit")
    )))
}

/// The field of [`Evidence`] for a status that a row states, of which the maintenance's is made.
pub(super) const ROW_STATUS: &str = "row status";

/// A maintenance in the making.
///
/// It is copied in [`Draft::for_each`] and [`Draft::try_for_each`] alone, which know how much that may be.
#[derive(Debug)]
#[must_use]
pub struct Draft {
    provider: &'static str,
    announced_provider: Option<String>,
    account: Option<Identifier>,
    nameless_account: &'static str,
    id: Option<String>,
    organizer: Option<String>,
    status: Option<Status>,
    circuits: Vec<Circuit>,
    start: Option<Moment>,
    end: Option<Moment>,
    stamp: Option<Timestamp>,
    sequence: Option<u32>,
    uid: Option<String>,
    summary: String,
    /// The date on which the notice was written, which tells windows that have begun from those to come.
    announced_at: Option<Timestamp>,
    evidence: Vec<Evidence>,
    last_field: Option<&'static str>,
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
    /// Returns a draft with what follows from the mail itself: the provider's organizer, and the outer date as stamp.
    pub fn new(source: &Source<'_>) -> Self {
        let draft = Self {
            provider: source.provider().slug,
            announced_provider: None,
            account: None,
            nameless_account: "",
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
            announced_at: source.announced_at(),
            evidence: Vec::new(),
            last_field: None,
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
        /// The customer's account; without it, or with a placeholder, none.
        account: String => account as "account", |value| Identifier::new(&value);
        /// The provider's id of the maintenance. Needed.
        id: String => id as "maintenance_id", |value| Some(value);
        /// Author of the announcement; by default the provider's address.
        organizer: String => organizer as "organizer", |value| Some(value);
        /// Status of the maintenance; required.
        status: Status => status as "status", |value| Some(value);
        /// The revision that the notice states.
        sequence: u32 => sequence as "sequence", |value| Some(value);
        /// The calendar's UID; without it, `0`.
        uid: String => uid as "uid", |value| Some(value);
        /// Description of the work and its reason; empty by default.
        summary: String => summary as "summary", |value| value;
    }

    /// Names the field that the format has last: a notice whose lines end there lacks nothing.
    pub fn ends_with(self, field: &'static str) -> Self {
        Self { last_field: Some(field), ..self }
    }

    /// Sets the date on which the notice was written, where it states one besides that of the mail.
    pub fn written_at(self, announced_at: Timestamp) -> Self {
        Self { announced_at: Some(announced_at), ..self }
    }

    /// Sets the text that JSON shows for the account where the notice names none. No sink takes it for an account.
    pub fn nameless_account(self, text: &'static str) -> Self {
        Self { nameless_account: text, ..self }
    }

    /// Adds circuits in the mail's order; repetitions are kept.
    pub fn circuits(mut self, circuits: impl IntoIterator<Item = Found<Circuit>>) -> Self {
        circuits.into_iter().for_each(|circuit| self.add_circuit(circuit));
        self
    }

    /// Adds a circuit after the others.
    pub fn add_circuit(&mut self, circuit: Found<Circuit>) {
        self.evidence.push(Evidence { field: "circuits", place: circuit.place, quote: circuit.quote });
        self.circuits.push(circuit.value);
    }

    /// Notes the status of one row where the status of the maintenance follows from several: the words there are read.
    pub fn row_status(mut self, said: &Found<String>) -> Self {
        self.evidence.push(Evidence { field: ROW_STATUS, place: said.place.clone(), quote: said.quote.clone() });
        self
    }

    /// Returns whether another draft of the same maintenance says the same of it.
    pub fn says_the_same(&self, other: &Self) -> bool {
        (self.status, self.start, self.end) == (other.status, other.start, other.end) && self.circuits == other.circuits
    }

    /// Names whoever wrote the innermost message as the organizer, for providers whose own address we do not know.
    pub fn sent_by_author(self, source: &Source<'_>) -> Self {
        let sender = source.mail().layers().iter().rev().find_map(|layer| layer.sender.as_ref());
        match sender {
            Some(sender) => self.organizer(Found::text(&sender.address, Place::Header("From"))),
            None => self,
        }
    }

    /// Returns one draft per window, all with the same circuits; fails if that makes more than any network has.
    pub fn in_windows(self, windows: Vec<Times>) -> Result<Vec<Self>, Failure> {
        self.for_each(windows, |draft, (start, end)| draft.window(start, end))
    }

    /// Returns one draft per item, all with the same circuits and texts; fails if that makes more than any notice announces.
    pub fn for_each<T>(self, items: Vec<T>, set: impl Fn(Self, T) -> Self) -> Result<Vec<Self>, Failure> {
        self.try_for_each(items, |draft, item| Ok(set(draft, item)))
    }

    /// Returns drafts as [`Draft::for_each`] does, of items that may be malformed.
    pub fn try_for_each<T>(
        self,
        items: Vec<T>,
        set: impl Fn(Self, T) -> Result<Self, Failure>,
    ) -> Result<Vec<Self>, Failure> {
        bounded(items.len(), self.circuits.len())?;
        if items.len() > 1 && items.len().saturating_mul(self.size()) > MOST_COPIED {
            return Err(Failure::too_large(format!(
                "at most {MOST_COPIED} bytes in all windows and ids, there are {} of {} bytes",
                items.len(),
                self.size()
            )));
        }
        items.into_iter().map(|item| set(self.copy(), item)).collect()
    }

    fn copy(&self) -> Self {
        Self {
            provider: self.provider,
            announced_provider: self.announced_provider.clone(),
            account: self.account.clone(),
            nameless_account: self.nameless_account,
            id: self.id.clone(),
            organizer: self.organizer.clone(),
            status: self.status,
            circuits: self.circuits.clone(),
            start: self.start,
            end: self.end,
            stamp: self.stamp,
            sequence: self.sequence,
            uid: self.uid.clone(),
            summary: self.summary.clone(),
            announced_at: self.announced_at,
            evidence: self.evidence.clone(),
            last_field: self.last_field,
        }
    }

    /// Returns the size of its texts and circuits, in bytes.
    fn size(&self) -> usize {
        let quotes = self.evidence.iter().map(|evidence| evidence.quote.len() + size_of::<Evidence>());
        let circuits = self.circuits.iter().map(|circuit| circuit.id().len() + size_of::<Circuit>());
        size_of::<Self>() + self.summary.len() + quotes.chain(circuits).sum::<usize>()
    }

    /// Sets when the notice was issued; without it, that is the mail's outer date. One of both is needed.
    pub fn stamp(mut self, found: Found<impl Into<Timestamp>>) -> Self {
        self.note("stamp", &found);
        self.stamp = Some(found.value.into());
        self
    }

    /// Sets when it begins.
    pub fn start(mut self, found: Found<impl Into<Moment>>) -> Self {
        self.note("start", &found);
        self.start = Some(found.value.into());
        self
    }

    /// Sets when it is over.
    pub fn end(mut self, found: Found<impl Into<Moment>>) -> Self {
        self.note("end", &found);
        self.end = Some(found.value.into());
        self
    }

    /// Sets start and end at once.
    pub fn window(self, start: Found<impl Into<Moment>>, end: Found<impl Into<Moment>>) -> Self {
        self.start(start).end(end)
    }

    /// Returns the maintenance, if it keeps the model's rules.
    pub fn build(self) -> Result<Maintenance, Failure> {
        let id = self.id.as_deref().and_then(Identifier::new).ok_or_else(|| Failure::missing("a maintenance id"))?;
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
        let account = self.account.as_ref().map(Identifier::as_str);
        bounded(1, self.circuits.len())?;
        expect_short(std::iter::once(id.as_str()).chain(account).chain(self.circuits.iter().map(Circuit::id)))?;
        expect_begun(status, window, self.announced_at)?;
        if self.circuits.is_empty() && !status.is_final() {
            return Err(Failure::missing("at least one circuit"));
        }
        Ok(Maintenance {
            provider: self.provider,
            announced_provider: self.announced_provider,
            account: self.account,
            nameless_account: self.nameless_account,
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
            last_field: self.last_field,
        })
    }
}

/// Fails where an id is too long to be one.
fn expect_short<'id>(mut ids: impl Iterator<Item = &'id str>) -> Result<(), Failure> {
    ids.find(|id| id.len() > LONGEST_ID).map_or(Ok(()), |id| {
        Err(Failure::too_large(format!("an id of at most {LONGEST_ID} bytes, this one has {}", id.len()))
            .with_quote(id))
    })
}

/// Maximum time between an announcement and its window. An earlier date is not the notice's own: clocks and archives are wrong by
/// years.
const FARTHEST_AHEAD: SignedDuration = SignedDuration::from_hours(180 * 24);

/// Maximum time before its window at which work may be reported as started: carriers report a whole night at once.
const EARLIEST_START: SignedDuration = SignedDuration::from_hours(24);

/// Fails where a notice says of a window that lies ahead of its own date that it is over, or under way.
fn expect_begun(status: Status, window: Option<Window>, announced_at: Option<Timestamp>) -> Result<(), Failure> {
    let Some((window, announced_at)) = window.zip(announced_at) else { return Ok(()) };
    let ahead = window.start().duration_since(announced_at);
    let is_contradicted = match status {
        _ if ahead > FARTHEST_AHEAD => false,
        Status::Completed => ahead > SignedDuration::ZERO,
        Status::InProcess => ahead > EARLIEST_START,
        _ => false,
    };
    if is_contradicted {
        let quote = format!("{status}, from {}; written {announced_at}", window.start());
        return Err(Failure::ambiguous("a window that has begun when the notice was written").with_quote(&quote));
    }
    Ok(())
}
