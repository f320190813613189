//! The MAINTNOTE reader: calendars whose entries have `X-MAINTNOTE-*` properties, as carriers agreed on them
//! (github.com/maint-notification).
//!
//! Each VEVENT is one maintenance. The standard asks for provider, account, maintenance id, object ids, impact and status. What
//! identifies a notice (account, id, DTSTAMP) has to be there, and so has an impact, unless the work is completed or cancelled; a
//! missing status is NO-CHANGE. A calendar without any such property is an ordinary invitation and no notice.

mod time;
mod written_times;
mod zone;

use std::collections::BTreeMap;

use super::{
    draft::{Draft, Times, bounded},
    failure::{Failure, FailureKind},
    found::{Found, Place, quote},
    model::{Circuit, Impact, Moment, Status},
    pattern::Pattern,
    provider::{Provider, Reading},
    source::Source,
};
use crate::calendar::{Component, PREFIX, Property};
use contract::identifier::is_placeholder;
use mail::Domain;
use time::Zones;

const OBJECT: &str = "X-MAINTNOTE-OBJECT-ID";
/// The parameter that tells the carrier's own value from others of the same name, such as an underlying carrier's.
const PRECEDENCE: &str = "X-MAINTNOTE-PRECEDENCE";

/// Returns the drafts of all calendars of the mail, in order; `None` if none of them is a MAINTNOTE. One incomplete entry makes the
/// whole mail a failure: a person gets the other entries as a suggestion. See [`suggest`].
pub fn read(source: &Source<'_>) -> Result<Option<Vec<Draft>>, Failure> {
    if let Some(failure) = source.calendars().iter().find_map(|content| content.failure.as_ref()) {
        return Err(failure.clone());
    }
    let mut entries = Vec::new();
    for entry in entries_of(source) {
        let entry = entry?;
        if let Some(failure) = entry.incomplete {
            return Err(failure);
        }
        entries.push(entry);
    }
    let drafts: Vec<_> = latest(entries)?.into_iter().map(|entry| entry.draft).collect();
    Ok((!drafts.is_empty()).then_some(drafts))
}

/// Returns what can be read of the calendars, entry by entry, for a person to confirm.
pub fn suggest(source: &Source<'_>) -> Vec<Draft> {
    // A list of objects that was cut reads like a shorter one.
    if source.calendars().iter().any(|content| content.failure.is_some()) {
        return Vec::new();
    }
    let entries = entries_of(source).into_iter().filter_map(Result::ok).collect();
    latest(entries).map_or_else(|_| Vec::new(), |entries| entries.into_iter().map(|entry| entry.draft).collect())
}

/// Returns the windows of the calendars' entries, MAINTNOTE or not, each once: an invitation may accompany a notice.
pub fn windows(source: &Source<'_>) -> Result<Vec<Times>, Failure> {
    let mut read = Vec::new();
    for_each_event(source, |event| {
        let status = event.status().map_or(Status::NoChange, |status| status.value);
        read.push(event.window(status));
    });
    let mut windows: Vec<Times> = Vec::new();
    for window in read {
        let Some(window) = window? else { continue };
        if windows.iter().all(|known| (known.0.value, known.1.value) != (window.0.value, window.1.value)) {
            windows.push(window);
        }
    }
    Ok(windows)
}

/// An entry as far as it was read.
struct Entry {
    draft: Draft,
    id: String,
    uid: Option<String>,
    sequence: u32,
    /// Reason why the entry is incomplete; `None` if it is complete.
    incomplete: Option<Failure>,
    /// Ordinal of its VEVENT among those of all calendars of the mail, from 1.
    number: usize,
}

fn entries_of(source: &Source<'_>) -> Vec<Result<Entry, Failure>> {
    let mut entries = Vec::new();
    for_each_event(source, |event| {
        if is_maintnote(event.component) {
            entries.push(event.read(source));
        }
    });
    entries
}

/// Calls `visit` with each VEVENT of the mail, MAINTNOTE or not.
fn for_each_event(source: &Source<'_>, mut visit: impl FnMut(&Event<'_>)) {
    let mut number = 0;
    let calendars = source.calendars().iter().flat_map(|content| &content.components);
    for calendar in calendars.filter(|component| component.is("VCALENDAR")) {
        let zones = Zones::of(calendar);
        let is_cancelled = calendar.first("METHOD").is_some_and(|method| method.text_is("CANCEL"));
        for component in calendar.components.iter().filter(|component| component.is("VEVENT")) {
            number += 1;
            visit(&Event { component, number, zones: &zones, is_cancelled });
        }
    }
}

