//! The MAINTNOTE reader: calendars whose entries have `X-MAINTNOTE-*` properties, as carriers agreed on them
//! (github.com/maint-notification).
//!
//! Each VEVENT is one maintenance. The standard asks for provider, account, maintenance id, object ids, impact and status. What
//! identifies a notice (account, id, DTSTAMP) has to be there; a status that is missing is NO-CHANGE, and an impact that is
//! missing is taken for the worst. A calendar without any such property is an ordinary invitation and no notice.

mod content;
mod time;
mod zone;

use jiff::Timestamp;

use super::{
    draft::Draft,
    failure::Failure,
    found::{Found, Place, quote},
    model::{Circuit, Impact, Status},
    pattern::Pattern,
    provider::{Provider, Reading},
    providers,
    source::Source,
};
use content::{Component, Property};
pub(super) use content::{Content, parse};
use mail::Domain;
use time::Zones;

const PREFIX: &str = "X-MAINTNOTE-";

/// The drafts of all calendars of the mail, in order; `None` if none of them is a MAINTNOTE.
pub fn read(source: &Source<'_>) -> Result<Option<Vec<Draft>>, Failure> {
    let mut drafts = Vec::new();
    let mut event_number = 0;
    for content in source.calendars() {
        if let Some(failure) = &content.failure {
            return Err(failure.clone());
        }
        for calendar in content.components.iter().filter(|component| component.is("VCALENDAR")) {
            let zones = Zones::of(calendar);
            let is_cancelled = calendar.first("METHOD").is_some_and(|method| method.text_is("CANCEL"));
            for event in calendar.components.iter().filter(|component| component.is("VEVENT")) {
                event_number += 1;
                if is_maintnote(event) {
                    let event = Event { component: event, number: event_number, zones: &zones, is_cancelled };
                    drafts.push(event.read(source)?);
                }
            }
        }
    }
    Ok((!drafts.is_empty()).then_some(drafts))
}

/// Like [`read`], a failure where the mail has no MAINTNOTE.
pub fn expect(source: &Source<'_>) -> Result<Vec<Draft>, Failure> {
    read(source)?.ok_or_else(|| Failure::missing("a calendar with X-MAINTNOTE properties"))
}

static MAINTENANCE: Pattern = Pattern::new(
    r"(?i)\b(?:maintenance|(?:planned|scheduled|emergency|urgent) (?:network )?(?:work|works|outage|change|activity))\b",
);

/// What a mail is of a provider that announces by calendars alone. One without a MAINTNOTE is another mail of this
/// sender, unless it speaks of maintenance: then its calendar is missed.
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

/// Whether a calendar of the mail has an entry with a MAINTNOTE property, be it whole or not.
pub fn is_announced(source: &Source<'_>) -> bool {
    maintnotes(source).next().is_some()
}

/// What a MAINTNOTE of the mail says that makes it this provider's: its name or one of its domains as
/// `X-MAINTNOTE-PROVIDER`, or an organizer there.
pub fn names(source: &Source<'_>, provider: &Provider) -> Option<Found<String>> {
    let properties = [("X-MAINTNOTE-PROVIDER", is_name as fn(&str, &Provider) -> bool), ("ORGANIZER", is_at)];
    maintnotes(source).enumerate().find_map(|(index, event)| {
        properties.iter().find_map(|(name, is_own)| {
            let property = event.first(name)?;
            is_own(&property.value, provider).then(|| property.found(name, index + 1))
        })
    })
}

/// Returns the provider that we know by a name or domain in `X-MAINTNOTE-PROVIDER`.
pub fn provider_named(text: &str) -> Option<&'static Provider> {
    providers::ALL.iter().copied().find(|provider| is_name(text, provider))
}

fn maintnotes<'source>(source: &'source Source<'_>) -> impl Iterator<Item = &'source Component> {
    let calendars = source.calendars().iter().flat_map(|content| &content.components);
    calendars.flat_map(|calendar| &calendar.components).filter(|event| is_maintnote(event))
}

