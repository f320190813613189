//! HTTP APIs, as API Gateway serves them: the declared routes and nothing else, each request an event for its function, the answer made
//! from the function's.

mod answer;
mod cors;
mod event;
mod route;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{StatusCode, request::Parts},
    response::Response,
};
use contract::webhook::Authentication;
use declaration::Cors;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::oneshot;

use self::event::Incoming;
pub(crate) use self::route::Route;
use crate::{
    function::{Answered, Event, Function, Item},
    ids,
    observer::{Activity, Next, Observer, Trigger},
    work::Work,
};

/// API Gateway's limit on a body, in bytes.
const LARGEST_BODY: usize = 10 * 1024 * 1024;
/// API Gateway's limit on the time of an answer.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// The stage whose name is not part of the path.
const DEFAULT_STAGE: &str = "$default";
/// Id of every API: AWS makes them up.
const API_ID: &str = "local";
/// Pause of a file's request that the throttle of its route does not admit yet.
const PAUSE: Duration = Duration::from_millis(50);
/// Characters that are told of an answer that refuses.
const LONGEST_REFUSAL: usize = 300;

/// A local HTTP API, with its routes and the functions behind them.
#[derive(Debug)]
pub struct Api {
    pub(crate) stage: String,
    /// Answers to browsers of other origins; `None` gives none.
    pub(crate) cors: Option<Cors>,
    pub(crate) routes: Vec<Route>,
    /// Functions by the names of their entries.
    pub(crate) functions: BTreeMap<String, Arc<Function>>,
    pub(crate) observer: Observer,
    pub(crate) work: Work,
    /// `true` once no more requests are taken.
    pub(crate) is_closed: Arc<AtomicBool>,
}

/// Whoever sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// A client, by HTTP.
    Client,
    /// A file of that name. Its request waits until the route's throttle admits it.
    File(String),
}

impl Sender {
    /// Returns the sender as people are told it.
    fn origin(&self) -> String {
        match self {
            Self::Client => "HTTP".to_owned(),
            Self::File(name) => name.clone(),
        }
    }
}

/// A request that a route takes.
struct Taken<'api> {
    route: &'api Route,
    /// Values of the path's variables.
    values: Vec<(String, String)>,
}

impl Api {
    /// Returns the proof that a route wants of its senders; `None` if there is no such route.
    pub(crate) fn authentication(&self, route: &str) -> Option<&Authentication> {
        self.routes.iter().find(|known| known.key == route).map(|route| &route.authentication)
    }

    /// Returns `true` if no more requests are taken.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// Answers a request as API Gateway would.
    pub async fn answer(&self, request: Request, sender: &Sender) -> Response {
        let (parts, body) = request.into_parts();
        let Some(cors) = &self.cors else { return self.answer_any(&parts, body, sender).await };
        if let Some(answer) = cors::preflight(cors, &parts.method, &parts.headers) {
            return answer;
        }
        let mut response = self.answer_any(&parts, body, sender).await;
        cors::mark(cors, &parts.headers, &mut response);
        response
    }

