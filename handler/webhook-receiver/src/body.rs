//! The body of a request, and the job that it announces.

use contract::{api_event::ApiEvent, job::JobId};
use data_encoding::BASE64;
use serde_json::{Map, Value};

/// Longest name of an event, in bytes.
const LONGEST_EVENT: usize = 256;
/// Longest text for people, in characters: a queue's message has a limit.
const LONGEST_MESSAGE: usize = 1000;

/// The place of a value in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// JSON pointer into the body.
    Pointer(String),
    /// Name of a header.
    Header(String),
}

/// The form of a job's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdForm {
    /// A UUID with hyphens.
    Uuid,
    /// Anything that a [`JobId`] can be.
    Token,
}

/// The reading of jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    /// Place of the job's id.
    pub id: Place,
    /// Place of the event's name.
    pub event: Place,
    /// Place of the text for people.
    pub message: Place,
    /// Events that are queued; empty queues all.
    pub events: Vec<String>,
    /// Form of the id.
    pub id_form: IdForm,
    /// `true` to refuse other events, instead of ignoring them.
    pub strict: bool,
    /// Largest body, in bytes.
    pub largest_body: usize,
}

/// The content of an authentic request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Announced {
    /// A job with its event and, in some formats, a message.
    Job { id: JobId, event: String, message: Option<String> },
    /// An event that nobody wants.
    Ignored(String),
}

/// A request whose sender made a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// HTTP status of the answer.
    pub(crate) status: u16,
    /// The mistake, for the sender.
    pub(crate) reason: String,
}

fn mistake(reason: impl Into<String>) -> Refused {
    Refused { status: 400, reason: reason.into() }
}

/// Returns the body as it was sent; `None` if its base64 cannot be read.
pub(crate) fn decode(event: &ApiEvent) -> Option<Vec<u8>> {
    if event.is_base64 { BASE64.decode(event.body.as_bytes()).ok() } else { Some(event.body.clone().into_bytes()) }
}

/// Returns a text without the two characters that SQS refuses, of those that JSON does not escape: one of them would keep a job from the
/// queue for ever.
fn sendable(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

impl Intake {
    /// Reads what a request announces. The event comes first: one that nobody wants may look in any way.
    pub(crate) fn read(&self, request: &ApiEvent, body: Option<&[u8]>) -> Result<Announced, Refused> {
        let document = Self::document(request, body.ok_or_else(|| mistake("the body is not valid base64"))?)?;
        let value = |place: &Place| match place {
            Place::Pointer(pointer) => document.pointer(pointer).filter(|value| !value.is_null()).cloned(),
            Place::Header(name) => request.header(name).map(Value::from),
        };
        let event = match value(&self.event) {
            Some(Value::String(event)) if event.len() <= LONGEST_EVENT => event,
            Some(Value::String(_)) => return Err(mistake(format!("the event has more than {LONGEST_EVENT} bytes"))),
            Some(_) => return Err(mistake("the event is not a string")),
            None if self.events.is_empty() => String::new(),
            None => return Err(mistake("the event is missing")),
        };
        if !self.events.is_empty() && !self.events.contains(&event) {
            return if self.strict { Err(mistake("this event is not taken")) } else { Ok(Announced::Ignored(event)) };
        }
        let id = match value(&self.id) {
            Some(Value::String(id)) => id,
            Some(_) => return Err(mistake("the id is not a string")),
            None => return Err(mistake("the id is missing")),
        };
        // The letters of a UUID are the same in both cases, and one job is one object.
        let id = if self.id_form == IdForm::Uuid { id.to_ascii_lowercase() } else { id };
        let id = JobId::read(&id).map_err(|error| mistake(error.to_string()))?;
        if self.id_form == IdForm::Uuid && !id.is_uuid() {
            return Err(mistake("the id is not a UUID"));
        }
        let message = value(&self.message).map(|message| match message {
            Value::String(message) => message,
            other => other.to_string(),
        });
        let message = message.map(|message| sendable(&message).chars().take(LONGEST_MESSAGE).collect());
        Ok(Announced::Job { id, event: sendable(&event), message })
    }

    /// Returns the refusal of a body that is too large.
    pub(crate) fn too_large(&self, body: &[u8]) -> Option<Refused> {
        let reason = || format!("the body has more than {} bytes", self.largest_body);
        (body.len() > self.largest_body).then(|| Refused { status: 413, reason: reason() })
    }

    /// Reads a body: a JSON object, or a form.
    fn document(request: &ApiEvent, body: &[u8]) -> Result<Value, Refused> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(mistake("the body is empty"));
        }
        // Twilio's codes cover the fields of a form: what is a form for them has to be one here.
        if webhook::is_form(request.header("content-type")) {
            let fields = webhook::form(body).map(|(name, value)| (name, Value::from(value)));
            return Ok(Value::Object(fields.collect::<Map<_, _>>()));
        }
        match serde_json::from_slice(body) {
            Ok(document @ Value::Object(_)) => Ok(document),
            Ok(_) => Err(mistake("the body is not a JSON object")),
            Err(error) => {
                Err(mistake(format!("the body is not valid JSON: line {}, column {}", error.line(), error.column())))
            }
        }
    }
}
