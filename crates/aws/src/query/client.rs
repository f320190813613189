//! The client: each call is an operation of the SDK's own runtime, with the parts that its generated clients have.

use aws_config::SdkConfig;
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, SharedInterceptor},
        orchestrator::{HttpRequest, HttpResponse, OrchestratorError},
        result::SdkError,
    },
};
use aws_smithy_types::body::SdkBody;
use data_encoding::HEXLOWER;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::{Call, Element, Service, refusal::Refusal};
use crate::{OrFail, operation::Caller};
use engine::{Class, Failure};

/// Maximum number of pages: a service that never ends its list does not block a run.
const MOST_PAGES: usize = 500;
/// Characters that a form does not escape.
const IN_FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A client of one service.
#[derive(Debug, Clone)]
pub struct Client {
    service: Service,
    caller: Caller,
}

impl Client {
    /// Returns a client for the region of the configuration, or for the endpoint that `AWS_ENDPOINT_URL_<SERVICE>`, a profile or
    /// `AWS_ENDPOINT_URL` names.
    pub fn new(config: &SdkConfig, service: Service) -> Self {
        Self { service, caller: Caller::new(config, service.id, service.name) }
    }

    /// Makes a client as `new` does, with an observer of its calls.
    pub fn observed(config: &SdkConfig, service: Service, observer: impl Intercept + 'static) -> Self {
        let client = Self::new(config, service);
        Self { caller: client.caller.with(SharedInterceptor::new(observer)), ..client }
    }

    /// Makes a call and returns the answer's outermost element; `None` if what it is about does not exist.
    pub async fn find(&self, call: &Call) -> Result<Option<Element>, Failure> {
        match self.call(call).await {
            Ok(answer) => Ok(Some(answer)),
            Err(failure) if failure.class == Class::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Makes a call and returns the answer's outermost element.
    pub async fn call(&self, call: &Call) -> Result<Element, Failure> {
        let name = format!("{}.{}", self.service.name, call.action);
        let result = self.caller.operation(call.action, request, answer).invoke(form(self.service, call)).await;
        let said =
            result.as_ref().err().and_then(SdkError::as_service_error).and_then(|error| error.request_id.clone());
        result.or_fail(&name).map_err(|failure| Failure {
            message: call.redact(failure.message),
            request_id: failure.request_id.or(said),
            ..failure
        })
    }

    /// Makes a call for every page of a list, and returns the members of all.
    pub async fn pages(&self, call: Call, list: &str) -> Result<Vec<Element>, Failure> {
        let (parameter, place) = self.service.page;
        let place = place.replace("{action}", call.action);
        let mut members = Vec::new();
        let mut page = call.clone();
        for _ in 0..MOST_PAGES {
            let answer = self.call(&page).await?;
            members.extend_from_slice(answer.list(list));
            let next = answer.text(&place);
            if next.is_empty() {
                return Ok(members);
            }
            page = call.clone().with(parameter, next);
        }
        let name = format!("{}.{}", self.service.name, call.action);
        Err(Failure::found(&name, Class::Other, format!("the list has no end after {MOST_PAGES} pages")))
    }
}

/// Returns the body of a call.
fn form(service: Service, call: &Call) -> String {
    let token =
        call.step.as_ref().filter(|_| service.tokens.contains(&call.action)).map(|step| token(call.action, step));
    let fixed = [("Action", call.action), ("Version", service.version)];
    let pairs = fixed.into_iter().chain(call.parameters()).chain(token.as_deref().map(|token| ("ClientToken", token)));
    let pairs = pairs
        .map(|(name, value)| format!("{}={}", utf8_percent_encode(name, IN_FORM), utf8_percent_encode(value, IN_FORM)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Returns the token of a step: 64 characters, the longest that EC2 takes.
fn token(action: &str, step: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(format!("{action}\n{step}")))
}

fn request(form: String) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(SdkBody::from(form));
    request.set_method("POST")?;
    request.set_uri("/")?;
    request.headers_mut().insert("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    Ok(request)
}

fn answer(response: &HttpResponse) -> Result<Element, OrchestratorError<Refusal>> {
    let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
    if response.status().is_success() {
        return Element::read(&body)
            .map_err(|error| OrchestratorError::other(format!("the answer is no XML: {error}")));
    }
    Err(OrchestratorError::operation(Refusal::read(response.status(), &body)))
}

#[cfg(test)]
mod tests;