/// Keeps of each maintenance under one UID the entry with the highest sequence: the others are its past.
///
/// Two entries of one maintenance with one sequence must say the same. Several maintenances may share a UID that means nothing: then
/// they begin with the same sequence. Otherwise one of them may replace another, and nobody can tell which.
fn latest(entries: Vec<Entry>) -> Result<Vec<Entry>, Failure> {
    let mut kept: Vec<Entry> = Vec::new();
    let mut first_sequences: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
    let mut last_numbers: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries {
        let Some(uid) = entry.uid.clone() else {
            kept.push(entry);
            continue;
        };
        let first = first_sequences.entry(uid.clone()).or_default().entry(entry.id.clone()).or_insert(entry.sequence);
        *first = entry.sequence.min(*first);
        last_numbers.insert(uid, entry.number);
        match kept.iter_mut().find(|known| known.uid == entry.uid && known.id == entry.id) {
            None => kept.push(entry),
            Some(twin) if entry.sequence > twin.sequence => *twin = entry,
            Some(twin) if entry.sequence == twin.sequence && !entry.draft.says_the_same(&twin.draft) => {
                return Err(contradiction(entry.uid.as_deref(), entry.number));
            }
            Some(_) => {}
        }
    }
    for (uid, number) in last_numbers {
        let mut firsts = first_sequences.get(&uid).into_iter().flat_map(BTreeMap::values);
        let first = firsts.next();
        if firsts.any(|other| Some(other) != first) {
            return Err(contradiction(Some(&uid), number));
        }
    }
    Ok(kept)
}

/// Returns the failure of an entry that contradicts another one with its UID.
fn contradiction(uid: Option<&str>, number: usize) -> Failure {
    let place = Place::Calendar { event: number, property: "UID" };
    let failure = Failure::ambiguous("one entry with this UID and sequence").with_quote(uid.unwrap_or_default());
    Failure { place: Some(place), ..failure }
}

/// Reads as [`read`] does; a mail without MAINTNOTE is a failure.
pub fn expect(source: &Source<'_>) -> Result<Vec<Draft>, Failure> {
    read(source)?.ok_or_else(|| Failure::missing("a calendar with X-MAINTNOTE properties"))
}

static MAINTENANCE: Pattern = Pattern::new(
    r"(?i)\b(?:maintenance|(?:planned|scheduled|emergency|urgent) (?:network )?(?:work|works|outage|change|activity))\b",
);

/// Reads a mail of a provider that announces by calendars alone. A mail without a MAINTNOTE is another mail of this sender, unless
/// it speaks of maintenance: then its calendar is missing.
pub fn read_or_other(source: &Source<'_>) -> Result<Reading, Failure> {
    if let Some(drafts) = read(source)? {
        return Ok(Reading::Notice(drafts));
    }
    let subject = source.subject();
    let mention = match source.body() {
        _ if MAINTENANCE.is_match(&subject.value) => Some(subject),
        Ok(body) => body.matching(&MAINTENANCE),
        // A mail without a body says nothing; one whose body cannot be read may say anything.
        Err(failure) if failure.kind == FailureKind::Missing => None,
        Err(failure) => return Err(failure),
    };
    match mention {
        Some(words) => Err(Failure {
            place: Some(words.place.clone()),
            ..Failure::missing("a calendar with X-MAINTNOTE properties").with_quote(&words.quote)
        }),
        None => Ok(Reading::Other("no MAINTNOTE calendar, and no word of maintenance".to_owned())),
    }
}

/// Returns whether a calendar of the mail has an entry with a MAINTNOTE property, complete or not.
pub fn is_announced(source: &Source<'_>) -> bool {
    let calendars = source.calendars().iter().flat_map(|content| &content.components);
    calendars.flat_map(|calendar| &calendar.components).any(is_maintnote)
}

/// Returns the part of a MAINTNOTE that identifies the provider: its name or one of its domains as `X-MAINTNOTE-PROVIDER`, or an
/// organizer there.
pub fn names(source: &Source<'_>, provider: &Provider) -> Option<Found<String>> {
    let properties = [("X-MAINTNOTE-PROVIDER", is_name as fn(&str, &Provider) -> bool), ("ORGANIZER", is_at)];
    let mut named = None;
    for_each_event(source, |event| {
        if named.is_some() || !is_maintnote(event.component) {
            return;
        }
        named = properties.iter().find_map(|(name, is_own)| {
            let property = event.ranked(name).find(|property| is_own(&property.value, provider))?;
            Some(property.found(name, event.number))
        });
    });
    named
}

/// Returns whether a text is a provider's name or domain.
pub fn is_name(text: &str, provider: &Provider) -> bool {
    let text = text.trim();
    text.eq_ignore_ascii_case(provider.slug)
        || text.eq_ignore_ascii_case(provider.name)
        || Domain::new(text).is_some_and(|domain| is_domain(&domain, provider))
}