    async fn answer_any(&self, parts: &Parts, body: Body, sender: &Sender) -> Response {
        let (id, origin) = (ids::api_request(), sender.origin());
        // Begun before the look, so that whoever closes and then waits for all work misses none.
        let _work = self.work.begin();
        let taken = loop {
            match self.take(parts.method.as_str(), parts.uri.path()) {
                Ok(taken) => break taken,
                Err(StatusCode::TOO_MANY_REQUESTS) if *sender != Sender::Client => tokio::time::sleep(PAUSE).await,
                Err(status) => return self.turn_away(sender, parts, status, &id),
            }
        };
        let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
            return self.turn_away(sender, parts, StatusCode::PAYLOAD_TOO_LARGE, &id);
        };
        let route = taken.route;
        let Some(function) = self.functions.get(&route.function) else {
            return self.turn_away(sender, parts, StatusCode::INTERNAL_SERVER_ERROR, &id);
        };
        self.observer.tell(Activity::Requested { item: id.clone(), origin, route: route.key.clone() });
        let incoming = Incoming {
            api: API_ID,
            stage: &self.stage,
            id: &id,
            route: &route.key,
            values: taken.values,
            source: route.source,
            method: parts.method.as_str(),
            uri: &parts.uri,
            version: parts.version,
            headers: &parts.headers,
            body: &body,
        };
        let event = event::build(&incoming, Timestamp::now());
        let answered = tokio::time::timeout(TIME_LIMIT, self.invoke(function, route, &id, event)).await;
        let response = match answered {
            Ok(Ok(Some(answer))) => answer::of_function(&answer, &id),
            Ok(Ok(None)) => answer::own(StatusCode::INTERNAL_SERVER_ERROR, &id),
            // The function goes on; or the run ends.
            Err(_) | Ok(Err(_)) => answer::own(StatusCode::SERVICE_UNAVAILABLE, &id),
        };
        let (status, refusal) = (response.status(), refusal(response.body(), response.status()));
        self.observer.tell(Activity::Answered { item: id, status: status.as_u16(), refusal });
        response.map(Body::from)
    }

    /// Returns the beginning of every path: empty, or a slash and the stage.
    pub(crate) fn path_of_stage(&self) -> String {
        if self.stage == DEFAULT_STAGE { String::new() } else { format!("/{}", self.stage) }
    }

    /// Returns the route of a request, or the status with which it is turned away.
    fn take(&self, method: &str, path: &str) -> Result<Taken<'_>, StatusCode> {
        let taken = self.best(method, path).ok_or(StatusCode::NOT_FOUND)?;
        if self.is_closed() {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        if taken.route.admits() { Ok(taken) } else { Err(StatusCode::TOO_MANY_REQUESTS) }
    }

    /// Returns the route with the fewest variables that has this method and path.
    fn best(&self, method: &str, path: &str) -> Option<Taken<'_>> {
        let path = path.strip_prefix(&self.path_of_stage());
        let matching =
            |route| path.and_then(|path| Route::values(route, method, path)).map(|values| Taken { route, values });
        self.routes.iter().filter_map(matching).min_by_key(|taken| taken.route.variables())
    }

    /// Answers a request that no function sees. It is told by its route, whose path may have a secret in the request; by its path only if
    /// a client asks for what no route has.
    fn turn_away(&self, sender: &Sender, parts: &Parts, status: StatusCode, id: &str) -> Response {
        let request = match (self.best(parts.method.as_str(), parts.uri.path()), sender) {
            (Some(taken), _) => taken.route.key.clone(),
            (None, Sender::Client) => format!("{} {}", parts.method, parts.uri.path()),
            (None, Sender::File(_)) => format!("{} to no route", parts.method),
        };
        let origin = sender.origin();
        self.observer.tell(match sender {
            Sender::Client => Activity::TurnedAway { origin, request, status: status.as_u16() },
            Sender::File(_) => {
                Activity::NotPosted { origin, route: request, reason: format!("answered with {status}") }
            }
        });
        answer::own(status, id).map(Body::from)
    }

    /// Invokes the function, whose result is told even if nobody waits for it any more. The receiver gets its answer, or `None` if it failed.
    fn invoke(
        &self,
        function: &Arc<Function>,
        route: &Route,
        id: &str,
        event: Value,
    ) -> oneshot::Receiver<Option<Value>> {
        let (item, by) = (id.to_owned(), Trigger::Route(route.key.clone()));
        self.observer.tell(Activity::Handed { item: item.clone(), by, function: function.entry.clone() });
        let attempt = function.invoke(Event {
            items: vec![Item { id: item.clone(), body: String::new() }],
            payload: Arc::new(event),
            request_id: ids::uuid(),
        });
        let (ended, ending) = oneshot::channel();
        let (observer, work, entry) = (self.observer.clone(), self.work.begin(), function.entry.clone());
        tokio::spawn(async move {
            let Ok(result) = attempt.await else { return };
            let answer = match result {
                Ok(Answered { answer, usage }) => {
                    observer.tell(Activity::Succeeded { item, function: entry, usage });
                    Some(answer)
                }
                Err(failure) => {
                    observer.tell(Activity::Failed { item, function: entry, failure, next: Next::InternalError });
                    None
                }
            };
            let _nobody_waits = ended.send(answer);
            drop(work);
        });
        ending
    }
}

/// Returns the words of an answer that refuses; empty for any other.
fn refusal(body: &[u8], status: StatusCode) -> String {
    if !status.is_client_error() && !status.is_server_error() {
        return String::new();
    }
    String::from_utf8_lossy(body).chars().take(LONGEST_REFUSAL).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(stage: &str) -> Api {
        let route = |key: &str| Route::new(key, ("receiver", crate::api::route::bearer()), &[], (0.01, 2.0));
        Api {
            stage: stage.to_owned(),
            cors: None,
            routes: vec![route("POST /in/{token}"), route("POST /in/fixed")],
            functions: BTreeMap::new(),
            observer: Observer::new().0,
            work: Work::new(),
            is_closed: Arc::default(),
        }
    }

    #[tokio::test]
    async fn requests_that_no_route_takes_are_turned_away_as_api_gateway_does() {
        let asked = async |api: &Api, method: &str, path: &str| {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let response = api.answer(request, &Sender::Client).await;
            let status = response.status().as_u16();
            let body = to_bytes(response.into_body(), 1024).await.unwrap();
            format!("{status} {}", String::from_utf8_lossy(&body))
        };
        let api_of_default = api(DEFAULT_STAGE);
        assert_eq!(asked(&api_of_default, "GET", "/in/a").await, r#"404 {"message":"Not Found"}"#);
        assert_eq!(asked(&api_of_default, "POST", "/").await, r#"404 {"message":"Not Found"}"#);
        for _ in 0..2 {
            // There is no function here.
            assert_eq!(asked(&api_of_default, "POST", "/in/a").await, r#"500 {"message":"Internal Server Error"}"#);
        }
        assert_eq!(asked(&api_of_default, "POST", "/in/a").await, r#"429 {"message":"Too Many Requests"}"#);
        assert_eq!(asked(&api_of_default, "POST", "/in/fixed").await, r#"500 {"message":"Internal Server Error"}"#);
        let large = vec![0; LARGEST_BODY + 1];
        let request = Request::builder().method("POST").uri("/in/fixed").body(Body::from(large)).unwrap();
        assert_eq!(api_of_default.answer(request, &Sender::Client).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
        api_of_default.is_closed.store(true, Ordering::SeqCst);
        assert_eq!(asked(&api_of_default, "POST", "/in/b").await, r#"503 {"message":"Service Unavailable"}"#);
        assert_eq!(asked(&api_of_default, "POST", "/else").await, r#"404 {"message":"Not Found"}"#);
    }

    #[test]
    fn the_path_begins_with_the_stage_and_the_fixed_route_comes_first() {
        let api = api("v1");
        let route = |path: &str| api.take("POST", path).map_or("none", |taken| taken.route.key.as_str());
        assert_eq!(route("/v1/in/a"), "POST /in/{token}");
        assert_eq!(route("/v1/in/fixed"), "POST /in/fixed");
        assert_eq!([route("/in/a"), route("/v2/in/a"), route("/v1in/a")], ["none"; 3]);
    }
}
