//! The MAINTNOTE reader: calendars whose entries have `X-MAINTNOTE-*` properties, as carriers agreed on them
//! (github.com/maint-notification).
//!
//! Each VEVENT is one maintenance. The standard asks for provider, account, maintenance id, object ids, impact and status. What
//! identifies a notice (account, id, DTSTAMP) has to be there, and so has an impact, unless the work is over or off; a status that
//! is missing is NO-CHANGE. A calendar without any such property is an ordinary invitation and no notice.

mod time;
mod zone;

use super::{
    draft::{Draft, Times},
    failure::Failure,
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

/// Returns the drafts of all calendars of the mail, in order; `None` if none of them is a MAINTNOTE. An entry that is not whole
/// makes all of them a failure: a person gets the others as a suggestion. See [`suggest`].
pub fn read(source: &Source<'_>) -> Result<Option<Vec<Draft>>, Failure> {
    if let Some(failure) = source.calendars().iter().find_map(|content| content.failure.as_ref()) {
        return Err(failure.clone());
    }
    let mut entries = Vec::new();
    for entry in entries_of(source) {
        let entry = entry?;
        if let Some(failure) = entry.lacks {
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

/// Returns the windows of the calendars' entries, MAINTNOTE or not, each once: what an invitation beside a notice says.
pub fn windows(source: &Source<'_>) -> Result<Vec<Times>, Failure> {
    let mut read = Vec::new();
    for_each_event(source, |event| read.push(event.window(Status::Confirmed)));
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
    lacks: Option<Failure>,
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

fn for_each_event(source: &Source<'_>, mut look: impl FnMut(&Event<'_>)) {
    let mut number = 0;
    let calendars = source.calendars().iter().flat_map(|content| &content.components);
    for calendar in calendars.filter(|component| component.is("VCALENDAR")) {
        let zones = Zones::of(calendar);
        let is_cancelled = calendar.first("METHOD").is_some_and(|method| method.text_is("CANCEL"));
        for component in calendar.components.iter().filter(|component| component.is("VEVENT")) {
            number += 1;
            look(&Event { component, number, zones: &zones, is_cancelled });
        }
    }
}

/// Returns, of entries with one UID, the one with the highest sequence: the others are its past. Entries without a rank contradict
/// each other, unless they are of several maintenances under a meaningless UID.
fn latest(entries: Vec<Entry>) -> Result<Vec<Entry>, Failure> {
    let mut kept: Vec<Entry> = Vec::new();
    for entry in entries {
        let twin = kept.iter_mut().find(|known| known.uid.is_some() && known.uid == entry.uid);
        let Some(twin) = twin else {
            kept.push(entry);
            continue;
        };
        let is_same = twin.id == entry.id;
        if is_same && entry.sequence > twin.sequence {
            *twin = entry;
        } else if !is_same && entry.sequence == twin.sequence {
            kept.push(entry);
        } else if !is_same || (entry.sequence == twin.sequence && !entry.draft.says_the_same(&twin.draft)) {
            let place = Place::Calendar { event: entry.number, property: "UID" };
            let quote = entry.uid.unwrap_or_default();
            let failure = Failure::ambiguous("one entry with this UID and sequence").with_quote(&quote);
            return Err(Failure { place: Some(place), ..failure });
        }
    }
    Ok(kept)
}

/// Like [`read`], a failure where the mail has no MAINTNOTE.
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
    let spoken = match source.body() {
        _ if MAINTENANCE.is_match(&subject.value) => Some(subject),
        Ok(body) => body.matching(&MAINTENANCE),
        Err(_) => None,
    };
    match spoken {
        Some(words) => Err(Failure {
            place: Some(words.place.clone()),
            ..Failure::missing("a calendar with X-MAINTNOTE properties").with_quote(&words.quote)
        }),
        None => Ok(Reading::Other("no MAINTNOTE calendar, and no word of maintenance".to_owned())),
    }
}

/// Returns `true` if a calendar of the mail has an entry with a MAINTNOTE property, be it whole or not.
pub fn is_announced(source: &Source<'_>) -> bool {
    maintnotes(source).next().is_some()
}

/// Returns the part of a MAINTNOTE that identifies the provider: its name or one of its domains as `X-MAINTNOTE-PROVIDER`, or an
/// organizer there.
pub fn names(source: &Source<'_>, provider: &Provider) -> Option<Found<String>> {
    let properties = [("X-MAINTNOTE-PROVIDER", is_name as fn(&str, &Provider) -> bool), ("ORGANIZER", is_at)];
    maintnotes(source).enumerate().find_map(|(index, event)| {
        properties.iter().find_map(|(name, is_own)| {
            let property = event.first(name)?;
            is_own(&property.value, provider).then(|| property.found(name, index + 1))
        })
    })
}

fn maintnotes<'source>(source: &'source Source<'_>) -> impl Iterator<Item = &'source Component> {
    let calendars = source.calendars().iter().flat_map(|content| &content.components);
    calendars.flat_map(|calendar| &calendar.components).filter(|event| is_maintnote(event))
}

/// Returns whether a text is a provider's name or domain.
pub(crate) fn is_name(text: &str, provider: &Provider) -> bool {
    let text = text.trim();
    text.eq_ignore_ascii_case(provider.slug)
        || text.eq_ignore_ascii_case(provider.name)
        || Domain::new(text).is_some_and(|domain| is_domain(&domain, provider))
}

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

struct Event<'calendar> {
    component: &'calendar Component,
    number: usize,
    zones: &'calendar Zones,
    /// The calendar is sent to take its entries back.
    is_cancelled: bool,
}

impl Event<'_> {
    fn read(&self, source: &Source<'_>) -> Result<Entry, Failure> {
        let status = self.status()?;
        let stamp = self.expect("DTSTAMP")?.try_map("a time in UTC", |text| time::universal(text))?;
        let id = self.expect("X-MAINTNOTE-MAINTENANCE-ID")?;
        let mut entry = Entry {
            draft: Draft::new(source).id(id.clone()).circuits(self.circuits(status.value)?).stamp(stamp),
            id: id.value,
            uid: None,
            sequence: 0,
            lacks: None,
            number: self.number,
        };
        match self.expect("X-MAINTNOTE-ACCOUNT") {
            Ok(account) if is_placeholder(&account.value) => {
                entry.lacks = Some(Failure::malformed("an account", &account));
            }
            Ok(account) => entry.draft = entry.draft.account(account),
            Err(failure) => entry.lacks = Some(failure),
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
        if let Some(rule) = self.component.first("RRULE").or_else(|| self.component.first("RDATE")) {
            return Err(Failure::malformed("an entry that does not repeat", &rule.found("RRULE", self.number)));
        }
        if let Some((start, end)) = self.window(status.value)? {
            entry.draft = entry.draft.window(start, end);
        }
        entry.draft = entry.draft.status(status);
        Ok(entry)
    }

    /// Returns the window; a final notice may lack one end of it, and then has none.
    fn window(&self, status: Status) -> Result<Option<Times>, Failure> {
        let start = self.time("DTSTART")?;
        let end = match (self.time("DTEND")?, self.one("DTSTART")?, self.one("DURATION")?) {
            (None, Some(start), Some(duration)) => match self.component.first("DTSTART") {
                Some(property) => Some(self.zones.read_end(property, start, duration)?),
                None => None,
            },
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
        let Some(found) = self.one(name)? else { return Ok(None) };
        let Some(property) = self.component.first(name) else { return Ok(None) };
        self.zones.read(property, found).map(Some)
    }

    fn status(&self) -> Result<Found<Status>, Failure> {
        let stated = self
            .one("X-MAINTNOTE-STATUS")?
            .filter(|found| !found.value.trim().is_empty())
            .map(|found| found.try_map("a status of the MAINTNOTE standard", |text| status(text)))
            .transpose()?;
        let is_off =
            self.is_cancelled || self.component.first("STATUS").is_some_and(|status| status.text_is("CANCELLED"));
        match stated {
            Some(stated) if !is_off || stated.value.is_final() => Ok(stated),
            Some(stated) if stated.value != Status::NoChange => {
                Err(Failure::malformed("the status CANCELLED, for the calendar takes this entry back", &stated))
            }
            _ if is_off => Ok(Found::by_rule(Status::Cancelled, "a calendar entry that is taken back is cancelled")),
            _ => Ok(Found::by_rule(Status::NoChange, "an entry without X-MAINTNOTE-STATUS changes no status")),
        }
    }

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
            let found = object.found(OBJECT, self.number);
            // A blank object id names nothing.
            let ids = object.listed.iter().map(|id| id.trim()).filter(|id| !id.is_empty());
            for id in ids {
                let impact = match (own.map(str::trim).filter(|own| !own.is_empty()), &common) {
                    (Some(own), _) => impact(own).ok_or_else(|| {
                        Failure::malformed("an impact of the MAINTNOTE standard", &found).with_quote(own)
                    })?,
                    (None, Some(common)) => common.value,
                    // What was to happen to a circuit matters no more once the work is over or off.
                    (None, None) if status.is_final() => Impact::NoImpact,
                    (None, None) => return Err(self.missing("X-MAINTNOTE-IMPACT")),
                };
                let id = found.clone().map(|_| id.to_owned());
                circuits.push(id.try_map("the id of an object", |id| Circuit::new(id, impact))?);
            }
        }
        Ok(circuits)
    }

    /// Returns the property of that name; of several the primary one, a failure if nothing ranks them and they differ.
    fn one(&self, name: &'static str) -> Result<Option<Found<String>>, Failure> {
        let is_primary = |property: &&Property| {
            property.parameter(PRECEDENCE).is_some_and(|rank| rank.trim().eq_ignore_ascii_case("PRIMARY"))
        };
        let has_primary = self.component.all(name).any(|property| is_primary(&property));
        let mut all = self.component.all(name).filter(|property| !has_primary || is_primary(property));
        let Some(first) = all.next() else { return Ok(None) };
        if let Some(other) = all.find(|other| other.value != first.value || other.parameters != first.parameters) {
            let failure = Failure::ambiguous(format!("one {name}"));
            return Err(failure.with_quote(&format!("{} … {}", first.value, other.value)));
        }
        Ok(Some(first.found(name, self.number)))
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

/// Returns a status word of the standard, or a spelling of it that carriers use.
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
