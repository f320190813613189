//! `apis`: HTTP APIs of API Gateway, the way in for webhooks. Each route invokes one function, which proves the sender of every
//! request by what the route declares: there is no route without it.

use std::{collections::BTreeMap, fmt, net::IpAddr};

use contract::webhook::{Authentication, Scheme};

use super::{
    Declaration, LOG_RETENTION,
    diagnostic::Diagnostic,
    protection::{KMS_KEY, PROTECT_DATA, protect},
    reader::{Fields, Reader, Wrong, choose},
    scalars,
    shape::{Field, Form, Holds, Kind, Shape},
    tags::{TAGS, tags},
    tree::{Key, Node, Value, at, span_of},
};

mod authentication;
mod cors;

pub use cors::Cors;

/// An HTTP API with its routes and its one stage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Api {
    /// Routes in the order of the file, each key once; all others answer 404.
    pub routes: Vec<ApiRoute>,
    /// Name of the stage; [`DEFAULT_STAGE`] is not part of the path.
    pub stage: String,
    /// Answers to browsers of other origins; `None` answers none.
    pub cors: Option<Cors>,
    /// Retention of its access log, in days: one of [`LOG_RETENTION`].
    pub log_retention: u16,
    /// ARN of the KMS key that encrypts its access log; `None` is that of the stack.
    pub kms_key: Option<String>,
    /// `true` to delete or replace it only by name, `false` to protect it no longer; `None` leaves that to the kind.
    pub protect: Option<bool>,
    /// Tags of the API; they override the stack's.
    pub tags: BTreeMap<String, String>,
}

/// The stage whose name is not part of the path.
pub const DEFAULT_STAGE: &str = "$default";

/// A route of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRoute {
    /// Method and path, as `POST /job-complete`.
    pub route: RouteKey,
    /// Entry name of the function that it invokes.
    pub invoke: String,
    /// Throttle of the route, in requests a second; never 0, which refuses everything.
    pub rate: u32,
    /// Requests beyond the rate that are taken at once; never 0, which refuses everything.
    pub burst: u32,
    /// Proof of the sender. Its secret is a variable of the function's `secrets`.
    pub authentication: Authentication,
    /// Networks that requests may come from, in CIDR notation; empty allows all.
    pub sources: Vec<String>,
}

/// The method and the path of a route, as API Gateway writes them: `POST /job-complete`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteKey(String);

impl RouteKey {
    /// Returns the key as API Gateway writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the method: `POST` or `PUT`.
    pub fn method(&self) -> &str {
        self.0.split_once(' ').map_or("", |(method, _)| method)
    }

    /// Returns the path, which begins with `/` and may have the variable `{token}`.
    pub fn path(&self) -> &str {
        self.0.split_once(' ').map_or("", |(_, path)| path)
    }