fn is_name(text: &str, provider: &Provider) -> bool {
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

type FoundWindow = (Found<Timestamp>, Found<Timestamp>);

struct Event<'calendar> {
    component: &'calendar Component,
    number: usize,
    zones: &'calendar Zones,
    /// The calendar is sent to take its entries back.
    is_cancelled: bool,
}

impl Event<'_> {
    fn read(&self, source: &Source<'_>) -> Result<Draft, Failure> {
        let status = self.status()?;
        let stamp = self.expect("DTSTAMP")?.try_map("a time in UTC", |text| time::universal(text))?;
        let mut draft = Draft::new(source)
            .account(self.expect("X-MAINTNOTE-ACCOUNT")?)
            .id(self.expect("X-MAINTNOTE-MAINTENANCE-ID")?)
            .circuits(self.circuits()?)
            .stamp(stamp);
        for (name, set) in [
            ("X-MAINTNOTE-PROVIDER", Draft::announced_provider as fn(Draft, Found<String>) -> Draft),
            ("ORGANIZER", Draft::organizer),
            ("UID", Draft::uid),
            ("SUMMARY", Draft::summary),
        ] {
            if let Some(found) = self.one(name)?.filter(|found| !found.value.trim().is_empty()) {
                draft = set(draft, found);
            }
        }
        if let Some(sequence) = self.one("SEQUENCE")? {
            draft = draft.sequence(sequence.try_map("a number", |text| text.trim().parse().ok())?);
        }
        if let Some(rule) = self.component.first("RRULE").or_else(|| self.component.first("RDATE")) {
            return Err(Failure::malformed("an entry that does not repeat", &rule.found("RRULE", self.number)));
        }
        if let Some((start, end)) = self.window(status.value)? {
            draft = draft.window(start, end);
        }
        Ok(draft.status(status))
    }

    /// The window; a final notice may lack one end of it, and then has none.
    fn window(&self, status: Status) -> Result<Option<FoundWindow>, Failure> {
        let start = self.time("DTSTART")?;
        let end = match (self.time("DTEND")?, &start, self.one("DURATION")?) {
            (None, Some(start), Some(duration)) => {
                Some(duration.try_map("a duration", |text| time::after(start.value, text))?)
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

    fn time(&self, name: &'static str) -> Result<Option<Found<Timestamp>>, Failure> {
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

    fn circuits(&self) -> Result<Vec<Found<Circuit>>, Failure> {
        let common = self
            .one("X-MAINTNOTE-IMPACT")?
            .filter(|found| !found.value.trim().is_empty())
            .map(|found| found.try_map("an impact of the MAINTNOTE standard", |text| impact(text)))
            .transpose()?;
        let mut circuits = Vec::new();
        for object in self.component.all("X-MAINTNOTE-OBJECT-ID") {
            let found = object.found("X-MAINTNOTE-OBJECT-ID", self.number);
            let own = object.parameter("X-MAINTNOTE-OBJECT-IMPACT").map(str::trim).filter(|own| !own.is_empty());
            let impact = match (own, &common) {
                (Some(own), _) => impact(own)
                    .ok_or_else(|| Failure::malformed("an impact of the MAINTNOTE standard", &found).with_quote(own))?,
                (None, Some(common)) => common.value,
                (None, None) => Impact::Outage,
            };
            // A blank object id names nothing.
            if let Some(circuit) = Circuit::new(&found.value, impact) {
                circuits.push(found.map(|_| circuit));
            }
        }
        Ok(circuits)
    }

    /// The property of that name; a failure if there are several that differ.
    fn one(&self, name: &'static str) -> Result<Option<Found<String>>, Failure> {
        let mut all = self.component.all(name);
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
    /// The value as it is written, white space around it included.
    fn found(&self, name: &'static str, event: usize) -> Found<String> {
        Found { value: self.value.clone(), place: Place::Calendar { event, property: name }, quote: quote(&self.value) }
    }
}

/// A status word of the standard, or a spelling of it that carriers use.
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
