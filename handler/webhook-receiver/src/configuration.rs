//! The configuration of the function `webhook-receiver`, read once from its environment at the start.

use std::collections::BTreeMap;

use contract::context::{self, Context};
use runtime::environment::{Aws, ConfigurationError, Reader, Secret, SecretPlace};

use crate::{
    body::{IdForm, Intake, Place},
    route::ReceivingRoute,
};

/// Largest body without `LARGEST_BODY`, in bytes.
const LARGEST_BODY: usize = 256 * 1024;
/// Most digits of `LARGEST_BODY`: API Gateway takes 10 MB.
const MOST_DIGITS: usize = 8;

/// The configuration of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Context: the function's name and its stack.
    pub context: Context,
    /// Routes that invoke it.
    pub routes: Vec<ReceivingRoute>,
    /// Reading of the jobs that requests announce.
    pub intake: Intake,
    /// URL of the queue.
    pub queue: String,
    /// Places of the routes' secrets, by environment variable.
    pub secrets: BTreeMap<String, SecretPlace>,
    /// Region and credentials of AWS.
    pub aws: Aws,
}

impl Configuration {
    /// Reads the configuration; `variable` looks one up. Everything that is wrong is reported at once.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigurationError> {
        let mut reader = Reader::new(variable);
        let (context, intake) = (reader.context(), intake(&mut reader));
        let of_stack = context.map(|context| {
            let (routes, queue) = (routes(&mut reader, &context), queue(&mut reader, &context));
            let secrets = secrets(&mut reader, &context, &routes);
            (context, routes, queue, secrets)
        });
        let aws = reader.aws();
        let all = of_stack.zip(intake).zip(aws).and_then(|(((context, routes, queue, secrets), intake), aws)| {
            Some(Self { context, routes, intake, queue: queue?, secrets, aws })
        });
        reader.finish(all)
    }
}

fn routes(reader: &mut Reader<'_>, context: &Context) -> Vec<ReceivingRoute> {
    if context.routes.is_empty() {
        reader.problem(context::VARIABLE, "has no route: one of the section `apis` must invoke the function");
    }
    let mut routes = Vec::new();
    for route in &context.routes {
        match ReceivingRoute::read(route) {
            Ok(route) => routes.push(route),
            Err(fault) => reader.problem(context::VARIABLE, fault),
        }
    }
    routes
}

/// Returns the places of the routes' secrets: the context names them, or, for trials, the variables have their values.
fn secrets(reader: &mut Reader<'_>, context: &Context, routes: &[ReceivingRoute]) -> BTreeMap<String, SecretPlace> {
    let mut places = BTreeMap::new();
    for variable in routes.iter().map(|route| &route.secret) {
        let stored = context.secrets.get(variable).map(|name| SecretPlace::SecretsManager(name.clone()));
        let given = || reader.optional(variable).map(|value| SecretPlace::Given(Secret::from(value)));
        match stored.or_else(given) {
            Some(place) => {
                places.insert(variable.clone(), place);
            }
            None => reader.problem(
                context::VARIABLE,
                format!("has a route with the secret `{variable}`, which the function's `secrets` must name"),
            ),
        }
    }
    places
}

/// Returns the URL of the queue that `QUEUE` names, or of the only one.
fn queue(reader: &mut Reader<'_>, context: &Context) -> Option<String> {
    const QUEUE: &str = "QUEUE";
    let known = || context.sends.keys().map(|entry| format!("`{entry}`")).collect::<Vec<_>>().join(", ");
    match (reader.optional(QUEUE), context.sends.len()) {
        (_, 0) => {
            reader.problem(context::VARIABLE, "has no queue: the function's `sends` must name one");
            None
        }
        (None, 1) => context.sends.values().next().cloned(),
        (None, _) => {
            reader.problem(QUEUE, format!("is missing, and the function sends to several queues: {}", known()));
            None
        }
        (Some(entry), _) => {
            let url = context.sends.get(entry.trim()).cloned();
            if url.is_none() {
                reader.problem(QUEUE, format!("is `{entry}`, and the function sends to {}", known()));
            }
            url
        }
    }
}

