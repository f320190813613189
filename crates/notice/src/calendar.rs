//! Content lines and components of a calendar. `icalendar` parses each line; how lines make components is here, so
//! that nesting needs no recursion and one broken line does not lose the others.
//!
//! Carriers fold lines wrongly: the rest of a value stands at the start of a line of its own. Such a line has no
//! name of a property before a colon and is passed over.

use icalendar::parser::{self, unfold};

use crate::failure::Failure;

/// Begins the name of each property of the MAINTNOTE extension.
pub(crate) const PREFIX: &str = "X-MAINTNOTE-";

/// The properties that somebody reads, besides those of the extension. Descriptions are long, and nobody does.
const READ: &[&str] = &[
    "DTEND",
    "DTSTAMP",
    "DTSTART",
    "DURATION",
    "METHOD",
    "ORGANIZER",
    "RDATE",
    "RRULE",
    "SEQUENCE",
    "STATUS",
    "SUMMARY",
    "TZID",
    "TZOFFSETFROM",
    "TZOFFSETTO",
    "UID",
    "X-LIC-LOCATION",
];

/// A part of a calendar: `BEGIN:NAME` to `END:NAME`.
#[derive(Debug, Default)]
pub(crate) struct Component {
    /// Name, in upper case.
    name: String,
    /// Properties in the order of the file.
    pub(crate) properties: Vec<Property>,
    /// Components in the order of the file.
    pub(crate) components: Vec<Component>,
}

/// A line of a component.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Property {
    /// Name, in upper case.
    pub(crate) name: String,
    /// Parameters, in order; names in upper case.
    pub(crate) parameters: Vec<(String, String)>,
    /// Value of the property, unescaped.
    pub(crate) value: String,
    /// The values of a list, each unescaped: what commas part that are not escaped. One, where there is none.
    pub(crate) listed: Vec<String>,
}

impl Component {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &Property> {
        self.properties.iter().filter(move |property| property.name == name)
    }

    pub(crate) fn first(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }
}

impl Property {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    /// Compares the value without case.
    pub(crate) fn text_is(&self, text: &str) -> bool {
        self.value.trim().eq_ignore_ascii_case(text)
    }
}

/// Components nest at most this deep: VCALENDAR, VEVENT, VALARM, and a little more.
const DEEPEST: usize = 8;

/// A calendar part of a mail.
#[derive(Debug)]
pub(crate) struct Content {
    /// Components, without what follows a fault.
    pub(crate) components: Vec<Component>,
    /// The failure of the calendar as a whole, such as a component that is not closed; `None` if there is none.
    pub(crate) failure: Option<Failure>,
    /// The text, each line unfolded.
    unfolded: String,
}

impl Content {
    /// Returns the text, each line unfolded.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.unfolded.lines()
    }

    /// Returns the text of each entry, as it is written but for the folding.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &str> {
        self.unfolded.split("BEGIN:VEVENT").skip(1)
    }
}

/// Returns the components of a text.
pub(crate) fn parse(text: &str) -> Content {
    let mut whole = Vec::new();
    let mut open: Vec<Component> = Vec::new();
    let mut failure = None;
    let unfolded = unfold(text);
    for line in unfolded.lines() {
        let line = line.trim_end_matches('\r').trim_start_matches('\u{feff}');
        if let Some(name) = after(line, "BEGIN:") {
            if open.len() == DEEPEST {
                failure = Some(Failure::too_large(format!("a calendar nested at most {DEEPEST} deep")));
                break;
            }
            open.push(Component { name, ..Component::default() });
        } else if let Some(name) = after(line, "END:") {
            // What was opened within and not closed ends here too; the end of something that is not open is no line.
            if open.iter().any(|component| component.name == name) {
                while let Some(component) = open.pop() {
                    let is_last = component.name == name;
                    if !is_last {
                        failure.get_or_insert_with(|| Failure::missing(format!("END:{}", component.name)));
                    }
                    close(component, &mut open, &mut whole);
                    if is_last {
                        break;
                    }
                }
            }
        } else if let Some(component) = open.last_mut() {
            component.properties.extend(property(line));
        }
    }
    if let (Some(outermost), None) = (open.first(), &failure) {
        failure = Some(Failure::cut_short(format!("END:{}", outermost.name)));
    }
    while let Some(component) = open.pop() {
        close(component, &mut open, &mut whole);
    }
    Content { components: whole, failure, unfolded }
}

fn close(component: Component, open: &mut [Component], whole: &mut Vec<Component>) {
    match open.last_mut() {
        Some(around) => around.components.push(component),
        None => whole.push(component),
    }
}

fn after(line: &str, keyword: &str) -> Option<String> {
    let start = line.get(..keyword.len())?;
    start
        .eq_ignore_ascii_case(keyword)
        .then(|| line.get(keyword.len()..).map(|name| name.trim().to_ascii_uppercase()))?
}

/// Returns a content line, if it is one.
fn property(line: &str) -> Option<Property> {
    let name_end = line.find([':', ';'])?;
    let name = line.get(..name_end)?;
    let is_read = name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
        || READ.iter().any(|read| read.eq_ignore_ascii_case(name));
    if !is_read {
        return None;
    }
    let property = parser::Property::try_from(line).ok()?;
    let name = property.name.as_str().to_ascii_uppercase();
    let parameters = property.params.iter().map(|parameter| {
        let value = parameter.val.as_ref().map_or("", |value| value.as_str());
        (parameter.key.as_str().to_ascii_uppercase(), value.to_owned())
    });
    let parameters = parameters.collect();
    Some(Property { name, parameters, value: property.val.as_str().to_owned(), listed: listed(raw_value(line)) })
}

/// Returns the text after the first colon outside quotation marks.
fn raw_value(line: &str) -> &str {
    let mut is_quoted = false;
    let colon = line.char_indices().find(|(_, letter)| {
        is_quoted ^= *letter == '"';
        *letter == ':' && !is_quoted
    });
    colon.and_then(|(at, _)| line.get(at + 1..)).unwrap_or_default()
}

/// Returns the values of a list; a comma behind a backslash is part of a value.
fn listed(raw: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut letters = raw.chars();
    while let Some(letter) = letters.next() {
        let next = match letter {
            ',' => {
                values.push(String::new());
                continue;
            }
            '\\' => match letters.next() {
                Some('n' | 'N') => '\n',
                Some(escaped) => escaped,
                None => '\\',
            },
            letter => letter,
        };
        if let Some(value) = values.last_mut() {
            value.push(next);
        }
    }
    values
}
