//! The routes of an API: which one a request is for, and how many a second it takes.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Mutex, PoisonError},
};

use contract::webhook::Authentication;
use percent_encoding::percent_decode_str;
use tokio::time::Instant;

/// A route, and the function that it invokes.
#[derive(Debug)]
pub(crate) struct Route {
    /// Method and path as the declaration writes them: the route key of API Gateway.
    pub key: String,
    /// Entry name of the function.
    pub function: String,
    /// Proof of the sender.
    pub authentication: Authentication,
    /// Address that its requests seem to come from.
    pub source: IpAddr,
    method: String,
    segments: Vec<Segment>,
    throttle: Throttle,
}

#[derive(Debug)]
enum Segment {
    Text(String),
    Variable(String),
}

impl Route {
    /// Reads a route of the form `POST /in/{token}`. `sources` are the networks that it takes requests from: since all requests come from
    /// this machine, they seem to come from the first of them.
    pub(crate) fn new(
        key: &str,
        (function, authentication): (&str, Authentication),
        sources: &[String],
        (rate, burst): (f64, f64),
    ) -> Self {
        let (method, path) = key.split_once(' ').unwrap_or((key, "/"));
        let first = sources.first().and_then(|network| network.split('/').next()).and_then(|first| first.parse().ok());
        let segment = |text: &str| match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) => Segment::Variable(name.to_owned()),
            None => Segment::Text(text.to_owned()),
        };
        Self {
            key: key.to_owned(),
            function: function.to_owned(),
            authentication,
            source: first.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            method: method.to_owned(),
            segments: path.split('/').map(segment).collect(),
            throttle: Throttle::new(rate, burst),
        }
    }

    /// Returns the values of the path's variables if a request is for this route; `None` if it is not.
    pub(crate) fn values(&self, method: &str, path: &str) -> Option<Vec<(String, String)>> {
        let parts: Vec<&str> = path.split('/').collect();
        if self.method != method || parts.len() != self.segments.len() {
            return None;
        }
        let mut values = Vec::new();
        for (segment, part) in self.segments.iter().zip(parts) {
            match segment {
                Segment::Text(text) if text == part => {}
                Segment::Variable(name) if !part.is_empty() => {
                    values.push((name.clone(), percent_decode_str(part).decode_utf8_lossy().into_owned()));
                }
                Segment::Text(_) | Segment::Variable(_) => return None,
            }
        }
        Some(values)
    }

    /// Returns whether a request of now is within the rate.
    pub(crate) fn admits(&self) -> bool {
        self.throttle.admits(Instant::now())
    }

    /// Returns the number of variables: a route with fewer of them is the better match.
    pub(crate) fn variables(&self) -> usize {
        self.segments.iter().filter(|segment| matches!(segment, Segment::Variable(_))).count()
    }
}

/// A token bucket: `burst` requests at once, `rate` of them back every second.
#[derive(Debug)]
struct Throttle {
    rate: f64,
    burst: f64,
    /// Requests that may come at a time.
    state: Mutex<(f64, Option<Instant>)>,
}

impl Throttle {
    fn new(rate: f64, burst: f64) -> Self {
        Self { rate, burst, state: Mutex::new((burst, None)) }
    }

    fn admits(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, last) = *state;
        let passed = last.map_or(0.0, |last| now.saturating_duration_since(last).as_secs_f64());
        let left = (left + passed * self.rate).min(self.burst);
        let is_admitted = left >= 1.0;
        *state = (if is_admitted { left - 1.0 } else { left }, Some(now));
        is_admitted
    }
}

/// Returns the proof by the header `Authorization`.
#[cfg(test)]
pub(super) fn bearer() -> Authentication {
    Authentication { scheme: contract::webhook::Scheme::Bearer, secret: "SECRET".to_owned() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn route(key: &str) -> Route {
        Route::new(key, ("receiver", bearer()), &["2001:db8::/32".to_owned()], (10.0, 20.0))
    }

    #[test]
    fn a_request_is_for_the_route_of_its_method_and_path_alone() {
        let token = |value: &str| Some(vec![("token".to_owned(), value.to_owned())]);
        for (key, method, path, expected) in [
            ("POST /job-complete", "POST", "/job-complete", Some(vec![])),
            ("POST /job-complete", "GET", "/job-complete", None),
            ("POST /job-complete", "post", "/job-complete", None),
            ("POST /job-complete", "POST", "/job-complete/", None),
            ("POST /job-complete", "POST", "/Job-complete", None),
            ("POST /job-complete", "POST", "/", None),
            ("POST /job-complete", "POST", "//job-complete", None),
            ("PUT /", "PUT", "/", Some(vec![])),
            ("POST /in/{token}", "POST", "/in/abc", token("abc")),
            ("POST /in/{token}", "POST", "/in/a%2Fb", token("a/b")),
            ("POST /in/{token}", "POST", "/in/", None),
            ("POST /in/{token}", "POST", "/in/a/b", None),
            ("POST /{token}/in", "POST", "/abc/in", token("abc")),
        ] {
            assert_eq!(route(key).values(method, path), expected, "{key}: {method} {path}");
        }
        assert_eq!(route("POST /a").source.to_string(), "2001:db8::");
        assert_eq!(Route::new("POST /a", ("f", bearer()), &[], (1.0, 1.0)).source.to_string(), "127.0.0.1");
    }

    #[test]
    fn a_burst_is_taken_at_once_and_then_the_rate() {
        let throttle = Throttle::new(10.0, 3.0);
        let now = Instant::now();
        let taken = |after: u64, asked: usize| {
            let time = now + Duration::from_millis(after);
            (0..asked).filter(|_| throttle.admits(time)).count()
        };
        assert_eq!([taken(0, 5), taken(99, 5), taken(250, 5), taken(60_000, 5)], [3, 0, 2, 3]);
    }
}