    /// Returns whether the path has the variable `{token}`.
    pub fn has_token(&self) -> bool {
        self.path().split('/').any(|part| part == TOKEN)
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Variable of a path that scheme `path` takes the secret from.
const TOKEN: &str = "{token}";
/// Longest key of a route (`SelectionKey` of API Gateway).
const LONGEST_ROUTE: usize = 128;
/// Methods by which webhooks come.
const METHODS: [&str; 2] = ["POST", "PUT"];
/// Routes that API Gateway takes in one API.
const MOST_ROUTES: usize = 300;

const ROUTE: Form = Form {
    what: "a method and a path, such as `POST /job-complete`",
    pattern: "^(POST|PUT) /([A-Za-z0-9._~-]+|\\{token\\})?(/([A-Za-z0-9._~-]+|\\{token\\}))*$",
};
const SOURCE: Form =
    Form { what: "a network in CIDR notation, such as `203.0.113.0/24`", pattern: "^[0-9A-Fa-f:.]+/[0-9]{1,3}$" };
const STAGE: Form =
    Form { what: "`$default`, or letters, digits, `-` and `_`", pattern: "^(\\$default|[A-Za-z0-9_-]{1,128})$" };
pub(super) static SHAPE: Shape = Shape {
    name: "api",
    keys: &[
        Field::new(
            "routes",
            Holds::List(&Holds::Mapping(&ROUTE_SHAPE)),
            "Routes, each with the function that it invokes. Everything else is answered with 404.",
        )
        .required(
            "[{route: POST /job-complete, invoke: receiver, authentication: {scheme: bearer, secret: WEBHOOK_SECRET}}]",
        ),
        Field::new("stage", Holds::Text(STAGE), "Name of the stage. `$default` is not part of the path.")
            .or(DEFAULT_STAGE),
        Field::new(
            "cors",
            Holds::Mapping(&cors::SHAPE),
            "Answers to browsers of other origins (CORS). Without it there are none.",
        ),
        Field::new("log_retention", Holds::OneOfDays(LOG_RETENTION), "Retention of its access log.").or("30d"),
        KMS_KEY,
        PROTECT_DATA,
        TAGS,
    ],
};

static ROUTE_SHAPE: Shape = Shape {
    name: "route",
    keys: &[
        Field::new(
            "route",
            Holds::Text(ROUTE),
            "Method and path, by `POST` or `PUT`. A path with `{token}` needs the scheme `path`.",
        )
        .required("POST /job-complete"),
        Field::new("invoke", Holds::Reference(Kind::Function), "The function that it invokes.").required("receiver"),
        Field::new(
            "rate",
            Holds::Number(1, 10_000),
            "Requests a second that are let through; API Gateway answers the others with 429.",
        )
        .or("10"),
        Field::new("burst", Holds::Number(1, 5000), "Requests beyond the rate that are let through at once.").or("20"),
        Field::new(
            "authentication",
            Holds::Mapping(&authentication::SHAPE),
            "Proof of the sender, which the function checks before anything else.",
        )
        .required("{scheme: bearer, secret: WEBHOOK_SECRET}"),
        Field::new(
            "sources",
            Holds::List(&Holds::Text(SOURCE)),
            "Networks that requests may come from, which the function checks. Without it, any.",
        ),
    ],
};

pub(super) fn read(reader: &mut Reader, key: &Key, node: &Node) -> Api {
    let fields = &reader.fields(node, &key.span, format!("api `{}`", key.name), &SHAPE);
    Api {
        routes: routes(reader, fields),
        stage: reader.text(fields, "stage", stage).unwrap_or_default(),
        cors: cors::read(reader, fields),
        log_retention: reader.one_of_days(fields, "log_retention").unwrap_or_default(),
        kms_key: reader.text(fields, "kms_key", scalars::kms_key),
        protect: protect(reader, fields),
        tags: tags(reader, fields),
    }
}

/// Reads the routes, each key once.
fn routes(reader: &mut Reader, fields: &Fields<'_>) -> Vec<ApiRoute> {
    let items = reader.items(fields, "routes", "{route: POST /job-complete, …}");
    if items.is_empty() && matches!(fields.get("routes"), Some(Node { value: Value::List(_), .. })) {
        let message = format!("{} has no routes, so that nothing can come in", fields.subject);
        reader.diagnose(&fields.span_of("routes"), message, "add a route, or remove the API");
    }
    if let Some(item) = items.get(MOST_ROUTES) {
        let message = format!("API Gateway takes at most {MOST_ROUTES} routes in one API");
        reader.diagnose(&item.span, message, "move some of them to another API");
    }
    let mut routes: Vec<ApiRoute> = Vec::new();
    for item in items {
        let Some(route) = route(reader, item) else { continue };
        if routes.iter().any(|other| other.route == route.route) {
            let span = at(item, &["route"]).map_or(&item.span, |node| &node.span);
            reader.diagnose(span, format!("route `{}` is there twice", route.route), "remove one of them");
        }
        routes.push(route);
    }
    routes
}

fn route(reader: &mut Reader, node: &Node) -> Option<ApiRoute> {
    let fields = &reader.fields(node, &node.span, "a route".to_owned(), &ROUTE_SHAPE);
    let key = reader.text(fields, "route", route_key);
    let invoke = reader.reference(fields, "invoke");
    let (rate, burst) = (reader.number(fields, "rate"), reader.number(fields, "burst"));
    let authentication = authentication::read(reader, fields);
    let sources = sources(reader, fields);
    let (key, authentication) = (key?, authentication?);
    match (&authentication.scheme, key.has_token()) {
        (Scheme::Path, false) => {
            let message = format!("scheme `path` takes the secret from `{TOKEN}`, and `{key}` has none");
            reader.diagnose(&fields.span_of("route"), message, format!("write `route: {key}/{TOKEN}`"));
        }
        (Scheme::Path, true) | (_, false) => {}
        (_, true) => {
            let message = format!("`{key}` takes every text for `{TOKEN}`, and no other scheme than `path` checks it");
            reader.diagnose(&fields.span_of("route"), message, "remove it, or write `scheme: path`");
        }
    }
    Some(ApiRoute { route: key, invoke: invoke?, rate: rate?, burst: burst?, authentication, sources })
}

/// Reads the networks that requests may come from, each once.
fn sources(reader: &mut Reader, fields: &Fields<'_>) -> Vec<String> {
    let sources = texts(reader, fields, "sources", (SOURCE, "203.0.113.0/24"), source);
    if matches!(fields.get("sources"), Some(Node { value: Value::List(items), .. }) if items.is_empty()) {
        let message = "`sources` is empty, which would take requests from anywhere";
        reader.diagnose(&fields.span_of("sources"), message, "name a network, or remove `sources`");
    }
    sources
}

/// Reads a list of texts, each once.
fn texts(
    reader: &mut Reader,
    fields: &Fields<'_>,
    name: &str,
    (form, example): (Form, &str),
    read: impl Fn(&str) -> Result<String, Wrong>,
) -> Vec<String> {
    let mut texts = Vec::new();
    for item in reader.items(fields, name, example) {
        let Some(text) = reader.scalar(item, name, form.what, &read) else { continue };
        if texts.contains(&text) {
            let message = format!("`{text}` is there twice in `{name}`");
            reader.report(Diagnostic::new(item.span.clone(), message).with_hint("remove one of them"));
        }
        texts.push(text);
    }
    texts
}

/// Parses the key of a route.
fn route_key(text: &str) -> Result<RouteKey, Wrong> {
    if text == DEFAULT_STAGE {
        let wrong = Wrong::expected("one method and path: `$default` would take every request");
        return Err(wrong.hint("write each route, such as `POST /job-complete`"));
    }
    let Some((method, path)) = text.split_once(' ') else {
        let hint = text.starts_with('/').then(|| format!("write `POST {text}`"));
        return Err(hint.map_or_else(Wrong::default, |hint| Wrong::default().hint(hint)));
    };
    if !METHODS.contains(&method) {
        let upper = method.to_ascii_uppercase();
        let wrong = Wrong::expected("a route by `POST` or `PUT`, as webhooks come");
        return Err(if METHODS.contains(&upper.as_str()) {
            wrong.hint(format!("write `{upper} {path}`"))
        } else {
            wrong
        });
    }
    let parts: Vec<&str> = path.split('/').collect();
    let [first, parts @ ..] = parts.as_slice() else { return Err(Wrong::default()) };
    let is_plain = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte))
            && !["", ".", ".."].contains(&part)
    };
    if let Some(variable) = parts.iter().find(|part| part.contains(['{', '}']) && **part != TOKEN) {
        let wrong = Wrong::expected(format!("a route without other variables than `{TOKEN}`"));
        return Err(wrong.hint(format!("write `{variable}` out, or call it `{TOKEN}` if it is the secret")));
    }
    let sound = first.is_empty()
        && text.len() <= LONGEST_ROUTE
        && parts.iter().filter(|part| **part == TOKEN).count() <= 1
        && (path == "/" || parts.iter().all(|part| *part == TOKEN || is_plain(part)));
    if sound { Ok(RouteKey(text.to_owned())) } else { Err(Wrong::default()) }
}