/// Returns whether an organizer's address is at one of a provider's domains.
fn is_at(organizer: &str, provider: &Provider) -> bool {
    let domain = organizer.rsplit_once('@').and_then(|(_, domain)| Domain::new(domain));
    domain.is_some_and(|domain| is_domain(&domain, provider))
}

fn is_domain(domain: &Domain, provider: &Provider) -> bool {
    provider.domains.iter().any(|parent| domain.is_within(parent))
}

fn is_maintnote(event: &Component) -> bool {
    event.is("VEVENT") && event.properties.iter().any(|property| property.name.starts_with(PREFIX))
}

/// A VEVENT with what its calendar says about it.
struct Event<'calendar> {
    component: &'calendar Component,
    /// Ordinal among the VEVENTs of all calendars of the mail, from 1.
    number: usize,
    zones: &'calendar Zones,
    /// `true` if the calendar cancels its entries: `METHOD:CANCEL`.
    is_cancelled: bool,
}

impl Event<'_> {
    fn read(&self, source: &Source<'_>) -> Result<Entry, Failure> {
        let status = self.status()?;
        let stamp = self.expect("DTSTAMP")?.try_map("a time in UTC", |text| written_times::universal(text))?;
        let id = self.expect("X-MAINTNOTE-MAINTENANCE-ID")?;
        let mut entry = Entry {
            draft: Draft::new(source).id(id.clone()).circuits(self.circuits(status.value)?).stamp(stamp),
            id: id.value,
            uid: None,
            sequence: 0,
            incomplete: None,
            number: self.number,
        };
        match self.expect("X-MAINTNOTE-ACCOUNT") {
            Ok(account) if is_placeholder(&account.value) => {
                entry.incomplete = Some(Failure::malformed("an account", &account));
            }
            Ok(account) => entry.draft = entry.draft.account(account),
            Err(failure) => entry.incomplete = Some(failure),
        }
        for (name, set) in [
            ("X-MAINTNOTE-PROVIDER", Draft::announced_provider as fn(Draft, Found<String>) -> Draft),
            ("ORGANIZER", Draft::organizer),
            ("UID", Draft::uid),
            ("SUMMARY", Draft::summary),
        ] {
            if let Some(found) = self.one(name)?.filter(|found| !found.value.trim().is_empty()) {
                if name == "UID" {
                    entry.uid = Some(found.value.clone());
                }
                entry.draft = set(entry.draft, found);
            }
        }
        if let Some(sequence) = self.one("SEQUENCE")? {
            let sequence = sequence.try_map("a number", |text| text.trim().parse().ok())?;
            entry.sequence = sequence.value;
            entry.draft = entry.draft.sequence(sequence);
        }
        if let Some((start, end)) = self.window(status.value)? {
            entry.draft = entry.draft.window(start, end);
        }
        entry.draft = entry.draft.status(status);
        Ok(entry)
    }

    /// Returns the window, which must not repeat. `None` if the status is final and start or end is missing.
    fn window(&self, status: Status) -> Result<Option<Times>, Failure> {
        for name in ["RRULE", "RDATE"] {
            if let Some(rule) = self.component.first(name) {
                return Err(Failure::malformed("an entry that does not repeat", &rule.found(name, self.number)));
            }
        }
        let start = self.time("DTSTART")?;
        let end = match (self.time("DTEND")?, self.single("DTSTART")?, self.one("DURATION")?) {
            (None, Some(start), Some(duration)) => {
                Some(self.zones.read_end(start, start.found("DTSTART", self.number), duration)?)
            }
            (end, ..) => end,
        };
        match (start, end) {
            (Some(start), Some(end)) => Ok(Some((start, end))),
            _ if status.is_final() => Ok(None),
            (None, _) => Err(self.missing("DTSTART")),
            (_, None) => Err(self.missing("DTEND")),
        }
    }

    fn time(&self, name: &'static str) -> Result<Option<Found<Moment>>, Failure> {
        let Some(property) = self.single(name)? else { return Ok(None) };
        self.zones.read(property, property.found(name, self.number)).map(Some)
    }

    fn status(&self) -> Result<Found<Status>, Failure> {
        let stated = self
            .one("X-MAINTNOTE-STATUS")?
            .filter(|found| !found.value.trim().is_empty())
            .map(|found| found.try_map("a status of the MAINTNOTE standard", |text| status(text)))
            .transpose()?;
        let is_cancelled =
            self.is_cancelled || self.component.first("STATUS").is_some_and(|status| status.text_is("CANCELLED"));
        let by_calendar = if is_cancelled {
            Found::by_rule(Status::Cancelled, "an entry that its calendar cancels is cancelled")
        } else {
            Found::by_rule(Status::NoChange, "an entry without X-MAINTNOTE-STATUS changes no status")
        };
        match stated {
            None => Ok(by_calendar),
            Some(stated) if !is_cancelled || stated.value.is_final() => Ok(stated),
            Some(stated) if stated.value == Status::NoChange => Ok(by_calendar),
            Some(stated) => {
                Err(Failure::malformed("the status CANCELLED, for the calendar cancels this entry", &stated))
            }
        }
    }

    /// Returns the objects of the entry, each with its own impact or the common one.
    fn circuits(&self, status: Status) -> Result<Vec<Found<Circuit>>, Failure> {
        let common = self
            .one("X-MAINTNOTE-IMPACT")?
            .filter(|found| !found.value.trim().is_empty())
            .map(|found| found.try_map("an impact of the MAINTNOTE standard", |text| impact(text)))
            .transpose()?;
        let mut circuits = Vec::new();
        for object in self.component.all(OBJECT) {
            let own =
                ["X-MAINTNOTE-OBJECT-IMPACT", "X-MAINTNOTE-IMPACT"].iter().find_map(|name| object.parameter(name));
            // A blank object id names nothing.
            let ids = object.listed.iter().map(|id| id.trim()).filter(|id| !id.is_empty());
            for id in ids {
                let impact = match (own.map(str::trim).filter(|own| !own.is_empty()), &common) {
                    (Some(own), _) => impact(own).ok_or_else(|| {
                        let found = object.found(OBJECT, self.number);
                        Failure::malformed("an impact of the MAINTNOTE standard", &found).with_quote(own)
                    })?,
                    (None, Some(common)) => common.value,
                    // The impact on a circuit no longer matters once the work is completed or cancelled.
                    (None, None) if status.is_final() => Impact::NoImpact,
                    (None, None) => return Err(self.missing("X-MAINTNOTE-IMPACT")),
                };
                let place = Place::Calendar { event: self.number, property: OBJECT };
                let id = Found { value: id.to_owned(), place, quote: quote(id) };
                circuits.push(id.try_map("the id of an object", |id| Circuit::new(id, impact))?);
                bounded(1, circuits.len())?;
            }
        }
        if circuits.is_empty() && common.is_none() && !status.is_final() {
            return Err(self.missing("X-MAINTNOTE-IMPACT"));
        }
        Ok(circuits)
    }

    /// Returns the properties of a name: those that are ranked as primary, or all of them if none is.
    fn ranked(&self, name: &'static str) -> impl Iterator<Item = &Property> {
        let is_primary = |property: &Property| {
            property.parameter(PRECEDENCE).is_some_and(|rank| rank.trim().eq_ignore_ascii_case("PRIMARY"))
        };
        let has_primary = self.component.all(name).any(is_primary);
        self.component.all(name).filter(move |property| !has_primary || is_primary(property))
    }

    /// Returns the property of a name; a failure if several differ and none is ranked as primary.
    fn single(&self, name: &'static str) -> Result<Option<&Property>, Failure> {
        let mut all = self.ranked(name);
        let Some(first) = all.next() else { return Ok(None) };
        if let Some(other) = all.find(|other| other.value != first.value || other.parameters != first.parameters) {
            let failure = Failure::ambiguous(format!("one {name}"));
            let place = Some(Place::Calendar { event: self.number, property: name });
            return Err(Failure { place, ..failure.with_quote(&format!("{} … {}", first.value, other.value)) });
        }
        Ok(Some(first))
    }

    /// Returns the value of [`Self::single`] with its place.
    fn one(&self, name: &'static str) -> Result<Option<Found<String>>, Failure> {
        Ok(self.single(name)?.map(|property| property.found(name, self.number)))
    }

    fn expect(&self, name: &'static str) -> Result<Found<String>, Failure> {
        self.one(name)?.filter(|found| !found.value.trim().is_empty()).ok_or_else(|| self.missing(name))
    }

    fn missing(&self, name: &'static str) -> Failure {
        Failure { place: Some(Place::Calendar { event: self.number, property: name }), ..Failure::missing(name) }
    }
}

impl Property {
    /// Returns the value as it is written, white space around it included.
    fn found(&self, name: &'static str, event: usize) -> Found<String> {
        Found { value: self.value.clone(), place: Place::Calendar { event, property: name }, quote: quote(&self.value) }
    }
}

/// Returns the status of a word of the standard, or of another spelling that carriers use.
fn status(word: &str) -> Option<Status> {
    let word = hyphened(word);
    match word.as_str() {
        "CANCELED" => Some(Status::Cancelled),
        "RESCHEDULED" => Some(Status::ReScheduled),
        "IN-PROGRESS" | "INPROCESS" | "INPROGRESS" => Some(Status::InProcess),
        other => Status::from_word(other),
    }
}

fn impact(word: &str) -> Option<Impact> {
    Impact::from_word(&hyphened(word))
}

fn hyphened(word: &str) -> String {
    word.trim().to_ascii_uppercase().replace([' ', '_'], "-")
}

#[cfg(test)]
mod tests;