fn intake(reader: &mut Reader<'_>) -> Option<Intake> {
    let (id, event, message) =
        (place(reader, "ID", "/id"), place(reader, "EVENT", "/event"), place(reader, "MESSAGE", "/msg"));
    let events = reader.list("EVENTS");
    let id_form = reader.word("ID_FORM", &[("uuid", IdForm::Uuid), ("token", IdForm::Token)]);
    let (strict, largest_body) = (reader.switch("STRICT"), largest_body(reader));
    Some(Intake {
        id: id?,
        event: event?,
        message: message?,
        events,
        id_form: id_form?,
        strict,
        largest_body: largest_body?,
    })
}

/// Reads the place of a value: a JSON pointer, or `header:NAME`.
fn place(reader: &mut Reader<'_>, name: &'static str, default: &str) -> Option<Place> {
    let value = reader.optional(name).unwrap_or_else(|| default.to_owned());
    let value = value.trim();
    let is_header = |header: &str| {
        let is_allowed = |letter: u8| letter.is_ascii_alphanumeric() || b"!#$%&'*+.^_`|~-".contains(&letter);
        !header.is_empty() && header.bytes().all(is_allowed)
    };
    let is_pointer = value.starts_with('/') && value.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    match value.strip_prefix("header:") {
        Some(header) if is_header(header) => Some(Place::Header(header.to_owned())),
        None if is_pointer => Some(Place::Pointer(value.to_owned())),
        _ => {
            reader
                .problem(name, format!("is `{value}`; expected a JSON pointer such as `{default}`, or `header:NAME`"));
            None
        }
    }
}

