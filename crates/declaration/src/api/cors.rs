//! `cors` of an API: its answers to browsers of other origins.

use std::time::Duration;

use super::{METHODS, texts};
use crate::{
    reader::{Fields, Reader, Wrong},
    scalars,
    shape::{Field, Form, Holds, Shape},
};

/// Answers to browsers of other origins (CORS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// Origins that may ask, such as `https://example.com`; `*` is any.
    pub origins: Vec<String>,
    /// Methods that they may use.
    pub methods: Vec<String>,
    /// Headers that they may send, in lower case.
    pub headers: Vec<String>,
    /// Time for which a browser keeps the answer; zero keeps none.
    pub max_age: Duration,
}

const ORIGIN: Form =
    Form { what: "an origin such as `https://example.com`, or `*`", pattern: "^(\\*|https?://[^/ ]+)$" };
const METHOD: Form = Form { what: "`POST`, `PUT` or `*`", pattern: "^(POST|PUT|\\*)$" };
const CORS_HEADER: Form = Form { what: "the name of a header, or `*`", pattern: "^([A-Za-z0-9-]{1,50}|\\*)$" };

/// Bounds for the time that a browser keeps an answer; browsers take no more than a day.
const MAX_AGE: Holds = Holds::Duration(Duration::ZERO, Duration::from_hours(24));

pub(super) static SHAPE: Shape = Shape {
    name: "cors",
    keys: &[
        Field::new("origins", Holds::List(&Holds::Text(ORIGIN)), "Origins that may ask.")
            .required("[https://example.com]"),
        Field::new("methods", Holds::List(&Holds::Text(METHOD)), "Methods that they may use.").required("[POST]"),
        Field::new("headers", Holds::List(&Holds::Text(CORS_HEADER)), "Headers that they may send."),
        Field::new("max_age", MAX_AGE, "Time for which a browser keeps the answer.").or("0s"),
    ],
};

pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Option<Cors> {
    let fields = &reader.mapping(fields, "cors")?;
    let any_of = |form: Form, sound: fn(&str) -> bool| {
        move |text: &str| if sound(text) { Ok(text.to_owned()) } else { Err(Wrong::expected(form.what)) }
    };
    Some(Cors {
        origins: texts(reader, fields, "origins", (ORIGIN, "https://example.com"), any_of(ORIGIN, is_origin)),
        methods: texts(reader, fields, "methods", (METHOD, "POST"), any_of(METHOD, is_method)),
        headers: texts(reader, fields, "headers", (CORS_HEADER, "content-type"), |text| match text {
            "*" => Ok("*".to_owned()),
            _ => scalars::header(text).map(|name| name.to_ascii_lowercase()),
        }),
        max_age: reader.duration(fields, "max_age").unwrap_or_default(),
    })
}

fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_host = |host: &str| {
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte))
    };
    text == "*" || host.is_some_and(is_host)
}

fn is_method(text: &str) -> bool {
    text == "*" || METHODS.contains(&text)
}