/// Parses a network in CIDR notation, whose address has no bits beyond its length.
fn source(text: &str) -> Result<String, Wrong> {
    let Some((address, length)) = text.split_once('/') else {
        let address = text.parse::<IpAddr>().map_err(|_| Wrong::default())?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        return Err(Wrong::default().hint(format!("for that address alone write `{address}/{whole}`")));
    };
    let address: IpAddr = address.parse().map_err(|_| Wrong::default())?;
    let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    let length: u32 = length.parse().ok().filter(|_| is_number).ok_or_else(Wrong::default)?;
    let network: IpAddr = match address {
        IpAddr::V4(address) if length <= 32 => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or_default();
            std::net::Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) if length <= 128 => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or_default();
            std::net::Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
        _ => return Err(Wrong::default()),
    };
    if length == 0 {
        return Err(Wrong::expected("a network smaller than all addresses").hint("remove `sources` to allow any"));
    }
    if network != address {
        return Err(Wrong::expected("the address of a network").hint(format!("write `{network}/{length}`")));
    }
    Ok(format!("{network}/{length}"))
}

/// Parses the name of a stage.
fn stage(text: &str) -> Result<String, Wrong> {
    let is_name = (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if is_name || text == DEFAULT_STAGE { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Checks what the routes and the functions that they invoke say of each other.
pub(super) fn check(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    let mut met: BTreeMap<(&str, &RouteKey), (&str, &ApiRoute)> = BTreeMap::new();
    for (entry, api) in &declaration.apis {
        for route in &api.routes {
            let place = |path: &[&str]| place(root, entry, &route.route, path);
            let Some(function) = declaration.functions.get(&route.invoke) else { continue };
            let secret = &route.authentication.secret;
            if !function.secrets.contains_key(secret) {
                let message = format!(
                    "function `{}` has no secret `{secret}`, by which the route knows its sender",
                    route.invoke
                );
                let known: Vec<&str> = function.secrets.keys().map(String::as_str).collect();
                let hint = if known.is_empty() {
                    format!(
                        "write `secrets: {{{secret}: ENTRY}}` in the function, with an entry of the section `secrets`"
                    )
                } else {
                    choose(secret, "its secrets", &known)
                };
                reader.diagnose(&place(&["authentication", "secret"]), message, hint);
            }
            // The function tells requests of one route apart by nothing, whatever API they come through.
            if let Some((other, same)) = met.insert((&route.invoke, &route.route), (entry, route))
                && other != entry
                && (same.authentication != route.authentication || same.sources != route.sources)
            {
                let message = format!(
                    "`{}` of API `{other}` invokes function `{}` too, with another proof of the sender",
                    route.route, route.invoke
                );
                reader.diagnose(
                    &place(&["route"]),
                    message,
                    "use another path, or the same `authentication` and `sources`",
                );
            }
        }
    }
}

/// Returns the place of what a route declares, by the route's key.
fn place(root: &Node, entry: &str, route: &RouteKey, path: &[&str]) -> std::ops::Range<usize> {
    let list = at(root, &["apis", entry, "routes"]);
    let items = list.map_or(&[][..], |list| if let Value::List(items) = &list.value { items } else { &[] });
    let is_it = |item: &&Node| matches!(at(item, &["route"]), Some(Node { value: Value::Text(text), .. }) if text == route.as_str());
    let item = items.iter().rfind(is_it);
    item.and_then(|item| at(item, path)).map_or_else(|| span_of(root, &["apis", entry]), |node| node.span.clone())
}

#[cfg(test)]
mod tests;