fn largest_body(reader: &mut Reader<'_>) -> Option<usize> {
    const NAME: &str = "LARGEST_BODY";
    let Some(value) = reader.optional(NAME) else { return Some(LARGEST_BODY) };
    let value = value.trim();
    let is_number =
        value.len() <= MOST_DIGITS && !value.starts_with('0') && value.bytes().all(|letter| letter.is_ascii_digit());
    let number = value.parse().ok().filter(|_| is_number);
    if number.is_none() {
        reader.problem(NAME, format!("is `{value}`; expected a number of bytes, at least 1, such as `{LARGEST_BODY}`"));
    }
    number
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::BTreeSet};

    use serde_json::{Value, json};

    use super::*;

    const CONTEXT: &str = r#"{"stack":"egress","function":"receiver","secrets":{"HOOK":"egress-hook"},
        "sends":{"jobs":"https://sqs.eu-west-1.amazonaws.com/1/jobs"},
        "routes":[{"route":"POST /a","authentication":{"scheme":"bearer","secret":"HOOK"},"sources":["203.0.113.0/24"]}]}"#;

    fn look_up(changes: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        let sound = [
            ("PROVISION_CONTEXT", CONTEXT),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "key"),
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"),
            ("AWS_LAMBDA_FUNCTION_NAME", "receiver"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ];
        let all: BTreeMap<String, String> =
            sound.iter().chain(changes).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        move |name| all.get(name).cloned()
    }

    fn read(changes: &[(&str, &str)]) -> Result<Configuration, String> {
        Configuration::read(&look_up(changes)).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_those_of_the_platform() {
        let configuration = read(&[]).unwrap();
        assert_eq!(configuration.queue, "https://sqs.eu-west-1.amazonaws.com/1/jobs");
        assert_eq!(configuration.secrets["HOOK"], SecretPlace::SecretsManager("egress-hook".to_owned()));
        let pointer = |path: &str| Place::Pointer(path.to_owned());
        let expected = Intake {
            id: pointer("/id"),
            event: pointer("/event"),
            message: pointer("/msg"),
            events: Vec::new(),
            id_form: IdForm::Uuid,
            strict: false,
            largest_body: 262_144,
        };
        assert_eq!(configuration.intake, expected);
        let changed = read(&[
            ("ID", " header:X-Id "),
            ("EVENT", "/a/~1b"),
            ("EVENTS", "one, two"),
            ("ID_FORM", "token"),
            ("STRICT", "true"),
            ("LARGEST_BODY", "10"),
        ]);
        let intake = changed.unwrap().intake;
        assert_eq!((intake.id, intake.event), (Place::Header("X-Id".to_owned()), pointer("/a/~1b")));
        assert_eq!((intake.events.len(), intake.strict, intake.largest_body), (2, true, 10));
    }

    #[test]
    fn everything_that_is_wrong_is_reported_at_the_start() {
        let context = |old: &str, new: &str| {
            assert!(CONTEXT.contains(old), "{old}");
            read(&[("PROVISION_CONTEXT", &CONTEXT.replace(old, new))]).unwrap_err()
        };
        for (fault, words) in [
            (context(r#""HOOK":"egress-hook""#, ""), "which the function's `secrets` must name"),
            (context(r#""jobs":"https://sqs.eu-west-1.amazonaws.com/1/jobs""#, ""), "has no queue"),
            (context(r#""sends":{"#, r#""sends":{"more":"https://b","#), "`QUEUE` is missing"),
            (context("bearer", "path"), "lacks `{token}`"),
            (context("203.0.113.0/24", "203.0.113.0/99"), "not a network"),
            (context("bearer", "odd"), "cannot be read"),
            (context(r#""routes":["#, r#""routes":[],"old":["#), "has no route"),
            (read(&[("QUEUE", "other")]).unwrap_err(), "`QUEUE` is `other`, and the function sends to `jobs`"),
            (read(&[("ID", "id"), ("STRICT", "yes"), ("AWS_REGION", "")]).unwrap_err(), "`ID` is `id`"),
            (read(&[("ID", "id"), ("STRICT", "yes"), ("AWS_REGION", "")]).unwrap_err(), "`STRICT` is `yes`"),
            (read(&[("ID", "id"), ("STRICT", "yes"), ("AWS_REGION", "")]).unwrap_err(), "`AWS_REGION` is missing"),
        ] {
            assert!(fault.contains(words), "{words}: {fault}");
        }
        // For trials, a secret may stand in the environment.
        let given = [("PROVISION_CONTEXT", &*CONTEXT.replace(r#""HOOK":"egress-hook""#, "")), ("HOOK", "value")];
        assert_eq!(read(&given).unwrap().secrets["HOOK"], SecretPlace::Given("value".into()));
    }

    #[test]
    fn the_schema_describes_the_variables_that_are_read() {
        let schema: Value = serde_json::from_str(include_str!("../configuration.json")).unwrap();
        let asked = RefCell::new(BTreeSet::new());
        let sound = look_up(&[]);
        let recording = |name: &str| {
            asked.borrow_mut().insert(name.to_owned());
            sound(name)
        };
        Configuration::read(&recording).unwrap();
        let is_ours = |name: &String| name != "PROVISION_CONTEXT" && !name.starts_with("AWS_");
        let asked: BTreeSet<String> = asked.into_inner().into_iter().filter(is_ours).collect();
        let described: BTreeSet<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(described, asked);
        let schema = jsonschema::validator_for(&schema).unwrap();
        let places = ["/id", "/", "/a~0/b~1", "/a~2", "/a~", "id", "header:X-Id", "header:", "header:a b", " /id ", ""];
        for (name, values) in [
            ("ID", &places[..]),
            ("EVENT", &places),
            ("MESSAGE", &places),
            ("EVENTS", &["", "a", "a, b", ",,"]),
            ("ID_FORM", &["uuid", "token", " uuid ", "UUID", ""]),
            ("STRICT", &["true", "false", "yes", " true ", ""]),
            ("QUEUE", &["jobs"]),
            ("LARGEST_BODY", &["1", "0", "01", "10485760", "100000000", "-1", "1.5", "a", " 12 ", ""]),
        ] {
            for value in values {
                let is_valid = schema.is_valid(&json!({ name: value }));
                assert_eq!(is_valid, read(&[(name, value)]).is_ok(), "{name}={value}");
            }
        }
    }
}
